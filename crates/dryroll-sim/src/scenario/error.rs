//! Why a scenario cannot be loaded.

use std::fmt;
use std::io;

use super::diagnostic::Diagnostic;
use crate::text::Foreign;

/// Why a scenario cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path)]
    Read {
        /// Which file.
        path: Foreign,
        /// Why.
        source: io::Error,
    },
    /// The path leads to something that is no file.
    #[error("cannot read {}: it is {what}; give the path of a scenario file, or `-` for standard input", .path)]
    NoFile {
        /// Which path.
        path: Foreign,
        /// What it is.
        what: &'static str,
    },
    /// The file is larger than any scenario.
    #[error("{} is larger than {limit} bytes, which no scenario needs; is it the right file?", .path)]
    TooLarge {
        /// Which file.
        path: Foreign,
        /// How large it may be.
        limit: u64,
    },
    /// The file is no text.
    #[error("{} is not UTF-8 text: line {line} has a wrong byte, at offset {offset} of the file", .path)]
    NotUtf8 {
        /// Which file.
        path: Foreign,
        /// The offset of the first wrong byte.
        offset: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// It is in a language that no scenario is in.
    #[error("{} is YAML, and a scenario is TOML or JSON; `yq -o=json` makes JSON of it", .path)]
    Yaml {
        /// The path, as messages show it.
        path: Foreign,
    },
    /// Nothing stands in the file.
    #[error("{} is empty; a scenario needs at least [fleet], [[versions]] and [rollout]", .path)]
    Empty {
        /// Which file.
        path: Foreign,
    },
    /// An override speaks of the target, and another target's rates leave no room for it.
    #[error(
        "version `{version}` cannot be the target: with the classes and overrides that hold for the target its rates add up to {sum}; \
         say in each for which `versions` it holds"
    )]
    DoesNotFit {
        /// The version.
        version: Foreign,
        /// What the rates add up to.
        sum: f64,
    },
    /// What stands in the file is no scenario.
    #[error("{}", .0.render(false))]
    Invalid(Diagnostics),
}

impl From<Diagnostics> for ScenarioError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Invalid(diagnostics)
    }
}

impl ScenarioError {
    /// The whole account, with or without colours for a terminal; it ends without a new line.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        match self {
            Self::Invalid(diagnostics) => diagnostics.render(styled),
            other => other.to_string(),
        }
    }

    /// What is wrong with the file, thing by thing; empty where the file could not even be read.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Invalid(diagnostics) => &diagnostics.shown,
            _ => &[],
        }
    }
}

/// All that is wrong with a file: the first things one by one, the others counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    pub(super) shown: Vec<Diagnostic>,
    pub(super) more: usize,
}

impl Diagnostics {
    pub(super) fn one(diagnostic: Diagnostic) -> Self {
        Self { shown: vec![diagnostic], more: 0 }
    }

    /// The first ones.
    #[must_use]
    pub fn shown(&self) -> &[Diagnostic] {
        &self.shown
    }

    /// How many there are beside those.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }

    /// The whole account, with or without colours for a terminal.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        let shown: Vec<String> = self.shown.iter().map(|diagnostic| diagnostic.render(styled)).collect();
        let mut out = shown.join("\n");
        if self.more > 0 {
            out.push_str(&format!("\n… and {} more\n", self.more));
        }
        out.truncate(out.trim_end().len());
        out
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

//! From a path or bytes to a scenario.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::check::{self, Origin};
use super::diagnostic::{Diagnostic, Source};
use super::error::Diagnostics;
use super::limits::MAX_FILE_BYTES;
use super::tree::{self, Cursor};
use super::{Scenario, ScenarioError, environment_digest};
use crate::digest::hex_sha256;
use crate::text::Foreign;

/// The path that stands for standard input.
const STDIN: &str = "-";

/// The language that a scenario is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON, without comments and the like.
    Json,
}

impl Format {
    /// The language of a file: by its extension, and where that says nothing by its first character,
    /// since only JSON can begin with `{`.
    #[must_use]
    pub fn of(path: &Path, bytes: &[u8]) -> Format {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("json") => Format::Json,
            Some("toml") => Format::Toml,
            _ => {
                let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
                match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                    Some(b'{') => Format::Json,
                    _ => Format::Toml,
                }
            }
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The text of a scenario file, before any check: enough to make the same scenario elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioText {
    /// What the file is called in messages.
    pub file: Foreign,
    /// What the scenario is called that gives itself no name.
    pub stem: Foreign,
    /// The language.
    pub format: Format,
    /// What stands in the file.
    pub text: String,
}

/// Whether a key is that of a table that every scenario has, or a slip of the pen away from it.
fn is_nearly_a_table(key: &str) -> bool {
    let key = key.trim();
    // A plural is another word.
    let nearly = |table: &str| strsim::normalized_damerau_levenshtein(table, key) >= 0.8 && !key.ends_with('s');
    ["fleet", "rollout"].into_iter().any(nearly)
}

fn is_of_key(letter: char) -> bool {
    letter.is_alphanumeric() || "_-".contains(letter)
}

/// The first key of a line of TOML that may be wrong: of a table's header, of a dotted key, or of a value.
fn first_key(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let begun = line.trim_start_matches(['[', '"', '\'', ' ', '\t']);
    let key = &begun[..begun.find(|letter| !is_of_key(letter)).unwrap_or(begun.len())];
    let rest = begun[key.len()..].trim_start_matches(['"', '\'']).trim_start();
    (line.starts_with('[') || rest.is_empty() || rest.starts_with(['=', '.', '{', ':'])).then_some(key)
}

/// The keys of JSON that may be wrong: words, quoted or not, that a colon, or what should follow it, comes after.
fn keys_of_json(text: &str) -> impl Iterator<Item = &str> {
    let quotes = ['"', '\''];
    let mut at = 0;
    let words = text.split(|letter| !is_of_key(letter)).map(move |word| {
        let begin = at;
        at += word.len() + text[at + word.len()..].chars().next().map_or(0, char::len_utf8);
        (begin, word)
    });
    words.filter(|(_, word)| !word.is_empty()).filter_map(move |(begin, word)| {
        let before = &text[..begin];
        let is_quoted = before.ends_with(quotes);
        let is_first = !before.trim_end().ends_with(is_of_key);
        let rest = text[begin + word.len()..].trim_start_matches(quotes).trim_start();
        ((is_quoted || is_first) && rest.starts_with([':', '{', '='])).then_some(word)
    })
}

impl ScenarioText {
    /// Its path as a command line takes it.
    #[must_use]
    pub fn path(&self) -> &str {
        if self.file == "<stdin>" { STDIN } else { self.file.raw() }
    }

    /// Reads a file; the path `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be read, is no text, or is larger than any scenario.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let bytes = read(path)?;
        let (file, stem) = if path.as_os_str() == STDIN {
            ("<stdin>".to_owned(), "scenario".to_owned())
        } else {
            (path.to_string_lossy().into_owned(), stem(path))
        };
        let format = Format::of(path, &bytes);
        Ok(Self { text: text(&file, &bytes)?.to_owned(), file: file.into(), stem: stem.into(), format })
    }

    /// What stands in it, without the mark that some editors put before it.
    pub(super) fn without_mark(&self) -> &str {
        without_mark(&self.text)
    }

    /// Checks it.
    ///
    /// # Errors
    /// When it is no scenario.
    pub fn scenario(&self) -> Result<Scenario, ScenarioError> {
        parse(self.file.raw(), self.stem.raw(), &self.text, self.format)
    }

    /// Whether it is a scenario, right or wrong, rather than another file of its language: it has a `fleet` or a
    /// `rollout`, spelt right or nearly so, and no `schema`, which files that this program writes have. What cannot be
    /// read is judged by what looks like its tables.
    #[must_use]
    pub fn looks_like_scenario(&self) -> bool {
        match root(self.file.raw(), &self.text, self.format) {
            Ok(tree) => {
                let keys = || tree.entries().iter().map(|entry| entry.key.as_str());
                keys().any(is_nearly_a_table) && !keys().any(|key| key == "schema")
            }
            Err(ScenarioError::Empty { .. }) => false,
            Err(_) => match self.format {
                Format::Toml => self.without_mark().lines().filter_map(first_key).any(is_nearly_a_table),
                Format::Json => {
                    let keys = || keys_of_json(self.without_mark());
                    keys().any(is_nearly_a_table) && !keys().any(|key| key == "schema")
                }
            },
        }
    }

    /// What is wrong at a key that the file may well have; where it lacks one, at the table that does.
    #[must_use]
    pub fn wrong(&self, at: &[&str], says: &str, help: &str) -> ScenarioError {
        let tree = match root(self.file.raw(), &self.text, self.format) {
            Ok(tree) => tree,
            Err(error) => return error,
        };
        let place = at.iter().fold(Cursor::new(&tree), |cursor, key| cursor.key(key)).name();
        let source = Source { name: self.file.raw(), text: self.without_mark() };
        ScenarioError::Invalid(Diagnostics::one(Diagnostic::new(&source, place, says).help(help)))
    }

    /// What stands in it, as JSON: one text whatever the language, comments and order.
    ///
    /// # Errors
    /// When it is neither TOML nor JSON.
    pub fn to_json(&self) -> Result<serde_json::Value, ScenarioError> {
        Ok(root(self.file.raw(), &self.text, self.format)?.to_json())
    }
}

impl Scenario {
    /// Reads and checks a file; the path `-` is standard input.
    ///
    /// # Errors
    /// When the file cannot be read, or is no scenario.
    pub fn load(path: &Path) -> Result<Scenario, ScenarioError> {
        ScenarioText::load(path)?.scenario()
    }

    /// Checks the bytes of a file. `file` is what it is called in errors; its stem names a scenario
    /// that has no name of its own.
    ///
    /// # Errors
    /// When the bytes are no scenario.
    pub fn parse(file: &str, bytes: &[u8], format: Format) -> Result<Scenario, ScenarioError> {
        parse(file, &stem(Path::new(file)), text(file, bytes)?, format)
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy().into_owned())
}

/// The bytes as text.
fn text<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, ScenarioError> {
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ScenarioError::TooLarge { path: file.into(), limit: MAX_FILE_BYTES });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let before = bytes.get(..offset).unwrap_or_default();
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        ScenarioError::NotUtf8 { path: file.into(), offset, line }
    })
}

fn parse(file: &str, stem: &str, text: &str, format: Format) -> Result<Scenario, ScenarioError> {
    let root = root(file, text, format)?;
    let origin = Origin {
        default_name: stem.into(),
        hash: hex_sha256(text.as_bytes()),
        environment: environment_digest(root.to_json()),
    };
    let source = Source { name: file, text: without_mark(text) };
    check::scenario(source, &root, origin).map_err(ScenarioError::Invalid)
}

pub(super) fn root(file: &str, text: &str, format: Format) -> Result<tree::Node, ScenarioError> {
    let text = without_mark(text);
    if text.trim().is_empty() {
        return Err(ScenarioError::Empty { path: file.into() });
    }
    let (language, root) = match format {
        Format::Toml => ("TOML", tree::read_toml(text)),
        Format::Json => ("JSON", tree::read_json(text)),
    };
    if root.is_err() && is_yaml(file, text) {
        return Err(ScenarioError::Yaml { path: file.into() });
    }
    root.map_err(|errors| ScenarioError::Invalid(check::syntax(Source { name: file, text }, language, errors)))
}

/// By its name, or by a first line that no other language has.
fn is_yaml(file: &str, text: &str) -> bool {
    let extension = Path::new(file).extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next().unwrap_or_default();
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let begins_so = first == "---"
        || first.split_once(':').is_some_and(|(key, rest)| is_key(key) && (rest.is_empty() || rest.starts_with(' ')));
    matches!(extension.as_deref(), Some("yaml" | "yml")) || begins_so
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn read(path: &Path) -> Result<Vec<u8>, ScenarioError> {
    let shown = || path.to_string_lossy().into_owned();
    let unreadable = |source: io::Error| ScenarioError::Read { path: shown().into(), source };
    if path.as_os_str() == STDIN {
        let stdin = |source: io::Error| ScenarioError::Read { path: "standard input".into(), source };
        return bounded(io::stdin().lock(), "standard input", stdin);
    }
    // Opening a pipe that nobody writes to would wait for ever, so what it is is asked first.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(ScenarioError::NoFile { path: shown().into(), what: "a directory" });
    }
    if !metadata.is_file() && !is_passed_by_shell(path) {
        return Err(ScenarioError::NoFile { path: shown().into(), what: "not a regular file" });
    }
    bounded(fs::File::open(path).map_err(unreadable)?, &shown(), unreadable)
}

/// `/dev/stdin` and `<(command)` are pipes that somebody writes to.
fn is_passed_by_shell(path: &Path) -> bool {
    path == Path::new("/dev/stdin") || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd")
}

fn bounded(
    reader: impl Read,
    path: &str,
    unreadable: impl Fn(io::Error) -> ScenarioError,
) -> Result<Vec<u8>, ScenarioError> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ScenarioError::TooLarge { path: path.into(), limit: MAX_FILE_BYTES });
    }
    Ok(bytes)
}

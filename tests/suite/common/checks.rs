//! `dryroll check` in a folder of its own, with its text and its reports.

use std::process::Command;

use serde_json::Value;

pub use super::folder::Folder;
use super::folder::said;

/// The output and the exit code.
pub struct Printed {
    pub code: Option<i32>,
    pub out: String,
    pub error: String,
}

impl Folder {
    pub fn checking(&self, arguments: &str) -> Command {
        self.command(&format!("check {arguments}"))
    }

    pub fn printed(&self, mut command: Command) -> Printed {
        let output = command.output().expect("it runs");
        Printed { code: output.status.code(), out: said(&output.stdout), error: said(&output.stderr) }
    }

    /// The report of the replay command that a report names.
    pub fn replayed(&self, replay: &Value) -> Value {
        let words = replay.as_str().and_then(|words| words.strip_prefix("dryroll ")).expect("a command");
        let mut command = self.command("");
        // A quoted word has no spaces here, and may be empty.
        command.args(words.split_whitespace().map(|word| word.trim_matches('\''))).args(["--quiet", "--report", "-"]);
        serde_json::from_slice(&command.output().expect("it runs").stdout).expect("JSON")
    }

    pub fn check(&self, arguments: &str) -> Printed {
        self.printed(self.checking(arguments))
    }
}

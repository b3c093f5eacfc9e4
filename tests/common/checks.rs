//! `dryroll check` in a folder of its own, as it is told to people and machines.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// What was said, and the exit code.
pub struct Told {
    pub code: Option<i32>,
    pub out: String,
    pub error: String,
}

pub struct Folder(tempfile::TempDir);

impl Folder {
    /// With these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("written");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("an output")
    }

    pub fn report(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).expect("JSON")
    }

    /// `dryroll check …`, as on a machine that is no CI.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
        command.current_dir(self.0.path()).arg("check").args(arguments.split_whitespace()).env("NO_COLOR", "1");
        command.env_remove("CI").env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
        command
    }

    pub fn told(&self, mut command: Command) -> Told {
        let output = command.output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Told { code: output.status.code(), out: text(output.stdout), error: text(output.stderr) }
    }

    /// The report of a command that a report names.
    pub fn replayed(&self, replay: &Value) -> Value {
        let words = replay.as_str().and_then(|words| words.strip_prefix("dryroll ")).expect("a command");
        let words = words.split_whitespace().map(|word| word.trim_matches('\''));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
        command.current_dir(self.0.path()).args(words).args(["--quiet", "--report", "-"]);
        serde_json::from_slice(&command.output().expect("it runs").stdout).expect("JSON")
    }

    pub fn check(&self, arguments: &str) -> Told {
        self.told(self.command(arguments))
    }
}

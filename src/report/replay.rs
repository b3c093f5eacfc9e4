//! The command that replays one world of a study.

use std::fmt::Write;

use crate::study::grid::Axis;

/// `dryroll run …` for one replicate of a cell: its scenario, seed, version and whatever its policy sets anew. `-` is a
/// scenario that was read from standard input.
#[must_use]
pub fn command(scenario: &str, seed: u64, version: &str, settings: &[(&Axis, usize)], replicate: u64) -> String {
    let mut command = format!("dryroll run {} {}", file(scenario), option("--version", version));
    for (axis, value) in settings {
        let value = axis.values.get(*value).map_or("", String::as_str);
        // Writing to a string cannot fail.
        let _ = write!(command, " --set {}", quoted(&format!("rollout.{}={value}", axis.key)));
    }
    let _ = write!(command, " --seed {seed} --replicate {replicate}");
    if scenario == STDIN {
        command.push_str(" # - stands for the scenario that was on standard input");
    }
    command
}

/// The path that stands for standard input.
const STDIN: &str = "-";

/// A path as a word of a command: never taken for an option.
#[must_use]
pub fn file(path: &str) -> String {
    if path.starts_with('-') && path != STDIN { quoted(&format!("./{path}")) } else { quoted(path) }
}

/// An option and its value: never taken for another option.
fn option(name: &str, value: &str) -> String {
    if value.starts_with('-') { quoted(&format!("{name}={value}")) } else { format!("{name} {}", quoted(value)) }
}

/// A word as a shell reads it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    // Some shells look up what stands behind a first `=`.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_it_as_it_is_meant() {
        let axis = Axis { key: "batch_pct".into(), values: vec!["5".into(), "10".into()] };
        assert_eq!(
            command("my file.toml", 42, "v-2", &[(&axis, 1)], 7),
            "dryroll run 'my file.toml' --version v-2 --set rollout.batch_pct=10 --seed 42 --replicate 7"
        );
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("=v"), "'=v'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn nothing_is_taken_for_an_option() {
        assert_eq!(
            command("-s.toml", 1, "-v 2", &[], 0),
            "dryroll run ./-s.toml '--version=-v 2' --seed 1 --replicate 0"
        );
        assert_eq!(
            command("-", 1, "v", &[], 0),
            "dryroll run - --version v --seed 1 --replicate 0 # - stands for the scenario that was on standard input"
        );
    }
}

//! The command that replays one world of a study.

use std::fmt::Write;

use crate::study::grid::Axis;

/// `dryroll run …` for one replicate of a cell: its scenario, seed, version and whatever its policy sets anew.
#[must_use]
pub fn command(scenario: &str, seed: u64, version: &str, settings: &[(&Axis, usize)], replicate: u64) -> String {
    let mut command = format!("dryroll run {} --version {}", quoted(scenario), quoted(version));
    for (axis, value) in settings {
        let value = axis.values.get(*value).map_or("", String::as_str);
        // Writing to a string cannot fail.
        let _ = write!(command, " --set {}", quoted(&format!("rollout.{}={value}", axis.key)));
    }
    let _ = write!(command, " --seed {seed} --replicate {replicate}");
    command
}

/// A word as a shell reads it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
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
        assert_eq!(quoted(""), "''");
    }
}

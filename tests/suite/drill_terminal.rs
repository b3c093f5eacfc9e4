//! `dryroll drill` on a real terminal, driven by `tests/terminal/drive.py`. Without Python these tests say that they
//! are left out, and pass.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

struct Driven {
    code: Option<i64>,
    written: String,
    restored: bool,
}

/// Runs a drill on a terminal; `None` where there is no Python.
fn drive(columns: u16, rows: u16, steps: &Value, arguments: &[&str], no_colour: bool) -> Option<Driven> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3");
    python.current_dir(root).arg("tests/terminal/drive.py").args([
        columns.to_string(),
        rows.to_string(),
        steps.to_string(),
    ]);
    python
        .arg(env!("CARGO_BIN_EXE_dryroll"))
        .arg("drill")
        .args(arguments)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR");
    if no_colour {
        python.env("NO_COLOR", "1");
    }
    let Ok(output) = python.output() else {
        eprintln!("left out: python3 is missing; it drives the terminal");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    if said.is_null() {
        eprintln!("left out: no terminal is to be had here");
        return None;
    }
    let written = said["written"].as_str().unwrap().to_owned();
    Some(Driven { code: said["code"].as_i64(), written, restored: said["restored"] == true })
}

fn decided(path: &Path) -> Vec<String> {
    let record: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    record["decisions"].as_array().unwrap().iter().map(|line| line["decide"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_drill_on_a_terminal_from_start_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("decisions.json");
    let steps = json!([{"until": "a-1 asks"}, "a", "d", {"until": "TRIPPED"}, {"size": [60, 20]}, "2", "y", "d", "q"]);
    let arguments = ["scenarios/broken-rollback.toml", "--speed", "1", "--record", record.to_str().unwrap()];
    for no_colour in [false, true] {
        let Some(driven) = drive(80, 24, &steps, &arguments, no_colour) else { return };
        assert_eq!(driven.code, Some(0), "{}", driven.written);
        assert!(driven.restored, "the terminal is left as it was found");
        assert!(driven.written.contains("\u{1b}[?1049l"), "the screen before comes back");
        assert_eq!(driven.written.contains("\u{1b}[38;5;"), !no_colour, "{:?}", driven.written);
        assert_eq!(decided(&record), ["approve", "rollback_completed_batches"]);
    }
}

#[test]
fn leaving_a_drill_keeps_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("decisions.json");
    let arguments = ["scenarios/broken-rollback.toml", "--speed", "1", "--record", record.to_str().unwrap()];
    for leave in [json!("\u{3}"), json!("qy")] {
        let steps = json!([{"until": "a-1 asks"}, "a", "d", {"until": "TRIPPED"}, leave]);
        let Some(driven) = drive(80, 24, &steps, &arguments, false) else { return };
        assert_eq!(driven.code, Some(130), "{}", driven.written);
        assert!(driven.restored);
        assert!(driven.written.contains("1 decision is kept"), "{}", driven.written);
        assert_eq!(decided(&record), ["approve"]);
        std::fs::remove_file(&record).unwrap();
    }
}

/// A key of which only the beginning comes: the clock goes on meanwhile, and the record is kept.
#[test]
fn half_a_key_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("decisions.json");
    let arguments = ["scenarios/broken-rollback.toml", "--speed", "300", "--record", record.to_str().unwrap()];
    let steps = json!([{"until": "a-1 asks"}, "a", "\u{1b}[", {"until": "TRIPPED"}, "\u{3}", "\u{3}"]);
    let Some(driven) = drive(80, 24, &steps, &arguments, false) else { return };
    assert!(driven.written.contains("TRIPPED"), "{}", driven.written);
    assert_eq!(driven.code, Some(130));
    assert!(driven.restored);
    assert_eq!(decided(&record), ["approve"]);
}

/// A person at a plain terminal: Ctrl-C is a signal there, and no cursor is moved.
#[test]
fn plain_lines_on_a_terminal_move_no_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("decisions.json");
    let steps = json!([{"until": "a-1 waits"}, "approve\n", "skip\n", {"until": "a-2 waits"}, "\u{3}"]);
    let arguments = ["scenarios/broken-rollback.toml", "--plain", "--speed", "1", "--record", record.to_str().unwrap()];
    let Some(driven) = drive(60, 20, &steps, &arguments, false) else { return };
    assert_eq!(driven.code, Some(130), "{}", driven.written);
    assert!(!driven.written.contains('\u{1b}'), "{:?}", driven.written);
    assert_eq!(decided(&record), ["approve"]);
}

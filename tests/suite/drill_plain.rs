//! `dryroll drill` without a terminal: a script on standard input leads it, and the same script gives the same bytes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn drill(arguments: &[&str], script: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dryroll"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("drill")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end before it has read all of the script.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn golden() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/golden/console/dialogue.txt"].iter().collect()
}

const SCRIPT: &str = "\
edit batch_pct=10
wait 2m
approve
wait 1m
status
rollback
";

#[test]
fn a_script_leads_a_drill_and_its_record_is_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (record, events, again) = (place("decisions.json"), place("events.ndjson"), place("again.ndjson"));
    let scenario = "scenarios/broken-rollback.toml";
    let output = drill(&[scenario, "--record", &record, "--events", &events], SCRIPT);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    // The debrief has tests of its own.
    let end =
        said.find("finished: ").and_then(|at| said[at..].find('\n').map(|end| at + end + 1)).unwrap_or(said.len());
    let dialogue = &said[..end];
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(), dialogue).unwrap();
    }
    assert_eq!(dialogue, std::fs::read_to_string(golden()).unwrap_or_default());

    let played = drill(&[scenario, "--decisions", &record, "--events", &again, "--quiet"], "");
    assert!(played.status.success(), "{}", text(&played.stderr));
    assert_eq!(std::fs::read(&events).unwrap(), std::fs::read(&again).unwrap());
}

/// The page of the command shows the dialogue and the screen that the tests hold.
#[test]
fn the_page_shows_the_dialogue_and_the_screen() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/commands/drill.md")).unwrap();
    for shown in ["dialogue", "trip-80x24"] {
        let golden = std::fs::read_to_string(root.join(format!("tests/golden/console/{shown}.txt"))).unwrap();
        assert!(page.contains(golden.trim_end()), "docs/commands/drill.md shows another {shown} than\n{golden}");
    }
}

#[test]
fn an_early_end_keeps_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("decisions.json");
    for script in ["approve\n", "approve\nquit\n", "approve"] {
        let output = drill(&["scenarios/broken-rollback.toml", "--record", record.to_str().unwrap()], script);
        assert_eq!(output.status.code(), Some(130), "{script:?}");
        assert!(text(&output.stderr).contains("1 decision is kept in"), "{}", text(&output.stderr));
        let kept = std::fs::read_to_string(&record).unwrap();
        assert!(kept.contains("\"decide\": \"approve\""), "{kept}");
        std::fs::remove_file(&record).unwrap();
    }
}

#[test]
fn nonsense_is_answered_and_changes_nothing() {
    let nonsense =
        "shrug\nabort\nedit\nedit batch_pct=101\nspeed fast\nwait a while\napprove now\nspeed 5\n\u{1b}[2J\n";
    let output = drill(&["scenarios/tutorial.toml"], &format!("{nonsense}approve\n"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for answer in [
        "`shrug` is not a command; `help` lists the commands",
        "that is not offered here; allowed: approve, edit, reject",
        "an edit sets batch_pct, 1 to 100",
        "a speed is a whole number from 1 to 100000",
        "as in: wait 5m",
        "`approve` takes nothing after it",
        "the clock does not run by itself here",
        "finished: completed",
    ] {
        assert!(said.contains(answer), "{answer}\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "nothing that moves a cursor is repeated");
    let bytes = drill(&["scenarios/tutorial.toml"], "").stdout;
    assert!(said.starts_with(&text(&bytes)), "the same beginning");
}

#[test]
fn quiet_says_nothing_and_a_record_on_standard_output_is_a_record() {
    let output = drill(&["scenarios/tutorial.toml", "--quiet"], "approve\n");
    assert!(output.status.success());
    let output = drill(&["scenarios/tutorial.toml", "--record", "-"], "approve\n");
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record["schema"], "dryroll.decisions/1");
    assert!(text(&output.stderr).contains("finished: completed"));
}

#[test]
fn decisions_that_do_not_fit_are_refused_with_the_first_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.json");
    let decisions = r#"{"schema": "dryroll.decisions/1", "decisions": [
        {"at_ms": 0, "decide": "approve"}, {"at_ms": 1000, "decide": "abort"}, {"at_ms": 2000, "decide": "shrug"}]}"#;
    std::fs::write(&path, decisions).unwrap();
    let output = drill(&["scenarios/broken-rollback.toml", "--decisions", path.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("decision 3: `shrug` is not a decision"), "{}", text(&output.stderr));
    std::fs::write(&path, decisions.replace("shrug", "abort")).unwrap();
    let output = drill(&["scenarios/broken-rollback.toml", "--decisions", path.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("decision 2, `abort` at 1000 ms, does not fit"), "{}", text(&output.stderr));
}

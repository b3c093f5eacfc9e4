//! A killed drill loses no decision: its record exists after each one, and plays.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const SCENARIO: &str = "scenarios/broken-rollback.toml";

fn start(arguments: &[&str], record: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_dryroll"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["drill", SCENARIO, "--record"])
        .arg(record)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program")
}

fn decided(record: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(record) else { return Vec::new() };
    // It is never seen half-written.
    let record: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let decisions = record["decisions"].as_array().expect("decisions");
    decisions.iter().map(|decision| decision["decide"].as_str().expect("a word").to_owned()).collect()
}

/// Waits until this many decisions are kept.
fn await_decisions(record: &Path, count: usize) -> Vec<String> {
    let began = Instant::now();
    loop {
        let decided = decided(record);
        if decided.len() >= count {
            return decided;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{decided:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The decisions of the report of a record that is played.
fn played(record: &Path) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_dryroll"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["drill", SCENARIO, "--report", "-", "--quiet", "--decisions"])
        .arg(record)
        .output()
        .expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let decisions = report["decisions"].as_array().expect("decisions");
    decisions.iter().map(|decision| decision["decide"].as_str().expect("a word").to_owned()).collect()
}

#[test]
fn a_dialogue_that_is_killed_has_kept_its_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("decisions.json");
    let mut child = start(&["--plain"], &record);
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"approve\nskip\ncontinue_anyway\n").unwrap();
    stdin.flush().unwrap();
    let decided = await_decisions(&record, 2);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(decided, ["approve", "continue_anyway"]);
    assert_eq!(played(&record), decided);
}

#[test]
fn a_browser_drill_that_is_killed_has_kept_its_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("decisions.json");
    let mut child = start(&["--web"], &record);
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("http://") {
        line.clear();
        assert!(stdout.read_line(&mut line).expect("a line") > 0, "no address");
    }
    let url = line.trim().rsplit_once("http://").expect("an address").1;
    let (address, token) = url.split_once("/?token=").expect("a token");
    let body = r#"{"request": "a-1.0", "decide": "approve"}"#;
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(
        stream,
        "POST /api/decide HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let decided = await_decisions(&record, 1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(decided, ["approve"]);
    assert_eq!(played(&record), decided);
}

/// What a killed program leaves beside its output goes with the next output there.
#[test]
fn what_a_killed_program_left_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("decisions.json");
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let mut child = start(&["--plain"], &record);
    child.stdin.as_mut().expect("a pipe").write_all(b"approve\n").unwrap();
    await_decisions(&record, 1);
    let running = names();
    assert!(running.iter().any(|name| name.starts_with(".dryroll-decisions.json-")), "{running:?}");
    // Another run on the same output does not take it from one that is running.
    let mut other = start(&["--plain"], &record);
    other.stdin.take().expect("a pipe").write_all(b"approve\n").unwrap();
    other.wait().unwrap();
    assert!(running.iter().all(|name| names().contains(name)), "{:?}", names());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names().len(), 2, "{:?}", names());
    let mut next = start(&["--plain"], &record);
    next.stdin.take().expect("a pipe").write_all(b"approve\n").unwrap();
    next.wait().unwrap();
    assert_eq!(names(), ["decisions.json"]);
}

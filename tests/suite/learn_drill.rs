//! What a drill teaches, and what is remembered at the next one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SCENARIO: &str = "scenarios/broken-rollback.toml";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn named(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A drill that is led by a script.
    fn drill(&self, script: &str, arguments: &[&str]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dryroll"))
            .current_dir(ROOT)
            .args(["drill", SCENARIO])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("written");
        child.wait_with_output().expect("ended")
    }

    fn learn(&self, report: &Path, arguments: &[&str]) -> Value {
        let out = Command::new(env!("CARGO_BIN_EXE_dryroll"))
            .args(["learn"])
            .arg(report)
            .args(arguments)
            .output()
            .expect("run");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).expect("a record")
    }

    /// The record of a drill that is led by a script.
    fn learned(&self, script: &str) -> Value {
        let report = self.named("drill.json");
        let out = self.drill(script, &["-q", "--report", report.to_str().expect("text")]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        self.learn(&report, &[])
    }
}

#[test]
fn what_was_decided_chooses_the_category_and_is_told() {
    let folder = Folder::new();
    for (script, category, printed) in [
        (
            "approve\nrollback\n",
            "pattern",
            "decided: approve after 0 s, then roll back after 0 s; ended as rolled_back.",
        ),
        ("approve\nwait 5m\nabort\n", "anti_pattern", "roll back instead of abort would have scored"),
        ("reject\n", "fact", "ended as rejected."),
    ] {
        let record = folder.learned(script);
        let keys: Vec<&str> = record.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["category", "content", "tags", "title"]);
        assert_eq!(record["category"], category, "{record:#}");
        let content = record["content"].as_str().expect("text");
        assert!(content.contains(printed), "{content}");
        assert!(content.contains("SHA-256") && content.contains("seed 42, replicate 0"), "{content}");
        assert!(content.contains("One drill is one replicate and one person"), "{content}");
        let tags = record["tags"].as_array().expect("a list");
        assert!(
            ["rolling-upgrade", "nginx", "fleet-50", "dryroll-drill"].iter().all(|&tag| tags.contains(&tag.into()))
        );
    }
    let edited = folder.learned("edit batch_pct=10\napprove\nrollback\n");
    assert!(edited["tags"].as_array().expect("a list").contains(&"batch_pct-10".into()), "{edited:#}");
}

#[test]
fn the_command_in_the_record_plays_the_drill_again() {
    let folder = Folder::new();
    let (report, again) = (folder.named("drill.json"), folder.named("again.json"));
    let decisions = folder.named("decisions.json");
    let arguments = ["-q", "--report", report.to_str().unwrap(), "--record", decisions.to_str().unwrap()];
    assert!(folder.drill("approve\nwait 90s\nabort\n", &arguments).status.success());
    let record = folder.learn(&report, &[]);
    let content = record["content"].as_str().expect("text");
    let (_, command) = content.split_once("Again: `dryroll ").expect("a command");
    let (command, _) = command.split_once('`').expect("its end");
    let out = Command::new(env!("CARGO_BIN_EXE_dryroll"))
        .current_dir(ROOT)
        .args(command.split(' '))
        .args(["-q", "--report"])
        .arg(&again)
        .output()
        .expect("run");
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
    let read = |path: &Path| std::fs::read_to_string(path).expect("a report");
    assert_eq!(read(&report), read(&again));
}

#[test]
fn a_drill_shows_what_is_remembered_before_it_begins_but_for_its_own_truth() {
    let folder = Folder::new();
    let (report, store) = (folder.named("drill.json"), folder.named("store.ndjson"));
    let store = store.to_str().unwrap();
    folder.drill("approve\nrollback\n", &["-q", "--report", report.to_str().unwrap()]);
    let rumour = "{\"title\": \"Ask before large batches\", \"category\": \"fact\", \"content\": \"…\", \"tags\": [\"rolling-upgrade\", \"nginx\"]}\n";
    std::fs::write(store, rumour).expect("written");
    folder.learn(&report, &["--store", store]);
    let out = folder.drill("approve\nrollback\n", &["--learnings", store]);
    let printed = String::from_utf8(out.stdout).expect("text");
    let asked = printed.find("a-1 asks").expect("the request");
    assert!(printed.find("Ask before large batches").is_some_and(|record| record < asked), "{printed}");
    // What was learnt from this very scenario tells its truth, and comes with it.
    let held = printed.find("1 record of this very scenario is shown after the drill").expect("a note");
    let record = printed.find("nginx drill — roll back on a trip of a bad version").expect("the record");
    assert!(held < asked && printed.find("In truth").is_some_and(|truth| truth < record), "{printed}");
    // A person's decisions then contradict nothing now.
    assert!(!printed.contains("contradict"), "{printed}");
    // Nor does a run of the same replicate that nobody operated.
    let run = folder.named("run.json");
    let report = Command::new(env!("CARGO_BIN_EXE_dryroll"))
        .current_dir(ROOT)
        .args(["run", SCENARIO, "-q", "--report"])
        .arg(&run)
        .output()
        .expect("run");
    assert!(report.status.success());
    folder.learn(&run, &["--store", store]);
    let other = folder.drill("approve\nabort\n", &["--learnings", store]);
    let printed = String::from_utf8_lossy(&other.stdout);
    assert!(printed.contains("rolling upgrade") && !printed.contains("contradict"), "{printed}");
}

#[test]
fn what_cannot_be_written_is_said_before_anybody_plays() {
    let folder = Folder::new();
    for option in ["--record", "--report", "--events"] {
        let out = folder.drill("approve\n", &[option, "/nowhere/at/all.json"]);
        assert_eq!(out.status.code(), Some(3), "{option}");
        assert!(out.stdout.is_empty(), "{option}");
    }
}

/// A record is believed later, so that none is made of what no drill has.
#[test]
fn a_report_with_values_that_no_drill_has_teaches_nothing() {
    let folder = Folder::new();
    folder.learned("approve\nskip\nrollback\nskip\n");
    let report = folder.named("drill.json");
    let good: Value = serde_json::from_slice(&std::fs::read(&report).expect("written")).expect("JSON");
    for (place, value, says) in [
        ("/outcome", Value::from("glorious"), "/outcome is \"glorious\"; allowed: completed, aborted"),
        ("/policy/batch_pct", 0.into(), "/policy/batch_pct is 0; allowed: whole percent, 1 to 100"),
        (
            "/policy/max_consecutive_failures",
            0.into(),
            "/policy/max_consecutive_failures is 0; allowed: a whole number, 1 to 4294967295",
        ),
        ("/decisions/0/batch_pct", 101.into(), "/decisions/0/batch_pct is 101; allowed: whole percent, 1 to 100"),
        ("/score/points", (-5).into(), "/score/points is -5; allowed: percent, 0 to 100"),
        ("/scenario/hash", "0".into(), "/scenario/hash is \"0\"; allowed: a SHA-256"),
    ] {
        let mut odd = good.clone();
        *odd.pointer_mut(place).expect("it is there") = value;
        std::fs::write(&report, odd.to_string()).expect("written");
        let out = Command::new(env!("CARGO_BIN_EXE_dryroll")).arg("learn").arg(&report).output().expect("run");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(said.contains("drill.json: ") && said.contains(says), "{said}");
    }
}

//! The commands that replay a replicate do so, whatever files and versions are called.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const VERSIONS: [&str; 6] = ["-v", "--seed", "a,b", "all", "two words", "it's=1"];

fn scenario() -> String {
    let mut text = "seed = 3\n[fleet]\ninstances = 12\n[[versions]]\nid = \"v-1\"\n".to_owned();
    for id in VERSIONS {
        text.push_str(&format!("[[versions]]\nid = \"{id}\"\nfailure_rate = 0.3\n"));
    }
    text.push_str("[rollout]\ntarget_version_id = \"-v\"\n[operator]\non_trip = \"abort\"\n");
    text
}

fn dryroll(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
    command.current_dir(folder).args(arguments).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs what must succeed; what it prints.
fn done(command: &mut Command, input: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs each cell's first replay command in a shell, and compares what it says with the sweep.
fn replayed(folder: &Path, report: &str, input: &str) {
    let report: Value = serde_json::from_str(report).unwrap();
    let cells = report["cells"].as_array().unwrap();
    for cell in cells {
        let worst = &cell["worst"][0];
        let command = worst["command"].as_str().unwrap();
        let program = format!("{} run -q --report -", env!("CARGO_BIN_EXE_dryroll"));
        let command = command.replacen("dryroll run", &program, 1);
        let said = done(Command::new("sh").current_dir(folder).args(["-c", &command]), input);
        let run: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(run["version"], cell["version"], "{command}");
        assert_eq!(run["metrics"][worst["metric"].as_str().unwrap()], worst["value"], "{command}");
    }
    assert_eq!(cells.len(), VERSIONS.len());
}

#[test]
fn replicates_of_odd_files_and_versions_are_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("-s.toml"), scenario()).unwrap();
    let sweep = ["sweep", "./-s.toml", "--versions", "all", "--replicates", "20", "-q", "--report", "-"];
    replayed(folder, &done(&mut dryroll(folder, &sweep), ""), "");
    let dashed = ["sweep", "--versions", "all", "--replicates", "20", "-q", "--report", "-", "--", "-s.toml"];
    replayed(folder, &done(&mut dryroll(folder, &dashed), ""), "");
}

#[test]
fn a_scenario_from_standard_input_is_read_from_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = ["sweep", "-", "--versions", "all", "--replicates", "20", "-q", "--report", "-"];
    let report = done(&mut dryroll(folder.path(), &sweep), &scenario());
    assert!(report.contains("# - stands for the scenario that was on standard input"));
    replayed(folder.path(), &report, &scenario());
}

#[test]
fn a_manifest_names_versions_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("s.toml"), scenario()).unwrap();
    let all = ["sweep", "s.toml", "--versions", "all", "--replicates", "20", "-q"];
    let single = done(dryroll(folder, &all).args(["--report", "-"]), "");
    done(dryroll(folder, &all).args(["--plan=-m.json", "--shards", "1"]), "");
    let printed = done(&mut dryroll(folder, &["sweep", "--manifest=-m.json", "--shard", "1/1"]), "");
    assert!(printed.contains("-m.json.shard-1-of-1"), "{printed}");
    let merged = done(&mut dryroll(folder, &["merge", "--manifest=-m.json", "-q", "--report", "-"]), "");
    assert_eq!(merged, single);
}

#[test]
fn a_run_takes_the_id_of_a_version_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("s.toml"), scenario()).unwrap();
    for id in VERSIONS {
        let report =
            done(&mut dryroll(folder, &["run", "s.toml", &format!("--version={id}"), "-q", "--report", "-"]), "");
        assert_eq!(serde_json::from_str::<Value>(&report).unwrap()["version"], id);
    }
    let output = dryroll(folder, &["run", "s.toml", "--version", "v-1,-v"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no version `v-1,-v`"));
}

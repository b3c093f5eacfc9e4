//! Text from files, file names and the command line on a pseudo-terminal: no command passes control sequences from it.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Stdio;

use dryroll::text::acts;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use crate::common::folder::Folder;

/// What a terminal, or a reader of a log, would act on.
const PAYLOADS: [&str; 6] = ["\u{1b}", "\u{9b}", "\r", "\n", "\u{202e}", "\u{200b}"];

/// The keys of a scenario that hold any text, by the type of the schema that has them. A new one belongs into
/// [`scenario`].
const TEXTS: [&str; 22] = [
    "Class.id",
    "Class.ids[]",
    "Class.versions[]",
    "Drill.good_operator",
    "Drill.trains",
    "Expect.version",
    "Fleet.template_id",
    "Module.id",
    "Override.ids[]",
    "Override.runs",
    "Override.versions[]",
    "Policy.name",
    "Policy.previous_version_id",
    "Rollout.previous_version_id",
    "Rollout.target_version_id",
    "Target.ids[]",
    "Tune.defective[]",
    "Tune.good",
    "Tune.previous_version_id[]",
    "Version.digest",
    "Version.id",
    "name",
];

fn text_keys() -> BTreeSet<String> {
    let schema = dryroll::scenario::schema();
    let mut found = BTreeSet::new();
    let is_text = |property: &Value| {
        let kinds = &property["type"];
        let is = kinds == "string" || kinds.as_array().is_some_and(|kinds| kinds.contains(&"string".into()));
        is && property.get("enum").is_none()
    };
    let mut of = |name: &str, table: &Value| {
        for (key, property) in table["properties"].as_object().into_iter().flatten() {
            if is_text(property) {
                found.insert(format!("{name}{key}"));
            }
            if is_text(&property["items"]) {
                found.insert(format!("{name}{key}[]"));
            }
        }
    };
    of("", &schema);
    for (name, table) in schema["$defs"].as_object().into_iter().flatten() {
        of(&format!("{name}."), table);
    }
    found
}

/// A scenario with the text in every place that takes one.
fn scenario(text: &str) -> Value {
    let (old, new, bad) = (format!("a{text}"), format!("b{text}"), format!("c{text}"));
    json!({
        "name": text,
        "fleet": {"instances": 8, "template_id": text, "heartbeat_interval_sec": 10},
        "module": {"id": text},
        "versions": [
            {"id": old, "digest": format!("d{text}")},
            {"id": new, "digest": format!("e{text}"), "failure_rate": 0.05},
            {"id": bad, "digest": format!("f{text}"), "defective": true, "failure_rate": 0.9},
        ],
        "classes": [{"id": text, "share": 0.5, "versions": [new], "failure_rate": 0.1}],
        "overrides": [{"ids": ["i-00001"], "versions": [bad], "failure_rate": 0.5, "runs": old}],
        "policies": [{"name": text, "batch_pct": 50, "previous_version_id": old}],
        "rollout": {"target_version_id": new, "previous_version_id": old, "batch_pct": 25},
        "operator": {"on_trip": "rollback_completed_batches"},
        "faults": [{"kind": "partition", "at_sec": 1000.0, "duration_sec": 10.0, "target": {"ids": ["i-00002"]}}],
        "tune": {
            "good": new, "defective": [bad], "batch_pct": [25, 50], "max_consecutive_failures": [1, 2],
            "previous_version_id": [old],
            "limits": [{"metric": "blast_radius_pct", "stat": "mean", "at_most": 60}],
        },
        "expect": [
            {"metric": "trip_rate", "version": bad, "at_least": 0.999},
            {"metric": "false_trip_rate", "at_most": 0.9},
        ],
        "drill": {"difficulty": 1, "trains": text, "good_operator": text},
    })
}

/// What the program writes on a terminal.
fn on_terminal(folder: &Folder, words: &[&str], script: &str) -> Vec<u8> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&master).expect("granted");
    unlockpt(&master).expect("unlocked");
    let name = ptsname(&master, Vec::new()).expect("its name");
    let open = || OpenOptions::new().read(true).write(true).open(name.to_str().expect("UTF-8")).expect("its other end");
    let mut command = folder.command("");
    command.args(words).env_remove("NO_COLOR").env("TERM", "xterm-256color");
    command.stdin(Stdio::piped()).stdout(open()).stderr(open());
    let mut child = command.spawn().expect("it starts");
    drop(command);
    let _ = child.stdin.take().expect("a pipe").write_all(script.as_bytes());
    let reader = std::thread::spawn(move || {
        let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
        let mut master = File::from(master);
        // The end of a pseudo-terminal is an error.
        while let Ok(read @ 1..) = master.read(&mut bytes) {
            seen.extend_from_slice(&bytes[..read]);
        }
        seen
    });
    child.wait().expect("it ends");
    reader.join().expect("it reads")
}

/// Without what the program itself tells a terminal: colours, and the movements of its line of progress.
fn without_own(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(at);
        out.push_str(before);
        let body = &sequence[2..];
        let end = body.find(|c: char| !c.is_ascii_digit() && c != ';' && c != '?').unwrap_or(body.len());
        match body[end..].chars().next() {
            Some('m' | 'A' | 'B' | 'K' | 'J' | 'G' | 'l' | 'h') => rest = &body[end + 1..],
            _ => {
                out.push('\u{1b}');
                rest = body;
            }
        }
    }
    out.push_str(rest);
    out
}

fn assert_harmless(what: &str, bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| panic!("{what}: no UTF-8"));
    let own = without_own(&text);
    let found = own.chars().find(|&c| acts(c) && c != '\n' && c != '\r');
    assert_eq!(found, None, "{what}: {text:?}");
    for line in ["Z\nY", "Z\r\nY", "Z\rY"] {
        assert!(!own.contains(line), "{what}: a text breaks its line: {text:?}");
    }
}

/// Each command with the words that stand after it; `S` is the scenario, `Z` the text.
const COMMANDS: [&[&str]; 52] = [
    &["run", "S", "--report", "run.json", "--events", "events.ndjson", "--trace", "trace.json"],
    &["run", "S", "--version", "bZ", "--learnings", "store.jsonl"],
    &["run", "S", "--events", "-"],
    &["run", "S", "--report", "-"],
    &["run", "S", "--trace", "-"],
    &["plan", "S"],
    &["sweep", "S", "--versions", "all", "--replicates", "20", "--report", "sweep.json", "--cells", "cells.csv"],
    &["sweep", "S", "--versions", "all", "--replicates", "20", "--cells", "-"],
    &[
        "compare",
        "S",
        "--policy",
        "batch_pct=25",
        "--policy",
        "batch_pct=50",
        "--replicates",
        "20",
        "--report",
        "cmp.json",
    ],
    &["tune", "S", "--replicates", "256", "--report", "tune.json"],
    &["check", "S", "--max-replicates", "256", "--report", "check.json", "--junit", "c.xml", "--markdown", "c.md"],
    &["check", "S", "--max-replicates", "256", "--junit", "-"],
    &["check", "S", "--max-replicates", "256", "--markdown", "-"],
    &["check", "S", "--list"],
    &["check", "S", "--max-replicates", "256", "--baseline", "base.ndjson", "--accept"],
    &["check", "S", "--max-replicates", "256", "--baseline", "base.ndjson"],
    &["drill", "S", "--plain", "--record", "made.json", "--report", "drill.json"],
    &["drill", "S", "--decisions", "made.json"],
    &["calibrate", "events.ndjson", "--output", "-"],
    &["calibrate", "events.ndjson", "--output", "fit.toml", "--report", "fit.json"],
    &["tune", "S", "--replicates", "256", "--posterior", "fit.json"],
    &["learn", "run.json", "--store", "store.jsonl"],
    &["learn", "tune.json"],
    &["report", "run.json", "--html", "-"],
    &["report", "sweep.json", "--html", "sweep.html", "--svg", "svg"],
    &["report", "tune.json", "--html", "tune.html"],
    &["report", "drill.json", "--html", "drill.html"],
    &["report", "check.json", "--html", "check.html"],
    &["report", "fit.json", "--html", "fit.html"],
    &["new", "-", "--name", "Z", "--module", "Z", "--previous", "aZ", "--target", "bZ"],
    &["new", "newZ.toml", "--name", "Z", "--previous", "aZ", "--target", "bZ", "--broken", "--yes"],
    &["run", "S", "--version", "Z"],
    &["run", "S", "--set", "Z=1"],
    &["run", "S", "--set", "rollout.batch_pct=Z"],
    &["run", "none Z.toml"],
    &["sweep", "S", "--metric", "Z", "--precision", "1%"],
    &["sweep", "S", "--precision", "Z"],
    &["sweep", "S", "--versions", "Z"],
    &["sweep", "S", "--batch-pct", "Z"],
    &["check", "S", "--filter", "Z no rule"],
    &["check", "S", "--baseline", "base.ndjson", "--tolerance", "Z=1"],
    &["check", "S", "--baseline", "wrong.ndjson"],
    &["drill", "S", "--decisions", "wrong-decision.json"],
    &["drill", "S", "--decisions", "wrong-keys.json"],
    &["run", "wrong.toml"],
    &["run", "wrong.json"],
    &["calibrate", "wrong-events.ndjson"],
    &["learn", "wrong-report.json"],
    &["report", "wrong-report.json", "--html", "w.html"],
    &["tune", "S", "--posterior", "wrong-report.json"],
    &["Z"],
    &["run", "S", "--Z"],
];

fn files(folder: &Folder, text: &str) {
    let quoted = serde_json::to_string(text).expect("JSON");
    let path = format!("s {text}.json");
    folder.write(&path, &scenario(text).to_string());
    folder.write("wrong.ndjson", &format!("{{\"scenario\": {quoted}, \"version\": {quoted}, \"fact\": {quoted}}}\n"));
    folder.write(
        "wrong-decision.json",
        &format!(
            "{{\"schema\": \"dryroll.decisions/1\", \"decisions\": [{{\"at_ms\": 0, \"request\": \"rollout\", \
             \"decide\": {quoted}}}]}}"
        ),
    );
    folder.write("wrong-keys.json", &format!("{{\"schema\": {quoted}, {quoted}: 1}}"));
    let toml = text.replace(['\n', '\r'], "");
    folder.write("wrong.toml", &format!("[fleet] # {toml}\ninstances = \"{toml}\" {toml}\n"));
    folder.write("wrong.json", &format!("{{\"fleet\": {{{quoted}: {quoted}}}, \"rollout\": {quoted}}}"));
    folder.write("wrong-events.ndjson", &format!("{{\"event\": {quoted}, \"at_ms\": 0}}\n"));
    folder.write("wrong-report.json", &format!("{{\"schema\": {quoted}, {quoted}: {quoted}}}"));
}

/// Every command × every text × each payload.
#[test]
fn nothing_from_outside_acts_on_a_terminal() {
    assert_eq!(text_keys().into_iter().collect::<Vec<_>>(), TEXTS, "text keys of the schema; see `scenario`");
    std::thread::scope(|scope| {
        for payload in PAYLOADS {
            scope.spawn(move || {
                // Its two ends differ, so that two texts on two lines are not taken for one that is broken.
                let text = format!("Z{payload}Y");
                let folder = Folder::with(&[]);
                files(&folder, &text);
                let path = format!("s {text}.json");
                for command in COMMANDS {
                    let words: Vec<String> = command
                        .iter()
                        .map(|word| if *word == "S" { path.clone() } else { word.replace('Z', &text) })
                        .collect();
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    let seen = on_terminal(&folder, &words, "status\napprove\nfrobnicate Z\u{9b}Z\nwait 5m\napprove\n");
                    assert!(!seen.is_empty() || words.contains(&"--svg"), "{words:?} says nothing");
                    assert_harmless(&format!("{words:?}"), &seen);
                }
                for (name, lines) in [
                    ("run.json", true),
                    ("events.ndjson", true),
                    ("trace.json", true),
                    ("sweep.json", true),
                    ("cells.csv", true),
                    ("cmp.json", true),
                    ("tune.json", true),
                    ("check.json", true),
                    ("c.xml", true),
                    ("c.md", true),
                    ("base.ndjson", true),
                    ("made.json", true),
                    ("drill.json", true),
                    ("fit.toml", true),
                    ("fit.json", true),
                    ("store.jsonl", true),
                    ("sweep.html", true),
                    ("tune.html", true),
                    ("drill.html", true),
                    ("check.html", true),
                    ("fit.html", true),
                ] {
                    assert!(lines && folder.has(name), "{name} was not written with {payload:?}");
                    assert_harmless(name, &folder.bytes(name));
                }
                assert_eq!(folder.report("run.json")["scenario"]["name"], text, "JSON keeps the true text");
            });
        }
    });
}

/// Lines of a table and of an annotation stay lines of the program.
#[test]
fn annotations_and_tables_keep_their_lines() {
    let folder = Folder::with(&[]);
    let text = "a\nb\r\n::error file=x::gh";
    folder.write("nl.json", &scenario(text).to_string());
    let mut check = folder.command("check nl.json --max-replicates 256");
    let seen = check.env("GITHUB_ACTIONS", "true").output().expect("it runs");
    let said = String::from_utf8(seen.stdout).expect("UTF-8");
    assert!(said.contains("::error"), "a rule fails: {said}");
    for line in said.lines().filter(|line| line.starts_with("::")) {
        assert!(!line.starts_with("::error file=x"), "forged: {line}");
    }
    assert!(!said.contains('\r'), "{said:?}");
}

/// No spreadsheet takes a version for a formula.
#[test]
fn no_cell_of_a_table_is_a_formula() {
    let folder = Folder::of(
        "[fleet]\ninstances = 3\n[[versions]]\nid = \"a\"\n[[versions]]\nid = '=HYPERLINK(\"http://evil\",\"x\")'\n\
         [rollout]\ntarget_version_id = '=HYPERLINK(\"http://evil\",\"x\")'\n",
    );
    assert!(folder.run("sweep s.toml --replicates 4 --cells cells.csv").status.success());
    let cells = folder.read("cells.csv");
    assert!(cells.contains("\"'=HYPERLINK("), "{cells}");
    for record in cells.lines().skip(1) {
        assert!(!record.contains(",=") && !record.contains(",\"="), "{record}");
    }
}

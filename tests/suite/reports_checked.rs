//! Every written report can be read; a report with an impossible value is refused, with the place, the value and what
//! is allowed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use dryroll::report::model::report::Report;
use serde_json::{Value, json};

use crate::common::folder::Folder;

fn shipped() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let drills = root.join("drills");
    let files = [root, drills].into_iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| {
        let name = path.to_string_lossy();
        (name.ends_with(".toml") || name.ends_with(".json")) && !name.contains("fleet-1000000")
    });
    files.sort();
    files
}

/// The report that a command writes to standard output.
fn written(arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).args(["--quiet", "--report", "-"]);
    let output = output.output().expect("it runs");
    assert!(!output.stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// One report of each schema.
pub fn of_each() -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (events, decisions, scenario) = (at("events.ndjson"), at("decisions.json"), at("checked.toml"));
    let base = std::fs::read_to_string("scenarios/broken-rollback.toml").expect("a scenario");
    let rule = "\n[[expect]]\nmetric = \"blast_radius_pct\"\nat_most = 50\n";
    std::fs::write(&scenario, format!("{base}{rule}")).expect("written");
    let made = Command::new(env!("CARGO_BIN_EXE_dryroll"))
        .args(["run", "scenarios/broken-rollback.toml", "--quiet", "--events", &events])
        .output()
        .expect("it runs");
    assert!(made.status.success());
    let played = json!({"schema": "dryroll.decisions/1", "scenario": null, "seed": null, "replicate": null,
        "version": null, "policy": null, "decisions": [{"at_ms": 60_000, "decide": "approve"}]});
    std::fs::write(&decisions, played.to_string()).expect("written");
    let (broken, sweep) = ("scenarios/broken-rollback.toml", ["--replicates", "60"]);
    let commands: [Vec<&str>; 7] = [
        vec!["run", broken],
        vec!["sweep", broken, "--batch-pct", "10,20", sweep[0], sweep[1]],
        vec!["compare", broken, "--policy", "batch_pct=10", "--policy", "batch_pct=20", sweep[0], sweep[1]],
        vec!["tune", "scenarios/tune.toml", "--replicates", "300"],
        vec!["check", &scenario],
        vec!["drill", broken, "--decisions", &decisions],
        vec!["calibrate", &events, "-o", "/dev/null"],
    ];
    commands.iter().map(|command| serde_json::from_slice(&written(command)).expect("JSON")).collect()
}

pub fn read(report: &Value) -> Result<Report, String> {
    Report::read(report.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn every_report_that_is_written_is_read() {
    let mut refused = Vec::new();
    for path in shipped() {
        let path = path.to_str().expect("UTF-8");
        for command in [vec!["run", path], vec!["sweep", path, "--replicates", "20"]] {
            if let Err(error) = Report::read(&written(&command)) {
                refused.push(format!("{command:?}: {error}"));
            }
        }
    }
    let wrong = of_each().iter().filter_map(|report| read(report).err()).collect::<Vec<_>>();
    refused.extend(wrong);
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// What a report decided is what its numbers say.
#[test]
fn a_report_that_contradicts_itself_is_refused() {
    let reports = of_each();
    let of = |schema: &str| {
        let named = format!("dryroll.{schema}/1");
        reports.iter().find(|report| report["schema"] == named.as_str()).expect("a report").clone()
    };
    let refused = |report: &Value, at: &str, changes: &[(&str, Value)]| {
        let mut other = report.clone();
        for (place, value) in changes {
            *other.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value.clone();
        }
        let error = read(&other).expect_err(at);
        assert!(error.contains(at), "{at}: {error}");
    };
    let check = of("check");
    let rule = "/scenarios/0/rules/0";
    let [bound, status] = ["bound", "status"].map(|key| check.pointer(&format!("{rule}/{key}")).expect("it").clone());
    let other = if status == "passed" { "failed" } else { "passed" };
    refused(&check, &format!("{rule}/status"), &[(&format!("{rule}/status"), other.into())]);
    assert!(bound.is_number());
    let tune = of("tune");
    let candidates = tune["candidates"].as_array().expect("candidates");
    let (place, limit) = candidates
        .iter()
        .enumerate()
        .find_map(|(place, one)| {
            let limits = one["evidence"]["limits"].as_array()?;
            Some((place, limits.iter().position(|limit| limit["holds"] == false)?))
        })
        .expect("a limit that does not hold");
    let holds = format!("/candidates/{place}/evidence/limits/{limit}/holds");
    refused(&tune, &holds, &[(&holds, true.into())]);
    let standing = format!("/candidates/{place}/standing");
    refused(&tune, &standing, &[(&standing, "as_good".into())]);
    let run = of("run");
    let blast = "/metrics/blast_radius_pct";
    let reached = run["metrics"]["exposed_pct"].as_f64().expect("a share");
    refused(&run, blast, &[(blast, (reached / 2.0).into())]);
    let back = "/rollback/batches/0/healthy_count";
    refused(&run, back, &[(back, 41.into())]);
    let compare = of("compare");
    let stopping = "/comparisons/0/completed/0/enough";
    if compare.pointer(stopping).is_some() {
        let metric = compare["comparisons"][0]["metrics"].as_array().expect("metrics");
        let at = metric.iter().position(|one| one["metric"] == "duration_sec").expect("durations");
        let mut other = compare.clone();
        other["comparisons"][0]["metrics"][at]["stopping"] =
            if metric[at]["stopping"].is_null() { "b".into() } else { Value::Null };
        let error = read(&other).expect_err("stopping");
        assert!(error.contains("/stopping"), "{error}");
    }
    let calibration = of("calibration");
    let timeouts = calibration["versions"][0]["health_timeout"].as_u64().expect("a count");
    let hits = "/versions/0/hang_rate/hits";
    refused(&calibration, hits, &[(hits, (timeouts + 1).into())]);
    refused(&calibration, "/operator/approved", &[("/operator/approved", 9.into())]);
}

/// The value out of range for a number at a key, where its name says what it is.
fn out_of_range(path: &[String], value: &Value) -> Option<Value> {
    let key = path.iter().rev().find(|step| step.parse::<usize>().is_err())?.as_str();
    let ends = |end: &str| key == end || key.ends_with(&format!("_{end}"));
    match value {
        Value::Array(ends_of) if (ends("ci") || key == "interval" || key == "claim") && ends_of.len() == 2 => {
            let (low, high) = (ends_of[0].as_f64()?, ends_of[1].as_f64()?);
            Some(json!([high + 1.0, low]))
        }
        Value::Number(number) if ends("rate") || key == "share" || key == "confidence" || key == "p_value" => {
            Some(json!(number.as_f64()? + 1.5))
        }
        Value::Number(number) if ends("pct") => Some(json!(number.as_f64()? + 101.0)),
        Value::Number(_) if key == "hits" => Some(json!(1_000_000)),
        Value::Number(_) if key == "n" || ends("instances") || ends("count") || ends("ms") => Some(json!(-1)),
        _ => None,
    }
}

fn mutations(value: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Value)>) {
    if let Some(other) = out_of_range(path, value) {
        found.push((path.clone(), other));
        return;
    }
    match value {
        Value::Array(items) => {
            // The first two of a list stand for all.
            for (place, item) in items.iter().enumerate().take(2) {
                path.push(place.to_string());
                mutations(item, path, found);
                path.pop();
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                path.push(key.clone());
                mutations(item, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

pub fn pointer(path: &[String]) -> String {
    path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

#[test]
fn a_number_out_of_range_is_refused_wherever_it_stands() {
    let mut tried: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut let_pass = Vec::new();
    for report in of_each() {
        let schema = report["schema"].as_str().expect("a schema").to_owned();
        read(&report).unwrap_or_else(|error| panic!("{schema}: {error}"));
        let mut all = Vec::new();
        mutations(&report, &mut Vec::new(), &mut all);
        for (path, other) in all {
            let mut mutated = report.clone();
            *mutated.pointer_mut(&pointer(&path)).expect("the place") = other.clone();
            let (refused, of) = tried.entry(schema.clone()).or_default();
            *of += 1;
            match read(&mutated) {
                Err(_) => *refused += 1,
                Ok(_) => let_pass.push(format!("{schema} {} = {other}", pointer(&path))),
            }
        }
    }
    println!("refused of tried: {tried:?}");
    assert!(let_pass.is_empty(), "{tried:?}\n{}", let_pass.join("\n"));
    assert!(tried.len() == 7 && tried.values().all(|&(_, of)| of >= 5), "{tried:?}");
}

#[test]
fn what_cannot_be_is_named_with_its_place() {
    let reports = of_each();
    let of = |schema: &str| reports.iter().find(|report| report["schema"] == schema).expect(schema).clone();
    let cell = of("dryroll.sweep/1")["cells"][0].clone();
    for (schema, at, value, said) in [
        (
            "dryroll.run/1",
            "/metrics/outcome",
            json!("flying"),
            "/metrics/outcome is \"flying\"; allowed: completed, aborted",
        ),
        (
            "dryroll.run/1",
            "/metrics/exposed_pct",
            json!(500),
            "/metrics/exposed_pct is 500; allowed: percent, 0 to 100",
        ),
        (
            "dryroll.run/1",
            "/policy/batch_pct",
            json!(900),
            "/policy/batch_pct is 900; allowed: whole percent, 1 to 100",
        ),
        ("dryroll.run/1", "/metrics/exposed_instances", json!(999), "at most the plan's total_instances, 50"),
        (
            "dryroll.run/1",
            "/metrics/duration_sec",
            json!("long"),
            "/metrics/duration_sec is \"long\"; allowed: seconds, 0 to 4000000000",
        ),
        ("dryroll.run/1", "/plan/batch_count", json!(9), "/plan/batch_count is 9; allowed: 5, of 50 instances"),
        ("dryroll.sweep/1", "/cells/1", cell, "/cells/1 is there a second time; allowed: one that /cells/0 is not"),
        (
            "dryroll.sweep/1",
            "/cells/0/metrics/trip_rate/hits",
            json!(61),
            "/cells/0/metrics/trip_rate/hits is 61; allowed: at most n",
        ),
        ("dryroll.sweep/1", "/cells/0/metrics/trip_rate/rate", json!(0.5), "allowed: hits / n, which is 1"),
        (
            "dryroll.sweep/1",
            "/cells/0/metrics/duration_sec/ci",
            json!([9, 1]),
            "allowed: an interval: [low, high], the smaller end first",
        ),
        ("dryroll.sweep/1", "/cells/0/metrics/duration_sec/n", json!(99), "allowed: at most replicates, which is 60"),
        ("dryroll.compare/1", "/comparisons/0/metrics/3/ties", json!(3), "as many as n"),
        (
            "dryroll.calibration/1",
            "/versions/0/commands",
            json!(3),
            "which is healthy, upgrade_failed, health_timeout, cut_short",
        ),
        (
            "dryroll.run/1",
            "/batches/0/healthy_count",
            json!(6.5),
            "found floating point `6.5`; allowed: a whole number",
        ),
        ("dryroll.run/1", "/plan/batches/0/instance_ids/0", json!("i-00002"), "\"i-00002\", there a second time"),
        ("dryroll.run/1", "/version", json!("v-1.24.0"), "which is that of its command"),
        ("dryroll.sweep/1", "/cells/1/defective", json!(false), "/cells/1/defective is false; allowed: true"),
        ("dryroll.calibration/1", "/versions/0/failure_rate/beta/0", json!(1e6), "do not go together"),
        ("dryroll.check/1", "/counts/passed", json!(7), "as many rules have that status"),
    ] {
        let mut report = of(schema);
        *report.pointer_mut(at).unwrap_or_else(|| panic!("{schema} {at}")) = value;
        let error = read(&report).err().unwrap_or_else(|| panic!("{schema} {at} is let pass"));
        assert!(error.contains(said), "{schema} {at}: {error}");
    }
}

#[test]
fn whether_enough_rollouts_complete_is_what_their_share_says() {
    let sweep = ["sweep", "scenarios/tune.toml", "--replicates", "40"];
    let mut report: Value = serde_json::from_slice(&written(&sweep)).expect("JSON");
    read(&report).unwrap_or_else(|error| panic!("{error}"));
    let enough = report.pointer_mut("/cells/0/completed/enough").expect("a good version");
    *enough = json!(!enough.as_bool().unwrap_or(false));
    let error = read(&report).expect_err("it is let pass");
    assert!(error.contains("/cells/0/completed/enough is "), "{error}");
}

#[test]
fn every_command_that_reads_a_report_refuses_it() {
    let mut report = of_each().swap_remove(0);
    report["metrics"]["exposed_pct"] = json!(500);
    let folder = Folder::with(&[("run.json", &report.to_string())]);
    for command in ["report run.json --html page.html", "learn run.json"] {
        let output = folder.command(command).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains("run.json") && said.contains("/metrics/exposed_pct is 500"), "{command}: {said}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    for report in of_each() {
        let text = report.to_string().into_bytes();
        let step = (text.len() / 60).max(1);
        for place in (0..text.len()).step_by(step) {
            let _ = Report::read(&text[..place]);
            for byte in [b'0', b'-', b'"', b'}', 0xff] {
                let mut other = text.clone();
                other[place] = byte;
                let _ = Report::read(&other);
            }
        }
        for (key, _) in report.as_object().expect("an object") {
            for odd in [json!(null), json!([]), json!({}), json!("x"), json!(-1), json!([[[1]]]), json!({"n": "x"})] {
                let mut other = report.clone();
                other[key] = odd;
                let _ = read(&other);
            }
        }
    }
}

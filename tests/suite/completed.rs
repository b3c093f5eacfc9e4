//! A policy that stops nearly all good rollouts is not fast: it is on no front, is not recommended, and is not better
//! in time.

use crate::common::folder::{Folder, said};
use crate::common::html;
use crate::common::tuning::BEYOND_THEORY;
use serde_json::Value;

/// Half of a fleet's good rollouts meet a failure here or there, so that a limit of 1 stops nearly all of them.
const BROKEN: &str = r#"
seed = 1
[fleet]
instances = 300
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
failure_rate = 0.01
hang_rate = 0.002
[[versions]]
id = "v-bad"
defective = true
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
failure_rate = 0.6
unhealthy_rate = 0.3
[rollout]
target_version_id = "v-2"
previous_version_id = "v-1"
health_timeout_sec = 300
[operator]
on_trip = "rollback_completed_batches"
decision_delay_sec = 300
"#;

const TUNE: &str = r#"
[tune]
batch_pct = [10, 20, 50]
max_consecutive_failures = [1, 3]
limits = [{metric = "blast_radius_pct", at_most = 12}]
"#;

const GRID: &str = "--batch-pct 10,20,50 --max-consecutive-failures 1,3 --replicates 400";

fn limit(of: &Value) -> u64 {
    of["policy"]["max_consecutive_failures"].as_u64().expect("a limit")
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn warnings(report: &Value) -> String {
    list(report, "warnings").iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_sweep_has_it_on_no_front_and_names_what_it_does() {
    let folder = Folder::of(BROKEN);
    let output = folder.run(&format!("sweep s.toml {GRID} --versions v-2,v-bad --report r.json"));
    assert!(output.status.success(), "{}", said(&output.stderr));
    let report = folder.report("r.json");
    for cell in list(&report, "cells") {
        match cell["defective"] == true {
            true => assert!(cell["completed"].is_null()),
            false => assert_eq!(cell["completed"]["enough"], limit(cell) == 3, "{}", cell["completed"]),
        }
    }
    let warned = warnings(&report);
    assert!(warned.contains("3 policies complete fewer than 90\u{202f}%"), "{warned}");
    assert!(warned.contains("batch_pct 10, max_consecutive_failures 1 stops 97"), "{warned}");
    assert!(said(&output.stdout).contains("\u{202f}% ✗"), "{}", said(&output.stdout));
    let page = said(&folder.run("report r.json --html -").stdout);
    let mut rows = html::rows(&page);
    rows.retain(|row| row.iter().any(|cell| cell == "on the front"));
    assert!(!rows.is_empty() && rows.iter().all(|row| row.iter().any(|cell| cell.contains("limit 3"))), "{rows:?}");
    assert_eq!(page.matches(">stops 97").count(), 3, "each is named where its place is said");
    assert!(!page.contains("the fastest policy is batches of 10\u{202f}%, limit 1"));
    let record = said(&folder.run("learn r.json").stdout);
    assert!(record.contains("3 policies are out for the good rollouts that they stop"), "{record}");
    assert!(!record.contains("The fastest is batch_pct=50%, max_consecutive_failures=1"), "{record}");
}

#[test]
fn a_comparison_does_not_call_it_better_in_time() {
    let folder = Folder::of(BROKEN);
    let policies = "--policy max_consecutive_failures=1 --policy max_consecutive_failures=3";
    let output =
        folder.run(&format!("compare s.toml {policies} --versions v-2,v-bad --replicates 400 --report r.json"));
    assert!(output.status.success(), "{}", said(&output.stderr));
    let report = folder.report("r.json");
    assert!(warnings(&report).contains("A stops 97"), "{}", report["warnings"]);
    let good = &report["comparisons"][0];
    let of = |name: &str| list(good, "metrics").iter().find(|one| one["metric"] == name).expect("a metric").clone();
    let duration = of("duration_sec");
    assert!(duration["simultaneous_ci"][0].as_f64().expect("an end") > 0.0, "the other surely takes longer");
    assert_eq!((&duration["stopping"], &duration["a_wins"]), (&Value::from("a"), &Value::Null));
    assert!(of("completed")["stopping"].is_null(), "what it stops is counted as before");
    let printed = said(&output.stdout);
    let row = |name: &str| printed.lines().find(|line| line.trim_start().starts_with(name)).expect("a row").to_owned();
    assert!(row("duration_sec").contains("none: A stops early"), "{printed}");
    assert!(row("completed").contains("B is better"), "{printed}");
    assert!(!printed.contains("A is better"), "{printed}");
    assert!(!said(&folder.run("report r.json --html -").stdout).contains("A is better in duration"));
}

#[test]
fn a_search_does_not_recommend_it_unless_the_scenario_lets_it() {
    let folder = Folder::of(&format!("{BROKEN}{TUNE}"));
    let output = folder.tune("--report t.json");
    assert!(output.status.success(), "{}", said(&output.stderr));
    let report = folder.report("t.json");
    assert_eq!(limit(&report["recommended"]), 3);
    assert!(list(&report, "front").iter().all(|point| limit(point) == 3), "{}", report["front"]);
    for candidate in list(&report, "candidates") {
        let gives_up = candidate["gives_up"].as_str().unwrap_or_default();
        assert_eq!(gives_up.starts_with("stops 97"), limit(candidate) == 1, "{candidate}");
    }
    assert!(warnings(&report).contains("1 policy is out for that (batch_pct 10, max_consecutive_failures 1)"));
    assert!(said(&output.stdout).contains("stops 97"));
    assert!(said(&folder.run("report t.json --html -").stdout).contains(">stops 97"));
    // A scenario can ask for it, and a warning follows.
    let folder = Folder::of(&format!("{BROKEN}{}", TUNE.replace("[tune]", "[tune]\nmin_completed = 0")));
    folder.tune("--report t.json -q");
    let report = folder.report("t.json");
    assert_eq!(limit(&report["recommended"]), 1);
    assert!(warnings(&report).contains("stopped early"), "{}", report["warnings"]);
}

/// With few replicates and no theory, nothing is sure: not out, and said to be open.
#[test]
fn what_is_undecided_is_named_and_not_out() {
    let text = BROKEN.replace("failure_rate = 0.01\n", "failure_rate = 0.0003\n").replace("hang_rate = 0.002\n", "");
    let folder = Folder::of(&format!("{text}{BEYOND_THEORY}"));
    folder.run("sweep s.toml --max-consecutive-failures 1,3 --replicates 30 --report r.json -q");
    let report = folder.report("r.json");
    let enough: Vec<&Value> = list(&report, "cells").iter().map(|cell| &cell["completed"]["enough"]).collect();
    assert_eq!(enough[0], &Value::Null, "{}", report["cells"][0]["completed"]);
    assert!(warnings(&report).contains("undecided"), "{}", report["warnings"]);
    let page = said(&folder.run("report r.json --html -").stdout);
    assert!(!page.contains(">stops "), "it is not out");
}

/// Rollouts that the horizon ends are stopped by no breaker.
#[test]
fn rollouts_that_are_not_over_at_the_horizon_are_said_to_be() {
    let broken = BROKEN.replace("failure_rate = 0.01\nhang_rate = 0.002", "failure_rate = 0.001");
    let tune = TUNE.replace("[10, 20, 50]", "[1, 50]").replace("[1, 3]", "[3]").replace("at_most = 12", "at_most = 60");
    let goal = "minimise = \"exposure_instance_min\"\n";
    let folder = Folder::of(&format!("horizon_sec = 2400\n{broken}{tune}{goal}"));
    let told = said(&folder.tune("--report t.json").stdout);
    let report = folder.report("t.json");
    let candidates = report["candidates"].as_array().expect("candidates");
    let slow = candidates.iter().find(|one| one["policy"]["batch_pct"] == 1).expect("batches of 1 %");
    assert_eq!(slow["gives_up"], "100\u{202f}% of good rollouts are not over at the horizon", "{slow}");
    assert!(told.contains("A longer `horizon_sec` lets them end") && !told.contains("stops 100"), "{told}");
    let told = said(&folder.run("sweep s.toml --batch-pct 1 --versions v-2 --replicates 60").stdout);
    let told = told.replace('\u{202f}', " ");
    assert!(told.contains("of 1: batch_pct 1: 100 % of good rollouts do not complete. Where the horizon"), "{told}");
}

//! Metrics say what they mean: what only some rollouts have stands with how many have it, and decides nothing between
//! policies that give it to different rollouts; a run whose harm goes on says so.

use crate::common::folder;
use folder::{Folder, said};
use serde_json::Value;

/// A bad version hangs on some instances, and a person takes two minutes for every trip.
const SCENARIO: &str = r#"
seed = 7
[fleet]
instances = 20
[[versions]]
id = "v-1"
[[versions]]
id = "v-bad"
defective = true
hang_rate = 0.3
[rollout]
target_version_id = "v-bad"
batch_pct = 25
max_consecutive_failures = 2
[reconciler]
policy = "auto_approve"
[operator]
on_trip = "abort"
decision_delay_sec = 120
"#;

fn run(scenario: &str) -> (Value, String) {
    let folder = Folder::of(scenario);
    let output = folder.run("run s.toml --report r.json");
    assert!(output.status.success(), "{}", said(&output.stderr));
    (folder.report("r.json"), said(&output.stdout))
}

fn with(decision: &str) -> String {
    SCENARIO.replace("\"abort\"", &format!("\"{decision}\""))
}

#[test]
fn only_a_rollback_mitigates_and_every_trip_is_stopped() {
    let number = |report: &Value, name: &str| report["metrics"][name].as_f64();
    for (decision, outcome, mitigates) in [
        ("abort", "aborted", false),
        ("continue_anyway", "completed", false),
        ("rollback_completed_batches", "rolled_back", true),
    ] {
        let (report, account) = run(&with(decision));
        assert_eq!(report["metrics"]["outcome"], outcome);
        let trip = report["trips"][0]["at_ms"].as_f64().expect("a trip") / 1000.0;
        let end = number(&report, "duration_sec").expect("an end");
        let mitigated = mitigates.then_some(end - trip);
        assert_eq!(number(&report, "time_to_mitigate_sec").is_some(), mitigated.is_some(), "{decision}");
        if let (Some(found), Some(wanted)) = (number(&report, "time_to_mitigate_sec"), mitigated) {
            assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
        }
        let stop = number(&report, "time_to_stop_sec").expect("a trip is stopped");
        // Who goes on is stopped by the end alone; the others by their decision.
        let wanted = if decision == "continue_anyway" { end - trip } else { 120.0 };
        assert!((stop - wanted).abs() < 1e-6, "{decision}: {stop} {wanted}");
        assert!(account.contains("time to stop"), "{account}");
    }
}

#[test]
fn harm_that_goes_on_is_said_and_what_would_count_more_of_it() {
    let (report, account) = run(SCENARIO);
    let down = report["harm_goes_on"]["instances"].as_u64().expect("some are down");
    assert_eq!(report["metrics"]["harmed_instances"], down, "nobody brings them back");
    assert_eq!(report["metrics"]["harmed_pct"], down as f64 * 5.0);
    let account = account.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["still down when the rollout ends", "`observe_after_sec = 3600` in [rollout] would add up to"] {
        assert!(account.contains(part), "{account}");
    }
    let longer = SCENARIO.replace("batch_pct = 25", "batch_pct = 25\nobserve_after_sec = 3600");
    let (watched, account) = run(&longer);
    let account = account.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        account.contains("still down 1 h 00 min after the rollout ends") && account.contains("= 7200`"),
        "{account}"
    );
    let unhealthy = |report: &Value| report["metrics"]["unhealthy_instance_min"].as_f64().expect("a number");
    // What the sentence promises: an hour of each of them.
    assert!((unhealthy(&watched) - unhealthy(&report) - down as f64 * 60.0).abs() < 1e-6);
    let (back, account) = run(&with("rollback_completed_batches"));
    assert!(back.get("harm_goes_on").is_none() && !account.contains("still down"), "{account}");
    assert!(back["metrics"]["harmed_instances"].as_u64() > Some(0));
}

/// With a limit of 5 in batches of 5 hardly any rollout trips, with 1 nearly all do. The seed is fixed.
#[test]
fn a_time_to_detect_decides_nothing_where_detection_differs() {
    let folder = Folder::of(SCENARIO);
    let policies = "--policy max_consecutive_failures=1 --policy max_consecutive_failures=4";
    let output = folder.run(&format!("compare s.toml {policies} --replicates 400 --report r.json"));
    assert!(output.status.success(), "{}", said(&output.stderr));
    let report = folder.report("r.json");
    let metrics = report["comparisons"][0]["metrics"].as_array().expect("metrics");
    let find = |name: &str| metrics.iter().find(|one| one["metric"] == name).expect("there");
    let (detect, trips) = (find("time_to_detect_sec"), find("trip_rate"));
    let conditional = &detect["conditional"];
    assert_eq!(conditional["rate"], "trip_rate");
    assert_eq!((&conditional["a"], &conditional["b"]), (&trips["a"], &trips["b"]));
    assert_eq!((&conditional["comparable"], &conditional["replicates"]), (&false.into(), &400.into()));
    assert!(detect["n"].as_u64() < Some(400) && detect["n"].as_u64() > Some(30), "{detect}");
    // The interval alone would have decided.
    let ci = &detect["simultaneous_ci"];
    assert!(ci[0].as_f64() > Some(0.0), "{detect}");
    assert!(detect["a_wins"].is_null() && detect["b_wins"].is_null());
    assert!(find("duration_sec").get("conditional").is_none());
    let table = said(&output.stdout);
    let row = table.lines().find(|line| line.trim_start().starts_with("time_to_detect_sec  ")).expect("a row");
    assert!(row.contains("not compared") && !row.contains("is better"), "{row}");
    assert!(table.contains("time_to_detect_sec: detected in "), "{table}");
    assert!(folder.run("report r.json -o page.html").status.success());
    let page = folder.read("page.html");
    assert!(page.contains("Not compared with v-bad: ") && page.contains("time to detect: detected in "));
}

/// Every rollout trips with both, so the means are about the same rollouts.
#[test]
fn a_time_to_detect_decides_where_every_rollout_has_it() {
    let folder = Folder::of(&SCENARIO.replace("0.3", "1.0"));
    let policies = "--policy max_consecutive_failures=1 --policy max_consecutive_failures=4";
    folder.run(&format!("compare s.toml {policies} --replicates 100 --report r.json"));
    let report = folder.report("r.json");
    let metrics = report["comparisons"][0]["metrics"].as_array().expect("metrics");
    let detect = metrics.iter().find(|one| one["metric"] == "time_to_detect_sec").expect("there");
    assert_eq!(detect["conditional"]["comparable"], true, "{detect}");
    assert!(detect["a_wins"].as_u64().is_some());
}

#[test]
fn a_rule_about_it_says_of_how_many_rollouts() {
    let rule = "[[expect]]\nmetric = \"time_to_detect_sec\"\nat_most = 3600\n";
    let folder = Folder::of(&format!("{SCENARIO}{rule}"));
    let output = folder.run("check s.toml --report r.json");
    let report = folder.report("r.json");
    let seen = report["scenarios"][0]["rules"][0]["observed_says"].as_str().expect("words").to_owned();
    assert!(seen.contains("(detected in ") && seen.contains("of rollouts)"), "{seen}{}", said(&output.stderr));
}

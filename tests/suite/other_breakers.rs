//! What another breaker could do is always said, most of all where no policy meets the limits.

use crate::common::folder::{Folder, said};
use serde_json::Value;

/// Some hosts are flaky, and the bad release fails on 4 of 10: failures in a row tell them apart late.
const FLAKY: &str = r#"
seed = 1
[fleet]
instances = 200
[[versions]]
id = "v-1"
[[versions]]
id = "good"
failure_rate = 0.05
[[versions]]
id = "bad"
defective = true
failure_rate = 0.4
[rollout]
target_version_id = "good"
previous_version_id = "v-1"
[operator]
on_trip = "rollback_completed_batches"
[tune]
batch_pct = [2, 5, 50]
max_consecutive_failures = [2, 3, 4, 5]
limits = [{metric = "false_trip_rate", at_most = 0.01}, {metric = "blast_radius_pct", at_most = 10}]
"#;

#[test]
fn where_no_policy_meets_the_limits_the_rules_that_would_are_named() {
    let folder = Folder::of(FLAKY);
    let output = folder.tune("--report t.json");
    assert_eq!(output.status.code(), Some(1));
    let report = folder.report("t.json");
    assert!(report["recommended"].is_null());
    let hints = report["hints"].as_array().expect("hints");
    let cusum = hints.iter().find(|hint| hint["rule"] == "CUSUM").expect("CUSUM");
    assert_eq!(cusum["meets"], true, "{cusum}");
    assert!(
        cusum["false_trip_rate"].as_f64().expect("a rate") <= 0.01
            && cusum["versions"][0][2].as_f64().expect("%") <= 10.0
    );
    let says = report["hints_say"].as_str().expect("a sentence");
    assert!(says.contains("CUSUM would meet the limits with batches of"), "{says}");
    assert!(says.ends_with("in a row does not"), "{says}");
    let batch = report["hints_with"]["batch_pct"].as_u64().expect("a batch");
    assert!(says.contains(&format!("batches of {batch} %")));
    assert!(said(&output.stdout).contains(&format!("What another rule could do with batches of {batch} %")));
    let page = said(&folder.run("report t.json --html -").stdout);
    assert!(page.contains("CUSUM would meet the limits"));
}

/// Batches of one instance begin their count at zero.
#[test]
fn a_rule_that_can_never_trip_meets_no_limit() {
    let text = FLAKY
        .replace("previous_version_id = \"v-1\"", "previous_version_id = \"v-1\"\nbreaker_scope = \"batch\"")
        .replace("instances = 200", "instances = 100")
        .replace("[2, 5, 50]", "[1]")
        .replace("at_most = 0.01}, {metric = \"blast_radius_pct\", at_most = 10}", "at_most = 0.5}");
    let folder = Folder::of(&text);
    let output = folder.tune("--report t.json");
    assert_eq!(output.status.code(), Some(1));
    let report = folder.report("t.json");
    let hints = report["hints"].as_array().expect("hints");
    let share = hints.iter().find(|hint| hint["rule"] == "failure share").expect("a share of the last verdicts");
    assert_eq!(share["meets"], false, "{share}");
    assert!(share["says"].as_str().expect("words").ends_with("; it never trips"), "{share}");
    let says = report["hints_say"].as_str().expect("words");
    assert!(!says.contains("so does") && !says.contains("failure share would"), "{says}");
}

/// What the verdicts up to a trip do not tell is not called met.
#[test]
fn a_limit_that_is_not_judged_is_named_in_the_summary() {
    let limits =
        "limits = [{metric = \"false_trip_rate\", at_most = 0.5}, {metric = \"duration_sec\", at_most = 600000}]";
    let text: String =
        FLAKY.lines().map(|line| if line.starts_with("limits") { limits } else { line }.to_owned() + "\n").collect();
    let folder = Folder::of(&text);
    folder.tune("--report t.json -q");
    let report = folder.report("t.json");
    for hint in report["hints"].as_array().expect("hints") {
        assert!(hint["meets"].is_null(), "{hint}");
        assert!(
            hint["says"].as_str().expect("words").contains("but mean duration_sec ≤ 600000 is not judged"),
            "{hint}"
        );
    }
    let says = report["hints_say"].as_str().expect("words");
    assert!(says.ends_with("but mean duration_sec ≤ 600000 is not judged"), "{says}");
    // Trips that are ignored: exposure is up to the first of them.
    let folder = Folder::of(&FLAKY.replace("rollback_completed_batches", "continue_anyway"));
    folder.tune("--report t.json -q");
    let report = folder.report("t.json");
    assert!(report["hints"][0]["says"].as_str().expect("words").contains(", up to the first trip, "), "{report}");
    let advice = report["advice"].as_array().expect("advice");
    assert!(advice.iter().any(|one| one["code"] == "trips_ignored"), "{advice:?}");
}

#[test]
fn a_rule_that_breaks_a_limit_is_said_to() {
    let folder = Folder::of(&FLAKY.replace("at_most = 10}", "at_most = 0.5}"));
    folder.tune("--report t.json -q");
    let report = folder.report("t.json");
    for hint in report["hints"].as_array().expect("hints") {
        assert_eq!(hint["meets"], false, "{hint}");
        assert!(hint["says"].as_str().expect("words").contains("it would break mean blast_radius_pct ≤ 0.5"));
    }
    assert!(report["hints_say"].as_str().expect("words").starts_with("neither would meet the limits"));
}

#[test]
fn beside_a_recommended_policy_they_are_of_its_batches() {
    let folder = Folder::of(&FLAKY.replace("at_most = 10}", "at_most = 40}"));
    let output = folder.tune("--report t.json");
    assert!(output.status.success());
    let report = folder.report("t.json");
    assert_eq!(report["hints_with"], report["recommended"]["policy"]);
    assert!(report["hints"].as_array().expect("hints").iter().all(|hint| hint["meets"] == true));
    assert!(said(&output.stdout).contains("What another rule could do with these batches"));
}

#[test]
fn where_nothing_can_be_judged_that_is_said() {
    let text = FLAKY
        .replace(", {metric = \"blast_radius_pct\", at_most = 10}", "")
        .replace("[tune]", "[tune]\ndefective = []");
    let folder = Folder::of(&text);
    let output = folder.tune("--report t.json");
    let report = folder.report("t.json");
    assert_eq!(report["hints"], Value::Array(Vec::new()));
    assert!(report["hints_say"].as_str().expect("words").contains("no defective version"));
    assert!(said(&output.stdout).contains("other rules are not judged"));
}

//! A limit that every replicate just keeps is met, within a stated tolerance, and a policy that is undecided at a limit
//! does not lose to a slower one without a word.

use crate::common::folder::{Folder, said};
use crate::common::tuning::BEYOND_THEORY;
use serde_json::Value;

/// The defective version trips in its first batch and reaches 20 % with batches of 20 %, in every replicate.
const EQUAL: &str = r#"
seed = 3
[fleet]
instances = 20
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
upgrade_time_sec = 45
failure_rate = 0.001
[[versions]]
id = "v-bad"
defective = true
upgrade_time_sec = 45
failure_rate = 1.0
[rollout]
target_version_id = "v-2"
[operator]
on_trip = "abort"
[tune]
batch_pct = [10, 20]
max_consecutive_failures = [2]
limits = [{metric = "blast_radius_pct", at_most = 20}]
"#;

fn batch(of: &Value) -> u64 {
    of["policy"]["batch_pct"].as_u64().expect("a batch")
}

fn blast(report: &Value) -> Value {
    report["recommended"]["evidence"]["limits"][0].clone()
}

fn tuned(text: &str, arguments: &str) -> (Value, String) {
    let folder = Folder::of(text);
    let output = folder.tune(&format!("{arguments} --report t.json"));
    assert!(output.status.success(), "{}", said(&output.stderr));
    (folder.report("t.json"), said(&output.stdout))
}

#[test]
fn theory_decides_at_equality() {
    let (report, _) = tuned(EQUAL, "");
    assert_eq!((batch(&report["recommended"]), &report["decided"]), (20, &Value::Bool(true)));
    let limit = blast(&report);
    assert_eq!((&limit["holds"], &limit["by_tolerance"]), (&Value::Bool(true), &Value::Null), "{limit}");
}

#[test]
fn a_limit_that_every_replicate_keeps_is_met_within_the_tolerance() {
    let (report, printed) = tuned(&format!("{EQUAL}limit_tolerance = 0.01\n{BEYOND_THEORY}"), "");
    assert_eq!((batch(&report["recommended"]), &report["decided"]), (20, &Value::Bool(true)), "{}", report["says"]);
    let limit = blast(&report);
    assert_eq!((&limit["holds"], &limit["by_tolerance"]), (&Value::Bool(true), &Value::Bool(true)), "{limit}");
    assert!(printed.contains("≈ holds in every replicate seen"), "{printed}");
    // What is claimed is what the interval says.
    let high = limit["observed"]["ci"][1].as_f64().expect("an end");
    assert!(high > 20.0 && high <= 20.0 * 1.01, "{high}");
}

#[test]
fn a_policy_that_is_undecided_at_a_limit_is_named_with_what_it_would_save() {
    let text = format!("{EQUAL}limit_tolerance = 0\n{BEYOND_THEORY}");
    let (report, printed) = tuned(&text, "--replicates 1024");
    assert_eq!((batch(&report["recommended"]), &report["decided"]), (10, &Value::Bool(false)));
    let [named] = report["undecided"].as_array().expect("a list").as_slice() else { panic!("{}", report["undecided"]) };
    assert_eq!(batch(named), 20);
    assert!(named["would_save"].as_f64().expect("a saving") > 60.0, "{named}");
    let says = report["says"].as_str().expect("a sentence");
    assert!(says.contains("batch_pct 20, max_consecutive_failures 2 saves"), "{says}");
    assert!(says.contains("if mean blast_radius_pct ≤ 20 holds, which is not decided"), "{says}");
    assert!(printed.contains(says), "{printed}");
}

/// `check` has the tolerance of a search, but none at the end of the scale.
#[test]
fn a_rule_at_equality_is_decided() {
    let rules = "[[expect]]\nversion = \"v-bad\"\nmetric = \"blast_radius_pct\"\nat_most = 20\n\
                 [[expect]]\nversion = \"v-bad\"\nmetric = \"harmed_pct\"\nat_most = 0\n";
    let text = EQUAL.replace("batch_pct = [10, 20]", "batch_pct = [20]");
    let text = text.replace("target_version_id = \"v-2\"", "target_version_id = \"v-2\"\nbatch_pct = 20");
    let folder = Folder::of(&format!("{text}{BEYOND_THEORY}{rules}"));
    let told = folder.check("s.toml --report r.json");
    let report = folder.report("r.json");
    let [blast, harmed] = report["scenarios"][0]["rules"].as_array().expect("rules").as_slice() else {
        panic!("{report}")
    };
    assert_eq!((&blast["status"], &blast["by_tolerance"]), (&"passed".into(), &true.into()), "{blast}");
    assert!(told.out.contains("≈ line ") && told.out.contains("it holds in every replicate"), "{}", told.out);
    assert_eq!(harmed["status"], "undecided", "{harmed}");
    let why = harmed["why"].as_str().expect("words");
    assert!(why.starts_with("no number of replicates decides it") && why.contains("`at_most = 0.1`"), "{why}");
    assert!(why.contains("`stat = \"max\"`"), "{why}");
}

/// One rollout in 140 goes on to a second batch: the mean is beyond the tolerance, though one seed in six meets no such
/// rollout in 256 replicates. None may call the limit met.
#[test]
fn a_mean_beyond_the_tolerance_is_never_met() {
    let text = EQUAL.replace("failure_rate = 1.0", "failure_rate = 0.95").replace("[10, 20]", "[20]");
    let folder = Folder::of(&format!("{text}{BEYOND_THEORY}"));
    for seed in 0..20 {
        folder.tune(&format!("--seed {seed} --replicates 256 --report t.json -q"));
        let report = folder.report("t.json");
        assert_ne!(report["candidates"][0]["evidence"]["limits"][0]["holds"], true, "seed {seed}");
    }
}

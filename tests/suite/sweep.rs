//! Sweeps and comparisons from the command line: the same bytes whatever the threads, nothing lost when interrupted,
//! clear errors, and figures that agree with single runs.

use crate::common::folder;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use folder::Folder;
use serde_json::Value;

const SCENARIO: &str = r#"
name = "three versions"
seed = 11
[fleet]
instances = 20
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
failure_rate = 0.02
[[versions]]
id = "v-bad"
defective = true
failure_rate = 0.5
hang_rate = 0.2
[rollout]
target_version_id = "v-2"
[operator]
on_trip = "abort"
decision_delay_sec = {exponential = {mean = 120}}
"#;

impl Folder {
    /// Runs what must succeed.
    fn done(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs what must fail with a code, saying something.
    fn fails(&self, arguments: &str, code: i32, says: &str) {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {stderr}");
        assert!(stderr.contains(says), "{arguments}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

const GRID: &str = "sweep s.toml --versions all --batch-pct 10,50 --max-consecutive-failures 1..3";

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let folder = Folder::of(SCENARIO);
    for threads in [1, 2, 7] {
        folder.done(&format!(
            "{GRID} --replicates 700 --threads {threads} --report {threads}.json --cells {threads}.csv --runs {threads}.parquet -q"
        ));
        for kind in ["json", "csv", "parquet"] {
            assert_eq!(folder.bytes(&format!("1.{kind}")), folder.bytes(&format!("{threads}.{kind}")), "{kind}");
        }
        assert!(!folder.has(&format!("{threads}.json.partial")));
    }
}

#[test]
fn a_cell_says_what_single_runs_say() {
    let folder = Folder::of(SCENARIO);
    folder.done(&format!("{GRID} --replicates 40 --report r.json -q"));
    let report = folder.report("r.json");
    assert_eq!(report["schema"], "dryroll.sweep/1");
    assert_eq!(report["cells"].as_array().map(Vec::len), Some(12));
    for cell in [0, 5, 11] {
        let cell = &report["cells"][cell];
        let (mut durations, mut trips, mut outcomes) = (Vec::new(), 0, BTreeMap::<String, u64>::new());
        for replicate in 0..40 {
            let run = folder.done(&format!(
                "run s.toml --version {} --set rollout.batch_pct={} --set max_consecutive_failures={} --replicate {replicate} \
                 --report - -q",
                cell["version"].as_str().unwrap(),
                cell["policy"]["batch_pct"],
                cell["policy"]["max_consecutive_failures"],
            ));
            let metrics = &serde_json::from_str::<Value>(&run).unwrap()["metrics"];
            durations.push(metrics["duration_sec"].as_f64().unwrap());
            trips += u64::from(metrics["trips"].as_u64().unwrap() > 0);
            *outcomes.entry(metrics["outcome"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        durations.sort_by(f64::total_cmp);
        let said = &cell["metrics"];
        let mean = durations.iter().sum::<f64>() / 40.0;
        assert!((said["duration_sec"]["mean"].as_f64().unwrap() - mean).abs() < 1e-9 * mean);
        assert_eq!(said["duration_sec"]["p50"], durations[19]);
        assert_eq!(said["duration_sec"]["p95"], durations[37]);
        assert_eq!(said["duration_sec"]["max"], durations[39]);
        assert_eq!(said["trip_rate"]["hits"], trips);
        for (outcome, count) in outcomes {
            assert_eq!(said[&outcome]["hits"], count);
        }
    }
}

#[test]
fn what_says_nothing_of_a_version_has_no_figures() {
    let folder = Folder::of(SCENARIO);
    folder.done("sweep s.toml --versions all --max-consecutive-failures 30 --replicates 5 --report r.json -q");
    let report = folder.report("r.json");
    let (good, bad) = (&report["cells"][0]["metrics"], &report["cells"][1]["metrics"]);
    for nothing in [&good["blast_radius_pct"], &good["time_to_detect_sec"], &bad["blast_radius_pct_tripped"]] {
        assert_eq!(nothing["n"], 0);
        for key in ["mean", "ci", "p50", "p95", "p99", "min", "max"] {
            assert!(nothing[key].is_null(), "{key}: {nothing}");
        }
    }
    for nothing in [&good["escape_rate"], &bad["false_trip_rate"]] {
        assert_eq!((&nothing["n"], &nothing["rate"], &nothing["ci"]), (&Value::from(0), &Value::Null, &Value::Null));
    }
    assert_eq!(bad["escape_rate"]["hits"], 5);
}

#[test]
fn one_replicate_has_no_interval_of_its_mean() {
    let folder = Folder::of(SCENARIO);
    folder.done("sweep s.toml --replicates 1 --report r.json -q");
    let duration = &folder.report("r.json")["cells"][0]["metrics"]["duration_sec"];
    assert!(duration["ci"].is_null() && duration["p95_ci"].is_null() && duration["mean"].is_number());
}

#[test]
fn an_interrupted_sweep_goes_on_where_it_was() {
    let folder = Folder::of(SCENARIO);
    let sweep = format!("{GRID} --replicates 60000 -q");
    let mut running = folder.command(&format!("{sweep} --report x.json")).spawn().expect("it runs");
    while std::fs::metadata(folder.path("x.json.partial")).map_or(0, |file| file.len()) < 200_000 {
        assert!(running.try_wait().expect("a child").is_none(), "it ended before it was interrupted");
        std::thread::sleep(Duration::from_millis(2));
    }
    let kill = Command::new("kill").args(["-INT", &running.id().to_string()]).status();
    assert!(kill.expect("kill").success());
    assert_eq!(running.wait().expect("it ends").code(), Some(130));
    assert!(folder.has("x.json.partial") && !folder.has("x.json"));
    folder.fails(&format!("{sweep} --report x.json"), 2, "--resume");
    folder.fails("sweep s.toml --report x.json", 2, "not of this sweep");
    folder.fails("sweep s.toml --report x.json --resume", 2, "another sweep");
    folder.done(&format!("{sweep} --report x.json --resume"));
    folder.done(&format!("{sweep} --report y.json"));
    assert_eq!(folder.bytes("x.json"), folder.bytes("y.json"));
    assert!(!folder.has("x.json.partial"));
    // Where nothing was left, it begins.
    folder.done(&format!("{sweep} --report z.json --resume"));
    assert_eq!(folder.bytes("z.json"), folder.bytes("y.json"));
}

#[test]
fn a_precision_is_reached_and_no_further() {
    let folder = Folder::of(SCENARIO);
    folder.done(&format!("{GRID} --precision 2% --metric duration_sec --report r.json -q"));
    let report = folder.report("r.json");
    assert_eq!(report["precision"]["reached"], true);
    let mut counts: Vec<u64> = Vec::new();
    for cell in report["cells"].as_array().unwrap() {
        let duration = &cell["metrics"]["duration_sec"];
        let half = (duration["ci"][1].as_f64().unwrap() - duration["ci"][0].as_f64().unwrap()) / 2.0;
        assert!(half <= 0.02 * duration["mean"].as_f64().unwrap());
        counts.push(cell["replicates"].as_u64().unwrap());
    }
    assert!(counts.iter().all(|n| n % 256 == 0) && counts.iter().min() < counts.iter().max(), "{counts:?}");
    folder.fails("sweep s.toml --precision 0.0001 --replicates 300 -q", 1, "not reached");
}

/// Counted in plan order, outcomes decide all but one late verdict in ten thousand, and the importance sampler steers
/// just the outcomes: the estimate is near the exact value with few replicates. The seed is fixed.
#[test]
fn a_rare_trip_is_estimated_and_agrees_with_theory() {
    let folder = Folder::of(SCENARIO);
    let rare =
        "sweep s.toml --versions v-2 --set breaker_order=listed --max-consecutive-failures 1..5 --replicates 200";
    folder.done(&format!("{rare} --rare 300 --report r.json -q"));
    let report = folder.report("r.json");
    assert!(report["cells"][0]["rare"].is_null(), "a trip that is met needs no estimate");
    for cell in 3..5 {
        let cell = &report["cells"][cell];
        let (estimate, exact) = (&cell["rare"]["estimate"], &cell["exact"]["values"]["trip_rate"]);
        let ratio = estimate.as_f64().unwrap() / exact.as_f64().unwrap();
        assert!(exact.as_f64().unwrap() < 1e-4 && (ratio - 1.0).abs() < 0.05, "{estimate} {exact}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let folder = Folder::of(SCENARIO);
    for (arguments, code, says) in [
        ("sweep s.toml --replicates 0", 4, "nothing would be evaluated"),
        ("sweep s.toml --batch-pct 0,5", 2, "1 to 100"),
        ("sweep s.toml --batch-pct 5,5", 2, "twice"),
        ("sweep s.toml --batch-pct 5..1", 2, "not a range"),
        ("sweep s.toml --batch-pct ,", 2, "missing"),
        ("sweep s.toml --batch-pct 5 --set rollout.batch_pct=6", 2, "varied twice"),
        ("sweep s.toml --set rollout.batch=6", 2, "not a key of [rollout]"),
        ("sweep s.toml --set rollout.health_timeout_sec=5,5.0", 2, "twice"),
        ("sweep s.toml --set rollout.target_version_id=v-bad", 2, "--versions"),
        ("sweep s.toml --versions v-9", 2, "v-2, v-bad"),
        ("sweep s.toml --versions all,v-2", 2, "`all` stands alone and is v-2, v-bad"),
        ("sweep s.toml --versions v-2,,v-bad", 2, "a version is missing"),
        ("sweep s.toml --versions v-2,v-2", 2, "twice"),
        ("sweep s.toml --precision 1% --metric durations", 2, "duration_sec"),
        ("sweep s.toml --metric duration_sec", 2, "--precision"),
        ("sweep s.toml --precision 0", 2, "above 0"),
        ("sweep s.toml --precision x", 2, "not a width"),
        ("sweep s.toml --report s.toml", 2, "what is read"),
        ("sweep s.toml --report r --cells ./r", 2, "two outputs"),
        ("sweep s.toml --report no/such/r.json", 3, "cannot write"),
        ("sweep none.toml", 2, "none.toml"),
        ("sweep s.toml --set max_in_flight=1..10000 --set batch_pct=1..100", 2, "larger than"),
        ("compare s.toml --policy batch_pct=5", 2, "two"),
        ("compare s.toml --policy batch_pct=5 --policy batch_pct=5", 2, "the same"),
        ("compare s.toml --policy batch_pct=5 --policy batch_pct=500", 2, "1 to 100"),
        ("compare s.toml --policy batch_pct=5 --policy batch_pct=1..3", 2, "several values"),
        ("compare s.toml --policy batch_pct=5 --policy batch_pct=6 --replicates 0", 4, "nothing would be evaluated"),
    ] {
        folder.fails(arguments, code, says);
    }
    assert_eq!(folder.files(), ["s.toml"], "nothing is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let folder = Folder::of(SCENARIO);
    folder.fails(&format!("{GRID} --replicates 10 --report /dev/full -q"), 3, "/dev/full");
    assert!(!folder.has("s.toml.partial"));
}

#[test]
fn a_comparison_is_made_of_the_same_replicates() {
    let folder = Folder::of(SCENARIO);
    let compare =
        "compare s.toml --policy batch_pct=10,max_consecutive_failures=2 --policy batch_pct=50 --versions all";
    folder.done(&format!("{compare} --replicates 300 --report c.json -q"));
    folder.done(&format!("{compare} --replicates 300 --threads 1 --report d.json -q"));
    assert_eq!(folder.bytes("c.json"), folder.bytes("d.json"));
    folder.done("sweep s.toml --versions all --batch-pct 10,50 --max-consecutive-failures 2 --replicates 300 --report r.json -q");
    let (compared, swept) = (folder.report("c.json"), folder.report("r.json"));
    assert_eq!(compared["schema"], "dryroll.compare/1");
    for version in 0..2 {
        let metrics = compared["comparisons"][version]["metrics"].as_array().unwrap();
        let contrast = |name: &str| metrics.iter().find(|one| one["metric"] == name).unwrap();
        for (side, cell) in [("a", version), ("b", 2 + version)] {
            for name in ["duration_sec", "exposed_pct", "min_serving_pct"] {
                assert_eq!(contrast(name)[side], swept["cells"][cell]["metrics"][name]["mean"], "{name}");
            }
            let rate = swept["cells"][cell]["metrics"]["trip_rate"]["rate"].as_f64().unwrap();
            assert!((contrast("trip_rate")[side].as_f64().unwrap() - rate).abs() < 1e-12);
        }
        let duration = contrast("duration_sec");
        let difference = duration["b"].as_f64().unwrap() - duration["a"].as_f64().unwrap();
        assert!((duration["difference"].as_f64().unwrap() - difference).abs() < 1e-9);
        let compiled = ["a_wins", "b_wins", "ties"].map(|key| duration[key].as_u64().unwrap());
        assert_eq!(compiled.iter().sum::<u64>(), 300);
    }
}

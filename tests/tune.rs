//! Tuning: the answer is the one that exact values give, and what is undecided is said to be.

use std::path::PathBuf;
use std::process::{Command, Output};

use dryroll::scenario::{Format, Scenario};
use dryroll::study::exact::exact;
use serde_json::Value;

/// Inside of what can be computed: independent verdicts, an abort on the first trip.
const SCENARIO: &str = r#"
seed = 5
[fleet]
instances = 40
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
failure_rate = 0.05
[[versions]]
id = "v-bad"
defective = true
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
failure_rate = 0.4
[rollout]
target_version_id = "v-2"
[operator]
on_trip = "abort"
[tune]
batch_pct = [5, 10, 25, 50]
max_consecutive_failures = [1, 2, 3]
limits = [{metric = "false_trip_rate", at_most = 0.2}, {metric = "blast_radius_pct", at_most = 40}]
"#;

fn scenario(text: &str) -> Scenario {
    Scenario::parse("s.toml", text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("s.toml"), text).expect("written");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn tune(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
        command.current_dir(self.0.path()).arg("tune").arg("s.toml").args(arguments.split_whitespace());
        command.env("NO_COLOR", "1").output().expect("it runs")
    }

    fn report(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).expect("the report")).expect("JSON")
    }
}

/// Exact goal of a policy, and whether it meets the limits; the exact values are far from each limit.
fn exactly(base: &Scenario, batch_pct: u32, limit: u32) -> (f64, bool) {
    let mut good = base.clone();
    good.set_rollout("batch_pct", &batch_pct.to_string()).unwrap();
    good.set_rollout("max_consecutive_failures", &limit.to_string()).unwrap();
    let mut bad = good.clone();
    bad.set_rollout("target_version_id", "v-bad").unwrap();
    let (good, bad) = (exact(&good).expect("in scope"), exact(&bad).expect("in scope"));
    let value = |exact: &dryroll::study::exact::Exact, name| exact.value(name).expect("known");
    let (trips, blast) = (value(&good, "trip_rate"), value(&bad, "blast_radius_pct"));
    (value(&good, "duration_sec"), trips <= 0.2 && blast <= 40.0)
}

/// Brute force over the exact values. The intervals of a search hold together with 95 %; its seed is fixed.
#[test]
fn the_answer_is_that_of_the_exact_values() {
    let base = scenario(SCENARIO);
    let folder = Folder::with(SCENARIO);
    let output = folder.tune("--report t.json");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = folder.report("t.json");
    assert_eq!((&report["schema"], &report["decided"]), (&Value::from("dryroll.tune/1"), &Value::from(true)));
    let mut best: Option<(f64, u32, u32)> = None;
    for batch_pct in [5, 10, 25, 50] {
        for limit in [1, 2, 3] {
            let (goal, fits) = exactly(&base, batch_pct, limit);
            if fits && best.is_none_or(|(least, ..)| goal < least) {
                best = Some((goal, batch_pct, limit));
            }
        }
    }
    let (least, ..) = best.expect("a policy that meets the limits");
    let policy = &report["recommended"]["policy"];
    let place = |policy: &Value| {
        let number = |key: &str| policy[key].as_u64().unwrap() as u32;
        (number("batch_pct"), number("max_consecutive_failures"))
    };
    let (batch_pct, limit) = place(policy);
    let (goal, fits) = exactly(&base, batch_pct, limit);
    assert!(fits && goal <= least * 1.01, "{batch_pct} and {limit}: {goal} where {least} is possible");
    for candidate in report["candidates"].as_array().unwrap() {
        let (batch_pct, limit) = place(&candidate["policy"]);
        let (goal, fits) = exactly(&base, batch_pct, limit);
        match candidate["standing"].as_str().unwrap() {
            "breaks_limit" => assert!(!fits, "{batch_pct}, {limit}"),
            "slower" => assert!(goal > least, "{batch_pct}, {limit}: {goal}"),
            "undecided" => assert!((goal - least).abs() <= 0.03 * least, "{batch_pct}, {limit}: {goal}"),
            _ => {}
        }
    }
    let recommended = &report["recommended"]["evidence"];
    assert!(recommended["limits"].as_array().unwrap().iter().all(|limit| limit["holds"] == true));
}

#[test]
fn no_policy_within_the_limits_is_said_with_the_limit_that_binds() {
    let text = SCENARIO.replace("at_most = 40", "at_most = 1");
    let folder = Folder::with(&text);
    let output = folder.tune("--report t.json -q");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("blast_radius_pct ≤ 1"), "{stderr}");
    let report = folder.report("t.json");
    assert!(report["recommended"].is_null() && report["decided"] == true);
    assert!(report["binding"].as_str().unwrap().contains("blast_radius_pct"));
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let folder = Folder::with(SCENARIO);
    for threads in [1, 2, 5] {
        assert!(folder.tune(&format!("--threads {threads} --report {threads}.json -q")).status.success());
    }
    let bytes = |threads: u32| std::fs::read(folder.path(&format!("{threads}.json"))).unwrap();
    assert_eq!(bytes(1), bytes(2));
    assert_eq!(bytes(1), bytes(5));
}

#[test]
fn too_few_worlds_leave_it_undecided() {
    let folder = Folder::with(SCENARIO);
    let output = folder.tune("--replicates 20 --report t.json -q");
    assert!(matches!(output.status.code(), Some(0 | 1)));
    let report = folder.report("t.json");
    assert_eq!(report["decided"], false);
    assert!(!report["undecided"].as_array().unwrap().is_empty());
}

#[test]
fn what_is_wrong_is_said() {
    for (text, arguments, code, says) in [
        (SCENARIO.split("[tune]").next().unwrap().to_owned(), "", 2, "no [tune]"),
        (SCENARIO.to_owned(), "--replicates 0", 4, "nothing would be evaluated"),
        (SCENARIO.to_owned(), "--tolerance 2", 2, "from 0 to 1"),
        (SCENARIO.replace("[tune]", "[tune]\ngood = \"v-bad\""), "", 2, "v-bad"),
        (SCENARIO.replace("at_most = 40", "at_mos = 40"), "", 2, "at_mos"),
    ] {
        let output = Folder::with(&text).tune(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    }
}

/// Which of two policies is faster flips with the failure rate: above some rate a limit of 1 ends most rollouts early. The
/// exact values say where; the paired comparison agrees on both sides, a fifth below it and a fifth above.
#[test]
fn a_crossover_is_found_at_its_place() {
    let at = |rate: f64| SCENARIO.replace("failure_rate = 0.05", &format!("failure_rate = {rate}"));
    let goal = |rate: f64, batch_pct, limit| exactly(&scenario(&at(rate)), batch_pct, limit).0;
    // Small batches that stop at once, against large ones that go on.
    let difference = |rate: f64| goal(rate, 10, 1) - goal(rate, 25, 3);
    let (mut low, mut high) = (0.001, 0.5);
    assert!(difference(low) > 0.0 && difference(high) < 0.0, "they cross");
    while high - low > 1e-4 {
        let middle = f64::midpoint(low, high);
        if difference(middle) > 0.0 { low = middle } else { high = middle }
    }
    for (rate, sign) in [(low * 0.8, 1.0), (low * 1.2, -1.0)] {
        let folder = Folder::with(&at(rate));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
        command.current_dir(folder.0.path()).args([
            "compare",
            "s.toml",
            "--replicates",
            "20000",
            "--report",
            "c.json",
            "-q",
        ]);
        command.args(["--policy", "batch_pct=25,max_consecutive_failures=3"]);
        command.args(["--policy", "batch_pct=10,max_consecutive_failures=1"]);
        assert!(command.status().expect("it runs").success());
        let report = folder.report("c.json");
        let metrics = report["comparisons"][0]["metrics"].as_array().unwrap();
        let duration = metrics.iter().find(|metric| metric["metric"] == "duration_sec").unwrap();
        let ends = [0, 1].map(|end| duration["simultaneous_ci"][end].as_f64().unwrap());
        assert!(ends.iter().all(|end| end * sign > 0.0), "at {rate}: {ends:?}");
        let exact = difference(rate);
        assert!(ends[0] <= exact && exact <= ends[1], "at {rate}: {exact} is not in {ends:?}");
    }
}

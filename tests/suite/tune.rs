//! Tuning: the answer agrees with the exact values, and undecided policies are reported as such.

use crate::common::folder;
use crate::common::html;
use crate::common::tuning;

use dryroll::scenario::Scenario;
use dryroll::study::exact::exact;
use folder::{Folder, said};
use serde_json::Value;
use tuning::{BEYOND_THEORY, SCENARIO, scenario};

impl Folder {
    fn page(&self, name: &str) -> String {
        said(&self.run(&format!("report {name} --html -")).stdout)
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
    let folder = Folder::of(SCENARIO);
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
            "as_good" => assert!(fits && goal <= least * 1.0202, "{batch_pct}, {limit}: {goal}"),
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
    let folder = Folder::of(&text);
    let output = folder.tune("--report t.json -q");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("blast_radius_pct ≤ 1"), "{stderr}");
    let loud = folder.tune("");
    assert_eq!(loud.status.code(), Some(1));
    assert!(said(&loud.stdout).contains("Binding limit: mean blast_radius_pct ≤ 1"));
    assert_eq!(said(&loud.stderr).trim(), "error: no policy is recommended", "the table has said the rest");
    let report = folder.report("t.json");
    assert!(report["recommended"].is_null() && report["decided"] == true);
    assert!(report["binding"].as_str().unwrap().contains("blast_radius_pct"));
}

/// With so few replicates nothing is sure of any policy, and it must not be said of none of them.
#[test]
fn what_is_only_undecided_is_said_to_be() {
    let folder = Folder::of(&format!("{SCENARIO}{BEYOND_THEORY}"));
    let output = folder.tune("--replicates 2 --report t.json -q");
    assert_eq!(output.status.code(), Some(1));
    let binding = folder.report("t.json")["binding"].as_str().unwrap().to_owned();
    assert!(binding.contains("is undecided for 12 of 12 policies"), "{binding}");
    assert!(said(&output.stderr).contains(&binding));
}

/// Where the first failure stops a good rollout, small batches are the fastest way to be stopped. The scenario lets
/// such policies in.
#[test]
fn a_rollout_that_is_stopped_early_is_warned_of() {
    let text = SCENARIO
        .replace("failure_rate = 0.05", "failure_rate = 0.2")
        .replace("{metric = \"false_trip_rate\", at_most = 0.2}, ", "")
        .replace("[tune]", "[tune]\nmin_completed = 0");
    let folder = Folder::of(&text);
    let output = folder.tune("--report t.json");
    let report = folder.report("t.json");
    let [warning] = report["warnings"].as_array().unwrap().as_slice() else { panic!("{}", report["warnings"]) };
    let warning = warning.as_str().unwrap();
    assert!(warning.contains("stopped early") && warning.contains("false_trip_rate"), "{warning}");
    assert!(said(&output.stdout).contains(&format!("warning: {warning}")));
    assert!(folder.tune("--report -").status.success());
    // With the limit there is nothing to warn of.
    let folder = Folder::of(&SCENARIO.replace("at_most = 0.2}", "at_most = 0.09}"));
    folder.tune("--report t.json -q");
    assert_eq!(folder.report("t.json")["warnings"], Value::Array(Vec::new()));
}

/// `drift` and `completed` are shares though no underscore says so; and `1%` is a tolerance.
#[test]
fn a_limit_is_told_in_the_unit_of_its_metric() {
    let limits =
        "min_completed = 0\nlimits = [{metric = \"completed\", at_least = 0.5}, {metric = \"drift\", at_most = 1.0}, ";
    let folder = Folder::of(&SCENARIO.replace("limits = [", limits));
    let output = folder.tune("--tolerance 1% --report t.json");
    let report = folder.report("t.json");
    assert_eq!(report["tolerance"], 0.01);
    let metrics = |limits: &Value| -> Vec<String> {
        limits.as_array().unwrap().iter().map(|limit| limit["metric"].as_str().unwrap().to_owned()).collect()
    };
    let wanted = ["completed", "drift", "false_trip_rate", "blast_radius_pct"];
    assert_eq!(metrics(&report["limits"]), wanted);
    assert_eq!(metrics(&report["recommended"]["evidence"]["limits"]), wanted);
    let table = said(&output.stdout);
    let row = table.lines().find(|line| line.contains("recommended")).expect("the answer");
    assert_eq!(row.matches('%').count(), 6, "the blast radius, the harm and four limits: {row}");
    assert!(table.lines().any(|line| line.contains("batch_pct") && line.contains(" completed ")), "{table}");
    let page = folder.page("t.json");
    let rows = html::rows(&page);
    let completed = rows.iter().find(|row| row.iter().any(|cell| cell.contains("completed ≥ 0.5"))).expect("the limit");
    assert!(completed.iter().any(|cell| cell.contains("\u{202f}%")), "{completed:?}");
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let folder = Folder::of(SCENARIO);
    for threads in [1, 2, 5] {
        assert!(folder.tune(&format!("--threads {threads} --report {threads}.json -q")).status.success());
    }
    let bytes = |threads: u32| std::fs::read(folder.path(&format!("{threads}.json"))).unwrap();
    assert_eq!(bytes(1), bytes(2));
    assert_eq!(bytes(1), bytes(5));
}

/// A tolerance that takes the next policy that is allowed: it is as good then, and nothing is undecided.
#[test]
fn what_is_as_good_is_not_called_undecided() {
    let limits = SCENARIO.find("limits = ").expect("limits");
    let text = format!("{}limits = [{{metric = \"false_trip_rate\", at_most = 0.05}}]\n", &SCENARIO[..limits]);
    let folder = Folder::of(&text);
    assert!(folder.tune("--tolerance 1 --report t.json -q").status.success());
    let report = folder.report("t.json");
    assert_eq!((&report["decided"], &report["undecided"]), (&Value::from(true), &Value::Array(Vec::new())));
    let good = report["as_good"].as_array().unwrap();
    let phase = report["candidates"].as_array().unwrap().iter().filter(|one| one["standing"] == "as_good");
    assert!(!good.is_empty() && good.len() == phase.count(), "{good:?}");
    let page = folder.page("t.json");
    assert!(page.contains("as good as the answer, within 100") && page.contains("As good"), "{page}");
    assert!(!page.contains("may yet meet the limits") && !page.contains("clear difference"), "{page}");
}

/// Without a defective version there is one axis: that is said, and no front is drawn.
#[test]
fn there_is_no_front_of_one_axis() {
    let limits = SCENARIO.find("limits = ").expect("limits");
    let text =
        format!("{}defective = []\nlimits = [{{metric = \"false_trip_rate\", at_most = 0.2}}]\n", &SCENARIO[..limits]);
    let folder = Folder::of(&text);
    let output = folder.tune("--report t.json");
    assert!(output.status.success(), "{}", said(&output.stderr));
    let (report, table, page) = (folder.report("t.json"), said(&output.stdout), folder.page("t.json"));
    assert_eq!(report["front"], Value::Array(Vec::new()));
    for text in [&table, &page] {
        assert!(text.contains("there is no front of fast against safe"), "{text}");
    }
    assert!(!table.contains("blast radius") && !page.contains("<figure"), "{table}");
}

#[test]
fn too_few_replicates_leave_it_undecided() {
    let folder = Folder::of(&format!("{SCENARIO}{BEYOND_THEORY}"));
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
        (SCENARIO.to_owned(), "--tolerance 1x", 2, "such as 1%"),
        (SCENARIO.replace("[operator]", "[operator]\napproves = false"), "", 4, "rejects the plan"),
        (SCENARIO.replace("[tune]", "[tune]\ngood = \"v-bad\""), "", 2, "v-bad"),
        (SCENARIO.replace("at_most = 40", "at_mos = 40"), "", 2, "at_mos"),
    ] {
        let output = Folder::of(&text).tune(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    }
}

/// Which of two policies is faster flips with the failure rate: above some rate a limit of 1 ends most rollouts early.
/// The exact values say where; the paired comparison agrees on both sides, a fifth below it and a fifth above.
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
        let folder = Folder::of(&at(rate));
        let policies =
            "--policy batch_pct=25,max_consecutive_failures=3 --policy batch_pct=10,max_consecutive_failures=1";
        let output = folder.run(&format!("compare s.toml --replicates 20000 --report c.json -q {policies}"));
        assert!(output.status.success());
        let report = folder.report("c.json");
        let metrics = report["comparisons"][0]["metrics"].as_array().unwrap();
        let duration = metrics.iter().find(|metric| metric["metric"] == "duration_sec").unwrap();
        let ends = [0, 1].map(|end| duration["simultaneous_ci"][end].as_f64().unwrap());
        assert!(ends.iter().all(|end| end * sign > 0.0), "at {rate}: {ends:?}");
        let exact = difference(rate);
        assert!(ends[0] <= exact && exact <= ends[1], "at {rate}: {exact} is not in {ends:?}");
    }
}

/// Two limits that no replicate of 256 tells apart on the good version: that the one gets less far is sure, that it is
/// no slower is not.
#[test]
fn what_was_the_same_in_every_replicate_beats_nobody_for_sure() {
    let text = SCENARIO
        .replace("batch_pct = [5, 10, 25, 50]", "batch_pct = [50]")
        .replace("max_consecutive_failures = [1, 2, 3]", "max_consecutive_failures = [4, 5]");
    let folder = Folder::of(&text);
    folder.tune("--replicates 256 --report r.json");
    let report: Value = serde_json::from_slice(&std::fs::read(folder.path("r.json")).unwrap()).unwrap();
    let [four, five] = [0, 1].map(|place| &report["candidates"][place]);
    let value = |candidate: &Value, what: &str| candidate["evidence"][what]["value"].as_f64().unwrap();
    assert_eq!(value(four, "objective"), value(five, "objective"));
    assert!(value(four, "blast_radius_pct") < value(five, "blast_radius_pct"));
    assert_eq!(five["on_front"], Value::Null);
    assert_eq!(report["front"].as_array().unwrap().len(), 2);
}

//! What studies say beside their figures: that a difference has no interval, that nothing was rolled out, why there is
//! no exact value, and what the signs of the table mean.

use crate::common::folder;
use folder::{Folder, said};
use serde_json::Value;

const SCENARIO: &str = r#"
seed = 11
[fleet]
instances = 20
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
[[versions]]
id = "v-bad"
defective = true
failure_rate = 0.5
[rollout]
target_version_id = "v-2"
[operator]
on_trip = "abort"
"#;

/// What a command writes as its report, says on standard output and on standard error, and its exit code.
struct Printed {
    report: Value,
    table: String,
    error: String,
    code: Option<i32>,
}

fn printed(scenario: &str, arguments: &str) -> Printed {
    let folder = Folder::of(scenario);
    let output = folder.run(&format!("{arguments} --report r.json"));
    Printed {
        report: if folder.has("r.json") { folder.report("r.json") } else { Value::Null },
        table: said(&output.stdout),
        error: said(&output.stderr),
        code: output.status.code(),
    }
}

/// The fewest that serve at a moment is the same in every replicate: 18 with the one policy, 10 with the other.
#[test]
fn few_replicates_that_differ_all_by_the_same_decide_nothing() {
    let compare = "compare s.toml --policy batch_pct=10 --policy batch_pct=50 --replicates";
    for (compiled, decides) in [(2, false), (8, false), (60, true)] {
        let Printed { report, table, .. } = printed(SCENARIO, &format!("{compare} {compiled}"));
        let metrics = report["comparisons"][0]["metrics"].as_array().expect("metrics");
        let serving = metrics.iter().find(|one| one["metric"] == "min_serving_pct").expect("there");
        assert_eq!(serving["difference"], -40.0);
        for interval in ["ci", "simultaneous_ci"] {
            let end = |end: usize| serving[interval][end].as_f64().expect("an end");
            assert!(end(0) < end(1) && (end(1) < 0.0) == decides, "{compiled} replicates: {serving}");
        }
        let row = table.lines().find(|line| line.contains("min_serving_pct")).expect("a row");
        assert_eq!(row.contains("A is better"), decides, "{row}");
        // What is the same in every replicate is said to be, however few they are.
        assert!(table.contains("the same in every replicate: trips,"), "{table}");
        for one in metrics {
            let saved = one["variance_saved"].as_f64().unwrap_or(1.0);
            assert!(saved == 0.0 || saved.abs() > 1e-9, "{one}");
        }
    }
}

#[test]
fn a_sweep_that_rolls_nothing_out_says_so() {
    let rejected = SCENARIO.replace("[operator]", "[operator]\napproves = false");
    let Printed { report, table, .. } =
        printed(&rejected, "sweep s.toml --versions all --batch-pct 5,10,20 --replicates 3");
    let warnings: Vec<&str> = report["warnings"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(
        warnings,
        ["v-2", "v-bad"].map(|version| format!(
            "nothing of {version} is rolled out in 3 of its 3 cells: the operator rejects the plan"
        ))
    );
    assert!(table.contains(warnings[0]), "{table}");
    let Printed { report, .. } = printed(SCENARIO, "sweep s.toml --versions all --replicates 3");
    assert_eq!(report["warnings"], Value::Array(Vec::new()));
}

#[test]
fn a_precision_of_what_says_nothing_is_refused() {
    for (versions, metric, other) in [
        ("v-bad", "false_trip_rate", "add a good one"),
        ("v-2", "blast_radius_pct", "add a defective one"),
        ("v-2", "blast_radius_pct_tripped", "add a defective one"),
        ("v-2", "escape_rate", "add a defective one"),
    ] {
        let sweep = format!("sweep s.toml --versions {versions} --precision 5% --metric {metric}");
        let Printed { code, error, .. } = printed(SCENARIO, &sweep);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(metric) && error.contains(other), "{error}");
    }
    let both = "sweep s.toml --versions all --precision 0.1 --metric false_trip_rate";
    let Printed { code, report, error, .. } = printed(SCENARIO, both);
    assert_eq!((code, &report["precision"]["reached"]), (Some(0), &Value::Bool(true)), "{error}");
}

#[test]
fn large_grids_have_no_exact_values_and_say_why() {
    let sweep = |most| {
        printed(SCENARIO, &format!("sweep s.toml --set health_timeout_sec=101..{most} --versions v-2 --replicates 1"))
    };
    let reason = |printed: &Printed| printed.report["cells"][7]["exact"]["out_of_scope"].as_str().map(str::to_owned);
    let small = sweep(300);
    assert_eq!((small.report["cells"].as_array().map(Vec::len), reason(&small)), (Some(200), None));
    let large = sweep(301);
    let why = reason(&large).expect("a reason");
    assert!(why.contains("at most 200 cells") && why.contains("this one has 201"), "{why}");
    assert!(large.table.contains(&format!("no exact value (201 of 201 cells): {why}")), "{}", large.table);
}

/// What few hits are surely below is a bound of one side: 1 − 0.05^(1/100) with none of 100.
#[test]
fn few_hits_have_a_bound_and_the_signs_are_explained() {
    let Printed { table, .. } = printed(SCENARIO, "sweep s.toml --replicates 100");
    let signs = ["k of n: ", "< the chance", "~ importance", "(± …) "];
    let explained = |table: &str| signs.map(|sign| table.contains(sign));
    assert!(table.contains("0 of 100") && table.contains("< 2.95\u{202f}%"), "{table}");
    assert_eq!(explained(&table), [true, true, false, false], "{table}");
    let Printed { table, .. } = printed(SCENARIO, "sweep s.toml --versions v-bad --replicates 100");
    assert_eq!(explained(&table), [false; 4], "{table}");
}

#[test]
fn a_rare_trip_has_the_smaller_bound_of_two() {
    let rare = |version: &str, arguments: &str| {
        let scenario = SCENARIO.replacen("id = \"v-2\"\n", &format!("id = \"v-2\"\n{version}\n"), 1);
        printed(&scenario, &format!("sweep s.toml --max-consecutive-failures 4 {arguments}"))
    };
    let bounds = |printed: &Printed| {
        let cell = &printed.report["cells"][0];
        (cell["rare"]["upper_bound"].as_f64().expect("a bound"), cell["metrics"]["trip_rate"]["claim"][1].as_f64())
    };
    // Nothing can trip, and plain simulation has looked more often.
    let told_plainly = rare("", "--replicates 4000 --rare 50");
    let (bound, claim) = bounds(&told_plainly);
    assert_eq!(Some(bound), claim);
    assert!(told_plainly.table.contains("0 of 4000"), "{}", told_plainly.table);
    let steered = rare("failure_rate = 0.001", "--set breaker_order=listed --replicates 100 --rare 200");
    let (bound, claim) = bounds(&steered);
    assert!(bound < 1e-9 && claim.expect("an interval") > 1e-3);
    assert!(steered.table.contains("(± …) importance sampling"), "{}", steered.table);
}

#[test]
fn a_precision_in_points_and_one_as_a_share_are_told_apart() {
    let sweep = "sweep s.toml --metric trip_rate --replicates 300 --precision";
    let points = printed(SCENARIO, &format!("{sweep} 0.05")).table;
    assert!(points.contains("trip_rate to ± 5\u{202f}points: "), "{points}");
    let share = printed(SCENARIO, &format!("{sweep} 5%")).table;
    assert!(share.contains("trip_rate to ± 5\u{202f}% of it: "), "{share}");
}

/// Whether more or fewer exposed instances of a good version are better is not defined: then neither policy wins a
/// replicate. The table has the interval of each metric alone; the verdict goes by the wider one.
#[test]
fn a_comparison_says_which_interval_its_verdict_uses() {
    let scenario = SCENARIO.replace("[operator]", "max_in_flight = 3\n[operator]");
    let compare = "compare s.toml --policy batch_pct=10 --policy batch_pct=50 --versions v-bad --replicates 100";
    let printed = printed(&scenario, compare);
    assert!(
        printed.table.contains("the verdict uses the wider one that holds for all metrics at once"),
        "{}",
        printed.table
    );
}

/// Where no version is named, those that are defective are covered as well; a version that is named stands alone.
#[test]
fn a_study_covers_the_defective_versions() {
    let versions = |printed: &Printed| printed.report["versions"].clone();
    let sweep = printed(SCENARIO, "sweep s.toml --batch-pct 10,20 --replicates 20");
    assert_eq!(versions(&sweep), serde_json::json!(["v-2", "v-bad"]), "{}", sweep.error);
    assert!(sweep.report["command"].as_str().unwrap().contains("--versions v-2,v-bad"), "{}", sweep.report["command"]);
    assert!(sweep.table.contains("varied: batch_pct 10, 20"), "{}", sweep.table);
    let one = printed(SCENARIO, "sweep s.toml --batch-pct 10,20 --replicates 20 --versions v-2");
    assert_eq!(versions(&one), serde_json::json!(["v-2"]));
    let alone = SCENARIO.replace("defective = true\n", "");
    assert_eq!(versions(&printed(&alone, "sweep s.toml --replicates 20")), serde_json::json!(["v-2"]));
    let policies = "--policy batch_pct=10 --policy batch_pct=20 --replicates 20";
    let compared = printed(SCENARIO, &format!("compare s.toml {policies}")).report["comparisons"].clone();
    let of: Vec<&Value> = compared.as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(of, ["v-2", "v-bad"]);
    let tuned = format!("{SCENARIO}[tune]\ndefective = []\nlimits = []\n");
    assert_eq!(versions(&printed(&tuned, "sweep s.toml --replicates 20")), serde_json::json!(["v-2"]));
}

/// Policies that differ in what follows a trip alone: the table has a figure in which they differ.
#[test]
fn rows_that_differ_in_mitigation_alone_do_not_look_alike() {
    let scenario = SCENARIO.replace("on_trip = \"abort\"", "on_trip = \"rollback_completed_batches\"");
    let scenario = scenario.replace("[rollout]", "[rollout]\nbatch_pct = 50");
    let sweep =
        printed(&scenario, "sweep s.toml --set rollout.rollback_batch_pct=5,100 --versions v-bad --replicates 200");
    let table = &sweep.table;
    assert!(table.contains("varied: rollback_batch_pct 5, 100"), "{table}");
    assert!(table.contains("time to mitigate") || table.contains("duration"), "{table}");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.trim_start().starts_with("5 ") || line.trim_start().starts_with("100 "))
        .map(|line| line.split_whitespace().skip(1).collect())
        .collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert_ne!(rows[0], rows[1], "{table}");
}

/// `run` has `--version`, a study `--versions`.
#[test]
fn the_hint_about_a_target_names_the_argument_that_there_is() {
    for (command, hint) in [
        ("run s.toml --set rollout.target_version_id=v-bad", "write --version v-bad in place of"),
        ("plan s.toml --set rollout.target_version_id=v-bad", "write --version v-bad in place of"),
        ("sweep s.toml --set rollout.target_version_id=v-bad", "name versions with --versions"),
    ] {
        let output = Folder::of(SCENARIO).run(command);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(said(&output.stderr).contains(hint), "{command}: {}", said(&output.stderr));
    }
}

#[test]
fn where_nothing_is_better_nobody_wins() {
    let Printed { report, .. } =
        printed(SCENARIO, "compare s.toml --policy batch_pct=10 --policy batch_pct=50 --replicates 50");
    let metrics = report["comparisons"][0]["metrics"].as_array().expect("metrics");
    let metric = |name: &str| metrics.iter().find(|metric| metric["metric"] == name).expect("it");
    for wins in ["a_wins", "b_wins"] {
        assert_eq!(metric("exposed_instances")[wins], Value::Null);
        assert!(metric("duration_sec")[wins].is_u64());
    }
}

/// What never varied in the replicates that were met may vary in others: its interval has width and contains the exact
/// value.
#[test]
fn what_never_varied_contradicts_no_exact_value() {
    let scenario = SCENARIO.replacen("id = \"v-2\"\n", "id = \"v-2\"\nfailure_rate = 0.001\n", 1);
    let Printed { report, .. } = printed(&scenario, "sweep s.toml --max-consecutive-failures 3 --replicates 50");
    let cell = &report["cells"][0];
    let ci = &cell["metrics"]["trips"]["ci"];
    let [low, high] = [0, 1].map(|end| ci[end].as_f64().expect("an end"));
    let exact = cell["exact"]["values"]["trips"].as_f64().expect("a number");
    assert!(low <= exact && exact < high && exact > 0.0, "{ci}");
    let bytes = serde_json::to_vec(&report).expect("JSON");
    let page = dryroll::report::html::page(&dryroll::report::model::report::Report::read(&bytes).expect("a report"));
    assert!(!page.contains("✗ no"));
}

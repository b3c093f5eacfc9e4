//! Tuning over rules: lists of any key, named policies, and rules that win where no limit on failures in a row can.

use crate::common::folder;
use crate::common::tuning;

use dryroll::study::exact::exact;
use folder::{Folder, said};
use serde_json::Value;
use tuning::{BEYOND_THEORY, SCENARIO, scenario};

const SHARE_BEATS_RUN: &str = include_str!("../../scenarios/share-beats-run.toml");

fn candidates(report: &Value) -> &Vec<Value> {
    report["candidates"].as_array().expect("candidates")
}

/// The exact value of a limit of a candidate.
fn exactly(candidate: &Value, metric: &str) -> f64 {
    let limits = candidate["evidence"]["limits"].as_array().expect("limits");
    let limit = limits.iter().find(|limit| limit["metric"] == metric).expect("the limit");
    limit["observed"]["exact"].as_f64().unwrap_or_else(|| panic!("no exact value: {candidate}"))
}

/// 5 % fail when good and 40 % when bad; at most 1 % of good rollouts stopped and 5 % of the fleet exposed. The values
/// of the runs and of the share are those of an independent program.
#[test]
fn a_share_wins_where_no_run_can() {
    let folder = Folder::of(SHARE_BEATS_RUN);
    let output = folder.tune("--replicates 2000 --report t.json");
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    let report = folder.report("t.json");
    let recommended = &report["recommended"]["policy"];
    assert!(recommended["breakers"].is_array() && recommended["max_consecutive_failures"].is_null(), "{recommended}");
    let mut runs = 0;
    for candidate in candidates(&report) {
        if let Some(limit) = candidate["policy"]["max_consecutive_failures"].as_u64() {
            assert_eq!(candidate["standing"], "breaks_limit", "{limit} in a row");
            let (trips, blast) = (exactly(candidate, "false_trip_rate"), exactly(candidate, "blast_radius_pct"));
            match limit {
                3 => assert!((trips - 0.046).abs() < 5e-4 && (blast - 6.5).abs() < 0.05, "{trips} {blast}"),
                4 => assert!((trips - 0.0024).abs() < 5e-5 && (blast - 16.0).abs() < 0.5, "{trips} {blast}"),
                _ => {}
            }
            runs += 1;
        }
    }
    assert_eq!(runs, 5);
    let named = candidates(&report).iter().find(|one| one["policy"]["policy"] == "30% of judged").expect("the policy");
    let (trips, blast) = (exactly(named, "false_trip_rate"), exactly(named, "blast_radius_pct"));
    assert!((trips - 0.0034).abs() < 5e-5 && (blast - 3.8).abs() < 0.05, "{trips} {blast}");
    assert_ne!(named["standing"], "breaks_limit");
    // Shares, totals and tests compete.
    let has = |what: &str| candidates(&report).iter().any(|one| one["policy"]["breakers"].to_string().contains(what));
    assert!(has("judged") && has("sprt"));
    let table = said(&output.stdout);
    assert!(table.contains("30% of judged") && table.contains("breakers"), "{table}");
    assert!(table.contains("they compete as policies of the search"), "{table}");
    assert!(report["hints"].as_array().is_some_and(Vec::is_empty));
    assert!(folder.run("report t.json --html -").status.success());
}

/// `SCENARIO` with other lists.
fn with_lists(lists: &str) -> String {
    let grid = "batch_pct = [5, 10, 25, 50]\nmax_consecutive_failures = [1, 2, 3]\n";
    assert!(SCENARIO.contains(grid));
    SCENARIO.replace(grid, lists)
}

const LISTS: &str = "batches = [[1, \"10%\"], [\"25%\"]]\n\
                     breakers = [[{limit = 4}], [{limit = \"30%\", of = \"judged\", after_judged = 6}], []]\n";

/// Every list makes rows, and a search by simulation comes to the answer of the exact values. The intervals of a
/// search hold together with 95 %; the seed is fixed.
#[test]
fn lists_are_searched_by_theory_and_by_simulation() {
    let folder = Folder::of(&with_lists(LISTS));
    let output = folder.tune("--report t.json");
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    let report = folder.report("t.json");
    assert_eq!(candidates(&report).len(), 6);
    // `[]` is a policy without any rule: a bad version reaches everyone.
    let without: Vec<&Value> =
        candidates(&report).iter().filter(|one| one["policy"]["breakers"] == Value::Array(Vec::new())).collect();
    assert_eq!(without.len(), 2);
    assert!(without.iter().all(|one| exactly(one, "blast_radius_pct") == 100.0), "{without:?}");
    let other = Folder::of(&format!("{}{BEYOND_THEORY}", with_lists(LISTS)));
    other.tune("--replicates 4000 --report t.json -q");
    for (by_theory, by_simulation) in candidates(&report).iter().zip(candidates(&other.report("t.json"))) {
        assert_eq!(by_theory["policy"], by_simulation["policy"]);
        let limits = |one: &Value| one["evidence"]["limits"].as_array().expect("limits").clone();
        for (exact, seen) in limits(by_theory).iter().zip(limits(by_simulation)) {
            let exact = exact["observed"]["exact"].as_f64().expect("exact");
            assert!(seen["observed"]["exact"].is_null());
            let ci = |end: usize| seen["observed"]["ci"][end].as_f64().unwrap_or(exact);
            assert!(ci(0) - 1e-9 <= exact && exact <= ci(1) + 1e-9, "{by_simulation}");
        }
    }
}

/// Retries are beyond theory, which says why; the search tries them all the same.
#[test]
fn what_theory_does_not_cover_is_simulated() {
    let text = with_lists("batch_pct = [25]\nmax_consecutive_failures = [2]\nretries = [0, 1]\n");
    let folder = Folder::of(&text);
    folder.tune("--replicates 1000 --report t.json -q");
    let report = folder.report("t.json");
    let [plain, retried] = candidates(&report).as_slice() else { panic!("two") };
    assert!(plain["policy"]["retries"].is_null() && retried["policy"]["retries"] == 1);
    assert!(plain["evidence"]["limits"][0]["observed"]["exact"].is_f64());
    assert!(retried["evidence"]["limits"][0]["observed"]["exact"].is_null());
    let seen = retried["evidence"]["limits"][0]["observed"]["value"].as_f64().expect("simulated");
    assert!(seen < plain["evidence"]["limits"][0]["observed"]["exact"].as_f64().expect("exact"), "{seen}");
    let mut scenario = scenario(&text);
    scenario.set_rollout("retries", "1").unwrap();
    assert!(exact(&scenario).expect_err("beyond").why.contains("commanded again"));
}

#[test]
fn what_is_wrong_with_a_list_is_said_at_its_place() {
    for (lists, says) in [
        ("retries = [0, 1000]", "1000"),
        ("retries = []", "retries"),
        ("batches = [[1], [1]]", "twice"),
        ("batches = [[\"0%\"]]", "0%"),
        ("breakers = [[{limit = 2, of = \"juged\"}]]", "judged"),
        ("rules = 1", "true or false"),
        ("target_version_id = [\"v-1\"]", "unknown key"),
        ("min_healthy_sec = [400]", "not below"),
    ] {
        let output = Folder::of(&with_lists(&format!("{lists}\n"))).tune("");
        let stderr = said(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{lists}: {stderr}");
        assert!(stderr.contains(says) && stderr.contains("s.toml:"), "{lists}: {stderr}");
    }
    let listed = with_lists("rules = true\n").replace("[operator]", "breaker_order = \"listed\"\n[operator]");
    let stderr = said(&Folder::of(&listed).tune("").stderr);
    assert!(stderr.contains("cannot stand together"), "{stderr}");
}

/// Named policies of a file of their own are rows too.
#[test]
fn a_file_of_policies_makes_rows() {
    let folder = Folder::of(SCENARIO);
    folder.write("p.toml", "[[policies]]\nname = \"canary\"\nbatches = [1, \"50%\"]\nbreakers = [{limit = 3}]\n");
    let output = folder.tune("--policies p.toml --report t.json");
    assert!(output.status.success(), "{}", said(&output.stderr));
    let report = folder.report("t.json");
    let last = candidates(&report).last().expect("a row");
    assert_eq!((candidates(&report).len(), &last["policy"]["policy"]), (13, &Value::from("canary")));
    assert!(last["evidence"]["limits"][0]["observed"]["exact"].is_f64(), "{last}");
    assert!(report["command"].as_str().is_some_and(|command| command.contains("--policies p.toml")));
    assert!(folder.run("report t.json --html -").status.success());
}

//! `check`: rules pass, fail or stay undecided, and the outputs for machines agree with the text.

use crate::common::checks;
use crate::common::folder;
use crate::common::tuning::BEYOND_THEORY;
use checks::Folder;
use folder::said;
use serde_json::Value;

/// Twenty hosts; independent verdicts, an abort on the first trip.
const SCENARIO: &str = r#"
seed = 11
[fleet]
instances = 20
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
failure_rate = 0.05
[[versions]]
id = "v-bad"
defective = true
failure_rate = 0.9
[rollout]
target_version_id = "v-2"
[operator]
on_trip = "abort"
"#;

const PASSES: &str = r#"
[[expect]]
metric = "false_trip_rate"
at_most = 0.3
[[expect]]
version = "v-bad"
metric = "blast_radius_pct"
stat = "p95"
at_most = 60
replicates = 300
[[expect]]
version = "v-bad"
metric = "outcome"
equals = "aborted"
[[expect]]
version = "v-bad"
event = "circuit_breaker_tripped"
before = "batch_completed"
[[expect]]
version = "v-bad"
event = "circuit_breaker_tripped"
within_sec = 3600
replicates = 50
[[expect]]
event = "rollback_started"
equals = 0
replicate = 7
"#;

const FAILS: &str = "\n[[expect]]\nmetric = \"false_trip_rate\"\nat_most = 0.001\n";

/// Scenarios with these rules.
fn with(files: &[(&str, &str)]) -> Folder {
    let files: Vec<(&str, String)> = files.iter().map(|(name, rules)| (*name, format!("{SCENARIO}{rules}"))).collect();
    Folder::with(&files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>())
}

fn statuses(report: &Value) -> Vec<&str> {
    let scenarios = report["scenarios"].as_array().expect("scenarios").iter();
    let rules = scenarios.flat_map(|scenario| scenario["rules"].as_array().expect("rules"));
    rules.map(|rule| rule["status"].as_str().expect("a status")).collect()
}

/// All limits are far from the truth (a false trip in about 4 % of the rollouts); the seed is fixed.
#[test]
fn rules_that_hold_pass() {
    let folder = with(&[("s.toml", PASSES)]);
    let printed = folder.check("s.toml --report r.json");
    assert_eq!(printed.code, Some(0), "{}{}", printed.out, printed.error);
    let report = folder.report("r.json");
    assert_eq!((&report["schema"], &report["passed"]), (&Value::from("dryroll.check/1"), &Value::from(true)));
    assert_eq!(statuses(&report), ["passed"; 6]);
    let rules = &report["scenarios"][0]["rules"];
    assert_eq!((&rules[1]["n"], &rules[2]["n"], &rules[4]["n"]), (&300.into(), &1.into(), &50.into()));
    assert_eq!((&rules[2]["observed"], &rules[2]["interval"]), (&"aborted".into(), &Value::Null));
    assert_eq!(rules[5]["says"], "rollback_started = 0 times in replicate 7");
    assert!(printed.out.contains("passed: 6 rules of 1 scenario: 6 passed"), "{}", printed.out);
}

#[test]
fn a_rule_that_does_not_hold_fails_with_its_worst_replicate() {
    let folder = with(&[("s.toml", FAILS)]);
    let printed = folder.check("s.toml --report r.json");
    assert_eq!(printed.code, Some(1), "{}", printed.error);
    let rule = &folder.report("r.json")["scenarios"][0]["rules"][0];
    assert_eq!(rule["status"], "failed");
    let replay = rule["replay"].as_str().expect("a command");
    assert!(printed.out.contains(replay), "{}", printed.out);
    // The command shows a replicate in which a good version trips.
    assert_eq!(folder.replayed(&rule["replay"])["metrics"]["trips"], 1);
    let line = rule["line"].as_u64().expect("a line") as usize;
    assert_eq!(folder.read("s.toml").lines().nth(line - 1), Some("[[expect]]"));
}

/// The limit is the truth to a few digits, so no interval of a thousand replicates lies beside it but by the 5 % it may
/// miss.
#[test]
fn a_rule_on_the_edge_is_undecided_and_fails_with_that_word() {
    let folder = with(&[("s.toml", FAILS)]);
    folder.check("s.toml --max-replicates 4000 --report r.json");
    let rate = folder.report("r.json")["scenarios"][0]["rules"][0]["observed"].as_f64().expect("a rate");
    folder.write(
        "e.toml",
        &format!("{SCENARIO}\n{BEYOND_THEORY}[[expect]]\nmetric = \"false_trip_rate\"\nat_most = {rate}\n"),
    );
    let printed = folder.check("e.toml --max-replicates 1000 --report r.json --junit j.xml");
    assert_eq!(printed.code, Some(1));
    let report = folder.report("r.json");
    assert_eq!((statuses(&report), &report["counts"]["undecided"]), (vec!["undecided"], &1.into()));
    assert_eq!(report["scenarios"][0]["rules"][0]["n"], 1000);
    assert!(printed.out.contains("undecided") && printed.out.contains("--max-replicates"), "{}", printed.out);
    assert!(folder.read("j.xml").contains("type=\"undecided\""));
}

#[test]
fn where_nothing_is_evaluated_the_exit_code_is_4() {
    let folder = with(&[("none.toml", ""), ("s.toml", PASSES)]);
    folder.write("empty/readme.txt", "no scenario");
    for (arguments, says) in [
        ("empty", "no scenario"),
        ("none.toml", "no rule"),
        ("none.toml --list", "no rule"),
        ("s.toml --filter nothing-has-this", "no rule"),
        ("s.toml --max-replicates 0", "no replicate"),
    ] {
        let printed = folder.check(arguments);
        assert_eq!(printed.code, Some(4), "{arguments}: {}", printed.error);
        assert!(printed.error.contains(says), "{arguments}: {}", printed.error);
    }
}

#[test]
fn what_is_wrong_is_told_before_anything_runs() {
    let folder = with(&[("s.toml", PASSES)]);
    folder.write("good.toml", &format!("{SCENARIO}[[expect]]\nmetric = \"blast_radius_pct\"\nat_most = 10\n"));
    for (arguments, code, says) in [
        ("nowhere.toml", 2, "nowhere.toml"),
        ("good.toml", 2, "not `defective`"),
        ("s.toml --report s.toml", 2, "what is read"),
        ("s.toml --budget 5", 2, "not a length of time"),
        ("s.toml --report no/such/r.json", 3, "no/such"),
    ] {
        let printed = folder.check(arguments);
        assert_eq!(printed.code, Some(code), "{arguments}: {}", printed.error);
        assert!(printed.error.contains(says), "{arguments}: {}", printed.error);
    }
}

#[test]
fn a_folder_is_walked_and_files_without_rules_are_told() {
    let folder = with(&[("a/z.toml", PASSES), ("a/b/y.toml", PASSES), ("a/none.toml", "")]);
    folder.write("a/scenario.schema.json", "{}");
    folder.write("a/.hidden.toml", "nonsense");
    let printed = folder.check("a a/z.toml --report r.json");
    assert_eq!(printed.code, Some(0), "{}", printed.error);
    let report = folder.report("r.json");
    let files: Vec<&Value> = report["scenarios"].as_array().expect("some").iter().map(|one| &one["file"]).collect();
    assert_eq!(files, ["a/b/y.toml", "a/z.toml"]);
    assert_eq!(report["without_rules"], serde_json::json!(["a/none.toml"]));
    assert!(printed.out.contains("not checked: 1 file without [[expect]]"), "{}", printed.out);
}

#[test]
fn rules_are_listed_and_chosen() {
    let folder = with(&[("s.toml", PASSES)]);
    let printed = folder.check("s.toml --list");
    assert_eq!((printed.code, printed.out.lines().count()), (Some(0), 6));
    assert!(printed.out.starts_with("s.toml: v-2: false_trip_rate ≤ 0.3\n"), "{}", printed.out);
    let printed = folder.check("s.toml --filter P95 --list");
    assert_eq!(printed.out, "s.toml: v-bad: p95 of blast_radius_pct ≤ 60\n");
    folder.check("s.toml --filter P95 --report r.json");
    assert_eq!(statuses(&folder.report("r.json")), ["passed"]);
}

#[test]
fn the_first_failure_ends_it_where_that_is_asked_for() {
    let outcome = "\n[[expect]]\nmetric = \"outcome\"\nequals = \"rolled_back\"\n";
    let folder = with(&[("a.toml", &format!("{FAILS}{outcome}")), ("b.toml", PASSES)]);
    let printed = folder.check("a.toml b.toml --fail-fast --report r.json --junit j.xml");
    assert_eq!(printed.code, Some(1));
    let report = folder.report("r.json");
    let mut expected = vec!["skipped", "failed"];
    expected.extend(["skipped"; 6]);
    assert_eq!(statuses(&report), expected);
    assert_eq!(folder.read("j.xml").matches("<skipped").count(), 7);
}

#[test]
fn what_the_budget_does_not_reach_is_undecided() {
    let folder = with(&[("s.toml", FAILS)]);
    let printed = folder.check("s.toml --budget 0.000001ms --report r.json");
    assert_eq!(printed.code, Some(1), "{}", printed.error);
    assert_eq!(statuses(&folder.report("r.json")), ["undecided"]);
    assert!(printed.out.contains("the time budget ended"), "{}", printed.out);
}

#[test]
fn a_fault_that_touches_nothing_fails_the_scenario() {
    let fault = "\n[[faults]]\nkind = \"partition\"\nat_sec = 80000\nduration_sec = 10\n";
    let rule = "[[expect]]\nmetric = \"outcome\"\nequals = \"completed\"\n";
    let folder = with(&[("s.toml", &format!("{fault}{rule}"))]);
    let printed = folder.check("s.toml --report r.json --junit j.xml");
    assert_eq!(printed.code, Some(1));
    let report = folder.report("r.json");
    assert_eq!((statuses(&report), &report["passed"]), (vec!["passed"], &false.into()));
    assert_eq!(report["scenarios"][0]["idle_faults"][0]["kind"], "partition");
    assert!(printed.out.contains("fault 0 (partition) touched"), "{}", printed.out);
    assert!(folder.read("j.xml").contains("<failure"));
}

/// Every element that is opened is closed in its turn.
#[test]
fn junit_is_well_formed_whatever_the_names() {
    let folder = with(&[("a & <b> \".toml", FAILS), ("s.toml", PASSES)]);
    let mut command = folder.checking("--junit j.xml s.toml");
    let output = command.arg("a & <b> \".toml").output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let xml = folder.read("j.xml");
    let mut open: Vec<&str> = Vec::new();
    for tag in xml.split('<').skip(2).map(|rest| rest.split_once('>').expect("a tag ends").0) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().expect("a name");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name), "{xml}"),
            (false, true) => {}
            (false, false) => open.push(name),
        }
    }
    assert!(open.is_empty(), "{xml}");
    assert!(xml.contains("a &amp; &lt;b&gt;") && xml.contains("tests=\"7\""), "{xml}");
}

#[test]
fn github_is_told_where_it_runs() {
    let folder = with(&[("s.toml", FAILS)]);
    folder.write("summary.md", "before\n");
    let mut command = folder.checking("s.toml --quiet");
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", folder.path("summary.md"));
    let printed = folder.printed(command);
    assert_eq!(printed.code, Some(1));
    let line = folder.read("s.toml").lines().position(|line| line == "[[expect]]").expect("a rule") + 1;
    assert!(printed.out.starts_with(&format!("::error file=s.toml,line={line},title=")), "{}", printed.out);
    assert_eq!(printed.out.lines().count(), 1);
    let summary = folder.read("summary.md");
    assert!(summary.starts_with("before\n### dryroll check: failed"), "{summary}");
    // Annotations appear in GitHub Actions only.
    assert!(!folder.check("s.toml").out.contains("::error"));
    folder.check("s.toml --markdown m.md");
    assert_eq!(summary, format!("before\n{}", folder.read("m.md")));
}

#[test]
fn the_bytes_do_not_depend_on_the_threads() {
    let folder = with(&[("s.toml", &format!("{PASSES}{FAILS}"))]);
    let mut said = Vec::new();
    for threads in [1, 2, 5] {
        let printed =
            folder.check(&format!("s.toml --threads {threads} --report r.json --junit j.xml --markdown m.md"));
        said.push([printed.out, folder.read("r.json"), folder.read("j.xml"), folder.read("m.md")]);
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]));
}

/// The limit is the exact value, so a rule that is decided at all is decided by an interval that misses, which it may
/// with a chance of 5 % for all looks together. More than 7 of 60 would then have a chance of 0.98 %: so often would
/// this test raise a false alarm, with another list of seeds than this fixed one.
#[test]
fn looking_again_and_again_does_not_decide_by_luck() {
    use dryroll::scenario::{Format, Scenario};
    let scenario = Scenario::parse("s", SCENARIO.as_bytes(), Format::Toml).expect("a scenario");
    let truth = dryroll::study::exact::exact(&scenario).expect("in scope").value("trip_rate").expect("known");
    let files: Vec<(String, String)> = (0..60)
        .map(|seed| {
            let text = SCENARIO.replace("seed = 11", &format!("seed = {seed}"));
            (
                format!("{seed:02}.toml"),
                format!("{text}{BEYOND_THEORY}[[expect]]\nmetric = \"trip_rate\"\nat_most = {truth}\n"),
            )
        })
        .collect();
    let folder = with(&[]);
    let mut decided = 0;
    for (name, text) in &files {
        folder.write(name, text);
        // Each alone, so that it has all of the 5 %.
        folder.check(&format!("{name} --max-replicates 4096 --report r.json"));
        decided += u32::from(statuses(&folder.report("r.json")) != ["undecided"]);
    }
    assert!(decided <= 7, "{decided} of 60 are decided");
}

#[test]
fn the_rules_of_the_scenarios_that_ship_pass() {
    let folder = with(&[]);
    let mut command = folder.checking("scenarios --quiet");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let printed = folder.printed(command);
    assert_eq!(printed.code, Some(0), "{}", printed.error);
}

#[test]
fn a_check_has_a_page_and_is_no_lesson() {
    let folder = with(&[("s.toml", PASSES)]);
    folder.check("s.toml --quiet --report r.json");
    let page = folder.run("report r.json --html -");
    assert!(page.status.success(), "{}", said(&page.stderr));
    let page = said(&page.stdout);
    for part in ["Rules for rollouts", "How far each rule is from its limit", "p95 of blast_radius_pct"] {
        assert!(page.contains(part), "{part}");
    }
    let learned = folder.run("learn r.json");
    assert_eq!(learned.status.code(), Some(2));
    assert!(said(&learned.stderr).contains("`replay` of a rule"), "{}", said(&learned.stderr));
}

/// One hit in 256 replicates says as little of a mean as of a rate: written either way, a rule that is false passes in
/// at most 5 % of the seeds. Of 60 seeds, 10 or more would pass with a chance of 0.1 % at most (binomial, 0.05);
/// Student's interval alone passed 15 %.
#[test]
fn a_mean_of_rare_trips_is_decided_as_carefully_as_their_rate() {
    let text = "[fleet]\ninstances = 1\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\nfailure_rate = 0.01328125\n[rollout]\ntarget_version_id = \"v-2\"\nmax_consecutive_failures = 1\n[operator]\non_trip = \"abort\"\n[[expect]]\nmetric = \"trips\"\nat_most = 0.012890625\n";
    let folder = Folder::with(&[]);
    let mut passed = 0;
    for seed in 0..60 {
        folder.write("s.toml", &format!("seed = {seed}\n{text}"));
        folder.check("s.toml --max-replicates 4096 --quiet --report r.json");
        passed += u32::from(statuses(&folder.report("r.json")) == ["passed"]);
    }
    assert!(passed < 10, "{passed} of 60");
}

/// Names from a scenario stay on one line: none of them becomes a command of the job's log, or breaks the XML.
#[test]
fn names_break_no_line_and_no_xml() {
    let rules = FAILS.replace("[[expect]]", "[[expect]]\nversion = \"v-2\\n::error::forged\\ufffe\"");
    let text = format!("name = \"x\\n::stop-commands::token\"\n{SCENARIO}{rules}")
        .replace("id = \"v-2\"", "id = \"v-2\\n::error::forged\\ufffe\"");
    let folder = Folder::with(&[("s.toml", &text)]);
    let mut command = folder.checking("s.toml --junit j.xml");
    command.env("GITHUB_ACTIONS", "true");
    let printed = folder.printed(command);
    assert_eq!(printed.code, Some(1), "{}", printed.error);
    let forged = |line: &&str| line.starts_with("::stop-commands") || line.starts_with("::error::forged");
    assert_eq!(printed.out.lines().find(forged), None, "{}", printed.out);
    assert!(!folder.read("j.xml").contains('\u{fffe}'));
}

#[test]
fn a_rule_on_what_the_fleet_runs_already_is_refused() {
    let folder = with(&[("s.toml", "\n[[expect]]\nversion = \"v-1\"\nmetric = \"trip_rate\"\nat_most = 0.05\n")]);
    let printed = folder.check("s.toml");
    assert_eq!(printed.code, Some(2), "{}{}", printed.out, printed.error);
    assert!(printed.error.contains("`v-1`, which the fleet runs already"), "{}", printed.error);
}

#[cfg(unix)]
#[test]
fn a_link_in_a_folder_that_leads_nowhere_is_told() {
    let folder = with(&[("d/s.toml", PASSES)]);
    std::os::unix::fs::symlink("nosuch.toml", folder.path("d/r.toml")).expect("a link");
    let printed = folder.check("d");
    assert_eq!(printed.code, Some(2), "{}{}", printed.out, printed.error);
    assert!(printed.error.contains("r.toml"), "{}", printed.error);
}

//! Learning records: what each kind of report teaches, the store, and how a later rehearsal compares with them.

use crate::common::reports;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dryroll::learning::{Category, Learning};
use dryroll::report::model::report::Report;
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The tutorial's own record.
const TUTORIAL: &str = include_str!("../../reports/examples/learnings.ndjson");

fn dryroll(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
    command.current_dir(ROOT).args(arguments).env("NO_COLOR", "1").output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("written");
        self.named(name)
    }

    fn named(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn run(&self, scenario: &str, name: &str) -> String {
        let report = self.named(name);
        let done = dryroll(&["run", &format!("scenarios/{scenario}.toml"), "-q", "--report", &report]);
        assert!(done.status.success(), "{}", text(&done.stderr));
        report
    }

    fn learn(&self, scenario: &str) -> Value {
        let report = self.run(scenario, "run.json");
        let done = dryroll(&["learn", &report]);
        assert!(done.status.success(), "{}", text(&done.stderr));
        serde_json::from_slice(&done.stdout).expect("JSON")
    }
}

fn of(report: &impl serde::Serialize) -> Learning {
    let bytes = serde_json::to_vec(report).expect("JSON");
    Learning::of(&Report::parse(&bytes).expect("a report")).expect("a record")
}

/// As people read it: a sentence a line.
fn readable(record: &Learning) -> String {
    let content = record.content.replace(". ", ".\n");
    format!("{}\n[{}]\n\n{content}\n\n{}\n", record.title, record.category, record.tags.join(" "))
}

#[test]
fn records_are_as_they_were_read_and_found_good() {
    let folder = Folder::new();
    let mut records: Vec<(String, Learning)> = ["tutorial", "broken-rollback", "network-blips-2", "tier-1-edit"]
        .iter()
        .map(|name| (format!("run-{name}"), serde_json::from_value(folder.learn(name)).expect("a record")))
        .collect();
    records.push(("sweep".into(), of(&reports::sweep())));
    records.push(("compare".into(), of(&reports::compare())));
    records.push(("tune".into(), of(&reports::tune(true))));
    records.push(("tune-unmet".into(), of(&reports::tune(false))));
    let update = std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1");
    for (name, record) in records {
        let path = Path::new(ROOT).join("tests/golden").join(format!("learn-{name}.txt"));
        let now = readable(&record);
        if update {
            std::fs::write(&path, &now).expect("written");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(golden, now, "{}; UPDATE_GOLDEN=1 writes it anew", path.display());
    }
}

#[test]
fn exactly_the_four_keys_and_what_happened_chooses_the_category() {
    let folder = Folder::new();
    for (scenario, category) in [
        ("tutorial", Category::BestPractice),
        ("two-failures", Category::FailureMode),
        ("network-blips-2", Category::FailureMode),
        ("zone-outage", Category::FailureMode),
        ("broken-rollback", Category::Pattern),
        ("broken-abort", Category::Pattern),
        ("broken-continue", Category::AntiPattern),
        ("slow-burn", Category::FailureMode),
        ("rollback-archived", Category::FailureMode),
        ("blocked-policy", Category::Fact),
    ] {
        let record = folder.learn(scenario);
        let keys: Vec<&str> = record.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["category", "content", "tags", "title"], "{scenario}");
        assert_eq!(record["category"], category.name(), "{scenario}: {record:#}");
        let content = record["content"].as_str().expect("text");
        assert!(content.contains(", replicate 0") && content.contains("SHA-256"), "{content}");
        assert!(content.contains(&format!("`dryroll run scenarios/{scenario}.toml --version")), "{content}");
        let tags = record["tags"].as_array().expect("a list");
        for tag in ["rolling-upgrade", "nginx", "fleet-50"] {
            assert!(tags.contains(&tag.into()), "{scenario}: {tags:?}");
        }
    }
}

#[test]
fn an_edit_before_the_approval_is_the_policy_that_is_learned_of() {
    let record = Folder::new().learn("tier-1-edit");
    let tags = record["tags"].as_array().expect("a list");
    assert!(tags.contains(&"batch_pct-10".into()), "{record:#}");
}

#[test]
fn a_record_s_command_makes_its_report_again() {
    let folder = Folder::new();
    let report = folder.named("again.json");
    let first = dryroll(&[
        "run",
        "scenarios/tune.toml",
        "--version",
        "v-1.26.0-flaky",
        "--set",
        "batch_pct=5",
        "--replicate",
        "3",
        "-q",
        "--report",
        "-",
    ]);
    let value: Value = serde_json::from_slice(&first.stdout).expect("a report");
    let command = value["command"].as_str().expect("a command");
    let mut words: Vec<&str> = command.split(' ').skip(1).collect();
    words.extend(["-q", "--report", &report]);
    assert!(dryroll(&words).status.success(), "{command}");
    let again: Value = serde_json::from_slice(&std::fs::read(&report).expect("written")).expect("JSON");
    assert_eq!(again["metrics"], value["metrics"]);
}

#[test]
fn a_store_takes_a_record_once() {
    let folder = Folder::new();
    let report = folder.run("tutorial", "run.json");
    let store = folder.named("store.ndjson");
    let first = dryroll(&["learn", &report, "--store", &store]);
    assert!(text(&first.stderr).contains("1 record now"), "{}", text(&first.stderr));
    let again = dryroll(&["learn", &report, "--store", &store]);
    assert!(again.status.success());
    assert!(text(&again.stderr).contains("not added") && text(&again.stderr).contains("line 1"));
    let kept = std::fs::read_to_string(&store).expect("the store");
    assert_eq!(kept.lines().count(), 1);
    let (kept, shown): (Value, Value) =
        (serde_json::from_str(&kept).unwrap(), serde_json::from_slice(&again.stdout).unwrap());
    assert_eq!(kept, shown);
}

#[test]
fn what_cannot_be_kept_is_said_and_nothing_is_lost() {
    let folder = Folder::new();
    let report = folder.run("tutorial", "run.json");
    let damaged = folder.write("damaged.ndjson", &format!("{TUTORIAL}{{\"title\": \"half"));
    let done = dryroll(&["learn", &report, "--store", &damaged]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("line 2: it is not JSON"), "{}", text(&done.stderr));
    assert!(std::fs::read_to_string(&damaged).unwrap().ends_with("half"));
    for (store, code, says) in [
        (report.as_str(), 2, "is what is read"),
        (folder.0.path().to_str().unwrap(), 3, "directory"),
        ("/no/such/folder/store", 3, "there is no folder"),
        ("-", 3, "a store is a file"),
    ] {
        let done = dryroll(&["learn", &report, "--store", store]);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    }
}

/// A limit on the size of files is a disk that is full in the middle of the line.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_store_as_it_was() {
    let folder = Folder::new();
    let report = folder.run("tutorial", "run.json");
    let store = folder.write("store.ndjson", TUTORIAL);
    let before = std::fs::read(&store).unwrap();
    let script =
        format!("trap '' XFSZ; ulimit -f 2; exec {} learn {report} --store {store}", env!("CARGO_BIN_EXE_dryroll"));
    let done = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    assert_eq!(done.status.code(), Some(3), "{}", text(&done.stderr));
    assert!(text(&done.stderr).contains("cannot add to"), "{}", text(&done.stderr));
    assert_eq!(std::fs::read(&store).unwrap(), before);
}

#[test]
fn what_is_no_report_teaches_nothing() {
    let folder = Folder::new();
    for (report, code, says) in [
        ("{}", 2, "not a report"),
        ("{\"schema\": \"dryroll.run/1\"}", 4, "nothing to learn"),
        ("{\"schema\": \"dryroll.drill/9\"}", 2, "its schema is"),
    ] {
        let path = folder.write("report.json", report);
        let done = dryroll(&["learn", &path]);
        assert_eq!(done.status.code(), Some(code), "{}", text(&done.stderr));
        assert!(text(&done.stderr).contains(says), "{}", text(&done.stderr));
    }
    assert_eq!(dryroll(&["learn", &folder.named("none.json")]).status.code(), Some(2));
}

#[test]
fn an_older_report_without_the_new_fields_still_teaches() {
    let folder = Folder::new();
    let path = folder.run("tutorial", "run.json");
    let mut report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    report.as_object_mut().unwrap().remove("command");
    for key in ["module", "fleet", "instances"] {
        report["scenario"].as_object_mut().unwrap().remove(key);
    }
    let record = of(&report);
    assert!(record.content.starts_with("50-instance fleet: 20% batches"), "{}", record.content);
    assert!(record.content.contains("does not say by which command"), "{}", record.content);
}

#[test]
fn a_plan_shows_records_beside_its_answer_and_never_in_it() {
    let folder = Folder::new();
    let store = folder.write("store.ndjson", &format!("not a record\n{TUTORIAL}"));
    let plain = dryroll(&["plan", "scenarios/tutorial.toml"]);
    let with = dryroll(&["plan", "scenarios/tutorial.toml", "--learnings", &store]);
    assert_eq!(plain.stdout, with.stdout);
    let said = text(&with.stderr);
    assert!(said.contains("batch_pct=20% works for edge fleet"), "{said}");
    assert!(said.contains("line 1: it is not JSON"), "{said}");
    assert!(!said.contains("contradicts"), "{said}");
    let set = ["plan", "scenarios/tutorial.toml", "--set", "health_timeout_sec=120", "--learnings", &store];
    let said = text(&dryroll(&set).stderr);
    assert!(said.contains("today contradicts it: it estimates 25 min, today's plan 10 min"), "{said}");
    let quiet = dryroll(&["plan", "scenarios/tutorial.toml", "-q", "--learnings", &store]);
    assert!(quiet.stderr.is_empty());
}

#[test]
fn a_run_says_where_today_contradicts_a_record() {
    let folder = Folder::new();
    let store = folder.write("store.ndjson", TUTORIAL);
    let said = text(&dryroll(&["run", "scenarios/network-blips-2.toml", "--learnings", &store]).stdout);
    assert!(said.contains("today contradicts it: it speaks of zero trips"), "{said}");
    let said = text(&dryroll(&["run", "scenarios/tutorial.toml", "--learnings", &store]).stdout);
    assert!(said.contains("1 record applies") && !said.contains("contradicts"), "{said}");
    let said = text(&dryroll(&["run", "scenarios/broken-rollback.toml", "--learnings", &store]).stdout);
    assert!(!said.contains("contradicts"), "a bad version shall trip: {said}");
    let report = folder.run("tutorial", "run.json");
    assert!(dryroll(&["learn", &report, "--store", &store]).status.success());
    let said = text(&dryroll(&["run", "scenarios/tutorial.toml", "--learnings", &store]).stdout);
    assert!(said.contains("today agrees: the same replicate with the same numbers"), "{said}");
}

#[test]
fn a_search_says_where_it_rejects_what_was_recommended() {
    let folder = Folder::new();
    let report = folder.named("tune.json");
    let arguments = ["tune", "scenarios/tune.toml", "--replicates", "300", "-q", "--report", &report];
    dryroll(&arguments);
    let tuned: Value = serde_json::from_slice(&std::fs::read(&report).expect("the report")).expect("JSON");
    let broken = json!({
        "title": "nginx upgrades: take batch_pct=100", "category": "best_practice",
        "content": "Recommend batch_pct=100% and max_consecutive_failures=5.", "tags": ["nginx"],
    });
    let store = folder.write("store.ndjson", &format!("{broken}\n"));
    let done = dryroll(&["tune", "scenarios/tune.toml", "--replicates", "300", "--learnings", &store]);
    let said = text(&done.stdout);
    assert!(
        said.contains("it recommends batch_pct=100%, max_consecutive_failures=5, which today surely breaks a limit"),
        "{said}"
    );
    let record = of(&tuned);
    let said = match tuned["decided"].as_bool() {
        Some(true) => "best_practice",
        _ => "discovery",
    };
    assert_eq!(record.category, said);
}

#[test]
fn a_store_that_cannot_be_read_or_would_be_lost_is_refused_before_the_work() {
    let folder = Folder::new();
    let none = folder.named("none.ndjson");
    for command in ["plan", "run", "tune"] {
        let done = dryroll(&[command, "scenarios/tune.toml", "--learnings", &none]);
        assert_eq!(done.status.code(), Some(2));
        assert!(text(&done.stderr).contains("cannot read"), "{}", text(&done.stderr));
    }
    let store = folder.write("store.ndjson", TUTORIAL);
    let done = dryroll(&["run", "scenarios/tutorial.toml", "--learnings", &store, "--report", &store]);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&store).unwrap(), TUTORIAL);
}

#[test]
fn what_a_store_holds_does_not_reach_the_terminal_raw() {
    let folder = Folder::new();
    let record = json!({
        "title": "nginx upgrade \u{1b}[31mred", "category": "a\u{7}b", "content": "line\r\nline \u{1b}]0;title\u{7}",
        "tags": ["nginx", "rolling-upgrade"],
    });
    let store = folder.write("store.ndjson", &record.to_string());
    let done = dryroll(&["plan", "scenarios/tutorial.toml", "--learnings", &store]);
    assert!(!done.stderr.iter().any(|byte| [0x1b, 0x07, b'\r'].contains(byte)), "{}", text(&done.stderr));
}

/// A limit that surely holds with 50 instances surely does not with 100: 2.35 % of good rollouts trip there, 2 % may.
const SEARCHED: &str = r#"
name = "learn"
seed = 1
[fleet]
template_id = "edge"
instances = 50
[module]
id = "nginx"
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
hang_rate = 0.0155
[rollout]
target_version_id = "v-2"
batch_pct = 20
max_consecutive_failures = 2
breaker_order = "listed"
[reconciler]
policy = "auto_approve"
[tune]
good = "v-2"
batch_pct = [20]
max_consecutive_failures = [2]
limits = [{metric = "false_trip_rate", at_most = 0.02}]
"#;

#[test]
fn a_record_of_another_case_claims_nothing_for_today() {
    let folder = Folder::new();
    let scenario = folder.write("s.toml", SEARCHED);
    let (report, store) = (folder.named("t.json"), folder.named("store.ndjson"));
    assert!(dryroll(&["tune", &scenario, "--report", &report, "-q"]).status.success());
    assert!(dryroll(&["learn", &report, "--store", &store]).status.success());
    let plan = |scenario: &str, set: &[&str]| {
        let other = folder.write("other.toml", scenario);
        let words: Vec<&str> = ["plan", &other, "--learnings", &store].into_iter().chain(set.iter().copied()).collect();
        // Lines are broken where they are long.
        words_of(&text(&dryroll(&words).stderr))
    };
    let same = plan(&format!("# Another comment.\n{SEARCHED}"), &[]);
    assert!(same.contains("false_trip_rate ≤ 0.02 surely holds for v-2") && !same.contains("another case"), "{same}");
    for (from, to, set, differs) in [
        ("instances = 50", "instances = 100", &[][..], "50 instances there, 100 today"),
        ("0.0155", "0.0185", &[], "v-2 has hang_rate 0.0155 there, hang_rate 0.0185 today"),
        ("", "", &["--set", "health_timeout_sec=120"], "health_timeout_sec 300 there, 120 today"),
        ("", "", &["--set", "batch_pct=50"], "batch_pct 20 there, 50 today"),
        ("[operator]", "[operator]", &["--set", "breaker_scope=batch"], "breaker_scope the default there, batch today"),
        (
            "[reconciler]",
            "[network]\nflap_rate_per_hour = 3\n[reconciler]",
            &[],
            "its scenario is another in the fleet",
        ),
    ] {
        let said = plan(&SEARCHED.replacen(from, to, 1), set);
        assert!(said.contains("about another case: "), "{said}");
        assert!(
            said.contains(differs) && said.contains("Nothing in it surely follows for today."),
            "{differs}: {said}"
        );
        assert!(said.contains("It found there: a search over "), "{said}");
        assert!(!said.contains("surely holds") && !said.contains("Recommend"), "{said}");
    }
    // A search of another fleet is not a contradiction: there the limit held, here it does not.
    let larger = folder.write("larger.toml", &SEARCHED.replace("instances = 50", "instances = 100"));
    let said = words_of(&text(&dryroll(&["tune", &larger, "--learnings", &store]).stdout));
    assert!(said.contains("about another case: 50 instances there, 100 today."), "{said}");
    assert!(said.contains("today differs: ") && !said.contains("today contradicts"), "{said}");
}

fn words_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

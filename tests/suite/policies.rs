//! Any key of `[rollout]` is an axis, and so are the fleet's size and the rates of versions; policies that a scenario
//! names are rows; every command that a report names repeats what it says.
#![cfg(unix)]

use crate::common::folder;

use std::process::Command;

use folder::{Folder, said};
use serde_json::{Value, json};

const SCENARIO: &str = r#"
name = "an edge fleet"
seed = 11
[fleet]
instances = 40
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
failure_rate = 0.05
[rollout]
target_version_id = "v-2"
health_timeout_sec = 200
[operator]
on_trip = "abort"
"#;

const CANARY: &str = r#"
[[policies]]
name = "canary, then 5%"
batches = [1, "5%", "25%"]
bake_sec = [60, 0]
"#;

const TOTAL: &str = r#"
[[policies]]
name = "total"
breakers = [{limit = 3}, {limit = "10%", of = "judged", after_judged = 10, then = "abort"}]
"#;

fn folder() -> Folder {
    Folder::with(&[("s.toml", SCENARIO), ("named.toml", &format!("{SCENARIO}{CANARY}")), ("p.toml", TOTAL)])
}

/// Runs what must succeed; what it prints.
fn done(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.command("").args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output.stderr));
    said(&output.stdout)
}

/// Runs what must fail as a wrong input; what it says.
fn wrong(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.command("").args(arguments).output().expect("it runs");
    let stderr = said(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What a command of a report prints as its report.
fn again(folder: &Folder, command: &Value) -> Value {
    let command = command.as_str().expect("a command");
    let words: Vec<&str> = command.splitn(3, ' ').collect();
    let shell = format!("{} {} -q --report - {}", env!("CARGO_BIN_EXE_dryroll"), words[1], words[2]);
    let output = Command::new("sh").current_dir(folder.path(".")).args(["-c", &shell]).output().expect("it runs");
    assert!(output.status.success(), "{command}: {}", said(&output.stderr));
    json_of(&said(&output.stdout))
}

/// A sweep, with all of its replays held against it.
fn swept(folder: &Folder, arguments: &[&str]) -> Value {
    let all = [&["sweep", "-q", "--report", "-", "--replicates", "40"], arguments].concat();
    let report = json_of(&done(folder, &all));
    assert_eq!(again(folder, &report["command"]), report, "the sweep's own command");
    for cell in report["cells"].as_array().expect("cells") {
        let worst = &cell["worst"][0];
        let run = again(folder, &worst["command"]);
        let found = &run["metrics"][worst["metric"].as_str().expect("a metric")];
        assert_eq!(found.as_f64(), worst["value"].as_f64(), "{worst}");
    }
    report
}

fn column<'a>(report: &'a Value, key: &str) -> Vec<&'a Value> {
    report["cells"].as_array().expect("cells").iter().map(|cell| &cell["policy"][key]).collect()
}

#[test]
fn lists_and_tables_are_values_of_an_axis() {
    let folder = folder();
    let batches = r#"rollout.batches=[1,"5%","25%"],["20%"]"#;
    let report = swept(&folder, &["s.toml", "--set", batches, "--set", "rollout.max_in_flight=none,3"]);
    assert_eq!(report["axes"][0], json!({"key": "batches", "values": [[1, "5%", "25%"], ["20%"]]}));
    assert_eq!(report["axes"][1]["values"], json!([null, 3]));
    assert_eq!(report["cells"].as_array().map(Vec::len), Some(4));
    // Sizes of 20 % are those of the file, so the cell is that of a sweep without the axis.
    let plain = swept(&folder, &["s.toml"]);
    assert_eq!(report["cells"][2]["metrics"], plain["cells"][0]["metrics"]);

    let table = done(&folder, &["sweep", "s.toml", "--replicates", "20", "--set", batches]);
    assert!(table.contains("varied: batches 1 5% 25%, 20%"), "{table}");
    let rules = r#"rollout.breakers=[{limit=3}],[{limit="10%",of="judged",after_judged=5}],none"#;
    done(&folder, &["sweep", "s.toml", "--replicates", "20", "-q", "--set", rules, "--cells", "c.csv"]);
    let csv = folder.read("c.csv");
    let (header, rows) = csv.split_once('\n').expect("a header");
    assert!(header.contains("breakers"), "{header}");
    let widths: Vec<usize> = rows.lines().map(|row| row.split(',').count()).collect();
    assert!(widths.iter().all(|&width| width == header.split(',').count()), "{csv}");
    assert!(rows.contains("after_judged 5") && rows.contains("limit 3"), "{rows}");
    swept(&folder, &["s.toml", "--set", "rollout.silent_after_sec=90", "--set", "rollout.max_unavailable=none,3,25%"]);
    swept(&folder, &["s.toml", "--set", "rollout.growth={factor=2},{add=1,on_failed=\"shrink\"}"]);
}

#[test]
fn the_fleet_and_the_rates_are_axes() {
    let folder = folder();
    let set = ["--set", "fleet.instances=10,40", "--set", "versions.v-2.failure_rate=0,0.5"];
    let report = swept(&folder, &[&["s.toml"][..], &set].concat());
    assert_eq!(column(&report, "fleet.instances"), [&json!(10), &json!(10), &json!(40), &json!(40)]);
    let trips: Vec<&Value> =
        report["cells"].as_array().unwrap().iter().map(|cell| &cell["metrics"]["trip_rate"]["rate"]).collect();
    assert_eq!((trips[0], trips[2]), (&json!(0.0), &json!(0.0)), "nothing fails");
    assert!(trips[1].as_f64() > Some(0.5) && trips[3].as_f64() > Some(0.5), "{trips:?}");
    let plan = json_of(&done(&folder, &["plan", "s.toml", "-q", "--set", "fleet.instances=7"]));
    assert_eq!(plan["total_instances"], 7);
    let run = ["run", "s.toml", "-q", "--report", "-", "--set", "versions.v-2.failure_rate=1"];
    let run = json_of(&done(&folder, &run));
    assert_eq!(run["metrics"]["outcome"], "aborted");
    assert_eq!(again(&folder, &run["command"]), run);
    let compared = ["compare", "s.toml", "-q", "--replicates", "40", "--report", "-", "--policy", "", "--policy"];
    let compared = json_of(&done(&folder, &[&compared[..], &["batches=[1,5],versions.v-2.failure_rate=0"]].concat()));
    assert_eq!(compared["policies"][1]["batches"], json!([1, 5]));
    assert_eq!(again(&folder, &compared["command"]), compared);
}

#[test]
fn named_policies_are_rows() {
    let folder = folder();
    let policies = ["named.toml", "--policies", "p.toml", "--set", "fleet.instances=20,40"];
    let report = swept(&folder, &policies);
    assert_eq!(report["policies"], json!(["canary, then 5%", "total"]));
    let names = [Value::Null, Value::Null, json!("canary, then 5%"), json!("canary, then 5%"), json!("total")];
    assert_eq!(column(&report, "policy")[..5], names.iter().collect::<Vec<_>>());
    assert_eq!(report["cells"].as_array().map(Vec::len), Some(6));
    let table = done(&folder, &["sweep", "named.toml", "--replicates", "20"]);
    assert!(table.contains("canary, then 5%"), "{table}");
    folder.write("r.json", &report.to_string());
    done(&folder, &["report", "r.json", "--output", "page"]);

    // A comparison takes names too, and without any policy those that there are.
    let compare = ["compare", "named.toml", "-q", "--replicates", "40", "--report", "-"];
    let both = json_of(&done(&folder, &compare));
    assert_eq!((&both["policies"][0]["policy"], &both["policies"][1]["policy"]), (&Value::Null, &names[2]));
    let changed = ["--policies", "p.toml", "--policy", "\"canary, then 5%\",bake_sec=5", "--policy", "total"];
    let changed = json_of(&done(&folder, &[&compare[..], &changed].concat()));
    assert_eq!(changed["policies"][0]["bake_sec"], 5);
    assert_eq!(again(&folder, &changed["command"]), changed);
    let replicate = &changed["comparisons"][0]["worlds"][0];
    for (side, command) in ["a", "b"].iter().zip(replicate["commands"].as_array().expect("commands")) {
        let run = again(&folder, command);
        let found = &run["metrics"][replicate["metric"].as_str().unwrap()];
        assert_eq!(found.as_f64(), replicate[side].as_f64(), "{command}");
    }

    let run = ["run", "named.toml", "-q", "--report", "-", "--policy", "canary, then 5%"];
    let run = json_of(&done(&folder, &run));
    assert_eq!(run["policy"]["batches"], json!([1, "5%", "25%"]));
    assert_eq!(again(&folder, &run["command"]), run);
}

#[test]
fn a_check_judges_the_rules_with_each_policy() {
    let folder = folder();
    let rule = "[[expect]]\nmetric = \"exposed_instances\"\nequals = 40\nreplicate = 0\n";
    // The first failure of replicate 0 stops it.
    let strict = "[[policies]]\nname = \"strict\"\nmax_consecutive_failures = 1\n";
    folder.write("c.toml", &format!("{SCENARIO}{strict}{rule}"));
    folder.write("one.toml", strict);
    folder.write("o.toml", &format!("{SCENARIO}{rule}"));
    let listed = done(&folder, &["check", "c.toml", "--list"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains("c.toml: v-2 with strict: "), "{listed}");
    for arguments in [&["c.toml"][..], &["o.toml", "--policies", "one.toml"]] {
        let output = folder.command("check --report r.json --junit j.xml").args(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{}", said(&output.stderr));
        let rules = &folder.report("r.json")["scenarios"][0]["rules"];
        assert_eq!((&rules[0]["status"], rules[0].get("policy")), (&json!("passed"), None));
        assert_eq!((&rules[1]["status"], &rules[1]["policy"]), (&json!("failed"), &json!("strict")));
        assert!(folder.read("j.xml").contains("v-2 with strict"));
        let replay = &rules[1]["replay"];
        let exposed = &again(&folder, replay)["metrics"]["exposed_instances"];
        assert_eq!(exposed.as_f64(), rules[1]["observed"].as_f64(), "{replay}");
    }
    let only = done(&folder, &["check", "c.toml", "--list", "--filter", "with strict"]);
    assert_eq!(only.lines().count(), 1, "{only}");
}

#[test]
fn a_plan_has_its_batches_its_bakes_and_its_rules() {
    let folder = folder();
    let plain = json_of(&done(&folder, &["plan", "s.toml", "-q"]));
    assert_eq!(plain["estimated_total_seconds"], 1000);
    assert_eq!(plain.get("estimated_likely_seconds"), None);
    assert_eq!(plain["circuit_breaker"], json!({"max_consecutive_failures": 2}));
    let canary = json_of(&done(&folder, &["plan", "named.toml", "-q", "--policy", "canary, then 5%"]));
    let sizes: Vec<usize> = canary["batches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|batch| batch["instance_ids"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [1, 2, 10, 10, 10, 7]);
    assert_eq!((&canary["batch_size"], &canary["batch_count"]), (&json!(10), &json!(6)));
    assert_eq!(canary["estimated_total_seconds"], 6 * 200 + 60);
    // 45 s and half of 30 s are a minute: a tick a batch, and one more minute of bake.
    assert_eq!(canary["estimated_likely_seconds"], 7 * 60);
    let total = json_of(&done(&folder, &["plan", "s.toml", "-q", "--policies", "p.toml", "--policy", "total"]));
    assert_eq!(total["circuit_breaker"]["max_consecutive_failures"], Value::Null);
    assert_eq!(total["circuit_breaker"]["rules"][0], json!({"limit": 3}));
}

#[test]
fn every_key_of_a_plan_is_explained() {
    let folder = folder();
    let explained = |arguments: &[&str]| {
        let all = [&["plan", "named.toml", "--explain"], arguments].concat();
        let table = done(&folder, &all);
        move |key: &str| {
            let row = table.lines().find(|line| line.split_whitespace().next() == Some(key));
            row.unwrap_or_else(|| panic!("{key}: {table}")).split_whitespace().collect::<Vec<_>>().join(" ")
        }
    };
    let own = explained(&[]);
    assert_eq!(own("batch_pct"), "batch_pct 20 default");
    assert_eq!(own("batches"), "batches 20% as batch_pct");
    assert_eq!(own("health_timeout_sec"), "health_timeout_sec 200 named.toml:13");
    assert_eq!(own("target_version_id"), "target_version_id v-2 named.toml:12");
    assert_eq!(own("rollback_health_timeout_sec"), "rollback_health_timeout_sec 200 as health_timeout_sec");
    let canary = explained(&["--policy", "canary, then 5%", "--set", "rollout.retries=2", "--version", "v-2"]);
    assert_eq!(canary("batches"), "batches 1 5% 25% policy canary, then 5%");
    assert_eq!(canary("batch_pct"), "batch_pct – as batches");
    assert_eq!(canary("retries"), "retries 2 --set");
    assert_eq!(canary("target_version_id"), "target_version_id v-2 --version");
    let total = explained(&["--policies", "p.toml", "--policy", "total"]);
    assert_eq!(total("max_consecutive_failures"), "max_consecutive_failures – none, since breakers is given");
    let set = explained(&["--policy", "canary, then 5%", "--set", "batch_pct=10"]);
    assert_eq!(set("batches"), "batches 10% replaced by batch_pct");
}

#[test]
fn wrong_axes_and_policies_are_named() {
    let folder = folder();
    folder.write("twice.toml", CANARY);
    folder.write("bad.toml", "[[policies]]\nname = \"x\"\nbatches = [0]\n");
    folder.write("other.toml", SCENARIO);
    for (arguments, says) in [
        (&["sweep", "s.toml", "--set", "rollout.batches=[1,2"][..], "without its other half"),
        (&["sweep", "s.toml", "--set", "rollout.batches=[1],[1]"], "in the list twice"),
        (&["sweep", "s.toml", "--set", "rollout.batches=[\"20%\"],[\"20.0%\"]"], "in two ways of writing it"),
        (&["sweep", "s.toml", "--set", "rollout.batches=[1,\"500%\"]"], "500%"),
        (&["sweep", "s.toml", "--set", "rollout.max_unavailable=3"], "silent_after_sec"),
        (&["sweep", "s.toml", "--set", "fleet.zones=3"], "fleet.instances"),
        (&["sweep", "s.toml", "--set", "fleet.instances=0"], "1 to 100000000"),
        (&["sweep", "s.toml", "--set", "versions.v-3.failure_rate=0.1"], "no version is called `v-3`"),
        (&["sweep", "s.toml", "--set", "versions.v-2.failure_rate=2"], "0 to 1"),
        (&["sweep", "named.toml", "--policies", "twice.toml"], "another name"),
        (&["sweep", "s.toml", "--policies", "bad.toml"], "bad.toml"),
        (&["sweep", "s.toml", "--policies", "other.toml"], "other.toml"),
        (&["sweep", "s.toml", "--policies", "none.toml"], "none.toml"),
        (&["sweep", "s.toml", "--policies", "-"], "give a file"),
        (&["run", "s.toml", "--policy", "canary"], "[[policies]]"),
        (&["plan", "named.toml", "--policy", "canary"], "allowed: canary, then 5%"),
        (&["plan", "s.toml", "--set", "rollout.batches=[1],[2]"], "one value"),
        (&["compare", "s.toml"], "--policy A --policy B"),
        (&["compare", "named.toml", "--policy", "canary", "--policy", ""], "allowed: canary, then 5%"),
        (&["compare", "s.toml", "--policy", "canary", "--policy", ""], "KEY=VALUE"),
    ] {
        let said = wrong(&folder, arguments);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}

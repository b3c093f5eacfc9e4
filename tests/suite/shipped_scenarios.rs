//! The shipped scenarios: each satisfies its schema, says first what it teaches, and runs as recorded in
//! `tests/golden`. `UPDATE_GOLDEN=1 cargo test --test suite shipped_scenarios::` records them anew; read the
//! difference.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dryroll::report::events::chronicle::Chronicle;
use dryroll::report::events::log::EventLog;
use dryroll::report::model::run::RunReport;
use dryroll::scenario::{Scenario, schema};
use dryroll::sim::{CompiledScenario, FaultEffect, Simulator};
use serde_json::Value;

/// Up to this many instances the whole event log is recorded; of a larger fleet the run report without its ids.
const READABLE_FLEET: u32 = 200;
/// Up to this many instances a run is cheap enough to be run more than once.
const CHEAP_FLEET: u32 = 10_000;
/// How many lines a difference is shown with, before and after.
const NEIGHBOURS: usize = 3;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Every scenario that ships, in the order of the names; the drills are apart.
fn shipped() -> Vec<PathBuf> {
    let mut paths = files("scenarios");
    paths.retain(|path| path != &folder("scenarios/drills"));
    assert!(paths.len() > 20, "only {} scenarios", paths.len());
    for path in &paths {
        let extension = path.extension().and_then(|extension| extension.to_str());
        assert!(matches!(extension, Some("toml" | "json")), "{} is no scenario", path.display());
    }
    paths
}

/// Every drill that ships.
fn drills() -> Vec<PathBuf> {
    files("scenarios/drills")
}

fn files(of: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(of)).expect("the scenarios");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn load(path: &Path) -> Scenario {
    Scenario::load(path).unwrap_or_else(|error| panic!("{error}"))
}

/// A run: its event log, or for a fleet that is too large for one its report, and what the faults did.
struct Run {
    text: String,
    faults: Vec<FaultEffect>,
}

impl Run {
    fn of(scenario: &Scenario, compiled: &CompiledScenario, simulator: &mut Simulator<'_>) -> Run {
        if compiled.total() > READABLE_FLEET {
            Self::reported(scenario, simulator)
        } else {
            Self::logged(scenario, simulator)
        }
    }

    fn logged(scenario: &Scenario, simulator: &mut Simulator<'_>) -> Run {
        let mut log = EventLog::new(scenario, Vec::new());
        simulator.run(0, &mut log);
        let bytes = log.into_inner().expect("memory takes everything");
        Run { text: String::from_utf8(bytes).expect("JSON is UTF-8"), faults: simulator.fault_effects() }
    }

    fn reported(scenario: &Scenario, simulator: &mut Simulator<'_>) -> Run {
        let mut chronicle = Chronicle::default();
        let metrics = simulator.run(0, &mut chronicle);
        let faults = simulator.fault_effects();
        let report = RunReport::new(scenario, simulator, &chronicle, &metrics, &faults);
        let mut report = serde_json::to_value(&report).expect("a report is JSON");
        // The batches are printed twice, and a comment in the scenario does not change the run.
        report["plan"]["batches"].take();
        report["scenario"]["hash"].take();
        let mut text = serde_json::to_string_pretty(&report).expect("JSON");
        text.push('\n');
        Run { text, faults }
    }
}

/// Where the run of a scenario is recorded: the two languages of one scenario share a record.
fn golden(path: &Path, scenario: &Scenario) -> PathBuf {
    let stem = path.file_stem().expect("a name").to_str().expect("UTF-8");
    let what = if scenario.fleet.instances > READABLE_FLEET { "report.json" } else { "events.ndjson" };
    folder("tests/golden").join(format!("{stem}.{what}"))
}

/// Where two texts differ first, with the lines around it; `None` where they are the same.
fn first_difference(recorded: &str, now: &str) -> Option<String> {
    if recorded == now {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (recorded.lines().collect(), now.lines().collect());
    let at = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let line = |lines: &[&str]| lines.get(at).map_or("(the end)".to_owned(), |line| (*line).to_owned());
    let mut shown = format!("line {}, {} lines recorded, {} now\n", at + 1, old.len(), new.len());
    for same in &new[at.saturating_sub(NEIGHBOURS)..at] {
        shown.push_str(&format!("    {same}\n"));
    }
    shown.push_str(&format!("  - {}\n  + {}\n", line(&old), line(&new)));
    for later in new.iter().skip(at + 1).take(NEIGHBOURS) {
        shown.push_str(&format!("    {later}\n"));
    }
    Some(shown)
}

#[test]
fn every_scenario_runs_as_recorded() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1");
    let mut records = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in shipped() {
        let scenario = load(&path);
        let compiled = CompiledScenario::new(&scenario).expect("the platform accepts it");
        let run = Run::of(&scenario, &compiled, &mut Simulator::new(&compiled));
        let golden = golden(&path, &scenario);
        if update && !records.contains(&golden) {
            fs::write(&golden, &run.text).expect("a record is written");
        }
        match fs::read_to_string(&golden) {
            Ok(recorded) => {
                let difference = first_difference(&recorded, &run.text);
                wrong.extend(difference.map(|shown| format!("{} and {}: {shown}", path.display(), golden.display())));
            }
            Err(error) => wrong.push(format!("{} is not recorded: {}: {error}", path.display(), golden.display())),
        }
        records.insert(golden);
    }
    for entry in fs::read_dir(folder("tests/golden")).expect("the records") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ours = name.ends_with(".events.ndjson") || name.ends_with(".report.json");
        if ours && !records.contains(&path) {
            wrong.push(format!("{} records no scenario", path.display()));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 records what is meant\n{}", wrong.join("\n"));
}

#[test]
fn the_same_bytes_twice() {
    for path in shipped().into_iter().chain(drills()) {
        let scenario = load(&path);
        if scenario.fleet.instances > CHEAP_FLEET {
            continue;
        }
        let compiled = CompiledScenario::new(&scenario).expect("the platform accepts it");
        let first = Run::of(&scenario, &compiled, &mut Simulator::new(&compiled));
        let mut simulator = Simulator::new(&compiled);
        // A replicate in between must leave no state behind.
        simulator.run(1, &mut dryroll::sim::Unobserved);
        let second = Run::of(&scenario, &compiled, &mut simulator);
        if let Some(shown) = first_difference(&first.text, &second.text) {
            panic!("{}: {shown}", path.display());
        }
        assert_eq!(first.faults, second.faults, "{}", path.display());
    }
}

#[test]
fn no_fault_touches_nothing() {
    let mut faults = 0;
    for path in shipped().into_iter().chain(drills()) {
        let scenario = load(&path);
        if scenario.faults.is_empty() {
            continue;
        }
        let compiled = CompiledScenario::new(&scenario).expect("the platform accepts it");
        let run = Run::of(&scenario, &compiled, &mut Simulator::new(&compiled));
        for (i, fault) in run.faults.iter().enumerate() {
            assert!(fault.touched, "{}: fault {i}, {}, touched nothing", path.display(), fault.kind);
            faults += 1;
        }
    }
    assert!(faults > 5, "only {faults} faults");
}

#[test]
fn toml_and_json_tell_the_same_scenario() {
    let run = |name: &str| {
        let scenario = load(&folder("scenarios").join(name));
        let compiled = CompiledScenario::new(&scenario).expect("the platform accepts it");
        let text = Run::logged(&scenario, &mut Simulator::new(&compiled)).text;
        (Scenario { hash: String::new(), ..scenario }, text)
    };
    let (toml, json) = (run("tutorial.toml"), run("tutorial.json"));
    assert_eq!(toml.0, json.0);
    assert_eq!(first_difference(&toml.1, &json.1), None);
}

/// By a validator that is not ours, so that editors and the program agree on what a scenario is.
#[test]
fn every_scenario_satisfies_the_schema() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    for path in shipped().into_iter().chain(drills()) {
        let text = fs::read_to_string(&path).expect("a scenario");
        let value: Value = if path.extension().is_some_and(|extension| extension == "json") {
            serde_json::from_str(&text).expect("JSON")
        } else {
            let table: toml::Table = text.parse().expect("TOML");
            serde_json::to_value(table).expect("TOML without dates is JSON")
        };
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}\n{}", path.display(), errors.join("\n"));
    }
}

/// JSON has no comments; every other scenario opens with three to eight lines on what it teaches. A drill teaches by
/// being played: its lines set the scene, and its lesson stands in `[drill]`.
#[test]
fn every_scenario_says_first_what_it_teaches() {
    let mut names = BTreeSet::new();
    let drills = drills();
    for path in shipped().iter().chain(&drills) {
        if path.extension().is_some_and(|extension| extension == "json") {
            continue;
        }
        let is_drill = drills.contains(path);
        let text = fs::read_to_string(path).expect("a scenario");
        let opening: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# ")).collect();
        assert!((3..=8).contains(&opening.len()), "{}: {} lines of comment first", path.display(), opening.len());
        let wanted = if is_drill { "told in the debrief" } else { "Look for" };
        assert!(opening.join(" ").contains(wanted), "{}: does not say {wanted:?}", path.display());
        let scenario = load(path);
        assert_eq!(scenario.drill.is_some(), is_drill, "{}: a lesson belongs to a drill", path.display());
        assert!(names.insert(scenario.name), "{}: another scenario has its name", path.display());
    }
}

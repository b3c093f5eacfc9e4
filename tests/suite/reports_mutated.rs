//! Every number and every word of a report is held against something: set to what cannot be, it is refused. What
//! nothing contradicts is listed here, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::reports_checked::{of_each, pointer, read};

/// Leaves of which a mutant may pass: the end of a place without the numbers in it, the mutants, and why.
const FREE: [(&str, &[Mutant], &str); 42] = [
    (".name", &[Flying], "a name that somebody gave"),
    (".module", &[Flying], "a name that somebody gave"),
    (".fleet", &[Flying], "a name that somebody gave"),
    (".file", &[Flying], "a name that somebody gave"),
    (".path", &[Flying], "a name that somebody gave"),
    ("logs.*", &[Flying], "a name that somebody gave"),
    (".says", &[Flying], "words for people"),
    (".why", &[Flying], "words for people"),
    (".text", &[Flying], "words for people"),
    (".about", &[Flying], "words for people"),
    (".limit", &[Flying], "words for people"),
    (".parameters", &[Flying], "words for people"),
    (".rule", &[Flying], "words for people"),
    (".gives_up", &[Flying], "words for people"),
    (".binding", &[Flying], "words for people"),
    (".hints_say", &[Flying], "words for people"),
    (".best_says", &[Flying], "words for people"),
    (".interval_says", &[Flying], "words for people"),
    (".observed_says", &[Flying], "words for people"),
    (".message", &[Flying], "words for people"),
    (".change", &[Flying], "words for people"),
    ("rules.*.worlds", &[Flying], "words for people"),
    ("facts.*", &[Flying], "words for people"),
    ("why_not.approval_wait_sec", &[Flying], "words for people"),
    ("why_not.duration_sec", &[Flying], "words for people"),
    ("why_not.rollout_sec", &[Flying], "words for people"),
    (".command", &[Flying], "a command that names no version, seed or replicate contradicts none"),
    (".commands.*", &[Flying], "the same of two"),
    (".ci.*", &[Below], "Student's interval of a mean may begin below what one value can be"),
    (".simultaneous_ci.*", &[Below], "the same of a difference"),
    ("rules.*.interval.*", &[Below], "the same of a rule"),
    ("distributions.*.low", &[Below], "a difference may be below 0"),
    ("scenarios.*.seed", &[Beyond], "a seed is any number"),
    ("check.max_replicates", &[Beyond], "no other figure bounds what is allowed at most"),
    ("check.rollouts", &[Beyond], "no other figure bounds the work that was done"),
    ("tune.rollouts", &[Beyond], "the same of a search"),
    ("calibration.rollouts", &[Beyond], "rollouts in which nothing was commanded count too"),
    ("calibration.versions.*.version", &[Flying], "a calibration is of no scenario that says which versions there are"),
    ("operator.edited", &[Beyond], "nothing else counts the operator's answers"),
    ("operator.on_trip.*.count", &[Beyond], "nothing else counts the operator's answers"),
    ("operator.approval_delay.censored", &[Beyond], "nothing else counts the operator's answers"),
    ("operator.decision_delay.censored", &[Beyond], "nothing else counts the operator's answers"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mutant {
    /// -1
    Below,
    /// 10^15
    Beyond,
    /// A word that no list of words has.
    Flying,
}

use Mutant::{Below, Beyond, Flying};

/// What a leaf is set to.
fn mutants(leaf: &Value) -> Vec<(Mutant, Value)> {
    match leaf {
        Value::Number(_) => {
            vec![(Below, json!(-1)), (Beyond, json!(1e15)), (Beyond, json!(1_000_000_000_000_000_u64))]
        }
        Value::String(_) => vec![(Flying, json!("flying"))],
        _ => Vec::new(),
    }
}

fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut step = |name: String, below: &Value| {
        path.push(name);
        leaves(below, path, found);
        path.pop();
    };
    match value {
        // The first two of a list stand for all.
        Value::Array(items) => items.iter().enumerate().take(2).for_each(|(i, item)| step(i.to_string(), item)),
        Value::Object(object) => object.iter().for_each(|(key, item)| step(key.clone(), item)),
        Value::Number(_) | Value::String(_) => found.push(path.clone()),
        Value::Bool(_) | Value::Null => {}
    }
}

/// A place, with `*` for the numbers of lists.
fn general(schema: &str, path: &[String]) -> String {
    let steps = path.iter().map(|step| if step.parse::<usize>().is_ok() { "*" } else { step.as_str() });
    format!("{} {}", schema.trim_start_matches("dryroll.").trim_end_matches("/1"), steps.collect::<Vec<_>>().join("."))
}

#[test]
fn no_leaf_can_be_what_cannot_be() {
    let mut passed: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    for report in of_each() {
        let schema = report["schema"].as_str().expect("a schema").to_owned();
        read(&report).unwrap_or_else(|error| panic!("{schema}: {error}"));
        let mut all = Vec::new();
        leaves(&report, &mut Vec::new(), &mut all);
        for path in all {
            let at = pointer(&path);
            let leaf = report.pointer(&at).expect("the leaf").clone();
            for (mutant, value) in mutants(&leaf) {
                let mut mutated = report.clone();
                *mutated.pointer_mut(&at).expect("the leaf") = value.clone();
                *tried.entry(schema.clone()).or_default() += 1;
                if read(&mutated).is_ok() {
                    let place = general(&schema, &path);
                    let dotted = place.replace(' ', ".");
                    match FREE.iter().position(|(end, free, _)| free.contains(&mutant) && dotted.ends_with(end)) {
                        Some(known) => drop(used.insert(known)),
                        None => drop(passed.insert((place, format!("{mutant:?}")), format!("{leaf} -> {value}"))),
                    }
                }
            }
        }
    }
    println!("mutants: {tried:?}");
    let passed: Vec<String> = passed.iter().map(|((place, mutant), was)| format!("{place} {mutant}: {was}")).collect();
    assert!(passed.is_empty(), "{} pass:\n{}", passed.len(), passed.join("\n"));
    let unused: Vec<&str> = (0..FREE.len()).filter(|place| !used.contains(place)).map(|place| FREE[place].0).collect();
    assert!(unused.is_empty(), "these are held by now, and need no place in the list: {unused:?}");
    assert!(tried.len() == 7 && tried.values().all(|&count| count > 50), "{tried:?}");
}

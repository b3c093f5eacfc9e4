//! What the parts of one report say of each other, schema by schema.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::checked::range::Range;
use crate::checked::{Reader, alike, domain, list, rollout, whole};
use dryroll_engine::Outcome;

/// Holds a whole report against itself.
pub fn check(reader: &mut Reader, schema: &str, report: &Value) {
    by_its_command(reader, report);
    match schema {
        "dryroll.run/1" => rollout::run(reader, report),
        "dryroll.drill/1" => rollout::drill(reader, report),
        "dryroll.sweep/1" => sweep(reader, report),
        "dryroll.compare/1" => compare(reader, report),
        "dryroll.tune/1" => {
            unique(reader, "/candidates", list(report, "candidates"), &["policy"]);
            unique(reader, "/front", list(report, "front"), &["policy"]);
            at_most_replicates(reader, report);
            let got = list(report, "candidates").iter().filter_map(|one| one.pointer("/evidence/replicates"));
            replicates_are(reader, report, got.filter_map(whole).max(), "the most that a candidate got");
            for (place, hint) in list(report, "hints").iter().enumerate() {
                reader.below("hints", |reader| reader.below(place, |reader| of_hint(reader, hint)));
            }
        }
        "dryroll.calibration/1" => calibration(reader, report),
        "dryroll.check/1" => {
            let rules = list(report, "scenarios").iter().flat_map(|one| list(one, "rules"));
            let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
            rules
                .filter_map(|rule| rule.get("status")?.as_str())
                .for_each(|status| *seen.entry(status).or_default() += 1);
            for status in ["passed", "failed", "undecided", "skipped"] {
                let due = seen.get(status).copied().unwrap_or(0);
                if let Some(said) = report["counts"].get(status).and_then(whole).filter(|&said| said != due) {
                    reader.fault(&format!("/counts/{status}"), said, format!("{due}, as many rules have that status"));
                }
            }
            let most = report.get("max_replicates").and_then(whole);
            for (place, scenario) in list(report, "scenarios").iter().enumerate() {
                for (at, rule) in list(scenario, "rules").iter().enumerate() {
                    let n = rule.get("n").and_then(whole).zip(most).filter(|(n, most)| n > most);
                    if let Some((n, most)) = n {
                        let allowed = format!("at most max_replicates, which is {most}");
                        reader.fault(&format!("/scenarios/{place}/rules/{at}/n"), n, allowed);
                    }
                }
            }
        }
        _ => {}
    }
}

/// A word of a command line after an option; `None` where it is quoted.
fn option<'a>(command: &'a str, name: &str) -> Option<&'a str> {
    let mut words = command.split(' ');
    words.find(|word| *word == name)?;
    let value = words.next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    (!value.is_empty() && value.chars().all(plain)).then_some(value)
}

/// The command that makes a report again is about its own version, seed and replicate.
fn by_its_command(reader: &mut Reader, report: &Value) {
    let Some(command) = report.get("command").and_then(Value::as_str) else { return };
    // Somebody's file name may hold anything.
    if command.contains(['\'', '"', '\\', '$']) {
        return;
    }
    for key in ["version", "seed", "replicate"] {
        let own = match report.get(key) {
            Some(Value::String(own)) => own.clone(),
            Some(number @ Value::Number(_)) => number.to_string(),
            _ => continue,
        };
        if let Some(named) = option(command, &format!("--{key}")).filter(|&named| named != own) {
            reader.fault(&format!("/{key}"), own, format!("{named}, which is that of its command"));
        }
    }
}

/// A hint says of each version by how much of it is tripped, and how much of the fleet is exposed by then.
fn of_hint(reader: &mut Reader, hint: &Value) {
    let domains = [domain::versions(&reader.scope), Range::SHARE.into(), Range::PERCENT.into()];
    for (place, version) in list(hint, "versions").iter().enumerate() {
        for (part, domain) in domains.iter().enumerate() {
            let Some(value) = version.get(part) else { continue };
            let steps = ["versions".to_owned(), place.to_string(), part.to_string()];
            let [versions, place, part] = steps;
            reader.below(versions, |reader| {
                reader.below(place, |reader| reader.below(part, |reader| reader.value(value, domain)));
            });
        }
    }
}

/// The replicates of a whole report are those of its part that has most.
fn replicates_are(reader: &mut Reader, report: &Value, due: Option<u64>, which: &str) {
    let pair = report.get("replicates").and_then(whole).zip(due).filter(|(found, due)| found != due);
    if let Some((found, due)) = pair {
        reader.fault("/replicates", found, format!("{due}, {which}"));
    }
}

/// That no two of a list are about the same.
pub fn unique(reader: &mut Reader, at: &str, items: &[Value], keys: &[&str]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        let key: Vec<String> =
            keys.iter().map(|key| item.get(*key).map(Value::to_string).unwrap_or_default()).collect();
        if let Some(first) = seen.insert(key.join(" "), place) {
            let allowed = format!("one that {at}/{first} is not: each {} once", keys.join(" and "));
            reader.fault(&format!("{at}/{place}"), "there a second time", allowed);
        }
    }
}

/// No count of replicates in a part is above that of the whole.
fn at_most_replicates(reader: &mut Reader, report: &Value) {
    let Some(most) = report.get("replicates").and_then(whole) else { return };
    let mut found = Vec::new();
    counts(report, &mut String::new(), &mut found);
    for (place, n) in found {
        if place.ends_with("/replicate") {
            if n >= most {
                reader.fault(&place, n, format!("a replicate: below replicates, which is {most}"));
            }
        } else if n > most {
            reader.fault(&place, n, format!("at most replicates, which is {most}"));
        }
    }
}

fn counts(value: &Value, at: &mut String, found: &mut Vec<(String, u64)>) {
    let length = at.len();
    let mut step = |name: &str, below: &Value, found: &mut Vec<(String, u64)>| {
        at.push('/');
        at.push_str(name);
        match whole(below) {
            Some(n) if ["n", "replicates", "replicate"].contains(&name) => found.push((at.clone(), n)),
            _ => counts(below, at, found),
        }
        at.truncate(length);
    };
    match value {
        // What draws replicates of its own: importance sampling, other failure rates, and a history.
        Value::Object(object) => {
            let own = |key: &str| ["rare", "sensitivity", "posterior"].contains(&key);
            object.iter().filter(|(key, _)| !own(key)).for_each(|(key, below)| step(key, below, found));
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(i, below)| step(&i.to_string(), below, found)),
        _ => {}
    }
}

fn sweep(reader: &mut Reader, report: &Value) {
    let cells = list(report, "cells");
    unique(reader, "/cells", cells, &["policy", "version"]);
    unique(reader, "/axes", list(report, "axes"), &["key"]);
    at_most_replicates(reader, report);
    let most = cells.iter().filter_map(|cell| cell.get("replicates").and_then(whole)).max();
    replicates_are(reader, report, most, "the most of a cell");
    truth_of_versions(reader, "/cells", cells);
    for (place, cell) in cells.iter().enumerate() {
        reader.below("cells", |reader| reader.below(place, |reader| of_cell(reader, report, cell)));
    }
    for (place, one) in list(report, "timelines").iter().enumerate() {
        if let Some(cell) = one.get("cell").and_then(whole).filter(|&cell| cell >= cells.len() as u64) {
            reader.fault(&format!("/timelines/{place}/cell"), cell, format!("a cell: below {}", cells.len()));
        }
        let at = format!("/timelines/{place}/timeline");
        if let Some(timeline) = one.get("timeline") {
            rollout::timeline(reader, &at, timeline);
        }
    }
}

/// A version is defective in every part of a report, or in none.
fn truth_of_versions(reader: &mut Reader, at: &str, parts: &[Value]) {
    let mut first: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for (place, part) in parts.iter().enumerate() {
        let told = (part.get("version").and_then(Value::as_str), part.get("defective").and_then(Value::as_bool));
        let (Some(version), Some(defective)) = told else { continue };
        let &mut (before, known) = first.entry(version).or_insert((place, defective));
        if known != defective {
            reader.fault(&format!("{at}/{place}/defective"), defective, format!("{known}, as {at}/{before} has it"));
        }
        // Only good versions are asked whether enough of their rollouts complete.
        if defective && part.get("completed").is_some_and(|completed| !completed.is_null()) {
            reader.fault(&format!("{at}/{place}/completed"), "there", "nothing, as the version is defective");
        }
    }
}

fn of_cell(reader: &mut Reader, report: &Value, cell: &Value) {
    let metrics = &cell["metrics"];
    let number = |value: &Value| value.as_f64();
    if let Some(replicates) = cell.get("replicates").and_then(whole) {
        for metric in metrics.as_object().into_iter().flatten() {
            if let Some(n) = metric.1.get("n").and_then(whole).filter(|&n| n > replicates) {
                let at = format!("/metrics/{}/n", metric.0);
                reader.fault(&at, n, format!("at most the cell's replicates, which are {replicates}"));
            }
        }
        outcomes(reader, metrics, replicates);
    }
    for axis in list(report, "axes") {
        let Some(key) = axis.get("key").and_then(Value::as_str) else { continue };
        // A named policy has values of its own.
        let of_axis = cell["policy"].get("policy").is_none() || key.contains('.');
        let Some(found) = cell["policy"].get(key).filter(|_| of_axis) else { continue };
        let same = |value: &Value| value == found || value.as_f64().is_some_and(|value| found.as_f64() == Some(value));
        let values = list(axis, "values");
        if !values.iter().any(same) {
            let values: Vec<String> = values.iter().map(Value::to_string).collect();
            reader.fault(&format!("/policy/{key}"), found, format!("a value of its axis: {}", values.join(", ")));
        }
    }
    for (place, one) in list(cell, "distributions").iter().enumerate() {
        let Some(figure) = one.get("metric").and_then(Value::as_str).and_then(|metric| metrics.get(metric)) else {
            continue;
        };
        let counted: f64 = list(one, "counts").iter().filter_map(number).sum();
        if let Some(n) = number(&figure["n"]).filter(|&n| n != counted) {
            reader.fault(&format!("/distributions/{place}/counts"), counted, format!("{n} in all, as the metric's n"));
        }
        let [low, width, min, max] = [&one["low"], &one["width"], &figure["min"], &figure["max"]].map(number);
        if let (Some(low), Some(min)) = (low, min)
            && !alike(low, min)
        {
            reader.fault(&format!("/distributions/{place}/low"), low, format!("{min}, the metric's min"));
        }
        let high = low.zip(width).map(|(low, width)| low + width * list(one, "counts").len() as f64);
        if let (Some(high), Some(max), Some(width)) = (high, max, width)
            && !alike(high, max)
        {
            let allowed = format!("cells up to {max}, the metric's max");
            reader.fault(&format!("/distributions/{place}/width"), width, allowed);
        }
    }
    for (place, one) in list(cell, "worst").iter().enumerate() {
        let Some(figure) = one.get("metric").and_then(Value::as_str).and_then(|metric| metrics.get(metric)) else {
            continue;
        };
        let [value, min, max] = [&one["value"], &figure["min"], &figure["max"]].map(number);
        if let (Some(value), Some(min), Some(max)) = (value, min, max)
            && !(min..=max).contains(&value)
        {
            reader.fault(&format!("/worst/{place}/value"), value, format!("{min} to {max}, the metric's min and max"));
        }
    }
    let completed = &cell["completed"];
    for (key, of) in [("value", "completed"), ("trips", "trip_rate")] {
        if let (Some(value), Some(rate)) = (number(&completed[key]), number(&metrics[of]["rate"]))
            && !alike(value, rate)
        {
            reader.fault(&format!("/completed/{key}"), value, format!("{rate}, as metrics has {of}"));
        }
    }
}

/// Each replicate has one outcome.
fn outcomes(reader: &mut Reader, metrics: &Value, replicates: u64) {
    let hits: Option<Vec<u64>> = Outcome::ALL.iter().map(|outcome| whole(&metrics[outcome.name()]["hits"])).collect();
    let Some(hits) = hits else { return };
    let all = hits.iter().fold(0, |all: u64, hits| all.saturating_add(*hits));
    if all != replicates {
        let allowed = format!("outcomes of all replicates, which are {replicates}");
        reader.fault("/metrics", format!("of {all} outcomes"), allowed);
    }
}

fn compare(reader: &mut Reader, report: &Value) {
    let comparisons = list(report, "comparisons");
    unique(reader, "/comparisons", comparisons, &["version"]);
    truth_of_versions(reader, "/comparisons", comparisons);
    for (place, one) in comparisons.iter().enumerate() {
        let metrics = list(one, "metrics");
        unique(reader, &format!("/comparisons/{place}/metrics"), metrics, &["metric"]);
        // Every rollout has a duration.
        let all = metrics.iter().find(|metric| metric["metric"] == "duration_sec");
        replicates_are(reader, report, all.and_then(|metric| metric.get("n")).and_then(whole), "the n of duration_sec");
        for (at, histogram) in list(one, "distributions").iter().enumerate() {
            let of_it = metrics.iter().find(|metric| metric["metric"] == histogram["metric"]);
            let counted: f64 = list(histogram, "counts").iter().filter_map(Value::as_f64).sum();
            if let Some(n) = of_it.and_then(|metric| metric["n"].as_f64()).filter(|&n| n != counted) {
                let at = format!("/comparisons/{place}/distributions/{at}/counts");
                reader.fault(&at, counted, format!("{n} in all, as the metric's n"));
            }
        }
    }
    at_most_replicates(reader, report);
}

fn calibration(reader: &mut Reader, report: &Value) {
    unique(reader, "/versions", list(report, "versions"), &["version"]);
    let all = report.get("rollouts").and_then(whole);
    for (place, version) in list(report, "versions").iter().enumerate() {
        let mut at_most = |at: &str, most: Option<u64>, of: &str| {
            let found = version.pointer(at).and_then(whole).zip(most).filter(|(found, most)| found > most);
            if let Some((found, most)) = found {
                reader.fault(&format!("/versions/{place}{at}"), found, format!("at most {of}, which is {most}"));
            }
        };
        at_most("/rollouts", all, "rollouts");
        let commands = version.get("commands").and_then(whole);
        for at in ["/failure_rate/n", "/hang_rate/n", "/upgrade_time/n", "/upgrade_time/censored"] {
            at_most(at, commands, "commands");
        }
    }
}

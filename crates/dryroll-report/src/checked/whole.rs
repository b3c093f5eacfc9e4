//! What the parts of one report say of each other, schema by schema.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::checked::Reader;

/// Holds a whole report against itself.
pub fn check(reader: &mut Reader, schema: &str, report: &Value) {
    if let Some(hash) = report["scenario"]["hash"].as_str()
        && (hash.len() != 64 || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()))
    {
        reader.fault("/scenario/hash", format!("{hash:?}"), "a SHA-256 in 64 hexadecimal digits");
    }
    match schema {
        "dryroll.run/1" => run(reader, report),
        "dryroll.drill/1" => drill(reader, report),
        "dryroll.sweep/1" => sweep(reader, report),
        "dryroll.compare/1" => {
            unique(reader, "/comparisons", list(report, "comparisons"), &["version"]);
            for (place, one) in list(report, "comparisons").iter().enumerate() {
                unique(reader, &format!("/comparisons/{place}/metrics"), list(one, "metrics"), &["metric"]);
            }
            at_most_replicates(reader, report);
        }
        "dryroll.tune/1" => {
            unique(reader, "/candidates", list(report, "candidates"), &["policy"]);
            unique(reader, "/front", list(report, "front"), &["policy"]);
        }
        "dryroll.calibration/1" => unique(reader, "/versions", list(report, "versions"), &["version"]),
        "dryroll.check/1" => {
            let rules = list(report, "scenarios").iter().flat_map(|one| list(one, "rules"));
            let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
            rules
                .filter_map(|rule| rule.get("status")?.as_str())
                .for_each(|status| *seen.entry(status).or_default() += 1);
            for status in ["passed", "failed", "undecided", "skipped"] {
                let due = seen.get(status).copied().unwrap_or(0);
                if let Some(said) = report["counts"][status].as_u64().filter(|&said| said != due) {
                    reader.fault(&format!("/counts/{status}"), said, format!("{due}, as many rules have that status"));
                }
            }
        }
        _ => {}
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// That no two of a list are about the same.
fn unique(reader: &mut Reader, at: &str, items: &[Value], keys: &[&str]) {
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
    let Some(most) = report.get("replicates").and_then(Value::as_u64) else { return };
    let mut found = Vec::new();
    counts(report, &mut String::new(), &mut found);
    for (place, n) in found.into_iter().filter(|&(_, n)| n > most) {
        reader.fault(&place, n, format!("at most replicates, which is {most}"));
    }
}

fn counts(value: &Value, at: &mut String, found: &mut Vec<(String, u64)>) {
    let length = at.len();
    let mut step = |name: &str, below: &Value, found: &mut Vec<(String, u64)>| {
        at.push('/');
        at.push_str(name);
        match below.as_u64() {
            Some(n) if name == "n" || name == "replicates" => found.push((at.clone(), n)),
            _ => counts(below, at, found),
        }
        at.truncate(length);
    };
    match value {
        // Of importance sampling, which draws its own.
        Value::Object(object) => {
            object.iter().filter(|(key, _)| *key != "rare").for_each(|(key, below)| step(key, below, found));
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
    for (place, cell) in cells.iter().enumerate() {
        let Some(replicates) = cell.get("replicates").and_then(Value::as_u64) else { continue };
        for metric in cell["metrics"].as_object().into_iter().flatten() {
            if let Some(n) = metric.1.get("n").and_then(Value::as_u64).filter(|&n| n > replicates) {
                let at = format!("/cells/{place}/metrics/{}/n", metric.0);
                reader.fault(&at, n, format!("at most the cell's replicates, which are {replicates}"));
            }
        }
    }
    for (place, replicate) in list(report, "timelines").iter().enumerate() {
        if let Some(cell) = replicate.get("cell").and_then(Value::as_u64).filter(|&cell| cell >= cells.len() as u64) {
            reader.fault(&format!("/timelines/{place}/cell"), cell, format!("a cell: below {}", cells.len()));
        }
    }
    timelines(reader, report);
}

/// The instances of a timeline are those that it counts, each once, and what happens to one goes forward.
fn timelines(reader: &mut Reader, report: &Value) {
    let one = report.get("timeline").map(|timeline| ("/timeline".to_owned(), timeline));
    let many = list(report, "timelines").iter().enumerate();
    let many = many.filter_map(|(i, replicate)| Some((format!("/timelines/{i}/timeline"), replicate.get("timeline")?)));
    for (at, timeline) in one.into_iter().chain(many) {
        unique(reader, &format!("{at}/instances"), list(timeline, "instances"), &["id"]);
        for (place, row) in list(timeline, "instances").iter().enumerate() {
            let times: Vec<u64> = list(row, "segments").iter().filter_map(|segment| segment.get(0)?.as_u64()).collect();
            if !times.is_sorted() {
                let at = format!("{at}/instances/{place}/segments");
                reader.fault(&at, "out of order", "times that do not go back");
            }
        }
    }
}

fn run(reader: &mut Reader, report: &Value) {
    let plan = &report["plan"];
    let metrics = &report["metrics"];
    unique(reader, "/plan/batches", list(plan, "batches"), &["index"]);
    unique(reader, "/batches", list(report, "batches"), &["index"]);
    if let Some(total) = plan.get("total_instances").and_then(Value::as_u64) {
        for key in ["exposed_instances", "escaped_instances"] {
            if let Some(found) = metrics.get(key).and_then(Value::as_u64).filter(|&found| found > total) {
                reader.fault(&format!("/metrics/{key}"), found, format!("at most the plan's total_instances, {total}"));
            }
        }
        for (key, of) in [("exposed_pct", "exposed_instances"), ("harmed_pct", "harmed_instances")] {
            let pair = (metrics.get(key).and_then(Value::as_f64), metrics.get(of).and_then(Value::as_f64));
            let (Some(pct), Some(count)) = pair else { continue };
            let due = if total == 0 { 0.0 } else { 100.0 * count / total as f64 };
            if (pct - due).abs() > 0.01 {
                reader.fault(&format!("/metrics/{key}"), pct, format!("{due}: {of} is {count} of {total}"));
            }
        }
        let sizes: Vec<usize> = list(plan, "batches").iter().map(|batch| list(batch, "instance_ids").len()).collect();
        if !sizes.is_empty() && sizes.iter().sum::<usize>() as u64 != total {
            let found = format!("of {} instances", sizes.iter().sum::<usize>());
            reader.fault("/plan/batches", found, format!("as many as total_instances, {total}"));
        }
        let verdicts = |batch: &Value, key: &str| batch.get(key).and_then(Value::as_u64).unwrap_or(0);
        for (place, batch) in list(report, "batches").iter().enumerate() {
            let all = verdicts(batch, "healthy_count").saturating_add(verdicts(batch, "failed_count"));
            if let Some(size) = plan.get("batch_size").and_then(Value::as_u64).filter(|&size| all > size) {
                let found = format!("{all} with failed_count");
                reader.fault(
                    &format!("/batches/{place}/healthy_count"),
                    found,
                    format!("at most the batch_size, {size}"),
                );
            }
        }
    }
    if let (Some(said), Some(trips)) = (metrics.get("trips").and_then(Value::as_u64), report["trips"].as_array())
        && said != trips.len() as u64
    {
        reader.fault("/metrics/trips", said, format!("{}, as many as trips has", trips.len()));
    }
    timelines(reader, report);
}

fn drill(reader: &mut Reader, report: &Value) {
    const DECISIONS: [&str; 6] =
        ["approve", "edit", "reject", "continue_anyway", "rollback_completed_batches", "abort"];
    for (place, made) in list(report, "decisions").iter().enumerate() {
        if let Some(decide) = made.get("decide").and_then(Value::as_str).filter(|decide| !DECISIONS.contains(decide)) {
            let at = format!("/decisions/{place}/decide");
            reader.fault(&at, format!("{decide:?}"), DECISIONS.join(", "));
        }
    }
    if let Some(total) = report["plan"].get("total_instances").and_then(Value::as_u64) {
        let debrief = &report["debrief"];
        for key in ["exposed_instances", "escaped_instances"] {
            if let Some(found) = debrief.get(key).and_then(Value::as_u64).filter(|&found| found > total) {
                reader.fault(&format!("/debrief/{key}"), found, format!("at most the plan's total_instances, {total}"));
            }
        }
    }
    timelines(reader, report);
}

//! What the keys of one object say of each other.

use serde_json::{Map, Value};

use crate::checked::{Reader, alike};
use dryroll_sim::scenario::Bound;
use dryroll_stats::Interval;
use dryroll_study::study::tune::limits::holds;

fn number(object: &Map<String, Value>, key: &str) -> Option<f64> {
    object.get(key)?.as_f64()
}

/// Holds one object against itself.
pub fn check(reader: &mut Reader, object: &Map<String, Value>) {
    let get = |key: &str| number(object, key);
    for (key, value) in object {
        if key == "ci" || key == "claim" || key == "interval" || key.ends_with("_ci") {
            interval(reader, object, key, value);
        }
    }
    if let (Some(hits), Some(n)) = (get("hits"), get("n")) {
        if hits > n {
            reader.fault("/hits", hits, format!("at most n, which is {n}"));
        }
        if let Some(rate) = get("rate").filter(|&rate| n > 0.0 && !alike(rate, hits / n)) {
            reader.fault("/rate", rate, format!("hits / n, which is {}", hits / n));
        }
    }
    sums(reader, object);
    enough(reader, object);
    histogram(reader, object);
    ascending(reader, object, &["min", "p50", "p95", "p99", "max"], &["n"]);
    ascending(reader, object, &["min", "mean", "max"], &["n"]);
    ascending(reader, object, &["p5", "p50", "p95"], &["trip_rate"]);
    ascending(reader, object, &["not_sure_below", "from", "to", "not_sure_above"], &["from", "to"]);
    ascending(reader, object, &["from_ms", "to_ms"], &[]);
    ascending(reader, object, &["started_at_ms", "completed_at_ms"], &[]);
    ascending(reader, object, &["started_at_ms", "ended_at_ms"], &[]);
    ascending(reader, object, &["at_ms", "decided_at_ms"], &[]);
    ascending(reader, object, &["asked_at_ms", "at_ms"], &[]);
    ascending(reader, object, &["asked_at_ms", "decided_at_ms"], &[]);
    ascending(reader, object, &["relapsed_count", "failed_count"], &[]);
    ascending(reader, object, &["relapsed", "healthy"], &[]);
    ascending(reader, object, &["ties", "n"], &[]);
    ascending(reader, object, &["harmed_instances", "total_instances"], &[]);
    ascending(reader, object, &["escaped_instances", "harmed_instances"], &[]);
    ascending(reader, object, &["approval_wait_sec", "duration_sec"], &[]);
    ascending(reader, object, &["time_to_stop_sec", "duration_sec"], &[]);
    ascending(reader, object, &["time_to_mitigate_sec", "duration_sec"], &[]);
    ascending(reader, object, &["time_to_detect_sec", "duration_sec"], &[]);
    if let (Some(a), Some(b), Some(ties), Some(n)) = (get("a_wins"), get("b_wins"), get("ties"), get("n"))
        && a + b + ties != n
    {
        reader.fault("/ties", ties, format!("with a_wins {a} and b_wins {b} as many as n, which is {n}"));
    }
    if let (Some(total), Some(size), Some(count)) = (get("total_instances"), get("batch_size"), get("batch_count")) {
        // The largest batch has this size, each of the others at least one instance.
        let least = if total == 0.0 { 0.0 } else { (total / size.max(1.0)).ceil() };
        let most = if total == 0.0 { 0.0 } else { total - size.max(1.0) + 1.0 };
        if size > total || !(least..=most).contains(&count) {
            let batches = if most > least { format!("{least} to {most}") } else { least.to_string() };
            reader.fault("/batch_count", count, format!("{batches}, of {total} instances in batches of {size}"));
        }
    }
}

/// One number that is made of others: its key, theirs, each with its sign.
const SUMS: [(&str, &[(&str, f64)]); 8] = [
    ("duration_sec", &[("approval_wait_sec", 1.0), ("rollout_sec", 1.0)]),
    ("difference", &[("b", 1.0), ("a", -1.0)]),
    ("exact", &[("exact_b", 1.0), ("exact_a", -1.0)]),
    ("difference", &[("now", 1.0), ("accepted", -1.0)]),
    ("time_to_mitigate_sec", &[("mitigate_person_sec", 1.0), ("mitigate_engine_sec", 1.0)]),
    (
        "cost_instance_min",
        &[("not_serving_instance_min", 1.0), ("put_right_instance_min", 1.0), ("held_up_instance_min", 1.0)],
    ),
    ("took_sec", &[("at_ms", 0.001), ("asked_at_ms", -0.001)]),
    ("commands", &[("healthy", 1.0), ("upgrade_failed", 1.0), ("health_timeout", 1.0), ("cut_short", 1.0)]),
];

fn sums(reader: &mut Reader, object: &Map<String, Value>) {
    for (whole, parts) in SUMS {
        let Some(found) = number(object, whole) else { continue };
        let Some(terms) = parts.iter().map(|(part, sign)| Some(sign * number(object, part)?)).collect() else {
            continue;
        };
        let terms: Vec<f64> = terms;
        let due: f64 = terms.iter().sum();
        let room = 1e-6 * terms.iter().fold(1.0, |most: f64, term| most.max(term.abs()));
        if (found - due).abs() > room {
            let named: Vec<String> = parts
                .iter()
                .map(|(part, sign)| if *sign < 0.0 { format!("less {part}") } else { (*part).to_owned() })
                .collect();
            reader.fault(&format!("/{whole}"), found, format!("{due}, which is {}", named.join(", ")));
        }
    }
}

/// Whether enough rollouts complete is what the share, or else its interval, says.
fn enough(reader: &mut Reader, object: &Map<String, Value>) {
    let (Some(least), Some(said)) = (number(object, "least"), object.get("enough")) else { return };
    let ci: Option<Interval> = object.get("ci").and_then(|ci| serde_json::from_value(ci.clone()).ok());
    let due = if least > 0.0 { holds(&Bound::AtLeast(least), number(object, "exact"), ci) } else { Some(true) };
    if said.as_bool() != due && (said.is_boolean() || said.is_null()) {
        let due = due.map_or("null".to_owned(), |due| due.to_string());
        let by = if object.contains_key("exact") { "the exact share" } else { "its interval" };
        reader.fault("/enough", said, format!("{due}, by {by} and least, which is {least}"));
    }
}

/// The cells of a histogram have a width where there is more than one.
fn histogram(reader: &mut Reader, object: &Map<String, Value>) {
    let (Some(width), Some(Value::Array(counts))) = (number(object, "width"), object.get("counts")) else { return };
    if width < 0.0 || width == 0.0 && counts.len() > 1 {
        reader.fault("/width", width, "more than 0, as there is more than one cell");
    }
}

fn interval(reader: &mut Reader, object: &Map<String, Value>, key: &str, value: &Value) {
    let Value::Array(ends) = value else { return };
    let [Some(low), Some(high)] = [0, 1].map(|place| ends.get(place).and_then(Value::as_f64)) else {
        return reader.fault(&format!("/{key}"), value, "an interval: [low, high], two numbers");
    };
    if low > high || ends.len() != 2 {
        return reader.fault(&format!("/{key}"), value, "an interval: [low, high], the smaller end first");
    }
    let of: &[&str] = match key {
        "p50_ci" => &["p50"],
        "p95_ci" => &["p95"],
        "p99_ci" => &["p99"],
        "interval" if object.contains_key("status") => &["observed"],
        "ci" | "claim" => &["mean", "rate", "value", "difference", "estimate"],
        "mean_ci" => &["mean"],
        "concentration_ci" => &["concentration"],
        _ => &[],
    };
    // Ends are rounded to what an interval's search finds.
    let room = 1e-6 * low.abs().max(high.abs()).max(1.0);
    for of in of {
        if let Some(inside) = number(object, of).filter(|&it| it < low - room || it > high + room) {
            reader.fault(&format!("/{key}"), value, format!("an interval that holds {of}, which is {inside}"));
        }
    }
}

/// Numbers that do not go down from one to the next; those that are null are passed over.
fn ascending(reader: &mut Reader, object: &Map<String, Value>, keys: &[&str], if_there: &[&str]) {
    if !if_there.iter().all(|key| object.contains_key(*key)) {
        return;
    }
    let mut before: Option<(&str, f64)> = None;
    for key in keys {
        let Some(number) = number(object, key) else { continue };
        if let Some((lower, bound)) = before.filter(|&(_, bound)| number < bound && !alike(number, bound)) {
            reader.fault(&format!("/{key}"), number, format!("at least {lower}, which is {bound}"));
        }
        before = Some((key, number));
    }
}

//! What the keys of one object say of each other.

use serde_json::{Map, Value};

use crate::checked::Reader;
use dryroll_engine::Outcome;

/// Two numbers that were computed on two ways.
fn alike(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

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
    if let Some(outcome) = object.get("outcome").and_then(Value::as_str)
        && !Outcome::ALL.iter().any(|known| known.name() == outcome)
    {
        let names: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        reader.fault("/outcome", format!("{outcome:?}"), names.join(", "));
    }
    if let (Some(hits), Some(n)) = (get("hits"), get("n")) {
        if hits > n {
            reader.fault("/hits", hits, format!("at most n, which is {n}"));
        }
        if let Some(rate) = get("rate").filter(|&rate| n > 0.0 && !alike(rate, hits / n)) {
            reader.fault("/rate", rate, format!("hits / n, which is {}", hits / n));
        }
    }
    ascending(reader, object, &["min", "p50", "p95", "p99", "max"], &["n"]);
    ascending(reader, object, &["min", "mean", "max"], &["n"]);
    ascending(reader, object, &["p5", "p50", "p95"], &["trip_rate"]);
    ascending(reader, object, &["not_sure_below", "from", "to", "not_sure_above"], &["from", "to"]);
    ascending(reader, object, &["from_ms", "to_ms"], &[]);
    ascending(reader, object, &["started_at_ms", "completed_at_ms"], &[]);
    ascending(reader, object, &["started_at_ms", "ended_at_ms"], &[]);
    ascending(reader, object, &["at_ms", "decided_at_ms"], &[]);
    ascending(reader, object, &["asked_at_ms", "at_ms"], &[]);
    if let (Some(a), Some(b), Some(ties), Some(n)) = (get("a_wins"), get("b_wins"), get("ties"), get("n"))
        && a + b + ties != n
    {
        reader.fault("/ties", ties, format!("with a_wins {a} and b_wins {b} as many as n, which is {n}"));
    }
    if let (Some(commands), Some(healthy), Some(failed), Some(timeout), Some(cut)) =
        (get("commands"), get("healthy"), get("upgrade_failed"), get("health_timeout"), get("cut_short"))
        && healthy + failed + timeout + cut != commands
    {
        let sum = healthy + failed + timeout + cut;
        reader.fault(
            "/commands",
            commands,
            format!("healthy, upgrade_failed, health_timeout and cut_short together: {sum}"),
        );
    }
    if let (Some(total), Some(size), Some(count)) = (get("total_instances"), get("batch_size"), get("batch_count")) {
        let batches = if total == 0.0 { 0.0 } else { (total / size.max(1.0)).ceil() };
        if size > total || batches != count {
            reader.fault("/batch_count", count, format!("{batches}, of {total} instances in batches of {size}"));
        }
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

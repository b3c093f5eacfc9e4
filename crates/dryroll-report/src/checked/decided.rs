//! What was decided against a limit: by the exact value, or else by the interval, and by nothing that contradicts it.

use serde_json::{Map, Value};

use crate::checked::Reader;
use dryroll_sim::scenario::Bound;
use dryroll_stats::Interval;
use dryroll_study::study::check::replicates::fits;
use dryroll_study::study::tune::limits::holds;

/// The bound of an object, whose words say on which side of it is right.
fn bound(object: &Map<String, Value>) -> Option<Bound> {
    let number = object.get("bound")?.as_f64()?;
    let words = object.get("limit")?.as_str()?;
    if words.contains('≤') {
        Some(Bound::AtMost(number))
    } else {
        words.contains('≥').then_some(Bound::AtLeast(number))
    }
}

fn interval(value: Option<&Value>) -> Option<Interval> {
    serde_json::from_value(value?.clone()).ok()
}

fn is_by_tolerance(object: &Map<String, Value>) -> bool {
    object.get("by_tolerance") == Some(&Value::Bool(true))
}

/// A limit of a search, or a rule of a check.
pub fn check(reader: &mut Reader, object: &Map<String, Value>) {
    let Some(bound) = bound(object) else { return };
    if let Some(held) = object.get("holds") {
        limit(reader, object, &bound, held.as_bool());
    } else if let Some(status) = object.get("status").and_then(Value::as_str) {
        rule(reader, object, &bound, status);
    }
}

/// A search may know more than the interval that it shows, and nothing that the interval rules out.
fn limit(reader: &mut Reader, object: &Map<String, Value>, bound: &Bound, held: Option<bool>) {
    let observed = &object["observed"];
    let by_interval = holds(bound, observed["exact"].as_f64(), interval(observed.get("ci")));
    if let (Some(said), Some(due)) = (held, by_interval)
        && said != due
        && !is_by_tolerance(object)
    {
        reader.fault("/holds", said, format!("{due}, by what was observed"));
    }
}

fn rule(reader: &mut Reader, object: &Map<String, Value>, bound: &Bound, status: &str) {
    let passed = match status {
        "passed" => true,
        "failed" => false,
        _ => return,
    };
    let exact = object.get("exact").and_then(Value::as_f64);
    let shown = interval(object.get("interval"));
    let (due, by) = if exact.is_some() || shown.is_some() {
        (holds(bound, exact, shown), if exact.is_some() { "exact" } else { "interval" })
    } else {
        // A fact of replicates.
        (object.get("observed").and_then(Value::as_f64).map(|value| fits(bound, value)), "observed")
    };
    let by_tolerance = passed && due.is_none() && is_by_tolerance(object);
    let is_known = exact.is_some() || shown.is_some() || due.is_some();
    if is_known && !by_tolerance && due != Some(passed) {
        let due = due.map_or("undecided", |due| if due { "passed" } else { "failed" });
        reader.fault("/status", format!("{status:?}"), format!("{due}, by {by}"));
    }
}

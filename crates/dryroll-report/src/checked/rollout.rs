//! What the parts of a report on one rollout say of each other.

use serde_json::Value;

use crate::checked::whole::unique;
use crate::checked::{Reader, alike, list, whole};

/// A whole run report.
pub fn run(reader: &mut Reader, report: &Value) {
    let (plan, metrics) = (&report["plan"], &report["metrics"]);
    unique(reader, "/batches", list(report, "batches"), &["index"]);
    of_plan(reader, report);
    exposed(reader, "/metrics", metrics, plan);
    if let (Some(said), Some(trips)) = (metrics.get("trips").and_then(whole), report["trips"].as_array())
        && said != trips.len() as u64
    {
        reader.fault("/metrics/trips", said, format!("{}, as many as trips has", trips.len()));
    }
    batches(reader, "/batches", list(report, "batches"), plan);
    trips(reader, "/trips", list(report, "trips"), plan);
    let rollback = report.get("rollback").filter(|rollback| !rollback.is_null());
    if let Some(found) = rollback.filter(|rollback| !rollback.is_object()) {
        reader.fault("/rollback", found, "null, or a rollback with its batches");
    }
    let end = metrics.get("duration_sec").and_then(Value::as_f64);
    if let Some(timeline) = report.get("timeline").filter(|timeline| timeline.is_object()) {
        self::timeline(reader, "/timeline", timeline);
        ends_with(reader, timeline, end);
        same_size(reader, timeline, plan);
    }
    let minutes = report["policy"].get("observe_after_sec").and_then(Value::as_f64).zip(end);
    let planned = plan.get("total_instances").and_then(Value::as_f64);
    if let Some((most, planned)) = minutes.map(|(after, end)| (after + end) / 60.0).zip(planned) {
        for key in ["exposure_instance_min", "unhealthy_instance_min", "capacity_loss_instance_min"] {
            let most = most * planned * (1.0 + 1e-9) + 1e-6;
            if let Some(found) = metrics.get(key).and_then(Value::as_f64).filter(|&found| found > most) {
                let allowed = format!("at most {most}: {planned} instances for as long as the run is counted");
                reader.fault(&format!("/metrics/{key}"), found, allowed);
            }
        }
    }
    let end_ms = end.map(|end| 1000.0 * end + 0.5);
    let at_most = |reader: &mut Reader, at: String, key: &str, part: &Value| {
        let found = part.get(key).and_then(Value::as_f64).zip(end_ms).filter(|(found, end)| found > end);
        if let Some((found, _)) = found {
            let allowed = format!("at most the run's end, {} ms", end.unwrap_or(0.0) * 1000.0);
            reader.fault(&format!("{at}/{key}"), found, allowed);
        }
    };
    let places = [("/batches", list(report, "batches")), ("/trips", list(report, "trips"))];
    let back = rollback.map_or(&[][..], |rollback| list(rollback, "batches"));
    for (at, parts) in places.into_iter().chain([("/rollback/batches", back)]) {
        for (place, part) in parts.iter().enumerate() {
            for key in ["started_at_ms", "completed_at_ms", "at_ms", "decided_at_ms"] {
                at_most(reader, format!("{at}/{place}"), key, part);
            }
        }
    }
}

/// A whole drill report.
pub fn drill(reader: &mut Reader, report: &Value) {
    let (plan, debrief, score) = (&report["plan"], &report["debrief"], &report["score"]);
    exposed(reader, "/debrief", debrief, plan);
    if let (Some(own), Some(points)) = (report["as_it_was"]["score"].as_f64(), score["points"].as_f64())
        && !alike(own, points)
    {
        reader.fault("/as_it_was/score", own, format!("{points}, the score's points"));
    }
    let was = &report["as_it_was"];
    let pairs = [
        ("trips", &debrief["trips"]),
        ("time_to_mitigate_sec", &debrief["time_to_mitigate_sec"]),
        ("time_to_stop_sec", &debrief["time_to_stop_sec"]),
        ("cost_instance_min", &score["cost_instance_min"]),
        ("not_serving_instance_min", &score["not_serving_instance_min"]),
        ("misplaced_instances", &score["misplaced_instances"]),
        ("counted_to_ms", &score["until_ms"]),
    ];
    for (key, other) in pairs {
        if let (Some(found), Some(due)) = (was[key].as_f64(), other.as_f64())
            && !alike(found, due)
        {
            reader.fault(&format!("/as_it_was/{key}"), found, format!("{due}, as the debrief or the score has it"));
        }
    }
    let decisions = list(report, "decisions").len() as u64;
    for (place, other) in list(report, "counterfactuals").iter().enumerate() {
        if let Some(found) = other.get("decision").and_then(whole).filter(|&found| found > decisions) {
            reader.fault(&format!("/counterfactuals/{place}/decision"), found, format!("1 to {decisions}"));
        }
    }
    timeline(reader, "/timeline", &report["timeline"]);
    ends_with(reader, &report["timeline"], debrief.get("duration_sec").and_then(Value::as_f64));
    same_size(reader, &report["timeline"], plan);
}

fn ends_with(reader: &mut Reader, timeline: &Value, end_sec: Option<f64>) {
    let (Some(found), Some(end)) = (timeline["end_ms"].as_f64(), end_sec) else { return };
    if !alike(found / 1000.0, end) {
        reader.fault("/timeline/end_ms", found, format!("{}, the end of the run by its duration_sec", 1000.0 * end));
    }
}

fn same_size(reader: &mut Reader, timeline: &Value, plan: &Value) {
    let pair = (timeline.get("total_instances").and_then(whole), plan.get("total_instances").and_then(whole));
    if let (Some(found), Some(planned)) = pair
        && found != planned
    {
        reader.fault("/timeline/total_instances", found, format!("{planned}, as the plan has"));
    }
}

/// The plan's batches hold its instances, each once.
fn of_plan(reader: &mut Reader, report: &Value) {
    let plan = &report["plan"];
    let number = |key: &str| plan.get(key).and_then(whole);
    let all = list(plan, "batches");
    let mut seen = std::collections::BTreeMap::new();
    for (place, batch) in all.iter().enumerate() {
        if let Some(index) = batch.get("index").and_then(whole).filter(|&index| index != place as u64) {
            reader.fault(&format!("/plan/batches/{place}/index"), index, format!("{place}, its place"));
        }
        let ids = list(batch, "instance_ids");
        for (at, id) in ids.iter().enumerate().filter_map(|(at, id)| Some((at, id.as_str()?))) {
            let here = format!("/plan/batches/{place}/instance_ids/{at}");
            if let Some(first) = seen.insert(id, here.clone()) {
                reader.fault(&here, format!("{id:?}, there a second time"), format!("one that {first} is not"));
            }
        }
        if let Some(size) = number("batch_size").filter(|&size| ids.len() as u64 > size) {
            let at = format!("/plan/batches/{place}/instance_ids");
            reader.fault(&at, format!("of {} instances", ids.len()), format!("at most batch_size, which is {size}"));
        }
    }
    let planned: usize = all.iter().map(|batch| list(batch, "instance_ids").len()).sum();
    if let Some(total) = number("total_instances").filter(|&total| !all.is_empty() && planned as u64 != total) {
        let allowed = format!("as many as total_instances, {total}");
        reader.fault("/plan/batches", format!("of {planned} instances"), allowed);
    }
    let window = report["policy"].get("health_timeout_sec").and_then(Value::as_f64);
    let estimate = plan.get("estimated_total_seconds").and_then(Value::as_f64);
    if let (Some(window), Some(count), Some(estimate)) = (window, number("batch_count"), estimate) {
        let bakes = bakes(&report["policy"]["bake_sec"], count);
        let due = window * count as f64 + bakes;
        if !alike(estimate, due) {
            let and = if bakes > 0.0 { ", and all of bake_sec" } else { "" };
            let allowed = format!("{due}: batch_count × health_timeout_sec{and}");
            reader.fault("/plan/estimated_total_seconds", estimate, allowed);
        }
    }
}

/// All bakes of so many batches: a number is that of each, and the last of a list repeats.
fn bakes(bake_sec: &Value, batches: u64) -> f64 {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    match bake_sec.as_array().map(Vec::as_slice) {
        None => number(bake_sec) * batches as f64,
        Some(listed) => {
            let further = batches.saturating_sub(listed.len() as u64) as f64;
            let begun = listed.iter().take(batches as usize).map(number).sum::<f64>();
            begun + listed.last().map_or(0.0, number) * further
        }
    }
}

/// What a run did to instances is at most what was planned, and shares are of it.
fn exposed(reader: &mut Reader, at: &str, metrics: &Value, plan: &Value) {
    let Some(total) = plan.get("total_instances").and_then(whole) else { return };
    for key in ["exposed_instances", "harmed_instances", "escaped_instances"] {
        if let Some(found) = metrics.get(key).and_then(Value::as_f64).filter(|&found| found > total as f64) {
            reader.fault(&format!("{at}/{key}"), found, format!("at most the plan's total_instances, {total}"));
        }
    }
    for (key, of) in [("exposed_pct", "exposed_instances"), ("harmed_pct", "harmed_instances")] {
        let pair = (metrics.get(key).and_then(Value::as_f64), metrics.get(of).and_then(Value::as_f64));
        let (Some(pct), Some(count)) = pair else { continue };
        let due = if total == 0 { 0.0 } else { 100.0 * count / total as f64 };
        if (pct - due).abs() > 0.01 {
            reader.fault(&format!("{at}/{key}"), pct, format!("{due}: {of} is {count} of {total}"));
        }
    }
}

/// Batches of a rollout are those of its plan, with as many verdicts as instances at most.
fn batches(reader: &mut Reader, at: &str, all: &[Value], plan: &Value) {
    let count = plan.get("batch_count").and_then(whole);
    let size = plan.get("batch_size").and_then(whole);
    for (place, batch) in all.iter().enumerate() {
        if let Some((index, count)) = batch.get("index").and_then(whole).zip(count).filter(|(index, of)| index >= of) {
            reader.fault(&format!("{at}/{place}/index"), index, format!("a batch of the plan: below {count}"));
        }
        let verdicts = |key: &str| batch.get(key).and_then(whole).unwrap_or(0);
        let (healthy, failed) = (verdicts("healthy_count"), verdicts("failed_count"));
        let all = healthy.saturating_add(failed);
        if let Some(size) = size.filter(|&size| all > size) {
            let found = format!("{healthy}, and failed_count is {failed}: {all} verdicts");
            let allowed = format!("at most as many verdicts as batch_size, which is {size}");
            reader.fault(&format!("{at}/{place}/healthy_count"), found, allowed);
        }
    }
}

fn trips(reader: &mut Reader, at: &str, all: &[Value], plan: &Value) {
    // That of a rollback is not of the plan: its batches are its own.
    let Some(count) = plan.get("batch_count").and_then(whole) else { return };
    for (place, trip) in all.iter().enumerate() {
        let of_rollout = trip.get("rollout_id").is_some_and(|id| id == "r-1");
        let index = trip.get("batch_index").and_then(whole).filter(|&index| of_rollout && index >= count);
        if let Some(index) = index {
            reader.fault(&format!("{at}/{place}/batch_index"), index, format!("a batch of the plan: below {count}"));
        }
    }
}

/// The instances of a timeline are those that it counts, each once, and nothing happens after its end.
pub fn timeline(reader: &mut Reader, at: &str, timeline: &Value) {
    unique(reader, &format!("{at}/instances"), list(timeline, "instances"), &["id"]);
    let end = timeline.get("end_ms").and_then(whole);
    let by_the_end = |reader: &mut Reader, at: String, found: Option<&Value>| {
        let Some(found) = found.filter(|found| found.is_number()) else { return };
        if whole(found).is_none_or(|found| end.is_some_and(|end| found > end)) {
            let allowed = format!("whole milliseconds, 0 to end_ms, {}", end.unwrap_or(0));
            reader.fault(&at, found, allowed);
        }
    };
    for (place, row) in list(timeline, "instances").iter().enumerate() {
        let segments = list(row, "segments");
        for (segment, one) in segments.iter().enumerate() {
            by_the_end(reader, format!("{at}/instances/{place}/segments/{segment}/0"), one.get(0));
        }
        if !segments.iter().filter_map(|segment| segment.get(0).and_then(whole)).is_sorted() {
            let at = format!("{at}/instances/{place}/segments");
            reader.fault(&at, "out of order", "times that do not go back");
        }
    }
    for key in ["batches", "failures", "trips", "requests", "faults"] {
        for (place, one) in list(timeline, key).iter().enumerate() {
            for time in ["from_ms", "to_ms", "at_ms", "decided_at_ms"] {
                by_the_end(reader, format!("{at}/{key}/{place}/{time}"), one.get(time));
            }
        }
    }
    let limit = timeline.get("limit").and_then(whole);
    for (place, one) in list(timeline, "breaker").iter().enumerate() {
        by_the_end(reader, format!("{at}/breaker/{place}/0"), one.get(0));
        let count = one.get(1).and_then(whole).zip(limit).filter(|(count, limit)| count > limit);
        if let Some((count, limit)) = count {
            let allowed = format!("at most limit, which is {limit}");
            reader.fault(&format!("{at}/breaker/{place}/1"), count, allowed);
        }
    }
    let total = timeline.get("total_instances").and_then(whole);
    let rows = list(timeline, "instances").len() as u64;
    if let Some(total) = total.filter(|&total| rows > total) {
        reader.fault(&format!("{at}/instances"), format!("of {rows}"), format!("at most total_instances, {total}"));
    }
}

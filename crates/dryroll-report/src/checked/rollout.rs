//! What the parts of a report on one rollout say of each other.

use serde_json::Value;

use crate::checked::whole::unique;
use crate::checked::{Reader, alike, list, whole};

/// A whole run report.
pub fn run(reader: &mut Reader, report: &Value) {
    let (plan, metrics) = (&report["plan"], &report["metrics"]);
    unique(reader, "/batches", list(report, "batches"), &["index"]);
    unique(reader, "/bakes", list(report, "bakes"), &["batch_index"]);
    unique(reader, "/promotions", list(report, "promotions"), &["approval_request_id"]);
    even_batches(reader, report);
    of_plan(reader, report);
    exposed(reader, "/metrics", metrics, plan);
    if let (Some(said), Some(trips)) = (metrics.get("trips").and_then(whole), report["trips"].as_array())
        && said != trips.len() as u64
    {
        reader.fault("/metrics/trips", said, format!("{}, as many as trips has", trips.len()));
    }
    // Growth can turn back, and there may be more batches than were planned.
    let count = plan.get("batch_count").and_then(whole).filter(|_| !report["policy"]["growth"].is_object());
    batches(reader, "/batches", list(report, "batches"), count, plan);
    trips(reader, "/trips", list(report, "trips"), count);
    waits(reader, report);
    let rollback = report.get("rollback").filter(|rollback| !rollback.is_null());
    if let Some(found) = rollback.filter(|rollback| !rollback.is_object()) {
        reader.fault("/rollback", found, "null, or a rollback with its batches");
    }
    if let Some(rollback) = rollback {
        batches_back(reader, report, list(rollback, "batches"));
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
    let places = ["/batches", "/trips", "/bakes", "/promotions", "/notes"].map(|at| (at, list(report, &at[1..])));
    let back = rollback.map_or(&[][..], |rollback| list(rollback, "batches"));
    for (at, parts) in places.into_iter().chain([("/rollback/batches", back)]) {
        for (place, part) in parts.iter().enumerate() {
            for key in ["started_at_ms", "completed_at_ms", "ended_at_ms", "at_ms", "asked_at_ms", "decided_at_ms"] {
                at_most(reader, format!("{at}/{place}"), key, part);
            }
        }
    }
}

/// A whole drill report.
pub fn drill(reader: &mut Reader, report: &Value) {
    let (plan, debrief, score) = (&report["plan"], &report["debrief"], &report["score"]);
    even_batches(reader, report);
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

/// Where no key makes batches differ, all but the last have one size.
fn even_batches(reader: &mut Reader, report: &Value) {
    let (plan, policy) = (&report["plan"], &report["policy"]);
    let number = |key: &str| plan.get(key).and_then(whole);
    let differ = ["batches", "growth", "batch_of"].iter().any(|key| !policy[*key].is_null());
    let (Some(total), Some(size @ 1..), Some(count)) =
        (number("total_instances"), number("batch_size"), number("batch_count"))
    else {
        return;
    };
    let due = total.div_ceil(size);
    if !differ && count != due {
        reader.fault("/plan/batch_count", count, format!("{due}, of {total} instances in batches of {size}"));
    }
}

/// Bakes and promotions are of batches that began, or of the next; trips and notes are what their rule says.
fn waits(reader: &mut Reader, report: &Value) {
    let begun = list(report, "batches").len() as u64;
    for (place, bake) in list(report, "bakes").iter().enumerate() {
        if let Some(index) = bake.get("batch_index").and_then(whole).filter(|&index| index >= begun) {
            reader.fault(&format!("/bakes/{place}/batch_index"), index, format!("a batch that began: below {begun}"));
        }
    }
    for (place, promotion) in list(report, "promotions").iter().enumerate() {
        let at = format!("/promotions/{place}");
        if let Some(index) = promotion.get("batch_index").and_then(whole)
            && !(1..=begun).contains(&index)
        {
            reader.fault(&format!("{at}/batch_index"), index, format!("a batch after the first: 1 to {begun}"));
        }
        if promotion["decision"].is_null() != promotion["decided_at_ms"].is_null() {
            let allowed = "a moment where there is a decision, null where there is none";
            reader.fault(&format!("{at}/decided_at_ms"), &promotion["decided_at_ms"], allowed);
        }
    }
    for (place, note) in list(report, "notes").iter().enumerate() {
        if note.get("reason").and_then(Value::as_str).is_some_and(|reason| !reason.starts_with("rule ")) {
            reader.fault(&format!("/notes/{place}/reason"), &note["reason"], "what a rule found: `rule 1: …`");
        }
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
    if !all.is_empty() {
        let largest = all.iter().map(|batch| list(batch, "instance_ids").len() as u64).max().unwrap_or(0);
        for (key, due) in [("batch_count", all.len() as u64), ("batch_size", largest)] {
            if let Some(found) = number(key).filter(|&found| found != due) {
                reader.fault(&format!("/plan/{key}"), found, format!("{due}, as its batches have"));
            }
        }
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
    let [blast, reached] = ["blast_radius_pct", "exposed_pct"].map(|key| metrics.get(key).and_then(Value::as_f64));
    if let (Some(blast), Some(reached)) = (blast, reached)
        && !alike(blast, reached)
    {
        reader.fault(&format!("{at}/blast_radius_pct"), blast, format!("{reached}, which is exposed_pct"));
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
fn batches(reader: &mut Reader, at: &str, all: &[Value], count: Option<u64>, plan: &Value) {
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

/// Batches of a rollback hold what was commanded, in shares of `rollback_batch_pct`.
fn batches_back(reader: &mut Reader, report: &Value, all: &[Value]) {
    let exposed = report["metrics"].get("exposed_instances").and_then(whole);
    let pct = report["policy"].get("rollback_batch_pct").and_then(whole);
    let (Some(exposed), Some(pct)) = (exposed, pct) else { return };
    let size = exposed.saturating_mul(pct).div_ceil(100);
    for (place, batch) in all.iter().enumerate() {
        let verdicts = |key: &str| batch.get(key).and_then(whole).unwrap_or(0);
        let found = verdicts("healthy_count").saturating_add(verdicts("failed_count"));
        if found > size {
            let allowed = format!("at most {size} verdicts, {pct} % of the {exposed} exposed instances");
            reader.fault(&format!("/rollback/batches/{place}/healthy_count"), format!("in {found} verdicts"), allowed);
        }
    }
}

fn trips(reader: &mut Reader, at: &str, all: &[Value], count: Option<u64>) {
    for (place, trip) in all.iter().enumerate() {
        asked_or_not(reader, &format!("{at}/{place}"), trip);
        // That of a rollback is not of the plan: its batches are its own.
        let of_rollout = trip.get("rollout_id").is_some_and(|id| id == "r-1");
        let index = trip.get("batch_index").and_then(whole).filter(|_| of_rollout).zip(count);
        if let Some((index, count)) = index.filter(|(index, count)| index >= count) {
            reader.fault(&format!("{at}/{place}/batch_index"), index, format!("a batch of the plan: below {count}"));
        }
    }
}

/// A trip that asks nobody has no decision, and only a rule of `breakers` asks nobody.
fn asked_or_not(reader: &mut Reader, at: &str, trip: &Value) {
    let then = &trip["then"];
    if then.is_string() {
        if !trip["decision"].is_null() {
            reader.fault(
                &format!("{at}/decision"),
                &trip["decision"],
                format!("null: by then, {then}, nobody is asked"),
            );
        }
        if !trip["reason"].is_string() {
            reader.fault(&format!("{at}/then"), then, "nothing where no rule of breakers trips: failures in a row ask");
        }
    }
    let reason = trip.get("reason").and_then(Value::as_str);
    if let Some(reason) = reason.filter(|reason| !reason.starts_with("rule ")) {
        reader.fault(&format!("{at}/reason"), format!("{reason:?}"), "what a rule found: `rule 1: …`");
    }
    if trip["decision"].is_null() != trip["decided_at_ms"].is_null() {
        let allowed = "a moment where there is a decision, null where there is none";
        reader.fault(&format!("{at}/decided_at_ms"), &trip["decided_at_ms"], allowed);
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
    for (place, failure) in list(timeline, "failures").iter().enumerate() {
        let is_relapse = failure["reason"] == "relapsed";
        if is_relapse != failure["relapse"].is_string() {
            let allowed =
                if is_relapse { "unhealthy or silent, as it relapsed" } else { "nothing, as it did not relapse" };
            reader.fault(&format!("{at}/failures/{place}/relapse"), &failure["relapse"], allowed);
        }
    }
    for (place, trip) in list(timeline, "trips").iter().enumerate() {
        asked_or_not(reader, &format!("{at}/trips/{place}"), trip);
    }
    for key in ["batches", "failures", "retries", "bakes", "trips", "notes", "requests", "faults"] {
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

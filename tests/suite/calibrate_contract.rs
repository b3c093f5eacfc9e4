//! An event log that no engine can have written is refused: at its line, with what was found and what is allowed.

use serde_json::{Value, json};

use crate::common::folder::Folder;
use crate::common::toml as common;
use dryroll::calibrate::History;

/// The log of a rollout that trips, by what is decided then.
fn log(on_trip: &str) -> Vec<Value> {
    let text = format!(
        "[fleet]\ninstances = 40\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\nfailure_rate = 0.5\n\
         upgrade_time_sec = 40\n[rollout]\ntarget_version_id = \"v-2\"\nmax_consecutive_failures = 2\nbatch_pct = 25\n\
         [operator]\non_trip = \"{on_trip}\"\n"
    );
    let log = common::event_log(&common::scenario(&text), 0);
    log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn place(events: &[Value], kind: &str) -> usize {
    events.iter().position(|event| event["kind"] == format!("module.upgrade.{kind}").as_str()).expect(kind)
}

#[track_caller]
fn refused(events: &[Value], line: usize, said: &str) {
    let error = History::read(text(events).as_bytes()).expect_err(said).to_string();
    assert!(error.starts_with(&format!("line {line}: ")) && error.contains(said), "line {line}, {said:?}: {error}");
}

/// The log with another value at a key of the first event of a kind, and the line of it.
fn with(events: &[Value], kind: &str, key: &str, value: Value) -> (Vec<Value>, usize) {
    let (mut events, place) = (events.to_vec(), place(events, kind));
    events[place][key] = value;
    (events, place + 1)
}

#[test]
fn what_the_engine_writes_is_read() {
    for on_trip in ["abort", "rollback_completed_batches", "continue_anyway"] {
        let log = log(on_trip);
        place(&log, "circuit_breaker_tripped");
        History::read(text(&log).as_bytes()).expect(on_trip);
        // So is each beginning and each end of it.
        for cut in 0..log.len() {
            History::read(text(&log[..cut]).as_bytes()).expect("a beginning");
            History::read(text(&log[cut..]).as_bytes()).expect("an end");
        }
    }
}

#[test]
fn a_rollback_takes_back_what_was_started() {
    let log = log("rollback_completed_batches");
    let started = log[..place(&log, "rollback_started")]
        .iter()
        .filter(|event| event["kind"] == "module.upgrade.instance_started")
        .count();
    for count in [1, started + 1, 999] {
        let (events, line) = with(&log, "rollback_started", "instance_count", json!(count));
        refused(&events, line, &format!("its instance_count is {count}, but {started} instances were started in r-1"));
    }
    let rollback = place(&log, "rollback_started");
    let first = rollback + place(&log[rollback..], "instance_started");
    let mut other = log.clone();
    other[first]["instance_id"] = json!("i-99999");
    refused(&other, first + 1, "it rolls back i-99999, which was not started in r-1");
    let (events, line) = with(&log, "finished", "outcome", json!("completed"));
    refused(&events, line, "its outcome is completed, but r-1 is being rolled back");
    let mut early = log.clone();
    let end = early.pop().expect("the end");
    early.pop();
    early.pop();
    early.push(end);
    let line = early.len();
    refused(&early, line, "its outcome is rolled_back, but ");
}

#[test]
fn an_end_has_what_its_outcome_needs() {
    let log = log("continue_anyway");
    let (end, line) = (log.last().expect("the end").clone(), place(&log, "batch_completed") + 2);
    assert_eq!(end["outcome"], "completed");
    // After the first batch.
    let mut early = log[..line - 1].to_vec();
    early.push(end.clone());
    refused(&early, line, "its outcome is completed, but ");
    let mut unjudged = log.clone();
    unjudged.remove(log.len() - 3);
    refused(&unjudged, log.len() - 2, "its healthy_count");
    for (outcome, said) in [
        ("flying", "its outcome is \"flying\"; allowed: completed, aborted"),
        ("aborted", "no decision abort comes before it"),
        ("rejected", "no decision reject comes before it"),
        ("rolled_back", "no rollback_started comes before it"),
        ("rollback_failed", "no rollback_failed comes before it"),
        ("expired", "no request about the plan is open"),
        ("blocked", "a blocked rollout starts none"),
    ] {
        let (events, line) = with(&log, "finished", "outcome", json!(outcome));
        refused(&events, line, said);
    }
    let mut more = log.clone();
    more.push(log[place(&log, "instance_started")].clone());
    more.last_mut().expect("it")["at_ms"] = end["at_ms"].clone();
    refused(&more, more.len(), "it comes after the rollout's finished");
}

#[test]
fn a_trip_names_instances_that_failed() {
    let log = log("abort");
    let trip = place(&log, "circuit_breaker_tripped");
    let failed = log[trip]["failed_instance_ids"].clone();
    let healthy = log.iter().find(|event| event["healthy"] == true).expect("a healthy one")["instance_id"].clone();
    for (ids, said) in [
        (json!([failed[0], healthy]), "which has a healthy verdict in r-1"),
        (json!([failed[0], "i-99999"]), "its failed_instance_ids name i-99999, which was never started in r-1"),
        (json!([failed[0], failed[0]]), "is named twice"),
        (json!([failed[0]]), "its failed_instance_ids are 1, but its reason is max_consecutive_failures (2) exceeded"),
    ] {
        let (events, line) = with(&log, "circuit_breaker_tripped", "failed_instance_ids", ids);
        refused(&events, line, said);
    }
}

#[test]
fn nothing_follows_an_abort_but_the_end() {
    let (aborted, back) = (log("abort"), log("rollback_completed_batches"));
    let rollback = place(&back, "rollback_started");
    let end = place(&aborted, "finished");
    // Both logs are the same up to the decision.
    let mut events = aborted[..end].to_vec();
    events.extend_from_slice(&back[rollback..]);
    refused(&events, end + 1, "it is a rollback, but the decision was abort");
    let mut events = aborted.clone();
    let mut start = aborted[place(&aborted, "instance_started")].clone();
    start["at_ms"] = aborted[end]["at_ms"].clone();
    start["instance_id"] = json!("i-00040");
    events.insert(end, start);
    refused(&events, end + 1, "r-1 is over after what was decided: only finished with the outcome aborted can follow");
    let (events, line) = with(&aborted, "finished", "outcome", json!("completed"));
    refused(&events, line, "after what was decided only aborted can follow");
}

#[test]
fn requests_are_answered_once_with_what_they_offer() {
    let log = log("abort");
    let trip = place(&log, "circuit_breaker_tripped");
    let decided = trip + place(&log[trip..], "approval_decided");
    let mut events = log.clone();
    events[decided]["decision"] = json!("approve");
    refused(
        &events,
        decided + 1,
        "its decision is \"approve\", but a-2 offers continue_anyway, rollback_completed_batches, abort",
    );
    events[decided]["approval_request_id"] = json!("a-7");
    refused(&events, decided + 1, "it decides on a-7, but no approval_requested of that id comes before it");
    events[decided] = log[decided].clone();
    events[decided]["decision"] = json!("continue_anyway");
    events.insert(decided + 1, log[decided].clone());
    refused(&events, decided + 2, "a-2 was decided before");
    // No approval yet.
    let approved = place(&log, "approval_decided");
    let mut events = log.clone();
    events.remove(approved);
    refused(&events, approved + 1, "it needs an approve first");
    // No decision on the trip yet.
    let mut events = log[..decided].to_vec();
    let mut start = log[place(&log, "instance_started")].clone();
    start["at_ms"] = log[decided]["at_ms"].clone();
    start["instance_id"] = json!("i-00040");
    events.push(start);
    refused(&events, decided + 1, "the breaker of r-1 tripped and nobody has decided");
}

#[test]
fn batches_are_those_of_the_plan_in_their_order() {
    let log = log("continue_anyway");
    for (key, value, said) in [
        ("instance_count", json!(9), "its instance_count is 9, which leaves 31 of 40 instances for 3 more batches"),
        ("batch_index", json!(1), "its batch_index is 1, but batch 0 is next"),
        (
            "rollout_id",
            json!("r-9"),
            "its rollout_id is r-9, but no planned and no rollback_started of r-9 comes before",
        ),
    ] {
        let (events, line) = with(&log, "batch_started", key, value);
        refused(&events, line, said);
    }
    let (events, line) = with(&log, "instance_health_check", "batch_index", json!(3));
    refused(&events, line, "its batch_index is 3, but ");
    let second = place(&log, "instance_started") + 1;
    let mut events = log.clone();
    events[second]["target_version"] = json!("v-7");
    refused(&events, second + 1, "its target_version is \"v-7\", but r-1 rolls out \"v-2\"");
    let (events, line) = with(&log, "batch_completed", "healthy_count", json!(999));
    refused(&events, line, "but batch 0 was started with an instance_count of 10");
}

#[test]
fn the_command_names_file_and_line_and_never_panics() {
    let log = log("rollback_completed_batches");
    let (events, line) = with(&log, "rollback_started", "instance_count", json!(999));
    let folder = Folder::with(&[("a.ndjson", &text(&events))]);
    let output = folder.command("calibrate a.ndjson").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains(&format!("a.ndjson: line {line}: ")), "{said}");
    // Each event left out, and each twice: an error or a history.
    for place in 0..log.len() {
        let mut events = log.clone();
        let one = events.remove(place);
        let _ = History::read(text(&events).as_bytes());
        events.insert(place, one.clone());
        events.insert(place, one);
        let _ = History::read(text(&events).as_bytes());
    }
}

//! Account, report, page, trace, records, drill and calibration tell what the policies of the field do: batches that
//! overlap, bakes, promotions, retries, relapses, notes, and trips that ask nobody.

use crate::common::folder::{Folder, said};
use dryroll::drill::branch::Change;
use dryroll::drill::{Drill, Record, Recorded, score};
use dryroll::engine::{Answer, OperatorDecision, Outcome, RequestKind};
use dryroll::report::checked;
use dryroll::scenario::{Format, Scenario};
use dryroll::sim::{CompiledScenario, Unobserved};
use serde_json::{Value, json};

/// A canary, then a quarter at a time, with everything between batches: a bake, a promotion, retries, a watch.
const CANARY: &str = r#"
name = "canary, then wider"
seed = 7
[fleet]
instances = 40
heartbeat_interval_sec = 10
[[versions]]
id = "v1"
[[versions]]
id = "v2"
defective = true
upgrade_time_sec = 40
failure_rate = 0.1
degrade_rate = 0.15
degrade_after_sec = 400
brick_rate = 0.05
[rollout]
target_version_id = "v2"
previous_version_id = "v1"
batches = [2, "25%"]
max_consecutive_failures = 4
health_timeout_sec = 200
retries = 1
advance_pct = 50
bake_sec = [300, 120]
approve_before = "every"
silent_after_sec = 60
min_healthy_sec = 20
[[rollout.breakers]]
limit = 3
then = "note"
[[rollout.breakers]]
limit = "20%"
of = "judged"
after_judged = 8
[[rollout.breakers]]
limit = 12
then = "roll_back"
[operator]
approval_delay_sec = 30
promotion_delay_sec = 45
on_trip = "continue_anyway"
decision_delay_sec = 60
"#;

/// Batches that begin on every tick, whatever the verdicts, and a rule that aborts without a request. No number of
/// failures in a row trips.
const STRAGGLERS: &str = r#"
name = "stragglers"
seed = 3
[fleet]
instances = 30
heartbeat_interval_sec = 10
[[versions]]
id = "v1"
[[versions]]
id = "v2"
defective = true
upgrade_time_sec = { uniform = { min = 20, max = 250 } }
failure_rate = 0.35
[rollout]
target_version_id = "v2"
previous_version_id = "v1"
batches = [3]
growth = { factor = 2, on_failed = "shrink" }
health_timeout_sec = 300
advance_pct = 0
[[rollout.breakers]]
limit = 6
then = "abort"
"#;

fn events(folder: &Folder, name: &str) -> Vec<Value> {
    folder.read(name).lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

fn count(events: &[Value], kind: &str) -> usize {
    let full = format!("module.upgrade.{kind}");
    events.iter().filter(|event| event["kind"] == full.as_str()).count()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn a_report_has_bakes_promotions_notes_retries_and_relapses() {
    let folder = Folder::of(CANARY);
    let output = folder.run("run s.toml --events e.ndjson --report r.json --trace t.json");
    assert!(output.status.success(), "{}", said(&output.stderr));
    let (report, events) = (folder.report("r.json"), events(&folder, "e.ndjson"));
    let batches = list(&report, "batches");
    let sum = |key: &str| batches.iter().filter_map(|batch| batch[key].as_u64()).sum::<u64>();
    assert!(count(&events, "instance_retried") > 0 && count(&events, "instance_relapsed") > 0, "{events:?}");
    assert_eq!(sum("relapsed_count"), count(&events, "instance_relapsed") as u64);
    let forward = |event: &&Value| event["rollout_id"] == "r-1";
    let retried = events.iter().filter(forward).filter(|event| event["kind"] == "module.upgrade.instance_retried");
    assert_eq!(sum("retried_count"), retried.count() as u64);
    assert_eq!(list(&report, "notes").len(), count(&events, "breaker_noted"));
    assert!(list(&report, "notes")[0]["reason"].as_str().expect("a reason").starts_with("rule 1: 3 of 40 planned"));
    let promotions: Vec<&Value> = events.iter().filter(|event| event["type"] == "rolling_upgrade_promotion").collect();
    assert!(!promotions.is_empty());
    assert_eq!(list(&report, "promotions").len(), promotions.len());
    for (told, event) in list(&report, "promotions").iter().zip(promotions) {
        assert_eq!(told["approval_request_id"], event["approval_request_id"]);
        assert_eq!(told["asked_at_ms"], event["at_ms"]);
    }
    // The canary's bake is the first, and the walk may leave it when one of its two is healthy.
    let bake = &list(&report, "bakes")[0];
    let healthy = events.iter().find(|event| event["healthy"] == true).expect("a healthy verdict");
    assert_eq!(bake["batch_index"], 0);
    assert_eq!(bake["started_at_ms"], healthy["at_ms"]);
    assert!(checked::faults("dryroll.run/1", &report).is_empty(), "{:?}", checked::faults("dryroll.run/1", &report));
    // A trip that asks has its decision, one that does not has none.
    for trip in list(&report, "trips") {
        assert_eq!(trip["decision"].is_null(), trip["then"].is_string(), "{trip}");
    }
    let account = said(&output.stdout);
    for words in ["batch 0 bakes for 5 min", "asks: may batch 1 begin?", "noted", "relapse", "bricked"] {
        assert!(account.contains(words), "{words} is not in {account}");
    }
    let trace = folder.read("t.json");
    for words in ["bake of batch 0", "\"retried\"", "\"relapsed\"", "\"noted\""] {
        assert!(trace.contains(words), "{words}");
    }
    let page = said(&folder.run("report r.json --html -").stdout);
    for words in ["Promotions", "What rules noted", "commanded again", "bakes"] {
        assert!(page.contains(words), "{words}");
    }
    let learned = said(&folder.run("learn r.json").stdout);
    assert!(learned.contains("batch_sizes=2+25%") && learned.contains("breakers-3"), "{learned}");
}

#[test]
fn batches_that_overlap_complete_out_of_order_each_with_its_own_counts() {
    let folder = Folder::of(STRAGGLERS);
    let output = folder.run("run s.toml --events e.ndjson --report r.json");
    assert!(output.status.success(), "{}", said(&output.stderr));
    let (report, events) = (folder.report("r.json"), events(&folder, "e.ndjson"));
    let mut of_batch = std::collections::BTreeMap::new();
    for event in &events {
        let index = event["batch_index"].as_u64().unwrap_or(0);
        match event["kind"].as_str().and_then(|kind| kind.strip_prefix("module.upgrade.")) {
            Some("instance_health_check") if event["healthy"] == true => of_batch.entry(index).or_insert((0, 0)).0 += 1,
            Some("instance_health_check") => of_batch.entry(index).or_insert((0, 0)).1 += 1,
            _ => {}
        }
    }
    let batches = list(&report, "batches");
    assert!(batches.len() > 1);
    for batch in batches {
        let counts = of_batch.get(&batch["index"].as_u64().expect("an index")).copied().unwrap_or((0, 0));
        assert_eq!((batch["healthy_count"].as_u64(), batch["failed_count"].as_u64()), (Some(counts.0), Some(counts.1)));
    }
    let overlap = batches.windows(2).any(|pair| {
        pair[0]["completed_at_ms"].as_u64().is_none_or(|at| at > pair[1]["started_at_ms"].as_u64().unwrap_or(0))
    });
    assert!(overlap, "no batch begins before another is complete");
    let [trip] = list(&report, "trips") else { panic!("{}", report["trips"]) };
    assert_eq!((&trip["then"], &trip["decision"]), (&json!("abort"), &Value::Null));
    assert_eq!(report["metrics"]["outcome"], "aborted");
    assert_eq!(count(&events, "approval_decided"), 1);
    assert!(said(&output.stdout).contains("the rule aborts the rollout"));
    assert!(checked::faults("dryroll.run/1", &report).is_empty(), "{:?}", checked::faults("dryroll.run/1", &report));
    // What contradicts that is found.
    for (pointer, value) in [
        ("/trips/0/decision", json!("abort")),
        ("/trips/0/then", json!("note")),
        ("/trips/0/reason", json!("just so")),
        ("/batches/0/relapsed_count", json!(29)),
    ] {
        let mut wrong = report.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        wrong.pointer_mut(parent).expect("a place")[key] = value;
        assert!(!checked::faults("dryroll.run/1", &wrong).is_empty(), "{pointer} is let pass");
    }
}

#[test]
fn calibration_counts_attempts_relapses_and_promotions() {
    let folder = Folder::of(CANARY);
    folder.run("run s.toml --events e.ndjson --report r.json -q");
    folder.write("stragglers.toml", STRAGGLERS);
    folder.run("run stragglers.toml --events f.ndjson -q");
    let output = folder.run("calibrate e.ndjson f.ndjson --heartbeat-interval-sec 10 --report c.json");
    assert!(output.status.success(), "{}", said(&output.stderr));
    let (report, mut events) = (folder.report("c.json"), events(&folder, "e.ndjson"));
    events.extend(self::events(&folder, "f.ndjson"));
    let version = list(&report, "versions").iter().find(|version| version["version"] == "v2").expect("v2");
    let started = events.iter().filter(|event| event["target_version"] == "v2" && !event["instance_id"].is_null());
    let forward: Vec<&Value> = events.iter().filter(|event| event["rollout_id"] == "r-1").collect();
    let retried = forward.iter().filter(|event| event["kind"] == "module.upgrade.instance_retried").count();
    assert_eq!(version["commands"].as_u64(), Some((started.count() + retried) as u64));
    let failed = forward.iter().filter(|event| event["reason"] == "upgrade_failed").count();
    assert_eq!(version["upgrade_failed"].as_u64(), Some(failed as u64));
    assert_eq!(version["relapsed"].as_u64(), Some(count(&events, "instance_relapsed") as u64));
    let promoted = events.iter().filter(|event| event["decision"] == "promote").count();
    assert_eq!(report["operator"]["promoted"].as_u64(), Some(promoted as u64));
    assert_eq!(report["operator"]["promotion_delay"]["n"].as_u64(), Some(promoted as u64));
}

#[test]
fn a_log_that_no_rollout_writes_is_refused_by_what_is_wrong() {
    let folder = Folder::of(CANARY);
    folder.run("run s.toml --events e.ndjson -q");
    let events = events(&folder, "e.ndjson");
    let place = |kind: &str| {
        let full = format!("module.upgrade.{kind}");
        events.iter().position(|event| event["kind"] == full.as_str()).expect("an event of that kind")
    };
    let refused = |change: &dyn Fn(&mut Vec<Value>), why: &str| {
        let mut wrong = events.clone();
        change(&mut wrong);
        let lines: Vec<String> = wrong.iter().map(Value::to_string).collect();
        folder.write("w.ndjson", &lines.join("\n"));
        let output = folder.run("calibrate w.ndjson --heartbeat-interval-sec 10");
        let error = said(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(why), "{error}");
    };
    let (retried, relapsed, noted) = (place("instance_retried"), place("instance_relapsed"), place("breaker_noted"));
    refused(&|events| events[retried]["attempt"] = json!(3), "its attempt is 3");
    refused(&|events| events.insert(relapsed, events[relapsed].clone()), "has no healthy verdict");
    refused(&|events| events[noted]["reason"] = json!("rule 1: 9 of 40 planned failed"), "which counts 9");
    refused(&|events| events[place("batch_started")]["instance_count"] = json!(11), "batch_size of 10");
    let promotion = events.iter().position(|event| event["decision"] == "promote").expect("a promotion");
    refused(&|events| events[promotion]["decision"] = json!("continue_anyway"), "offers promote");
    refused(&|events| drop(events.remove(promotion)), "waits for a promotion");
}

fn compiled(text: &str) -> (Scenario, CompiledScenario) {
    let scenario = Scenario::parse("s.toml", text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"));
    let compiled = CompiledScenario::new(&scenario).expect("a scenario that runs");
    (scenario, compiled)
}

#[test]
fn a_drill_with_promotions_is_recorded_replayed_and_judged() {
    let (scenario, compiled) = compiled(CANARY);
    let mut drill = Drill::new(&compiled, 0, &mut Unobserved);
    drill.answer(Answer::Approve, &mut Unobserved).expect("it is asked");
    drill.next_decision(&mut Unobserved).expect("a promotion");
    assert_eq!(drill.asked().map(|asked| asked.kind), Some(RequestKind::Promotion));
    let wrong = drill.answer(Answer::OnTrip(OperatorDecision::ContinueAnyway), &mut Unobserved);
    assert!(wrong.unwrap_err().to_string().contains("promote, rollback_completed_batches, abort"));
    drill.answer(Answer::Promote, &mut Unobserved).expect("it is offered");
    while drill.next_decision(&mut Unobserved).is_ok() {
        let Some(asked) = drill.asked() else { break };
        let answer = match asked.kind {
            // Left open, it becomes void with the next trip, or the run is given up.
            RequestKind::Promotion if drill.decisions().len() > 4 => {
                Answer::OnTrip(OperatorDecision::RollbackCompletedBatches)
            }
            RequestKind::Promotion => Answer::Promote,
            _ => Answer::OnTrip(OperatorDecision::ContinueAnyway),
        };
        drill.answer(answer, &mut Unobserved).expect("it is offered");
    }
    drill.finish(&mut Unobserved);
    let text = serde_json::to_string(&Record::new(&scenario, 0, drill.decisions())).expect("JSON");
    assert!(text.contains(r#""decide":"promote""#), "{text}");
    let recorded = Record::parse(&text).expect("a record").decisions().expect("decisions");
    let own: Vec<Recorded> = drill.decisions().iter().copied().map(Recorded::from).collect();
    assert_eq!(recorded, own);
    let mut again = Drill::new(&compiled, 0, &mut Unobserved);
    again.play(&recorded, &mut Unobserved).expect("the same run");
    assert_eq!(again.settle().0, drill.settle().0);
    let judgement = score::judge(&compiled, &mut drill);
    let first = judgement.own.decisions.iter().position(|own| own.asked.kind == RequestKind::Promotion);
    let instead = |(place, change, _): &(usize, Change, score::Judged)| match change {
        Change::Instead(answer, _) if Some(*place) == first => Some(answer.name()),
        Change::Instead(..) | Change::HalfAsLate | Change::TwiceAsLate => None,
    };
    let mut others: Vec<&str> = judgement.branches.iter().filter_map(instead).collect();
    others.dedup();
    assert_eq!(others, ["rollback_completed_batches", "abort"]);
    for (_, judged) in &judgement.plain {
        assert_ne!(judged.metrics.outcome, Outcome::Stalled);
        let promotions = judged.decisions.iter().filter(|own| own.asked.kind == RequestKind::Promotion);
        assert!(promotions.into_iter().all(|own| own.answer == Answer::Promote));
    }
    let wrong = json!({"schema": "dryroll.decisions/1", "decisions": [
        {"at_ms": 0, "decide": "continue_anyway", "of_promotion": true}]});
    let error = Record::parse(&wrong.to_string()).expect("a record").decisions().unwrap_err().to_string();
    assert!(error.contains("does not answer a promotion"), "{error}");
}

#[test]
fn a_drill_without_a_limit_of_failures_in_a_row_is_played_by_a_script() {
    let folder = Folder::of(&format!("{STRAGGLERS}\n"));
    folder.write("d.json", r#"{"schema":"dryroll.decisions/1","decisions":[{"at_ms":60000,"decide":"approve"}]}"#);
    let output = folder.run("drill s.toml --decisions d.json --report d-report.json");
    assert!(output.status.success(), "{}", said(&output.stderr));
    let report = folder.report("d-report.json");
    assert_eq!(report["outcome"], "aborted");
    assert_eq!(report["timeline"]["trips"][0]["then"], "abort");
    assert!(
        checked::faults("dryroll.drill/1", &report).is_empty(),
        "{:?}",
        checked::faults("dryroll.drill/1", &report)
    );
    let debrief = said(&output.stdout);
    assert!(debrief.contains("rule 1: 6 of 30 planned failed"), "{debrief}");
}

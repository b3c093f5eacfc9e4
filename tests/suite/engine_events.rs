//! The engine's rules for a controller that was away (§9) and for event lines (§10), and what callers rely on beside.

use crate::common::engine as bench;
use bench::{Bench, CONTINUE, NEW, OLD, ROLL_BACK, at_least_one, beat, edit, events, plan, settings};
use dryroll::engine::{
    Answer, ApprovalId, Direction, Engine, Event, EventBody, EventKind, EventLine, EventNames, InterventionPolicy,
    OperatorDecision, Outcome, Reason, Recording, RequestKind, RolloutId, TripReason,
};
use dryroll::fleet::{At, InstanceId, InstanceNames};

// ---- §9 ------------------------------------------------------------------------------------------

/// Begun at 0 with one slot; the controller goes away, and is back at 5000.
fn away(total: u32) -> Bench {
    let mut bench = Bench::begun(total, |s| {
        s.batches = dryroll::engine::BatchSizes::pct(100);
        s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(1)));
    });
    bench.skip();
    bench
}

#[test]
fn s9_what_came_meanwhile_is_judged_by_its_arrival_and_recorded_at_the_return() {
    let mut bench = away(2);
    bench.late_beat(5000, 300, beat(0, 290, NEW));
    bench.says(
        "5000 r-1 b0 0 healthy
         5000 r-1 b0 1 to v2",
    );
    assert_eq!(bench.next_deadline(), Some(At(5300)), "its time runs from the return");
}

#[test]
fn s9_what_came_too_late_is_a_timeout_recorded_at_the_return() {
    let mut bench = away(2);
    bench.late_beat(5000, 301, beat(0, 290, NEW));
    bench.says_nothing();
    bench.deadline(5000);
    bench.says(
        "5000 r-1 b0 0 failed: health_timeout
         5000 r-1 b0 1 to v2",
    );
}

#[test]
fn s9_what_came_before_the_late_dispatch_says_nothing_of_it() {
    let mut bench = away(2);
    bench.late_beat(5000, 100, beat(0, 90, NEW));
    bench.skip();
    bench.late_beat(5000, 200, beat(1, 190, NEW));
    bench.says_nothing();
    bench.healthy(5001, 1);
    bench.ends(Outcome::Completed);
}

#[test]
fn s9_an_answer_before_the_expiry_wins_over_it_although_both_waited() {
    let mut bench = Bench::new(1, |s| s.policy = InterventionPolicy::RequireApproval);
    bench.request(0);
    bench.skip();
    bench.answer(5000, 1, Answer::Approve);
    bench.expiry(5000);
    bench.says("5000 r-1 a-1 approve");
}

// ---- §10 -----------------------------------------------------------------------------------------

/// The events as JSON lines, in a fleet of 50.
fn json(events: &[Event]) -> Vec<String> {
    let names = EventNames { instances: InstanceNames::new(50), target: "v2", previous: "v1" };
    events.iter().map(|event| serde_json::to_string(&EventLine { event, names }).unwrap()).collect()
}

fn json_of(rollout: u32, body: EventBody) -> String {
    json(&[Event { at: At(1500), rollout: RolloutId(rollout), body }]).remove(0)
}

#[test]
fn s10_every_kind_has_its_keys_in_their_order() {
    use EventBody as E;
    let (request, instance) = (ApprovalId(3), InstanceId(11));
    let cases = [
        (
            E::Planned { total_instances: 50, batch_size: 10, batch_count: 5 },
            r#""kind":"module.upgrade.planned","rollout_id":"r-1","total_instances":50,"batch_size":10,"batch_count":5"#,
        ),
        (
            E::ApprovalRequested { request, kind: RequestKind::RollingUpgrade },
            r#""kind":"module.upgrade.approval_requested","rollout_id":"r-1","approval_request_id":"a-3","type":"rolling_upgrade","options":["approve","edit","reject"]"#,
        ),
        (
            E::ApprovalRequested { request, kind: RequestKind::RollingUpgradeContinuation },
            r#""kind":"module.upgrade.approval_requested","rollout_id":"r-1","approval_request_id":"a-3","type":"rolling_upgrade_continuation","options":["continue_anyway","rollback_completed_batches","abort"]"#,
        ),
        (
            E::ApprovalRequested { request, kind: RequestKind::RollbackContinuation },
            r#""kind":"module.upgrade.approval_requested","rollout_id":"r-1","approval_request_id":"a-3","type":"rolling_upgrade_continuation","options":["continue_anyway","abort"]"#,
        ),
        (
            E::BatchStarted { batch_index: 2, instance_count: 10 },
            r#""kind":"module.upgrade.batch_started","rollout_id":"r-1","batch_index":2,"instance_count":10"#,
        ),
        (
            E::InstanceStarted { batch_index: 2, instance, to: Direction::Forward },
            r#""kind":"module.upgrade.instance_started","rollout_id":"r-1","batch_index":2,"instance_id":"i-00012","target_version":"v2""#,
        ),
        (
            E::InstanceStarted { batch_index: 2, instance, to: Direction::Back },
            r#""kind":"module.upgrade.instance_started","rollout_id":"r-1","batch_index":2,"instance_id":"i-00012","target_version":"v1""#,
        ),
        (
            E::InstanceHealthCheck { batch_index: 2, instance, failure: None },
            r#""kind":"module.upgrade.instance_health_check","rollout_id":"r-1","batch_index":2,"instance_id":"i-00012","healthy":true"#,
        ),
        (
            E::InstanceHealthCheck { batch_index: 2, instance, failure: Some(Reason::HealthTimeout) },
            r#""kind":"module.upgrade.instance_health_check","rollout_id":"r-1","batch_index":2,"instance_id":"i-00012","healthy":false,"reason":"health_timeout""#,
        ),
        (
            E::InstanceHealthCheck { batch_index: 2, instance, failure: Some(Reason::UpgradeFailed) },
            r#""kind":"module.upgrade.instance_health_check","rollout_id":"r-1","batch_index":2,"instance_id":"i-00012","healthy":false,"reason":"upgrade_failed""#,
        ),
        (
            E::CircuitBreakerTripped {
                batch_index: 2,
                failed: vec![InstanceId(11), InstanceId(4)],
                reason: TripReason::ConsecutiveFailures { limit: 2 },
            },
            r#""kind":"module.upgrade.circuit_breaker_tripped","rollout_id":"r-1","batch_index":2,"failed_instance_ids":["i-00012","i-00005"],"reason":"max_consecutive_failures (2) exceeded""#,
        ),
        (
            E::BatchCompleted { batch_index: 2, healthy_count: 9, failed_count: 1 },
            r#""kind":"module.upgrade.batch_completed","rollout_id":"r-1","batch_index":2,"healthy_count":9,"failed_count":1"#,
        ),
        (E::OperatorNotified, r#""kind":"module.upgrade.operator_notified","rollout_id":"r-1""#),
        (
            E::Finished { outcome: Outcome::RolledBack },
            r#""kind":"module.upgrade.finished","rollout_id":"r-1","outcome":"rolled_back""#,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(json_of(1, body), format!(r#"{{"at_ms":1500,{expected}}}"#));
    }
    assert_eq!(
        json_of(2, E::RollbackStarted { instance_count: 20 }),
        r#"{"at_ms":1500,"kind":"module.upgrade.rollback_started","rollout_id":"r-2","target_version":"v1","instance_count":20}"#
    );
    let failed = json_of(1, E::RollbackFailed);
    let start = r#"{"at_ms":1500,"kind":"module.upgrade.rollback_failed","rollout_id":"r-1","reason":""#;
    assert!(failed.starts_with(start), "{failed}");
}

#[test]
fn s10_a_decision_names_what_was_decided_and_an_edit_its_changed_keys() {
    let decided = |answer| json_of(1, EventBody::ApprovalDecided { request: ApprovalId(1), answer });
    let line = |rest: &str| {
        format!(
            r#"{{"at_ms":1500,"kind":"module.upgrade.approval_decided","rollout_id":"r-1","approval_request_id":"a-1",{rest}}}"#
        )
    };
    assert_eq!(decided(Answer::Approve), line(r#""decision":"approve""#));
    assert_eq!(decided(Answer::Reject), line(r#""decision":"reject""#));
    assert_eq!(decided(edit(Some(5), None)), line(r#""decision":"edit","batch_pct":5"#));
    assert_eq!(decided(edit(None, Some(3))), line(r#""decision":"edit","max_consecutive_failures":3"#));
    let both = r#""decision":"edit","batch_pct":5,"max_consecutive_failures":3"#;
    assert_eq!(decided(edit(Some(5), Some(3))), line(both));
    for (decision, name) in [
        (OperatorDecision::ContinueAnyway, "continue_anyway"),
        (OperatorDecision::RollbackCompletedBatches, "rollback_completed_batches"),
        (OperatorDecision::Abort, "abort"),
    ] {
        assert_eq!(decided(Answer::OnTrip(decision)), line(&format!(r#""decision":"{name}""#)));
    }
}

#[test]
fn s10_outcomes_bear_the_contracts_names() {
    assert_eq!(
        Outcome::ALL.map(|outcome| outcome.name()),
        ["completed", "aborted", "rolled_back", "rollback_failed", "rejected", "expired", "blocked", "stalled"]
    );
}

#[test]
fn s10_kinds_are_found_by_their_names() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::from_name(kind.full_name()), Some(kind));
        assert_eq!(EventKind::from_name(kind.name()), Some(kind));
    }
    assert_eq!(EventKind::from_name("module.upgrade."), None);
}

/// A run with a trip that is continued, a trip that is rolled back, and a rollback that trips.
fn eventful(engine: &mut Engine) -> Vec<Event> {
    let report =
        |instance, at, from| dryroll::fleet::Heartbeat { failed_upgrade: Some(from), ..beat(instance, at, from) };
    engine.handle_request(At(0));
    engine.handle_timeout(At(0));
    engine.handle_heartbeat(At(10), At(10), &beat(1, 10, NEW));
    engine.handle_heartbeat(At(20), At(20), &report(0, 20, NEW));
    engine.handle_answer(At(30), ApprovalId(1), CONTINUE).unwrap();
    engine.handle_timeout(At(60));
    while engine.poll_timeout() == Some(At(360)) {
        engine.handle_timeout(At(360));
    }
    engine.handle_answer(At(400), ApprovalId(2), ROLL_BACK).unwrap();
    engine.handle_timeout(At(420));
    engine.handle_heartbeat(At(700), At(700), &beat(1, 700, OLD));
    engine.handle_timeout(At(720));
    engine.handle_answer(At(800), ApprovalId(3), CONTINUE).unwrap();
    engine.handle_timeout(At(840));
    engine.handle_heartbeat(At(850), At(850), &beat(2, 850, OLD));
    engine.handle_heartbeat(At(850), At(850), &beat(3, 850, OLD));
    events(engine)
}

fn eventful_engine(recording: Recording) -> Engine {
    let mut settings = settings();
    settings.max_consecutive_failures = Some(at_least_one(1));
    Engine::new(plan(4, &settings), settings, bench::ALWAYS, recording)
}

#[test]
fn s10_ids_are_given_in_order_and_the_whole_ends_with_one_finished_of_the_first() {
    let said: Vec<_> = eventful(&mut eventful_engine(Recording::Everything)).iter().map(bench::line).collect();
    assert_eq!(
        said,
        [
            "0 r-1 planned 4 = 2 x 2",
            "0 r-1 b0 starts with 2",
            "0 r-1 b0 0 to v2",
            "0 r-1 b0 1 to v2",
            "10 r-1 b0 1 healthy",
            "20 r-1 b0 0 failed: upgrade_failed",
            "20 r-1 b0 TRIPPED by 0",
            "20 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort",
            "20 r-1 b0 done: 1 healthy, 1 failed",
            "30 r-1 a-1 continue_anyway",
            "60 r-1 b1 starts with 2",
            "60 r-1 b1 2 to v2",
            "60 r-1 b1 3 to v2",
            "360 r-1 b1 2 failed: health_timeout",
            "360 r-1 b1 TRIPPED by 2",
            "360 r-1 a-2 asks continue_anyway|rollback_completed_batches|abort",
            "360 r-1 b1 3 failed: health_timeout",
            "360 r-1 b1 done: 0 healthy, 2 failed",
            "400 r-1 a-2 rollback_completed_batches",
            "400 r-2 rollback of 4",
            "420 r-2 b0 starts with 2",
            "420 r-2 b0 0 to v1",
            "420 r-2 b0 1 to v1",
            "700 r-2 b0 1 healthy",
            "720 r-2 b0 0 failed: health_timeout",
            "720 r-2 b0 TRIPPED by 0",
            "720 r-2 a-3 asks continue_anyway|abort",
            "720 r-2 b0 done: 1 healthy, 1 failed",
            "800 r-2 a-3 continue_anyway",
            "840 r-2 b1 starts with 2",
            "840 r-2 b1 2 to v1",
            "840 r-2 b1 3 to v1",
            "850 r-2 b1 2 healthy",
            "850 r-2 b1 3 healthy",
            "850 r-2 b1 done: 2 healthy, 0 failed",
            "850 r-1 FINISHED rolled_back",
        ]
    );
}

#[test]
fn milestones_are_everything_but_starts_and_healthy_checks() {
    let everything = eventful(&mut eventful_engine(Recording::Everything));
    let milestones = eventful(&mut eventful_engine(Recording::Milestones));
    let is_milestone = |event: &&Event| {
        !matches!(event.body, EventBody::InstanceStarted { .. } | EventBody::InstanceHealthCheck { failure: None, .. })
    };
    assert_eq!(milestones, everything.iter().filter(is_milestone).cloned().collect::<Vec<_>>());
    let mut silent = eventful_engine(Recording::Nothing);
    assert_eq!(eventful(&mut silent), []);
    assert_eq!(silent.outcome(), Some(Outcome::RolledBack));
}

#[test]
fn an_engine_that_is_reset_is_as_new() {
    let mut settings = settings();
    settings.policy = InterventionPolicy::RequireApproval;
    let mut engine = Engine::new(plan(4, &settings), settings, bench::ALWAYS, Recording::Everything);
    let run = |engine: &mut Engine| {
        engine.handle_request(At(5));
        engine.handle_answer(At(6), ApprovalId(1), edit(Some(100), Some(1))).unwrap();
        engine.handle_answer(At(7), ApprovalId(1), Answer::Approve).unwrap();
        engine.handle_timeout(At(60));
        engine.handle_heartbeat(At(90), At(90), &beat(2, 90, NEW));
        engine.handle_timeout(At(360));
        engine.handle_answer(At(400), ApprovalId(2), ROLL_BACK).unwrap();
        engine.handle_timeout(At(420));
        engine.handle_previous_gone(At(430));
        events(engine)
    };
    let first = run(&mut engine);
    engine.reset();
    assert_eq!((engine.plan().batch_size(), engine.breaker(), engine.dispatched()), (2, Some((0, 2)), 0));
    assert_eq!((engine.outcome(), engine.pending_request(), engine.poll_command()), (None, None, None));
    assert_eq!(run(&mut engine), first);
}

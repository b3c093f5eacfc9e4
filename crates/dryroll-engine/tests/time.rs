//! Time (§3, §8, §9): a driver that calls at `poll_timeout` and knows no order gets the order right.

use std::error::Error;
use std::num::NonZeroU32;

use dryroll_engine::fleet::{At, DigestId, Heartbeat, InstanceId, Span};
use dryroll_engine::{
    Answer, ApprovalId, BatchSizes, Engine, Entry, Event, EventBody, Input, InterventionPolicy, Journal,
    OperatorDecision, Outcome, Plan, PlanOrder, Recording, Settings, Size, Ticks, Timer, VersionRef,
};

type Tested = Result<(), Box<dyn Error>>;

const TICKS: Ticks = Ticks::every(Span(60));
const CONTINUE: Answer = Answer::OnTrip(OperatorDecision::ContinueAnyway);

/// Four instances in batches of two, 300 ms to become healthy, a request that expires after 1000 ms.
fn engine(policy: InterventionPolicy, change: impl FnOnce(&mut Settings)) -> Engine {
    let mut settings = Settings {
        batches: BatchSizes::pct(50),
        health_timeout: Span(300),
        rollback_health_timeout: Span(300),
        policy,
        approval_expires: Span(1020),
        ..Settings::new(
            VersionRef { id: "v2".into(), digest: DigestId(2) },
            Some(VersionRef { id: "v1".into(), digest: DigestId(1) }),
        )
    };
    change(&mut settings);
    let plan = Plan::new(PlanOrder::new((0..4).map(InstanceId)), vec![], &settings.batches);
    let mut engine = Engine::new(plan, settings, TICKS, Recording::Journal);
    engine.handle_request(At(0));
    engine
}

/// Calls the engine as long as something is due by now.
fn all_due(engine: &mut Engine, now: u64) {
    while engine.poll_timeout().is_some_and(|due| due <= At(now)) {
        engine.handle_timeout(At(now));
    }
}

fn healthy(engine: &mut Engine, now: u64, arrived: u64, instance: u32) {
    let sent_at = At(arrived);
    let heartbeat =
        Heartbeat { instance: InstanceId(instance), sent_at, digest: DigestId(2), healthy: true, failed_upgrade: None };
    engine.handle_heartbeat(At(now), At(arrived), &heartbeat);
}

/// The kinds of the inputs and events since the last call.
fn heard(engine: &mut Engine) -> Vec<(u64, &'static str)> {
    let kind = |entry| match entry {
        Entry::Input { now, input: Input::Deadline } => Some((now.0, "DEADLINE")),
        Entry::Input { now, input: Input::Expiry } => Some((now.0, "EXPIRY")),
        Entry::Input { now, input: Input::Tick } => Some((now.0, "TICK")),
        Entry::Input { now, input: Input::Answer { .. } } => Some((now.0, "ANSWER")),
        Entry::Input { .. } | Entry::Event(Event { body: EventBody::InstanceStarted { .. }, .. }) => None,
        Entry::Event(event) => Some((event.at.0, event.body.kind().name())),
    };
    std::iter::from_fn(|| engine.poll_entry()).filter_map(kind).collect()
}

#[test]
fn s3_it_wants_to_be_called_on_the_grid_only_where_a_tick_matters() {
    let mut engine = engine(InterventionPolicy::AutoApprove, |_| ());
    assert_eq!(engine.next_timer(), Some((At(0), Timer::Tick)));
    engine.handle_timeout(At(0));
    assert_eq!(engine.next_timer(), Some((At(300), Timer::Deadline)));
    for instance in [0, 1] {
        healthy(&mut engine, 70, 70, instance);
    }
    assert_eq!(engine.next_timer(), Some((At(120), Timer::Tick)));
    heard(&mut engine);
    assert_eq!(engine.handle_timeout(At(119)), None);
    assert_eq!(heard(&mut engine), []);
    engine.handle_timeout(At(120));
    assert_eq!(heard(&mut engine), [(120, "TICK"), (120, "batch_started")]);
}

#[test]
fn s8_deadlines_come_before_the_tick_of_their_millisecond() {
    let mut engine = engine(InterventionPolicy::AutoApprove, |s| s.max_consecutive_failures = Some(NonZeroU32::MAX));
    all_due(&mut engine, 0);
    heard(&mut engine);
    all_due(&mut engine, 300);
    assert_eq!(
        heard(&mut engine),
        [
            (300, "DEADLINE"),
            (300, "instance_health_check"),
            (300, "DEADLINE"),
            (300, "instance_health_check"),
            (300, "batch_completed"),
            (300, "TICK"),
            (300, "batch_started"),
        ]
    );
}

#[test]
fn s8_an_answer_comes_after_deadlines_and_before_the_tick() -> Tested {
    let mut engine = engine(InterventionPolicy::AutoApprove, |s| {
        s.max_consecutive_failures = Some(NonZeroU32::MIN);
        s.batches = dryroll_engine::BatchSizes::pct(100);
    });
    all_due(&mut engine, 0);
    engine.handle_timeout(At(300));
    heard(&mut engine);
    assert_eq!(engine.poll_timeout(), Some(At(300)), "three more are due");
    engine.handle_answer(At(300), ApprovalId(1), CONTINUE)?;
    let taken = heard(&mut engine);
    assert_eq!(taken.iter().filter(|said| said.1 == "DEADLINE").count(), 3);
    assert_eq!(taken[taken.len() - 3..], [(300, "ANSWER"), (300, "approval_decided"), (300, "finished")]);
    Ok(())
}

#[test]
fn s8_a_refused_answer_takes_no_deadline() {
    let mut engine = engine(InterventionPolicy::AutoApprove, |_| ());
    all_due(&mut engine, 0);
    heard(&mut engine);
    assert!(engine.handle_answer(At(300), ApprovalId(1), CONTINUE).is_err());
    assert_eq!(heard(&mut engine), [(300, "ANSWER")]);
    assert_eq!(engine.poll_timeout(), Some(At(300)));
}

#[test]
fn s2_an_answer_at_the_expirys_own_millisecond_counts_and_the_tick_sees_it() -> Tested {
    let mut engine = engine(InterventionPolicy::RequireApproval, |_| ());
    assert_eq!(engine.next_timer(), Some((At(1020), Timer::Expiry)));
    heard(&mut engine);
    engine.handle_answer(At(1020), ApprovalId(1), Answer::Approve)?;
    all_due(&mut engine, 1020);
    assert_eq!(
        heard(&mut engine),
        [(1020, "ANSWER"), (1020, "approval_decided"), (1020, "TICK"), (1020, "batch_started")]
    );
    Ok(())
}

#[test]
fn s2_without_an_answer_it_expires() {
    let mut engine = engine(InterventionPolicy::RequireApproval, |_| ());
    all_due(&mut engine, 1019);
    assert_eq!(engine.outcome(), None);
    all_due(&mut engine, 1020);
    assert_eq!(engine.outcome(), Some(Outcome::Expired));
    assert_eq!(engine.poll_timeout(), None);
}

#[test]
fn s3_a_pause_skips_ticks_and_no_deadlines() {
    let mut engine = engine(InterventionPolicy::AutoApprove, |_| ());
    engine.skip_ticks_until(At(61));
    assert_eq!(engine.poll_timeout(), Some(At(120)));
    all_due(&mut engine, 120);
    engine.skip_ticks_until(At(1000));
    assert_eq!(engine.next_timer(), Some((At(420), Timer::Deadline)));
}

#[test]
fn s3_a_tick_is_taken_once() -> Tested {
    let mut engine = engine(InterventionPolicy::AutoApprove, |s| {
        s.max_consecutive_failures = Some(NonZeroU32::MIN);
        s.max_in_flight = Some(Size::Count(NonZeroU32::MIN));
    });
    all_due(&mut engine, 0);
    let failed_upgrade = Some(DigestId(2));
    let report =
        Heartbeat { instance: InstanceId(0), sent_at: At(0), digest: DigestId(1), healthy: true, failed_upgrade };
    engine.handle_heartbeat(At(0), At(0), &report);
    engine.handle_answer(At(0), ApprovalId(1), CONTINUE)?;
    assert_eq!(engine.next_timer(), Some((At(60), Timer::Tick)), "that of 0 began the batch");
    Ok(())
}

#[test]
fn s9_what_waited_is_judged_by_its_own_moment_and_recorded_at_the_return() -> Tested {
    let mut before = engine(InterventionPolicy::AutoApprove, |_| ());
    all_due(&mut before, 0);
    let mut journal = Journal::new(before.plan().clone(), before.settings().clone());
    journal.entries.extend(std::iter::from_fn(|| before.poll_entry()));

    let mut engine = journal.rebuild(TICKS)?;
    assert_eq!(heard(&mut engine), []);
    engine.resume(At(500));
    // A heartbeat of 290 and one of 310 wait; the deadline of 300 lies between them.
    healthy(&mut engine, 500, 290, 0);
    assert_eq!(engine.poll_timeout(), Some(At(300)));
    engine.handle_timeout(At(300));
    healthy(&mut engine, 500, 310, 1);
    assert_eq!(
        heard(&mut engine),
        [(500, "instance_health_check"), (500, "DEADLINE"), (500, "instance_health_check"), (500, "batch_completed"),]
    );
    assert_eq!(engine.poll_timeout(), Some(At(540)), "the ticks that it missed are gone");
    Ok(())
}

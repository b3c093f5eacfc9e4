//! The engine's rules for the walk (§3), verdicts (§4), outcomes (§7) and the order within a millisecond (§8).

use crate::common::engine as bench;
use bench::{Bench, NEW, OLD, OTHER, at_least_one, beat, settings};
use dryroll::engine::{Answer, Direction};
use dryroll::engine::{BatchPhase, InterventionPolicy, Judged, Outcome, Phase, Plan, PlanOrder, Reason, Verdict};
use dryroll::fleet::{At, Heartbeat, InstanceId};

// ---- §3 ------------------------------------------------------------------------------------------

#[test]
fn s3_a_batch_dispatches_all_its_instances_at_its_start_in_plan_order() {
    let mut bench = Bench::new(5, |s| s.batches = dryroll::engine::BatchSizes::pct(60));
    bench.request(0);
    bench.skip();
    bench.tick(60);
    bench.says(
        "60 r-1 b0 starts with 3
         60 r-1 b0 0 to v2
         60 r-1 b0 1 to v2
         60 r-1 b0 2 to v2",
    );
    assert_eq!((bench.engine.in_flight(), bench.engine.dispatched()), (3, 3));
}

#[test]
fn s3_a_batch_completes_with_its_last_verdict_and_the_next_one_waits_for_a_tick() {
    let mut bench = Bench::begun(3, |s| s.batches = dryroll::engine::BatchSizes::pct(60));
    bench.healthy(70, 1);
    bench.tick(80);
    bench.says("70 r-1 b0 1 healthy");
    bench.healthy(90, 0);
    bench.says(
        "90 r-1 b0 0 healthy
         90 r-1 b0 done: 2 healthy, 0 failed",
    );
    assert!(bench.engine.awaits_tick());
    bench.tick(120);
    bench.says(
        "120 r-1 b1 starts with 1
         120 r-1 b1 2 to v2",
    );
    assert!(!bench.engine.awaits_tick());
}

#[test]
fn s3_a_skipped_tick_starts_nothing_and_verdicts_still_arrive() {
    let mut bench = Bench::begun(2, |_| ());
    bench.healthy(10, 0);
    bench.skip();
    // Ticks at 60 and 120 are skipped by a paused reconciler: they are not handed in.
    assert_eq!(bench.next_deadline(), None);
    bench.tick(180);
    bench.says(
        "180 r-1 b1 starts with 1
         180 r-1 b1 1 to v2",
    );
}

#[test]
fn s3_a_tick_in_the_middle_of_a_batch_does_nothing() {
    let mut bench = Bench::begun(4, |s| s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(1))));
    bench.skip();
    bench.tick(60);
    bench.tick(60);
    bench.says_nothing();
}

#[test]
fn s3_max_in_flight_holds_and_a_slot_that_frees_is_filled_at_once() {
    let mut bench = Bench::new(5, |s| {
        s.batches = dryroll::engine::BatchSizes::pct(80);
        s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(2)));
    });
    bench.request(0);
    bench.skip();
    bench.tick(0);
    bench.says(
        "0 r-1 b0 starts with 4
         0 r-1 b0 0 to v2
         0 r-1 b0 1 to v2",
    );
    assert_eq!(bench.engine.in_flight(), 2);
    bench.healthy(33, 1);
    bench.says(
        "33 r-1 b0 1 healthy
         33 r-1 b0 2 to v2",
    );
    bench.report(44, 0);
    bench.says(
        "44 r-1 b0 0 failed: upgrade_failed
         44 r-1 b0 3 to v2",
    );
    bench.healthy(50, 2);
    bench.says("50 r-1 b0 2 healthy");
    bench.healthy(51, 3);
    bench.says(
        "51 r-1 b0 3 healthy
         51 r-1 b0 done: 3 healthy, 1 failed",
    );
}

#[test]
fn s3_max_in_flight_does_not_reach_into_the_next_batch() {
    let mut bench = Bench::begun(4, |s| s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(3))));
    bench.healthy(10, 0);
    bench.says("10 r-1 b0 0 healthy");
    assert_eq!(bench.engine.dispatched(), 2);
}

#[test]
fn s3_a_slot_has_its_own_deadline() {
    let mut bench = Bench::begun(2, |s| {
        s.batches = dryroll::engine::BatchSizes::pct(100);
        s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(1)));
    });
    bench.healthy(40, 0);
    assert_eq!(bench.engine.dispatched_at(1), Some(At(40)));
    assert_eq!(bench.next_deadline(), Some(At(340)));
}

#[test]
fn s3_phases_follow_the_walk() {
    let mut bench = Bench::begun(3, |s| s.batches = dryroll::engine::BatchSizes::pct(30));
    let phases = |bench: &Bench| [0, 1, 2].map(|index| bench.engine.batch_phase(index));
    assert_eq!(phases(&bench), [BatchPhase::Running, BatchPhase::Pending, BatchPhase::Pending]);
    bench.healthy(10, 0);
    assert_eq!(phases(&bench), [BatchPhase::Completed, BatchPhase::Pending, BatchPhase::Pending]);
    bench.tick(60);
    bench.healthy(70, 1);
    bench.tick(120);
    bench.healthy(130, 2);
    assert_eq!(phases(&bench), [BatchPhase::Completed; 3]);
}

#[test]
fn s3_a_fleet_with_gaps_is_walked_in_its_order() {
    let order = PlanOrder::new([2, 3, 7, 9].map(InstanceId));
    let mut bench = Bench::of(Plan::new(order, vec![InstanceId(4)], &settings().batches), settings());
    bench.request(0);
    bench.tick(0);
    bench.skip();
    bench.healthy(10, 3);
    bench.healthy(10, 4);
    bench.healthy(11, 2);
    bench.tick(60);
    bench.says(
        "10 r-1 b0 3 healthy
         11 r-1 b0 2 healthy
         11 r-1 b0 done: 2 healthy, 0 failed
         60 r-1 b1 starts with 2
         60 r-1 b1 7 to v2
         60 r-1 b1 9 to v2",
    );
}

// ---- §4 ------------------------------------------------------------------------------------------

/// One instance, dispatched at 100: it is due at 400.
fn one() -> Bench {
    let mut bench = Bench::new(1, |_| ());
    bench.request(0);
    bench.tick(100);
    bench.skip();
    bench
}

const HEALTHY: Option<Judged> = Some(Judged { position: 0, verdict: Verdict::Healthy });
const REPORTED: Option<Judged> = Some(Judged { position: 0, verdict: Verdict::Failed(Reason::UpgradeFailed) });
const TIMED_OUT: Option<Judged> = Some(Judged { position: 0, verdict: Verdict::Failed(Reason::HealthTimeout) });

#[test]
fn s4_a_healthy_heartbeat_with_the_target_digest_is_healthy() {
    let mut bench = one();
    assert_eq!(bench.beat(150, beat(0, 150, NEW)), HEALTHY);
    assert_eq!(bench.engine.phase(0, Direction::Forward), Phase::Judged(Verdict::Healthy));
}

#[test]
fn s4_the_old_digest_another_digest_or_an_unhealthy_target_say_nothing() {
    let mut bench = one();
    assert_eq!(bench.beat(150, beat(0, 150, OLD)), None);
    assert_eq!(bench.beat(160, beat(0, 160, OTHER)), None);
    assert_eq!(bench.beat(170, Heartbeat { healthy: false, ..beat(0, 170, NEW) }), None);
    bench.says_nothing();
    assert_eq!(bench.beat(180, beat(0, 180, NEW)), HEALTHY, "a later one still decides");
}

#[test]
fn s4_a_report_fails_it() {
    let mut bench = one();
    assert_eq!(bench.beat(150, Heartbeat { failed_upgrade: Some(NEW), ..beat(0, 150, OLD) }), REPORTED);
    bench.says(
        "150 r-1 b0 0 failed: upgrade_failed
         150 r-1 b0 done: 0 healthy, 1 failed
         150 r-1 FINISHED completed",
    );
}

#[test]
fn s4_a_report_wins_over_the_digest() {
    let mut bench = one();
    assert_eq!(bench.beat(150, Heartbeat { failed_upgrade: Some(NEW), ..beat(0, 150, NEW) }), REPORTED);
}

#[test]
fn s4_a_report_about_another_upgrade_says_nothing_of_this_one() {
    let mut bench = one();
    assert_eq!(bench.beat(150, Heartbeat { failed_upgrade: Some(OTHER), ..beat(0, 150, OLD) }), None);
    assert_eq!(bench.beat(160, Heartbeat { failed_upgrade: Some(OTHER), ..beat(0, 160, NEW) }), HEALTHY);
}

#[test]
fn s4_silence_fails_it_at_the_deadline() {
    let mut bench = one();
    assert_eq!(bench.next_deadline(), Some(At(400)));
    assert_eq!(bench.deadline(399), None);
    assert_eq!(bench.deadline(400), TIMED_OUT);
    assert_eq!(bench.deadline(400), None);
    bench.says(
        "400 r-1 b0 0 failed: health_timeout
         400 r-1 b0 done: 0 healthy, 1 failed
         400 r-1 FINISHED completed",
    );
}

#[test]
fn s4_a_heartbeat_at_the_deadlines_own_millisecond_counts() {
    let mut bench = one();
    assert_eq!(bench.beat(400, beat(0, 390, NEW)), HEALTHY);
    assert_eq!(bench.deadline(400), None);
}

#[test]
fn s4_a_heartbeat_after_the_deadline_does_not_count() {
    let mut bench = one();
    assert_eq!(bench.beat(401, beat(0, 390, NEW)), None);
    assert_eq!(bench.deadline(401), TIMED_OUT);
}

#[test]
fn s4_a_report_after_the_deadline_is_a_timeout() {
    let mut bench = one();
    assert_eq!(bench.beat(401, Heartbeat { failed_upgrade: Some(NEW), ..beat(0, 401, OLD) }), None);
    assert_eq!(bench.deadline(401), TIMED_OUT);
}

#[test]
fn s4_a_heartbeat_that_arrived_before_the_dispatch_says_nothing() {
    let mut bench = one();
    assert_eq!(bench.late_beat(150, 99, beat(0, 99, NEW)), None);
    assert_eq!(bench.late_beat(150, 100, beat(0, 100, NEW)), HEALTHY, "in its own millisecond it counts");
}

#[test]
fn s4_an_older_heartbeat_never_undoes_a_newer_one() {
    let mut bench = one();
    assert_eq!(bench.beat(200, beat(0, 190, OLD)), None);
    assert_eq!(bench.beat(210, beat(0, 180, NEW)), None, "sent before one that was taken already");
    assert_eq!(bench.beat(220, beat(0, 190, NEW)), HEALTHY, "sent with it");
}

#[test]
fn s4_one_verdict_each_and_it_is_final() {
    let mut bench = Bench::begun(2, |s| s.batches = dryroll::engine::BatchSizes::pct(100));
    bench.healthy(10, 0);
    bench.skip();
    bench.healthy(20, 0);
    bench.report(30, 0);
    bench.says_nothing();
    bench.deadlines(300);
    bench.says(
        "300 r-1 b0 1 failed: health_timeout
         300 r-1 b0 done: 1 healthy, 1 failed
         300 r-1 FINISHED completed",
    );
}

#[test]
fn s4_an_instance_that_waits_gets_no_verdict() {
    let mut bench = Bench::begun(2, |_| ());
    bench.healthy(10, 1);
    bench.report(20, 1);
    bench.says_nothing();
    bench.healthy(30, 0);
    bench.tick(60);
    assert_eq!(bench.engine.phase(1, Direction::Forward), Phase::InFlight);
}

// ---- §7 ------------------------------------------------------------------------------------------

#[test]
fn s7_the_last_batch_ends_it_without_a_tick() {
    let mut bench = Bench::begun(2, |_| ());
    bench.healthy(10, 0);
    bench.tick(60);
    bench.skip();
    bench.healthy(75, 1);
    bench.says(
        "75 r-1 b1 1 healthy
         75 r-1 b1 done: 1 healthy, 0 failed
         75 r-1 FINISHED completed",
    );
    bench.ends(Outcome::Completed);
}

#[test]
fn s7_failures_below_the_limit_complete_all_the_same() {
    let mut bench = Bench::begun(4, |s| s.batches = dryroll::engine::BatchSizes::pct(100));
    bench.report(10, 0);
    bench.healthy(20, 1);
    bench.report(30, 2);
    bench.healthy(40, 3);
    bench.ends(Outcome::Completed);
}

#[test]
fn s7_the_horizon_stalls_whatever_is_not_over() {
    let mut asked = Bench::new(1, |s| s.policy = InterventionPolicy::RequireApproval);
    asked.request(0);
    let walking = Bench::begun(2, |_| ());
    let mut tripped = Bench::begun(2, |s| s.max_consecutive_failures = Some(at_least_one(1)));
    tripped.report(10, 0);
    for mut bench in [asked, walking, tripped] {
        bench.skip();
        bench.horizon(500);
        bench.says("500 r-1 FINISHED stalled");
        assert_eq!((bench.engine.pending_request(), bench.next_deadline()), (None, None));
        assert_eq!((bench.engine.in_flight(), bench.engine.awaits_tick()), (0, false));
    }
}

#[test]
fn s7_after_the_end_inputs_do_nothing() {
    let mut bench = Bench::begun(1, |_| ());
    bench.healthy(10, 0);
    bench.skip();
    bench.request(20);
    bench.tick(20);
    bench.report(20, 0);
    bench.deadlines(1000);
    bench.expiry(2000);
    bench.previous_gone(2000);
    bench.horizon(3000);
    assert!(bench.try_answer(3000, 1, Answer::Approve).is_err());
    bench.says_nothing();
    bench.ends(Outcome::Completed);
}

// ---- §8 ------------------------------------------------------------------------------------------

#[test]
fn s8_an_approval_at_a_ticks_own_instant_is_seen_by_it() {
    let mut bench = Bench::new(1, |s| s.policy = InterventionPolicy::RequireApproval);
    bench.request(0);
    bench.answer(0, 1, Answer::Approve);
    bench.skip();
    bench.tick(0);
    bench.says(
        "0 r-1 b0 starts with 1
         0 r-1 b0 0 to v2",
    );
}

#[test]
fn s8_a_verdict_at_a_ticks_own_instant_is_seen_by_it() {
    let mut bench = Bench::begun(2, |_| ());
    bench.deadlines(300);
    bench.tick(300);
    bench.says(
        "300 r-1 b0 0 failed: health_timeout
         300 r-1 b0 done: 0 healthy, 1 failed
         300 r-1 b1 starts with 1
         300 r-1 b1 1 to v2",
    );
}

#[test]
fn s8_deadlines_of_one_millisecond_come_in_plan_order() {
    let mut bench = Bench::begun(4, |s| {
        s.batches = dryroll::engine::BatchSizes::pct(100);
        s.max_consecutive_failures = Some(at_least_one(9));
    });
    bench.healthy(10, 1);
    bench.skip();
    bench.deadlines(300);
    bench.says(
        "300 r-1 b0 0 failed: health_timeout
         300 r-1 b0 2 failed: health_timeout
         300 r-1 b0 3 failed: health_timeout
         300 r-1 b0 done: 1 healthy, 3 failed
         300 r-1 FINISHED completed",
    );
}

#[test]
fn s8_time_that_runs_backwards_stands_still() {
    let mut bench = Bench::begun(2, |_| ());
    bench.healthy(100, 0);
    bench.skip();
    bench.tick(50);
    bench.says(
        "100 r-1 b1 starts with 1
         100 r-1 b1 1 to v2",
    );
    assert_eq!(bench.next_deadline(), Some(At(400)));
    assert_eq!(bench.beat(60, beat(1, 60, NEW)), None, "it arrived before the dispatch");
}

#[test]
fn inputs_of_strangers_change_nothing() {
    let mut bench = Bench::begun(2, |_| ());
    bench.healthy(10, 7);
    bench.report(10, u32::MAX);
    assert!(bench.try_answer(10, 0, Answer::Approve).is_err());
    bench.says_nothing();
    assert_eq!(bench.engine.in_flight(), 1);
}

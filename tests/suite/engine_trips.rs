//! The engine's rules for the decisions on a trip (§6).

use crate::common::engine as bench;
use bench::{ABORT, Bench, CONTINUE, NEW, OLD, ROLL_BACK, at_least_one, beat, edit};
use dryroll::engine::{
    Answer, AnswerError, BatchPhase, BreakerOrder, BreakerScope, Direction, InterventionPolicy, Outcome, Phase,
    RequestKind, Settings,
};

// ---- §6, continue_anyway -------------------------------------------------------------------------

#[test]
fn s6_continue_dispatches_the_rest_of_the_batch_from_the_next_tick_on() {
    let mut bench = Bench::one_batch(5, 1, |s| s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(2))));
    bench.report(10, 0);
    bench.skip();
    bench.answer(70, 1, CONTINUE);
    bench.says("70 r-1 a-1 continue_anyway");
    assert!(bench.engine.awaits_tick());
    bench.healthy(80, 1);
    bench.says("80 r-1 b0 1 healthy");
    bench.tick(120);
    bench.says(
        "120 r-1 b0 2 to v2
         120 r-1 b0 3 to v2",
    );
    bench.healthy(130, 2);
    bench.says(
        "130 r-1 b0 2 healthy
         130 r-1 b0 4 to v2",
    );
}

#[test]
fn s6_continue_between_batches_walks_on_at_the_next_tick() {
    let mut bench = Bench::begun(2, |s| s.max_consecutive_failures = Some(at_least_one(1)));
    bench.report(10, 0);
    bench.skip();
    bench.answer(60, 1, CONTINUE);
    bench.tick(60);
    bench.says(
        "60 r-1 a-1 continue_anyway
         60 r-1 b1 starts with 1
         60 r-1 b1 1 to v2",
    );
}

#[test]
fn s6_continue_with_the_whole_batch_in_flight_needs_no_tick() {
    let mut bench = Bench::one_batch(2, 1, |_| ());
    bench.report(10, 0);
    bench.answer(20, 1, CONTINUE);
    assert!(!bench.engine.awaits_tick());
    bench.skip();
    bench.healthy(30, 1);
    bench.says(
        "30 r-1 b0 1 healthy
         30 r-1 b0 done: 1 healthy, 1 failed
         30 r-1 FINISHED completed",
    );
}

#[test]
fn s6_continue_sets_the_count_to_zero_and_it_may_trip_again() {
    let mut bench = Bench::one_batch(5, 2, |_| ());
    bench.report(10, 0);
    bench.report(20, 1);
    bench.answer(30, 1, CONTINUE);
    assert_eq!(bench.engine.breaker(), Some((0, 2)));
    bench.skip();
    bench.report(40, 2);
    bench.says("40 r-1 b0 2 failed: upgrade_failed");
    bench.report(50, 3);
    bench.says(
        "50 r-1 b0 3 failed: upgrade_failed
         50 r-1 b0 TRIPPED by 2 3
         50 r-1 a-2 asks continue_anyway|rollback_completed_batches|abort",
    );
}

#[test]
fn s6_verdicts_given_while_the_request_was_pending_are_never_counted() {
    let mut bench = Bench::one_batch(5, 2, |_| ());
    bench.report(10, 0);
    bench.report(20, 1);
    bench.report(25, 2);
    bench.answer(30, 1, CONTINUE);
    bench.skip();
    bench.report(40, 3);
    bench.says("40 r-1 b0 3 failed: upgrade_failed");
}

#[test]
fn s6_a_trip_between_the_decision_and_its_tick_stops_the_rest_again() {
    let mut bench = Bench::one_batch(4, 1, |s| s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(2))));
    bench.report(10, 0);
    bench.answer(20, 1, CONTINUE);
    bench.skip();
    bench.report(30, 1);
    bench.tick(60);
    bench.says(
        "30 r-1 b0 1 failed: upgrade_failed
         30 r-1 b0 TRIPPED by 1
         30 r-1 a-2 asks continue_anyway|rollback_completed_batches|abort",
    );
    bench.answer(70, 2, CONTINUE);
    bench.tick(120);
    bench.says(
        "70 r-1 a-2 continue_anyway
         120 r-1 b0 2 to v2
         120 r-1 b0 3 to v2",
    );
}

#[test]
fn s6_listed_does_not_count_the_batch_that_tripped_again() {
    // The first batch, as listed: x x x. Were its third failure counted after the decision, the next would trip.
    let mut bench = Bench::begun(6, |s| s.breaker_order = BreakerOrder::Listed);
    for instance in 0..3 {
        bench.report(10, instance);
    }
    bench.skip();
    bench.answer(20, 1, CONTINUE);
    assert_eq!(bench.engine.breaker(), Some((0, 2)));
    bench.tick(60);
    bench.report(70, 3);
    bench.healthy(80, 4);
    bench.says(
        "20 r-1 a-1 continue_anyway
         60 r-1 b1 starts with 3
         60 r-1 b1 3 to v2
         60 r-1 b1 4 to v2
         60 r-1 b1 5 to v2
         70 r-1 b1 3 failed: upgrade_failed
         80 r-1 b1 4 healthy",
    );
    bench.healthy(90, 5);
    bench.ends(Outcome::Completed);
}

#[test]
fn s6_continue_with_nothing_left_finishes_at_the_decision() {
    for order in [BreakerOrder::Observed, BreakerOrder::Listed] {
        let mut bench = Bench::one_batch(2, 2, |s| s.breaker_order = order);
        bench.report(10, 0);
        bench.report(20, 1);
        bench.says(
            "10 r-1 b0 0 failed: upgrade_failed
             20 r-1 b0 1 failed: upgrade_failed
             20 r-1 b0 TRIPPED by 0 1
             20 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort
             20 r-1 b0 done: 0 healthy, 2 failed",
        );
        bench.answer(70, 1, CONTINUE);
        bench.says(
            "70 r-1 a-1 continue_anyway
             70 r-1 FINISHED completed",
        );
    }
}

#[test]
fn s6_with_scope_batch_the_rest_of_a_batch_does_not_start_it_anew() {
    let mut bench = Bench::one_batch(5, 2, |s| {
        s.breaker_scope = BreakerScope::Batch;
        s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(3)));
    });
    bench.report(10, 0);
    bench.report(11, 1);
    bench.answer(20, 1, CONTINUE);
    // Dispatched at 0 and 11: 2, 3. It fails before the tick that resumes the batch, another after it.
    bench.report(30, 2);
    bench.tick(60);
    bench.skip();
    bench.report(70, 3);
    bench.says(
        "70 r-1 b0 3 failed: upgrade_failed
         70 r-1 b0 TRIPPED by 2 3
         70 r-1 a-2 asks continue_anyway|rollback_completed_batches|abort",
    );
}

// ---- §6, rollback_completed_batches --------------------------------------------------------------

/// Six instances in batches of three; the first batch is healthy, and in the second 3 failed and 4, 5 are in flight.
fn tripped_in_the_second_batch(change: impl FnOnce(&mut Settings)) -> Bench {
    let mut bench = Bench::begun(9, |s| {
        s.batches = dryroll::engine::BatchSizes::pct(33);
        s.max_consecutive_failures = Some(at_least_one(1));
        change(s);
    });
    for instance in 0..3 {
        bench.healthy(10, instance);
    }
    bench.tick(60);
    bench.report(70, 3);
    bench.skip();
    bench
}

#[test]
fn s6_rollback_takes_back_every_instance_that_was_dispatched() {
    let mut bench = tripped_in_the_second_batch(|_| ());
    bench.answer(100, 1, ROLL_BACK);
    bench.says(
        "100 r-1 a-1 rollback_completed_batches
         100 r-2 rollback of 6",
    );
    assert!(bench.engine.awaits_tick());
    bench.tick(120);
    bench.says(
        "120 r-2 b0 starts with 3
         120 r-2 b0 0 to v1
         120 r-2 b0 1 to v1
         120 r-2 b0 2 to v1",
    );
    assert_eq!(bench.next_deadline().unwrap().0, 420, "the same timeout");
    for instance in 0..3 {
        bench.back(130, instance);
    }
    bench.tick(180);
    for instance in 3..6 {
        bench.back(190, instance);
    }
    bench.says(
        "130 r-2 b0 0 healthy
         130 r-2 b0 1 healthy
         130 r-2 b0 2 healthy
         130 r-2 b0 done: 3 healthy, 0 failed
         180 r-2 b1 starts with 3
         180 r-2 b1 3 to v1
         180 r-2 b1 4 to v1
         180 r-2 b1 5 to v1
         190 r-2 b1 3 healthy
         190 r-2 b1 4 healthy
         190 r-2 b1 5 healthy
         190 r-2 b1 done: 3 healthy, 0 failed
         190 r-1 FINISHED rolled_back",
    );
    let phases = [0, 1, 2].map(|index| bench.engine.batch_phase(index));
    assert_eq!(phases, [BatchPhase::RolledBack, BatchPhase::RolledBack, BatchPhase::Pending]);
    assert_eq!(bench.engine.dispatched(), 6);
}

#[test]
fn s6_a_rollback_decided_at_a_ticks_own_instant_starts_with_it() {
    let mut bench = tripped_in_the_second_batch(|_| ());
    bench.answer(120, 1, ROLL_BACK);
    bench.tick(120);
    assert_eq!(bench.engine.in_flight(), 3);
}

#[test]
fn s6_from_the_decision_on_the_rollout_itself_gives_no_more_verdicts() {
    let mut bench = tripped_in_the_second_batch(|_| ());
    bench.answer(100, 1, ROLL_BACK);
    bench.skip();
    bench.healthy(110, 4);
    bench.report(110, 5);
    bench.deadlines(10_000);
    bench.says_nothing();
    assert_eq!((bench.engine.in_flight(), bench.next_deadline()), (0, None));
    assert_eq!(bench.engine.phase(4, Direction::Back), Phase::Waiting);
}

#[test]
fn s6_a_rollback_judges_by_the_previous_version() {
    let mut bench = tripped_in_the_second_batch(|s| s.max_consecutive_failures = Some(at_least_one(1)));
    bench.answer(100, 1, ROLL_BACK);
    bench.tick(120);
    bench.skip();
    bench.healthy(130, 0);
    bench.report(140, 1); // A late report about the target, from an instance that is well on the previous version.
    bench.says("140 r-2 b0 1 healthy");
    bench.report_back(150, 2);
    bench.says(
        "150 r-2 b0 2 failed: upgrade_failed
         150 r-2 b0 TRIPPED by 2
         150 r-2 a-2 asks continue_anyway|abort",
    );
}

#[test]
fn s6_a_heartbeat_from_before_the_rollback_reached_an_instance_says_nothing() {
    let mut bench = tripped_in_the_second_batch(|_| ());
    bench.answer(100, 1, ROLL_BACK);
    bench.tick(120);
    bench.skip();
    assert_eq!(bench.beat(125, beat(0, 9, OLD)), None, "sent before the heartbeat of 10 on the target");
    assert_eq!(bench.late_beat(125, 119, beat(0, 119, OLD)), None, "arrived before the dispatch");
    bench.says_nothing();
    assert_eq!(bench.beat(130, beat(1, 130, NEW)), None);
}

#[test]
fn s6_a_rollback_has_its_own_batch_pct() {
    for (pct, sizes) in [(1, 1), (34, 3), (50, 3), (51, 4), (100, 6)] {
        let mut bench = tripped_in_the_second_batch(|s| s.rollback_batches = dryroll::engine::BatchSizes::pct(pct));
        bench.answer(100, 1, ROLL_BACK);
        bench.tick(120);
        assert_eq!(bench.engine.in_flight(), sizes, "{pct} % of 6");
    }
}

#[test]
fn s6_a_rollback_keeps_max_in_flight_and_order() {
    let mut bench = Bench::one_batch(4, 2, |s| {
        s.rollback_batches = dryroll::engine::BatchSizes::pct(100);
        s.breaker_order = BreakerOrder::Listed;
        s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(3)));
    });
    for instance in [0, 1, 2, 3] {
        bench.report(10, instance);
    }
    bench.answer(20, 1, ROLL_BACK);
    bench.tick(60);
    bench.skip();
    bench.report_back(70, 2);
    bench.back(80, 0);
    bench.report_back(90, 1);
    bench.back(100, 3);
    bench.says(
        "70 r-2 b0 2 failed: upgrade_failed
         70 r-2 b0 3 to v1
         80 r-2 b0 0 healthy
         90 r-2 b0 1 failed: upgrade_failed
         100 r-2 b0 3 healthy
         100 r-2 b0 TRIPPED by 1 2
         100 r-2 a-2 asks continue_anyway|abort
         100 r-2 b0 done: 2 healthy, 2 failed",
    );
}

#[test]
fn s6_a_rollback_keeps_the_scope() {
    for (scope, trips) in [(BreakerScope::Rollout, true), (BreakerScope::Batch, false)] {
        let mut bench = Bench::one_batch(2, 2, |s| s.breaker_scope = scope);
        bench.report(10, 0);
        bench.report(20, 1);
        bench.answer(30, 1, ROLL_BACK);
        bench.tick(60);
        bench.report_back(70, 0);
        bench.tick(120);
        bench.report_back(130, 1);
        assert_eq!(bench.engine.pending_request().is_some(), trips, "{scope:?}");
    }
}

#[test]
fn s6_a_rollback_keeps_the_limit_of_the_last_edit_and_starts_at_zero() {
    let mut bench = Bench::new(4, |s| {
        s.policy = InterventionPolicy::RequireApproval;
        s.rollback_batches = dryroll::engine::BatchSizes::pct(100);
    });
    bench.request(0);
    bench.answer(0, 1, edit(Some(100), Some(3)));
    bench.answer(0, 1, Answer::Approve);
    bench.tick(0);
    for instance in 0..3 {
        bench.report(10, instance);
    }
    bench.answer(20, 2, ROLL_BACK);
    bench.tick(60);
    assert_eq!(bench.engine.breaker(), Some((0, 3)));
    bench.report_back(70, 0);
    bench.report_back(70, 1);
    assert_eq!(bench.engine.pending_request(), None);
    bench.report_back(70, 2);
    assert_eq!(bench.engine.pending_request().unwrap().1, RequestKind::RollbackContinuation);
}

#[test]
fn s6_a_rollback_that_trips_offers_continue_and_abort_alone() {
    let mut bench = tripped_in_the_second_batch(|_| ());
    bench.answer(100, 1, ROLL_BACK);
    bench.tick(120);
    bench.report_back(130, 0);
    bench.skip();
    for answer in [ROLL_BACK, Answer::Approve, Answer::Reject, edit(Some(10), None)] {
        assert_eq!(bench.try_answer(140, 2, answer), Err(AnswerError::NotOffered));
    }
    bench.says_nothing();
    bench.answer(140, 2, ABORT);
    bench.says(
        "140 r-2 a-2 abort
         140 r-1 FINISHED aborted",
    );
}

#[test]
fn s6_a_rollback_that_trips_can_be_continued_to_its_end() {
    let mut bench = tripped_in_the_second_batch(|s| s.rollback_batches = dryroll::engine::BatchSizes::pct(100));
    bench.answer(100, 1, ROLL_BACK);
    bench.tick(120);
    bench.report_back(130, 0);
    bench.answer(140, 2, CONTINUE);
    for instance in 1..6 {
        bench.back(150, instance);
    }
    bench.ends(Outcome::RolledBack);
}

#[test]
fn s6_without_a_previous_version_nothing_is_changed() {
    let mut never_named = tripped_in_the_second_batch(|s| s.previous = None);
    let mut archived = tripped_in_the_second_batch(|_| ());
    archived.previous_gone(99);
    for bench in [&mut never_named, &mut archived] {
        bench.answer(100, 1, ROLL_BACK);
        bench.tick(120);
        bench.says(
            "100 r-1 a-1 rollback_completed_batches
             100 r-1 rollback failed
             100 r-1 FINISHED rollback_failed",
        );
    }
}

#[test]
fn s6_a_version_archived_after_the_decision_is_rolled_back_to_all_the_same() {
    let mut bench = tripped_in_the_second_batch(|s| s.rollback_batches = dryroll::engine::BatchSizes::pct(100));
    bench.answer(100, 1, ROLL_BACK);
    bench.previous_gone(100);
    bench.tick(120);
    for instance in 0..6 {
        bench.back(130, instance);
    }
    bench.ends(Outcome::RolledBack);
}

// ---- §6, abort -----------------------------------------------------------------------------------

#[test]
fn s6_abort_stops_at_once() {
    let mut bench = tripped_in_the_second_batch(|_| ());
    bench.answer(100, 1, ABORT);
    bench.says(
        "100 r-1 a-1 abort
         100 r-1 FINISHED aborted",
    );
    bench.healthy(110, 4);
    bench.tick(120);
    bench.deadlines(1000);
    bench.says_nothing();
    assert_eq!(bench.engine.phase(4, Direction::Forward), Phase::InFlight, "nobody judged it");
    let phases = [0, 1, 2].map(|index| bench.engine.batch_phase(index));
    assert_eq!(phases, [BatchPhase::Completed, BatchPhase::Tripped, BatchPhase::Pending]);
}

#[test]
fn s6_a_trip_takes_only_the_answers_that_it_offers_and_only_once() {
    let mut bench = tripped_in_the_second_batch(|_| ());
    for answer in [Answer::Approve, Answer::Reject, edit(None, Some(5))] {
        assert_eq!(bench.try_answer(80, 1, answer), Err(AnswerError::NotOffered));
    }
    assert_eq!(bench.try_answer(80, 2, CONTINUE), Err(AnswerError::NotPending));
    bench.says_nothing();
    bench.answer(90, 1, CONTINUE);
    assert_eq!(bench.try_answer(91, 1, ABORT), Err(AnswerError::NotPending));
}

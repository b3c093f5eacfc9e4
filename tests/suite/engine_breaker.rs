//! The engine's rules for the breaker (§5).

use crate::common::engine as bench;
use bench::{Bench, at_least_one};
use dryroll::engine::{BatchPhase, BreakerOrder, BreakerScope, Outcome, RequestKind, Settings};

#[test]
fn s5_it_trips_when_the_count_reaches_the_limit() {
    let mut bench = Bench::one_batch(4, 2, |_| ());
    bench.report(10, 3);
    bench.says("10 r-1 b0 3 failed: upgrade_failed");
    assert_eq!(bench.engine.breaker(), Some((1, 2)));
    bench.report(20, 1);
    bench.says(
        "20 r-1 b0 1 failed: upgrade_failed
         20 r-1 b0 TRIPPED by 3 1
         20 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort",
    );
    assert_eq!(bench.engine.pending_request().unwrap().1, RequestKind::RollingUpgradeContinuation);
    assert_eq!(bench.engine.batch_phase(0), BatchPhase::Tripped);
}

#[test]
fn s5_at_a_limit_of_one_the_first_failure_trips() {
    let mut bench = Bench::one_batch(3, 1, |_| ());
    bench.healthy(5, 0);
    bench.skip();
    bench.report(10, 2);
    bench.says(
        "10 r-1 b0 2 failed: upgrade_failed
         10 r-1 b0 TRIPPED by 2
         10 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort",
    );
}

#[test]
fn s5_a_healthy_verdict_sets_the_count_to_zero() {
    let mut bench = Bench::one_batch(6, 2, |_| ());
    bench.report(10, 0);
    bench.healthy(20, 1);
    assert_eq!(bench.engine.breaker(), Some((0, 2)));
    bench.report(30, 2);
    bench.healthy(40, 3);
    bench.skip();
    bench.report(50, 4);
    bench.says("50 r-1 b0 4 failed: upgrade_failed");
}

#[test]
fn s5_the_ids_are_those_of_the_run_in_the_order_of_the_verdicts() {
    let mut bench = Bench::one_batch(6, 3, |_| ());
    bench.report(10, 5);
    bench.healthy(20, 0);
    bench.report(30, 4);
    bench.report(40, 1);
    bench.skip();
    bench.deadline(300);
    bench.says(
        "300 r-1 b0 2 failed: health_timeout
         300 r-1 b0 TRIPPED by 4 1 2
         300 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort",
    );
}

#[test]
fn s5_the_run_goes_on_over_batches_with_scope_rollout() {
    let mut bench = Bench::begun(2, |_| ());
    bench.report(10, 0);
    bench.tick(60);
    bench.skip();
    bench.report(70, 1);
    bench.says(
        "70 r-1 b1 1 failed: upgrade_failed
         70 r-1 b1 TRIPPED by 0 1
         70 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort
         70 r-1 b1 done: 0 healthy, 1 failed",
    );
}

#[test]
fn s5_each_batch_starts_at_zero_with_scope_batch() {
    for order in [BreakerOrder::Observed, BreakerOrder::Listed] {
        let mut bench = Bench::begun(4, |s| {
            s.breaker_scope = BreakerScope::Batch;
            s.breaker_order = order;
        });
        bench.healthy(10, 0);
        bench.report(20, 1);
        bench.tick(60);
        bench.report(70, 2);
        bench.healthy(80, 3);
        bench.ends(Outcome::Completed);
    }
}

#[test]
fn s5_with_scope_batch_the_limit_still_holds_within_a_batch() {
    let mut bench = Bench::begun(4, |s| s.breaker_scope = BreakerScope::Batch);
    bench.healthy(10, 0);
    bench.report(20, 1);
    bench.tick(60);
    bench.report(70, 2);
    bench.skip();
    bench.report(80, 3);
    bench.says(
        "80 r-1 b1 3 failed: upgrade_failed
         80 r-1 b1 TRIPPED by 2 3
         80 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort
         80 r-1 b1 done: 0 healthy, 2 failed",
    );
}

fn listed(total: u32, change: impl FnOnce(&mut Settings)) -> Bench {
    Bench::one_batch(total, 2, |s| {
        s.breaker_order = BreakerOrder::Listed;
        change(s);
    })
}

#[test]
fn s5_listed_counts_in_plan_order_when_the_batch_completes() {
    // As observed: x . x . ; as listed: . x x .
    let mut bench = listed(4, |_| ());
    bench.report(10, 2);
    bench.healthy(20, 0);
    bench.report(30, 1);
    bench.skip();
    bench.healthy(40, 3);
    bench.says(
        "40 r-1 b0 3 healthy
         40 r-1 b0 TRIPPED by 1 2
         40 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort
         40 r-1 b0 done: 2 healthy, 2 failed",
    );
}

#[test]
fn s5_listed_does_not_trip_on_a_run_that_was_only_observed() {
    // As observed: . . x x ; as listed: x . x .
    let mut bench = listed(4, |_| ());
    bench.healthy(10, 1);
    bench.healthy(20, 3);
    bench.report(30, 0);
    bench.report(40, 2);
    bench.ends(Outcome::Completed);
}

#[test]
fn s5_listed_dispatches_on_while_the_batch_is_not_complete() {
    let mut bench = listed(3, |s| s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(1))));
    bench.report(10, 0);
    bench.skip();
    bench.report(20, 1);
    bench.says(
        "20 r-1 b0 1 failed: upgrade_failed
         20 r-1 b0 2 to v2",
    );
}

#[test]
fn s5_listed_carries_over_to_the_next_batch_with_scope_rollout() {
    let mut bench = Bench::begun(4, |s| s.breaker_order = BreakerOrder::Listed);
    bench.report(10, 1);
    bench.healthy(20, 0);
    bench.tick(60);
    bench.report(70, 2);
    bench.skip();
    bench.healthy(80, 3);
    bench.says(
        "80 r-1 b1 3 healthy
         80 r-1 b1 TRIPPED by 1 2
         80 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort
         80 r-1 b1 done: 1 healthy, 1 failed",
    );
}

#[test]
fn s5_once_tripped_nothing_is_dispatched() {
    let mut bench = Bench::one_batch(4, 1, |s| s.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(2))));
    bench.skip();
    bench.report(10, 0);
    bench.says(
        "10 r-1 b0 0 failed: upgrade_failed
         10 r-1 b0 TRIPPED by 0
         10 r-1 a-1 asks continue_anyway|rollback_completed_batches|abort",
    );
    assert!(!bench.engine.awaits_tick());
    bench.tick(60);
    bench.says_nothing();
    bench.healthy(70, 1);
    bench.tick(120);
    bench.says("70 r-1 b0 1 healthy");
}

#[test]
fn s5_instances_in_flight_keep_their_deadlines_and_do_not_trip_it_again() {
    let mut bench = Bench::one_batch(4, 1, |_| ());
    bench.report(10, 1);
    bench.skip();
    assert_eq!(bench.next_deadline().unwrap().0, 300);
    bench.report(20, 0);
    bench.healthy(30, 3);
    bench.deadlines(300);
    bench.says(
        "20 r-1 b0 0 failed: upgrade_failed
         30 r-1 b0 3 healthy
         300 r-1 b0 2 failed: health_timeout
         300 r-1 b0 done: 1 healthy, 3 failed",
    );
    assert_eq!(bench.engine.outcome(), None, "the person is still asked");
    assert_eq!(bench.engine.pending_request().unwrap().0.0, 1);
}

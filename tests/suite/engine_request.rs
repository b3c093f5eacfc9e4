//! The engine's rules for the request, the plan (§1) and the approval (§2).

use crate::common::engine as bench;
use bench::{ABORT, Bench, CONTINUE, NEW, OLD, OTHER, edit, settings};
use dryroll::engine::{
    Answer, AnswerError, BatchPhase, InterventionPolicy, Inventory, Outcome, Plan, PlanOrder, Refusal, Request,
    RequestKind, Settings,
};
use dryroll::fleet::{DigestId, InstanceId, InstanceStatus, LifecycleState, Span};

/// A platform with one template, one module, and versions in every state.
struct Platform {
    may_upgrade: bool,
    instances: Vec<(InstanceStatus, DigestId)>,
}

impl Platform {
    fn with(instances: &[(InstanceStatus, DigestId)]) -> Self {
        Self { may_upgrade: true, instances: instances.to_vec() }
    }
}

impl Inventory for Platform {
    fn may_upgrade(&self) -> bool {
        self.may_upgrade
    }
    fn has_template(&self, template_id: &str) -> bool {
        template_id == "edge"
    }
    fn has_module(&self, module_id: &str) -> bool {
        module_id == "proxy"
    }
    fn version(&self, module_id: &str, version_id: &str) -> Option<(LifecycleState, DigestId)> {
        assert_eq!(module_id, "proxy");
        let state = match version_id {
            "draft" => LifecycleState::Draft,
            "staging" => LifecycleState::Staging,
            "blessed" => LifecycleState::Blessed,
            "live" => LifecycleState::Live,
            "archived" => LifecycleState::Archived,
            _ => return None,
        };
        Some((state, NEW))
    }
    fn instances(&self, _: &str, _: &str) -> impl Iterator<Item = (InstanceId, InstanceStatus, DigestId)> {
        self.instances.iter().zip(0..).map(|(&(status, digest), id)| (InstanceId(id), status, digest))
    }
}

fn request() -> Request<'static> {
    Request {
        template_id: "edge",
        module_id: "proxy",
        target_version_id: "blessed",
        batch_pct: 20,
        max_consecutive_failures: 2,
        health_timeout: Span(300_000),
    }
}

fn refusal(request: Request<'_>) -> Refusal {
    let platform = Platform::with(&[(InstanceStatus::Running, OLD)]);
    request.plan(&platform).expect_err("it is refused")
}

fn ids(ids: &[u32]) -> Vec<InstanceId> {
    ids.iter().copied().map(InstanceId).collect()
}

// ---- §1 ------------------------------------------------------------------------------------------

#[test]
fn s1_only_running_and_starting_instances_are_eligible() {
    use InstanceStatus::{Error, Running, Starting, Stopped, Terminated};
    let platform = Platform::with(&[Running, Stopped, Starting, Error, Terminated, Running].map(|s| (s, OLD)));
    let (plan, _) = request().plan(&platform).unwrap();
    let planned: Vec<_> = (0..plan.total_instances()).map(|position| plan.order.instance(position)).collect();
    assert_eq!(planned, ids(&[0, 2, 5]), "as the fleet lists them");
    assert_eq!(plan.skipped, []);
}

#[test]
fn s1_instances_on_the_target_are_skipped_and_named() {
    use InstanceStatus::{Running, Stopped};
    let platform = Platform::with(&[(Running, NEW), (Running, OLD), (Running, OTHER), (Stopped, NEW), (Running, NEW)]);
    let (plan, _) = request().plan(&platform).unwrap();
    assert_eq!(plan.skipped, ids(&[0, 4]), "a stopped one is not eligible, so it is not skipped either");
    assert_eq!(plan.total_instances(), 2);
    assert_eq!([plan.order.instance(0), plan.order.instance(1)], [InstanceId(1), InstanceId(2)]);
}

#[test]
fn s1_the_plan_has_the_tutorials_numbers() {
    let platform = Platform::with(&[(InstanceStatus::Running, OLD); 50]);
    let (plan, limit) = request().plan(&platform).unwrap();
    assert_eq!((plan.total_instances(), plan.batch_size(), plan.batch_count(), limit.get()), (50, 10, 5, 2));
    assert_eq!((plan.batch(0), plan.batch(4)), (0..10, 40..50));
}

#[test]
fn s1_batch_size_is_rounded_up_in_integers_and_the_last_batch_takes_what_is_left() {
    // 29 % of 100 is 28.999999999999996 in floating point; 7 % of 100 is 7.000000000000001.
    for (total, pct, size, sizes) in [
        (100, 29, 29, &[29, 29, 29, 13][..]),
        (100, 7, 7, &[7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 2]),
        (3, 1, 1, &[1, 1, 1]),
        (7, 50, 4, &[4, 3]),
        (7, 100, 7, &[7]),
        (1, 99, 1, &[1]),
    ] {
        let plan =
            Plan::new(PlanOrder::new((0..total).map(InstanceId)), vec![], &dryroll::engine::BatchSizes::pct(pct));
        assert_eq!(plan.batch_size(), size, "{total} at {pct} %");
        let found: Vec<_> = (0..plan.batch_count()).map(|index| plan.batch(index).len()).collect();
        assert_eq!(found, sizes, "{total} at {pct} %");
    }
}

#[test]
fn s1_blessed_and_live_targets_are_taken_others_refused() {
    for (version, state) in
        [("draft", LifecycleState::Draft), ("staging", LifecycleState::Staging), ("archived", LifecycleState::Archived)]
    {
        let refusal = refusal(Request { target_version_id: version, ..request() });
        assert_eq!(refusal, Refusal::NotPromoted { version: version.into(), state });
    }
    let platform = Platform::with(&[(InstanceStatus::Running, OLD)]);
    for version in ["blessed", "live"] {
        assert!(Request { target_version_id: version, ..request() }.plan(&platform).is_ok(), "{version}");
    }
}

#[test]
fn s1_what_is_unknown_is_refused_by_name() {
    assert_eq!(refusal(Request { template_id: "core", ..request() }).to_string(), "unknown template `core`");
    assert_eq!(refusal(Request { module_id: "cache", ..request() }), Refusal::UnknownModule("cache".into()));
    assert_eq!(refusal(Request { target_version_id: "v9", ..request() }), Refusal::UnknownVersion("v9".into()));
}

#[test]
fn s1_parameters_out_of_range_are_refused_by_name() {
    let found = |request| match refusal(request) {
        Refusal::OutOfRange { name, found, .. } => (name, found),
        other => panic!("{other}"),
    };
    for pct in [0, -1, 101, i64::MAX, 1 << 32 | 20] {
        assert_eq!(found(Request { batch_pct: pct, ..request() }), ("batch_pct", pct));
    }
    for limit in [0, -1, i64::MIN, 1 << 32 | 2] {
        let request = Request { max_consecutive_failures: limit, ..request() };
        assert_eq!(found(request), ("max_consecutive_failures", limit));
    }
    assert_eq!(found(Request { health_timeout: Span::ZERO, ..request() }), ("health_timeout_sec", 0));
    let platform = Platform::with(&[(InstanceStatus::Running, OLD)]);
    for (batch_pct, max_consecutive_failures) in [(1, 1), (100, i64::from(u32::MAX))] {
        let request = Request { batch_pct, max_consecutive_failures, health_timeout: Span(1), ..request() };
        assert!(request.plan(&platform).is_ok(), "the ends of the ranges are in them");
    }
}

#[test]
fn s1_without_the_permission_it_is_refused() {
    let platform = Platform { may_upgrade: false, ..Platform::with(&[(InstanceStatus::Running, OLD)]) };
    assert_eq!(request().plan(&platform), Err(Refusal::PermissionMissing));
}

#[test]
fn s1_a_plan_without_instances_asks_nobody_and_completes_at_once() {
    let platform = Platform::with(&[(InstanceStatus::Running, NEW), (InstanceStatus::Error, OLD)]);
    let (plan, _) = request().plan(&platform).unwrap();
    assert_eq!((plan.batch_size(), plan.batch_count()), (0, 0));
    assert_eq!(plan.skipped, ids(&[0]));
    for policy in
        [InterventionPolicy::RequireApproval, InterventionPolicy::AutoApprove, InterventionPolicy::NotifyAndProceed]
    {
        let mut bench = Bench::of(plan.clone(), Settings { policy, ..settings() });
        bench.request(0);
        bench.says(
            "0 r-1 planned 0 = 0 x 0
             0 r-1 FINISHED completed",
        );
    }
}

#[test]
fn s1_a_plan_changes_nothing_until_its_request_comes_in() {
    let mut bench = Bench::new(4, |_| ());
    bench.tick(0);
    bench.deadlines(1000);
    bench.healthy(1000, 0);
    assert_eq!(bench.engine.pending_request(), None);
    assert!(!bench.engine.awaits_tick());
    assert_eq!(bench.engine.batch_phase(0), BatchPhase::Pending);
    bench.says_nothing();
}

// ---- §2 ------------------------------------------------------------------------------------------

fn asked(total: u32) -> Bench {
    let mut bench = Bench::new(total, |s| s.policy = InterventionPolicy::RequireApproval);
    bench.request(0);
    bench
}

#[test]
fn s2_require_approval_asks_and_waits() {
    let mut bench = asked(4);
    bench.says(
        "0 r-1 planned 4 = 2 x 2
         0 r-1 a-1 asks approve|edit|reject",
    );
    assert_eq!(bench.engine.pending_request().unwrap().1, RequestKind::RollingUpgrade);
    assert!(!bench.engine.awaits_tick());
    bench.tick(0);
    bench.tick(60);
    bench.says_nothing();
}

#[test]
fn s2_auto_approve_asks_nobody_and_starts_at_zero() {
    let mut bench = Bench::new(2, |s| s.policy = InterventionPolicy::AutoApprove);
    bench.request(0);
    bench.says("0 r-1 planned 2 = 2 x 1");
    assert!(bench.engine.awaits_tick());
    bench.tick(0);
    bench.says(
        "0 r-1 b0 starts with 1
         0 r-1 b0 0 to v2",
    );
}

#[test]
fn s2_notify_and_proceed_asks_nobody_and_says_so() {
    let mut bench = Bench::new(2, |s| s.policy = InterventionPolicy::NotifyAndProceed);
    bench.request(0);
    bench.says(
        "0 r-1 planned 2 = 2 x 1
         0 r-1 operator notified",
    );
    bench.tick(0);
    bench.says(
        "0 r-1 b0 starts with 1
         0 r-1 b0 0 to v2",
    );
}

#[test]
fn s2_blocked_asks_nobody_and_is_over_at_once() {
    let mut bench = Bench::new(2, |s| s.policy = InterventionPolicy::Blocked);
    bench.request(0);
    bench.says(
        "0 r-1 planned 2 = 2 x 1
         0 r-1 FINISHED blocked",
    );
    bench.tick(0);
    bench.says_nothing();
    bench.ends(Outcome::Blocked);
}

#[test]
fn s2_approve_starts_on_a_tick() {
    let mut bench = asked(2);
    bench.skip();
    bench.answer(130, 1, Answer::Approve);
    bench.says("130 r-1 a-1 approve");
    assert_eq!((bench.engine.pending_request(), bench.engine.expires_at()), (None, None));
    bench.tick(180);
    bench.says(
        "180 r-1 b0 starts with 1
         180 r-1 b0 0 to v2",
    );
}

#[test]
fn s2_reject_ends_it() {
    let mut bench = asked(2);
    bench.skip();
    bench.answer(130, 1, Answer::Reject);
    bench.says(
        "130 r-1 a-1 reject
         130 r-1 FINISHED rejected",
    );
}

#[test]
fn s2_an_edit_plans_anew_and_stays_pending() {
    let mut bench = asked(10);
    bench.skip();
    bench.answer(100, 1, edit(Some(25), None));
    bench.says(
        "100 r-1 a-1 edit
         100 r-1 planned 10 = 4 x 3",
    );
    bench.answer(200, 1, edit(Some(100), Some(1)));
    bench.says(
        "200 r-1 a-1 edit
         200 r-1 planned 10 = 1 x 10",
    );
    assert_eq!(bench.engine.pending_request().unwrap().0.0, 1);
    bench.answer(300, 1, Answer::Approve);
    bench.tick(300);
    assert_eq!(bench.engine.in_flight(), 10, "the walk goes by the last edit");
    bench.skip();
    bench.report(310, 4);
    bench.says(
        "310 r-1 b0 4 failed: upgrade_failed
         310 r-1 b0 TRIPPED by 4
         310 r-1 a-2 asks continue_anyway|rollback_completed_batches|abort",
    );
}

#[test]
fn s2_an_edit_of_the_limit_alone_leaves_the_batches() {
    let mut bench = asked(4);
    bench.skip();
    bench.answer(100, 1, edit(None, Some(3)));
    bench.says(
        "100 r-1 a-1 edit
         100 r-1 planned 4 = 2 x 2",
    );
    assert_eq!(bench.engine.breaker(), Some((0, 3)));
}

#[test]
fn s2_an_edit_out_of_range_changes_nothing() {
    let mut bench = asked(4);
    bench.skip();
    for pct in [0, 101] {
        assert_eq!(bench.try_answer(100, 1, edit(Some(pct), Some(9))), Err(AnswerError::EditOutOfRange));
    }
    bench.says_nothing();
    assert_eq!((bench.engine.plan().batch_size(), bench.engine.breaker()), (2, Some((0, 2))));
    bench.answer(100, 1, Answer::Approve);
}

#[test]
fn s2_a_request_nobody_answers_expires() {
    let mut bench = asked(2);
    bench.skip();
    assert_eq!(bench.engine.expires_at().unwrap().0, 1000);
    bench.expiry(999);
    bench.says_nothing();
    bench.expiry(1000);
    bench.says("1000 r-1 FINISHED expired");
    assert_eq!(bench.try_answer(1000, 1, Answer::Approve), Err(AnswerError::NotPending));
}

#[test]
fn s2_an_answer_in_the_millisecond_of_expiry_counts() {
    let mut bench = asked(2);
    bench.skip();
    bench.answer(1000, 1, Answer::Approve);
    bench.expiry(1000);
    bench.says("1000 r-1 a-1 approve");
    assert_eq!(bench.engine.outcome(), None);
}

#[test]
fn s2_an_edit_does_not_restart_the_expiry() {
    let mut bench = asked(2);
    bench.answer(999, 1, edit(Some(100), None));
    bench.skip();
    bench.expiry(1000);
    bench.says("1000 r-1 FINISHED expired");
}

#[test]
fn s2_the_expiry_runs_from_the_request() {
    let mut bench = Bench::new(2, |s| s.policy = InterventionPolicy::RequireApproval);
    bench.request(50);
    assert_eq!(bench.engine.expires_at().unwrap().0, 1050);
}

#[test]
fn s2_a_continuation_does_not_expire() {
    let mut bench = Bench::begun(2, |s| s.batches = dryroll::engine::BatchSizes::pct(100));
    bench.report(1, 0);
    bench.report(2, 1);
    bench.skip();
    assert_eq!(bench.engine.expires_at(), None);
    bench.expiry(1_000_000);
    bench.says_nothing();
    assert!(bench.engine.pending_request().is_some());
}

#[test]
fn s2_a_request_takes_only_the_answers_that_it_offers_and_only_once() {
    let mut bench = asked(2);
    bench.skip();
    for answer in [CONTINUE, ABORT] {
        assert_eq!(bench.try_answer(10, 1, answer), Err(AnswerError::NotOffered));
    }
    assert_eq!(bench.try_answer(10, 2, Answer::Approve), Err(AnswerError::NotPending));
    bench.says_nothing();
    bench.answer(20, 1, Answer::Approve);
    assert_eq!(bench.try_answer(30, 1, Answer::Reject), Err(AnswerError::NotPending));
}

#[test]
fn s2_a_second_request_changes_nothing() {
    let mut bench = asked(2);
    bench.skip();
    bench.request(10);
    bench.says_nothing();
    assert_eq!(bench.engine.expires_at().unwrap().0, 1000);
}

//! Counts what the random scenarios met: agreement on what never happens proves nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use dryroll::engine::{Answer, EventBody, EventKind, OperatorDecision, Outcome, Reason, RequestKind};
use dryroll::engine::{BreakerOrder, BreakerScope, Event, RolloutId, Size};
use dryroll::scenario::{Distribution, FaultKind, FaultStart, RolloutOrder, Scenario, Target};

thread_local! {
    static SEEN: RefCell<BTreeMap<&'static str, u64>> = const { RefCell::new(BTreeMap::new()) };
}

/// Counts one more of something.
pub fn saw(what: &'static str) {
    SEEN.with_borrow_mut(|seen| *seen.entry(what).or_default() += 1);
}

/// Counts it if it is so.
pub fn saw_if(so: bool, what: &'static str) {
    if so {
        saw(what);
    }
}

/// What happened to the instances and the controller, by the names that the naive simulator counts.
const ON_THE_WAY: &[&str] = &[
    "harm goes on at the end",
    "forward ok",
    "forward fail",
    "forward hang",
    "forward unhealthy",
    "forward crash",
    "back ok",
    "back fail",
    "back hang",
    "back unhealthy",
    "back crash",
    "a crashing one died",
    "a kill took an upgrade",
    "a kill took an upgrade in its last millisecond",
    "a kill took a pending crash",
    "a kill revived a hung one",
    "a kill revived a crashed one",
    "a command waited",
    "a command reached a hung one",
    "a command replaced one under way",
    "a command replaced one that waited",
    "a command undid harm in its first millisecond",
    "a command reached in the millisecond of an end",
    "an upgrade was slowed down",
    "an upgrade stood still",
    "a heartbeat was lost by chance",
    "a heartbeat met a network that is down",
    "a heartbeat came late",
    "a heartbeat came twice",
    "a heartbeat was overtaken",
    "a heartbeat of before the dispatch came after it",
    "a heartbeat came in the millisecond of its deadline",
    "a dispatch in the turn of the heartbeats",
    "a dispatch in the turn of the deadlines",
    "taken at the return: heartbeat",
    "taken at the return: deadline",
    "taken at the return: answer",
    "taken at the return: expiry",
    "taken at the return: request",
    "a dispatch at the return",
];

/// What the policies of the field bring.
const POLICIES: &[&str] = &[
    "failures ask",
    "failures note",
    "failures abort",
    "failures roll back",
    "failed batches ask",
    "failed batches note",
    "failed batches abort",
    "failed batches roll back",
    "unwell ask",
    "unwell note",
    "unwell abort",
    "unwell roll back",
    "sprt ask",
    "sprt note",
    "sprt abort",
    "sprt roll back",
    "no progress ask",
    "no progress note",
    "no progress abort",
    "no progress roll back",
    "a note and a trip at one moment",
    "a note, then a trip",
    "a batch held back by unwell ones",
    "unwell ones held a dispatch back",
    "an unwell one took its own slot",
    "a relapsed one recovered and freed a slot",
    "a relapse in a bake",
    "a silent relapse",
    "a degraded one relapsed",
    "a trip in a bake",
    "a rollback out of a bake by a rule",
    "a rollback of nobody",
    "a bake ended",
    "a bake began while a trip waited",
    "a batch began before the last one was judged",
    "a straggler completed its batch late",
    "growth shrinks",
    "a retry succeeded",
    "a retry while a trip waited",
    "a retry in a rollback",
    "a heartbeat of an attempt before",
    "a healthy series broke",
    "a promoted batch began",
    "a promotion during silence",
    "a promotion became void",
    "a rollback out of a promotion",
    "well at the start",
    "unhealthy at the start",
    "silent at the start",
    "another version at the start",
    "one that runs the target already",
    "a pinned one",
    "a kill met a bricked one",
    "a command met a bricked one",
    "a kill took a pending degrade",
    "a degrading one became unhealthy",
    "forward brick",
    "forward degrade",
    "back brick",
    "back degrade",
    "taken at the return: silence",
    "taken at the return: no progress",
    "taken at the return: end of a bake",
];

/// What a replicate draws once, and classes.
const TOGETHER: &[&str] = &[
    "a rate drawn once a replicate",
    "drawn rates beyond 1",
    "a factor of upgrade times",
    "a class by share",
    "a class by ids",
    "a class by zone",
    "a class by blocks",
    "blocks of neighbours",
    "several blocks",
    "an instance of two classes",
    "an override over a class",
    "a shuffled plan",
    "a plan by zone",
];

/// What the events and the scenario show.
const IN_THE_LOG: &[&str] = &[
    "a second trip of r-1",
    "a trip of a rollback",
    "a trip with others in flight",
    "a trip with the last verdict of a batch",
    "continued to the end at the decision",
    "rolled back after continuing",
    "rollback asked for in a rollback",
    "edit of the share",
    "edit of the limit",
    "approved",
    "rejected by a person",
    "upgrade_failed",
    "health_timeout",
    "trip of a listed breaker",
    "trip of a breaker by batch",
    "trip across batches",
    "several slots in flight",
    "an empty plan",
    "a fault set off by an event",
    "a fault on a zone",
    "a fault on a share",
    "drawn upgrade times",
    "drawn heartbeat delays",
    "overrides",
    "flaps",
    "zone outages",
    "background deaths",
    "observed after the end",
];

/// Looks at a whole run.
pub fn look_at(scenario: &Scenario, log: &[Event]) {
    look_at_scenario(scenario, log);
    let (mut trips, mut rollbacks, mut continued) = ([0; 3], 0, 0);
    let mut in_flight = 0;
    for (i, event) in log.iter().enumerate() {
        saw(event.body.kind().full_name());
        let finishes_next = log.get(i + 1).is_some_and(|next| next.body.kind() == EventKind::Finished);
        match &event.body {
            EventBody::InstanceStarted { .. } => in_flight += 1,
            EventBody::InstanceHealthCheck { failure, .. } => {
                in_flight -= 1;
                saw_if(*failure == Some(Reason::UpgradeFailed), "upgrade_failed");
                saw_if(*failure == Some(Reason::HealthTimeout), "health_timeout");
            }
            EventBody::BreakerNoted { .. } => {
                let trips_later = log[i..].iter().any(|later| later.body.kind() == EventKind::CircuitBreakerTripped);
                saw_if(trips_later, "a note, then a trip");
            }
            EventBody::CircuitBreakerTripped { failed, batch_index, .. } => {
                let rollout = event.rollout.0 as usize;
                trips[rollout] += 1;
                saw_if(rollout == 1 && trips[1] > 1, "a second trip of r-1");
                saw_if(rollout == 2, "a trip of a rollback");
                saw_if(in_flight > 0, "a trip with others in flight");
                let completes =
                    log.get(i + 2).is_some_and(|next| matches!(next.body, EventBody::BatchCompleted { .. }));
                saw_if(completes, "a trip with the last verdict of a batch");
                let listed = scenario.rollout.breaker_order == BreakerOrder::Listed;
                let by_batch = scenario.rollout.breaker_scope == BreakerScope::Batch;
                saw_if(listed, "trip of a listed breaker");
                saw_if(by_batch, "trip of a breaker by batch");
                let of_this_batch = log[..i].iter().filter(|other| {
                    let body = &other.body;
                    let here = other.rollout == event.rollout && body.batch_index() == Some(*batch_index);
                    here && matches!(body, EventBody::InstanceHealthCheck { failure: Some(_), .. })
                });
                saw_if(of_this_batch.count() < failed.len(), "trip across batches");
            }
            EventBody::ApprovalDecided { answer, .. } => match answer {
                Answer::Approve => saw("approved"),
                Answer::Reject => saw("rejected by a person"),
                Answer::Edit(edit) => {
                    saw_if(edit.batch_pct.is_some(), "edit of the share");
                    saw_if(edit.max_consecutive_failures.is_some(), "edit of the limit");
                }
                Answer::Promote => {}
                Answer::OnTrip(decision) => {
                    saw(decision.name());
                    continued += u32::from(*decision == OperatorDecision::ContinueAnyway);
                    let ends = finishes_next && *decision == OperatorDecision::ContinueAnyway;
                    saw_if(ends, "continued to the end at the decision");
                    let asked = log[..i].iter().filter(
                        |event| matches!(event.body, EventBody::ApprovalRequested { kind, .. } if kind.is_of_trip()),
                    );
                    let promotion = log[..i].iter().rev().find_map(|event| match event.body {
                        EventBody::ApprovalRequested { kind, .. } => Some(kind == RequestKind::Promotion),
                        _ => None,
                    });
                    let back = *decision == OperatorDecision::RollbackCompletedBatches;
                    saw_if(promotion == Some(true) && back, "a rollback out of a promotion");
                    let wanted = scenario.operator.on_trip.get(asked.count().saturating_sub(1));
                    let again = wanted.or(scenario.operator.on_trip.last());
                    let refused =
                        event.rollout != RolloutId::FIRST && again == Some(&OperatorDecision::RollbackCompletedBatches);
                    saw_if(refused, "rollback asked for in a rollback");
                }
            },
            EventBody::RollbackStarted { .. } => {
                rollbacks += 1;
                in_flight = 0;
                saw_if(continued > 0, "rolled back after continuing");
            }
            EventBody::Planned { total_instances: 0, .. } => saw("an empty plan"),
            EventBody::Finished { outcome } => saw(outcome.name()),
            _ => {}
        }
    }
    assert!(rollbacks <= 1, "a rollback is not rolled back");
}

fn look_at_scenario(scenario: &Scenario, log: &[Event]) {
    let drawn = |duration: &Distribution| !matches!(duration, Distribution::Constant(_));
    let any_started = log.iter().any(|event| event.body.kind() == EventKind::InstanceStarted);
    if !any_started {
        return;
    }
    for fault in &scenario.faults {
        let by_event = matches!(fault.start, FaultStart::After { .. });
        saw_if(by_event, "a fault set off by an event");
        saw_if(matches!(fault.target, Target::Zone(_)), "a fault on a zone");
        saw_if(matches!(fault.target, Target::Fraction(_)), "a fault on a share");
    }
    saw_if(scenario.versions.iter().any(|version| drawn(&version.upgrade_time)), "drawn upgrade times");
    saw_if(drawn(&scenario.fleet.heartbeat_delay), "drawn heartbeat delays");
    saw_if(!scenario.overrides.is_empty(), "overrides");
    saw_if(scenario.rollout.order == RolloutOrder::Shuffled, "a shuffled plan");
    saw_if(scenario.rollout.order == RolloutOrder::ByZone && scenario.fleet.zones > 1, "a plan by zone");
    saw_if(scenario.network.flap_rate_per_hour > 0.0, "flaps");
    saw_if(scenario.network.zone_outage_rate_per_day > 0.0, "zone outages");
    saw_if(scenario.fleet.crash_rate_per_1000_days > 0.0, "background deaths");
    saw_if(scenario.rollout.observe_after.0 > 0, "observed after the end");
    let slots = scenario.rollout.max_in_flight.is_some_and(|most| most != Size::Count(NonZeroU32::MIN));
    saw_if(slots, "several slots in flight");
}

/// What has never been met.
pub fn missing() -> Vec<&'static str> {
    let kinds = EventKind::ALL.iter().map(|kind| kind.full_name());
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.name());
    let decisions =
        [OperatorDecision::ContinueAnyway, OperatorDecision::RollbackCompletedBatches, OperatorDecision::Abort];
    let faults = [
        FaultKind::Partition,
        FaultKind::Kill,
        FaultKind::Slow { factor: 1.0 },
        FaultKind::RegistryOutage,
        FaultKind::ReconcilerPause,
        FaultKind::ReconcilerCrash,
        FaultKind::DuplicateHeartbeats,
        FaultKind::DelayHeartbeats { by: Distribution::Constant(0.0) },
        FaultKind::ArchivePreviousVersion,
    ];
    let all = kinds
        .chain(outcomes)
        .chain(decisions.iter().map(|decision| decision.name()))
        .chain(faults.iter().map(|fault| fault.name()))
        .chain(ON_THE_WAY.iter().copied())
        .chain(POLICIES.iter().copied())
        .chain(TOGETHER.iter().copied())
        .chain(IN_THE_LOG.iter().copied());
    SEEN.with_borrow(|seen| all.filter(|what| !seen.contains_key(what)).collect())
}

/// All counts, as lines.
pub fn counts() -> String {
    SEEN.with_borrow(|seen| seen.iter().map(|(what, count)| format!("{count:>9} {what}\n")).collect())
}

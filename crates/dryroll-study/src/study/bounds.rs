//! What no rollout of a scenario can exceed in any replicate: from the plan, the deadlines and the operator alone.
//!
//! A verdict arrives by the health timeout, and a batch begins on the next tick. So a rollout that does not trip ends
//! within a time that is known beforehand, and one that trips takes additional waits and rollbacks, up to the largest
//! number of trips. An interval of a mean needs these bounds to allow for values that no replicate has shown
//! ([`dryroll_stats::bounded`]).

use super::exact::scope::edited;
use dryroll_engine::{InterventionPolicy, OperatorDecision, RuleKind};
use dryroll_sim::scenario::{FaultKind, Metric};
use dryroll_sim::sim::CompiledScenario;
use dryroll_stats::Interval;
use dryroll_stats::bounded::Reach;

/// The bounds of a scenario, times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The number of planned instances.
    pub instances: u64,
    /// The latest time at which the first request is answered or has expired.
    pub approval: u64,
    /// The longest rollout without a trip, excluding waits for a person.
    pub untripped: u64,
    /// The longest rollout, excluding waits for a person.
    pub rollout: u64,
    /// The longest time from the first trip to the end of dispatching.
    pub stop: u64,
    /// The largest number of trips, including those of rollbacks; each is decided once.
    pub trips: u64,
    /// The longest rollout, including all waits.
    pub duration: u64,
    /// The horizon.
    pub horizon: u64,
    /// How long observation goes on after the end.
    observed_after: u64,
}

impl Bounds {
    /// The bounds of a scenario.
    #[must_use]
    pub fn of(compiled: &CompiledScenario) -> Self {
        if compiled.beyond_tutorial().is_some() {
            return Self::of_any(compiled);
        }
        let settings = &compiled.settings;
        let (plan, limit) = edited(compiled);
        let limit = limit.into_iter().chain(settings.max_consecutive_failures).min();
        let limit = limit.map_or(u64::MAX, |limit| u64::from(limit.get()));
        let instances = u64::from(plan.total_instances());
        let (tick, timeout) = (compiled.tick_interval.0, settings.health_timeout.0);
        let in_flight = u64::from(compiled.most_in_flight());
        // In the worst case, every slot takes the whole health timeout.
        let wave = |size: u64| size.div_ceil(in_flight).saturating_mul(timeout);
        let walk =
            |batches: u64, size: u64| batches.saturating_mul(wave(size).saturating_add(tick)).saturating_add(tick);
        let faults = |kinds: &[FaultKind]| {
            let lasting = compiled.faults.iter().filter(|fault| kinds.contains(&fault.kind));
            let each =
                lasting.map(|fault| fault.duration().map_or(compiled.horizon.0, |span| span.0).saturating_add(tick));
            each.fold(0, u64::saturating_add)
        };
        let paused = faults(&[FaultKind::ReconcilerPause, FaultKind::ReconcilerCrash]);
        // A controller that is down takes an answer, or records the expiry, when it returns.
        let away = faults(&[FaultKind::ReconcilerCrash]);
        let untripped = walk(u64::from(plan.batch_count()), u64::from(plan.batch_size())).saturating_add(paused);
        // A trip uses up a run of failures. The first decision other than to continue ends the walk, first that of the
        // rollout and then that of the rollback. The last decision repeats.
        let runs = instances / limit.max(1);
        let decisions = &compiled.operator.on_trip;
        let goes_on = |decision: &&OperatorDecision| **decision == OperatorDecision::ContinueAnyway;
        let repeats = decisions.last().is_some_and(|last| goes_on(&last));
        let trips_from = |first: usize| {
            let continued = decisions.iter().skip(first).take_while(goes_on).count();
            if first + continued >= decisions.len() && repeats { runs } else { runs.min(continued as u64 + 1) }
        };
        let forward = trips_from(0);
        let rolls_back = decisions.contains(&OperatorDecision::RollbackCompletedBatches) && settings.previous.is_some();
        let (back, backward) = if rolls_back {
            let planned = instances as u32;
            let size = u64::from(settings.rollback_batches.size(0, planned, planned, None)).max(1);
            let ended = decisions.iter().take_while(goes_on).count() + 1;
            (walk(instances.div_ceil(size), size), trips_from(ended))
        } else {
            (0, 0)
        };
        // The first decision stops the rollout unless it is to continue.
        let decided = compiled.operator.decision_delay.longest().0;
        let stop = match decisions.first() {
            Some(first) if !goes_on(&first) => decided.saturating_add(away),
            _ => u64::MAX,
        };
        let trips = forward + backward;
        let resumed = trips.saturating_mul(timeout.saturating_add(tick));
        let rollout = untripped.saturating_add(back).saturating_add(resumed);
        let asked = settings.policy == InterventionPolicy::RequireApproval;
        let answers = if compiled.operator.edit.is_some() { 2 } else { 1 };
        let answered = compiled.operator.approval_delay.longest().0.saturating_mul(answers);
        let approval = if asked {
            settings.approval_expires.0.min(answered).saturating_add(away).min(compiled.horizon.0)
        } else {
            0
        };
        Self {
            instances,
            approval,
            untripped: untripped.min(compiled.horizon.0),
            rollout: rollout.min(compiled.horizon.0),
            duration: approval
                .saturating_add(rollout)
                .saturating_add(decided.saturating_mul(trips))
                .min(compiled.horizon.0),
            stop: stop.min(compiled.horizon.0),
            trips,
            horizon: compiled.horizon.0,
            observed_after: compiled.observe_after.0,
        }
    }

    /// The bounds of any policy: the horizon, and a trip at every moment at which a rule is judged.
    fn of_any(compiled: &CompiledScenario) -> Self {
        let horizon = compiled.horizon.0;
        let instances = u64::from(compiled.total());
        // A verdict, a relapse and a batch's begin and end for each instance, forward and back; and each time without
        // progress, of which the shortest is a millisecond.
        let progress = compiled.settings.breakers.iter().filter_map(|rule| match rule.kind {
            RuleKind::NoProgress(no_progress) => Some(horizon / no_progress.after.0.max(1)),
            _ => None,
        });
        let trips = progress.fold(8 * instances.max(1), u64::saturating_add);
        Self {
            instances,
            approval: horizon,
            untripped: horizon,
            rollout: horizon,
            stop: horizon,
            trips,
            duration: horizon,
            horizon,
            observed_after: compiled.observe_after.0,
        }
    }

    /// The range of a metric, in its reported unit.
    #[must_use]
    pub fn reach(&self, metric: Metric) -> Reach {
        let (instances, trips) = (self.instances as f64, self.trips as f64);
        let up_to = |usually: f64, always: f64| Reach {
            usually: Interval::new(0.0, usually.min(always)),
            always: Interval::new(0.0, always),
        };
        let seconds = |millis: u64| millis as f64 / 1000.0;
        let end = seconds(self.duration);
        let summed = |millis: u64| instances * millis.saturating_add(self.observed_after) as f64 / 60_000.0;
        let all = summed(self.duration);
        match metric {
            Metric::Trips | Metric::Decisions => up_to(0.0, trips),
            Metric::DurationSec => up_to(seconds(self.approval.saturating_add(self.untripped)), end),
            Metric::ApprovalWaitSec => up_to(seconds(self.approval), end),
            Metric::RolloutSec => up_to(seconds(self.untripped), seconds(self.rollout)),
            Metric::ExposedInstances
            | Metric::HarmedInstances
            | Metric::EscapedInstances
            | Metric::BrickedInstances => Reach::within(0.0, instances),
            Metric::ExposedPct
            | Metric::BlastRadiusPct
            | Metric::BlastRadiusPctTripped
            | Metric::HarmedPct
            | Metric::MinServingPct => Reach::within(0.0, 100.0),
            Metric::ExposureInstanceMin | Metric::UnhealthyInstanceMin => up_to(summed(self.untripped), all),
            Metric::CapacityLossInstanceMin => up_to(summed(self.approval.saturating_add(self.untripped)), all),
            // No verdict before the first trip is later than the end of a rollout without a trip.
            Metric::TimeToDetectSec => Reach::within(0.0, seconds(self.untripped)),
            Metric::TimeToStopSec => Reach::within(0.0, seconds(self.stop)),
            Metric::TimeToMitigateSec => Reach::within(0.0, end),
            // The failures of the rollout and of its rollback.
            Metric::FalseFailures => up_to(instances, 2.0 * instances),
        }
    }
}

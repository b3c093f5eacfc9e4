//! Whether theory can follow the order in which verdicts are counted, and which order that is.

use super::OutOfScope;
use super::approval::{Approval, NEGLIGIBLE};
use super::fleet::{FleetLaw, Tables};
use std::num::NonZeroU32;

use dryroll_engine::{BatchSizes, BreakerOrder, BreakerScope, OperatorDecision, Plan};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::sim::compiled::Release;
use dryroll_stats::exact::{Counting, Unit, Walk, Walked};

/// The largest number of chain steps of one walk.
const MOST_STEPS: u64 = 400_000_000;

/// A rollout as a walk through units of independent trials.
#[derive(Debug)]
pub(crate) struct TrialWalk<'w> {
    pub(super) walk: Walk,
    pub(super) law: FleetLaw,
    /// Whether a batch is dispatched at one moment, so that it lasts as long as its slowest upgrade.
    pub(super) at_once: bool,
    /// Whether the results after a decision to continue are known.
    pub(super) later_trips_are_known: bool,
    /// Whether a rollback certainly succeeds.
    pub(super) rollback_is_sure: bool,
    /// The decision that ends the walk.
    pub(super) last_decision: OperatorDecision,
    /// Whether that decision certainly comes before the horizon; otherwise the reason.
    pub(super) last_decision_in_time: Result<(), String>,
    compiled: &'w CompiledScenario,
}

impl<'w> TrialWalk<'w> {
    pub(crate) fn of(compiled: &'w CompiledScenario, tables: &Tables) -> Result<Self, OutOfScope> {
        undisturbed(compiled)?;
        let (plan, limit) = walked(compiled)?;
        let settings = &compiled.settings;
        let total = plan.total_instances();
        let most = compiled.most_in_flight();
        let at_once = most >= plan.batch_size();
        let one_by_one = plan.batch_size() == 1 || most == 1;
        let starts_at_zero = !matches!(settings.policy, dryroll_engine::InterventionPolicy::RequireApproval);
        let on_ticks = at_once && (compiled.tick_interval.0.is_multiple_of(compiled.interval.0));
        let on_grid = on_ticks || (at_once && starts_at_zero && plan.batch_count() == 1);
        let law = FleetLaw::new(compiled, &plan, Release::Target, on_grid, tables)?;
        let listed = settings.breaker_order == BreakerOrder::Listed;
        let counting = if listed || one_by_one { Counting::InOrder } else { Counting::SilentLast };
        let reports = law.verdicts().iter().any(|trial| trial.fails > 0.0);
        if counting == Counting::SilentLast {
            observable(&law, reports, at_once)?;
        }
        let fresh = settings.breaker_scope == BreakerScope::Batch;
        let units = if one_by_one && !listed {
            let begins = |position: u32| plan.batch(plan.batch_of(position)).start == position;
            (0..total).map(|i| Unit { trials: i..i + 1, fresh: fresh && begins(i) }).collect()
        } else {
            (0..plan.batch_count()).map(|index| Unit { trials: plan.batch(index), fresh }).collect()
        };
        let on_trip = &compiled.operator.on_trip;
        let waved = on_trip.iter().position(|&decision| decision != OperatorDecision::ContinueAnyway);
        let walk = Walk { units, counting, limit: (limit as usize).min(total as usize + 1), waved };
        let rows = if counting == Counting::SilentLast { walk.limit } else { 1 };
        let steps = u64::from(total) * (walk.limit * rows) as u64 * walk.layers().min(on_trip.len() + 1) as u64;
        if steps > MOST_STEPS {
            return Err(OutOfScope::new("the fleet and the breaker's limit are too large to compute every count"));
        }
        let back = FleetLaw::new(compiled, &plan, Release::Previous, on_grid, tables).ok();
        let rollback_is_sure =
            back.is_some_and(|law| law.verdicts().iter().all(|trial| trial.fails == 0.0 && trial.silent == 0.0));
        let mut walk = Self {
            walk,
            law,
            at_once,
            later_trips_are_known: counting == Counting::InOrder || !reports,
            rollback_is_sure,
            last_decision: waved.and_then(|waved| on_trip.get(waved)).copied().unwrap_or(OperatorDecision::Abort),
            last_decision_in_time: Ok(()),
            compiled,
        };
        walk.check_horizon(&plan)?;
        Ok(walk)
    }

    /// Whether the duration depends only on the slowest upgrade of each batch.
    pub(super) fn is_timed(&self) -> bool {
        self.at_once && self.walk.units.len() <= 100
    }

    /// The result of the walk through all of its trials.
    pub(super) fn walked(&self) -> Walked {
        let verdicts = self.law.verdicts();
        self.walk.go(|position| self.law.pick(&verdicts, position), |_, _| {})
    }

    /// Whether verdicts are counted in plan order.
    pub(crate) fn is_in_plan_order(&self) -> bool {
        self.walk.counting == Counting::InOrder
    }

    /// Requires that the horizon cuts no run, except with negligible probability.
    fn check_horizon(&mut self, plan: &Plan) -> Result<(), OutOfScope> {
        let compiled = self.compiled;
        let approval = Approval::of(compiled)?;
        let tick = compiled.tick_interval.0;
        let timeout = compiled.settings.health_timeout.0;
        let waves = if self.at_once {
            u64::from(plan.batch_count()).saturating_mul(timeout.div_ceil(tick).saturating_mul(tick))
        } else {
            let batches = u64::from(plan.batch_count());
            u64::from(plan.total_instances()).saturating_mul(timeout).saturating_add(batches.saturating_mul(tick))
        };
        let units = self.walk.units.len() as u64;
        let continued = self.walk.waved.map_or(units, |waved| (waved as u64).min(units));
        let walking = waves.saturating_add(tick).saturating_add(continued.saturating_mul(tick));
        let slack = compiled.horizon.0.checked_sub(walking);
        let delay = &compiled.operator.decision_delay;
        let cut = |slack: u64, decisions: u64| {
            let sure = approval.latest.saturating_add(decisions.saturating_mul(delay.longest().0)) <= slack;
            let each = slack / (decisions + 1);
            let late = decisions as f64 * (1.0 - delay.cumulative(each)) + approval.later_than(each);
            if sure { 0.0 } else { late }
        };
        let mut continued = continued;
        if slack.is_some_and(|slack| cut(slack, continued) > NEGLIGIBLE) {
            // After a decision to continue, the rest of the walk begins at a count of zero, and is no more likely to
            // trip than the whole walk.
            let trips = self.walked().chance();
            let likely =
                (1..=continued).take_while(|&times| libm::pow(trips, times as f64) > NEGLIGIBLE).count() as u64;
            continued = continued.min(likely);
        }
        match slack {
            Some(slack) if cut(slack, continued) <= NEGLIGIBLE => {
                if self.walk.waved.is_some() && cut(slack, continued + 1) > NEGLIGIBLE {
                    self.last_decision_in_time = Err("the horizon may come before the decision on a trip".to_owned());
                }
                Ok(())
            }
            _ => Err(OutOfScope::new("the horizon may come before the end of the rollout")),
        }
    }
}

/// Requires that only upgrades themselves affect instances, the network and the controller.
pub(crate) fn undisturbed(compiled: &CompiledScenario) -> Result<(), OutOfScope> {
    let disturbed = [
        (!compiled.faults.is_empty(), "faults are injected, which make verdicts depend on each other"),
        (compiled.zone_law.is_some(), "zones fail, which makes the verdicts in a zone depend on each other"),
        (compiled.death_law.is_some(), "instances die in the background"),
        (compiled.flaps(), "the network flaps, and what a flap does depends on the moment"),
        (compiled.delays, "heartbeats are delayed, and may overtake each other"),
    ];
    match disturbed.into_iter().find(|&(is, _)| is) {
        Some((_, why)) => Err(OutOfScope::new(why)),
        None => Ok(()),
    }
}

/// The plan and the limit after the operator's edit, where the policy is one that theory follows.
pub(crate) fn walked(compiled: &CompiledScenario) -> Result<(Plan, u32), OutOfScope> {
    if let Some(why) = compiled.beyond_tutorial() {
        return Err(OutOfScope::new(why));
    }
    let (plan, limit) = edited(compiled);
    Ok((plan, limit.map_or(u32::MAX, NonZeroU32::get)))
}

/// The plan and the limit of failures in a row after the operator's edit.
pub(crate) fn edited(compiled: &CompiledScenario) -> (Plan, Option<NonZeroU32>) {
    let settings = &compiled.settings;
    let is_asked = settings.policy == dryroll_engine::InterventionPolicy::RequireApproval;
    let edit = compiled.operator.edit.filter(|_| is_asked);
    let limit = edit.and_then(|edit| edit.max_consecutive_failures).or(settings.max_consecutive_failures);
    let plan = match edit.and_then(|edit| edit.batch_pct) {
        Some(batch_pct) => compiled.plan.recut(&BatchSizes::pct(batch_pct)),
        None => compiled.plan.clone(),
    };
    (plan, limit)
}

/// Requires that verdicts that are counted as observed arrive in an order that theory can follow.
fn observable(law: &FleetLaw, reports: bool, at_once: bool) -> Result<(), OutOfScope> {
    if !at_once {
        return Err(OutOfScope::new(
            "verdicts are counted as observed and `max_in_flight` divides the batches, so their order depends on time",
        ));
    }
    if reports && !law.order_says_nothing() {
        return Err(OutOfScope::new(
            "verdicts are counted as observed, failures are reported before the deadline, and instances differ in when \
             they are heard of, so the order says something about who failed",
        ));
    }
    Ok(())
}

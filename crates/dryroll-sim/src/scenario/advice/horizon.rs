//! Rollouts that end at the horizon: those that must, by an exact bound, and those that did.

use super::{AdviceCode, Found, Step, seconds};
use crate::scenario::{Bound, Demand, ExpectSpec, Expected, FaultKind, LimitSpec, Measure, Rate, Scenario};
use crate::text::Foreign;
use dryroll_engine::{InterventionPolicy, Outcome, batch_size};

/// Whether a rule is about rollouts that stall.
fn is_about_stalling(rule: &ExpectSpec) -> bool {
    let Demand::Limit(LimitSpec { metric, bound, .. }) = &rule.demand else { return false };
    match (metric, bound) {
        (Measure::Rate(Rate::Outcome(Outcome::Stalled)), _) => true,
        (Measure::Outcome, Bound::Equals(Expected::Text(outcome))) => outcome == Outcome::Stalled.name(),
        _ => false,
    }
}

/// The least time from the request to the end of a rollout that completes, in milliseconds.
fn least_to_complete(scenario: &Scenario) -> f64 {
    let planned = scenario.planned_instances();
    let size = batch_size(planned, scenario.walked_with().0).max(1);
    let batches = planned.div_ceil(size);
    let target = scenario.target();
    let is_as_it_says = target.upgrade_time_factor.is_none()
        && scenario.classes.iter().all(|class| class.upgrade_time.is_none())
        && scenario.overrides.iter().all(|one| one.upgrade_time.is_none())
        && !scenario.faults.iter().any(|fault| matches!(fault.kind, FaultKind::Slow { .. }));
    // A healthy verdict comes after the upgrade, any other at the end of the window at the latest.
    let upgrade = if is_as_it_says { target.upgrade_time.least() * 1000.0 } else { 0.0 };
    let verdict = upgrade.min(scenario.rollout.health_timeout.0 as f64).max(1.0);
    let at_once = scenario.rollout.max_in_flight.map_or(size, |most| most.get().min(size));
    let of_batch = |instances: u32| f64::from(instances.div_ceil(at_once)) * verdict;
    // The next batch begins on a tick.
    let tick = scenario.reconciler.interval.0 as f64;
    let step = (of_batch(size) / tick).ceil() * tick;
    let last = planned - (batches - 1) * size;
    let approved = match scenario.reconciler.policy {
        InterventionPolicy::RequireApproval => {
            let answers = if scenario.operator.edit.is_some() { 2.0 } else { 1.0 };
            scenario.operator.approval_delay.least() * 1000.0 * answers
        }
        _ => 0.0,
    };
    let begins = (approved / tick).ceil() * tick;
    begins + f64::from(batches - 1) * step + of_batch(last)
}

pub(super) fn too_short(scenario: &Scenario) -> Option<Found> {
    let least = least_to_complete(scenario);
    if least <= scenario.horizon.0 as f64 || scenario.expect.iter().any(is_about_stalling) {
        return None;
    }
    let planned = scenario.planned_instances();
    let batches = planned.div_ceil(batch_size(planned, scenario.walked_with().0).max(1));
    let batches = if batches == 1 { "1 batch".to_owned() } else { format!("{batches} batches") };
    let least = seconds((least / 1000.0).ceil());
    Some(Found::new(
        AdviceCode::HorizonTooShort,
        [Step::Key("horizon_sec")],
        format!(
            "no rollout can complete before the horizon of {}: {batches} on ticks of {} take {least} or more",
            seconds(scenario.horizon.as_secs_f64()),
            seconds(scenario.reconciler.interval.as_secs_f64()),
        ),
        format!(
            "set `horizon_sec` well above {least}, take larger batches, or a shorter `interval_sec` in [reconciler]"
        ),
    ))
}

/// What is told where `stalled` of so many replicates ended at the horizon, unless a rule of the scenario is about
/// that.
#[must_use]
pub fn ended_at_horizon(scenario: &Scenario, version: &Foreign, stalled: u64, of: u64) -> Option<Found> {
    if stalled == 0 || scenario.expect.iter().any(is_about_stalling) {
        return None;
    }
    let horizon = seconds(scenario.horizon.as_secs_f64());
    let message = match of {
        1 => format!("the rollout of {version} was not over at the horizon of {horizon}; its figures end there"),
        _ => format!(
            "{stalled} of {of} rollouts of {version} were not over at the horizon of {horizon}; their figures end there"
        ),
    };
    Some(Found::new(AdviceCode::EndedAtHorizon, [Step::Key("horizon_sec")], message, longer()))
}

/// What is told of a rule that passes on replicates of which some ended at the horizon.
#[must_use]
pub fn passed_on_stalled(scenario: &Scenario, rule: &ExpectSpec, says: &str, stalled: u64, of: u64) -> Option<Found> {
    if stalled == 0 || is_about_stalling(rule) || scenario.expect.iter().any(is_about_stalling) {
        return None;
    }
    let place = scenario.expect.iter().position(|one| one == rule).unwrap_or(0);
    let horizon = seconds(scenario.horizon.as_secs_f64());
    let of = if of == 1 { "1 replicate".to_owned() } else { format!("{of} replicates") };
    Some(Found::new(
        AdviceCode::EndedAtHorizon,
        [Step::Key("expect"), Step::Item(place)],
        format!(
            "the rule `{says}` passes, but {stalled} of the {of} behind it were not over at the horizon of {horizon}"
        ),
        longer(),
    ))
}

fn longer() -> String {
    "set a longer `horizon_sec`; where a rollout may stall, say so in a rule on `stalled`".to_owned()
}

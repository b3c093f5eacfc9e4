//! Rollouts that end at the horizon: those that must, by an exact bound, and those that did.

use super::{AdviceCode, Found, Step, seconds};
use crate::scenario::{Bound, Demand, ExpectSpec, Expected, FaultKind, LimitSpec, Measure, Rate, Scenario};
use crate::text::Foreign;
use dryroll_engine::fleet::Span;
use dryroll_engine::{InterventionPolicy, Outcome};

/// Whether a rule is about rollouts that stall.
fn is_about_stalling(rule: &ExpectSpec) -> bool {
    let Demand::Limit(LimitSpec { metric, bound, .. }) = &rule.demand else { return false };
    match (metric, bound) {
        (Measure::Rate(Rate::Outcome(Outcome::Stalled)), _) => true,
        (Measure::Outcome, Bound::Equals(Expected::Text(outcome))) => outcome == Outcome::Stalled.name(),
        _ => false,
    }
}

/// What a rollout waits for, as far as the file sets it.
#[derive(Clone, Copy)]
struct Pace {
    /// Instances a batch.
    size: u32,
    /// Of them under way at once.
    at_once: u32,
    /// Between two ticks, in milliseconds.
    tick: f64,
    /// For the operator's answers, in milliseconds.
    approval: f64,
    /// Whether the bakes are waited for.
    bakes: bool,
}

impl Pace {
    fn of(scenario: &Scenario) -> Self {
        let planned = scenario.planned_instances();
        let size = scenario.walked_with().sizes.largest(planned).max(1);
        let approval = match scenario.reconciler.policy {
            InterventionPolicy::RequireApproval => {
                let answers = if scenario.operator.edit.is_some() { 2.0 } else { 1.0 };
                scenario.operator.approval_delay.least() * 1000.0 * answers
            }
            _ => 0.0,
        };
        Self {
            size,
            at_once: scenario
                .rollout
                .max_in_flight
                .map_or(size, |most| most.of(planned, scenario.rollout.batches.rounding).min(size)),
            tick: scenario.reconciler.interval.0 as f64,
            approval,
            bakes: true,
        }
    }

    /// The least time from the request to the end of a rollout that completes, in milliseconds.
    fn least_to_complete(self, scenario: &Scenario) -> f64 {
        let Self { size, at_once, tick, approval, bakes } = self;
        let planned = scenario.planned_instances();
        let batches = planned.div_ceil(size);
        let target = scenario.target();
        let is_as_it_says = target.upgrade_time_factor.is_none()
            && scenario.classes.iter().all(|class| class.upgrade_time.is_none())
            && scenario.overrides.iter().all(|one| one.upgrade_time.is_none())
            && !scenario.faults.iter().any(|fault| matches!(fault.kind, FaultKind::Slow { .. }));
        // A healthy verdict comes after the upgrade, any other at the end of the window at the latest.
        let upgrade = if is_as_it_says { target.upgrade_time.least() * 1000.0 } else { 0.0 };
        let verdict = upgrade.min(scenario.rollout.health_timeout.0 as f64).max(1.0);
        let of_batch = |instances: u32| f64::from(instances.div_ceil(at_once)) * verdict;
        // Before the walk leaves a batch, all of it is dispatched; with `advance_pct` it need not be judged.
        let left = |instances: u32| match scenario.rollout.pace.advance_pct {
            100 => of_batch(instances),
            _ => f64::from(instances.div_ceil(at_once).saturating_sub(1)) * verdict,
        };
        // The next batch begins on a tick.
        let step = (left(size) / tick).ceil().max(1.0) * tick;
        let last = planned - (batches - 1) * size;
        let begins = (approval / tick).ceil() * tick;
        let walked = begins + f64::from(batches - 1) * step + of_batch(last);
        let baked = if bakes { bakes_of(&scenario.rollout.pace.bakes, batches) } else { 0.0 };
        walked.max(begins + f64::from(batches - 1) * left(size) + left(last) + baked)
    }

    /// What holds the rollout up: that which alone, without it, lets it complete in time, and else all that makes it
    /// quicker.
    fn remedies(self, scenario: &Scenario) -> Vec<&'static str> {
        let planned = scenario.planned_instances().max(1);
        // Larger batches hold as many at once as before, where `max_in_flight` says so.
        let all_at_once = if scenario.rollout.max_in_flight.is_some() { self.at_once } else { planned };
        let without: [(&'static str, Self); 5] = [
            ("take larger batches", Self { size: planned, at_once: all_at_once, ..self }),
            ("allow a larger `max_in_flight`", Self { at_once: self.size, ..self }),
            ("set a shorter `interval_sec` in [reconciler]", Self { tick: 1.0, ..self }),
            ("set a shorter `approval_delay_sec` in [operator]", Self { approval: 0.0, ..self }),
            ("set a shorter `bake_sec`", Self { bakes: false, ..self }),
        ];
        let least = self.least_to_complete(scenario);
        let quicker: Vec<(&'static str, f64)> = without
            .into_iter()
            .map(|(remedy, pace)| (remedy, pace.least_to_complete(scenario)))
            .filter(|&(_, takes)| takes < least)
            .collect();
        let in_time = |takes: f64| takes <= scenario.horizon.0 as f64;
        let any = quicker.iter().any(|&(_, takes)| in_time(takes));
        quicker.into_iter().filter(|&(_, takes)| !any || in_time(takes)).map(|(remedy, _)| remedy).collect()
    }
}

/// The bakes after so many batches, in milliseconds.
fn bakes_of(bakes: &[Span], batches: u32) -> f64 {
    let listed = bakes.iter().take(batches as usize);
    let more = f64::from(batches) - listed.len() as f64;
    let repeated = bakes.last().map_or(0.0, |last| last.0 as f64 * more);
    listed.map(|bake| bake.0 as f64).sum::<f64>() + repeated
}

pub(super) fn too_short(scenario: &Scenario) -> Option<Found> {
    let pace = Pace::of(scenario);
    let least = pace.least_to_complete(scenario);
    if least <= scenario.horizon.0 as f64 || scenario.expect.iter().any(is_about_stalling) {
        return None;
    }
    let planned = scenario.planned_instances();
    let batches = planned.div_ceil(pace.size);
    let (batches, take) =
        if batches == 1 { ("1 batch".to_owned(), "takes") } else { (format!("{batches} batches"), "take") };
    let at_once = match pace.at_once < pace.size {
        true => format!(" of {}, {} at a time,", pace.size, pace.at_once),
        false => String::new(),
    };
    let least = seconds((least / 1000.0).ceil());
    let remedies: String = pace.remedies(scenario).iter().map(|remedy| format!(", or {remedy}")).collect();
    Some(Found::new(
        AdviceCode::HorizonTooShort,
        [Step::Key("horizon_sec")],
        format!(
            "no rollout can complete before the horizon of {}: {batches}{at_once} on ticks of {} {take} {least} or more",
            seconds(scenario.horizon.as_secs_f64()),
            seconds(scenario.reconciler.interval.as_secs_f64()),
        ),
        format!("set `horizon_sec` well above {least}{remedies}"),
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

//! Exact results for a scenario: the expectations that a simulation estimates, computed by dynamic programming.
//!
//! They exist where every verdict is independent of the others and the order in which verdicts are counted is known, or
//! independent of which instances failed. [`exact`] determines whether a scenario qualifies, and otherwise states the
//! reason in one sentence. `docs/exact.md` has the formulas, with their sources.

pub(super) mod approval;
#[cfg(test)]
mod brute_force;
mod duration;
pub(crate) mod fleet;
mod law;
mod mixture;
mod rules;
pub(crate) mod scope;
mod spread;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use approval::Approval;
use dryroll_engine::{InterventionPolicy, OperatorDecision, Outcome, Then};
use dryroll_sim::scenario::{Measure, Metric, Scenario};
use dryroll_sim::sim::CompiledScenario;
use dryroll_stats::exact::Walked;
use fleet::Tables;
use scope::{Before, Gone, TrialWalk};
pub use spread::{TripSpread, trip_spread};

/// The exact results of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exact {
    /// Expectations by metric name, under the names of the reports: means of numbers, probabilities of outcomes.
    /// `blast_radius_pct_tripped` is the mean over the runs that trip.
    pub values: BTreeMap<String, f64>,
    /// The distribution of `exposed_instances`: value and probability, ascending; empty where it is not known.
    pub exposed: Vec<(u32, f64)>,
    /// The number of instances dispatched at the first trip, and the probability of a first trip there: ascending, with
    /// sum `trip_rate`.
    pub dispatched_at_first_trip: Vec<(u32, f64)>,
    /// Metrics that are not known exactly, with the reasons, although the scenario is in scope.
    pub why_not: Vec<Unknown>,
}

/// A metric that is not known exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Its name.
    pub metric: String,
    /// The reason, in a sentence for people.
    pub why: String,
}

/// The scenario has no exact results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct OutOfScope {
    /// The reason, in a sentence for people.
    pub why: String,
}

impl OutOfScope {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

impl Exact {
    /// The expectation of a metric; `None` where it is not known.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.values.get(metric).copied()
    }

    /// The quantile of the number of exposed instances at this probability; `None` where the distribution is not known.
    #[must_use]
    pub fn exposed_quantile(&self, chance: f64) -> Option<u32> {
        let mut sum = 0.0;
        let reaches = |&&(_, weight): &&(u32, f64)| {
            sum += weight;
            sum >= chance
        };
        self.exposed.iter().find(reaches).or(self.exposed.last()).map(|&(exposed, _)| exposed)
    }

    fn set(&mut self, metric: &str, value: f64) {
        self.values.insert(metric.to_owned(), value);
    }

    /// Rounding can push sums of probabilities below 0 or above 1.
    fn set_chance(&mut self, metric: &str, chance: f64) {
        self.set(metric, chance.clamp(0.0, 1.0));
    }

    fn set_outcome(&mut self, outcome: Outcome, chance: f64) {
        self.set_chance(outcome.name(), chance);
    }

    fn lacks(&mut self, metrics: &[&str], why: &str) {
        self.why_not.extend(metrics.iter().map(|&metric| Unknown { metric: metric.to_owned(), why: why.to_owned() }));
    }
}

/// How much is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Probabilities and numbers of instances: cheap.
    Chances,
    /// Durations too, which take about ten times as long.
    Durations,
}

impl Depth {
    /// The depth that a measure needs.
    #[must_use]
    pub fn of(measure: Measure) -> Self {
        match measure {
            Measure::Metric(Metric::DurationSec | Metric::ApprovalWaitSec | Metric::RolloutSec) => Self::Durations,
            _ => Self::Chances,
        }
    }
}

/// All exact results of a scenario.
///
/// # Errors
/// When the scenario has no exact results; the sentence gives the reason.
pub fn exact(scenario: &Scenario) -> Result<Exact, OutOfScope> {
    exact_to(scenario, Depth::Durations)
}

/// The exact results of a scenario, to a depth.
///
/// # Errors
/// When the scenario has no exact results; the sentence gives the reason.
pub fn exact_to(scenario: &Scenario, depth: Depth) -> Result<Exact, OutOfScope> {
    exact_with(scenario, depth, &Tables::default())
}

/// The exact results, with tables that are shared between scenarios.
pub(super) fn exact_with(scenario: &Scenario, depth: Depth, tables: &Tables) -> Result<Exact, OutOfScope> {
    let compiled = compiled(scenario)?;
    if compiled.shares() { mixture::exact(&compiled, tables, depth) } else { of(&compiled, tables, depth) }
}

fn compiled(scenario: &Scenario) -> Result<CompiledScenario, OutOfScope> {
    CompiledScenario::new(scenario).map_err(|refusal| OutOfScope::new(format!("the request is refused: {refusal}")))
}

/// The exact results of a compiled scenario without draws per replicate.
fn of(compiled: &CompiledScenario, tables: &Tables, depth: Depth) -> Result<Exact, OutOfScope> {
    let mut exact = Exact::default();
    if compiled.total() == 0 {
        nothing_happens(&mut exact, compiled, Outcome::Completed);
        return Ok(exact);
    }
    if compiled.settings.policy == InterventionPolicy::Blocked {
        nothing_happens(&mut exact, compiled, Outcome::Blocked);
        return Ok(exact);
    }
    let approval = Approval::of(compiled)?;
    if approval.approved == 0.0 {
        unapproved(&mut exact, compiled, &approval);
        return Ok(exact);
    }
    let walk = TrialWalk::of(compiled, tables)?;
    let mut states = Vec::new();
    let gone = walk.go(|unit, before| {
        if depth == Depth::Durations && walk.is_timed() {
            match before {
                Before::Runs(counts) => states.extend(duration::Start::of_runs(&walk, unit, counts)),
                Before::Rules(weights) => states.push(duration::Start::of_rules(&walk, unit, weights)),
            }
        }
    });
    tell_trips(&mut exact, compiled, &approval, &walk, &gone.walked);
    tell_outcomes(&mut exact, compiled, &approval, &walk, &gone);
    let durations = ["duration_sec", "approval_wait_sec", "rollout_sec"];
    if depth == Depth::Chances {
        exact.lacks(&durations, mixture::TOO_MANY_DURATIONS);
        return Ok(exact);
    }
    match duration::mean_duration(compiled, &approval, &walk, &gone, states) {
        Ok((duration, wait)) => {
            exact.set("duration_sec", duration / 1000.0);
            exact.set("approval_wait_sec", wait / 1000.0);
            exact.set("rollout_sec", (duration - wait) / 1000.0);
        }
        Err(why) => exact.lacks(&durations, &why),
    }
    Ok(exact)
}

fn tell_exposed(exact: &mut Exact, compiled: &CompiledScenario, distribution: impl Iterator<Item = (u32, f64)>) {
    let mut by_value: BTreeMap<u32, f64> = BTreeMap::new();
    for (exposed, chance) in distribution.filter(|&(_, chance)| chance > 0.0) {
        *by_value.entry(exposed).or_default() += chance;
    }
    exact.exposed = by_value.into_iter().collect();
    let mean: f64 = exact.exposed.iter().map(|&(exposed, chance)| f64::from(exposed) * chance).sum();
    let pct = mean * 100.0 / f64::from(compiled.total().max(1));
    exact.set("exposed_instances", mean);
    exact.set("exposed_pct", pct);
    if compiled.defective {
        exact.set("blast_radius_pct", pct);
    }
}

/// A run that ends before anything is dispatched.
fn nothing_happens(exact: &mut Exact, compiled: &CompiledScenario, outcome: Outcome) {
    tell_exposed(exact, compiled, std::iter::once((0, 1.0)));
    for metric in ["trip_rate", "trips", "duration_sec", "approval_wait_sec", "rollout_sec"] {
        exact.set(metric, 0.0);
    }
    exact.set_outcome(outcome, 1.0);
}

fn unapproved(exact: &mut Exact, compiled: &CompiledScenario, approval: &Approval) {
    tell_exposed(exact, compiled, std::iter::once((0, 1.0)));
    exact.set("trip_rate", 0.0);
    exact.set("trips", 0.0);
    exact.set_outcome(Outcome::Rejected, approval.rejected);
    exact.set_outcome(Outcome::Expired, approval.expired);
    match &approval.wait {
        Ok(wait) => {
            exact.set("duration_sec", wait / 1000.0);
            exact.set("approval_wait_sec", wait / 1000.0);
            exact.set("rollout_sec", 0.0);
        }
        Err(why) => exact.lacks(&["duration_sec", "approval_wait_sec", "rollout_sec"], why),
    }
}

fn tell_trips(
    exact: &mut Exact,
    compiled: &CompiledScenario,
    approval: &Approval,
    walk: &TrialWalk<'_>,
    walked: &Walked,
) {
    let approved = approval.approved;
    let units = &walk.walk.units;
    let at = |chances: &[f64]| -> Vec<(u32, f64)> {
        let ends = units.iter().zip(chances).map(|(unit, chance)| (unit.trials.end, chance * approved));
        ends.filter(|&(_, chance)| chance > 0.0).collect()
    };
    exact.set_chance("trip_rate", walked.chance() * approved);
    exact.dispatched_at_first_trip = at(&walked.first);
    if walk.counts_later_trips() {
        let ending = at(&walked.ending);
        let rest = approved - ending.iter().map(|&(_, chance)| chance).sum::<f64>();
        let unapproved = std::iter::once((0, 1.0 - approved));
        let all = std::iter::once((compiled.total(), rest));
        tell_exposed(exact, compiled, unapproved.chain(ending.iter().copied()).chain(all));
        if walked.chance() > 0.0 {
            tell_blast_of_trips(exact, compiled, walk, walked);
        }
        if walk.may_trip_on_the_way_back(compiled) && walked.chance_of_ending() > 0.0 {
            exact.lacks(&["trips"], "a rollback may trip too");
        } else {
            exact.set("trips", walked.trips * approved);
        }
    } else {
        let why = if walk.rules.is_some() {
            "after a decision to continue, the counts of the rules depend on when it comes"
        } else {
            "after a decision to continue, verdicts of the batch that tripped are counted in an order that depends on \
             time"
        };
        exact.lacks(&["trips"], why);
        if walk.walk.waved.is_none() && !walk.ends_unasked {
            // Whether or not it trips, every instance is exposed in the end.
            tell_exposed(exact, compiled, [(0, 1.0 - approved), (compiled.total(), approved)].into_iter());
            if walked.chance() > 0.0 && compiled.defective {
                exact.set("blast_radius_pct_tripped", 100.0);
            }
        } else {
            exact.lacks(&["exposed_instances", "exposed_pct"], why);
            if compiled.defective {
                exact.lacks(&["blast_radius_pct", "blast_radius_pct_tripped"], why);
            }
        }
    }
}

/// The mean exposure of the runs that trip: for a trip that ends the walk, the instances dispatched by then; for the
/// others, all instances.
fn tell_blast_of_trips(exact: &mut Exact, compiled: &CompiledScenario, walk: &TrialWalk<'_>, walked: &Walked) {
    if !compiled.defective {
        return;
    }
    let (mut exposed, mut ending) = (0.0, 0.0);
    for (unit, chance) in walk.walk.units.iter().zip(&walked.ending) {
        exposed += f64::from(unit.trials.end) * chance;
        ending += chance;
    }
    let tripped = walked.chance();
    exposed += (tripped - ending).max(0.0) * f64::from(compiled.total());
    exact.set("blast_radius_pct_tripped", exposed / tripped * 100.0 / f64::from(compiled.total()));
}

fn tell_outcomes(
    exact: &mut Exact,
    compiled: &CompiledScenario,
    approval: &Approval,
    walk: &TrialWalk<'_>,
    gone: &Gone,
) {
    exact.set_outcome(Outcome::Rejected, approval.rejected);
    exact.set_outcome(Outcome::Expired, approval.expired);
    exact.set_outcome(Outcome::Blocked, 0.0);
    let names = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| outcome.name()).collect::<Vec<_>>();
    let all = [Outcome::Completed, Outcome::Aborted, Outcome::RolledBack, Outcome::RollbackFailed];
    if (walk.walk.waved.is_some() || walk.ends_unasked) && !walk.counts_later_trips() {
        return exact.lacks(&names(&all), "later trips depend on time");
    }
    let ends = |chance: f64| if walk.walk.waved.is_some() { chance * approval.approved } else { 0.0 };
    exact.set_outcome(Outcome::Completed, approval.approved - ends(gone.walked.chance_of_ending()));
    let asked = ends(gone.asked);
    if asked > 0.0
        && let Err(why) = &walk.last_decision_in_time
    {
        return exact.lacks(&names(&all[1..]), why);
    }
    let back = if walk.last_decision == OperatorDecision::RollbackCompletedBatches { asked } else { 0.0 };
    let aborted = asked - back + ends(gone.aborted);
    let back = back + ends(gone.rolled_back);
    let (mut rolled_back, mut failed) = (0.0, 0.0);
    match compiled.settings.previous {
        _ if back == 0.0 => {}
        None => failed = back,
        Some(_) if walk.rollback_is_sure => rolled_back = back,
        Some(_) => {
            exact.set_outcome(Outcome::RollbackFailed, 0.0);
            return exact.lacks(&names(&all[1..3]), "a rollback may trip too");
        }
    }
    exact.set_outcome(Outcome::Aborted, aborted);
    exact.set_outcome(Outcome::RolledBack, rolled_back);
    exact.set_outcome(Outcome::RollbackFailed, failed);
}

impl TrialWalk<'_> {
    /// Whether the results after a decision to continue are known too.
    fn counts_later_trips(&self) -> bool {
        self.walk.waved == Some(0) || self.later_trips_are_known
    }

    /// Whether the walk can end in a rollback that trips in turn.
    fn may_trip_on_the_way_back(&self, compiled: &CompiledScenario) -> bool {
        let by_rule = self.rules.as_ref().is_some_and(|rules| rules.thens.contains(&Then::RollBack));
        let rolls_back = by_rule || self.last_decision == OperatorDecision::RollbackCompletedBatches;
        self.walk.waved.is_some() && rolls_back && compiled.settings.previous.is_some() && !self.rollback_is_sure
    }
}

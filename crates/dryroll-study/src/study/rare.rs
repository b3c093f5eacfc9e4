//! Trips that are too rare for plain simulation: their probability by importance sampling, with proposals from the
//! exact value function of the chain of failures in plan order.
//!
//! Where verdicts are counted in plan order and fail exactly where upgrades do, the sampler is exact: every run trips,
//! all runs have the same weight, and the estimate has no variance (Asmussen and Glynn, "Stochastic Simulation", 2007,
//! VI.1). Otherwise it is one of the proposals of a mixture, whose weights are bounded; see
//! [`dryroll_sim::sim::sampler`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exact::fleet::Tables;
use super::exact::scope::{TrialWalk, edited, undisturbed};
use dryroll_engine::{BreakerOrder, BreakerScope, Plan, RequestKind};
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::compiled::{InstanceClass, Release};
use dryroll_sim::sim::importance_sampler::Shares;
use dryroll_sim::sim::{CompiledScenario, ImportanceSampler, Simulator, Unobserved};
use dryroll_stats::Interval;
use dryroll_stats::proportion::upper_bound;

/// The estimated probability of a trip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RareEstimate {
    /// The mean of weight × tripped, which is unbiased for P(trip).
    pub estimate: f64,
    /// Its relative standard error; `None` with fewer than [`FEWEST_HITS`] hits, which are too few for one.
    pub relative_error: Option<f64>,
    /// The 95 % interval, by the normal approximation and not below 0; `None` without a relative error. See
    /// `steers_all`.
    pub interval: Option<Interval>,
    /// Whether a verdict can fail only by the outcome of its upgrade, so that the sampler steers towards every kind of
    /// trip. If not (late or lost heartbeats, flaps, crashes, faults), trips with other causes are no more frequent
    /// than in plain simulation. If such trips are rarer than about 30 / n, the sample may contain none; then the
    /// estimate is too low, and relative error and interval do not show it. `upper_bound` still holds.
    pub steers_all: bool,
    /// Replicates that tripped.
    pub hits: u64,
    /// Replicates.
    pub n: u64,
    /// A one-sided upper bound at 97.5 %: the largest possible weight times Clopper and Pearson's upper bound for the
    /// share of hits. It needs no assumptions, and is wide where there are many hits.
    pub upper_bound: f64,
}

/// With fewer hits there is no relative error.
pub const FEWEST_HITS: u64 = 3;
/// The confidence of the upper bound: that of the upper end of a 95 % interval by plain simulation, so that the smaller
/// of both is one at 95 %.
const ONE_SIDED: f64 = 0.975;

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RareError {
    /// The engine refuses the request.
    #[error("the request is refused: {0}")]
    Refused(#[from] dryroll_engine::Refusal),
    /// There are no replicates.
    #[error("an estimate needs at least one replicate")]
    NoReplicates,
    /// The value function is too large.
    #[error(
        "the fleet and the breaker's limit are too large for the importance sampler, which keeps a number for each count at each instance"
    )]
    TooLarge,
    /// The policy is not one whose trips the sampler can steer towards.
    #[error("the sampler follows failures in a row alone: {0}")]
    Beyond(String),
    /// There are too many kinds of instances.
    #[error("the shares of the fleet that are drawn make too many kinds of instances")]
    TooManyKinds,
}

/// The largest number of values that the value function keeps.
const LARGEST_GUIDE: u64 = 1 << 25;
/// The largest number of kinds that drawn shares make of one.
const MOST_KINDS: usize = 256;

const MIXTURE: Shares = Shares { run: 0.45, window: 0.45, nominal: 0.1 };
const RUN_ALONE: Shares = Shares { run: 1.0, window: 0.0, nominal: 0.0 };
const NOMINAL_ALONE: Shares = Shares { run: 0.0, window: 0.0, nominal: 1.0 };

/// P(trip) of a scenario, from replicates `0 .. replicates`: of the rollout, without its rollbacks.
///
/// The sampler steers the outcomes of upgrades. Verdicts that fail for another reason (the network, a slow upgrade)
/// occur with their own probabilities, so where only those cause trips this is plain simulation.
///
/// # Errors
/// When the request is refused, there are no replicates, or the fleet is too large for the value function.
pub fn trip_probability(scenario: &Scenario, replicates: u64) -> Result<RareEstimate, RareError> {
    if replicates == 0 {
        return Err(RareError::NoReplicates);
    }
    let compiled = CompiledScenario::new(scenario)?;
    let Steering { sampler, largest_weight, steers_all } = sampler(&compiled)?;
    let mut simulator = Simulator::steered(&compiled, sampler);
    let (mut hits, mut sum, mut squares) = (0, 0.0, 0.0);
    for replicate in 0..replicates {
        simulator.begin(replicate, &mut Unobserved);
        if trips(&mut simulator) {
            let weight = simulator.sampler().map_or(1.0, ImportanceSampler::weight);
            hits += 1;
            sum += weight;
            squares += weight * weight;
        }
    }
    let n = replicates as f64;
    let estimate = sum / n;
    let known = hits >= FEWEST_HITS && replicates > 1;
    let variance = ((squares / n - estimate * estimate) / (n - 1.0)).max(0.0);
    let error = variance.sqrt();
    Ok(RareEstimate {
        estimate,
        relative_error: known.then(|| error / estimate),
        interval: known.then(|| Interval::new((estimate - 1.96 * error).max(0.0), estimate + 1.96 * error)),
        steers_all,
        hits,
        n: replicates,
        upper_bound: upper_bound(hits, replicates, ONE_SIDED).map_or(1.0, |share| (largest_weight * share).min(1.0)),
    })
}

/// Runs to the first trip or to the end; returns whether it tripped.
fn trips(simulator: &mut Simulator<'_>) -> bool {
    loop {
        if let Some((_, RequestKind::RollingUpgradeContinuation)) = simulator.engine().pending_request() {
            return true;
        }
        if !simulator.step(&mut Unobserved) {
            return false;
        }
    }
}

/// A sampler with its properties.
struct Steering {
    sampler: ImportanceSampler,
    /// The largest weight that it assigns.
    largest_weight: f64,
    steers_all: bool,
}

/// The importance sampler of a compiled scenario.
fn sampler(compiled: &CompiledScenario) -> Result<Steering, RareError> {
    if let Some(why) = compiled.beyond_tutorial() {
        return Err(RareError::Beyond(why.to_owned()));
    }
    let (plan, limit) = edited(compiled);
    let limit = (limit.map_or(u32::MAX, std::num::NonZeroU32::get) as usize).min(plan.total_instances() as usize + 1);
    if (u64::from(plan.total_instances()) + 1) * limit as u64 > LARGEST_GUIDE {
        return Err(RareError::TooLarge);
    }
    let UpgradeOutcomes { chances, is_alike, decide } = outcomes(compiled, &plan)?;
    let steers_all = decide && undisturbed(compiled).is_ok();
    let fresh = compiled.settings.breaker_scope == BreakerScope::Batch;
    let as_observed = compiled.settings.breaker_order == BreakerOrder::Observed;
    let make = |shares| ImportanceSampler::new(shares, &chances, limit, plan.batch_size(), fresh, as_observed);
    let in_plan_order = || TrialWalk::of(compiled, &Tables::default()).is_ok_and(|walk| walk.is_in_plan_order());
    if is_alike && steers_all && in_plan_order() {
        let sampler = make(RUN_ALONE);
        let largest_weight = sampler.chance();
        if largest_weight > 0.0 {
            return Ok(Steering { sampler, largest_weight, steers_all });
        }
    }
    // Where nothing can fail there is nothing to steer towards.
    let shares = if chances.iter().all(|&chance| chance == 0.0) { NOMINAL_ALONE } else { MIXTURE };
    Ok(Steering { sampler: make(shares), largest_weight: 1.0 / shares.nominal, steers_all })
}

/// The outcomes of upgrades.
struct UpgradeOutcomes {
    /// The probability that the upgrade itself fails, by position.
    chances: Vec<f64>,
    /// Whether no drawn share of the fleet affects them.
    is_alike: bool,
    /// Whether they decide every verdict in the absence of disturbances: no verdict can be late, lost, or end in a
    /// crash.
    decide: bool,
}

fn outcomes(compiled: &CompiledScenario, plan: &Plan) -> Result<UpgradeOutcomes, RareError> {
    let mut known: BTreeMap<InstanceClass, f64> = BTreeMap::new();
    // Shared draws differ between replicates, and so do the probabilities.
    let (mut is_alike, mut decide) = (!compiled.shares(), !compiled.shares());
    let each = (0..plan.total_instances()).map(|position| {
        let instance_class = compiled.instance_class(plan.order.instance(position).0);
        if let Some(&chance) = known.get(&instance_class) {
            return Ok(chance);
        }
        let drawn = compiled.drawn_instance_class(instance_class.clone(), MOST_KINDS).ok_or(RareError::TooManyKinds)?;
        is_alike &= drawn.len() == 1;
        let mut failing = 0.0;
        for (instance_class, share) in &drawn {
            let outcome_distribution = compiled.outcome_distribution_of(instance_class, Release::Target);
            let chances = outcome_distribution.chances();
            let latest = outcome_distribution.upgrade_time().longest().0.max(1).saturating_add(compiled.interval.0 - 1);
            decide &= chances.crash == 0.0
                && compiled.loss_of(instance_class) == 0.0
                && latest <= compiled.settings.health_timeout.0;
            failing += share * chances.failing();
        }
        known.insert(instance_class, failing);
        Ok(failing)
    });
    let chances = each.collect::<Result<_, RareError>>()?;
    Ok(UpgradeOutcomes { chances, is_alike, decide })
}

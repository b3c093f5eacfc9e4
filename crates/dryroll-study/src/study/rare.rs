//! Trips that are too rare to wait for: their chance by importance sampling, guided by the exact value function of the
//! chain of failures in plan order.
//!
//! Where verdicts are counted in plan order and fail just where upgrades do, the guide is exact: every run trips, all
//! with one weight, and the estimate has no variance (Asmussen and Glynn, "Stochastic Simulation", 2007, VI.1).
//! Elsewhere the guide is one of the proposals of a mixture, whose weights are bounded; see
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

/// A chance of tripping, estimated with weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RareEstimate {
    /// The mean of weight × tripped, which is unbiased for P(trip).
    pub estimate: f64,
    /// Its standard error over itself; `None` with fewer than [`FEWEST_HITS`] hits, of which no error can be told.
    pub relative_error: Option<f64>,
    /// At 95 %, by the normal approximation and not below 0; `None` where there is no relative error. See `steers_all`.
    pub interval: Option<Interval>,
    /// Whether the outcomes of upgrades are all that a verdict can fail by, so that every way to a trip is steered
    /// towards. Where not (late or lost heartbeats, flaps, crashes, faults), trips that come about by such things as
    /// well are met no oftener than in plain simulation. While they are rarer than about 30 / n none may be met, and
    /// then the estimate is too low, and relative error and interval tell nothing of it; `upper_bound` holds all the
    /// same.
    pub steers_all: bool,
    /// Replicates that tripped.
    pub hits: u64,
    /// Replicates.
    pub n: u64,
    /// At 97.5 %, one-sided: the largest weight that there can be times Clopper and Pearson's upper bound for the share
    /// of hits. It supposes nothing, and is wide where there are many hits.
    pub upper_bound: f64,
}

/// With fewer hits no error is told.
pub const FEWEST_HITS: u64 = 3;
/// Confidence of the upper bound: that of the upper end of plain simulation's interval at 95 %, so that the smaller of
/// the two is one at 95 %.
const ONE_SIDED: f64 = 0.975;

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RareError {
    /// The platform refuses the request.
    #[error("the request is refused: {0}")]
    Refused(#[from] dryroll_engine::Refusal),
    /// Without replicates nothing is known.
    #[error("an estimate needs at least one replicate")]
    NoReplicates,
    /// The value function does not fit.
    #[error(
        "the fleet and the breaker's limit are too large for the guide, which keeps a number for each count at each instance"
    )]
    TooLarge,
    /// Too many kinds of instances.
    #[error("the shares of the fleet that are drawn make too many kinds of instances")]
    TooManyKinds,
}

/// The most numbers that the value function keeps.
const LARGEST_GUIDE: u64 = 1 << 25;
/// The most kinds that drawn shares make of one.
const MOST_KINDS: usize = 256;

const MIXTURE: Shares = Shares { run: 0.45, window: 0.45, nominal: 0.1 };
const RUN_ALONE: Shares = Shares { run: 1.0, window: 0.0, nominal: 0.0 };
const NOMINAL_ALONE: Shares = Shares { run: 0.0, window: 0.0, nominal: 1.0 };

/// P(trip) of a scenario, from replicates `0 .. replicates`: of the rollout, its rollbacks left out.
///
/// Outcomes of upgrades are what is steered. Verdicts that fail for another reason (the network, a slow upgrade) come
/// as they come, so where those alone make the trips this is plain simulation.
///
/// # Errors
/// When the request is refused, there are no replicates, or the fleet is too large for a guide.
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

/// Runs to the first trip, or to the end.
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

/// A guide, and what is known of it.
struct Steering {
    sampler: ImportanceSampler,
    /// The largest weight that it gives.
    largest_weight: f64,
    steers_all: bool,
}

/// The guide for a replicate.
fn sampler(compiled: &CompiledScenario) -> Result<Steering, RareError> {
    let (plan, limit) = edited(compiled);
    let limit = (limit as usize).min(plan.total_instances() as usize + 1);
    if (u64::from(plan.total_instances()) + 1) * limit as u64 > LARGEST_GUIDE {
        return Err(RareError::TooLarge);
    }
    let UpgradeOutcomes { chances, is_alike, decide } = outcomes(compiled, &plan)?;
    let steers_all = decide && undisturbed(compiled).is_ok();
    let fresh = compiled.settings.breaker_scope == BreakerScope::Batch;
    let as_observed = compiled.settings.breaker_order == BreakerOrder::Observed;
    let make = |shares| ImportanceSampler::new(shares, &chances, limit, plan.batch_size, fresh, as_observed);
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

/// What upgrades come to.
struct UpgradeOutcomes {
    /// The chance that the upgrade itself fails, by position.
    chances: Vec<f64>,
    /// Whether no drawn share of the fleet has a say in it.
    is_alike: bool,
    /// Whether they decide every verdict, if nothing befalls anyone: none can be late, lost, or crash.
    decide: bool,
}

fn outcomes(compiled: &CompiledScenario, plan: &Plan) -> Result<UpgradeOutcomes, RareError> {
    let mut known: BTreeMap<InstanceClass, f64> = BTreeMap::new();
    // What is shared differs from replicate to replicate, and so do the chances.
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

//! Hints: what other breaker rules could do with the same batches, and which limits they would meet.
//!
//! Rollouts run with a breaker that never trips. Each rule is then applied to the verdicts in the order in which the
//! breaker would count them: as observed, or, if `breaker_order` is `listed`, in plan order when their batch is
//! complete. If `breaker_scope` is `batch`, the rule starts afresh with each batch. A rule is calibrated so that it
//! trips no more good rollouts than failures in a row do. It is judged on the bad ones by how much of the fleet was
//! dispatched when it tripped.
//!
//! - *Failure share*: trips when at least k of the last n verdicts failed.
//! - *CUSUM* (Page, "Continuous inspection schemes", 1954): S grows by 1 − r on a failure and falls by r on a success,
//!   not below zero; trips at h. The reference r between the failure shares of the good and the bad version is that of
//!   the likelihood ratio, ln((1−p₀)/(1−p₁)) / ln(p₁(1−p₀)/(p₀(1−p₁))).

mod rule;
mod trial;
mod verdicts;

use super::{Tune, Tuned};
use dryroll_engine::OperatorDecision;
use dryroll_sim::scenario::Scenario;
pub(super) use rule::Counted;
pub use rule::Rule;
use trial::Trial;
pub use trial::{Judged, Met};
pub(super) use verdicts::{Verdicts, observe};

/// Replicates of each version.
pub const REPLICATES: u64 = 1000;
/// The largest fleet for which verdicts are kept.
const LARGEST_FLEET: u32 = 5000;
/// The largest number of batch sizes that are tried where no policy is recommended.
const MOST_BATCHES: usize = 8;

/// Other rules with the batches of one policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints {
    /// The policy with these batches.
    pub policy: Option<usize>,
    /// Whether that policy is the recommended one: the search has better evidence than these replicates that it meets
    /// the limits.
    pub is_recommended: bool,
    /// Failures in a row first, then the best rule of each other kind.
    pub judged: Vec<Judged>,
    /// Whether trips may be ignored, so that exposure is up to the first trip only.
    pub up_to_first_trip: bool,
    /// Why no rule was judged.
    pub why_not: Option<String>,
}

/// Judges other rules with the batches of the recommended policy. Where none is recommended, it uses the largest
/// batches of the grid with which some rule meets the limits, or else those with which the best rule breaks the fewest
/// limits.
#[must_use]
pub fn hints(tune: &Tune, tuned: &Tuned, pool: &rayon::ThreadPool) -> Hints {
    let recommended = tuned.incumbent;
    let none = |why_not: &str| Hints { why_not: Some(why_not.to_owned()), ..Hints::default() };
    if tune.versions() < 2 {
        return none("[tune] has no defective version, by which they would be judged");
    }
    if tune.has_rules() {
        return none("they compete as policies of the search");
    }
    if tune.scenario.fleet.instances > LARGEST_FLEET {
        return none(&format!(
            "the fleet has more than {LARGEST_FLEET} instances, and no verdicts are kept of that many"
        ));
    }
    let with = |policy: usize| pool.install(|| Trial::new(tune, tuned, policy)).map(|trial| (policy, trial));
    let is_recommended = recommended.is_some();
    let up_to_first_trip = may_continue(&tune.scenario);
    let found = |policy: usize, judged: Vec<Judged>| Hints {
        policy: Some(policy),
        is_recommended,
        judged,
        up_to_first_trip,
        why_not: None,
    };
    let nothing = || none("their batches cannot be run without a breaker");
    if let Some(policy) = recommended {
        let Some((policy, trial)) = with(policy) else { return nothing() };
        let limit = tune.policy(policy).rollout.max_consecutive_failures.map_or(u32::MAX, std::num::NonZeroU32::get);
        let own = trial.judge(Rule::Consecutive(limit));
        let allowed = own.false_trips;
        return found(policy, pool.install(|| trial.judged(own, allowed)));
    }
    let mut best: Option<((usize, f64), Hints)> = None;
    for policy in batches(tune) {
        let Some((policy, trial)) = with(policy) else { continue };
        let judged = pool.install(|| {
            let allowed = trial.allowed();
            trial.judged(trial.in_a_row(allowed), allowed)
        });
        let rank = judged.iter().skip(1).map(Judged::rank).reduce(least);
        let rank = rank.unwrap_or((usize::MAX, f64::INFINITY));
        if best.as_ref().is_none_or(|(before, _)| is_less(rank, *before)) {
            best = Some((rank, found(policy, judged)));
        }
        if rank.0 == 0 {
            break;
        }
    }
    best.map_or_else(nothing, |(_, hints)| hints)
}

/// Whether a person may decide to continue, so that a trip ends nothing.
fn may_continue(scenario: &Scenario) -> bool {
    scenario.operator.on_trip.contains(&OperatorDecision::ContinueAnyway)
}

/// A policy for each batch size and plan order in the grid, the largest batches first.
fn batches(tune: &Tune) -> Vec<usize> {
    let size = |policy: usize| tune.cells.compiled[tune.cell(policy, 0)].plan.batch_size();
    let mut all: Vec<usize> = Vec::new();
    for policy in 0..tune.policies() {
        let same = |&other: &usize| {
            size(other) == size(policy) && tune.policy(other).rollout.order == tune.policy(policy).rollout.order
        };
        if !all.iter().any(same) {
            all.push(policy);
        }
    }
    all.sort_by_key(|&policy| std::cmp::Reverse(size(policy)));
    all.truncate(MOST_BATCHES);
    all
}

fn is_less(a: (usize, f64), b: (usize, f64)) -> bool {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).is_lt()
}

fn least(a: (usize, f64), b: (usize, f64)) -> (usize, f64) {
    if is_less(b, a) { b } else { a }
}

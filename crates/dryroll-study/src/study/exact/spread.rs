//! How much of the variance of a trip lies between rollouts, and how much within one.
//!
//! Where a version's rates are drawn once a replicate, each rollout has its own probability q of a trip. By the law of
//! total variance q̄(1 − q̄) = Var(q) + E[q(1 − q)]: the first part is the difference between rollouts, the second the
//! chance of the upgrades within one.

use serde::{Deserialize, Serialize};

use super::fleet::Tables;
use super::mixture::{self, Rule};
use super::{OutOfScope, compiled};
use dryroll_engine::{Rule as BreakerRule, RuleKind};
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::{CompiledScenario, Shared};

/// The probability of a trip, and how it varies between rollouts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TripSpread {
    /// The probability of a trip, over all rollouts.
    pub trip_rate: f64,
    /// The 5 % quantile of q over the shared draws.
    pub p5: f64,
    /// The median of q.
    pub p50: f64,
    /// The 95 % quantile of q.
    pub p95: f64,
    /// The variance between rollouts: Var(q).
    pub between: f64,
    /// The variance within a rollout: E[q(1 − q)].
    pub within: f64,
}

impl TripSpread {
    /// The share of the variance of *trips or not* that lies between rollouts, 0 to 1.
    #[must_use]
    pub fn share_between(&self) -> f64 {
        let all = self.between + self.within;
        if all > 0.0 { self.between / all } else { 0.0 }
    }
}

/// The number of points for quantiles where more than one quantity is drawn.
const POINTS: u32 = 1000;
/// Steps of a low-discrepancy lattice in up to five dimensions: powers of the inverse of the root of x⁶ = x + 1 (M.
/// Roberts, 2018).
const LATTICE: [f64; 5] = [0.881_271_461_6, 0.776_639_389_1, 0.684_430_129_6, 0.603_168_740_7, 0.531_555_397_7];

/// How a scenario's probability of a trip varies between rollouts, over their draws of rates and factors of the target.
/// The mean and the variances are exact. The quantiles are exact to the precision of a table of six digits where only
/// one rate is drawn; otherwise they are those of 1000 evenly spread rollouts.
///
/// The positions of blocks do not count as a difference between rollouts here: every probability is a mean over them.
/// `None` where nothing else is drawn.
///
/// # Errors
/// When the scenario has no exact results; the sentence gives the reason.
pub fn trip_spread(scenario: &Scenario) -> Result<Option<TripSpread>, OutOfScope> {
    let compiled = compiled(scenario)?;
    let tables = Tables::default();
    let rates = mixture::spread(&compiled).map_or(0, |spread| spread.laws().iter().flatten().count());
    let parts = mixture::parts(&compiled, Rule::Squares)?;
    let places = mixture::of_places(&compiled)?;
    let factors = compiled.factor(dryroll_sim::sim::Release::Target).values().map_or(0, |values| values.len());
    if rates == 0 && factors <= 1 {
        return Ok(None);
    }
    // A sequential test begins anew when it favours the good rate, so more failures may trip it later.
    let is_test = |rule: &BreakerRule| matches!(rule.kind, RuleKind::Sprt(_));
    let is_one = rates == 1 && factors == 1 && !compiled.settings.breakers.iter().any(is_test);
    let looked_up = if is_one { 0 } else { POINTS as usize * places.len() };
    mixture::affordable(&compiled, parts.len() + looked_up)?;
    // The parts list the positions of blocks innermost.
    let mut chances = Vec::with_capacity(parts.len() / places.len());
    for rollout in parts.chunks(places.len()) {
        let weight: f64 = rollout.iter().map(|part| part.1).sum();
        let mean = rollout.iter().try_fold(0.0, |sum, (shared, chance)| {
            Ok::<f64, OutOfScope>(sum + chance * mixture::trip(&compiled, shared, &tables)?)
        })?;
        chances.push((mean / weight, weight));
    }
    let mean_of = |of: &dyn Fn(f64) -> f64| chances.iter().map(|&(q, weight)| weight * of(q)).sum::<f64>();
    let trip_rate = mean_of(&|q| q);
    let [p5, p50, p95] = quantiles(&compiled, &places, is_one, &tables)?;
    Ok(Some(TripSpread {
        trip_rate,
        p5,
        p50,
        p95,
        between: mean_of(&|q| (q - trip_rate) * (q - trip_rate)),
        within: mean_of(&|q| q * (1.0 - q)),
    }))
}

const LEVELS: [f64; 3] = [0.05, 0.5, 0.95];

fn quantiles(
    compiled: &CompiledScenario,
    places: &[(Shared, f64)],
    is_one: bool,
    tables: &Tables,
) -> Result<[f64; 3], OutOfScope> {
    let chance = |variates: [f64; 5]| {
        places.iter().try_fold(0.0, |sum, (base, chance)| {
            Ok::<f64, OutOfScope>(
                sum + chance * mixture::trip(compiled, &mixture::at(compiled, base, variates), tables)?,
            )
        })
    };
    if is_one {
        // The probability of a trip increases with every rate of failure.
        let [p5, p50, p95] = LEVELS.map(|level| chance([level; 5]));
        return Ok([p5?, p50?, p95?]);
    }
    let point = |i: u32| LATTICE.map(|step| (0.5 + f64::from(i) * step).fract().clamp(1e-9, 1.0 - 1e-9));
    let mut all = (0..POINTS).map(|i| chance(point(i))).collect::<Result<Vec<f64>, OutOfScope>>()?;
    all.sort_by(f64::total_cmp);
    Ok(LEVELS.map(|level| all[(level * f64::from(POINTS)) as usize]))
}

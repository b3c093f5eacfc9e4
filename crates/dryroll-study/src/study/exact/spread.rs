//! How much of a chance lies between rollouts, and how much is chance within one.
//!
//! Where a version's rates are drawn once a replicate, each rollout has a chance of its own, q, to trip. By the law of
//! total variance q̄(1 − q̄) = Var(q) + E[q(1 − q)]: the first part is which rollout it is, the second the luck of its
//! upgrades.

use serde::{Deserialize, Serialize};

use super::fleet::Tables;
use super::mixture::{self, Rule};
use super::{OutOfScope, compiled};
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::{CompiledScenario, Shared};

/// A chance of tripping, and what of it is between rollouts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TripSpread {
    /// The chance of a trip, over all rollouts.
    pub trip_rate: f64,
    /// Its quantiles over what rollouts draw once: a rollout in twenty has a smaller chance than this …
    pub p5: f64,
    /// … half of them than this …
    pub p50: f64,
    /// … and all but one in twenty than this.
    pub p95: f64,
    /// The variance between rollouts: of the chance.
    pub between: f64,
    /// The variance within a rollout: the mean of chance × (1 − chance).
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

/// Points for quantiles where more than one thing is drawn.
const POINTS: u32 = 1000;
/// Steps of a lattice that is even in up to five dimensions: powers of the inverse of the root of x⁶ = x + 1 (M.
/// Roberts, 2018).
const LATTICE: [f64; 5] = [0.881_271_461_6, 0.776_639_389_1, 0.684_430_129_6, 0.603_168_740_7, 0.531_555_397_7];

/// How a scenario's chance of tripping is spread between rollouts, over the rates and factors of the target that they
/// draw. The mean and the variances are exact. So are the quantiles, where one rate alone is drawn, with the precision
/// of a table of six digits; where more is drawn they are those of 1000 rollouts, evenly spread.
///
/// The places of blocks are not a rollout's own here: their mean is taken in every chance. `None` where nothing else is
/// drawn.
///
/// # Errors
/// When nothing exact can be said of the scenario; the sentence says why.
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
    let is_one = rates == 1 && factors == 1;
    let looked_up = if is_one { 0 } else { POINTS as usize * places.len() };
    mixture::affordable(&compiled, parts.len() + looked_up)?;
    // Parts come with the places of blocks innermost.
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
        // The chance of a trip rises with every rate of failing.
        let [p5, p50, p95] = LEVELS.map(|level| chance([level; 5]));
        return Ok([p5?, p50?, p95?]);
    }
    let point = |i: u32| LATTICE.map(|step| (0.5 + f64::from(i) * step).fract().clamp(1e-9, 1.0 - 1e-9));
    let mut all = (0..POINTS).map(|i| chance(point(i))).collect::<Result<Vec<f64>, OutOfScope>>()?;
    all.sort_by(f64::total_cmp);
    Ok(LEVELS.map(|level| all[(level * f64::from(POINTS)) as usize]))
}

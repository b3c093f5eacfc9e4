//! The posterior of rates from a history, and the search over replicates that draw from it.

use std::sync::Arc;

use super::Tune;
use dryroll_sim::scenario::{Concentrations, Scenario, VersionIndex};
use dryroll_sim::sim::{RatePosterior, Release};
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_stats::beta::{self, Quantiles};

/// The shapes of a posterior, and the history that it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateHistory {
    /// The number of hits.
    pub hits: u64,
    /// The number of trials.
    pub n: u64,
    /// The posterior's mean.
    pub mean: f64,
    /// The 95 % interval of the draws.
    pub interval: Interval,
    /// The shapes of the beta distribution with its mean and variance.
    pub shapes: [f64; 2],
    /// Where rollouts differ: the fitted concentration. The shapes are then those of the next rollout's rate, which no
    /// history determines.
    pub concentration: Option<f64>,
}

/// The history of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionHistory {
    /// The version's id.
    pub version: Foreign,
    /// The probability that an upgrade reports a failure.
    pub failure: RateHistory,
    /// The probability that no decisive heartbeat arrives, for any cause.
    pub silence: RateHistory,
}

/// The range of shapes that can be drawn from.
const SHAPES: std::ops::RangeInclusive<f64> = 0.01..=1e12;

/// The 95 % interval of draws with these shapes; `None` where no draw is possible.
#[must_use]
pub fn interval(shapes: [f64; 2]) -> Option<Interval> {
    let [a, b] = shapes;
    let fine = shapes.iter().all(|shape| SHAPES.contains(shape));
    fine.then(|| Interval::new(beta::quantile(a, b, 0.025), beta::quantile(a, b, 0.975)))
}

/// Why a history is not valid.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PosteriorError {
    /// It does not have the version that the goal is about.
    #[error(
        "it has no posterior of `{good}`, the good version in [tune]; it has {found}. Calibrate from rollouts of `{good}`, or name a \
         version that it has as `good`"
    )]
    NoGood {
        /// The good version.
        good: Foreign,
        /// The versions that it has.
        found: Foreign,
    },
    /// It has a version twice.
    #[error("it has the version `{0}` twice")]
    Twice(Foreign),
    /// Its shapes are not those of a distribution.
    #[error(
        "`beta` of the {rate} of `{version}` is [{}, {}]; both shapes are numbers from {} to {:e}",
        .shapes[0], .shapes[1], SHAPES.start(), SHAPES.end()
    )]
    Shapes {
        /// The version.
        version: Foreign,
        /// The rate.
        rate: &'static str,
        /// The shapes.
        shapes: [f64; 2],
    },
    /// Its counts and figures contradict each other.
    #[error("the {rate} of `{version}` has {hits} of {n}, estimate {mean}, interval {} to {}: no history gives that", .interval.low, .interval.high)]
    Odd {
        /// The version.
        version: Foreign,
        /// The rate.
        rate: &'static str,
        /// The number of hits.
        hits: u64,
        /// The number of trials.
        n: u64,
        /// The estimate.
        mean: f64,
        /// The interval.
        interval: Interval,
    },
    /// Its failure rate is larger than the silence leaves room for, or less certain than is possible.
    #[error(
        "the failure_rate and the hang_rate of `{0}` do not go together: a failure rate is a share of what does not hang, and its posterior no \
         narrower than that leaves it"
    )]
    Apart(Foreign),
}

/// A version of the search whose rates are drawn.
#[derive(Clone, Debug)]
pub struct Believed {
    /// The version.
    pub version: VersionIndex,
    /// The posterior of its rates.
    pub posterior: Arc<RatePosterior>,
    /// The history that it comes from.
    pub history: VersionHistory,
}

/// The versions of a search whose rates are drawn: the good one, and those of the others that the history has.
#[derive(Clone, Debug, Default)]
pub struct RatePosteriors {
    /// In the order of the scenario.
    pub all: Vec<Believed>,
    /// The versions of the search, and the one that it rolls back to, that the history does not have.
    pub held: Vec<VersionIndex>,
}

impl RatePosteriors {
    /// Finds the versions of a scenario's search in a history.
    ///
    /// # Errors
    /// When the good version is not in it, or an entry is not a valid posterior.
    pub fn new(scenario: &Scenario, histories: &[VersionHistory]) -> Result<Self, PosteriorError> {
        for (place, history) in histories.iter().enumerate() {
            if histories[..place].iter().any(|other| other.version == history.version) {
                return Err(PosteriorError::Twice(history.version.clone()));
            }
        }
        let Some(spec) = &scenario.tune else { return Ok(Self::default()) };
        let wanted = |version: VersionIndex| {
            version == spec.good || spec.defective.contains(&version) || scenario.rollout.previous == Some(version)
        };
        let mut posteriors = Self::default();
        for version in (0..scenario.versions.len()).map(VersionIndex).filter(|&version| wanted(version)) {
            let id = &scenario.versions[version.0].id;
            match histories.iter().find(|history| history.version == *id) {
                Some(history) => posteriors.all.push(Believed {
                    version,
                    posterior: Arc::new(posterior(history, scenario.versions[version.0].rates)?),
                    history: history.clone(),
                }),
                None if version == spec.good => {
                    let found: Vec<String> = histories.iter().map(|history| history.version.to_string()).collect();
                    let found = if found.is_empty() { "none at all".to_owned() } else { found.join(", ") };
                    return Err(PosteriorError::NoGood { good: id.clone(), found: found.into() });
                }
                None => posteriors.held.push(version),
            }
        }
        Ok(posteriors)
    }

    /// The posterior of a version.
    #[must_use]
    pub fn of(&self, version: VersionIndex) -> Option<&Believed> {
        self.all.iter().find(|one| one.version == version)
    }

    /// The rates in which rollouts differ: version, rate, concentration.
    pub fn differing(&self) -> impl Iterator<Item = (&str, &'static str, f64)> {
        self.all.iter().flat_map(|one| {
            let VersionHistory { version, failure, silence } = &one.history;
            [("failure_rate", failure), ("hang_rate", silence)]
                .into_iter()
                .filter_map(move |(rate, of)| Some((version.raw(), rate, of.concentration?)))
        })
    }

    /// The scenario with the posterior means as rates. For rollouts that differ, it has the mean rates and the
    /// history's spread between rollouts.
    #[must_use]
    pub fn point(&self, scenario: &Scenario) -> Scenario {
        let mut point = scenario.clone();
        for one in &self.all {
            let version = &mut point.versions[one.version.0];
            version.rates = one.posterior.mean();
            let VersionHistory { failure, silence, .. } = &one.history;
            let concentrations = &mut version.concentrations;
            *concentrations = Concentrations {
                failure: failure.concentration.filter(|_| version.rates.failure > 0.0),
                hang: silence.concentration.filter(|_| version.rates.hang > 0.0),
                unhealthy: silence.concentration.filter(|_| version.rates.unhealthy > 0.0),
                crash: None,
            };
        }
        point
    }
}

fn posterior(
    history: &VersionHistory,
    own: dryroll_sim::scenario::OutcomeRates,
) -> Result<RatePosterior, PosteriorError> {
    let (silence, failing) = history.quantiles()?;
    Ok(RatePosterior::new(history.version.raw(), silence, failing, own))
}

impl VersionHistory {
    /// Checks that its rates can be drawn.
    ///
    /// # Errors
    /// When it is not a valid posterior.
    pub fn check(&self) -> Result<(), PosteriorError> {
        self.quantiles().map(|_| ())
    }

    /// The quantiles of silence, and of the share that fails among what is not silent.
    fn quantiles(&self) -> Result<(Quantiles, Quantiles), PosteriorError> {
        let version = &self.version;
        let table = |rate: &'static str, shapes: [f64; 2]| {
            let fine = shapes.iter().all(|shape| SHAPES.contains(shape));
            let table = fine.then(|| Quantiles::new(shapes[0], shapes[1])).flatten();
            table.ok_or_else(|| PosteriorError::Shapes { version: version.clone(), rate, shapes })
        };
        let silence = table("hang_rate", self.silence.shapes)?;
        table("failure_rate", self.failure.shapes)?;
        for (rate, of) in [("hang_rate", &self.silence), ("failure_rate", &self.failure)] {
            let RateHistory { hits, n, mean, interval, .. } = *of;
            let is_share = |value: f64| (0.0..=1.0).contains(&value);
            if hits > n
                || ![mean, interval.low, interval.high].into_iter().all(is_share)
                || interval.low > interval.high
            {
                return Err(PosteriorError::Odd { version: version.clone(), rate, hits, n, mean, interval });
            }
        }
        let failing = share(self.failure.shapes, self.silence.shapes);
        let failing = failing.filter(|shapes| shapes.iter().all(|shape| SHAPES.contains(shape)));
        let failing = failing.and_then(|[a, b]| Quantiles::new(a, b));
        Ok((silence, failing.ok_or_else(|| PosteriorError::Apart(version.clone()))?))
    }
}

/// The shapes of the share c of what is not silent that fails: failure = r c, where 1 − r is silence, and both
/// independent, so E[c] = E[failure] / E[r], and of the squares alike. With v = variance / mean², 1 + v(failure) = (1 +
/// v(r)) (1 + v(c)).
fn share(failure: [f64; 2], silence: [f64; 2]) -> Option<[f64; 2]> {
    let mean = |[a, b]: [f64; 2]| a / (a + b);
    let relative = |[a, b]: [f64; 2]| b / (a * (a + b + 1.0));
    let heard = [silence[1], silence[0]];
    let share = mean(failure) / mean(heard);
    let variance = (relative(failure) - relative(heard)) / (1.0 + relative(heard));
    let size = (1.0 - share) / (share * variance) - 1.0;
    (variance > 0.0 && size > 0.0).then_some([share * size, (1.0 - share) * size])
}

impl Tune {
    /// Lets every replicate draw the rates of these versions.
    pub fn believe(&mut self, posteriors: &RatePosteriors) {
        self.draws_rates = true;
        for (compiled, scenario) in self.cells.compiled.iter_mut().zip(&self.cells.scenarios) {
            let releases =
                [(Release::Target, Some(scenario.rollout.target)), (Release::Previous, scenario.rollout.previous)];
            for (release, version) in releases {
                if let Some(one) = version.and_then(|version| posteriors.of(version)) {
                    compiled.believe(release, Arc::clone(&one.posterior));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_fails_comes_back_from_both_rates() {
        // r ~ Beta(80.5, 3.5) and c ~ Beta(6.5, 74.5), as in a calibration; their product by its two moments.
        let square = |a: f64, b: f64| a * (a + 1.0) / ((a + b) * (a + b + 1.0));
        let (mean, second) = (80.5 / 84.0 * 6.5 / 81.0, square(80.5, 3.5) * square(6.5, 74.5));
        let size = mean * (1.0 - mean) / (second - mean * mean) - 1.0;
        let [a, b] = share([mean * size, (1.0 - mean) * size], [3.5, 80.5]).unwrap();
        assert!((a - 6.5).abs() < 1e-9 && (b - 74.5).abs() < 1e-8, "{a} {b}");
    }

    #[test]
    fn rates_that_do_not_go_together_have_none() {
        // Fails nine times in ten, and is silent as often.
        assert_eq!(share([9.5, 1.5], [9.5, 1.5]), None);
        // The failure rate is known better than the silence allows.
        assert_eq!(share([10_000.0, 10_000.0], [1.5, 3.5]), None);
    }
}

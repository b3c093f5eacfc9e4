//! The posterior of unknown rates, and what each replicate draws from it.
//!
//! A replicate's scenario has rates of its own. They are drawn by inversion from a key that belongs to seed, replicate
//! and version, so two policies meet the same fleet with the same rates, and the same version has the same ones whether
//! it is rolled out or rolled back to.

use super::draws::{Key, unit};
use super::name::Name;
use crate::scenario::OutcomeRates;
use dryroll_stats::beta::Quantiles;

/// The posterior of a version's rates.
///
/// A command brings no verdict in time (*silence*), or else its upgrade fails with a chance of its own. Both chances
/// are beta variates, independent of each other. So failure and silence never add up to more than 1.
#[derive(Clone, Debug, PartialEq)]
pub struct RatePosterior {
    key: u64,
    silence: Quantiles,
    failing: Quantiles,
    own: OutcomeRates,
}

impl RatePosterior {
    /// The posterior of the version with this id: the chance of silence, and the share of failures among what is not
    /// silent. `own` has the scenario's rates: silence is split into hanging and unhealthy instances in their
    /// proportion, and the crash rate stays as it is.
    #[must_use]
    pub fn new(version: &str, silence: Quantiles, failing: Quantiles, own: OutcomeRates) -> Self {
        Self { key: Name::RatePosterior(version).key(), silence, failing, own }
    }

    /// The rates of the replicate with this key.
    #[must_use]
    pub fn draw(&self, replicate: Key) -> OutcomeRates {
        let key = replicate.child(self.key);
        self.rates(self.silence.at(unit(key.word(0))), self.failing.at(unit(key.word(1))))
    }

    /// A uniform variate of the replicate with this key, for a later history: place 0 for silence, 1 for failures.
    #[must_use]
    pub fn later(&self, replicate: Key, place: u64) -> f64 {
        unit(replicate.child(self.key).word(2 + place))
    }

    /// The mean rates.
    #[must_use]
    pub fn mean(&self) -> OutcomeRates {
        self.rates(self.silence.mean(), self.failing.mean())
    }

    /// The chance of silence.
    #[must_use]
    pub fn silence(&self) -> &Quantiles {
        &self.silence
    }

    /// The share of what is not silent that fails.
    #[must_use]
    pub fn failing(&self) -> &Quantiles {
        &self.failing
    }

    fn rates(&self, silence: f64, failing: f64) -> OutcomeRates {
        let OutcomeRates { hang, unhealthy, crash, brick, degrade, .. } = self.own;
        let share = if unhealthy > 0.0 { unhealthy / (hang + unhealthy) } else { 0.0 };
        let failure = (1.0 - silence) * failing;
        OutcomeRates {
            failure,
            hang: silence * (1.0 - share),
            unhealthy: silence * share,
            crash: crash.min((1.0 - silence - failure).max(0.0)),
            brick,
            degrade,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::draws::Draws;

    fn posterior(version: &str, own: OutcomeRates) -> RatePosterior {
        let table = |a, b| Quantiles::new(a, b).unwrap();
        RatePosterior::new(version, table(1.5, 49.5), table(2.5, 47.5), own)
    }

    fn drawn(posterior: &RatePosterior, replicate: u64) -> OutcomeRates {
        posterior.draw(Draws::new(42, replicate).shared())
    }

    #[test]
    fn golden_rates() {
        let rates = drawn(&posterior("v-2", OutcomeRates::default()), 7);
        assert_eq!([rates.failure.to_bits(), rates.hang.to_bits()], GOLDEN);
        assert_eq!((rates.unhealthy, rates.crash), (0.0, 0.0));
    }

    const GOLDEN: [u64; 2] = [4_585_499_204_289_988_720, 4_584_662_879_749_221_207];

    #[test]
    fn a_version_has_its_own_rates_and_each_replicate_others() {
        let (one, other) = (posterior("v-1", OutcomeRates::default()), posterior("v-2", OutcomeRates::default()));
        assert_ne!(drawn(&one, 0), drawn(&other, 0));
        assert_ne!(drawn(&one, 0), drawn(&one, 1));
        assert_eq!(drawn(&one, 3), drawn(&posterior("v-1", OutcomeRates::default()), 3));
    }

    #[test]
    fn silence_is_split_as_the_scenario_has_it_and_all_add_up_to_one_at_most() {
        let own = OutcomeRates { failure: 0.6, hang: 0.1, unhealthy: 0.3, crash: 0.9, ..OutcomeRates::default() };
        for replicate in 0..200 {
            let rates = drawn(&posterior("v-2", own), replicate);
            assert!((rates.unhealthy - 3.0 * rates.hang).abs() < 1e-12);
            assert!(rates.sum() <= 1.0 + 1e-12, "{rates:?}");
        }
    }

    /// The mean of 4000 draws is within five standard errors of the beta's own mean: for each of the two, the chance of
    /// a false alarm is 6 in 10 million.
    #[test]
    fn the_mean_over_replicates_is_what_is_believed() {
        let posterior = posterior("v-2", OutcomeRates::default());
        let n = 4000_u32;
        let all: Vec<OutcomeRates> = (0..n).map(|replicate| drawn(&posterior, u64::from(replicate))).collect();
        let wanted = posterior.mean();
        for (of, wanted) in
            [((|rates| rates.hang) as fn(&OutcomeRates) -> f64, wanted.hang), (|rates| rates.failure, wanted.failure)]
        {
            let mean = all.iter().map(of).sum::<f64>() / f64::from(n);
            let variance =
                all.iter().map(|rates| (of(rates) - mean) * (of(rates) - mean)).sum::<f64>() / f64::from(n - 1);
            assert!((mean - wanted).abs() < 5.0 * (variance / f64::from(n)).sqrt(), "{mean} {wanted}");
        }
    }
}

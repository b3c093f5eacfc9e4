//! A sample that is not drawn yet: what it would show of a rate.

use crate::{beta, normal};

/// With a larger variance a count is drawn as a normal variate: its steps are then smaller than a hundredth of its
/// spread.
const LARGE: f64 = 10_000.0;

/// The mean that a rate known as Beta(a, b) would have after `trials` more trials, if its true value is `rate`: (a +
/// hits) / (a + b + trials), with hits drawn by inversion from a word u between 0 and 1.
#[must_use]
pub fn mean_after((a, b): (f64, f64), trials: f64, rate: f64, u: f64) -> f64 {
    (a + hits(trials, rate, u)) / (a + b + trials)
}

/// The least count that a binomial variate exceeds with a chance of at most 1 − u.
fn hits(trials: f64, rate: f64, u: f64) -> f64 {
    let (mean, variance) = (trials * rate, trials * rate * (1.0 - rate));
    // Nothing varies, or the rate is not valid.
    if variance <= 0.0 || variance.is_nan() {
        return mean;
    }
    if variance > LARGE {
        return (mean + variance.sqrt() * normal::quantile(u)).round().clamp(0.0, trials);
    }
    let reach = 9.0 * variance.sqrt();
    let mut below = (mean - reach).floor() - 1.0;
    let mut enough = (mean + reach + 80.0).ceil().min(trials);
    below = below.max(-1.0);
    while enough - below > 1.0 {
        let middle = ((below + enough) / 2.0).floor();
        let up_to = if middle >= trials { 1.0 } else { beta::cumulative(trials - middle, middle + 1.0, 1.0 - rate) };
        if up_to >= u { enough = middle } else { below = middle }
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::probabilities;

    #[test]
    fn counts_are_those_of_the_sums() {
        for (n, p) in [(1, 0.3), (12, 0.02), (50, 0.5), (400, 0.97), (3000, 0.0004)] {
            let mut sum = 0.0;
            for (k, chance) in probabilities(n, p).into_iter().enumerate() {
                if chance > 1e-9 {
                    // In the middle of the step, where rounding has no effect.
                    let u: f64 = sum + chance / 2.0;
                    assert_eq!(hits(n as f64, p, u.min(1.0 - 1e-16)), k as f64, "{n} {p} {u}");
                }
                sum += chance;
            }
        }
    }

    #[test]
    fn large_and_small_go_over_into_each_other() {
        let at = |trials: f64| [0.01, 0.3, 0.5, 0.9].map(|u| hits(trials, 0.5, u) / trials);
        let (small, large) = (at(39_990.0), at(40_010.0));
        assert!(small.iter().zip(&large).all(|(a, b)| (a - b).abs() < 1e-4), "{small:?} {large:?}");
    }

    #[test]
    fn a_mean_moves_towards_the_truth() {
        assert_eq!(mean_after((1.0, 3.0), 0.0, 0.9, 0.5), 0.25);
        let near = mean_after((1.0, 3.0), 1e6, 0.9, 0.5);
        assert!((near - 0.9).abs() < 1e-3, "{near}");
        assert_eq!(mean_after((0.5, 0.5), 10.0, 0.0, 0.5), 0.5 / 11.0);
    }
}

//! Two samples that were not drawn together: the difference of their means or rates.
//!
//! - [`means`]: B. L. Welch, "The generalization of Student's problem when several different population variances are
//!   involved", Biometrika 34 (1947); degrees of freedom by F. E. Satterthwaite, Biometrics Bulletin 2 (1946).
//! - [`rates`]: from Clopper and Pearson's intervals of both, each with half of the miss (Bonferroni). It covers at
//!   least at its confidence, whatever the rates; it is wider than necessary.
//!
//! If the samples are correlated (the same replicates, run twice), both are wider than necessary.

use super::proportion::clopper_pearson;
use super::{Interval, miss, simultaneous, student};

/// If all numbers of a sample of fewer than this many are equal, its variance says nothing about other numbers.
const FEWEST_ALIKE: u64 = 30;

/// What is known of a sample of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Mean.
    pub mean: f64,
    /// Sample variance, divided by n - 1; `None` under two.
    pub variance: Option<f64>,
    /// Sample size.
    pub n: u64,
}

/// The interval of the mean of `b` less the mean of `a`. `None` if one has fewer than two numbers, if neither varies
/// and one has fewer than 30, and if the confidence is not at least 0 and below 1.
#[must_use]
pub fn means(a: Sample, b: Sample, confidence: f64) -> Option<Interval> {
    let tail = miss(confidence).filter(|miss| *miss > 0.0)? / 2.0;
    let parts = [a, b].map(|one| Some((one.variance? / one.n as f64, one.n)));
    let [(of_a, n_a), (of_b, n_b)] = [parts[0]?, parts[1]?];
    let difference = b.mean - a.mean;
    let error = of_a + of_b;
    if error == 0.0 {
        return (n_a.min(n_b) >= FEWEST_ALIKE).then(|| Interval::new(difference, difference));
    }
    // As shares of the whole, so that no square overflows.
    let (share_a, share_b) = (of_a / error, of_b / error);
    let degrees = 1.0 / (share_a * share_a / (n_a - 1) as f64 + share_b * share_b / (n_b - 1) as f64);
    let half = -student::quantile(tail, degrees) * error.sqrt();
    Some(Interval::new(difference - half, difference + half))
}

/// The interval of the rate of `b` less the rate of `a`, each given as hits of n. `None` if [`clopper_pearson`] returns
/// `None`.
#[must_use]
pub fn rates(a: (u64, u64), b: (u64, u64), confidence: f64) -> Option<Interval> {
    let each = simultaneous::each(confidence, 2);
    let (a, b) = (clopper_pearson(a.0, a.1, each)?, clopper_pearson(b.0, b.1, each)?);
    Some(Interval::new(b.low - a.high, b.high - a.low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(mean: f64, variance: f64, n: u64) -> Sample {
        Sample { mean, variance: Some(variance), n }
    }

    /// Two samples of ten, variances 4 and 1: error² = 0.5, degrees = 0.25 / ((0.4² + 0.1²) / 9) = 13.2353; Student's
    /// quantile there is 2.1565 (scipy.stats.t.ppf(0.975, 13.235294)).
    #[test]
    fn a_difference_of_means() {
        let interval = means(sample(1.0, 4.0, 10), sample(3.0, 1.0, 10), 0.95).unwrap();
        assert!((interval.half_width() - 2.1564 * 0.5_f64.sqrt()).abs() < 1e-3, "{interval:?}");
        assert!((interval.low + interval.high - 4.0).abs() < 1e-12);
    }

    #[test]
    fn what_never_varies() {
        let point = means(sample(1.0, 0.0, 30), sample(3.0, 0.0, 30), 0.95);
        assert_eq!(point, Some(Interval::new(2.0, 2.0)));
        assert_eq!(means(sample(1.0, 0.0, 30), sample(3.0, 0.0, 29), 0.95), None);
        assert_eq!(means(Sample { mean: 1.0, variance: None, n: 1 }, sample(3.0, 0.0, 40), 0.95), None);
    }

    /// None of 100 against 50 of 100: 0 to 0.0428 and 0.3879 to 0.6121 with 97.5 % each, to three digits
    /// (1 - 0.0125^(1/100) = 0.04287).
    #[test]
    fn a_difference_of_rates() {
        let interval = rates((0, 100), (50, 100), 0.95).unwrap();
        assert!(interval.low > 0.33 && interval.low < 0.36, "{interval:?}");
        assert!(interval.high > 0.59 && interval.high < 0.64, "{interval:?}");
        assert_eq!(rates((0, 0), (1, 2), 0.95), None);
        let same = rates((7, 100), (7, 100), 0.95).unwrap();
        assert!(same.contains(0.0) && (same.low + same.high).abs() < 1e-12);
    }
}

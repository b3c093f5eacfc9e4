//! A rate, estimated from the number of hits among n.
//!
//! - [`wilson`]: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
//!   Covers at its confidence on average over rates, and somewhat less at some of them: for display.
//! - [`clopper_pearson`], [`upper_bound`]: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits
//!   illustrated in the case of the binomial", Biometrika 26 (1934). Covers at least at its confidence whatever the
//!   rate: for claims.
//!
//! L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001),
//! compares them.
//!
//! All of them return `None` if n is 0, if there are more than n hits, or if the confidence is not from 0 to 1.

use super::{Interval, beta, miss, normal};

/// Wilson's score interval, within [0, 1]. It starts at exactly 0 if there are no hits, and ends at exactly 1 if all
/// are hits.
#[must_use]
pub fn wilson(hits: u64, n: u64, confidence: f64) -> Option<Interval> {
    let tail = checked_miss(hits, n, confidence)? / 2.0;
    if tail == 0.0 {
        return Some(Interval::new(0.0, 1.0));
    }
    let z = -normal::quantile(tail);
    let trials = n as f64;
    let (hit, missed) = (hits as f64 / trials, (n - hits) as f64 / trials);
    let weight = z * z / trials;
    let centre = (hit + weight / 2.0) / (1.0 + weight);
    let half = z / (1.0 + weight) * (hit * missed / trials + weight / (4.0 * trials)).sqrt();
    let low = if hits == 0 { 0.0 } else { (centre - half).clamp(0.0, hit) };
    let high = if hits == n { 1.0 } else { (centre + half).clamp(hit, 1.0) };
    Some(Interval::new(low, high))
}

/// Clopper and Pearson's interval: at each end, the rate at which a count this far off has half of the chance that the
/// interval may miss.
#[must_use]
pub fn clopper_pearson(hits: u64, n: u64, confidence: f64) -> Option<Interval> {
    let tail = checked_miss(hits, n, confidence)? / 2.0;
    let (hit, missed) = (hits as f64, (n - hits) as f64);
    let low = if hits == 0 { 0.0 } else { beta::quantile(hit, missed + 1.0, tail) };
    Some(Interval::new(low, upper(hit, missed, tail)))
}

/// One-sided: the rate is at most this, with the confidence given. Without hits it is 1 - (1 - confidence)^(1/n), about
/// 3/n at 95 %.
#[must_use]
pub fn upper_bound(hits: u64, n: u64, confidence: f64) -> Option<f64> {
    let tail = checked_miss(hits, n, confidence)?;
    Some(upper(hits as f64, (n - hits) as f64, tail))
}

/// The rate at which this many hits or fewer have the chance `tail`.
fn upper(hit: f64, missed: f64, tail: f64) -> f64 {
    if missed == 0.0 { 1.0 } else { beta::upper_quantile(hit + 1.0, missed, tail) }
}

fn checked_miss(hits: u64, n: u64, confidence: f64) -> Option<f64> {
    if n == 0 || hits > n { None } else { miss(confidence) }
}

#[cfg(test)]
mod tests;

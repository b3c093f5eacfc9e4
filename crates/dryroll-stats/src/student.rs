//! Student's t distribution, from the beta distribution: with ν degrees of freedom, ν / (ν + t²) is a beta variate with
//! shapes ν / 2 and 1 / 2 (Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.1).

use super::{beta, miss, normal};

/// From this many degrees of freedom on, it equals the normal distribution to the last bit.
const NORMAL: f64 = 1e17;

/// The chance that a t variate is at most t. Degrees of freedom must be positive, whole or not; anything else gives
/// NaN.
#[must_use]
pub fn cumulative(t: f64, degrees: f64) -> f64 {
    if t.is_nan() || degrees.is_nan() || degrees <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return if t < 0.0 { 0.0 } else { 1.0 };
    }
    if degrees >= NORMAL {
        return normal::cumulative(t);
    }
    // x = ν / (ν + t²) and y = t² / (ν + t²), written so that no square overflows.
    let ratio = (t / degrees.sqrt()) * (t / degrees.sqrt());
    let x = 1.0 / (1.0 + ratio);
    let y = if ratio.is_finite() { ratio * x } else { 1.0 };
    let (outside, inside) = beta::both_tails(degrees / 2.0, 0.5, x, y);
    if t < 0.0 { outside / 2.0 } else { 0.5 + inside / 2.0 }
}

/// How many standard errors of a mean of n numbers Student's interval extends to either side; `None` for fewer than two
/// numbers, and if the confidence is not at least 0 and below 1.
#[must_use]
pub fn two_sided(confidence: f64, n: u64) -> Option<f64> {
    let tail = miss(confidence).filter(|miss| *miss > 0.0)? / 2.0;
    (n > 1).then(|| -quantile(tail, (n - 1) as f64))
}

/// The t below which a variate lies with chance p. p must be from 0 to 1, and degrees of freedom positive; anything
/// else gives NaN.
#[must_use]
pub fn quantile(p: f64, degrees: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || degrees.is_nan() || degrees <= 0.0 {
        return f64::NAN;
    }
    let tail = p.min(1.0 - p);
    let distance = if tail == 0.0 {
        f64::INFINITY
    } else if degrees >= NORMAL {
        -normal::quantile(tail)
    } else {
        let (x, y) = beta::solve(degrees / 2.0, 0.5, 2.0 * tail, 1.0 - 2.0 * tail);
        degrees.sqrt() * (y / x).sqrt()
    };
    if p < 0.5 { -distance } else { distance }
}

#[cfg(test)]
mod tests;

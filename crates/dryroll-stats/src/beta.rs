//! The beta distribution: its cumulative distribution function, which is the regularised incomplete beta function I,
//! and its quantile.
//!
//! It gives the binomial distribution as well: of n trials with chance p, at least k succeed with chance `cumulative(k,
//! n - k + 1, p)`.
//!
//! # Method
//!
//! Below the mean, I = xᵃ yᵇ / (B(a, b) F), y = 1 - x, where F is the continued fraction of A. R. DiDonato and
//! A. H. Morris, "Algorithm 708: Significant digit computation of the incomplete beta function ratios", ACM Trans.
//! Math. Softw. 18 (1992), evaluated by W. J. Lentz's method in I. J. Thompson and A. R. Barnett's form; above it,
//! one minus the same from the other end. The factor before F is C. Loader's saddle-point form ("Fast and Accurate
//! Computation of Binomial Probabilities", 2000): differences of large logarithms of gamma functions would leave five
//! digits at a = 10⁹, this leaves them all.
//!
//! The quantile is Newton's method on log I as a function of log x, whose slope is F / y: it is concave there, so that
//! no step passes the root twice. Both x and y are carried, each to full relative precision.

mod nodes;
mod table;

pub use nodes::nodes;
pub use table::Quantiles;

/// Replaces zero in Lentz's method.
const TINY: f64 = 1e-300;

/// I at x: the chance that a beta variate with these shapes is at most x. Shapes must be positive; anything else gives
/// NaN. An x outside [0, 1] counts as the nearer end.
#[must_use]
pub fn cumulative(a: f64, b: f64, x: f64) -> f64 {
    both_tails(a, b, x, 1.0 - x).0
}

/// The x at which I equals p. Shapes must be positive, and p from 0 to 1; anything else gives NaN.
#[must_use]
pub fn quantile(a: f64, b: f64, p: f64) -> f64 {
    solve(a, b, p, 1.0 - p).0
}

/// The x that a variate exceeds with chance q: `quantile(a, b, 1 - q)` without the loss of digits when q is small.
#[must_use]
pub fn upper_quantile(a: f64, b: f64, q: f64) -> f64 {
    solve(a, b, 1.0 - q, q).0
}

/// I at x, and 1 - I, each to full relative precision. y is 1 - x.
pub(super) fn both_tails(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if !shapes(a, b) || x.is_nan() {
        (f64::NAN, f64::NAN)
    } else if x <= 0.0 {
        (0.0, 1.0)
    } else if y <= 0.0 {
        (1.0, 0.0)
    } else if x <= a / (a + b) {
        let lower = libm::exp(Below::at(a, b, x, y).log).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = libm::exp(Below::at(b, a, y, x).log).min(1.0);
        (1.0 - upper, upper)
    }
}

/// The x with I = p, and 1 - x, each to full relative precision. q is 1 - p.
pub(super) fn solve(a: f64, b: f64, p: f64, q: f64) -> (f64, f64) {
    if !shapes(a, b) || !(0.0..=1.0).contains(&p) || !(0.0..=1.0).contains(&q) {
        return (f64::NAN, f64::NAN);
    }
    if p == 0.0 {
        return (0.0, 1.0);
    }
    if q == 0.0 {
        return (1.0, 0.0);
    }
    let (x, y) = (a / (a + b), b / (a + b));
    let at_mean = libm::exp(Below::at(a, b, x, y).log);
    if p <= at_mean {
        descend(a, b, x, y, p)
    } else {
        let (y, x) = descend(b, a, y, x, q);
        (x, y)
    }
}

fn shapes(a: f64, b: f64) -> bool {
    a > 0.0 && b > 0.0 && (a + b).is_finite()
}

/// From the mean (x, y) down to where I = p.
fn descend(a: f64, b: f64, mut x: f64, mut y: f64, p: f64) -> (f64, f64) {
    /// Newton's method takes fewer than ten steps; the limit ensures that it ends.
    const STEPS: u32 = 100;
    /// A step this small is rounding.
    const SMALL: f64 = 1e-15;
    let goal = libm::log(p);
    for _ in 0..STEPS {
        let below = Below::at(a, b, x, y);
        let step = (goal - below.log) * y / below.fraction;
        if !step.is_finite() {
            break;
        }
        // The smaller of the two is stepped, and the other follows from it without loss.
        if x <= y {
            x *= libm::exp(step);
            y = 1.0 - x;
        } else {
            let next = y - x * libm::expm1(step);
            y = if next > 0.0 { next.min(1.0) } else { y / 2.0 };
            x = 1.0 - y;
        }
        if x <= 0.0 {
            return (0.0, 1.0);
        }
        if step.abs() <= SMALL {
            break;
        }
    }
    (x, y)
}

/// I below the mean: its logarithm, and the fraction that divides it.
struct Below {
    log: f64,
    fraction: f64,
}

impl Below {
    fn at(a: f64, b: f64, x: f64, y: f64) -> Self {
        let fraction = fraction(a, b, x, y);
        Self { log: log_power(a, b, x, y) - libm::log(fraction), fraction }
    }
}

/// DiDonato and Morris's continued fraction. Its first denominator is positive up to the mean.
fn fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    /// The number of steps grows with the smaller shape: at the mean it is 550 if both are 10⁶, 5500 at 10⁹.
    const STEPS: u32 = 10_000_000;
    // a y - b x, without the loss from rounding the larger of x and y.
    let lambda = if x <= y { a - (a + b) * x } else { (a + b) * y - b };
    let mut value = (a * (lambda + 1.0) / (a + 1.0)).max(TINY);
    let mut c = value;
    let mut d = 0.0;
    for step in 1..STEPS {
        let m = f64::from(step);
        let odd = a + 2.0 * m - 1.0;
        let numerator = ((a + m - 1.0) / odd) * ((a + b + m - 1.0) / odd) * m * (b - m) * x * x;
        let denominator = m + m * (b - m) * x / odd + (a + m) * (lambda + 1.0 + m * (1.0 + y)) / (odd + 2.0);
        d = away_from_zero(denominator + numerator * d);
        c = away_from_zero(denominator + numerator / c);
        d = 1.0 / d;
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

/// log(xᵃ yᵇ / B(a, b)), as Loader writes a binomial probability.
fn log_power(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let scale = libm::log(a * (b / n) / (2.0 * std::f64::consts::PI)) / 2.0;
    scale + stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) - deviance(b, n * y)
}

/// log Γ(n + 1) - log(√(2 π n) (n / e)ⁿ).
fn stirling_error(mut n: f64) -> f64 {
    let mut error = 0.0;
    while n < 16.0 {
        error += (n + 0.5) * libm::log1p(1.0 / n) - 1.0;
        n += 1.0;
    }
    let square = n * n;
    let tail = 1.0 / 1680.0 - (1.0 / 1188.0 - 691.0 / 360_360.0 / square) / square;
    error + (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - tail / square) / square) / square) / n
}

/// k log(k / m) + m - k, to full relative precision where k and m are close.
fn deviance(k: f64, m: f64) -> f64 {
    let difference = k - m;
    if difference.abs() >= 0.1 * (k + m) {
        return k * libm::log(k / m) - difference;
    }
    let v = difference / (k + m);
    let square = v * v;
    let mut sum = difference * v;
    let mut power = 2.0 * k * v;
    let mut odd = 3.0;
    loop {
        power *= square;
        let next = sum + power / odd;
        if next == sum || odd > 200.0 {
            return next;
        }
        sum = next;
        odd += 2.0;
    }
}

#[cfg(test)]
mod tests;

//! Rates: posteriors under Jeffreys's priors.
//!
//! Of all commands, a share r comes to an end that can be seen, and of those a share c is a reported failure. With the share
//! G of ends that are seen in time, the likelihood is rⁿ Π (1 − r G) and, of n verdicts, binomial in c. Both have the
//! prior Beta(½, ½) (H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proc. R. Soc. A
//! 186, 1946). Where all that ends is seen in time, 1 − r is Beta(silent + ½, ended + ½) exactly.

use super::likelihood::log_of_share;
use crate::stats::{Interval, beta};

/// What is known of a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    /// How many there were.
    pub hits: u64,
    /// Of how many.
    pub n: u64,
    /// The posterior's mean: the chance that the next one is one.
    pub mean: f64,
    /// Half of what is missing at 95 % lies at each side.
    pub interval: Interval,
    /// The shapes of the beta distribution with the same mean and variance.
    pub beta: (f64, f64),
}

/// The rates of a version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Reported failures.
    pub failure: Posterior,
    /// No end that can be seen.
    pub silence: Posterior,
}

const STEPS: usize = 400;

/// The posteriors from verdicts, and the chance G of each that stayed open to be seen by then.
#[must_use]
pub fn rates(failed: u64, healthy: u64, silent: u64, open: &[(f64, f64)]) -> Rates {
    let ended = failed + healthy;
    let n = ended + silent;
    let grid = Grid::new(ended as f64, open);
    let (mean, square) = (grid.mean(), grid.square());
    let (a, b) = (failed as f64 + 0.5, healthy as f64 + 0.5);
    let share = a / (a + b);
    let share_square = share * (a + 1.0) / (a + b + 1.0);
    let silence = Posterior::new(silent, n, 1.0 - mean, 1.0 - 2.0 * mean + square, |p| 1.0 - grid.quantile(1.0 - p));
    // P(r c ≤ x) = Σ P(r) P(c ≤ x / r).
    let below = |x: f64| grid.sum(|r| beta::cumulative(a, b, (x / r).min(1.0)));
    let failure = Posterior::new(failed, n, mean * share, square * share_square, |p| solve(below, p));
    Rates { failure, silence }
}

impl Posterior {
    fn new(hits: u64, n: u64, mean: f64, square: f64, quantile: impl Fn(f64) -> f64) -> Self {
        let variance = (square - mean * mean).max(1e-15);
        let size = (mean * (1.0 - mean) / variance - 1.0).max(1e-6);
        let miss = (1.0 - super::fit::CONFIDENCE) / 2.0;
        let interval = Interval::new(quantile(miss).max(0.0), quantile(1.0 - miss).min(1.0));
        Self { hits, n, mean, interval, beta: (mean * size, (1.0 - mean) * size) }
    }
}

/// The x in [0, 1] at which a rising function reaches p.
fn solve(rises: impl Fn(f64) -> f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if rises(middle) < p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The posterior of r on a grid of r = sin² φ, over which Jeffreys's prior is even.
struct Grid(Vec<(f64, f64)>);

impl Grid {
    fn new(ended: f64, open: &[(f64, f64)]) -> Self {
        let log = |phi: f64| {
            let sine = libm::sin(phi);
            log_of_share(ended, open, sine * sine)
        };
        let right = std::f64::consts::FRAC_PI_2;
        // The grid lies where the mass is: a first look, then a finer one.
        let coarse: Vec<(f64, f64)> = points(0.0, right).map(|phi| (phi, log(phi))).collect();
        let top = coarse.iter().map(|&(_, log)| log).fold(f64::MIN, f64::max);
        let near = || coarse.iter().filter(|(_, log)| *log > top - 40.0).map(|&(phi, _)| phi);
        let step = right / STEPS as f64;
        let low = (near().fold(right, f64::min) - step).max(0.0);
        let high = (near().fold(0.0, f64::max) + step).min(right);
        let fine: Vec<(f64, f64)> = points(low, high).map(|phi| (phi, log(phi))).collect();
        let top = fine.iter().map(|&(_, log)| log).fold(f64::MIN, f64::max);
        let all: f64 = fine.iter().map(|&(_, log)| libm::exp(log - top)).sum();
        let weighed = fine.into_iter().map(|(phi, log)| {
            let sine = libm::sin(phi);
            (sine * sine, libm::exp(log - top) / all)
        });
        Self(weighed.collect())
    }

    fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.0.iter().filter(|(_, weight)| *weight > 1e-12).map(|&(r, weight)| weight * f(r)).sum()
    }

    fn mean(&self) -> f64 {
        self.sum(|r| r)
    }

    fn square(&self) -> f64 {
        self.sum(|r| r * r)
    }

    /// By a straight line between the middles of the steps.
    fn quantile(&self, p: f64) -> f64 {
        let (mut below, mut before) = (0.0, None);
        for &(r, weight) in &self.0 {
            let here = below + weight / 2.0;
            if here >= p {
                return before.map_or(r, |(r0, p0): (f64, f64)| r0 + (r - r0) * (p - p0) / (here - p0).max(1e-300));
            }
            before = Some((r, here));
            below += weight;
        }
        1.0
    }
}

fn points(low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..STEPS).map(move |i| low + (high - low) * (i as f64 + 0.5) / STEPS as f64)
}

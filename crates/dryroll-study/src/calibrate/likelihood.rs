//! The likelihood of a sample under a distribution, when a share never ends.
//!
//! Let F be the cumulative distribution of the duration, h the resolution and r the share that ends at all. Whatever
//! the phase of its heartbeat, a time observed at d has likelihood r (F(d) − F(d − h)); a time open at c has 1 − r
//! G(c), with G(c) the mean of F over [c − h, c]. (The mixture of J. W. Boag, "Maximum likelihood estimates of the
//! proportion of patients cured by cancer therapy", JRSS B 11, 1949.)

use super::sample::Sample;
use dryroll_sim::scenario::Distribution;
use dryroll_sim::sim::draws::{Key, scale};
use dryroll_sim::sim::sampler::Sampler;

/// A probability below this is rounding error.
const LEAST: f64 = 1e-15;
/// Points of the mean over one resolution.
const POINTS: u64 = 24;

/// A distribution or a mixture of distributions, prepared for likelihoods of samples.
#[derive(Clone, Debug)]
pub struct Model {
    /// The components with their weights, which add up to 1.
    parts: Vec<(f64, Sampler)>,
    resolution: u64,
}

/// A likelihood, maximised over the share that ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likelihood {
    /// The log-likelihood.
    pub log: f64,
    /// The share that ends at all, at the maximum.
    pub ends: f64,
}

impl Model {
    pub fn new(distribution: &Distribution, resolution: u64) -> Self {
        Self::mixed(vec![(1.0, Sampler::new(distribution))], resolution)
    }

    /// A mixture of these components with their weights.
    pub fn mixed(parts: Vec<(f64, Sampler)>, resolution: u64) -> Self {
        Self { parts, resolution }
    }

    fn below(&self, time: u64) -> f64 {
        self.parts.iter().map(|(share, part)| share * part.cumulative(time)).sum()
    }

    /// The probability of an end at most at `time` and after `time` less the resolution.
    pub fn mass(&self, time: u64) -> f64 {
        let earlier = if time < self.resolution { 0.0 } else { self.below(time - self.resolution) };
        self.below(time) - earlier
    }

    /// The probability that what ends is observed by `time`: G.
    pub fn seen_by(&self, time: u64) -> f64 {
        if self.resolution < POINTS {
            return self.below(time);
        }
        let sum: f64 = (0..POINTS)
            .map(|point| (2 * point + 1) * self.resolution / (2 * POINTS))
            .map(|back| if back > time { 0.0 } else { self.below(time - back) })
            .sum();
        sum / POINTS as f64
    }

    /// When an end that the first word draws is observed; the second word draws the heartbeat's phase.
    pub fn seen_at(&self, end: u64, phase: u64) -> u64 {
        self.drawn(end) + scale(phase, self.resolution)
    }

    fn drawn(&self, word: u64) -> u64 {
        const PARTS: Key = Key(0x0070_6172_7473);
        if let [(_, only)] = self.parts.as_slice() {
            return only.draw(word).0;
        }
        let mut left = Key(word).child(PARTS.0).word(0) as f64 / u64::MAX as f64;
        let chosen = self.parts.iter().find(|(share, _)| {
            left -= share;
            left <= 0.0
        });
        chosen.or(self.parts.last()).map_or(0, |(_, part)| part.draw(word).0)
    }

    pub fn likelihood(&self, sample: &Sample) -> Likelihood {
        let open = self.open(sample);
        let ends = share_that_ends(sample.n_seen(), &open);
        Likelihood { log: self.log_of_seen(sample) + log_of_share(sample.n_seen(), &open, ends), ends }
    }

    /// The log-likelihood at a given share that ends.
    pub fn log_at(&self, sample: &Sample, ends: f64) -> f64 {
        self.log_of_seen(sample) + log_of_share(sample.n_seen(), &self.open(sample), ends)
    }

    /// The log-likelihood of the observed times.
    pub fn log_of_seen(&self, sample: &Sample) -> f64 {
        sample.seen.iter().map(|&(time, weight)| weight * libm::log(self.mass(time).max(LEAST))).sum()
    }

    fn open(&self, sample: &Sample) -> Vec<(f64, f64)> {
        sample.open.iter().map(|&(time, weight)| (self.seen_by(time), weight)).collect()
    }
}

/// The contribution of the share r to the log-likelihood: observed log r + Σ weight log(1 − r G).
pub fn log_of_share(seen: f64, open: &[(f64, f64)], ends: f64) -> f64 {
    let judged = if seen > 0.0 { seen * libm::log(ends.max(LEAST)) } else { 0.0 };
    judged + open.iter().map(|&(by, weight)| weight * libm::log((1.0 - ends * by).max(LEAST))).sum::<f64>()
}

/// The share that maximises it: where observed / r = Σ weight G / (1 − r G), by bisection.
fn share_that_ends(seen: f64, open: &[(f64, f64)]) -> f64 {
    if seen == 0.0 {
        return if open.iter().any(|&(by, _)| by > 0.0) { 0.0 } else { 1.0 };
    }
    let rises = |ends: f64| {
        let falls: f64 = open.iter().map(|&(by, weight)| weight * by / (1.0 - ends * by).max(LEAST)).sum();
        seen > ends * falls
    };
    if rises(1.0) {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if rises(middle) { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

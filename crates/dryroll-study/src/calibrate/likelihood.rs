//! How likely a sample is under a distribution, when a share of all never ends.
//!
//! With F the cumulative of the duration, h the resolution and r the share of those that end at all:
//! one that is seen at d has r (F(d) − F(d − h)), whatever its heartbeat's phase; one that is open at c has 1 − r G(c),
//! with G(c) the mean of F over [c − h, c]. (The mixture of J. W. Boag, "Maximum likelihood estimates of the proportion
//! of patients cured by cancer therapy", JRSS B 11, 1949.)

use super::sample::Sample;
use dryroll_sim::scenario::Distribution;
use dryroll_sim::sim::draws::{Key, scale};
use dryroll_sim::sim::sampler::Sampler;

/// A chance below this is rounding.
const LEAST: f64 = 1e-15;
/// Points of the mean over a resolution.
const POINTS: u64 = 24;

/// A distribution or a mixture of some, ready to be held against a sample.
#[derive(Clone, Debug)]
pub struct Model {
    /// Each with its share; the shares add up to 1.
    parts: Vec<(f64, Sampler)>,
    resolution: u64,
}

/// How likely, and with which share that ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likelihood {
    /// Its logarithm.
    pub log: f64,
    /// The share that ends at all, by which it is largest.
    pub ends: f64,
}

impl Model {
    pub fn new(distribution: &Distribution, resolution: u64) -> Self {
        Self::mixed(vec![(1.0, Sampler::new(distribution))], resolution)
    }

    /// A mixture of these, with their shares.
    pub fn mixed(parts: Vec<(f64, Sampler)>, resolution: u64) -> Self {
        Self { parts, resolution }
    }

    fn below(&self, time: u64) -> f64 {
        self.parts.iter().map(|(share, part)| share * part.cumulative(time)).sum()
    }

    /// The chance to be over at `time` and not a resolution earlier.
    pub fn mass(&self, time: u64) -> f64 {
        let earlier = if time < self.resolution { 0.0 } else { self.below(time - self.resolution) };
        self.below(time) - earlier
    }

    /// The chance that what ends is seen by `time`: G.
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

    /// When an end that is drawn by the first word is seen, its heartbeat's phase being drawn by the second.
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

    /// Its logarithm at a share that ends.
    pub fn log_at(&self, sample: &Sample, ends: f64) -> f64 {
        self.log_of_seen(sample) + log_of_share(sample.n_seen(), &self.open(sample), ends)
    }

    /// The logarithm of what was seen.
    pub fn log_of_seen(&self, sample: &Sample) -> f64 {
        sample.seen.iter().map(|&(time, weight)| weight * libm::log(self.mass(time).max(LEAST))).sum()
    }

    fn open(&self, sample: &Sample) -> Vec<(f64, f64)> {
        sample.open.iter().map(|&(time, weight)| (self.seen_by(time), weight)).collect()
    }
}

/// What the share r adds to a logarithm: seen log r + Σ weight log(1 − r G).
pub fn log_of_share(seen: f64, open: &[(f64, f64)], ends: f64) -> f64 {
    let judged = if seen > 0.0 { seen * libm::log(ends.max(LEAST)) } else { 0.0 };
    judged + open.iter().map(|&(by, weight)| weight * libm::log((1.0 - ends * by).max(LEAST))).sum::<f64>()
}

/// The share by which that is largest: where seen / r = Σ weight G / (1 − r G), which falls from left to right.
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

//! Two groups of hosts, one of which is slower: a mixture of two families, where the times support it.
//!
//! A slow group shows in the observed times, and its tail beyond the health window looks like hangs. A single family
//! that passes the goodness-of-fit test can still miss that tail. So every log with timeouts is also fitted with
//! mixtures. Those that are better by Akaike's criterion (H. Akaike, "A new look at the statistical model
//! identification", IEEE Trans. Automatic Control 19, 1974) contribute to the estimate of hangs.

use super::family::Family;
use super::fit::Candidate;
use super::goodness;
use super::likelihood::Model;
use super::nelder_mead::{self, NOWHERE};
use super::sample::Sample;
use dryroll_sim::sim::sampler::Sampler;

/// The families of a group: both have a scale and a shape.
const FAMILIES: [Family; 2] = [Family::Lognormal, Family::Weibull];
/// The number of parameters that a slow group adds: its share, its scale and its shape.
pub const ADDED: usize = 3;
/// A mixture needs a log-likelihood this far above the best family's to be better by Akaike's criterion.
const AKAIKE: f64 = ADDED as f64;
/// If the first mixtures fall short by more than this, no other is tried.
const HOPELESS: f64 = 1.0;
/// A mixture is rejected when another one is better by this log-likelihood: a likelihood ratio of a hundred.
const TOO_UNLIKELY: f64 = 4.6;
/// Where a slow group may begin, as a share of the observed times.
const SPLITS: [f64; 4] = [0.5, 0.75, 0.88, 0.95];

/// A mixture at its maximum likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoGroups {
    /// Family and coordinates of the fast group.
    fast: (Family, Vec<f64>),
    /// The family of the slow group.
    slow: Family,
    /// The logit of the slow group's share, followed by the slow group's coordinates.
    pub peak: Vec<f64>,
    /// First steps of a maximisation from there.
    pub steps: Vec<f64>,
    /// The log-likelihood at the best share that ends.
    pub top: f64,
    /// The share that ends at that maximum.
    pub ends: f64,
}

/// A slow group, for reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowGroup {
    /// The share of upgrades that are slow.
    pub share: f64,
    /// The median upgrade time of the slow group, seconds.
    pub median: f64,
    /// The median upgrade time of the other hosts, seconds.
    pub others: f64,
}

impl TwoGroups {
    /// The mixtures that are better than each of these families, best first.
    pub fn fitting(sample: &Sample, single: &[Candidate]) -> Vec<Self> {
        if sample.n_seen() < goodness::FEWEST || sample.n_open() == 0.0 {
            return Vec::new();
        }
        let top = |one: &Candidate| {
            one.family.at(&one.peak).map_or(NOWHERE, |law| Model::new(&law, sample.resolution).likelihood(sample).log)
        };
        let best = single.iter().map(top).fold(f64::MIN, f64::max);
        let mut found: Vec<Self> = Vec::new();
        for fast in FAMILIES {
            for slow in FAMILIES {
                found.extend(Self::maximised(fast, slow, sample));
                if found.iter().all(|one| one.top < best + AKAIKE - HOPELESS) {
                    return Vec::new();
                }
            }
        }
        found.sort_by(|a, b| b.top.total_cmp(&a.top));
        let most = found.first().map_or(f64::MIN, |one| one.top);
        // The slow group determines the tail, so one mixture for each slow family is enough.
        let mut tails: Vec<Family> = Vec::new();
        found.retain(|one| {
            let speaks = one.top > best + AKAIKE && one.top >= most - TOO_UNLIKELY && !tails.contains(&one.slow);
            tails.extend(speaks.then_some(one.slow));
            speaks
        });
        found
    }

    fn maximised(fast: Family, slow: Family, sample: &Sample) -> Option<Self> {
        let f = |x: &[f64]| {
            model(fast, &x[..2], slow, &x[2..], sample.resolution).map_or(NOWHERE, |model| model.likelihood(sample).log)
        };
        let started = SPLITS.iter().filter_map(|&split| {
            let (low, high) = sample.split(split)?;
            let (mut start, mut steps) = fast.start(&low);
            let (own, own_steps) = slow.start(&high);
            start.push(libm::log((1.0 - split) / split));
            steps.push(0.5);
            start.extend(own);
            steps.extend(own_steps);
            let (place, value) = nelder_mead::near(&f, &start, &steps);
            (value > NOWHERE).then_some((place, value, steps))
        });
        let (start, _, steps) = started.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let (mut place, top) = nelder_mead::simplex(&f, &start, &steps);
        let ends = model(fast, &place[..2], slow, &place[2..], sample.resolution)?.likelihood(sample).ends;
        let peak = place.split_off(2);
        let steps = steps.get(2..)?.to_vec();
        Some(Self { fast: (fast, place), slow, peak, steps, top, ends })
    }

    /// The mixture with this slow group. The fast group stays at its best: it is well known, and does not affect the
    /// tail.
    pub fn at(&self, slow: &[f64], resolution: u64) -> Option<Model> {
        model(self.fast.0, &self.fast.1, self.slow, slow, resolution)
    }

    /// The probability that an upgrade is not observed by this time.
    pub fn late(&self, window: u64, resolution: u64) -> f64 {
        self.at(&self.peak, resolution).map_or(0.0, |model| 1.0 - model.seen_by(window))
    }

    /// Schwarz's criterion.
    pub fn bic(&self, sample: &Sample) -> f64 {
        let parameters = self.fast.1.len() + ADDED + 1;
        parameters as f64 * libm::log(sample.n_seen()) - 2.0 * self.top
    }

    /// Summary of the slow group.
    pub fn slow_group(&self) -> Option<SlowGroup> {
        let share = logistic(*self.peak.first()?);
        let slow = self.slow.at(self.peak.get(1..)?)?.median();
        let fast = self.fast.0.at(&self.fast.1)?.median();
        Some(match slow >= fast {
            true => SlowGroup { share, median: slow, others: fast },
            false => SlowGroup { share: 1.0 - share, median: fast, others: slow },
        })
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// A fast and a slow group; the first coordinate of the slow one is the logit of its share.
fn model(fast: Family, x: &[f64], slow: Family, y: &[f64], resolution: u64) -> Option<Model> {
    let (&logit, own) = y.split_first()?;
    let share = logistic(logit);
    let parts = vec![(1.0 - share, Sampler::new(&fast.at(x)?)), (share, Sampler::new(&slow.at(own)?))];
    Some(Model::mixed(parts, resolution))
}

//! Two groups of hosts, one of which is slower: a mixture of two families, where the times support it.
//!
//! A slow group shows in the observed times, and its tail beyond the health window looks like hangs. A single family
//! that passes the goodness-of-fit test can still miss that tail, and no test finds a slow group of a few hosts. So
//! every log with timeouts is also fitted with mixtures. Where upgrades can be late, all that are as likely as the
//! families enter the interval of hangs, with every parameter free. A slow group is named where the mixture is better by
//! Akaike's criterion (H. Akaike, "A new look at the statistical model identification", IEEE Trans. Automatic Control
//! 19, 1974).

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
/// Where nothing can be late, no other mixture is tried if the first ones fall short of Akaike's criterion by more.
const HOPELESS: f64 = 1.0;
/// A mixture is rejected when another one is better by this log-likelihood: a likelihood ratio of a hundred.
const TOO_UNLIKELY: f64 = 4.6;
/// Where a slow group may begin, as a share of the observed times.
const SPLITS: [f64; 5] = [0.5, 0.75, 0.88, 0.95, 0.98];

/// The coordinate of the slow group's scale, in logarithms of milliseconds.
const SCALE: usize = 3;

/// A mixture at its maximum likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoGroups {
    /// The family of the fast group.
    fast: Family,
    /// The family of the slow group.
    slow: Family,
    /// The fast group's coordinates, the logit of the slow group's share, and the slow group's coordinates.
    pub peak: Vec<f64>,
    /// First steps of a maximisation from there.
    pub steps: Vec<f64>,
    /// The log-likelihood at the best share that ends.
    pub top: f64,
    /// The log-likelihood at its maximum where all upgrades end: every timeout is a slow upgrade.
    pub without_hangs: f64,
    /// Whether it is better than every single family by Akaike's criterion.
    pub is_better: bool,
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
    /// The mixtures that are as likely as each of these families, best first; none where neither a family nor a mixture
    /// expects an upgrade to be late.
    pub fn fitting(sample: &Sample, single: &[Candidate], is_late: &impl Fn(&Model) -> bool) -> Vec<Self> {
        if sample.n_seen() < goodness::FEWEST || sample.n_open() == 0.0 {
            return Vec::new();
        }
        let models = || single.iter().filter_map(|one| Some(Model::new(&one.family.at(&one.peak)?, sample.resolution)));
        let best = models().map(|model| model.likelihood(sample).log).fold(f64::MIN, f64::max);
        let mut late = models().any(|model| is_late(&model));
        let mut found: Vec<Self> = Vec::new();
        for fast in FAMILIES {
            for slow in FAMILIES {
                found.extend(Self::maximised(fast, slow, sample));
                late |= found.iter().any(|one| one.at(&one.peak, sample.resolution).is_some_and(|one| is_late(&one)));
                if !late && found.iter().all(|one| one.top < best + AKAIKE - HOPELESS) {
                    return Vec::new();
                }
            }
        }
        if !late {
            return Vec::new();
        }
        found.sort_by(|a, b| b.top.total_cmp(&a.top));
        let most = found.first().map_or(f64::MIN, |one| one.top).max(best);
        // The slow group determines the tail, so one mixture for each slow family is enough.
        let mut tails: Vec<Family> = Vec::new();
        found.retain(|one| {
            let speaks = one.top >= most - TOO_UNLIKELY && !tails.contains(&one.slow);
            tails.extend(speaks.then_some(one.slow));
            speaks
        });
        for one in &mut found {
            one.is_better = one.top > best + AKAIKE;
            one.without_hangs = one.all_end(sample);
        }
        found
    }

    /// Where the maximisations begin, with their first steps. `unseen` counts as slow.
    fn starts(fast: Family, slow: Family, sample: &Sample, unseen: f64) -> impl Iterator<Item = (Vec<f64>, Vec<f64>)> {
        let n = sample.n_seen();
        SPLITS.into_iter().filter_map(move |split| {
            let (low, high) = sample.split(split)?;
            let (mut start, mut steps) = fast.start(&low);
            let (own, own_steps) = slow.start(&high);
            start.push(libm::log(((1.0 - split) * n + unseen) / (split * n)));
            steps.push(0.5);
            start.extend(own);
            steps.extend(own_steps);
            Some((start, steps))
        })
    }

    fn maximised(fast: Family, slow: Family, sample: &Sample) -> Option<Self> {
        let f =
            |x: &[f64]| model(fast, slow, x, sample.resolution).map_or(NOWHERE, |model| model.likelihood(sample).log);
        let started = Self::starts(fast, slow, sample, 0.0).filter_map(|(start, steps)| {
            let (place, value) = nelder_mead::near(&f, &start, &steps);
            (value > NOWHERE).then_some((place, value, steps))
        });
        let (start, _, steps) = started.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let (peak, top) = nelder_mead::simplex(&f, &start, &steps);
        Some(Self { fast, slow, peak, steps, top, without_hangs: NOWHERE, is_better: false })
    }

    /// The maximum where all upgrades end, from many starts: the way there from the peak may lead to a lower one.
    fn all_end(&self, sample: &Sample) -> f64 {
        let f = |x: &[f64]| self.at(x, sample.resolution).map_or(NOWHERE, |model| model.log_at(sample, 1.0));
        let open = sample.n_open();
        let starts: Vec<Vec<f64>> = Self::starts(self.fast, self.slow, sample, open)
            .map(|(start, _)| start)
            .chain([self.peak.clone()])
            .collect();
        // The slow group's scale as well where half of it is not seen.
        let latest = sample.open.last().map_or(0, |&(time, _)| time).max(1);
        let later = starts.iter().map(|start| {
            let mut later = start.clone();
            later[SCALE] = later[SCALE].max(libm::log(latest as f64));
            later
        });
        let best = starts
            .iter()
            .cloned()
            .chain(later)
            .map(|start| nelder_mead::near(&f, &start, &self.steps))
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map_or(NOWHERE, |(place, _)| nelder_mead::simplex(&f, &place, &self.steps).1)
    }

    /// The mixture at these coordinates.
    pub fn at(&self, x: &[f64], resolution: u64) -> Option<Model> {
        model(self.fast, self.slow, x, resolution)
    }

    /// Schwarz's criterion.
    pub fn bic(&self, sample: &Sample) -> f64 {
        let parameters = self.peak.len() + 1;
        parameters as f64 * libm::log(sample.n_seen()) - 2.0 * self.top
    }

    /// Summary of the slow group.
    pub fn slow_group(&self) -> Option<SlowGroup> {
        let (fast, slow) = self.peak.split_at_checked(2)?;
        let (&logit, slow) = slow.split_first()?;
        let share = logistic(logit);
        let slow = self.slow.at(slow)?.median();
        let fast = self.fast.at(fast)?.median();
        Some(match slow >= fast {
            true => SlowGroup { share, median: slow, others: fast },
            false => SlowGroup { share: 1.0 - share, median: fast, others: slow },
        })
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// A fast and a slow group: the fast one's coordinates, the logit of the slow one's share, the slow one's coordinates.
fn model(fast: Family, slow: Family, x: &[f64], resolution: u64) -> Option<Model> {
    let (own, rest) = x.split_at_checked(2)?;
    let (&logit, late) = rest.split_first()?;
    let share = logistic(logit);
    let parts = vec![(1.0 - share, Sampler::new(&fast.at(own)?)), (share, Sampler::new(&slow.at(late)?))];
    Some(Model::mixed(parts, resolution))
}

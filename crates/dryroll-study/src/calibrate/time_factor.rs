//! Rollouts that differ in how long upgrades take: a factor for all times of a rollout.
//!
//! The test is a rank test: each time has W. J. R. Peto and J. Peto's score ("Asymptotically efficient rank invariant
//! test procedures", JRSS A 135, 1972), and Σ (sum of a rollout's scores)² / (its commands) is compared with its
//! distribution when the scores are in any order, as W. H. Kruskal and W. A. Wallis do (JASA 47, 1952). Only verdicts
//! within the shortest health window count, so that rollouts that hang more often do not differ for that reason.
//!
//! The factor is log-normal with median 1. Under a family with a scale, a rollout's likelihood is evaluated on a
//! lattice of scales. The mean μ and the standard deviation σ of the logarithms of the scales have priors that are
//! uniform in μ and in log σ, under which the interval of σ is right for few rollouts too.

use super::family::Family;
use super::fit::{Candidate, DOES_NOT_FIT, FALL, Fit, Parameter};
use super::goodness;
use super::likelihood::{Model, log_of_share};
use super::sample::{Sample, Times};
use super::spread::{FEWEST, LEVEL, marginal, quantile};
use dryroll_sim::scenario::Distribution;
use dryroll_sim::sim::draws::{Key, scale};
use dryroll_sim::sim::sampler::Sampler;
use dryroll_stats::Interval;

/// The families with a scale and at most one shape parameter.
const FAMILIES: [Family; 3] = [Family::Lognormal, Family::Weibull, Family::Exponential];
/// A family is rejected when its log-likelihood is this far below the best: a likelihood ratio of a hundred.
const TOO_UNLIKELY: f64 = 4.6;
/// The range in which σ is sought.
const SIGMAS: (f64, f64) = (0.02, 2.0);
const SIGMA_STEPS: usize = 20;
const SHAPES: i32 = 4;
const SHARES: usize = 40;
/// How far the lattice extends beyond the rollouts' own scales, in logarithms.
const BEYOND: f64 = 1.0;

/// A factor of upgrade times that differs between rollouts.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeFactor {
    /// The number of rollouts with information about it.
    pub rollouts: u64,
    /// The p-value for equal times across rollouts.
    pub p_value: f64,
    /// The standard deviation of its logarithm; its median is 1.
    pub sigma: f64,
    /// The interval of sigma.
    pub interval: Interval,
    /// For each rollout: its weight, and the logarithm of its factor.
    shifts: Vec<(f64, f64)>,
    /// For each family that fits: the profile likelihood of the share r that ends.
    pub(super) profiles: Vec<FamilyProfile>,
}

/// The profile likelihood of the share r that ends, under one family.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FamilyProfile {
    /// The family.
    pub family: Family,
    /// Schwarz's criterion.
    pub bic: f64,
    /// The logarithm of the likelihood at φ, with r = sin² φ.
    pub logs: Vec<(f64, f64)>,
}

impl TimeFactor {
    /// The model of all rollouts' times together, where a rollout with factor 1 has this distribution.
    pub fn pooled(&self, distribution: &Distribution, resolution: u64) -> Model {
        let sampler = Sampler::new(distribution);
        let part = |&(share, shift): &(f64, f64)| (share, sampler.times(libm::exp(shift)));
        Model::mixed(self.shifts.iter().map(part).collect(), resolution)
    }
}

/// The p-value for equal times across rollouts, where it is below the level; needs at least two rollouts. `window` is
/// the shortest health window that closed.
#[must_use]
pub fn differ(rollouts: &[Times], window: Option<u64>) -> Option<f64> {
    const ENOUGH: u64 = 40;
    const MOST_WORK: usize = 20_000_000;
    const KEY: Key = Key(0x6661_6374_6f72);
    let within = |time: u64| window.is_none_or(|window| time < window);
    let mut pool: Vec<(u64, bool, usize)> = Vec::new();
    for (rollout, times) in rollouts.iter().enumerate() {
        pool.extend(times.seen.iter().filter(|&&time| within(time)).map(|&time| (time, false, rollout)));
        pool.extend(times.open.iter().filter(|&&time| within(time)).map(|&time| (time, true, rollout)));
    }
    pool.sort_unstable();
    let scores = scores(&pool);
    let mut sizes = vec![0.0_f64; rollouts.len()];
    pool.iter().for_each(|one| sizes[one.2] += 1.0);
    if sizes.iter().filter(|&&size| size > 0.0).count() < 2 {
        return None;
    }
    let mut sums = vec![0.0_f64; rollouts.len()];
    let mut statistic = |owners: &[usize]| {
        sums.fill(0.0);
        owners.iter().zip(&scores).for_each(|(&owner, score)| sums[owner] += score);
        sums.iter().zip(&sizes).map(|(sum, size)| sum * sum / size.max(1.0)).sum::<f64>()
    };
    let mut owners: Vec<usize> = pool.iter().map(|one| one.2).collect();
    let seen = statistic(&owners);
    let draws = (MOST_WORK / owners.len().max(1)).clamp(999, 4999) as u64;
    let mut worse = 0;
    for draw in 1..=draws {
        let key = KEY.child(draw);
        for last in (1..owners.len()).rev() {
            owners.swap(last, scale(key.word(last as u64), last as u64 + 1) as usize);
        }
        worse += u64::from(statistic(&owners) >= seen * (1.0 - 1e-12));
        if worse == ENOUGH {
            return None;
        }
    }
    let chance = (worse + 1) as f64 / (draws + 1) as f64;
    (chance < LEVEL).then_some(chance)
}

/// Peto and Peto's scores: S(t−) + S(t) − 1 for an observed time, S(t) − 1 for an open one, with the Kaplan–Meier
/// estimate S. The pool is in ascending order of time; the second field states whether the time is open.
fn scores(pool: &[(u64, bool, usize)]) -> Vec<f64> {
    let mut left = 1.0;
    let score = |(place, &(_, open, _)): (usize, &(u64, bool, usize))| {
        if open {
            return left - 1.0;
        }
        let before = left;
        left *= 1.0 - 1.0 / (pool.len() - place) as f64;
        before + left - 1.0
    };
    pool.iter().enumerate().map(score).collect()
}

/// Fits a factor, and the distribution of one rollout's times; `None` with too few rollouts, or where no family fits.
#[must_use]
pub fn fitted(rollouts: &[Times], sample: &Sample, p_value: f64) -> Option<(TimeFactor, Fit)> {
    let samples: Vec<Sample> = rollouts
        .iter()
        .map(|times| Sample::new(times, sample.resolution).coarser())
        .filter(|sample| sample.n_seen() > 0.0)
        .collect();
    if samples.len() < FEWEST {
        return None;
    }
    let mut found: Vec<Within> = FAMILIES.into_iter().filter_map(|family| Within::of(family, &samples)).collect();
    found.sort_by(|a, b| a.bic.total_cmp(&b.bic));
    let most = found.iter().map(|one| one.top).fold(f64::MIN, f64::max);
    let profiles: Vec<FamilyProfile> = found
        .iter()
        .filter(|one| one.top >= most - TOO_UNLIKELY)
        .map(|one| FamilyProfile { family: one.family, bic: one.bic, logs: one.profile.clone() })
        .collect();
    let candidates: Vec<Candidate> = found.iter().map(Within::candidate).collect();
    found.iter().enumerate().find_map(|(place, one)| {
        let factor = TimeFactor {
            rollouts: samples.len() as u64,
            p_value,
            sigma: one.sigma,
            interval: one.sigma_interval,
            shifts: one.shifts.clone(),
            profiles: profiles.clone(),
        };
        let agrees = goodness::test(sample, &factor.pooled(&one.distribution, sample.resolution), one.ends);
        if agrees.is_some_and(|agrees| agrees.p_value < DOES_NOT_FIT) {
            return None;
        }
        let fit = Fit {
            family: one.family,
            distribution: one.distribution.clone(),
            parameters: one.parameters.clone(),
            ends: one.ends,
            candidates: candidates.clone(),
            passed_over: place,
            goodness: agrees,
        };
        Some((factor, fit))
    })
}

/// A fit of one family to the times within a rollout, and the factor that goes with it.
struct Within {
    family: Family,
    distribution: Distribution,
    parameters: Vec<Parameter>,
    ends: f64,
    top: f64,
    bic: f64,
    sigma: f64,
    sigma_interval: Interval,
    shifts: Vec<(f64, f64)>,
    profile: Vec<(f64, f64)>,
}

/// The likelihood of one rollout's scale on the lattice.
struct Row {
    seen: f64,
    /// The log-likelihood of the observed times, by scale.
    logs: Vec<f64>,
    /// For each open time: the probability of observation by then, by scale, and its weight.
    open: Vec<(Vec<f64>, f64)>,
}

/// A lattice with even steps in the logarithm of the scale and of σ.
struct Lattice {
    scales: Vec<f64>,
    sigmas: Vec<f64>,
    /// For each σ: the weight of a scale by its number of steps from μ.
    kernels: Vec<Vec<f64>>,
}

/// The posterior of μ and σ: lattice indices with weights.
type Belief = Vec<(usize, usize, f64)>;

impl Lattice {
    fn of(family: Family, rollouts: &[Sample]) -> Self {
        let own = |sample: &Sample| family.start(sample).0.first().copied().unwrap_or_default();
        let low = rollouts.iter().map(own).fold(f64::INFINITY, f64::min) - BEYOND;
        let high = rollouts.iter().map(own).fold(f64::NEG_INFINITY, f64::max) + BEYOND;
        let most = rollouts.iter().map(Sample::n_seen).fold(1.0, f64::max);
        let step = (0.12 / most.sqrt()).clamp(0.004, 0.04);
        let scales: Vec<f64> = (0..=((high - low) / step) as usize).map(|i| low + i as f64 * step).collect();
        let (least, widest) = (libm::log(SIGMAS.0), libm::log(SIGMAS.1));
        let sigma = |i: usize| libm::exp(least + (widest - least) * i as f64 / (SIGMA_STEPS - 1) as f64);
        let sigmas: Vec<f64> = (0..SIGMA_STEPS).map(sigma).collect();
        let kernel = |&sigma: &f64| {
            let weight = |i: usize| libm::exp(-0.5 * (i as f64 * step / sigma) * (i as f64 * step / sigma));
            let reach = ((8.0 * sigma / step) as usize + 1).max(scales.len());
            let all: f64 = 1.0 + 2.0 * (1..reach).map(weight).sum::<f64>();
            (0..scales.len()).map(|i| weight(i) / all).collect()
        };
        let kernels = sigmas.iter().map(kernel).collect();
        Self { scales, sigmas, kernels }
    }

    /// The rows of all rollouts at a shape.
    fn rows(&self, family: Family, shape: f64, rollouts: &[Sample]) -> Option<Vec<Row>> {
        let models: Option<Vec<Distribution>> = self.scales.iter().map(|&scale| family.at(&[scale, shape])).collect();
        let models = models?;
        let row = |sample: &Sample| {
            let models: Vec<Model> = models.iter().map(|law| Model::new(law, sample.resolution)).collect();
            let open = sample
                .open
                .iter()
                .map(|&(time, weight)| (models.iter().map(|model| model.seen_by(time)).collect::<Vec<f64>>(), weight));
            let logs = models.iter().map(|model| model.log_of_seen(sample)).collect();
            Row { seen: sample.n_seen(), logs, open: open.collect() }
        };
        Some(rollouts.iter().map(row).collect())
    }

    /// For each rollout: the lattice indices with non-negligible likelihood, their relative likelihoods, and the
    /// maximum log-likelihood.
    fn likely(&self, rows: &[Row], ends: f64) -> Vec<(Vec<(usize, f64)>, f64)> {
        let one = |row: &Row| {
            let log = |i: usize| {
                let open: Vec<(f64, f64)> = row.open.iter().map(|(by, weight)| (by[i], *weight)).collect();
                row.logs[i] + log_of_share(row.seen, &open, ends)
            };
            let logs: Vec<f64> = (0..self.scales.len()).map(log).collect();
            let top = logs.iter().copied().fold(f64::MIN, f64::max);
            let near = logs.iter().enumerate().filter(|(_, log)| **log > top - 18.0);
            (near.map(|(i, log)| (i, libm::exp(log - top))).collect(), top)
        };
        rows.iter().map(one).collect()
    }

    /// The log-likelihood with μ and σ integrated out, and their posterior.
    fn integrated(&self, rows: &[Row], ends: f64) -> (f64, Belief) {
        const EVERY: usize = 2;
        let likely = self.likely(rows, ends);
        let mut points = Vec::with_capacity(self.sigmas.len() * self.scales.len() / EVERY + 1);
        for (j, kernel) in self.kernels.iter().enumerate() {
            for mu in (0..self.scales.len()).step_by(EVERY) {
                let of = |(places, top): &(Vec<(usize, f64)>, f64)| {
                    let sum: f64 = places.iter().map(|&(i, weight)| weight * kernel[i.abs_diff(mu)]).sum();
                    top + libm::log(sum.max(1e-300))
                };
                points.push((mu, j, likely.iter().map(of).sum::<f64>()));
            }
        }
        let top = points.iter().map(|point| point.2).fold(f64::MIN, f64::max);
        points.iter_mut().for_each(|point| point.2 = libm::exp(point.2 - top));
        let all: f64 = points.iter().map(|point| point.2).sum();
        points.iter_mut().for_each(|point| point.2 /= all);
        (top + libm::log(all), points)
    }
}

impl Within {
    fn of(family: Family, rollouts: &[Sample]) -> Option<Self> {
        let lattice = Lattice::of(family, rollouts);
        let n: f64 = rollouts.iter().map(Sample::n_seen).sum();
        let open: f64 = rollouts.iter().map(Sample::n_open).sum();
        // The values of φ, with 1 − r = sin² φ.
        let share = open / (n + open);
        let most = (share + 6.0 * (share * (1.0 - share) / (n + open)).sqrt() + 12.0 / n).min(1.0);
        let angle = |i: usize| libm::asin(most.sqrt()) * i as f64 / (SHARES - 1) as f64;
        let angles = if open == 0.0 { 1 } else { SHARES };
        let ends = |i: usize| 1.0 - libm::sin(angle(i)) * libm::sin(angle(i));
        let shapes = Self::shapes(family, rollouts, n);
        let mut rows = Vec::with_capacity(shapes.len());
        for &shape in &shapes {
            rows.push(lattice.rows(family, shape, rollouts)?);
        }
        // The values by share and shape.
        let value = |i: usize| rows.iter().map(|rows| lattice.integrated(rows, ends(i)).0).collect::<Vec<f64>>();
        let values: Vec<Vec<f64>> = (0..angles).map(value).collect();
        let best = |of: &[f64]| of.iter().copied().fold(f64::MIN, f64::max);
        let profile: Vec<f64> = values.iter().map(|values| best(values)).collect();
        let top = best(&profile);
        // All end unless that is outside the interval, as in every fit here.
        let taken = if profile[0] >= top - FALL { 0 } else { profile.iter().position(|&value| value == top)? };
        let shape = values[taken].iter().position(|&value| value == profile[taken])?;
        let (_, belief) = lattice.integrated(&rows[shape], ends(taken));
        let mus = marginal(belief.iter().map(|&(mu, _, weight)| (lattice.scales[mu], weight)));
        let sigmas = marginal(belief.iter().map(|&(_, sigma, weight)| (libm::log(lattice.sigmas[sigma]), weight)));
        let of_shape =
            marginal(shapes.iter().zip(&values[taken]).map(|(&x, &log)| (x, libm::exp(log - profile[taken]))));
        let all: f64 = of_shape.iter().map(|&(_, weight)| weight).sum();
        let of_shape: Vec<(f64, f64)> = of_shape.into_iter().map(|(x, weight)| (x, weight / all)).collect();
        let (mu, sigma) = (quantile(&mus, 0.5), libm::exp(quantile(&sigmas, 0.5)));
        let distribution = family.at(&[mu, shapes[shape]])?;
        let parameter = |(axis, &name): (usize, &&'static str)| {
            let (of, at) = if axis == 0 { (&mus, mu) } else { (&of_shape, shapes[shape]) };
            let [low, estimate, high] =
                [quantile(of, 0.025), at, quantile(of, 0.975)].map(|x| family.parameter(axis, x));
            Parameter { name, estimate, interval: Interval::new(low.min(estimate), high.max(estimate)) }
        };
        let parameters: Vec<Parameter> = family.parameters().iter().enumerate().map(parameter).collect();
        let shifts =
            lattice.likely(&rows[shape], ends(taken)).into_iter().zip(rollouts).map(|((places, _), sample)| {
                let weigh = |&(i, weight): &(usize, f64)| {
                    let off = (lattice.scales[i] - mu) / sigma;
                    (lattice.scales[i] - mu, weight * libm::exp(-0.5 * off * off))
                };
                let (sum, all) = places.iter().map(weigh).fold((0.0, 0.0), |(a, b), (x, w)| (a + x * w, b + w));
                ((sample.n_seen() + sample.n_open()) / (n + open), if all > 0.0 { sum / all } else { 0.0 })
            });
        let right = std::f64::consts::FRAC_PI_2;
        let mut knots: Vec<(f64, f64)> = (0..angles).map(|i| (right - angle(i), profile[i])).collect();
        knots.reverse();
        let own = family.parameters().len() + 1 + usize::from(taken > 0);
        Some(Self {
            family,
            distribution,
            ends: ends(taken),
            top,
            bic: own as f64 * libm::log(n) - 2.0 * profile[taken],
            sigma,
            sigma_interval: Interval::new(libm::exp(quantile(&sigmas, 0.025)), libm::exp(quantile(&sigmas, 0.975))),
            shifts: shifts.collect(),
            profile: knots,
            parameters,
        })
    }

    /// A range of shapes around that of the times with the rollouts' own scales divided out.
    fn shapes(family: Family, rollouts: &[Sample], n: f64) -> Vec<f64> {
        let own: Vec<(f64, f64)> = rollouts
            .iter()
            .filter_map(|sample| family.start(sample).0.get(1).map(|&shape| (shape, sample.n_seen())))
            .collect();
        if own.is_empty() {
            return vec![0.0];
        }
        let middle = own.iter().map(|(shape, weight)| shape * weight).sum::<f64>() / n;
        (-2 * SHAPES..=2 * SHAPES).map(|i| middle + f64::from(i) * 0.9 / n.sqrt()).collect()
    }

    fn candidate(&self) -> Candidate {
        Candidate::of_rollouts(self.family, self.distribution.clone(), self.top, self.ends, self.bic)
    }
}

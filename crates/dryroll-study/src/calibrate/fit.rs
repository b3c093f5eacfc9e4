//! Fits distributions to a sample: each family by maximum likelihood, the choice by evidence, parameters with
//! intervals.

use super::family::Family;
use super::goodness::{self, Goodness};
use super::likelihood::{Likelihood, Model};
use super::nelder_mead::{self, NOWHERE};
use super::nonparametric;
use super::sample::Sample;
use dryroll_sim::scenario::Distribution;
use dryroll_stats::Interval;

/// The least number of observed times from which a family can be chosen.
pub const FEWEST: f64 = 5.0;
/// A family does not fit if its goodness-of-fit p-value is below this.
pub const DOES_NOT_FIT: f64 = 0.001;
/// The confidence level of all intervals here.
pub const CONFIDENCE: f64 = 0.95;
/// The drop of the log-likelihood at the ends of such an interval: half the 95 % point of χ² of one degree (S. S.
/// Wilks, "The large-sample distribution of the likelihood ratio", Ann. Math. Statist. 9, 1938).
pub const FALL: f64 = 1.920_729_410_347_062;

/// A parameter of a distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The parameter's name, as in a scenario.
    pub name: &'static str,
    /// Maximum likelihood estimate: in seconds, or dimensionless.
    pub estimate: f64,
    /// The profile likelihood interval.
    pub interval: Interval,
}

/// A family that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The family.
    pub family: Family,
    /// Its best distribution.
    pub distribution: Distribution,
    /// The log-likelihood.
    pub log_likelihood: f64,
    /// The share that ends at all: 1 unless 1 is outside its profile likelihood interval.
    pub ends: f64,
    /// The log-likelihood at the best share that ends.
    pub top: f64,
    /// Schwarz's criterion (BIC): less is better.
    pub bic: f64,
    /// The coordinates of the maximum.
    coordinates: Vec<f64>,
    /// The coordinates of the maximum at the best share that ends.
    pub(super) peak: Vec<f64>,
}

/// The fit of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The family to simulate with.
    pub family: Family,
    /// Its distribution.
    pub distribution: Distribution,
    /// Its parameters with intervals; empty for an empirical distribution.
    pub parameters: Vec<Parameter>,
    /// The share that ends at all.
    pub ends: f64,
    /// All families that were tried, best first.
    pub candidates: Vec<Candidate>,
    /// How many better-ranked candidates were rejected because they agree too badly with the sample.
    pub passed_over: usize,
    /// Goodness of fit of the chosen family, or of the best one if none is chosen; `None` where it cannot be tested.
    pub goodness: Option<Goodness>,
}

/// A family stays a contender while its log-likelihood is within this of the chosen one: a likelihood ratio of a
/// hundred.
const TOO_UNLIKELY: f64 = 4.6;

impl Fit {
    /// Fits a sample; `None` where no time was observed.
    #[must_use]
    pub fn of(sample: &Sample) -> Option<Self> {
        let n = sample.n_seen();
        if n == 0.0 {
            return None;
        }
        let mut candidates: Vec<Candidate> = constant(sample).into_iter().collect();
        // Two parameters would fit any two times.
        if n >= FEWEST || candidates.is_empty() {
            candidates.extend(Family::SMOOTH.into_iter().filter_map(|family| maximised(family, sample)));
        }
        candidates.sort_by(|a, b| a.bic.total_cmp(&b.bic));
        let tested: Vec<Option<Goodness>> = tested(&candidates, sample);
        let fits = |goodness: &Option<Goodness>| goodness.is_none_or(|goodness| goodness.p_value >= DOES_NOT_FIT);
        let Some(taken) = tested.iter().position(fits) else {
            let distribution = nonparametric::distribution(sample);
            let Likelihood { ends, .. } = Model::new(&distribution, sample.resolution).likelihood(sample);
            let (family, passed_over) = (Family::Empirical, candidates.len());
            let goodness = tested.first().copied().flatten();
            return Some(Self {
                family,
                distribution,
                parameters: Vec::new(),
                ends,
                candidates,
                passed_over,
                goodness,
            });
        };
        let best = candidates.get(taken)?.clone();
        let parameters = match best.family {
            Family::Constant => vec![constant_parameter(sample, &best)],
            _ => profiles(&best, sample),
        };
        let Candidate { family, distribution, ends, .. } = best;
        let goodness = tested.get(taken).copied().flatten();
        Some(Self { family, distribution, parameters, ends, candidates, passed_over: taken, goodness })
    }

    /// All families that the sample does not rule out: the chosen one, and those that are nearly as likely.
    #[must_use]
    pub fn fitting(&self, sample: &Sample) -> Vec<Candidate> {
        let mut left: Vec<Candidate> = self.candidates.get(self.passed_over..).unwrap_or_default().to_vec();
        // A constant that fits a few times leaves the tail unknown.
        for family in Family::SMOOTH {
            if left.iter().all(|one| one.family != family) && self.candidates.iter().all(|one| one.family != family) {
                left.extend(maximised(family, sample));
            }
        }
        let most = left.iter().map(|one| one.top).fold(f64::MIN, f64::max);
        let taken = self.family;
        left.retain(|one| one.family == taken || one.top >= most - TOO_UNLIKELY);
        left
    }

    /// The second-best family, and by how much its Schwarz's criterion is worse.
    #[must_use]
    pub fn next(&self) -> Option<(Family, f64)> {
        match self.candidates.get(self.passed_over..)? {
            [taken, next, ..] => Some((next.family, next.bic - taken.bic)),
            _ => None,
        }
    }
}

/// Goodness of fit of the candidates, up to the first that fits.
fn tested(candidates: &[Candidate], sample: &Sample) -> Vec<Option<Goodness>> {
    let mut tested = Vec::new();
    for one in candidates {
        let goodness = match one.family {
            Family::Constant => None,
            _ => goodness::test(sample, &Model::new(&one.distribution, sample.resolution), one.ends),
        };
        tested.push(goodness);
        if goodness.is_none_or(|goodness| goodness.p_value >= DOES_NOT_FIT) {
            break;
        }
    }
    tested
}

fn bic(log_likelihood: f64, parameters: usize, n: f64) -> f64 {
    parameters as f64 * libm::log(n) - 2.0 * log_likelihood
}

/// The range in which a constant can lie, milliseconds.
fn constant_range(sample: &Sample) -> Option<(u64, u64)> {
    let earliest = sample.seen.first()?.0;
    let least = if sample.longest() < sample.resolution { 0 } else { sample.longest() - sample.resolution + 1 };
    (least <= earliest).then_some((least, earliest))
}

fn constant(sample: &Sample) -> Option<Candidate> {
    let (least, most) = constant_range(sample)?;
    let coordinates = vec![((least + most) / 2) as f64];
    let distribution = Family::Constant.at(&coordinates)?;
    let log = Model::new(&distribution, sample.resolution).log_at(sample, 1.0);
    let end_all = Top { distribution: distribution.clone(), coordinates: coordinates.clone(), log, ends: 1.0 };
    Some(Candidate::chosen(Family::Constant, top(distribution, coordinates, sample), end_all, sample))
}

fn constant_parameter(sample: &Sample, best: &Candidate) -> Parameter {
    let (least, most) = constant_range(sample).unwrap_or_default();
    let seconds = |millis: u64| Family::Constant.parameter(0, millis as f64);
    let estimate = Family::Constant.parameter(0, best.coordinates[0]);
    Parameter { name: "constant", estimate, interval: Interval::new(seconds(least), seconds(most)) }
}

fn maximised(family: Family, sample: &Sample) -> Option<Candidate> {
    let (start, steps) = family.start(sample);
    let f = family.over(|distribution| Model::new(distribution, sample.resolution).likelihood(sample).log);
    let (coordinates, value) = nelder_mead::simplex(&f, &start, &steps);
    let distribution = family.at(&coordinates)?;
    if value <= NOWHERE {
        return None;
    }
    let free = top(distribution, coordinates, sample);
    let end_all = if free.ends >= 1.0 {
        Top { distribution: free.distribution.clone(), coordinates: free.coordinates.clone(), ..free }
    } else {
        let all = family.over(|distribution| Model::new(distribution, sample.resolution).log_at(sample, 1.0));
        let (coordinates, log) = nelder_mead::simplex(&all, &free.coordinates, &steps);
        Top { distribution: family.at(&coordinates)?, coordinates, log, ends: 1.0 }
    };
    Some(Candidate::chosen(family, free, end_all, sample))
}

fn top(distribution: Distribution, coordinates: Vec<f64>, sample: &Sample) -> Top {
    let Likelihood { log, ends } = Model::new(&distribution, sample.resolution).likelihood(sample);
    Top { distribution, coordinates, log, ends }
}

/// A maximum of a likelihood.
struct Top {
    distribution: Distribution,
    coordinates: Vec<f64>,
    log: f64,
    ends: f64,
}

impl Candidate {
    /// A candidate that was fitted to rollouts that differ, and so has no coordinates.
    pub(super) fn of_rollouts(family: Family, distribution: Distribution, top: f64, ends: f64, bic: f64) -> Self {
        Self { family, distribution, log_likelihood: top, ends, top, bic, coordinates: Vec::new(), peak: Vec::new() }
    }

    /// Assumes hangs only where the family needs them: where the likelihood without hangs falls outside its interval.
    fn chosen(family: Family, free: Top, end_all: Top, sample: &Sample) -> Self {
        let (n, own) = (sample.n_seen(), family.parameters().len());
        let (top, peak) = (free.log.max(end_all.log), free.coordinates.clone());
        let hangs = free.log - end_all.log > FALL;
        let (taken, parameters) = if hangs { (free, own + 1) } else { (end_all, own) };
        let bic = bic(taken.log, parameters, n);
        let Top { distribution, coordinates, log, ends } = taken;
        Self { family, distribution, log_likelihood: log, ends, top, bic, coordinates, peak }
    }
}

/// The interval of each parameter: where the likelihood, maximised over the other parameter, is within [`FALL`] of its
/// maximum.
fn profiles(best: &Candidate, sample: &Sample) -> Vec<Parameter> {
    let goal = best.top - FALL;
    let family = best.family;
    let f = family.over(|distribution| Model::new(distribution, sample.resolution).likelihood(sample).log);
    let (_, steps) = family.start(sample);
    let names = family.parameters();
    let along = |axis: usize| {
        let end = |sign: f64| {
            let first = steps[axis].abs() / (1.0 + sample.n_seen().sqrt()) * sign;
            profile_end(&f, best, axis, first, &steps, goal)
        };
        let estimate = family.parameter(axis, best.coordinates[axis]);
        // No parameter of a duration is negative.
        let (low, high) = (family.parameter(axis, end(-1.0)).max(0.0), family.parameter(axis, end(1.0)));
        Parameter { name: names[axis], estimate, interval: Interval::new(low.min(estimate), high.max(estimate)) }
    };
    (0..names.len()).map(along).collect()
}

/// The coordinate at which the profile falls to the goal: steps that double lead there from the maximum. Near the
/// maximum the square root of the drop is almost linear in the coordinate, so linear interpolation finds the
/// coordinate.
fn profile_end(f: &impl Fn(&[f64]) -> f64, best: &Candidate, axis: usize, first: f64, steps: &[f64], goal: f64) -> f64 {
    const DOUBLINGS: u32 = 16;
    const REFINEMENTS: u32 = 5;
    let top = &best.peak;
    // The value of the profile, and the other coordinate there.
    let at = |x: f64, nuisance: f64| {
        if top.len() == 1 {
            return (f(&[x]), 0.0);
        }
        let place = |y: f64| if axis == 0 { f(&[x, y]) } else { f(&[y, x]) };
        let (y, value) = nelder_mead::uphill(place, nuisance, steps[1 - axis] / 4.0);
        (value, y)
    };
    let root = |value: f64| (best.top - value).max(0.0).sqrt();
    let mut nuisance = if top.len() == 1 { 0.0 } else { top[1 - axis] };
    let (mut inside, mut step) = ((top[axis], 0.0), first);
    let mut outside = None;
    for _ in 0..DOUBLINGS {
        let x = inside.0 + step;
        let (value, y) = at(x, nuisance);
        if value < goal {
            outside = Some((x, root(value)));
            break;
        }
        (inside, nuisance, step) = ((x, root(value)), y, step * 2.0);
    }
    let Some(mut outside) = outside else { return inside.0 };
    let goal_root = root(goal);
    let between = |inside: (f64, f64), outside: (f64, f64)| {
        let share = (goal_root - inside.1) / (outside.1 - inside.1);
        // Beyond a discontinuity, linear interpolation fails.
        let share = if outside.1 > 10.0 * goal_root || !share.is_finite() { 0.5 } else { share.clamp(0.05, 0.95) };
        inside.0 + (outside.0 - inside.0) * share
    };
    for _ in 0..REFINEMENTS {
        let x = between(inside, outside);
        let (value, y) = at(x, nuisance);
        if value < goal {
            outside = (x, root(value));
        } else {
            (inside, nuisance) = ((x, root(value)), y);
        }
    }
    between(inside, outside)
}

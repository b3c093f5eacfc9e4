//! Which distribution fits a sample: every family by its largest likelihood, chosen by evidence, with intervals.

use super::climb::{self, NOWHERE};
use super::family::Family;
use super::goodness::{self, Goodness};
use super::likelihood::{Likelihood, Model};
use super::nonparametric;
use super::sample::Sample;
use crate::scenario::Distribution;
use crate::stats::{Interval, normal};

/// With fewer times seen a sample says nothing of a family.
pub const FEWEST: f64 = 5.0;
/// Below this chance of a worse agreement by chance, a family does not fit.
pub const DOES_NOT_FIT: f64 = 0.001;
/// What all intervals here hold, of their true values.
pub const CONFIDENCE: f64 = 0.95;

/// A parameter of a distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, as a scenario has it.
    pub name: &'static str,
    /// By the largest likelihood: seconds, or a pure number.
    pub estimate: f64,
    /// The interval of its profile likelihood.
    pub interval: Interval,
}

/// A family that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Which.
    pub family: Family,
    /// Its best distribution.
    pub distribution: Distribution,
    /// The logarithm of its likelihood.
    pub log_likelihood: f64,
    /// The share of all that end at all.
    pub ends: f64,
    /// Schwarz's criterion: less is better.
    pub bic: f64,
    /// Where its climb ended.
    coordinates: Vec<f64>,
}

/// What fits a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The distribution to simulate with.
    pub family: Family,
    /// The same, with its parameters.
    pub distribution: Distribution,
    /// Its parameters, with their intervals; none of an empirical one.
    pub parameters: Vec<Parameter>,
    /// The share of all that end at all.
    pub ends: f64,
    /// Every family that was tried, the best first.
    pub candidates: Vec<Candidate>,
    /// How well the best family agrees with the sample; `None` where that cannot be told.
    pub goodness: Option<Goodness>,
}

impl Fit {
    /// What fits a sample; `None` where nothing was seen.
    #[must_use]
    pub fn of(sample: &Sample) -> Option<Self> {
        let n = sample.n_seen();
        if n == 0.0 {
            return None;
        }
        let mut candidates: Vec<Candidate> = constant(sample).into_iter().collect();
        // Two numbers to two times would fit anything.
        if n >= FEWEST || candidates.is_empty() {
            candidates.extend(Family::SMOOTH.into_iter().filter_map(|family| climbed(family, sample)));
        }
        candidates.sort_by(|a, b| a.bic.total_cmp(&b.bic));
        let best = candidates.first()?.clone();
        let goodness = match best.family {
            Family::Constant => None,
            _ => goodness::test(sample, &Model::new(&best.distribution, sample.resolution), best.ends),
        };
        if goodness.is_some_and(|goodness| goodness.p_value < DOES_NOT_FIT) {
            let distribution = nonparametric::distribution(sample);
            let Likelihood { ends, .. } = Model::new(&distribution, sample.resolution).likelihood(sample);
            let family = Family::Empirical;
            return Some(Self { family, distribution, parameters: Vec::new(), ends, candidates, goodness });
        }
        let parameters = match best.family {
            Family::Constant => vec![constant_parameter(sample, &best)],
            _ => profiles(&best, sample),
        };
        let (family, distribution, ends) = (best.family, best.distribution, best.ends);
        Some(Self { family, distribution, parameters, ends, candidates, goodness })
    }

    /// How much worse the second of the smooth families is, by Schwarz's criterion.
    #[must_use]
    pub fn lead(&self) -> Option<f64> {
        match &self.candidates[..] {
            [first, second, ..] => Some(second.bic - first.bic),
            _ => None,
        }
    }
}

fn bic(log_likelihood: f64, parameters: usize, n: f64) -> f64 {
    parameters as f64 * libm::log(n) - 2.0 * log_likelihood
}

/// From where to where a constant can lie, milliseconds.
fn constant_range(sample: &Sample) -> Option<(u64, u64)> {
    let earliest = sample.seen.first()?.0;
    let least = if sample.longest() < sample.resolution { 0 } else { sample.longest() - sample.resolution + 1 };
    (least <= earliest).then_some((least, earliest))
}

fn constant(sample: &Sample) -> Option<Candidate> {
    let (least, most) = constant_range(sample)?;
    let coordinates = vec![((least + most) / 2) as f64];
    let distribution = Family::Constant.at(&coordinates)?;
    let Likelihood { log, ends } = Model::new(&distribution, sample.resolution).likelihood(sample);
    let bic = bic(log, 1, sample.n_seen());
    Some(Candidate { family: Family::Constant, distribution, log_likelihood: log, ends, bic, coordinates })
}

fn constant_parameter(sample: &Sample, best: &Candidate) -> Parameter {
    let (least, most) = constant_range(sample).unwrap_or_default();
    let seconds = |millis: u64| Family::Constant.parameter(0, millis as f64);
    let estimate = Family::Constant.parameter(0, best.coordinates[0]);
    Parameter { name: "constant", estimate, interval: Interval::new(seconds(least), seconds(most)) }
}

fn climbed(family: Family, sample: &Sample) -> Option<Candidate> {
    let (start, steps) = family.start(sample);
    let f = family.over(|distribution| Model::new(distribution, sample.resolution).likelihood(sample).log);
    let (coordinates, value) = climb::simplex(&f, &start, &steps);
    let distribution = family.at(&coordinates)?;
    if value <= NOWHERE {
        return None;
    }
    let Likelihood { log, ends } = Model::new(&distribution, sample.resolution).likelihood(sample);
    let bic = bic(log, family.parameters().len(), sample.n_seen());
    Some(Candidate { family, distribution, log_likelihood: log, ends, bic, coordinates })
}

/// The interval of each parameter: where the likelihood, the other parameter being at its best, is not too far below its
/// top (S. S. Wilks, "The large-sample distribution of the likelihood ratio", Ann. Math. Statist. 9, 1938).
fn profiles(best: &Candidate, sample: &Sample) -> Vec<Parameter> {
    let z = normal::quantile((1.0 + CONFIDENCE) / 2.0);
    let goal = best.log_likelihood - z * z / 2.0;
    let family = best.family;
    let f = family.over(|distribution| Model::new(distribution, sample.resolution).likelihood(sample).log);
    let (_, steps) = family.start(sample);
    let names = family.parameters();
    let along = |axis: usize| {
        let end = |sign: f64| {
            let first = steps[axis].abs() / (1.0 + sample.n_seen().sqrt()) * sign;
            profile_end(&f, best, axis, first, &steps, goal)
        };
        let (low, high) = (end(-1.0), end(1.0));
        Parameter {
            name: names[axis],
            estimate: family.parameter(axis, best.coordinates[axis]),
            // No duration has a parameter below zero.
            interval: Interval::new(family.parameter(axis, low).max(0.0), family.parameter(axis, high)),
        }
    };
    (0..names.len()).map(along).collect()
}

/// The coordinate at which the profile falls to the goal, going from the top by steps that double. Below the top the root
/// of the fall is nearly a straight line, along which it is found.
fn profile_end(f: &impl Fn(&[f64]) -> f64, best: &Candidate, axis: usize, first: f64, steps: &[f64], goal: f64) -> f64 {
    const DOUBLINGS: u32 = 16;
    const REFINEMENTS: u32 = 5;
    let top = &best.coordinates;
    // The value of the profile, and where the other coordinate is then.
    let at = |x: f64, nuisance: f64| {
        if top.len() == 1 {
            return (f(&[x]), 0.0);
        }
        let place = |y: f64| if axis == 0 { f(&[x, y]) } else { f(&[y, x]) };
        let (y, value) = climb::uphill(place, nuisance, steps[1 - axis] / 4.0);
        (value, y)
    };
    let root = |value: f64| (best.log_likelihood - value).max(0.0).sqrt();
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
        // Beyond a cliff there is no straight line.
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

//! The Pareto front: the policies that no other beats in both, the goal on the good version and the blast radius of a bad one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rayon::prelude::*;

use super::{Tune, Tuned, differences, moments};
use crate::scenario::Metric;
use crate::stats::moments::Moments;
use crate::stats::{Interval, simultaneous, student};
use crate::study::sweep::CONFIDENCE;
use crate::study::tape::Tape;

/// Worlds that the front is drawn from: a picture needs no more, and memory does not grow with the search.
const WORLDS: u64 = 4096;

/// Where a policy stands on the plane.
#[derive(Clone, Debug)]
pub struct Point {
    /// Blast radius of the bad version, its mean and the interval of that.
    pub blast: Option<(f64, Option<Interval>)>,
    /// `harmed_pct` of the same version.
    pub harmed: Option<(f64, Option<Interval>)>,
    /// Worlds.
    pub n: u64,
    /// Whether it is on the front; `None`: not sure.
    pub on_front: Option<bool>,
}

/// The bad version that gets furthest over all policies, by its place in the search; `None` where there is none.
///
/// # Errors
/// When the tape cannot be read.
pub fn worst_version(tune: &Tune, tape: &Tape, tuned: &Tuned) -> io::Result<Option<usize>> {
    let mut worst: Option<(usize, f64)> = None;
    for version in 1..tune.versions() {
        let mut sum = 0.0;
        for (policy, known) in tuned.policies.iter().enumerate() {
            let n = known.replicates.min(WORLDS);
            let values = tune.values(tape, tune.cell(policy, version), Metric::BlastRadiusPct, n)?;
            sum += moments(&values).mean().unwrap_or(0.0);
        }
        if worst.is_none_or(|(_, most)| sum > most) {
            worst = Some((version, sum));
        }
    }
    Ok(worst.map(|(version, _)| version))
}

/// Where every policy stands. With Bonferroni's inequality over all pairs, all that is sure is sure together.
///
/// Policies are many and pairs are more, so a pair is told apart by the two policies' own means and spreads where these lie
/// far enough apart, and world by world only where they do not.
///
/// # Errors
/// When the tape cannot be read.
pub fn points(tune: &Tune, tape: &Tape, tuned: &Tuned, version: Option<usize>) -> io::Result<Vec<Point>> {
    let policies = tuned.policies.len();
    let worlds = |policy: usize| tuned.policies[policy].replicates.min(WORLDS);
    let lengths: BTreeSet<u64> = (0..policies).map(worlds).collect();
    let series = |policy: usize, version: usize, metric: Metric| {
        let values = tune.values(tape, tune.cell(policy, version), metric, worlds(policy));
        values.map(|values| Series::new(values, &lengths))
    };
    let placed = (0..policies).into_par_iter().map(|policy| {
        let goal = series(policy, 0, tune.minimise)?;
        let blast = version.map(|version| series(policy, version, Metric::BlastRadiusPct)).transpose()?;
        Ok(std::iter::once(goal).chain(blast).collect())
    });
    let placed: Vec<Vec<Series>> = placed.collect::<io::Result<_>>()?;
    let pairs = policies as u64 * (policies as u64).saturating_sub(1);
    let each = simultaneous::each(CONFIDENCE, 2 * pairs);
    let rule = Rule {
        tune,
        placed: &placed,
        errors: lengths.iter().filter_map(|&n| Some((n, student::two_sided(each, n)?))).collect(),
        confidence: each,
    };
    let told = |policy: usize| {
        // What is told is of all worlds; the pairs are of the first ones.
        let of = |metric| match version {
            Some(version) => {
                let n = tuned.policies[policy].replicates;
                Ok::<_, io::Error>(moments(&tune.values(tape, tune.cell(policy, version), metric, n)?))
            }
            None => Ok(Moments::default()),
        };
        let (blast, harmed) = (of(Metric::BlastRadiusPct)?, of(Metric::HarmedPct)?);
        let told = |moments: &Moments| moments.mean().map(|mean| (mean, moments.t_interval(CONFIDENCE)));
        Ok(Point { blast: told(&blast), harmed: told(&harmed), n: blast.n(), on_front: rule.on_front(policy) })
    };
    (0..policies).into_par_iter().map(told).collect()
}

/// A policy's values of one metric, and what its first worlds come to.
struct Series {
    values: Vec<f64>,
    /// By how many worlds; none where a world of them has no value.
    first: BTreeMap<u64, Moments>,
}

impl Series {
    fn new(values: Vec<f64>, lengths: &BTreeSet<u64>) -> Self {
        let mut first = BTreeMap::new();
        for &n in lengths {
            let Some(values) = values.get(..n as usize) else { break };
            let moments = moments(values);
            if moments.n() == n {
                first.insert(n, moments);
            }
        }
        Self { values, first }
    }
}

/// How one policy beats another.
struct Rule<'a> {
    tune: &'a Tune,
    /// By policy, by dimension.
    placed: &'a [Vec<Series>],
    /// The standard errors that an interval reaches to, by its number of worlds.
    errors: BTreeMap<u64, f64>,
    confidence: f64,
}

/// What is sure of the other's value, held against the one's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sure {
    Less,
    /// Never more, and not always the same.
    NotMore,
    More,
    /// The same in every world that was met, which does not say that there is no other.
    Alike,
    Nothing,
}

impl Rule<'_> {
    fn on_front(&self, one: usize) -> Option<bool> {
        let mut on_front = Some(true);
        for other in (0..self.placed.len()).filter(|&other| other != one) {
            let sides = || self.placed[one].iter().zip(&self.placed[other]);
            if sides().any(|(one, other)| self.is_far_above(one, other)) {
                continue;
            }
            let sure: Vec<Sure> = sides().map(|(one, other)| self.compare(one, other)).collect();
            if sure.contains(&Sure::More) {
                continue;
            }
            let is_beaten =
                sure.contains(&Sure::Less) && sure.iter().all(|sure| matches!(sure, Sure::Less | Sure::NotMore));
            if is_beaten {
                return Some(false);
            }
            let are_alike = sure.iter().all(|sure| *sure == Sure::Alike);
            if !(are_alike && self.are_same(one, other)) {
                on_front = None;
            }
        }
        on_front
    }

    /// Whether the other's value is surely larger by the spreads alone: that of the differences is at most their sum.
    fn is_far_above(&self, one: &Series, other: &Series) -> bool {
        let n = one.values.len().min(other.values.len()) as u64;
        let of = |series: &Series| {
            let moments = series.first.get(&n)?;
            Some((moments.mean()?, moments.variance()?.sqrt()))
        };
        let (Some((one, spread)), Some((other, other_spread)), Some(errors)) =
            (of(one), of(other), self.errors.get(&n))
        else {
            return false;
        };
        other - one > errors * (spread + other_spread) / (n as f64).sqrt()
    }

    fn compare(&self, one: &Series, other: &Series) -> Sure {
        let differences = differences(&one.values, &other.values);
        let beyond = match self.errors.get(&differences.n()) {
            Some(&errors) => differences.within(errors),
            None => differences.t_interval(self.confidence),
        };
        match beyond {
            Some(Interval { low, high }) if low == 0.0 && high == 0.0 => Sure::Alike,
            Some(Interval { high, .. }) if high < 0.0 => Sure::Less,
            Some(Interval { high, .. }) if high <= 0.0 => Sure::NotMore,
            Some(Interval { low, .. }) if low > 0.0 => Sure::More,
            // Too few worlds say nothing either.
            _ => Sure::Nothing,
        }
    }

    /// Whether two policies come to the same batches and the same limit.
    fn are_same(&self, one: usize, other: usize) -> bool {
        let walked = |policy: usize| {
            let world = &self.tune.cells.worlds[self.tune.cell(policy, 0)];
            (world.plan.batch_size, world.settings.max_consecutive_failures)
        };
        walked(one) == walked(other)
    }
}

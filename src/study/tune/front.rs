//! The Pareto front: the policies that no other beats in both, the goal on the good version and the blast radius of a bad one.

use std::io;

use super::{Tune, Tuned, differences, moments};
use crate::scenario::Metric;
use crate::stats::moments::Moments;
use crate::stats::{Interval, simultaneous};
use crate::study::sweep::CONFIDENCE;
use crate::study::tape::Tape;

/// Worlds that the front is drawn from: a picture needs no more, and memory does not grow with the search.
const WORLDS: u64 = 4096;

/// Where a policy stands on the plane.
#[derive(Clone, Debug)]
pub struct Point {
    /// Blast radius of the bad version, its mean and the interval of that.
    pub blast: Option<(f64, Option<Interval>)>,
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
/// # Errors
/// When the tape cannot be read.
pub fn points(tune: &Tune, tape: &Tape, tuned: &Tuned, version: Option<usize>) -> io::Result<Vec<Point>> {
    let mut goals = Vec::new();
    let mut blasts = Vec::new();
    for (policy, known) in tuned.policies.iter().enumerate() {
        let n = known.replicates.min(WORLDS);
        goals.push(tune.values(tape, tune.cell(policy, 0), tune.minimise, n)?);
        blasts.push(match version {
            Some(version) => tune.values(tape, tune.cell(policy, version), Metric::BlastRadiusPct, n)?,
            None => Vec::new(),
        });
    }
    let policies = goals.len() as u64;
    let each = simultaneous::each(CONFIDENCE, 2 * policies * policies.saturating_sub(1));
    let dimensions: Vec<&Vec<Vec<f64>>> = if version.is_some() { vec![&goals, &blasts] } else { vec![&goals] };
    let point = |one: usize| {
        let mut on_front = Some(true);
        for other in (0..goals.len()).filter(|&other| other != one) {
            // How much larger the other's value is, in each dimension that there is.
            let beyond: Option<Vec<Interval>> =
                dimensions.iter().map(|values| differences(&values[one], &values[other]).t_interval(each)).collect();
            // Too few worlds say nothing.
            let Some(beyond) = beyond else {
                on_front = None;
                continue;
            };
            let never_worse = beyond.iter().all(|interval| interval.high <= 0.0);
            if never_worse && beyond.iter().any(|interval| interval.high < 0.0) {
                return Some(false);
            }
            let equal = beyond.iter().all(|interval| interval.low == 0.0 && interval.high == 0.0);
            if !equal && !beyond.iter().any(|interval| interval.low > 0.0) {
                on_front = None;
            }
        }
        on_front
    };
    let told = |policy: usize| {
        // What is told is of all worlds; the pairs are of the first ones.
        let blast = match version {
            Some(version) => {
                let n = tuned.policies[policy].replicates;
                moments(&tune.values(tape, tune.cell(policy, version), Metric::BlastRadiusPct, n)?)
            }
            None => Moments::default(),
        };
        Ok(Point {
            blast: blast.mean().map(|mean| (mean, blast.t_interval(CONFIDENCE))),
            n: blast.n(),
            on_front: point(policy),
        })
    };
    (0..goals.len()).map(told).collect()
}

//! The Pareto front: the policies that no other policy beats in both dimensions, the goal on the good version and the
//! blast radius of a bad one.
//!
//! A policy with which too few good rollouts complete is not on the front and beats no other. While that is undecided,
//! it is also undecided whether the policy, and those that it would beat, are on the front.

use dryroll_engine::Settings;
use std::io;

use rayon::prelude::*;

use super::{Estimated, Tune, Tuned, moments};
use crate::study::mean::{Estimator, Sample};
use crate::study::result_log::ResultLog;
use crate::study::results::CellRows;
use crate::study::sweep::CONFIDENCE;
use dryroll_sim::scenario::{Measure, Metric};
use dryroll_stats::{Interval, simultaneous};

/// Replicates for the front: more would not change a picture, and memory does not grow with the search.
const REPLICATES: u64 = 4096;

/// A policy's position in the plane.
#[derive(Clone, Debug)]
pub struct Point {
    /// Blast radius of the bad version; empty where there is no bad version.
    pub blast: Estimated,
    /// `harmed_pct` of the same version.
    pub harmed: Estimated,
    /// Whether the policy is on the front; `None`: not certain.
    pub on_front: Option<bool>,
}

/// The bad version with the largest blast radius over all policies, by index in the search; `None` where there is none.
///
/// # Errors
/// When the result log cannot be read.
pub fn worst_version(tune: &Tune, log: &ResultLog, tuned: &Tuned) -> io::Result<Option<usize>> {
    let mut worst: Option<(usize, f64)> = None;
    for version in 1..tune.versions() {
        let mut sum = 0.0;
        for (policy, known) in tuned.policies.iter().enumerate() {
            let n = known.replicates.min(REPLICATES);
            let values = tune.values(log, tune.cell(policy, version), Metric::BlastRadiusPct, n)?;
            sum += moments(&values).mean().unwrap_or(0.0);
        }
        if worst.is_none_or(|(_, most)| sum > most) {
            worst = Some((version, sum));
        }
    }
    Ok(worst.map(|(version, _)| version))
}

/// The positions of all policies. By Bonferroni's inequality over all policies and pairs, everything certain is
/// simultaneously certain.
///
/// There are many pairs, so two policies are distinguished by exact values or by their own intervals where these do not
/// overlap, and replicate by replicate only where they do.
///
/// # Errors
/// When the result log cannot be read.
pub fn points(tune: &Tune, log: &ResultLog, tuned: &Tuned, version: Option<usize>) -> io::Result<Vec<Point>> {
    let policies = tuned.policies.len();
    let pairs = policies as u64 * (policies as u64).saturating_sub(1) / 2;
    let each = simultaneous::each(CONFIDENCE, 2 * (pairs + policies as u64));
    let place = |policy: usize, version: usize, metric: Metric, exact: Option<f64>| -> io::Result<Placed> {
        let cell = tune.cell(policy, version);
        let n = tuned.policies[policy].replicates.min(REPLICATES);
        let estimator = Estimator::new(&tune.cells.compiled[cell], Measure::Metric(metric));
        let sample = estimator.sample(&CellRows::open(std::slice::from_ref(log), cell as u32, n)?)?;
        let own = exact.map(|exact| Interval::new(exact, exact)).or_else(|| estimator.interval(&sample, each));
        Ok(Placed { estimator, sample, exact, own })
    };
    let placed = (0..policies).into_par_iter().map(|policy| {
        let known = &tuned.policies[policy];
        let goal = place(policy, 0, tune.minimise, known.goal.exact)?;
        let spread = version.map(|version| {
            let exact = tuned.blast.get(tune.cell(policy, version)).copied().flatten();
            place(policy, version, Metric::BlastRadiusPct, exact)
        });
        Ok(std::iter::once(goal).chain(spread.transpose()?).collect())
    });
    let placed: Vec<Vec<Placed>> = placed.collect::<io::Result<_>>()?;
    let complete = tuned.policies.iter().map(|known| tune.completes_enough(known)).collect();
    let rule = Rule { tune, placed: &placed, complete, confidence: each };
    let point = |policy: usize| {
        // The reported figures are over all replicates; the pairs are over the first ones.
        let of = |metric: Metric, exact: Option<f64>| -> io::Result<Estimated> {
            let Some(version) = version else { return Ok(Estimated::default()) };
            let cell = tune.cell(policy, version);
            let n = tuned.policies[policy].replicates;
            let estimator = Estimator::new(&tune.cells.compiled[cell], Measure::Metric(metric));
            let sample = estimator.sample(&CellRows::open(std::slice::from_ref(log), cell as u32, n)?)?;
            let (mean, interval) = (estimator.mean(&sample), estimator.interval(&sample, CONFIDENCE));
            Ok(Estimated { exact, mean, interval, n })
        };
        let blast = of(Metric::BlastRadiusPct, placed[policy].get(1).and_then(|placed| placed.exact))?;
        Ok(Point { blast, harmed: of(Metric::HarmedPct, None)?, on_front: rule.on_front(policy) })
    };
    (0..policies).into_par_iter().map(point).collect()
}

/// A policy in one dimension of the plane.
struct Placed {
    estimator: Estimator,
    /// The values in the first replicates.
    sample: Sample,
    exact: Option<f64>,
    /// The interval that certainly contains its mean.
    own: Option<Interval>,
}

/// The comparison of policies.
struct Rule<'a> {
    tune: &'a Tune,
    /// By policy, then by dimension.
    placed: &'a [Vec<Placed>],
    /// By policy: whether enough good rollouts complete.
    complete: Vec<Option<bool>>,
    confidence: f64,
}

/// What is certain about the value of the other policy compared with that of the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sure {
    Less,
    More,
    /// Equal, by theory.
    Alike,
    Nothing,
}

impl Rule<'_> {
    fn on_front(&self, one: usize) -> Option<bool> {
        if !self.tune.policy(one).can_trip() {
            return Some(false);
        }
        // A policy that may be excluded is not certainly on the front.
        let mut on_front = match self.complete[one] {
            Some(false) => return Some(false),
            complete => complete,
        };
        let is_rival = |other: &usize| {
            *other != one && self.complete[*other] != Some(false) && self.tune.policy(*other).can_trip()
        };
        for other in (0..self.placed.len()).filter(is_rival).filter(|&other| !self.are_same(one, other)) {
            let sides = self.placed[one].iter().zip(&self.placed[other]);
            let sure: Vec<Sure> = sides.map(|(one, other)| self.compare(one, other)).collect();
            if sure.contains(&Sure::More) {
                continue;
            }
            let beats = sure.contains(&Sure::Less) && sure.iter().all(|sure| matches!(sure, Sure::Less | Sure::Alike));
            if beats && self.complete[other] == Some(true) {
                return Some(false);
            }
            if !sure.iter().all(|sure| *sure == Sure::Alike) {
                on_front = None;
            }
        }
        on_front
    }

    fn compare(&self, one: &Placed, other: &Placed) -> Sure {
        if let (Some(a), Some(b)) = (one.exact, other.exact) {
            let rounding = 1e-9 * a.abs().max(1.0);
            return match b - a {
                difference if difference.abs() <= rounding => Sure::Alike,
                difference if difference < 0.0 => Sure::Less,
                _ => Sure::More,
            };
        }
        if let (Some(a), Some(b)) = (one.own, other.own) {
            if b.high < a.low {
                return Sure::Less;
            }
            if b.low > a.high {
                return Sure::More;
            }
        }
        let both = [&one.estimator, &other.estimator];
        let samples = [&one.sample, &other.sample];
        match Estimator::interval_of_difference(both, samples, self.confidence) {
            Some(Interval { high, .. }) if high < 0.0 => Sure::Less,
            Some(Interval { low, .. }) if low > 0.0 => Sure::More,
            _ => Sure::Nothing,
        }
    }

    /// Whether two policies result in the same batches and the same limit.
    fn are_same(&self, one: usize, other: usize) -> bool {
        let compiled = |policy: usize| &self.tune.cells.compiled[self.tune.cell(policy, 0)];
        let (one, other) = (compiled(one), compiled(other));
        let with_batches_of =
            |settings: &Settings| Settings { batches: one.settings.batches.clone(), ..settings.clone() };
        one.plan == other.plan && one.settings == with_batches_of(&other.settings)
    }
}

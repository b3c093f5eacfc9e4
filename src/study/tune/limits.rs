//! Limits: which versions one is about, and whether it holds.

use std::io;

use super::Tune;
use crate::scenario::{Bound, Expected, LimitSpec, Measure, Metric, Rate, Stat};
use crate::stats::Interval;
use crate::study::analysis::{self, Certainty};
use crate::study::results::CellRows;
use crate::study::summary::Figure;
use crate::study::tape::Tape;

/// A limit, and the versions that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What must hold.
    pub spec: LimitSpec,
    /// Of which versions, by their places in the search.
    pub versions: Vec<usize>,
}

/// A limit held against one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Which limit.
    pub limit: usize,
    /// Which version.
    pub version: usize,
    /// What was seen.
    pub observed: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Over how many worlds.
    pub n: u64,
    /// Whether it surely holds, surely does not, or neither.
    pub holds: Option<bool>,
}

impl Limit {
    /// A limit of a rate or metric of good versions is about the good one. All others are about the defective ones, and about
    /// the good one where there is no other.
    #[must_use]
    pub fn new(spec: &LimitSpec, defective: &[bool]) -> Self {
        let about_good = matches!(spec.metric, Measure::Rate(Rate::FalseTrip))
            || matches!(spec.metric, Measure::Metric(Metric::FalseFailures));
        let bad: Vec<usize> = (1..defective.len()).collect();
        Self { spec: spec.clone(), versions: if about_good || bad.is_empty() { vec![0] } else { bad } }
    }

    /// In words: `false_trip_rate ≤ 0.02`.
    #[must_use]
    pub fn says(&self) -> String {
        let stat = match self.spec.stat {
            None => "",
            Some(Stat::Mean) => "mean ",
            Some(Stat::P50) => "median ",
            Some(Stat::P95) => "p95 of ",
            Some(Stat::P99) => "p99 of ",
            Some(Stat::Min) => "smallest ",
            Some(Stat::Max) => "largest ",
        };
        let bound = match &self.spec.bound {
            Bound::AtMost(most) => format!("≤ {most}"),
            Bound::AtLeast(least) => format!("≥ {least}"),
            Bound::Equals(Expected::Number(number)) => format!("= {number}"),
            Bound::Equals(Expected::Text(text)) => format!("= {text}"),
            Bound::Equals(Expected::Truth(truth)) => format!("= {truth}"),
        };
        format!("{stat}{} {bound}", self.spec.metric)
    }
}

/// Holds every limit against every version that it is about.
///
/// # Errors
/// When the tape cannot be read.
pub fn check(tune: &Tune, tape: &Tape, policy: usize, n: u64, certainty: Certainty) -> io::Result<Vec<Held>> {
    let mut all = Vec::new();
    for (place, limit) in tune.limits.iter().enumerate() {
        for &version in &limit.versions {
            let cell = tune.cell(policy, version);
            let rows = CellRows::open(std::slice::from_ref(tape), cell as u32, n)?;
            let seen = observe(&limit.spec, &rows, tune.cells.worlds[cell].defective, certainty)?;
            all.push(Held { limit: place, version, ..seen });
        }
    }
    Ok(all)
}

fn observe(spec: &LimitSpec, rows: &CellRows<'_>, defective: bool, certainty: Certainty) -> io::Result<Held> {
    let (observed, interval, n) = match (spec.metric, &spec.bound) {
        (Measure::Metric(metric), _) => {
            let figure = analysis::figure(rows, metric, certainty)?;
            let stat = spec.stat.unwrap_or(Stat::Mean);
            (figure.stat(stat), interval_of(&figure, stat), figure.n)
        }
        (Measure::Rate(wanted), _) => share(rows, defective, certainty, wanted)?,
        (Measure::Outcome, Bound::Equals(Expected::Text(name))) => {
            let outcome = Rate::ALL.into_iter().find(|rate| rate.name() == name);
            share(rows, defective, certainty, outcome.unwrap_or(Rate::Trip))?
        }
        (Measure::Outcome, _) => (None, None, 0),
    };
    let holds = match (&spec.bound, observed) {
        // Nothing that a limit could be broken by, as when no run tripped.
        (_, None) => Some(true),
        (Bound::AtMost(most), Some(_)) => decide(interval, |x| x <= *most),
        (Bound::AtLeast(least), Some(_)) => decide(interval, |x| x >= *least),
        (Bound::Equals(Expected::Number(number)), Some(_)) => same(interval, *number),
        (Bound::Equals(Expected::Truth(truth)), Some(_)) => same_in_all(observed, f64::from(u8::from(*truth))),
        (Bound::Equals(Expected::Text(_)), Some(_)) => same_in_all(observed, 1.0),
    };
    Ok(Held { limit: 0, version: 0, observed, interval, n, holds })
}

fn share(
    rows: &CellRows<'_>,
    defective: bool,
    certainty: Certainty,
    wanted: Rate,
) -> io::Result<(Option<f64>, Option<Interval>, u64)> {
    let shares = analysis::shares(rows, defective, certainty)?;
    let share = shares.into_iter().find(|(rate, _)| *rate == wanted).map(|(_, share)| share).unwrap_or_default();
    Ok((share.rate, share.ci, share.n))
}

/// The smallest and the largest are of the worlds that were run, and have no interval.
fn interval_of(figure: &Figure, stat: Stat) -> Option<Interval> {
    match stat {
        Stat::Mean => figure.ci,
        Stat::P50 => figure.p50_ci,
        Stat::P95 => figure.p95_ci,
        Stat::P99 => figure.p99_ci,
        Stat::Min => figure.min.map(|min| Interval::new(min, min)),
        Stat::Max => figure.max.map(|max| Interval::new(max, max)),
    }
}

/// Both ends on one side decide.
fn decide(interval: Option<Interval>, fits: impl Fn(f64) -> bool) -> Option<bool> {
    let interval = interval?;
    let (low, high) = (fits(interval.low), fits(interval.high));
    (low == high).then_some(low)
}

fn same(interval: Option<Interval>, wanted: f64) -> Option<bool> {
    let interval = interval?;
    match interval.contains(wanted) {
        false => Some(false),
        true => (interval.low == interval.high).then_some(true),
    }
}

/// What must be so in every world is refuted by one, and holds in those that were run.
fn same_in_all(observed: Option<f64>, wanted: f64) -> Option<bool> {
    observed.map(|observed| observed == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_decides_where_it_lies_on_one_side() {
        let at_most = |low, high| decide(Some(Interval::new(low, high)), |x| x <= 2.0);
        assert_eq!(at_most(0.0, 2.0), Some(true));
        assert_eq!(at_most(1.0, 2.5), None);
        assert_eq!(at_most(2.1, 2.5), Some(false));
        assert_eq!(decide(None, |_| true), None);
        assert_eq!(same(Some(Interval::new(1.0, 1.0)), 1.0), Some(true));
        assert_eq!(same(Some(Interval::new(0.0, 1.0)), 1.0), None);
        assert_eq!(same(Some(Interval::new(0.0, 0.5)), 1.0), Some(false));
    }

    #[test]
    fn limits_know_whom_they_are_about() {
        let limit = |metric| LimitSpec { metric, stat: None, bound: Bound::AtMost(0.1) };
        let about = |metric, defective: &[bool]| Limit::new(&limit(metric), defective).versions;
        assert_eq!(about(Measure::Rate(Rate::FalseTrip), &[false, true, true]), [0]);
        assert_eq!(about(Measure::Metric(Metric::BlastRadiusPct), &[false, true, true]), [1, 2]);
        assert_eq!(about(Measure::Metric(Metric::MinServingPct), &[false]), [0]);
    }
}

//! Limits: the versions that a limit is about, and whether it holds.

use std::io;

use super::{Tune, TuneError, moments};
use crate::study::analysis::{self, Certainty};
use crate::study::bounds::Bounds;
use crate::study::mean::Estimator;
use crate::study::result_log::ResultLog;
use crate::study::results::CellRows;
use crate::study::row::speaks_of;
use crate::study::summary::Figure;
use crate::study::theory::{Theory, fits};
use dryroll_sim::scenario::{Bound, Expected, LimitSpec, Measure, Metric, Rate, Stat};
use dryroll_sim::sim::CompiledScenario;
use dryroll_stats::Interval;

/// A limit, and the versions that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The limit.
    pub spec: LimitSpec,
    /// The indices of those versions in the search.
    pub versions: Vec<usize>,
}

/// A limit tested on one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The index of the limit.
    pub limit: usize,
    /// The index of the version.
    pub version: usize,
    /// The observed value.
    pub observed: Option<f64>,
    /// The interval of that value.
    pub interval: Option<Interval>,
    /// The exact value, where theory has it: it decides.
    pub exact: Option<f64>,
    /// The number of replicates.
    pub n: u64,
    /// Whether it certainly holds, certainly does not, or neither.
    pub holds: Option<bool>,
    /// Whether it counts as held by tolerance: it holds in every replicate, and the mean is certainly at most the
    /// tolerance beyond it.
    pub by_tolerance: bool,
}

impl Limit {
    /// A limit and the versions that it is about. Limits on how a good release goes (its duration, its outcome, false
    /// trips) are about the good version; limits on how far a bad one gets are about the defective versions, or the
    /// good one where there is no other. An upper limit on trips is about the good version, a lower limit about the
    /// defective ones.
    ///
    /// # Errors
    /// When no number of replicates can confirm it, or it does not apply to any version.
    pub fn new(spec: &LimitSpec, defective: &[bool]) -> Result<Self, TuneError> {
        let from_above = matches!(spec.bound, Bound::AtMost(_));
        let about_good = match spec.metric {
            Measure::Rate(Rate::Trip) | Measure::Metric(Metric::Trips | Metric::Decisions) => from_above,
            Measure::Rate(rate) => rate != Rate::Escape,
            Measure::Metric(metric) => matches!(
                metric,
                Metric::DurationSec | Metric::ApprovalWaitSec | Metric::RolloutSec | Metric::FalseFailures
            ),
            Measure::Outcome => true,
        };
        let bad: Vec<usize> = (1..defective.len()).collect();
        let limit = Self { spec: spec.clone(), versions: if about_good || bad.is_empty() { vec![0] } else { bad } };
        if limit.versions.iter().any(|&version| !speaks_of(spec.metric, defective[version])) {
            return Err(TuneError::SaysNothing(limit.says().into()));
        }
        if matches!(spec.bound, Bound::Equals(_)) || matches!(spec.stat, Some(Stat::Min | Stat::Max)) {
            return Err(TuneError::Unconfirmable(limit.says().into()));
        }
        Ok(limit)
    }

    /// Its number, where it is a limit on the mean of a metric.
    #[must_use]
    pub fn of_mean(&self) -> Option<f64> {
        let is_mean =
            matches!(self.spec.metric, Measure::Metric(_)) && self.spec.stat.unwrap_or(Stat::Mean) == Stat::Mean;
        is_mean.then(|| self.spec.bound.number()).flatten()
    }

    /// The limit in words: `false_trip_rate ≤ 0.02`.
    #[must_use]
    pub fn says(&self) -> String {
        format!("{} {}", about(&self.spec), bound_says(&self.spec.bound, f64::to_string))
    }
}

/// The quantity of a limit in words: `p95 of blast_radius_pct`.
#[must_use]
pub fn about(spec: &LimitSpec) -> String {
    let stat = match spec.stat {
        None => "",
        Some(Stat::Mean) => "mean ",
        Some(Stat::P50) => "median ",
        Some(Stat::P95) => "p95 of ",
        Some(Stat::P99) => "p99 of ",
        Some(Stat::Min) => "smallest ",
        Some(Stat::Max) => "largest ",
    };
    format!("{stat}{}", spec.metric)
}

/// A bound in words, with its number formatted by `say`: `≤ 0.02`.
#[must_use]
pub fn bound_says(bound: &Bound, say: impl Fn(&f64) -> String) -> String {
    match bound {
        Bound::AtMost(most) => format!("≤ {}", say(most)),
        Bound::AtLeast(least) => format!("≥ {}", say(least)),
        Bound::Equals(Expected::Number(number)) => format!("= {}", say(number)),
        Bound::Equals(Expected::Text(text)) => format!("= {text}"),
        Bound::Equals(Expected::Truth(truth)) => format!("= {truth}"),
    }
}

/// Whether all limits certainly hold; `Some(false)` where one certainly does not.
#[must_use]
pub fn meets(held: &[Held]) -> Option<bool> {
    match held {
        _ if held.iter().any(|held| held.holds == Some(false)) => Some(false),
        _ if held.iter().all(|held| held.holds == Some(true)) => Some(true),
        _ => None,
    }
}

/// Tests every limit on every version that it is about. `theory` is by cell, or empty without exact results.
///
/// # Errors
/// When the result log cannot be read.
pub fn check(
    tune: &Tune,
    theory: &[Theory],
    log: &ResultLog,
    policy: usize,
    n: u64,
    certainty: Certainty,
) -> io::Result<Vec<Held>> {
    let mut all = Vec::new();
    let nothing = Theory::default();
    for (place, limit) in tune.limits.iter().enumerate() {
        for &version in &limit.versions {
            let cell = tune.cell(policy, version);
            let rows = CellRows::open(std::slice::from_ref(log), cell as u32, n)?;
            let theory = theory.get(cell).unwrap_or(&nothing);
            let seen =
                observe(&limit.spec, &rows, &tune.cells.compiled[cell], theory, certainty, Some(tune.limit_tolerance))?;
            all.push(Held { limit: place, version, ..seen });
        }
    }
    Ok(all)
}

/// Tests a limit on a cell by theory and replicates. Where theory has the value, it decides.
///
/// No interval of a mean ends at the limit itself, even where every replicate is at the limit. With a `tolerance`,
/// given as a share of the limit, a limit on a mean that every replicate keeps counts as held once its interval ends at
/// most that far beyond it. A limit at an end of the possible range, such as a rate of 0 or of 1, holds only at
/// equality: its tolerance is a share of the whole range.
///
/// # Errors
/// When the result log cannot be read.
pub fn observe(
    spec: &LimitSpec,
    rows: &CellRows<'_>,
    compiled: &CompiledScenario,
    theory: &Theory,
    certainty: Certainty,
    tolerance: Option<f64>,
) -> io::Result<Held> {
    let mut kept_by_all = false;
    let (observed, interval, n) = match spec.metric {
        Measure::Metric(metric) => match spec.stat.unwrap_or(Stat::Mean) {
            Stat::Mean => {
                let estimator = Estimator::new(compiled, spec.metric);
                let sample = estimator.sample(rows)?;
                let moments = moments(&sample.values);
                kept_by_all = sample.values.iter().all(|value| value.is_nan() || fits(*value, &spec.bound));
                (moments.mean(), estimator.interval(&sample, certainty.confidence), moments.n())
            }
            stat => {
                let figure = analysis::figure(rows, compiled, metric, certainty)?;
                (figure.stat(stat), interval_of(&figure, stat), figure.n)
            }
        },
        Measure::Rate(wanted) => {
            let share = analysis::rate(rows, wanted, compiled.defective, certainty)?;
            let all_alike = share.n > 0 && (share.hits == 0 || share.hits == share.n);
            kept_by_all = all_alike && share.rate.is_some_and(|rate| fits(rate, &spec.bound));
            (share.rate, share.ci, share.n)
        }
        Measure::Outcome => (None, None, 0),
    };
    let exact = theory.value(spec.metric, spec.stat);
    let strictly = holds(&spec.bound, exact, interval);
    let by_tolerance = strictly.is_none()
        && kept_by_all
        && tolerance.is_some_and(|share| {
            holds(&beyond(&spec.bound, share, reach(spec.metric, compiled)), None, interval) == Some(true)
        });
    let holds = if by_tolerance { Some(true) } else { strictly };
    Ok(Held { limit: 0, version: 0, observed, interval, exact, n, holds, by_tolerance })
}

/// Whether a limit holds: by the exact value, or else by both ends of an interval. `None` without either.
#[must_use]
pub fn holds(bound: &Bound, exact: Option<f64>, interval: Option<Interval>) -> Option<bool> {
    match (bound, exact) {
        (Bound::Equals(_), _) => None,
        (bound, Some(exact)) => Some(fits(exact, bound)),
        (Bound::AtMost(most), None) => decide(interval, |x| x <= *most),
        (Bound::AtLeast(least), None) => decide(interval, |x| x >= *least),
    }
}

/// The possible range of a measure.
fn reach(measure: Measure, compiled: &CompiledScenario) -> Option<(f64, f64)> {
    match measure {
        Measure::Rate(_) => Some((0.0, 1.0)),
        Measure::Metric(metric) => {
            let reach = Bounds::of(compiled).reach(metric).always;
            Some((reach.low, reach.high))
        }
        Measure::Outcome => None,
    }
}

/// A bound that lies further out by this share of itself, or of the whole range where it is at an end of the range.
fn beyond(bound: &Bound, share: f64, reach: Option<(f64, f64)>) -> Bound {
    let scale = |number: f64, end: fn((f64, f64)) -> f64| match reach {
        Some(reach) if number == end(reach) => reach.1 - reach.0,
        _ => number.abs(),
    };
    match bound {
        Bound::AtMost(most) => Bound::AtMost(most + share * scale(*most, |(low, _)| low)),
        Bound::AtLeast(least) => Bound::AtLeast(least - share * scale(*least, |(_, high)| high)),
        Bound::Equals(value) => Bound::Equals(value.clone()),
    }
}

/// Where a limit on a mean or a rate is at the end of the possible range, so that no interval decides that it holds: a
/// limit that lies inside by this share of the range.
#[must_use]
pub fn inside(spec: &LimitSpec, compiled: &CompiledScenario, share: f64) -> Option<f64> {
    let (low, high) = reach(spec.metric, compiled).filter(|(low, high)| low < high)?;
    match (spec.stat.unwrap_or(Stat::Mean), &spec.bound) {
        (Stat::Mean, Bound::AtMost(most)) if *most == low => Some(low + share * (high - low)),
        (Stat::Mean, Bound::AtLeast(least)) if *least == high => Some(high - share * (high - low)),
        _ => None,
    }
}

/// The interval of a quantile.
fn interval_of(figure: &Figure, stat: Stat) -> Option<Interval> {
    match stat {
        Stat::P50 => figure.p50_ci,
        Stat::P95 => figure.p95_ci,
        Stat::P99 => figure.p99_ci,
        Stat::Mean | Stat::Min | Stat::Max => None,
    }
}

/// Decides where both ends are on the same side.
fn decide(interval: Option<Interval>, fits: impl Fn(f64) -> bool) -> Option<bool> {
    let interval = interval?;
    let (low, high) = (fits(interval.low), fits(interval.high));
    (low == high).then_some(low)
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
    }

    #[test]
    fn limits_know_whom_they_are_about() {
        let limit = |metric| LimitSpec { metric, stat: None, bound: Bound::AtMost(0.1) };
        let about = |metric, defective: &[bool]| Limit::new(&limit(metric), defective).unwrap().versions;
        assert_eq!(about(Measure::Rate(Rate::Trip), &[false, true]), [0]);
        assert_eq!(about(Measure::Metric(Metric::DurationSec), &[false, true]), [0]);
        assert!(Limit::new(&limit(Measure::Metric(Metric::BlastRadiusPct)), &[false]).is_err());
        assert_eq!(about(Measure::Rate(Rate::FalseTrip), &[false, true, true]), [0]);
        assert_eq!(about(Measure::Metric(Metric::BlastRadiusPct), &[false, true, true]), [1, 2]);
        assert_eq!(about(Measure::Metric(Metric::MinServingPct), &[false]), [0]);
    }

    #[test]
    fn the_tolerance_is_of_the_limit_or_at_the_end_of_the_reach_of_all_of_it() {
        let rate = Some((0.0, 1.0));
        let number = |bound: Bound| bound.number().unwrap();
        assert_eq!(number(beyond(&Bound::AtMost(0.5), 0.01, rate)), 0.505);
        assert_eq!(number(beyond(&Bound::AtMost(0.0), 0.01, rate)), 0.01);
        assert_eq!(number(beyond(&Bound::AtLeast(1.0), 0.01, rate)), 0.99);
        assert_eq!(number(beyond(&Bound::AtMost(0.0), 0.01, Some((0.0, 50.0)))), 0.5);
        assert_eq!(number(beyond(&Bound::AtMost(0.0), 0.01, None)), 0.0);
    }
}

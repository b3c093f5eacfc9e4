//! Limits: which versions one is about, and whether it holds.

use std::io;

use super::{Tune, TuneError};
use crate::scenario::{Bound, Expected, LimitSpec, Measure, Metric, Rate, Stat};
use crate::sim::World;
use crate::stats::Interval;
use crate::stats::proportion::{clopper_pearson, upper_bound};
use crate::study::analysis::{self, Certainty};
use crate::study::results::CellRows;
use crate::study::row::speaks_of;
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
    /// A limit, and whom it is about: how a good release goes (its duration, its outcome, false trips) is asked of the good
    /// version, how far a bad one gets of the defective ones; of the good one where there is no other. A limit from above on
    /// trips is about the good version, one from below about the defective ones.
    ///
    /// # Errors
    /// When no number of worlds can confirm it, or it says nothing of the version.
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
            return Err(TuneError::SaysNothing(limit.says()));
        }
        if matches!(spec.bound, Bound::Equals(_)) || matches!(spec.stat, Some(Stat::Min | Stat::Max)) {
            return Err(TuneError::Unconfirmable(limit.says()));
        }
        Ok(limit)
    }

    /// In words: `false_trip_rate ≤ 0.02`.
    #[must_use]
    pub fn says(&self) -> String {
        format!("{} {}", about(&self.spec), bound_says(&self.spec.bound, f64::to_string))
    }
}

/// What a limit is about, in words: `p95 of blast_radius_pct`.
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

/// A bound in words, with its number as `say` says it: `≤ 0.02`.
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
            let seen = observe(&limit.spec, &rows, &tune.cells.worlds[cell], certainty)?;
            all.push(Held { limit: place, version, ..seen });
        }
    }
    Ok(all)
}

/// What the worlds of a cell say of a limit.
///
/// # Errors
/// When the tape cannot be read.
pub fn observe(spec: &LimitSpec, rows: &CellRows<'_>, world: &World, certainty: Certainty) -> io::Result<Held> {
    let (observed, interval, n) = match spec.metric {
        Measure::Metric(metric) => {
            let stat = spec.stat.unwrap_or(Stat::Mean);
            let (figure, interval) = match stat {
                Stat::Mean => {
                    let figure = analysis::mean(rows, metric, certainty)?;
                    let apart = [figure.min, figure.max].map(|end| apart_from(rows, metric, end));
                    let [above, below] = apart;
                    let interval =
                        interval_of_mean(&figure, [above?, below?], range(metric, world), certainty.confidence);
                    (figure, interval)
                }
                _ => {
                    let figure = analysis::figure(rows, metric, certainty)?;
                    let interval = interval_of(&figure, stat);
                    (figure, interval)
                }
            };
            (figure.stat(stat), interval, figure.n)
        }
        Measure::Rate(wanted) => {
            let share = analysis::rate(rows, wanted, world.defective, certainty)?;
            (share.rate, share.ci, share.n)
        }
        Measure::Outcome => (None, None, 0),
    };
    // Where nothing was measured, nothing is known.
    let holds = match spec.bound {
        Bound::AtMost(most) => decide(interval, |x| x <= most),
        Bound::AtLeast(least) => decide(interval, |x| x >= least),
        Bound::Equals(_) => None,
    };
    Ok(Held { limit: 0, version: 0, observed, interval, n, holds })
}

/// No run has a larger value of a metric, and none one below 0.
fn range(metric: Metric, world: &World) -> f64 {
    let instances = f64::from(world.total());
    let seconds = world.end as f64 / 1000.0;
    match metric {
        Metric::ExposedPct
        | Metric::BlastRadiusPct
        | Metric::BlastRadiusPctTripped
        | Metric::HarmedPct
        | Metric::MinServingPct => 100.0,
        Metric::ExposedInstances | Metric::HarmedInstances | Metric::EscapedInstances => instances,
        // Of the rollout and of its rollback.
        Metric::Trips | Metric::Decisions | Metric::FalseFailures => 2.0 * instances,
        Metric::DurationSec
        | Metric::ApprovalWaitSec
        | Metric::RolloutSec
        | Metric::TimeToDetectSec
        | Metric::TimeToMitigateSec
        | Metric::TimeToStopSec => seconds,
        Metric::ExposureInstanceMin | Metric::UnhealthyInstanceMin | Metric::CapacityLossInstanceMin => {
            instances * seconds / 60.0
        }
    }
}

/// With fewer worlds, or fewer that differ from all the others, a mean is not as good as normal.
const FEW: u64 = 30;

/// In how many worlds a metric is another than this.
fn apart_from(rows: &CellRows<'_>, metric: Metric, end: Option<f64>) -> io::Result<u64> {
    let mut apart = 0;
    rows.values(metric, &mut |_, value| apart += u64::from(Some(value) != end))?;
    Ok(apart)
}

/// The interval of a mean that decides: Student's, and wider where that is not to be trusted.
///
/// - A mean of values that were all one is not known to the last digit: something that none of n worlds showed has a chance of up
///   to 1 − (1 − confidence)^(1/n), and could be as far away as the metric goes.
/// - Under [`FEW`] worlds there is none.
/// - Where fewer than [`FEW`] worlds have more than the least (or less than the most), their share is what is uncertain: Clopper
///   and Pearson's interval of it, times how far the values reach.
fn interval_of_mean(figure: &Figure, [above, below]: [u64; 2], range: f64, confidence: f64) -> Option<Interval> {
    let (interval, mean) = (figure.ci?, figure.mean?);
    let (min, max) = (figure.min?, figure.max?);
    if min == max {
        let unseen = upper_bound(0, figure.n, confidence)?;
        return Some(Interval::new(mean - unseen * mean, mean + unseen * (range - mean).max(0.0)));
    }
    if figure.n < FEW {
        return None;
    }
    let reach = |few: u64| Some(clopper_pearson(few, figure.n, confidence)?.high * (max - min));
    let high = if above < FEW { interval.high.max(min + reach(above)?) } else { interval.high };
    let low = if below < FEW { interval.low.min(max - reach(below)?) } else { interval.low };
    Some(Interval::new(low, high))
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

/// Both ends on one side decide.
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
    fn what_never_varied_is_not_known_to_the_last_digit() {
        let ends = (Some(20.0), Some(20.0));
        let figure = |n| Figure {
            mean: Some(20.0),
            ci: Some(Interval::new(20.0, 20.0)),
            min: ends.0,
            max: ends.1,
            n,
            ..Figure::default()
        };
        let interval = |n| interval_of_mean(&figure(n), [0, 0], 100.0, 0.95).unwrap();
        let (few, many) = (interval(10), interval(10_000));
        assert!(few.high > 40.0 && few.low < 16.0, "{few:?}");
        assert!(many.high < 20.03 && many.low > 19.99, "{many:?}");
    }

    /// One trip in 256 worlds: the mean is a share, and as uncertain as one.
    #[test]
    fn a_mean_of_a_few_that_differ_is_as_uncertain_as_their_share() {
        let figure = Figure {
            mean: Some(1.0 / 256.0),
            ci: Some(Interval::new(-0.0038, 0.0116)),
            min: Some(0.0),
            max: Some(1.0),
            n: 256,
            ..Figure::default()
        };
        let interval = interval_of_mean(&figure, [1, 255], 40.0, 0.95).unwrap();
        assert_eq!(interval.high, clopper_pearson(1, 256, 0.95).unwrap().high);
        assert_eq!(interval.low, -0.0038);
        // Rare smaller values move the other end.
        let rarely_less =
            Figure { mean: Some(255.0 / 256.0), ci: Some(Interval::new(0.9884, 1.0038)), ..figure.clone() };
        let interval = interval_of_mean(&rarely_less, [255, 1], 40.0, 0.95).unwrap();
        assert_eq!(interval.low, 1.0 - clopper_pearson(1, 256, 0.95).unwrap().high);
        assert_eq!(interval_of_mean(&Figure { n: 29, ..figure }, [1, 28], 40.0, 0.95), None);
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
}

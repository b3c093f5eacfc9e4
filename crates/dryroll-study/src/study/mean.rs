//! Estimates the mean of a measure over all possible replicates, with an interval that decisions can rest on.
//!
//! - Where the metric includes waits for a person, the drawn waits are replaced by their known mean. (Wald's identity:
//!   how long the k-th decision takes is independent of whether there is a k-th one.) A delay with a heavy tail then
//!   has no influence.
//! - The interval holds for every distribution within the scenario's [`Bounds`], so it allows for a trip that costs a
//!   day and has not occurred yet.
//! - A difference between two policies is taken replicate by replicate.

use std::io;

use super::bounds::Bounds;
use super::exact::approval::{Approval, mean_up_to};
use super::results::CellRows;
use super::row::{self, Row};
use dryroll_engine::Promotions;
use dryroll_sim::scenario::{FaultKind, Measure, Metric};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::sim::sampler::Sampler;
use dryroll_stats::Interval;
use dryroll_stats::bounded::Reach;
use dryroll_stats::moments::Moments;
use dryroll_stats::proportion::upper_bound;

/// The mean waits for a person, seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Waits {
    first: f64,
    decision: f64,
    /// By how much the sum may exceed the true mean if a decision is taken, because the horizon ends a wait.
    cut: f64,
}

/// Estimates the mean of a measure of a scenario. A rate is the mean of 1 for a hit and 0 otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Estimator {
    measure: Measure,
    defective: bool,
    waits: Option<Waits>,
    reach: Reach,
}

/// The values of a measure, by replicate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// NaN where a replicate has no value.
    pub values: Vec<f64>,
    /// The number of replicates with a decision.
    decided: u64,
}

impl Sample {
    /// The values without the missing ones.
    #[must_use]
    pub fn present(&self) -> Vec<f64> {
        self.values.iter().copied().filter(|value| !value.is_nan()).collect()
    }
}

impl Estimator {
    /// The estimator of a measure of a scenario.
    #[must_use]
    pub fn new(compiled: &CompiledScenario, measure: Measure) -> Self {
        let bounds = Bounds::of(compiled);
        let plain = |reach| Self { measure, defective: compiled.defective, waits: None, reach };
        let (reach, rolled) = match measure {
            Measure::Metric(Metric::DurationSec) => {
                (bounds.reach(Metric::DurationSec), bounds.reach(Metric::RolloutSec))
            }
            Measure::Metric(Metric::ApprovalWaitSec) => {
                (bounds.reach(Metric::ApprovalWaitSec), Reach::within(0.0, 0.0))
            }
            Measure::Metric(metric) => return plain(bounds.reach(metric)),
            Measure::Rate(_) | Measure::Outcome => return plain(Reach::within(0.0, 1.0)),
        };
        let Some(waits) = waits(compiled, &bounds) else { return plain(reach) };
        let longest = waits.first + bounds.trips as f64 * waits.decision;
        let reach = Reach {
            usually: Interval::new(waits.first, waits.first + rolled.usually.high),
            always: Interval::new(waits.first, longest + rolled.always.high),
        };
        Self { waits: Some(waits), ..plain(reach) }
    }

    /// The value of a replicate; `None` where it has none.
    fn value(&self, row: &Row) -> Option<f64> {
        let Some(waits) = self.waits else { return row::value(row, self.measure, self.defective) };
        let waited = waits.first + row[Metric::Decisions as usize] * waits.decision;
        match self.measure {
            Measure::Metric(Metric::DurationSec) => Some(row[Metric::RolloutSec as usize] + waited),
            _ => Some(waited),
        }
    }

    /// The values of some replicates.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn sample(&self, rows: &CellRows<'_>) -> io::Result<Sample> {
        let mut sample = Sample { values: vec![f64::NAN; rows.replicates() as usize], decided: 0 };
        if let (None, Measure::Metric(metric)) = (self.waits, self.measure) {
            rows.values(metric, &mut |replicate, value| sample.values[replicate as usize] = value)?;
            return Ok(sample);
        }
        rows.rows(&mut |replicate, row| {
            sample.values[replicate as usize] = self.value(row).unwrap_or(f64::NAN);
            sample.decided += u64::from(row[Metric::Decisions as usize] > 0.0);
        })?;
        Ok(sample)
    }

    /// The mean; `None` where no replicate has a value.
    #[must_use]
    pub fn mean(&self, sample: &Sample) -> Option<f64> {
        let mut moments = Moments::default();
        sample.values.iter().filter(|value| !value.is_nan()).for_each(|&value| moments.push(value));
        moments.mean()
    }

    /// The interval of the mean; `None` where no replicate has a value.
    #[must_use]
    pub fn interval(&self, sample: &Sample, confidence: f64) -> Option<Interval> {
        let interval = self.reach.interval(&sample.present(), confidence)?;
        // No measure is negative.
        Some(Interval::new((interval.low - self.cut(sample)).max(0.0), interval.high))
    }

    /// The interval of the mean of `b` less that of `a`, replicate by replicate where both have a value.
    #[must_use]
    pub fn interval_of_difference(both: [&Self; 2], samples: [&Sample; 2], confidence: f64) -> Option<Interval> {
        Differences::new(both, samples).interval(confidence)
    }

    /// By how much the mean may be too large because the horizon ends a wait.
    fn cut(&self, sample: &Sample) -> f64 {
        /// The confidence of the bound on the share of replicates with a decision: high enough to neglect the rest.
        const SURELY: f64 = 0.9999;
        let Some(Waits { cut, .. }) = self.waits else { return 0.0 };
        let share = upper_bound(sample.decided, sample.values.len() as u64, SURELY).unwrap_or(1.0);
        cut * share
    }
}

/// A measure of two policies, replicate by replicate: second less first.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// The values, for replicates where both policies have one.
    pub values: Vec<f64>,
    /// The range of the differences.
    pub reach: Reach,
    /// By how much the mean may be too small, and too large, because the horizon ends a wait.
    pub cut: [f64; 2],
}

impl Differences {
    /// The differences of two policies on the same replicates.
    #[must_use]
    pub fn new([a, b]: [&Estimator; 2], [of_a, of_b]: [&Sample; 2]) -> Self {
        Self {
            values: differences(&of_a.values, &of_b.values).collect(),
            reach: Reach::of_difference(a.reach, b.reach),
            cut: [a.cut(of_a), b.cut(of_b)],
        }
    }

    /// The interval of their mean; `None` where there are no values.
    #[must_use]
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        let Interval { low, high } = self.reach.interval(&self.values, confidence)?;
        let [small, large] = self.cut;
        Some(Interval::new(low - large, high + small))
    }
}

/// Second less first, where both have a value.
pub fn differences<'a>(a: &'a [f64], b: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    a.iter().zip(b).map(|(a, b)| b - a).filter(|difference| !difference.is_nan())
}

/// The mean waits; `None` where they depend on more than the operator.
fn waits(compiled: &CompiledScenario, bounds: &Bounds) -> Option<Waits> {
    // An answer waits for a controller that is down.
    if compiled.faults.iter().any(|fault| matches!(fault.kind, FaultKind::ReconcilerCrash)) {
        return None;
    }
    // Waits for promotions are no waits for the decisions that are counted.
    if compiled.settings.pace.promotions != Promotions::Never {
        return None;
    }
    let approval = Approval::of(compiled).ok()?;
    let first = approval.wait.ok()?;
    let delay = &compiled.operator.decision_delay;
    let horizon = bounds.horizon;
    let decision = mean_up_to(delay, horizon)?;
    let asked_by = bounds.approval.saturating_add(bounds.rollout).min(horizon);
    let mut cut = decision - mean_up_to(delay, horizon - asked_by)?;
    if bounds.trips > 1 {
        // All waits together may exceed the horizon: with their mean m and variance v, E (sum - m - a)⁺ ≤ (√(v + a²) -
        // a) / 2 (Scarf, "A min-max solution of an inventory problem", 1958).
        let trips = bounds.trips as f64;
        let second = mean_of_square_up_to(delay, horizon)?;
        let variance = trips * (second - decision * decision).max(0.0);
        let room = (horizon - asked_by) as f64 - trips * decision;
        cut += ((variance + room * room).sqrt() - room) / 2.0;
    }
    let seconds = |millis: f64| millis / 1000.0;
    (cut < horizon as f64 / 4.0).then(|| Waits {
        first: seconds(first),
        decision: seconds(decision),
        cut: seconds(cut),
    })
}

/// E min(D, c)², milliseconds squared.
fn mean_of_square_up_to(delay: &Sampler, most: u64) -> Option<f64> {
    // ∫ 2t (1 - F(t)) dt, as a sum over a grid that is fine where the mass is.
    const CELLS: u64 = 4096;
    let longest = most.min(delay.longest().0).max(1);
    let at = |i: u64| (longest as f64 * (i as f64 / CELLS as f64) * (i as f64 / CELLS as f64)) as u64;
    let mut sum = 0.0;
    for i in 0..CELLS {
        let (from, to) = (at(i) as f64, at(i + 1) as f64);
        // An upper bound, because the survival function decreases.
        sum += (to * to - from * from) * (1.0 - delay.cumulative(at(i)));
    }
    sum.is_finite().then_some(sum)
}

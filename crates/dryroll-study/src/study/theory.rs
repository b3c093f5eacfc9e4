//! Exact values of the cells of a study, which decide where they exist.

use rayon::prelude::*;

use super::exact::fleet::Tables;
use super::exact::{Depth, Exact, exact_to, exact_with};
use dryroll_engine::Outcome;
use dryroll_sim::scenario::{Bound, Measure, Metric, Rate, Scenario, Stat};

/// The relative rounding error of sums of millions of probabilities, approximately.
const ROUNDING: f64 = 1e-9;

/// The exact results of one cell; empty where there are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Theory(Option<Exact>);

impl Theory {
    /// The exact results of each scenario, computed on all threads of the current pool.
    #[must_use]
    pub fn of_all(scenarios: &[&Scenario], depth: impl Fn(usize) -> Depth + Sync) -> Vec<Self> {
        let of = |tables: &mut Tables, (cell, scenario): (usize, &&Scenario)| Self::with(scenario, depth(cell), tables);
        scenarios.par_iter().enumerate().map_init(Tables::default, of).collect()
    }

    /// The exact results of a scenario.
    #[must_use]
    pub fn of(scenario: &Scenario, depth: Depth) -> Self {
        Self(exact_to(scenario, depth).ok())
    }

    /// The same, with tables that are shared between scenarios.
    pub(super) fn with(scenario: &Scenario, depth: Depth, tables: &Tables) -> Self {
        Self(exact_with(scenario, depth, tables).ok())
    }

    /// The exact value of a measure: of a metric's mean where `stat` is `None`, or of a rate; `None` where it is not
    /// known.
    #[must_use]
    pub fn value(&self, measure: Measure, stat: Option<Stat>) -> Option<f64> {
        let exact = self.0.as_ref()?;
        match (measure, stat.unwrap_or(Stat::Mean)) {
            (Measure::Metric(metric), Stat::Mean) => exact.value(metric.name()),
            (Measure::Metric(metric), Stat::P50) => quantile(exact, metric, 0.5),
            (Measure::Metric(metric), Stat::P95) => quantile(exact, metric, 0.95),
            (Measure::Metric(metric), Stat::P99) => quantile(exact, metric, 0.99),
            (Measure::Rate(Rate::Trip | Rate::FalseTrip), _) => exact.value("trip_rate"),
            // A rollout that is approved and does not trip completes.
            (Measure::Rate(Rate::Escape), _) => {
                let never = [Outcome::Rejected, Outcome::Expired, Outcome::Blocked];
                let never = never.iter().map(|outcome| exact.value(outcome.name())).sum::<Option<f64>>()?;
                Some((1.0 - never - exact.value("trip_rate")?).clamp(0.0, 1.0))
            }
            (Measure::Rate(Rate::Outcome(outcome)), _) => exact.value(outcome.name()),
            (Measure::Rate(Rate::Drift) | Measure::Outcome, _) | (_, Stat::Min | Stat::Max) => None,
        }
    }

    /// The exact mean of a metric.
    #[must_use]
    pub fn mean(&self, metric: Metric) -> Option<f64> {
        self.value(Measure::Metric(metric), None)
    }
}

/// A quantile of a metric that counts exposed instances; `None` for other metrics, and where the quantile is at a jump
/// of the distribution, so that rounding would decide.
fn quantile(exact: &Exact, metric: Metric, q: f64) -> Option<f64> {
    let (below, above) = (exact.exposed_quantile(q - ROUNDING)?, exact.exposed_quantile(q + ROUNDING)?);
    if below != above {
        return None;
    }
    let pct = exact.value("exposed_pct")?;
    let mean = exact.value("exposed_instances")?;
    match metric {
        Metric::ExposedInstances => Some(f64::from(below)),
        Metric::ExposedPct | Metric::BlastRadiusPct if mean == 0.0 => Some(0.0),
        Metric::ExposedPct | Metric::BlastRadiusPct => Some(f64::from(below) * (pct / mean)),
        _ => None,
    }
}

/// Whether a value is within a bound, with a margin for rounding; false for a bound that demands equality.
#[must_use]
pub fn fits(value: f64, bound: &Bound) -> bool {
    let rounding = |limit: f64| ROUNDING * limit.abs().max(1.0);
    match *bound {
        Bound::AtMost(most) => value <= most + rounding(most),
        Bound::AtLeast(least) => value >= least - rounding(least),
        Bound::Equals(_) => false,
    }
}

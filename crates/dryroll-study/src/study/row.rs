//! One replicate as numbers: what a study keeps of a run.

use dryroll_engine::Outcome;
use dryroll_sim::scenario::{Measure, Metric, Rate};
use dryroll_sim::sim::Metrics;

/// The number of columns: the metrics, the outcome, the drift.
pub const COLUMNS: usize = Metric::ALL.len() + 2;
/// The column of the outcome: its index in [`Outcome::ALL`].
pub const OUTCOME: usize = Metric::ALL.len();
/// The column of the drift: 1 or 0.
pub const DRIFT: usize = OUTCOME + 1;
/// The column of the number of trips.
pub const TRIPS: usize = Metric::Trips as usize;

/// One replicate: a number for each column. A metric is in its reported unit, at its own index; NaN where the run has
/// no value.
pub type Row = [f64; COLUMNS];

/// The row of a run.
#[must_use]
pub fn row(metrics: &Metrics) -> Row {
    let mut row = [0.0; COLUMNS];
    for metric in Metric::ALL {
        row[metric as usize] = metrics.figure(metric).unwrap_or(f64::NAN);
    }
    let outcome = Outcome::ALL.iter().position(|outcome| *outcome == metrics.outcome).unwrap_or_default();
    row[OUTCOME] = outcome as f64;
    row[DRIFT] = f64::from(u8::from(metrics.drift));
    row
}

/// What the rates are computed from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ending {
    /// Whether the breaker tripped.
    pub tripped: bool,
    /// The outcome.
    pub outcome: Outcome,
    /// Whether there is drift.
    pub drift: bool,
}

impl Ending {
    /// Reads the ending from the columns [`TRIPS`], [`OUTCOME`] and [`DRIFT`].
    #[must_use]
    pub fn new(trips: f64, outcome: f64, drift: f64) -> Self {
        let outcome = Outcome::ALL.get(outcome as usize).copied().unwrap_or(Outcome::Stalled);
        Self { tripped: trips > 0.0, outcome, drift: drift > 0.0 }
    }

    /// The ending in a row.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self::new(row[TRIPS], row[OUTCOME], row[DRIFT])
    }

    /// Whether it is a hit of a rate.
    #[must_use]
    pub fn hits(self, rate: Rate) -> bool {
        match rate {
            Rate::Trip | Rate::FalseTrip => self.tripped,
            Rate::Escape => !self.tripped && self.outcome == Outcome::Completed,
            Rate::Drift => self.drift,
            Rate::Outcome(outcome) => self.outcome == outcome,
        }
    }
}

/// The value of a measure in a row, for a rate 1 for a hit and 0 otherwise; `None` where the measure does not apply to
/// the run. `defective` states the ground truth of the version.
#[must_use]
pub fn value(row: &Row, measure: Measure, defective: bool) -> Option<f64> {
    match measure {
        Measure::Metric(metric) => Some(row[metric as usize]).filter(|value| !value.is_nan()),
        Measure::Rate(rate) => speaks_of(measure, defective).then(|| f64::from(u8::from(Ending::of(row).hits(rate)))),
        Measure::Outcome => None,
    }
}

/// Whether a measure applies to such a version.
#[must_use]
pub fn speaks_of(measure: Measure, defective: bool) -> bool {
    match measure {
        Measure::Rate(Rate::FalseTrip) => !defective,
        Measure::Rate(Rate::Escape) | Measure::Metric(Metric::BlastRadiusPct | Metric::BlastRadiusPctTripped) => {
            defective
        }
        _ => true,
    }
}

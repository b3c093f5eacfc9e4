//! One replicate as numbers: what a study keeps of a run.

use crate::engine::Outcome;
use crate::scenario::{Metric, Rate};
use crate::sim::Metrics;

/// A column of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// A metric, in its reported unit; NaN where the run has none.
    Metric(Metric),
    /// The outcome, by its place in [`Outcome::ALL`].
    Outcome,
    /// 1 with drift, 0 without.
    Drift,
}

/// How many columns.
pub const COLUMNS: usize = Metric::ALL.len() + 2;

impl Column {
    /// Its place.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Metric(metric) => metric as usize,
            Self::Outcome => Metric::ALL.len(),
            Self::Drift => Metric::ALL.len() + 1,
        }
    }
}

/// One replicate: a number for each column.
pub type Row = [f64; COLUMNS];

/// The numbers of a run.
#[must_use]
pub fn row(metrics: &Metrics) -> Row {
    let mut row = [0.0; COLUMNS];
    for metric in Metric::ALL {
        row[metric as usize] = metrics.figure(metric).unwrap_or(f64::NAN);
    }
    let outcome = Outcome::ALL.iter().position(|outcome| *outcome == metrics.outcome).unwrap_or_default();
    row[Column::Outcome.index()] = outcome as f64;
    row[Column::Drift.index()] = f64::from(u8::from(metrics.drift));
    row
}

/// What a rate is read from, and which of its values are hits. `None`: the rate does not speak of such a version.
#[must_use]
pub fn hits(rate: Rate, defective: bool) -> Option<Hits> {
    match rate {
        Rate::Trip => Some(Hits::Tripped),
        Rate::FalseTrip => (!defective).then_some(Hits::Tripped),
        Rate::Escape => defective.then_some(Hits::CompletedUntripped),
        Rate::Drift => Some(Hits::Drifted),
        Rate::Outcome(outcome) => Some(Hits::Outcome(outcome)),
    }
}

/// What counts as a hit of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hits {
    /// At least one trip.
    Tripped,
    /// Completed without a trip.
    CompletedUntripped,
    /// A planned instance does not run the target.
    Drifted,
    /// This outcome.
    Outcome(Outcome),
}

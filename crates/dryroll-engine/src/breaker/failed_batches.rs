//! Failed batches in a row: completed batches whose healthy share is below `ok_pct`.

use super::threshold::{Armed, Limit, Threshold, Whole};
use super::{Finding, Scene};

/// A rule about failed batches, judged whenever a batch is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FailedBatches {
    /// The number of failed batches in a row.
    pub limit: u32,
    /// Whether the count must be above the limit.
    pub exceeds: bool,
    /// When it can hold.
    pub armed: Armed,
}

/// The counts of the rule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    in_a_row: u32,
    completed: u32,
}

impl State {
    /// Counts a completed batch. While a person is asked, the run stands still.
    pub fn count(&mut self, failed: bool, is_waiting: bool) {
        self.completed += 1;
        if !is_waiting {
            self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
        }
    }

    /// Counts anew.
    pub fn restart(&mut self) {
        self.in_a_row = 0;
    }

    pub(crate) fn in_a_row(self) -> u32 {
        self.in_a_row
    }
}

impl FailedBatches {
    /// What it finds if it holds.
    pub(crate) fn judge(&self, state: &State, scene: &Scene) -> Option<Finding> {
        let threshold = Threshold { limit: Limit::Count(self.limit), of: Whole::Planned, exceeds: self.exceeds };
        (self.armed.is_armed(scene) && threshold.holds(state.in_a_row, scene))
            .then_some(Finding::FailedBatches { count: state.in_a_row, completed: state.completed })
    }
}

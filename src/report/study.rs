//! The reports of studies, as they are written and read back: plain data, in the order of the contract.

mod compare;
mod sweep;
mod tune;

use serde::{Deserialize, Serialize};

pub use compare::{CompareReport, Comparison, Contrast, DifferentWorld};
pub use sweep::{
    Axis, Cell, ExactValues, Histogram, Precision, RareEvent, ReplayedWorld, SweepReport, World as ReportedWorld,
};
pub use tune::{
    Candidate, Estimate, Evidence, Findings, FrontPoint, Hint, LimitCheck, LimitText, Named, Recommended, Sensitivity,
    Standing, TuneReport,
};

/// Which scenario a report is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioRef {
    /// Its name.
    pub name: String,
    /// SHA-256 of its file.
    pub hash: String,
}

//! Calibration: from the events of real rollouts to the scenario parameters that fit them. Nothing here reads or writes
//! a file.
//!
//! [`History`] reads an event log, [`Observations`] summarise histories by version and for the operator, and
//! [`Calibration`] fits the observations. [`fit`] fits durations to times that are known only to an interval,
//! [`posterior`] estimates rates, [`spread`] describes how rollouts differ, and [`Warning`] states what the log cannot
//! tell. `docs/calibration.md` gives the formulas and their sources.

mod batch;
mod error;
mod family;
pub mod fit;
mod goodness;
mod history;
mod likelihood;
mod log_state;
mod nelder_mead;
mod nonparametric;
mod observations;
pub mod posterior;
mod result;
mod sample;
mod silence;
pub mod spread;
pub mod time_factor;
mod twice;
mod two_groups;
mod warning;

pub use error::CalibrationError;
pub use family::Family;
pub use history::History;
pub use observations::{AttemptCounts, Observations, OperatorObservations, VersionObservations};
pub use result::{Calibration, Duration, OperatorCalibration, VersionCalibration};
pub use sample::{Sample, Times};
pub use twice::once;
pub use two_groups::SlowGroup;
pub use warning::{Warning, WarningKind};

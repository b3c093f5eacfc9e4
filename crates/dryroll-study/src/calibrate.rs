//! Calibration: from the events of real rollouts to the numbers of a scenario that fit them. Pure numbers; nothing here
//! reads a file or writes one.
//!
//! [`History`] reads an event log, [`Observations`] are what histories say of each version and of the operator, and
//! [`Calibration`] is what fits them: [`fit`] has durations from times that are known to an interval only,
//! [`posterior`] rates, [`spread`] how rollouts differ, [`Warning`] what the log cannot tell. Formulas and their
//! sources are told in `docs/calibration.md`.

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

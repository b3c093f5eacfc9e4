//! Errors of calibration.

use dryroll_sim::text::Foreign;
use thiserror::Error;

/// Why calibration is not possible.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A line is not an event.
    #[error("line {line}: {why}; an event log has one JSON object a line, as `dryroll run --events` writes it")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// What was found.
        why: Foreign,
    },
    /// An event is not possible at its place in the log.
    #[error("line {line}: {why}")]
    Order {
        /// Line number, from 1.
        line: usize,
        /// What does not fit.
        why: Foreign,
    },
    /// Two logs are parts of the same rollout and contradict each other.
    #[error(
        "{first} and {second} tell of one rollout, and do not fit together: {why}; give the log that has all of it, \
         or one of them alone; two rollouts need two names (`rollout_id`)"
    )]
    Parts {
        /// File and line of the first log.
        first: String,
        /// File and line of the second log.
        second: String,
        /// What does not fit.
        why: String,
    },
    /// The log has nothing to calibrate from.
    #[error(
        "there is no instance_started in it, so there is nothing to calibrate; is it the log of a rollout that started?"
    )]
    Nothing,
}

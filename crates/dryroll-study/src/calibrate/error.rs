//! What can go wrong with an event log.

use dryroll_sim::text::Foreign;
use thiserror::Error;

/// Why there is no calibration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A line is no event.
    #[error("line {line}: {why}; an event log has one JSON object a line, as `dryroll run --events` writes it")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What was found.
        why: Foreign,
    },
    /// A line is an event that cannot come there.
    #[error("line {line}: {why}")]
    Order {
        /// Which line, from 1.
        line: usize,
        /// What does not fit.
        why: Foreign,
    },
    /// Two logs are parts of one rollout and do not fit together.
    #[error(
        "{first} and {second} tell of one rollout, and do not fit together: {why}; give the log that has all of it, \
         or one of them alone; two rollouts need two names (`rollout_id`)"
    )]
    Parts {
        /// Log and line of the one.
        first: String,
        /// Log and line of the other.
        second: String,
        /// What does not fit.
        why: String,
    },
    /// Nothing to calibrate from.
    #[error(
        "there is no instance_started in it, so there is nothing to calibrate; is it the log of a rollout that started?"
    )]
    Nothing,
}

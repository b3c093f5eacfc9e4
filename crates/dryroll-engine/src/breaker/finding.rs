//! What a rule found when it held, and the reason of a trip in words.

use std::fmt;

use super::{FailureCount, Whole};
use crate::fleet::Span;

/// What a rule found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Finding {
    /// Failed verdicts.
    Failures {
        /// How many.
        count: u32,
        /// Of how many.
        whole: u32,
        /// What the whole is.
        of: Whole,
        /// Which count together.
        how: FailureCount,
    },
    /// Failed batches in a row.
    FailedBatches {
        /// How many.
        count: u32,
        /// Of how many completed batches.
        completed: u32,
    },
    /// Instances that are unwell.
    Unwell {
        /// How many.
        count: u32,
        /// Of how many.
        whole: u32,
        /// What the whole is.
        of: Whole,
    },
    /// The sequential test holds.
    Sprt {
        /// Failures since its last reset.
        failures: u32,
        /// Verdicts since its last reset.
        verdicts: u32,
    },
    /// No healthy verdict.
    NoProgress {
        /// For so long.
        after: Span,
    },
}

/// Why a breaker tripped. Its display is the `reason` of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum TripReason {
    /// The first rule: failures in a row.
    ConsecutiveFailures {
        /// The limit, which the run reached.
        limit: u32,
    },
    /// A rule of `breakers`.
    Rule {
        /// Its place among them, from 1.
        rule: u32,
        /// What it found.
        finding: Finding,
    },
}

impl fmt::Display for TripReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConsecutiveFailures { limit } => write!(f, "max_consecutive_failures ({limit}) exceeded"),
            Self::Rule { rule, finding } => write!(f, "rule {rule}: {finding}"),
        }
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Planned => "planned",
            Self::Batch => "in the batch",
            Self::Judged => "judged",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures { count, whole, of, how } => {
                write!(f, "{count} of {whole} {of} failed")?;
                match how {
                    FailureCount::Total => Ok(()),
                    FailureCount::InARow => f.write_str(" in a row"),
                    FailureCount::Window(window) => write!(f, " in {} s", window.as_secs_f64()),
                }
            }
            Self::FailedBatches { count, completed } => {
                write!(f, "{count} of {completed} completed batches failed in a row")
            }
            Self::Unwell { count, whole, of } => write!(f, "{count} of {whole} {of} unwell"),
            Self::Sprt { failures, verdicts } => {
                write!(f, "{failures} of {verdicts} verdicts failed, as the bad rate has it")
            }
            Self::NoProgress { after } => write!(f, "no healthy verdict for {} s", after.as_secs_f64()),
        }
    }
}

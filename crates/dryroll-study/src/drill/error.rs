//! Errors of a drill.

use thiserror::Error;

use dryroll_engine::fleet::At;
use dryroll_engine::{AnswerError, RequestKind};
use dryroll_sim::text::Foreign;

/// Why a drill refused an action. Nothing is changed in that case.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DrillError {
    /// No request is open.
    #[error("nothing waits for a decision now")]
    NotAsked,
    /// The answer was given, but the controller is down and has not taken it yet.
    #[error("the decision is made; the controller is down and reads it when it is back")]
    Underway,
    /// The request does not offer this answer.
    #[error("that is not offered here; allowed: {}", .0.option_names().join(", "))]
    NotOffered(RequestKind),
    /// An edit that is out of range, or that sets nothing.
    #[error("an edit sets batch_pct, 1 to 100, or max_consecutive_failures, 1 or more, or both")]
    Edit,
    /// The drill is over.
    #[error("the rollout is over")]
    Over,
    /// Only a decision can advance the run.
    #[error("nothing happens before a decision is made")]
    WaitsForYou,
    /// A file of decisions is invalid.
    #[error("{0}")]
    Record(String),
    /// A recorded decision does not fit the run.
    #[error("decision {number}, `{decide}` at {at_ms} ms, does not fit this run: {why}")]
    DoesNotFit {
        /// The number of the decision, from 1.
        number: usize,
        /// The decision.
        decide: &'static str,
        /// When.
        at_ms: u64,
        /// The reason.
        why: Foreign,
    },
}

impl DrillError {
    /// The error for an answer that the engine refused.
    #[must_use]
    pub fn of_answer(error: AnswerError, pending: Option<RequestKind>, underway: bool) -> Self {
        match (error, pending) {
            (AnswerError::EditOutOfRange, _) => Self::Edit,
            (AnswerError::NotOffered, Some(kind)) => Self::NotOffered(kind),
            _ if underway => Self::Underway,
            _ => Self::NotAsked,
        }
    }

    /// The error for a recorded decision that cannot be replayed.
    #[must_use]
    pub fn does_not_fit(number: usize, decision: &super::Recorded, why: impl Into<String>) -> Self {
        let At(at_ms) = decision.at;
        Self::DoesNotFit { number, decide: decision.answer.name(), at_ms, why: why.into().into() }
    }
}

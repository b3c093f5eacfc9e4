//! What a drill refuses.

use thiserror::Error;

use dryroll_engine::fleet::At;
use dryroll_engine::{AnswerError, RequestKind};
use dryroll_sim::text::Foreign;

/// Why a drill did not do what it was told. Nothing is changed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DrillError {
    /// Nobody is asked anything.
    #[error("nothing waits for a decision now")]
    NotAsked,
    /// The answer was given, and its controller is away.
    #[error("the decision is made; the controller is away and takes it when it is back")]
    Underway,
    /// The request does not offer it.
    #[error("that is not offered here; allowed: {}", .0.option_names().join(", "))]
    NotOffered(RequestKind),
    /// An edit out of range, or of nothing.
    #[error("an edit sets batch_pct, 1 to 100, or max_consecutive_failures, 1 or more, or both")]
    Edit,
    /// It is over.
    #[error("the rollout is over")]
    Over,
    /// Nothing can happen before the decision.
    #[error("nothing happens before a decision is made")]
    WaitsForYou,
    /// A file of decisions that is none.
    #[error("{0}")]
    Record(String),
    /// A decision that does not fit the run.
    #[error("decision {number}, `{decide}` at {at_ms} ms, does not fit this run: {why}")]
    DoesNotFit {
        /// Which one, from 1.
        number: usize,
        /// What it decides.
        decide: &'static str,
        /// When.
        at_ms: u64,
        /// Why not.
        why: Foreign,
    },
}

impl DrillError {
    /// Why an answer was not taken.
    #[must_use]
    pub fn of_answer(error: AnswerError, pending: Option<RequestKind>, underway: bool) -> Self {
        match (error, pending) {
            (AnswerError::EditOutOfRange, _) => Self::Edit,
            (AnswerError::NotOffered, Some(kind)) => Self::NotOffered(kind),
            _ if underway => Self::Underway,
            _ => Self::NotAsked,
        }
    }

    /// A decision of a record that cannot be played.
    #[must_use]
    pub fn does_not_fit(number: usize, decision: &super::Recorded, why: impl Into<String>) -> Self {
        let At(at_ms) = decision.at;
        Self::DoesNotFit { number, decide: decision.answer.name(), at_ms, why: why.into().into() }
    }
}

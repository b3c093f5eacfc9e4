//! What was asked of a person, and what was decided.

use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Answer, ApprovalId, RequestKind};

/// A request that is put before the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub request: ApprovalId,
    /// What it asks.
    pub kind: RequestKind,
    /// Since when the person can answer it: an edit puts it anew.
    pub at: At,
}

/// An answer of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// To what.
    pub asked: Asked,
    /// When it was given.
    pub at: At,
    /// What.
    pub answer: Answer,
}

impl Decision {
    /// How long the person took.
    #[must_use]
    pub fn took(&self) -> Span {
        self.at.since(self.asked.at)
    }
}

/// A decision that is to be made again. Which request it answers, the run says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What it answers.
    pub kind: RequestKind,
    /// Since when the person could answer it, where that is known.
    pub asked_at: Option<At>,
    /// When it was given.
    pub at: At,
    /// What.
    pub answer: Answer,
}

impl From<Decision> for Recorded {
    fn from(Decision { asked, at, answer }: Decision) -> Self {
        Self { kind: asked.kind, asked_at: Some(asked.at), at, answer }
    }
}

//! Requests to the person, and the decisions on them.

use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Answer, ApprovalId, RequestKind};

/// A request that is put to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The request's id.
    pub request: ApprovalId,
    /// Its kind.
    pub kind: RequestKind,
    /// When the person can first answer it; an edit opens it again.
    pub at: At,
}

/// A person's answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The request.
    pub asked: Asked,
    /// When it was given.
    pub at: At,
    /// The answer.
    pub answer: Answer,
}

impl Decision {
    /// How long the person took.
    #[must_use]
    pub fn took(&self) -> Span {
        self.at.since(self.asked.at)
    }
}

/// A recorded decision to be replayed. The run determines which request it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The kind of request that it answers.
    pub kind: RequestKind,
    /// When the person could first answer the request, where that is known.
    pub asked_at: Option<At>,
    /// When it was given.
    pub at: At,
    /// The answer.
    pub answer: Answer,
}

impl From<Decision> for Recorded {
    fn from(Decision { asked, at, answer }: Decision) -> Self {
        Self { kind: asked.kind, asked_at: Some(asked.at), at, answer }
    }
}

//! Approval requests (§2, §6): what the engine asks a person, and which answers it takes.
//!
//! [`RequestKind::options`] is the one place that defines which answer fits which request.

use std::fmt;

/// The id of an approval request: `a-1`, `a-2`, … in the order in which the requests open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct ApprovalId(pub u32);

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a-{}", self.0)
    }
}

/// What a person decides on a trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OperatorDecision {
    /// Ignore the trip and proceed.
    ContinueAnyway,
    /// Take every dispatched instance back to the previous version.
    RollbackCompletedBatches,
    /// Stop here.
    Abort,
}

impl OperatorDecision {
    /// Every decision, in the order in which it is offered.
    pub const ALL: [Self; 3] = [Self::ContinueAnyway, Self::RollbackCompletedBatches, Self::Abort];

    /// The decision's name in events and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContinueAnyway => "continue_anyway",
            Self::RollbackCompletedBatches => "rollback_completed_batches",
            Self::Abort => "abort",
        }
    }
}

/// What an edit of a pending plan changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Edit {
    /// The new share of the plan in a batch, 1 to 100 percent.
    pub batch_pct: Option<u32>,
    /// The new limit of the breaker.
    pub max_consecutive_failures: Option<std::num::NonZeroU32>,
}

impl Edit {
    /// Whether `batch_pct` is 1 to 100, if the edit sets it.
    #[must_use]
    pub fn is_in_range(&self) -> bool {
        self.batch_pct.is_none_or(|pct| (1..=100).contains(&pct))
    }
}

/// A person's answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Answer {
    /// To the first request: start the plan.
    Approve,
    /// To the first request: change the plan and ask again.
    Edit(Edit),
    /// To the first request: do not start.
    Reject,
    /// To the request that a trip opens; to a promotion, all but [`OperatorDecision::ContinueAnyway`].
    OnTrip(OperatorDecision),
    /// To a promotion: begin the next batch.
    Promote,
}

impl Answer {
    /// The option of a request that the answer takes.
    #[must_use]
    pub const fn kind(&self) -> AnswerKind {
        match *self {
            Self::Approve => AnswerKind::Approve,
            Self::Edit(_) => AnswerKind::Edit,
            Self::Reject => AnswerKind::Reject,
            Self::OnTrip(decision) => AnswerKind::OnTrip(decision),
            Self::Promote => AnswerKind::Promote,
        }
    }

    /// The answer's name in events.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }
}

/// An option of a request: an [`Answer`] without the values that it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnswerKind {
    /// [`Answer::Approve`]
    Approve,
    /// [`Answer::Edit`]
    Edit,
    /// [`Answer::Reject`]
    Reject,
    /// [`Answer::OnTrip`]
    OnTrip(OperatorDecision),
    /// [`Answer::Promote`]
    Promote,
}

impl AnswerKind {
    /// The option's name in events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Edit => "edit",
            Self::Reject => "reject",
            Self::OnTrip(decision) => decision.name(),
            Self::Promote => "promote",
        }
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum RequestKind {
    /// May the plan start?
    RollingUpgrade,
    /// The breaker tripped: what now?
    RollingUpgradeContinuation,
    /// The breaker of a rollback tripped: what now? There is nothing further to roll back to.
    RollbackContinuation,
    /// May the next batch begin?
    Promotion,
}

impl RequestKind {
    /// The request's `type` in events.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::RollingUpgrade => "rolling_upgrade",
            Self::RollingUpgradeContinuation | Self::RollbackContinuation => "rolling_upgrade_continuation",
            Self::Promotion => "rolling_upgrade_promotion",
        }
    }

    /// The options of the request, in the order in which they are offered.
    #[must_use]
    pub const fn options(self) -> &'static [AnswerKind] {
        use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};
        match self {
            Self::RollingUpgrade => &[AnswerKind::Approve, AnswerKind::Edit, AnswerKind::Reject],
            Self::RollingUpgradeContinuation => &[
                AnswerKind::OnTrip(ContinueAnyway),
                AnswerKind::OnTrip(RollbackCompletedBatches),
                AnswerKind::OnTrip(Abort),
            ],
            Self::RollbackContinuation => &[AnswerKind::OnTrip(ContinueAnyway), AnswerKind::OnTrip(Abort)],
            Self::Promotion => {
                &[AnswerKind::Promote, AnswerKind::OnTrip(RollbackCompletedBatches), AnswerKind::OnTrip(Abort)]
            }
        }
    }

    /// Whether a trip opened it.
    #[must_use]
    pub const fn is_of_trip(self) -> bool {
        match self {
            Self::RollingUpgradeContinuation | Self::RollbackContinuation => true,
            Self::RollingUpgrade | Self::Promotion => false,
        }
    }

    /// The names of the options, as they appear in events and in what people read.
    #[must_use]
    pub fn option_names(self) -> Vec<&'static str> {
        self.options().iter().map(|option| option.name()).collect()
    }

    /// Whether the request offers this answer.
    #[must_use]
    pub fn offers(self, answer: &Answer) -> bool {
        self.options().contains(&answer.kind())
    }
}

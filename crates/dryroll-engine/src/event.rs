//! What the engine reports: events and outcomes.

use std::fmt;

use super::{Answer, ApprovalId, Reason, Relapse, RequestKind, TripReason};
use crate::fleet::{At, InstanceId};

/// The id of a rollout: `r-1` is the rollout, `r-2` its rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct RolloutId(pub u32);

impl RolloutId {
    /// The rollout itself.
    pub const FIRST: RolloutId = RolloutId(1);
}

impl fmt::Display for RolloutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r-{}", self.0)
    }
}

/// How a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// Every instance has its verdict.
    Completed,
    /// Stopped by a person on a trip.
    Aborted,
    /// Taken back to the previous version.
    RolledBack,
    /// There was no previous version to go back to.
    RollbackFailed,
    /// A person rejected the plan.
    Rejected,
    /// Nobody answered in time.
    Expired,
    /// The policy forbids it.
    Blocked,
    /// Not finished at the horizon.
    Stalled,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 8] = [
        Self::Completed,
        Self::Aborted,
        Self::RolledBack,
        Self::RollbackFailed,
        Self::Rejected,
        Self::Expired,
        Self::Blocked,
        Self::Stalled,
    ];

    /// The outcome's name in events and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Blocked => "blocked",
            Self::Stalled => "stalled",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that happened in a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// When it happened.
    pub at: At,
    /// The rollout it belongs to.
    pub rollout: RolloutId,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum EventBody {
    /// A plan was computed.
    Planned {
        /// Number of planned instances.
        total_instances: u32,
        /// Instances in a batch.
        batch_size: u32,
        /// Number of batches.
        batch_count: u32,
    },
    /// A person is asked.
    ApprovalRequested {
        /// The request.
        request: ApprovalId,
        /// What it asks.
        kind: RequestKind,
    },
    /// A person answered.
    ApprovalDecided {
        /// The request.
        request: ApprovalId,
        /// The answer.
        answer: Answer,
    },
    /// A batch began.
    BatchStarted {
        /// Index of the batch, from 0.
        batch_index: u32,
        /// How many instances it has.
        instance_count: u32,
    },
    /// An instance was commanded to a version.
    InstanceStarted {
        /// Index of its batch, from 0.
        batch_index: u32,
        /// Which instance.
        instance: InstanceId,
        /// The version: the target or the previous one.
        to: Direction,
    },
    /// An instance received its verdict.
    InstanceHealthCheck {
        /// Index of its batch, from 0.
        batch_index: u32,
        /// Which instance.
        instance: InstanceId,
        /// Why it failed; `None` if it is healthy.
        failure: Option<Reason>,
    },
    /// An instance failed and was commanded again.
    InstanceRetried {
        /// Index of its batch, from 0.
        batch_index: u32,
        /// Which instance.
        instance: InstanceId,
        /// The attempt that begins: 1 is the first retry.
        attempt: u32,
        /// Why the attempt before failed.
        reason: Reason,
    },
    /// An instance with a healthy verdict became unwell; its verdict is failed from now on.
    InstanceRelapsed {
        /// Index of its batch, from 0.
        batch_index: u32,
        /// Which instance.
        instance: InstanceId,
        /// Why.
        reason: Relapse,
    },
    /// A breaker tripped.
    CircuitBreakerTripped {
        /// Index of the batch that it is about, from 0.
        batch_index: u32,
        /// The instances that the rule counted, in order.
        failed: Vec<InstanceId>,
        /// Which rule, and what it found.
        reason: TripReason,
    },
    /// A rule that only notes holds for the first time.
    BreakerNoted {
        /// Index of the batch that it is about, from 0.
        batch_index: u32,
        /// The instances that the rule counted, in order.
        failed: Vec<InstanceId>,
        /// Which rule, and what it found.
        reason: TripReason,
    },
    /// Every instance of a batch has its verdict.
    BatchCompleted {
        /// Index of the batch, from 0.
        batch_index: u32,
        /// Number of healthy verdicts.
        healthy_count: u32,
        /// Number of failed verdicts.
        failed_count: u32,
    },
    /// The policy proceeds without asking and notifies the operator.
    OperatorNotified,
    /// A rollback was decided.
    RollbackStarted {
        /// How many instances it takes back.
        instance_count: u32,
    },
    /// A rollback was decided, but there is no previous version to go back to.
    RollbackFailed,
    /// The rollout ended.
    Finished {
        /// How it ended.
        outcome: Outcome,
    },
}

/// Which of the two versions a rollout dispatches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Direction {
    /// To the target.
    Forward,
    /// Back to the previous version.
    Back,
}

/// The kind of an event, without its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `planned`
    Planned,
    /// `approval_requested`
    ApprovalRequested,
    /// `approval_decided`
    ApprovalDecided,
    /// `batch_started`
    BatchStarted,
    /// `instance_started`
    InstanceStarted,
    /// `instance_health_check`
    InstanceHealthCheck,
    /// `instance_retried`
    InstanceRetried,
    /// `instance_relapsed`
    InstanceRelapsed,
    /// `circuit_breaker_tripped`
    CircuitBreakerTripped,
    /// `breaker_noted`
    BreakerNoted,
    /// `batch_completed`
    BatchCompleted,
    /// `operator_notified`
    OperatorNotified,
    /// `rollback_started`
    RollbackStarted,
    /// `rollback_failed`
    RollbackFailed,
    /// `finished`
    Finished,
}

/// The prefix of every kind.
const PREFIX: &str = "module.upgrade.";

impl EventKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [EventKind; 15] = [
        Self::Planned,
        Self::ApprovalRequested,
        Self::ApprovalDecided,
        Self::BatchStarted,
        Self::InstanceStarted,
        Self::InstanceHealthCheck,
        Self::InstanceRetried,
        Self::InstanceRelapsed,
        Self::CircuitBreakerTripped,
        Self::BreakerNoted,
        Self::BatchCompleted,
        Self::OperatorNotified,
        Self::RollbackStarted,
        Self::RollbackFailed,
        Self::Finished,
    ];

    /// The kind with its prefix, as events carry it.
    #[must_use]
    pub fn full_name(self) -> &'static str {
        match self {
            Self::Planned => "module.upgrade.planned",
            Self::ApprovalRequested => "module.upgrade.approval_requested",
            Self::ApprovalDecided => "module.upgrade.approval_decided",
            Self::BatchStarted => "module.upgrade.batch_started",
            Self::InstanceStarted => "module.upgrade.instance_started",
            Self::InstanceHealthCheck => "module.upgrade.instance_health_check",
            Self::InstanceRetried => "module.upgrade.instance_retried",
            Self::InstanceRelapsed => "module.upgrade.instance_relapsed",
            Self::CircuitBreakerTripped => "module.upgrade.circuit_breaker_tripped",
            Self::BreakerNoted => "module.upgrade.breaker_noted",
            Self::BatchCompleted => "module.upgrade.batch_completed",
            Self::OperatorNotified => "module.upgrade.operator_notified",
            Self::RollbackStarted => "module.upgrade.rollback_started",
            Self::RollbackFailed => "module.upgrade.rollback_failed",
            Self::Finished => "module.upgrade.finished",
        }
    }

    /// The kind without its prefix.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.full_name()[PREFIX.len()..]
    }

    /// The kind of that name, with or without the prefix.
    #[must_use]
    pub fn from_name(name: &str) -> Option<EventKind> {
        let name = name.strip_prefix(PREFIX).unwrap_or(name);
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether events of this kind name a batch.
    #[must_use]
    pub fn has_batch_index(self) -> bool {
        matches!(
            self,
            Self::BatchStarted
                | Self::InstanceStarted
                | Self::InstanceHealthCheck
                | Self::InstanceRetried
                | Self::InstanceRelapsed
                | Self::CircuitBreakerTripped
                | Self::BreakerNoted
                | Self::BatchCompleted
        )
    }
}

impl EventBody {
    /// The kind of the event.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Planned { .. } => EventKind::Planned,
            Self::ApprovalRequested { .. } => EventKind::ApprovalRequested,
            Self::ApprovalDecided { .. } => EventKind::ApprovalDecided,
            Self::BatchStarted { .. } => EventKind::BatchStarted,
            Self::InstanceStarted { .. } => EventKind::InstanceStarted,
            Self::InstanceHealthCheck { .. } => EventKind::InstanceHealthCheck,
            Self::InstanceRetried { .. } => EventKind::InstanceRetried,
            Self::InstanceRelapsed { .. } => EventKind::InstanceRelapsed,
            Self::CircuitBreakerTripped { .. } => EventKind::CircuitBreakerTripped,
            Self::BreakerNoted { .. } => EventKind::BreakerNoted,
            Self::BatchCompleted { .. } => EventKind::BatchCompleted,
            Self::OperatorNotified => EventKind::OperatorNotified,
            Self::RollbackStarted { .. } => EventKind::RollbackStarted,
            Self::RollbackFailed => EventKind::RollbackFailed,
            Self::Finished { .. } => EventKind::Finished,
        }
    }

    /// The index of the batch that the event names; `None` if it names none.
    #[must_use]
    pub fn batch_index(&self) -> Option<u32> {
        match *self {
            Self::BatchStarted { batch_index, .. }
            | Self::InstanceStarted { batch_index, .. }
            | Self::InstanceHealthCheck { batch_index, .. }
            | Self::InstanceRetried { batch_index, .. }
            | Self::InstanceRelapsed { batch_index, .. }
            | Self::CircuitBreakerTripped { batch_index, .. }
            | Self::BreakerNoted { batch_index, .. }
            | Self::BatchCompleted { batch_index, .. } => Some(batch_index),
            _ => None,
        }
    }
}

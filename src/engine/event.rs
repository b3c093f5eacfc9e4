//! What the engine says and is told: events, decisions, outcomes, and their ids.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use super::Reason;
use crate::fleet::{At, InstanceId, InstanceNames};

/// `r-1` is the rollout, `r-2` its rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
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

/// Approval requests are `a-1`, `a-2`, … in the order in which they were opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApprovalId(pub u32);

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a-{}", self.0)
    }
}

/// What a person decides on a trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorDecision {
    /// Ignore the trip, proceed.
    ContinueAnyway,
    /// Take every dispatched instance back to the previous version.
    RollbackCompletedBatches,
    /// Stop here.
    Abort,
}

impl OperatorDecision {
    /// Its name in events and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ContinueAnyway => "continue_anyway",
            Self::RollbackCompletedBatches => "rollback_completed_batches",
            Self::Abort => "abort",
        }
    }
}

/// What an edit of a pending plan changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The new share of a batch, 1 to 100.
    pub batch_pct: Option<u32>,
    /// The new limit.
    pub max_consecutive_failures: Option<std::num::NonZeroU32>,
}

/// A person's answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To the first request: go.
    Approve,
    /// To the first request: change the plan, ask again.
    Edit(Edit),
    /// To the first request: no.
    Reject,
    /// To the request that a trip opened.
    OnTrip(OperatorDecision),
}

impl Answer {
    /// Its name in events.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Edit(_) => "edit",
            Self::Reject => "reject",
            Self::OnTrip(decision) => decision.name(),
        }
    }
}

/// What a request asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// May the plan start?
    RollingUpgrade,
    /// The breaker tripped: what now?
    RollingUpgradeContinuation,
    /// The breaker of a rollback tripped: what now? There is nothing further to roll back to.
    RollbackContinuation,
}

impl RequestKind {
    /// The request's `type` in events.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::RollingUpgrade => "rolling_upgrade",
            Self::RollingUpgradeContinuation | Self::RollbackContinuation => "rolling_upgrade_continuation",
        }
    }

    /// What may be answered.
    #[must_use]
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Self::RollingUpgrade => &["approve", "edit", "reject"],
            Self::RollingUpgradeContinuation => &["continue_anyway", "rollback_completed_batches", "abort"],
            Self::RollbackContinuation => &["continue_anyway", "abort"],
        }
    }
}

/// How a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every instance has its verdict.
    Completed,
    /// Stopped by a person on a trip.
    Aborted,
    /// Taken back to the previous version.
    RolledBack,
    /// There was no previous version to go back to.
    RollbackFailed,
    /// A person said no.
    Rejected,
    /// Nobody answered in time.
    Expired,
    /// The policy forbids it.
    Blocked,
    /// Not over by the horizon.
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

    /// Its name in events and reports.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: At,
    /// In which rollout.
    pub rollout: RolloutId,
    /// What.
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventBody {
    /// A plan was computed.
    Planned {
        /// Planned instances.
        total_instances: u32,
        /// Instances a batch.
        batch_size: u32,
        /// Batches.
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
        /// Which, from 0.
        batch_index: u32,
        /// How many instances it has.
        instance_count: u32,
    },
    /// An instance was commanded to a version.
    InstanceStarted {
        /// Of which batch.
        batch_index: u32,
        /// Which instance.
        instance: InstanceId,
        /// The version's id.
        to: Direction,
    },
    /// An instance got its verdict.
    InstanceHealthCheck {
        /// Of which batch.
        batch_index: u32,
        /// Which instance.
        instance: InstanceId,
        /// Why it failed; `None`: it is healthy.
        failure: Option<Reason>,
    },
    /// Too many failures in a row.
    CircuitBreakerTripped {
        /// In which batch.
        batch_index: u32,
        /// The run that tripped it, in order.
        failed: Vec<InstanceId>,
    },
    /// Every instance of a batch has its verdict.
    BatchCompleted {
        /// Which.
        batch_index: u32,
        /// Healthy verdicts.
        healthy_count: u32,
        /// Failed verdicts.
        failed_count: u32,
    },
    /// The policy proceeds without asking, and says so.
    OperatorNotified,
    /// A rollback was decided.
    RollbackStarted {
        /// How many instances it takes back.
        instance_count: u32,
    },
    /// A rollback was decided, and there is nothing to go back to.
    RollbackFailed,
    /// The end.
    Finished {
        /// How.
        outcome: Outcome,
    },
}

/// Which of the two versions a rollout brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the target.
    Forward,
    /// Back to the previous version.
    Back,
}

/// The kind of an event, without what it carries.
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
    /// `circuit_breaker_tripped`
    CircuitBreakerTripped,
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

/// What every event's kind begins with.
const PREFIX: &str = "module.upgrade.";

impl EventKind {
    /// Every kind.
    pub const ALL: [EventKind; 12] = [
        Self::Planned,
        Self::ApprovalRequested,
        Self::ApprovalDecided,
        Self::BatchStarted,
        Self::InstanceStarted,
        Self::InstanceHealthCheck,
        Self::CircuitBreakerTripped,
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
            Self::CircuitBreakerTripped => "module.upgrade.circuit_breaker_tripped",
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

    /// Whether its events name a batch.
    #[must_use]
    pub fn has_batch_index(self) -> bool {
        matches!(
            self,
            Self::BatchStarted
                | Self::InstanceStarted
                | Self::InstanceHealthCheck
                | Self::CircuitBreakerTripped
                | Self::BatchCompleted
        )
    }
}

impl EventBody {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Planned { .. } => EventKind::Planned,
            Self::ApprovalRequested { .. } => EventKind::ApprovalRequested,
            Self::ApprovalDecided { .. } => EventKind::ApprovalDecided,
            Self::BatchStarted { .. } => EventKind::BatchStarted,
            Self::InstanceStarted { .. } => EventKind::InstanceStarted,
            Self::InstanceHealthCheck { .. } => EventKind::InstanceHealthCheck,
            Self::CircuitBreakerTripped { .. } => EventKind::CircuitBreakerTripped,
            Self::BatchCompleted { .. } => EventKind::BatchCompleted,
            Self::OperatorNotified => EventKind::OperatorNotified,
            Self::RollbackStarted { .. } => EventKind::RollbackStarted,
            Self::RollbackFailed => EventKind::RollbackFailed,
            Self::Finished { .. } => EventKind::Finished,
        }
    }

    /// The batch that it names.
    #[must_use]
    pub fn batch_index(&self) -> Option<u32> {
        match *self {
            Self::BatchStarted { batch_index, .. }
            | Self::InstanceStarted { batch_index, .. }
            | Self::InstanceHealthCheck { batch_index, .. }
            | Self::CircuitBreakerTripped { batch_index, .. }
            | Self::BatchCompleted { batch_index, .. } => Some(batch_index),
            _ => None,
        }
    }
}

/// The names that an event line needs beside the event.
#[derive(Clone, Copy, Debug)]
pub struct EventNames<'a> {
    /// The fleet's.
    pub instances: InstanceNames,
    /// The target version's id.
    pub target: &'a str,
    /// The previous version's id.
    pub previous: &'a str,
}

impl EventNames<'_> {
    fn version(&self, direction: Direction) -> &str {
        match direction {
            Direction::Forward => self.target,
            Direction::Back => self.previous,
        }
    }
}

/// An event as the contract writes it: one JSON object, its keys in their order.
#[derive(Clone, Copy, Debug)]
pub struct EventLine<'a> {
    /// The event.
    pub event: &'a Event,
    /// The names.
    pub names: EventNames<'a>,
}

impl Serialize for EventLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Event { at, rollout, body } = self.event;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at_ms", at)?;
        map.serialize_entry("kind", body.kind().full_name())?;
        map.serialize_entry("rollout_id", &Shown(rollout))?;
        if let Some(batch_index) = body.batch_index() {
            map.serialize_entry("batch_index", &batch_index)?;
        }
        match body {
            EventBody::Planned { total_instances, batch_size, batch_count } => {
                map.serialize_entry("total_instances", total_instances)?;
                map.serialize_entry("batch_size", batch_size)?;
                map.serialize_entry("batch_count", batch_count)?;
            }
            EventBody::ApprovalRequested { request, kind } => {
                map.serialize_entry("approval_request_id", &Shown(request))?;
                map.serialize_entry("type", kind.type_name())?;
                map.serialize_entry("options", kind.options())?;
            }
            EventBody::ApprovalDecided { request, answer } => {
                map.serialize_entry("approval_request_id", &Shown(request))?;
                map.serialize_entry("decision", answer.name())?;
                if let Answer::Edit(edit) = answer {
                    if let Some(batch_pct) = edit.batch_pct {
                        map.serialize_entry("batch_pct", &batch_pct)?;
                    }
                    if let Some(limit) = edit.max_consecutive_failures {
                        map.serialize_entry("max_consecutive_failures", &limit)?;
                    }
                }
            }
            EventBody::BatchStarted { instance_count, .. } => {
                map.serialize_entry("instance_count", instance_count)?;
            }
            EventBody::InstanceStarted { instance, to, .. } => {
                map.serialize_entry("instance_id", &self.names.instances.name(*instance))?;
                map.serialize_entry("target_version", self.names.version(*to))?;
            }
            EventBody::InstanceHealthCheck { instance, failure, .. } => {
                map.serialize_entry("instance_id", &self.names.instances.name(*instance))?;
                map.serialize_entry("healthy", &failure.is_none())?;
                if let Some(reason) = failure {
                    map.serialize_entry("reason", reason.name())?;
                }
            }
            EventBody::CircuitBreakerTripped { failed, .. } => {
                let names: Vec<_> = failed.iter().map(|&id| self.names.instances.name(id)).collect();
                map.serialize_entry("failed_instance_ids", &names)?;
                map.serialize_entry("reason", &trip_reason(failed.len()))?;
            }
            EventBody::BatchCompleted { healthy_count, failed_count, .. } => {
                map.serialize_entry("healthy_count", healthy_count)?;
                map.serialize_entry("failed_count", failed_count)?;
            }
            EventBody::RollbackStarted { instance_count } => {
                map.serialize_entry("target_version", self.names.previous)?;
                map.serialize_entry("instance_count", instance_count)?;
            }
            EventBody::RollbackFailed => {
                map.serialize_entry("reason", "the previous version is archived or gone")?;
            }
            EventBody::Finished { outcome } => map.serialize_entry("outcome", outcome.name())?,
            EventBody::OperatorNotified => {}
        }
        map.end()
    }
}

/// The reason of a trip, in the contract's words. The run has as many failures as the limit allows.
fn trip_reason(limit: usize) -> String {
    format!("max_consecutive_failures ({limit}) exceeded")
}

/// Serialises what displays itself as a string, without an allocation.
struct Shown<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

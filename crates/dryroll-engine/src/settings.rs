//! The settings of a rollout: the skill's inputs and the platform's policy, already in range.

use std::num::NonZeroU32;

use crate::fleet::{DigestId, Span, VersionId};

/// The order in which the breaker counts verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum BreakerOrder {
    /// In the order of arrival.
    #[default]
    Observed,
    /// In plan order, when the batch completes.
    Listed,
}

/// How far a run of failures extends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum BreakerScope {
    /// Across batches.
    #[default]
    Rollout,
    /// Each batch starts its count at zero.
    Batch,
}

impl BreakerScope {
    /// The most failures in a row that are possible in a plan.
    #[must_use]
    pub fn reach(self, total: u32, batch_size: u32) -> u32 {
        match self {
            Self::Rollout => total,
            Self::Batch => batch_size,
        }
    }
}

/// The intervention policy of `system.fleet_rolling_upgrade`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum InterventionPolicy {
    /// A person is asked first.
    #[default]
    RequireApproval,
    /// Nobody is asked.
    AutoApprove,
    /// Nobody is asked, and the operator is notified.
    NotifyAndProceed,
    /// Nothing is rolled out, and nobody is asked.
    Blocked,
}

/// A version that the engine can command instances to: its id for the events, its digest for the verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VersionRef {
    /// The version's id.
    pub id: VersionId,
    /// The digest that its heartbeats carry.
    pub digest: DigestId,
}

/// All that a rollout is given at its request, in addition to the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settings {
    /// The version to roll out.
    pub target: VersionRef,
    /// The version to roll back to; `None` if there is none (archived, or never named).
    pub previous: Option<VersionRef>,
    /// Share of the plan in one batch, 1 to 100 percent.
    pub batch_pct: u32,
    /// The number of failed verdicts in a row that trips the breaker.
    pub max_consecutive_failures: NonZeroU32,
    /// How long an instance may take from its dispatch to its healthy heartbeat.
    pub health_timeout: Span,
    /// Share of the instances to take back in one batch of a rollback, 1 to 100 percent.
    pub rollback_batch_pct: u32,
    /// The order in which verdicts are counted.
    pub breaker_order: BreakerOrder,
    /// How far a run of failures extends.
    pub breaker_scope: BreakerScope,
    /// The most instances that may await a verdict at once; `None`: the whole batch.
    pub max_in_flight: Option<NonZeroU32>,
    /// Who is asked before anything starts.
    pub policy: InterventionPolicy,
    /// How long the first request waits for an answer.
    pub approval_expires: Span,
}

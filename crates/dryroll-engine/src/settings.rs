//! The settings of a rollout: the skill's inputs and the platform's policy, already in range.

use std::num::NonZeroU32;

use crate::fleet::{DigestId, Span, VersionId};
use crate::{BatchSizes, Direction, Rule, Size};

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

/// Before which batches a person is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Promotions {
    /// Before none.
    #[default]
    Never,
    /// Before every batch but the first.
    Every,
    /// Before the batches with these indices, 1 or more.
    Before(Vec<u32>),
}

impl Promotions {
    /// Whether a person is asked before a batch.
    #[must_use]
    pub fn asks_before(&self, batch: u32) -> bool {
        match self {
            Self::Never => false,
            Self::Every => batch > 0,
            Self::Before(batches) => batches.contains(&batch),
        }
    }
}

/// When the walk goes on (§11). The default is the tutorial's: a verdict at the first decisive heartbeat, and the next
/// batch when all of this one is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pace {
    /// How long an instance must have sent healthy heartbeats before its verdict is healthy.
    pub min_healthy: Span,
    /// How often an instance that fails is commanded again.
    pub retries: u32,
    /// The percentage of a batch that must be healthy for the walk to leave it before all of it is judged, 0 to 100.
    pub advance_pct: u32,
    /// How long the walk stays after each batch; the last repeats. Empty: no time.
    pub bakes: Vec<Span>,
    /// Before which batches a person is asked.
    pub promotions: Promotions,
}

impl Default for Pace {
    fn default() -> Self {
        Self { min_healthy: Span::ZERO, retries: 0, advance_pct: 100, bakes: Vec::new(), promotions: Promotions::Never }
    }
}

impl Pace {
    /// How long the walk stays after a batch.
    #[must_use]
    pub fn bake(&self, batch: u32) -> Span {
        self.bakes.get(batch as usize).or(self.bakes.last()).copied().unwrap_or(Span::ZERO)
    }
}

/// The watch over planned instances (§13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Watch {
    /// After how long without a heartbeat an instance is silent.
    pub silent_after: Span,
    /// How many may be in flight or unwell before nothing more is dispatched.
    pub max_unavailable: Option<Size>,
}

/// All that a rollout is given at its request, in addition to the plan.
///
/// [`Settings::new`] has the tutorial's defaults; what they leave out is in [`pace`](Self::pace),
/// [`breakers`](Self::breakers) and [`watch`](Self::watch).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settings {
    /// The version to roll out.
    pub target: VersionRef,
    /// The version to roll back to; `None` if there is none (archived, or never named).
    pub previous: Option<VersionRef>,
    /// The sizes of the batches.
    pub batches: BatchSizes,
    /// The number of failed verdicts in a row that trips the breaker; `None`: the rollout has no such rule.
    pub max_consecutive_failures: Option<NonZeroU32>,
    /// How long an instance may take from its dispatch to its healthy verdict.
    pub health_timeout: Span,
    /// The sizes of the batches of a rollback; shares are of the instances that it rolls back.
    pub rollback_batches: BatchSizes,
    /// The limit of failures in a row in a rollback; `None`: the rollout's, and none where the rollout has none.
    pub rollback_max_consecutive_failures: Option<NonZeroU32>,
    /// How long an instance may take in a rollback.
    pub rollback_health_timeout: Span,
    /// The order in which verdicts are counted.
    pub breaker_order: BreakerOrder,
    /// How far a run of failures extends.
    pub breaker_scope: BreakerScope,
    /// Further rules that stop the rollout.
    pub breakers: Vec<Rule>,
    /// A completed batch whose healthy percentage is below this is a failed batch.
    pub ok_pct: u32,
    /// The most instances that may await a verdict at once; a share is of the planned. `None`: the whole batch.
    pub max_in_flight: Option<Size>,
    /// When the walk goes on.
    pub pace: Pace,
    /// The watch over planned instances; `None`: nobody is watched after the verdict.
    pub watch: Option<Watch>,
    /// Who is asked before anything starts.
    pub policy: InterventionPolicy,
    /// How long the first request waits for an answer.
    pub approval_expires: Span,
}

impl Settings {
    /// The tutorial's settings: batches of 20 %, 2 failures in a row, 5 minutes, a person approves.
    #[must_use]
    pub fn new(target: VersionRef, previous: Option<VersionRef>) -> Self {
        let (limit, timeout) = (NonZeroU32::new(2), Span(300_000));
        Self {
            target,
            previous,
            batches: BatchSizes::pct(20),
            max_consecutive_failures: limit,
            health_timeout: timeout,
            rollback_batches: BatchSizes::pct(50),
            rollback_max_consecutive_failures: None,
            rollback_health_timeout: timeout,
            breaker_order: BreakerOrder::Observed,
            breaker_scope: BreakerScope::Rollout,
            breakers: Vec::new(),
            ok_pct: 100,
            max_in_flight: None,
            pace: Pace::default(),
            watch: None,
            policy: InterventionPolicy::RequireApproval,
            approval_expires: Span(86_400_000),
        }
    }

    /// How long an instance may take in a rollout, or in its rollback.
    #[must_use]
    #[inline]
    pub fn timeout(&self, direction: Direction) -> Span {
        match direction {
            Direction::Forward => self.health_timeout,
            Direction::Back => self.rollback_health_timeout,
        }
    }

    /// The most in flight at once, of a plan; `None`: no limit.
    #[must_use]
    pub fn most_in_flight(&self, planned: u32) -> Option<NonZeroU32> {
        self.max_in_flight.and_then(|size| NonZeroU32::new(size.of(planned, self.batches.rounding)))
    }

    /// How many may be in flight or unwell before nothing more is dispatched, of a plan; `None`: no limit.
    #[must_use]
    pub fn most_unavailable(&self, planned: u32) -> Option<u32> {
        self.watch?.max_unavailable.map(|size| size.of(planned, self.batches.rounding))
    }
}

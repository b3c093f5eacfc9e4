//! What is injected, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, event_names};
use crate::scenario::limits::MAX_SECONDS;

/// What is injected, and when: just one of `at_sec` and `after` says when it starts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Fault {
    /// What happens.
    pub kind: FaultName,
    /// When it starts, from the request. Left out: `after` says.
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub at_sec: Option<f64>,
    /// The event after which it starts. Left out: `at_sec` says.
    pub after: Option<After>,
    /// How long it lasts: from its start up to, and without, its end. Left out: to the end of the run.
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub duration_sec: Option<f64>,
    /// `slow`: upgrades that start in the window take so many times as long. Required there, and of no effect with
    /// other kinds.
    #[schemars(range(max = MAX_SECONDS), extend("exclusiveMinimum" = 0))]
    pub factor: Option<f64>,
    /// `delay_heartbeats`: heartbeats sent in the window arrive so much later. Required there.
    pub by_sec: Option<Duration>,
    /// Which instances. Left out: all.
    pub target: Option<Target>,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum FaultName {
    /// The network of the targets is down.
    Partition,
    /// The targets restart: silent and not serving for the duration.
    Kill,
    /// Upgrades that start in the window take `factor` times as long.
    Slow,
    /// Upgrades do not progress.
    RegistryOutage,
    /// Ticks are skipped. It has no `target`.
    ReconcilerPause,
    /// The controller is dead, and comes back from its journal at the end. It has no `target`.
    ReconcilerCrash,
    /// Each heartbeat sent in the window arrives twice.
    DuplicateHeartbeats,
    /// Heartbeats sent in the window arrive `by_sec` later.
    DelayHeartbeats,
    /// The previous version is archived from then on. It has neither `target` nor `duration_sec`.
    ArchivePreviousVersion,
}

/// A while after the first such event of any rollout.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct After {
    /// The event's kind, with or without `module.upgrade.`.
    #[schemars(extend("enum" = event_names()))]
    pub event: String,
    /// Of this batch only, from 0.
    pub batch_index: Option<u32>,
    /// How long after.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub delay_sec: f64,
}

/// Which instances: one of the three.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::scenario) struct Target {
    /// These instances.
    #[schemars(length(min = 1))]
    pub ids: Option<Vec<String>>,
    /// The instances of this zone, from 0.
    pub zone: Option<u32>,
    /// A drawn share of the fleet.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub fraction: Option<f64>,
}

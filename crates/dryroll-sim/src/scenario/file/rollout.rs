//! The inputs of the rolling upgrade.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{Amount, Breaker};
use crate::scenario::RolloutOrder;
use crate::scenario::limits::{MAX_GROWTH, MAX_RETRIES, MAX_SECONDS, MIN_SECONDS};
use dryroll_engine::{BatchOf, BreakerOrder, BreakerScope, OnFailed, Rounding};

/// The inputs of the rolling upgrade.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["target_version_id"]))]
pub(in crate::scenario) struct Rollout {
    /// The version to roll out: the id of one of `versions`, `blessed` or `live`.
    #[schemars(length(min = 1))]
    pub target_version_id: String,
    /// The version that the fleet runs before. Where there is none, it is an older version without a name, and a
    /// rollback fails. Left out: the one before the target in the list.
    #[schemars(length(min = 1))]
    pub previous_version_id: Option<String>,
    /// The order of the plan.
    pub order: RolloutOrder,
    /// Share of the plan in one batch, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub batch_pct: u32,
    /// In place of `batch_pct`: the sizes of the batches in turn; the last repeats to the end. Left out: `batch_pct`.
    #[schemars(length(min = 1))]
    pub batches: Option<Vec<Amount>>,
    /// How a share that is not a whole number of instances is rounded; it is at least 1. Left out: `up`.
    pub rounding: Option<Rounding>,
    /// What a batch's share is of. Left out: `planned`.
    pub batch_of: Option<BatchOf>,
    /// How the next batch grows; only where `batches` has one entry.
    pub growth: Option<Growth>,
    /// What a failed batch does to the size of the next; only with `growth`. Left out: `keep`.
    pub on_failed: Option<OnFailed>,
    /// So many failures in a row trip the circuit breaker. With `breakers` there is no such rule unless this is given.
    #[schemars(range(min = 1))]
    pub max_consecutive_failures: u32,
    /// Further rules that stop the rollout.
    pub breakers: Option<Vec<Breaker>>,
    /// A completed batch with a smaller healthy share is a failed batch, in percent. Left out: 100.
    #[schemars(range(min = 1, max = 100))]
    pub ok_pct: Option<u32>,
    /// How long an instance may take to its healthy heartbeat.
    #[schemars(range(min = MIN_SECONDS, max = MAX_SECONDS))]
    pub health_timeout_sec: f64,
    /// How long an instance must have sent healthy heartbeats before its verdict is healthy; below
    /// `health_timeout_sec`. Left out: 0.
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub min_healthy_sec: Option<f64>,
    /// How often an instance that fails is commanded again before it gets a failed verdict. Left out: 0.
    #[schemars(range(max = MAX_RETRIES))]
    pub retries: Option<u32>,
    /// Share of the instances to take back in one batch of a rollback, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub rollback_batch_pct: u32,
    /// In place of `rollback_batch_pct`: the sizes of a rollback's batches in turn; the last repeats to the end.
    /// Left out: `rollback_batch_pct`.
    #[schemars(length(min = 1))]
    pub rollback_batches: Option<Vec<Amount>>,
    /// So many failures in a row trip the circuit breaker of a rollback. Left out: the rollout's.
    #[schemars(range(min = 1))]
    pub rollback_max_consecutive_failures: Option<u32>,
    /// How long an instance may take to its healthy heartbeat in a rollback. Left out: the rollout's.
    #[schemars(range(min = MIN_SECONDS, max = MAX_SECONDS))]
    pub rollback_health_timeout_sec: Option<f64>,
    /// In which order the breaker counts verdicts.
    pub breaker_order: BreakerOrder,
    /// How far a run of failures reaches.
    pub breaker_scope: BreakerScope,
    /// At most so many instances await a verdict. A share is of the planned. Left out: the whole batch.
    pub max_in_flight: Option<Amount>,
    /// At most so many instances are in flight or unwell; only with `silent_after_sec`. A share is of the planned.
    pub max_unavailable: Option<Amount>,
    /// The next batch may begin when this share of the batch is healthy, in percent. Left out: 100, and when all of the
    /// batch is judged.
    #[schemars(range(max = 100))]
    pub advance_pct: Option<u32>,
    /// How long the rollout stays after each batch before the next: a number, or one for each batch; the last repeats.
    /// Left out: 0.
    pub bake_sec: Option<Bake>,
    /// Before which batches a person is asked: `every` batch but the first, or those with these indices from 1.
    pub approve_before: Option<ApproveBefore>,
    /// Watches every planned instance to the end; one that is not heard for so long is unwell. At least the
    /// heartbeat interval.
    #[schemars(range(min = MIN_SECONDS, max = MAX_SECONDS))]
    pub silent_after_sec: Option<f64>,
    /// How long after the end of the rollout the integrals of the metrics go on.
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub observe_after_sec: f64,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            target_version_id: String::new(),
            previous_version_id: None,
            order: RolloutOrder::Listed,
            batch_pct: 20,
            batches: None,
            rounding: None,
            batch_of: None,
            growth: None,
            on_failed: None,
            max_consecutive_failures: 2,
            breakers: None,
            ok_pct: None,
            health_timeout_sec: 300.0,
            min_healthy_sec: None,
            retries: None,
            rollback_batch_pct: 50,
            rollback_batches: None,
            rollback_max_consecutive_failures: None,
            rollback_health_timeout_sec: None,
            breaker_order: BreakerOrder::Observed,
            breaker_scope: BreakerScope::Rollout,
            max_in_flight: None,
            max_unavailable: None,
            advance_pct: None,
            bake_sec: None,
            approve_before: None,
            silent_after_sec: None,
            observe_after_sec: 0.0,
        }
    }
}

/// How the next batch grows: just one of `factor` and `add`.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::scenario) struct Growth {
    /// The next batch is so many times as large; at most three decimals.
    #[schemars(range(min = 1.0, max = MAX_GROWTH))]
    pub factor: Option<f64>,
    /// The next batch has so many instances more.
    #[schemars(range(min = 1))]
    pub add: Option<u32>,
    /// What a failed batch does to the size of the next; here or beside `growth`. Left out: `keep`.
    pub on_failed: Option<OnFailed>,
}

/// One bake for every batch, or a list: after the first batch, the second, …
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum Bake {
    /// The same after every batch.
    Always(#[schemars(range(min = 0.0, max = MAX_SECONDS))] f64),
    /// After the first batch, the second, …; the last repeats.
    InTurn(#[schemars(length(min = 1), inner(range(min = 0.0, max = MAX_SECONDS)))] Vec<f64>),
}

/// Before which batches a person is asked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum ApproveBefore {
    /// By a word.
    Named(Batches),
    /// Before the batches with these indices, from 1.
    Listed(#[schemars(length(min = 1), inner(range(min = 1)))] Vec<u32>),
}

/// A word for batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum Batches {
    /// Every batch but the first.
    Every,
}

/// A policy by name: what is not given is as `[rollout]` has it. It takes every key of `[rollout]` but
/// `target_version_id`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(transform = of_policy)]
pub(in crate::scenario) struct Policy {
    /// What it is called.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The keys that differ.
    #[serde(flatten)]
    pub rollout: Rollout,
}

/// A policy has no target of its own, and leaves out what it does not change.
fn of_policy(schema: &mut Schema) {
    schema.insert("required".into(), serde_json::json!(["name"]));
    schema.insert("additionalProperties".into(), false.into());
    schema.remove("unevaluatedProperties");
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
        properties.remove("target_version_id");
        for property in properties.values_mut().filter_map(serde_json::Value::as_object_mut) {
            property.remove("default");
        }
    }
}

//! What scenarios demand: rules for `check`, limits for `tune`.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{Rollout, event_names};
use crate::scenario::limits::MAX_SECONDS;
use crate::scenario::{Expected, LIMIT_TOLERANCE, MIN_COMPLETED, RolloutOrder, Stat};

/// A rule: a metric is `at_most`, `at_least` or `equals` something; or an event comes so often, so soon, or before
/// another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Expect {
    /// The version that is rolled out. Left out: the target.
    #[schemars(length(min = 1))]
    pub version: Option<String>,
    /// A metric, a rate, or an outcome's share by its name.
    #[schemars(extend("enum" = crate::scenario::metric::names()))]
    pub metric: Option<String>,
    /// Which figure of the metric; not for rates, and not of one replicate. Left out: the mean.
    pub stat: Option<Stat>,
    /// In place of a metric: the kind of an event, with or without `module.upgrade.`.
    #[schemars(extend("enum" = event_names()))]
    pub event: Option<String>,
    /// Only events of this batch, from 0.
    pub batch_index: Option<u32>,
    /// The first such event comes within so long from the request.
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub within_sec: Option<f64>,
    /// The first such event comes before the first one of this kind.
    #[schemars(extend("enum" = event_names()))]
    pub before: Option<String>,
    /// No more than this; of an event, no more often.
    pub at_most: Option<f64>,
    /// No less than this; of an event, no less often.
    pub at_least: Option<f64>,
    /// Just this: a number, an outcome's name for `outcome`, or `true` or `false` for `drift`.
    pub equals: Option<Expected>,
    /// This replicate alone, from 0.
    pub replicate: Option<u64>,
    /// So many replicates. For a mean, a percentile or a rate that is where it begins. Left out: as many as the command
    /// takes; replicate 0 alone for `outcome`, for `drift` that is `true` or `false`, and for events.
    #[schemars(range(min = 1))]
    pub replicates: Option<u32>,
}

/// Limits for `dryroll tune`: the policy that is fastest on the good version within what is
/// allowed to the defective ones.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = of_tune)]
pub(in crate::scenario) struct Tune {
    /// The version that shall be fast. Left out: the target.
    #[schemars(length(min = 1))]
    pub good: Option<String>,
    /// The versions that shall not get far. Left out: all that are `defective`.
    pub defective: Option<Vec<String>>,
    /// The shares of a batch to try, in percent. Not given beside `batches`: none.
    #[schemars(length(min = 1), inner(range(min = 1, max = 100)))]
    pub batch_pct: Vec<u32>,
    /// The limits of failures in a row to try. Not given beside `breakers`: the rollout's own.
    #[schemars(length(min = 1), inner(range(min = 1)))]
    pub max_consecutive_failures: Vec<u32>,
    /// The orders of the plan to try. Left out: the rollout's own.
    #[schemars(length(min = 1))]
    pub order: Option<Vec<RolloutOrder>>,
    /// Whether rules on shares, totals and sequential tests compete with failures in a row: for each choice of the other
    /// keys, those that promise most. Left out: false.
    pub rules: Option<bool>,
    /// The values of `silent_after_sec` to try. Left out: the rollout's own.
    pub silent_after_sec: Option<Vec<Json>>,
    /// The values of `batches` to try. Left out: the rollout's own.
    pub batches: Option<Vec<Json>>,
    /// The values of `advance_pct` to try. Left out: the rollout's own.
    pub advance_pct: Option<Vec<Json>>,
    /// The values of `approve_before` to try. Left out: the rollout's own.
    pub approve_before: Option<Vec<Json>>,
    /// The values of `bake_sec` to try. Left out: the rollout's own.
    pub bake_sec: Option<Vec<Json>>,
    /// The values of `batch_of` to try. Left out: the rollout's own.
    pub batch_of: Option<Vec<Json>>,
    /// The values of `breaker_order` to try. Left out: the rollout's own.
    pub breaker_order: Option<Vec<Json>>,
    /// The values of `breaker_scope` to try. Left out: the rollout's own.
    pub breaker_scope: Option<Vec<Json>>,
    /// The values of `breakers` to try. Left out: the rollout's own.
    pub breakers: Option<Vec<Json>>,
    /// The values of `growth` to try. Left out: the rollout's own.
    pub growth: Option<Vec<Json>>,
    /// The values of `health_timeout_sec` to try. Left out: the rollout's own.
    pub health_timeout_sec: Option<Vec<Json>>,
    /// The values of `max_in_flight` to try. Left out: the rollout's own.
    pub max_in_flight: Option<Vec<Json>>,
    /// The values of `max_unavailable` to try. Left out: the rollout's own.
    pub max_unavailable: Option<Vec<Json>>,
    /// The values of `min_healthy_sec` to try. Left out: the rollout's own.
    pub min_healthy_sec: Option<Vec<Json>>,
    /// The values of `observe_after_sec` to try. Left out: the rollout's own.
    pub observe_after_sec: Option<Vec<Json>>,
    /// The values of `ok_pct` to try. Left out: the rollout's own.
    pub ok_pct: Option<Vec<Json>>,
    /// The values of `on_failed` to try. Left out: the rollout's own.
    pub on_failed: Option<Vec<Json>>,
    /// The values of `previous_version_id` to try. Left out: the rollout's own.
    pub previous_version_id: Option<Vec<Json>>,
    /// The values of `retries` to try. Left out: the rollout's own.
    pub retries: Option<Vec<Json>>,
    /// The values of `rollback_batch_pct` to try. Left out: the rollout's own.
    pub rollback_batch_pct: Option<Vec<Json>>,
    /// The values of `rollback_batches` to try. Left out: the rollout's own.
    pub rollback_batches: Option<Vec<Json>>,
    /// The values of `rollback_health_timeout_sec` to try. Left out: the rollout's own.
    pub rollback_health_timeout_sec: Option<Vec<Json>>,
    /// The values of `rollback_max_consecutive_failures` to try. Left out: the rollout's own.
    pub rollback_max_consecutive_failures: Option<Vec<Json>>,
    /// The values of `rounding` to try. Left out: the rollout's own.
    pub rounding: Option<Vec<Json>>,
    /// The metric whose mean on the good version shall be least.
    #[schemars(extend("enum" = crate::scenario::metric::numeric_names()))]
    pub minimise: String,
    /// What must hold.
    pub limits: Vec<Limit>,
    /// The least share of the good rollouts that complete with a policy, 0 to 1: one with which fewer do is off every
    /// front, is not recommended, and is not better in time. 0: any will do. `sweep` and `compare` go by it too.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_completed: f64,
    /// Where a limit on a mean holds in every replicate and its interval reaches beyond it, as where every replicate is
    /// at the limit itself: it is met if the mean is surely no more than this share of the limit beyond it; of the whole scale, where the limit
    /// is at its end, as a rate of 0 or of 1 is.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub limit_tolerance: f64,
}

impl Default for Tune {
    fn default() -> Self {
        Self {
            good: None,
            defective: None,
            batch_pct: vec![1, 2, 4, 5, 10, 20, 25, 50, 100],
            max_consecutive_failures: vec![1, 2, 3, 4, 5],
            order: None,
            rules: None,
            silent_after_sec: None,
            batches: None,
            advance_pct: None,
            approve_before: None,
            bake_sec: None,
            batch_of: None,
            breaker_order: None,
            breaker_scope: None,
            breakers: None,
            growth: None,
            health_timeout_sec: None,
            max_in_flight: None,
            max_unavailable: None,
            min_healthy_sec: None,
            observe_after_sec: None,
            ok_pct: None,
            on_failed: None,
            previous_version_id: None,
            retries: None,
            rollback_batch_pct: None,
            rollback_batches: None,
            rollback_health_timeout_sec: None,
            rollback_max_consecutive_failures: None,
            rounding: None,
            minimise: "duration_sec".into(),
            limits: Vec::new(),
            min_completed: MIN_COMPLETED,
            limit_tolerance: LIMIT_TOLERANCE,
        }
    }
}

impl Tune {
    /// The lists of further keys of `[rollout]`, in an order in which they can be set: what others need comes first.
    pub fn lists(&self) -> impl Iterator<Item = (&'static str, &[Json])> {
        let all = [
            ("silent_after_sec", &self.silent_after_sec),
            ("batches", &self.batches),
            ("advance_pct", &self.advance_pct),
            ("approve_before", &self.approve_before),
            ("bake_sec", &self.bake_sec),
            ("batch_of", &self.batch_of),
            ("breaker_order", &self.breaker_order),
            ("breaker_scope", &self.breaker_scope),
            ("breakers", &self.breakers),
            ("growth", &self.growth),
            ("health_timeout_sec", &self.health_timeout_sec),
            ("max_in_flight", &self.max_in_flight),
            ("max_unavailable", &self.max_unavailable),
            ("min_healthy_sec", &self.min_healthy_sec),
            ("observe_after_sec", &self.observe_after_sec),
            ("ok_pct", &self.ok_pct),
            ("on_failed", &self.on_failed),
            ("previous_version_id", &self.previous_version_id),
            ("retries", &self.retries),
            ("rollback_batch_pct", &self.rollback_batch_pct),
            ("rollback_batches", &self.rollback_batches),
            ("rollback_health_timeout_sec", &self.rollback_health_timeout_sec),
            ("rollback_max_consecutive_failures", &self.rollback_max_consecutive_failures),
            ("rounding", &self.rounding),
        ];
        all.into_iter().filter_map(|(key, list)| Some((key, list.as_deref()?)))
    }
}

/// A list has values as `[rollout]` takes them.
fn of_tune(schema: &mut Schema) {
    let rollout = schemars::schema_for!(Rollout);
    let Some(of_rollout) = rollout.get("properties").and_then(Json::as_object) else { return };
    let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) else { return };
    for (key, property) in properties {
        let is_own = ["batch_pct", "max_consecutive_failures", "order"].contains(&key.as_str());
        let Some(of_one) = of_rollout.get(key).filter(|_| !is_own) else { continue };
        let mut of_one = of_one.clone();
        if let Some(of_one) = of_one.as_object_mut() {
            of_one.remove("default");
            of_one.remove("description");
        }
        let description = property.get("description").cloned();
        *property = json!({"type": "array", "minItems": 1, "items": of_one});
        if let (Some(description), Some(property)) = (description, property.as_object_mut()) {
            property.insert("description".to_owned(), description);
        }
    }
}

/// A limit: the metric is `at_most`, `at_least` or `equals` something.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Limit {
    /// A metric, a rate, or an outcome's share by its name.
    #[schemars(extend("enum" = crate::scenario::metric::names()))]
    pub metric: String,
    /// Which figure of the metric; not for rates. Left out: the mean.
    pub stat: Option<Stat>,
    /// No more than this.
    pub at_most: Option<f64>,
    /// No less than this.
    pub at_least: Option<f64>,
    /// Just this: a number, or an outcome's name for `outcome`.
    pub equals: Option<Expected>,
}

//! What scenarios demand: rules for `check`, limits for `tune`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::event_names;
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
pub(in crate::scenario) struct Tune {
    /// The version that shall be fast. Left out: the target.
    #[schemars(length(min = 1))]
    pub good: Option<String>,
    /// The versions that shall not get far. Left out: all that are `defective`.
    pub defective: Option<Vec<String>>,
    /// The shares of a batch to try, in percent.
    #[schemars(length(min = 1), inner(range(min = 1, max = 100)))]
    pub batch_pct: Vec<u32>,
    /// The limits of failures in a row to try.
    #[schemars(length(min = 1), inner(range(min = 1)))]
    pub max_consecutive_failures: Vec<u32>,
    /// The orders of the plan to try. Left out: the rollout's own.
    #[schemars(length(min = 1))]
    pub order: Option<Vec<RolloutOrder>>,
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
            minimise: "duration_sec".into(),
            limits: Vec::new(),
            min_completed: MIN_COMPLETED,
            limit_tolerance: LIMIT_TOLERANCE,
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

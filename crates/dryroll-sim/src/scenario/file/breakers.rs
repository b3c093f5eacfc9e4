//! Rules that stop a rollout, and numbers that may be shares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::limits::{MAX_SECONDS, MIN_SECONDS};
use dryroll_engine::{BreakerScope, Reason, Then, Whole};

/// A number of instances, or a share such as `"25%"`: above 0 and at most 100 %, with at most three decimals.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum Amount {
    /// So many instances.
    Count(#[schemars(range(min = 1))] u32),
    /// A share.
    Share(#[schemars(extend("pattern" = SHARE))] String),
}

/// A number, or a share such as `"25%"`: above 0 and at most 100 %, with at most three decimals.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum Threshold {
    /// So many.
    Count(u32),
    /// A share.
    Share(#[schemars(extend("pattern" = SHARE))] String),
}

/// How a share is written.
const SHARE: &str = r"^[0-9]+(\.[0-9]{1,3})?%$";

/// A rule that stops the rollout. All rules count; the first one that holds, in the order listed, trips.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::scenario) struct Breaker {
    /// What is counted. Left out: `failed`.
    pub count: Option<Counted>,
    /// Which of them count together, or `sprt`. Left out: `total`.
    pub how: Option<How>,
    /// The count that trips: a number, or a share of `of`; 0 only with `exceeds`.
    pub limit: Option<Threshold>,
    /// What a share is of. Left out: `planned`.
    pub of: Option<Whole>,
    /// The least and the greatest number that a share of the planned comes to.
    #[schemars(length(min = 2, max = 2), inner(range(min = 1)))]
    pub clamp: Option<Vec<u32>>,
    /// Whether the count must be above the limit. Left out: it is enough to reach it.
    pub exceeds: Option<bool>,
    /// `window`: only what counted in the last so many seconds. Required there.
    #[schemars(range(min = MIN_SECONDS, max = MAX_SECONDS))]
    pub window_sec: Option<f64>,
    /// The rule says nothing before so many instances are judged. Left out: 0.
    pub after_judged: Option<u32>,
    /// The rule says nothing once this share of the planned is judged, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub until_pct: Option<u32>,
    /// When the rule is judged. Left out: `verdict`.
    pub check: Option<CheckAt>,
    /// Counts only failures with these reasons. Left out: all.
    #[schemars(length(min = 1))]
    pub reasons: Option<Vec<Reason>>,
    /// How far a count reaches. Left out: as `breaker_scope`.
    pub scope: Option<BreakerScope>,
    /// What follows. Left out: `ask`.
    pub then: Option<Then>,
    /// A rule of its own, with `then` alone: nobody got a healthy verdict for so long.
    #[schemars(range(min = MIN_SECONDS, max = MAX_SECONDS))]
    pub no_progress_sec: Option<f64>,
    /// `sprt`: the failure rate of a good version, above 0. Required there.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub good: Option<f64>,
    /// `sprt`: the failure rate of a bad version, above `good` and below 1. Required there.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub bad: Option<f64>,
    /// `sprt`: the chance to trip on a good version, between 0 and 1. Required there.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub alpha: Option<f64>,
    /// `sprt`: the chance to pass a bad version, between 0 and 1; `alpha` + `beta` is below 1. Required there.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub beta: Option<f64>,
}

/// What a rule counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum Counted {
    /// Failed verdicts, relapses among them.
    #[default]
    Failed,
    /// Completed batches whose healthy share is below `ok_pct`; only `in_a_row`.
    FailedBatches,
    /// Planned instances that are unwell and not in flight; only with `check = "batch_start"` and `silent_after_sec`.
    Unwell,
}

/// Which counts add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum How {
    /// All so far.
    #[default]
    Total,
    /// Those since the last success.
    InARow,
    /// Those of the last `window_sec`, its begin excluded.
    Window,
    /// Wald's sequential test of the failure rate: `bad` against `good`.
    Sprt,
}

/// When a rule is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum CheckAt {
    /// At every verdict.
    #[default]
    Verdict,
    /// When a batch is completed.
    BatchEnd,
    /// On the tick that would begin a batch; only with `count = "unwell"`.
    BatchStart,
}

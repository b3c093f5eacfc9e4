//! The person at the console.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Duration;
use crate::scenario::PromotionDecision;
use crate::scenario::limits::MAX_SECONDS;
use dryroll_engine::OperatorDecision;

/// The person at the console.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::scenario) struct Operator {
    /// How long each answer to the first request takes.
    pub approval_delay_sec: Duration,
    /// How long the first request waits for an answer.
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub approval_expires_sec: f64,
    /// Whether the answer is yes.
    pub approves: bool,
    /// An edit made once, after `approval_delay_sec`; the answer follows after one more delay. Left out: none.
    pub edit: Option<Edit>,
    /// What is decided on the first trip, the second, …, of rollbacks too; the last repeats.
    pub on_trip: OnTrip,
    /// How long each decision on a trip takes.
    pub decision_delay_sec: Duration,
    /// How long each answer to a promotion takes.
    pub promotion_delay_sec: Duration,
    /// What is answered to the first promotion, the second, …; the last repeats.
    pub on_promotion: OnPromotion,
}

impl Default for Operator {
    fn default() -> Self {
        Self {
            approval_delay_sec: Duration::Constant(0.0),
            approval_expires_sec: 86_400.0,
            approves: true,
            edit: None,
            on_trip: OnTrip::Always(OperatorDecision::Abort),
            decision_delay_sec: Duration::Constant(0.0),
            promotion_delay_sec: Duration::Constant(0.0),
            on_promotion: OnPromotion::Always(PromotionDecision::Promote),
        }
    }
}

/// What an edit changes; at least one of the two.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(in crate::scenario) struct Edit {
    /// The new share of a batch, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub batch_pct: Option<u32>,
    /// The new limit of failures in a row.
    #[schemars(range(min = 1))]
    pub max_consecutive_failures: Option<u32>,
}

/// One decision for every trip, or a list: the first trip, the second, …
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum OnTrip {
    /// The same decision on every trip.
    Always(OperatorDecision),
    /// The first trip, the second, …; the last repeats.
    InTurn(#[schemars(length(min = 1))] Vec<OperatorDecision>),
}

/// One answer for every promotion, or a list: the first promotion, the second, …
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum OnPromotion {
    /// The same answer to every promotion.
    Always(PromotionDecision),
    /// The first promotion, the second, …; the last repeats.
    InTurn(#[schemars(length(min = 1))] Vec<PromotionDecision>),
}

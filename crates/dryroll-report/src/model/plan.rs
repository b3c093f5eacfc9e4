//! A plan as the skill answers it: the tutorial's keys in the tutorial's order. A run report has one too.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use dryroll_engine::BatchPhase;
use dryroll_sim::scenario::Advice;

/// A plan; what an older report leaves out is 0 or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanReport {
    /// Planned instances.
    pub total_instances: u64,
    /// Instances a batch.
    pub batch_size: u64,
    /// Batches.
    pub batch_count: u64,
    /// What it promises at most.
    #[serde(serialize_with = "seconds")]
    pub estimated_total_seconds: f64,
    /// What `max_in_flight` makes of that, where it makes a difference.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_seconds")]
    pub estimated_total_seconds_in_flight: Option<f64>,
    /// What a good day takes, of a policy with more than the tutorial's keys.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_seconds")]
    pub estimated_likely_seconds: Option<f64>,
    /// The limit that it is walked with.
    pub circuit_breaker: BreakerLimit,
    /// Its batches, in order.
    pub batches: Vec<PlannedBatch>,
    /// The request that asks for it; null where nobody is asked.
    pub approval_request_id: Option<String>,
    /// Instances that are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_instance_ids: Vec<String>,
    /// About the scenario.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
}

/// The limit of a circuit breaker, and further rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakerLimit {
    /// So many failures in a row trip it.
    pub max_consecutive_failures: Option<u32>,
    /// The rules of `breakers`, as a scenario file has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Value>,
}

/// A batch of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBatch {
    /// Its index.
    pub index: u32,
    /// Its instances, in the order in which they are commanded.
    pub instance_ids: Vec<String>,
    /// Where it stands.
    pub phase: BatchPhase,
}

/// Seconds as an integer where they are whole.
fn seconds<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    // Exact below.
    const MOST: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && (0.0..=MOST).contains(value) {
        serializer.serialize_u64(*value as u64)
    } else {
        serializer.serialize_f64(*value)
    }
}

fn some_seconds<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => seconds(value, serializer),
        None => serializer.serialize_none(),
    }
}

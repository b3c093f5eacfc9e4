//! The timeline of one run as data: what each instance did when, with batches, breaker and decisions. Made to be drawn.

use serde::{Deserialize, Serialize};

/// A run, instance by instance. Times are milliseconds from the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// When the run ended.
    pub end_ms: u64,
    /// Planned instances.
    pub total_instances: u32,
    /// Rows, in plan order: all instances, or evenly spaced ones of a large fleet.
    pub instances: Vec<Row>,
    /// Batches of the rollout and of its rollback.
    pub batches: Vec<Batch>,
    /// Failed verdicts, in order; of more than 1000 the first. Empty in older reports.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// How many there are in all.
    #[serde(default)]
    pub failed_verdicts: u64,
    /// Trips, in order.
    pub trips: Vec<Trip>,
    /// The breaker's count of failures in a row whenever it changed.
    pub breaker: Vec<(u64, u32)>,
    /// The count that trips it.
    pub limit: u32,
    /// Requests to a person and their answers.
    pub requests: Vec<Request>,
    /// Injected faults.
    pub faults: Vec<FaultSpan>,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// What it did from when, up to the next one's beginning.
    pub segments: Vec<(u64, State)>,
}

/// What an instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Serves with the previous version.
    Previous,
    /// Is being upgraded, or rolled back.
    Upgrading,
    /// Serves with the target version.
    Target,
    /// Its upgrade failed: serves with what it had, and says so.
    Failed,
    /// Runs the new version, and is not well.
    Unhealthy,
    /// Its upgrade hangs: silent.
    Hung,
    /// Died of its version: silent.
    Crashed,
    /// Killed, or died in the background: silent.
    Dead,
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Its index.
    pub index: u32,
    /// Whether it is one of the rollback.
    pub rollback: bool,
    /// When it began.
    pub from_ms: u64,
    /// When it was complete, or the run ended.
    pub to_ms: u64,
    /// Healthy verdicts.
    pub healthy_count: u32,
    /// Failed ones.
    pub failed_count: u32,
}

/// A failed verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Milliseconds from the request.
    pub at_ms: u64,
    /// Of which instance.
    pub instance_id: String,
    /// In which batch.
    pub batch_index: u32,
    /// Whether it is one of the rollback.
    pub rollback: bool,
    /// Why: `upgrade_failed` or `health_timeout`.
    pub reason: String,
}

/// A trip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    /// Milliseconds from the request.
    pub at_ms: u64,
    /// In which batch.
    #[serde(default)]
    pub batch_index: u32,
    /// Whether it is one of the rollback.
    #[serde(default)]
    pub rollback: bool,
    /// The instances of the run that tripped it.
    pub failed_instance_ids: Vec<String>,
    /// What was decided.
    pub decision: Option<String>,
    /// When it was decided, in milliseconds from the request.
    pub decided_at_ms: Option<u64>,
}

/// A request to a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// When it was opened.
    pub from_ms: u64,
    /// When it was answered, or the run ended.
    pub to_ms: u64,
    /// The answer, in one word.
    pub answer: String,
}

/// An injected fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultSpan {
    /// What it does.
    pub kind: String,
    /// Its first millisecond.
    pub from_ms: u64,
    /// The first one after it, or the run's end.
    pub to_ms: u64,
    /// How many instances it touched.
    pub touched_instances: u32,
}

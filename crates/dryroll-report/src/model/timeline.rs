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
    /// Attempts that failed and were followed by another, in order; of more than 1000 the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retries: Vec<Retry>,
    /// Bakes that the rollout waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bakes: Vec<Bake>,
    /// Trips, in order.
    pub trips: Vec<Trip>,
    /// What rules noted, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The breaker's count of failures in a row whenever it changed.
    pub breaker: Vec<(u64, u32)>,
    /// The count that trips it; 0 where no number of failures in a row does.
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
    /// Its upgrade bricked it: silent for good.
    Bricked,
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
    /// Why: `upgrade_failed`, `health_timeout` or `relapsed`.
    pub reason: String,
    /// Of a relapse: `unhealthy` or `silent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relapse: Option<String>,
}

/// A failed attempt that was followed by another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Milliseconds from the request.
    pub at_ms: u64,
    /// Of which instance.
    pub instance_id: String,
    /// In which batch.
    pub batch_index: u32,
    /// Whether it is one of the rollback.
    pub rollback: bool,
    /// The attempt that begins: 1 is the first retry.
    pub attempt: u32,
    /// Why the attempt before failed.
    pub reason: String,
}

/// A bake that the rollout waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bake {
    /// Of which batch.
    pub batch_index: u32,
    /// When it began.
    pub from_ms: u64,
    /// When it was over, or a trip or the end made it void.
    pub to_ms: u64,
}

/// What a rule noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Milliseconds from the request.
    pub at_ms: u64,
    /// In which batch.
    pub batch_index: u32,
    /// The instances that the rule counted.
    pub failed_instance_ids: Vec<String>,
    /// Which rule, and what it found.
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
    /// The instances that the rule counted.
    pub failed_instance_ids: Vec<String>,
    /// Of a rule of `breakers`: which, and what it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What followed where nobody is asked: `abort` or `roll_back`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
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
    /// Of a promotion: the batch that waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotes: Option<u32>,
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

impl Trip {
    /// What tripped, in words: `2 failed in a row`, or what the rule found.
    #[must_use]
    pub fn says(&self) -> String {
        self.reason.clone().unwrap_or_else(|| format!("{} failed in a row", self.failed_instance_ids.len()))
    }

    /// What followed, in words.
    #[must_use]
    pub fn followed(&self) -> String {
        match (&self.decision, self.then.as_deref()) {
            (Some(decision), _) => decision.replace('_', " "),
            (None, Some("abort")) => "aborted by the rule".to_owned(),
            (None, Some("roll_back")) => "rolled back by the rule".to_owned(),
            (None, _) => "no decision".to_owned(),
        }
    }
}

impl Failure {
    /// Why, in words.
    #[must_use]
    pub fn says(&self) -> String {
        match (self.reason.as_str(), &self.relapse) {
            ("upgrade_failed", _) => "upgrade failed: the instance reported it".to_owned(),
            ("health_timeout", _) => "health timeout: nothing healthy was heard in time".to_owned(),
            ("relapsed", Some(relapse)) => format!("relapsed: it was healthy, and is {relapse} since"),
            (other, _) => other.to_owned(),
        }
    }
}

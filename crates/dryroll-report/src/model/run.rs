//! The run report: `dryroll.run/1`. One rollout, whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::judge::harm::HarmGoesOn;
use crate::model::ScenarioRef;
use crate::model::keys::Keys;
use crate::model::plan::PlanReport;
use crate::model::timeline::Timeline;
use dryroll_sim::scenario::{Advice, Metric};
use dryroll_sim::text::Foreign;
use dryroll_study::study::Policy;

/// One rollout, whole. What an older report leaves out is empty, and not shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunReport {
    /// `dryroll.run/1`
    pub schema: Foreign,
    /// Of which scenario.
    pub scenario: ScenarioRef,
    /// The seed.
    pub seed: u64,
    /// Which replicate.
    pub replicate: u64,
    /// The command that runs it again.
    #[serde(skip_serializing_if = "Foreign::is_empty")]
    pub command: Foreign,
    /// The policy, key by key.
    pub policy: Keys,
    /// The version that was rolled out.
    pub version: Foreign,
    /// The plan as it was walked.
    pub plan: PlanReport,
    /// The batches of the rollout, as they ended.
    pub batches: Vec<BatchReport>,
    /// The trips, those of the rollback too.
    pub trips: Vec<TripReport>,
    /// The bakes that the rollout waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bakes: Vec<BakeReport>,
    /// The promotions that were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<PromotionReport>,
    /// What rules noted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteReport>,
    /// What the run cost, in truth.
    pub metrics: RunMetrics,
    /// Harm that goes on at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harm_goes_on: Option<HarmGoesOn>,
    /// The rollback; null where none began.
    pub rollback: Option<RollbackReport>,
    /// What each fault did.
    pub faults: Vec<FaultReport>,
    /// About the scenario.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
    /// What each instance did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
}

impl RunReport {
    /// Its policy; `None` where an older report has not all of its keys.
    #[must_use]
    pub fn policy(&self) -> Option<Policy> {
        serde_json::to_value(&self.policy).and_then(serde_json::from_value).ok()
    }
}

/// A batch as it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchReport {
    /// Its index.
    pub index: u32,
    /// When it began.
    pub started_at_ms: u64,
    /// When all had their verdicts; null where they never did.
    pub completed_at_ms: Option<u64>,
    /// Healthy verdicts.
    pub healthy_count: u64,
    /// Failed ones; relapses are among them.
    pub failed_count: u64,
    /// Healthy verdicts that turned to failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub relapsed_count: u64,
    /// How often an instance was commanded again.
    #[serde(skip_serializing_if = "is_zero")]
    pub retried_count: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A bake that the rollout waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BakeReport {
    /// Of which batch.
    pub batch_index: u32,
    /// When it began.
    pub started_at_ms: u64,
    /// When it was over, or a trip or the end made it void.
    pub ended_at_ms: u64,
}

/// A promotion that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromotionReport {
    /// The request.
    pub approval_request_id: String,
    /// The batch that waited for it.
    pub batch_index: u32,
    /// When it was asked for.
    pub asked_at_ms: u64,
    /// The answer; `void` where a trip made it so, null where nobody answered.
    pub decision: Option<String>,
    /// When it was given.
    pub decided_at_ms: Option<u64>,
}

/// What a rule noted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoteReport {
    /// When.
    pub at_ms: u64,
    /// In which batch.
    pub batch_index: u32,
    /// The instances that the rule counted.
    pub failed_instance_ids: Vec<String>,
    /// Which rule, and what it found.
    pub reason: String,
}

/// A trip of the breaker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TripReport {
    /// When.
    pub at_ms: u64,
    /// In which batch.
    pub batch_index: u32,
    /// The instances that the rule counted.
    pub failed_instance_ids: Vec<String>,
    /// Of a rule of `breakers`: which, and what it found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What followed where nobody is asked: `abort` or `roll_back`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// What was decided; null where nothing was.
    pub decision: Option<String>,
    /// When.
    pub decided_at_ms: Option<u64>,
    /// In which rollout.
    pub rollout_id: String,
}

/// A rollback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RollbackReport {
    /// Its id.
    pub rollout_id: String,
    /// Its batches, as they ended.
    pub batches: Vec<BatchReport>,
}

/// What a fault did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FaultReport {
    /// Which of the scenario's faults, from 0.
    pub fault: usize,
    /// What it does.
    pub kind: Foreign,
    /// When it began; null where it never did.
    pub started_at_ms: Option<u64>,
    /// When it ended, or the run did.
    pub ended_at_ms: Option<u64>,
    /// How many planned instances it made a difference to.
    pub touched_instances: u64,
    /// A fault that made no difference at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// The metrics of a run, by their names; an older report has fewer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunMetrics(pub Keys);

impl RunMetrics {
    /// How the run ended.
    #[must_use]
    pub fn outcome(&self) -> Option<&str> {
        self.0.get("outcome").and_then(Value::as_str)
    }

    /// What was decided on the trips, in order.
    #[must_use]
    pub fn decisions(&self) -> Vec<&str> {
        let list = self.0.get("decisions").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// A figure; `None` where the run has none.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<f64> {
        self.0.get(metric.name()).and_then(Value::as_f64)
    }

    /// A number of things; `None` where the run has none.
    #[must_use]
    pub fn count(&self, metric: Metric) -> Option<u64> {
        self.0.get(metric.name()).and_then(Value::as_u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again_byte_for_byte() {
        let text = "{\"schema\":\"dryroll.run/1\",\"scenario\":{\"name\":\"a\",\"hash\":\"b\",\"module\":\"m\",\
                    \"fleet\":\"f\",\"instances\":2,\"world\":\"w\",\"rates\":{}},\"seed\":18446744073709551615,\
                    \"replicate\":3,\"command\":\"dryroll run\",\"policy\":{\"batch_pct\":50,\"a\":null},\
                    \"version\":\"v\",\"plan\":{\"total_instances\":2,\"batch_size\":1,\"batch_count\":2,\
                    \"estimated_total_seconds\":600,\"estimated_total_seconds_in_flight\":300.5,\
                    \"circuit_breaker\":{\"max_consecutive_failures\":3},\"batches\":[{\"index\":0,\
                    \"instance_ids\":[\"i-1\"],\"phase\":\"rolled_back\"}],\"approval_request_id\":null},\
                    \"batches\":[{\"index\":0,\"started_at_ms\":1,\"completed_at_ms\":null,\"healthy_count\":1,\
                    \"failed_count\":0}],\"trips\":[{\"at_ms\":1,\"batch_index\":0,\"failed_instance_ids\":[\"i-1\"],\
                    \"decision\":\"abort\",\"decided_at_ms\":2,\"rollout_id\":\"r-1\"}],\"metrics\":{\
                    \"outcome\":\"aborted\",\"trips\":1,\"decisions\":[\"abort\"],\"duration_sec\":0.25,\
                    \"blast_radius_pct\":null,\"drift\":true},\"rollback\":null,\"faults\":[{\"fault\":0,\
                    \"kind\":\"kill\",\"started_at_ms\":null,\"ended_at_ms\":null,\"touched_instances\":0,\
                    \"warning\":\"touched nothing\"}]}";
        let report: RunReport = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&report).unwrap(), text);
        assert_eq!(report.metrics.outcome(), Some("aborted"));
        assert_eq!(report.metrics.decisions(), ["abort"]);
        assert_eq!(report.metrics.figure(Metric::DurationSec), Some(0.25));
        assert_eq!(report.metrics.figure(Metric::BlastRadiusPct), None);
        assert_eq!(report.policy(), None);
    }
}

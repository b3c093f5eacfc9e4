//! The run report: one rollout, whole.

use serde::Serialize;

use crate::events::chronicle::{BatchRecord, Chronicle, TripRecord};
use crate::judge::harm::HarmGoesOn;
use crate::model::ScenarioRef;
use crate::model::plan::PlanAnswer;
use crate::model::timeline::Timeline;
use dryroll_engine::RolloutId;
use dryroll_engine::fleet::InstanceNames;
use dryroll_sim::scenario::{Advice, Scenario};
use dryroll_sim::sim::{FaultEffect, Metrics, Simulator};
use dryroll_study::study::Policy;

#[derive(Clone, Debug, Serialize)]
struct Batch {
    index: u32,
    started_at_ms: u64,
    completed_at_ms: Option<u64>,
    healthy_count: u32,
    failed_count: u32,
}

impl Batch {
    fn new(record: &BatchRecord) -> Self {
        Self {
            index: record.index,
            started_at_ms: record.started_at.0,
            completed_at_ms: record.completed_at.map(|at| at.0),
            healthy_count: record.healthy_count,
            failed_count: record.failed_count,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Trip {
    at_ms: u64,
    batch_index: u32,
    failed_instance_ids: Vec<String>,
    decision: Option<&'static str>,
    decided_at_ms: Option<u64>,
    rollout_id: String,
}

impl Trip {
    fn new(record: &TripRecord, names: InstanceNames) -> Self {
        Self {
            at_ms: record.at.0,
            batch_index: record.batch_index,
            failed_instance_ids: record.failed.iter().map(|&id| names.name(id).to_string()).collect(),
            decision: record.decided.map(|(decision, _)| decision.name()),
            decided_at_ms: record.decided.map(|(_, at)| at.0),
            rollout_id: record.rollout.to_string(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Rollback {
    rollout_id: String,
    batches: Vec<Batch>,
}

/// What a fault did, in a report.
#[derive(Clone, Debug, Serialize)]
pub struct FaultReport {
    /// Which of the scenario's faults, from 0.
    pub fault: usize,
    /// What it does.
    pub kind: &'static str,
    /// When it began; null where it never did.
    pub started_at_ms: Option<u64>,
    /// When it ended, or the run did.
    pub ended_at_ms: Option<u64>,
    /// How many planned instances it made a difference to.
    pub touched_instances: u32,
    /// A fault that made no difference at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<&'static str>,
}

impl FaultReport {
    /// What each fault did, as the scenario lists them.
    #[must_use]
    pub fn all(effects: &[FaultEffect]) -> Vec<Self> {
        effects.iter().enumerate().map(|(fault, effect)| Self::new(fault, effect)).collect()
    }

    fn new(fault: usize, effect: &FaultEffect) -> Self {
        let warning = match effect.window {
            _ if effect.touched => None,
            None => Some("never began: its moment or its event did not come"),
            Some(_) => Some("touched nothing"),
        };
        Self {
            fault,
            kind: effect.kind,
            started_at_ms: effect.window.map(|window| window.start),
            ended_at_ms: effect.window.map(|window| window.end),
            touched_instances: effect.touched_instances,
            warning,
        }
    }
}

/// One rollout, whole: `dryroll.run/1`.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport<'a> {
    schema: &'static str,
    scenario: ScenarioRef,
    seed: u64,
    replicate: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    policy: Policy,
    version: &'a str,
    plan: PlanAnswer<'a>,
    batches: Vec<Batch>,
    trips: Vec<Trip>,
    metrics: &'a Metrics,
    #[serde(skip_serializing_if = "Option::is_none")]
    harm_goes_on: Option<HarmGoesOn>,
    rollback: Option<Rollback>,
    faults: Vec<FaultReport>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    advice: &'a [Advice],
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Timeline>,
}

impl<'a> RunReport<'a> {
    /// The report of a run that is over.
    #[must_use]
    pub fn new(
        scenario: &'a Scenario,
        simulator: &'a Simulator<'_>,
        chronicle: &Chronicle,
        metrics: &'a Metrics,
        effects: &[FaultEffect],
    ) -> Self {
        let names = scenario.fleet.names();
        let batches = |first: bool| -> Vec<Batch> {
            let of_it = |batch: &&BatchRecord| (batch.rollout == RolloutId::FIRST) == first;
            chronicle.batches.iter().filter(of_it).map(Batch::new).collect()
        };
        let rollback = metrics_rollback(simulator).map(|rollout_id| Rollback { rollout_id, batches: batches(false) });
        Self {
            schema: "dryroll.run/1",
            scenario: ScenarioRef::of(scenario),
            seed: simulator.compiled().seed,
            replicate: simulator.replicate(),
            command: None,
            policy: Policy::of(scenario),
            version: scenario.target().id.raw(),
            plan: PlanAnswer::walked(simulator.engine(), names),
            batches: batches(true),
            trips: chronicle.trips.iter().map(|trip| Trip::new(trip, names)).collect(),
            metrics,
            harm_goes_on: HarmGoesOn::of(metrics, scenario.rollout.observe_after),
            rollback,
            faults: FaultReport::all(effects),
            advice: &[],
            timeline: None,
        }
    }

    /// With the command that runs it again.
    #[must_use]
    pub fn with_command(self, command: String) -> Self {
        Self { command: Some(command), ..self }
    }

    /// With advice about the scenario.
    #[must_use]
    pub fn with_advice(self, advice: &'a [Advice]) -> Self {
        Self { advice, ..self }
    }

    /// With a timeline of the run, so that a page can draw it.
    #[must_use]
    pub fn with_timeline(self, timeline: Timeline) -> Self {
        Self { timeline: Some(timeline), ..self }
    }
}

/// The rollback's id, where one began.
fn metrics_rollback(simulator: &Simulator<'_>) -> Option<String> {
    (simulator.engine().direction() == dryroll_engine::Direction::Back).then(|| RolloutId(2).to_string())
}

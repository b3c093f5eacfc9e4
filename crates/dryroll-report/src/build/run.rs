//! A run report from a run that is over.

use dryroll_engine::fleet::InstanceNames;
use dryroll_engine::{Direction, RolloutId};
use dryroll_sim::scenario::{Advice, Scenario};
use dryroll_sim::sim::{FaultEffect, Metrics, Simulator};
use dryroll_study::study::Policy;

use crate::events::chronicle::{BatchRecord, Chronicle, TripRecord};
use crate::judge::harm::HarmGoesOn;
use crate::model::ScenarioRef;
use crate::model::keys::Keys;
use crate::model::plan::PlanReport;
use crate::model::run::{BatchReport, FaultReport, RollbackReport, RunMetrics, RunReport, TripReport};
use crate::model::timeline::Timeline;

impl RunReport {
    /// The report of a run that is over.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        simulator: &Simulator<'_>,
        chronicle: &Chronicle,
        metrics: &Metrics,
        effects: &[FaultEffect],
    ) -> Self {
        let names = scenario.fleet.names();
        let batches = |first: bool| -> Vec<BatchReport> {
            let of_it = |batch: &&BatchRecord| (batch.rollout == RolloutId::FIRST) == first;
            chronicle.batches.iter().filter(of_it).map(BatchReport::from).collect()
        };
        let rollback = (simulator.engine().direction() == Direction::Back)
            .then(|| RollbackReport { rollout_id: RolloutId(2).to_string(), batches: batches(false) });
        Self {
            schema: "dryroll.run/1".into(),
            scenario: ScenarioRef::of(scenario),
            seed: simulator.compiled().seed,
            replicate: simulator.replicate(),
            command: String::new().into(),
            policy: Keys::of(&Policy::of(scenario)),
            version: scenario.target().id.clone(),
            plan: PlanReport::walked(simulator.engine(), names).with_rules(scenario),
            batches: batches(true),
            trips: chronicle.trips.iter().map(|trip| TripReport::new(trip, names)).collect(),
            metrics: RunMetrics(Keys::of(metrics)),
            harm_goes_on: HarmGoesOn::of(metrics, scenario.rollout.observe_after),
            rollback,
            faults: FaultReport::all(effects),
            advice: Vec::new(),
            timeline: None,
        }
    }

    /// With the command that runs it again.
    #[must_use]
    pub fn with_command(self, command: String) -> Self {
        Self { command: command.into(), ..self }
    }

    /// With advice about the scenario.
    #[must_use]
    pub fn with_advice(self, advice: &[Advice]) -> Self {
        Self { advice: advice.to_vec(), ..self }
    }

    /// With a timeline of the run, so that a page can draw it.
    #[must_use]
    pub fn with_timeline(self, timeline: Timeline) -> Self {
        Self { timeline: Some(timeline), ..self }
    }
}

impl From<&BatchRecord> for BatchReport {
    fn from(record: &BatchRecord) -> Self {
        Self {
            index: record.index,
            started_at_ms: record.started_at.0,
            completed_at_ms: record.completed_at.map(|at| at.0),
            healthy_count: u64::from(record.healthy_count),
            failed_count: u64::from(record.failed_count),
        }
    }
}

impl TripReport {
    fn new(record: &TripRecord, names: InstanceNames) -> Self {
        Self {
            at_ms: record.at.0,
            batch_index: record.batch_index,
            failed_instance_ids: record.failed.iter().map(|&id| names.name(id).to_string()).collect(),
            decision: record.decided.map(|(decision, _)| decision.name().to_owned()),
            decided_at_ms: record.decided.map(|(_, at)| at.0),
            rollout_id: record.rollout.to_string(),
        }
    }
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
            kind: effect.kind.into(),
            started_at_ms: effect.window.map(|window| window.start.0),
            ended_at_ms: effect.window.map(|window| window.end.0),
            touched_instances: u64::from(effect.touched_instances),
            warning: warning.map(str::to_owned),
        }
    }
}

//! A plan's report from the plan, before it is walked or after.

pub mod explain;

use std::num::NonZeroU32;

use serde_json::Value;

use dryroll_engine::fleet::{InstanceNames, Span};
use dryroll_engine::{BatchPhase, Engine, InterventionPolicy, Plan, Settings};
use dryroll_sim::scenario::{Advice, Scenario};
use dryroll_sim::sim::CompiledScenario;

use crate::judge::forecast;
use crate::model::plan::{BreakerLimit, PlanReport, PlannedBatch};

impl PlanReport {
    /// The answer to a request: all batches are pending, as they are if every batch succeeds.
    #[must_use]
    pub fn asked(scenario: &Scenario, compiled: &CompiledScenario) -> Self {
        let limit = compiled.settings.max_consecutive_failures.map(NonZeroU32::get);
        let report = Self::with(&compiled.plan, &compiled.settings, limit, compiled.names, |_| BatchPhase::Pending);
        Self {
            estimated_likely_seconds: forecast::likely(scenario, compiled).map(Span::as_secs_f64),
            ..report.with_rules(scenario)
        }
    }

    /// With the rules of the policy beside failures in a row.
    #[must_use]
    pub fn with_rules(mut self, scenario: &Scenario) -> Self {
        if let Some(Value::Array(rules)) = scenario.rollout.beyond_tutorial().remove("breakers") {
            self.circuit_breaker.rules = rules;
        }
        self
    }

    /// The plan that an engine walked, with the phases that it left.
    #[must_use]
    pub fn walked(engine: &Engine, names: InstanceNames) -> Self {
        let limit = engine.breaker().map(|(_, limit)| limit);
        Self::with(engine.plan(), engine.settings(), limit, names, |index| engine.batch_phase(index))
    }

    /// With advice about the scenario.
    #[must_use]
    pub fn with_advice(self, advice: Vec<Advice>) -> Self {
        Self { advice, ..self }
    }

    fn with(
        plan: &Plan,
        settings: &Settings,
        limit: Option<u32>,
        names: InstanceNames,
        phase: impl Fn(u32) -> BatchPhase,
    ) -> Self {
        let name = |id| names.name(id).to_string();
        let batch = |index| PlannedBatch {
            index,
            instance_ids: plan.batch(index).map(|position| name(plan.order.instance(position))).collect(),
            phase: phase(index),
        };
        let asks = settings.policy == InterventionPolicy::RequireApproval && plan.total_instances() > 0;
        Self {
            total_instances: u64::from(plan.total_instances()),
            batch_size: u64::from(plan.batch_size()),
            batch_count: u64::from(plan.batch_count()),
            estimated_total_seconds: forecast::estimated_total(plan, settings).as_secs_f64(),
            estimated_total_seconds_in_flight: forecast::in_flight(plan, settings)
                .map(|(waits, _)| waits.as_secs_f64()),
            estimated_likely_seconds: None,
            circuit_breaker: BreakerLimit { max_consecutive_failures: limit, rules: Vec::new() },
            batches: (0..plan.batch_count()).map(batch).collect(),
            approval_request_id: asks.then(|| "a-1".to_owned()),
            skipped_instance_ids: plan.skipped.iter().map(|&id| name(id)).collect(),
            advice: Vec::new(),
        }
    }
}

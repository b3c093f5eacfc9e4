//! The skill's answer: the plan, with the tutorial's keys in the tutorial's order.

use std::num::NonZeroU32;

use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use dryroll_engine::fleet::{InstanceNames, Span};
use dryroll_engine::{BatchPhase, Engine, InterventionPolicy, Plan, Settings};
use dryroll_sim::scenario::Advice;

/// A plan as the skill answers it.
#[derive(Clone, Copy, Debug)]
pub struct PlanAnswer<'a> {
    plan: &'a Plan,
    health_timeout: Span,
    limit: u32,
    names: InstanceNames,
    asks: bool,
    /// Where its batches stand; all pending before a run.
    engine: Option<&'a Engine>,
    max_in_flight: Option<NonZeroU32>,
    /// About the scenario.
    advice: &'a [Advice],
}

impl<'a> PlanAnswer<'a> {
    /// The answer to a request.
    #[must_use]
    pub fn new(plan: &'a Plan, settings: &Settings, names: InstanceNames) -> Self {
        Self {
            plan,
            health_timeout: settings.health_timeout,
            limit: settings.max_consecutive_failures.get(),
            names,
            asks: settings.policy == InterventionPolicy::RequireApproval && plan.total_instances() > 0,
            engine: None,
            max_in_flight: settings.max_in_flight,
            advice: &[],
        }
    }

    /// The plan that an engine walked, with the phases that it left.
    #[must_use]
    pub fn walked(engine: &'a Engine, names: InstanceNames) -> Self {
        let answer = Self::new(engine.plan(), engine.settings(), names);
        Self { limit: engine.breaker().1, engine: Some(engine), ..answer }
    }

    /// With advice about the scenario.
    #[must_use]
    pub fn with_advice(self, advice: &'a [Advice]) -> Self {
        Self { advice, ..self }
    }

    /// What `max_in_flight` makes of the estimate, where it makes a difference.
    #[must_use]
    pub fn estimated_in_flight(&self) -> Option<Span> {
        let most = self.max_in_flight?;
        let waits = self.plan.estimated_in_flight(self.health_timeout, most);
        (waits != self.estimated_total()).then_some(waits)
    }

    /// `batch_count × health_timeout`.
    #[must_use]
    pub fn estimated_total(&self) -> Span {
        self.plan.estimated_total(self.health_timeout)
    }
}

struct Seconds(Span);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        dryroll_study::study::policy::seconds(&self.0, serializer)
    }
}

impl Serialize for PlanAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct CircuitBreaker {
            max_consecutive_failures: u32,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("total_instances", &self.plan.total_instances())?;
        map.serialize_entry("batch_size", &self.plan.batch_size)?;
        map.serialize_entry("batch_count", &self.plan.batch_count())?;
        map.serialize_entry("estimated_total_seconds", &Seconds(self.estimated_total()))?;
        if let Some(waits) = self.estimated_in_flight() {
            map.serialize_entry("estimated_total_seconds_in_flight", &Seconds(waits))?;
        }
        map.serialize_entry("circuit_breaker", &CircuitBreaker { max_consecutive_failures: self.limit })?;
        map.serialize_entry("batches", &Batches(*self))?;
        map.serialize_entry("approval_request_id", &self.asks.then_some("a-1"))?;
        if !self.plan.skipped.is_empty() {
            let skipped: Vec<_> = self.plan.skipped.iter().map(|&id| self.names.name(id)).collect();
            map.serialize_entry("skipped_instance_ids", &skipped)?;
        }
        if !self.advice.is_empty() {
            map.serialize_entry("advice", self.advice)?;
        }
        map.end()
    }
}

struct Batches<'a>(PlanAnswer<'a>);

impl Serialize for Batches<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let count = self.0.plan.batch_count();
        let mut list = serializer.serialize_seq(Some(count as usize))?;
        for index in 0..count {
            list.serialize_element(&Batch { answer: self.0, index })?;
        }
        list.end()
    }
}

struct Batch<'a> {
    answer: PlanAnswer<'a>,
    index: u32,
}

impl Serialize for Batch<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let phase = self.answer.engine.map_or(BatchPhase::Pending, |engine| engine.batch_phase(self.index));
        let mut map = serializer.serialize_struct("batch", 3)?;
        map.serialize_field("index", &self.index)?;
        map.serialize_field("instance_ids", &Ids(self))?;
        map.serialize_field("phase", &phase)?;
        map.end()
    }
}

struct Ids<'a>(&'a Batch<'a>);

impl Serialize for Ids<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PlanAnswer { plan, names, .. } = self.0.answer;
        serializer.collect_seq(plan.batch(self.0.index).map(|position| names.name(plan.order.instance(position))))
    }
}

//! The skill's answer: the plan, with the tutorial's keys in the tutorial's order.

use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::engine::{BatchPhase, Engine, InterventionPolicy, Plan, Settings};
use crate::fleet::{InstanceNames, Span};

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
        }
    }

    /// The plan that an engine walked, with the phases that it left.
    #[must_use]
    pub fn walked(engine: &'a Engine, names: InstanceNames) -> Self {
        let answer = Self::new(engine.plan(), engine.settings(), names);
        Self { limit: engine.breaker().1, engine: Some(engine), ..answer }
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
        crate::study::policy::seconds(&self.0, serializer)
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
        map.serialize_entry("circuit_breaker", &CircuitBreaker { max_consecutive_failures: self.limit })?;
        map.serialize_entry("batches", &Batches(*self))?;
        map.serialize_entry("approval_request_id", &self.asks.then_some("a-1"))?;
        if !self.plan.skipped.is_empty() {
            let skipped: Vec<_> = self.plan.skipped.iter().map(|&id| self.names.name(id)).collect();
            map.serialize_entry("skipped_instance_ids", &skipped)?;
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

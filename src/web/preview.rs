//! The figures of a plan, and of one that somebody thinks of.

use std::num::NonZeroU32;

use serde::Serialize;

use crate::drill::{Drill, DrillError};
use crate::engine::{Answer, BreakerOrder, BreakerScope, Edit, Plan, Settings};
use crate::report::PlanAnswer;

/// What a plan comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    pub total_instances: u32,
    pub batch_size: u32,
    pub batch_count: u32,
    pub batch_pct: u32,
    pub max_consecutive_failures: u32,
    pub estimated_total_seconds: f64,
    pub health_timeout_sec: f64,
    pub skipped_instances: usize,
    /// Instances that are commanded before the breaker can trip, if every upgrade fails.
    pub exposed_if_all_fail: u32,
}

impl Figures {
    /// Of the plan as it is.
    pub fn of(drill: &Drill<'_>) -> Self {
        let engine = drill.engine();
        let (_, limit) = engine.breaker();
        let edited = drill.decisions().iter().rev().find_map(|decision| match decision.answer {
            Answer::Edit(edit) => edit.batch_pct,
            _ => None,
        });
        Self::with(engine.plan(), engine.settings(), edited.unwrap_or(engine.settings().batch_pct), limit)
    }

    /// Of the plan as it would be after an edit.
    pub fn after(drill: &Drill<'_>, edit: Edit) -> Result<Self, DrillError> {
        if edit.batch_pct.is_some_and(|pct| !(1..=100).contains(&pct)) {
            return Err(DrillError::Edit);
        }
        let engine = drill.engine();
        let now = Self::of(drill);
        let pct = edit.batch_pct.unwrap_or(now.batch_pct);
        let limit = edit.max_consecutive_failures.map_or(now.max_consecutive_failures, NonZeroU32::get);
        let plan = Plan::new(engine.plan().order.clone(), engine.plan().skipped.clone(), pct);
        Ok(Self::with(&plan, engine.settings(), pct, limit))
    }

    fn with(plan: &Plan, settings: &Settings, batch_pct: u32, limit: u32) -> Self {
        let names = crate::fleet::InstanceNames::new(plan.total_instances());
        let estimate = PlanAnswer::new(plan, settings, names).estimated_total();
        Self {
            total_instances: plan.total_instances(),
            batch_size: plan.batch_size,
            batch_count: plan.batch_count(),
            batch_pct,
            max_consecutive_failures: limit,
            estimated_total_seconds: estimate.as_secs_f64(),
            health_timeout_sec: settings.health_timeout.as_secs_f64(),
            skipped_instances: plan.skipped.len(),
            exposed_if_all_fail: exposed_if_all_fail(plan, settings, limit),
        }
    }
}

/// How many instances are commanded before the breaker trips, if every verdict is a failure.
fn exposed_if_all_fail(plan: &Plan, settings: &Settings, limit: u32) -> u32 {
    let (total, size) = (plan.total_instances(), plan.batch_size);
    if size == 0 || limit > total || (settings.breaker_scope == BreakerScope::Batch && limit > size) {
        return total;
    }
    let whole_batches = (limit - 1) / size * size;
    let failures_in_last = limit - whole_batches;
    let last = match (settings.breaker_order, settings.max_in_flight) {
        // Each verdict but the one that trips makes room for one more.
        (BreakerOrder::Observed, Some(most)) => most.get().saturating_add(failures_in_last - 1).min(size),
        _ => size,
    };
    whole_batches.saturating_add(last).min(total)
}

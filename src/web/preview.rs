//! The figures of a plan, and of one that somebody thinks of, as the pages take them.

use serde::Serialize;

use dryroll_engine::{Answer, Edit};
use dryroll_report::judge::forecast::Forecast;
use dryroll_study::drill::{Drill, DrillError};

/// What a plan comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    pub total_instances: u32,
    pub batch_size: u32,
    pub batch_count: u32,
    /// Null where the batches are no share of the fleet.
    pub batch_pct: Option<u32>,
    /// Null where no number of failures in a row trips.
    pub max_consecutive_failures: Option<u32>,
    pub estimated_total_seconds: f64,
    /// With `max_in_flight`, where that makes a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_total_seconds_in_flight: Option<f64>,
    pub health_timeout_sec: f64,
    pub skipped_instances: usize,
    /// Instances that are commanded before the breaker can trip, if every upgrade fails.
    pub exposed_if_all_fail: u32,
}

impl Figures {
    /// Of the plan as it is.
    pub fn of(drill: &Drill<'_>) -> Self {
        Self::with(drill, &Forecast::of(drill.engine()), batch_pct(drill))
    }

    /// Of the plan as it would be after an edit.
    pub fn after(drill: &Drill<'_>, edit: Edit) -> Result<Self, DrillError> {
        if !edit.is_in_range() {
            return Err(DrillError::Edit);
        }
        let pct = edit.batch_pct.or_else(|| batch_pct(drill));
        Ok(Self::with(drill, &Forecast::edited(drill.engine(), edit), pct))
    }

    fn with(drill: &Drill<'_>, forecast: &Forecast, batch_pct: Option<u32>) -> Self {
        let engine = drill.engine();
        Self {
            total_instances: forecast.total,
            batch_size: forecast.batch_size,
            batch_count: forecast.batch_count,
            batch_pct,
            max_consecutive_failures: forecast.limit,
            estimated_total_seconds: forecast.estimate.as_secs_f64(),
            estimated_total_seconds_in_flight: forecast.in_flight.map(|(waits, _)| waits.as_secs_f64()),
            health_timeout_sec: engine.settings().health_timeout.as_secs_f64(),
            skipped_instances: engine.plan().skipped.len(),
            exposed_if_all_fail: forecast.exposed,
        }
    }
}

/// The share of a batch, as the last edit left it; `None` where the batches are others.
fn batch_pct(drill: &Drill<'_>) -> Option<u32> {
    let edited = drill.decisions().iter().rev().find_map(|decision| match decision.answer {
        Answer::Edit(edit) => edit.batch_pct,
        _ => None,
    });
    edited.or(drill.engine().settings().batches.as_pct())
}

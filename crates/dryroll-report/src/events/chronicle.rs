//! The chronicle: batches and trips of a run, as they happened.

use dryroll_engine::fleet::{At, InstanceId};
use dryroll_engine::{Answer, ApprovalId, Engine, Event, EventBody, OperatorDecision, Reason, Recording, RolloutId};
use dryroll_sim::sim::Observer;

/// A batch of the rollout, or of its rollback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRecord {
    /// Of which rollout.
    pub rollout: RolloutId,
    /// Which batch, from 0.
    pub index: u32,
    /// When it began.
    pub started_at: At,
    /// When all had their verdicts.
    pub completed_at: Option<At>,
    /// Healthy verdicts so far.
    pub healthy_count: u32,
    /// Failed verdicts so far.
    pub failed_count: u32,
}

/// A trip of the breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TripRecord {
    /// When.
    pub at: At,
    /// In which rollout.
    pub rollout: RolloutId,
    /// In which batch.
    pub batch_index: u32,
    /// The run that tripped it.
    pub failed: Vec<InstanceId>,
    /// What was decided, and when.
    pub decided: Option<(OperatorDecision, At)>,
}

/// A failed verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureRecord {
    /// When.
    pub at: At,
    /// In which rollout.
    pub rollout: RolloutId,
    /// In which batch.
    pub batch_index: u32,
    /// Of which instance.
    pub instance: InstanceId,
    /// Why.
    pub reason: Reason,
}

/// Notes batches, failed verdicts, trips and requests.
#[derive(Clone, Debug, Default)]
pub struct Chronicle {
    /// The batches, in the order in which they began.
    pub batches: Vec<BatchRecord>,
    /// The failed verdicts, in order.
    pub failures: Vec<FailureRecord>,
    /// The trips, in order.
    pub trips: Vec<TripRecord>,
    /// The requests, in the order in which they were opened.
    pub requests: Vec<RequestRecord>,
}

/// A request that was put before a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Which.
    pub request: ApprovalId,
    /// When it was opened.
    pub opened_at: At,
    /// When it was resolved, and how.
    pub resolved: Option<(At, &'static str)>,
}

impl Observer for Chronicle {
    fn recording(&self) -> Recording {
        // Healthy verdicts too: a batch that never completes has counts as well.
        Recording::Everything
    }

    fn event(&mut self, _: &Engine, event: &Event) {
        match &event.body {
            &EventBody::BatchStarted { batch_index, .. } => self.batches.push(BatchRecord {
                rollout: event.rollout,
                index: batch_index,
                started_at: event.at,
                completed_at: None,
                healthy_count: 0,
                failed_count: 0,
            }),
            &EventBody::InstanceHealthCheck { batch_index, instance, failure } => {
                if let Some(reason) = failure {
                    let (at, rollout) = (event.at, event.rollout);
                    self.failures.push(FailureRecord { at, rollout, batch_index, instance, reason });
                }
                if let Some(batch) = self.batches.last_mut() {
                    match failure {
                        Some(_) => batch.failed_count += 1,
                        None => batch.healthy_count += 1,
                    }
                }
            }
            &EventBody::BatchCompleted { healthy_count, failed_count, .. } => {
                if let Some(batch) = self.batches.last_mut() {
                    batch.completed_at = Some(event.at);
                    (batch.healthy_count, batch.failed_count) = (healthy_count, failed_count);
                }
            }
            EventBody::CircuitBreakerTripped { batch_index, failed, .. } => self.trips.push(TripRecord {
                at: event.at,
                rollout: event.rollout,
                batch_index: *batch_index,
                failed: failed.clone(),
                decided: None,
            }),
            &EventBody::ApprovalRequested { request, .. } => {
                self.requests.push(RequestRecord { request, opened_at: event.at, resolved: None });
            }
            EventBody::ApprovalDecided { answer, .. } => {
                if let (Answer::OnTrip(decision), Some(trip)) = (answer, self.trips.last_mut()) {
                    trip.decided = Some((*decision, event.at));
                }
                if let Some(request) = self.requests.last_mut()
                    && !matches!(answer, Answer::Edit(_))
                {
                    request.resolved = Some((event.at, answer.name()));
                }
            }
            _ => {}
        }
    }
}

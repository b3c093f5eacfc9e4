//! The chronicle: batches, verdicts, trips and requests of a run, as they happened.
//!
//! Batches may overlap and complete out of order, so a record is found by its rollout and index.

use dryroll_engine::fleet::{At, InstanceId};
use dryroll_engine::{
    Answer, ApprovalId, Engine, Event, EventBody, OperatorDecision, Reason, Recording, Relapse, RequestKind, RolloutId,
    Then, TripReason,
};
use dryroll_sim::sim::Observer;

use crate::events::bakes::{Bake, BakeWatch, ends_bake};

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
    /// Failed verdicts so far; relapses are among them.
    pub failed_count: u32,
    /// How often an instance of it was commanded again.
    pub retries: u32,
    /// Healthy verdicts that turned to failed.
    pub relapses: u32,
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
    /// The instances that the rule counted.
    pub failed: Vec<InstanceId>,
    /// Which rule, and what it found.
    pub reason: TripReason,
    /// What followed without a request; `None` where a person is asked.
    pub then: Option<Then>,
    /// The request that it opened.
    pub request: Option<ApprovalId>,
    /// What was decided, and when.
    pub decided: Option<(OperatorDecision, At)>,
}

impl TripRecord {
    /// The reason as reports have it: `None` for the first rule, whose ids say all.
    #[must_use]
    pub fn rule_reason(&self) -> Option<String> {
        match self.reason {
            TripReason::ConsecutiveFailures { .. } => None,
            TripReason::Rule { .. } => Some(self.reason.to_string()),
        }
    }

    /// What followed without a request, by its name in a scenario file.
    #[must_use]
    pub fn then_name(&self) -> Option<&'static str> {
        match self.then? {
            Then::Ask | Then::Note => None,
            Then::Abort => Some("abort"),
            Then::RollBack => Some("roll_back"),
        }
    }
}

/// A rule that only notes, and held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteRecord {
    /// When.
    pub at: At,
    /// In which rollout.
    pub rollout: RolloutId,
    /// In which batch.
    pub batch_index: u32,
    /// The instances that the rule counted.
    pub failed: Vec<InstanceId>,
    /// Which rule, and what it found.
    pub reason: TripReason,
}

/// A failed attempt that was followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryRecord {
    /// When.
    pub at: At,
    /// In which rollout.
    pub rollout: RolloutId,
    /// In which batch.
    pub batch_index: u32,
    /// Of which instance.
    pub instance: InstanceId,
    /// The attempt that begins: 1 is the first retry.
    pub attempt: u32,
    /// Why the attempt before failed.
    pub reason: Reason,
}

/// A failed verdict, or a healthy one that turned to failed.
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
    /// Of a relapse: why.
    pub relapse: Option<Relapse>,
}

/// Notes batches, bakes, failed verdicts, retries, trips and requests.
#[derive(Clone, Debug, Default)]
pub struct Chronicle {
    /// The batches, in the order in which they began.
    pub batches: Vec<BatchRecord>,
    /// The failed verdicts, in order.
    pub failures: Vec<FailureRecord>,
    /// The attempts that were followed by another, in order.
    pub retries: Vec<RetryRecord>,
    /// The bakes that the rollout waited for, in order.
    pub bakes: Vec<Bake>,
    /// The trips, in order.
    pub trips: Vec<TripRecord>,
    /// What rules noted, in order.
    pub notes: Vec<NoteRecord>,
    /// The requests, in the order in which they were opened.
    pub requests: Vec<RequestRecord>,
    bake_watch: BakeWatch,
}

/// A request that was put before a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Which.
    pub request: ApprovalId,
    /// What it asks.
    pub kind: RequestKind,
    /// Of a promotion: the batch that waits for it.
    pub promotes: Option<u32>,
    /// When it was opened.
    pub opened_at: At,
    /// When it was resolved, and how.
    pub resolved: Option<(At, &'static str)>,
}

/// How a promotion is resolved that a trip made void.
pub const VOID: &str = "void";

/// What follows a trip, by its rule.
#[must_use]
pub fn follows(engine: &Engine, reason: &TripReason) -> Then {
    match *reason {
        TripReason::ConsecutiveFailures { .. } => Then::Ask,
        TripReason::Rule { rule, .. } => {
            let place = (rule as usize).saturating_sub(1);
            engine.settings().breakers.get(place).map_or(Then::Ask, |rule| rule.then)
        }
    }
}

impl Chronicle {
    /// The record of a batch: the last with its rollout and index.
    fn batch(&mut self, rollout: RolloutId, index: u32) -> Option<&mut BatchRecord> {
        self.batches.iter_mut().rev().find(|batch| batch.rollout == rollout && batch.index == index)
    }

    /// A bake ends early, and a promotion that waits is void.
    fn interrupt(&mut self, at: At) {
        if let Some(bake) = self.bakes.last_mut() {
            bake.until = bake.until.min(at);
        }
        if let Some(request) = self.requests.last_mut()
            && request.kind == RequestKind::Promotion
            && request.resolved.is_none()
        {
            request.resolved = Some((at, VOID));
        }
    }

    fn trip(&mut self, engine: &Engine, event: &Event, batch_index: u32, failed: &[InstanceId], reason: TripReason) {
        let then = follows(engine, &reason);
        self.trips.push(TripRecord {
            at: event.at,
            rollout: event.rollout,
            batch_index,
            failed: failed.to_vec(),
            reason,
            then: (then != Then::Ask).then_some(then),
            request: None,
            decided: None,
        });
    }

    fn decided(&mut self, at: At, request: ApprovalId, answer: &Answer) {
        if let Answer::OnTrip(decision) = answer
            && let Some(trip) = self.trips.iter_mut().rev().find(|trip| trip.request == Some(request))
        {
            trip.decided = Some((*decision, at));
        }
        if matches!(answer, Answer::Edit(_)) {
            return;
        }
        if let Some(record) = self.requests.iter_mut().rev().find(|record| record.request == request) {
            record.resolved = Some((at, answer.name()));
        }
    }
}

impl Observer for Chronicle {
    fn recording(&self) -> Recording {
        // Healthy verdicts too: a batch that never completes has counts as well.
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        let (at, rollout) = (event.at, event.rollout);
        if ends_bake(event) {
            self.interrupt(at);
        }
        match &event.body {
            &EventBody::BatchStarted { batch_index, .. } => self.batches.push(BatchRecord {
                rollout,
                index: batch_index,
                started_at: at,
                completed_at: None,
                healthy_count: 0,
                failed_count: 0,
                retries: 0,
                relapses: 0,
            }),
            &EventBody::InstanceHealthCheck { batch_index, instance, failure } => {
                if let Some(reason) = failure {
                    self.failures.push(FailureRecord { at, rollout, batch_index, instance, reason, relapse: None });
                }
                if let Some(batch) = self.batch(rollout, batch_index) {
                    match failure {
                        Some(_) => batch.failed_count += 1,
                        None => batch.healthy_count += 1,
                    }
                }
            }
            &EventBody::InstanceRetried { batch_index, instance, attempt, reason } => {
                self.retries.push(RetryRecord { at, rollout, batch_index, instance, attempt, reason });
                if let Some(batch) = self.batch(rollout, batch_index) {
                    batch.retries += 1;
                }
            }
            &EventBody::InstanceRelapsed { batch_index, instance, reason } => {
                let (relapse, reason) = (Some(reason), Reason::Relapsed);
                self.failures.push(FailureRecord { at, rollout, batch_index, instance, reason, relapse });
                if let Some(batch) = self.batch(rollout, batch_index) {
                    batch.healthy_count = batch.healthy_count.saturating_sub(1);
                    batch.failed_count += 1;
                    batch.relapses += 1;
                }
            }
            &EventBody::BatchCompleted { batch_index, .. } => {
                if let Some(batch) = self.batch(rollout, batch_index) {
                    batch.completed_at = Some(at);
                }
            }
            EventBody::CircuitBreakerTripped { batch_index, failed, reason } => {
                self.trip(engine, event, *batch_index, failed, *reason);
            }
            EventBody::BreakerNoted { batch_index, failed, reason } => self.notes.push(NoteRecord {
                at,
                rollout,
                batch_index: *batch_index,
                failed: failed.clone(),
                reason: *reason,
            }),
            &EventBody::ApprovalRequested { request, kind } => {
                if kind.is_of_trip()
                    && let Some(trip) = self.trips.last_mut()
                {
                    trip.request = Some(request);
                }
                let promotes = (kind == RequestKind::Promotion).then(|| engine.batches_begun());
                self.requests.push(RequestRecord { request, kind, promotes, opened_at: at, resolved: None });
            }
            EventBody::ApprovalDecided { request, answer } => self.decided(at, *request, answer),
            EventBody::Planned { .. }
            | EventBody::InstanceStarted { .. }
            | EventBody::OperatorNotified
            | EventBody::RollbackStarted { .. }
            | EventBody::RollbackFailed
            | EventBody::Finished { .. } => {}
        }
        self.bakes.extend(self.bake_watch.begun(engine));
    }
}

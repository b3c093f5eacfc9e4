//! The operator at the console.

use dryroll::engine::{Answer, ApprovalId, Edit, Event, EventBody, OperatorDecision, RequestKind};
use dryroll::scenario::{OperatorSpec, PromotionDecision};
use dryroll::sim::draws::Key;
use dryroll::sim::sampler::Sampler;

/// Considers one request at a time.
pub struct Person<'s> {
    spec: &'s OperatorSpec,
    key: Key,
    answers: u64,
    trips: u64,
    promotions: u64,
    /// When the answer comes, to which request, and what it is.
    pending: Option<(u64, ApprovalId, Answer)>,
}

impl<'s> Person<'s> {
    /// A person with these delays' draws.
    pub fn new(spec: &'s OperatorSpec, key: Key) -> Self {
        Self { spec, key, answers: 0, trips: 0, promotions: 0, pending: None }
    }

    /// When the next answer comes.
    pub fn next(&self) -> Option<u64> {
        self.pending.map(|(at, _, _)| at)
    }

    /// The answer, which is then given.
    pub fn take(&mut self) -> Option<Answer> {
        self.pending.take().map(|(_, _, answer)| answer)
    }

    /// Reacts to an event.
    pub fn notice(&mut self, event: &Event) {
        match event.body {
            EventBody::ApprovalRequested { request, kind: RequestKind::RollingUpgrade } => {
                self.look_at_plan(event.at.0, request);
            }
            EventBody::ApprovalRequested { request, kind: RequestKind::Promotion } => {
                let last = self.spec.on_promotion.len() - 1;
                let decision = self.spec.on_promotion[last.min(self.promotions as usize)];
                let answer = match decision {
                    PromotionDecision::Promote => Answer::Promote,
                    PromotionDecision::RollbackCompletedBatches => {
                        Answer::OnTrip(OperatorDecision::RollbackCompletedBatches)
                    }
                    PromotionDecision::Abort => Answer::OnTrip(OperatorDecision::Abort),
                };
                let word = self.key.word((1 << 33) + self.promotions);
                let at = event.at.0 + Sampler::new(&self.spec.promotion_delay).draw(word).0;
                self.promotions += 1;
                self.pending = Some((at, request, answer));
            }
            // Whatever waited is void.
            EventBody::CircuitBreakerTripped { .. } => self.pending = None,
            EventBody::ApprovalRequested { request, kind } => {
                let last = self.spec.on_trip.len() - 1;
                let mut decision = self.spec.on_trip[last.min(self.trips as usize)];
                if kind == RequestKind::RollbackContinuation && decision == OperatorDecision::RollbackCompletedBatches {
                    decision = OperatorDecision::Abort;
                }
                let word = self.key.word((1 << 32) + self.trips);
                let at = event.at.0 + Sampler::new(&self.spec.decision_delay).draw(word).0;
                self.trips += 1;
                self.pending = Some((at, request, Answer::OnTrip(decision)));
            }
            EventBody::ApprovalDecided { request, answer: Answer::Edit(_) } => self.look_at_plan(event.at.0, request),
            EventBody::Finished { .. } => self.pending = None,
            _ => {}
        }
    }

    fn look_at_plan(&mut self, now: u64, request: ApprovalId) {
        let at = now + Sampler::new(&self.spec.approval_delay).draw(self.key.word(self.answers)).0;
        let answer = match self.spec.edit {
            Some(edit) if self.answers == 0 => Answer::Edit(Edit {
                batch_pct: edit.batch_pct,
                max_consecutive_failures: edit.max_consecutive_failures,
            }),
            _ if self.spec.approves => Answer::Approve,
            _ => Answer::Reject,
        };
        self.answers += 1;
        self.pending = Some((at, request, answer));
    }
}

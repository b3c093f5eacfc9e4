//! The pending request (§2, §6): what the engine asks a person, and what each answer does.

use super::{Engine, State};
use crate::fleet::At;
use crate::walk::WaitingFor;
use crate::{
    Answer, AnswerError, ApprovalId, BatchSizes, Command, ConsecutiveFailures, Edit, EventBody, Input,
    OperatorDecision, Outcome, Recording, RequestKind, Timer,
};

impl Engine {
    /// A person's answer to a request (§2, §6). Verdicts that are due by `now` are given first.
    ///
    /// # Errors
    /// When the request is not pending or does not offer this answer, or when an edit is out of range. Nothing changes
    /// then.
    pub fn handle_answer(&mut self, now: At, request: ApprovalId, answer: Answer) -> Result<(), AnswerError> {
        if self.check_answer(request, &answer).is_ok() {
            while self.next_timer().is_some_and(|(due, timer)| timer < Timer::Expiry && due <= now) {
                self.handle_timeout(now);
            }
        }
        let now = self.take_in(now, || Input::Answer { request, answer });
        self.take_answer(now, request, answer)
    }

    /// Whether the engine would take an answer; changes nothing.
    ///
    /// # Errors
    /// Those of [`handle_answer`](Self::handle_answer).
    pub fn check_answer(&self, request: ApprovalId, answer: &Answer) -> Result<(), AnswerError> {
        match (self.pending_request(), answer) {
            (Some((pending, kind)), _) if pending == request && !kind.offers(answer) => Err(AnswerError::NotOffered),
            (Some((pending, _)), Answer::Edit(edit)) if pending == request && !edit.is_in_range() => {
                Err(AnswerError::EditOutOfRange)
            }
            (Some((pending, _)), _) if pending == request => Ok(()),
            _ => Err(AnswerError::NotPending),
        }
    }

    pub(super) fn take_answer(&mut self, now: At, request: ApprovalId, answer: Answer) -> Result<(), AnswerError> {
        self.check_answer(request, &answer)?;
        self.say(now, Recording::Milestones, || EventBody::ApprovalDecided { request, answer });
        match answer {
            Answer::Approve => self.state = State::Walking,
            Answer::Edit(edit) => self.edit(now, edit),
            Answer::Reject => self.finish(now, Outcome::Rejected),
            Answer::OnTrip(OperatorDecision::ContinueAnyway) => self.continue_anyway(now),
            Answer::OnTrip(OperatorDecision::RollbackCompletedBatches) => self.roll_back(now),
            Answer::OnTrip(OperatorDecision::Abort) => self.finish(now, Outcome::Aborted),
            Answer::Promote => self.promote(now),
        }
        Ok(())
    }

    /// Opens a request; the caller puts it into the state.
    pub(super) fn ask(&mut self, now: At, kind: RequestKind) -> ApprovalId {
        self.approvals += 1;
        let request = ApprovalId(self.approvals);
        self.say(now, Recording::Milestones, || EventBody::ApprovalRequested { request, kind });
        self.outbox.commands.push_back(Command::Ask { request, kind });
        request
    }

    fn edit(&mut self, now: At, edit: Edit) {
        self.is_edited = true;
        if let Some(batch_pct) = edit.batch_pct {
            self.sizes = BatchSizes { rounding: self.settings.batches.rounding, ..BatchSizes::pct(batch_pct) };
            self.sizes.of = self.settings.batches.of;
            self.plan.set_sizes(&self.sizes);
        }
        if let Some(limit) = edit.max_consecutive_failures {
            match &mut self.breaker {
                Some(breaker) => breaker.reset(limit),
                none => *none = Some(ConsecutiveFailures::new(limit, self.settings.breaker_scope)),
            }
        }
        self.announce_plan(now);
    }

    fn continue_anyway(&mut self, now: At) {
        self.rearm();
        self.progress_at = now;
        self.state = State::Walking;
        self.resume_walk(now);
    }

    fn promote(&mut self, now: At) {
        self.progress_at = now;
        self.state = State::Walking;
        self.walk.is_promoted = true;
        self.walk.waiting_for = WaitingFor::NextBatch;
    }
}

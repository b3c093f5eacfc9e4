//! The operator: what the person at the console answers, and when. Usually a virtual one, of whom the scenario says it;
//! in a drill a real one, whose answers are handed in.

use super::compiled::OperatorTraits;
use super::draws::Key;
use dryroll_engine::{Answer, ApprovalId, OperatorDecision, RequestKind};

/// An answer that is being thought over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// When it is given, milliseconds.
    pub at: u64,
    /// To which request.
    pub request: ApprovalId,
    /// What.
    pub answer: Answer,
}

/// The person at the console.
#[derive(Clone, Debug, Default)]
pub struct Operator {
    answers: u32,
    trips: u32,
    pending: Option<Pending>,
    /// Whether somebody else thinks.
    is_real: bool,
}

/// Places of the delays in the operator's draws.
const DECISIONS: u64 = 1 << 32;

impl Operator {
    /// A real person: answers nothing but what is handed in.
    #[must_use]
    pub fn real() -> Self {
        Self { is_real: true, ..Self::default() }
    }

    /// A real person's answer, to be given at this moment.
    pub fn hand_in(&mut self, answer: Pending) {
        self.pending = Some(answer);
    }

    /// The answer that is being thought over.
    #[must_use]
    pub fn pending(&self) -> Option<Pending> {
        self.pending
    }

    /// A request is put before the person.
    pub fn ask(&mut self, now: u64, request: ApprovalId, kind: RequestKind, traits: &OperatorTraits, key: Key) {
        if self.is_real {
            return;
        }
        if kind == RequestKind::RollingUpgrade {
            return self.consider_plan(now, request, traits, key);
        }
        let delay = traits.decision_delay.draw(key.word(DECISIONS + u64::from(self.trips)));
        let last = traits.on_trip.len().saturating_sub(1);
        let decision = traits.on_trip.get((self.trips as usize).min(last)).copied().unwrap_or(OperatorDecision::Abort);
        let decision = match (decision, kind) {
            // There is nothing further to roll back to.
            (OperatorDecision::RollbackCompletedBatches, RequestKind::RollbackContinuation) => OperatorDecision::Abort,
            _ => decision,
        };
        self.trips += 1;
        self.pending = Some(Pending { at: now + delay.0, request, answer: Answer::OnTrip(decision) });
    }

    fn consider_plan(&mut self, now: u64, request: ApprovalId, traits: &OperatorTraits, key: Key) {
        let delay = traits.approval_delay.draw(key.word(u64::from(self.answers)));
        let answer = match traits.edit {
            Some(edit) if self.answers == 0 => Answer::Edit(edit),
            _ if traits.approves => Answer::Approve,
            _ => Answer::Reject,
        };
        self.answers += 1;
        self.pending = Some(Pending { at: now + delay.0, request, answer });
    }

    /// The answer was given. An edit brings the request back, with the new plan to look at.
    pub fn answered(&mut self, now: u64, given: Pending, traits: &OperatorTraits, key: Key) {
        self.pending = None;
        if let (Answer::Edit(_), false) = (given.answer, self.is_real) {
            self.consider_plan(now, given.request, traits, key);
        }
    }
}

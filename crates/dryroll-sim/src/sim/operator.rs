//! The operator: what the person at the console answers, and when. [`SimulatedOperator`] follows the scenario;
//! [`ManualOperator`] gives the answers of a real person, which are handed in.

use super::compiled::OperatorTraits;
use super::draws::Key;
use dryroll_engine::fleet::At;
use dryroll_engine::{Answer, ApprovalId, OperatorDecision, RequestKind};

/// An answer that the operator is still considering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// When it is given.
    pub at: At,
    /// To which request.
    pub request: ApprovalId,
    /// What.
    pub answer: Answer,
}

/// Who answers the requests of a run.
#[derive(Clone, Debug)]
pub enum Operator {
    /// The scenario's operator.
    Simulated(SimulatedOperator),
    /// A real person.
    Manual(ManualOperator),
}

impl Operator {
    /// The scenario's operator, before the first request.
    #[must_use]
    pub fn simulated() -> Self {
        Self::Simulated(SimulatedOperator::default())
    }

    /// A real person, before the first request.
    #[must_use]
    pub fn manual() -> Self {
        Self::Manual(ManualOperator::default())
    }

    /// A run begins: nothing was asked yet.
    pub fn begin(&mut self) {
        match self {
            Self::Simulated(simulated) => *simulated = SimulatedOperator::default(),
            Self::Manual(manual) => *manual = ManualOperator::default(),
        }
    }

    /// The answer that the operator is still considering.
    #[must_use]
    pub fn pending(&self) -> Option<Pending> {
        match self {
            Self::Simulated(simulated) => simulated.pending,
            Self::Manual(manual) => manual.pending,
        }
    }

    /// The request that waits is void.
    pub fn forget(&mut self) {
        match self {
            Self::Simulated(simulated) => simulated.pending = None,
            Self::Manual(manual) => manual.pending = None,
        }
    }

    /// A request is put before the operator; one that waits is void. A real person answers it by [`ManualOperator::hand_in`] alone.
    pub fn ask(&mut self, now: At, request: ApprovalId, kind: RequestKind, traits: &OperatorTraits, key: Key) {
        match self {
            Self::Simulated(simulated) => simulated.ask(now, request, kind, traits, key),
            Self::Manual(manual) => manual.pending = None,
        }
    }

    /// The answer was given.
    pub fn answered(&mut self, now: At, given: Pending, traits: &OperatorTraits, key: Key) {
        match self {
            Self::Simulated(simulated) => simulated.answered(now, given, traits, key),
            Self::Manual(manual) => manual.pending = manual.pending.filter(|pending| *pending != given),
        }
    }
}

/// A real person.
#[derive(Clone, Debug, Default)]
pub struct ManualOperator {
    pending: Option<Pending>,
}

impl ManualOperator {
    /// Hands in the person's answer, to be given at its moment; false if one is already waiting.
    pub fn hand_in(&mut self, answer: Pending) -> bool {
        let is_free = self.pending.is_none();
        self.pending.get_or_insert(answer);
        is_free
    }
}

/// The scenario's operator.
#[derive(Clone, Debug, Default)]
pub struct SimulatedOperator {
    answers: u32,
    trips: u32,
    promotions: u32,
    pending: Option<Pending>,
}

/// Places of the delays in the operator's draws.
const DECISIONS: u64 = 1 << 32;
const PROMOTIONS: u64 = 1 << 33;

impl SimulatedOperator {
    fn ask(&mut self, now: At, request: ApprovalId, kind: RequestKind, traits: &OperatorTraits, key: Key) {
        match kind {
            RequestKind::RollingUpgrade => return self.consider_plan(now, request, traits, key),
            RequestKind::Promotion => return self.consider_promotion(now, request, traits, key),
            RequestKind::RollingUpgradeContinuation | RequestKind::RollbackContinuation => {}
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
        self.pending = Some(Pending { at: now + delay, request, answer: Answer::OnTrip(decision) });
    }

    fn consider_promotion(&mut self, now: At, request: ApprovalId, traits: &OperatorTraits, key: Key) {
        let delay = traits.promotion_delay.draw(key.word(PROMOTIONS + u64::from(self.promotions)));
        let last = traits.on_promotion.len().saturating_sub(1);
        let decision = traits.on_promotion.get((self.promotions as usize).min(last)).copied().unwrap_or_default();
        self.promotions += 1;
        self.pending = Some(Pending { at: now + delay, request, answer: decision.answer() });
    }

    fn consider_plan(&mut self, now: At, request: ApprovalId, traits: &OperatorTraits, key: Key) {
        let delay = traits.approval_delay.draw(key.word(u64::from(self.answers)));
        let answer = match traits.edit {
            Some(edit) if self.answers == 0 => Answer::Edit(edit),
            _ if traits.approves => Answer::Approve,
            _ => Answer::Reject,
        };
        self.answers += 1;
        self.pending = Some(Pending { at: now + delay, request, answer });
    }

    /// An edit brings the request back, with the new plan to look at.
    fn answered(&mut self, now: At, given: Pending, traits: &OperatorTraits, key: Key) {
        // The answer may have opened another request.
        self.pending = self.pending.filter(|pending| pending.request != given.request);
        if let Answer::Edit(_) = given.answer {
            self.consider_plan(now, given.request, traits, key);
        }
    }
}

//! A run whose requests a real person answers: what a drill asks of the simulator beside its steps.

use super::Simulator;
use crate::sim::next_at::NextAt;
use crate::sim::operator::{Operator, Pending};
use dryroll_engine::fleet::At;
use dryroll_engine::{Answer, AnswerError};

impl Simulator<'_> {
    /// When the next step is due; `None` when the run is over. Nothing happens before.
    #[must_use]
    pub fn next_at(&self) -> Option<At> {
        if self.engine.is_finished() {
            return None;
        }
        Some(self.next_due().0.max(self.clock).min(self.compiled.horizon))
    }

    /// Whether an answer was handed in that has not been taken yet.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.control.operator.pending().is_some()
    }

    /// Whether all that can still happen is that the run gives up: nobody answers a request in time, or the horizon
    /// comes.
    #[must_use]
    pub fn only_gives_up(&self) -> bool {
        let at = self.next_at();
        let gives_up = NextAt::from(self.engine.expires_at()).or_by(self.compiled.horizon);
        at.is_some_and(|at| at >= gives_up)
    }

    /// Hands in the answer to the pending request, to be given at this moment, or now if that has passed. A controller
    /// that is away takes it when it is back.
    ///
    /// # Errors
    /// When no request is pending, or it does not offer that answer; nothing is changed then.
    pub fn answer_at(&mut self, at: At, answer: Answer) -> Result<(), AnswerError> {
        let (request, kind) = self.engine.pending_request().ok_or(AnswerError::NotPending)?;
        if self.is_answered() {
            return Err(AnswerError::NotPending);
        }
        match answer {
            _ if !kind.offers(&answer) => return Err(AnswerError::NotOffered),
            Answer::Edit(edit) if !edit.is_in_range() => return Err(AnswerError::EditOutOfRange),
            _ => {}
        }
        let given = Pending { at: at.max(self.clock), request, answer };
        let taken = self.control.change(|state| match &mut state.operator {
            Operator::Manual(person) => person.hand_in(given),
            Operator::Simulated(_) => false,
        });
        if taken { Ok(()) } else { Err(AnswerError::NotPending) }
    }
}

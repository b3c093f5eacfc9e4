//! What is due on the controller's side: the boundaries of faults, the operator's pending answer, the return of a
//! controller that is away. The hot path compares with the earliest of them, which is kept.

use crate::sim::next_at::NextAt;
use crate::sim::operator::Operator;
use dryroll_engine::fleet::At;
use std::ops::Deref;

/// Whether the controller is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It takes its inputs when they come.
    Present,
    /// It has crashed; inputs wait for its return.
    AwayUntil(NextAt),
}

/// The state that decides what is due.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub operator: Operator,
    pub presence: Presence,
    /// Moments at which a fault must be acted upon, ascending, and how many were.
    boundaries: Vec<At>,
    boundaries_done: usize,
    horizon: At,
}

impl State {
    /// The next moment at which a fault must be acted upon.
    pub fn boundary(&self) -> Option<At> {
        self.boundaries.get(self.boundaries_done).copied()
    }

    pub fn is_away(&self) -> bool {
        self.presence != Presence::Present
    }

    /// Adds a boundary. Those that were acted upon stay where they are.
    pub fn add_boundary(&mut self, at: At) {
        let to_come = &self.boundaries[self.boundaries_done..];
        let place = self.boundaries_done + to_come.partition_point(|&other| other <= at);
        self.boundaries.insert(place, at);
    }

    /// The next boundary is acted upon.
    pub fn pass_boundary(&mut self) {
        self.boundaries_done += 1;
    }

    fn due(&self) -> At {
        if self.is_away() {
            return At::ZERO;
        }
        let answer = NextAt::from(self.operator.pending().map(|pending| pending.at));
        answer.min(self.boundary().into()).or_by(self.horizon)
    }
}

/// The state, and what is due of it. All of it can be read; it is changed through [`change`](Self::change) alone, which
/// computes anew what is due, so that this cannot be stale.
#[derive(Clone, Debug)]
pub(super) struct Control {
    state: State,
    due: At,
}

impl Control {
    pub fn new(operator: Operator, horizon: At) -> Self {
        let boundaries = Vec::new();
        let state = State { operator, presence: Presence::Present, boundaries, boundaries_done: 0, horizon };
        Self { due: state.due(), state }
    }

    /// A run with this horizon begins; keeps the buffers and the kind of operator.
    pub fn begin(&mut self, horizon: At) {
        self.change(|state| {
            state.operator.begin();
            state.presence = Presence::Present;
            state.boundaries.clear();
            state.boundaries_done = 0;
            state.horizon = horizon;
        });
    }

    /// Changes the state.
    pub fn change<T>(&mut self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state);
        self.due = self.state.due();
        changed
    }

    /// Before this, no answer is given, no fault acted upon, and the horizon not reached. Of an away controller: t = 0,
    /// since nothing reaches it.
    #[inline(always)]
    pub fn due(&self) -> At {
        self.due
    }
}

impl Deref for Control {
    type Target = State;
    #[inline(always)]
    fn deref(&self) -> &State {
        &self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_follows_every_change() {
        let mut control = Control::new(Operator::simulated(), At(100));
        assert_eq!(control.due(), At(100));
        for at in [50, 20, 50, 30] {
            control.change(|state| state.add_boundary(At(at)));
        }
        assert_eq!(control.due(), At(20));
        control.change(State::pass_boundary);
        control.change(|state| state.add_boundary(At(10)));
        assert_eq!((control.due(), control.boundary()), (At(10), Some(At(10))));
        control.change(|state| state.presence = Presence::AwayUntil(NextAt::NEVER));
        assert_eq!(control.due(), At::ZERO);
        control.begin(At(70));
        assert_eq!((control.due(), control.boundary()), (At(70), None));
    }
}

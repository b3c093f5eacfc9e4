//! The rollback (§6): the same engine rolls the previous version out to every instance that was dispatched.

use super::{Engine, State};
use crate::fleet::At;
use crate::walk::Walk;
use crate::{Direction, EventBody, Input, Outcome, Recording, RolloutId};

impl Engine {
    /// The previous version was archived or collected (§6): from now on no rollback is possible.
    pub fn handle_previous_gone(&mut self, now: At) {
        self.take_in(now, || Input::PreviousGone);
        // A rollback that has begun goes on with the version that it started with.
        self.previous_gone |= self.taken_back.is_none();
    }

    pub(super) fn roll_back(&mut self, now: At) {
        if self.version(Direction::Back).is_none() {
            self.say(now, Recording::Milestones, || EventBody::RollbackFailed);
            return self.finish(now, Outcome::RollbackFailed);
        }
        let instance_count = self.walk.dispatched();
        self.taken_back = Some(instance_count);
        let rollout = RolloutId(self.walk.rollout.0 + 1);
        let (pct, max) = (self.settings.rollback_batch_pct, self.settings.max_in_flight);
        self.walk = Walk::new(rollout, Direction::Back, instance_count, pct, max);
        self.breaker.rearm();
        self.state = State::Walking;
        self.say(now, Recording::Milestones, || EventBody::RollbackStarted { instance_count });
    }
}

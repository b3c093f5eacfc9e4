//! The rollback (§6): the same engine rolls the previous version out to every instance that was dispatched.

use std::num::NonZeroU32;

use super::{Engine, State};
use crate::fleet::At;
use crate::walk::{Course, Walk};
use crate::{ConsecutiveFailures, Direction, EventBody, Input, Outcome, Recording, RolloutId};

impl Engine {
    /// The previous version was archived or collected (§6): from now on no rollback is possible.
    pub fn handle_previous_gone(&mut self, now: At) {
        self.take_in(now, || Input::PreviousGone);
        // A rollback that has begun goes on with the version that it started with.
        self.previous_gone |= self.taken_back.is_none();
    }

    /// Rolls back everything that was dispatched; with nothing dispatched it is over at once.
    pub(super) fn roll_back(&mut self, now: At) {
        self.tripped = None;
        if self.version(Direction::Back).is_none() {
            self.say(now, Recording::Milestones, || EventBody::RollbackFailed);
            return self.finish(now, Outcome::RollbackFailed);
        }
        let instance_count = self.walk.dispatched();
        let planned = self.plan.total_instances();
        let course = Course {
            rollout: RolloutId(self.walk.rollout().0 + 1),
            direction: Direction::Back,
            total: instance_count,
            max_in_flight: self.settings.most_in_flight(planned).map_or(u32::MAX, NonZeroU32::get),
            advance_pct: 100,
        };
        self.taken_back = Some(std::mem::replace(&mut self.walk, Walk::new(course)));
        let of_the_rollout = self.breaker.as_ref().map(ConsecutiveFailures::limit);
        let limit = self.settings.rollback_max_consecutive_failures.or(of_the_rollout);
        self.breaker = limit.map(|limit| ConsecutiveFailures::new(limit, self.settings.breaker_scope));
        self.state = State::Walking;
        self.say(now, Recording::Milestones, || EventBody::RollbackStarted { instance_count });
        if instance_count == 0 {
            self.finish(now, Outcome::RolledBack);
        }
    }
}

//! Batches (§3): what a tick begins, what is dispatched, and how a batch completes.

use super::Engine;
use crate::breaker::Count;
use crate::fleet::At;
use crate::walk::WaitingFor;
use crate::{BreakerOrder, Command, Direction, EventBody, Outcome, Phase, Recording, Verdict};

impl Engine {
    /// The reconciler wakes up: begins the next batch, or resumes the one that a trip interrupted.
    pub(super) fn wake_up(&mut self, now: At) {
        if self.walk.waiting_for == WaitingFor::NextBatch {
            self.breaker.begin_batch();
            let instance_count = self.walk.begin_batch();
            let batch_index = self.walk.batch;
            self.say(now, Recording::Milestones, || EventBody::BatchStarted { batch_index, instance_count });
        }
        self.walk.waiting_for = WaitingFor::Open;
        self.dispatch(now);
    }

    pub(super) fn dispatch(&mut self, now: At) {
        let positions = self.walk.dispatch(now, &mut self.instances);
        if positions.is_empty() {
            return;
        }
        let to = self.walk.direction;
        self.outbox.started(now, self.walk.rollout, self.walk.batch, to, positions.clone());
        self.outbox.commands.push_back(Command::Upgrade { to, positions });
    }

    pub(super) fn complete_batch(&mut self, now: At) {
        if self.settings.breaker_order == BreakerOrder::Listed && self.walk.waiting_for != WaitingFor::Tripped {
            let count = self.count_batch_as_listed();
            self.trip_if(now, count);
        }
        let (batch_index, healthy_count, failed_count) =
            (self.walk.batch, self.walk.healthy_count, self.walk.failed_count);
        self.say(now, Recording::Milestones, || EventBody::BatchCompleted { batch_index, healthy_count, failed_count });
        if self.walk.waiting_for != WaitingFor::Tripped {
            self.step_to_next_batch(now);
        }
    }

    fn count_batch_as_listed(&mut self) -> Count {
        let direction = self.walk.direction as usize;
        for position in self.walk.batch_positions() {
            let failed =
                matches!(self.instances[position as usize].phase[direction], Phase::Judged(Verdict::Failed(_)));
            if self.breaker.count(position, failed) == Count::Tripped {
                return Count::Tripped;
            }
        }
        Count::Closed
    }

    pub(super) fn step_to_next_batch(&mut self, now: At) {
        if !self.walk.is_last_batch() {
            self.walk.await_next_batch();
            return;
        }
        self.walk.waiting_for = WaitingFor::Open;
        match self.walk.direction {
            Direction::Forward => self.finish(now, Outcome::Completed),
            Direction::Back => self.finish(now, Outcome::RolledBack),
        }
    }
}

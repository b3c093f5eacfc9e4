//! Batches (§3, §11): what a tick begins, what is dispatched, how a batch completes, and when the walk leaves it.

use super::{Engine, State};
use crate::breaker::{Count, Judge};
use crate::fleet::At;
use crate::walk::{Departure, WaitingFor};
use crate::{BreakerOrder, Command, Direction, EventBody, Outcome, Phase, Recording, RequestKind, Verdict};

impl Engine {
    /// The reconciler wakes up: begins the next batch, or resumes the one that a trip interrupted.
    pub(super) fn wake_up(&mut self, now: At) {
        if self.walk.waiting_for == WaitingFor::NextBatch {
            if self.is_held_back(now) {
                return;
            }
            let sizes = match self.walk.direction() {
                Direction::Forward => &self.sizes,
                Direction::Back => &self.settings.rollback_batches,
            };
            let (batch_index, instance_count) = self.walk.begin_batch(sizes);
            self.progress_at = now;
            self.say(now, Recording::Milestones, || EventBody::BatchStarted { batch_index, instance_count });
        }
        self.walk.waiting_for = WaitingFor::Open;
        self.proceed(now);
    }

    /// Judges the rules that hold a batch back before it begins.
    fn is_held_back(&mut self, now: At) -> bool {
        if self.rules.is_empty() || self.walk.direction() == Direction::Back {
            return false;
        }
        self.judge_rules(now, self.walk.begun(), Judge::BatchStart);
        let is_held_back = self.walk.waiting_for == WaitingFor::Tripped;
        self.carry_out_trip(now);
        is_held_back
    }

    fn dispatch(&mut self, now: At) {
        let count = match self.watching() {
            None => self.walk.room(),
            Some(watching) => watching.room(&self.walk),
        };
        if count == 0 {
            return;
        }
        let positions = self.walk.dispatch(count, now, &mut self.instances);
        self.begin_attempts(positions.clone());
        if self.is_watching()
            && let Some(watching) = &mut self.watch
        {
            watching.takes_off(positions.clone());
        }
        let to = self.walk.direction();
        self.outbox.started(now, self.walk.rollout(), self.walk.batch(), to, positions.clone());
        self.outbox.commands.push_back(Command::Upgrade { to, positions });
    }

    /// Completes a batch whose instances all have their verdicts.
    #[inline]
    pub(super) fn complete_if_judged(&mut self, now: At, batch_index: u32) {
        if !self.walk.is_judged(batch_index) {
            return;
        }
        if self.settings.breaker_order == BreakerOrder::Listed && self.walk.waiting_for != WaitingFor::Tripped {
            self.count_batch_as_listed(now);
        }
        let record = self.walk.complete(batch_index, self.settings.ok_pct);
        if !self.rules.is_empty() && self.walk.direction() == Direction::Forward {
            let is_waiting = self.walk.waiting_for == WaitingFor::Tripped;
            self.rules.count_batch(record.completed == Some(true), is_waiting);
            self.judge_rules(now, batch_index, Judge::BatchEnd);
        }
        let (healthy_count, failed_count) = (record.healthy, record.failed);
        self.say(now, Recording::Milestones, || EventBody::BatchCompleted { batch_index, healthy_count, failed_count });
    }

    fn count_batch_as_listed(&mut self, now: At) {
        let (direction, batch) = (self.walk.direction() as usize, self.walk.batch());
        let Some((breaker, record)) = self.breaker.as_mut().zip(self.walk.record(batch)) else { return };
        for position in record.start..record.end {
            let failed =
                matches!(self.instances[position as usize].phase[direction], Phase::Judged(Verdict::Failed(_)));
            if breaker.count(position, batch, failed) == Count::Tripped {
                return self.trip_first_rule(now, batch);
            }
        }
    }

    /// What follows a change: free slots are filled, and the walk leaves a batch that it may leave. While a trip waits
    /// nothing is dispatched; a bake begins all the same.
    #[inline]
    pub(super) fn proceed(&mut self, now: At) {
        if self.walk.waiting_for == WaitingFor::Open && self.walk.batch_is_undispatched() {
            self.dispatch(now);
        }
        if self.walk.departure == Departure::Held && self.walk.may_leave() {
            let bake = match self.walk.direction() {
                Direction::Forward => self.settings.pace.bake(self.walk.batch()),
                Direction::Back => crate::fleet::Span::ZERO,
            };
            let until = now + bake;
            self.walk.departure = if until > now { Departure::Baking { until } } else { Departure::Free };
        }
        if self.walk.waiting_for == WaitingFor::Open && self.walk.departure != Departure::Held {
            self.leave_batch(now);
        }
    }

    /// The bake is over.
    pub(super) fn end_bake(&mut self, now: At) {
        self.walk.departure = Departure::Free;
        self.walk.waiting_for = WaitingFor::Open;
        self.leave_batch(now);
    }

    /// The walk stands before its next batch, or at its end.
    fn leave_batch(&mut self, now: At) {
        if let Departure::Baking { until } = self.walk.departure
            && until > now
        {
            self.walk.waiting_for = WaitingFor::BakeEnd { until };
            return;
        }
        self.walk.departure = Departure::Free;
        if self.walk.has_begun_all() {
            if self.walk.in_flight() == 0 {
                self.finish_walk(now);
            }
            return;
        }
        self.await_next_batch(now);
    }

    /// The next batch waits for a tick, or for a person first.
    fn await_next_batch(&mut self, now: At) {
        let asks = self.walk.direction() == Direction::Forward
            && !self.walk.is_promoted
            && self.settings.pace.promotions.asks_before(self.walk.begun());
        if asks {
            self.walk.waiting_for = WaitingFor::Promotion;
            let request = self.ask(now, RequestKind::Promotion);
            self.state = State::AwaitingPromotion { request };
        } else {
            self.walk.waiting_for = WaitingFor::NextBatch;
        }
    }

    /// A person decided to continue after a trip.
    pub(super) fn resume_walk(&mut self, now: At) {
        if self.walk.batch_is_undispatched() {
            self.walk.waiting_for = WaitingFor::Resume;
            return;
        }
        self.walk.waiting_for = WaitingFor::Open;
        if self.walk.departure != Departure::Held {
            self.leave_batch(now);
        }
    }

    fn finish_walk(&mut self, now: At) {
        match self.walk.direction() {
            Direction::Forward => self.finish(now, Outcome::Completed),
            Direction::Back => self.finish(now, Outcome::RolledBack),
        }
    }
}

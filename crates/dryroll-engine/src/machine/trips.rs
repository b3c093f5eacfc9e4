//! Trips (§5, §12): verdicts and batches are counted, and a rule that holds stops the rollout.

use super::{Engine, State};
use crate::breaker::{Count, Counted, Judge, Scene};
use crate::fleet::{At, InstanceId};
use crate::walk::{Departure, WaitingFor};
use crate::{BreakerOrder, Direction, EventBody, Outcome, Recording, RequestKind, Then, TripReason, Verdict};

/// A rule that has tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrippedRule {
    /// Failures in a row.
    First,
    /// One of `breakers`.
    Listed(usize),
}

impl Engine {
    /// Counts a verdict for every rule, and judges them.
    #[inline]
    pub(super) fn count(&mut self, now: At, position: u32, batch: u32, verdict: Verdict) {
        let is_waiting = self.walk.waiting_for == WaitingFor::Tripped;
        if self.settings.breaker_order == BreakerOrder::Observed
            && !is_waiting
            && let Some(breaker) = &mut self.breaker
            && breaker.count(position, batch, verdict != Verdict::Healthy) == Count::Tripped
        {
            self.trip_first_rule(now, batch);
        }
        if !self.rules.is_empty() && self.walk.direction() == Direction::Forward {
            self.rules.count_verdict(&Counted { position, batch, at: now, failure: verdict.failure() }, is_waiting);
            self.judge_rules(now, batch, Judge::Verdict);
        }
    }

    /// Judges the rules of a moment, in their order; the first that holds trips. While a trip waits none does.
    pub(super) fn judge_rules(&mut self, now: At, batch: u32, judge: Judge) {
        let scene = self.scene(now, batch);
        for index in 0..self.rules.len() {
            if self.walk.waiting_for == WaitingFor::Tripped {
                return;
            }
            let Self { rules, watch, .. } = self;
            let unwell = || watch.iter().flat_map(|watching| watching.unwell_positions());
            let Some((then, finding)) = rules.judge(index, judge, &scene, unwell) else { continue };
            let positions = rules.positions(index, &scene, unwell);
            let reason = TripReason::Rule { rule: index as u32 + 1, finding };
            if then == Then::Note {
                self.rules.note(index);
                let failed = self.names(&positions);
                self.say(now, Recording::Milestones, || EventBody::BreakerNoted { batch_index: batch, failed, reason });
            } else {
                self.trip(now, TrippedRule::Listed(index), batch, &positions, reason, then);
            }
        }
    }

    pub(super) fn trip_first_rule(&mut self, now: At, batch: u32) {
        let Some(breaker) = &self.breaker else { return };
        let (run, limit) = (breaker.run(batch).to_vec(), breaker.limit().get());
        let reason = TripReason::ConsecutiveFailures { limit };
        self.trip(now, TrippedRule::First, batch, &run, reason, Then::Ask);
    }

    /// From now on nothing is dispatched. A bake that goes on is void.
    fn trip(&mut self, now: At, rule: TrippedRule, batch: u32, positions: &[u32], reason: TripReason, then: Then) {
        self.walk.waiting_for = WaitingFor::Tripped;
        if let Departure::Baking { .. } = self.walk.departure {
            self.walk.departure = Departure::Free;
        }
        self.tripped = Some((rule, then));
        let failed = self.names(positions);
        self.say(now, Recording::Milestones, || EventBody::CircuitBreakerTripped {
            batch_index: batch,
            failed,
            reason,
        });
        let kind = match self.walk.direction() {
            Direction::Forward => RequestKind::RollingUpgradeContinuation,
            Direction::Back => RequestKind::RollbackContinuation,
        };
        match then {
            Then::Ask => {
                let request = self.ask(now, kind);
                self.state = State::Tripped { request, kind };
            }
            Then::Note | Then::Abort | Then::RollBack => {
                // A promotion that waits is void.
                self.state = State::Walking;
                self.unasked_trips += 1;
            }
        }
    }

    /// Does what a rule that tripped says, where it asks nobody.
    #[inline]
    pub(super) fn carry_out_trip(&mut self, now: At) {
        match self.tripped {
            None | Some((_, Then::Ask | Then::Note)) => {}
            Some((_, Then::Abort)) => self.finish(now, Outcome::Aborted),
            Some((_, Then::RollBack)) => self.roll_back(now),
        }
    }

    /// A person decided to continue: the rule that tripped counts anew, and so does every run.
    pub(super) fn rearm(&mut self) {
        if let Some(breaker) = &mut self.breaker {
            breaker.rearm();
        }
        let listed = match self.tripped.take() {
            Some((TrippedRule::Listed(index), _)) => Some(index),
            Some((TrippedRule::First, _)) | None => None,
        };
        let Self { rules, watch, .. } = self;
        rules.rearm(listed, || watch.iter().flat_map(|watching| watching.unwell_positions()));
    }

    /// Time has passed without a healthy verdict. A controller that was away judges each rule by its own moment.
    pub(super) fn judge_progress(&mut self, now: At) {
        let Some(passed) = self.rules.shortest_no_progress() else { return };
        self.judge_rules(now, self.walk.batch(), Judge::NoProgress { passed });
        self.carry_out_trip(now);
    }

    fn scene(&self, now: At, batch: u32) -> Scene {
        Scene {
            now,
            batch,
            batch_size: self.walk.record(batch).map_or(0, |record| record.size()),
            planned: self.walk.total(),
            judged: self.walk.judged(),
        }
    }

    fn names(&self, positions: &[u32]) -> Vec<InstanceId> {
        if self.outbox.recording < Recording::Milestones {
            return Vec::new();
        }
        positions.iter().map(|&position| self.instance(position)).collect()
    }
}

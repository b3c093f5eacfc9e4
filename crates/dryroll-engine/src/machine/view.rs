//! The view of an engine: getters that change nothing.

use std::ops::Range;

use super::{Engine, State};
use crate::fleet::{At, InstanceId};
use crate::walk::{WaitingFor, Walk};
use crate::{ApprovalId, BatchPhase, Direction, Outcome, Phase, Plan, RequestKind, Rule, Settings, Ticks, VersionRef};

impl Engine {
    /// Whether its request is still to come in.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.state == State::New
    }

    /// The latest time that came in: events and commands have this time.
    #[must_use]
    #[inline]
    pub fn now(&self) -> At {
        self.clock
    }

    /// The outcome, once the rollout is over.
    #[must_use]
    #[inline]
    pub fn outcome(&self) -> Option<Outcome> {
        match self.state {
            State::Finished { outcome } => Some(outcome),
            _ => None,
        }
    }

    /// Whether the rollout is over.
    #[must_use]
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.outcome().is_some()
    }

    /// The request that a person has not answered yet.
    #[must_use]
    #[inline]
    pub fn pending_request(&self) -> Option<(ApprovalId, RequestKind)> {
        match self.state {
            State::AwaitingApproval { request, .. } => Some((request, RequestKind::RollingUpgrade)),
            State::Tripped { request, kind } => Some((request, kind)),
            State::AwaitingPromotion { request } => Some((request, RequestKind::Promotion)),
            State::New | State::Walking | State::Finished { .. } => None,
        }
    }

    /// When the first request expires, as long as it is pending.
    #[must_use]
    #[inline]
    pub fn expires_at(&self) -> Option<At> {
        match self.state {
            State::AwaitingApproval { expires_at, .. } => Some(expires_at),
            State::New
            | State::Walking
            | State::Tripped { .. }
            | State::AwaitingPromotion { .. }
            | State::Finished { .. } => None,
        }
    }

    /// When the bake ends that the walk waits for.
    #[must_use]
    pub fn bake_ends(&self) -> Option<At> {
        match (self.state, self.walk.waiting_for) {
            (State::Walking, WaitingFor::BakeEnd { until }) => Some(until),
            _ => None,
        }
    }

    /// Whether the walk waits for a tick.
    #[must_use]
    #[inline]
    pub fn awaits_tick(&self) -> bool {
        self.state == State::Walking && matches!(self.walk.waiting_for, WaitingFor::NextBatch | WaitingFor::Resume)
    }

    /// The ticks at which the reconciler wakes up.
    #[must_use]
    pub fn ticks(&self) -> Ticks {
        self.ticks
    }

    /// The plan, as of the last edit.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The settings at its request.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The instance at a position of the plan.
    #[must_use]
    #[inline]
    pub fn instance(&self, position: u32) -> InstanceId {
        self.plan.order.instance(position)
    }

    /// The phase of an instance in the rollout or in its rollback.
    #[must_use]
    #[inline]
    pub fn phase(&self, position: u32, direction: Direction) -> Phase {
        self.instances[position as usize].phase[direction as usize]
    }

    /// When an instance was last dispatched; `None` if it never was.
    #[must_use]
    pub fn dispatched_at(&self, position: u32) -> Option<At> {
        let state_of = &self.instances[position as usize];
        (state_of.phase[0] != Phase::Waiting).then_some(state_of.dispatched_at)
    }

    /// How many instances were dispatched to the target: always the first ones of the plan.
    #[must_use]
    #[inline]
    pub fn dispatched(&self) -> u32 {
        self.forward().dispatched()
    }

    /// The walk of the rollout itself, as its rollback found it.
    fn forward(&self) -> &Walk {
        self.taken_back.as_ref().unwrap_or(&self.walk)
    }

    /// How many instances await a verdict.
    #[must_use]
    #[inline]
    pub fn in_flight(&self) -> u32 {
        if self.judges() { self.walk.in_flight() } else { 0 }
    }

    /// Whether the current walk, or the last one, is the rollout or its rollback.
    #[must_use]
    #[inline]
    pub fn direction(&self) -> Direction {
        self.walk.direction()
    }

    /// How often an instance was commanded again, in the rollout or, once it is commanded back, in its rollback.
    #[must_use]
    #[inline]
    pub fn attempt(&self, position: u32) -> u32 {
        u32::from(self.instances[position as usize].attempt)
    }

    /// The first rule's count of failures in a row, and its limit; `None` if the rollout has no such rule.
    #[must_use]
    pub fn breaker(&self) -> Option<(u32, u32)> {
        self.breaker.as_ref().map(|breaker| (breaker.run(self.walk.batch()).len() as u32, breaker.limit().get()))
    }

    /// The positions of the failures in a row, oldest first.
    #[must_use]
    pub fn breaker_run(&self) -> &[u32] {
        self.breaker.as_ref().map_or(&[], |breaker| breaker.run(self.walk.batch()))
    }

    /// The rules of `breakers` with what each counts now; `None` where a rule counts nothing.
    pub fn rules(&self) -> impl Iterator<Item = (&Rule, Option<u32>)> {
        self.rules.view(self.walk.batch())
    }

    /// How many trips asked nobody.
    #[must_use]
    pub fn unasked_trips(&self) -> u32 {
        self.unasked_trips
    }

    /// How many planned instances are unwell and not in flight; `None` if nobody is watched.
    #[must_use]
    pub fn unwell(&self) -> Option<u32> {
        self.watching().map(|watching| watching.unwell())
    }

    /// Whether a planned instance is unwell and not in flight.
    #[must_use]
    pub fn is_unwell(&self, position: u32) -> bool {
        self.watching().is_some_and(|watching| watching.is_unwell(position))
    }

    /// How many batches of the rollout have begun.
    #[must_use]
    pub fn batches_begun(&self) -> u32 {
        self.forward().begun()
    }

    /// The positions of a batch of the rollout: of one that has begun as it began, of others as the plan has it.
    #[must_use]
    pub fn batch(&self, index: u32) -> Range<u32> {
        match self.forward().record(index) {
            Some(record) => record.start..record.end,
            None => self.plan.batch(index),
        }
    }

    /// The phase of a batch of the rollout.
    #[must_use]
    pub fn batch_phase(&self, index: u32) -> BatchPhase {
        let positions = self.batch(index);
        let dispatched = self.dispatched();
        if self.taken_back.is_some() {
            return match self.state {
                _ if positions.start >= dispatched => BatchPhase::Pending,
                State::Finished { outcome: Outcome::RolledBack } => BatchPhase::RolledBack,
                _ => BatchPhase::Tripped,
            };
        }
        let is_last_begun = index + 1 == self.walk.begun();
        match (self.walk.record(index), self.walk.waiting_for) {
            (None, _) => BatchPhase::Pending,
            _ if positions.start >= dispatched => BatchPhase::Pending,
            (Some(_), WaitingFor::Tripped) if is_last_begun => BatchPhase::Tripped,
            (Some(_), _) if self.walk.is_judged(index) => BatchPhase::Completed,
            (Some(_), _) => BatchPhase::Running,
        }
    }

    /// The version that a rollout in this direction dispatches; `None` if the previous version is gone.
    #[must_use]
    pub fn version(&self, direction: Direction) -> Option<&VersionRef> {
        match direction {
            Direction::Forward => Some(&self.settings.target),
            Direction::Back => self.settings.previous.as_ref().filter(|_| !self.previous_gone),
        }
    }
}

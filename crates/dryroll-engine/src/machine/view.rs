//! The view of an engine: getters that change nothing.

use super::{Engine, State};
use crate::fleet::{At, InstanceId};
use crate::walk::WaitingFor;
use crate::{ApprovalId, BatchPhase, Direction, Outcome, Phase, Plan, RequestKind, Settings, Ticks, VersionRef};

impl Engine {
    /// Whether its request is still to come in.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.state == State::New
    }

    /// The latest time that came in: events and commands have this time.
    #[must_use]
    pub fn now(&self) -> At {
        self.clock
    }

    /// The outcome, once the rollout is over.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        match self.state {
            State::Finished { outcome } => Some(outcome),
            _ => None,
        }
    }

    /// Whether the rollout is over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.outcome().is_some()
    }

    /// The request that a person has not answered yet.
    #[must_use]
    pub fn pending_request(&self) -> Option<(ApprovalId, RequestKind)> {
        match self.state {
            State::AwaitingApproval { request, .. } => Some((request, RequestKind::RollingUpgrade)),
            State::Tripped { request, kind } => Some((request, kind)),
            _ => None,
        }
    }

    /// When the first request expires, as long as it is pending.
    #[must_use]
    pub fn expires_at(&self) -> Option<At> {
        match self.state {
            State::AwaitingApproval { expires_at, .. } => Some(expires_at),
            State::New | State::Walking | State::Tripped { .. } | State::Finished { .. } => None,
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
    pub fn dispatched(&self) -> u32 {
        self.taken_back.unwrap_or(self.walk.dispatched())
    }

    /// How many instances await a verdict.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        if self.judges() { self.walk.in_flight() } else { 0 }
    }

    /// Whether the current walk, or the last one, is the rollout or its rollback.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.walk.direction
    }

    /// The breaker's count of failures in a row, and its limit.
    #[must_use]
    pub fn breaker(&self) -> (u32, u32) {
        (self.breaker.run().len() as u32, self.breaker.limit().get())
    }

    /// The positions of the failures in a row, oldest first.
    #[must_use]
    pub fn breaker_run(&self) -> &[u32] {
        self.breaker.run()
    }

    /// The phase of a batch of the plan.
    #[must_use]
    pub fn batch_phase(&self, index: u32) -> BatchPhase {
        let positions = self.plan.batch(index);
        let dispatched = self.dispatched();
        if self.taken_back.is_some() {
            return match self.state {
                _ if positions.start >= dispatched => BatchPhase::Pending,
                State::Finished { outcome: Outcome::RolledBack } => BatchPhase::RolledBack,
                _ => BatchPhase::Tripped,
            };
        }
        if index < self.walk.batch {
            BatchPhase::Completed
        } else if index > self.walk.batch || positions.start >= dispatched {
            BatchPhase::Pending
        } else {
            match (self.state, self.walk.waiting_for) {
                (_, WaitingFor::Tripped) => BatchPhase::Tripped,
                _ if self.walk.batch_is_judged() => BatchPhase::Completed,
                _ => BatchPhase::Running,
            }
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

//! The engine itself: the states of a rollout, its request, its outputs and its end.
//!
//! What else comes in has a file of its own: [`time`] decides what is due, [`verdicts`] judges heartbeats and deadlines,
//! [`batches`] dispatches, [`answers`] takes a person's decisions, [`rollback`] turns round.

mod answers;
mod batches;
mod rollback;
mod time;
mod verdicts;
mod view;

pub use time::Timer;

use std::ops::Range;

use super::breaker::ConsecutiveFailures;
use super::outbox::Outbox;
use super::walk::{InstanceState, Walk};
use super::{
    ApprovalId, Direction, Entry, Event, EventBody, Input, InterventionPolicy, Outcome, Plan, Recording, RequestKind,
    RolloutId, Settings, Ticks,
};
use crate::fleet::At;

/// What the engine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Command these instances, in this order, to a version: positions of the plan, see [`Engine::instance`].
    Upgrade {
        /// To which of the two versions.
        to: Direction,
        /// Which positions of the plan.
        positions: Range<u32>,
    },
    /// Ask a person; the answer comes in with [`Engine::handle_answer`].
    Ask {
        /// The request.
        request: ApprovalId,
        /// What it asks.
        kind: RequestKind,
    },
}

/// Where the whole stands. What a state needs lives in it, so that nothing is left over from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The request has not come in.
    New,
    /// A person is asked whether the plan may start.
    AwaitingApproval { request: ApprovalId, expires_at: At },
    /// Batches are walked.
    Walking,
    /// A person is asked what to do about a trip.
    Tripped { request: ApprovalId, kind: RequestKind },
    /// Over.
    Finished { outcome: Outcome },
}

/// A rollout, from its request to its end, with the rollback that it may come to.
///
/// The [crate's page](crate) has the contract: what to call, in which order, what it answers.
#[derive(Clone, Debug)]
pub struct Engine {
    settings: Settings,
    plan: Plan,
    state: State,
    walk: Walk,
    breaker: ConsecutiveFailures,
    instances: Vec<InstanceState>,
    outbox: Outbox,
    approvals: u32,
    ticks: Ticks,
    /// No tick before this moment wakes the reconciler: it was taken, or is skipped.
    ticks_from: At,
    /// The latest time that came in. Time that runs backwards is taken as standing still.
    clock: At,
    /// How many positions the rollout dispatched, once a rollback has taken its place.
    taken_back: Option<u32>,
    /// The previous version was archived or collected since the request.
    previous_gone: bool,
}

impl Engine {
    /// An engine that awaits its request.
    #[must_use]
    pub fn new(plan: Plan, settings: Settings, ticks: Ticks, recording: Recording) -> Self {
        let mut engine = Self {
            state: State::New,
            walk: Walk::new(RolloutId::FIRST, Direction::Forward, 0, 1, None),
            breaker: ConsecutiveFailures::new(settings.max_consecutive_failures, settings.breaker_scope),
            instances: Vec::new(),
            outbox: Outbox::new(recording),
            approvals: 0,
            ticks,
            ticks_from: At::ZERO,
            clock: At::ZERO,
            taken_back: None,
            previous_gone: false,
            plan,
            settings,
        };
        engine.reset();
        engine
    }

    /// As new, with the same plan and settings; an edit of the last run is undone. Keeps its buffers.
    pub fn reset(&mut self) {
        self.state = State::New;
        self.plan.set_batch_pct(self.settings.batch_pct);
        self.walk = self.first_walk(self.settings.batch_pct);
        self.breaker.reset(self.settings.max_consecutive_failures, self.settings.breaker_scope);
        self.instances.clear();
        self.instances.resize(self.plan.total_instances() as usize, InstanceState::default());
        self.outbox.clear();
        self.approvals = 0;
        self.ticks_from = At::ZERO;
        self.clock = At::ZERO;
        self.taken_back = None;
        self.previous_gone = false;
    }

    fn first_walk(&self, batch_pct: u32) -> Walk {
        let total = self.plan.total_instances();
        Walk::new(RolloutId::FIRST, Direction::Forward, total, batch_pct, self.settings.max_in_flight)
    }

    // ---- Inputs -------------------------------------------------------------------------------

    /// The request (§1, §2): plans, and asks, proceeds or refuses as the policy says.
    pub fn handle_request(&mut self, now: At) {
        let now = self.take_in(now, || Input::Request);
        if self.state != State::New {
            return;
        }
        self.announce_plan(now);
        if self.plan.total_instances() == 0 {
            return self.finish(now, Outcome::Completed);
        }
        match self.settings.policy {
            InterventionPolicy::RequireApproval => {
                let request = self.ask(now, RequestKind::RollingUpgrade);
                self.state = State::AwaitingApproval { request, expires_at: now + self.settings.approval_expires };
            }
            InterventionPolicy::AutoApprove => self.state = State::Walking,
            InterventionPolicy::NotifyAndProceed => {
                self.say(now, Recording::Milestones, || EventBody::OperatorNotified);
                self.state = State::Walking;
            }
            InterventionPolicy::Blocked => self.finish(now, Outcome::Blocked),
        }
    }

    /// Whoever drives the engine waits no longer (§7): the outcome is `stalled`.
    pub fn handle_horizon(&mut self, now: At) {
        let now = self.take_in(now, || Input::Horizon);
        if !self.is_finished() {
            self.finish(now, Outcome::Stalled);
        }
    }

    // ---- Outputs ------------------------------------------------------------------------------

    /// The next thing to do; call it after every input until it answers `None`.
    #[inline]
    pub fn poll_command(&mut self) -> Option<Command> {
        self.outbox.commands.pop_front()
    }

    /// The next event; call it after every input until it answers `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.outbox.poll_event(&self.plan.order)
    }

    /// The next line of the journal: an input that was taken, or an event. In place of
    /// [`poll_event`](Self::poll_event), and with [`Recording::Journal`]; other recordings keep no inputs.
    pub fn poll_entry(&mut self) -> Option<Entry> {
        self.outbox.poll_entry(&self.plan.order)
    }

    pub(super) fn commands_mut(&mut self) -> &mut std::collections::VecDeque<Command> {
        &mut self.outbox.commands
    }

    /// From now on keeps these events.
    pub fn record(&mut self, recording: Recording) {
        self.outbox.recording = recording;
    }

    /// Which events it keeps.
    #[must_use]
    pub fn recording(&self) -> Recording {
        self.outbox.recording
    }

    // ---- What inputs come to ------------------------------------------------------------------

    fn advance(&mut self, now: At) -> At {
        self.clock = self.clock.max(now);
        self.clock
    }

    /// An input comes in: the clock moves, and the journal has it.
    #[inline]
    fn take_in(&mut self, now: At, input: impl FnOnce() -> Input) -> At {
        let now = self.advance(now);
        self.outbox.input(now, input);
        now
    }

    /// Takes one input of a journal again, at the moment at which it was taken.
    pub(super) fn replay(&mut self, now: At, input: Input) {
        match input {
            Input::Request => self.handle_request(now),
            Input::Heartbeat { arrived, heartbeat } => {
                self.handle_heartbeat(now, arrived, &heartbeat);
            }
            Input::Deadline => {
                self.take_timer(now, Timer::Deadline);
            }
            Input::Answer { request, answer } => {
                let now = self.advance(now);
                // An answer that was refused changed nothing.
                let _refused = self.take_answer(now, request, answer);
            }
            Input::Expiry => {
                self.take_timer(now, Timer::Expiry);
            }
            Input::Tick => {
                self.take_timer(now, Timer::Tick);
            }
            Input::PreviousGone => self.handle_previous_gone(now),
            Input::Horizon => self.handle_horizon(now),
        }
    }

    fn say(&mut self, now: At, from: Recording, body: impl FnOnce() -> EventBody) {
        self.outbox.event(now, self.walk.rollout, from, body);
    }

    fn announce_plan(&mut self, now: At) {
        let (total_instances, batch_size) = (self.plan.total_instances(), self.plan.batch_size);
        let batch_count = self.plan.batch_count();
        self.say(now, Recording::Milestones, || EventBody::Planned { total_instances, batch_size, batch_count });
    }

    fn finish(&mut self, now: At, outcome: Outcome) {
        self.state = State::Finished { outcome };
        self.outbox.event(now, RolloutId::FIRST, Recording::Milestones, || EventBody::Finished { outcome });
    }
}

//! The engine itself: the states of a rollout, its request, its outputs and its end.
//!
//! Every other input has a file of its own: [`time`] decides what is due, [`verdicts`] judges heartbeats and deadlines,
//! [`trips`] counts verdicts, [`batches`] dispatches, [`answers`] takes a person's decisions, [`rollback`] rolls
//! instances back, [`watching`] knows who is unwell. A rollout without breakers of its own and without a watch uses
//! nothing of the last one, and of `trips` the first rule alone.

mod answers;
mod batches;
mod rollback;
mod time;
mod trips;
mod verdicts;
mod view;
mod watching;

pub use time::Timer;

use std::ops::Range;

use std::num::NonZeroU32;

use super::breaker::{ConsecutiveFailures, Rules};
use super::outbox::Outbox;
use super::walk::{Course, InstanceState, Walk};
use super::{
    ApprovalId, BatchSizes, Direction, Entry, Event, EventBody, Input, InterventionPolicy, Outcome, Plan, Recording,
    RequestKind, RolloutId, Settings, Then, Ticks,
};
use crate::fleet::At;
use trips::TrippedRule;
use watching::Watching;

/// What the engine wants the driver to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Command these instances, in this order, to a version. They are positions of the plan: see [`Engine::instance`].
    Upgrade {
        /// Which of the two versions.
        to: Direction,
        /// Which positions of the plan.
        positions: Range<u32>,
    },
    /// Command this instance again, to the same version: its attempt before failed.
    Retry {
        /// Which of the two versions.
        to: Direction,
        /// Which position of the plan.
        position: u32,
        /// Which attempt begins; 1 is the first retry.
        attempt: u32,
    },
    /// Ask a person; hand in the answer with [`Engine::handle_answer`].
    Ask {
        /// The request.
        request: ApprovalId,
        /// What it asks.
        kind: RequestKind,
    },
}

/// The state of the rollout. Each state holds the data that it needs, so that nothing is left over from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The request has not come in.
    New,
    /// A person is asked whether the plan may start.
    AwaitingApproval { request: ApprovalId, expires_at: At },
    /// Batches are in progress.
    Walking,
    /// A person is asked what to do about a trip.
    Tripped { request: ApprovalId, kind: RequestKind },
    /// A person is asked whether the next batch may begin.
    AwaitingPromotion { request: ApprovalId },
    /// Over.
    Finished { outcome: Outcome },
}

/// A rollout from its request to its end, including the rollback that may follow.
///
/// The [crate's page](crate) has the contract: what to call, in which order, and what each call returns.
#[derive(Clone, Debug)]
pub struct Engine {
    settings: Settings,
    plan: Plan,
    state: State,
    walk: Walk,
    /// The sizes of the batches, as of the last edit.
    sizes: BatchSizes,
    is_edited: bool,
    /// The first rule.
    breaker: Option<ConsecutiveFailures>,
    /// The rules that the rollout adds.
    rules: Rules,
    /// The rule that tripped and what follows from it, until that has followed.
    tripped: Option<(TrippedRule, Then)>,
    /// How many trips asked nobody.
    unasked_trips: u32,
    /// The last batch begun, the last healthy verdict or the last decision.
    progress_at: At,
    instances: Vec<InstanceState>,
    /// When each instance in flight sent the first of its unbroken healthy heartbeats; [`At::NEVER`] for none. Empty
    /// where the first healthy heartbeat decides.
    healthy_since: Vec<At>,
    watch: Option<Watching>,
    outbox: Outbox,
    approvals: u32,
    ticks: Ticks,
    /// No tick before this moment wakes the reconciler: it is already taken, or skipped.
    ticks_from: At,
    /// The latest time that came in. If time runs backwards, the clock stands still.
    clock: At,
    /// The walk of the rollout, once a rollback replaces it.
    taken_back: Option<Walk>,
    /// The previous version was archived or collected since the request.
    previous_gone: bool,
}

impl Engine {
    /// An engine that waits for its request.
    #[must_use]
    pub fn new(plan: Plan, settings: Settings, ticks: Ticks, recording: Recording) -> Self {
        let planned = plan.total_instances();
        let watch = settings.watch.map(|_| Watching::new(planned, settings.most_unavailable(planned)));
        let mut engine = Self {
            state: State::New,
            walk: Walk::new(Course {
                rollout: RolloutId::FIRST,
                direction: Direction::Forward,
                total: 0,
                max_in_flight: 0,
                advance_pct: 0,
            }),
            sizes: settings.batches.clone(),
            is_edited: false,
            breaker: None,
            rules: Rules::new(&settings.breakers),
            tripped: None,
            unasked_trips: 0,
            progress_at: At::ZERO,
            instances: Vec::new(),
            healthy_since: Vec::new(),
            watch,
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

    /// Resets to a new engine with the same plan and settings; edits of the last run are undone. Keeps its buffers.
    pub fn reset(&mut self) {
        let planned = self.plan.total_instances();
        self.state = State::New;
        if self.is_edited {
            self.is_edited = false;
            self.sizes.clone_from(&self.settings.batches);
            self.plan.set_sizes(&self.sizes);
        }
        if let Some(walk) = self.taken_back.take() {
            self.walk = walk;
        }
        self.walk.restart(Course {
            rollout: RolloutId::FIRST,
            direction: Direction::Forward,
            total: planned,
            max_in_flight: self.settings.most_in_flight(planned).map_or(u32::MAX, NonZeroU32::get),
            advance_pct: self.settings.pace.advance_pct,
        });
        match (self.settings.max_consecutive_failures, &mut self.breaker) {
            (Some(limit), Some(breaker)) => breaker.reset(limit),
            (limit, breaker) => {
                *breaker = limit.map(|limit| ConsecutiveFailures::new(limit, self.settings.breaker_scope));
            }
        }
        self.rules.reset();
        self.tripped = None;
        self.unasked_trips = 0;
        self.progress_at = At::ZERO;
        self.instances.clear();
        self.instances.resize(planned as usize, InstanceState::default());
        if self.settings.pace.min_healthy > crate::fleet::Span::ZERO {
            self.healthy_since.clear();
            self.healthy_since.resize(planned as usize, At::NEVER);
        }
        if let Some(watching) = &mut self.watch {
            watching.reset();
        }
        self.outbox.clear();
        self.approvals = 0;
        self.ticks_from = At::ZERO;
        self.clock = At::ZERO;
        self.previous_gone = false;
    }

    // ---- Inputs -------------------------------------------------------------------------------

    /// The request (§1, §2): plans, then asks, proceeds or refuses as the policy requires.
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

    /// The driver stops waiting (§7): the outcome is `stalled`.
    pub fn handle_horizon(&mut self, now: At) {
        let now = self.take_in(now, || Input::Horizon);
        if !self.is_finished() {
            self.finish(now, Outcome::Stalled);
        }
    }

    // ---- Outputs ------------------------------------------------------------------------------

    /// The next command to carry out; call it after every input until it returns `None`.
    #[inline]
    pub fn poll_command(&mut self) -> Option<Command> {
        self.outbox.commands.pop_front()
    }

    /// The next event; call it after every input until it returns `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.outbox.poll_event(&self.plan.order)
    }

    /// The next line of the journal: an input that was taken, or an event. Call it in place of
    /// [`poll_event`](Self::poll_event), with [`Recording::Journal`]; other recordings keep no inputs.
    #[inline]
    pub fn poll_entry(&mut self) -> Option<Entry> {
        self.outbox.poll_entry(&self.plan.order)
    }

    pub(super) fn commands_mut(&mut self) -> &mut std::collections::VecDeque<Command> {
        &mut self.outbox.commands
    }

    /// Sets which events the engine keeps from now on.
    pub fn record(&mut self, recording: Recording) {
        self.outbox.recording = recording;
    }

    /// Which events the engine keeps.
    #[must_use]
    #[inline]
    pub fn recording(&self) -> Recording {
        self.outbox.recording
    }

    // ---- Effects of inputs ---------------------------------------------------------------------

    #[inline]
    fn advance(&mut self, now: At) -> At {
        self.clock = self.clock.max(now);
        self.clock
    }

    /// Takes an input: moves the clock and records the input in the journal.
    #[inline]
    fn take_in(&mut self, now: At, input: impl FnOnce() -> Input) -> At {
        let now = self.advance(now);
        self.outbox.input(now, input);
        now
    }

    /// Takes an input of a journal again, at the moment at which it was first taken.
    pub(super) fn replay(&mut self, now: At, input: Input) {
        match input {
            Input::Request => self.handle_request(now),
            Input::Heartbeat { arrived, heartbeat } => {
                self.handle_heartbeat(now, arrived, &heartbeat);
            }
            Input::Deadline => {
                self.take_timer(now, Timer::Deadline);
            }
            Input::Silence { instance } => {
                self.handle_silence(now, instance);
            }
            Input::NoProgress => {
                self.take_timer(now, Timer::NoProgress);
            }
            Input::Answer { request, answer } => {
                let now = self.advance(now);
                // A refused answer changed nothing.
                let _refused = self.take_answer(now, request, answer);
            }
            Input::Expiry => {
                self.take_timer(now, Timer::Expiry);
            }
            Input::BakeEnd => {
                self.take_timer(now, Timer::BakeEnd);
            }
            Input::Tick => {
                self.take_timer(now, Timer::Tick);
            }
            Input::PreviousGone => self.handle_previous_gone(now),
            Input::Horizon => self.handle_horizon(now),
        }
    }

    fn say(&mut self, now: At, from: Recording, body: impl FnOnce() -> EventBody) {
        self.outbox.event(now, self.walk.rollout(), from, body);
    }

    fn announce_plan(&mut self, now: At) {
        let (total_instances, batch_size) = (self.plan.total_instances(), self.plan.batch_size());
        let batch_count = self.plan.batch_count();
        self.say(now, Recording::Milestones, || EventBody::Planned { total_instances, batch_size, batch_count });
    }

    fn finish(&mut self, now: At, outcome: Outcome) {
        self.state = State::Finished { outcome };
        self.outbox.event(now, RolloutId::FIRST, Recording::Milestones, || EventBody::Finished { outcome });
    }
}

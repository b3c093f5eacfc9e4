//! The engine itself: the states of a rollout, and what each input does to them.

mod view;

use std::ops::Range;

use super::breaker::{Breaker, Count};
use super::outbox::Outbox;
use super::walk::{InstanceState, WaitingFor, Walk};
use super::{
    Answer, AnswerError, ApprovalId, BreakerOrder, Direction, Edit, Event, EventBody, InterventionPolicy, Judged,
    OperatorDecision, Outcome, Phase, Plan, Reason, Recording, RequestKind, RolloutId, Settings, Verdict,
};
use crate::fleet::{At, Heartbeat};

/// What the engine wants done in the replicate.
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

/// An input, as a journal keeps it. Each is one `handle_*` method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Input {
    /// [`Engine::handle_request`]
    Request,
    /// [`Engine::handle_heartbeat`]
    Heartbeat {
        /// When it arrived.
        arrived: At,
        /// What it says.
        heartbeat: Heartbeat,
    },
    /// [`Engine::handle_deadline`]
    Deadline,
    /// [`Engine::handle_answer`]
    Answer {
        /// To which request.
        request: ApprovalId,
        /// What.
        answer: Answer,
    },
    /// [`Engine::handle_expiry`]
    Expiry,
    /// [`Engine::handle_tick`]
    Tick,
    /// [`Engine::handle_previous_gone`]
    PreviousGone,
    /// [`Engine::handle_horizon`]
    Horizon,
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
/// The [room's page](crate) has the contract: what to call, in which order, what it answers.
#[derive(Clone, Debug)]
pub struct Engine {
    settings: Settings,
    plan: Plan,
    state: State,
    walk: Walk,
    breaker: Breaker,
    instances: Vec<InstanceState>,
    outbox: Outbox,
    approvals: u32,
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
    pub fn new(plan: Plan, settings: Settings, recording: Recording) -> Self {
        let mut engine = Self {
            state: State::New,
            walk: Walk::new(RolloutId::FIRST, Direction::Forward, 0, 1, None),
            breaker: Breaker::new(settings.max_consecutive_failures, settings.breaker_scope),
            instances: Vec::new(),
            outbox: Outbox::new(recording),
            approvals: 0,
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
        self.clock = At::ZERO;
        self.taken_back = None;
        self.previous_gone = false;
    }

    fn first_walk(&self, batch_pct: u32) -> Walk {
        let total = self.plan.total_instances();
        Walk::new(RolloutId::FIRST, Direction::Forward, total, batch_pct, self.settings.max_in_flight)
    }

    // ---- Inputs -------------------------------------------------------------------------------

    /// Hands in one input, as the method of its name does. Answers that do not fit are dropped.
    pub fn handle(&mut self, now: At, input: Input) -> Option<Judged> {
        match input {
            Input::Request => self.handle_request(now),
            Input::Heartbeat { arrived, heartbeat } => return self.handle_heartbeat(now, arrived, &heartbeat),
            Input::Deadline => return self.handle_deadline(now),
            Input::Answer { request, answer } => {
                let _refused = self.handle_answer(now, request, answer);
            }
            Input::Expiry => self.handle_expiry(now),
            Input::Tick => self.handle_tick(now),
            Input::PreviousGone => self.handle_previous_gone(now),
            Input::Horizon => self.handle_horizon(now),
        }
        None
    }

    /// The request (§1, §2): plans, and asks, proceeds or refuses as the policy says.
    pub fn handle_request(&mut self, now: At) {
        let now = self.advance(now);
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

    /// A heartbeat that arrived at `arrived` (§4): `now` itself, or earlier where the controller was away.
    ///
    /// Returns the verdict that it gave, if it gave one.
    #[inline]
    pub fn handle_heartbeat(&mut self, now: At, arrived: At, heartbeat: &Heartbeat) -> Option<Judged> {
        let now = self.advance(now);
        let position = self.plan.order.position(heartbeat.instance)?;
        let state_of = self.instances.get_mut(position as usize)?;
        if heartbeat.sent_at < state_of.newest_sent {
            return None;
        }
        state_of.newest_sent = heartbeat.sent_at;
        let state_of = *state_of;
        let awaited = self.walk.is_in_flight(&state_of) && self.judges();
        let due = state_of.dispatched_at + self.settings.health_timeout;
        if !awaited || arrived < state_of.dispatched_at || arrived > due {
            return None;
        }
        let wanted = self.version(self.walk.direction).map(|version| version.digest);
        let verdict = if heartbeat.failed_upgrade.is_some() && heartbeat.failed_upgrade == wanted {
            Verdict::Failed(Reason::UpgradeFailed)
        } else if heartbeat.healthy && Some(heartbeat.digest) == wanted {
            Verdict::Healthy
        } else {
            return None;
        };
        Some(self.judge(now, position, verdict))
    }

    /// The moment of [`next_deadline`](Self::next_deadline) has come (§4): the first instance that is due gets its
    /// verdict. Call it again as long as one is due.
    pub fn handle_deadline(&mut self, now: At) -> Option<Judged> {
        let now = self.advance(now);
        if self.next_deadline()? > now {
            return None;
        }
        let position = self.walk.first_due()?;
        Some(self.judge(now, position, Verdict::Failed(Reason::HealthTimeout)))
    }

    /// A person's answer to a request (§2, §6).
    ///
    /// # Errors
    /// When the request is not pending, does not offer this answer, or an edit is out of range. Nothing is changed
    /// then.
    pub fn handle_answer(&mut self, now: At, request: ApprovalId, answer: Answer) -> Result<(), AnswerError> {
        let now = self.advance(now);
        match self.state {
            State::AwaitingApproval { request: pending, .. } if pending == request => match answer {
                Answer::Approve => {
                    self.decided(now, request, answer);
                    self.state = State::Walking;
                }
                Answer::Edit(edit) => self.edit(now, request, edit)?,
                Answer::Reject => {
                    self.decided(now, request, answer);
                    self.finish(now, Outcome::Rejected);
                }
                Answer::OnTrip(_) => return Err(AnswerError::NotOffered),
            },
            State::Tripped { request: pending, kind } if pending == request => match answer {
                Answer::OnTrip(OperatorDecision::ContinueAnyway) => {
                    self.decided(now, request, answer);
                    self.continue_anyway(now);
                }
                Answer::OnTrip(OperatorDecision::RollbackCompletedBatches)
                    if kind == RequestKind::RollingUpgradeContinuation =>
                {
                    self.decided(now, request, answer);
                    self.roll_back(now);
                }
                Answer::OnTrip(OperatorDecision::Abort) => {
                    self.decided(now, request, answer);
                    self.finish(now, Outcome::Aborted);
                }
                _ => return Err(AnswerError::NotOffered),
            },
            _ => return Err(AnswerError::NotPending),
        }
        Ok(())
    }

    /// The moment of [`expires_at`](Self::expires_at) has come (§2), and nobody answered.
    pub fn handle_expiry(&mut self, now: At) {
        let now = self.advance(now);
        if self.expires_at().is_some_and(|expires_at| expires_at <= now) {
            self.finish(now, Outcome::Expired);
        }
    }

    /// The reconciler wakes up (§3): begins the next batch, or goes on with what a trip left of one.
    pub fn handle_tick(&mut self, now: At) {
        let now = self.advance(now);
        if !self.awaits_tick() {
            return;
        }
        if self.walk.waiting_for == WaitingFor::NextBatch {
            self.breaker.begin_batch();
            let instance_count = self.walk.begin_batch();
            let batch_index = self.walk.batch;
            self.say(now, Recording::Milestones, || EventBody::BatchStarted { batch_index, instance_count });
        }
        self.walk.waiting_for = WaitingFor::Open;
        self.dispatch(now);
    }

    /// The previous version was archived or collected (§6): from now on there is nothing to go back to.
    pub fn handle_previous_gone(&mut self, now: At) {
        self.advance(now);
        // A rollback that has begun goes on with the version that it was given.
        self.previous_gone |= self.taken_back.is_none();
    }

    /// Whoever drives the engine waits no longer (§7): the outcome is `stalled`.
    pub fn handle_horizon(&mut self, now: At) {
        let now = self.advance(now);
        if !self.is_finished() {
            self.finish(now, Outcome::Stalled);
        }
    }

    // ---- Outputs ------------------------------------------------------------------------------

    /// The next thing to do in the replicate; call it after every input until it answers `None`.
    #[inline]
    pub fn poll_command(&mut self) -> Option<Command> {
        self.outbox.commands.pop_front()
    }

    /// The next event; call it after every input until it answers `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.outbox.poll_event(&self.plan.order)
    }

    pub(super) fn commands_mut(&mut self) -> &mut std::collections::VecDeque<Command> {
        &mut self.outbox.commands
    }

    /// When the next verdict is due: hand in [`handle_deadline`](Self::handle_deadline) then.
    #[must_use]
    #[inline]
    pub fn next_deadline(&self) -> Option<At> {
        if !self.judges() {
            return None;
        }
        let position = self.walk.first_due()?;
        Some(self.instances[position as usize].dispatched_at + self.settings.health_timeout)
    }

    /// When the first request expires: hand in [`handle_expiry`](Self::handle_expiry) then.
    #[must_use]
    pub fn expires_at(&self) -> Option<At> {
        match self.state {
            State::AwaitingApproval { expires_at, .. } => Some(expires_at),
            _ => None,
        }
    }

    /// Whether a tick would do anything. Ticks may be handed in all the same.
    #[must_use]
    #[inline]
    pub fn awaits_tick(&self) -> bool {
        self.state == State::Walking && matches!(self.walk.waiting_for, WaitingFor::NextBatch | WaitingFor::Resume)
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

    /// Whether verdicts are given in this state.
    fn judges(&self) -> bool {
        matches!(self.state, State::Walking | State::Tripped { .. })
    }

    fn say(&mut self, now: At, from: Recording, body: impl FnOnce() -> EventBody) {
        self.outbox.event(now, self.walk.rollout, from, body);
    }

    fn announce_plan(&mut self, now: At) {
        let (total_instances, batch_size) = (self.plan.total_instances(), self.plan.batch_size);
        let batch_count = self.plan.batch_count();
        self.say(now, Recording::Milestones, || EventBody::Planned { total_instances, batch_size, batch_count });
    }

    fn ask(&mut self, now: At, kind: RequestKind) -> ApprovalId {
        self.approvals += 1;
        let request = ApprovalId(self.approvals);
        self.say(now, Recording::Milestones, || EventBody::ApprovalRequested { request, kind });
        self.outbox.commands.push_back(Command::Ask { request, kind });
        request
    }

    fn decided(&mut self, now: At, request: ApprovalId, answer: Answer) {
        self.say(now, Recording::Milestones, || EventBody::ApprovalDecided { request, answer });
    }

    fn edit(&mut self, now: At, request: ApprovalId, edit: Edit) -> Result<(), AnswerError> {
        if !edit.is_in_range() {
            return Err(AnswerError::EditOutOfRange);
        }
        self.decided(now, request, Answer::Edit(edit));
        if let Some(batch_pct) = edit.batch_pct {
            self.plan.set_batch_pct(batch_pct);
            self.walk = self.first_walk(batch_pct);
        }
        if let Some(limit) = edit.max_consecutive_failures {
            self.breaker.reset(limit, self.settings.breaker_scope);
        }
        self.announce_plan(now);
        Ok(())
    }

    fn dispatch(&mut self, now: At) {
        let positions = self.walk.dispatch(now, &mut self.instances);
        if positions.is_empty() {
            return;
        }
        let to = self.walk.direction;
        self.outbox.started(now, self.walk.rollout, self.walk.batch, to, positions.clone());
        self.outbox.commands.push_back(Command::Upgrade { to, positions });
    }

    #[inline]
    fn judge(&mut self, now: At, position: u32, verdict: Verdict) -> Judged {
        self.walk.judge(position, verdict, &mut self.instances);
        let (batch_index, instance) = (self.walk.batch, self.instance(position));
        let importance = if verdict == Verdict::Healthy { Recording::Everything } else { Recording::Milestones };
        self.say(now, importance, || EventBody::InstanceHealthCheck {
            batch_index,
            instance,
            failure: verdict.failure(),
        });
        if self.settings.breaker_order == BreakerOrder::Observed && self.walk.waiting_for != WaitingFor::Tripped {
            let count = self.breaker.count(position, verdict != Verdict::Healthy);
            self.trip_if(now, count);
        }
        if self.walk.waiting_for == WaitingFor::Open && self.walk.batch_is_undispatched() {
            self.dispatch(now);
        } else if self.walk.batch_is_judged() {
            self.complete_batch(now);
        }
        Judged { position, verdict }
    }

    fn complete_batch(&mut self, now: At) {
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

    fn step_to_next_batch(&mut self, now: At) {
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

    fn trip_if(&mut self, now: At, count: Count) {
        if count == Count::Closed {
            return;
        }
        self.walk.waiting_for = WaitingFor::Tripped;
        let order = &self.plan.order;
        let (batch_index, run) = (self.walk.batch, self.breaker.run());
        self.outbox.event(now, self.walk.rollout, Recording::Milestones, || EventBody::CircuitBreakerTripped {
            batch_index,
            failed: run.iter().map(|&position| order.instance(position)).collect(),
        });
        let kind = match self.walk.direction {
            Direction::Forward => RequestKind::RollingUpgradeContinuation,
            Direction::Back => RequestKind::RollbackContinuation,
        };
        let request = self.ask(now, kind);
        self.state = State::Tripped { request, kind };
    }

    fn continue_anyway(&mut self, now: At) {
        self.breaker.rearm();
        self.state = State::Walking;
        if self.walk.batch_is_judged() {
            self.step_to_next_batch(now);
        } else {
            self.walk.waiting_for =
                if self.walk.batch_is_undispatched() { WaitingFor::Resume } else { WaitingFor::Open };
        }
    }

    fn roll_back(&mut self, now: At) {
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

    fn finish(&mut self, now: At, outcome: Outcome) {
        self.state = State::Finished { outcome };
        self.outbox.event(now, RolloutId::FIRST, Recording::Milestones, || EventBody::Finished { outcome });
    }
}

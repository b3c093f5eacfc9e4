//! Restart (§9): the engine's whole state, rebuilt from the inputs that it took and the events that it emitted.
//!
//! An engine with [`Recording::Journal`] produces the entries: store each [`Engine::poll_entry`], in order, before you
//! carry out the command that goes with it. Inputs alone would rebuild the state; the events show how much of the last
//! input's effects the controller emitted before it stopped, so that nothing is emitted or dispatched twice.

use super::{
    Answer, ApprovalId, Command, Direction, Engine, Event, EventBody, JournalError, Plan, Recording, Settings, Ticks,
};
use crate::fleet::{At, Heartbeat, InstanceId};

/// An input that an engine took, as a journal stores it.
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
        /// What it contains.
        heartbeat: Heartbeat,
    },
    /// [`Engine::handle_timeout`] took an instance's deadline.
    Deadline,
    /// [`Engine::handle_silence`]
    Silence {
        /// The instance that is silent.
        instance: InstanceId,
    },
    /// [`Engine::handle_timeout`] took a time without a healthy verdict.
    NoProgress,
    /// [`Engine::handle_answer`]
    Answer {
        /// The request that it answers.
        request: ApprovalId,
        /// The answer.
        answer: Answer,
    },
    /// [`Engine::handle_timeout`] took the first request's expiry.
    Expiry,
    /// [`Engine::handle_timeout`] took the end of a bake.
    BakeEnd,
    /// [`Engine::handle_timeout`] took a tick.
    Tick,
    /// [`Engine::handle_previous_gone`]
    PreviousGone,
    /// [`Engine::handle_horizon`]
    Horizon,
}

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Entry {
    /// The engine took this.
    Input {
        /// When it took it.
        now: At,
        /// The input.
        input: Input,
    },
    /// The engine emitted this.
    Event(Event),
}

/// The record of a rollout outside its engine: the plan and the settings at the start, then every input and event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Journal {
    /// The plan at the request.
    pub plan: Plan,
    /// The settings at the request.
    pub settings: Settings,
    /// The entries since, in order.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// The journal of a rollout that has not begun.
    #[must_use]
    pub fn new(plan: Plan, settings: Settings) -> Self {
        Self { plan, settings, entries: Vec::new() }
    }

    /// An engine in the state in which the journal ends; it goes on recording there. `ticks` are those of the new
    /// controller. Effects of the last input that the journal does not show are still to be polled; those that it shows
    /// are not emitted or dispatched again. Call [`Engine::resume`] next.
    ///
    /// # Errors
    /// When the events are not those that the inputs produce: the journal belongs to another rollout, or is damaged.
    pub fn rebuild(&self, ticks: Ticks) -> Result<Engine, JournalError> {
        let mut engine = Engine::new(self.plan.clone(), self.settings.clone(), ticks, Recording::Everything);
        let mut shown = Shown::default();
        for (index, entry) in self.entries.iter().enumerate() {
            match entry {
                Entry::Input { now, input } => {
                    if engine.poll_event().is_some() {
                        return Err(JournalError::Diverged { entry: index });
                    }
                    engine.replay(*now, *input);
                }
                Entry::Event(event) => {
                    if engine.poll_event().as_ref() != Some(event) {
                        return Err(JournalError::Diverged { entry: index });
                    }
                    shown.note(event);
                }
            }
        }
        shown.drop_from(&mut engine);
        engine.record(Recording::Journal);
        Ok(engine)
    }
}

/// What a journal's events show as already dispatched.
#[derive(Default)]
struct Shown {
    started: [u32; 2],
    retried: u32,
    asked: u32,
}

impl Shown {
    fn note(&mut self, event: &Event) {
        match event.body {
            EventBody::InstanceStarted { to, .. } => self.started[to as usize] += 1,
            EventBody::InstanceRetried { .. } => self.retried += 1,
            EventBody::ApprovalRequested { .. } => self.asked += 1,
            _ => {}
        }
    }

    /// Dispatches take the positions in order, and retries come in the order of their events, so those shown are the
    /// first ones.
    fn drop_from(&self, engine: &mut Engine) {
        let started = |to: Direction| self.started[to as usize];
        let mut retried = self.retried;
        engine.commands_mut().retain_mut(|command| match command {
            Command::Upgrade { to, positions } => {
                positions.start = positions.start.max(started(*to));
                positions.start < positions.end
            }
            Command::Retry { .. } => {
                let is_shown = retried > 0;
                retried = retried.saturating_sub(1);
                !is_shown
            }
            Command::Ask { request, .. } => request.0 > self.asked,
        });
    }
}

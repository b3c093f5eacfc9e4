//! Restart (§9): all that the engine knows, rebuilt from the inputs that it took and the events that it emitted.
//!
//! An engine with [`Recording::Journal`] writes it: keep each [`Engine::poll_entry`], in its order, before the command
//! that goes with it is carried out. Inputs alone would rebuild the state; the events say how far the dead controller
//! had come with what the last input brought about, so that nothing is said or dispatched twice.

use super::{
    Answer, ApprovalId, Command, Direction, Engine, Event, EventBody, JournalError, Plan, Recording, Settings, Ticks,
};
use crate::fleet::{At, Heartbeat};

/// An input that an engine took, as a journal keeps it.
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
    /// [`Engine::handle_timeout`] took a deadline.
    Deadline,
    /// [`Engine::handle_answer`]
    Answer {
        /// To which request.
        request: ApprovalId,
        /// What.
        answer: Answer,
    },
    /// [`Engine::handle_timeout`] took the first request's expiry.
    Expiry,
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
        /// What.
        input: Input,
    },
    /// The engine said this.
    Event(Event),
}

/// A rollout's memory outside its engine: what it was told at the start, then what came in and went out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Journal {
    /// The plan at the request.
    pub plan: Plan,
    /// The settings at the request.
    pub settings: Settings,
    /// What happened since.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// The journal of a rollout that has not begun.
    #[must_use]
    pub fn new(plan: Plan, settings: Settings) -> Self {
        Self { plan, settings, entries: Vec::new() }
    }

    /// An engine that stands where the journal ends, and writes it on; the reconciler is the new controller's. What its last input brought about and the journal does not
    /// show is still to be polled; what it shows is not said or dispatched again. [`Engine::resume`] should follow.
    ///
    /// # Errors
    /// When the events are not those that the inputs bring about: the journal is of another rollout, or damaged.
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

/// What a journal's events show to have been commanded.
#[derive(Default)]
struct Shown {
    started: [u32; 2],
    asked: u32,
}

impl Shown {
    fn note(&mut self, event: &Event) {
        match event.body {
            EventBody::InstanceStarted { to, .. } => self.started[to as usize] += 1,
            EventBody::ApprovalRequested { .. } => self.asked += 1,
            _ => {}
        }
    }

    /// Dispatches go through the positions in order, so those shown are the first ones.
    fn drop_from(&self, engine: &mut Engine) {
        let started = |to: Direction| self.started[to as usize];
        engine.commands_mut().retain_mut(|command| match command {
            Command::Upgrade { to, positions } => {
                positions.start = positions.start.max(started(*to));
                positions.start < positions.end
            }
            Command::Ask { request, .. } => request.0 > self.asked,
        });
    }
}

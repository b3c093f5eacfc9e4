//! What the engine has emitted and nobody has polled yet.
//!
//! Events cost nothing until somebody asks for them: with [`Recording::Nothing`] none is kept, and the dispatches of a
//! batch are kept as one range until they are polled one by one.

use std::collections::VecDeque;
use std::ops::Range;

use super::{Command, Direction, Entry, Event, EventBody, Input, PlanOrder, RolloutId};
use crate::fleet::At;

/// Which events the engine keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recording {
    /// No events.
    #[default]
    Nothing,
    /// All but `instance_started` and healthy `instance_health_check`: few events, however large the fleet.
    Milestones,
    /// All events.
    Everything,
    /// All events and the inputs between them: what [`Engine::poll_entry`](crate::Engine::poll_entry) gives to a
    /// journal.
    Journal,
}

/// A kept event, or a range of `instance_started` events that are not expanded yet.
#[derive(Clone, Debug)]
enum Kept {
    One(Event),
    Input { now: At, input: Input },
    Started { at: At, rollout: RolloutId, batch_index: u32, to: Direction, positions: Range<u32> },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    pub recording: Recording,
    pub commands: VecDeque<Command>,
    events: VecDeque<Kept>,
}

impl Outbox {
    pub fn new(recording: Recording) -> Self {
        Self { recording, ..Self::default() }
    }

    pub fn clear(&mut self) {
        self.commands.clear();
        self.events.clear();
    }

    /// Keeps the event if the recording is `from` or keeps more; `body` is called only then.
    #[inline]
    pub fn event(&mut self, at: At, rollout: RolloutId, from: Recording, body: impl FnOnce() -> EventBody) {
        if self.recording >= from {
            self.events.push_back(Kept::One(Event { at, rollout, body: body() }));
        }
    }

    /// Keeps an input for the journal.
    #[inline]
    pub fn input(&mut self, now: At, input: impl FnOnce() -> Input) {
        if self.recording == Recording::Journal {
            self.events.push_back(Kept::Input { now, input: input() });
        }
    }

    #[inline]
    pub fn started(&mut self, at: At, rollout: RolloutId, batch_index: u32, to: Direction, positions: Range<u32>) {
        if self.recording >= Recording::Everything {
            self.events.push_back(Kept::Started { at, rollout, batch_index, to, positions });
        }
    }

    pub fn poll_event(&mut self, order: &PlanOrder) -> Option<Event> {
        loop {
            if let Entry::Event(event) = self.poll_entry(order)? {
                return Some(event);
            }
        }
    }

    pub fn poll_entry(&mut self, order: &PlanOrder) -> Option<Entry> {
        loop {
            match self.events.front_mut()? {
                Kept::Started { at, rollout, batch_index, to, positions } => {
                    if let Some(position) = positions.next() {
                        let instance = order.instance(position);
                        let body = EventBody::InstanceStarted { batch_index: *batch_index, instance, to: *to };
                        return Some(Entry::Event(Event { at: *at, rollout: *rollout, body }));
                    }
                    self.events.pop_front();
                }
                Kept::One(_) | Kept::Input { .. } => match self.events.pop_front()? {
                    Kept::One(event) => return Some(Entry::Event(event)),
                    Kept::Input { now, input } => return Some(Entry::Input { now, input }),
                    Kept::Started { .. } => {}
                },
            }
        }
    }
}

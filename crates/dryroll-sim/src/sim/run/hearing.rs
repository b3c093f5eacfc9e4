//! What a controller learns of an instance between its verdicts, including heartbeats that decide nothing.

use super::Simulator;
use crate::sim::heartbeats::{self, Heard};
use dryroll_engine::fleet::At;

impl Simulator<'_> {
    /// The newest heartbeat of a planned instance that was sent from `from` on and has arrived by `now`, which
    /// is not before the last step. `None` where none has.
    pub fn last_heard(&mut self, position: u32, from: At, now: At) -> Option<Heard> {
        let member = self.commands_of(position);
        self.approach(&member);
        heartbeats::last_heard(&self.environment(), &member, &self.orders, from, now)
    }
}

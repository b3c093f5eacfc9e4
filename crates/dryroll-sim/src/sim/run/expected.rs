//! Which heartbeat each instance in flight is expected to send.

use crate::sim::heartbeats::Decisive;

/// Where the expected heartbeats come from. Both keep the one buffer, so that a run allocates nothing.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// Nothing interferes: the arrival in the queue is the moment of sending, and the outcome of the command says what
    /// the heartbeat reports.
    FromCommands {
        /// Empty.
        buffer: Vec<Option<Decisive>>,
    },
    /// By position: something interferes with the run, so each is kept as it was computed.
    Kept(Vec<Option<Decisive>>),
}

impl Default for Expected {
    fn default() -> Self {
        Self::FromCommands { buffer: Vec::new() }
    }
}

impl Expected {
    /// A run begins, with which nothing interferes yet.
    pub fn begin(&mut self) {
        if let Self::Kept(kept) = self {
            kept.clear();
            *self = Self::FromCommands { buffer: std::mem::take(kept) };
        }
    }

    #[inline(always)]
    pub fn is_from_commands(&self) -> bool {
        matches!(self, Self::FromCommands { .. })
    }

    /// The heartbeat that is kept of a position.
    #[inline(always)]
    pub fn kept(&self, position: u32) -> Option<Decisive> {
        match self {
            Self::FromCommands { .. } => None,
            Self::Kept(kept) => kept.get(position as usize).copied().flatten(),
        }
    }

    /// From now on each is kept, of so many positions; of those in flight now, these.
    pub fn keep(&mut self, positions: u32, in_flight: impl Iterator<Item = (u32, Decisive)>) {
        if let Self::FromCommands { buffer } = self {
            let mut kept = std::mem::take(buffer);
            kept.resize(positions as usize, None);
            for (position, decisive) in in_flight {
                kept[position as usize] = Some(decisive);
            }
            *self = Self::Kept(kept);
        }
    }

    /// Keeps one.
    pub fn set(&mut self, position: u32, decisive: Decisive) {
        debug_assert!(!self.is_from_commands(), "what is computed must be kept");
        if let Self::Kept(kept) = self {
            kept[position as usize] = Some(decisive);
        }
    }
}

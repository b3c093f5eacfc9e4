//! Bakes: no event says that one begins, so they are read off the engine after each event.

use dryroll_engine::fleet::At;
use dryroll_engine::{Engine, Event, EventBody, RolloutId};

/// A bake that the walk waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bake {
    /// Of which batch of the rollout.
    pub batch_index: u32,
    /// When it began.
    pub from: At,
    /// When it ends, or a trip or the end of the rollout made it void.
    pub until: At,
}

/// Finds bakes.
#[derive(Clone, Copy, Debug, Default)]
pub struct BakeWatch {
    last: Option<(u32, At)>,
}

impl BakeWatch {
    /// The bake that the engine waits for since this event; `None` while nothing is new.
    pub fn begun(&mut self, engine: &Engine) -> Option<Bake> {
        let until = engine.bake_ends()?;
        let batch_index = engine.batches_begun().saturating_sub(1);
        if self.last.replace((batch_index, until)) == Some((batch_index, until)) {
            return None;
        }
        let length = engine.settings().pace.bake(batch_index);
        Some(Bake { batch_index, from: At(until.0.saturating_sub(length.0)), until })
    }
}

/// Whether an event makes a bake void that is not over.
#[must_use]
pub fn ends_bake(event: &Event) -> bool {
    event.rollout == RolloutId::FIRST
        && matches!(
            event.body,
            EventBody::CircuitBreakerTripped { .. } | EventBody::RollbackStarted { .. } | EventBody::Finished { .. }
        )
}

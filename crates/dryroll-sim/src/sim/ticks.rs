//! The reconciler's ticks (§3): the grid is the engine's, the pauses that skip ticks are faults.

use super::known::Stretches;
use dryroll_engine::fleet::At;
use dryroll_engine::{Engine, Timer};

/// Has the engine skip the ticks that come first and lie in a pause.
pub fn skip_paused(engine: &mut Engine, pauses: &Stretches) {
    while let Some((tick, Timer::Tick)) = engine.next_timer()
        && let Some(end) = pauses.end_of(tick)
    {
        let end = end.get();
        engine.skip_ticks_until(end.unwrap_or(At::NEVER));
        if end.is_none() {
            return;
        }
    }
}

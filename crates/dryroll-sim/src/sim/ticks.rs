//! The reconciler's ticks (§3): the grid, less the ticks that a pause skips.

use super::known::Stretches;
use dryroll_engine::fleet::{At, Span};

/// The first tick at or after `from` that no pause skips, if any comes.
#[must_use]
pub fn next_tick(interval: Span, from: At, pauses: &Stretches) -> Option<At> {
    let mut tick = from;
    loop {
        tick = At(tick.0.checked_next_multiple_of(interval.0)?);
        match pauses.end_of(tick) {
            Some(end) => tick = end.get()?,
            None => return Some(tick),
        }
    }
}

//! The reconciler's ticks (§3): the grid, less the ticks that a pause skips.

use super::known::Stretches;

/// The first tick at or after `from` that no pause skips; `u64::MAX` where there is none.
#[must_use]
pub fn next_tick(interval: u64, from: u64, pauses: &Stretches) -> u64 {
    let mut tick = from;
    loop {
        tick = match tick.checked_next_multiple_of(interval) {
            Some(tick) if tick < u64::MAX => tick,
            _ => return u64::MAX,
        };
        match pauses.end_of(tick) {
            Some(end) => tick = end,
            None => return tick,
        }
    }
}

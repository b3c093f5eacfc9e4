//! The reconciler's ticks (§3): the grid of moments at which a plan or a next batch may start.
//!
//! The grid belongs to the controller, not to the rollout: [`Settings`](super::Settings) and journals do not hold it,
//! and a controller that returns may have another one.

use crate::fleet::{At, Span};

/// Ticks at `phase + k × interval`, k = 0, 1, 2 …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticks {
    interval: u64,
    phase: u64,
}

impl Ticks {
    /// Ticks at the request and at every multiple of the interval after it. An interval of zero counts as one
    /// millisecond.
    #[must_use]
    pub const fn every(interval: Span) -> Self {
        Self { interval: if interval.0 == 0 { 1 } else { interval.0 }, phase: 0 }
    }

    /// The same interval, with the first tick `phase` after the request.
    #[must_use]
    pub const fn with_phase(self, phase: Span) -> Self {
        Self { phase: phase.0, ..self }
    }

    /// The first tick at or after a moment; [`At::NEVER`] if it would lie beyond the end of time.
    #[must_use]
    #[inline]
    pub fn first_from(self, at: At) -> At {
        let next = at.0.saturating_sub(self.phase).checked_next_multiple_of(self.interval);
        next.and_then(|since| since.checked_add(self.phase)).map_or(At::NEVER, At)
    }
}

impl Default for Ticks {
    /// A tick every minute, as the contract specifies.
    fn default() -> Self {
        Self::every(Span(60_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_3_ticks_stand_on_the_grid() {
        let ticks = Ticks::every(Span(60));
        for (from, tick) in [(0, 0), (1, 60), (60, 60), (61, 120)] {
            assert_eq!(ticks.first_from(At(from)), At(tick), "from {from}");
        }
        let ticks = ticks.with_phase(Span(25));
        for (from, tick) in [(0, 25), (25, 25), (26, 85), (85, 85), (86, 145)] {
            assert_eq!(ticks.first_from(At(from)), At(tick), "from {from}");
        }
    }

    #[test]
    fn the_end_of_time_has_no_tick() {
        assert_eq!(Ticks::every(Span(60)).first_from(At(u64::MAX - 1)), At::NEVER);
        assert_eq!(Ticks::every(Span(60)).with_phase(Span(u64::MAX)).first_from(At(0)), At::NEVER);
        assert_eq!(Ticks::every(Span::ZERO).first_from(At(7)), At(7));
    }
}

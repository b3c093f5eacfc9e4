//! `max_consecutive_failures` (§5): counts failed verdicts in a row and trips when the count reaches the limit.
//!
//! The rule knows nothing of instances or time: positions come in with their verdicts and the indices of their batches,
//! in the order in which they count. The caller decides *which* order that is ([`BreakerOrder`]); this rule decides
//! whether each batch has a count of its own ([`BreakerScope`]).
//!
//! [`BreakerOrder`]: crate::BreakerOrder

use std::num::NonZeroU32;

use crate::BreakerScope;

/// What one verdict means for the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Count {
    /// The rule does not hold.
    Closed,
    /// The rule holds: the breaker trips.
    Tripped,
}

/// The breaker of one rollout, with its count.
#[derive(Clone, Debug)]
pub struct ConsecutiveFailures {
    limit: NonZeroU32,
    scope: BreakerScope,
    /// The positions of the failures in a row, oldest first: of the rollout, or by batch. The length is the count.
    runs: Vec<Vec<u32>>,
}

impl ConsecutiveFailures {
    /// A breaker with a count of zero.
    #[must_use]
    pub fn new(limit: NonZeroU32, scope: BreakerScope) -> Self {
        Self { limit, scope, runs: vec![Vec::new()] }
    }

    /// Resets to a new breaker with another limit; keeps its buffers.
    pub fn reset(&mut self, limit: NonZeroU32) {
        self.limit = limit;
        self.rearm();
    }

    /// Counts one verdict, of an instance of this batch.
    #[inline]
    pub fn count(&mut self, position: u32, batch: u32, failed: bool) -> Count {
        let place = self.place(batch);
        if place >= self.runs.len() {
            if !failed {
                return Count::Closed;
            }
            self.runs.resize_with(place + 1, Vec::new);
        }
        let run = &mut self.runs[place];
        if !failed {
            run.clear();
            return Count::Closed;
        }
        run.push(position);
        if run.len() as u32 >= self.limit.get() { Count::Tripped } else { Count::Closed }
    }

    #[inline]
    fn place(&self, batch: u32) -> usize {
        match self.scope {
            BreakerScope::Rollout => 0,
            BreakerScope::Batch => batch as usize,
        }
    }

    /// A person decided to continue: the count goes to zero, and the breaker can trip again.
    pub fn rearm(&mut self) {
        self.runs.iter_mut().for_each(Vec::clear);
    }

    /// The failures in a row that count for a batch, oldest first.
    #[must_use]
    #[inline]
    pub fn run(&self, batch: u32) -> &[u32] {
        self.runs.get(self.place(batch)).map_or(&[], Vec::as_slice)
    }

    /// The number of failures in a row that trips it.
    #[must_use]
    pub fn limit(&self) -> NonZeroU32 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(limit: u32, scope: BreakerScope) -> ConsecutiveFailures {
        ConsecutiveFailures::new(NonZeroU32::new(limit).unwrap(), scope)
    }

    fn feed(breaker: &mut ConsecutiveFailures, verdicts: &str) -> Option<usize> {
        verdicts
            .bytes()
            .enumerate()
            .position(|(position, v)| breaker.count(position as u32, 0, v == b'x') == Count::Tripped)
    }

    #[test]
    fn section_5_it_trips_when_the_count_reaches_the_limit() {
        assert_eq!(feed(&mut breaker(2, BreakerScope::Rollout), "..x.xx"), Some(5));
        assert_eq!(feed(&mut breaker(3, BreakerScope::Rollout), "xx.xx.xx."), None);
        assert_eq!(feed(&mut breaker(1, BreakerScope::Rollout), "..x"), Some(2));
    }

    #[test]
    fn section_5_the_run_is_named_in_order() {
        let mut breaker = breaker(3, BreakerScope::Rollout);
        assert_eq!(feed(&mut breaker, "x.xxx"), Some(4));
        assert_eq!(breaker.run(0), [2, 3, 4]);
    }

    #[test]
    fn section_5_scope_says_whether_a_batch_starts_at_zero() {
        for (scope, trips) in [(BreakerScope::Rollout, true), (BreakerScope::Batch, false)] {
            let mut breaker = breaker(2, scope);
            assert_eq!(breaker.count(0, 0, true), Count::Closed);
            assert_eq!(breaker.count(1, 1, true) == Count::Tripped, trips, "{scope:?}");
        }
    }

    #[test]
    fn section_6_continuing_sets_the_count_to_zero() {
        let mut breaker = breaker(2, BreakerScope::Rollout);
        assert_eq!(feed(&mut breaker, "xx"), Some(1));
        breaker.rearm();
        assert_eq!(feed(&mut breaker, "x.xx"), Some(3));
    }
}

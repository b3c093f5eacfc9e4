//! `max_consecutive_failures` (§5): counts failed verdicts in a row and trips when the count reaches the limit.
//!
//! The rule knows nothing of instances, batches or time: positions come in with their verdicts, in the order in which
//! they count. The caller decides *which* order that is ([`BreakerOrder`]); this rule decides whether the count starts
//! again with each batch ([`BreakerScope`]).
//!
//! [`BreakerOrder`]: crate::BreakerOrder

use std::num::NonZeroU32;

use super::Count;
use crate::BreakerScope;

/// The breaker of one rollout, with its count.
#[derive(Clone, Debug)]
pub struct ConsecutiveFailures {
    limit: NonZeroU32,
    scope: BreakerScope,
    /// The positions of the failures in a row, oldest first. Its length is the count.
    run: Vec<u32>,
}

impl ConsecutiveFailures {
    /// A breaker with a count of zero.
    #[must_use]
    pub fn new(limit: NonZeroU32, scope: BreakerScope) -> Self {
        Self { limit, scope, run: Vec::new() }
    }

    /// Resets to a new breaker with another limit; keeps its buffer.
    pub fn reset(&mut self, limit: NonZeroU32, scope: BreakerScope) {
        self.limit = limit;
        self.scope = scope;
        self.run.clear();
    }

    /// Counts one verdict.
    pub fn count(&mut self, position: u32, failed: bool) -> Count {
        if !failed {
            self.run.clear();
            return Count::Closed;
        }
        self.run.push(position);
        if self.run.len() as u32 >= self.limit.get() { Count::Tripped } else { Count::Closed }
    }

    /// A batch begins.
    pub fn begin_batch(&mut self) {
        if self.scope == BreakerScope::Batch {
            self.run.clear();
        }
    }

    /// A person decided to continue: the count goes to zero, and the breaker can trip again.
    pub fn rearm(&mut self) {
        self.run.clear();
    }

    /// The failures in a row, oldest first.
    #[must_use]
    pub fn run(&self) -> &[u32] {
        &self.run
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
            .position(|(position, v)| breaker.count(position as u32, v == b'x') == Count::Tripped)
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
        assert_eq!(breaker.run(), [2, 3, 4]);
    }

    #[test]
    fn section_5_scope_says_whether_a_batch_starts_at_zero() {
        for (scope, trips) in [(BreakerScope::Rollout, true), (BreakerScope::Batch, false)] {
            let mut breaker = breaker(2, scope);
            assert_eq!(breaker.count(0, true), Count::Closed);
            breaker.begin_batch();
            assert_eq!(breaker.count(1, true) == Count::Tripped, trips, "{scope:?}");
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

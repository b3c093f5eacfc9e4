//! Breakers (§5): the rules that stop a rollout. One file a rule; each reads alone.
//!
//! A rule is handed positions and verdicts in the order in which they count, and answers with a [`Count`]. What a trip
//! comes to (who is asked, what is not dispatched any more) is the engine's, the same for every rule.

mod consecutive_failures;

pub use consecutive_failures::ConsecutiveFailures;

/// What one verdict comes to for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Count {
    /// The rule does not hold.
    Closed,
    /// The rule holds: the breaker trips.
    Tripped,
}

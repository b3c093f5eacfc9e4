//! Breakers (§5): the rules that stop a rollout. Each rule has a file of its own, which can be read alone.
//!
//! A rule receives positions and verdicts in the order in which they count, and returns a [`Count`]. The engine decides
//! what follows from a trip (who is asked, what is no longer dispatched); it is the same for every rule.

mod consecutive_failures;

pub use consecutive_failures::ConsecutiveFailures;

/// What one verdict means for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Count {
    /// The rule does not hold.
    Closed,
    /// The rule holds: the breaker trips.
    Tripped,
}

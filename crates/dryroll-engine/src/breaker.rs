//! Breakers (§5, §12): the rules that stop a rollout. Each rule has a file of its own, which can be read alone.
//!
//! The tutorial's rule, [`ConsecutiveFailures`], needs none of the others. The rules that a rollout adds are [`Rule`]s
//! in its settings; [`Rules`] counts for all of them and says which one holds. A rule receives verdicts in the order in
//! which they count. The engine decides what follows when a rule holds; it is the same for every rule.

mod consecutive_failures;
mod failed_batches;
mod failures;
mod finding;
mod no_progress;
mod rule;
mod rules;
mod sprt;
mod threshold;
mod unwell;

pub use consecutive_failures::{ConsecutiveFailures, Count};
pub use failed_batches::FailedBatches;
pub use failures::{FailureCount, Failures, Moments};
pub use finding::{Finding, TripReason};
pub use no_progress::NoProgress;
pub use rule::{Rule, RuleKind, Then};
pub(crate) use rules::{Judge, Rules};
pub use sprt::{LogRatio, Sprt};
pub use threshold::{Armed, Limit, Threshold, Whole};
pub use unwell::Unwell;

use crate::Reason;
use crate::fleet::At;

/// A verdict, as a rule counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The instance's position in the plan.
    pub position: u32,
    /// The index of its batch.
    pub batch: u32,
    /// When it was given.
    pub at: At,
    /// Why it failed; `None` if it is healthy.
    pub failure: Option<Reason>,
}

/// What a rule compares its count with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The moment.
    pub now: At,
    /// The batch that the moment is about.
    pub batch: u32,
    /// The full size of that batch.
    pub batch_size: u32,
    /// The number of planned instances.
    pub planned: u32,
    /// The number of instances that are judged.
    pub judged: u32,
}

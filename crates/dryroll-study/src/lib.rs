//! What many rollouts say together, and what one person or one history adds.
//!
//! - [`study`]: sweeps, comparisons, tuning, checks, exact values, shards.
//! - [`calibrate`]: from the events of real rollouts to the numbers of a scenario.
//! - [`drill`]: one rollout with a person as its operator: sessions, decisions, their record, branches, score.

pub mod calibrate;
pub mod drill;
pub mod study;

//! Studies of many rollouts, drills with one person, and calibration from recorded rollouts.
//!
//! - [`study`]: sweeps, comparisons, tuning, checks, exact values, shards.
//! - [`calibrate`]: from the events of real rollouts to the parameters of a scenario.
//! - [`drill`]: one rollout with a person as its operator: sessions, decisions, their record, branches, score.

pub mod calibrate;
pub mod drill;
pub mod study;

//! A rule of the settings: what it counts, and what follows when it holds.

use super::{FailedBatches, Failures, NoProgress, Sprt, Unwell};

/// What follows when a rule holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Then {
    /// The rollout stops, and a person is asked.
    #[default]
    Ask,
    /// An event notes it, once; nothing else changes.
    Note,
    /// The rollout is aborted.
    Abort,
    /// The rollout is rolled back.
    RollBack,
}

/// One rule of `breakers`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rule {
    /// What it counts, and its limit.
    pub kind: RuleKind,
    /// What follows.
    pub then: Then,
}

/// What a rule counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum RuleKind {
    /// Failed verdicts.
    Failures(Failures),
    /// Failed batches in a row.
    FailedBatches(FailedBatches),
    /// Instances that are unwell.
    Unwell(Unwell),
    /// Wald's sequential test of the failure rate.
    Sprt(Sprt),
    /// Time without a healthy verdict.
    NoProgress(NoProgress),
}

//! Versions of a module, as far as every room needs them.

use serde::{Deserialize, Serialize};

/// A module digest, interned: equal ids stand for equal digests. Whoever owns the texts hands the ids out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DigestId(pub u32);

/// Where a module version stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleState {
    /// Being written.
    Draft,
    /// Being tried out.
    Staging,
    /// Fit to be rolled out.
    Blessed,
    /// In production.
    Live,
    /// Collected: nothing can be rolled back to it.
    Archived,
}

impl LifecycleState {
    /// Whether a rollout to a version in this state is allowed.
    #[must_use]
    pub fn can_be_rolled_out(self) -> bool {
        matches!(self, Self::Blessed | Self::Live)
    }
}

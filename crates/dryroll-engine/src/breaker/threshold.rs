//! The limit of a rule: a number, or a share of a whole, that a count reaches or exceeds.

use std::cmp::Ordering;

use super::Scene;
use crate::{Rounding, Share};

/// What a limit's share is a share of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Whole {
    /// All planned instances.
    #[default]
    Planned,
    /// The full size of the verdict's own batch.
    Batch,
    /// All instances that are judged so far.
    Judged,
}

/// A number, or a share of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Limit {
    /// This many.
    Count(u32),
    /// A share of the rule's whole.
    Share(Share),
    /// The number that a share of the planned comes to, rounded up, within bounds.
    Clamped {
        /// The share of the planned.
        share: Share,
        /// The least number.
        least: u32,
        /// The greatest number.
        most: u32,
    },
}

/// A limit, and what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Threshold {
    /// The limit.
    pub limit: Limit,
    /// What a share is of, and what the reason of a trip names.
    pub of: Whole,
    /// Whether the count must be above the limit; else it is enough to reach it.
    pub exceeds: bool,
}

impl Threshold {
    /// The size of the whole.
    pub(crate) fn whole(&self, scene: &Scene) -> u32 {
        match self.of {
            Whole::Planned => scene.planned,
            Whole::Batch => scene.batch_size,
            Whole::Judged => scene.judged,
        }
    }

    /// Whether a count reaches the limit, or exceeds it. A count of zero never does.
    #[must_use]
    pub fn holds(&self, count: u32, scene: &Scene) -> bool {
        let against = match self.limit {
            Limit::Count(limit) => count.cmp(&limit),
            Limit::Share(share) => share.compare(count, self.whole(scene)),
            Limit::Clamped { share, least, most } => {
                count.cmp(&share.of(scene.planned, Rounding::Up).min(most).max(least))
            }
        };
        count > 0
            && match against {
                Ordering::Less => false,
                Ordering::Equal => !self.exceeds,
                Ordering::Greater => true,
            }
    }
}

/// The part of a rollout in which a rule can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Armed {
    /// The rule does not hold before this many instances are judged.
    pub after_judged: u32,
    /// The rule does not hold once this percentage of the planned is judged.
    pub until_pct: Option<u32>,
}

impl Armed {
    /// Whether the rule can hold now.
    #[must_use]
    pub fn is_armed(self, scene: &Scene) -> bool {
        let is_over = |pct| u64::from(scene.judged) * 100 >= u64::from(pct) * u64::from(scene.planned);
        scene.judged >= self.after_judged && !self.until_pct.is_some_and(is_over)
    }
}

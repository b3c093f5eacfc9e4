//! The sizes of batches: what is next. The walk asks for one size at a time; the plan asks for all of them.

use std::num::NonZeroU32;

use crate::{Rounding, Share, Size};

/// What a batch's share is a share of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum BatchOf {
    /// Of all planned instances.
    #[default]
    Planned,
    /// Of those that are not dispatched when the batch begins.
    Remaining,
}

/// How much larger the next batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum GrowthStep {
    /// This many thousandths of the size of the batch before; at least 1000.
    Factor(u32),
    /// This many instances more.
    Add(NonZeroU32),
}

/// What a failed batch does to the size of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OnFailed {
    /// The next batch has the same size.
    #[default]
    Keep,
    /// The next batch is smaller by the same step.
    Shrink,
}

/// Batches that grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Growth {
    /// By how much.
    pub step: GrowthStep,
    /// What follows a failed batch.
    pub on_failed: OnFailed,
}

impl Growth {
    /// The size after a batch; at least 1.
    fn after(self, before: Before, rounding: Rounding) -> u32 {
        let size = u64::from(before.size);
        let next = match (before.failed, self.on_failed, self.step) {
            (true, OnFailed::Keep, _) => size,
            (true, OnFailed::Shrink, GrowthStep::Factor(factor)) => size * 1000 / u64::from(factor.max(1)),
            (true, OnFailed::Shrink, GrowthStep::Add(more)) => size.saturating_sub(u64::from(more.get())),
            (false, _, GrowthStep::Factor(factor)) => match rounding {
                Rounding::Up => (size * u64::from(factor)).div_ceil(1000),
                Rounding::Down => size * u64::from(factor) / 1000,
            },
            (false, _, GrowthStep::Add(more)) => size + u64::from(more.get()),
        };
        next.clamp(1, u64::from(u32::MAX)) as u32
    }
}

/// The batch that began last, as far as the next one's size depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its number of instances.
    pub size: u32,
    /// Whether it is completed and a failed batch.
    pub failed: bool,
}

/// The law of the sizes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchSizes {
    /// The sizes in turn; the last repeats. Never empty.
    pub sizes: Vec<Size>,
    /// How shares are rounded.
    pub rounding: Rounding,
    /// What shares are of.
    pub of: BatchOf,
    /// Growth from the first size on.
    pub growth: Option<Growth>,
}

impl BatchSizes {
    /// Batches of a whole percentage of the plan.
    #[must_use]
    pub fn pct(pct: u32) -> Self {
        Self {
            sizes: vec![Size::Share(Share::percent(pct))],
            rounding: Rounding::Up,
            of: BatchOf::Planned,
            growth: None,
        }
    }

    /// The percentage of [`pct`](Self::pct), if that is all that this says.
    #[must_use]
    pub fn as_pct(&self) -> Option<u32> {
        match (self.sizes.as_slice(), self.rounding, self.of, self.growth) {
            ([Size::Share(share)], Rounding::Up, BatchOf::Planned, None) => share.whole_percent(),
            _ => None,
        }
    }

    /// The size of every batch but the last, if they are equal whatever happens.
    #[must_use]
    pub fn equal(&self, planned: u32) -> Option<u32> {
        match (self.sizes.as_slice(), self.growth) {
            ([size @ Size::Count(_)], None) => Some(size.of(planned, self.rounding)),
            ([size @ Size::Share(_)], None) if self.of == BatchOf::Planned => Some(size.of(planned, self.rounding)),
            _ => None,
        }
    }

    /// The size of the largest batch if every batch succeeds; 0 if nothing is planned.
    #[must_use]
    pub fn largest(&self, planned: u32) -> u32 {
        if let Some(size) = self.equal(planned) {
            return size.min(planned);
        }
        let mut starts = self.starts(planned);
        starts.push(planned);
        starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    /// The number of instances of the batch with this index: 1 to `remaining`, or 0 if nothing remains.
    #[must_use]
    pub fn size(&self, index: u32, planned: u32, remaining: u32, before: Option<Before>) -> u32 {
        let whole = match self.of {
            BatchOf::Planned => planned,
            BatchOf::Remaining => remaining,
        };
        let size = match (self.growth, before) {
            (Some(growth), Some(before)) => growth.after(before, self.rounding),
            _ => {
                let listed = self.sizes.get(index as usize).or(self.sizes.last());
                listed.map_or(remaining, |size| size.of(whole, self.rounding))
            }
        };
        size.min(remaining)
    }

    /// Where each batch begins if every batch succeeds.
    pub(crate) fn starts(&self, planned: u32) -> Vec<u32> {
        let mut starts = Vec::new();
        let (mut next, mut before) = (0, None);
        while next < planned {
            let size = self.size(starts.len() as u32, planned, planned - next, before);
            starts.push(next);
            next += size;
            before = Some(Before { size, failed: false });
        }
        starts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(law: &BatchSizes, planned: u32) -> Vec<u32> {
        let mut starts = law.starts(planned);
        starts.push(planned);
        starts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn count(n: u32) -> Size {
        Size::Count(NonZeroU32::new(n).unwrap())
    }

    #[test]
    fn the_last_size_repeats() {
        let law = BatchSizes { sizes: vec![count(1), Size::Share(Share::percent(30))], ..BatchSizes::pct(1) };
        assert_eq!(sizes(&law, 10), [1, 3, 3, 3]);
        assert_eq!(law.equal(10), None);
        assert_eq!(BatchSizes::pct(20).equal(51), Some(11));
        assert_eq!(BatchSizes::pct(20).as_pct(), Some(20));
    }

    #[test]
    fn shares_of_what_remains_shrink() {
        let law = BatchSizes { of: BatchOf::Remaining, ..BatchSizes::pct(50) };
        assert_eq!(sizes(&law, 10), [5, 3, 1, 1]);
        let law = BatchSizes { rounding: Rounding::Down, ..law };
        assert_eq!(sizes(&law, 10), [5, 2, 1, 1, 1]);
    }

    #[test]
    fn growth_follows_the_batch_before() {
        let growth = |step, on_failed| Some(Growth { step, on_failed });
        let law = BatchSizes {
            sizes: vec![count(2)],
            growth: growth(GrowthStep::Factor(2000), OnFailed::Shrink),
            ..BatchSizes::pct(1)
        };
        assert_eq!(sizes(&law, 20), [2, 4, 8, 6]);
        let after = |law: &BatchSizes, size, failed| law.size(1, 100, 100, Some(Before { size, failed }));
        assert_eq!((after(&law, 5, true), after(&law, 1, true)), (2, 1));
        let law = BatchSizes { growth: growth(GrowthStep::Add(NonZeroU32::new(3).unwrap()), OnFailed::Keep), ..law };
        assert_eq!((after(&law, 5, true), after(&law, 5, false)), (5, 8));
        let law = BatchSizes { growth: growth(GrowthStep::Factor(1000), OnFailed::Keep), ..law };
        assert_eq!(sizes(&law, 5), [2, 2, 1], "a factor of one ends");
    }
}

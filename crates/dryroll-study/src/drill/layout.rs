//! Where the batches of a rollout are: those that have begun as they began, the others as the plan has them, or as they
//! would be if every batch from now on succeeded.

use std::ops::Range;

use dryroll_engine::{Before, Engine};

/// The batches of a rollout, which follow each other without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchLayout {
    /// The first position of each.
    starts: Vec<u32>,
    total: u32,
}

impl BatchLayout {
    /// The batches of an engine.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        let plan = engine.plan();
        let (total, begun) = (plan.total_instances(), engine.batches_begun());
        let mut starts: Vec<u32> = (0..begun).map(|index| engine.batch(index).start).collect();
        let last = begun.checked_sub(1).map(|index| engine.batch(index));
        let is_as_planned = last.as_ref().is_none_or(|last| *last == plan.batch(begun - 1));
        if is_as_planned {
            starts.extend((begun..plan.batch_count()).map(|index| plan.batch(index).start));
            return Self { starts, total };
        }
        let sizes = &engine.settings().batches;
        let (mut next, mut size) = last.map_or((0, 0), |last| (last.end, last.len() as u32));
        while next < total {
            let index = starts.len() as u32;
            starts.push(next);
            size = sizes.size(index, total, total - next, Some(Before { size, failed: false })).clamp(1, total - next);
            next += size;
        }
        Self { starts, total }
    }

    /// How many batches there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.starts.len() as u32
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// How many instances there are.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.total
    }

    /// The positions of a batch; none beyond the last.
    #[must_use]
    pub fn batch(&self, index: u32) -> Range<u32> {
        let start = |index: usize| self.starts.get(index).copied().unwrap_or(self.total);
        start(index as usize)..start((index as usize).saturating_add(1))
    }

    /// The batch that holds a position.
    #[must_use]
    pub fn batch_of(&self, position: u32) -> u32 {
        self.starts.partition_point(|&start| start <= position).saturating_sub(1) as u32
    }

    /// Takes note that a batch of the rollout has begun; returns whether it or those after it changed.
    pub fn begin(&mut self, engine: &Engine, index: u32) -> bool {
        if self.batch(index) == engine.batch(index) {
            return false;
        }
        *self = Self::of(engine);
        true
    }
}

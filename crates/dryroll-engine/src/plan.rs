//! The plan (§1): which instances, in which order, in batches of what size. It changes nothing.

use std::num::NonZeroU32;
use std::ops::Range;

use crate::BatchSizes;
use crate::fleet::{InstanceId, Span};

/// The planned instances in the order in which they are upgraded, each with its *position* from 0: either the order of
/// the fleet's list, or one that the platform arranges.
///
/// A fleet whose eligible instances have no gaps, which is the common case and the large one, takes no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PlanOrder(Order);

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
enum Order {
    Contiguous { first: u32, count: u32 },
    Listed { ids: Vec<InstanceId> },
    Arranged { ids: Vec<InstanceId>, by_id: Vec<u32> },
}

impl PlanOrder {
    /// The order of `ids`, which the fleet lists in ascending order. Ids out of order or repeated are left out.
    #[must_use]
    pub fn new(ids: impl IntoIterator<Item = InstanceId>) -> Self {
        let mut ids = ids.into_iter();
        let Some(first) = ids.next() else { return Self(Order::Contiguous { first: 0, count: 0 }) };
        let mut count = 1;
        while let Some(id) = ids.next() {
            if id.0 == first.0 + count {
                count += 1;
                continue;
            }
            let mut listed: Vec<InstanceId> = (first.0..first.0 + count).map(InstanceId).collect();
            for id in std::iter::once(id).chain(ids.by_ref()) {
                if listed.last().is_none_or(|&last| last < id) {
                    listed.push(id);
                }
            }
            return Self(Order::Listed { ids: listed });
        }
        Self(Order::Contiguous { first: first.0, count })
    }

    /// Instances in an order that the platform chooses. A repeated one is left out.
    #[must_use]
    pub fn arranged(mut ids: Vec<InstanceId>) -> Self {
        let mut seen = std::collections::HashSet::with_capacity(ids.len());
        ids.retain(|&id| seen.insert(id));
        let mut by_id: Vec<u32> = (0..ids.len() as u32).collect();
        by_id.sort_unstable_by_key(|&position| ids[position as usize]);
        Self(Order::Arranged { ids, by_id })
    }

    /// Number of instances.
    #[must_use]
    #[inline]
    pub fn len(&self) -> u32 {
        match &self.0 {
            Order::Contiguous { count, .. } => *count,
            Order::Listed { ids } | Order::Arranged { ids, .. } => ids.len() as u32,
        }
    }

    /// Whether there are no instances.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The instance at a position below [`len`](Self::len).
    #[must_use]
    #[inline]
    pub fn instance(&self, position: u32) -> InstanceId {
        match &self.0 {
            Order::Contiguous { first, .. } => InstanceId(first + position),
            Order::Listed { ids } | Order::Arranged { ids, .. } => ids[position as usize],
        }
    }

    /// The position of an instance, if it is planned.
    #[must_use]
    #[inline]
    pub fn position(&self, id: InstanceId) -> Option<u32> {
        match &self.0 {
            Order::Contiguous { first, count } => id.0.checked_sub(*first).filter(|p| p < count),
            Order::Listed { ids } => ids.binary_search(&id).ok().map(|p| p as u32),
            Order::Arranged { ids, by_id } => {
                by_id.binary_search_by_key(&id, |&position| ids[position as usize]).ok().map(|place| by_id[place])
            }
        }
    }
}

/// A plan: an order, cut into batches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    /// The planned instances.
    pub order: PlanOrder,
    /// The instances that are left out because they already run the target digest.
    pub skipped: Vec<InstanceId>,
    batches: Cut,
}

/// Where the batches begin, if every batch succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
enum Cut {
    /// All but the last have this size; 0 if nothing is planned.
    Equal { size: u32 },
    /// The position of the first instance of each.
    At { starts: Vec<u32> },
}

impl Cut {
    fn new(total: u32, sizes: &BatchSizes) -> Self {
        match sizes.equal(total) {
            Some(size) => Self::Equal { size: if total == 0 { 0 } else { size.min(total) } },
            None => Self::At { starts: sizes.starts(total) },
        }
    }
}

impl Plan {
    /// Cuts `order` into batches.
    #[must_use]
    pub fn new(order: PlanOrder, skipped: Vec<InstanceId>, sizes: &BatchSizes) -> Self {
        let batches = Cut::new(order.len(), sizes);
        Self { order, skipped, batches }
    }

    /// Instances in the largest batch; 0 if nothing is planned.
    #[must_use]
    pub fn batch_size(&self) -> u32 {
        match &self.batches {
            Cut::Equal { size } => *size,
            Cut::At { .. } => (0..self.batch_count()).map(|index| self.batch(index).len() as u32).max().unwrap_or(0),
        }
    }

    /// Number of planned instances.
    #[must_use]
    #[inline]
    pub fn total_instances(&self) -> u32 {
        self.order.len()
    }

    /// Number of batches.
    #[must_use]
    pub fn batch_count(&self) -> u32 {
        match &self.batches {
            Cut::Equal { size: 0 } => 0,
            Cut::Equal { size } => self.total_instances().div_ceil(*size),
            Cut::At { starts } => starts.len() as u32,
        }
    }

    /// The longest estimate: every batch takes the whole health timeout.
    #[must_use]
    pub fn estimated_total(&self, health_timeout: Span) -> Span {
        Span(u64::from(self.batch_count()).saturating_mul(health_timeout.0))
    }

    /// The same with at most `max_in_flight` instances in flight: each group that waits for a slot adds one health
    /// timeout.
    #[must_use]
    pub fn estimated_in_flight(&self, health_timeout: Span, max_in_flight: NonZeroU32) -> Span {
        let waits = |batch: u32| {
            let batch = self.batch(batch);
            u64::from((batch.end - batch.start).div_ceil(max_in_flight.get()))
        };
        let all = match (&self.batches, self.batch_count().checked_sub(1)) {
            (_, None) => 0,
            (Cut::Equal { .. }, Some(last)) => u64::from(last).saturating_mul(waits(0)).saturating_add(waits(last)),
            (Cut::At { .. }, Some(last)) => (0..=last).map(waits).sum(),
        };
        Span(all.saturating_mul(health_timeout.0))
    }

    /// The same instances, cut into other batches.
    #[must_use]
    pub fn recut(&self, sizes: &BatchSizes) -> Self {
        Self::new(self.order.clone(), self.skipped.clone(), sizes)
    }

    /// The positions of a batch; the last batch takes the remainder.
    #[must_use]
    pub fn batch(&self, index: u32) -> Range<u32> {
        let total = self.total_instances();
        match &self.batches {
            Cut::Equal { size } => {
                let start = u64::from(index) * u64::from(*size);
                let end = start + u64::from(*size);
                start.min(u64::from(total)) as u32..end.min(u64::from(total)) as u32
            }
            Cut::At { starts } => {
                let start = |index: u32| starts.get(index as usize).copied().unwrap_or(total);
                start(index)..start(index.saturating_add(1))
            }
        }
    }

    /// The batch that holds a position.
    #[must_use]
    pub fn batch_of(&self, position: u32) -> u32 {
        match &self.batches {
            Cut::Equal { size } => position.checked_div(*size).unwrap_or(0),
            Cut::At { starts } => starts.partition_point(|&start| start <= position).saturating_sub(1) as u32,
        }
    }

    pub(super) fn set_sizes(&mut self, sizes: &BatchSizes) {
        self.batches = Cut::new(self.total_instances(), sizes);
    }
}

/// The phase of a batch of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum BatchPhase {
    /// Not begun.
    Pending,
    /// Begun, with instances not judged yet.
    Running,
    /// Every instance is judged.
    Completed,
    /// The breaker tripped in it, and nobody has decided to continue.
    Tripped,
    /// Taken back.
    RolledBack,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(total: u32, pct: u32) -> Plan {
        Plan::new(PlanOrder::new((0..total).map(InstanceId)), Vec::new(), &BatchSizes::pct(pct))
    }

    #[test]
    fn section_1_batch_size_is_rounded_up_and_never_zero() {
        for (total, pct, size, count) in [
            (50, 20, 10, 5),
            (50, 1, 1, 50),
            (51, 20, 11, 5),
            (10, 25, 3, 4),
            (1, 1, 1, 1),
            (7, 100, 7, 1),
            (100_000_000, 100, 100_000_000, 1),
            (0, 20, 0, 0),
        ] {
            let plan = plan(total, pct);
            assert_eq!((plan.batch_size(), plan.batch_count()), (size, count), "{total} at {pct} %");
        }
    }

    #[test]
    fn section_1_the_last_batch_takes_what_is_left() {
        let plan = plan(51, 20);
        assert_eq!(plan.batch(0), 0..11);
        assert_eq!(plan.batch(4), 44..51);
        assert_eq!(plan.batch(5), 51..51);
    }

    #[test]
    fn orders_with_gaps_find_their_instances() {
        let order = PlanOrder::new([3, 4, 5, 9, 11].map(InstanceId));
        assert_eq!(order.len(), 5);
        for position in 0..5 {
            assert_eq!(order.position(order.instance(position)), Some(position));
        }
        assert_eq!(order.position(InstanceId(8)), None);
        let order = PlanOrder::new([3, 4, 5].map(InstanceId));
        assert_eq!(order.position(InstanceId(2)), None);
        assert_eq!(order.position(InstanceId(6)), None);
        assert_eq!(order.position(InstanceId(5)), Some(2));
        assert!(PlanOrder::new([]).is_empty());
    }

    #[test]
    fn arranged_orders_find_their_instances() {
        let order = PlanOrder::arranged([7, 3, 11, 3, 4].map(InstanceId).to_vec());
        let ids: Vec<u32> = (0..order.len()).map(|position| order.instance(position).0).collect();
        assert_eq!(ids, [7, 3, 11, 4]);
        for position in 0..4 {
            assert_eq!(order.position(order.instance(position)), Some(position));
        }
        assert_eq!(order.position(InstanceId(5)), None);
    }
}

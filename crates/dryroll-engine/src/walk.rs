//! The walk through the batches (§3): which instance is dispatched next, and what the walk waits for.
//!
//! A [`Walk`] holds positions and counts, but no events and no clock. A rollout and its rollback are each one walk over
//! the same instances; the same code in [`machine`](super::machine) drives both.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::batch_sizes::{BatchSizes, Before};
use super::{Direction, Phase, RolloutId, Verdict};
use crate::fleet::At;

/// What a walk waits for before it dispatches more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitingFor {
    /// A tick, to begin the batch.
    NextBatch,
    /// Nothing: a free slot is filled at once.
    Open,
    /// What follows from a trip.
    Tripped,
    /// A tick, to dispatch what a trip left of the batch.
    Resume,
    /// The end of the bake of the batch that began last.
    BakeEnd {
        /// When it ends.
        until: At,
    },
    /// A person, who promotes the next batch.
    Promotion,
}

/// Whether the walk may leave the batch that began last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// Not yet: it is not wholly dispatched, or not enough of it is judged.
    Held,
    /// When its bake is over.
    Baking {
        /// When that is.
        until: At,
    },
    /// Yes.
    Free,
}

/// What the controller knows of one planned instance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InstanceState {
    /// When it was last dispatched.
    pub dispatched_at: At,
    /// When the newest heartbeat that has arrived was sent.
    pub newest_sent: At,
    /// Its phase in the rollout, and in the rollback.
    pub phase: [Phase; 2],
    /// How often it was commanded again since it was first dispatched in this direction.
    pub attempt: u8,
}

/// A batch that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchRecord {
    /// Its first position, and one past its last.
    pub start: u32,
    pub end: u32,
    pub healthy: u32,
    pub failed: u32,
    /// Whether enough of it has once been healthy for the walk to leave it.
    pub is_enough: bool,
    /// Whether it is a failed batch; known when it is completed.
    pub completed: Option<bool>,
}

impl BatchRecord {
    pub fn size(&self) -> u32 {
        self.end - self.start
    }

    #[inline]
    fn note_enough(&mut self, advance_pct: u32) {
        // At 100 % it is enough when all of it is judged, and not before.
        self.is_enough |=
            advance_pct < 100 && u64::from(self.healthy) * 100 >= u64::from(advance_pct) * u64::from(self.size());
    }

    /// Whether its healthy percentage is below `ok_pct`.
    pub fn is_failed(&self, ok_pct: u32) -> bool {
        u64::from(self.healthy) * 100 < u64::from(ok_pct) * u64::from(self.size())
    }
}

/// How a walk goes: what is the same from its begin to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub rollout: RolloutId,
    pub direction: Direction,
    /// How many positions it has: `0 .. total`.
    pub total: u32,
    pub max_in_flight: u32,
    pub advance_pct: u32,
}

/// The progress of one rollout through its positions `0 .. total`.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    course: Course,
    pub waiting_for: WaitingFor,
    pub departure: Departure,
    /// Whether a person has promoted the next batch.
    pub is_promoted: bool,
    /// The batches that have begun, in order.
    batches: Vec<BatchRecord>,
    /// The first position that is not dispatched yet.
    next: u32,
    /// No position before this one is in flight for the first time.
    oldest: u32,
    /// Those that were commanded again, by the moment of that; some are judged already.
    retried: BinaryHeap<Reverse<(At, u32)>>,
    in_flight: u32,
    judged: u32,
}

impl Walk {
    pub fn new(course: Course) -> Self {
        Self {
            course,
            waiting_for: WaitingFor::NextBatch,
            departure: Departure::Free,
            is_promoted: false,
            batches: Vec::new(),
            next: 0,
            oldest: 0,
            retried: BinaryHeap::new(),
            in_flight: 0,
            judged: 0,
        }
    }

    /// Begins anew; keeps the buffers.
    pub fn restart(&mut self, course: Course) {
        self.batches.clear();
        self.retried.clear();
        let (batches, retried) = (std::mem::take(&mut self.batches), std::mem::take(&mut self.retried));
        *self = Self { batches, retried, ..Self::new(course) };
    }

    #[inline]
    pub fn rollout(&self) -> RolloutId {
        self.course.rollout
    }

    #[inline]
    pub fn direction(&self) -> Direction {
        self.course.direction
    }

    /// How many positions have been dispatched so far: always the first ones.
    pub fn dispatched(&self) -> u32 {
        self.next
    }

    /// How many positions it has.
    pub fn total(&self) -> u32 {
        self.course.total
    }

    #[inline]
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How many have had a verdict.
    pub fn judged(&self) -> u32 {
        self.judged
    }

    /// How many batches have begun.
    #[inline]
    pub fn begun(&self) -> u32 {
        self.batches.len() as u32
    }

    /// The index of the batch that began last; 0 before the first.
    #[inline]
    pub fn batch(&self) -> u32 {
        self.begun().saturating_sub(1)
    }

    /// A batch that has begun.
    #[inline]
    pub fn record(&self, batch: u32) -> Option<&BatchRecord> {
        self.batches.get(batch as usize)
    }

    /// The batch, of those that have begun, that holds a position.
    #[inline]
    pub fn batch_of(&self, position: u32) -> u32 {
        match self.batches.last() {
            Some(last) if last.start <= position => self.batch(),
            _ => self.batches.partition_point(|batch| batch.start <= position).saturating_sub(1) as u32,
        }
    }

    /// Begins the next batch and returns its index and its number of instances.
    pub fn begin_batch(&mut self, sizes: &BatchSizes) -> (u32, u32) {
        let before =
            self.batches.last().map(|batch| Before { size: batch.size(), failed: batch.completed == Some(true) });
        let Course { total, advance_pct, .. } = self.course;
        let index = self.begun();
        let size = sizes.size(index, total, total - self.next, before);
        let mut batch = BatchRecord {
            start: self.next,
            end: self.next + size,
            healthy: 0,
            failed: 0,
            is_enough: false,
            completed: None,
        };
        batch.note_enough(advance_pct);
        self.batches.push(batch);
        self.waiting_for = WaitingFor::Open;
        self.departure = Departure::Held;
        self.is_promoted = false;
        (index, size)
    }

    /// How many positions may be dispatched now: as many as the batch has left and the limit in flight allows.
    #[inline]
    pub fn room(&self) -> u32 {
        let free = self.course.max_in_flight.saturating_sub(self.in_flight);
        free.min(self.batches.last().map_or(0, |batch| batch.end - self.next))
    }

    /// Takes this many positions to dispatch now.
    pub fn dispatch(&mut self, count: u32, now: At, instances: &mut [InstanceState]) -> Range<u32> {
        let range = self.next..self.next + count;
        for state_of in &mut instances[range.start as usize..range.end as usize] {
            state_of.dispatched_at = now;
            state_of.phase[self.course.direction as usize] = Phase::InFlight;
            state_of.attempt = 0;
        }
        self.next = range.end;
        self.in_flight += count;
        range
    }

    #[inline]
    pub fn is_in_flight(&self, state_of: &InstanceState) -> bool {
        state_of.phase[self.course.direction as usize] == Phase::InFlight
    }

    /// A position in flight is commanded again.
    pub fn retry(&mut self, position: u32, now: At, instances: &mut [InstanceState]) {
        let state_of = &mut instances[position as usize];
        state_of.dispatched_at = now;
        state_of.attempt += 1;
        self.retried.push(Reverse((now, position)));
        self.pass_judged(instances);
    }

    /// Records the verdict of a position in flight; returns its batch, and whether that is wholly judged now.
    #[inline]
    pub fn judge(&mut self, position: u32, verdict: Verdict, instances: &mut [InstanceState]) -> (u32, bool) {
        instances[position as usize].phase[self.course.direction as usize] = Phase::Judged(verdict);
        self.in_flight -= 1;
        self.judged += 1;
        let index = self.batch_of(position);
        let batch = &mut self.batches[index as usize];
        match verdict {
            Verdict::Healthy => {
                batch.healthy += 1;
                batch.note_enough(self.course.advance_pct);
            }
            Verdict::Failed(_) => batch.failed += 1,
        }
        let is_judged = batch.healthy + batch.failed == batch.size();
        self.pass_judged(instances);
        (index, is_judged)
    }

    /// Whether the walk may go on before the batch that began last is wholly judged.
    #[inline]
    pub fn may_go_on(&self) -> bool {
        self.batches.last().is_some_and(|batch| batch.is_enough || self.next < batch.end)
    }

    /// A healthy verdict turns to failed; returns the position's batch.
    pub fn relapse(&mut self, position: u32, verdict: Verdict, instances: &mut [InstanceState]) -> u32 {
        instances[position as usize].phase[self.course.direction as usize] = Phase::Judged(verdict);
        let index = self.batch_of(position);
        let batch = &mut self.batches[index as usize];
        batch.healthy -= 1;
        batch.failed += 1;
        index
    }

    #[inline]
    fn pass_judged(&mut self, instances: &[InstanceState]) {
        let direction = self.course.direction as usize;
        let waits_here =
            |state_of: &InstanceState| state_of.phase[direction] == Phase::InFlight && state_of.attempt == 0;
        while self.oldest < self.next && !waits_here(&instances[self.oldest as usize]) {
            self.oldest += 1;
        }
        if self.retried.is_empty() {
            return;
        }
        while let Some(&Reverse((at, position))) = self.retried.peek() {
            let state_of = &instances[position as usize];
            if self.is_in_flight(state_of) && state_of.dispatched_at == at {
                break;
            }
            self.retried.pop();
        }
    }

    /// The position whose deadline comes first; of several the first in plan order. Moments of first dispatch never
    /// decrease along the positions, so it is the oldest of those, or the first of the retried.
    #[inline]
    pub fn first_due(&self, instances: &[InstanceState]) -> Option<u32> {
        if self.in_flight == 0 {
            return None;
        }
        if self.retried.is_empty() {
            return Some(self.oldest);
        }
        let retried = self.retried.peek().map(|&Reverse(entry)| entry);
        let oldest = (self.oldest < self.next).then_some(self.oldest);
        match (oldest, retried) {
            (oldest, None) => oldest,
            (None, Some((_, position))) => Some(position),
            (Some(oldest), Some((at, position))) => {
                let first = (instances[oldest as usize].dispatched_at, oldest);
                Some(if first < (at, position) { oldest } else { position })
            }
        }
    }

    /// Whether every instance of a batch has its verdict.
    #[inline]
    pub fn is_judged(&self, batch: u32) -> bool {
        self.record(batch).is_some_and(|batch| batch.healthy + batch.failed == batch.size())
    }

    /// Whether the batch that began last still has positions to dispatch.
    #[inline]
    pub fn batch_is_undispatched(&self) -> bool {
        self.batches.last().is_some_and(|batch| self.next < batch.end)
    }

    /// Whether the walk may leave the batch that began last, its bake aside.
    #[inline]
    pub fn may_leave(&self) -> bool {
        !self.batch_is_undispatched()
            && self.batches.last().is_some_and(|batch| batch.is_enough || self.is_judged(self.batch()))
    }

    /// Whether nothing comes after the batches that have begun.
    pub fn has_begun_all(&self) -> bool {
        self.batches.last().is_some_and(|batch| batch.end == self.course.total)
    }

    /// Completes a batch.
    pub fn complete(&mut self, batch: u32, ok_pct: u32) -> BatchRecord {
        let record = &mut self.batches[batch as usize];
        record.completed = Some(record.is_failed(ok_pct));
        *record
    }
}

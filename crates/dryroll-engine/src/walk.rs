//! The walk through the batches (§3): which instance is dispatched next, and what the walk waits for.
//!
//! A [`Walk`] holds positions and counts, but no events and no clock. A rollout and its rollback are each one walk over
//! the same instances; the same code in [`machine`](super::machine) drives both.

use std::num::NonZeroU32;
use std::ops::Range;

use super::{Direction, Phase, RolloutId, Verdict, plan::batch_size};
use crate::fleet::At;

/// What a walk waits for before it dispatches more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitingFor {
    /// A tick, to begin the batch.
    NextBatch,
    /// Nothing: a free slot is filled at once.
    Open,
    /// A person's decision on a trip.
    Tripped,
    /// A tick, to dispatch what a trip left of the batch.
    Resume,
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
}

/// The progress of one rollout through its positions `0 .. total`.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub rollout: RolloutId,
    pub direction: Direction,
    pub waiting_for: WaitingFor,
    /// The batch in progress, or the next one to begin.
    pub batch: u32,
    pub healthy_count: u32,
    pub failed_count: u32,
    total: u32,
    batch_size: u32,
    max_in_flight: u32,
    /// The first position that is not dispatched yet.
    next: u32,
    /// One past the last position of `batch`, once it has begun.
    batch_end: u32,
    /// No position before this one is in flight.
    oldest: u32,
    in_flight: u32,
}

impl Walk {
    pub fn new(rollout: RolloutId, direction: Direction, total: u32, pct: u32, max: Option<NonZeroU32>) -> Self {
        Self {
            rollout,
            direction,
            waiting_for: WaitingFor::NextBatch,
            batch: 0,
            healthy_count: 0,
            failed_count: 0,
            total,
            batch_size: batch_size(total, pct),
            max_in_flight: max.map_or(u32::MAX, NonZeroU32::get),
            next: 0,
            batch_end: 0,
            oldest: 0,
            in_flight: 0,
        }
    }

    /// How many positions have been dispatched so far: always the first ones.
    pub fn dispatched(&self) -> u32 {
        self.next
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The positions of the batch in progress, or of the last one.
    pub fn batch_positions(&self) -> Range<u32> {
        self.batch * self.batch_size..self.batch_end
    }

    /// Begins the next batch and returns its number of instances.
    pub fn begin_batch(&mut self) -> u32 {
        self.waiting_for = WaitingFor::Open;
        self.healthy_count = 0;
        self.failed_count = 0;
        self.batch_end = self.next + self.batch_size.min(self.total - self.next);
        self.batch_end - self.next
    }

    /// Takes the positions to dispatch now: as many as the batch has left and the limit allows.
    pub fn dispatch(&mut self, now: At, instances: &mut [InstanceState]) -> Range<u32> {
        let free = self.max_in_flight - self.in_flight;
        let range = self.next..self.next + free.min(self.batch_end - self.next);
        for state_of in &mut instances[range.start as usize..range.end as usize] {
            state_of.dispatched_at = now;
            state_of.phase[self.direction as usize] = Phase::InFlight;
        }
        self.next = range.end;
        self.in_flight += range.len() as u32;
        range
    }

    pub fn is_in_flight(&self, state_of: &InstanceState) -> bool {
        state_of.phase[self.direction as usize] == Phase::InFlight
    }

    /// Records the verdict of a position in flight.
    pub fn judge(&mut self, position: u32, verdict: Verdict, instances: &mut [InstanceState]) {
        instances[position as usize].phase[self.direction as usize] = Phase::Judged(verdict);
        self.in_flight -= 1;
        match verdict {
            Verdict::Healthy => self.healthy_count += 1,
            Verdict::Failed(_) => self.failed_count += 1,
        }
        while self.oldest < self.next && !self.is_in_flight(&instances[self.oldest as usize]) {
            self.oldest += 1;
        }
    }

    /// The position whose deadline comes first. Dispatch times never decrease along the positions, so it is the oldest.
    pub fn first_due(&self) -> Option<u32> {
        (self.in_flight > 0).then_some(self.oldest)
    }

    /// Whether every instance of the batch that has begun has its verdict.
    pub fn batch_is_judged(&self) -> bool {
        self.in_flight == 0 && self.next == self.batch_end
    }

    /// Whether the batch that has begun still has positions to dispatch.
    pub fn batch_is_undispatched(&self) -> bool {
        self.next < self.batch_end
    }

    /// Whether the batch that has begun is the last one.
    pub fn is_last_batch(&self) -> bool {
        self.batch_end == self.total
    }

    /// Moves on to the next batch, which begins on a tick.
    pub fn await_next_batch(&mut self) {
        self.batch += 1;
        self.waiting_for = WaitingFor::NextBatch;
    }
}

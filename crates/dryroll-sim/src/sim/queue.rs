//! The queue of awaited heartbeats, by arrival and then by plan order.
//!
//! A batch is dispatched at one moment, so its entries come in a burst: a burst that finds the queue empty is sorted
//! once and then only popped. What comes one at a time (a slot that frees) goes to a heap. Each entry is one integer,
//! so comparing two is one comparison; in a burst, whose arrivals lie within one health timeout, it is half as wide.

use std::cmp::Reverse;

use dary_heap::QuaternaryHeap;
use dryroll_engine::fleet::{At, Span};

/// An entry: arrival and position in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it arrives.
    pub arrives: At,
    /// The position that it belongs to.
    pub position: u32,
}

fn pack(entry: Entry) -> u128 {
    u128::from(entry.arrives.0) << 32 | u128::from(entry.position)
}

fn unpack(packed: u128) -> Entry {
    Entry { arrives: At((packed >> 32) as u64), position: packed as u32 }
}

/// Bits of a position in a burst's entry: enough for the largest fleet.
const POSITION_BITS: u32 = 27;

/// Entries by (arrival, position).
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// Descending: the next one is the last. Arrivals count from `base`.
    sorted: Vec<u64>,
    base: At,
    heap: QuaternaryHeap<Reverse<u128>>,
    in_burst: bool,
}

impl Queue {
    /// Empties it, keeps its buffers.
    pub fn clear(&mut self) {
        self.sorted.clear();
        self.heap.clear();
        self.in_burst = false;
    }

    /// A burst of entries begins, none to arrive before `base` or later than `span` after it;
    /// [`end_burst`](Self::end_burst) must follow before anything is popped.
    pub fn begin_burst(&mut self, entries: usize, base: At, span: Span) {
        self.in_burst = entries > 1 && self.sorted.is_empty() && span < Span(1 << (u64::BITS - POSITION_BITS));
        if self.in_burst {
            self.base = base;
            self.sorted.reserve(entries);
        }
    }

    fn unpack_sorted(&self, packed: u64) -> Entry {
        let position = packed & ((1 << POSITION_BITS) - 1);
        Entry { arrives: self.base + Span(packed >> POSITION_BITS), position: position as u32 }
    }

    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, entry: Entry) {
        if self.in_burst {
            self.sorted.push((entry.arrives - self.base).0 << POSITION_BITS | u64::from(entry.position));
        } else {
            self.heap.push(Reverse(pack(entry)));
        }
    }

    /// The burst is over.
    pub fn end_burst(&mut self) {
        if self.in_burst {
            self.sorted.sort_unstable_by(|a, b| b.cmp(a));
            self.in_burst = false;
        }
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let sorted = self.sorted.iter().map(|&packed| self.unpack_sorted(packed));
        sorted.chain(self.heap.iter().map(|&Reverse(packed)| unpack(packed)))
    }

    /// The next entry.
    #[inline]
    #[must_use]
    pub fn peek(&self) -> Option<Entry> {
        let sorted = self.sorted.last().map(|&packed| self.unpack_sorted(packed));
        match self.heap.peek() {
            None => sorted,
            Some(&Reverse(packed)) => {
                let heaped = unpack(packed);
                Some(sorted.filter(|&sorted| pack(sorted) < packed).unwrap_or(heaped))
            }
        }
    }

    /// Takes the next entry out.
    #[inline]
    pub fn pop(&mut self) {
        let Some(&Reverse(heaped)) = self.heap.peek() else {
            self.sorted.pop();
            return;
        };
        match self.sorted.last() {
            Some(&sorted) if pack(self.unpack_sorted(sorted)) < heaped => drop(self.sorted.pop()),
            _ => drop(self.heap.pop()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_and_single_entries_come_out_in_one_order() {
        let mut queue = Queue::default();
        let entry = |arrives, position| Entry { arrives: At(arrives), position };
        queue.begin_burst(3, At(10), Span(100));
        for e in [entry(30, 1), entry(10, 2), entry(10, 0)] {
            queue.push(e);
        }
        queue.end_burst();
        queue.push(entry(20, 9));
        queue.begin_burst(2, At(5), Span(100));
        queue.push(entry(5, 7));
        queue.push(entry(40, 3));
        queue.end_burst();
        let mut out = Vec::new();
        while let Some(e) = queue.peek() {
            queue.pop();
            out.push((e.arrives.0, e.position));
        }
        assert_eq!(out, [(5, 7), (10, 0), (10, 2), (20, 9), (30, 1), (40, 3)]);
    }
}

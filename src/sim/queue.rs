//! The queue of heartbeats that are awaited, by arrival and then by plan order.
//!
//! A batch is dispatched at one moment, so its entries come in a burst: a burst that finds the queue empty is sorted once
//! and then only popped. What comes one at a time (a slot that frees) goes to a heap. Each entry is one integer, so
//! comparing two is one comparison.

use std::cmp::Reverse;

use dary_heap::QuaternaryHeap;

/// An entry: arrival in milliseconds and position in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it arrives.
    pub arrives: u64,
    /// Whose it is.
    pub position: u32,
}

fn pack(entry: Entry) -> u128 {
    u128::from(entry.arrives) << 32 | u128::from(entry.position)
}

fn unpack(packed: u128) -> Entry {
    Entry { arrives: (packed >> 32) as u64, position: packed as u32 }
}

/// Entries by (arrival, position).
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// Descending: the next one is the last.
    sorted: Vec<u128>,
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

    /// A burst of entries begins; [`end_burst`](Self::end_burst) must follow before anything is popped.
    pub fn begin_burst(&mut self, entries: usize) {
        self.in_burst = entries > 1 && self.sorted.is_empty();
        if self.in_burst {
            self.sorted.reserve(entries);
        }
    }

    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, entry: Entry) {
        if self.in_burst {
            self.sorted.push(pack(entry));
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
        self.sorted.iter().copied().chain(self.heap.iter().map(|&Reverse(packed)| packed)).map(unpack)
    }

    /// The next entry.
    #[inline]
    #[must_use]
    pub fn peek(&self) -> Option<Entry> {
        match (self.sorted.last(), self.heap.peek()) {
            (Some(&sorted), Some(&Reverse(heaped))) => Some(unpack(sorted.min(heaped))),
            (Some(&sorted), None) => Some(unpack(sorted)),
            (None, Some(&Reverse(heaped))) => Some(unpack(heaped)),
            (None, None) => None,
        }
    }

    /// Takes the next entry out.
    #[inline]
    pub fn pop(&mut self) {
        match (self.sorted.last(), self.heap.peek()) {
            (Some(sorted), Some(Reverse(heaped))) if heaped < sorted => drop(self.heap.pop()),
            (Some(_), _) => drop(self.sorted.pop()),
            (None, _) => drop(self.heap.pop()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_and_single_entries_come_out_in_one_order() {
        let mut queue = Queue::default();
        let entry = |arrives, position| Entry { arrives, position };
        queue.begin_burst(3);
        for e in [entry(30, 1), entry(10, 2), entry(10, 0)] {
            queue.push(e);
        }
        queue.end_burst();
        queue.push(entry(20, 9));
        queue.begin_burst(2);
        queue.push(entry(5, 7));
        queue.push(entry(40, 3));
        queue.end_burst();
        let mut out = Vec::new();
        while let Some(e) = queue.peek() {
            queue.pop();
            out.push((e.arrives, e.position));
        }
        assert_eq!(out, [(5, 7), (10, 0), (10, 2), (20, 9), (30, 1), (40, 3)]);
    }
}

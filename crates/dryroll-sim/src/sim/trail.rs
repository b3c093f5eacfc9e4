//! Marks in outage histories that have no short way back: a walk that begins at a mark gives the same result as one
//! from the start. So asking for one outage after the other costs as much as there are outages, not their square.
//!
//! The marks belong to the thread, and change no result.

use dryroll_engine::fleet::At;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A place in a history: the next cell to look at, and since when no outage of the cells before it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The cell.
    pub cell: u64,
    /// Since then it is up, as far as those cells say.
    pub up_from: At,
}

/// Cells between two marks.
pub const SPACING: u64 = 64;
/// Histories that are remembered.
const HISTORIES: usize = 64;
/// Marks of one; then every second is forgotten.
const MOST_MARKS: usize = 1 << 12;

struct Trail {
    law: u64,
    key: u64,
    /// Ascending.
    marks: Vec<Mark>,
}

static LAWS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static TRAILS: RefCell<Vec<Trail>> = const { RefCell::new(Vec::new()) };
}

/// A number that no other law of outages has.
pub fn new_law() -> u64 {
    LAWS.fetch_add(1, Ordering::Relaxed)
}

fn with<T>(law: u64, key: u64, use_it: impl FnOnce(&mut Trail) -> T) -> T {
    TRAILS.with_borrow_mut(|trails| {
        if trails.is_empty() {
            trails.resize_with(HISTORIES, || Trail { law: 0, key: 0, marks: Vec::new() });
        }
        let place = (key ^ law.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> (u64::BITS - HISTORIES.ilog2());
        let trail = &mut trails[place as usize];
        if (trail.law, trail.key) != (law, key) {
            (trail.law, trail.key) = (law, key);
            trail.marks.clear();
        }
        use_it(trail)
    })
}

/// The last mark of a history from which on a moment can be reached.
pub fn before(law: u64, key: u64, at: At) -> Option<Mark> {
    with(law, key, |trail| {
        let reached = trail.marks.partition_point(|mark| mark.up_from <= at);
        reached.checked_sub(1).map(|last| trail.marks[last])
    })
}

/// Leaves a mark.
pub fn leave(law: u64, key: u64, mark: Mark) {
    with(law, key, |trail| {
        if trail.marks.last().is_some_and(|last| mark.cell <= last.cell) {
            return;
        }
        if trail.marks.len() == MOST_MARKS {
            let mut keep = false;
            trail.marks.retain(|_| {
                keep = !keep;
                keep
            });
        }
        trail.marks.push(mark);
    });
}

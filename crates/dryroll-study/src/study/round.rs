//! Runs work on all cores: replicates of some cells, cut into blocks.
//!
//! Every block is identified in the result log by its cell and first replicate, so the results do not depend on the
//! number of threads. Blocks are assigned in one order in which all cells advance together, so interrupted work has
//! about as many replicates of each cell.

use std::io;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::result_log::{Block, MAX_ROWS, ResultLog};
use super::row::{Row, row};
use dryroll_sim::sim::{CompiledScenario, Simulator, Unobserved};

/// Replicates of some cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The cells, ascending.
    pub cells: Vec<u32>,
    /// The replicates of each cell.
    pub replicates: Range<u64>,
    /// Replicates in one block; the last block takes the rest.
    pub rows: u32,
}

/// The approximate number of upgraded instances in one block: large enough that the assignment costs nothing, small
/// enough that an interrupt takes effect at once.
const INSTANCES_A_BLOCK: u32 = 16_384;

/// The number of replicates in one block, for a fleet of this size.
#[must_use]
pub fn rows_a_block(instances: u32) -> u32 {
    (INSTANCES_A_BLOCK / instances.max(1)).clamp(1, MAX_ROWS / 4)
}

impl Work {
    /// The number of blocks.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        (self.replicates.end - self.replicates.start).div_ceil(u64::from(self.rows)) * self.cells.len() as u64
    }

    /// The block with this index.
    #[must_use]
    pub fn block(&self, index: u64) -> Block {
        let cells = self.cells.len() as u64;
        let first = self.replicates.start + index / cells * u64::from(self.rows);
        let rows = (self.replicates.end - first).min(u64::from(self.rows)) as u32;
        Block { cell: self.cells[(index % cells) as usize], first, rows }
    }
}

/// How work is run.
#[derive(Clone, Copy)]
pub struct WorkPlan<'a> {
    /// The threads.
    pub pool: &'a rayon::ThreadPool,
    /// Stops the work early once it is true.
    pub stop: &'a AtomicBool,
    /// Receives the number of replicates that were finished, or found in the result log, since the last call.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

impl std::fmt::Debug for WorkPlan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkPlan").field("stop", self.stop).finish_non_exhaustive()
    }
}

/// The most rollouts of a study: counts of more are not exact as floating-point numbers.
pub const MOST_ROLLOUTS: u64 = 1 << 53;

/// The number of rollouts of this many cells; `None` where it exceeds [`MOST_ROLLOUTS`].
#[must_use]
pub fn rollouts(replicates: u64, cells: usize) -> Option<u64> {
    replicates.checked_mul(cells as u64).filter(|&all| all <= MOST_ROLLOUTS)
}

/// Runs the blocks that the result log does not hold: all of them, or those of a shard.
///
/// Returns whether all were finished; false where the work was stopped.
///
/// # Errors
/// When the result log cannot be written. Its earlier blocks remain valid.
pub fn run(
    compiled: &[CompiledScenario],
    work: &Work,
    blocks: Range<u64>,
    log: &ResultLog,
    workers: &WorkPlan<'_>,
) -> io::Result<bool> {
    let next = AtomicU64::new(blocks.start);
    let failed: Mutex<Option<io::Error>> = Mutex::new(None);
    let given_up = AtomicBool::new(false);
    workers.pool.broadcast(|_| {
        let mut simulator: Option<Simulator<'_>> = None;
        let mut rows: Vec<Row> = Vec::new();
        while !workers.stop.load(Ordering::Relaxed) && !given_up.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= blocks.end {
                return;
            }
            let block = work.block(index);
            if !log.has(block) {
                let compiled = &compiled[block.cell as usize];
                let simulator = simulator.get_or_insert_with(|| Simulator::new(compiled));
                simulator.turn_to(compiled);
                rows.clear();
                let replicates = block.first..block.first + u64::from(block.rows);
                rows.extend(replicates.map(|replicate| row(&simulator.run(replicate, &mut Unobserved))));
                if let Err(error) = log.push(block, &rows) {
                    given_up.store(true, Ordering::Relaxed);
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    return;
                }
            }
            (workers.progress)(u64::from(block.rows));
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(!workers.stop.load(Ordering::Relaxed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_each_replicate_of_each_cell_once() {
        let work = Work { cells: vec![1, 4], replicates: 256..1000, rows: 100 };
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..work.blocks() {
            let block = work.block(index);
            assert!(block.rows > 0);
            for replicate in block.first..block.first + u64::from(block.rows) {
                assert!(seen.insert((block.cell, replicate)));
            }
        }
        assert_eq!(seen.len(), 2 * 744);
        assert!(seen.contains(&(1, 256)) && seen.contains(&(4, 999)));
    }

    #[test]
    fn a_block_is_neither_long_nor_empty() {
        assert_eq!([0, 1, 50, 1_000_000].map(rows_a_block), [1024, 1024, 327, 1]);
    }
}

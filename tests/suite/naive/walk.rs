//! One rollout, `r-1` or its rollback: its batches, and where its instances stand.

use dryroll::engine::{BatchOf, BatchSizes, Direction, GrowthStep, OnFailed, Rounding, Size};
use dryroll::sim::Release;

/// Where an instance stands in one rollout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    Waiting,
    InFlight(Flight),
    Healthy,
    Failed,
    /// It was healthy, and became unwell.
    Relapsed,
}

/// An instance that awaits its verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flight {
    /// When it was commanded last.
    pub since: u64,
    /// How often it was commanded again.
    pub attempt: u32,
    /// When the first heartbeat of an unbroken healthy series was sent.
    pub well_since: Option<u64>,
}

/// A batch that has begun.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The first of its places, and the first beyond.
    pub places: std::ops::Range<usize>,
    /// Its healthy share has once been large enough to leave it.
    pub reached: bool,
    /// All of it has been judged, and whether it failed.
    pub completed: Option<bool>,
    /// When its bake ends, from when it has begun.
    pub bake_end: Option<u64>,
    /// Its bake is over, or void.
    pub bake_over: bool,
}

/// One rollout.
#[derive(Debug)]
pub struct Walk {
    pub id: u32,
    pub to: Direction,
    /// Positions in the plan of the instances that it is about.
    pub members: Vec<usize>,
    pub standings: Vec<Phase>,
    pub sizes: BatchSizes,
    pub timeout: u64,
    /// Those that have begun.
    pub batches: Vec<Batch>,
    /// The failures in a row that the first rule counts, by batch where each has a count of its own.
    pub runs: Vec<Vec<usize>>,
    /// The breaker tripped, and the decision is open.
    pub tripped: bool,
    /// Dispatching waits for a tick.
    pub held: bool,
}

impl Walk {
    pub fn new(id: u32, to: Direction, members: Vec<usize>, sizes: BatchSizes, timeout: u64) -> Self {
        let standings = vec![Phase::Waiting; members.len()];
        let (batches, runs) = (Vec::new(), Vec::new());
        Self { id, to, members, standings, sizes, timeout, batches, runs, tripped: false, held: false }
    }

    /// The size of a batch, given those before it and whether they failed.
    fn size_after(&self, before: &[(usize, bool)]) -> usize {
        let planned = self.members.len();
        let begun: usize = before.iter().map(|(size, _)| size).sum();
        let remaining = planned - begun;
        let whole = match self.sizes.of {
            BatchOf::Planned => planned,
            BatchOf::Remaining => remaining,
        };
        let listed = self.sizes.sizes[before.len().min(self.sizes.sizes.len() - 1)];
        let size = match (self.sizes.growth, before.last()) {
            (Some(growth), Some(&(last, failed))) => match (failed, growth.on_failed, growth.step) {
                (true, OnFailed::Keep, _) => last,
                (true, OnFailed::Shrink, GrowthStep::Factor(factor)) => last * 1000 / factor as usize,
                (true, OnFailed::Shrink, GrowthStep::Add(more)) => last.saturating_sub(more.get() as usize),
                (false, _, GrowthStep::Factor(factor)) => rounded(last * factor as usize, 1000, self.sizes.rounding),
                (false, _, GrowthStep::Add(more)) => last + more.get() as usize,
            },
            _ => number(listed, whole, self.sizes.rounding),
        };
        size.max(1).min(remaining)
    }

    /// The batches as a plan has them, as if all succeeded.
    pub fn planned_sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<(usize, bool)> = Vec::new();
        while sizes.iter().map(|(size, _)| size).sum::<usize>() < self.members.len() {
            sizes.push((self.size_after(&sizes), false));
        }
        sizes.into_iter().map(|(size, _)| size).collect()
    }

    /// Begins the next batch.
    pub fn begin(&mut self) {
        let before: Vec<(usize, bool)> =
            self.batches.iter().map(|batch| (batch.places.len(), batch.completed == Some(true))).collect();
        let start = self.begun();
        let size = self.size_after(&before);
        self.batches.push(Batch {
            places: start..start + size,
            reached: false,
            completed: None,
            bake_end: None,
            bake_over: false,
        });
    }

    /// How many instances the batches have that have begun.
    pub fn begun(&self) -> usize {
        self.batches.last().map_or(0, |batch| batch.places.end)
    }

    pub fn is_judged(&self, place: usize) -> bool {
        matches!(self.standings[place], Phase::Healthy | Phase::Failed | Phase::Relapsed)
    }

    pub fn judged(&self) -> usize {
        (0..self.members.len()).filter(|&place| self.is_judged(place)).count()
    }

    pub fn batch_of(&self, place: usize) -> usize {
        self.batches.iter().position(|batch| batch.places.contains(&place)).expect("the batch has begun")
    }

    pub fn healthy_in(&self, batch: usize) -> usize {
        let places = self.batches[batch].places.clone();
        places.filter(|&place| self.standings[place] == Phase::Healthy).count()
    }

    pub fn in_flight(&self) -> usize {
        self.standings.iter().filter(|phase| matches!(phase, Phase::InFlight(_))).count()
    }

    /// The next place of the batch that began last which is not dispatched.
    pub fn next_place(&self) -> Option<usize> {
        (0..self.begun()).find(|&place| self.standings[place] == Phase::Waiting)
    }

    /// Whether the walk may leave the batch that began last, bakes aside.
    pub fn may_leave(&self) -> bool {
        let Some(batch) = self.batches.last() else { return true };
        self.next_place().is_none() && (batch.reached || batch.places.clone().all(|place| self.is_judged(place)))
    }

    pub fn place_of(&self, position: usize) -> Option<usize> {
        self.members.iter().position(|&member| member == position)
    }

    pub fn release(&self) -> Release {
        match self.to {
            Direction::Forward => Release::Target,
            Direction::Back => Release::Previous,
        }
    }
}

fn rounded(product: usize, whole: usize, rounding: Rounding) -> usize {
    match rounding {
        Rounding::Up => product.div_ceil(whole),
        Rounding::Down => product / whole,
    }
}

/// A count, or a share of a whole; at least 1.
pub fn number(size: Size, whole: usize, rounding: Rounding) -> usize {
    match size {
        Size::Count(count) => count.get() as usize,
        Size::Share(share) => rounded(share.thousandths() as usize * whole, 100_000, rounding).max(1),
    }
}

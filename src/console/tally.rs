//! Counts of instances by batch and by what an operator sees of them, kept up as events come in, so that a large fleet
//! costs no more to show than a small one; and the last trip and bake.

use std::collections::BTreeMap;

use dryroll_engine::fleet::{At, InstanceId};
use dryroll_engine::{Direction, Engine, Event, EventBody, Reason, RolloutId, TripReason};
use dryroll_report::events::bakes::{Bake, BakeWatch, ends_bake};
use dryroll_study::drill::{BatchLayout, Cell};

/// How many instances are in each [`Cell`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u32; Cell::ALL.len()]);

impl Counts {
    /// How many are in this one.
    #[must_use]
    pub fn of(&self, cell: Cell) -> u32 {
        self.0[cell as usize]
    }

    /// Every cell that some are in, in the order of a legend.
    pub fn present(&self) -> impl Iterator<Item = (Cell, u32)> + '_ {
        Cell::ALL.into_iter().map(|cell| (cell, self.of(cell))).filter(|(_, count)| *count > 0)
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// How many failed, on the way there or back.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.present().filter(|(cell, _)| cell.is_failed()).map(|(_, count)| count).sum()
    }

    /// How many await a verdict.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.of(Cell::Upgrading) + self.of(Cell::GoingBack)
    }

    /// The counts in words: `8 upgrading, 2 upgrade failed`.
    #[must_use]
    pub fn words(&self) -> String {
        let words: Vec<String> = self.present().map(|(cell, count)| format!("{count} {}", cell.word())).collect();
        words.join(", ")
    }

    fn add(&mut self, cell: Cell, count: u32) {
        self.0[cell as usize] += count;
    }

    fn move_one(&mut self, from: Cell, to: Cell) {
        self.0[from as usize] = self.0[from as usize].saturating_sub(1);
        self.0[to as usize] += 1;
    }
}

/// The counts of a rollout.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    all: Counts,
    batches: Vec<Counts>,
    layout: BatchLayout,
    failed_at: BTreeMap<u32, At>,
    trip: Option<Trip>,
    bake_watch: BakeWatch,
    bake: Option<Bake>,
}

/// A trip, as its event has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Which rule, and what it found.
    pub reason: TripReason,
    /// The batch that it is about.
    pub batch_index: u32,
    /// The positions that the rule counted.
    pub failed: Vec<u32>,
}

impl Tally {
    /// Of all planned instances.
    #[must_use]
    pub fn all(&self) -> &Counts {
        &self.all
    }

    /// Where the batches are.
    #[must_use]
    pub fn layout(&self) -> &BatchLayout {
        &self.layout
    }

    /// The last trip.
    #[must_use]
    pub fn trip(&self) -> Option<&Trip> {
        self.trip.as_ref()
    }

    /// The last bake that the rollout waited for.
    #[must_use]
    pub fn bake(&self) -> Option<Bake> {
        self.bake
    }

    /// Of a batch.
    #[must_use]
    pub fn batch(&self, index: u32) -> Counts {
        self.batches.get(index as usize).copied().unwrap_or_default()
    }

    /// When the instance at a position got its failed verdict, in the rollout or, once it is taken back, there.
    #[must_use]
    pub fn failed_at(&self, position: u32) -> Option<At> {
        self.failed_at.get(&position).copied()
    }

    /// The positions of failed instances, in plan order.
    pub fn failed(&self) -> impl Iterator<Item = u32> + '_ {
        self.failed_at.keys().copied()
    }

    /// The first failed instance after a position, and around the end from the first.
    #[must_use]
    pub fn next_failed(&self, after: Option<u32>) -> Option<u32> {
        let beyond = after.map_or(0, |position| position.saturating_add(1));
        self.failed_at.range(beyond..).next().or_else(|| self.failed_at.iter().next()).map(|(&position, _)| position)
    }

    /// Takes note of an event.
    pub fn note(&mut self, engine: &Engine, event: &Event) {
        if let Some(bake) = self.bake.as_mut().filter(|_| ends_bake(event)) {
            bake.until = bake.until.min(event.at);
        }
        self.count(engine, event);
        self.bake = self.bake_watch.begun(engine).or(self.bake);
    }

    fn count(&mut self, engine: &Engine, event: &Event) {
        match event.body {
            EventBody::Planned { .. } => self.begin(engine),
            EventBody::BatchStarted { batch_index, .. } if event.rollout == RolloutId::FIRST => {
                self.begin_batch(engine, batch_index);
            }
            EventBody::CircuitBreakerTripped { batch_index, ref failed, reason } => {
                let position = |&instance: &InstanceId| engine.plan().order.position(instance);
                self.trip = Some(Trip { reason, batch_index, failed: failed.iter().filter_map(position).collect() });
            }
            EventBody::InstanceStarted { instance, to, .. } => {
                let Some(position) = engine.plan().order.position(instance) else { return };
                match to {
                    Direction::Forward => self.move_one(position, Cell::Waiting, Cell::Upgrading),
                    Direction::Back => self.move_one(position, Cell::ToGoBack, Cell::GoingBack),
                }
            }
            EventBody::InstanceHealthCheck { instance, failure, .. } => {
                let Some(position) = engine.plan().order.position(instance) else { return };
                let (from, to) = match (event.rollout, failure) {
                    (RolloutId::FIRST, None) => (Cell::Upgrading, Cell::Healthy),
                    (RolloutId::FIRST, Some(Reason::UpgradeFailed)) => (Cell::Upgrading, Cell::UpgradeFailed),
                    (RolloutId::FIRST, Some(Reason::HealthTimeout)) => (Cell::Upgrading, Cell::TimedOut),
                    (RolloutId::FIRST, Some(Reason::Relapsed)) => (Cell::Healthy, Cell::Relapsed),
                    (_, None) => (Cell::GoingBack, Cell::Restored),
                    (_, Some(Reason::UpgradeFailed)) => (Cell::GoingBack, Cell::BackFailed),
                    (_, Some(Reason::HealthTimeout | Reason::Relapsed)) => (Cell::GoingBack, Cell::BackTimedOut),
                };
                self.move_one(position, from, to);
                if failure.is_some() {
                    self.failed_at.insert(position, event.at);
                }
            }
            EventBody::InstanceRelapsed { instance, .. } => {
                let Some(position) = engine.plan().order.position(instance) else { return };
                self.move_one(position, Cell::Healthy, Cell::Relapsed);
                self.failed_at.insert(position, event.at);
            }
            EventBody::RollbackStarted { instance_count } => self.take_back(instance_count),
            _ => {}
        }
    }

    fn begin(&mut self, engine: &Engine) {
        *self = Self { layout: BatchLayout::of(engine), ..Self::default() };
        self.batches = (0..self.layout.len()).map(|index| self.waiting(index)).collect();
        self.all.add(Cell::Waiting, self.layout.total());
    }

    /// A batch that grows may begin otherwise than it was planned. Nothing from it on is dispatched yet.
    fn begin_batch(&mut self, engine: &Engine, index: u32) {
        if self.layout.begin(engine, index) {
            self.batches.truncate(index as usize);
            let rest: Vec<Counts> = (index..self.layout.len()).map(|index| self.waiting(index)).collect();
            self.batches.extend(rest);
        }
    }

    fn waiting(&self, index: u32) -> Counts {
        let mut counts = Counts::default();
        counts.add(Cell::Waiting, self.layout.batch(index).len() as u32);
        counts
    }

    /// Marks the first `count` instances of the plan for rollback, whatever their state.
    fn take_back(&mut self, count: u32) {
        self.failed_at.clear();
        self.all = Counts::default();
        for (index, counts) in self.batches.iter_mut().enumerate() {
            let positions = self.layout.batch(index as u32);
            let back = positions.end.min(count).saturating_sub(positions.start);
            let rest = positions.len() as u32 - back;
            *counts = Counts::default();
            for (cell, count) in [(Cell::ToGoBack, back), (Cell::Waiting, rest)] {
                counts.add(cell, count);
                self.all.add(cell, count);
            }
        }
    }

    fn move_one(&mut self, position: u32, from: Cell, to: Cell) {
        let batch = self.layout.batch_of(position);
        if let Some(counts) = self.batches.get_mut(batch as usize) {
            counts.move_one(from, to);
            self.all.move_one(from, to);
        }
    }
}

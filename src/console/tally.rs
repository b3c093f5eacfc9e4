//! Counts of instances by batch and by what an operator sees of them, kept up as events come in, so that a large fleet
//! costs no more to show than a small one.

use std::collections::BTreeMap;

use dryroll_engine::fleet::At;
use dryroll_engine::{Direction, Engine, Event, EventBody, Plan, Reason, RolloutId};
use dryroll_study::drill::Cell;

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
    plan: Option<Plan>,
    failed_at: BTreeMap<u32, At>,
}

impl Tally {
    /// Of all planned instances.
    #[must_use]
    pub fn all(&self) -> &Counts {
        &self.all
    }

    /// Of a batch of the plan.
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
        match event.body {
            EventBody::Planned { .. } => self.begin(engine),
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
            EventBody::RollbackStarted { instance_count } => self.take_back(engine, instance_count),
            _ => {}
        }
    }

    fn begin(&mut self, engine: &Engine) {
        let plan = engine.plan();
        *self = Self { plan: Some(plan.clone()), ..Self::default() };
        for index in 0..plan.batch_count() {
            let mut counts = Counts::default();
            counts.add(Cell::Waiting, plan.batch(index).len() as u32);
            self.batches.push(counts);
        }
        self.all.add(Cell::Waiting, plan.total_instances());
    }

    /// Marks the first `count` instances of the plan for rollback, whatever their state.
    fn take_back(&mut self, engine: &Engine, count: u32) {
        self.failed_at.clear();
        self.all = Counts::default();
        for (index, counts) in self.batches.iter_mut().enumerate() {
            let positions = engine.plan().batch(index as u32);
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
        let Some(batch) = self.plan.as_ref().map(|plan| plan.batch_of(position)) else { return };
        if let Some(counts) = self.batches.get_mut(batch as usize) {
            counts.move_one(from, to);
            self.all.move_one(from, to);
        }
    }
}

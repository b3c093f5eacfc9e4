//! The tree: rollout → batch → instance. Rows are counted, not stored: only those on the screen are made, whatever the
//! size of the fleet.

use std::collections::BTreeSet;

use super::key::Key;
use super::tally::Tally;
use dryroll_engine::{Direction, Engine};
use dryroll_study::drill::{BatchLayout, Cell};

/// Batches up to this size open by themselves when they begin.
const OPENS_ITSELF: usize = 40;

/// A row of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The whole.
    Rollout,
    /// A batch.
    Batch(u32),
    /// The instance at a position of the plan.
    Instance(u32),
}

/// Which rows there are, and which one is selected.
#[derive(Clone, Debug)]
pub struct Tree {
    is_open: bool,
    open: BTreeSet<u32>,
    selected: Row,
    offset: usize,
    height: usize,
    /// The selection follows the running batch until the user moves it.
    follows: bool,
    live: Option<u32>,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            is_open: true,
            open: BTreeSet::new(),
            selected: Row::Rollout,
            offset: 0,
            height: 1,
            follows: true,
            live: None,
        }
    }
}

impl Tree {
    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Row {
        self.selected
    }

    /// Whether a row shows what is below it.
    #[must_use]
    pub fn is_open(&self, row: Row) -> bool {
        match row {
            Row::Rollout => self.is_open,
            Row::Batch(index) => self.open.contains(&index),
            Row::Instance(_) => false,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self, layout: &BatchLayout) -> usize {
        if !self.is_open {
            return 1;
        }
        let instances: usize = self.open.iter().map(|&index| layout.batch(index).len()).sum();
        1 + layout.len() as usize + instances
    }

    /// The row at a place from the top.
    #[must_use]
    pub fn row(&self, layout: &BatchLayout, place: usize) -> Option<Row> {
        if place >= self.len(layout) {
            return None;
        }
        let Some(mut left) = place.checked_sub(1) else { return Some(Row::Rollout) };
        let mut batch = 0;
        for &index in &self.open {
            let before = (index - batch) as usize;
            if left <= before {
                break;
            }
            let positions = layout.batch(index);
            let below = left - before - 1;
            if below < positions.len() {
                return Some(Row::Instance(positions.start + below as u32));
            }
            left = below - positions.len();
            batch = index + 1;
        }
        Some(Row::Batch(batch + left as u32))
    }

    /// The place of a row from the top, if it is shown.
    #[must_use]
    pub fn place(&self, layout: &BatchLayout, row: Row) -> Option<usize> {
        let above = |index: u32| -> usize {
            let opened: usize = self.open.range(..index).map(|&open| layout.batch(open).len()).sum();
            1 + index as usize + opened
        };
        match row {
            Row::Rollout => Some(0),
            _ if !self.is_open => None,
            Row::Batch(index) => (index < layout.len()).then(|| above(index)),
            Row::Instance(position) => {
                let index = layout.batch_of(position);
                let inside = position - layout.batch(index).start;
                (position < layout.total() && self.open.contains(&index)).then(|| above(index) + 1 + inside as usize)
            }
        }
    }

    /// The rows that a panel of this height shows.
    pub fn shown(&mut self, layout: &BatchLayout, height: usize) -> Vec<Row> {
        self.height = height.max(1);
        let selected = self.place(layout, self.selected).unwrap_or(0);
        let most = self.len(layout).saturating_sub(height);
        let highest = if self.follows { selected.saturating_sub(1) } else { self.offset.min(selected) };
        let lowest = (selected + 1).saturating_sub(height);
        self.offset = highest.max(lowest).min(most);
        (self.offset..self.offset + height).map_while(|place| self.row(layout, place)).collect()
    }

    /// Follows events: the running batch, and an edited plan.
    pub fn follow(&mut self, engine: &Engine, tally: &Tally) {
        let layout = tally.layout();
        self.open.retain(|&index| index < layout.len());
        if self.place(layout, self.selected).is_none() {
            self.selected = Row::Rollout;
        }
        let live = live_batch(engine, tally);
        if live == self.live || !self.follows {
            return;
        }
        self.live = live;
        let Some(live) = live else { return };
        self.open.clear();
        self.is_open = true;
        self.selected = Row::Batch(live);
        if layout.batch(live).len() <= OPENS_ITSELF {
            self.open.insert(live);
        }
    }

    /// Handles a key; returns whether the tree uses it.
    pub fn key(&mut self, key: Key, engine: &Engine, tally: &Tally) -> bool {
        let layout = tally.layout();
        let place = self.place(layout, self.selected).unwrap_or(0);
        let last = self.len(layout) - 1;
        match key {
            Key::Up | Key::Char('k') => self.select(layout, place.saturating_sub(1)),
            Key::Down | Key::Char('j') => self.select(layout, (place + 1).min(last)),
            Key::PageUp => self.select(layout, place.saturating_sub(self.height)),
            Key::PageDown => self.select(layout, (place + self.height).min(last)),
            Key::Home => self.select(layout, 0),
            Key::End => self.select(layout, last),
            Key::Enter => self.toggle(layout),
            Key::Right | Key::Char('l') if !self.is_open(self.selected) => self.toggle(layout),
            Key::Right | Key::Char('l') => self.select(layout, (place + 1).min(last)),
            Key::Left | Key::Char('h') => self.close(layout),
            Key::Char('f') => self.next_failed(layout, tally),
            Key::Char('t') => {
                (self.follows, self.live) = (true, None);
                self.follow(engine, tally);
            }
            _ => return false,
        }
        true
    }

    fn select(&mut self, layout: &BatchLayout, place: usize) {
        self.follows = false;
        self.selected = self.row(layout, place).unwrap_or(Row::Rollout);
    }

    fn toggle(&mut self, layout: &BatchLayout) {
        self.follows = false;
        match self.selected {
            Row::Rollout => self.is_open = !self.is_open,
            Row::Batch(index) if !self.open.remove(&index) => drop(self.open.insert(index)),
            Row::Batch(_) => {}
            Row::Instance(_) => self.close(layout),
        }
    }

    /// Closes the selected row, or goes to the one that it is below.
    fn close(&mut self, layout: &BatchLayout) {
        self.follows = false;
        match self.selected {
            Row::Rollout => self.is_open = false,
            Row::Batch(index) if !self.open.remove(&index) => self.selected = Row::Rollout,
            Row::Batch(_) => {}
            Row::Instance(position) => {
                self.selected = Row::Batch(layout.batch_of(position));
            }
        }
    }

    fn next_failed(&mut self, layout: &BatchLayout, tally: &Tally) {
        let after = match self.selected {
            Row::Rollout => None,
            Row::Batch(index) => layout.batch(index).start.checked_sub(1),
            Row::Instance(position) => Some(position),
        };
        let Some(position) = tally.next_failed(after) else { return };
        (self.follows, self.is_open) = (false, true);
        self.open.insert(layout.batch_of(position));
        self.selected = Row::Instance(position);
    }
}

/// The batch in which something goes on: the last that began, or the first that is not taken back.
fn live_batch(engine: &Engine, tally: &Tally) -> Option<u32> {
    let layout = tally.layout();
    let last = layout.batch_of(engine.dispatched().checked_sub(1)?);
    if engine.direction() == Direction::Forward {
        return Some(last);
    }
    let goes_on = |index: &u32| {
        let counts = tally.batch(*index);
        counts.of(Cell::GoingBack) + counts.of(Cell::ToGoBack) > 0
    };
    (0..=last).find(goes_on).or(Some(last))
}

//! What several scenarios of one file have in common, and the places in its text.

use super::super::diagnostic::{Diagnostic, Source};
use super::super::load::{ScenarioText, root};
use super::super::tree::{Cursor, Node};
use super::{Advice, AdviceCode, Found, Step};
use crate::scenario::Scenario;

/// Collects advice about the scenarios that one file makes: its own, or one for each cell of a grid.
#[derive(Clone, Debug)]
pub struct Advisor<'t> {
    text: &'t ScenarioText,
    /// Keys of `[rollout]` that the command line sets, so that the file has no place of them.
    set: Vec<String>,
    found: Vec<(Found, Seen)>,
    scenarios: usize,
}

/// In how many of the scenarios something was found, and in which one last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    count: usize,
    last: usize,
}

impl<'t> Advisor<'t> {
    /// About a file.
    #[must_use]
    pub fn new(text: &'t ScenarioText) -> Self {
        Self { text, set: Vec::new(), found: Vec::new(), scenarios: 0 }
    }

    /// With keys of `[rollout]` that are not as the file has them.
    #[must_use]
    pub fn with_set<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        self.set.extend(keys.into_iter().map(Into::into));
        self
    }

    /// About the cells of a grid that varies these keys.
    #[must_use]
    pub fn of_grid<S: Into<String>>(
        text: &'t ScenarioText,
        keys: impl IntoIterator<Item = S>,
        cells: &[Scenario],
    ) -> Self {
        let mut advisor = Self::new(text).with_set(keys);
        cells.iter().for_each(|scenario| advisor.read_cell(scenario));
        advisor
    }

    /// About the cells of a search, whose policies the file lists.
    #[must_use]
    pub fn of_search<S: Into<String>>(
        text: &'t ScenarioText,
        keys: impl IntoIterator<Item = S>,
        scenario: &Scenario,
        cells: &[Scenario],
    ) -> Self {
        let mut advisor = Self::of_grid(text, keys, cells);
        // What a cell has of it, the list says of all cells at once, and where.
        advisor.found.retain(|(found, _)| found.code != AdviceCode::BreakerNeverTrips);
        advisor.add(scenario.grid_advice());
        advisor.add(super::tune::trips_ignored(scenario));
        advisor
    }

    /// Takes what is to be said of a file's own scenario before any run.
    pub fn read(&mut self, scenario: &Scenario) {
        self.read_cell(scenario);
        self.add(scenario.grid_advice());
    }

    fn read_cell(&mut self, scenario: &Scenario) {
        self.scenarios += 1;
        for found in scenario.advice() {
            let known = self.found.iter_mut().find(|(one, _)| one.code == found.code && one.at == found.at);
            match known {
                // One scenario may say a thing of two keys, and counts once for each.
                Some((_, seen)) if seen.last == self.scenarios => {}
                Some((_, seen)) => *seen = Seen { count: seen.count + 1, last: self.scenarios },
                None => self.found.push((found, Seen { count: 1, last: self.scenarios })),
            }
        }
    }

    /// Takes what is not of one cell, such as what runs have shown.
    pub fn add(&mut self, found: Option<Found>) {
        let Some(found) = found else { return };
        if self.found.iter().all(|(one, _)| *one != found) {
            self.found.push((found, Seen::ALL));
        }
    }

    /// The advice, each piece once, in the order of the rules.
    #[must_use]
    pub fn finish(self) -> Vec<Advice> {
        if self.found.is_empty() {
            return Vec::new();
        }
        let tree = root(self.text.file.raw(), &self.text.text, self.text.format).ok();
        let path = self.text.file.to_string();
        let advice = self.found.into_iter().map(|(found, seen)| {
            let is_set = found.rollout_key().is_some_and(|key| self.set.iter().any(|set| set == key));
            let place = tree.as_ref().filter(|_| !is_set).map(|tree| place(self.text, tree, &found.at));
            let few = match seen.count < self.scenarios {
                true => {
                    format!(" (the first of {} such among {} pairs of policy and version)", seen.count, self.scenarios)
                }
                false => String::new(),
            };
            Advice {
                code: found.code,
                message: format!("{}{few}", found.message),
                change: found.change,
                path: path.clone(),
                line: place.map(|(line, _)| line),
                column: place.map(|(_, column)| column),
            }
        });
        advice.collect()
    }
}

impl Seen {
    /// What is said of all of them.
    const ALL: Self = Self { count: usize::MAX, last: 0 };
}

/// The line and the column of a key, or of the table that lacks it.
fn place(text: &ScenarioText, tree: &Node, at: &[Step]) -> (usize, usize) {
    let cursor = at.iter().fold(Cursor::new(tree), |cursor, step| match step {
        Step::Key(key) => cursor.key(key),
        Step::Item(index) => cursor.item(*index),
    });
    let source = Source { name: text.file.raw(), text: text.without_mark() };
    let place = Diagnostic::new(&source, cursor.name(), "");
    (place.line(), place.column())
}

//! What the instances are at the request: which version they run, their state, and which of them are pinned.

use std::collections::HashMap;

use super::super::pairs::PerRelease;
use crate::scenario::{OverrideSpec, Scenario, StartState, Target, UpgradeOutcome, VersionIndex};
use dryroll_engine::fleet::{DigestId, InstanceId};

/// The starts of a fleet. What a later override says wins.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    previous: DigestId,
    zones: u32,
    /// The overrides that speak of versions or pins, with the digests of the versions.
    said: Vec<(Target, Option<DigestId>, bool)>,
    has_states: bool,
}

impl Starts {
    pub fn of(scenario: &Scenario, digests: PerRelease<DigestId>) -> Self {
        let ids = DigestIds::of(scenario, digests);
        let speaks = |one: &&OverrideSpec| one.runs.is_some() || one.pinned;
        let said = scenario
            .overrides
            .iter()
            .filter(speaks)
            .map(|one| (one.target.clone(), one.runs.map(|version| ids.of_version(scenario, version)), one.pinned));
        Self {
            previous: digests.previous,
            zones: scenario.fleet.zones,
            said: said.collect(),
            has_states: scenario.overrides.iter().any(|one| one.state.is_some_and(|state| state != StartState::Well)),
        }
    }

    /// Whether every instance runs the previous version and is well.
    pub fn are_plain(&self) -> bool {
        !self.has_states && self.said.iter().all(|(_, runs, _)| runs.is_none())
    }

    /// The digest that an instance runs at the request.
    pub fn runs(&self, n: u32) -> DigestId {
        self.at(n).filter_map(|(_, runs, _)| *runs).last().unwrap_or(self.previous)
    }

    /// Whether an instance is never planned.
    pub fn is_pinned(&self, n: u32) -> bool {
        self.at(n).any(|&(_, _, pinned)| pinned)
    }

    fn at(&self, n: u32) -> impl Iterator<Item = &(Target, Option<DigestId>, bool)> {
        self.said.iter().filter(move |(target, _, _)| match target {
            Target::All => true,
            Target::Ids(ids) => ids.binary_search(&InstanceId(n)).is_ok(),
            Target::Zone(zone) => n % self.zones == *zone,
            // The check refuses a drawn share here: the plan is the same in every replicate.
            Target::Fraction(_) => false,
        })
    }
}

/// The ids of digests: equal texts get equal ids.
struct DigestIds {
    by_text: HashMap<String, DigestId>,
}

impl DigestIds {
    fn of(scenario: &Scenario, digests: PerRelease<DigestId>) -> Self {
        let mut by_text = HashMap::new();
        by_text.insert(scenario.target().digest.raw().to_owned(), digests.target);
        if let Some(previous) = scenario.previous() {
            by_text.insert(previous.digest.raw().to_owned(), digests.previous);
        }
        for version in &scenario.versions {
            let next = DigestId(2 + by_text.len() as u32);
            by_text.entry(version.digest.raw().to_owned()).or_insert(next);
        }
        Self { by_text }
    }

    fn of_version(&self, scenario: &Scenario, VersionIndex(version): VersionIndex) -> DigestId {
        let text = scenario.versions.get(version).map_or("", |version| version.digest.raw());
        self.by_text.get(text).copied().unwrap_or(DigestId(0))
    }
}

/// The digests of the two releases. A previous version without a name runs a digest that no other has.
pub(super) fn digests(scenario: &Scenario) -> PerRelease<DigestId> {
    let same = scenario.previous().is_some_and(|previous| previous.digest == scenario.target().digest);
    let target = if same { DigestId(0) } else { DigestId(1) };
    PerRelease { previous: DigestId(0), target }
}

impl Scenario {
    /// Whether some upgrade can end like this: a brick or a degrade, by a rate or by an override.
    pub(super) fn can_end(&self, outcome: UpgradeOutcome) -> bool {
        let of = |brick: f64, degrade: f64| match outcome {
            UpgradeOutcome::Brick => brick > 0.0,
            UpgradeOutcome::Degrade => degrade > 0.0,
            _ => true,
        };
        let some = |brick: Option<f64>, degrade: Option<f64>| of(brick.unwrap_or(0.0), degrade.unwrap_or(0.0));
        self.versions.iter().any(|version| of(version.rates.brick, version.rates.degrade))
            || self.classes.iter().any(|class| some(class.rates.brick, class.rates.degrade))
            || self.overrides.iter().any(|one| one.outcome == Some(outcome) || some(one.rates.brick, one.rates.degrade))
    }
}

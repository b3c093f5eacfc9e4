//! A scenario under comparison: run with its own policy, and with the accepted policy where that differs, on the
//! accepted replicates.

use std::collections::BTreeMap;
use std::io;

use super::Entry;
use super::contrast::{Cause, Contrast, Evidence};
use super::facts::{Fact, VersionFacts, measured};
use crate::study::Policy;
use crate::study::analysis::{self, Certainty};
use crate::study::compare::pairs;
use crate::study::completed::{self, Completed};
use crate::study::grid::{self, Cells, GridError};
use crate::study::mean::{Differences, Estimator};
use crate::study::result_log::{Identity, ResultLog};
use crate::study::results::CellRows;
use crate::study::round::{self, Work, WorkPlan, rows_a_block};
use crate::study::sweep::CONFIDENCE;
use dryroll_sim::SEMANTICS_VERSION;
use dryroll_sim::scenario::{Measure, Rate, Scenario, VersionIndex};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::text::Foreign;
use dryroll_stats::paired::Paired;

/// A scenario that is ready to run.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The cells: where the accepted policy differs, first that policy with each version; then the scenario's own
    /// policy with each version.
    pub cells: Cells,
    /// The ids of the versions.
    pub versions: Vec<Foreign>,
    /// Replicates of each cell.
    pub replicates: u64,
}

/// The result of a comparison with accepted results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// Whether the policy has changed.
    pub policy_changed: bool,
    /// Whether the scenario has changed otherwise, so that the recorded figures do not apply to it.
    pub world_changed: bool,
    /// Versions with two results by the same engine.
    pub not_the_same_bytes: Vec<Foreign>,
    /// Versions with other results by another engine.
    pub other_engine: Vec<Foreign>,
    /// Versions without accepted results.
    pub new_versions: Vec<Foreign>,
    /// Versions with accepted results that are no longer rolled out.
    pub gone_versions: Vec<Foreign>,
    /// Good versions of which too few rollouts complete with the scenario's policy, with the counts.
    pub given_up: Vec<(Foreign, Completed)>,
    /// The compared measures.
    pub contrasts: Vec<Contrast>,
    /// The number of intervals that could be made; they hold simultaneously.
    pub intervals: u64,
}

impl Subject {
    /// The result log of a comparison is never shared, so it needs no identity of its own.
    pub const IDENTITY: Identity = *b"dryroll baseline, not kept......";

    /// Prepares a scenario: with its own policy, and with the accepted policy where that differs.
    ///
    /// # Errors
    /// When the accepted policy does not fit the scenario, or the engine refuses a request.
    pub fn new(scenario: &Scenario, accepted: Option<&Policy>, seed: u64, replicates: u64) -> Result<Self, GridError> {
        let scenario = Scenario { seed, ..scenario.clone() };
        let versions = versions(&scenario);
        let mut policies = Vec::new();
        if let Some(accepted) = accepted.filter(|accepted| **accepted != Policy::of(&scenario)) {
            policies.push(accepted.applied_to(&scenario)?);
        }
        let ids = versions.iter().map(|version| scenario.versions[version.0].id.clone()).collect();
        policies.push(scenario);
        Ok(Self { cells: Cells::new(policies, &versions)?, versions: ids, replicates })
    }

    /// The number of rollouts of all cells.
    #[must_use]
    pub fn rollouts(&self) -> u64 {
        self.replicates.saturating_mul(self.cells.compiled.len() as u64)
    }

    /// Runs all replicates; returns false where it was stopped.
    ///
    /// # Errors
    /// When the result log cannot be written.
    pub fn run(&self, log: &ResultLog, workers: &WorkPlan<'_>) -> io::Result<bool> {
        let instances = self.cells.scenarios.first().map_or(1, |scenario| scenario.fleet.instances);
        let cells = (0..self.cells.compiled.len() as u32).collect();
        let work = Work { cells, replicates: 0..self.replicates, rows: rows_a_block(instances) };
        round::run(&self.cells.compiled, &work, 0..work.blocks(), log, workers)
    }

    /// The cells of a version: with the accepted policy, and with the scenario's own; the same cell twice where the
    /// policies are equal.
    fn cells_of(&self, version: usize) -> [usize; 2] {
        [version, self.cells.compiled.len() - self.versions.len() + version]
    }

    fn rows<'t>(&self, log: &'t ResultLog, cell: usize) -> io::Result<CellRows<'t>> {
        CellRows::open(std::slice::from_ref(log), cell as u32, self.replicates)
    }

    fn facts_of(&self, log: &ResultLog, cell: usize) -> io::Result<VersionFacts> {
        VersionFacts::of(&self.rows(log, cell)?, self.cells.compiled[cell].defective)
    }

    /// The facts of each version with the scenario's own policy.
    ///
    /// # Errors
    /// When the result log cannot be read.
    pub fn facts(&self, log: &ResultLog) -> io::Result<BTreeMap<Foreign, VersionFacts>> {
        let of = |(version, id): (usize, &Foreign)| Ok((id.clone(), self.facts_of(log, self.cells_of(version)[1])?));
        self.versions.iter().enumerate().map(of).collect()
    }

    /// Compares the present results with the accepted ones. `environment` is the digest of the scenario without its
    /// policy and seed.
    ///
    /// # Errors
    /// When the result log cannot be read.
    pub fn compare(&self, log: &ResultLog, entry: &Entry, environment: &str) -> io::Result<Compared> {
        let mut compared = Compared {
            policy_changed: self.cells.compiled.len() > self.versions.len(),
            world_changed: entry.environment != environment,
            gone_versions: entry.versions.keys().filter(|id| !self.versions.contains(id)).cloned().collect(),
            ..Compared::default()
        };
        for (version, id) in self.versions.iter().enumerate() {
            let [accepted, own] = self.cells_of(version);
            let kept = entry.versions.get(id);
            if kept.is_none() {
                compared.new_versions.push(id.clone());
            }
            if let Some(kept) = kept.filter(|_| !compared.world_changed) {
                let found = self.facts_of(log, accepted)?;
                if !found.are_the_bytes_of(kept) {
                    let of = if entry.dryroll == SEMANTICS_VERSION {
                        &mut compared.not_the_same_bytes
                    } else {
                        &mut compared.other_engine
                    };
                    of.push(id.clone());
                    compared.intervals += measured(self.cells.compiled[accepted].bricks);
                    compared.contrasts.extend(self.engines(id.raw(), accepted, kept, &found));
                }
            }
            if compared.policy_changed {
                compared.intervals += measured(self.cells.compiled[accepted].bricks);
                compared.contrasts.extend(self.policies(log, id.raw(), [accepted, own])?);
            }
        }
        compared.given_up = self.given_up(log)?;
        let gives_up = !compared.given_up.is_empty();
        compared.contrasts.iter_mut().for_each(|contrast| contrast.gives_up = gives_up);
        Ok(compared)
    }

    /// The good versions of which certainly too few rollouts complete with the scenario's policy, with the counts.
    fn given_up(&self, log: &ResultLog) -> io::Result<Vec<(Foreign, Completed)>> {
        let certainty = Certainty { confidence: CONFIDENCE, peeked: false };
        let mut all = Vec::new();
        for (version, id) in self.versions.iter().enumerate() {
            let own = self.cells_of(version)[1];
            if self.cells.compiled[own].defective {
                continue;
            }
            let rows = self.rows(log, own)?;
            let rate = |rate| analysis::rate(&rows, rate, false, certainty);
            let least = completed::least(&self.cells.scenarios[own]);
            let found = Completed::new(least, &rate(completed::COMPLETED)?, &rate(Rate::Trip)?, None, CONFIDENCE);
            if found.enough == Some(false) {
                all.push((id.clone(), found));
            }
        }
        Ok(all)
    }

    /// Compares recorded facts with present ones.
    fn engines(&self, version: &str, cell: usize, kept: &VersionFacts, found: &VersionFacts) -> Vec<Contrast> {
        let contrast = |&(measure, now): &(Measure, Fact)| {
            let defective = self.cells.compiled[cell].defective;
            Some(Contrast::of_engines(version, defective, measure, *kept.get(measure)?, now))
        };
        let mut contrasts: Vec<Contrast> = found.facts.iter().filter_map(contrast).collect();
        Contrast::join_conditions(&mut contrasts);
        contrasts
    }

    /// Compares the accepted policy with the scenario's own, replicate by replicate.
    fn policies(&self, log: &ResultLog, version: &str, [accepted, own]: [usize; 2]) -> io::Result<Vec<Contrast>> {
        let defective = self.cells.compiled[own].defective;
        let rows = [self.rows(log, accepted)?, self.rows(log, own)?];
        let contrast = |(measure, paired): (Measure, Paired)| {
            let Some((before, now)) = paired.a().mean().zip(paired.b().mean()) else { return Ok(None) };
            let estimators = [accepted, own].map(|cell| Estimator::new(&self.cells.compiled[cell], measure));
            let samples = [estimators[0].sample(&rows[0])?, estimators[1].sample(&rows[1])?];
            Ok(Some(Contrast {
                version: version.into(),
                defective,
                measure,
                cause: Cause::Policy,
                accepted: before,
                now,
                n: paired.n(),
                evidence: Evidence::Pairs {
                    differences: Differences::new([&estimators[0], &estimators[1]], [&samples[0], &samples[1]]),
                    alike: paired.wins().2 == paired.n(),
                },
                condition: None,
                gives_up: false,
            }))
        };
        let contrasts = pairs(&rows, defective)?.into_iter().filter_map(|pair| contrast(pair).transpose());
        let mut contrasts: Vec<Contrast> = contrasts.collect::<io::Result<_>>()?;
        Contrast::join_conditions(&mut contrasts);
        Ok(contrasts)
    }
}

/// The target, and every other version that can be rolled out and is not the previous version; versions that do not
/// fit, or whose request is refused, are left out.
fn versions(scenario: &Scenario) -> Vec<VersionIndex> {
    let target = scenario.rollout.target;
    let mut all = grid::versions(scenario, "all").unwrap_or_default();
    all.retain(|&version| {
        let mut one = scenario.clone();
        version != target && one.retarget(version).is_ok() && CompiledScenario::new(&one).is_ok()
    });
    all.push(target);
    all.sort_by_key(|version| version.0);
    all
}

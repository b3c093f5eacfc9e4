//! Tuning: the policy that minimises a goal on the good version, within limits, with as few rollouts as certainty
//! allows.
//!
//! # How it decides
//!
//! Where theory has the value of a limit or of a goal ([`Theory`]), it decides, and nothing is estimated. Everything
//! else is estimated from replicates. All policies meet the same replicates. The search looks after 256, 512, 1024 …
//! replicates. A policy is out if a limit certainly does not hold. It is also out if it is certainly slower, replicate
//! by replicate, than the incumbent: the fastest of the policies whose limits certainly hold. A policy whose limits
//! certainly hold and whose difference from the incumbent certainly lies within the tolerance is as good as the
//! incumbent; this is judged again at every look, since the incumbent may change. The search ends when no policy is
//! open.
//!
//! *Certainly* means: all intervals of all looks hold simultaneously at the confidence of the report. They hold for
//! every distribution (`Estimator`). Each look has its share of the error ([`Looks`]). Within a look, the estimated
//! limits share one half of it, and the estimated pairs of policies the other (Bonferroni's inequality).
//!
//! A policy with which too few good rollouts complete is out, like one that breaks a limit ([`completed`]).
//!
//! - [`limits`]: the versions that a limit is about, and whether it holds. [`front`]: the Pareto front. [`hints`]:
//!   results of other breaker rules.
//! - `rules`: rules on shares, totals and tests that compete.
//! - [`sensitivity`]: other rates than the scenario's. [`posterior`]: the posterior of rates. [`information_value`]:
//!   the value of information about them.

mod error;
pub mod front;
pub mod hints;
pub mod information_value;
pub mod limits;
pub mod posterior;
mod rules;
mod search;
pub mod sensitivity;

use std::io;

use super::Policy;
use super::analysis::{self, Certainty};
use super::completed;
use super::exact::Depth;
use super::grid::{Axis, Cells, Grid};
use super::policy::toml_text;
use super::result_log::{Identity, ResultLog};
use super::results::CellRows;
use super::round::WorkPlan;
use super::sweep::CONFIDENCE;
use super::theory::{Theory, fits};
use dryroll_engine::Outcome;
use dryroll_sim::scenario::{
    Concentrations, Measure, Metric, Rate, RolloutSpec, Scenario, TuneSpec, VersionIndex, VersionSpec,
};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_stats::moments::Moments;
use dryroll_stats::sequential::Looks;
pub use error::TuneError;
use error::is_goal;
use limits::{Held, Limit};
use search::Search;

/// The confidence of each interval of the report by itself.
const REPORTED: Certainty = Certainty { confidence: CONFIDENCE, peeked: true };
/// Replicates before the first look.
const FIRST_LOOK: u64 = 256;

/// A search.
#[derive(Clone, Debug)]
pub struct Tune {
    /// The scenario.
    pub scenario: Scenario,
    /// The metric whose mean on the good version is minimised.
    pub minimise: Metric,
    /// The limits: those of the scenario, and that enough good rollouts complete.
    pub limits: Vec<Limit>,
    /// The index of the limit that enough good rollouts complete; `None` where any share is enough.
    pub completes: Option<usize>,
    /// The number of limits that the scenario states.
    pub written: usize,
    /// The tolerance of limits on a mean, as a share of the limit; it applies where every replicate keeps the limit.
    pub limit_tolerance: f64,
    /// The cells by policy, with the good version first in each policy.
    pub cells: Cells,
    /// The least difference that counts, as a share of the incumbent's goal.
    pub tolerance: f64,
    /// The largest number of replicates.
    pub replicates: u64,
    /// The rollouts with rules that were chosen to compete.
    chosen: Vec<RolloutSpec>,
    /// The path of the file of named policies, if there is one.
    pub policies_file: Option<Foreign>,
    /// Whether replicates draw rates that the scenarios do not have: then there are no exact results.
    draws_rates: bool,
}

/// The estimated mean of a goal, or of a difference of goals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimated {
    /// The exact value; `None` where theory has none.
    pub exact: Option<f64>,
    /// The mean over the replicates.
    pub mean: Option<f64>,
    /// The interval of the mean, at the report's confidence.
    pub interval: Option<Interval>,
    /// The number of replicates.
    pub n: u64,
}

impl Estimated {
    /// The exact value, or else the estimated mean.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.exact.or(self.mean)
    }
}

/// The state of knowledge about a policy.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The number of replicates.
    pub replicates: u64,
    /// The goal on the good version.
    pub goal: Estimated,
    /// The limits, for each version that they are about, at the report's confidence.
    pub limits: Vec<Held>,
    /// Its goal less that of the recommended policy; empty for the recommended policy, and where there is none.
    pub slower_by: Estimated,
    /// The state of the policy.
    pub state: State,
    /// Where too few good rollouts complete: the share that is not over at the horizon.
    pub stalled: Option<f64>,
}

/// The state of a policy in the search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing is certain yet.
    #[default]
    Open,
    /// Its limits certainly hold, and no other such policy is faster.
    Incumbent,
    /// As good as the incumbent, within the tolerance.
    AsGood,
    /// Certainly slower than the incumbent.
    Slower,
    /// The limit with this index certainly does not hold.
    Breaks(usize),
    /// Its breaker can never trip.
    NeverTrips,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// The policies, by index.
    pub policies: Vec<Known>,
    /// The recommended policy.
    pub incumbent: Option<usize>,
    /// Whether every other policy is certainly worse or as good.
    pub decided: bool,
    /// The number of rollouts of the search.
    pub rollouts: u64,
    /// The largest number of replicates of any policy.
    pub replicates: u64,
    /// The share of good rollouts that complete with the recommended policy.
    pub completed: Option<f64>,
    /// The exact mean of `blast_radius_pct`, by cell; `None` where theory has none.
    pub blast: Vec<Option<f64>>,
}

impl Tune {
    /// Prepares a search.
    ///
    /// # Errors
    /// When the scenario states no goal, or a policy or version is not valid.
    pub fn new(scenario: &Scenario, tolerance: f64, replicates: u64) -> Result<Self, TuneError> {
        Self::with_chosen(scenario, tolerance, replicates, None)
    }

    /// Prepares a search with the rules that another one chose, or chooses them.
    fn with_chosen(
        scenario: &Scenario,
        tolerance: f64,
        replicates: u64,
        chosen: Option<&[RolloutSpec]>,
    ) -> Result<Self, TuneError> {
        let spec = scenario.tune.as_ref().ok_or(TuneError::NoTune)?;
        if !(0.0..=1.0).contains(&tolerance) {
            return Err(TuneError::Tolerance);
        }
        let versions = versions(spec);
        let good = &scenario.versions[spec.good.0];
        if good.defective {
            return Err(TuneError::DefectiveGood(good.id.clone()));
        }
        if !is_goal(spec.minimise) {
            return Err(TuneError::Goal(spec.minimise));
        }
        let axes = axes(spec);
        let grid = Grid::new(axes.clone(), versions.clone())?.with_policies(&scenario.policies);
        let mut cells = grid.cells(scenario)?;
        if let Some(why) = cells.compiled.iter().find_map(CompiledScenario::rolls_nothing_out) {
            return Err(TuneError::NothingRolledOut(why.into()));
        }
        let defective: Vec<bool> =
            cells.compiled.iter().take(versions.len()).map(|compiled| compiled.defective).collect();
        let mut limits =
            spec.limits.iter().map(|limit| Limit::new(limit, &defective)).collect::<Result<Vec<_>, _>>()?;
        let written = limits.len();
        let completes = match completed::limit(completed::least(scenario)) {
            Some(rule) => {
                let same = limits.iter().position(|limit| limit.spec == rule);
                if same.is_none() {
                    limits.push(Limit::new(&rule, &defective)?);
                }
                same.or(Some(written))
            }
            None => None,
        };
        let chosen = match chosen {
            Some(chosen) => chosen.to_vec(),
            None if spec.rules => {
                let is_rule = |axis: &Axis| ["max_consecutive_failures", "breakers"].contains(&axis.key.as_str());
                let bases = Grid::new(axes.into_iter().filter(|axis| !is_rule(axis)).collect(), vec![spec.good])?;
                let chosen = rules::choose(&bases.cells(scenario)?.scenarios, &spec.defective, &limits);
                let policy =
                    |rollout: &RolloutSpec| Policy::of(&Scenario { rollout: rollout.clone(), ..scenario.clone() });
                let known: Vec<Policy> = cells.scenarios.iter().map(Policy::of).collect();
                chosen.into_iter().filter(|rollout| !known.contains(&policy(rollout))).collect()
            }
            None => Vec::new(),
        };
        let with = |rollout: &RolloutSpec| Scenario { rollout: rollout.clone(), ..scenario.clone() };
        cells.append(Cells::new(chosen.iter().map(with), &versions)?);
        Ok(Self {
            scenario: scenario.clone(),
            chosen,
            minimise: spec.minimise,
            limits,
            completes,
            written,
            limit_tolerance: spec.limit_tolerance,
            cells,
            tolerance,
            replicates,
            policies_file: None,
            draws_rates: false,
        })
    }

    /// The result log of a search is never shared, so it needs no identity of its own.
    pub const IDENTITY: Identity = *b"dryroll tune, not kept..........";

    /// Whether rollouts differ in a rate of a version of the search: the stated rate is then the mean, around which
    /// each rollout draws its own.
    #[must_use]
    pub fn has_spread(&self) -> bool {
        let drawn = |version: &VersionSpec| version.concentrations != Concentrations::default();
        self.cells.scenarios.iter().any(|scenario| drawn(scenario.target()))
    }

    /// Whether some policy has other rules than failures in a row.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        let has = |scenario: &Scenario| {
            !scenario.rollout.breakers.is_empty() || scenario.rollout.max_consecutive_failures.is_none()
        };
        self.cells.scenarios.iter().any(has)
    }

    /// The number of policies.
    #[must_use]
    pub fn policies(&self) -> usize {
        self.cells.compiled.len() / self.versions()
    }

    /// The number of versions.
    #[must_use]
    pub fn versions(&self) -> usize {
        self.cells.versions.get()
    }

    /// The cell of a policy and a version.
    #[must_use]
    pub fn cell(&self, policy: usize, version: usize) -> usize {
        policy * self.versions() + version
    }

    /// Whether enough good rollouts complete with a policy; `None` while the search has not decided it.
    #[must_use]
    pub fn completes_enough(&self, known: &Known) -> Option<bool> {
        let Some(rule) = self.completes else { return Some(true) };
        known.limits.iter().find(|held| held.limit == rule).and_then(|held| held.holds)
    }

    /// The scenario of a policy with the good version.
    #[must_use]
    pub fn policy(&self, policy: usize) -> &Scenario {
        &self.cells.scenarios[self.cell(policy, 0)]
    }

    /// A policy by its keys, and by its name where it has one.
    #[must_use]
    pub fn named_policy(&self, policy: usize) -> Policy {
        self.cells.policy(self.cell(policy, 0))
    }

    /// The keys in which policies differ, beside batches, the limit of failures in a row and the order.
    #[must_use]
    pub fn further_keys(&self) -> Vec<String> {
        further_keys(&(0..self.policies()).map(|policy| self.named_policy(policy)).collect::<Vec<_>>())
    }

    /// Runs the search. `None` where it was stopped.
    ///
    /// # Errors
    /// When the result log cannot be written or read.
    pub fn run(&self, log: &ResultLog, workers: &WorkPlan<'_>) -> io::Result<Option<Tuned>> {
        let looks = Looks { first: FIRST_LOOK, max: self.replicates };
        let theory = workers.pool.install(|| self.theory());
        let mut search = Search::new(self, theory);
        for look in 0.. {
            let Some(n) = looks.at(look).filter(|_| !search.is_decided()) else { break };
            let sampled = search.sampled();
            let done: Vec<u64> = search.known.iter().map(|known| known.replicates).collect();
            if !self.top_up(log, &done, &sampled, 0..self.versions(), n, workers)? {
                return Ok(None);
            }
            let sure = search.certainty(looks.confidence(look, CONFIDENCE));
            workers.pool.install(|| search.look(log, &sampled, n, sure))?;
        }
        let decided = search.is_decided();
        workers.pool.install(|| search.report(log))?;
        let Search { mut known, incumbent, theory, .. } = search;
        for (policy, one) in known.iter_mut().enumerate().filter(|(_, one)| self.completes_enough(one) == Some(false)) {
            one.stalled = self.ended(log, policy, one.replicates, Outcome::Stalled)?;
        }
        let replicates = known.iter().map(|known| known.replicates).max().unwrap_or(0);
        let completed = match incumbent {
            Some(policy) => {
                match exact(&theory, self.cell(policy, 0), Measure::Rate(Rate::Outcome(Outcome::Completed))) {
                    Some(exact) => Some(exact),
                    None => self.ended(log, policy, known[policy].replicates, Outcome::Completed)?,
                }
            }
            None => None,
        };
        let blast = Measure::Metric(Metric::BlastRadiusPct);
        let blast = (0..self.cells.compiled.len()).map(|cell| exact(&theory, cell, blast)).collect();
        Ok(Some(Tuned { policies: known, incumbent, decided, rollouts: log.rows(), replicates, completed, blast }))
    }

    /// The exact results by cell; empty where there are none. Durations take longest, so they are computed only for
    /// policies that break no limit.
    fn theory(&self) -> Vec<Theory> {
        if self.draws_rates {
            return Vec::new();
        }
        let all: Vec<&Scenario> = self.cells.scenarios.iter().collect();
        let mut theory = Theory::of_all(&all, |_| Depth::Chances);
        let is_time = |measure| Depth::of(measure) == Depth::Durations;
        let timed: Vec<usize> = (0..self.policies())
            .flat_map(|policy| (0..self.versions()).map(move |version| (policy, version)))
            .filter(|&(policy, version)| {
                let limited =
                    self.limits.iter().any(|limit| limit.versions.contains(&version) && is_time(limit.spec.metric));
                let is_goal = version == 0 && is_time(Measure::Metric(self.minimise));
                (limited || is_goal) && !self.surely_breaks(&theory, policy)
            })
            .map(|(policy, version)| self.cell(policy, version))
            .collect();
        let scenarios: Vec<&Scenario> = timed.iter().map(|&cell| all[cell]).collect();
        let deep = Theory::of_all(&scenarios, |_| Depth::Durations);
        for (cell, deep) in timed.into_iter().zip(deep) {
            theory[cell] = deep;
        }
        theory
    }

    /// Whether an exact value breaks a limit.
    fn surely_breaks(&self, theory: &[Theory], policy: usize) -> bool {
        self.limits.iter().any(|limit| {
            limit.versions.iter().any(|&version| {
                let value =
                    theory.get(self.cell(policy, version)).and_then(|of| of.value(limit.spec.metric, limit.spec.stat));
                value.is_some_and(|value| !fits(value, &limit.spec.bound))
            })
        })
    }

    fn ended(&self, log: &ResultLog, policy: usize, n: u64, outcome: Outcome) -> io::Result<Option<f64>> {
        let rows = CellRows::open(std::slice::from_ref(log), self.cell(policy, 0) as u32, n)?;
        Ok(analysis::rate(&rows, Rate::Outcome(outcome), false, REPORTED)?.rate)
    }

    /// The values of a metric in the first replicates of a cell.
    ///
    /// # Errors
    /// When the result log cannot be read.
    pub fn values(&self, log: &ResultLog, cell: usize, metric: Metric, n: u64) -> io::Result<Vec<f64>> {
        let rows = CellRows::open(std::slice::from_ref(log), cell as u32, n)?;
        let mut values = vec![f64::NAN; n as usize];
        rows.values(metric, &mut |replicate, value| values[replicate as usize] = value)?;
        Ok(values)
    }
}

/// The keys in which policies differ, beside batches, the limit of failures in a row and the order.
#[must_use]
pub fn further_keys<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Vec<String> {
    let own = ["batch_pct", "batches", "max_consecutive_failures", "order"];
    Policy::differing(policies).into_iter().filter(|key| !own.contains(&key.as_str())).collect()
}

/// The keys that vary, with their values.
fn axes(spec: &TuneSpec) -> Vec<Axis> {
    let mut axes = Vec::new();
    let mut axis = |key: &str, values: Vec<String>| {
        if !values.is_empty() {
            axes.push(Axis { key: key.into(), values });
        }
    };
    let batches = spec.lists.iter().find(|(key, _)| *key == "batches").map(|(_, values)| values);
    match batches {
        None => axis("batch_pct", spec.batch_pct.iter().map(u32::to_string).collect()),
        Some(listed) => {
            let shares = spec.batch_pct.iter().map(|pct| format!("[\"{pct}%\"]"));
            axis("batches", shares.chain(listed.iter().map(toml_text)).collect());
        }
    }
    axis("max_consecutive_failures", spec.max_consecutive_failures.iter().map(ToString::to_string).collect());
    axis("order", spec.order.iter().map(|order| order.name().to_owned()).collect());
    for (key, values) in spec.lists.iter().filter(|(key, _)| *key != "batches") {
        axis(key, values.iter().map(toml_text).collect());
    }
    axes
}

/// The versions of a search, good version first.
fn versions(spec: &TuneSpec) -> Vec<VersionIndex> {
    std::iter::once(spec.good).chain(spec.defective.iter().copied()).collect()
}

/// The exact value of a measure of a cell.
fn exact(theory: &[Theory], cell: usize, measure: Measure) -> Option<f64> {
    theory.get(cell).and_then(|theory| theory.value(measure, None))
}

/// The moments of the values that are not missing.
#[must_use]
pub fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    values.iter().filter(|value| !value.is_nan()).for_each(|&value| moments.push(value));
    moments
}

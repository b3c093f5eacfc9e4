//! Tuning: the policy that minimises a goal on the good version, within limits, with as few rollouts as it takes to be sure.
//!
//! # How it decides
//!
//! All policies meet the same worlds. After 256, 512, 1024 … worlds it looks: a policy of which a limit surely does not hold
//! is out; so is one that is surely slower, world by world, than the incumbent: the fastest of those whose limits surely hold.
//! A policy whose difference from the incumbent surely lies within the tolerance is as good as it, and needs no more worlds.
//! The search ends when no policy is open.
//!
//! *Surely* means: all intervals of all looks hold together with the confidence of the report. Each look has its share of the
//! error ([`Looks`]), and within a look Bonferroni's inequality shares it between every limit of every policy and every pair
//! of policies.
//!
//! - [`limits`]: which versions a limit is about, and whether it holds. [`front`]: the Pareto front. [`hints`]: what other
//!   rules could do.
//! - [`belief`]: rates that are not known. [`worth`]: what knowing them would be worth.

pub mod belief;
pub mod front;
pub mod hints;
pub mod limits;
pub mod worth;

use std::io;

use rayon::prelude::*;

use super::analysis::{self, Certainty};
use super::grid::{Axis, Cells, Grid, GridError};
use super::results::CellRows;
use super::round::{self, Round, Workers, rows_a_block};
use super::sweep::CONFIDENCE;
use super::tape::{Identity, Tape};
use crate::engine::Outcome;
use crate::scenario::{Metric, Rate, Scenario, TuneSpec, VersionIndex};
use crate::sim::World;
use crate::stats::moments::Moments;
use crate::stats::paired::{Paired, interval_of_differences};
use crate::stats::sequential::Looks;
use crate::stats::{Interval, simultaneous};
use limits::{Held, Limit};

/// How sure each interval of the report is, for itself.
const TOLD: Certainty = Certainty { confidence: CONFIDENCE, peeked: true };
/// Worlds before the first look.
const FIRST_LOOK: u64 = 256;
/// Worlds before two policies can be called as good as each other: a rare mishap must have had its chance to show.
const BEFORE_A_TIE: u64 = 1024;

/// What is to be tuned.
#[derive(Clone, Debug)]
pub struct Tune {
    /// The scenario.
    pub scenario: Scenario,
    /// The metric whose mean on the good version is minimised.
    pub minimise: Metric,
    /// What must hold.
    pub limits: Vec<Limit>,
    /// The cells: by policy, and of each policy the good version first.
    pub cells: Cells,
    /// A difference of less than this share of the incumbent's goal is none.
    pub tolerance: f64,
    /// The most worlds.
    pub replicates: u64,
}

/// Why nothing can be tuned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The scenario does not say what is wanted.
    #[error("the scenario has no [tune]: add it, with `limits`, to say what is wanted")]
    NoTune,
    /// A policy or version cannot be taken.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The good version is defective.
    #[error("`good` in [tune] is `{0}`, which is defective; name a version that is not")]
    DefectiveGood(String),
    /// A limit that the version cannot break or meet.
    #[error("the limit `{0}` says nothing of a good version, and [tune] names no defective one")]
    SaysNothing(String),
    /// A limit that only refutation can decide.
    #[error(
        "no number of worlds can confirm the limit `{0}`: use `at_most` or `at_least` on a mean, a percentile (p50, p95, p99) \
         or a rate"
    )]
    Unconfirmable(String),
    /// A goal that not every good run has, or of which more is better.
    #[error(
        "`minimise` in [tune] is `{name}`, {why}; minimise another metric, such as duration_sec",
        name = .0.name(), why = goal_is_none(*.0)
    )]
    Goal(Metric),
    /// The rollout does nothing.
    #[error("nothing is rolled out: {0}")]
    NothingRolledOut(String),
    /// The tolerance is none.
    #[error("a tolerance is a share from 0 to 1, such as 0.01")]
    Tolerance,
}

/// What is known of a policy.
#[derive(Clone, Debug)]
pub struct Known {
    /// Worlds.
    pub replicates: u64,
    /// The goal on the good version.
    pub goal: Moments,
    /// Its limits, each for each version that it is about, at the report's confidence.
    pub limits: Vec<Held>,
    /// Goal less the incumbent's, on the same worlds; empty for the incumbent and where there is none.
    pub slower_by: Moments,
    /// Where it stands.
    pub state: State,
}

/// Where a policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is sure yet.
    Open,
    /// Its limits surely hold, and none of those is faster.
    Incumbent,
    /// As good as the incumbent, within the tolerance.
    AsGood,
    /// Surely slower than the incumbent.
    Slower,
    /// This one of its limits surely does not hold.
    Breaks(usize),
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// By policy.
    pub policies: Vec<Known>,
    /// The recommended policy.
    pub incumbent: Option<usize>,
    /// Whether every other policy is surely worse or as good.
    pub decided: bool,
    /// Rollouts that it took.
    pub rollouts: u64,
    /// The most worlds of any policy.
    pub replicates: u64,
    /// Share of the recommended policy's rollouts of the good version that complete.
    pub completed: Option<f64>,
}

/// Metrics that every run of a good version has, and less of which is better.
fn is_goal(metric: Metric) -> bool {
    !metric.more_is_better()
        && !matches!(
            metric,
            Metric::BlastRadiusPct
                | Metric::BlastRadiusPctTripped
                | Metric::TimeToDetectSec
                | Metric::TimeToMitigateSec
        )
}

fn goal_is_none(metric: Metric) -> &'static str {
    if metric.more_is_better() { "of which more is better" } else { "which not every run of a good version has" }
}

impl Tune {
    /// Makes a search ready.
    ///
    /// # Errors
    /// When the scenario does not say what is wanted, or a policy or version cannot be taken.
    pub fn new(scenario: &Scenario, tolerance: f64, replicates: u64) -> Result<Self, TuneError> {
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
        let axis = |key: &str, values: Vec<String>| Axis { key: key.into(), values };
        let mut axes = vec![
            axis("batch_pct", spec.batch_pct.iter().map(u32::to_string).collect()),
            axis("max_consecutive_failures", spec.max_consecutive_failures.iter().map(ToString::to_string).collect()),
        ];
        if !spec.order.is_empty() {
            axes.push(axis("order", spec.order.iter().map(|order| order.name().to_owned()).collect()));
        }
        let cells = Grid::new(axes, versions.clone())?.cells(scenario)?;
        if let Some(why) = cells.worlds.iter().find_map(World::rolls_nothing_out) {
            return Err(TuneError::NothingRolledOut(why.into()));
        }
        let defective: Vec<bool> = cells.worlds.iter().take(versions.len()).map(|world| world.defective).collect();
        Ok(Self {
            scenario: scenario.clone(),
            minimise: spec.minimise,
            limits: spec.limits.iter().map(|limit| Limit::new(limit, &defective)).collect::<Result<_, _>>()?,
            cells,
            tolerance,
            replicates,
        })
    }

    /// The tape of a search is nobody else's, so that it needs no name.
    pub const IDENTITY: Identity = *b"dryroll tune, not kept..........";

    /// How many policies.
    #[must_use]
    pub fn policies(&self) -> usize {
        self.cells.worlds.len() / self.versions()
    }

    /// How many versions.
    #[must_use]
    pub fn versions(&self) -> usize {
        self.cells.versions.get()
    }

    /// The cell of a policy and a version.
    #[must_use]
    pub fn cell(&self, policy: usize, version: usize) -> usize {
        policy * self.versions() + version
    }

    /// The scenario of a policy with the good version.
    #[must_use]
    pub fn policy(&self, policy: usize) -> &Scenario {
        &self.cells.scenarios[self.cell(policy, 0)]
    }

    /// Searches. `None` where it was stopped.
    ///
    /// # Errors
    /// When the tape cannot be written or read.
    pub fn run(&self, tape: &Tape, workers: &Workers<'_>) -> io::Result<Option<Tuned>> {
        let looks = Looks { first: FIRST_LOOK, max: self.replicates };
        let mut search = Search::new(self);
        let mut done = 0;
        for look in 0.. {
            let Some(n) = looks.at(look).filter(|_| !search.is_decided()) else { break };
            let sampled = search.sampled();
            let cells =
                sampled.iter().flat_map(|&policy| (0..self.versions()).map(move |v| self.cell(policy, v) as u32));
            let round = Round {
                cells: cells.collect(),
                replicates: done..n,
                rows: rows_a_block(self.scenario.fleet.instances),
            };
            if !round::run(&self.cells.worlds, &round, 0..round.blocks(), tape, workers)? {
                return Ok(None);
            }
            let each = simultaneous::each(looks.confidence(look, CONFIDENCE), self.comparisons());
            workers.pool.install(|| search.look(tape, &sampled, n, each))?;
            done = n;
        }
        let decided = search.is_decided();
        let Search { known, incumbent, .. } = search;
        let replicates = known.iter().map(|known| known.replicates).max().unwrap_or(0);
        let completed = incumbent.map(|policy| self.completed(tape, policy, known[policy].replicates)).transpose()?;
        let completed = completed.flatten();
        Ok(Some(Tuned { policies: known, incumbent, decided, rollouts: tape.rows(), replicates, completed }))
    }

    /// Intervals of one look: each limit of each policy, and each pair of policies.
    fn comparisons(&self) -> u64 {
        let policies = self.policies() as u64;
        let limits: usize = self.limits.iter().map(|limit| limit.versions.len()).sum();
        policies * limits as u64 + policies * policies.saturating_sub(1)
    }

    fn completed(&self, tape: &Tape, policy: usize, n: u64) -> io::Result<Option<f64>> {
        let rows = CellRows::open(std::slice::from_ref(tape), self.cell(policy, 0) as u32, n)?;
        Ok(analysis::rate(&rows, Rate::Outcome(Outcome::Completed), false, TOLD)?.rate)
    }

    /// Values of a metric in the first worlds of a cell.
    ///
    /// # Errors
    /// When the tape cannot be read.
    pub fn values(&self, tape: &Tape, cell: usize, metric: Metric, n: u64) -> io::Result<Vec<f64>> {
        let rows = CellRows::open(std::slice::from_ref(tape), cell as u32, n)?;
        let mut values = vec![f64::NAN; n as usize];
        rows.values(metric, &mut |replicate, value| values[replicate as usize] = value)?;
        Ok(values)
    }
}

/// The versions of a search: the good one first.
fn versions(spec: &TuneSpec) -> Vec<VersionIndex> {
    std::iter::once(spec.good).chain(spec.defective.iter().copied()).collect()
}

/// A search under way.
struct Search<'a> {
    tune: &'a Tune,
    known: Vec<Known>,
    incumbent: Option<usize>,
}

impl<'a> Search<'a> {
    fn new(tune: &'a Tune) -> Self {
        let nothing = Known {
            replicates: 0,
            goal: Moments::default(),
            limits: Vec::new(),
            slower_by: Moments::default(),
            state: State::Open,
        };
        Self { tune, known: vec![nothing; tune.policies()], incumbent: None }
    }

    fn is_decided(&self) -> bool {
        self.known.iter().all(|known| known.state != State::Open)
    }

    /// Whoever is open, and the incumbent, against whom they are held.
    fn sampled(&self) -> Vec<usize> {
        let wanted = |&policy: &usize| matches!(self.known[policy].state, State::Open | State::Incumbent);
        (0..self.known.len()).filter(wanted).collect()
    }

    fn look(&mut self, tape: &Tape, sampled: &[usize], n: u64, each: f64) -> io::Result<()> {
        let tune = self.tune;
        let certainty = Certainty { confidence: each, peeked: true };
        let seen: Vec<(Vec<Held>, Vec<Held>, Vec<f64>)> = sampled
            .par_iter()
            .map(|&policy| {
                let sure = limits::check(tune, tape, policy, n, certainty)?;
                let told = limits::check(tune, tape, policy, n, TOLD)?;
                let goal = tune.values(tape, tune.cell(policy, 0), tune.minimise, n)?;
                Ok((sure, told, goal))
            })
            .collect::<io::Result<_>>()?;
        for (&policy, (sure, told, goal)) in sampled.iter().zip(&seen) {
            let known = &mut self.known[policy];
            known.replicates = n;
            known.goal = moments(goal);
            known.limits =
                told.iter().zip(sure).map(|(told, sure)| Held { holds: sure.holds, ..told.clone() }).collect();
            known.state = match sure.iter().position(|held| held.holds == Some(false)) {
                Some(broken) => State::Breaks(broken),
                None => State::Open,
            };
        }
        self.choose(sampled, &seen);
        let Some(incumbent) = self.incumbent.and_then(|policy| sampled.iter().position(|&one| one == policy)) else {
            return Ok(());
        };
        for (place, &policy) in sampled.iter().enumerate() {
            let known = &mut self.known[policy];
            if place == incumbent {
                known.state = State::Incumbent;
                known.slower_by = Moments::default();
                continue;
            }
            known.slower_by = differences(&seen[incumbent].2, &seen[place].2);
            if known.state == State::Open {
                let least = self.tune.tolerance * moments(&seen[incumbent].2).mean().unwrap_or(0.0).abs();
                known.state = judge(interval_of_differences(&known.slower_by, each), least, n);
            }
        }
        // Whoever was held against an incumbent that is none any more is open again, or out by its own limits.
        Ok(())
    }

    /// The fastest of those whose limits surely hold; ties go to the first of the grid, which is the most careful one.
    fn choose(&mut self, sampled: &[usize], seen: &[(Vec<Held>, Vec<Held>, Vec<f64>)]) {
        let holds = |place: &usize| seen[*place].0.iter().all(|held| held.holds == Some(true));
        let mean = |place: usize| moments(&seen[place].2).mean();
        let fastest = (0..sampled.len())
            .filter(holds)
            .filter_map(|place| Some((place, mean(place)?)))
            .reduce(|best, next| if next.1 < best.1 { next } else { best });
        self.incumbent = fastest.map(|(place, _)| sampled[place]);
    }
}

/// What an interval of the difference from the incumbent says.
fn judge(interval: Option<Interval>, least: f64, n: u64) -> State {
    match interval {
        Some(interval) if interval.low > 0.0 && interval.low >= least => State::Slower,
        Some(interval) if n >= BEFORE_A_TIE && interval.low >= -least && interval.high <= least => State::AsGood,
        // Slower for sure, if only by a little.
        Some(interval) if n >= BEFORE_A_TIE && interval.low > 0.0 => State::Slower,
        _ => State::Open,
    }
}

/// Moments of what is not missing.
#[must_use]
pub fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    values.iter().filter(|value| !value.is_nan()).for_each(|&value| moments.push(value));
    moments
}

/// Moments of second less first, world by world.
#[must_use]
pub fn differences(a: &[f64], b: &[f64]) -> Moments {
    let mut paired = Paired::default();
    a.iter().zip(b).filter(|(a, b)| !a.is_nan() && !b.is_nan()).for_each(|(&a, &b)| paired.push(a, b));
    paired.differences().clone()
}

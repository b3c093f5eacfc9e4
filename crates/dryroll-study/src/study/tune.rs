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
//! every distribution ([`Estimator`]). Each look has its share of the error ([`Looks`]). Within a look, the estimated
//! limits share one half of it, and the estimated pairs of policies the other (Bonferroni's inequality).
//!
//! A policy with which too few good rollouts complete is out, like one that breaks a limit ([`completed`]).
//!
//! - [`limits`]: the versions that a limit is about, and whether it holds. [`front`]: the Pareto front. [`hints`]:
//!   results of other breaker rules.
//! - [`sensitivity`]: other rates than the scenario's. [`posterior`]: the posterior of rates. [`information_value`]:
//!   the value of information about them.

pub mod front;
pub mod hints;
pub mod information_value;
pub mod limits;
pub mod posterior;
pub mod sensitivity;

use std::io;

use rayon::prelude::*;

use super::analysis::{self, Certainty};
use super::completed;
use super::exact::Depth;
use super::grid::{Axis, Cells, Grid, GridError};
use super::mean::{Estimator, Sample, differences};
use super::result_log::{Identity, ResultLog};
use super::results::CellRows;
use super::round::WorkPlan;
use super::sweep::CONFIDENCE;
use super::theory::{Theory, fits};
use dryroll_engine::Outcome;
use dryroll_sim::scenario::{Concentrations, Measure, Metric, Rate, Scenario, TuneSpec, VersionIndex, VersionSpec};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::text::Foreign;
use dryroll_stats::moments::Moments;
use dryroll_stats::sequential::Looks;
use dryroll_stats::{Interval, simultaneous};
use limits::{Held, Limit};

/// The confidence of each interval of the report by itself.
const TOLD: Certainty = Certainty { confidence: CONFIDENCE, peeked: true };
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
    /// Whether replicates draw rates that the scenarios do not have: then there are no exact results.
    draws_rates: bool,
}

/// Why a search is not possible.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// The scenario does not state a goal.
    #[error("the scenario has no [tune]: add it, with `limits`, to say what is wanted")]
    NoTune,
    /// A policy or version is not valid.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The good version is defective.
    #[error("`good` in [tune] is `{0}`, which is defective; name a version that is not")]
    DefectiveGood(Foreign),
    /// A limit that does not apply to any version.
    #[error("the limit `{0}` says nothing of a good version, and [tune] names no defective one")]
    SaysNothing(Foreign),
    /// A limit that no number of replicates can confirm.
    #[error(
        "no number of replicates can confirm the limit `{0}`: use `at_most` or `at_least` on a mean, a percentile (p50, p95, p99) \
         or a rate"
    )]
    Unconfirmable(Foreign),
    /// A goal that not every good run has, or for which more is better.
    #[error(
        "`minimise` in [tune] is `{name}`, {why}; minimise another metric, such as duration_sec",
        name = .0.name(), why = goal_is_none(*.0)
    )]
    Goal(Metric),
    /// The rollout does nothing.
    #[error("nothing is rolled out: {0}")]
    NothingRolledOut(Foreign),
    /// The tolerance is not valid.
    #[error("a tolerance is a share from 0 to 1, such as 0.01")]
    Tolerance,
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

/// Whether every run of a good version has the metric, and less of it is better.
fn is_goal(metric: Metric) -> bool {
    !metric.more_is_better() && metric != Metric::BlastRadiusPct && metric.condition().is_none()
}

fn goal_is_none(metric: Metric) -> &'static str {
    if metric.more_is_better() { "of which more is better" } else { "which not every run of a good version has" }
}

impl Tune {
    /// Prepares a search.
    ///
    /// # Errors
    /// When the scenario states no goal, or a policy or version is not valid.
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
        Ok(Self {
            scenario: scenario.clone(),
            minimise: spec.minimise,
            limits,
            completes,
            written,
            limit_tolerance: spec.limit_tolerance,
            cells,
            tolerance,
            replicates,
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
        workers.pool.install(|| search.tell(log))?;
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
        Ok(analysis::rate(&rows, Rate::Outcome(outcome), false, TOLD)?.rate)
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

/// The versions of a search, good version first.
fn versions(spec: &TuneSpec) -> Vec<VersionIndex> {
    std::iter::once(spec.good).chain(spec.defective.iter().copied()).collect()
}

/// The exact value of a measure of a cell.
fn exact(theory: &[Theory], cell: usize, measure: Measure) -> Option<f64> {
    theory.get(cell).and_then(|theory| theory.value(measure, None))
}

/// A search in progress.
struct Search<'a> {
    tune: &'a Tune,
    /// The exact results by cell; empty where there are none.
    theory: Vec<Theory>,
    /// The estimator of the goal, by policy.
    estimators: Vec<Estimator>,
    known: Vec<Known>,
    /// The observed goals of policies that are still sampled.
    goals: Vec<Sample>,
    /// Policies whose limits certainly hold. What was certain at one look stays so.
    feasible: Vec<bool>,
    incumbent: Option<usize>,
}

/// The confidence of each limit and of each pair of policies.
#[derive(Clone, Copy)]
struct Sure {
    limit: f64,
    pair: f64,
}

impl<'a> Search<'a> {
    fn new(tune: &'a Tune, theory: Vec<Theory>) -> Self {
        let policies = tune.policies();
        let estimator =
            |policy| Estimator::new(&tune.cells.compiled[tune.cell(policy, 0)], Measure::Metric(tune.minimise));
        let goal = |policy| exact(&theory, tune.cell(policy, 0), Measure::Metric(tune.minimise));
        let known =
            |policy| Known { goal: Estimated { exact: goal(policy), ..Estimated::default() }, ..Known::default() };
        Self {
            estimators: (0..policies).map(estimator).collect(),
            known: (0..policies).map(known).collect(),
            goals: vec![Sample::default(); policies],
            feasible: vec![false; policies],
            incumbent: None,
            theory,
            tune,
        }
    }

    fn is_decided(&self) -> bool {
        self.known.iter().all(|known| known.state != State::Open)
    }

    /// The policies that are sampled: the open ones, and the incumbent that they are compared with.
    fn sampled(&self) -> Vec<usize> {
        let wanted = |&policy: &usize| matches!(self.known[policy].state, State::Open | State::Incumbent);
        (0..self.known.len()).filter(wanted).collect()
    }

    /// Divides the error of a look between the estimated limits and pairs. Which of them are estimated does not depend
    /// on the replicates.
    fn certainty(&self, confidence: f64) -> Sure {
        let tune = self.tune;
        let candidates = (0..self.known.len()).filter(|&policy| !tune.surely_breaks(&self.theory, policy));
        let candidates: Vec<usize> = candidates.collect();
        let estimated = |policy: usize, limit: &Limit| {
            let is = |version: &&usize| {
                let theory = self.theory.get(tune.cell(policy, **version));
                theory.and_then(|theory| theory.value(limit.spec.metric, limit.spec.stat)).is_none()
            };
            limit.versions.iter().filter(is).count() as u64
        };
        let limits: u64 = candidates
            .iter()
            .map(|&policy| tune.limits.iter().map(|limit| estimated(policy, limit)).sum::<u64>())
            .sum();
        let pairs = |of: u64| of * of.saturating_sub(1) / 2;
        let exact = candidates.iter().filter(|&&policy| self.known[policy].goal.exact.is_some()).count() as u64;
        let pairs = pairs(candidates.len() as u64) - pairs(exact);
        let half = if limits > 0 && pairs > 0 { 1.0 - (1.0 - confidence) / 2.0 } else { confidence };
        Sure { limit: simultaneous::each(half, limits), pair: simultaneous::each(half, pairs) }
    }

    fn look(&mut self, log: &ResultLog, sampled: &[usize], n: u64, sure: Sure) -> io::Result<()> {
        let tune = self.tune;
        let certainty = Certainty { confidence: sure.limit, peeked: true };
        let seen: Vec<(Vec<Held>, Sample)> = sampled
            .par_iter()
            .map(|&policy| {
                let held = limits::check(tune, &self.theory, log, policy, n, certainty)?;
                Ok((held, self.goal(log, policy, n)?))
            })
            .collect::<io::Result<_>>()?;
        for (&policy, (held, goal)) in sampled.iter().zip(seen) {
            let can_trip = tune.policy(policy).can_trip();
            let was_feasible = self.feasible[policy];
            self.feasible[policy] |= can_trip && held.iter().all(|held| held.holds == Some(true));
            let known = &mut self.known[policy];
            known.replicates = n;
            known.goal.mean = moments(&goal.values).mean();
            let broken =
                |of: &dyn Fn(usize) -> bool| held.iter().position(|held| held.holds == Some(false) && of(held.limit));
            // The limit on completed good rollouts takes precedence in the report.
            let broken = broken(&|limit| Some(limit) == tune.completes).or_else(|| broken(&|_| true));
            known.state = match broken {
                Some(broken) if !self.feasible[policy] => State::Breaks(broken),
                _ if !can_trip => State::NeverTrips,
                _ => State::Open,
            };
            // What was certain at one look stays so, with its evidence.
            let before = std::mem::take(&mut known.limits);
            let as_before = |(place, held): (usize, Held)| match before.get(place) {
                Some(before) if held.holds != before.holds && before.holds == Some(true) => {
                    Held { holds: before.holds, by_tolerance: before.by_tolerance, ..held }
                }
                _ => held,
            };
            known.limits = if was_feasible { held.into_iter().enumerate().map(as_before).collect() } else { held };
            self.goals[policy] = goal;
        }
        self.choose();
        let Some(incumbent) = self.incumbent else { return Ok(()) };
        let least = self.least(incumbent, sure.pair);
        let in_question: Vec<usize> = (0..self.known.len())
            .filter(|&policy| policy != incumbent && matches!(self.known[policy].state, State::Open | State::AsGood))
            .collect();
        let states: Vec<State> = in_question
            .par_iter()
            .map(|&policy| judge(self.difference(incumbent, policy, sure.pair), least, self.feasible[policy]))
            .collect();
        for (policy, state) in in_question.into_iter().zip(states) {
            self.known[policy].state = state;
            if state == State::Slower {
                self.goals[policy] = Sample::default();
            }
        }
        Ok(())
    }

    fn goal(&self, log: &ResultLog, policy: usize, n: u64) -> io::Result<Sample> {
        let cell = self.tune.cell(policy, 0);
        self.estimators[policy].sample(&CellRows::open(std::slice::from_ref(log), cell as u32, n)?)
    }

    /// Chooses the fastest of the policies whose limits certainly hold; ties go to the first of the grid, which is the
    /// most careful one.
    fn choose(&mut self) {
        let is_in = |policy: &usize| {
            self.feasible[*policy] && !matches!(self.known[*policy].state, State::Slower | State::Breaks(_))
        };
        let fastest = (0..self.known.len())
            .filter(is_in)
            .filter_map(|policy| Some((policy, self.known[policy].goal.value()?)))
            .reduce(|best, next| if next.1 < best.1 { next } else { best });
        if let Some((fastest, _)) = fastest {
            if let Some(before) = self.incumbent.filter(|&before| before != fastest) {
                self.known[before].state = State::Open;
            }
            self.known[fastest].state = State::Incumbent;
            self.incumbent = Some(fastest);
        }
    }

    /// A difference from the incumbent below this does not count.
    fn least(&self, incumbent: usize, confidence: f64) -> f64 {
        let goal = match self.known[incumbent].goal.exact {
            Some(exact) => exact,
            None => {
                let interval = self.estimators[incumbent].interval(&self.goals[incumbent], confidence);
                interval.map_or(0.0, |interval| interval.low.max(0.0))
            }
        };
        self.tune.tolerance * goal.abs()
    }

    /// The interval of a policy's goal less the incumbent's.
    fn difference(&self, incumbent: usize, policy: usize, confidence: f64) -> Option<Interval> {
        if let Some(exact) = self.exact_difference(incumbent, policy) {
            return Some(Interval::new(exact, exact));
        }
        let both = [&self.estimators[incumbent], &self.estimators[policy]];
        Estimator::interval_of_difference(both, [&self.goals[incumbent], &self.goals[policy]], confidence)
    }

    fn exact_difference(&self, incumbent: usize, policy: usize) -> Option<f64> {
        Some(self.known[policy].goal.exact? - self.known[incumbent].goal.exact?)
    }

    /// Fills in the reported values: each interval by itself, and the difference from the final incumbent.
    fn tell(&mut self, log: &ResultLog) -> io::Result<()> {
        let tune = self.tune;
        let incumbent = self.incumbent;
        let reference = incumbent.map(|policy| self.goal(log, policy, self.known[policy].replicates)).transpose()?;
        let told: Vec<(Vec<Held>, Option<Interval>, Estimated)> = (0..self.known.len())
            .into_par_iter()
            .map(|policy| {
                let known = &self.known[policy];
                let held = limits::check(tune, &self.theory, log, policy, known.replicates, TOLD)?;
                let goal = self.goal(log, policy, known.replicates)?;
                let estimator = &self.estimators[policy];
                let slower = match (incumbent, &reference) {
                    (Some(incumbent), Some(reference)) if incumbent != policy => {
                        let moments = moments(&differences(&reference.values, &goal.values).collect::<Vec<_>>());
                        let both = [&self.estimators[incumbent], estimator];
                        Estimated {
                            exact: self.exact_difference(incumbent, policy),
                            mean: moments.mean(),
                            interval: Estimator::interval_of_difference(both, [reference, &goal], TOLD.confidence),
                            n: moments.n(),
                        }
                    }
                    _ => Estimated::default(),
                };
                Ok((held, estimator.interval(&goal, TOLD.confidence), slower))
            })
            .collect::<io::Result<_>>()?;
        for (policy, (held, interval, slower_by)) in told.into_iter().enumerate() {
            let feasible = self.feasible[policy];
            let known = &mut self.known[policy];
            let sure = |before: &Held| (if feasible { Some(true) } else { before.holds }, before.by_tolerance);
            let holds: Vec<(Option<bool>, bool)> = known.limits.iter().map(sure).collect();
            let as_decided =
                |(held, (holds, by_tolerance)): (Held, (Option<bool>, bool))| Held { holds, by_tolerance, ..held };
            known.limits = held.into_iter().zip(holds).map(as_decided).collect();
            known.goal = Estimated { interval, n: known.replicates, ..known.goal.clone() };
            known.slower_by = slower_by;
        }
        Ok(())
    }
}

/// The state of a policy by the interval of its difference from the incumbent.
fn judge(interval: Option<Interval>, least: f64, feasible: bool) -> State {
    match interval {
        Some(interval) if interval.low > 0.0 && interval.low >= least => State::Slower,
        Some(interval) if feasible && interval.low >= -least && interval.high <= least => State::AsGood,
        // Certainly slower, however little.
        Some(interval) if interval.low > 0.0 => State::Slower,
        _ => State::Open,
    }
}

/// The moments of the values that are not missing.
#[must_use]
pub fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    values.iter().filter(|value| !value.is_nan()).for_each(|&value| moments.push(value));
    moments
}

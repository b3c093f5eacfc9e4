//! The uncertainty that a history leaves, and the value of a longer history.
//!
//! All policies meet the same replicates, each with its own rates. Regression over the replicates
//! ([`dryroll_stats::regression`]) finds how a policy's goal and limits depend on the rates. It answers two questions:
//!
//! - What is more information worth, choosing among the policies that are within the limits today? That is the value of
//!   information ([`dryroll_stats::information`]), which is never negative.
//! - What would the search answer then, with each limit tested again against what is known then, and how much of the
//!   goal would that save? ([`answers`]) The saving may be negative, since new information may forbid what is allowed
//!   today; where uncertainty excludes a better policy, this is where a longer history pays.

pub mod answers;

use std::collections::BTreeMap;
use std::io;

use super::limits;
use super::posterior::{Believed, RatePosteriors};
use super::{State, Tune, Tuned};
use crate::study::result_log::ResultLog;
use crate::study::round::{self, Work, WorkPlan, rows_a_block};
use crate::study::sweep::CONFIDENCE;
use answers::Answers;
use dryroll_sim::scenario::{OutcomeRates, VersionIndex};
use dryroll_sim::sim::draws::Draws;
use dryroll_stats::information::{self, InformationValue, sample};

/// The multiples of the history whose value is computed.
pub const HISTORIES: [f64; 2] = [2.0, 10.0];
/// Replicates in which every policy is tried.
const REPLICATES: u64 = 2048;
/// The least number of replicates for an answer: as many as the search has at its first look.
const FEWEST_REPLICATES: u64 = super::FIRST_LOOK;
/// The largest number of replicates for the policies that may be chosen.
const MOST_REPLICATES: u64 = 8192;
/// The uncertainty that a history leaves.
#[derive(Clone, Debug)]
pub struct Open {
    /// Replicates in which every policy was tried.
    pub replicates: u64,
    /// The number of rollouts in addition to the search.
    pub rollouts: u64,
    /// Each policy's position relative to the limits today, by the decisions of the search.
    pub today: Today,
    /// The results with more information: for multiples of the history, and last for known rates. Empty with fewer than
    /// 256 replicates, or where rollouts differ in a rate.
    pub later: Vec<Later>,
}

/// The positions of the policies relative to the limits today, by index: the search's own decisions, not estimates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Every limit certainly holds.
    pub within: Vec<usize>,
    /// Some limit is undecided, and none certainly does not hold.
    pub undecided: Vec<usize>,
}

impl Today {
    /// From the decisions of the search.
    #[must_use]
    pub fn of(tuned: &Tuned) -> Self {
        let mut today = Self::default();
        for (policy, known) in tuned.policies.iter().enumerate() {
            // A policy whose breaker can never trip is never the answer.
            let meets = if known.state == State::NeverTrips { Some(false) } else { limits::meets(&known.limits) };
            match meets {
                Some(true) => today.within.push(policy),
                Some(false) => {}
                None => today.undecided.push(policy),
            }
        }
        today
    }
}

/// The results with more information.
#[derive(Clone, Debug)]
pub struct Later {
    /// The multiple of the history; `None`: the rates are known.
    pub history: Option<f64>,
    /// The value of information, choosing among the policies that are within the limits today; `None` where there is
    /// none.
    pub information_value: Option<InformationValue>,
    /// The answers of the search; `None` with fewer than two replicates.
    pub answers: Option<Answers>,
}

/// The drawn rates of one replicate, by version of the scenario.
type Drawn = BTreeMap<usize, OutcomeRates>;

impl Tune {
    /// Finds the uncertainty that the history leaves. `None` where it was stopped.
    ///
    /// # Errors
    /// When the result log cannot be written or read.
    pub fn open(
        &self,
        log: &ResultLog,
        tuned: &Tuned,
        posteriors: &RatePosteriors,
        workers: &WorkPlan<'_>,
    ) -> io::Result<Option<Open>> {
        let before = log.rows();
        let replicates = REPLICATES.min(self.replicates);
        // Where each rollout draws its own rate, the next rollout draws anew: a longer history does not help.
        let today = Today::of(tuned);
        if posteriors.differing().next().is_some() {
            return Ok(Some(Open { replicates: 0, rollouts: 0, today, later: Vec::new() }));
        }
        if replicates < FEWEST_REPLICATES {
            return Ok(Some(Open { replicates, rollouts: 0, today, later: Vec::new() }));
        }
        let mut done: Vec<u64> = tuned.policies.iter().map(|known| known.replicates).collect();
        let all: Vec<usize> = (0..self.policies()).collect();
        if !self.top_up(log, &done, &all, 0..self.versions(), replicates, workers)? {
            return Ok(None);
        }
        done.iter_mut().for_each(|done| *done = replicates.max(*done));
        // The number of replicates is that of a look, so no block is cut.
        let more = done.iter().copied().max().unwrap_or(replicates).min(MOST_REPLICATES);
        if !self.top_up(log, &done, &today.within, 0..1, more, workers)? {
            return Ok(None);
        }
        let later = workers.pool.install(|| self.later(log, tuned, posteriors, &today, [replicates, more]))?;
        Ok(Some(Open { replicates, rollouts: log.rows() - before, today, later }))
    }

    /// About the largest number of rollouts of [`open`](Self::open), for progress reports.
    #[must_use]
    pub fn information_value_at_most(&self, tuned: &Tuned) -> u64 {
        let missing =
            tuned.policies.iter().map(|known| REPLICATES.min(self.replicates).saturating_sub(known.replicates));
        missing.sum::<u64>() * self.versions() as u64
    }

    /// Runs these policies with these versions up to `n` replicates.
    pub(super) fn top_up(
        &self,
        log: &ResultLog,
        done: &[u64],
        policies: &[usize],
        versions: std::ops::Range<usize>,
        n: u64,
        workers: &WorkPlan<'_>,
    ) -> io::Result<bool> {
        let mut missing: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for &policy in policies.iter().filter(|&&policy| done[policy] < n) {
            let cells = versions.clone().map(|version| self.cell(policy, version) as u32);
            missing.entry(done[policy]).or_default().extend(cells);
        }
        for (first, cells) in missing {
            let work = Work { cells, replicates: first..n, rows: rows_a_block(self.scenario.fleet.instances) };
            if !round::run(&self.cells.compiled, &work, 0..work.blocks(), log, workers)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The results with more information: the answers from the first replicates, the value of information from more of
    /// them.
    fn later(
        &self,
        log: &ResultLog,
        tuned: &Tuned,
        posteriors: &RatePosteriors,
        today: &Today,
        [replicates, more]: [u64; 2],
    ) -> io::Result<Vec<Later>> {
        let seen = self.seen(log, tuned, replicates)?;
        let goals = today.within.iter().map(|&policy| self.values(log, self.cell(policy, 0), self.minimise, more));
        let goals: Vec<Vec<f64>> = goals.collect::<io::Result<_>>()?;
        let of = |history: Option<f64>, known: Vec<Drawn>| Later {
            history,
            information_value: information::information_value(&self.rates(&known, 0), &goals, CONFIDENCE),
            answers: self.answers(&seen, tuned, today, &known[..replicates as usize]),
        };
        let histories = HISTORIES.into_iter().enumerate().map(|(place, times)| {
            of(
                Some(times),
                (0..more).map(|replicate| self.means_after(posteriors, replicate, place as u64, times)).collect(),
            )
        });
        Ok(histories.chain([of(None, self.drawn(posteriors, more))]).collect())
    }

    /// The drawn rates of the first replicates.
    fn drawn(&self, posteriors: &RatePosteriors, n: u64) -> Vec<Drawn> {
        let of = |replicate| {
            let key = Draws::new(self.scenario.seed, replicate).shared();
            posteriors.all.iter().map(|one| (one.version.0, one.posterior.draw(key))).collect()
        };
        (0..n).map(of).collect()
    }

    /// The mean rates of a replicate's versions after a history with `times` the length, if the replicate's rates are
    /// true. The information of a history is assumed to grow with its length: a posterior Beta(a, b) under Jeffreys's
    /// prior has seen a + b − 1.
    fn means_after(&self, posteriors: &RatePosteriors, replicate: u64, place: u64, times: f64) -> Drawn {
        let key = Draws::new(self.scenario.seed, replicate).shared();
        let of = |one: &Believed| {
            let rates = one.posterior.draw(key);
            let silent = rates.hang + rates.unhealthy;
            let share = if silent < 1.0 { (rates.failure / (1.0 - silent)).min(1.0) } else { 0.0 };
            let mean = |shapes: (f64, f64), rate: f64, which: u64| {
                let more = ((times - 1.0) * (shapes.0 + shapes.1 - 1.0)).round().max(0.0);
                sample::mean_after(shapes, more, rate, one.posterior.later(key, 2 * place + which))
            };
            let silence = mean(one.posterior.silence().shapes(), silent, 0);
            let failing = mean(one.posterior.failing().shapes(), share, 1);
            let rates = OutcomeRates { failure: (1.0 - silence) * failing, hang: silence, ..OutcomeRates::default() };
            (one.version.0, rates)
        };
        posteriors.all.iter().map(of).collect()
    }

    /// The regressors of a cell: the drawn rates of the version that is rolled out and of the one that is rolled back
    /// to, each with a value for each replicate.
    fn rates(&self, drawn: &[Drawn], version: usize) -> Vec<Vec<f64>> {
        let scenario = &self.cells.scenarios[self.cell(0, version)];
        let mut versions = vec![scenario.rollout.target];
        versions.extend(scenario.rollout.previous.filter(|previous| *previous != scenario.rollout.target));
        let column = |VersionIndex(version): VersionIndex, of: fn(&OutcomeRates) -> f64| -> Option<Vec<f64>> {
            drawn.iter().map(|drawn| drawn.get(&version).map(of)).collect()
        };
        let failure: fn(&OutcomeRates) -> f64 = |rates| rates.failure;
        let silence: fn(&OutcomeRates) -> f64 = |rates| rates.hang + rates.unhealthy;
        versions
            .into_iter()
            .flat_map(|version| [column(version, failure), column(version, silence)])
            .flatten()
            .collect()
    }
}

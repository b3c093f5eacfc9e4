//! A search in progress: what it knows after each look, and how it judges the policies.

use std::io;

use rayon::prelude::*;

use super::limits::{self, Held, Limit};
use super::{Estimated, Known, REPORTED, State, Tune, exact, moments};
use crate::study::analysis::Certainty;
use crate::study::mean::{Estimator, Sample, differences};
use crate::study::result_log::ResultLog;
use crate::study::results::CellRows;
use crate::study::theory::Theory;
use dryroll_sim::scenario::Measure;
use dryroll_stats::{Interval, simultaneous};

/// A search in progress.
pub(super) struct Search<'a> {
    tune: &'a Tune,
    /// The exact results by cell; empty where there are none.
    pub(super) theory: Vec<Theory>,
    /// The estimator of the goal, by policy.
    estimators: Vec<Estimator>,
    pub(super) known: Vec<Known>,
    /// The observed goals of policies that are still sampled.
    goals: Vec<Sample>,
    /// Policies whose limits certainly hold. What was certain at one look stays so.
    feasible: Vec<bool>,
    pub(super) incumbent: Option<usize>,
}

/// The confidence of each limit and of each pair of policies.
#[derive(Clone, Copy)]
pub(super) struct Sure {
    limit: f64,
    pair: f64,
}

impl<'a> Search<'a> {
    pub(super) fn new(tune: &'a Tune, theory: Vec<Theory>) -> Self {
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

    pub(super) fn is_decided(&self) -> bool {
        self.known.iter().all(|known| known.state != State::Open)
    }

    /// The policies that are sampled: the open ones, and the incumbent that they are compared with.
    pub(super) fn sampled(&self) -> Vec<usize> {
        let wanted = |&policy: &usize| matches!(self.known[policy].state, State::Open | State::Incumbent);
        (0..self.known.len()).filter(wanted).collect()
    }

    /// Divides the error of a look between the estimated limits and pairs. Which of them are estimated does not depend
    /// on the replicates.
    pub(super) fn certainty(&self, confidence: f64) -> Sure {
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

    pub(super) fn look(&mut self, log: &ResultLog, sampled: &[usize], n: u64, sure: Sure) -> io::Result<()> {
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
    pub(super) fn report(&mut self, log: &ResultLog) -> io::Result<()> {
        let tune = self.tune;
        let incumbent = self.incumbent;
        let reference = incumbent.map(|policy| self.goal(log, policy, self.known[policy].replicates)).transpose()?;
        let reported: Vec<(Vec<Held>, Option<Interval>, Estimated)> = (0..self.known.len())
            .into_par_iter()
            .map(|policy| {
                let known = &self.known[policy];
                let held = limits::check(tune, &self.theory, log, policy, known.replicates, REPORTED)?;
                let goal = self.goal(log, policy, known.replicates)?;
                let estimator = &self.estimators[policy];
                let slower = match (incumbent, &reference) {
                    (Some(incumbent), Some(reference)) if incumbent != policy => {
                        let moments = moments(&differences(&reference.values, &goal.values).collect::<Vec<_>>());
                        let both = [&self.estimators[incumbent], estimator];
                        Estimated {
                            exact: self.exact_difference(incumbent, policy),
                            mean: moments.mean(),
                            interval: Estimator::interval_of_difference(both, [reference, &goal], REPORTED.confidence),
                            n: moments.n(),
                        }
                    }
                    _ => Estimated::default(),
                };
                Ok((held, estimator.interval(&goal, REPORTED.confidence), slower))
            })
            .collect::<io::Result<_>>()?;
        for (policy, (held, interval, slower_by)) in reported.into_iter().enumerate() {
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

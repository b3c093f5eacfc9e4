//! The sensitivity of a recommendation to the failure rates: whether the recommended policy still meets its limits, up
//! to which rates it does, and what the search would recommend there.

use std::io;

use super::limits::{self, Held};
use super::{FIRST_LOOK, Tune, TuneError, Tuned};
use crate::study::analysis::Certainty;
use crate::study::exact::Depth;
use crate::study::result_log::ResultLog;
use crate::study::round::WorkPlan;
use crate::study::sweep::CONFIDENCE;
use crate::study::theory::Theory;
use dryroll_stats::sequential::Looks;
use dryroll_stats::simultaneous;

/// The factors at which the whole search is repeated.
pub const FACTORS: [f64; 2] = [0.5, 2.0];
/// The largest factor that is tried, and the inverse of the smallest.
const FURTHEST: f64 = 8.0;
/// The ratio of successive factors in the first pass.
const STEP: f64 = std::f64::consts::SQRT_2;
/// The accuracy of the factor at which a limit breaks: where theory decides, and where replicates do.
const CLOSE: [f64; 2] = [1.01, 1.1];
/// The largest number of replicates at a factor where replicates decide.
const MOST_REPLICATES: u64 = 4096;

/// The result of a search at a factor.
#[derive(Clone, Debug)]
pub struct AtFactor {
    /// The factor of all failure rates.
    pub factor: f64,
    /// The result of the search.
    pub tuned: Tuned,
    /// The limits of the policy that is recommended at the scenario's rates; empty where none is.
    pub kept: Vec<Held>,
}

/// The sensitivity of a recommendation to the failure rates.
#[derive(Clone, Debug)]
pub struct Sensitivity {
    /// The search at each of [`FACTORS`].
    pub factors: Vec<AtFactor>,
    /// The range of factors in which the recommended policy meets every limit; `None` where no policy is recommended.
    pub keeps: Option<Keeps>,
}

/// The range of factors in which the recommended policy meets every limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keeps {
    /// Towards lower rates.
    pub from: End,
    /// Towards higher rates.
    pub to: End,
}

/// The end of that range, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    /// The policy meets every limit up to this factor.
    pub meets: f64,
    /// At this factor it does not, or that is not certain; `None` where it meets them as far as was tried.
    pub beyond: Option<f64>,
}

/// The state of every limit at a factor.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stand {
    meets: bool,
    by_theory: bool,
}

impl Tune {
    /// The same search with the failure rates of all versions times a factor.
    ///
    /// # Errors
    /// When the scenario cannot be tuned.
    pub fn with_rates_times(&self, factor: f64) -> Result<Self, TuneError> {
        // The policies are the same, so the rules are too.
        let scenario = self.scenario.with_rates_times(factor);
        Self::with_chosen(&scenario, self.tolerance, self.replicates, Some(&self.chosen))
    }

    /// The sensitivity of a result to the failure rates. `scratch` makes an empty result log. `None` where it was
    /// stopped.
    ///
    /// # Errors
    /// When a result log cannot be made, written or read.
    pub fn sensitivity(
        &self,
        tuned: &Tuned,
        scratch: &dyn Fn() -> io::Result<ResultLog>,
        workers: &WorkPlan<'_>,
    ) -> io::Result<Option<Sensitivity>> {
        let silent = WorkPlan { progress: &|_| {}, ..*workers };
        let mut factors = Vec::new();
        for factor in FACTORS {
            let other = self.with_rates_times(factor).map_err(io::Error::other)?;
            let log = scratch()?;
            let Some(found) = other.run(&log, workers)? else { return Ok(None) };
            let kept = match tuned.incumbent {
                Some(policy) => other.decide(policy, found.policies[policy].replicates, &log, &silent)?,
                None => Some(Vec::new()),
            };
            let Some(kept) = kept else { return Ok(None) };
            factors.push(AtFactor { factor, tuned: found, kept });
        }
        let Some(policy) = tuned.incumbent else { return Ok(Some(Sensitivity { factors, keeps: None })) };
        Ok(self.keeps(policy, scratch, &silent)?.map(|keeps| Sensitivity { factors, keeps: Some(keeps) }))
    }

    /// Decides the limits of one policy, including that on completed good rollouts, with additional replicates as
    /// needed. `None` where it was stopped.
    ///
    /// # Errors
    /// When the result log cannot be written or read.
    pub fn decide(
        &self,
        policy: usize,
        done: u64,
        log: &ResultLog,
        workers: &WorkPlan<'_>,
    ) -> io::Result<Option<Vec<Held>>> {
        let theory = workers.pool.install(|| self.theory_of(policy));
        let check = |n, certainty| limits::check(self, &theory, log, policy, n, certainty);
        let mut held = check(done, super::REPORTED)?;
        if held.iter().all(|held| held.exact.is_some()) {
            return Ok(Some(held));
        }
        let estimated = held.iter().filter(|held| held.exact.is_none()).count() as u64;
        let looks = Looks { first: FIRST_LOOK, max: self.replicates };
        let mut done = vec![done; self.policies()];
        for look in 0.. {
            let Some(n) = looks.at(look) else { break };
            if !self.top_up(log, &done, &[policy], 0..self.versions(), n, workers)? {
                return Ok(None);
            }
            done[policy] = done[policy].max(n);
            let confidence = simultaneous::each(looks.confidence(look, CONFIDENCE), estimated);
            held = check(n, Certainty { confidence, peeked: true })?;
            if held.iter().all(|held| held.holds.is_some()) {
                break;
            }
        }
        Ok(Some(held))
    }

    /// The exact results of the cells of a policy, as deep as its limits need; empty for all other cells.
    fn theory_of(&self, policy: usize) -> Vec<Theory> {
        let mut theory = vec![Theory::default(); self.cells.compiled.len()];
        if self.draws_rates {
            return theory;
        }
        for version in 0..self.versions() {
            let about = self.limits.iter().filter(|limit| limit.versions.contains(&version));
            if let Some(depth) = about.map(|limit| Depth::of(limit.spec.metric)).max() {
                let cell = self.cell(policy, version);
                theory[cell] = Theory::of(&self.cells.scenarios[cell], depth);
            }
        }
        theory
    }

    /// The range of factors in which a policy meets every limit, as it does at the scenario's own rates. `scratch`
    /// makes an empty result log. `None` where it was stopped.
    ///
    /// # Errors
    /// When a result log cannot be made, written or read.
    pub fn keeps(
        &self,
        policy: usize,
        scratch: &dyn Fn() -> io::Result<ResultLog>,
        workers: &WorkPlan<'_>,
    ) -> io::Result<Option<Keeps>> {
        let Some(from) = self.end(policy, 1.0 / STEP, scratch, workers)? else { return Ok(None) };
        let Some(to) = self.end(policy, STEP, scratch, workers)? else { return Ok(None) };
        Ok(Some(Keeps { from, to }))
    }

    /// Moves step by step away from the scenario's rates, then narrows down where a limit breaks.
    fn end(
        &self,
        policy: usize,
        step: f64,
        scratch: &dyn Fn() -> io::Result<ResultLog>,
        workers: &WorkPlan<'_>,
    ) -> io::Result<Option<End>> {
        let within = |factor: f64| (1.0 / FURTHEST..=FURTHEST).contains(&factor);
        let mut end = End { meets: 1.0, beyond: None };
        let mut by_theory = true;
        loop {
            let next = match end.beyond {
                None => end.meets * step,
                Some(beyond) => (end.meets * beyond).sqrt(),
            };
            let gap = end.beyond.map_or(f64::INFINITY, |beyond| (beyond / end.meets).max(end.meets / beyond));
            let is_close = gap <= CLOSE[usize::from(!by_theory)];
            // Powers of the step miss the last factor by rounding.
            if is_close || (end.beyond.is_none() && !within(next * (1.0 - 1e-9)) && !within(next * (1.0 + 1e-9))) {
                return Ok(Some(end));
            }
            let Some(stand) = self.stand(policy, next, scratch, workers)? else { return Ok(None) };
            by_theory &= stand.by_theory;
            if stand.meets { end.meets = next } else { end.beyond = Some(next) }
        }
    }

    fn stand(
        &self,
        policy: usize,
        factor: f64,
        scratch: &dyn Fn() -> io::Result<ResultLog>,
        workers: &WorkPlan<'_>,
    ) -> io::Result<Option<Stand>> {
        let mut other = self.with_rates_times(factor).map_err(io::Error::other)?;
        other.replicates = other.replicates.min(MOST_REPLICATES);
        let held = other.decide(policy, 0, &scratch()?, workers)?;
        Ok(held.map(|held| Stand {
            meets: held.iter().all(|held| held.holds == Some(true)),
            by_theory: held.iter().all(|held| held.exact.is_some()),
        }))
    }
}

//! Rollouts of a policy's batches without a breaker, and what each rule would have done with them.

use std::num::NonZeroU32;

use rayon::prelude::*;

use super::rule::{Counted, Rule};
use super::verdicts::{Ended, Verdicts, observe};
use super::{REPLICATES, is_less, may_continue};
use crate::study::completed;
use crate::study::theory::fits;
use crate::study::tune::Tune;
use crate::study::tune::limits::Limit;
use dryroll_sim::scenario::{Bound, Measure, Metric, Rate, Stat};
use dryroll_sim::sim::CompiledScenario;
use dryroll_stats::quantile::rank;

/// Lengths of the window of the failure share.
const WINDOWS: [usize; 4] = [5, 10, 15, 20];

/// The results of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The rule.
    pub rule: Rule,
    /// The share of good rollouts that it trips.
    pub false_trips: f64,
    /// For each bad version: the share that it trips, and the mean share of the fleet dispatched by then, percent.
    pub bad: Vec<(f64, f64)>,
    /// The limits of the search, for each version that they are about.
    pub limits: Vec<Met>,
    /// Whether it trips at all where every verdict is a failure.
    pub can_trip: bool,
}

impl Judged {
    /// The number of limits that it breaks, then how far the bad versions get: less is better. A rule that can never
    /// trip comes last.
    pub(super) fn rank(&self) -> (usize, f64) {
        let broken = self.limits.iter().filter(|met| met.holds == Some(false)).count();
        (if self.can_trip { broken } else { usize::MAX }, self.bad.iter().map(|(_, exposed)| exposed).sum())
    }
}

/// A limit under another rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Met {
    /// The index of the limit.
    pub limit: usize,
    /// The index of the version.
    pub version: usize,
    /// The value; `None` where the verdicts up to a trip do not determine it.
    pub value: Option<f64>,
    /// Whether the limit would be met in these replicates; `None`: unknown.
    pub holds: Option<bool>,
}

/// The verdicts of a policy's batches without a breaker.
pub(super) struct Trial<'a> {
    tune: &'a Tune,
    good: Vec<Verdicts>,
    bad: Vec<Vec<Verdicts>>,
    total: u32,
    /// Whether a person may decide to continue, so that a trip ends nothing.
    may_continue: bool,
    /// The largest number of verdicts that a breaker counts together.
    reach: u32,
}

impl<'a> Trial<'a> {
    pub(super) fn new(tune: &'a Tune, policy: usize) -> Option<Self> {
        let of = |version: usize| {
            let mut scenario = tune.cells.scenarios[tune.cell(policy, version)].clone();
            scenario.rollout.max_consecutive_failures = Some(NonZeroU32::MAX);
            CompiledScenario::new(&scenario).ok().map(|compiled| observe(&compiled, 0..REPLICATES))
        };
        let mut seen = (0..tune.versions()).map(of).collect::<Option<Vec<_>>>()?.into_iter();
        Some(Self {
            tune,
            good: seen.next()?,
            bad: seen.collect(),
            total: tune.cells.compiled[tune.cell(policy, 0)].total(),
            may_continue: may_continue(&tune.scenario),
            reach: tune.policy(policy).breaker_reach(),
        })
    }

    /// The share of false trips that the limits allow; where no limit is about them, the share that leaves enough good
    /// rollouts to complete.
    pub(super) fn allowed(&self) -> f64 {
        let stated = self.tune.limits.iter().filter_map(|limit| match (limit.spec.metric, &limit.spec.bound) {
            (Measure::Rate(Rate::FalseTrip | Rate::Trip), Bound::AtMost(most)) if limit.versions == [0] => Some(*most),
            (Measure::Rate(completed::COMPLETED), Bound::AtLeast(least)) if !self.may_continue => Some(1.0 - least),
            _ => None,
        });
        stated.fold(1.0, f64::min)
    }

    /// Among the limits of the grid that trip no more than this share of good rollouts, the one with which the bad
    /// versions reach least; where all trip more, the one that trips fewest.
    pub(super) fn in_a_row(&self, allowed: f64) -> Judged {
        let limits = self.tune.scenario.tune.iter().flat_map(|tune| &tune.max_consecutive_failures);
        let all = limits.map(|limit| self.judge(Rule::Consecutive(limit.get())));
        let key =
            |judged: &Judged| (!judged.can_trip || judged.false_trips > allowed, judged.false_trips, judged.rank().1);
        let is_better = |a: &Judged, b: &Judged| {
            let (a, b) = (key(a), key(b));
            let within = a.0.cmp(&b.0);
            within.then(if a.0 { a.1.total_cmp(&b.1) } else { a.2.total_cmp(&b.2) }).is_lt()
        };
        all.reduce(|best, next| if is_better(&next, &best) { next } else { best })
            .unwrap_or_else(|| self.judge(Rule::Consecutive(1)))
    }

    /// The policy's own rule, and of each other kind the best rule that trips no more than the allowed share of good
    /// rollouts.
    pub(super) fn judged(&self, own: Judged, allowed: f64) -> Vec<Judged> {
        let pick = |rules: Vec<Rule>| {
            let fitting = rules.into_par_iter().filter(|&rule| false_trips(rule, &self.good) <= allowed);
            // The order of the rules is kept, so ties go to the first.
            let fitting: Vec<Judged> = fitting.map(|rule| self.judge(rule)).collect();
            fitting.into_iter().reduce(|best, next| if is_less(next.rank(), best.rank()) { next } else { best })
        };
        let windows = WINDOWS.iter();
        let shares = windows.flat_map(|&window| (2..=window).map(move |failures| Rule::Share { failures, window }));
        let best_share = pick(shares.collect());
        let best_cusum = pick(cusums(&self.good, &self.bad));
        std::iter::once(own).chain(best_share).chain(best_cusum).collect()
    }

    pub(super) fn judge(&self, rule: Rule) -> Judged {
        let ends = |runs: &[Verdicts]| -> Vec<Ended> { runs.iter().map(|run| run.ended(rule)).collect() };
        let good = ends(&self.good);
        let bad: Vec<Vec<Ended>> = self.bad.iter().map(|runs| ends(runs)).collect();
        let pct = |dispatched: f64| dispatched * 100.0 / f64::from(self.total.max(1));
        let mut limits = Vec::new();
        for (place, limit) in self.tune.limits.iter().enumerate() {
            for &version in &limit.versions {
                let runs = if version == 0 { Some(&good) } else { bad.get(version - 1) };
                let value = runs.and_then(|runs| self.value(limit, runs));
                let holds = value.map(|value| fits(value, &limit.spec.bound));
                limits.push(Met { limit: place, version, value, holds });
            }
        }
        let failed = Counted { failed: true, dispatched: 0, fresh: false };
        Judged {
            rule,
            can_trip: rule.trips(&vec![failed; self.reach as usize]).is_some(),
            false_trips: share(&good, |run| run.tripped),
            bad: bad
                .iter()
                .map(|runs| {
                    let all: f64 = runs.iter().map(|run| f64::from(run.dispatched)).sum();
                    (share(runs, |run| run.tripped), pct(all / runs.len().max(1) as f64))
                })
                .collect(),
            limits,
        }
    }

    /// The value of a limit's measure, as far as the verdicts up to a trip determine it.
    fn value(&self, limit: &Limit, runs: &[Ended]) -> Option<f64> {
        let spec = &limit.spec;
        let completes = share(runs, |run| run.completes);
        match spec.metric {
            Measure::Rate(Rate::Trip | Rate::FalseTrip) => Some(share(runs, |run| run.tripped)),
            Measure::Rate(Rate::Escape) => Some(completes),
            // Where a person may decide to continue, this is a lower bound.
            Measure::Rate(completed::COMPLETED) => {
                Some(completes).filter(|&share| !self.may_continue || fits(share, &spec.bound))
            }
            Measure::Metric(Metric::BlastRadiusPct | Metric::ExposedPct) if !self.may_continue => {
                let mut reach: Vec<f64> = runs.iter().map(|run| f64::from(run.dispatched)).collect();
                reach.sort_unstable_by(f64::total_cmp);
                let quantile = |q: f64| reach.get(rank(reach.len() as u64, q).saturating_sub(1) as usize).copied();
                let value = match spec.stat.unwrap_or(Stat::Mean) {
                    Stat::Mean => Some(reach.iter().sum::<f64>() / reach.len().max(1) as f64),
                    Stat::P50 => quantile(0.5),
                    Stat::P95 => quantile(0.95),
                    Stat::P99 => quantile(0.99),
                    Stat::Min | Stat::Max => None,
                };
                value.map(|value| value * 100.0 / f64::from(self.total.max(1)))
            }
            Measure::Rate(_) | Measure::Metric(_) | Measure::Outcome => None,
        }
    }
}

fn share<T>(runs: &[T], of: impl Fn(&T) -> bool) -> f64 {
    runs.iter().filter(|run| of(run)).count() as f64 / runs.len().max(1) as f64
}

fn false_trips(rule: Rule, good: &[Verdicts]) -> f64 {
    share(good, |run| rule.trips(&run.counted).is_some())
}

fn failing_share(runs: &[Verdicts]) -> f64 {
    let failed = runs.iter().flat_map(|run| &run.counted).filter(|verdict| verdict.failed).count();
    let all: usize = runs.iter().map(|run| run.counted.len()).sum();
    failed as f64 / all.max(1) as f64
}

/// CUSUMs for the bad version that is hardest to distinguish, with heights up to twenty failures.
fn cusums(good: &[Verdicts], bad: &[Vec<Verdicts>]) -> Vec<Rule> {
    let p0 = failing_share(good).clamp(1e-4, 0.9);
    let p1 = bad.iter().map(|runs| failing_share(runs)).fold(1.0, f64::min).clamp(0.0, 0.999);
    if p1 <= p0 {
        return Vec::new();
    }
    let reference = libm::log((1.0 - p0) / (1.0 - p1)) / libm::log(p1 * (1.0 - p0) / (p0 * (1.0 - p1)));
    (1..=400).map(|step| Rule::Cusum { reference, height: f64::from(step) * 0.05 }).collect()
}

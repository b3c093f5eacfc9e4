//! Rollouts of a policy's batches without a breaker, and what each rule would have done with them.

use std::num::NonZeroU32;

use rayon::prelude::*;

use super::rule::{Counted, Rule};
use super::verdicts::{Ended, Verdicts, observe};
use super::{REPLICATES, is_less, may_continue};
use crate::study::completed;
use crate::study::sweep::CONFIDENCE;
use crate::study::theory::fits;
use crate::study::tune::limits::{self, Held, Limit};
use crate::study::tune::{Tune, Tuned};
use dryroll_sim::scenario::{Bound, Measure, Metric, Rate, Stat};
use dryroll_sim::sim::CompiledScenario;
use dryroll_stats::Interval;
use dryroll_stats::moments::Moments;
use dryroll_stats::proportion::clopper_pearson;
use dryroll_stats::quantile::{interval_ranks, rank};

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
    /// The number of limits that it breaks or may break, then how far the bad versions get: less is better. A rule that can never
    /// trip comes last.
    pub(super) fn rank(&self) -> (usize, f64) {
        let broken = self.limits.iter().filter(|met| met.value.is_some() && met.holds != Some(true)).count();
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
    /// Whether the limit would surely be met: by the search's own verdict where it tried the rule, else by the 95 %
    /// interval of the value. `None` with a value: undecided.
    pub holds: Option<bool>,
}

/// The verdicts of a policy's batches without a breaker.
pub(super) struct Trial<'a> {
    tune: &'a Tune,
    tuned: &'a Tuned,
    policy: usize,
    good: Vec<Verdicts>,
    bad: Vec<Vec<Verdicts>>,
    total: u32,
    /// Whether a person may decide to continue, so that a trip ends nothing.
    may_continue: bool,
    /// The largest number of verdicts that a breaker counts together.
    reach: u32,
}

impl<'a> Trial<'a> {
    pub(super) fn new(tune: &'a Tune, tuned: &'a Tuned, policy: usize) -> Option<Self> {
        let of = |version: usize| {
            let mut scenario = tune.cells.scenarios[tune.cell(policy, version)].clone();
            scenario.rollout.max_consecutive_failures = Some(NonZeroU32::MAX);
            let mut compiled = CompiledScenario::new(&scenario).ok()?;
            compiled.believe_like(&tune.cells.compiled[tune.cell(policy, version)]);
            Some(observe(&compiled, 0..REPLICATES))
        };
        let mut seen = (0..tune.versions()).map(of).collect::<Option<Vec<_>>>()?.into_iter();
        Some(Self {
            tune,
            tuned,
            policy,
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
        let known = self.known(rule);
        let mut limits = Vec::new();
        for (place, limit) in self.tune.limits.iter().enumerate() {
            for &version in &limit.versions {
                let runs = if version == 0 { Some(&good) } else { bad.get(version - 1) };
                let known = known.iter().find(|held| held.limit == place && held.version == version);
                limits.push(match known {
                    Some(held) => Met { limit: place, version, value: held.exact.or(held.observed), holds: held.holds },
                    None => {
                        let (value, interval) = runs.and_then(|runs| self.value(limit, runs)).unzip();
                        let holds = limits::holds(&limit.spec.bound, None, interval.flatten());
                        Met { limit: place, version, value, holds }
                    }
                });
            }
        }
        let of_trips = |met: &&Met| {
            let measure = self.tune.limits[met.limit].spec.metric;
            met.version == 0 && matches!(measure, Measure::Rate(Rate::Trip | Rate::FalseTrip))
        };
        let stated = limits.iter().find(of_trips).and_then(|met| met.value);
        let failed = Counted { failed: true, dispatched: 0, fresh: false };
        Judged {
            rule,
            can_trip: rule.trips(&vec![failed; self.reach as usize]).is_some(),
            false_trips: stated.unwrap_or_else(|| share(&good, |run| run.tripped)),
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

    /// The verdicts of the search on a rule that it tried with these batches.
    fn known(&self, rule: Rule) -> &[Held] {
        let Rule::Consecutive(limit) = rule else { return &[] };
        let with = |policy: usize| {
            let mut rollout = self.tune.policy(policy).rollout.clone();
            rollout.max_consecutive_failures = self.tune.policy(self.policy).rollout.max_consecutive_failures;
            rollout
        };
        let own = with(self.policy);
        let same = |&policy: &usize| {
            self.tune.policy(policy).rollout.max_consecutive_failures.map(NonZeroU32::get) == Some(limit)
                && with(policy) == own
        };
        let found = (0..self.tune.policies()).find(same).and_then(|policy| self.tuned.policies.get(policy));
        found.map_or(&[], |known| &known.limits)
    }

    /// The value of a limit's measure with its interval, as far as the verdicts up to a trip determine it.
    fn value(&self, limit: &Limit, runs: &[Ended]) -> Option<(f64, Option<Interval>)> {
        let spec = &limit.spec;
        let n = runs.len() as u64;
        let rate = |is: &dyn Fn(&Ended) -> bool| {
            let hits = runs.iter().filter(|run| is(run)).count() as u64;
            (hits as f64 / n.max(1) as f64, clopper_pearson(hits, n, CONFIDENCE))
        };
        match spec.metric {
            Measure::Rate(Rate::Trip | Rate::FalseTrip) => Some(rate(&|run| run.tripped)),
            Measure::Rate(Rate::Escape) => Some(rate(&|run| run.completes)),
            // Where a person may decide to continue, this is a lower bound.
            Measure::Rate(completed::COMPLETED) => {
                Some(rate(&|run| run.completes)).filter(|&(share, _)| !self.may_continue || fits(share, &spec.bound))
            }
            Measure::Metric(Metric::BlastRadiusPct | Metric::ExposedPct) if !self.may_continue => {
                let pct = |dispatched: f64| dispatched * 100.0 / f64::from(self.total.max(1));
                let mut reach: Vec<f64> = runs.iter().map(|run| pct(f64::from(run.dispatched))).collect();
                reach.sort_unstable_by(f64::total_cmp);
                let at = |rank: u64| reach.get(rank.saturating_sub(1) as usize).copied();
                let quantile = |q: f64| {
                    let ends = interval_ranks(n, q, CONFIDENCE);
                    let interval = ends.and_then(|(low, high)| Some(Interval::new(at(low)?, at(high)?)));
                    Some((at(rank(n, q))?, interval))
                };
                match spec.stat.unwrap_or(Stat::Mean) {
                    Stat::Mean => {
                        let mut moments = Moments::default();
                        reach.iter().for_each(|&pct| moments.push(pct));
                        Some((moments.mean()?, moments.t_interval(CONFIDENCE)))
                    }
                    Stat::P50 => quantile(0.5),
                    Stat::P95 => quantile(0.95),
                    Stat::P99 => quantile(0.99),
                    Stat::Min | Stat::Max => None,
                }
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

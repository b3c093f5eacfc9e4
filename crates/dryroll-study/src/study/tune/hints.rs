//! Hints: what other breaker rules could do with the same batches, and which limits they would meet.
//!
//! Rollouts run with a breaker that never trips. Each rule is then applied to the verdicts in the order in which the
//! breaker would count them: as observed, or, if `breaker_order` is `listed`, in plan order when their batch is
//! complete. If `breaker_scope` is `batch`, the rule starts afresh with each batch. A rule is calibrated so that it
//! trips no more good rollouts than failures in a row do. It is judged on the bad ones by how much of the fleet was
//! dispatched when it tripped.
//!
//! - *Failure share*: trips when at least k of the last n verdicts failed.
//! - *CUSUM* (Page, "Continuous inspection schemes", 1954): S grows by 1 − r on a failure and falls by r on a success,
//!   not below zero; trips at h. The reference r between the failure shares of the good and the bad version is that of
//!   the likelihood ratio, ln((1−p₀)/(1−p₁)) / ln(p₁(1−p₀)/(p₀(1−p₁))).

use std::num::NonZeroU32;
use std::ops::Range;

use rayon::prelude::*;

use super::limits::{self, Held, Limit};
use super::{Tune, Tuned};
use crate::study::completed;
use crate::study::sweep::CONFIDENCE;
use crate::study::theory::fits;
use dryroll_engine::{
    BreakerOrder, BreakerScope, Direction, Engine, Event, EventBody, OperatorDecision, Outcome, Recording, RolloutId,
    Settings,
};
use dryroll_sim::scenario::{Bound, Measure, Metric, Rate, Stat};
use dryroll_sim::sim::{CompiledScenario, Observer, Simulator};
use dryroll_stats::Interval;
use dryroll_stats::moments::Moments;
use dryroll_stats::proportion::clopper_pearson;
use dryroll_stats::quantile::{interval_ranks, rank};

/// Replicates of each version.
pub const REPLICATES: u64 = 1000;
/// The largest fleet for which verdicts are kept.
const LARGEST_FLEET: u32 = 5000;
/// The largest number of batch sizes that are tried where no policy is recommended.
const MOST_BATCHES: usize = 8;
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
}

impl Judged {
    /// The number of limits that it breaks or may break, then how far the bad versions get: less is better.
    fn rank(&self) -> (usize, f64) {
        let broken = self.limits.iter().filter(|met| met.value.is_some() && met.holds != Some(true)).count();
        (broken, self.bad.iter().map(|(_, exposed)| exposed).sum())
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

/// Other rules with the batches of one policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints {
    /// The policy with these batches.
    pub policy: Option<usize>,
    /// Whether that policy is the recommended one: the search has better evidence than these replicates that it meets
    /// the limits.
    pub is_recommended: bool,
    /// Failures in a row first, then the best rule of each other kind.
    pub judged: Vec<Judged>,
    /// Why no rule was judged.
    pub why_not: Option<String>,
}

/// A rule that judges verdicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// This many failures in a row.
    Consecutive(u32),
    /// At least this many failures among the last verdicts.
    Share {
        /// Failures.
        failures: usize,
        /// Verdicts.
        window: usize,
    },
    /// Page's rule.
    Cusum {
        /// The decrease for each success.
        reference: f64,
        /// Trips at this height.
        height: f64,
    },
}

/// One verdict, as a breaker counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    failed: bool,
    /// The number of instances dispatched by then.
    dispatched: u32,
    /// Whether a rule starts afresh with it.
    fresh: bool,
}

/// The verdicts of one rollout in the order in which a breaker counts them.
#[derive(Clone, Debug)]
struct Verdicts {
    order: BreakerOrder,
    scope: BreakerScope,
    counted: Vec<Counted>,
    /// The batch of the last verdict that was counted.
    batch: Option<u32>,
    /// Verdicts of incomplete batches: batch, position, failed.
    waiting: Vec<(u32, u32, bool)>,
    dispatched: u32,
    /// Whether the rollout completed.
    completed: bool,
}

impl Verdicts {
    fn new(settings: &Settings) -> Self {
        Self {
            order: settings.breaker_order,
            scope: settings.breaker_scope,
            counted: Vec::new(),
            batch: None,
            waiting: Vec::new(),
            dispatched: 0,
            completed: false,
        }
    }

    fn ended(&self, rule: Rule) -> Ended {
        match rule.trips(&self.counted) {
            Some(at) => Ended { tripped: true, dispatched: self.counted[at].dispatched, completes: false },
            None => Ended { tripped: false, dispatched: self.dispatched, completes: self.completed },
        }
    }

    fn count(&mut self, batch: u32, failed: bool) {
        let fresh = self.scope == BreakerScope::Batch && self.batch.is_some_and(|before| before != batch);
        self.batch = Some(batch);
        self.counted.push(Counted { failed, dispatched: self.dispatched, fresh });
    }
}

impl Observer for Verdicts {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        if event.rollout != RolloutId::FIRST {
            return;
        }
        match event.body {
            EventBody::InstanceStarted { .. } => self.dispatched += 1,
            EventBody::InstanceHealthCheck { batch_index, instance, failure } => match self.order {
                BreakerOrder::Observed => self.count(batch_index, failure.is_some()),
                BreakerOrder::Listed => {
                    let position = engine.plan().order.position(instance).unwrap_or(u32::MAX);
                    self.waiting.push((batch_index, position, failure.is_some()));
                }
            },
            EventBody::BatchCompleted { batch_index, .. } => {
                let mut waiting = std::mem::take(&mut self.waiting);
                waiting.sort_unstable();
                for (batch, position, failed) in waiting {
                    if batch == batch_index {
                        self.count(batch, failed);
                    } else {
                        self.waiting.push((batch, position, failed));
                    }
                }
            }
            _ => {}
        }
    }
}

impl Rule {
    /// The index of the verdict at which it trips.
    fn trips(self, verdicts: &[Counted]) -> Option<usize> {
        match self {
            Self::Consecutive(limit) => {
                let mut run = 0;
                verdicts.iter().position(|verdict| {
                    run = if verdict.fresh { 0 } else { run };
                    run = if verdict.failed { run + 1 } else { 0 };
                    run >= limit
                })
            }
            Self::Share { failures, window } => {
                let (mut among, mut begin) = (0, 0);
                (0..verdicts.len()).find(|&at| {
                    if verdicts[at].fresh {
                        (among, begin) = (0, at);
                    }
                    among += usize::from(verdicts[at].failed);
                    if at - begin >= window {
                        among -= usize::from(verdicts[begin].failed);
                        begin += 1;
                    }
                    among >= failures
                })
            }
            Self::Cusum { reference, height } => {
                let mut sum: f64 = 0.0;
                verdicts.iter().position(|verdict| {
                    sum = if verdict.fresh { 0.0 } else { sum };
                    sum = (sum + f64::from(u8::from(verdict.failed)) - reference).max(0.0);
                    sum >= height
                })
            }
        }
    }

    /// The rule's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Consecutive(_) => "failures in a row",
            Self::Share { .. } => "failure share",
            Self::Cusum { .. } => "CUSUM",
        }
    }

    /// Its parameters in words.
    #[must_use]
    pub fn parameters(self) -> String {
        match self {
            Self::Consecutive(limit) => format!("{limit} in a row"),
            Self::Share { failures, window } => format!("{failures} of the last {window} verdicts"),
            Self::Cusum { reference, height } => format!("reference {reference:.3}, height {height:.2}"),
        }
    }
}

/// Judges other rules with the batches of the recommended policy. Where none is recommended, it uses the largest
/// batches of the grid with which some rule meets the limits, or else those with which the best rule breaks the fewest
/// limits.
#[must_use]
pub fn hints(tune: &Tune, tuned: &Tuned, pool: &rayon::ThreadPool) -> Hints {
    let recommended = tuned.incumbent;
    let none = |why_not: &str| Hints { why_not: Some(why_not.to_owned()), ..Hints::default() };
    if tune.versions() < 2 {
        return none("[tune] has no defective version, which is what they would be judged by");
    }
    if tune.scenario.fleet.instances > LARGEST_FLEET {
        return none(&format!("the fleet has more than {LARGEST_FLEET} instances, of which no verdicts are kept"));
    }
    let with = |policy: usize| pool.install(|| Tried::new(tune, tuned, policy)).map(|tried| (policy, tried));
    let is_recommended = recommended.is_some();
    let found =
        |policy: usize, judged: Vec<Judged>| Hints { policy: Some(policy), is_recommended, judged, why_not: None };
    let nothing = || none("their batches cannot be run without a breaker");
    if let Some(policy) = recommended {
        let Some((policy, tried)) = with(policy) else { return nothing() };
        let own = tried.judge(Rule::Consecutive(tune.policy(policy).rollout.max_consecutive_failures.get()));
        let allowed = own.false_trips;
        return found(policy, pool.install(|| tried.judged(own, allowed)));
    }
    let mut best: Option<((usize, f64), Hints)> = None;
    for policy in batches(tune) {
        let Some((policy, tried)) = with(policy) else { continue };
        let judged = pool.install(|| {
            let allowed = tried.allowed();
            tried.judged(tried.in_a_row(allowed), allowed)
        });
        let rank = judged.iter().skip(1).map(Judged::rank).reduce(least);
        let rank = rank.unwrap_or((usize::MAX, f64::INFINITY));
        if best.as_ref().is_none_or(|(before, _)| is_less(rank, *before)) {
            best = Some((rank, found(policy, judged)));
        }
        if rank.0 == 0 {
            break;
        }
    }
    best.map_or_else(nothing, |(_, hints)| hints)
}

/// A policy for each batch size and plan order in the grid, the largest batches first.
fn batches(tune: &Tune) -> Vec<usize> {
    let size = |policy: usize| tune.cells.compiled[tune.cell(policy, 0)].plan.batch_size;
    let mut all: Vec<usize> = Vec::new();
    for policy in 0..tune.policies() {
        let same = |&other: &usize| {
            size(other) == size(policy) && tune.policy(other).rollout.order == tune.policy(policy).rollout.order
        };
        if !all.iter().any(same) {
            all.push(policy);
        }
    }
    all.sort_by_key(|&policy| std::cmp::Reverse(size(policy)));
    all.truncate(MOST_BATCHES);
    all
}

fn is_less(a: (usize, f64), b: (usize, f64)) -> bool {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).is_lt()
}

fn least(a: (usize, f64), b: (usize, f64)) -> (usize, f64) {
    if is_less(b, a) { b } else { a }
}

/// The verdicts of a policy's batches without a breaker.
struct Tried<'a> {
    tune: &'a Tune,
    tuned: &'a Tuned,
    policy: usize,
    good: Vec<Verdicts>,
    bad: Vec<Vec<Verdicts>>,
    total: u32,
    /// Whether a person may decide to continue, so that a trip ends nothing.
    goes_on: bool,
}

impl<'a> Tried<'a> {
    fn new(tune: &'a Tune, tuned: &'a Tuned, policy: usize) -> Option<Self> {
        let of = |version: usize| {
            let mut scenario = tune.cells.scenarios[tune.cell(policy, version)].clone();
            scenario.rollout.max_consecutive_failures = NonZeroU32::MAX;
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
            goes_on: tune.scenario.operator.on_trip.contains(&OperatorDecision::ContinueAnyway),
        })
    }

    /// The share of false trips that the limits allow; where no limit is about them, the share that leaves enough good
    /// rollouts to complete.
    fn allowed(&self) -> f64 {
        let stated = self.tune.limits.iter().filter_map(|limit| match (limit.spec.metric, &limit.spec.bound) {
            (Measure::Rate(Rate::FalseTrip | Rate::Trip), Bound::AtMost(most)) if limit.versions == [0] => Some(*most),
            (Measure::Rate(completed::COMPLETED), Bound::AtLeast(least)) if !self.goes_on => Some(1.0 - least),
            _ => None,
        });
        stated.fold(1.0, f64::min)
    }

    /// Among the limits of the grid that trip no more than this share of good rollouts, the one with which the bad
    /// versions reach least; where all trip more, the one that trips fewest.
    fn in_a_row(&self, allowed: f64) -> Judged {
        let limits = self.tune.scenario.tune.iter().flat_map(|tune| &tune.max_consecutive_failures);
        let all = limits.map(|limit| self.judge(Rule::Consecutive(limit.get())));
        let key = |judged: &Judged| (judged.false_trips > allowed, judged.false_trips, judged.rank().1);
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
    fn judged(&self, own: Judged, allowed: f64) -> Vec<Judged> {
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

    fn judge(&self, rule: Rule) -> Judged {
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
        Judged {
            rule,
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
            self.tune.policy(policy).rollout.max_consecutive_failures.get() == limit && with(policy) == own
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
                Some(rate(&|run| run.completes)).filter(|&(share, _)| !self.goes_on || fits(share, &spec.bound))
            }
            Measure::Metric(Metric::BlastRadiusPct | Metric::ExposedPct) if !self.goes_on => {
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

/// The end of a rollout under a rule.
struct Ended {
    tripped: bool,
    /// The number of instances dispatched by then.
    dispatched: u32,
    /// Whether it completes without a trip.
    completes: bool,
}

fn share<T>(runs: &[T], of: impl Fn(&T) -> bool) -> f64 {
    runs.iter().filter(|run| of(run)).count() as f64 / runs.len().max(1) as f64
}

fn observe(compiled: &CompiledScenario, replicates: Range<u64>) -> Vec<Verdicts> {
    replicates
        .into_par_iter()
        .map_init(
            || Simulator::new(compiled),
            |simulator, replicate| {
                let mut verdicts = Verdicts::new(&compiled.settings);
                verdicts.completed = simulator.run(replicate, &mut verdicts).outcome == Outcome::Completed;
                debug_assert!(simulator.engine().direction() == Direction::Forward);
                verdicts
            },
        )
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_sim::scenario::{Format, Scenario};

    /// `x` fails, `.` passes, `|` begins a batch with which rules start afresh.
    fn verdicts(text: &str) -> Vec<Counted> {
        let mut counted = Vec::new();
        let mut fresh = false;
        for byte in text.bytes() {
            match byte {
                b'|' => fresh = true,
                byte => {
                    counted.push(Counted { failed: byte == b'x', dispatched: 0, fresh: std::mem::take(&mut fresh) })
                }
            }
        }
        counted
    }

    #[test]
    fn rules_trip_where_they_should() {
        let failed = verdicts(".x.xx.xxx");
        assert_eq!(Rule::Consecutive(2).trips(&failed), Some(4));
        assert_eq!(Rule::Consecutive(4).trips(&failed), None);
        assert_eq!(Rule::Share { failures: 3, window: 4 }.trips(&failed), Some(4));
        assert_eq!(Rule::Share { failures: 4, window: 5 }.trips(&failed), Some(7));
        assert_eq!(Rule::Share { failures: 5, window: 5 }.trips(&failed), None);
        // Sums: 0, .5, 0, .5, 1, .5, 1, 1.5, 2.
        assert_eq!(Rule::Cusum { reference: 0.5, height: 1.5 }.trips(&failed), Some(7));
        assert_eq!(Rule::Cusum { reference: 0.5, height: 3.0 }.trips(&failed), None);
    }

    #[test]
    fn rules_start_anew_with_a_batch_where_the_breaker_does() {
        let failed = verdicts(".xx|x.xx|xx");
        assert_eq!(Rule::Consecutive(3).trips(&failed), None);
        assert_eq!(Rule::Share { failures: 3, window: 4 }.trips(&failed), Some(6));
        assert_eq!(Rule::Share { failures: 3, window: 3 }.trips(&failed), None);
        assert_eq!(Rule::Cusum { reference: 0.0, height: 4.0 }.trips(&failed), None);
    }

    /// The policy's own rule trips exactly where the engine's breaker does.
    #[test]
    fn the_policys_own_rule_trips_where_the_engine_does() {
        for (order, scope) in
            [("observed", "rollout"), ("observed", "batch"), ("listed", "rollout"), ("listed", "batch")]
        {
            let text = format!(
                r#"
                seed = 5
                [fleet]
                instances = 30
                [[versions]]
                id = "v-1"
                [[versions]]
                id = "v-2"
                failure_rate = 0.1
                hang_rate = 0.1
                [rollout]
                target_version_id = "v-2"
                batch_pct = 20
                breaker_order = "{order}"
                breaker_scope = "{scope}"
                [reconciler]
                policy = "auto_approve"
                "#
            );
            let scenario = Scenario::parse("test.toml", text.as_bytes(), Format::Toml).unwrap();
            let real = CompiledScenario::new(&scenario).unwrap();
            let mut endless = scenario.clone();
            endless.rollout.max_consecutive_failures = NonZeroU32::MAX;
            let endless = CompiledScenario::new(&endless).unwrap();
            for replicate in 0..200 {
                let mut verdicts = Verdicts::new(&endless.settings);
                Simulator::new(&endless).run(replicate, &mut verdicts);
                let metrics = Simulator::new(&real).run(replicate, &mut dryroll_sim::sim::Unobserved);
                let at = Rule::Consecutive(2).trips(&verdicts.counted);
                assert_eq!(at.is_some(), metrics.trips > 0, "{order} {scope} {replicate}");
                if let Some(at) = at {
                    assert_eq!(verdicts.counted[at].dispatched, metrics.exposed, "{order} {scope} {replicate}");
                }
            }
        }
    }
}

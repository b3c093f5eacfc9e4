//! Hints: what another rule than failures in a row could do with the same batches.
//!
//! Rollouts run with a breaker that never trips, and every rule is then applied to the verdicts as the breaker would count
//! them: as they are observed, or where `breaker_order` is `listed` in plan order when their batch is complete; and where
//! `breaker_scope` is `batch` it starts anew with each batch. A rule is calibrated on good rollouts to trip no more of them than failures in a row do, and judged on the
//! bad ones by how much of the fleet was dispatched when it tripped.
//!
//! - *Failure share*: trips when so many of the last so many verdicts failed.
//! - *CUSUM* (Page, "Continuous inspection schemes", 1954): S grows by 1 − r on a failure and falls by r on a success, not below
//!   zero; trips at h. The reference r between the failing shares of the good and the bad version is the one of the likelihood
//!   ratio, ln((1−p₀)/(1−p₁)) / ln(p₁(1−p₀)/(p₀(1−p₁))).

use std::num::NonZeroU32;
use std::ops::Range;

use rayon::prelude::*;

use super::Tune;
use crate::engine::{BreakerOrder, BreakerScope, Direction, Engine, Event, EventBody, Recording, RolloutId, Settings};
use crate::sim::{Observer, Simulator, World};

/// Worlds of each version.
const WORLDS: u64 = 1000;
/// The largest fleet that verdicts are kept of.
const LARGEST_FLEET: u32 = 5000;
/// Lengths of the window of the failure share.
const WINDOWS: [usize; 4] = [5, 10, 15, 20];

/// What a rule does.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Which rule.
    pub rule: Rule,
    /// Share of good rollouts that it trips.
    pub false_trips: f64,
    /// Of each bad version: the share that it trips, and the mean share of the fleet dispatched by then, percent.
    pub bad: Vec<(f64, f64)>,
}

/// A rule that judges verdicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// So many failures in a row.
    Consecutive(u32),
    /// So many failures among so many last verdicts.
    Share {
        /// Failures.
        failures: usize,
        /// Verdicts.
        window: usize,
    },
    /// Page's rule.
    Cusum {
        /// What each success takes away.
        reference: f64,
        /// Trips at this height.
        height: f64,
    },
}

/// One verdict, as a breaker counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    failed: bool,
    /// Instances that were dispatched by then.
    dispatched: u32,
    /// Whether a rule starts anew with it.
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
    /// Verdicts of batches that are not complete: batch, position, failed.
    waiting: Vec<(u32, u32, bool)>,
    dispatched: u32,
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
    /// At which of the verdicts it trips.
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

/// Judges the recommended policy's own rule and the best of each other kind; the own one comes first. Empty where the fleet is
/// too large to keep its verdicts, or there is no bad version.
#[must_use]
pub fn hints(tune: &Tune, policy: usize, pool: &rayon::ThreadPool) -> Vec<Judged> {
    let versions = tune.versions();
    if versions < 2 || tune.scenario.fleet.instances > LARGEST_FLEET {
        return Vec::new();
    }
    let worlds: Vec<World> = (0..versions)
        .filter_map(|version| {
            let mut scenario = tune.cells.scenarios[tune.cell(policy, version)].clone();
            scenario.rollout.max_consecutive_failures = NonZeroU32::MAX;
            World::new(&scenario).ok()
        })
        .collect();
    let limit = tune.policy(policy).rollout.max_consecutive_failures.get();
    let seen: Vec<Vec<Verdicts>> = worlds.iter().map(|world| pool.install(|| observe(world, 0..WORLDS))).collect();
    let Some((good, bad)) = seen.split_first() else { return Vec::new() };
    let total = tune.cells.worlds[tune.cell(policy, 0)].total();
    let judge = |rule: Rule| Judged {
        rule,
        false_trips: false_trips(rule, good),
        bad: bad.iter().map(|runs| reach(rule, runs, total)).collect(),
    };
    let own = judge(Rule::Consecutive(limit));
    let allowed = own.false_trips;
    let pick = |rules: Vec<Rule>| {
        let fitting = rules.into_iter().filter(|&rule| false_trips(rule, good) <= allowed).map(judge);
        let exposed = |judged: &Judged| judged.bad.iter().map(|(_, exposed)| exposed).sum::<f64>();
        fitting.reduce(|best, next| if exposed(&next) < exposed(&best) { next } else { best })
    };
    let shares = WINDOWS.iter().flat_map(|&window| (2..=window).map(move |failures| Rule::Share { failures, window }));
    let best_share = pick(shares.collect());
    let best_cusum = pick(cusums(good, bad));
    std::iter::once(own).chain(best_share).chain(best_cusum).collect()
}

fn observe(world: &World, replicates: Range<u64>) -> Vec<Verdicts> {
    replicates
        .into_par_iter()
        .map_init(
            || Simulator::new(world),
            |simulator, replicate| {
                let mut verdicts = Verdicts::new(&world.settings);
                simulator.run(replicate, &mut verdicts);
                debug_assert!(simulator.engine().direction() == Direction::Forward);
                verdicts
            },
        )
        .collect()
}

fn false_trips(rule: Rule, good: &[Verdicts]) -> f64 {
    let trips = good.iter().filter(|run| rule.trips(&run.counted).is_some()).count();
    trips as f64 / good.len().max(1) as f64
}

/// The share of runs that it trips, and the mean share of the fleet that was dispatched then, percent: all of it where it
/// does not trip.
fn reach(rule: Rule, runs: &[Verdicts], total: u32) -> (f64, f64) {
    let (mut trips, mut dispatched) = (0u64, 0u64);
    for run in runs {
        match rule.trips(&run.counted) {
            Some(at) => {
                trips += 1;
                dispatched += u64::from(run.counted[at].dispatched);
            }
            None => dispatched += u64::from(run.dispatched),
        }
    }
    let n = runs.len().max(1) as f64;
    (trips as f64 / n, dispatched as f64 * 100.0 / n / f64::from(total.max(1)))
}

fn failing_share(runs: &[Verdicts]) -> f64 {
    let failed = runs.iter().flat_map(|run| &run.counted).filter(|verdict| verdict.failed).count();
    let all: usize = runs.iter().map(|run| run.counted.len()).sum();
    failed as f64 / all.max(1) as f64
}

/// CUSUMs for the bad version that is hardest to tell, with heights up to twenty failures.
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
    use crate::scenario::{Format, Scenario};

    /// `x` fails, `.` passes, `|` begins a batch in which rules start anew.
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

    /// The rule that the policy has trips just where the engine's breaker does.
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
            let real = World::new(&scenario).unwrap();
            let mut endless = scenario.clone();
            endless.rollout.max_consecutive_failures = NonZeroU32::MAX;
            let endless = World::new(&endless).unwrap();
            for replicate in 0..200 {
                let mut verdicts = Verdicts::new(&endless.settings);
                Simulator::new(&endless).run(replicate, &mut verdicts);
                let metrics = Simulator::new(&real).run(replicate, &mut crate::sim::Unobserved);
                let at = Rule::Consecutive(2).trips(&verdicts.counted);
                assert_eq!(at.is_some(), metrics.trips > 0, "{order} {scope} {replicate}");
                if let Some(at) = at {
                    assert_eq!(verdicts.counted[at].dispatched, metrics.exposed, "{order} {scope} {replicate}");
                }
            }
        }
    }
}

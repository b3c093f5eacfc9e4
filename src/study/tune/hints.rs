//! Hints: what another rule than failures in a row could do with the same batches.
//!
//! Rollouts run with a breaker that never trips, and every rule is then applied to the verdicts in the order in which the
//! engine gave them. A rule is calibrated on good rollouts to trip no more of them than failures in a row do, and judged on the
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
use crate::engine::{Direction, Engine, Event, EventBody, Recording, RolloutId};
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

/// Verdicts of one rollout in their order: whether each failed, and how many instances were dispatched by then.
#[derive(Clone, Debug, Default)]
struct Verdicts {
    failed: Vec<bool>,
    dispatched: Vec<u32>,
    so_far: u32,
}

impl Observer for Verdicts {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, _: &Engine, event: &Event) {
        if event.rollout != RolloutId::FIRST {
            return;
        }
        match &event.body {
            EventBody::InstanceStarted { .. } => self.so_far += 1,
            EventBody::InstanceHealthCheck { failure, .. } => {
                self.failed.push(failure.is_some());
                self.dispatched.push(self.so_far);
            }
            _ => {}
        }
    }
}

impl Rule {
    /// After how many verdicts it trips.
    fn trips(self, failed: &[bool]) -> Option<usize> {
        match self {
            Self::Consecutive(limit) => {
                let mut run = 0;
                failed.iter().position(|&failed| {
                    run = if failed { run + 1 } else { 0 };
                    run >= limit
                })
            }
            Self::Share { failures, window } => {
                let mut among = 0;
                (0..failed.len()).find(|&at| {
                    among += usize::from(failed[at]);
                    among -= usize::from(at >= window && failed[at - window]);
                    among >= failures
                })
            }
            Self::Cusum { reference, height } => {
                let mut sum: f64 = 0.0;
                failed.iter().position(|&failed| {
                    sum = (sum + f64::from(u8::from(failed)) - reference).max(0.0);
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
                let mut verdicts = Verdicts::default();
                simulator.run(replicate, &mut verdicts);
                debug_assert!(simulator.engine().direction() == Direction::Forward);
                verdicts
            },
        )
        .collect()
}

fn false_trips(rule: Rule, good: &[Verdicts]) -> f64 {
    let trips = good.iter().filter(|run| rule.trips(&run.failed).is_some()).count();
    trips as f64 / good.len().max(1) as f64
}

/// The share of runs that it trips, and the mean share of the fleet that was dispatched then, percent: all of it where it
/// does not trip.
fn reach(rule: Rule, runs: &[Verdicts], total: u32) -> (f64, f64) {
    let (mut trips, mut dispatched) = (0u64, 0u64);
    for run in runs {
        match rule.trips(&run.failed).and_then(|at| run.dispatched.get(at)) {
            Some(&by_then) => {
                trips += 1;
                dispatched += u64::from(by_then);
            }
            None => dispatched += u64::from(run.so_far),
        }
    }
    let n = runs.len().max(1) as f64;
    (trips as f64 / n, dispatched as f64 * 100.0 / n / f64::from(total.max(1)))
}

fn failing_share(runs: &[Verdicts]) -> f64 {
    let failed = runs.iter().flat_map(|run| &run.failed).filter(|&&failed| failed).count();
    let all: usize = runs.iter().map(|run| run.failed.len()).sum();
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

    fn verdicts(text: &str) -> Vec<bool> {
        text.bytes().map(|byte| byte == b'x').collect()
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
}

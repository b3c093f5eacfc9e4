//! Rules on each replicate: an outcome, a drift, a figure of one replicate, an event.

use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::{Doubt, Finding, Verdict, replicates_of};
use crate::study::round::WorkPlan;
use dryroll_engine::fleet::At;
use dryroll_engine::{Engine, Event, EventKind, Outcome, Recording};
use dryroll_sim::scenario::{Bound, Demand, EventDemand, ExpectSpec, Expected, Measure, Replicates};
use dryroll_sim::sim::{CompiledScenario, Observer, Simulator, Unobserved};

/// Replicates that are run before it is tested whether one of them has failed.
const AT_ONCE: u64 = 1024;

/// Whether a number is within a bound.
#[must_use]
pub fn fits(bound: &Bound, value: f64) -> bool {
    match bound {
        Bound::AtMost(most) => value <= *most,
        Bound::AtLeast(least) => value >= *least,
        Bound::Equals(Expected::Number(number)) => value == *number,
        Bound::Equals(_) => false,
    }
}

/// The result of a rule in one replicate; `None`: the rule does not apply there.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    observed: Option<Expected>,
    holds: Option<bool>,
    stalled: bool,
}

/// Decides a rule in each of its replicates: it holds if it holds in all of them.
#[must_use]
pub fn each(spec: &ExpectSpec, compiled: &CompiledScenario, workers: &WorkPlan<'_>, max_replicates: u64) -> Finding {
    let replicates = match spec.replicates {
        Replicates::One(replicate) => replicate..replicate.saturating_add(1),
        Replicates::First(_) => 0..replicates_of(spec).min(max_replicates),
    };
    let mut first = replicates.start;
    let mut last = None;
    let mut ended = 0;
    while first < replicates.end {
        let end = replicates.end.min(first.saturating_add(AT_ONCE));
        let shown: Vec<Option<Shown>> = workers.pool.install(|| {
            let make = || Simulator::new(compiled);
            let one = |simulator: &mut Simulator<'_>, replicate| {
                let running = !workers.stop.load(Ordering::Relaxed);
                let shown = running.then(|| show(spec, simulator, replicate));
                (workers.progress)(1);
                shown
            };
            (first..end).into_par_iter().map_init(make, one).collect()
        });
        for (replicate, shown) in (first..end).zip(shown) {
            let Some(Shown { observed, holds, stalled }) = shown else { return Finding::OPEN };
            let n = replicate - replicates.start + 1;
            ended += u64::from(stalled);
            let verdict = match holds {
                Some(true) => {
                    last = observed;
                    continue;
                }
                Some(false) => Verdict::Failed,
                None => Verdict::Undecided(Doubt::NothingMeasured),
            };
            return Finding { verdict, observed, n, worst: Some(replicate), ..Finding::OPEN };
        }
        first = end;
    }
    let enough = replicates_of(spec) <= replicates.end - replicates.start;
    let verdict = if enough { Verdict::Passed } else { Verdict::Undecided(Doubt::TooManyWorlds) };
    let n = replicates.end - replicates.start;
    Finding { verdict, observed: last, n, of: n, stalled: ended, ..Finding::OPEN }
}

fn show(spec: &ExpectSpec, simulator: &mut Simulator<'_>, replicate: u64) -> Shown {
    match &spec.demand {
        Demand::Limit(limit) => {
            let metrics = simulator.run(replicate, &mut Unobserved);
            let (observed, holds) = match (limit.metric, &limit.bound) {
                (Measure::Outcome, Bound::Equals(Expected::Text(wanted))) => {
                    let outcome = metrics.outcome.name();
                    (Some(Expected::Text(outcome.into())), Some(outcome == wanted))
                }
                (Measure::Metric(metric), bound) => {
                    let value = metrics.figure(metric);
                    (value.map(Expected::Number), value.map(|value| fits(bound, value)))
                }
                (_, Bound::Equals(Expected::Truth(wanted))) => {
                    (Some(Expected::Truth(metrics.drift)), Some(metrics.drift == *wanted))
                }
                // Validation of the scenario excludes this case.
                _ => (None, None),
            };
            Shown { observed, holds, stalled: metrics.outcome == Outcome::Stalled }
        }
        Demand::Event { event, batch_index, demand } => {
            let other = if let EventDemand::Before(other) = demand { Some(*other) } else { None };
            let mut watch = Watch { event: *event, batch_index: *batch_index, other, ..Watch::default() };
            let metrics = simulator.run(replicate, &mut watch);
            watch.shown(demand, metrics.outcome == Outcome::Stalled)
        }
    }
}

/// Counts the events of a kind, and records the first of them.
#[derive(Clone, Debug)]
struct Watch {
    event: EventKind,
    batch_index: Option<u32>,
    other: Option<EventKind>,
    times: u64,
    first: Option<At>,
    /// Whether the first event of the other kind came before the first one of this kind.
    other_was_first: bool,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            event: EventKind::Planned,
            batch_index: None,
            other: None,
            times: 0,
            first: None,
            other_was_first: false,
        }
    }
}

impl Watch {
    fn shown(&self, demand: &EventDemand, stalled: bool) -> Shown {
        let seconds = self.first.map(|at| at.0 as f64 / 1000.0);
        let (observed, holds) = match demand {
            EventDemand::Times(bound) => (Some(self.times as f64), fits(bound, self.times as f64)),
            EventDemand::Within(span) => (seconds, self.first.is_some_and(|at| at.0 <= span.0)),
            EventDemand::Before(_) => (seconds, self.first.is_some() && !self.other_was_first),
        };
        Shown { observed: observed.map(Expected::Number), holds: Some(holds), stalled }
    }
}

impl Observer for Watch {
    fn recording(&self) -> Recording {
        let of_instances =
            |kind: EventKind| matches!(kind, EventKind::InstanceStarted | EventKind::InstanceHealthCheck);
        if of_instances(self.event) || self.other.is_some_and(of_instances) {
            Recording::Everything
        } else {
            Recording::Milestones
        }
    }

    fn event(&mut self, _: &Engine, event: &Event) {
        let kind = event.body.kind();
        if kind == self.event && (self.batch_index.is_none() || self.batch_index == event.body.batch_index()) {
            self.times += 1;
            self.first.get_or_insert(event.at);
        } else if Some(kind) == self.other && self.first.is_none() {
            self.other_was_first = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_engine::fleet::Span;

    #[test]
    fn a_bound_holds_its_own_end() {
        assert!(fits(&Bound::AtMost(2.0), 2.0) && !fits(&Bound::AtMost(2.0), 2.1));
        assert!(fits(&Bound::AtLeast(2.0), 2.0) && !fits(&Bound::AtLeast(2.0), 1.9));
        assert!(fits(&Bound::Equals(Expected::Number(2.0)), 2.0));
        assert!(!fits(&Bound::Equals(Expected::Truth(true)), 1.0));
    }

    #[test]
    fn an_event_that_never_comes_comes_neither_soon_nor_first() {
        let never = Watch::default();
        let once = Watch { times: 1, first: Some(At(60_000)), ..Watch::default() };
        let late = Watch { other_was_first: true, ..once.clone() };
        let holds = |watch: &Watch, demand| watch.shown(&demand, false).holds;
        for demand in [EventDemand::Within(Span(60_000)), EventDemand::Before(EventKind::Finished)] {
            assert_eq!((holds(&never, demand.clone()), holds(&once, demand)), (Some(false), Some(true)));
        }
        assert_eq!(holds(&once, EventDemand::Within(Span(59_999))), Some(false));
        assert_eq!(holds(&late, EventDemand::Before(EventKind::Finished)), Some(false));
        assert_eq!(holds(&never, EventDemand::Times(Bound::Equals(Expected::Number(0.0)))), Some(true));
    }
}

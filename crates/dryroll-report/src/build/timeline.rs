//! Makes timelines: of a run that is over, or of a replicate that is run again for it.

use crate::events::chronicle::Chronicle;
use crate::model::timeline::{Bake, Batch, Failure, FaultSpan, Note, Request, Retry, Row, State, Timeline, Trip};
use dryroll_engine::fleet::{DigestId, Span};
use dryroll_engine::{Engine, Event, Recording, RolloutId};
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::{CompiledScenario, Doing, FaultEffect, Observer, Release, Segment, Simulator};

/// The most rows of a timeline.
const MOST_ROWS: u32 = 200;
/// The most failed verdicts that are listed.
const MOST_FAILURES: usize = 1000;
/// The most steps of the breaker's count; more of them are thinned out to the highest and the last of each stretch of
/// time.
const MOST_STEPS: usize = 2000;

/// Notes the breaker's count of failures in a row whenever it changes.
#[derive(Clone, Debug, Default)]
pub struct BreakerCount {
    steps: Vec<(u64, u32)>,
    limit: u32,
}

impl Observer for BreakerCount {
    fn recording(&self) -> Recording {
        // Each verdict can change it.
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        let Some((count, limit)) = engine.breaker() else { return };
        self.limit = limit;
        match self.steps.last_mut() {
            Some((_, last)) if *last == count => {}
            // Several of one moment: the most counts, unless it ends at nothing.
            Some((at, last)) if *at == event.at.0 && count > *last => *last = count,
            None if count == 0 => {}
            _ => self.steps.push((event.at.0, count)),
        }
    }
}

impl BreakerCount {
    /// So few steps that they can be drawn: all, or of each stretch of time the highest and the last.
    fn thinned(&self, end: u64) -> Vec<(u64, u32)> {
        if self.steps.len() <= MOST_STEPS {
            return self.steps.clone();
        }
        let stretch = end / (MOST_STEPS as u64 / 2) + 1;
        let mut thin = Vec::with_capacity(MOST_STEPS);
        for steps in self.steps.chunk_by(|a, b| a.0 / stretch == b.0 / stretch) {
            let highest = (0..steps.len()).max_by_key(|&i| (steps[i].1, std::cmp::Reverse(i))).unwrap_or(0);
            thin.push(steps[highest]);
            if highest + 1 < steps.len() {
                thin.push(steps[steps.len() - 1]);
            }
        }
        thin
    }
}

impl Timeline {
    /// The timeline of a run that is over, whose observers were `chronicle` and `breaker`.
    #[must_use]
    pub fn of(
        scenario: &Scenario,
        simulator: &mut Simulator<'_>,
        chronicle: &Chronicle,
        breaker: &BreakerCount,
        effects: &[FaultEffect],
    ) -> Self {
        let clock = simulator.clock();
        let end = clock.0;
        let names = scenario.fleet.names();
        let name = |id| names.name(id).to_string();
        let total = simulator.compiled().total();
        let target = simulator.compiled().digest(Release::Target);
        let instances = rows(total)
            .map(|position| {
                let id = name(simulator.engine().instance(position));
                Row { id, segments: segments(simulator.history(position, clock + Span(1)), target) }
            })
            .collect();
        let batches = chronicle.batches.iter().map(|batch| Batch {
            index: batch.index,
            rollback: batch.rollout != RolloutId::FIRST,
            from_ms: batch.started_at.0,
            to_ms: batch.completed_at.map_or(end, |at| at.0),
            healthy_count: batch.healthy_count,
            failed_count: batch.failed_count,
        });
        let failures = chronicle.failures.iter().take(MOST_FAILURES).map(|failure| Failure {
            at_ms: failure.at.0,
            instance_id: name(failure.instance),
            batch_index: failure.batch_index,
            rollback: failure.rollout != RolloutId::FIRST,
            reason: failure.reason.name().to_owned(),
            relapse: failure.relapse.map(|relapse| relapse.name().to_owned()),
        });
        let retries = chronicle.retries.iter().take(MOST_FAILURES).map(|retry| Retry {
            at_ms: retry.at.0,
            instance_id: name(retry.instance),
            batch_index: retry.batch_index,
            rollback: retry.rollout != RolloutId::FIRST,
            attempt: retry.attempt,
            reason: retry.reason.name().to_owned(),
        });
        let bakes = chronicle.bakes.iter().map(|bake| Bake {
            batch_index: bake.batch_index,
            from_ms: bake.from.0,
            to_ms: bake.until.0.min(end),
        });
        let notes = chronicle.notes.iter().map(|note| Note {
            at_ms: note.at.0,
            batch_index: note.batch_index,
            failed_instance_ids: note.failed.iter().map(|&id| name(id)).collect(),
            reason: note.reason.to_string(),
        });
        let trips = chronicle.trips.iter().map(|trip| Trip {
            at_ms: trip.at.0,
            batch_index: trip.batch_index,
            rollback: trip.rollout != RolloutId::FIRST,
            failed_instance_ids: trip.failed.iter().map(|&id| name(id)).collect(),
            reason: trip.rule_reason(),
            then: trip.then_name().map(str::to_owned),
            decision: trip.decided.map(|(decision, _)| decision.name().to_owned()),
            decided_at_ms: trip.decided.map(|(_, at)| at.0),
        });
        let requests = chronicle.requests.iter().map(|record| {
            let (to_ms, answer) = record.resolved.map_or((end, "no answer"), |(at, how)| (at.0, how));
            Request {
                id: record.request.to_string(),
                from_ms: record.opened_at.0,
                to_ms,
                answer: answer.replace('_', " "),
                promotes: record.promotes,
            }
        });
        let faults = effects.iter().filter_map(|effect| {
            let window = effect.window?;
            let touched_instances = effect.touched_instances;
            Some(FaultSpan {
                kind: effect.kind.to_owned(),
                from_ms: window.start.0,
                to_ms: window.end.0.min(end),
                touched_instances,
            })
        });
        Self {
            end_ms: end,
            total_instances: total,
            instances,
            batches: batches.collect(),
            failures: failures.collect(),
            failed_verdicts: chronicle.failures.len() as u64,
            retries: retries.collect(),
            bakes: bakes.collect(),
            trips: trips.collect(),
            notes: notes.collect(),
            breaker: breaker.thinned(end),
            limit: simulator.engine().breaker().map_or(0, |(_, limit)| limit),
            requests: requests.collect(),
            faults: faults.collect(),
        }
    }

    /// Runs one replicate and makes its timeline.
    #[must_use]
    pub fn replay(scenario: &Scenario, compiled: &CompiledScenario, replicate: u64) -> Self {
        let mut simulator = Simulator::new(compiled);
        let (mut chronicle, mut breaker) = (Chronicle::default(), BreakerCount::default());
        simulator.run(replicate, &mut (&mut chronicle, &mut breaker));
        let effects = simulator.fault_effects();
        Self::of(scenario, &mut simulator, &chronicle, &breaker, &effects)
    }
}

/// The positions that get a row: all, or as many as fit, evenly spaced, first and last among them.
fn rows(total: u32) -> impl Iterator<Item = u32> {
    let rows = total.min(MOST_ROWS);
    let (last, steps) = (u64::from(total.saturating_sub(1)), u64::from(rows.saturating_sub(1)).max(1));
    (0..u64::from(rows)).map(move |row| (row * last / steps) as u32)
}

fn segments(instance_history: impl Iterator<Item = Segment>, target: DigestId) -> Vec<(u64, State)> {
    let mut segments: Vec<(u64, State)> = Vec::new();
    for segment in instance_history {
        let state = state(&segment, target);
        if segments.last().is_none_or(|&(_, last)| last != state) {
            segments.push((segment.from.0, state));
        }
    }
    segments
}

fn state(segment: &Segment, target: DigestId) -> State {
    match segment.doing {
        Doing::Serving if segment.report.is_some() => State::Failed,
        Doing::Serving if segment.running == target => State::Target,
        Doing::Serving => State::Previous,
        Doing::Upgrading => State::Upgrading,
        Doing::Unhealthy => State::Unhealthy,
        Doing::Hung => State::Hung,
        Doing::Bricked => State::Bricked,
        Doing::Crashed => State::Crashed,
        Doing::Dead => State::Dead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(name: &str) -> Timeline {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(name);
        let scenario = Scenario::load(&path).unwrap();
        let compiled = CompiledScenario::new(&scenario).unwrap();
        Timeline::replay(&scenario, &compiled, 0)
    }

    #[test]
    fn a_rollback_as_the_account_tells_it() {
        let timeline = replay("broken-rollback.toml");
        assert_eq!((timeline.total_instances, timeline.instances.len()), (50, 50));
        assert_eq!(timeline.end_ms, 672_006);
        assert_eq!(timeline.limit, 2);
        assert_eq!(
            timeline.batches.iter().map(|b| (b.index, b.rollback)).collect::<Vec<_>>(),
            [(0, false), (0, true), (1, true)]
        );
        let trip = &timeline.trips[0];
        assert_eq!((trip.at_ms, trip.decision.as_deref()), (171_198, Some("rollback_completed_batches")));
        assert_eq!(trip.failed_instance_ids, ["i-00008", "i-00007"]);
        // The verdicts that trip it are the first ones; those that are on their way still come.
        let first = timeline.failures.iter().filter(|failure| !failure.rollback);
        let known: Vec<_> = first.map(|failure| (failure.instance_id.as_str(), failure.reason.as_str())).collect();
        assert_eq!(known[..2], [("i-00008", "upgrade_failed"), ("i-00007", "upgrade_failed")]);
        assert_eq!(timeline.failed_verdicts, timeline.failures.len() as u64);
        // One, two, and afresh for the rollback.
        assert_eq!(timeline.breaker.iter().map(|step| step.1).collect::<Vec<_>>()[..2], [1, 2]);
        assert!(timeline.breaker.iter().all(|&(_, count)| count <= 10));
        let answers: Vec<_> = timeline.requests.iter().map(|r| (r.to_ms, r.answer.as_str())).collect();
        assert_eq!(answers, [(120_000, "approve"), (471_198, "rollback completed batches")]);
        // What was never commanded serves as before, from the first moment to the last.
        assert_eq!(timeline.instances[49].segments, [(0, State::Previous)]);
        let states: Vec<_> = timeline.instances[7].segments.iter().map(|segment| segment.1).collect();
        assert_eq!(states[..3], [State::Previous, State::Upgrading, State::Failed]);
    }

    #[test]
    fn of_a_large_fleet_evenly_spaced_rows() {
        let timeline = replay("fleet-5000.toml");
        assert_eq!((timeline.total_instances, timeline.instances.len()), (5000, 200));
        for pair in timeline.instances.windows(2) {
            assert!(pair[0].id < pair[1].id);
        }
        assert_eq!(rows(0).count(), 0);
        assert_eq!(rows(1).collect::<Vec<_>>(), [0]);
        assert_eq!(rows(5000).last(), Some(4999));
    }

    #[test]
    fn many_steps_are_thinned_to_their_heights() {
        let steps: Vec<(u64, u32)> = (0..10_000).map(|i| (i, (i % 7) as u32)).collect();
        let thin = BreakerCount { steps, limit: 9 }.thinned(10_000);
        assert!(thin.len() <= MOST_STEPS, "{}", thin.len());
        assert_eq!(thin.iter().map(|step| step.1).max(), Some(6));
        assert!(thin.is_sorted_by_key(|step| step.0));
        assert_eq!(thin.last(), Some(&(9999, 9999 % 7)));
    }
}

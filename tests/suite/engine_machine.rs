//! The engine under inputs in any order, held against a second, plain reading of the rules.
//!
//! The monitor knows the settings and sees inputs and events, nothing of the engine's internals.

use crate::common::engine as bench;
use crate::common::engine_runs as runs;

use std::collections::BTreeMap;

use bench::{NEW, OLD, deeds, deeds_told, events, line};
use dryroll::engine::{
    Answer, BreakerOrder, BreakerScope, Direction, Engine, Entry, Event, EventBody, Input, OperatorDecision, Outcome,
    Reason, RolloutId, Settings,
};
use dryroll::fleet::{At, Heartbeat};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use runs::{HandIn, cases, config, hand_in};

/// What is dispatched, judged and counted, by the events.
struct ReferenceMonitor {
    settings: Settings,
    total: u32,
    limit: usize,
    batch_size: u32,
    clock: At,
    newest_sent: BTreeMap<u32, At>,
    walk: Walk,
    taken_forward: u32,
    finished: bool,
    /// A deadline that has to be the next input taken.
    deadline_expected: Option<u32>,
}

/// What the engine took since it was last asked, each input with the events that it brought about.
fn taken(engine: &mut Engine) -> Vec<(At, Input, Vec<Event>)> {
    let mut taken: Vec<(At, Input, Vec<Event>)> = vec![];
    while let Some(entry) = engine.poll_entry() {
        match entry {
            Entry::Input { now, input } => taken.push((now, input, vec![])),
            Entry::Event(event) => taken.last_mut().expect("an input comes before its events").2.push(event),
        }
    }
    taken
}

/// One rollout, or its rollback.
struct Walk {
    rollout: RolloutId,
    to: Direction,
    total: u32,
    batches: u32,
    /// The open batch's instances that were dispatched, each with its verdict: `Some(true)` for a failure.
    batch: Option<Batch>,
    dispatched_at: BTreeMap<u32, At>,
    in_flight: Vec<u32>,
    judged: u32,
    told_in_batches: u32,
    run: Vec<u32>,
    tripped: bool,
    /// A trip that has to be the next event.
    due_trip: Option<Vec<u32>>,
    /// Nothing may be dispatched before a tick.
    needs_tick: bool,
}

struct Batch {
    size: u32,
    verdicts: BTreeMap<u32, Option<bool>>,
}

impl Batch {
    fn is_judged(&self) -> bool {
        self.verdicts.len() as u32 == self.size && self.verdicts.values().all(Option::is_some)
    }
}

impl Walk {
    fn new(rollout: u32, to: Direction, total: u32) -> Self {
        Walk {
            rollout: RolloutId(rollout),
            to,
            total,
            batches: 0,
            batch: None,
            dispatched_at: BTreeMap::new(),
            in_flight: vec![],
            judged: 0,
            told_in_batches: 0,
            run: vec![],
            tripped: false,
            due_trip: None,
            needs_tick: true,
        }
    }

    fn wanted(&self) -> dryroll::fleet::DigestId {
        if self.to == Direction::Forward { NEW } else { OLD }
    }
}

impl ReferenceMonitor {
    fn new(total: u32, settings: &Settings) -> Self {
        ReferenceMonitor {
            total,
            limit: settings.max_consecutive_failures.map_or(usize::MAX, |limit| limit.get() as usize),
            batch_size: 0,
            clock: At::ZERO,
            newest_sent: BTreeMap::new(),
            walk: Walk::new(1, Direction::Forward, total),
            taken_forward: 0,
            finished: false,
            deadline_expected: None,
            settings: settings.clone(),
        }
    }

    /// The verdict that an input has to bring, by §4.
    fn verdict_due(&mut self, now: At, input: Input) -> Option<(u32, Option<Reason>)> {
        self.clock = self.clock.max(now);
        let timeout = self.settings.health_timeout;
        match input {
            Input::Heartbeat { arrived, heartbeat } => {
                let Heartbeat { instance, sent_at, digest, healthy, failed_upgrade } = heartbeat;
                let newest = self.newest_sent.entry(instance.0).or_default();
                if sent_at < *newest {
                    return None;
                }
                *newest = sent_at;
                let dispatched_at = *self.walk.dispatched_at.get(&instance.0)?;
                let in_time = dispatched_at <= arrived && arrived <= dispatched_at + timeout;
                if self.finished || !self.walk.in_flight.contains(&instance.0) || !in_time {
                    return None;
                }
                if failed_upgrade == Some(self.walk.wanted()) {
                    return Some((instance.0, Some(Reason::UpgradeFailed)));
                }
                (healthy && digest == self.walk.wanted()).then_some((instance.0, None))
            }
            Input::Deadline if !self.finished => {
                let due = |id: &&u32| self.walk.dispatched_at[id] + timeout;
                let first = self.walk.in_flight.iter().min_by_key(|id| (due(id), **id))?;
                (due(&first) <= self.clock).then_some((*first, Some(Reason::HealthTimeout)))
            }
            _ => None,
        }
    }

    /// A timeout takes the deadline that is due by its moment, and nothing before it: a tick of the same moment waits.
    fn expects_deadline(&mut self, now: At, what: HandIn) {
        let due = |id: u32| self.walk.dispatched_at[&id] + self.settings.health_timeout;
        let first = self.walk.in_flight.iter().copied().min_by_key(|&id| (due(id), id));
        // A tick that was due before comes first, late as it is.
        let tick = self.walk.needs_tick && !self.walk.tripped;
        let expected = first.filter(|&id| due(id) <= now && !(tick && due(id) > self.clock));
        self.deadline_expected = expected.filter(|_| matches!(what, HandIn::Timeout) && !self.finished);
    }

    /// One input and all that came of it.
    fn see(&mut self, now: At, input: Input, emitted: &[Event]) {
        if self.deadline_expected.take().is_some() {
            assert_eq!(input, Input::Deadline);
        }
        let due = self.verdict_due(now, input);
        let first = emitted.first().and_then(|event| match event.body {
            EventBody::InstanceHealthCheck { instance, failure, .. } => Some((instance.0, failure)),
            _ => None,
        });
        assert_eq!(first, due, "the verdict of {input:?}");
        if input == Input::Tick && !self.walk.tripped {
            self.walk.needs_tick = false;
        }
        for (index, event) in emitted.iter().enumerate() {
            assert!(!self.finished, "after the end: {}", line(event));
            assert_eq!(event.at, self.clock, "{}", line(event));
            assert!(index == 0 || !matches!(event.body, EventBody::InstanceHealthCheck { .. }), "one verdict an input");
            self.note(event, input);
        }
        let walk = &self.walk;
        assert_eq!(walk.due_trip, None, "it trips at once");
        assert!(self.finished || !walk.batch.as_ref().is_some_and(Batch::is_judged), "it completes at once");
    }

    fn note(&mut self, event: &Event, input: Input) {
        let walk = &mut self.walk;
        if let Some(run) = walk.due_trip.take() {
            let EventBody::CircuitBreakerTripped { failed, .. } = &event.body else {
                panic!("no trip: {}", line(event))
            };
            assert_eq!(failed.iter().map(|id| id.0).collect::<Vec<_>>(), run);
            walk.tripped = true;
            walk.needs_tick = true;
            return;
        }
        if let Some(index) = event.body.batch_index() {
            assert_eq!((event.rollout, index + 1), (walk.rollout, walk.batches + u32::from(walk.batch.is_none())));
        }
        match &event.body {
            EventBody::CircuitBreakerTripped { .. } => panic!("no reason to trip: {}", line(event)),
            EventBody::Planned { batch_size, .. } => self.batch_size = *batch_size,
            EventBody::BatchStarted { instance_count, .. } => {
                assert!(input == Input::Tick && walk.batch.is_none() && !walk.tripped);
                let size = match walk.to {
                    Direction::Forward => self.batch_size,
                    Direction::Back => {
                        (walk.total * self.settings.rollback_batches.as_pct().expect("a percentage")).div_ceil(100)
                    }
                };
                assert_eq!(*instance_count, size.min(walk.total - walk.dispatched_at.len() as u32));
                walk.batch = Some(Batch { size: *instance_count, verdicts: BTreeMap::new() });
                walk.batches += 1;
                if self.settings.breaker_scope == BreakerScope::Batch {
                    walk.run.clear();
                }
            }
            EventBody::InstanceStarted { instance, to, .. } => {
                assert!(!walk.tripped && !walk.needs_tick, "nothing starts now: {}", line(event));
                assert_eq!((*to, instance.0), (walk.to, walk.dispatched_at.len() as u32), "once each, in plan order");
                walk.dispatched_at.insert(instance.0, self.clock);
                walk.in_flight.push(instance.0);
                let batch = walk.batch.as_mut().expect("a batch is open");
                batch.verdicts.insert(instance.0, None);
                assert!(batch.verdicts.len() as u32 <= batch.size);
                let max = self.settings.most_in_flight(self.total).map_or(usize::MAX, |max| max.get() as usize);
                assert!(walk.in_flight.len() <= max, "more in flight than {max}");
            }
            EventBody::InstanceHealthCheck { instance, failure, .. } => {
                let place = walk.in_flight.iter().position(|&id| id == instance.0).expect("it was in flight");
                walk.in_flight.remove(place);
                walk.judged += 1;
                let batch = walk.batch.as_mut().expect("a batch is open");
                batch.verdicts.insert(instance.0, Some(failure.is_some()));
                let counted: Vec<(u32, bool)> = match self.settings.breaker_order {
                    _ if walk.tripped => vec![],
                    BreakerOrder::Observed => vec![(instance.0, failure.is_some())],
                    BreakerOrder::Listed if batch.is_judged() => {
                        batch.verdicts.iter().map(|(&id, &failed)| (id, failed == Some(true))).collect()
                    }
                    BreakerOrder::Listed => vec![],
                };
                for (id, failed) in counted {
                    if !failed {
                        walk.run.clear();
                        continue;
                    }
                    walk.run.push(id);
                    if walk.run.len() == self.limit {
                        walk.due_trip = Some(std::mem::take(&mut walk.run));
                        break;
                    }
                }
            }
            EventBody::BatchCompleted { healthy_count, failed_count, .. } => {
                let batch = walk.batch.take().expect("a batch was open");
                assert!(batch.is_judged());
                let failed = batch.verdicts.values().filter(|&&failed| failed == Some(true)).count() as u32;
                assert_eq!((*failed_count, *healthy_count), (failed, batch.size - failed));
                walk.told_in_batches += healthy_count + failed_count;
                assert_eq!(walk.told_in_batches, walk.judged, "what batches tell is what was judged");
                walk.needs_tick = true;
            }
            EventBody::ApprovalDecided { answer, .. } => match answer {
                Answer::OnTrip(OperatorDecision::ContinueAnyway) => {
                    assert!(walk.tripped);
                    walk.tripped = false;
                    walk.run.clear();
                }
                Answer::Edit(edit) => {
                    self.limit = edit.max_consecutive_failures.map_or(self.limit, |limit| limit.get() as usize);
                }
                _ => {}
            },
            EventBody::RollbackStarted { instance_count } => {
                assert!(walk.tripped && walk.to == Direction::Forward && event.rollout == RolloutId(2));
                assert_eq!(*instance_count as usize, walk.dispatched_at.len());
                self.taken_forward = *instance_count;
                self.walk = Walk::new(2, Direction::Back, *instance_count);
            }
            EventBody::Finished { outcome } => {
                assert_eq!(event.rollout, RolloutId::FIRST);
                self.finished = true;
                match outcome {
                    Outcome::Completed => assert_eq!((walk.to, walk.told_in_batches), (Direction::Forward, self.total)),
                    Outcome::RolledBack => {
                        assert_eq!((walk.to, walk.told_in_batches), (Direction::Back, self.taken_forward));
                    }
                    Outcome::Aborted | Outcome::RollbackFailed => assert!(walk.tripped),
                    _ => {}
                }
            }
            EventBody::InstanceRetried { .. } | EventBody::InstanceRelapsed { .. } | EventBody::BreakerNoted { .. } => {
                panic!("the tutorial's policy has none: {}", line(event))
            }
            EventBody::ApprovalRequested { .. } | EventBody::OperatorNotified | EventBody::RollbackFailed => {}
        }
    }

    /// What the engine answers agrees with the events that it emitted.
    fn agrees(&self, engine: &Engine) {
        assert_eq!(engine.is_finished(), self.finished);
        if self.finished {
            assert_eq!((engine.in_flight(), engine.poll_timeout(), engine.pending_request()), (0, None, None));
            assert!(!engine.awaits_tick());
            return;
        }
        assert_eq!(engine.in_flight() as usize, self.walk.in_flight.len());
        assert!(self.walk.in_flight.is_empty() || engine.poll_timeout().is_some());
        if self.walk.tripped {
            assert!(engine.pending_request().is_some() && !engine.awaits_tick());
        }
    }
}

proptest! {
    #![proptest_config(config(|cases| cases * 4))]

    /// The assertions are the watch's; that a fair driver always comes to an end is `Case::drive`'s.
    #[test]
    fn the_rules_hold_whatever_comes_in(case in cases()) {
        let mut monitor = ReferenceMonitor::new(case.total, &case.settings);
        let mut engine = case.new_engine();
        case.drive(&mut engine, |engine, now, what| {
            monitor.expects_deadline(now, what);
            hand_in(engine, now, what);
            let mut all_emitted = vec![];
            for (now, input, emitted) in taken(engine) {
                monitor.see(now, input, &emitted);
                all_emitted.extend(emitted);
            }
            assert_eq!(deeds(engine), deeds_told(&all_emitted), "commands and events agree");
            assert!(monitor.deadline_expected.is_none(), "a deadline that is due is taken");
            monitor.agrees(engine);
        });
        prop_assert!(monitor.finished, "exactly one `finished`");
    }
}

/// The runs are worth nothing if they never get anywhere: each kind of end, and each kind of trip, comes up.
#[test]
fn the_runs_reach_every_end_and_every_trip() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..1500 {
        let case = cases().new_tree(&mut runner).expect("a case").current();
        let mut engine = case.new_engine();
        let order = case.settings.breaker_order;
        case.drive(&mut engine, |engine, now, what| {
            hand_in(engine, now, what);
            for event in events(engine) {
                let what = match &event.body {
                    EventBody::CircuitBreakerTripped { .. } => format!("{order:?} trip of {}", event.rollout),
                    EventBody::ApprovalDecided { answer: Answer::OnTrip(decision), .. } => {
                        format!("{} of {}", decision.name(), event.rollout)
                    }
                    EventBody::Finished { outcome } => outcome.to_string(),
                    _ => continue,
                };
                *seen.entry(what).or_default() += 1;
            }
        });
    }
    for (what, at_least) in [
        ("Observed trip of r-1", 300),
        ("Listed trip of r-1", 200),
        ("Observed trip of r-2", 50),
        ("Listed trip of r-2", 50),
        ("continue_anyway of r-1", 200),
        ("continue_anyway of r-2", 50),
        ("abort of r-2", 20),
        ("completed", 200),
        ("aborted", 50),
        ("rolled_back", 50),
        ("rollback_failed", 10),
        ("rejected", 10),
        ("expired", 10),
        ("stalled", 10),
    ] {
        let found = seen.get(what).copied().unwrap_or_default();
        assert!(found >= at_least, "{what}: {found} of {seen:?}");
    }
}

//! Restart (§9): an engine that is rebuilt from any prefix of its journal continues as if it had never stopped.

use crate::common::engine as bench;
use crate::common::engine_runs as runs;
use bench::{ALWAYS, Bench, Deed, NEW, at_least_one, beat, deeds, events, plan, settings};
use dryroll::engine::{Direction, Engine, Entry, Event, Input, Journal, JournalError, Recording};
use dryroll::fleet::{At, InstanceId, Span};
use proptest::prelude::*;
use runs::{Run, cases, config};

fn events_of(entries: &[Entry]) -> Vec<Event> {
    let event = |entry: &Entry| match entry {
        Entry::Event(event) => Some(event.clone()),
        Entry::Input { .. } => None,
    };
    entries.iter().filter_map(event).collect()
}

fn prefix(journal: &Journal, len: usize) -> Journal {
    Journal { entries: journal.entries[..len].to_vec(), ..journal.clone() }
}

/// Hands in what an engine took, at the moment at which it took it.
fn take_again(engine: &mut Engine, now: At, input: Input) {
    match input {
        Input::Request => engine.handle_request(now),
        Input::Heartbeat { arrived, heartbeat } => {
            engine.handle_heartbeat(now, arrived, &heartbeat);
        }
        Input::Silence { instance } => {
            engine.handle_silence(now, instance);
        }
        Input::Deadline | Input::NoProgress | Input::Expiry | Input::BakeEnd | Input::Tick => {
            engine.handle_timeout(now);
        }
        Input::Answer { request, answer } => {
            // The deadlines that came before it are in the journal, and those of its own moment on are not before it.
            engine.resume(now);
            let _refused = engine.handle_answer(At::ZERO, request, answer);
        }
        Input::PreviousGone => engine.handle_previous_gone(now),
        Input::Horizon => engine.handle_horizon(now),
    }
}

/// Rebuilds from the first `len` entries, hands in what is left, and says what came of it.
fn continued(journal: &Journal, len: usize) -> (Engine, Vec<Event>, Vec<Deed>) {
    let mut engine = prefix(journal, len).rebuild(ALWAYS).expect("a true journal");
    let (mut emitted, mut done) = (events(&mut engine), deeds(&mut engine));
    for entry in &journal.entries[len..] {
        if let Entry::Input { now, input } = entry {
            take_again(&mut engine, *now, *input);
            emitted.extend(events(&mut engine));
            done.extend(deeds(&mut engine));
        }
    }
    (engine, emitted, done)
}

/// What is left of an engine once its queues are empty: everything that it can be asked.
fn view(engine: &Engine) -> String {
    let total = engine.plan().total_instances();
    let seats: Vec<_> = (0..total)
        .map(|p| (engine.phase(p, Direction::Forward), engine.phase(p, Direction::Back), engine.dispatched_at(p)))
        .collect();
    let phases: Vec<_> = (0..engine.plan().batch_count()).map(|index| engine.batch_phase(index)).collect();
    format!(
        "{:?} {:?} {:?} {:?} {seats:?} {phases:?}",
        engine.outcome(),
        engine.plan(),
        engine.breaker(),
        engine.dispatched()
    )
}

proptest! {
    #![proptest_config(config(|cases| cases / 2))]

    #[test]
    fn s9_every_prefix_continues_as_the_uninterrupted_run(case in cases()) {
        let Run { journal, deeds, engine } = case.journal();
        for len in 0..=journal.entries.len() {
            let (rebuilt, emitted, done) = continued(&journal, len);
            let shown = bench::deeds_told(&events_of(&journal.entries[..len])).len();
            prop_assert_eq!(emitted, events_of(&journal.entries[len..]), "events after {} entries", len);
            prop_assert_eq!(&done, &deeds[shown..], "commands after {} entries", len);
            prop_assert_eq!(view(&rebuilt), view(&engine));
        }
    }

    #[test]
    fn s9_a_journal_survives_json(case in cases()) {
        let Run { journal, .. } = case.journal();
        let text = serde_json::to_string(&journal).unwrap();
        let read: Journal = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &journal);
        prop_assert!(read.rebuild(ALWAYS).is_ok());
    }

    #[test]
    fn s9_a_journal_with_an_altered_event_is_refused(case in cases(), which in any::<prop::sample::Index>()) {
        let Run { journal, .. } = case.journal();
        let places: Vec<_> =
            (0..journal.entries.len()).filter(|&at| matches!(journal.entries[at], Entry::Event(_))).collect();
        let entry = *which.get(&places);
        let refused = Err(JournalError::Diverged { entry });

        let mut later = journal.clone();
        let Entry::Event(event) = &mut later.entries[entry] else { unreachable!() };
        event.at += Span(1);
        prop_assert_eq!(later.rebuild(ALWAYS).map(|_| ()), refused);

        let mut twice = journal.clone();
        twice.entries.insert(entry, journal.entries[entry].clone());
        prop_assert_eq!(twice.rebuild(ALWAYS).map(|_| ()), Err(JournalError::Diverged { entry: entry + 1 }));

        let mut missing = journal.clone();
        missing.entries.remove(entry);
        let is_prefix = entry == missing.entries.len();
        prop_assert_eq!(missing.rebuild(ALWAYS).is_ok(), is_prefix);
    }

    #[test]
    fn s9_a_journal_that_lost_an_input_is_refused(case in cases()) {
        let Run { mut journal, .. } = case.journal();
        let is_cause = |pair: &[Entry]| matches!(pair, [Entry::Input { .. }, Entry::Event(_)]);
        let entry = journal.entries.windows(2).rposition(is_cause).expect("something had an effect");
        journal.entries.remove(entry);
        prop_assert_eq!(journal.rebuild(ALWAYS).map(|_| ()), Err(JournalError::Diverged { entry }));
    }
}

/// Two of four in flight, and the controller dies with `len` entries written.
fn small() -> Journal {
    let mut settings = settings();
    settings.max_in_flight = Some(dryroll::engine::Size::Count(at_least_one(2)));
    settings.batches = dryroll::engine::BatchSizes::pct(100);
    let mut journal = Journal::new(plan(4, &settings), settings.clone());
    let mut engine = Engine::new(journal.plan.clone(), settings, ALWAYS, Recording::Journal);
    for (now, input) in
        [(0, Input::Request), (0, Input::Tick), (50, Input::Heartbeat { arrived: At(50), heartbeat: beat(1, 50, NEW) })]
    {
        take_again(&mut engine, At(now), input);
        journal.entries.extend(std::iter::from_fn(|| engine.poll_entry()));
    }
    journal
}

#[test]
fn s9_a_start_that_the_journal_shows_is_not_commanded_again() {
    // Request, planned, tick, batch 0 starts, 0 starts, | 1 starts, …
    let (_, emitted, done) = continued(&prefix(&small(), 5), 5);
    assert_eq!(done, [Deed::Upgrade(Direction::Forward, InstanceId(1))]);
    assert_eq!(emitted.iter().map(bench::line).collect::<Vec<_>>(), ["0 r-1 b0 1 to v2"]);
    let (_, _, done) = continued(&prefix(&small(), 6), 6);
    assert_eq!(done, []);
}

#[test]
fn s9_no_verdict_and_no_count_is_lost() {
    let mut engine = small().rebuild(ALWAYS).unwrap();
    assert_eq!(engine.in_flight(), 2);
    assert_eq!(engine.poll_timeout(), Some(At(300)), "dispatched at 0, not at the restart");
    assert_eq!((engine.poll_event(), engine.poll_command()), (None, None));
    engine.handle_timeout(At(300));
    assert_eq!(engine.breaker(), Some((1, 2)));
}

#[test]
fn s9_a_journal_of_other_settings_or_another_plan_is_refused() {
    let mut other = small();
    other.settings.max_in_flight = None;
    assert_eq!(other.rebuild(ALWAYS).map(|_| ()), Err(JournalError::Diverged { entry: 6 }), "a third instance starts");
    let mut other = small();
    other.plan = plan(5, &other.settings);
    assert_eq!(other.rebuild(ALWAYS).map(|_| ()), Err(JournalError::Diverged { entry: 1 }));
}

#[test]
fn s9_an_empty_journal_is_a_rollout_that_has_not_begun() {
    let journal = Journal { entries: vec![], ..small() };
    let mut bench = Bench::new(4, |_| ());
    bench.engine = journal.rebuild(ALWAYS).unwrap();
    bench.says_nothing();
    bench.request(0);
    bench.says("0 r-1 planned 4 = 1 x 4");
}

//! The screen of a drill: whatever is pressed, whenever, at whatever size, nothing breaks and the record is the run.
//! What it looks like stands in `tests/golden/console`; `UPDATE_GOLDEN=1 cargo test --test suite console::` writes it
//! anew, read the difference.

use crate::common::events;

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use dryroll::console::{Feed, Key, Model, Stands, Theme, draw};
use dryroll::drill::{Briefing, Cell, Controller, Drill, Pace, Record, Speed};
use dryroll::engine::RequestKind;
use dryroll::scenario::{Format, Scenario};
use dryroll::sim::CompiledScenario;
use events::Events;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

const SCENARIOS: [&str; 8] = [
    "broken-rollback",
    "broken-continue",
    "controller-crash",
    "rollback-archived",
    "trip-in-rollback",
    "slow-burn",
    "zone-outage",
    "blocked-policy",
];
const COLOURED: Theme = Theme { is_coloured: true };
const PLAIN: Theme = Theme { is_coloured: false };

fn scenario(name: &str) -> Scenario {
    Scenario::load(format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR")).as_ref()).unwrap()
}

fn model<'c>(scenario: &Scenario, compiled: &'c CompiledScenario, replicate: u64) -> Model<'c, Events> {
    let mut observers = (Feed::new(Briefing::new(scenario), 100), Events::default());
    let drill = Drill::new(compiled, replicate, &mut observers);
    Model::new(Controller::new(drill, Pace::new(Speed::new(60).unwrap(), Duration::ZERO), observers))
}

/// A model that is led by hand, with a clock and a screen of its own.
struct Bench<'c> {
    model: Model<'c, Events>,
    wall: Duration,
    terminal: Terminal<TestBackend>,
}

impl<'c> Bench<'c> {
    fn new(scenario: &Scenario, compiled: &'c CompiledScenario, columns: u16, rows: u16) -> Self {
        let terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        Self { model: model(scenario, compiled, 0), wall: Duration::ZERO, terminal }
    }

    fn wait(&mut self, millis: u64) {
        self.wall += Duration::from_millis(millis);
        self.model.advance(self.wall);
    }

    fn press(&mut self, keys: &str) {
        for letter in keys.chars() {
            let key = match letter {
                '\n' => Key::Enter,
                '\t' => Key::Tab,
                '^' => Key::Escape,
                'v' => Key::Down,
                letter => Key::Char(letter),
            };
            self.model.key(self.wall, key);
        }
    }

    fn screen(&mut self, theme: Theme) -> String {
        self.terminal.draw(|frame| draw(frame, &mut self.model, theme)).unwrap();
        let buffer = self.terminal.backend().buffer();
        let mut text = String::new();
        for row in buffer.content().chunks(usize::from(buffer.area.width)) {
            let row: String = row.iter().map(|cell| cell.symbol()).collect();
            writeln!(text, "{}", row.trim_end()).unwrap();
        }
        text
    }

    fn shows(&mut self, name: &str) -> String {
        let screen = self.screen(PLAIN);
        let path: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "tests/golden/console", &format!("{name}.txt")].iter().collect();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &screen).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(screen, golden, "{name}: it shows\n{screen}");
        screen
    }
}

#[test]
fn a_drill_from_its_plan_to_its_end() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    for (columns, rows) in [(80, 24), (60, 20), (120, 30)] {
        let mut bench = Bench::new(&scenario, &compiled, columns, rows);
        let name = |what: &str| format!("{what}-{columns}x{rows}");
        bench.wait(500);
        bench.shows(&name("plan"));
        bench.press("e10\t1");
        bench.shows(&name("edit"));
        bench.press("^r");
        bench.shows(&name("reject"));
        bench.press("n");
        bench.press("ad");
        bench.wait(1000);
        let tripped = bench.shows(&name("trip"));
        assert!(tripped.contains("TRIPPED") && tripped.contains("3  abort"), "{tripped}");
        assert!(!tripped.contains("defective"), "the truth is not told");
        bench.press("?");
        bench.shows(&name("keys"));
        bench.press("?2y");
        bench.wait(1200);
        bench.shows(&name("rollback"));
        bench.press("d");
        bench.shows(&name("over"));
        bench.press("q");
        assert_eq!(bench.model.stands(), Stands::Over);
    }
}

/// Everything that colour says, shapes and words say.
#[test]
fn without_colour_the_same_is_shown() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut bench = Bench::new(&scenario, &compiled, 80, 24);
    for keys in ["", "ad", "2", "y", "d"] {
        bench.press(keys);
        let coloured = bench.screen(COLOURED);
        assert_eq!(bench.screen(PLAIN), coloured);
        let cells = bench.terminal.backend().buffer().content();
        assert!(cells.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    }
}

#[test]
fn a_small_screen_says_so_and_still_takes_keys() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut bench = Bench::new(&scenario, &compiled, 39, 9);
    assert!(bench.screen(PLAIN).starts_with("too small: 40 × 10 at least"));
    bench.press("a");
    assert_eq!(bench.model.controller().drill().decisions().len(), 1);
    bench.press("qy");
    assert_eq!(bench.model.stands(), Stands::Left);
}

#[test]
fn the_smallest_screen_names_every_answer() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut bench = Bench::new(&scenario, &compiled, 40, 10);
    let asked = bench.screen(PLAIN);
    assert!(["a  approve", "e  edit", "r  reject"].iter().all(|answer| asked.contains(answer)), "{asked}");
    bench.press("ad");
    let asked = bench.screen(PLAIN);
    let answers = ["1  continue_anyway", "2  rollback_completed_batches", "3  abort"];
    assert!(answers.iter().all(|answer| asked.contains(answer)), "{asked}");
}

/// An answer that cannot be undone needs confirmation, and an expired request gets no answer.
#[test]
fn reject_rollback_and_abort_are_asked_twice() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut bench = Bench::new(&scenario, &compiled, 80, 24);
    bench.press("rn");
    assert_eq!(bench.model.controller().drill().decisions().len(), 0);
    bench.press("a12");
    assert!(bench.model.message().is_some_and(|message| message.contains("nothing waits")));
    bench.press("d3nn");
    assert_eq!(bench.model.controller().drill().decisions().len(), 1);
    bench.press("3\n");
    assert_eq!(bench.model.controller().drill().decisions().len(), 2);
    assert!(bench.model.controller().drill().is_over());
}

/// A dialog on an expired request closes: here the request expires under the dialog.
#[test]
fn a_dialogue_on_what_is_past_closes() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    for keys in ["r", "e"] {
        let mut bench = Bench::new(&scenario, &compiled, 80, 24);
        bench.press(keys);
        assert!(bench.model.dialog().is_some());
        bench.wait(86_400_000);
        assert!(bench.model.dialog().is_none());
        bench.press("y\n");
        assert_eq!(bench.model.controller().drill().decisions().len(), 0);
    }
}

#[test]
fn a_million_instances_are_drawn_as_fast_as_fifty() {
    let text = "[fleet]\ninstances = 1000000\n[[versions]]\nid = \"v1\"\n[[versions]]\nid = \"v2\"\n[rollout]\ntarget_version_id = \"v2\"\nbatch_pct = 10\n";
    let scenario = Scenario::parse("million.toml", text.as_bytes(), Format::Toml).unwrap();
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut bench = Bench::new(&scenario, &compiled, 80, 24);
    // Rollout, all ten batches opened, and the last instance.
    bench.press("v");
    for _ in 0..10 {
        bench.press("\n");
        bench.model.key(bench.wall, Key::End);
        bench.press("hh");
    }
    bench.press("\n");
    bench.model.key(bench.wall, Key::End);
    let began = std::time::Instant::now();
    for _ in 0..200 {
        bench.model.key(bench.wall, Key::PageUp);
        bench.screen(PLAIN);
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[derive(Clone, Debug)]
enum Act {
    Press(Key),
    Wait(u64),
    Resize(u16, u16),
}

fn act() -> impl Strategy<Value = Act> {
    let letters: Vec<char> = "aaaer123123ppnnd+-ddjkhlft?qynyn 059=_xé".chars().collect();
    let other = vec![
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::PageUp,
        Key::PageDown,
        Key::Home,
        Key::End,
        Key::Enter,
        Key::Escape,
        Key::Backspace,
        Key::Tab,
    ];
    prop_oneof![
        8 => proptest::sample::select(letters).prop_map(|letter| Act::Press(Key::Char(letter))),
        4 => proptest::sample::select(other).prop_map(Act::Press),
        2 => (0u64..20_000).prop_map(Act::Wait),
        1 => (0u16..140, 0u16..50).prop_map(|(columns, rows)| Act::Resize(columns, rows)),
    ]
}

/// The counts of the screen, against the engine instance by instance.
fn counts_agree(model: &Model<'_, Events>) -> Result<(), TestCaseError> {
    let engine = model.controller().drill().engine();
    let tally = model.controller().seen().0.tally();
    for batch in 0..engine.plan().batch_count() {
        for cell in Cell::ALL {
            let counted = engine.plan().batch(batch).filter(|&position| Cell::of(engine, position) == cell).count();
            prop_assert_eq!(tally.batch(batch).of(cell) as usize, counted, "batch {} {:?}", batch, cell);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Any key at any time at any size; then the record is the run.
    #[test]
    fn nothing_that_is_pressed_breaks_it(
        which in 0..SCENARIOS.len(),
        replicate in 0u64..50,
        acts in proptest::collection::vec(act(), 0..120),
    ) {
        let scenario = scenario(SCENARIOS[which]);
        let compiled = CompiledScenario::new(&scenario).unwrap();
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let mut model = model(&scenario, &compiled, replicate);
        let mut wall = Duration::ZERO;
        for act in acts {
            match act {
                Act::Press(key) => model.key(wall, key),
                Act::Wait(millis) => {
                    wall += Duration::from_millis(millis);
                    model.advance(wall);
                }
                Act::Resize(columns, rows) => {
                    terminal.backend_mut().resize(columns, rows);
                    terminal.autoresize().unwrap();
                }
            }
            terminal.draw(|frame| draw(frame, &mut model, PLAIN)).unwrap();
            counts_agree(&model)?;
            if model.stands() != Stands::Goes {
                break;
            }
        }
        model.key(wall, Key::Interrupt);
        prop_assert_ne!(model.stands(), Stands::Goes);
        let (mut drill, (mut story, mut events)) = model.into_controller().into_parts();
        drill.finish(&mut (&mut story, &mut events));
        let record = Record::new(&scenario, replicate, drill.decisions());
        let mut played = Events::default();
        let mut again = Drill::new(&compiled, replicate, &mut played);
        again.play(&record.decisions().unwrap(), &mut played).unwrap();
        prop_assert_eq!(&played.0, &events.0);
    }
}

/// The plan predicts the exposure if every instance fails; then every instance fails.
#[test]
fn the_prospect_of_a_failure_is_what_happens() {
    for (pct, limit, more) in [
        (20, 2, ""),
        (10, 5, ""),
        (10, 6, ""),
        (4, 7, ""),
        (20, 3, "max_in_flight = 4\n"),
        (6, 5, "max_in_flight = 2\n"),
        (10, 3, "breaker_order = \"listed\"\nmax_in_flight = 2\n"),
        (4, 3, "breaker_scope = \"batch\"\n"),
        (100, 60, ""),
    ] {
        let text = format!(
            "[fleet]\ninstances = 50\n[[versions]]\nid = \"v1\"\n[[versions]]\nid = \"v2\"\nfailure_rate = 1.0\n[rollout]\ntarget_version_id = \"v2\"\nbatch_pct = {pct}\nmax_consecutive_failures = {limit}\n{more}[reconciler]\npolicy = \"auto_approve\"\n"
        );
        let scenario = Scenario::parse("fails.toml", text.as_bytes(), Format::Toml).unwrap();
        let compiled = CompiledScenario::new(&scenario).unwrap();
        let mut drill = Drill::new(&compiled, 0, &mut Events::default());
        let forecast = dryroll::report::judge::forecast::Forecast::of(drill.engine());
        drill.next_decision(&mut Events::default()).unwrap();
        let tripped = drill.asked().filter(|asked| asked.kind == RequestKind::RollingUpgradeContinuation);
        assert_eq!(forecast.trips_in.is_some(), tripped.is_some(), "{text}");
        assert_eq!(forecast.exposed, drill.engine().dispatched(), "{text}");
    }
}

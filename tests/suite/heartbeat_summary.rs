//! What a drill shows of heartbeats while a trip waits: enough to learn its lesson, and never more than was sent.

use dryroll::drill::{Cell, Drill, HeartbeatSummary};
use dryroll::engine::{Answer, RequestKind};
use dryroll::fleet::At;
use dryroll::scenario::Scenario;
use dryroll::sim::{CompiledScenario, Doing, Unobserved};

fn compiled(name: &str) -> CompiledScenario {
    let path = format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    CompiledScenario::new(&Scenario::load(path.as_ref()).unwrap()).unwrap()
}

/// The heartbeat summary at the first trip of replicate 0, after the plan was approved.
fn at_first_trip(compiled: &CompiledScenario) -> HeartbeatSummary {
    let mut drill = Drill::new(compiled, 0, &mut Unobserved);
    drill.answer(Answer::Approve, &mut Unobserved).unwrap();
    drill.next_decision(&mut Unobserved).unwrap();
    assert_eq!(drill.asked().map(|asked| asked.kind), Some(RequestKind::RollingUpgradeContinuation));
    drill.call_roll()
}

/// Each lesson can be learnt from what is shown; see `[drill]` of the scenarios.
#[test]
fn the_lessons_of_the_drills_can_be_seen() {
    let mail = at_first_trip(&compiled("drills/03-mail"));
    let silent: Vec<u32> = mail.zones.iter().map(|zone| zone.silent).collect();
    assert_eq!(silent, [0, 50, 0], "one zone, and all of it");
    assert!(mail.silent[Cell::Waiting as usize] > 0 && mail.silent[Cell::Healthy as usize] > 0, "upgraded or not");

    let search = at_first_trip(&compiled("drills/04-search"));
    let unwell: Vec<[u32; 2]> = search.zones.iter().map(|zone| zone.unwell).collect();
    assert_eq!(unwell, [[0, 0], [0, 0], [0, 6], [0, 0]], "heard, on the new version, of one zone");
    assert!(search.zones[2].well[0] > 0, "those that wait are well");

    let cache = at_first_trip(&compiled("drills/05-cache"));
    assert_eq!(cache.all_silent(), 0);
    assert!(cache.zones.iter().all(|zone| zone.unwell == [5, 0]), "in every zone, on the old version: {cache:?}");

    let ingest = at_first_trip(&compiled("drills/06-ingest"));
    assert!(ingest.silent[Cell::Healthy as usize] > 0, "they passed, and are silent now");
    assert_eq!(ingest.silent[Cell::Healthy as usize], ingest.all_silent());
}

/// An instance that had no time to send a heartbeat is not silent.
#[test]
fn at_the_beginning_some_are_not_heard_yet_and_none_is_silent() {
    let compiled = compiled("slow-burn");
    let mut drill = Drill::new(&compiled, 0, &mut Unobserved);
    for at in [0, compiled.interval.0 / 2] {
        drill.advance_to(At(at), &mut Unobserved);
        let roll = drill.call_roll();
        let not_yet: u32 = roll.zones.iter().map(|zone| zone.not_yet).sum();
        assert_eq!(roll.all_silent(), 0, "{at}");
        assert!(not_yet > 0 && (at > 0 || not_yet >= compiled.total() - 1), "{at}: {roll:?}");
    }
    drill.advance_to(At::ZERO + compiled.interval, &mut Unobserved);
    assert!(drill.call_roll().zones.iter().all(|zone| zone.not_yet == 0));
}

/// Where the network is good, what is heard is what the instance was when it spoke, and only who could not speak is
/// silent.
#[test]
fn what_is_heard_was_so() {
    for name in ["hangs", "drills/06-ingest", "drills/04-search", "broken-rollback"] {
        let compiled = compiled(name);
        let mut drill = Drill::new(&compiled, 1, &mut Unobserved);
        drill.answer(Answer::Approve, &mut Unobserved).unwrap();
        let mut silent = 0;
        for at in (0..80).map(|n| At(n * 17_077)) {
            drill.advance_to(at, &mut Unobserved);
            if drill.is_over() {
                break;
            }
            let from = At(at.0.saturating_sub(3 * compiled.interval.0));
            for position in 0..compiled.total() {
                let simulator = drill.simulator();
                let heard = simulator.last_heard(position, from, at);
                let mut lived: Vec<_> = simulator.history(position, At(at.0 + 1)).collect();
                match heard {
                    Some(heard) => {
                        lived.retain(|segment| (segment.from..segment.to).contains(&heard.sent));
                        let segment = lived.last().unwrap();
                        assert!(heard.sent >= from && heard.sent <= at, "{name} {position} {at}");
                        assert!(segment.doing.heartbeats(), "{name} {position} {at}");
                        assert_eq!(heard.healthy, segment.doing == Doing::Serving, "{name} {position} {at}");
                        assert_eq!(heard.runs, segment.running);
                    }
                    None if at.0 >= compiled.interval.0 => {
                        silent += 1;
                        let could_not = lived.iter().any(|segment| segment.to > from && !segment.doing.heartbeats());
                        assert!(could_not, "{name} {position} {at}");
                    }
                    None => {}
                }
            }
        }
        assert_eq!(silent > 0, ["hangs", "drills/06-ingest"].contains(&name), "{name}: {silent}");
    }
}

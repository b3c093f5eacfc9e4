//! The drills that ship: each does what it is for, in every world that a surprise may draw, and tells nothing of it before.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dryroll::drill::score::{Judgement, judge};
use dryroll::drill::{Briefing, Drill, Pack, WORLDS, branch};
use dryroll::engine::{Answer, Edit, Engine, Event, OperatorDecision, Outcome, Recording, RequestKind};
use dryroll::fleet::{At, Span};
use dryroll::scenario::Scenario;
use dryroll::sim::{Observer, Unobserved, World};

use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};

fn scenario(pack: &Pack) -> Scenario {
    pack.text().scenario().unwrap_or_else(|error| panic!("{error}"))
}

fn pack(name: &str) -> &'static Pack {
    Pack::all().iter().find(|pack| pack.file.contains(name)).expect("the drill")
}

/// What the plain operators of a world come to: nobody answers in the drill itself.
fn plain(world: &World, replicate: u64) -> Judgement {
    let mut drill = Drill::new(world, replicate, &mut Unobserved);
    drill.finish(&mut Unobserved);
    judge(world, &mut drill)
}

/// What is best in a drill.
struct Expected {
    drill: &'static str,
    /// What the best plain operator decides on trips.
    best: OperatorDecision,
    /// Whether only one with a limit of 1 comes to it.
    careful: bool,
    /// Whether only the one who waits comes to it.
    patient: bool,
    /// No other plain operator scores more than this in any world.
    others: f64,
}

const EXPECTED: [Expected; 9] = [
    Expected { drill: "01", best: RollbackCompletedBatches, careful: false, patient: false, others: 0.0 },
    Expected { drill: "02", best: ContinueAnyway, careful: false, patient: false, others: 0.0 },
    Expected { drill: "03", best: ContinueAnyway, careful: false, patient: false, others: 0.0 },
    Expected { drill: "04", best: RollbackCompletedBatches, careful: false, patient: false, others: 0.0 },
    Expected { drill: "05", best: ContinueAnyway, careful: false, patient: true, others: 0.0 },
    Expected { drill: "06", best: RollbackCompletedBatches, careful: false, patient: false, others: 0.0 },
    Expected { drill: "07", best: Abort, careful: false, patient: false, others: 0.0 },
    Expected { drill: "08", best: RollbackCompletedBatches, careful: true, patient: false, others: 0.0 },
    Expected { drill: "09", best: RollbackCompletedBatches, careful: false, patient: false, others: 0.0 },
];

#[test]
fn each_drill_has_its_best_decision_in_every_world_of_it() {
    let mut wrong = Vec::new();
    for expected in EXPECTED {
        let scenario = scenario(pack(expected.drill));
        let world = World::new(&scenario).expect("the platform accepts it");
        let mut most: f64 = 0.0;
        for replicate in 0..WORLDS {
            let judgement = plain(&world, replicate);
            let is_best = |plain: &branch::Plain| {
                plain.on_trip == expected.best
                    && (!expected.careful || plain.limit.is_some())
                    && (!expected.patient || plain.waits > Span::ZERO)
            };
            let best = judgement.best().expect("there are some");
            if !is_best(&best.0) {
                wrong.push(format!("{} {replicate}: best is {:?}", expected.drill, best.0));
            }
            for (operator, judged) in judgement.plain.iter().filter(|(operator, _)| !is_best(operator)) {
                // A rollback that fails changes nothing, and so costs what an abort costs.
                if judged.metrics.outcome != Outcome::RollbackFailed {
                    most = most.max(judged.score);
                }
                if operator.limit.is_none()
                    && operator.waits == Span::ZERO
                    && judged.metrics.trips == 0
                    && !expected.careful
                {
                    wrong.push(format!("{} {replicate}: no trip", expected.drill));
                }
            }
        }
        if most > expected.others {
            wrong.push(format!("{}: another scores {most:.1}", expected.drill));
        }
    }
    assert!(wrong.is_empty(), "{} problems\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
}

//! A drill depends only on its decisions and their times, not on how the person got there.

use crate::common::events;

use std::time::Duration;

use dryroll::drill::{Control, Controller, Drill, Pace, Record, Recorded, Speed, branch, score};
use dryroll::engine::{Answer, Edit, EventBody, OperatorDecision, Outcome, RequestKind};
use dryroll::fleet::{At, Span};
use dryroll::scenario::Scenario;
use dryroll::sim::{CompiledScenario, Simulator};
use events::Events;
use proptest::prelude::*;

const SCENARIOS: [&str; 9] = [
    "broken-rollback",
    "broken-continue",
    "controller-crash",
    "paused-reconciler",
    "rollback-archived",
    "slow-burn",
    "trip-in-rollback",
    "tutorial",
    "zone-outage",
];

fn scenario(name: &str) -> Scenario {
    Scenario::load(format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR")).as_ref()).unwrap()
}

/// The answers of the scenario's own operator, handed in as a person's, make the run that the scenario describes.
#[test]
fn a_person_who_answers_as_the_virtual_operator_does_makes_the_same_run() {
    for name in SCENARIOS {
        let scenario = scenario(name);
        let compiled = CompiledScenario::new(&scenario).unwrap();
        for replicate in 0..20 {
            let mut expected = Events::default();
            let metrics = Simulator::new(&compiled).run(replicate, &mut expected);
            let mut events = Events::default();
            let mut drill = Drill::new(&compiled, replicate, &mut events);
            for event in &expected.0 {
                let EventBody::ApprovalDecided { answer, .. } = event.body else { continue };
                drill.advance_to(event.at, &mut events);
                drill.answer(answer, &mut events).unwrap();
            }
            drill.finish(&mut events);
            assert_eq!(events.0, expected.0, "{name} {replicate}");
            assert_eq!(drill.settle().0, metrics, "{name} {replicate}");
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Wait(u64),
    Control(Control),
}

fn act() -> impl Strategy<Value = Act> {
    let edit = (proptest::option::of(1u32..=100), proptest::option::of(1u32..4)).prop_map(|(pct, limit)| {
        Answer::Edit(Edit { batch_pct: pct, max_consecutive_failures: limit.and_then(std::num::NonZeroU32::new) })
    });
    let answer = prop_oneof![
        4 => Just(Answer::Approve),
        1 => edit,
        1 => Just(Answer::Reject),
        3 => Just(Answer::OnTrip(OperatorDecision::ContinueAnyway)),
        3 => Just(Answer::OnTrip(OperatorDecision::RollbackCompletedBatches)),
        1 => Just(Answer::OnTrip(OperatorDecision::Abort)),
    ];
    prop_oneof![
        4 => (0u64..20_000).prop_map(Act::Wait),
        2 => (0u64..600_000).prop_map(|span| Act::Control(Control::Wait(Span(span)))),
        1 => Just(Act::Control(Control::Pause)),
        2 => Just(Act::Control(Control::Resume)),
        1 => (1u32..4000).prop_map(|factor| Act::Control(Control::Speed(Speed::new(factor).unwrap()))),
        2 => Just(Act::Control(Control::NextEvent)),
        2 => Just(Act::Control(Control::NextDecision)),
        3 => answer.prop_map(|answer| Act::Control(Control::Answer(answer))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever a person does with the controller, in any order: the record, written and read back, plays the same run.
    #[test]
    fn a_record_plays_the_same_run(
        which in 0..SCENARIOS.len(),
        replicate in 0u64..50,
        acts in proptest::collection::vec(act(), 0..60),
    ) {
        let scenario = scenario(SCENARIOS[which]);
        let compiled = CompiledScenario::new(&scenario).unwrap();
        let mut events = Events::default();
        let drill = Drill::new(&compiled, replicate, &mut events);
        let mut wall = Duration::ZERO;
        let mut controller = Controller::new(drill, Pace::new(Speed::new(60).unwrap(), wall), events);
        for act in acts {
            let before = controller.clock();
            match act {
                Act::Wait(millis) => {
                    wall += Duration::from_millis(millis);
                    controller.advance(wall);
                }
                Act::Control(control) => {
                    let _ = controller.control(wall, control);
                }
            }
            prop_assert!(controller.clock() >= before);
            prop_assert!(controller.clock() >= controller.drill().decisions().last().map_or(At::ZERO, |last| last.at));
        }
        let (mut drill, mut events) = controller.into_parts();
        drill.finish(&mut events);
        let text = serde_json::to_string(&Record::new(&scenario, replicate, drill.decisions())).unwrap();
        let record = Record::parse(&text).unwrap();
        prop_assert_eq!(record.differs_from(&scenario, replicate), None);

        let mut played = Events::default();
        let mut again = Drill::new(&compiled, replicate, &mut played);
        again.play(&record.decisions().unwrap(), &mut played).unwrap();
        prop_assert_eq!(&played.0, &events.0);
        prop_assert_eq!(again.decisions(), drill.decisions());
        prop_assert_eq!(again.settle(), drill.settle());
        // Every branch and every plain operator is a run that a person could have made, and no score is out of its
        // range.
        let judgement = score::judge(&compiled, &mut drill);
        let branches = judgement.branches.iter().map(|(_, _, judged)| judged);
        for judged in branches.chain(judgement.plain.iter().map(|(_, judged)| judged)) {
            prop_assert!((0.0..=100.0).contains(&judged.score));
            let mut really = Drill::new(&compiled, replicate, &mut Events::default());
            let decisions: Vec<Recorded> = judged.decisions.iter().copied().map(Recorded::from).collect();
            really.play(&decisions, &mut Events::default()).unwrap();
            prop_assert_eq!(really.clock(), judged.finished);
            prop_assert_eq!(really.simulator().settle_at(judged.until), judged.metrics.clone());
        }
    }
}

fn played(name: &str, decisions: &[(u64, &str)]) -> Result<Outcome, String> {
    let scenario = scenario(name);
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let lines: Vec<_> =
        decisions.iter().map(|(at, decide)| serde_json::json!({"at_ms": at, "decide": decide})).collect();
    let text = serde_json::json!({"schema": "dryroll.decisions/1", "decisions": lines}).to_string();
    let record = Record::parse(&text).map_err(|error| error.to_string())?;
    let decisions = record.decisions().map_err(|error| error.to_string())?;
    let mut drill = Drill::new(&compiled, 0, &mut Events::default());
    drill.play(&decisions, &mut Events::default()).map_err(|error| error.to_string())?;
    Ok(drill.engine().outcome().unwrap())
}

/// What the documentation shows as a record is one.
#[test]
fn the_record_in_the_documentation_can_be_read() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/drills.md")).unwrap();
    let (_, block) = docs.split_once("```json\n").unwrap();
    let record = Record::parse(block.split_once("```").unwrap().0).unwrap();
    assert_eq!(record.decisions().unwrap().len(), 4);
}

#[test]
fn what_nobody_answered_is_known_at_the_end() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut left = Drill::new(&compiled, 0, &mut Events::default());
    left.answer(Answer::Approve, &mut Events::default()).unwrap();
    assert_eq!(left.unanswered(), None);
    left.finish(&mut Events::default());
    assert_eq!(left.unanswered().map(|asked| asked.kind), Some(RequestKind::RollingUpgradeContinuation));
    let mut ended = Drill::new(&compiled, 0, &mut Events::default());
    ended.answer(Answer::Reject, &mut Events::default()).unwrap();
    assert_eq!(ended.unanswered(), None);
}

#[test]
fn the_first_decision_that_does_not_fit_is_named() {
    assert_eq!(played("broken-rollback", &[(0, "approve"), (2_000_000, "abort")]), Ok(Outcome::Aborted));
    assert_eq!(played("broken-rollback", &[]), Ok(Outcome::Expired));
    let error = |decisions: &[_]| played("broken-rollback", decisions).unwrap_err();
    let twice = error(&[(0, "approve"), (1, "approve")]);
    assert!(twice.starts_with("decision 2, `approve` at 1 ms, does not fit this run:"), "{twice}");
    assert!(twice.contains("continue_anyway, rollback_completed_batches, abort"), "{twice}");
    let early = error(&[(0, "approve"), (1, "abort")]);
    assert!(early.contains("it is asked for at"), "{early}");
    let late = error(&[(0, "approve"), (2_000_000, "abort"), (2_000_001, "abort")]);
    assert!(late.contains("no request is open: the rollout is aborted"), "{late}");
    let expired = error(&[(86_400_001, "approve")]);
    assert!(expired.contains("its request is no longer open"), "{expired}");
    assert!(error(&[(0, "shrug")]).contains("`shrug` is not a decision; allowed: approve"));
}

#[test]
fn branches_know_what_each_other_decision_would_have_done() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut drill = Drill::new(&compiled, 0, &mut Events::default());
    drill.answer(Answer::Approve, &mut Events::default()).unwrap();
    drill.next_decision(&mut Events::default()).unwrap();
    let asked = drill.asked().unwrap();
    assert_eq!(asked.kind, RequestKind::RollingUpgradeContinuation);
    drill.advance_to(At(asked.at.0 + 600_000), &mut Events::default());
    drill.answer(Answer::OnTrip(OperatorDecision::RollbackCompletedBatches), &mut Events::default()).unwrap();
    drill.finish(&mut Events::default());

    let judgement = score::judge(&compiled, &mut drill);
    let of = |decision, change| {
        let found = judgement.branches.iter().find(|(place, other, _)| (*place, *other) == (decision, change));
        &found.unwrap_or_else(|| panic!("{change:?}")).2
    };
    use branch::Change::{HalfAsLate, Instead, TwiceAsLate};
    assert_eq!(of(0, Instead(Answer::Reject, None)).metrics.outcome, Outcome::Rejected);
    // A rejected plan has upgraded no instance, and its operator knows no more than before.
    assert_eq!(of(0, Instead(Answer::Reject, None)).cost.misplaced, 50);
    assert!(of(0, Instead(Answer::Reject, None)).score < 5.0);
    assert_eq!(of(1, Instead(Answer::OnTrip(OperatorDecision::Abort), None)).metrics.outcome, Outcome::Aborted);
    let (half, double) = (of(1, HalfAsLate), of(1, TwiceAsLate));
    assert_eq!(half.decisions[1].at, At(asked.at.0 + 300_000));
    assert_eq!(double.decisions[1].at, At(asked.at.0 + 1_200_000));
    assert!(half.cost.total < judgement.own.cost.total && judgement.own.cost.total < double.cost.total);
    assert!(half.score > judgement.own.score && judgement.own.score > double.score);
    // Aborting leaves broken instances where they are, and so costs more.
    assert!(of(1, Instead(Answer::OnTrip(OperatorDecision::Abort), None)).cost.misplaced > 0);
    assert_eq!(judgement.own.cost.misplaced, 0);
    let (best, judged) = judgement.best().unwrap();
    assert_eq!((best.on_trip, judged.score), (OperatorDecision::RollbackCompletedBatches, 100.0));
    assert_eq!(judgement.plain.len(), 7);
}

/// The branch that approves at once instead of editing first still gets the person's own decision on the trip.
#[test]
fn a_branch_without_an_edit_keeps_the_later_decisions() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut drill = Drill::new(&compiled, 0, &mut Events::default());
    let edit = Edit { batch_pct: Some(50), max_consecutive_failures: None };
    drill.answer(Answer::Edit(edit), &mut Events::default()).unwrap();
    drill.answer(Answer::Approve, &mut Events::default()).unwrap();
    drill.next_decision(&mut Events::default()).unwrap();
    drill.answer(Answer::OnTrip(OperatorDecision::RollbackCompletedBatches), &mut Events::default()).unwrap();
    drill.finish(&mut Events::default());
    let judgement = score::judge(&compiled, &mut drill);
    let (_, _, judged) = &judgement.branches[0];
    assert_eq!(judged.metrics.outcome, Outcome::RolledBack);
    assert!(judged.metrics.exposed < judgement.own.metrics.exposed);
}

/// A record says when each question was asked: where this run asks it at another moment, it is another run.
#[test]
fn a_question_that_was_asked_at_another_moment_does_not_fit() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let played = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut drill = Drill::new(&compiled, 0, &mut Events::default());
        drill.answer(Answer::Approve, &mut Events::default()).unwrap();
        drill.next_decision(&mut Events::default()).unwrap();
        drill.answer(Answer::OnTrip(OperatorDecision::Abort), &mut Events::default()).unwrap();
        drill.finish(&mut Events::default());
        let mut json = serde_json::to_value(Record::new(&scenario, 0, drill.decisions())).unwrap();
        change(&mut json["decisions"][1]);
        let record = Record::parse(&json.to_string()).map_err(|error| error.to_string())?;
        let decisions = record.decisions().map_err(|error| error.to_string())?;
        let mut again = Drill::new(&compiled, 0, &mut Events::default());
        again.play(&decisions, &mut Events::default()).map_err(|error| error.to_string())
    };
    assert_eq!(played(&|_| ()), Ok(()));
    assert_eq!(played(&|line| line["asked_at_ms"] = serde_json::Value::Null), Ok(()));
    let other = played(&|line| line["asked_at_ms"] = 7.into()).unwrap_err();
    assert!(other.contains("decision 2, `abort`"), "{other}");
    assert!(other.contains("its question was asked at 7 ms, and here it is asked at"), "{other}");
    let before = played(&|line| line["at_ms"] = 7.into()).unwrap_err();
    assert!(before.contains("decision 2: it is made at 7 ms, before it is asked for at"), "{before}");
    let no_trip = played(&|line| {
        line["decide"] = "approve".into();
        line["of_rollback"] = true.into();
    });
    assert!(no_trip.unwrap_err().contains("decision 2: `approve` takes no of_rollback"));
}

/// A trip without a decision has none in the branches: at another time it waits as it did, and another decision on the
/// plan has a branch for each answer.
#[test]
fn a_trip_that_nobody_answered_is_answered_by_nobody_or_in_every_way() {
    let scenario = scenario("broken-rollback");
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let judged = |answer: Answer| {
        let mut drill = Drill::new(&compiled, 0, &mut Events::default());
        drill.advance_to(At(120_000), &mut Events::default());
        drill.answer(answer, &mut Events::default()).unwrap();
        drill.finish(&mut Events::default());
        score::judge(&compiled, &mut drill)
    };
    use branch::Change::{HalfAsLate, Instead, TwiceAsLate};
    let approved = judged(Answer::Approve);
    let stalls = approved.own.metrics.outcome;
    assert_eq!(stalls, Outcome::Stalled);
    for (_, change, branch) in &approved.branches {
        match change {
            HalfAsLate | TwiceAsLate => assert_eq!((branch.metrics.outcome, branch.decisions.len()), (stalls, 1)),
            Instead(answer, on_trip) => assert_eq!((*answer, *on_trip), (Answer::Reject, None)),
        }
    }
    let rejected = judged(Answer::Reject);
    let outcomes: Vec<_> = rejected
        .branches
        .iter()
        .filter_map(|(_, change, branch)| match change {
            Instead(Answer::Approve, on_trip) => Some((on_trip.unwrap(), branch.metrics.outcome)),
            _ => None,
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            (OperatorDecision::ContinueAnyway, Outcome::Completed),
            (OperatorDecision::RollbackCompletedBatches, Outcome::RolledBack),
            (OperatorDecision::Abort, Outcome::Aborted),
        ]
    );
}

/// Whose trip it is stands in the record, and is what the error is about where it is the other's.
#[test]
fn a_trip_of_the_rollback_is_told_from_one_of_the_rollout() {
    let error = |name: &str, lines: serde_json::Value| {
        let scenario = scenario(name);
        let compiled = CompiledScenario::new(&scenario).unwrap();
        let record = serde_json::json!({"schema": "dryroll.decisions/1", "decisions": lines});
        let decisions = Record::parse(&record.to_string()).unwrap().decisions().unwrap();
        let mut drill = Drill::new(&compiled, 0, &mut Events::default());
        drill.play(&decisions, &mut Events::default()).unwrap_err().to_string()
    };
    let approve = serde_json::json!({"at_ms": 0, "decide": "approve"});
    let abort = serde_json::json!({"at_ms": 5_000_000, "decide": "abort", "of_rollback": true});
    let said = error("broken-rollback", serde_json::json!([approve, abort]));
    assert!(said.contains("it is the rollout that tripped") && said.contains("has no of_rollback"), "{said}");
    let back = serde_json::json!({"at_ms": 5_000_000, "decide": "rollback_completed_batches"});
    let on = serde_json::json!({"at_ms": 9_000_000, "decide": "continue_anyway"});
    let said = error("trip-in-rollback", serde_json::json!([approve, back, on]));
    assert!(said.contains("it is the rollback that tripped") && said.contains("\"of_rollback\": true"), "{said}");
}

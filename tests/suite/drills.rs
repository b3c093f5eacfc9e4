//! The built-in drills: each teaches its lesson, in every replicate that a surprise may draw, and reveals nothing of it
//! before.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;

use dryroll::drill::score::{Judgement, judge};
use dryroll::drill::{Briefing, Drill, Pack, REPLICATES, branch};
use dryroll::engine::{Answer, Edit, OperatorDecision, Outcome, RequestKind};
use dryroll::fleet::Span;
use dryroll::report::build::timeline::BreakerCount;
use dryroll::report::events::chronicle::Chronicle;
use dryroll::report::model::drill::DrillReport;
use dryroll::report::model::drill::Surprise;
use dryroll::report::terminal::drill::drill_table;
use dryroll::scenario::Scenario;
use dryroll::sim::{CompiledScenario, Observer, Unobserved};

use OperatorDecision::{Abort, ContinueAnyway, RollbackCompletedBatches};

fn scenario(pack: &Pack) -> Scenario {
    pack.text().scenario().unwrap_or_else(|error| panic!("{error}"))
}

fn pack(name: &str) -> &'static Pack {
    Pack::all().iter().find(|pack| pack.file.contains(name)).expect("the drill")
}

/// What the plain operators of a replicate come to, while no one answers in the drill itself.
fn plain(compiled: &CompiledScenario, replicate: u64) -> Judgement {
    let mut drill = Drill::new(compiled, replicate, &mut Unobserved);
    drill.finish(&mut Unobserved);
    judge(compiled, &mut drill)
}

/// What is best in a drill.
struct Expected {
    drill: &'static str,
    /// What the best plain operator decides on trips.
    best: OperatorDecision,
    /// Whether only an operator with a limit of 1 achieves it.
    careful: bool,
    /// Whether only the operator who waits achieves it.
    patient: bool,
    /// No other plain operator scores more than this in any replicate.
    others: f64,
}

const EXPECTED: [Expected; 11] = [
    Expected { drill: "01", best: RollbackCompletedBatches, careful: false, patient: false, others: 65.0 },
    Expected { drill: "02", best: ContinueAnyway, careful: false, patient: false, others: 20.0 },
    Expected { drill: "03", best: ContinueAnyway, careful: false, patient: false, others: 20.0 },
    Expected { drill: "04", best: RollbackCompletedBatches, careful: false, patient: false, others: 30.0 },
    Expected { drill: "05", best: ContinueAnyway, careful: false, patient: true, others: 70.0 },
    Expected { drill: "06", best: RollbackCompletedBatches, careful: false, patient: false, others: 15.0 },
    Expected { drill: "07", best: Abort, careful: false, patient: false, others: 45.0 },
    Expected { drill: "08", best: RollbackCompletedBatches, careful: true, patient: false, others: 30.0 },
    Expected { drill: "09", best: RollbackCompletedBatches, careful: false, patient: false, others: 70.0 },
    Expected { drill: "10", best: ContinueAnyway, careful: false, patient: false, others: 20.0 },
    Expected { drill: "11", best: RollbackCompletedBatches, careful: false, patient: false, others: 35.0 },
];

#[test]
fn each_drill_has_its_best_decision_in_every_replicate_of_it() {
    let mut wrong = Vec::new();
    for expected in EXPECTED {
        let scenario = scenario(pack(expected.drill));
        let compiled = CompiledScenario::new(&scenario).expect("the platform accepts it");
        let mut most: f64 = 0.0;
        for replicate in 0..REPLICATES {
            let judgement = plain(&compiled, replicate);
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

/// A person who gives these answers, each after this many seconds.
fn answered<'c>(
    compiled: &'c CompiledScenario,
    replicate: u64,
    answers: &[(u64, Answer)],
    observer: &mut impl Observer,
) -> Drill<'c> {
    let mut drill = Drill::new(compiled, replicate, observer);
    for &(after, answer) in answers {
        let Some(asked) = drill.asked() else { break };
        drill.advance_to(asked.at + Span(after * 1000), observer);
        if drill.answer(answer, observer).is_err() {
            break;
        }
        while drill.asked().is_none() && drill.next_decision(observer).is_ok() && !drill.is_over() {}
    }
    drill.finish(observer);
    drill
}

/// The outcome of it, and the judgement.
fn person(compiled: &CompiledScenario, replicate: u64, answers: &[(u64, Answer)]) -> (Outcome, Judgement) {
    let mut drill = answered(compiled, replicate, answers, &mut Unobserved);
    let outcome = drill.engine().outcome().expect("it is over");
    (outcome, judge(compiled, &mut drill))
}

/// The terminal of a debrief holds 80 columns, whatever was decided, and whether or not it has colours.
#[test]
fn a_debrief_fits_a_terminal() {
    let edit = Edit { batch_pct: Some(100), max_consecutive_failures: NonZeroU32::new(1000) };
    for (place, pack) in Pack::all().iter().enumerate() {
        let scenario = scenario(pack);
        let compiled = CompiledScenario::new(&scenario).expect("the platform accepts it");
        for answers in [
            &[(15_000, Answer::Edit(edit)), (60, Answer::Approve)][..],
            &[(60, Answer::Approve), (61, ROLL_BACK), (62, CONTINUE)],
            &[(60, Answer::Approve), (61, CONTINUE), (62, CONTINUE), (63, CONTINUE), (64, CONTINUE), (65, ABORT)],
            &[],
        ] {
            let mut monitor = (Chronicle::default(), BreakerCount::default());
            let mut drill = answered(&compiled, place as u64, answers, &mut monitor);
            let judgement = judge(&compiled, &mut drill);
            let mut report = DrillReport::new(&scenario, &mut drill, &monitor.0, &monitor.1, &judgement);
            report.surprise = Some(Surprise { file: pack.file.into(), seed: Some(999_999) });
            let mut printed = Vec::new();
            drill_table(&mut printed, &report, 78).expect("memory takes everything");
            let printed = String::from_utf8(anstream::adapter::strip_bytes(&printed).into_vec()).expect("UTF-8");
            for line in printed.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", pack.file);
                assert_eq!(line, line.trim_end(), "{}", pack.file);
            }
            assert!(printed.lines().count() < 130, "{}\n{printed}", pack.file);
        }
    }
}

fn score(compiled: &CompiledScenario, answers: &[(u64, Answer)]) -> f64 {
    person(compiled, 0, answers).1.own.score
}

fn compiled(name: &str) -> CompiledScenario {
    CompiledScenario::new(&scenario(pack(name))).expect("the platform accepts it")
}

const CONTINUE: Answer = Answer::OnTrip(ContinueAnyway);
const ROLL_BACK: Answer = Answer::OnTrip(RollbackCompletedBatches);
const ABORT: Answer = Answer::OnTrip(Abort);

#[test]
fn a_rollback_to_what_is_archived_changes_nothing() {
    let compiled = compiled("07");
    let (outcome, judgement) = person(&compiled, 0, &[(60, Answer::Approve), (60, ROLL_BACK)]);
    assert_eq!(outcome, Outcome::RollbackFailed);
    let (_, aborted) = person(&compiled, 0, &[(60, Answer::Approve), (60, ABORT)]);
    assert_eq!(judgement.own.cost, aborted.own.cost);
    // A small first batch would have kept the damage small.
    let edit = Answer::Edit(Edit { batch_pct: Some(5), max_consecutive_failures: None });
    let (_, small) = person(&compiled, 0, &[(30, edit), (30, Answer::Approve), (60, ABORT)]);
    assert!(small.own.cost.total < aborted.own.cost.total / 2.0, "{:?} {:?}", small.own.cost, aborted.own.cost);
}

#[test]
fn a_plan_that_nobody_reads_asks_nobody_again() {
    let compiled = compiled("08");
    let (outcome, judgement) = person(&compiled, 0, &[(60, Answer::Approve)]);
    assert_eq!((outcome, judgement.own.metrics.trips), (Outcome::Completed, 0));
    assert!(judgement.own.score < 30.0, "{}", judgement.own.score);
    let edit = Answer::Edit(Edit { batch_pct: None, max_consecutive_failures: NonZeroU32::new(1) });
    assert!(score(&compiled, &[(60, edit), (60, Answer::Approve), (60, ROLL_BACK)]) > 90.0);
}

#[test]
fn a_rollback_that_trips_is_seen_through() {
    let compiled = compiled("09");
    let begun = [(60, Answer::Approve), (60, ROLL_BACK)];
    let (outcome, through) = person(&compiled, 0, &[&begun[..], &[(60, CONTINUE)]].concat());
    assert_eq!((outcome, through.own.metrics.trips), (Outcome::RolledBack, 2));
    assert_eq!(through.own.decisions[2].asked.kind, RequestKind::RollbackContinuation);
    let (outcome, left) = person(&compiled, 0, &[&begun[..], &[(60, ABORT)]].concat());
    assert_eq!(outcome, Outcome::Aborted);
    assert!(left.own.score + 15.0 < through.own.score, "{} {}", left.own.score, through.own.score);
}

#[test]
fn an_outage_is_waited_for() {
    let compiled = compiled("05");
    let waits = score(&compiled, &[(60, Answer::Approve), (1200, CONTINUE)]);
    let mut hurry = vec![(60, CONTINUE); 9];
    hurry[0].1 = Answer::Approve;
    let hurries = score(&compiled, &hurry);
    assert!(hurries + 20.0 < waits, "{hurries} {waits}");
    assert!(waits > 95.0, "{waits}");
}

/// Doing nothing does not score.
#[test]
fn rejecting_and_not_answering_score_little() {
    for pack in Pack::all() {
        let compiled = CompiledScenario::new(&scenario(pack)).expect("the platform accepts it");
        for answers in [&[(60, Answer::Reject)][..], &[]] {
            let score = score(&compiled, answers);
            assert!(score < 35.0, "{}: {score}", pack.file);
        }
    }
}

/// On a sound version a needless rollback costs most of the score, and an hour's thought some of it.
#[test]
fn a_false_alarm_is_scored_by_what_is_decided_and_when() {
    let compiled = compiled("02");
    let continues = |after| score(&compiled, &[(60, Answer::Approve), (after, CONTINUE)]);
    let (soon, late, rolled_back) =
        (continues(120), continues(3600), score(&compiled, &[(60, Answer::Approve), (120, ROLL_BACK)]));
    assert!(soon > 95.0, "{soon}");
    assert!((60.0..90.0).contains(&late), "{late}");
    assert!(rolled_back < 20.0, "{rolled_back}");
}

#[test]
fn every_drill_of_the_folder_is_built_in_and_they_rise_in_difficulty() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/drills");
    let files = fs::read_dir(folder).expect("the drills").map(|entry| entry.expect("an entry").file_name());
    let files: BTreeSet<String> = files.map(|name| format!("scenarios/drills/{}", name.to_string_lossy())).collect();
    let built_in: Vec<String> = Pack::all().iter().map(|pack| pack.file.to_owned()).collect();
    assert_eq!(built_in, files.into_iter().collect::<Vec<_>>());
    let lessons: Vec<u32> = Pack::all().iter().map(|pack| scenario(pack).drill.expect("a lesson").difficulty).collect();
    assert!(lessons.is_sorted() && lessons.first() == Some(&1) && lessons.last() == Some(&5), "{lessons:?}");
}

/// Before the debrief nothing tells the truth: not the file's name, title or opening comment, nor its versions' ids.
#[test]
fn no_drill_gives_itself_away() {
    const TELLS: [&str; 17] = [
        "broken",
        "bad",
        "defect",
        "faulty",
        "sound",
        "alarm",
        "outage",
        "archive",
        "crash",
        "hang",
        "unhealthy",
        "rollback",
        "leak",
        "flak",
        "burn",
        "trip",
        "partition",
    ];
    for pack in Pack::all() {
        let scenario = scenario(pack);
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(pack.file)).expect("the drill");
        let opening: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# ")).collect();
        let ids: Vec<&str> = scenario.versions.iter().map(|version| version.id.raw()).collect();
        let said = format!("{} {} {} {}", pack.file, scenario.name, opening.join(" "), ids.join(" ")).to_lowercase();
        let words: Vec<&str> = said.split(|letter: char| !letter.is_alphanumeric()).collect();
        for tells in TELLS {
            let printed = words.iter().find(|word| word.starts_with(tells));
            assert!(printed.is_none(), "{}: {printed:?}", pack.file);
        }
        assert_eq!(
            text.lines().filter(|line| line.starts_with('#')).count(),
            opening.len(),
            "{}: a later comment",
            pack.file
        );
        let veiled = format!("{:?}", Briefing::veiled(&scenario));
        for hidden in [&scenario.name, &scenario.module_id, &scenario.fleet.template_id]
            .into_iter()
            .chain(scenario.versions.iter().map(|version| &version.id))
        {
            assert!(!veiled.contains(hidden.raw()), "{veiled}");
        }
    }
}

#[test]
fn a_seed_draws_the_same_surprise_and_all_are_drawn() {
    let drawn: Vec<_> = (0..300).map(Pack::draw).collect();
    assert_eq!(drawn, (0..300).map(Pack::draw).collect::<Vec<_>>());
    let files: BTreeSet<&str> = drawn.iter().map(|drawn| drawn.pack.file).collect();
    assert_eq!(files.len(), Pack::all().len());
    let compiled: BTreeSet<u64> = drawn.iter().map(|drawn| drawn.replicate).collect();
    assert!(compiled.len() > 80 && compiled.iter().all(|&compiled| compiled < REPLICATES));
}

fn dryroll(arguments: &[&str]) -> (Option<i32>, String, String) {
    let program = env!("CARGO_BIN_EXE_dryroll");
    let output = Command::new(program).args(arguments).env("NO_COLOR", "1").output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_surprise_is_told_in_the_debrief_and_played_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (decisions, record, report) = (path("decisions.json"), path("record.json"), path("report.json"));
    let none = r#"{"schema": "dryroll.decisions/1", "decisions": [{"at_ms": 60000, "decide": "reject"}]}"#;
    fs::write(&decisions, none).expect("a file");
    let drawn = Pack::draw(7);
    let (code, printed, error) = dryroll(&[
        "drill",
        "--surprise",
        "--seed",
        "7",
        "--decisions",
        &decisions,
        "--record",
        &record,
        "--report",
        &report,
    ]);
    assert_eq!(code, Some(0), "{error}");
    assert!(
        printed.contains(drawn.pack.file) && printed.contains("Again: dryroll drill --surprise --seed 7"),
        "{printed}"
    );
    assert!(printed.contains("It trains: ") && printed.contains("A good operator: "), "{printed}");
    let value: serde_json::Value = serde_json::from_slice(&fs::read(&report).expect("a report")).expect("JSON");
    assert_eq!(value["surprise"], serde_json::json!({"file": drawn.pack.file, "seed": 7}));
    assert_eq!(value["replicate"], drawn.replicate);
    assert_eq!(value["lesson"]["difficulty"], scenario(drawn.pack).drill.expect("a lesson").difficulty);

    // The record knows which drill it is of, with the surprise and without.
    let (code, again, error) = dryroll(&["drill", "--surprise", "--decisions", &record]);
    assert_eq!(code, Some(0), "{error}");
    assert!(again.contains(drawn.pack.file) && !again.contains("Again:"), "{again}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(drawn.pack.file);
    let (code, named, error) = dryroll(&["drill", &file.display().to_string(), "--decisions", &record]);
    assert_eq!(code, Some(0), "{error}");
    assert!(!named.contains("The surprise") && printed.starts_with(named.trim_end()), "{named}");

    for (arguments, said) in [
        (vec!["drill", "--surprise", "--decisions", &decisions], "do not say of which drill they are"),
        (vec!["drill", "--surprise", "scenarios/tutorial.toml"], "cannot be used with"),
        (vec!["drill", "--surprise", "--version", "v-1.26.1"], "takes no --version"),
        (vec!["drill"], "required"),
    ] {
        let (code, _, error) = dryroll(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
    let other = fs::read_to_string(&record).expect("the record").replace(&scenario(drawn.pack).hash, &"0".repeat(64));
    fs::write(&record, other).expect("a file");
    let (code, _, error) = dryroll(&["drill", "--surprise", "--decisions", &record]);
    assert_eq!(code, Some(2));
    assert!(error.contains("none of the drills that are built in"), "{error}");
}

/// `run` and the other commands do not show the lesson.
#[test]
fn the_lesson_is_told_by_nobody_else() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(Pack::all()[0].file).display().to_string();
    let lesson = scenario(&Pack::all()[0]).drill.expect("a lesson");
    for command in [
        &["run", &file, "--report", "-"][..],
        &["plan", &file],
        &["sweep", &file, "--replicates", "2", "--report", "-"],
    ] {
        let (code, printed, error) = dryroll(command);
        assert_eq!(code, Some(0), "{error}");
        let start = &lesson.trains.raw()[..20];
        assert!(!printed.contains(start) && !error.contains(start), "{command:?}");
    }
}

/// The time up to the approval is free, and no more than that: the same decisions on the same trouble score the same
/// after a long wait. Heartbeats fall otherwise then, so that it is not the same to the last digit.
#[test]
fn whoever_waits_before_approving_gains_nothing() {
    for pack in Pack::all() {
        let compiled = CompiledScenario::new(&scenario(pack)).expect("the platform accepts it");
        for on_trip in [ABORT, ROLL_BACK, CONTINUE] {
            let after = |wait| {
                let mut answers = vec![(120, on_trip); 9];
                answers[0] = (wait, Answer::Approve);
                score(&compiled, &answers)
            };
            let (soon, late) = (after(60), after(6000));
            assert!((soon - late).abs() < 6.0, "{} {on_trip:?}: {soon} after a minute, {late} after 100", pack.file);
        }
    }
}

/// The output of a drill fits a narrow terminal.
#[test]
fn the_debrief_fits_forty_columns() {
    let scenario = scenario(pack("09"));
    let compiled = CompiledScenario::new(&scenario).expect("the platform accepts it");
    let (mut chronicle, mut breaker) = (Chronicle::default(), BreakerCount::default());
    let mut drill = answered(
        &compiled,
        3,
        &[(60, Answer::Approve), (300, ROLL_BACK), (60, CONTINUE)],
        &mut (&mut chronicle, &mut breaker),
    );
    let judgement = judge(&compiled, &mut drill);
    let report = DrillReport::new(&scenario, &mut drill, &chronicle, &breaker, &judgement);
    for width in [40, 60, 78] {
        let mut printed = Vec::new();
        drill_table(&mut printed, &report, width).expect("memory takes everything");
        let plain = String::from_utf8(anstream::adapter::strip_bytes(&printed).into_vec()).expect("UTF-8");
        for line in plain.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

//! The exact values of rules against every outcome of small plans: the real engine is driven through each.

use std::collections::BTreeMap;

use super::{Exact, exact};
use dryroll_engine::fleet::{At, Heartbeat};
use dryroll_engine::{Answer, Command, Direction, Engine, OperatorDecision, Outcome, Recording, RequestKind, Ticks};
use dryroll_sim::scenario::{Format, Scenario};
use dryroll_sim::sim::CompiledScenario;

const FAILS: f64 = 0.25;
const SILENT: f64 = 0.15;

/// What an instance does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Passes,
    Fails,
    Silent,
}

const TURNS: [(Turn, f64); 3] = [(Turn::Passes, 1.0 - FAILS - SILENT), (Turn::Fails, FAILS), (Turn::Silent, SILENT)];

fn scenario(instances: u32, silent: f64, rollout: &str) -> Scenario {
    let text = format!(
        "[fleet]\ninstances = {instances}\n[[versions]]\nid = 'v1'\n[[versions]]\nid = 'v2'\nfailure_rate = {FAILS}\n\
         hang_rate = {silent}\nupgrade_time_sec = 30\n[reconciler]\npolicy = 'auto_approve'\n[operator]\n\
         on_trip = 'abort'\n[rollout]\ntarget_version_id = 'v2'\n{rollout}\n"
    );
    Scenario::parse("x.toml", text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{rollout}\n{error}"))
}

/// How a rollout ends.
struct End {
    tripped: bool,
    dispatched: u32,
    outcome: Outcome,
}

/// Drives the engine: heartbeats arrive in the order of `ranks` within a batch.
fn drive(compiled: &CompiledScenario, turns: &[Turn], ranks: &[u32]) -> End {
    let settings = &compiled.settings;
    let (target, timeout) = (settings.target.digest, settings.health_timeout);
    let ticks = Ticks::default();
    let mut engine = Engine::new(compiled.plan.clone(), settings.clone(), ticks, Recording::Milestones);
    engine.handle_request(At(0));
    let (mut dispatched, mut tripped) = (0, false);
    let mut beats: BTreeMap<(At, u32), Heartbeat> = BTreeMap::new();
    loop {
        while let Some(command) = engine.poll_command() {
            let Command::Upgrade { to: Direction::Forward, positions } = command else { continue };
            let now = engine.poll_timeout().map_or(At(0), |at| At(at.0.saturating_sub(timeout.0)));
            dispatched += positions.len() as u32;
            for position in positions {
                let sent_at = At(now.0 + 40_000 + u64::from(ranks[position as usize]));
                let failed = turns[position as usize] == Turn::Fails;
                if turns[position as usize] == Turn::Silent {
                    continue;
                }
                let digest = if failed { dryroll_engine::fleet::DigestId(target.0 + 77) } else { target };
                let failed_upgrade = failed.then_some(target);
                let instance = engine.plan().order.instance(position);
                beats.insert(
                    (sent_at, position),
                    Heartbeat { instance, sent_at, digest, healthy: true, failed_upgrade },
                );
            }
        }
        if engine.poll_event().is_some() {
            continue;
        }
        if let Some(outcome) = engine.outcome() {
            tripped |= outcome == Outcome::Aborted;
            return End { tripped, dispatched, outcome };
        }
        if engine.direction() == Direction::Back {
            return End { tripped: true, dispatched, outcome: Outcome::RolledBack };
        }
        if let Some((request, RequestKind::RollingUpgradeContinuation)) = engine.pending_request() {
            tripped = true;
            let now = beats.keys().next().map_or(At(1 << 40), |(at, _)| *at);
            let _ = engine.handle_answer(now, request, Answer::OnTrip(OperatorDecision::Abort));
            continue;
        }
        let due = engine.poll_timeout();
        match beats.pop_first() {
            Some(((at, _), heartbeat)) if due.is_none_or(|due| at <= due) => {
                engine.handle_heartbeat(at, at, &heartbeat);
            }
            beat => {
                if let Some((key, heartbeat)) = beat {
                    beats.insert(key, heartbeat);
                }
                engine.handle_timeout(due.expect("something is due"));
            }
        }
    }
}

/// All orders of so many things.
fn orders(of: usize) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new()];
    for item in 0..of as u32 {
        all = all
            .iter()
            .flat_map(|order: &Vec<u32>| {
                (0..=order.len()).map(|place| {
                    let mut order = order.clone();
                    order.insert(place, item);
                    order
                })
            })
            .collect();
    }
    all
}

#[derive(Default)]
struct Wanted {
    trips: f64,
    exposed: BTreeMap<u32, f64>,
    outcomes: BTreeMap<&'static str, f64>,
}

/// Every outcome of every instance, in every order of arrival.
fn enumerate(compiled: &CompiledScenario, silent: f64) -> Wanted {
    let n = compiled.total() as usize;
    let largest = (0..compiled.plan.batch_count()).map(|batch| compiled.plan.batch(batch).len()).max().unwrap_or(1);
    let orders = orders(largest);
    let mut wanted = Wanted::default();
    for code in 0..3_usize.pow(n as u32) {
        let turns: Vec<usize> = (0..n).map(|i| code / 3_usize.pow(i as u32) % 3).collect();
        let chances = [1.0 - FAILS - silent, FAILS, silent];
        let chance: f64 = turns.iter().map(|&turn| chances[turn]).product();
        if chance == 0.0 {
            continue;
        }
        let turns: Vec<Turn> = turns.into_iter().map(|turn| TURNS[turn].0).collect();
        for order in &orders {
            // Ranks of a smaller batch are those of an order of its own, each as often as any other.
            let ranks: Vec<u32> = (0..n as u32)
                .map(|i| order[(i - compiled.plan.batch(compiled.plan.batch_of(i)).start) as usize])
                .collect();
            let end = drive(compiled, &turns, &ranks);
            let weight = chance / orders.len() as f64;
            wanted.trips += if end.tripped { weight } else { 0.0 };
            *wanted.exposed.entry(end.dispatched).or_default() += weight;
            *wanted.outcomes.entry(end.outcome.name()).or_default() += weight;
        }
    }
    wanted
}

fn agrees(exact: &Exact, wanted: &Wanted, what: &str) {
    let close = |has: f64, wants: f64| (has - wants).abs() < 1e-12;
    let trips = exact.value("trip_rate").unwrap_or(f64::NAN);
    assert!(close(trips, wanted.trips), "{what}: {trips} where {} trip", wanted.trips);
    let exposed: BTreeMap<u32, f64> = exact.exposed.iter().copied().collect();
    for value in exposed.keys().chain(wanted.exposed.keys()) {
        let chance = |of: &BTreeMap<u32, f64>| of.get(value).copied().unwrap_or(0.0);
        let (has, wants) = (chance(&exposed), chance(&wanted.exposed));
        assert!(close(has, wants), "{what}: {value} exposed with {has}, not {wants}");
    }
    for (outcome, wants) in &wanted.outcomes {
        if exact.why_not.iter().all(|unknown| unknown.metric != *outcome) {
            let has = exact.value(outcome).unwrap_or(f64::NAN);
            assert!(close(has, *wants), "{what}: {outcome} {has}, not {wants}");
        }
    }
}

/// Limits, wholes, moments, scopes and batches, alone and with failures in a row.
#[test]
fn every_rule_agrees_with_every_outcome() {
    let rules = [
        "{limit = 2}",
        "{limit = 1, exceeds = true}",
        "{limit = '30%'}",
        "{limit = '30%', of = 'judged', after_judged = 3}",
        "{limit = '40%', of = 'judged', after_judged = 2, until_pct = 80}",
        "{limit = '40%', of = 'judged', check = 'batch_end'}",
        "{limit = '50%', of = 'batch', check = 'batch_end', then = 'abort'}",
        "{limit = '60%', of = 'batch', exceeds = true, scope = 'batch', then = 'roll_back'}",
        "{limit = 2, scope = 'batch'}",
        "{limit = 2, reasons = ['health_timeout']}",
        "{how = 'in_a_row', limit = 2, after_judged = 3}",
        "{how = 'sprt', good = 0.1, bad = 0.55, alpha = 0.1, beta = 0.2}",
        "{how = 'sprt', good = 0.1, bad = 0.55, alpha = 0.1, beta = 0.2, scope = 'batch', check = 'batch_end'}",
        "{limit = 2, then = 'note'}, {limit = 3, then = 'abort'}, {limit = '50%', of = 'judged', after_judged = 2}",
    ];
    let batches = ["batches = [1, '40%']", "batches = [3]", "batches = ['60%', 1]\nbatch_of = 'remaining'"];
    let mut compared = 0;
    for (place, rule) in rules.iter().enumerate() {
        for first in ["", "max_consecutive_failures = 2\n"] {
            let batches = batches[(place + first.len()) % batches.len()];
            let silent = if place % 2 == 0 { SILENT } else { 0.0 };
            let rollout = format!("{batches}\n{first}breakers = [{rule}]");
            let scenario = scenario(5, silent, &rollout);
            let compiled = CompiledScenario::new(&scenario).expect("accepted");
            let exact = exact(&scenario).unwrap_or_else(|why| panic!("{rollout}: {why}"));
            agrees(&exact, &enumerate(&compiled, silent), &rollout);
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * rules.len());
}

/// Batches that differ in size, with failures in a row alone; and one instance at a time.
#[test]
fn other_batches_agree_with_every_outcome() {
    for rollout in [
        "batches = [1, '40%']\nmax_consecutive_failures = 2",
        "batches = ['50%']\nbatch_of = 'remaining'\nrounding = 'down'\nmax_consecutive_failures = 2\n\
         breaker_scope = 'batch'",
        "batches = [2, 3]\nmax_in_flight = 1\nbreakers = [{limit = '50%', of = 'batch', scope = 'batch'}]",
        "batches = [3]\nbake_sec = 60\nbreakers = [{limit = '40%', of = 'judged', after_judged = 4}]",
    ] {
        let scenario = scenario(5, SILENT, rollout);
        let compiled = CompiledScenario::new(&scenario).expect("accepted");
        let exact = exact(&scenario).unwrap_or_else(|why| panic!("{rollout}: {why}"));
        agrees(&exact, &enumerate(&compiled, SILENT), rollout);
    }
}

/// 400 instances of which 5 % fail when good and 40 % when bad: no limit on failures in a row stops few good rollouts
/// and keeps a bad one small; a share of those judged does. The values are those of an independent program.
#[test]
fn a_share_does_what_no_run_can() {
    let values = |rollout: &str| {
        let of = |rate: f64| {
            let mut scenario = scenario(400, 0.0, &format!("batches = [4]\n{rollout}"));
            let target = scenario.rollout.target;
            scenario.versions[target.0].rates.failure = rate;
            exact(&scenario).unwrap_or_else(|why| panic!("{rollout}: {why}"))
        };
        let value = |exact: &Exact, name: &str| exact.value(name).unwrap_or(f64::NAN);
        let good = of(0.05);
        let duration = value(&good, "duration_sec");
        assert!(duration > 100.0 * 30.0 && duration < 100.0 * 75.0, "{duration}");
        (value(&good, "trip_rate") * 100.0, value(&of(0.4), "exposed_pct"))
    };
    for (rollout, trips, exposed, within) in [
        ("max_consecutive_failures = 3", 4.6, 6.5, 0.05),
        ("max_consecutive_failures = 4", 0.24, 16.0, 0.5),
        ("breakers = [{limit = '30%', of = 'judged', after_judged = 12}]", 0.34, 3.8, 0.05),
    ] {
        let has = values(rollout);
        assert!((has.0 - trips).abs() < f64::min(within, 0.05), "{rollout}: {} % of good ones stop", has.0);
        assert!((has.1 - exposed).abs() < within, "{rollout}: {} % exposed", has.1);
    }
}

/// What the chain does not follow is said.
#[test]
fn what_is_beyond_is_said() {
    for (rollout, says) in [
        ("breakers = [{how = 'window', window_sec = 60, limit = 2}]", "stretch of time"),
        ("breakers = [{count = 'failed_batches', how = 'in_a_row', limit = 2}]", "failed batches"),
        ("breakers = [{no_progress_sec = 60}]", "without a healthy verdict"),
        ("breakers = [{limit = 2}]\nretries = 1", "commanded again"),
        ("batches = [1]\ngrowth = {factor = 2}", "one before"),
        ("breakers = [{how = 'sprt', good = 0.1, bad = 0.9, alpha = 0.1, beta = 0.1}]", "rounding"),
        ("breakers = [{limit = '30%', of = 'judged'}]\nmax_in_flight = 3\nbatches = [4]", "max_in_flight"),
    ] {
        let why = exact(&scenario(10, 0.0, rollout)).expect_err(rollout).why;
        assert!(why.contains(says), "{rollout}: {why}");
    }
}

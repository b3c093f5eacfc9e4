//! Determinism is a promise: the same scenario and seed give the same bytes, and a change affects nothing unrelated.

use crate::common::toml as common;

use std::collections::BTreeMap;

use common::{event_log, scenario};
use dryroll::engine::{Direction, Phase, Reason, Verdict};
use dryroll::scenario::{Scenario, Target};
use dryroll::sim::{CompiledScenario, Simulator, Unobserved};

/// Everything that is drawn, in one scenario.
const EVERYTHING: &str = r#"
    seed = 7
    [fleet]
    instances = 40
    zones = 3
    heartbeat_loss_rate = 0.05
    heartbeat_delay_sec = {exponential = {mean = 2}}
    crash_rate_per_1000_days = 2000
    repair_sec = {lognormal = {median = 300, sigma = 1}}
    [[versions]]
    id = "v-1"
    [[versions]]
    id = "v-2"
    upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
    failure_rate = 0.1
    hang_rate = 0.05
    unhealthy_rate = 0.02
    crash_rate = 0.05
    crash_after_sec = {weibull = {scale = 900, shape = 1.5}}
    [network]
    flap_rate_per_hour = 4
    flap_down_sec = {uniform = {min = 5, max = 90}}
    zone_outage_rate_per_day = 20
    [rollout]
    target_version_id = "v-2"
    batch_pct = 25
    [operator]
    approval_delay_sec = {exponential = {mean = 300}}
    decision_delay_sec = {lognormal = {median = 300, sigma = 0.8}}
    on_trip = ["continue_anyway", "continue_anyway", "rollback_completed_batches"]
    [[overrides]]
    fraction = 0.2
    upgrade_time_sec = 90
    [[faults]]
    kind = "partition"
    at_sec = 500
    duration_sec = 60
    target = {fraction = 0.3}
    [[faults]]
    kind = "kill"
    after = {event = "batch_started", batch_index = 1, delay_sec = 20}
    duration_sec = 100
    target = {fraction = 0.2}
"#;

#[test]
fn twice_the_same_bytes_and_another_replicate_has_others() {
    let scenario = scenario(EVERYTHING);
    assert_eq!(event_log(&scenario, 3), event_log(&scenario, 3));
    assert_ne!(event_log(&scenario, 3), event_log(&scenario, 4));
    let other_seed = Scenario { seed: 8, ..scenario.clone() };
    assert_ne!(event_log(&scenario, 3), event_log(&other_seed, 3));
}

#[test]
fn a_replicate_alone_is_the_same_as_among_others() {
    let scenario = scenario(EVERYTHING);
    let compiled = CompiledScenario::new(&scenario).unwrap();
    let mut simulator = Simulator::new(&compiled);
    let among_others: Vec<_> = (0..60).map(|replicate| simulator.run(replicate, &mut Unobserved)).collect();
    for replicate in [0, 7, 31, 59] {
        let alone = Simulator::new(&compiled).run(replicate, &mut Unobserved);
        assert_eq!(alone, among_others[replicate as usize]);
    }
}

/// The verdict of each instance in a replicate in which verdicts depend on its own draws alone.
fn verdicts(scenario: &Scenario, replicate: u64) -> BTreeMap<u32, Verdict> {
    let compiled = CompiledScenario::new(scenario).unwrap();
    let mut simulator = Simulator::new(&compiled);
    simulator.run(replicate, &mut Unobserved);
    (0..compiled.total())
        .filter_map(|position| match simulator.engine().phase(position, Direction::Forward) {
            Phase::Judged(verdict) => Some((simulator.engine().instance(position).0, verdict)),
            _ => None,
        })
        .collect()
}

const FATES: &str = r#"
    seed = 7
    [fleet]
    instances = 60
    [[versions]]
    id = "v-1"
    [[versions]]
    id = "v-2"
    upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
    failure_rate = 0.2
    hang_rate = 0.1
    [rollout]
    target_version_id = "v-2"
    max_consecutive_failures = 100
    [reconciler]
    policy = "auto_approve"
"#;

#[test]
fn two_policies_meet_the_same_fleet() {
    let base = scenario(FATES);
    let known = verdicts(&base, 0);
    assert_eq!(known.len(), 60);
    assert!(known.values().any(|v| *v == Verdict::Failed(Reason::UpgradeFailed)));
    for (batch_pct, in_flight) in [(1, None), (7, Some(3)), (100, Some(1)), (100, None)] {
        let mut other = base.clone();
        other.rollout.batches = dryroll::engine::BatchSizes::pct(batch_pct);
        other.rollout.max_in_flight = in_flight.and_then(std::num::NonZeroU32::new).map(dryroll::engine::Size::Count);
        assert_eq!(verdicts(&other, 0), known, "batch_pct {batch_pct}");
    }
}

#[test]
fn removing_instances_or_faults_changes_no_other_draw() {
    let base = scenario(FATES);
    let known = verdicts(&base, 0);
    let mut smaller = base.clone();
    smaller.fleet.instances = 59;
    let left = verdicts(&smaller, 0);
    assert!(left.iter().all(|(n, verdict)| known[n] == *verdict));
    assert_eq!(left.len(), 59);

    // Two partitions of drawn shares: who is hit by the second does not depend on the first one's being there.
    let mut both = scenario(EVERYTHING);
    both.faults.truncate(1);
    let mut later = both.faults[0].clone();
    later.start = dryroll::scenario::FaultStart::At(dryroll::fleet::Span(900_000));
    both.faults.push(later.clone());
    let mut second = both.clone();
    second.faults = vec![later];
    let touched = |scenario: &Scenario| {
        let compiled = CompiledScenario::new(scenario).unwrap();
        let fault = compiled.faults.last().unwrap();
        let mut draws = dryroll::sim::draws::Draws::new(compiled.seed, 0);
        (0..40).filter(|&n| fault.hits(&compiled.member(n, draws.instance(n)))).collect::<Vec<_>>()
    };
    assert_eq!(touched(&both), touched(&second));
    assert!(matches!(both.faults[1].target, Target::Fraction(_)));
    assert!(!touched(&second).is_empty());
}

/// A controller that dies and is back at once, at any moment, changes nothing: it is rebuilt from its journal.
#[test]
fn a_restart_at_any_moment_changes_nothing() {
    let undisturbed = event_log(&scenario(EVERYTHING), 1);
    let mut moments: Vec<u64> = undisturbed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["at_ms"].as_u64().unwrap())
        .flat_map(|at| [at, at + 1])
        .collect();
    moments.dedup();
    assert!(moments.len() > 50);
    for at in moments {
        let seconds = at as f64 / 1000.0;
        let crash = format!("\n[[faults]]\nkind = \"reconciler_crash\"\nat_sec = {seconds:.3}\nduration_sec = 0\n");
        let log = event_log(&scenario(&format!("{EVERYTHING}{crash}")), 1);
        assert_eq!(log, undisturbed, "restarted at {at} ms");
    }
}

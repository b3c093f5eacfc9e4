//! What a run costs is held in proportion to what the file says, and nothing beyond the horizon is computed. No time is
//! measured: where that does not hold, these runs walk some 10¹⁰ outages, heartbeats or faults and do not end. Unit
//! tests of `sim::outages` count what is walked.

use dryroll::engine::Outcome;
use dryroll::scenario::{Format, Scenario};
use dryroll::sim::{CompiledScenario, Metrics, Simulator, Unobserved};
use serde_json::{Value, json};

/// Runs one replicate, with all that a report asks of it.
fn run(scenario: &Value) -> Metrics {
    let scenario = Scenario::parse("cost.json", scenario.to_string().as_bytes(), Format::Json);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    let compiled = CompiledScenario::new(&scenario).expect("a rollout");
    let mut simulator = Simulator::new(&compiled);
    let metrics = simulator.run(0, &mut Unobserved);
    assert_eq!(simulator.fault_effects().len(), scenario.faults.len());
    metrics
}

fn fleet(instances: u32) -> Value {
    json!({
        "fleet": {"instances": instances},
        "versions": [{"id": "a"}, {"id": "b"}],
        "rollout": {"target_version_id": "b"},
    })
}

/// 270,000 deaths of each instance after the rollout.
#[test]
fn a_long_observation_walks_each_history_once() {
    let mut scenario = fleet(3);
    scenario["fleet"]["crash_rate_per_1000_days"] = json!(1_000_000);
    scenario["rollout"]["observe_after_sec"] = json!(1e9);
    // An instance is up for 86.4 s and then down for an hour.
    let metrics = run(&scenario);
    let down = metrics.capacity_loss as f64 / 3e12;
    assert!((0.97..0.985).contains(&down), "{down}");
}

/// 10¹² heartbeats before the health timeout, over a network that is hardly ever up.
#[test]
fn no_heartbeat_beyond_the_horizon_is_looked_at() {
    let mut scenario = fleet(1);
    scenario["fleet"]["heartbeat_interval_sec"] = json!(0.001);
    scenario["rollout"]["health_timeout_sec"] = json!(1e9);
    scenario["network"] = json!({
        "flap_rate_per_hour": 0.5, "flap_down_sec": 1e9,
        "zone_outage_rate_per_day": 100, "zone_outage_sec": {"uniform": {"min": 0.001, "max": 86_400}},
    });
    scenario["faults"] = json!([{
        "kind": "delay_heartbeats", "after": {"event": "circuit_breaker_tripped"},
        "by_sec": {"uniform": {"min": 3600, "max": 86_400}},
    }]);
    assert_eq!(run(&scenario).outcome, Outcome::Stalled);
}

/// A heartbeat a millisecond, all of them a day late: the first one decides, and none can overtake it.
#[test]
fn late_heartbeats_are_not_waited_for_one_by_one() {
    let mut scenario = fleet(5);
    scenario["horizon_sec"] = json!(1e7);
    scenario["fleet"]["heartbeat_interval_sec"] = json!(0.001);
    scenario["fleet"]["heartbeat_delay_sec"] = json!(86_400);
    scenario["rollout"]["health_timeout_sec"] = json!(1e6);
    assert_eq!(run(&scenario).outcome, Outcome::Completed);
}

/// Chains of faults that touch, last ones first, and faults that wait for events that come and for some that do not.
#[test]
fn many_faults_cost_as_much_as_there_are() {
    const FAULTS: u32 = 20_000;
    type Fault = fn(u32) -> Value;
    let kinds: [(&str, Fault); 7] = [
        ("partition", |_| json!({})),
        ("kill", |_| json!({})),
        ("slow", |_| json!({"factor": 1.000_1})),
        ("registry_outage", |_| json!({})),
        ("reconciler_pause", |_| json!({})),
        ("reconciler_crash", |_| json!({})),
        ("delay_heartbeats", |_| json!({"by_sec": 5})),
    ];
    for (kind, more) in kinds {
        let mut scenario = fleet(10);
        let fault = |i: u32| {
            let mut fault = more(i);
            fault["kind"] = json!(kind);
            if i.is_multiple_of(4) {
                fault["after"] = json!({"event": "batch_started", "batch_index": i % 200, "delay_sec": i});
            } else {
                fault["at_sec"] = json!(FAULTS - i);
            }
            fault["duration_sec"] = json!(1);
            fault
        };
        scenario["faults"] = (0..FAULTS).map(fault).collect();
        run(&scenario);
    }
}

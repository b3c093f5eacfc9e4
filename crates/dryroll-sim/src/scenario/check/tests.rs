//! Whole files through all of the checks.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::{Duration, Instant};

use super::super::*;
use dryroll_engine::fleet::{InstanceId, InstanceStatus, LifecycleState, Span};
use dryroll_engine::{
    BatchSizes, BreakerOrder, BreakerScope, EventKind, InterventionPolicy, OperatorDecision, Pace, Size,
};

/// The format's reference example.
const EXAMPLE: &str = r#"
name = "nginx 1.24 to 1.26, edge fleet"
seed = 42
horizon_sec = 86400

[fleet]
template_id = "edge"
instances = 50
zones = 3
heartbeat_interval_sec = 30
heartbeat_phase_sec = 0
heartbeat_loss_rate = 0.0
heartbeat_delay_sec = 0
statuses = {stopped = 2}
crash_rate_per_1000_days = 6.5
repair_sec = {lognormal = {median = 3600, sigma = 1.0}}

[module]
id = "nginx"

[[versions]]
id = "v-1.24.0"
lifecycle_state = "live"
digest = "sha256:124"

[[versions]]
id = "v-1.26.0"
lifecycle_state = "blessed"
defective = false
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
failure_rate = 0.01
hang_rate = 0.005
unhealthy_rate = 0.0
crash_rate = 0.0
crash_after_sec = {exponential = {mean = 3600}}

[network]
flap_rate_per_hour = 0.5
flap_down_sec = {exponential = {mean = 40}}
zone_outage_rate_per_day = 0.0
zone_outage_sec = {exponential = {mean = 600}}

[rollout]
target_version_id = "v-1.26.0"
previous_version_id = "v-1.24.0"
batch_pct = 20
max_consecutive_failures = 2
health_timeout_sec = 300
rollback_batch_pct = 50
breaker_order = "observed"
breaker_scope = "rollout"
max_in_flight = 10

[reconciler]
interval_sec = 60
policy = "require_approval"
permission = true

[operator]
approval_delay_sec = 120
approval_expires_sec = 86400
approves = true
edit = {batch_pct = 10}
on_trip = ["continue_anyway", "rollback_completed_batches"]
decision_delay_sec = {lognormal = {median = 300, sigma = 0.8}}

[[overrides]]
ids = ["i-00003", "i-00004"]
outcome = "fail"
upgrade_time_sec = 20
heartbeat_phase_sec = 5
flap_rate_per_hour = 20
versions = ["v-1.26.0"]

[[faults]]
kind = "partition"

at_sec = 400
duration_sec = 300
factor = 3
target = {zone = 1}

[[expect]]
metric = "blast_radius_pct"
stat = "p95"
at_most = 20
replicates = 2000

[[expect]]
version = "v-1.24.0"
metric = "outcome"
equals = "completed"

[tune]
limits = [{metric = "false_trip_rate", at_most = 0.02}, {metric = "blast_radius_pct", at_most = 20}]
"#;

const SMALLEST: &str = "fleet.instances = 3\nrollout.target_version_id = 'v1'\n[[versions]]\nid = 'v1'\n";

fn toml(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse("dir/x.toml", text.as_bytes(), Format::Toml)
}

fn good(text: &str) -> Scenario {
    match toml(text) {
        Ok(scenario) => scenario,
        Err(error) => panic!("{error}"),
    }
}

fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

#[test]
fn the_example_says_what_it_says() {
    let scenario = good(EXAMPLE);
    assert_eq!((scenario.name.raw(), scenario.seed), ("nginx 1.24 to 1.26, edge fleet", 42));
    assert_eq!(scenario.hash.len(), 64);
    assert_eq!(scenario.horizon, Span(86_400_000));
    let fleet = &scenario.fleet;
    assert_eq!((fleet.template_id.raw(), fleet.instances, fleet.zones), ("edge", 50, 3));
    assert_eq!((fleet.heartbeat_interval, fleet.heartbeat_phase), (Span(30_000), Some(Span::ZERO)));
    assert_eq!(fleet.statuses, [(InstanceStatus::Stopped, 2)]);
    assert_eq!(fleet.status(InstanceId(48)), InstanceStatus::Stopped);
    assert_eq!(fleet.repair, Distribution::Lognormal { median: 3600.0, sigma: 1.0 });
    assert_eq!(scenario.module_id, "nginx");
    let [old, new] = scenario.versions.as_slice() else { panic!("two versions") };
    assert_eq!((old.lifecycle_state, old.digest.raw()), (LifecycleState::Live, "sha256:124"));
    assert_eq!(old.upgrade_time, Distribution::Constant(45.0));
    assert_eq!(
        new.rates,
        OutcomeRates { failure: 0.01, hang: 0.005, unhealthy: 0.0, crash: 0.0, ..OutcomeRates::default() }
    );
    assert_eq!(new.crash_after, Distribution::Exponential { mean: 3600.0 });
    assert!(new.digest.raw().starts_with("sha256:") && new.digest.raw().len() == 71);
    assert_eq!(scenario.network.flap_rate_per_hour, 0.5);
    let rollout = &scenario.rollout;
    assert_eq!((rollout.target, rollout.previous), (VersionIndex(1), Some(VersionIndex(0))));
    assert_eq!(rollout.max_in_flight, Some(Size::Count(count(10))));
    assert_eq!((rollout.breaker_order, rollout.breaker_scope), (BreakerOrder::Observed, BreakerScope::Rollout));
    assert_eq!(
        scenario.operator.on_trip,
        [OperatorDecision::ContinueAnyway, OperatorDecision::RollbackCompletedBatches]
    );
    assert_eq!(
        scenario.operator.edit,
        Some(dryroll_engine::Edit { batch_pct: Some(10), max_consecutive_failures: None })
    );
    let [one] = scenario.overrides.as_slice() else { panic!("one override") };
    assert_eq!(one.target, Target::Ids(vec![InstanceId(2), InstanceId(3)]));
    assert_eq!((one.outcome, one.versions.as_deref()), (Some(UpgradeOutcome::Fail), Some(&[VersionIndex(1)][..])));
    let [fault] = scenario.faults.as_slice() else { panic!("one fault") };
    assert_eq!((&fault.kind, &fault.start), (&FaultKind::Partition, &FaultStart::At(Span(400_000))));
    assert_eq!((fault.duration, &fault.target), (Some(Span(300_000)), &Target::Zone(1)));
    let [blast, outcome] = scenario.expect.as_slice() else { panic!("two rules") };
    let Demand::Limit(limit) = &blast.demand else { panic!("a limit") };
    assert_eq!(
        (limit.stat, &limit.bound, blast.replicates),
        (Some(Stat::P95), &Bound::AtMost(20.0), Replicates::First(Some(2000)))
    );
    assert_eq!((outcome.version, outcome.replicates), (Some(VersionIndex(0)), Replicates::One(0)));
    let nth = |n| EXAMPLE.lines().enumerate().filter(|(_, line)| *line == "[[expect]]").nth(n).map(|(i, _)| i + 1);
    assert_eq!((Some(blast.line), Some(outcome.line)), (nth(0), nth(1)));
    let tune = scenario.tune.as_ref().map(|tune| (tune.good, tune.defective.len(), tune.minimise.name()));
    assert_eq!(tune, Some((VersionIndex(1), 0, "duration_sec")));
}

#[test]
fn json_says_the_same_as_toml() {
    let scenario = good(EXAMPLE);
    let tree = tree::read_toml(EXAMPLE).map(|root| root.to_json()).unwrap_or_default();
    let text = format!("{tree:#}");
    let format = Format::of(Path::new("x.scenario"), text.as_bytes());
    assert_eq!(format, Format::Json);
    match Scenario::parse("x", text.as_bytes(), format) {
        Ok(mut same) => {
            // Only the places are others.
            for (rule, other) in same.expect.iter_mut().zip(&scenario.expect) {
                rule.line = other.line;
            }
            assert_eq!(Scenario { hash: scenario.hash.clone(), ..same }, scenario);
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let scenario = good(SMALLEST);
    assert_eq!((scenario.name.raw(), scenario.seed), ("x", 0));
    assert_eq!((scenario.fleet.template_id.raw(), scenario.module_id.raw()), ("fleet", "module"));
    assert_eq!((scenario.fleet.zones, scenario.fleet.heartbeat_phase), (1, None));
    assert_eq!(scenario.fleet.heartbeat_delay, Distribution::Constant(0.0));
    assert_eq!(scenario.rollout.previous, None);
    assert_eq!(scenario.rollout.batches, BatchSizes::pct(20));
    assert_eq!(scenario.rollout.rollback_batches, BatchSizes::pct(50));
    assert_eq!(scenario.rollout.max_consecutive_failures, Some(count(2)));
    assert!(scenario.rollout.breakers.is_empty() && scenario.rollout.watch.is_none());
    assert_eq!((scenario.rollout.ok_pct, &scenario.rollout.pace), (100, &Pace::default()));
    assert_eq!(scenario.operator.on_promotion, [PromotionDecision::Promote]);
    assert_eq!((scenario.rollout.health_timeout, scenario.rollout.max_in_flight), (Span(300_000), None));
    assert_eq!(scenario.reconciler.interval, Span(60_000));
    assert_eq!(
        (scenario.reconciler.policy, scenario.reconciler.permission),
        (InterventionPolicy::RequireApproval, true)
    );
    assert_eq!((scenario.operator.approves, scenario.operator.edit), (true, None));
    assert_eq!(scenario.operator.on_trip, [OperatorDecision::Abort]);
    assert_eq!(scenario.operator.approval_expires, Span(86_400_000));
    assert_eq!(scenario.network.flap_rate_per_hour, 0.0);
    assert!(scenario.overrides.is_empty() && scenario.faults.is_empty() && scenario.tune.is_none());
}

#[test]
fn values_at_their_limits_are_taken() {
    let seed = format!(
        r#"{{"seed": {}, "fleet": {{"instances": 100000000}}, "versions": [{{"id": "v"}}],
        "rollout": {{"target_version_id": "v"}}, "horizon_sec": 1e9}}"#,
        u64::MAX
    );
    let scenario = Scenario::parse("x.json", seed.as_bytes(), Format::Json);
    assert!(scenario.as_ref().is_ok_and(|scenario| scenario.seed == u64::MAX), "{scenario:?}");
    // Decimals that are no binary fractions may add up to a hair more than 1.
    good(&format!("{SMALLEST}failure_rate = 0.7\nhang_rate = 0.2\ncrash_rate = 0.1\n"));
    let fault = "[[faults]]\nkind = 'kill'\nafter = {event = 'module.upgrade.batch_started', batch_index = 1}\n";
    let scenario = good(&format!("\u{feff}{SMALLEST}{fault}"));
    let start = scenario.faults.first().map(|fault| fault.start.clone());
    let wanted = FaultStart::After { event: EventKind::BatchStarted, batch_index: Some(1), delay: Span::ZERO };
    assert_eq!(start, Some(wanted));
}

#[test]
fn what_is_no_text_is_told_before_anything_is_read() {
    let parse = |bytes: &[u8]| Scenario::parse("x.toml", bytes, Format::Toml).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        parse(b"a = 1\nb = \xff"),
        "x.toml is not UTF-8 text: line 2 has a wrong byte, at offset 10 of the file"
    );
    assert!(parse(b" \n").contains("is empty"));
    assert!(parse(&vec![b'#'; (16 << 20) + 1]).contains("is larger than"));
}

#[test]
fn nesting_and_junk_are_answered_soon() {
    const DEEP: usize = 100_000;
    let junk = [
        "[".repeat(DEEP),
        "{".repeat(DEEP),
        r#"{"a":"#.repeat(DEEP),
        format!("a = {}", "[".repeat(DEEP)),
        format!("a = {}", "{a=".repeat(DEEP)),
        format!("{}a = 1", "a.".repeat(DEEP)),
        format!("[{}a]", "a.".repeat(DEEP)),
        "what is this\n".repeat(400_000),
        "[a]\n".repeat(1_200_000),
        (0..400_000).map(|n| format!("k{n} = 1\n")).collect(),
        format!("[{}1]", "1,".repeat(2_500_000)),
        format!("{SMALLEST}[[overrides]]\nids = [{}]\noutcome = 'fail'", "'i-9',".repeat(800_000)),
    ];
    for text in junk {
        for format in [Format::Toml, Format::Json] {
            let start = Instant::now();
            let Err(error) = Scenario::parse("x", text.as_bytes(), format) else { panic!("junk is taken") };
            assert!(error.render(true).len() < 100_000);
            assert!(error.diagnostics().len() <= 20);
            // Far above what it takes, for slow machines.
            let took = start.elapsed();
            assert!(took < Duration::from_secs(20), "{took:?}: {}", text.chars().take(40).collect::<String>());
        }
    }
}

/// Deterministic, and good enough to pick places.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn no_edit_of_a_good_file_makes_it_panic() {
    let json = tree::read_toml(EXAMPLE).map(|root| root.to_json().to_string()).unwrap_or_default();
    let mut state = 7;
    let bits: [&[u8]; 12] =
        [b"[", b"]", b"{", b"}", b"=", b"\"", b"-", b"9999999999", b"nan", b"\n", b"\xc3\xa9", b"\0"];
    for (text, format) in [(EXAMPLE, Format::Toml), (json.as_str(), Format::Json)] {
        for _ in 0..3000 {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=next(&mut state) % 3 {
                let at = next(&mut state) % bytes.len();
                let until = (at + next(&mut state) % 6).min(bytes.len());
                let bit = bits[next(&mut state) % bits.len()];
                match next(&mut state) % 3 {
                    0 => bytes[at] = (next(&mut state) % 256) as u8,
                    1 => drop(bytes.splice(at..at, bit.iter().copied())),
                    _ => drop(bytes.splice(at..until, bit.iter().copied())),
                }
            }
            if let Err(error) = Scenario::parse("x", &bytes, format) {
                assert!(!error.render(false).is_empty());
            }
        }
    }
}

#[test]
fn the_schema_is_one_that_editors_understand() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["horizon_sec"]["default"], 86_400.0);
    assert_eq!(schema["$defs"]["Rollout"]["properties"]["batch_pct"]["maximum"], 100);
    let undescribed: Vec<String> = schema["$defs"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(name, table)| {
            table["properties"].as_object().into_iter().flatten().map(move |(key, one)| (name, key, one))
        })
        .filter(|(_, _, one)| one["description"].is_null())
        .map(|(name, key, _)| format!("{name}.{key}"))
        .collect();
    assert!(undescribed.is_empty(), "{undescribed:?}");
    assert!(!schema.to_string().contains("null"));
}

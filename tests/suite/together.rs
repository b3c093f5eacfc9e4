//! Failures that come together: exact values against each other, against published figures and against the simulator;
//! and what draws of a replicate depend on.
//!
//! Comparisons with the simulator are by z, with a limit of 5, which chance exceeds once in 1.7 million comparisons
//! (normal approximation); there are fewer than 60, so a false alarm of the whole file has a chance of about 1 in
//! 28,000. The seeds are fixed: it is met at the first run or never.

use crate::common::theory::fleet;
use crate::common::toml::{event_log, replicates, scenario};

use dryroll::scenario::{RolloutOrder, Scenario};
use dryroll::sim::draws::Draws;
use dryroll::sim::{CompiledScenario, Release, Shared};
use dryroll::stats::beta;
use dryroll::study::exact::{Exact, exact, trip_spread};
use dryroll::study::rare::trip_probability;

const LIMIT: f64 = 5.0;

fn exactly(text: &str) -> Exact {
    exact(&scenario(text)).unwrap_or_else(|out| panic!("{out}\n{text}"))
}

fn trip_rate(text: &str) -> f64 {
    exactly(text).value("trip_rate").expect("it is known")
}

fn refused(text: &str) -> String {
    exact(&scenario(text)).expect_err("it is out of scope").why
}

const LEMONS: &str = "[[classes]]\nid = \"lemons\"\nblocks = {count = 1, size = 5}\nfailure_rate = 0.2112";

/// Fifty instances of which 3.03 % fail on average: all alike, with a rate of each rollout's own, with five lemons side
/// by side.
fn three(limit: u32) -> [String; 3] {
    let rollout = format!("batch_pct = 20\nmax_consecutive_failures = {limit}\nbreaker_order = \"listed\"");
    [
        fleet(50, "failure_rate = 0.0303", &rollout),
        fleet(50, "failure_rate = {beta = {mean = 0.030303030303030304, concentration = 33}}", &rollout),
        format!("{}\n{LEMONS}", fleet(50, "failure_rate = 0.0102", &rollout)),
    ]
}

#[test]
fn the_same_mean_rate_trips_more_often_where_failures_come_together() {
    for (limit, published) in [(2, [0.043, 0.069, 0.155]), (3, [0.0013, 0.0063, 0.025])] {
        let digits = if limit == 2 { 0.0005 } else { 0.00005 };
        for (text, published) in three(limit).iter().zip(published) {
            let half = if published > 0.02 { 0.0005 } else { digits };
            let has = trip_rate(text);
            assert!((has - published).abs() <= half, "{limit}: {has} is not {published}");
        }
    }
}

/// With a limit of one the chance of no trip is E[(1 − p)ⁿ] = Π (b + i) / (a + b + i).
#[test]
fn a_rate_of_each_rollouts_own_has_the_beta_binomial_law() {
    for (mean, concentration) in [(0.03, 33.0), (0.4, 1.0), (0.001, 40.0), (0.2, 1e6)] {
        for n in [1, 7, 60, 400] {
            let version = format!("failure_rate = {{beta = {{mean = {mean}, concentration = {concentration}}}}}");
            let text = fleet(n, &version, "max_consecutive_failures = 1\nbreaker_order = \"listed\"");
            let b = (1.0 - mean) * concentration;
            let none: f64 = (0..n).map(|i| (b + f64::from(i)) / (concentration + f64::from(i))).product();
            let has = trip_rate(&text);
            assert!((has - (1.0 - none)).abs() < 1e-9, "{mean} {concentration} {n}: {has} {}", 1.0 - none);
        }
    }
}

/// Of two instances both must fail: E[(f + h)²] = E[f²] + 2·E[f]·E[h] + E[h²].
#[test]
fn two_drawn_rates_are_independent() {
    let version = "failure_rate = {beta = {mean = 0.1, concentration = 40}}\nhang_rate = {beta = {mean = 0.05, concentration = 60}}";
    let text = fleet(2, version, "max_consecutive_failures = 2\nbreaker_order = \"listed\"\nbatch_pct = 100");
    let wanted = 4.0 * 5.0 / (40.0 * 41.0) + 2.0 * 0.1 * 0.05 + 3.0 * 4.0 / (60.0 * 61.0);
    assert!((trip_rate(&text) - wanted).abs() < 1e-12, "{} {wanted}", trip_rate(&text));
}

#[test]
fn what_has_no_exact_mean_says_why() {
    let smooth = fleet(9, "upgrade_time_factor = {lognormal = {sigma = 0.2}}", "");
    assert!(refused(&smooth).contains("smooth distribution"), "{}", refused(&smooth));
    let wide = fleet(9, "failure_rate = {beta = {mean = 0.5, concentration = 1}}\nhang_rate = 0.4", "");
    assert!(refused(&wide).contains("add up to more than 1"), "{}", refused(&wide));
    let blocks = "[[classes]]\nid = \"many\"\nblocks = {count = 9, size = 2}\nfailure_rate = 0.3";
    let many = format!("{}\n{blocks}", fleet(200, "", "breaker_order = \"listed\""));
    assert!(refused(&many).contains("too many possible places"), "{}", refused(&many));
}

/// The simulator's means, by z.
fn agrees(what: &str, text: &str) {
    let exact = exactly(text);
    let runs = replicates(text, 20_000);
    let n = runs.len() as f64;
    for metric in ["trip_rate", "exposed_instances", "duration_sec", "completed"] {
        let Some(wanted) = exact.value(metric) else { continue };
        let values: Vec<f64> = runs
            .iter()
            .map(|run| match metric {
                "trip_rate" => f64::from(u8::from(run.trips > 0)),
                "exposed_instances" => f64::from(run.exposed),
                "duration_sec" => run.duration_sec(),
                outcome => f64::from(u8::from(run.outcome.name() == outcome)),
            })
            .collect();
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0);
        let error = (variance / n).sqrt();
        let z = if error > 0.0 { (mean - wanted) / error } else { 0.0 };
        assert!(z.abs() < LIMIT, "{what}, {metric}: {mean}, exact {wanted}; z = {z:.2}");
        assert!(error > 0.0 || (mean - wanted).abs() < 1e-9, "{what}, {metric}: {mean}, exact {wanted}");
    }
    assert!(exact.value("trip_rate").is_some_and(|rate| rate > 0.01 && rate < 0.99), "{what} says nothing");
}

fn compiled(version: &str, rollout: &str, rest: &str) -> String {
    format!(
        r#"
        seed = 8
        [fleet]
        instances = 20
        zones = 4
        heartbeat_interval_sec = 20
        [[versions]]
        id = "v-1"
        failure_rate = {{beta = {{mean = 0.2, concentration = 5}}}}
        [[versions]]
        id = "v-2"
        defective = true
        upgrade_time_sec = {{lognormal = {{median = 45, sigma = 0.5}}}}
        {version}
        [rollout]
        target_version_id = "v-2"
        health_timeout_sec = 150
        batch_pct = 30
        {rollout}
        {rest}
        "#
    )
}

#[test]
fn the_simulator_agrees() {
    let drawn = "failure_rate = {beta = {mean = 0.1, concentration = 9}}";
    agrees("a drawn rate, observed", &compiled(drawn, "", ""));
    agrees(
        "a drawn rate that is rolled back",
        &compiled(drawn, "", "[operator]\non_trip = \"rollback_completed_batches\""),
    );
    let two = "failure_rate = {beta = {mean = 0.15, concentration = 40}}\nhang_rate = {beta = {mean = 0.1, concentration = 60}}";
    agrees("two drawn rates, listed", &compiled(two, "breaker_order = \"listed\"\nmax_consecutive_failures = 3", ""));
    let factor = "failure_rate = 0.05\nupgrade_time_factor = {empirical = [0.5, 1, 3]}";
    agrees("a listed factor", &compiled(factor, "breaker_order = \"listed\"", ""));
    let lemons = "[[classes]]\nid = \"lemons\"\nblocks = {count = 2, size = 3}\nfailure_rate = 0.4";
    agrees("two blocks", &compiled("failure_rate = 0.03", "breaker_order = \"listed\"", lemons));
    agrees(
        "two blocks in a shuffled plan",
        &compiled("failure_rate = 0.03", "breaker_order = \"listed\"\norder = \"shuffled\"", lemons),
    );
    let zone = "[[classes]]\nid = \"old-kernel\"\nzone = 2\nhang_rate = 0.4\n[[classes]]\nid = \"slow\"\nshare = 0.3\n\
                upgrade_time_sec = {uniform = {min = 60, max = 160}}\n[[overrides]]\nids = [\"i-00003\"]\noutcome = \"ok\"";
    let narrow = "failure_rate = {beta = {mean = 0.1, concentration = 60}}";
    agrees("classes by zone and by share", &compiled(narrow, "breaker_order = \"listed\"\norder = \"by_zone\"", zone));
}

#[test]
fn the_variance_is_between_rollouts_and_within_them() {
    let [independent, drawn, lemons] = three(2).map(|text| trip_spread(&scenario(&text)).expect("it is in scope"));
    assert_eq!((independent, lemons), (None, None));
    let spread = drawn.expect("a rate is drawn");
    let rate = trip_rate(&three(2)[1]);
    assert!((spread.trip_rate - rate).abs() < 1e-12);
    assert!((spread.between + spread.within - rate * (1.0 - rate)).abs() < 1e-12);
    assert!(spread.share_between() > 0.05 && spread.share_between() < 0.5, "{spread:?}");
    assert!(spread.p5 < spread.p50 && spread.p50 < rate && rate < spread.p95, "{spread:?}");
    // One instance and a limit of one: the chance is the rate itself.
    let one = fleet(1, "hang_rate = {beta = {mean = 0.3, concentration = 5}}", "max_consecutive_failures = 1");
    let spread = trip_spread(&scenario(&one)).unwrap().unwrap();
    for (has, level) in [(spread.p5, 0.05), (spread.p50, 0.5), (spread.p95, 0.95)] {
        assert!((has / beta::quantile(1.5, 3.5, level) - 1.0).abs() < 1e-5, "{level}: {has}");
    }
    assert!((spread.between - 0.3 * 0.7 / 6.0).abs() < 1e-12);
    // Two rates of which one hardly varies: the lattice says what the exact way says.
    let two = fleet(
        20,
        "failure_rate = {beta = {mean = 0.1, concentration = 40}}\nhang_rate = {beta = {mean = 0.01, concentration = 1e8}}",
        "breaker_order = \"listed\"",
    );
    let near = trip_spread(&scenario(&two)).unwrap().unwrap();
    let alone =
        trip_spread(&scenario(&two.replace("{beta = {mean = 0.01, concentration = 1e8}}", "0.01"))).unwrap().unwrap();
    for (near, alone) in [(near.p5, alone.p5), (near.p50, alone.p50), (near.p95, alone.p95)] {
        assert!((near / alone - 1.0).abs() < 0.02, "{near} {alone}");
    }
}

/// The importance sampler's weights are those of the rates that a replicate draws. Three comparisons by z.
#[test]
fn rare_trips_have_the_weights_of_their_own_rates() {
    let listed = "breaker_order = \"listed\"\nmax_consecutive_failures = 4";
    let drawn = fleet(40, "failure_rate = {beta = {mean = 0.02, concentration = 400}}", listed);
    let lemons = format!(
        "{}\n[[classes]]\nid = \"lemons\"\nblocks = {{count = 1, size = 6}}\nfailure_rate = 0.1",
        fleet(40, "failure_rate = 0.002", listed)
    );
    let observed =
        fleet(40, "hang_rate = {beta = {mean = 0.004, concentration = 1000}}", "max_consecutive_failures = 4");
    for text in [drawn, lemons, observed] {
        let (rare, exact) = (trip_probability(&scenario(&text), 40_000).unwrap(), trip_rate(&text));
        let error = rare.relative_error.expect("there are hits");
        let z = (rare.estimate / exact - 1.0) / error;
        assert!(exact < 1e-3 && error < 0.15 && z.abs() < LIMIT, "{} {exact} {error} {z}", rare.estimate);
        assert!(!rare.steers_all && rare.upper_bound >= exact);
    }
}

const ALL: &str = r#"
    seed = 5
    [fleet]
    instances = 60
    zones = 3
    [[versions]]
    id = "v-1"
    [[versions]]
    id = "v-2"
    failure_rate = {beta = {mean = 0.1, concentration = 10}}
    hang_rate = {beta = {mean = 0.05, concentration = 10}}
    upgrade_time_factor = {lognormal = {sigma = 0.4}}
    [[classes]]
    id = "rack"
    blocks = {count = 2, size = 4}
    failure_rate = 0.5
    [[classes]]
    id = "old"
    share = 0.2
    upgrade_time_sec = 100
    [rollout]
    target_version_id = "v-2"
"#;

fn shared(scenario: &Scenario, replicate: u64) -> Shared {
    CompiledScenario::new(scenario).unwrap().shared(&mut Draws::new(scenario.seed, replicate))
}

#[test]
fn whatever_the_policy_replicates_share_the_same() {
    let base = scenario(ALL);
    let mut other = base.clone();
    other.rollout.batches = dryroll::engine::BatchSizes::pct(7);
    other.rollout.order = RolloutOrder::Shuffled;
    other.classes.remove(1);
    for replicate in 0..50 {
        assert_eq!(shared(&base, replicate), shared(&other, replicate));
        let (one, next) = (shared(&base, replicate), shared(&base, replicate + 1));
        let target = Release::Target;
        assert_ne!(one.rates[target].failure, next.rates[target].failure);
        assert_ne!(one.rates[target].hang, next.rates[target].hang);
        assert_ne!(one.factors[target], next.factors[target]);
        assert_eq!(one.factors[Release::Previous], 1.0);
    }
    // Another version has rates of its own, another class places of its own.
    let text = ALL.replace("\"v-2\"", "\"v-3\"").replace("\"rack\"", "\"row\"");
    assert_ne!(shared(&base, 0).rates, shared(&scenario(&text), 0).rates);
    assert!((0..20).any(|replicate| shared(&base, replicate).blocks != shared(&scenario(&text), replicate).blocks));
    assert_eq!(event_log(&base, 3), event_log(&scenario(ALL), 3));
}

#[test]
fn a_shuffled_plan_is_the_same_in_every_replicate_and_another_for_another_seed() {
    let order = |scenario: &Scenario| -> Vec<u32> {
        let plan = CompiledScenario::new(scenario).unwrap().plan;
        (0..plan.total_instances()).map(|position| plan.order.instance(position).0).collect()
    };
    let mut shuffled = scenario(ALL);
    shuffled.rollout.order = RolloutOrder::Shuffled;
    let known = order(&shuffled);
    assert_ne!(known, (0..60).collect::<Vec<_>>());
    let mut sorted = known.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..60).collect::<Vec<_>>());
    let mut smaller = shuffled.clone();
    smaller.fleet.instances = 59;
    assert_eq!(order(&smaller), known.iter().copied().filter(|&n| n != 59).collect::<Vec<_>>());
    shuffled.seed = 6;
    assert_ne!(order(&shuffled), known);
    shuffled.rollout.order = RolloutOrder::ByZone;
    let zones: Vec<u32> = order(&shuffled).iter().map(|n| n % 3).collect();
    assert!(zones.is_sorted() && zones.len() == 60);
}

/// The answer of a search says how far the chance of a trip is the rollout's own, and tries the orders that it is asked
/// to.
#[test]
fn a_search_tells_the_spread_and_tries_orders() {
    let text = format!(
        "{}\n[[versions]]\nid = \"v-3\"\nupgrade_time_sec = 1\nfailure_rate = {{beta = {{mean = 0.03, concentration = 33}}}}\n[tune]\ngood = \"v-3\"\n\
         defective = []\nbatch_pct = [50]\nmax_consecutive_failures = [3]\norder = [\"listed\", \"shuffled\"]\n\
         limits = [{{metric = \"false_trip_rate\", at_most = 0.2}}]\n",
        fleet(20, "", "breaker_order = \"listed\"")
    );
    let directory = tempfile::tempdir().unwrap();
    let (path, report) = (directory.path().join("drawn.toml"), directory.path().join("tune.json"));
    std::fs::write(&path, &text).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dryroll"));
    command.arg("tune").arg(&path).args(["--replicates", "2000", "--report"]).arg(&report).env("NO_COLOR", "1");
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let mut good = scenario(&text);
    good.rollout.batches = dryroll::engine::BatchSizes::pct(50);
    good.rollout.max_consecutive_failures = std::num::NonZeroU32::new(3);
    good.retarget(dryroll::scenario::VersionIndex(2)).unwrap();
    let spread = trip_spread(&good).unwrap().expect("its rate is drawn");
    let close = |key: &str, wanted: f64| (report["spread"][key].as_f64().unwrap() / wanted - 1.0).abs() < 1e-12;
    assert!(close("trip_rate", spread.trip_rate) && close("p95", spread.p95), "{}", report["spread"]);
    assert!(printed.contains("Each rollout of v-3 has rates of its own"), "{printed}");
    let orders: Vec<_> = report["candidates"].as_array().unwrap().iter().map(|one| &one["policy"]["order"]).collect();
    assert_eq!(orders, [&serde_json::Value::Null, &serde_json::json!("shuffled")]);
}

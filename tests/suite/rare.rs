//! Chances of tripping that are too small to wait for, against exact values and against plain simulation.
//!
//! Comparisons are by z, with a limit of 5, which chance exceeds once in 1.7 million comparisons (normal
//! approximation); there are six, so a false alarm has a chance of about 1 in 290,000. The seeds are fixed: it is met
//! at the first run or never.

use crate::common::toml as common;

use common::{replicates, scenario};
use dryroll::study::exact::exact;
use dryroll::study::rare::{RareError, RareEstimate, trip_probability};

const LIMIT: f64 = 5.0;

fn compiled(version: &str, rollout: &str, rest: &str) -> String {
    format!(
        r#"
        seed = 11
        [fleet]
        instances = 40
        heartbeat_interval_sec = 20
        [[versions]]
        id = "v-1"
        [[versions]]
        id = "v-2"
        upgrade_time_sec = {{uniform = {{min = 20, max = 90}}}}
        {version}
        [rollout]
        target_version_id = "v-2"
        health_timeout_sec = 150
        {rollout}
        {rest}
        "#
    )
}

fn estimate(text: &str, n: u64) -> RareEstimate {
    trip_probability(&scenario(text), n).unwrap_or_else(|error| panic!("{error}"))
}

fn chance(text: &str) -> f64 {
    exact(&scenario(text)).unwrap_or_else(|out| panic!("{out}")).value("trip_rate").expect("it is in scope")
}

/// Every run trips with the same weight: no variance, whatever the number of replicates.
#[test]
fn in_plan_order_the_guide_is_exact() {
    for (version, rollout, below) in [
        ("failure_rate = 0.001\nhang_rate = 0.001", "max_consecutive_failures = 4\nbreaker_order = \"listed\"", 1e-9),
        ("unhealthy_rate = 0.002", "max_consecutive_failures = 4\nmax_in_flight = 1\nbreaker_scope = \"batch\"", 1e-9),
        ("failure_rate = 1e-5", "max_consecutive_failures = 3\nbatch_pct = 1", 1e-13),
    ] {
        let text = compiled(version, rollout, "");
        let (estimate, exact) = (estimate(&text, 500), chance(&text));
        assert!(exact > 0.0 && exact < below, "{exact:e}");
        assert_eq!(estimate.hits, 500, "{rollout}");
        assert!((estimate.estimate / exact - 1.0).abs() < 1e-9, "{rollout}: {:e} {exact:e}", estimate.estimate);
        assert!(estimate.relative_error.expect("there are hits") < 1e-6);
        assert!(estimate.steers_all && estimate.upper_bound >= exact * (1.0 - 1e-9));
    }
}

/// In observed order a run lies anywhere in its batch, or across two.
#[test]
fn observed_order_is_met_by_the_mixture() {
    for (version, rollout) in [
        ("failure_rate = 0.001", "max_consecutive_failures = 4\nbatch_pct = 20"),
        ("hang_rate = 0.0005", "max_consecutive_failures = 4\nbatch_pct = 20"),
        (
            "hang_rate = 0.0005\nfailure_rate = 0.0005",
            "max_consecutive_failures = 4\nbatch_pct = 10\nbreaker_scope = \"batch\"",
        ),
    ] {
        let text = compiled(version, rollout, "");
        let (estimate, exact) = (estimate(&text, 20_000), chance(&text));
        assert!(exact < 1e-7, "{exact:e}");
        let error = estimate.relative_error.expect("there are hits");
        assert!(error < 0.1, "{estimate:?}");
        let z = (estimate.estimate / exact - 1.0) / error;
        assert!(z.abs() < LIMIT, "{rollout}: {:e} {exact:e}, z = {z:.2}", estimate.estimate);
        assert!(estimate.upper_bound > exact);
        assert!(estimate.steers_all);
    }
}

/// Some upgrades take too long: the importance sampler knows them and does not steer them.
#[test]
fn late_verdicts_are_reckoned_with() {
    let lognormal = "upgrade_time_sec = {lognormal = {median = 55, sigma = 0.3}}";
    let text = compiled("failure_rate = 0.004", "", "");
    let text = text.replace("upgrade_time_sec = {uniform = {min = 20, max = 90}}", lognormal);
    let (rare, exact) = (estimate(&text, 20_000), chance(&text));
    let z = (rare.estimate / exact - 1.0) / rare.relative_error.expect("there are hits");
    assert!(z.abs() < LIMIT, "{rare:?} {exact:e}, z = {z:.2}");
    assert!(!rare.steers_all && rare.upper_bound > exact);
}

/// Out of the exact scope: a network that flaps, and slow lemons whose reports come late.
#[test]
fn out_of_scope_it_agrees_with_plain_simulation() {
    let flapping = compiled(
        "failure_rate = 0.004\nhang_rate = 0.004",
        "max_consecutive_failures = 3",
        "[network]\nflap_rate_per_hour = 2\nflap_down_sec = {exponential = {mean = 60}}",
    );
    let lemons = compiled(
        "failure_rate = 0.01",
        "max_consecutive_failures = 3",
        "[[overrides]]\nfraction = 0.2\nfailure_rate = 0.06\nupgrade_time_sec = 95",
    );
    for text in [flapping, lemons] {
        exact(&scenario(&text)).expect_err("it is out of scope");
        let n = 150_000;
        let hits = replicates(&text, n).iter().filter(|run| run.trips > 0).count() as f64;
        let share = hits / n as f64;
        assert!(share > 2e-4 && share < 2e-2, "{share}");
        let rare = estimate(&text, 20_000);
        let error = rare.estimate * rare.relative_error.expect("there are hits");
        assert!(rare.upper_bound > share);
        let z = (rare.estimate - share) / (share * (1.0 - share) / n as f64 + error * error).sqrt();
        assert!(z.abs() < LIMIT, "{rare:?}, plain {share}, z = {z:.2}");
    }
}

#[test]
fn what_cannot_be_known_is_not_told() {
    let text = compiled("", "", "");
    let never = estimate(&text, 1000);
    assert_eq!((never.estimate, never.hits, never.relative_error, never.interval), (0.0, 0, None, None));
    // 1 − 0.025^(1/1000)
    assert!((never.upper_bound - 0.003_682).abs() < 1e-6, "{}", never.upper_bound);
    assert_eq!(trip_probability(&scenario(&text), 0), Err(RareError::NoReplicates));
}

#[test]
fn the_same_replicates_give_the_same_estimate() {
    let text = compiled("failure_rate = 0.01", "max_consecutive_failures = 3", "");
    assert_eq!(estimate(&text, 2000), estimate(&text, 2000));
}

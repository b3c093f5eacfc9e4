//! Exact results: against published figures to all their digits, and against the simulator.
//!
//! Comparisons with the simulator are by z, with a limit of 5, which chance exceeds once in 1.7 million comparisons
//! (normal approximation); there are fewer than 180, so a false alarm of the whole file has a chance of about 1 in
//! 9,000. The seeds are fixed: it is met at the first run or never.

use crate::common::theory;
use crate::common::toml as common;

use common::{replicates, scenario};
use dryroll::sim::Metrics;
use dryroll::study::exact::{Exact, exact};
use theory::{BATCHES_WITH_HANGS, BLASTS, RUNS_IN_FIFTY, exponential_batch, fleet};

const LIMIT: f64 = 5.0;

fn exactly(text: &str) -> Exact {
    exact(&scenario(text)).unwrap_or_else(|out| panic!("{out}\n{text}"))
}

#[track_caller]
fn value(exact: &Exact, metric: &str) -> f64 {
    exact.value(metric).unwrap_or_else(|| panic!("{metric} is not known: {:?}", exact.why_not))
}

/// As far as the published figure has digits.
#[track_caller]
fn assert_printed(has: f64, published: f64, digits: i32) {
    let half = 0.5 / (0..digits).fold(1.0, |power, _| power * 10.0);
    assert!((has - published).abs() <= half * (1.0 + 1e-9), "{has} is not {published}");
}

#[test]
fn a_run_of_k_in_fifty() {
    for (k, p, chance) in RUNS_IN_FIFTY {
        let rollout = format!("batch_pct = 100\nmax_consecutive_failures = {k}\nbreaker_order = \"listed\"");
        let listed = exactly(&fleet(50, &format!("failure_rate = {p}"), &rollout));
        assert_printed(value(&listed, "trip_rate"), chance, 8);
        // Reports that come in any order are as likely to make a run as in plan order.
        let observed = exactly(&fleet(50, &format!("failure_rate = {p}"), &rollout.replace("listed", "observed")));
        assert_printed(value(&observed, "trip_rate"), chance, 8);
    }
}

#[test]
fn the_order_of_counting() {
    let policy = "batch_pct = 10\nmax_consecutive_failures = 3";
    let listed = format!("{policy}\nbreaker_order = \"listed\"");
    let rate = |version: &str, rollout: &str| value(&exactly(&fleet(100, version, rollout)), "trip_rate");
    assert_printed(rate("failure_rate = 0.1", &listed), 0.084_77, 5);
    assert_printed(rate("failure_rate = 0.1", &format!("{listed}\nbreaker_scope = \"batch\"")), 0.070_57, 5);
    assert_printed(rate("hang_rate = 0.1", policy), 0.517_01, 5);
}

#[test]
fn the_blast_of_a_trip() {
    for (batch, expected) in BLASTS {
        let rollout = format!("batch_pct = {batch}\nmax_consecutive_failures = 3\nbreaker_order = \"listed\"");
        let exact = exactly(&fleet(100, "failure_rate = 0.3", &rollout));
        assert_printed(value(&exact, "blast_radius_pct_tripped"), expected, 3);
        let all: f64 = exact.exposed.iter().map(|&(_, chance)| chance).sum();
        assert!((all - 1.0).abs() < 1e-12);
        let tripped: f64 = exact.dispatched_at_first_trip.iter().map(|&(_, chance)| chance).sum();
        assert!((tripped - value(&exact, "trip_rate")).abs() < 1e-12);
    }
}

/// H_n/μ, and τ(1−qⁿ) + (qⁿ/μ) Σ uⁱ/i. The whole milliseconds of the simulator and the shortest upgrade of 1 ms differ
/// from the continuous law by far less than the last digit: rounding errs by half a millisecond either way.
#[test]
fn batches_of_exponential_upgrades() {
    for (n, expected) in BATCHES_WITH_HANGS {
        let exact = exactly(&exponential_batch(n, 0.05, 120));
        assert_printed(value(&exact, "duration_sec"), expected, 4);
    }
    for n in [1, 5, 10] {
        let harmonic: f64 = (1..=n).map(|i| 1.0 / f64::from(i)).sum();
        let duration = value(&exactly(&exponential_batch(n, 0.0, 2000)), "duration_sec");
        assert!((duration - 30.0 * harmonic).abs() < 1e-4, "{n}: {duration}");
    }
}

/// The mean of one metric over runs, where they have it, and its standard error.
fn compare(what: &str, exact: &Exact, metric: &str, values: &[f64]) -> bool {
    let Some(expected) = exact.value(metric) else { return false };
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let mut variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    if values.iter().all(|&v| v == 0.0 || v == 1.0) {
        // Of a share the variance is known, also where it was never met.
        variance = expected * (1.0 - expected);
    }
    let off = mean - expected;
    // A constant must be met but for the tolerance of the sums.
    let z = if off.abs() < 1e-6 { 0.0 } else { off / (variance / n).sqrt() };
    assert!(z.abs() < LIMIT, "{what}, {metric}: simulated {mean:.6}, exact {expected:.6}; z = {z:.2}");
    true
}

const METRICS: [&str; 13] = [
    "trip_rate",
    "trips",
    "exposed_instances",
    "exposed_pct",
    "blast_radius_pct_tripped",
    "duration_sec",
    "approval_wait_sec",
    "rollout_sec",
    "completed",
    "aborted",
    "rolled_back",
    "rollback_failed",
    "expired",
];

fn agrees(what: &str, text: &str, unknown: &[&str]) {
    let n = 20_000;
    let exact = exactly(text);
    let runs = replicates(text, n);
    for metric in METRICS {
        let of = |run: &Metrics| match metric {
            "trip_rate" => f64::from(u8::from(run.trips > 0)),
            "trips" => f64::from(run.trips),
            "exposed_instances" => f64::from(run.exposed),
            "exposed_pct" | "blast_radius_pct_tripped" => run.exposed_pct().get(),
            "duration_sec" => run.duration_sec(),
            "approval_wait_sec" => run.approval_wait_sec(),
            "rollout_sec" => run.rollout_sec(),
            outcome => f64::from(u8::from(run.outcome.name() == outcome)),
        };
        let tripped_only = metric == "blast_radius_pct_tripped";
        let values: Vec<f64> = runs.iter().filter(|run| !tripped_only || run.trips > 0).map(of).collect();
        let known = compare(what, &exact, metric, &values);
        assert_eq!(known, !unknown.contains(&metric), "{what}, {metric}: {:?}", exact.why_not);
        let says_why = exact.why_not.iter().any(|u| u.metric == metric);
        assert_eq!(says_why, unknown.contains(&metric), "{what}, {metric}");
    }
    // The whole distribution of the exposure, by its most likely values.
    for &(exposed, chance) in exact.exposed.iter().filter(|&&(_, chance)| chance > 1e-3 && chance < 1.0 - 1e-3).take(3)
    {
        let hits = runs.iter().filter(|run| run.exposed == exposed).count() as f64;
        let z = (hits - n as f64 * chance) / (n as f64 * chance * (1.0 - chance)).sqrt();
        assert!(z.abs() < LIMIT, "{what}, {exposed} exposed: {hits} of {n}, exact {chance}; z = {z:.2}");
    }
}

/// A scenario with a person, upgrades by chance and a drawn phase.
fn compiled(fleet: &str, version: &str, rollout: &str, rest: &str) -> String {
    format!(
        r#"
        seed = 7
        [fleet]
        instances = 20
        heartbeat_interval_sec = 20
        {fleet}
        [[versions]]
        id = "v-1"
        [[versions]]
        id = "v-2"
        defective = true
        upgrade_time_sec = {{lognormal = {{median = 45, sigma = 0.5}}}}
        {version}
        [rollout]
        target_version_id = "v-2"
        health_timeout_sec = 150
        {rollout}
        {rest}
        "#
    )
}

#[test]
fn the_tutorials_default_order_is_in_scope() {
    let text = compiled(
        "",
        "failure_rate = 0.1\nhang_rate = 0.05",
        "batch_pct = 30",
        "[operator]\napproval_delay_sec = {exponential = {mean = 90}}\ndecision_delay_sec = {uniform = {min = 10, max = 50}}",
    );
    agrees("observed, reports and timeouts", &text, &[]);
}

#[test]
fn listed_with_a_fixed_phase_and_lost_heartbeats() {
    let text = compiled(
        "heartbeat_phase_sec = 3\nheartbeat_loss_rate = 0.3",
        "failure_rate = 0.15",
        "batch_pct = 25\nbreaker_order = \"listed\"\nbreaker_scope = \"batch\"",
        "[operator]\napproval_delay_sec = 100\napproval_expires_sec = 500",
    );
    agrees("listed, fixed phase, losses", &text, &[]);
}

#[test]
fn versions_that_crash_before_they_are_heard_of() {
    for phase in ["", "heartbeat_phase_sec = 7"] {
        let text = compiled(
            &format!("{phase}\nheartbeat_loss_rate = 0.2"),
            "crash_rate = 0.5\ncrash_after_sec = {exponential = {mean = 15}}",
            "batch_pct = 40",
            "[operator]\napproval_delay_sec = {uniform = {min = 100, max = 900}}\napproval_expires_sec = 600",
        );
        agrees("crashes", &text, &[]);
    }
}

#[test]
fn instances_that_differ_in_plan_order() {
    let overrides = r#"
        [[overrides]]
        ids = ["i-00003", "i-00004"]
        failure_rate = 0.9
        [[overrides]]
        fraction = 0.2
        hang_rate = 0.5
        upgrade_time_sec = 100
        heartbeat_loss_rate = 0.4
        [[overrides]]
        ids = ["i-00010"]
        outcome = "ok"
        heartbeat_phase_sec = 5
        [operator]
        on_trip = ["continue_anyway", "abort"]
        decision_delay_sec = 45
        edit = {batch_pct = 20, max_consecutive_failures = 2}
        "#;
    let text =
        compiled("", "failure_rate = 0.1", "breaker_order = \"listed\"\nmax_consecutive_failures = 3", overrides);
    agrees("overrides, edit, continue then abort", &text, &[]);
}

#[test]
fn one_at_a_time() {
    let text = compiled("", "failure_rate = 0.2", "max_in_flight = 1\nbatch_pct = 50", "");
    agrees("one in flight", &text, &["duration_sec", "approval_wait_sec", "rollout_sec"]);
    let always = "[operator]\non_trip = [\"continue_anyway\"]\ndecision_delay_sec = 70";
    let text = compiled("", "failure_rate = 0.2\nunhealthy_rate = 0.1", "batch_pct = 1", always);
    agrees("batches of one, always continued", &text, &[]);
}

#[test]
fn timeouts_and_what_is_decided_on_them() {
    let version = "hang_rate = 0.15";
    let always = "[operator]\non_trip = [\"continue_anyway\"]\ndecision_delay_sec = 70";
    agrees("timeouts, continued", &compiled("", version, "batch_pct = 20", always), &[]);
    let back = "[operator]\non_trip = [\"rollback_completed_batches\"]";
    let previous = |says: &str| {
        let named = format!("id = \"v-1\"\n{says}");
        compiled("", version, "batch_pct = 20", back).replacen("id = \"v-1\"", &named, 1)
    };
    agrees("rollback fails", &previous("lifecycle_state = \"archived\""), &[]);
    let times = ["duration_sec", "approval_wait_sec", "rollout_sec"];
    agrees("rollback succeeds", &previous("upgrade_time_sec = 10"), &times);
    let unsure = ["duration_sec", "approval_wait_sec", "rollout_sec", "trips", "aborted", "rolled_back"];
    agrees("rollback by chance", &previous("failure_rate = 0.3"), &unsure);
}

#[test]
fn the_reason_is_a_sentence() {
    let flaps = compiled("", "hang_rate = 0.1", "", "[network]\nflap_rate_per_hour = 1");
    let out = exact(&scenario(&flaps)).expect_err("flaps are out of scope");
    assert_eq!(out.to_string(), "the network flaps, and what a flap does depends on the moment");
    let blocked = exactly(&compiled("", "hang_rate = 0.1", "", "[reconciler]\npolicy = \"blocked\""));
    assert_eq!((value(&blocked, "blocked"), value(&blocked, "trip_rate")), (1.0, 0.0));
    let rejected = exactly(&compiled("", "", "", "[operator]\napproves = false\napproval_delay_sec = 30"));
    assert_eq!(value(&rejected, "rejected"), 1.0);
    assert!((value(&rejected, "duration_sec") - 30.0).abs() < 1e-6);
    let text = serde_json::to_string(&rejected).expect("it is plain data");
    assert_eq!(serde_json::from_str::<Exact>(&text).expect("it reads what it wrote"), rejected);
}

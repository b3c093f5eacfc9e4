//! Numbers that theory gives, and that the simulator must reproduce.
//!
//! Each figure is compared by its z: how many standard errors the simulated one lies off. The limit is 5, which chance
//! exceeds once in 1.7 million comparisons (normal approximation); there are 18, so a false alarm of the whole file has
//! a chance of about 1 in 97,000. The seeds are fixed: it is met at the first run or never.

use crate::common::theory;
use crate::common::toml as common;

use common::replicates;
use theory::{BATCHES_WITH_HANGS, BLASTS, RUNS_IN_FIFTY, exponential_batch, fleet};

const LIMIT: f64 = 5.0;

/// Compares a share with a probability.
fn assert_share(what: &str, hits: usize, n: usize, probability: f64) {
    let n = n as f64;
    let z = (hits as f64 - n * probability) / (n * probability * (1.0 - probability)).sqrt();
    assert!(
        z.abs() < LIMIT,
        "{what}: {hits} of {n} is {:.5}, theory says {probability:.8}; z = {z:.2}",
        hits as f64 / n
    );
}

/// Compares a mean with an expectation.
fn assert_mean(what: &str, values: &[f64], expected: f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    let z = (mean - expected) / (variance / n).sqrt();
    assert!(z.abs() < LIMIT, "{what}: mean {mean:.4}, theory says {expected:.4}; z = {z:.2}");
}

fn tripped(text: &str, n: u64) -> usize {
    replicates(text, n).iter().filter(|metrics| metrics.trips > 0).count()
}

/// P(a run of k failures in n trials), by the recursion on survival:
/// S_m = S_{m−1} − (1−p)·p^k·S_{m−k−1}, S_0 … S_{k−1} = 1, S_k = 1 − p^k.
fn chance_of_a_run(n: usize, k: usize, p: f64) -> f64 {
    let run = (0..k).fold(1.0, |product, _| product * p);
    let mut survival = vec![1.0; k];
    survival.push(1.0 - run);
    for m in k + 1..=n {
        survival.push(survival[m - 1] - (1.0 - p) * run * survival[m - k - 1]);
    }
    1.0 - survival[n]
}

#[test]
fn the_recursion_gives_the_published_chances() {
    for (k, p, chance) in RUNS_IN_FIFTY {
        assert!((chance_of_a_run(50, k, p) - chance).abs() < 5e-9, "{k} {p}");
    }
}

#[test]
fn a_run_of_k_in_fifty_trips_as_often_as_theory_says() {
    let n = 20_000;
    for k in [2, 3] {
        for p in [0.05, 0.1, 0.2] {
            let rollout = format!("batch_pct = 100\nmax_consecutive_failures = {k}\nbreaker_order = \"listed\"");
            let hits = tripped(&fleet(50, &format!("failure_rate = {p}"), &rollout), n);
            assert_share(&format!("k = {k}, p = {p}"), hits, n as usize, chance_of_a_run(50, k, p));
        }
    }
}

#[test]
fn the_order_of_counting_matters_more_than_any_parameter() {
    let n = 20_000;
    let policy = "batch_pct = 10\nmax_consecutive_failures = 3";
    let listed = format!("{policy}\nbreaker_order = \"listed\"");
    let carried = tripped(&fleet(100, "failure_rate = 0.1", &listed), n);
    assert_share("in plan order, carried over", carried, n as usize, 0.084_77);
    let reset = format!("{listed}\nbreaker_scope = \"batch\"");
    let reset = tripped(&fleet(100, "failure_rate = 0.1", &reset), n);
    assert_share("in plan order, reset at each batch", reset, n as usize, 0.070_57);
    let observed = tripped(&fleet(100, "hang_rate = 0.1", policy), n);
    assert_share("as observed, every failure a timeout", observed, n as usize, 0.517_01);
}

#[test]
fn the_blast_of_a_trip_at_the_end_of_its_batch() {
    for (batch, expected) in BLASTS {
        let rollout = format!("batch_pct = {batch}\nmax_consecutive_failures = 3\nbreaker_order = \"listed\"");
        let runs = replicates(&fleet(100, "failure_rate = 0.3", &rollout), 20_000);
        let exposed: Vec<f64> = runs.iter().filter(|m| m.trips > 0).map(|m| f64::from(m.exposed)).collect();
        assert_mean(&format!("batches of {batch}"), &exposed, expected);
    }
}

/// How long batches of exponential upgrades take, seconds.
fn batches(n: u32, hang_rate: f64, timeout: u32) -> Vec<f64> {
    let text = exponential_batch(n, hang_rate, timeout);
    replicates(&text, 40_000).iter().map(dryroll::sim::Metrics::duration_sec).collect()
}

/// H_n/μ.
#[test]
fn a_batch_of_exponential_upgrades_takes_a_harmonic_number_of_means() {
    for n in [1, 5, 10] {
        let harmonic: f64 = (1..=n).map(|i| 1.0 / f64::from(i)).sum();
        assert_mean(&format!("{n} instances"), &batches(n, 0.0, 100_000), 30.0 * harmonic);
    }
}

/// τ(1−qⁿ) + (qⁿ/μ) Σ uⁱ/i with u = 1 − e^(−μτ).
#[test]
fn a_batch_with_hangs_takes_the_timeout_or_its_slowest() {
    for (n, expected) in BATCHES_WITH_HANGS {
        assert_mean(&format!("{n} instances"), &batches(n, 0.05, 120), expected);
    }
}

/// 1 − π·p11^(m−1), π = a/(a+b), p11 = 1 − (1−π)(1−e^(−(a+b)h)): one of three heartbeats gets through a flapping
/// network.
#[test]
fn one_of_three_heartbeats_gets_through_a_flapping_network() {
    let text = r#"
        seed = 22
        [fleet]
        instances = 1000
        heartbeat_interval_sec = 10
        heartbeat_phase_sec = 0
        [[versions]]
        id = "v-1"
        [[versions]]
        id = "v-2"
        upgrade_time_sec = 0
        [network]
        flap_rate_per_hour = 6
        flap_down_sec = {exponential = {mean = 30}}
        [rollout]
        target_version_id = "v-2"
        batch_pct = 100
        max_consecutive_failures = 100000
        health_timeout_sec = 30
        [reconciler]
        policy = "auto_approve"
        "#;
    let scenario = common::scenario(text);
    let compiled = dryroll::sim::CompiledScenario::new(&scenario).expect("the request is not refused");
    let mut simulator = dryroll::sim::Simulator::new(&compiled);
    let (mut healthy, mut n) = (0, 0);
    for replicate in 0..200 {
        simulator.run(replicate, &mut dryroll::sim::Unobserved);
        for position in 0..compiled.total() {
            let phase = simulator.engine().phase(position, dryroll::engine::Direction::Forward);
            healthy += usize::from(phase == dryroll::engine::Phase::Judged(dryroll::engine::Verdict::Healthy));
            n += 1;
        }
    }
    assert_share("healthy", healthy, n, 0.975_399_89);
}

//! Scenarios with exact results from theory, and these results.

/// The chance of a run of k failures in fifty verdicts that fail with chance p each: k, p, chance.
pub const RUNS_IN_FIFTY: [(usize, f64, f64); 6] = [
    (2, 0.05, 0.110_575_70),
    (2, 0.1, 0.363_671_21),
    (2, 0.2, 0.820_212_20),
    (3, 0.05, 0.005_692_28),
    (3, 0.1, 0.042_502_52),
    (3, 0.2, 0.270_724_77),
];

/// The percentage of a hundred that a trip at the end of its batch has reached, 30 % failing: batch, percent.
pub const BLASTS: [(u32, f64); 3] = [(5, 37.973), (10, 40.503), (25, 48.619)];

/// Seconds that a batch takes whose upgrades are exponential with a mean of 30, a twentieth hanging up to 120:
/// instances, seconds.
pub const BATCHES_WITH_HANGS: [(u32, f64); 2] = [(5, 78.062_9), (10, 97.603_4)];

/// Upgrades take a second, heartbeats come every second, and the rollout starts at once.
pub fn fleet(instances: u32, version: &str, rollout: &str) -> String {
    format!(
        r#"
        seed = 20
        [fleet]
        instances = {instances}
        heartbeat_interval_sec = 1
        heartbeat_phase_sec = 0
        [[versions]]
        id = "v-1"
        [[versions]]
        id = "v-2"
        defective = true
        upgrade_time_sec = 1
        {version}
        [rollout]
        target_version_id = "v-2"
        health_timeout_sec = 10
        {rollout}
        [reconciler]
        policy = "auto_approve"
        "#
    )
}

/// Heartbeats every millisecond, so that a verdict comes with the end of the upgrade.
pub fn exponential_batch(n: u32, hang_rate: f64, timeout: u32) -> String {
    format!(
        r#"
        seed = 21
        [fleet]
        instances = {n}
        heartbeat_interval_sec = 0.001
        [[versions]]
        id = "v-1"
        [[versions]]
        id = "v-2"
        upgrade_time_sec = {{exponential = {{mean = 30}}}}
        hang_rate = {hang_rate}
        [rollout]
        target_version_id = "v-2"
        batch_pct = 100
        max_consecutive_failures = 1000
        health_timeout_sec = {timeout}
        [reconciler]
        policy = "auto_approve"
        "#
    )
}

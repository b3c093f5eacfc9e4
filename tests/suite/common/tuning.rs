//! Scenarios for the tests of tuning.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::process::Output;

use dryroll::scenario::{Format, Scenario};

use super::folder::Folder;

/// A network that flaps about once in a million years: theory does not cover it, and nothing changes.
pub const BEYOND_THEORY: &str = "[network]\nflap_rate_per_hour = 1e-10\n";

/// Within the scope of exact values: independent verdicts, an abort on the first trip.
pub const SCENARIO: &str = r#"
seed = 5
[fleet]
instances = 40
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
failure_rate = 0.05
[[versions]]
id = "v-bad"
defective = true
upgrade_time_sec = {lognormal = {median = 45, sigma = 0.5}}
failure_rate = 0.4
[rollout]
target_version_id = "v-2"
[operator]
on_trip = "abort"
[tune]
batch_pct = [5, 10, 25, 50]
max_consecutive_failures = [1, 2, 3]
limits = [{metric = "false_trip_rate", at_most = 0.2}, {metric = "blast_radius_pct", at_most = 40}]
"#;

pub fn scenario(text: &str) -> Scenario {
    Scenario::parse("s.toml", text.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"))
}

impl Folder {
    pub fn tune(&self, arguments: &str) -> Output {
        self.run(&format!("tune s.toml {arguments}"))
    }
}

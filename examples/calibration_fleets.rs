//! How often the intervals of `dryroll calibrate` miss a known truth where hosts or rollouts differ: sets of six logs
//! of 40 hosts each, by the real simulator. One line of a Markdown table a setting.
//!
//! ```text
//! cargo run --release --example calibration_fleets -- [SETS [NAME]]
//! ```

#[path = "../tests/suite/common/toml.rs"]
#[allow(dead_code, reason = "only the event log is needed here")]
mod common;

use dryroll::calibrate::{Calibration, History, Observations, VersionCalibration};
use rayon::prelude::*;

const ROLLOUTS: u64 = 6;

/// A fleet whose hosts or rollouts differ, or one where nothing does.
struct Truth {
    name: &'static str,
    /// Keys of the version.
    version: &'static str,
    /// The share of slow hosts, and their upgrade time.
    slow: Option<(f64, &'static str)>,
    window: f64,
    hang_rate: f64,
}

const FAST: &str = "upgrade_time_sec = {lognormal = {median = 60, sigma = 0.3}}";
const NEAR: &str = "upgrade_time_sec = {lognormal = {median = 45, sigma = 0.3}}";
const SLOW: &str = "{lognormal = {median = 250, sigma = 0.4}}";
const FACTOR: &str = "upgrade_time_sec = {lognormal = {median = 120, sigma = 0.3}}\nupgrade_time_factor = {lognormal = \
                      {sigma = 0.4}}";

const TRUTHS: [Truth; 23] = [
    Truth { name: "slow 15 %", version: FAST, slow: Some((0.15, SLOW)), window: 300.0, hang_rate: 0.01 },
    Truth { name: "slow 15 %", version: FAST, slow: Some((0.15, SLOW)), window: 300.0, hang_rate: 0.0 },
    Truth { name: "slow 15 %", version: FAST, slow: Some((0.15, SLOW)), window: 300.0, hang_rate: 0.05 },
    Truth { name: "slow 5 %", version: FAST, slow: Some((0.05, SLOW)), window: 300.0, hang_rate: 0.01 },
    Truth { name: "slow 30 %", version: FAST, slow: Some((0.3, SLOW)), window: 300.0, hang_rate: 0.01 },
    Truth { name: "slow 15 %, window 400 s", version: FAST, slow: Some((0.15, SLOW)), window: 400.0, hang_rate: 0.01 },
    Truth { name: "slow 15 %, window 900 s", version: FAST, slow: Some((0.15, SLOW)), window: 900.0, hang_rate: 0.05 },
    Truth {
        name: "slow 15 %, Weibull",
        version: "upgrade_time_sec = {weibull = {scale = 70, shape = 3}}",
        slow: Some((0.15, "{weibull = {scale = 280, shape = 3}}")),
        window: 300.0,
        hang_rate: 0.01,
    },
    Truth {
        name: "slow 10 %, exponential",
        version: FAST,
        slow: Some((0.1, "{exponential = {mean = 200}}")),
        window: 300.0,
        hang_rate: 0.01,
    },
    Truth { name: "factor 0.4", version: FACTOR, slow: None, window: 300.0, hang_rate: 0.02 },
    Truth { name: "factor 0.4", version: FACTOR, slow: None, window: 300.0, hang_rate: 0.0 },
    Truth { name: "factor 0.4", version: FACTOR, slow: None, window: 300.0, hang_rate: 0.05 },
    Truth { name: "factor 0.4, window 900 s", version: FACTOR, slow: None, window: 900.0, hang_rate: 0.02 },
    Truth {
        name: "factor 0.2",
        version: "upgrade_time_sec = {lognormal = {median = 120, sigma = 0.3}}\nupgrade_time_factor = {lognormal = \
                  {sigma = 0.2}}",
        slow: None,
        window: 240.0,
        hang_rate: 0.02,
    },
    Truth {
        name: "factor 0.4, Weibull",
        version: "upgrade_time_sec = {weibull = {scale = 120, shape = 3}}\nupgrade_time_factor = {lognormal = {sigma = \
                  0.4}}",
        slow: None,
        window: 300.0,
        hang_rate: 0.02,
    },
    Truth {
        name: "alike, lognormal",
        version: "upgrade_time_sec = {lognormal = {median = 60, sigma = 0.5}}",
        slow: None,
        window: 1200.0,
        hang_rate: 0.02,
    },
    Truth {
        name: "alike, lognormal, 5 % late",
        version: "upgrade_time_sec = {lognormal = {median = 60, sigma = 0.5}}",
        slow: None,
        window: 148.0,
        hang_rate: 0.02,
    },
    Truth {
        name: "alike, Weibull, 5 % late",
        version: "upgrade_time_sec = {weibull = {scale = 90, shape = 2}}",
        slow: None,
        window: 171.0,
        hang_rate: 0.02,
    },
    Truth {
        name: "near 15 %",
        version: NEAR,
        slow: Some((0.15, "{lognormal = {median = 130, sigma = 0.3}}")),
        window: 150.0,
        hang_rate: 0.01,
    },
    Truth {
        name: "near 15 %",
        version: NEAR,
        slow: Some((0.15, "{lognormal = {median = 130, sigma = 0.3}}")),
        window: 150.0,
        hang_rate: 0.0,
    },
    Truth {
        name: "near 15 %, Weibull",
        version: "upgrade_time_sec = {weibull = {scale = 50, shape = 3}}",
        slow: Some((0.15, "{weibull = {scale = 150, shape = 3}}")),
        window: 150.0,
        hang_rate: 0.01,
    },
    Truth {
        name: "near 5 %",
        version: NEAR,
        slow: Some((0.05, "{lognormal = {median = 300, sigma = 0.4}}")),
        window: 300.0,
        hang_rate: 0.01,
    },
    Truth {
        name: "near 30 %",
        version: NEAR,
        slow: Some((0.3, "{lognormal = {median = 100, sigma = 0.5}}")),
        window: 200.0,
        hang_rate: 0.01,
    },
];

fn calibrated(truth: &Truth, set: u64) -> VersionCalibration {
    let &Truth { version, window, hang_rate, .. } = truth;
    let classes = truth.slow.map_or_else(String::new, |(share, time)| {
        format!("[[classes]]\nid = \"slow\"\nshare = {share}\nupgrade_time_sec = {time}\n")
    });
    let text = format!(
        "[fleet]\ninstances = 40\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\n{version}\nhang_rate = {hang_rate}\n\
         [rollout]\ntarget_version_id = \"v-2\"\nbatch_pct = 25\nmax_consecutive_failures = 40\n\
         health_timeout_sec = {window}\n{classes}"
    );
    let scenario = common::scenario(&text);
    let logs: String = (0..ROLLOUTS).map(|one| common::event_log(&scenario, set * ROLLOUTS + one)).collect();
    let histories = History::read(logs.as_bytes()).expect("logs");
    let calibration = Calibration::of(&Observations::of(&histories, 30_000), 30_000);
    calibration.versions.into_iter().find(|version| version.version == "v-2").expect("the version")
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let sets: u64 = arguments.next().map_or(240, |sets| sets.parse().expect("how many sets"));
    let only = arguments.next();
    println!("| truth | hang_rate | missed | mean estimate | mean interval | from 0 | slow group |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for truth in TRUTHS.iter().filter(|truth| only.as_deref().is_none_or(|only| truth.name.contains(only))) {
        let found: Vec<VersionCalibration> = (0..sets).into_par_iter().map(|set| calibrated(truth, set)).collect();
        println!("{}", row(truth, &found));
    }
}

fn row(truth: &Truth, found: &[VersionCalibration]) -> String {
    let count = |is: &dyn Fn(&VersionCalibration) -> bool| found.iter().filter(|one| is(one)).count();
    let mean = |of: &dyn Fn(&VersionCalibration) -> f64| found.iter().map(of).sum::<f64>() / found.len().max(1) as f64;
    format!(
        "| {} | {} | {} of {} | {:.4} | {:.4}–{:.4} | {} | {} |",
        truth.name,
        truth.hang_rate,
        count(&|one| !one.rates.silence.interval.contains(truth.hang_rate)),
        found.len(),
        mean(&|one| one.rates.silence.mean),
        mean(&|one| one.rates.silence.interval.low),
        mean(&|one| one.rates.silence.interval.high),
        count(&|one| one.rates.silence.interval.low == 0.0),
        count(&|one| one.slow_group.is_some()),
    )
}

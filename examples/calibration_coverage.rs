//! How often the intervals of `dryroll calibrate` miss a known truth: many logs of the real simulator for each setting
//! of upgrade time, share of upgrades that outlast the health window, and hang_rate. One line of a Markdown table a
//! setting.
//!
//! ```text
//! cargo run --release --example calibration_coverage -- [LOGS [INSTANCES [FAMILY [LATE]]]]
//! ```

#[path = "../tests/suite/common/toml.rs"]
#[allow(dead_code, reason = "only the event log is needed here")]
mod common;

use dryroll::calibrate::{Calibration, Family, History, Observations, VersionCalibration};
use rayon::prelude::*;

const HEARTBEAT: f64 = 30.0;
const FAILURE_RATE: f64 = 0.03;
const LATE: [f64; 7] = [0.0, 0.01, 0.05, 0.1, 0.19, 0.27, 0.4];
const HANG_RATES: [f64; 3] = [0.0, 0.01, 0.05];

/// A family of upgrade times, as a scenario writes it.
struct Truth {
    family: Family,
    toml: &'static str,
    parameters: &'static [f64],
    cumulative: fn(f64) -> f64,
    /// A window that no upgrade outlasts.
    longest: f64,
}

const TRUTHS: [Truth; 4] = [
    Truth {
        family: Family::Lognormal,
        toml: "{ lognormal = { median = 60, sigma = 0.5 } }",
        parameters: &[60.0, 0.5],
        cumulative: |x| dryroll::stats::normal::cumulative(libm::log(x / 60.0) / 0.5),
        longest: 1200.0,
    },
    Truth {
        family: Family::Weibull,
        toml: "{ weibull = { scale = 90, shape = 2 } }",
        parameters: &[90.0, 2.0],
        cumulative: |x| -libm::expm1(-libm::pow(x / 90.0, 2.0)),
        longest: 600.0,
    },
    Truth {
        family: Family::Exponential,
        toml: "{ exponential = { mean = 60 } }",
        parameters: &[60.0],
        cumulative: |x| -libm::expm1(-x / 60.0),
        longest: 1200.0,
    },
    Truth {
        family: Family::Uniform,
        toml: "{ uniform = { min = 20, max = 140 } }",
        parameters: &[20.0, 140.0],
        cumulative: |x| ((x - 20.0) / 120.0).clamp(0.0, 1.0),
        longest: 300.0,
    },
];

impl Truth {
    /// The share of upgrades whose end is not reported within a window: heartbeats of any phase.
    fn late(&self, window: f64) -> f64 {
        const POINTS: u32 = 2000;
        let back = |point: u32| (f64::from(point) + 0.5) * HEARTBEAT / f64::from(POINTS);
        let seen = |back: f64| if window > back { (self.cumulative)(window - back) } else { 0.0 };
        1.0 - (0..POINTS).map(|point| seen(back(point))).sum::<f64>() / f64::from(POINTS)
    }

    /// The window that this share outlasts.
    fn window(&self, late: f64) -> f64 {
        if late == 0.0 {
            return self.longest;
        }
        let (mut low, mut high) = (1.0, 5000.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if self.late(middle) > late { low = middle } else { high = middle }
        }
        (high * 1000.0).round() / 1000.0
    }
}

fn calibrated(truth: &Truth, late: f64, hang_rate: f64, instances: u64, log: u64) -> VersionCalibration {
    let window = truth.window(late);
    let text = format!(
        "[fleet]\ninstances = {instances}\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\n\
         upgrade_time_sec = {}\nfailure_rate = {FAILURE_RATE}\nhang_rate = {hang_rate}\n\
         [rollout]\ntarget_version_id = \"v-2\"\nmax_consecutive_failures = {instances}\nhealth_timeout_sec = {window}\n",
        truth.toml
    );
    let scenario = common::scenario(&text);
    let histories = History::read(common::event_log(&scenario, log).as_bytes()).expect("a log");
    let calibration = Calibration::of(&Observations::of(&histories, 30_000), 30_000);
    calibration.versions.into_iter().find(|version| version.version == "v-2").expect("the version")
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let logs: u64 = arguments.next().map_or(240, |logs| logs.parse().expect("how many logs"));
    let instances: u64 = arguments.next().map_or(200, |instances| instances.parse().expect("how many instances"));
    let only = arguments.next();
    let late: Option<f64> = arguments.next().map(|late| late.parse().expect("a share"));
    println!(
        "| upgrade time | late | hang_rate | missed: hang_rate | failure_rate | parameters (of logs of the right family) | \
         mean estimate | mean of beta | mean interval | includes 0 | empirical |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for truth in TRUTHS.iter().filter(|truth| only.as_deref().is_none_or(|only| only == truth.family.name())) {
        for late in LATE.into_iter().filter(|&one| late.is_none_or(|late| late == one)) {
            for hang_rate in HANG_RATES {
                let found: Vec<VersionCalibration> =
                    (0..logs).into_par_iter().map(|log| calibrated(truth, late, hang_rate, instances, log)).collect();
                println!("{}", row(truth, late, hang_rate, &found));
            }
        }
    }
}

fn row(truth: &Truth, late: f64, hang_rate: f64, found: &[VersionCalibration]) -> String {
    let count = |is: &dyn Fn(&VersionCalibration) -> bool| found.iter().filter(|one| is(one)).count();
    let mean = |of: &dyn Fn(&VersionCalibration) -> f64| found.iter().map(of).sum::<f64>() / found.len().max(1) as f64;
    let missed_hang = count(&|one| !one.rates.silence.interval.contains(hang_rate));
    let missed_failure = count(&|one| !one.rates.failure.interval.contains(FAILURE_RATE));
    let fits: Vec<_> = found.iter().filter_map(|one| one.upgrade_time.fit.as_ref()).collect();
    let right: Vec<_> = fits.iter().filter(|fit| fit.family == truth.family).collect();
    let parameters: Vec<String> = (0..truth.parameters.len())
        .map(|axis| {
            right
                .iter()
                .filter(|fit| !fit.parameters[axis].interval.contains(truth.parameters[axis]))
                .count()
                .to_string()
        })
        .collect();
    let empirical = fits.iter().filter(|fit| fit.family == Family::Empirical).count();
    let zero = count(&|one| one.rates.silence.interval.low == 0.0);
    format!(
        "| {} | {} % | {hang_rate} | {missed_hang} | {missed_failure} | {} of {} | {:.4} | {:.4} | {:.4}–{:.4} | {zero} | {empirical} |",
        truth.family.name(),
        late * 100.0,
        parameters.join(", "),
        right.len(),
        mean(&|one| one.rates.silence.mean),
        mean(&|one| one.rates.silence.beta.0 / (one.rates.silence.beta.0 + one.rates.silence.beta.1)),
        mean(&|one| one.rates.silence.interval.low),
        mean(&|one| one.rates.silence.interval.high),
    )
}

//! Hosts and rollouts that differ: a slow group whose tail outlasts the window does not make the interval of hang_rate
//! miss, and a factor of a rollout's upgrade times comes back.

use crate::common::toml as common;

use dryroll::calibrate::{Calibration, History, Observations, VersionCalibration, WarningKind};
use dryroll::report::model::calibration::CalibrationReport;
use dryroll::report::scenario_toml;
use dryroll::stats::Interval;
use rayon::prelude::*;

const ROLLOUTS: u64 = 6;

fn calibration(version: &str, more: &str, set: u64) -> Calibration {
    calibration_within(300, version, more, set)
}

fn calibration_within(window: u32, version: &str, more: &str, set: u64) -> Calibration {
    let text = format!(
        "[fleet]\ninstances = 40\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\n{version}\n[rollout]\n\
         target_version_id = \"v-2\"\nbatch_pct = 25\nmax_consecutive_failures = 40\nhealth_timeout_sec = {window}\n{more}"
    );
    let scenario = common::scenario(&text);
    let logs: String = (0..ROLLOUTS).map(|one| common::event_log(&scenario, set * ROLLOUTS + one)).collect();
    Calibration::of(&Observations::of(&History::read(logs.as_bytes()).expect("logs"), 30_000), 30_000)
}

fn of(calibration: &Calibration) -> &VersionCalibration {
    calibration.versions.iter().find(|version| version.version == "v-2").expect("the version")
}

/// Right intervals of 95 % miss more than 4 of 20 with a chance of 0.003; those that took one family for granted missed
/// 8 of 25.
#[test]
fn a_slow_group_does_not_pass_for_hangs() {
    let version = "upgrade_time_sec = {lognormal = {median = 60, sigma = 0.3}}\nhang_rate = 0.01";
    let slow =
        "[[classes]]\nid = \"slow\"\nshare = 0.15\nupgrade_time_sec = {lognormal = {median = 250, sigma = 0.4}}\n";
    let all: Vec<Calibration> = (0..20).into_par_iter().map(|set| calibration(version, slow, set)).collect();
    let missed = all.iter().filter(|one| !of(one).rates.silence.interval.contains(0.01)).count();
    assert!(missed <= 4, "{missed}");
    let said = |one: &Calibration| of(one).warnings.iter().any(|warning| warning.text.contains("two groups of hosts"));
    assert!(all.iter().filter(|one| said(one)).count() >= 15);
}

/// Slow hosts whose median is close to the window, so that no test finds them. Right intervals of 95 % miss more than 4
/// of 20 with a chance of 0.003 for each law; with the fast group held at its best, and no mixture where a single family
/// is about as likely, they missed 16 and 23 of 40.
#[test]
fn a_slow_group_that_no_test_finds_does_not_pass_for_hangs() {
    for (fast, slow, hang_rate) in [
        ("lognormal = {median = 45, sigma = 0.3}", "lognormal = {median = 130, sigma = 0.3}", 0.0),
        ("weibull = {scale = 50, shape = 3}", "weibull = {scale = 150, shape = 3}", 0.01),
    ] {
        let version = format!("upgrade_time_sec = {{{fast}}}\nhang_rate = {hang_rate}");
        let slow = format!("[[classes]]\nid = \"slow\"\nshare = 0.15\nupgrade_time_sec = {{{slow}}}\n");
        let of_set = |set| of(&calibration_within(150, &version, &slow, set)).rates.silence.interval;
        let all: Vec<Interval> = (0..20).into_par_iter().map(of_set).collect();
        let missed = all.iter().filter(|interval| !interval.contains(hang_rate)).count();
        assert!(missed <= 4, "{fast}: {missed} {all:?}");
        assert!(all.iter().all(|interval| interval.high < 0.35), "{all:?}");
    }
}

/// Twelve sets: an interval of 95 % misses more than 3 of them with a chance of 0.002.
#[test]
fn a_factor_of_upgrade_times_comes_back() {
    let version = "upgrade_time_sec = {lognormal = {median = 60, sigma = 0.3}}\nupgrade_time_factor = {lognormal = {sigma = \
                   0.4}}";
    let all: Vec<Calibration> = (0..12).into_par_iter().map(|set| calibration(version, "", set)).collect();
    let factors: Vec<_> = all.iter().filter_map(|one| of(one).upgrade_time.factor.as_ref()).collect();
    assert!(factors.len() >= 11, "{}", factors.len());
    assert!(factors.iter().filter(|one| !one.interval.contains(0.4)).count() <= 3, "{factors:?}");
    let one = all.iter().find(|one| of(one).upgrade_time.factor.is_some()).expect("a factor");
    assert!(of(one).warnings.iter().any(|warning| warning.kind == WarningKind::Differs));
    let tables = scenario_toml::tables(&CalibrationReport::new(one, vec!["logs".into()]));
    assert!(tables.contains("upgrade_time_factor = { lognormal = { sigma = 0."), "{tables}");
    let fleet = "[fleet]\ninstances = 80\n[rollout]\ntarget_version_id = \"v-2\"\n";
    common::scenario(&format!("{fleet}{tables}\n[[versions]]\nid = \"v-1\"\n"));
}

/// The level is 0.5 %: more than 2 of 60 have a chance of 0.004. Hangs that differ are no longer times.
#[test]
fn rollouts_that_are_alike_have_no_factor() {
    let version = "upgrade_time_sec = {lognormal = {median = 60, sigma = 0.5}}\nhang_rate = {beta = {mean = 0.1, \
                   concentration = 10}}";
    let found = |set: &u64| of(&calibration(version, "", *set)).upgrade_time.differ.is_some();
    assert!((0..60_u64).into_par_iter().filter(found).count() <= 2);
}

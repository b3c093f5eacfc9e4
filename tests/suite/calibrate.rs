//! Calibration closes the loop: known truths are simulated, and come back from the events within their intervals at the
//! rate that the intervals claim.

use crate::common::toml as common;

use std::path::PathBuf;
use std::process::{Command, Output};

use dryroll::calibrate::{Calibration, Family, History, Observations, VersionCalibration, WarningKind};
use dryroll::report::model::calibration::CalibrationReport;
use dryroll::report::scenario_toml;
use dryroll::scenario::{Distribution, Format, Scenario};
use rayon::prelude::*;

/// Histories of each truth.
const REPLICATES: u64 = 80;
/// An interval of 95 % that is right misses at least 13 of 80 with chance 0.00016 (binomial, 0.05). There are 15
/// counts, so that this page fails for no reason with a chance of at most 0.25 %; the seeds are fixed, so it does so
/// always or never.
const MOST_MISSES: u64 = 12;

/// A truth: a fleet with one version to roll out, and a limit as large as the fleet unless `more` says otherwise.
fn truth(version: &str, more: &str) -> String {
    format!(
        r#"
        [fleet]
        instances = 80
        [[versions]]
        id = "v-1"
        [[versions]]
        id = "v-2"
        {version}
        [rollout]
        target_version_id = "v-2"
        max_consecutive_failures = 80
        health_timeout_sec = 300
        {more}
        "#
    )
}

fn histories(scenario: &Scenario, replicate: u64) -> Vec<History> {
    History::read(common::event_log(scenario, replicate).as_bytes()).expect("a log")
}

fn calibrated(histories: &[History]) -> Calibration {
    Calibration::of(&Observations::of(histories, 30_000), 30_000)
}

fn of<'a>(calibration: &'a Calibration, id: &str) -> &'a VersionCalibration {
    calibration.versions.iter().find(|version| version.version == id).expect("the version")
}

/// The calibrations of many replicates of one truth.
fn compiled(text: &str) -> Vec<Calibration> {
    let scenario = common::scenario(text);
    (0..REPLICATES).into_par_iter().map(|compiled| calibrated(&histories(&scenario, compiled))).collect()
}

fn misses(name: &str, held: impl Iterator<Item = bool>) {
    let (mut n, mut missed) = (0, 0);
    for held in held {
        n += 1;
        missed += u64::from(!held);
    }
    println!("{name}: {missed} of {n} missed");
    assert!(n >= REPLICATES / 2, "{name}: only {n}");
    assert!(missed <= MOST_MISSES, "{name}: {missed} of {n} intervals do not hold the truth");
}

/// Counts how often the intervals of the chosen family hold its true parameters, where the right family was chosen, and
/// how often it was.
fn recovers(text: &str, family: Family, truths: &[f64], at_least: usize) {
    let compiled = compiled(text);
    let fits: Vec<_> =
        compiled.iter().map(|compiled| of(compiled, "v-2").upgrade_time.fit.as_ref().expect("a fit")).collect();
    let right: Vec<_> = fits.iter().filter(|fit| fit.family == family).collect();
    let mut chosen = std::collections::BTreeMap::new();
    fits.iter().for_each(|fit| *chosen.entry(fit.family.name()).or_insert(0) += 1);
    println!("{} truth: {chosen:?}", family.name());
    assert!(right.len() >= at_least, "{}: {chosen:?}", family.name());
    for (axis, &truth) in truths.iter().enumerate() {
        let name = format!("{} {}", family.name(), family.parameters()[axis]);
        misses(&name, right.iter().map(|fit| fit.parameters[axis].interval.contains(truth)));
        // An interval that is too wide would hold any value.
        let wide = right.iter().filter(|fit| fit.parameters[axis].interval.half_width() > truth / 2.0).count();
        assert!(wide * 5 <= right.len(), "{name}: {wide} of {} are wide", right.len());
    }
}

#[test]
fn a_lognormal_upgrade_time_comes_back() {
    let text = truth("upgrade_time_sec = { lognormal = { median = 60, sigma = 0.5 } }", "");
    recovers(&text, Family::Lognormal, &[60.0, 0.5], 60);
}

#[test]
fn an_exponential_upgrade_time_comes_back() {
    let text = truth("upgrade_time_sec = { exponential = { mean = 50 } }", "");
    recovers(&text, Family::Exponential, &[50.0], 66);
}

#[test]
fn a_weibull_upgrade_time_comes_back() {
    let text = truth("upgrade_time_sec = { weibull = { scale = 90, shape = 3 } }", "");
    recovers(&text, Family::Weibull, &[90.0, 3.0], 45);
}

#[test]
fn a_uniform_upgrade_time_comes_back() {
    let text = truth("upgrade_time_sec = { uniform = { min = 20, max = 140 } }", "");
    recovers(&text, Family::Uniform, &[20.0, 140.0], 60);
}

#[test]
fn a_constant_upgrade_time_comes_back_and_is_always_held() {
    for compiled in compiled(&truth("upgrade_time_sec = 47", "")) {
        let version = of(&compiled, "v-2");
        let fit = version.upgrade_time.fit.as_ref().expect("a fit");
        assert_eq!(fit.family, Family::Constant);
        assert!(fit.parameters[0].interval.contains(47.0), "{fit:?}");
        assert!(fit.parameters[0].interval.half_width() < 3.0);
        assert!(version.warnings.iter().any(|warning| warning.kind == WarningKind::CannotTell));
    }
}

#[test]
fn rates_come_back() {
    let text = truth(
        "upgrade_time_sec = { lognormal = { median = 45, sigma = 0.4 } }\nfailure_rate = 0.08\nhang_rate = 0.05\nunhealthy_rate = 0.02",
        "",
    );
    let compiled = compiled(&text);
    misses("failure_rate", compiled.iter().map(|compiled| of(compiled, "v-2").rates.failure.interval.contains(0.08)));
    misses("hang_rate", compiled.iter().map(|compiled| of(compiled, "v-2").rates.silence.interval.contains(0.07)));
}

#[test]
fn slow_upgrades_that_time_out_are_told_from_hangs_by_the_tail() {
    // 4.6 % of the upgrades are not seen by 150 s.
    let text = truth(
        "upgrade_time_sec = { lognormal = { median = 60, sigma = 0.5 } }\nhang_rate = 0.1\nfailure_rate = 0.1",
        "",
    )
    .replace("health_timeout_sec = 300", "health_timeout_sec = 150")
    .replace("instances = 80", "instances = 300")
    .replace("= 80", "= 300");
    let compiled = compiled(&text);
    let right = || {
        compiled
            .iter()
            .map(|compiled| of(compiled, "v-2"))
            .filter(|version| version.upgrade_time.fit.as_ref().is_some_and(|fit| fit.family == Family::Lognormal))
    };
    let median =
        |version: &VersionCalibration| version.upgrade_time.fit.as_ref().expect("a fit").parameters[0].interval;
    misses("censored median", right().map(|version| median(version).contains(60.0)));
    misses("censored failure_rate", right().map(|version| version.rates.failure.interval.contains(0.1)));
    assert!(right().all(|version| version.warnings.iter().any(|warning| warning.kind == WarningKind::Censored)));
}

#[test]
fn a_rollout_that_was_rolled_back_in_mid_flight_is_no_lie() {
    let text = truth(
        "upgrade_time_sec = { lognormal = { median = 60, sigma = 0.5 } }\nfailure_rate = 0.3\nhang_rate = 0.1",
        "[operator]\non_trip = \"rollback_completed_batches\"\ndecision_delay_sec = { exponential = { mean = 60 } }",
    )
    .replace("max_consecutive_failures = 80", "max_consecutive_failures = 2")
    .replace("id = \"v-1\"", "id = \"v-1\"\nupgrade_time_sec = { lognormal = { median = 40, sigma = 0.4 } }");
    let scenario = common::scenario(&text);
    // Twelve rollouts are one log.
    let compiled: Vec<Calibration> = (0..REPLICATES)
        .into_par_iter()
        .map(|compiled| {
            let logs: String = (0..12).map(|one| common::event_log(&scenario, compiled * 12 + one)).collect();
            calibrated(&History::read(logs.as_bytes()).expect("a log"))
        })
        .collect();
    assert!(compiled.iter().all(|compiled| compiled.histories == 12 && compiled.versions[0].version == "v-1"));
    assert!(compiled.iter().any(|compiled| of(compiled, "v-2").counts.cut_short > 0));
    misses(
        "failure_rate, cut short",
        compiled.iter().map(|compiled| of(compiled, "v-2").rates.failure.interval.contains(0.3)),
    );
    misses(
        "hang_rate, cut short",
        compiled.iter().map(|compiled| of(compiled, "v-2").rates.silence.interval.contains(0.1)),
    );
    let fit = |compiled: &Calibration| compiled.operator.decision_delay.fit.clone().expect("decisions");
    let exponential = || compiled.iter().map(fit).filter(|fit| fit.family == Family::Exponential);
    misses("decision delay", exponential().map(|fit| fit.parameters[0].interval.contains(60.0)));
    let median = compiled.iter().map(|compiled| of(compiled, "v-2").upgrade_time.fit.clone().expect("a fit"));
    let median = median.filter(|fit| fit.family == Family::Lognormal);
    misses("median, cut short", median.map(|fit| fit.parameters[0].interval.contains(60.0)));
}

#[test]
fn what_no_family_fits_is_empirical() {
    // Two kinds of hosts.
    let text = truth("upgrade_time_sec = 20", "[[overrides]]\nfraction = 0.5\nupgrade_time_sec = 200")
        .replace("instances = 80", "instances = 400");
    let scenario = common::scenario(&text);
    let compiled = calibrated(&histories(&scenario, 0));
    let version = of(&compiled, "v-2");
    let fit = version.upgrade_time.fit.as_ref().expect("a fit");
    assert_eq!(fit.family, Family::Empirical, "{fit:?}");
    let Distribution::Empirical(values) = &fit.distribution else { panic!("{fit:?}") };
    let slow = values.iter().filter(|&&value| value > 100.0).count() as f64 / values.len() as f64;
    assert!((slow - 0.5).abs() < 0.1, "{values:?}");
    assert!(version.warnings.iter().any(|warning| warning.kind == WarningKind::DoesNotFit));
}

#[test]
fn a_family_that_is_right_is_seldom_said_not_to_fit() {
    let text = truth("upgrade_time_sec = { lognormal = { median = 60, sigma = 0.5 } }\nhang_rate = 0.05", "");
    let rejected = compiled(&text)
        .iter()
        .filter(|compiled| {
            of(compiled, "v-2").upgrade_time.fit.as_ref().is_some_and(|fit| fit.family == Family::Empirical)
        })
        .count();
    // The limit is 0.1 %; were the p-value exact, 3 of 80 would have a chance of 0.0001.
    assert!(rejected <= 2, "{rejected}");
}

fn kinds(version: &VersionCalibration) -> Vec<WarningKind> {
    version.warnings.iter().map(|warning| warning.kind).collect()
}

#[test]
fn warnings_come_where_they_must_and_not_elsewhere() {
    let clean = "upgrade_time_sec = { lognormal = { median = 60, sigma = 0.5 } }";
    let scenario = common::scenario(&truth(clean, ""));
    let many: Vec<History> = (0..3).flat_map(|compiled| histories(&scenario, compiled)).collect();
    let compiled = calibrated(&many);
    let said = kinds(of(&compiled, "v-2"));
    for kind in [WarningKind::TooFew, WarningKind::Censored, WarningKind::Differs, WarningKind::DoesNotFit] {
        assert!(!said.contains(&kind), "{:?}", of(&compiled, "v-2").warnings);
    }
    // Timeouts are confounded.
    let hangs = common::scenario(&truth(&format!("{clean}\nhang_rate = 0.2"), ""));
    assert!(kinds(of(&calibrated(&histories(&hangs, 0)), "v-2")).contains(&WarningKind::Confounded));
    // Two days that differ.
    let bad = common::scenario(&truth(&format!("{clean}\nfailure_rate = 0.4"), ""));
    let both: Vec<History> = [histories(&scenario, 0), histories(&bad, 0)].concat();
    assert!(kinds(of(&calibrated(&both), "v-2")).contains(&WarningKind::Differs));
    // Five instances.
    let few = common::scenario(&truth(clean, "").replace("instances = 80", "instances = 5"));
    assert!(kinds(of(&calibrated(&histories(&few, 0)), "v-2")).contains(&WarningKind::TooFew));
    // Events do not show flaps.
    assert!(compiled.warnings.iter().any(|warning| warning.text.contains("[network]")));
}

#[test]
fn a_wrong_heartbeat_interval_is_noticed() {
    let text = truth(
        "upgrade_time_sec = { lognormal = { median = 60, sigma = 0.5 } }\nfailure_rate = 0.3",
        "[operator]\non_trip = \"rollback_completed_batches\"\ndecision_delay_sec = 600",
    )
    .replace("max_consecutive_failures = 80", "max_consecutive_failures = 3");
    let scenario = common::scenario(&text);
    let read: Vec<History> = (0..4).flat_map(|compiled| histories(&scenario, compiled)).collect();
    let differs = |interval: u64| {
        let calibration = Calibration::of(&Observations::of(&read, interval), interval);
        calibration.warnings.iter().any(|warning| warning.kind == WarningKind::Differs)
    };
    assert!(!differs(30_000));
    assert!(differs(37_000));
}

#[test]
fn the_tables_load_in_a_scenario() {
    let text = truth(
        "upgrade_time_sec = { lognormal = { median = 60, sigma = 0.5 } }\nfailure_rate = 0.1\nhang_rate = 0.1",
        "[operator]\napproval_delay_sec = 120\non_trip = \"rollback_completed_batches\"\ndecision_delay_sec = { uniform = { min = 10, max = 90 } }",
    )
    .replace("max_consecutive_failures = 80", "max_consecutive_failures = 3");
    let scenario = common::scenario(&text);
    for compiled in [1, 20] {
        let read: Vec<History> = (0..compiled).flat_map(|compiled| histories(&scenario, compiled)).collect();
        let report = CalibrationReport::new(&calibrated(&read), vec!["a \u{7} log\nwith = lines".into()]);
        let tables = scenario_toml::tables(&report);
        let whole = format!("[fleet]\ninstances = 50\n[rollout]\ntarget_version_id = \"v-2\"\n{tables}");
        let again = Scenario::parse("calibrated.toml", whole.as_bytes(), Format::Toml)
            .unwrap_or_else(|error| panic!("{error}\n{whole}"));
        assert_eq!(again.operator.approval_delay, Distribution::Constant(120.0), "{tables}");
        assert_eq!(again.target().id, "v-2");
        assert!(tables.contains("95 % interval") && tables.contains("# !"), "{tables}");
    }
}

const STARTED: &str = r#"{"at_ms":0,"kind":"module.upgrade.instance_started","rollout_id":"r-1","batch_index":0,"instance_id":"i-1","target_version":"v-2"}"#;
const HEALTHY: &str = r#"{"at_ms":9,"kind":"module.upgrade.instance_health_check","rollout_id":"r-1","batch_index":0,"instance_id":"i-1","healthy":true}"#;

#[test]
fn damaged_lines_are_named() {
    for (text, said) in [
        (format!("{STARTED}\n{{\"at_ms\":3"), "line 2: it is not JSON"),
        (format!("{STARTED}\n\n[1]"), "line 3: it is not a JSON object"),
        ("{\"at_ms\":3}".to_owned(), "line 1: it has no `kind`"),
        (STARTED.replace("instance_started", "instance_begun"), "there is no event \"module.upgrade.instance_begun\""),
        (STARTED.replace("\"at_ms\":0", "\"at_ms\":-1"), "its keys are not those of an event"),
        (STARTED.replace("target_version", "version"), "it has no `target_version`"),
        (format!("{STARTED}\n{STARTED}"), "i-1 was started before in r-1"),
        (format!("{STARTED}\n{HEALTHY}\n{HEALTHY}"), "line 3: i-1 has its verdict already"),
        (
            format!("{}\n{HEALTHY}", STARTED.replace("\"at_ms\":0", "\"at_ms\":10")),
            "line 2: its at_ms is 9, before the 10",
        ),
        (
            format!("{STARTED}\n{}", HEALTHY.replace("true", "false,\"reason\":\"boredom\"")),
            "line 2: its reason is \"boredom\"",
        ),
    ] {
        let error = History::read(text.as_bytes()).expect_err(&text).to_string();
        assert!(error.contains(said), "{text}\n{error}");
    }
    let other = format!("{{\"kind\":\"weather\",\"rain\":1}}\n{STARTED}\r\n{HEALTHY}\r\n");
    let read = History::read(other.as_bytes()).expect("other events are nothing");
    assert_eq!(read[0].attempts.len(), 1);
}

fn dryroll(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).env("NO_COLOR", "1").output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn the_command_writes_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| -> String {
        let path: PathBuf = folder.path().join(name);
        path.to_str().expect("UTF-8").to_owned()
    };
    let (events, tables, report, svg) = (path("events.ndjson"), path("c.toml"), path("c.json"), path("c.svg"));
    let done = dryroll(&["run", "scenarios/fleet-5000.toml", "-q", "--events", &events]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let done = dryroll(&["calibrate", &events, "-o", &tables, "--report", &report, "--svg", &svg]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("upgrade time: "), "{}", text(&done.stdout));
    let read = |name: &str| std::fs::read_to_string(name).expect("written");
    assert!(read(&tables).contains("[[versions]]") && read(&svg).contains("<svg"));
    let json: serde_json::Value = serde_json::from_str(&read(&report)).expect("JSON");
    assert_eq!(json["schema"], "dryroll.calibration/1");

    let wrong = path("wrong.ndjson");
    std::fs::write(&wrong, format!("{STARTED}\noops\n")).expect("written");
    let done = dryroll(&["calibrate", &wrong]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("wrong.ndjson: line 2: it is not JSON"), "{}", text(&done.stderr));
    let done = dryroll(&["calibrate", &events, &events]);
    assert!(text(&done.stderr).contains("would count twice"), "{}", text(&done.stderr));
    std::fs::write(&wrong, "\n").expect("written");
    assert_eq!(dryroll(&["calibrate", &wrong]).status.code(), Some(4));
    assert_eq!(dryroll(&["calibrate", &events, "--heartbeat-interval-sec", "0"]).status.code(), Some(2));
}

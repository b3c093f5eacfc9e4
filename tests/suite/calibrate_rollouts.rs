//! Rollouts that differ, rollouts that are there twice, and counts that cannot be.

use crate::common::folder::Folder;
use crate::common::toml as common;

use dryroll::calibrate::{Calibration, History, Observations, WarningKind, once};
use dryroll::report::model::calibration::CalibrationReport;
use dryroll::report::scenario_toml;
use dryroll::stats::Interval;

/// The log of a rollout to `v-2`.
fn log(failure_rate: f64, replicate: u64) -> String {
    let text = format!(
        "[fleet]\ninstances = 80\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\nfailure_rate = {failure_rate}\n\
         upgrade_time_sec = {{ lognormal = {{ median = 60, sigma = 0.5 }} }}\n\
         [rollout]\ntarget_version_id = \"v-2\"\nmax_consecutive_failures = 80\nhealth_timeout_sec = 600\n"
    );
    common::event_log(&common::scenario(&text), replicate)
}

fn read(log: &str) -> Vec<History> {
    History::read(log.as_bytes()).expect("a log")
}

fn report(rates: &[f64]) -> CalibrationReport {
    let logs = rates.iter().zip(0..);
    let histories: Vec<History> = logs.flat_map(|(&rate, replicate)| read(&log(rate, replicate))).collect();
    let calibration = Calibration::of(&Observations::of(&histories, 30_000), 30_000);
    CalibrationReport::new(&calibration, vec!["logs".into()])
}

fn deviation([a, b]: [f64; 2]) -> f64 {
    (a * b / (a + b + 1.0)).sqrt() / (a + b)
}

#[test]
fn rollouts_that_differ_are_fitted_and_said() {
    let differ = report(&[0.02, 0.3, 0.02, 0.3, 0.02, 0.3, 0.02, 0.3]);
    let rate = &differ.versions[0].failure_rate;
    let spread = rate.spread.as_ref().expect("a spread");
    assert!(spread.p_value < 0.005 && spread.mean_ci.contains(0.16), "{spread:?}");
    // Mean 0.16, standard deviation 0.14: the next rollout's rate is as uncertain.
    let next = deviation(rate.beta);
    assert!((0.09..0.25).contains(&next), "{rate:?}");
    let tables = scenario_toml::tables(&differ);
    let line = tables.lines().find(|line| line.starts_with("failure_rate = ")).expect("the key");
    assert!(line.starts_with("failure_rate = { beta = { mean = 0.") && line.contains(", concentration = "), "{line}");
    let parsed: toml::Table = line.parse().expect("TOML");
    let beta = &parsed["failure_rate"]["beta"];
    assert!((beta["mean"].as_float().expect("a number") - spread.mean).abs() < 1e-3);
    assert!(beta["concentration"].as_float().expect("a number") > 0.0);
    let mut said = Vec::new();
    dryroll::report::terminal::calibration::calibration_table(&mut said, &differ).expect("written");
    assert!(String::from_utf8_lossy(&said).contains("8 rollouts differ"));
    assert!(differ.versions[0].warnings.iter().any(|warning| warning.kind == WarningKind::Differs));
    // What is drawn is the next rollout's rate, and the interval that tune shows is that of it.
    let history = &differ.histories()[0].failure;
    assert_eq!(history.concentration, Some(spread.concentration));
    let Interval { low, high } = history.interval;
    assert!(low < rate.ci.low / 2.0 && high > rate.ci.high * 1.3, "{history:?} {:?}", rate.ci);
    // One rate: no spread is found, and the belief is narrower, but allows for one that is not ruled out.
    let alike = report(&[0.16; 8]);
    let pooled = (0.16 * 0.84 / 640.0_f64).sqrt();
    let believed = deviation(alike.versions[0].failure_rate.beta);
    assert!(believed > 1.2 * pooled && believed < 0.05, "{believed} {pooled}");
    assert_eq!(alike.histories()[0].failure.concentration, None);
    let json = serde_json::to_string(&alike).expect("JSON");
    assert!(!json.contains("spread") && !scenario_toml::tables(&alike).contains("concentration"));
}

#[test]
fn few_rollouts_cannot_tell_how_they_differ() {
    let few = report(&[0.02, 0.3, 0.02]);
    let rate = &few.versions[0].failure_rate;
    assert!(rate.spread.is_none());
    // Of 240 instances as one, the interval would be 0.08 to 0.16.
    assert!(rate.ci.low < 0.06 && rate.ci.high > 0.3 && deviation(rate.beta) > 0.08, "{rate:?}");
    // One rollout tells its own rate, and that alone.
    let one = report(&[0.1]).versions[0].failure_rate.clone();
    assert!(one.ci.high - one.ci.low < 0.2 && deviation(one.beta) < 0.05, "{one:?}");
    let said = |warning: &dryroll::calibrate::Warning| {
        warning.text.contains("3 rollouts cannot tell how much rollouts differ")
    };
    assert!(few.versions[0].warnings.iter().any(said), "{:?}", few.versions[0].warnings);
}

#[test]
fn a_rollout_counts_once() {
    let (first, second) = (log(0.1, 0), log(0.1, 1));
    let renamed = first.replace("\"r-1\"", "\"r-77\"");
    let begun: String = first.lines().take(120).map(|line| format!("{line}\n")).collect();
    let joined = format!("{second}{second}");
    let logs = [("a", &first), ("b", &renamed), ("c", &begun), ("d", &joined)];
    let (kept, warnings) =
        once(logs.into_iter().map(|(name, log)| (name.to_owned(), read(log))).collect()).expect("they fit");
    assert_eq!(kept.len(), 2);
    // Taken before the first verdict came: starts alone.
    let starts: String = first.lines().take(10).map(|line| format!("{line}\n")).collect();
    assert!(!starts.contains("instance_health_check"));
    let (alone, others) =
        once(vec![("a".to_owned(), read(&first)), ("e".to_owned(), read(&starts))]).expect("they fit");
    assert_eq!((alone.len(), others.len()), (1, 1));
    let texts: Vec<&str> = warnings.iter().map(|warning| warning.text.as_str()).collect();
    assert!(warnings.iter().all(|warning| warning.kind == WarningKind::Twice));
    let again = second.lines().count() + 1;
    assert!(texts[0].contains("at b line 1 is the one at a line 1"), "{texts:?}");
    assert!(texts[1].contains("at c line 1 is the beginning of the one at a line 1"), "{texts:?}");
    assert!(texts[2].contains(&format!("at d line {again} is the one at d line 1")), "{texts:?}");

    let folder = Folder::with(&[("a.ndjson", &first), ("b.ndjson", &renamed)]);
    let output = folder.command("calibrate a.ndjson b.ndjson").output().expect("it runs");
    let tables = String::from_utf8_lossy(&output.stdout).replace("\n# ", " ");
    assert!(tables.contains("the rollout at b.ndjson line 1 is the one at a.ndjson line 1"), "{tables}");
    assert!(tables.contains("from 1 rollout"), "{tables}");
}

#[test]
fn counts_that_cannot_be_are_refused() {
    let good = log(0.1, 0);
    let lines: Vec<&str> = good.lines().collect();
    let find = |kind: &str| lines.iter().position(|line| line.contains(kind)).expect("a line");
    let with = |place: usize, line: &str| {
        let mut lines = lines.clone();
        lines[place] = line;
        lines.join("\n")
    };
    let completed = find("batch_completed");
    let counts: serde_json::Value = serde_json::from_str(lines[completed]).expect("JSON");
    let healthy = format!("\"healthy_count\":{}", counts["healthy_count"]);
    let many = lines[completed].replace(&healthy, "\"healthy_count\":999");
    let begun = find("batch_started");
    let of: serde_json::Value = serde_json::from_str(lines[begun]).expect("JSON");
    let small = lines[begun].replace(&format!("\"instance_count\":{}", of["instance_count"]), "\"instance_count\":1");
    let started = find("instance_started");
    let nothing = with(started, "");
    let fewer = lines[completed].replace(&healthy, "\"healthy_count\":3");
    let planned = find("upgrade.planned");
    let plan: serde_json::Value = serde_json::from_str(lines[planned]).expect("JSON");
    let planned_with = |key: &str, value: i64| {
        with(planned, &lines[planned].replace(&format!("\"{key}\":{}", plan[key]), &format!("\"{key}\":{value}")))
    };
    let other_batch = lines[begun].replace("\"batch_index\":0", "\"batch_index\":99");
    for (text, line, said) in [
        (planned_with("total_instances", 3), planned + 1, "batch_count is "),
        (planned_with("total_instances", -3), planned + 1, "-3"),
        (planned_with("batch_count", 77), planned + 1, "its batch_count is 77"),
        (planned_with("batch_size", 0), planned + 1, "its batch_size is 0"),
        (with(begun, &other_batch), begun + 1, "its batch_index is 99, but the plan has a batch_count of"),
        (with(completed, &fewer), completed + 1, "its healthy_count is 3, but the log has"),
    ] {
        let error = History::read(text.as_bytes()).expect_err(said).to_string();
        assert!(error.contains(said) && error.contains(&format!("line {line}: ")), "{line}: {error}");
    }
    for (text, line, said) in [
        (with(completed, &many), completed + 1, "but batch 0 was started with an instance_count of"),
        (
            with(begun, &small),
            begun + 1,
            "its instance_count is 1, which leaves 79 of 80 instances for 4 more batches of 1 to 16",
        ),
        (nothing, 0, "has a verdict, but no instance_started in r-1 comes before it"),
    ] {
        let error = History::read(text.as_bytes()).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
        assert!(line == 0 || error.contains(&format!("line {line}: ")), "{line}: {error}");
    }
}

#[test]
fn a_spread_of_hangs_is_a_key_of_the_scenario_with_the_mean_that_is_shown() {
    let log = |rate: f64, replicate| {
        let text = format!(
            "[fleet]\ninstances = 80\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\nhang_rate = {rate}\n\
             upgrade_time_sec = 40\n[rollout]\ntarget_version_id = \"v-2\"\nmax_consecutive_failures = 80\n"
        );
        common::event_log(&common::scenario(&text), replicate)
    };
    let logs = [0.02, 0.3, 0.02, 0.3, 0.02, 0.3, 0.02, 0.3].into_iter().zip(0..);
    let histories: Vec<History> = logs.flat_map(|(rate, replicate)| read(&log(rate, replicate))).collect();
    let calibration = Calibration::of(&Observations::of(&histories, 30_000), 30_000);
    let report = CalibrationReport::new(&calibration, vec!["logs".into()]);
    let rate = &report.versions[0].hang_rate;
    let spread = rate.spread.as_ref().expect("a spread");
    let tables = scenario_toml::tables(&report);
    let line = tables.lines().find(|line| line.starts_with("hang_rate = ")).expect("the key");
    let parsed: toml::Table = line.parse().expect("TOML");
    let mean = parsed["hang_rate"]["beta"]["mean"].as_float().expect("a number");
    assert!((mean - rate.estimate).abs() < 1e-3 && (mean - spread.mean).abs() < 1e-3, "{line} {rate:?}");
    assert!((mean - rate.beta[0] / (rate.beta[0] + rate.beta[1])).abs() < 1e-3, "{line} {rate:?}");
    let fleet = "[fleet]\ninstances = 80\n[rollout]\ntarget_version_id = \"v-2\"\n";
    common::scenario(&format!("{fleet}{tables}\n[[versions]]\nid = \"v-1\"\n"));
}

/// A log without a verdict is evidence of no rate.
#[test]
fn a_rate_of_no_verdict_is_left_out() {
    let all = log(0.1, 0);
    let starts: Vec<&str> = all.lines().take_while(|line| !line.contains("instance_health_check")).collect();
    let folder = Folder::with(&[("starts.ndjson", &starts.join("\n"))]);
    let told = String::from_utf8(folder.run("calibrate starts.ndjson").stdout).expect("UTF-8");
    assert!(told.contains("# failure_rate: no verdict was seen, so it is left out"), "{told}");
    assert!(!told.contains("failure_rate = ") && !told.contains("hang_rate = "), "{told}");
    assert!(!told.contains("cut short by a decision:"), "{told}");
}

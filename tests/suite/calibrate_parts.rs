//! A rollout is evidence once: a part of its log beside the whole adds nothing, and the parts of a rotated log are
//! joined or refused.

use crate::common::folder::Folder;
use crate::common::toml as common;

use dryroll::calibrate::{History, Observations, Warning, once};

const TOML: &str = "[fleet]\ninstances = 40\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\nfailure_rate = 0.1\n\
     upgrade_time_sec = { lognormal = { median = 60, sigma = 0.5 } }\n\
     [rollout]\ntarget_version_id = \"v-2\"\nmax_consecutive_failures = 40\nhealth_timeout_sec = 600\n\
     [operator]\napproval_delay_sec = { exponential = { mean = 60 } }\n";

fn log(replicate: u64) -> Vec<String> {
    let log = common::event_log(&common::scenario(TOML), replicate);
    log.lines().map(str::to_owned).collect()
}

fn joined(logs: &[&[String]]) -> Result<(Vec<History>, Vec<Warning>), String> {
    let read = |log: &[String]| History::read(log.join("\n").as_bytes()).expect("a log");
    let named = logs.iter().zip('a'..).map(|(log, name)| (name.to_string(), read(log)));
    once(named.collect()).map_err(|error| error.to_string())
}

#[track_caller]
fn one_rollout(logs: &[&[String]], whole: &[String], warned: usize) {
    let (kept, warnings) = joined(logs).expect("they fit");
    let (alone, _) = joined(&[whole]).expect("a log");
    assert_eq!(Observations::of(&kept, 30_000), Observations::of(&alone, 30_000));
    assert_eq!(warnings.len(), warned, "{warnings:?}");
}

#[test]
fn a_part_beside_the_whole_counts_nothing() {
    let whole = log(0);
    for cut in [4, 9, 30, 60, whole.len() - 2] {
        one_rollout(&[&whole, &whole[..cut]], &whole, 1);
        one_rollout(&[&whole[cut..], &whole], &whole, 1);
        one_rollout(&[&whole, &whole[..cut], &whole[cut..]], &whole, 2);
    }
    one_rollout(&[&whole, &whole[20..50]], &whole, 1);
    // Only some lines of it: what a search for them prints.
    let verdicts: Vec<String> = whole.iter().filter(|line| line.contains("instance_health_check")).cloned().collect();
    one_rollout(&[&verdicts, &whole], &whole, 1);
}

#[test]
fn neither_the_name_nor_the_writing_of_a_log_matters() {
    let whole = log(0);
    let other: Vec<String> = whole
        .iter()
        .map(|line| {
            let event: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).expect("JSON");
            let keys: Vec<String> = event.iter().rev().map(|(key, value)| format!(" \"{key}\" :\t{value} ")).collect();
            format!("{{{}, \"host\": \"h-1\"}}\r", keys.join(","))
                .replace("\"r-1\"", "\"r-5\"")
                .replace("\"a-1\"", "\"a-9\"")
        })
        .collect();
    one_rollout(&[&whole, &other], &whole, 1);
    one_rollout(&[&whole, &other[50..]], &whole, 1);
}

#[test]
fn the_clock_of_a_log_does_not_matter() {
    let whole = log(0);
    let at = |ms: u64, unit: u64| -> Vec<String> {
        let moved = |line: &String| {
            let mut event: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let before = event["at_ms"].as_u64().expect("a time");
            event["at_ms"] = (before / unit * unit + ms).into();
            event.to_string()
        };
        whole.iter().map(moved).collect()
    };
    let later = at(1_764_000_000_000, 1);
    one_rollout(&[&whole, &later], &whole, 1);
    one_rollout(&[&whole, &later[..60]], &whole, 1);
    let in_seconds = at(0, 1000);
    one_rollout(&[&in_seconds, &at(1_764_000_000_000, 1000)], &in_seconds, 1);
}

#[test]
fn the_parts_of_a_rotated_log_are_put_together() {
    let whole = log(0);
    for cut in [3, 9, 30, 60, whole.len() - 2] {
        one_rollout(&[&whole[..cut], &whole[cut..]], &whole, 1);
        one_rollout(&[&whole[cut..], &whole[..cut]], &whole, 1);
        // The parts overlap.
        one_rollout(&[&whole[..cut + 2], &whole[cut - 2..]], &whole, 1);
    }
    one_rollout(&[&whole[60..], &whole[30..60], &whole[..30]], &whole, 2);
    one_rollout(&[&whole[40..], &whole[20..60], &whole[..30]], &whole, 2);
    let (_, warnings) = joined(&[&whole[..32], &whole[30..]]).expect("they fit");
    assert!(
        warnings[0].text.contains("the log at a line 1 goes on at b line 1 (2 events are in both)"),
        "{warnings:?}"
    );
}

#[test]
fn other_rollouts_stay_what_they_are() {
    let logs: Vec<Vec<String>> = (0..6).map(log).collect();
    let parts: Vec<&[String]> = logs.iter().map(Vec::as_slice).collect();
    let (kept, warnings) = joined(&parts).expect("logs");
    assert!(kept.len() == 6 && warnings.is_empty(), "{warnings:?}");
    // Beside whole ones, one that has no end and one that has no beginning.
    let (kept, warnings) = joined(&[parts[0], &parts[1][..60]]).expect("logs");
    assert!(kept.len() == 2 && warnings.is_empty(), "{warnings:?}");
    let (kept, warnings) = joined(&[parts[0], &parts[1][60..]]).expect("logs");
    assert!(kept.len() == 2 && warnings.is_empty(), "{warnings:?}");
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let (whole, other) = (log(0), log(1));
    // The middle is missing.
    let error = joined(&[&whole[..30], &whole[40..]]).expect_err("a gap");
    assert!(error.contains("a line 1 and b line 1 tell of one rollout, and do not fit together: line "), "{error}");
    // Each has lines that the other lacks.
    let without: Vec<String> = whole.iter().filter(|line| !line.contains("approval_")).cloned().collect();
    let error = joined(&[&without, &whole[..60]]).expect_err("both would count");
    assert!(error.contains("they have verdicts in common, but each has events that the other"), "{error}");
    // The end of one rollout after the beginning of another of its name.
    let error = joined(&[&whole[..30], &other[other.len() - 30..]]).expect_err("another rollout");
    assert!(error.contains("two rollouts need two names"), "{error}");
    let folder = Folder::with(&[("a.ndjson", &whole[..30].join("\n")), ("b.ndjson", &whole[40..].join("\n"))]);
    let output = folder.command("calibrate a.ndjson b.ndjson").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("a.ndjson line 1 and b.ndjson line 1"), "{said}");
}

//! The cells of a sweep as CSV: one row a cell.

use std::io;

use serde_json::Value;

use crate::model::SweepReport;
use dryroll_sim::scenario::{Metric, Rate};
use dryroll_sim::text::csv_cell;
use dryroll_stats::Interval;
use dryroll_study::study::Policy;
use dryroll_study::study::policy::in_words;

/// Writes one row a cell: its policy, its version, and every figure of every metric and rate. What does not exist is
/// empty.
///
/// # Errors
/// When writing fails.
pub fn write_cells(out: impl io::Write, report: &SweepReport) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let keys = policy_keys(report);
    let mut header = keys.clone();
    header.extend(["version", "defective", "replicates"].map(str::to_owned));
    let bricks = report.cells.iter().any(|cell| cell.metrics.figure(Metric::BrickedInstances).is_some());
    for metric in Metric::reported(bricks) {
        for stat in ["mean", "ci_low", "ci_high", "p50", "p95", "p99", "min", "max", "n"] {
            header.push(format!("{}_{stat}", metric.name()));
        }
    }
    for rate in Rate::ALL {
        for stat in ["rate", "ci_low", "ci_high", "hits", "n"] {
            header.push(format!("{}_{stat}", rate.name()));
        }
    }
    csv.write_record(&header).map_err(failed)?;
    for cell in &report.cells {
        let mut record: Vec<String> = policy(&cell.policy, &keys);
        record.extend([
            csv_cell(cell.version.raw()).into_owned(),
            cell.defective.to_string(),
            cell.replicates.to_string(),
        ]);
        for metric in Metric::reported(bricks) {
            let figure = cell.metrics.figure(metric).cloned().unwrap_or_default();
            record.push(number(figure.mean));
            record.extend(ends(figure.ci));
            record.extend([figure.p50, figure.p95, figure.p99, figure.min, figure.max].map(number));
            record.push(figure.n.to_string());
        }
        for rate in Rate::ALL {
            let share = cell.metrics.share(rate).cloned().unwrap_or_default();
            record.push(number(share.rate));
            record.extend(ends(share.ci));
            record.extend([share.hits.to_string(), share.n.to_string()]);
        }
        csv.write_record(&record).map_err(failed)?;
    }
    csv.flush()
}

/// The error of the output itself, whose kind says what to do.
fn failed(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The keys that the policy of some cell has.
fn policy_keys(report: &SweepReport) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for cell in &report.cells {
        let Ok(Value::Object(keys)) = serde_json::to_value(&cell.policy) else { continue };
        all.extend(keys.into_iter().map(|(key, _)| key).filter(|key| !all.contains(key)).collect::<Vec<_>>());
    }
    all
}

fn policy(policy: &Policy, keys: &[String]) -> Vec<String> {
    let mut values = policy.values();
    let mut text = |key: &String| match values.remove(key).or_else(|| policy.get(key)).unwrap_or_default() {
        Value::Null => String::new(),
        other => csv_cell(&in_words(&other)).into_owned(),
    };
    keys.iter().map(&mut text).collect()
}

fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn ends(interval: Option<Interval>) -> [String; 2] {
    [number(interval.map(|i| i.low)), number(interval.map(|i| i.high))]
}

//! What moved between the cells of a version, beside the figures that every table has.

use std::collections::BTreeMap;

use crate::model::Cell;
use crate::words::{Unit, called};
use dryroll_sim::scenario::Metric;

/// The most columns that are added where rows look alike.
const MOST_COLUMNS: usize = 2;
/// The most metrics that are named below the table.
const MOST_NAMED: usize = 3;
/// A metric whose means differ by less than this share of the largest has not moved.
const LEAST: f64 = 0.01;

/// What moved.
#[derive(Debug, Default)]
pub struct Moved {
    /// Metrics in which rows differ that the table's own figures do not distinguish.
    pub columns: Vec<Metric>,
    /// What else moved, in words; `None` where nothing did.
    pub says: Option<String>,
}

impl Moved {
    /// Of cells with what the table says of each beside its policy. `shown` are the metrics that it has.
    pub fn of(cells: &[&Cell], said: &[Vec<String>], shown: &[Metric]) -> Self {
        let mut alike: BTreeMap<&[String], Vec<&Cell>> = BTreeMap::new();
        for (cell, said) in cells.iter().zip(said) {
            alike.entry(said.as_slice()).or_default().push(cell);
        }
        let groups: Vec<Vec<&Cell>> = alike.into_values().filter(|group| group.len() > 1).collect();
        let others = || Metric::ALL.into_iter().filter(|metric| !shown.contains(metric));
        let within = |metric: Metric| groups.iter().filter_map(|group| span(group, metric)).fold(0.0, f64::max);
        let columns = most(others().map(|metric| (metric, within(metric))), LEAST, MOST_COLUMNS);
        let rest = others().filter(|metric| !columns.contains(metric));
        let named = most(rest.map(|metric| (metric, span(cells, metric).unwrap_or(0.0))), LEAST, MOST_NAMED);
        let named: Vec<String> = named.into_iter().filter_map(|metric| range(cells, metric)).collect();
        let mut says = Vec::new();
        if !groups.is_empty() && columns.is_empty() {
            says.push("rows that look alike differ by less than 1 % in every other mean".to_owned());
        }
        if !named.is_empty() {
            says.push(format!("also moved: {}", named.join(", ")));
        }
        Self { columns, says: (!says.is_empty()).then(|| says.join("; ")) }
    }
}

/// The metrics that moved most, and by more than a share.
fn most(moved: impl Iterator<Item = (Metric, f64)>, least: f64, n: usize) -> Vec<Metric> {
    let mut all: Vec<(Metric, f64)> = moved.filter(|(_, span)| *span > least).collect();
    // The sort is stable: ties stay in the order of reports.
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.into_iter().take(n).map(|(metric, _)| metric).collect()
}

fn ends(cells: &[&Cell], metric: Metric) -> Option<(f64, f64)> {
    let means = cells.iter().filter_map(|cell| cell.metrics.figure(metric)?.mean);
    means.fold(None, |ends, mean| {
        let (low, high) = ends.unwrap_or((mean, mean));
        Some((low.min(mean), high.max(mean)))
    })
}

/// How far apart the means of a metric are, as a share of the largest.
fn span(cells: &[&Cell], metric: Metric) -> Option<f64> {
    let (low, high) = ends(cells, metric)?;
    let size = low.abs().max(high.abs());
    (size > 0.0).then(|| (high - low) / size)
}

fn range(cells: &[&Cell], metric: Metric) -> Option<String> {
    let (low, high) = ends(cells, metric)?;
    let unit = Unit::of(metric.name());
    Some(format!("{} {} to {}", called(metric.name()), unit.say(low), unit.say(high)))
}

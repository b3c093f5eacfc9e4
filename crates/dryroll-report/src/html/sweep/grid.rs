//! The grid of a sweep: which cells are one policy's, and the heat maps over its axes.

use serde_json::Value;

use crate::html::policies::{name, plain, same, says};
use crate::html::sweep::estimate;
use crate::model::{Cell, SweepReport};
use crate::svg::Plot;
use crate::svg::heatmap::{HeatMap, Panel};
use crate::words::Unit;
use crate::words::completed::does;
use dryroll_sim::text::Foreign;
use dryroll_study::study::completed::of_all;

/// The cells of one policy, a version each.
pub struct PolicyCells<'a> {
    /// The cells.
    pub cells: Vec<&'a Cell>,
    /// Where they are in the report.
    pub indices: Vec<usize>,
}

impl PolicyCells<'_> {
    /// Whether enough rollouts of each good version complete.
    pub fn completes(&self) -> Option<bool> {
        of_all(self.cells.iter().filter_map(|cell| cell.good_rollouts()).map(|completed| completed.enough))
    }

    /// What it does to good rollouts, where too few complete or that is undecided.
    pub fn stops(&self) -> Option<String> {
        let all = self.cells.iter().filter_map(|cell| cell.good_rollouts());
        let worst = all.reduce(|worst, next| if next.share() < worst.share() { next } else { worst });
        worst.as_ref().and_then(does)
    }
}

/// The cells by policy, in the order of the grid: versions vary fastest.
pub fn policies(report: &SweepReport) -> Vec<PolicyCells<'_>> {
    let mut all: Vec<PolicyCells<'_>> = Vec::new();
    for (i, cell) in report.cells.iter().enumerate() {
        match all.last_mut() {
            Some(last) if last.cells.last().is_some_and(|other| other.policy == cell.policy) => {
                last.cells.push(cell);
                last.indices.push(i);
            }
            _ => all.push(PolicyCells { cells: vec![cell], indices: vec![i] }),
        }
    }
    all
}

/// Where a cell is on each axis; `None` where it is on none of its values, or is a named policy's.
fn place(cell: &Cell, report: &SweepReport) -> Option<Vec<usize>> {
    if cell.policy.policy.is_some() {
        return None;
    }
    let on = |axis: &crate::model::Axis| {
        let value = cell.policy.get(plain(&axis.key)).unwrap_or(Value::Null);
        // A key that the policy does not have cannot distinguish cells.
        axis.values.iter().position(|other| same(other, &value))
    };
    report.axes.iter().map(on).collect()
}

/// Trip rate, blast radius and harm over the grid.
pub fn heat_maps(report: &SweepReport) -> Vec<Plot> {
    let axis = |i: usize| {
        report.axes.get(i).map_or_else(
            || (String::new(), vec![String::new()]),
            |axis| (name(&axis.key), axis.values.iter().map(|value| says(&axis.key, value)).collect::<Vec<_>>()),
        )
    };
    let (x, y) = (axis(0), axis(1));
    let placed: Vec<(Vec<usize>, &Cell)> =
        report.cells.iter().filter_map(|cell| Some((place(cell, report)?, cell))).collect();
    let reading = |what: &str| {
        format!(
            "{what} The darker (in dark mode: the brighter), the more. One panel for each version{}.",
            if report.axes.len() > 2 { " and each value of the further axes" } else { "" }
        )
    };
    let map = |name: &'static str, metric: &'static str, title: &'static str, what: &str, only_defective: bool| {
        let panels = panels(report, &placed, metric, (x.1.len(), y.1.len()), only_defective);
        HeatMap { name, title, reading: &reading(what), unit: Unit::of(metric), x: x.clone(), y: y.clone(), panels }
            .draw()
    };
    let trips = "How many of the rollouts trip the breaker, in percent. With a good version each trip is a false trip; \
     with a defective one it is what the breaker is for.";
    let blast = "How much of the fleet a defective version has reached when it is stopped, or in the end: the mean \
     over all rollouts, in percent.";
    let harmed = "How much of the fleet a defective version made stop serving for longer than its upgrade: the mean \
     over all rollouts, in percent. What it reached and did not harm is in the blast radius alone.";
    [
        map("heat-trip-rate", "trip_rate", "How often the breaker trips", trips, false),
        map("heat-blast-radius", "blast_radius_pct", "How far a defective version gets", blast, true),
        map("heat-harmed", "harmed_pct", "How much a defective version harms", harmed, true),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn panels(
    report: &SweepReport,
    placed: &[(Vec<usize>, &Cell)],
    metric: &str,
    (columns, rows): (usize, usize),
    only_defective: bool,
) -> Vec<Panel> {
    let mut panels: Vec<(Foreign, Vec<usize>, Panel)> = Vec::new();
    for version in &report.versions {
        for (place, cell) in placed {
            if cell.version != *version || (only_defective && !cell.defective) {
                continue;
            }
            let further: Vec<usize> = place.iter().skip(2).copied().collect();
            let found = panels.iter().position(|(of, at, _)| of == version && *at == further);
            let at = found.unwrap_or_else(|| {
                let mut title = format!("{version}{}", if cell.defective { " (defective)" } else { "" });
                for (axis, &value) in report.axes.iter().skip(2).zip(&further) {
                    let value = axis.values.get(value).unwrap_or(&Value::Null);
                    title.push_str(&format!(", {} {}", name(&axis.key), says(&axis.key, value)));
                }
                panels.push((version.clone(), further.clone(), Panel { title, rows: vec![vec![None; columns]; rows] }));
                panels.len() - 1
            });
            let (column, row) = (place.first().copied().unwrap_or(0), place.get(1).copied().unwrap_or(0));
            if let Some(slot) = panels[at].2.rows.get_mut(row).and_then(|row| row.get_mut(column)) {
                *slot = estimate(&cell.metrics, metric).value;
            }
        }
    }
    panels.into_iter().map(|(_, _, panel)| panel).collect()
}

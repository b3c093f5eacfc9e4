//! A sweep report from a sweep and its results.

use super::{Axis, Cell, ExactValues, Histogram, Precision, SweepReport, World};
use crate::report::replay;
use crate::report::study::ScenarioRef;
use crate::study::Policy;
use crate::study::sweep::{CONFIDENCE, CellResult, Extent, Sweep};

impl SweepReport {
    /// The report.
    #[must_use]
    pub fn new(sweep: &Sweep, extent: &Extent, results: &[CellResult], pool: &rayon::ThreadPool) -> Self {
        let scenario = &sweep.scenario;
        let axes = sweep
            .grid
            .axes
            .iter()
            .map(|axis| Axis { key: axis.key.clone(), values: sweep.grid.axis_values(axis, &sweep.cells.scenarios) });
        let versions = sweep.grid.versions.iter().map(|version| scenario.versions[version.0].id.clone());
        let precision = sweep.order.precision.as_ref().map(|goal| Precision {
            metric: goal.measure.clone(),
            half_width: goal.half_width,
            relative: goal.relative,
            reached: extent.reached,
            widest: extent.widest,
        });
        Self {
            schema: "dryroll.sweep/1".into(),
            scenario: ScenarioRef { name: scenario.name.clone(), hash: scenario.hash.clone() },
            seed: scenario.seed,
            replicates: extent.cells.iter().map(|&(n, _)| n).max().unwrap_or(0),
            confidence: CONFIDENCE,
            precision,
            axes: axes.collect(),
            versions: versions.collect(),
            cells: results.iter().enumerate().map(|(cell, result)| cell_of(sweep, cell, result)).collect(),
            timelines: Vec::new(),
            warnings: warnings(sweep),
        }
    }
}

fn cell_of(sweep: &Sweep, cell: usize, result: &CellResult) -> Cell {
    let (metric, worst) = &result.worst;
    Cell {
        policy: Policy::of(&sweep.cells.scenarios[cell]),
        version: sweep.cells.scenarios[cell].target().id.clone(),
        defective: sweep.cells.worlds[cell].defective,
        replicates: result.replicates,
        metrics: result.summaries.clone(),
        exact: ExactValues::default(),
        rare: None,
        distributions: result
            .histograms
            .iter()
            .map(|(metric, low, width, counts)| Histogram {
                metric: metric.name().into(),
                low: *low,
                width: *width,
                counts: counts.clone(),
            })
            .collect(),
        worst: worst
            .iter()
            .map(|&(replicate, value)| World {
                replicate,
                metric: metric.name().into(),
                value,
                command: replay_command(sweep, cell, replicate),
            })
            .collect(),
    }
}

/// The command that replays a replicate of a cell.
fn replay_command(sweep: &Sweep, cell: usize, replicate: u64) -> String {
    let mut policy = cell / sweep.cells.versions;
    let mut settings: Vec<_> = sweep
        .grid
        .axes
        .iter()
        .rev()
        .map(|axis| {
            let value = policy % axis.values.len();
            policy /= axis.values.len();
            (axis, value)
        })
        .collect();
    settings.reverse();
    let version = &sweep.cells.scenarios[cell].target().id;
    let file = if sweep.order.scenario.file == "<stdin>" { "-" } else { &sweep.order.scenario.file };
    replay::command(file, sweep.order.seed, version, &settings, replicate)
}

fn warnings(sweep: &Sweep) -> Vec<String> {
    let idle = sweep.idle_faults();
    let kind = |fault: usize| sweep.scenario.faults[fault].kind.name();
    idle.into_iter()
        .map(|fault| format!("fault {fault}, {}, touched nothing in any world that was looked at", kind(fault)))
        .collect()
}

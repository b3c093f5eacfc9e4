//! Three batch sizes, 1,000 rollouts of each version: how often each policy stops a version, and how much of the fleet
//! gets it.
//!
//! ```text
//! cargo run --release --example sweep -- scenarios/tune.toml
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use dryroll::scenario::{Measure, Metric, Rate, ScenarioText};
use dryroll::study::grid::Axis;
use dryroll::study::result_log::ResultLog;
use dryroll::study::round::WorkPlan;
use dryroll::study::sweep::{Sweep, SweepOrder};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map_or_else(|| "scenarios/tune.toml".into(), PathBuf::from);
    let text = ScenarioText::load(&file)?;
    let scenario = text.scenario()?;
    let sweep = Sweep::new(SweepOrder {
        policies: None,
        scenario: text,
        seed: scenario.seed,
        axes: vec![Axis::parse("batch_pct", "5,10,20")?],
        versions: scenario.versions.iter().skip(1).map(|version| version.id.clone()).collect(),
        replicates: 1000,
        precision: None,
        rare: None,
    })?;

    let pool = rayon::ThreadPoolBuilder::new().build()?;
    let plan = WorkPlan { pool: &pool, stop: &AtomicBool::new(false), progress: &|_| {} };
    let log = ResultLog::scratch(&sweep.identity())?;
    let Some(extent) = sweep.run(&log, &plan)? else { return Ok(()) };

    for (cell, found) in sweep.cells.scenarios.iter().zip(sweep.results(&[log], &extent, &pool)?) {
        let mean = |measure| found.summaries.get(measure).and_then(|summary| summary.centre()).unwrap_or(f64::NAN);
        println!(
            "batches of {:2} %, {}: stopped in {:5.1} % of rollouts, {:5.1} % of the fleet exposed",
            cell.rollout.batches.as_pct().unwrap_or_default(),
            cell.target().id,
            100.0 * mean(Measure::Rate(Rate::Trip)),
            mean(Measure::Metric(Metric::ExposedPct)),
        );
    }
    Ok(())
}

//! The fastest policy within the limits of a scenario's `[tune]` table.
//!
//! ```text
//! cargo run --release --example tune -- scenarios/tune.toml
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use dryroll::scenario::Scenario;
use dryroll::study::result_log::ResultLog;
use dryroll::study::round::WorkPlan;
use dryroll::study::tune::Tune;

/// Policies within this share of the best are as good as it.
const TOLERANCE: f64 = 0.01;
const MOST_REPLICATES: u64 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map_or_else(|| "scenarios/tune.toml".into(), PathBuf::from);
    let tune = Tune::new(&Scenario::load(&file)?, TOLERANCE, MOST_REPLICATES)?;

    let pool = rayon::ThreadPoolBuilder::new().build()?;
    let plan = WorkPlan { pool: &pool, stop: &AtomicBool::new(false), progress: &|_| {} };
    let log = ResultLog::scratch(&Tune::IDENTITY)?;
    let Some(tuned) = tune.run(&log, &plan)? else { return Ok(()) };

    match tuned.incumbent.map(|place| tune.policy(place)) {
        Some(policy) => println!(
            "batches of {} %, {} failures in a row: found with {} rollouts",
            policy.rollout.batches.as_pct().unwrap_or_default(),
            policy.rollout.max_consecutive_failures.map_or(0, std::num::NonZeroU32::get),
            tuned.rollouts
        ),
        None => println!("no policy surely meets the limits ({} rollouts)", tuned.rollouts),
    }
    Ok(())
}

//! One rollout of a scenario: its events on standard output, then its outcome.
//!
//! ```text
//! cargo run --example run -- scenarios/broken-rollback.toml
//! ```

use std::error::Error;
use std::path::PathBuf;

use dryroll::report::events::log::EventLog;
use dryroll::scenario::Scenario;
use dryroll::sim::{CompiledScenario, Simulator};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map_or_else(|| "scenarios/broken-rollback.toml".into(), PathBuf::from);
    let scenario = Scenario::load(&file)?;
    let compiled = CompiledScenario::new(&scenario)?;
    let mut simulator = Simulator::new(&compiled);

    let mut log = EventLog::new(&scenario, std::io::stdout().lock());
    let metrics = simulator.run(0, &mut log);
    drop(log.into_inner().map_err(|(_, error)| error)?);

    println!("{}: {} of {} instances were exposed", metrics.outcome.name(), metrics.exposed, scenario.fleet.instances);
    Ok(())
}

//! `dryroll run`: one rollout, start to end.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::output::{Failure, is_gone, load, open, standard_output, write_whole};
use crate::report::timeline::{BreakerCount, Timeline};
use crate::report::{Account, Chronicle, EventLog, FaultReport, Output, RunReport, Written, trace};
use crate::sim::Simulator;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll run scenarios/tutorial.toml\n  dryroll run scenarios/tutorial.toml --replicate 7 --events events.ndjson --report run.json\n  dryroll run scenarios/zone-outage.toml --trace trace.json   # open it at ui.perfetto.dev"
)]
pub struct Arguments {
    /// The scenario file (TOML or JSON), or `-` for standard input
    scenario: PathBuf,
    /// Another seed than the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Another world of the same scenario
    #[arg(long, value_name = "K", default_value_t = 0)]
    replicate: u64,
    /// Write every event, one JSON object a line (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Write the run report, JSON (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write a timeline that opens in Perfetto (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Say nothing to people
    #[arg(long, short)]
    quiet: bool,
}

impl Arguments {
    fn outputs(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.events, &self.report, &self.trace].into_iter().flatten()
    }

    /// Two outputs to one place would lose one of them, however the place is written.
    fn check(&self) -> Result<(), Failure> {
        let scenario = Output::place(&self.scenario);
        let mut places = Vec::new();
        for path in self.outputs() {
            let Some(place) = Output::place(path) else { continue };
            let shown = path.display();
            if scenario.as_ref() == Some(&place) {
                return Err(Failure::Input(anyhow::anyhow!(
                    "{shown} is the scenario; an output would take its place. Name another file"
                )));
            }
            if places.contains(&place) {
                return Err(Failure::Input(anyhow::anyhow!("two outputs name {shown}; give each its own file")));
            }
            places.push(place);
        }
        if self.outputs().filter(|path| *path == Path::new("-")).count() > 1 {
            return Err(Failure::Input(anyhow::anyhow!("two outputs name standard output; give each its own file")));
        }
        Ok(())
    }

    /// People are told on standard output, unless a machine reads there.
    fn teller(&self) -> Option<Box<dyn Write>> {
        if self.quiet {
            return None;
        }
        if self.outputs().any(|path| path == Path::new("-")) {
            return Some(Box::new(io::BufWriter::new(anstream::stderr())));
        }
        Some(Box::new(io::BufWriter::new(anstream::stdout())))
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.check()?;
    let (scenario, world) = load(&arguments.scenario, arguments.seed)?;
    let events = open(arguments.events.as_ref())?;
    let report = open(arguments.report.as_ref())?;
    let timeline = open(arguments.trace.as_ref())?;

    let mut simulator = Simulator::new(&world);
    let mut chronicle = Chronicle::default();
    let mut log = events.map(|output| EventLog::new(&scenario, output));
    let mut account = arguments.teller().map(|out| Account::new(out, &scenario, &world, arguments.replicate));
    let mut breaker = report.is_some().then(BreakerCount::default);
    let metrics = simulator.run(arguments.replicate, &mut (&mut chronicle, (&mut breaker, (&mut log, &mut account))));
    let effects = simulator.fault_effects();
    let drawn = breaker.map(|breaker| Timeline::of(&scenario, &mut simulator, &chronicle, &breaker, &effects));

    let written = [
        write_log(log)?,
        write_whole(timeline, |out| trace::write(out, &scenario, &mut simulator, &chronicle, &effects))?,
        write_whole(report, |out| {
            let report = RunReport::new(&scenario, &simulator, &chronicle, &metrics, &effects);
            let report = report.with_timeline(drawn.unwrap_or_default());
            serde_json::to_writer_pretty(&mut *out, &report)?;
            out.write_all(b"\n")
        })?,
    ];
    for output in written.into_iter().flatten() {
        output.publish()?;
    }
    let faults = FaultReport::all(&effects);
    match account {
        Some(account) => standard_output(account.close(&metrics, &faults)),
        None => Ok(()),
    }
}

/// The event log was written while the run went on; what is left is its end.
fn write_log(log: Option<EventLog<'_, Output>>) -> Result<Option<Written>, Failure> {
    match log.map(EventLog::into_inner) {
        None => Ok(None),
        Some(Ok(output)) => Ok(Some(output.finish()?)),
        Some(Err((_, error))) if is_gone(&error) => Ok(None),
        Some(Err((output, error))) => Err(output.error(error).into()),
    }
}

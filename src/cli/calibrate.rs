//! `dryroll calibrate`: the tables of a scenario from the events of real rollouts.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::output::read_bytes;
use super::output::{Failure, each_its_own_place, open_all, publish, standard_output, teller, write_json, write_whole};
use dryroll_engine::fleet::Span;
use dryroll_report::files::output::Output;
use dryroll_report::model::calibration::CalibrationReport;
use dryroll_report::svg::goodness::goodness;
use dryroll_report::terminal::calibration::calibration_table;
use dryroll_study::calibrate::{Calibration, CalibrationError, History, Observations, once};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll calibrate monday.ndjson tuesday.ndjson >calibrated.toml\n  dryroll calibrate events.ndjson --heartbeat-interval-sec 10 --output calibrated.toml --svg fit.svg\n  dryroll run scenarios/fleet-5000.toml --quiet --events - | dryroll calibrate -"
)]
pub struct Arguments {
    /// Event logs of rollouts (NDJSON, as `run --events` writes them), or `-` for standard input
    #[arg(required = true, value_name = "EVENTS")]
    logs: Vec<PathBuf>,
    /// Between two heartbeats of an instance: so much earlier than its verdict may an upgrade have ended
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    heartbeat_interval_sec: f64,
    /// Where the tables go, TOML
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Write the calibration report, JSON (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Draw the observations against the fits (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Say nothing to people
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let wanted = [Some(&arguments.output), arguments.report.as_ref(), arguments.svg.as_ref()];
    let outputs: Vec<&PathBuf> = wanted.into_iter().flatten().collect();
    each_its_own_place(&arguments.logs, &outputs)?;
    each_log_once(&arguments.logs)?;
    let interval = interval(arguments.heartbeat_interval_sec)?;
    let mut read_logs = Vec::new();
    for log in &arguments.logs {
        let read = History::read(&read_bytes(log, "an event log: NDJSON, as `dryroll run --events` writes it")?);
        let name = log.to_string_lossy().into_owned();
        let read = read.with_context(|| name.clone()).map_err(Failure::Input)?;
        read_logs.push((name, read));
    }
    let (histories, repeated) = once(read_logs).map_err(|error| Failure::Input(error.into()))?;
    if histories.iter().all(|history| history.attempts.is_empty()) {
        let logs: Vec<String> = arguments.logs.iter().map(|log| dryroll_sim::text::path(log).to_string()).collect();
        return Err(Failure::Nothing(anyhow::Error::from(CalibrationError::Nothing).context(logs.join(", "))));
    }
    let mut calibration = Calibration::of(&Observations::of(&histories, interval), interval);
    calibration.warnings.extend(repeated);
    let logs = arguments.logs.iter().map(|log| log.to_string_lossy().into_owned().into()).collect();
    let report = CalibrationReport::new(&calibration, logs);
    let plot = match &arguments.svg {
        None => None,
        Some(_) => Some(goodness(&report).ok_or_else(|| {
            Failure::Nothing(anyhow::anyhow!("no duration ended in these logs, so there is no plot: omit --svg"))
        })?),
    };
    let [tables, json, svg] = open_all(wanted)?;
    let written = [
        write_whole(tables, |out| out.write_all(dryroll_report::scenario_toml::tables(&report).as_bytes()))?,
        write_json(json, &report)?,
        write_whole(svg, |out| plot.iter().try_for_each(|plot| out.write_all(plot.standalone().as_bytes())))?,
    ];
    publish(written)?;
    match teller(arguments.quiet, &outputs) {
        Some(mut out) => standard_output(calibration_table(&mut out, &report).and_then(|()| out.flush())),
        None => Ok(()),
    }
}

/// A log that is read twice counts twice.
fn each_log_once(logs: &[PathBuf]) -> Result<(), Failure> {
    let mut places: Vec<PathBuf> = Vec::new();
    for log in logs {
        let place = if log == Path::new("-") { Some(log.clone()) } else { Output::place(log) };
        let Some(place) = place else { continue };
        if places.contains(&place) {
            return Err(Failure::Input(anyhow::anyhow!(
                "{} is given twice, and would count twice",
                dryroll_sim::text::path(&log)
            )));
        }
        places.push(place);
    }
    Ok(())
}

fn interval(seconds: f64) -> Result<u64, Failure> {
    let span = Span::from_secs_f64(seconds);
    if span == Span::ZERO || span == Span::LONGEST {
        return Err(Failure::Input(anyhow::anyhow!(
            "--heartbeat-interval-sec is {seconds}; a heartbeat interval is 0.001 s or longer"
        )));
    }
    Ok(span.0)
}

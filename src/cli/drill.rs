//! `dryroll drill`: a rollout with a person as its operator, and the debrief.

mod opening;
mod plain;
mod terminal;
mod watch;
mod web;

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::output::{Failure, each_its_own_place, open, standard_output, teller, write_json};
use super::rollout::Rollout;
use crate::console::Story;
use crate::drill::{Desk, Drill, DrillError, Pace, Record, Speed};
use crate::report::drill_table;
use crate::report::wording::plural;
use opening::Opening;
use watch::Watch;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll drill scenarios/broken-rollback.toml --speed 60 --record decisions.json\n  dryroll drill scenarios/broken-rollback.toml --decisions decisions.json --report drill.json\n  dryroll drill --surprise"
)]
pub struct Arguments {
    /// The scenario file (TOML or JSON), or `-` for standard input
    #[arg(required_unless_present = "surprise")]
    scenario: Option<PathBuf>,
    /// Draw one of the built-in drills, and hide what it is until the debrief
    #[arg(long, conflicts_with = "scenario")]
    surprise: bool,
    #[command(flatten)]
    rollout: Rollout,
    /// Another seed than the scenario's; of a surprise, the seed of the draw
    #[arg(long)]
    seed: Option<u64>,
    /// Another world of the same scenario
    #[arg(long, value_name = "K")]
    replicate: Option<u64>,
    /// Simulated seconds that pass in one second
    #[arg(long, value_name = "FACTOR", default_value = "60", value_parser = speed)]
    speed: Speed,
    /// Keep the decisions in this file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Play the decisions of this file, unattended
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    #[command(flatten)]
    web: web::Flags,
    /// Write every event, one JSON object a line (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Write the drill report with its debrief, JSON (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Plain lines and commands in words instead of a screen, as where there is no terminal
    #[arg(long)]
    plain: bool,
    /// Say nothing to people that a machine asked for
    #[arg(long, short)]
    quiet: bool,
}

fn speed(text: &str) -> Result<Speed, String> {
    let factor = text.parse().ok().and_then(Speed::new);
    factor.ok_or_else(|| format!("a speed is a whole number from 1 to {}", Speed::MOST))
}

impl From<DrillError> for Failure {
    fn from(error: DrillError) -> Self {
        Self::input(error)
    }
}

impl Arguments {
    fn outputs(&self) -> Vec<&PathBuf> {
        [&self.record, &self.events, &self.report].into_iter().flatten().collect()
    }
}

fn read_record(path: &Path) -> Result<Record, Failure> {
    let shown = path.display().to_string();
    let text =
        if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    let text = text.with_context(|| format!("cannot read {shown}")).map_err(Failure::Input)?;
    Record::parse(&text).map_err(|error| in_file(&shown, error))
}

fn in_file(path: &str, error: DrillError) -> Failure {
    Failure::Input(anyhow::Error::from(error).context(path.to_owned()))
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.outputs();
    each_its_own_place(arguments.scenario.as_deref(), &outputs)?;
    let opening = Opening::new(arguments)?;
    let mut watch = Watch::new(&opening.scenario, open(arguments.events.as_ref())?);
    if arguments.web.is_wanted() {
        return web::run(arguments, &opening, watch);
    }
    match &opening.record {
        Some(record) => {
            let drill = play(arguments, &opening, record, &mut watch)?;
            conclude(arguments, &opening, drill, watch)
        }
        None => operate(arguments, &opening, watch),
    }
}

/// Lines of what happened that a screen keeps.
const LINES_KEPT: usize = 500;

/// A person operates: on a screen where there is one, else in plain lines. What was decided is kept however that ends.
fn operate(arguments: &Arguments, opening: &Opening, watch: Watch<'_>) -> Result<(), Failure> {
    let on_screen = !arguments.plain && terminal::is_there();
    let kept = if on_screen { LINES_KEPT } else { usize::MAX };
    let mut observers = (Story::new(opening.briefing.clone(), kept), watch);
    let drill = Drill::new(&opening.world, opening.replicate, &mut observers);
    let desk = Desk::new(drill, Pace::new(arguments.speed, std::time::Duration::ZERO), observers);
    let (desk, told) = if on_screen {
        terminal::show(desk)
    } else {
        let out = teller(arguments.quiet, &arguments.outputs()).unwrap_or_else(|| Box::new(std::io::sink()));
        plain::talk(desk, out)
    };
    let (drill, (_, watch)) = desk.into_parts();
    let concluded = conclude(arguments, opening, drill, watch);
    told.and(concluded)
}

/// Plays recorded decisions to the end.
fn play<'w>(
    arguments: &Arguments,
    opening: &'w Opening,
    record: &Record,
    watch: &mut Watch<'_>,
) -> Result<Drill<'w>, Failure> {
    let shown = arguments.decisions.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let decisions = record.decisions().map_err(|error| in_file(&shown, error))?;
    let mut drill = Drill::new(&opening.world, opening.replicate, watch);
    drill.play(&decisions, watch).map_err(|error| match record.differs_from(&opening.scenario, opening.replicate) {
        Some(differs) => Failure::Input(anyhow::Error::from(error).context(format!("{shown} ({differs})"))),
        None => in_file(&shown, error),
    })?;
    Ok(drill)
}

/// Writes what is asked for, all of it or nothing, and debriefs. Of a drill that somebody left the record alone is kept.
fn conclude(arguments: &Arguments, opening: &Opening, mut drill: Drill<'_>, watch: Watch<'_>) -> Result<(), Failure> {
    let record = Record::new(&opening.scenario, opening.replicate, drill.decisions());
    if !drill.is_over() {
        let written = write_json(open(arguments.record.as_ref())?, &record)?;
        if let Some(written) = written {
            written.publish()?;
        }
        return Err(Failure::Interrupted(left(arguments, &drill)));
    }
    let mut report = watch.debrief(&opening.scenario, &mut drill);
    report.surprise = opening.surprise.clone();
    let written = [
        super::run::write_log(watch.into_log())?,
        write_json(open(arguments.record.as_ref())?, &record)?,
        write_json(open(arguments.report.as_ref())?, &report)?,
    ];
    for output in written.into_iter().flatten() {
        output.publish()?;
    }
    match teller(arguments.quiet, &arguments.outputs()) {
        Some(mut out) => standard_output(drill_table(&mut out, &report)),
        None => Ok(()),
    }
}

/// What is kept of a drill that was left.
fn left(arguments: &Arguments, drill: &Drill<'_>) -> String {
    let decisions = plural(drill.decisions().len() as u64, "decision is", "decisions are");
    match &arguments.record {
        Some(path) => format!("the drill was left at {}; {decisions} kept in {}", drill.clock(), path.display()),
        None => format!("the drill was left at {}; nothing is kept: --record FILE keeps the decisions", drill.clock()),
    }
}

//! `dryroll drill`: a rollout that a person operates, and its debrief.

mod opening;
mod plain;
mod terminal;
mod watch;
mod web;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::interrupt;
use super::learnings::{Learnings, Remembered};
use super::memory::Need;
use super::output::{Failure, each_its_own_place, open_all, publish, read_text, standard_output, teller, write_json};
use super::rollout::Rollout;
use super::run::today;
use crate::console::Feed;
use dryroll_engine::Outcome;
use dryroll_learning::{Numbers, PlanNumbers, Today};
use dryroll_report::files::output::Output;
use dryroll_report::judge::forecast::estimated_total;
use dryroll_report::model::drill::DrillReport;
use dryroll_report::terminal::drill::drill_table;
use dryroll_report::words::plural;
use dryroll_sim::scenario::ended_at_horizon;
use dryroll_sim::text::shown;
use dryroll_study::drill::{Controller, Drill, DrillError, Pace, Record, Speed};
use dryroll_study::study::Policy;
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
    /// Another replicate of the same scenario
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
    /// Plain lines and typed commands instead of a screen; the default without a terminal
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    learnings: Learnings,
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

    /// The command that plays the drill again; empty if the decisions are not kept.
    fn command(&self, opening: &Opening) -> String {
        let Some(decisions) = self.decisions.as_ref().or(self.record.as_ref()) else { return String::new() };
        let path = match (&self.scenario, &opening.surprise) {
            (Some(path), _) => path.as_path(),
            (None, Some(surprise)) => Path::new(surprise.file.raw()),
            (None, None) => return String::new(),
        };
        self.rollout.drill_command(path, &opening.scenario, opening.replicate, decisions)
    }
}

fn read_record(path: &Path) -> Result<Record, Failure> {
    let text = read_text(path, "a record of decisions, as `drill --record` writes it")?;
    Record::parse(&text).map_err(|error| in_file(&dryroll_sim::text::path(path).to_string(), error))
}

fn in_file(path: &str, error: DrillError) -> Failure {
    Failure::Input(anyhow::Error::from(error).context(path.to_owned()))
}

/// Warns that the first decision replaces an earlier record. A file that is no record is an error.
fn replaces(path: &Path, quiet: bool) -> Result<(), Failure> {
    let Some(there) = Output::place(path).and_then(|place| std::fs::read(place).ok()).filter(|bytes| !bytes.is_empty())
    else {
        return Ok(());
    };
    let shown = dryroll_sim::text::path(path);
    let Some(earlier) = String::from_utf8(there).ok().and_then(|text| Record::parse(&text).ok()) else {
        return Err(Failure::Input(anyhow::anyhow!(
            "{shown} exists and is not a record of decisions; name another file with --record, or remove it first"
        )));
    };
    let decisions = earlier.decisions().map_or(0, |all| all.len() as u64);
    if decisions > 0 && !quiet {
        let decisions = plural(decisions, "decision", "decisions");
        // A note that cannot be written is not a failure.
        let _ = writeln!(
            anstream::stderr(),
            "note: the record of {decisions} in {shown} is replaced with the first decision"
        );
    }
    Ok(())
}

/// The outputs for record and report. They are opened before the drill, so that a wrong path fails before anybody
/// plays.
struct Files {
    record: Option<Output>,
    report: Option<Output>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.outputs();
    each_its_own_place(arguments.scenario.iter().chain(&arguments.decisions), &outputs)?;
    let remembered = arguments.learnings.read(&outputs, arguments.quiet)?;
    let opening = Opening::new(arguments)?;
    let [events, record, report] =
        open_all([&arguments.events, &arguments.record, &arguments.report].map(Option::as_ref))?;
    let files = Files { record, report };
    if let Some(path) = arguments.record.as_deref().filter(|_| opening.record.is_none()) {
        replaces(path, arguments.quiet)?;
    }
    Need::of_run(&opening.scenario).say(arguments.quiet);
    let mut watch = Watch::new(&opening.scenario, events);
    if let Some(record) = &opening.record {
        let drill = play(arguments, &opening, record, &mut watch)?;
        return conclude(arguments, &opening, files, drill, watch, remembered.as_ref());
    }
    // Earlier records could reveal which drill a surprise is.
    let has_text_above = match remembered.as_ref().filter(|_| opening.surprise.is_none()) {
        Some(remembered) => tell_before(arguments, &opening, remembered)?,
        None => false,
    };
    if arguments.web.is_wanted() {
        return web::run(arguments, &opening, files, watch, remembered.as_ref());
    }
    operate(arguments, &opening, files, watch, remembered.as_ref(), has_text_above)
}

/// Shows earlier records that apply to the plan. Returns whether anything was written.
fn tell_before(arguments: &Arguments, opening: &Opening, remembered: &Remembered) -> Result<bool, Failure> {
    let Some(mut out) = teller(arguments.quiet, &arguments.outputs()) else { return Ok(false) };
    let (scenario, plan) = (&opening.scenario, &opening.compiled.plan);
    let numbers = PlanNumbers::of(plan, estimated_total(plan, &opening.compiled.settings));
    let numbers = Numbers::Plan(numbers);
    let today = Today { hides_truth: true, ..Today::of(scenario, Some(Policy::of(scenario)), numbers) };
    standard_output(remembered.tell_before(&mut out, &today).and_then(|()| writeln!(out)).and_then(|()| out.flush()))?;
    Ok(true)
}

/// The number of feed lines that a screen keeps.
const LINES_KEPT: usize = 500;

/// A person operates: on a screen if there is one, else in plain lines. The decisions are kept however the drill ends.
fn operate(
    arguments: &Arguments,
    opening: &Opening,
    files: Files,
    watch: Watch<'_>,
    remembered: Option<&Remembered>,
    has_text_above: bool,
) -> Result<(), Failure> {
    let on_screen = !arguments.plain && terminal::is_there();
    if on_screen && has_text_above {
        // The screen would cover the text above it.
        standard_output(
            write!(crate::cli::output::stdout(), "Enter begins the drill. ").and_then(|()| std::io::stdout().flush()),
        )?;
        let _ = std::io::stdin().read_line(&mut String::new());
    }
    let kept = if on_screen { LINES_KEPT } else { usize::MAX };
    let mut observers = (Feed::new(opening.briefing.clone(), kept), watch);
    let drill = Drill::new(&opening.compiled, opening.replicate, &mut observers);
    let controller = Controller::new(drill, Pace::new(arguments.speed, std::time::Duration::ZERO), observers);
    let controller = controller.keeping(keeper(arguments, opening));
    let (controller, operated) = if on_screen {
        terminal::show(controller)
    } else {
        let out = teller(arguments.quiet, &arguments.outputs()).unwrap_or_else(|| Box::new(std::io::sink()));
        plain::talk(controller, out)
    };
    let (drill, (_, watch)) = controller.into_parts();
    let concluded = conclude(arguments, opening, files, drill, watch, remembered);
    operated.and(concluded)
}

/// Plays recorded decisions to the end.
fn play<'s>(
    arguments: &Arguments,
    opening: &'s Opening,
    record: &Record,
    watch: &mut Watch<'_>,
) -> Result<Drill<'s>, Failure> {
    let shown = arguments.decisions.as_ref().map(|path| dryroll_sim::text::path(&path).to_string()).unwrap_or_default();
    let decisions = record.decisions().map_err(|error| in_file(&shown, error))?;
    let mut drill = Drill::new(&opening.compiled, opening.replicate, watch);
    drill.play(&decisions, watch).map_err(|error| match record.differs_from(&opening.scenario, opening.replicate) {
        Some(differs) => Failure::Input(anyhow::Error::from(error).context(format!("{shown} ({differs})"))),
        None => in_file(&shown, error),
    })?;
    if arguments.quiet {
        return Ok(drill);
    }
    if let Some(differs) = record.differs_from(&opening.scenario, opening.replicate) {
        note(&format!("{shown} fits, though {differs}"));
    }
    if let Some(asked) = drill.unanswered() {
        note(&format!(
            "{shown} does not answer {}, asked at {}; the request stayed open until the end",
            asked.request, asked.at
        ));
    }
    Ok(drill)
}

/// Writes a note; one that cannot be written is not a failure.
fn note(says: &str) {
    let _ = writeln!(crate::cli::output::stderr(), "note: {}", shown(says));
}

/// The debrief of a drill that is over.
fn debrief(arguments: &Arguments, opening: &Opening, drill: &mut Drill<'_>, watch: &Watch<'_>) -> DrillReport {
    let mut report = watch.debrief(&opening.scenario, drill);
    report.surprise = opening.surprise.clone();
    report.command = arguments.command(opening).into();
    let stalled = u64::from(report.outcome == Outcome::Stalled.name());
    let mut advisor = arguments.rollout.advisor(&opening.text, &opening.scenario);
    advisor.add(ended_at_horizon(&opening.scenario, &opening.scenario.target().id, stalled, 1));
    report.advice = advisor.finish();
    report
}

/// Keeps the record, writes the other outputs, and debriefs. If the person left the drill, only the record is kept.
fn conclude(
    arguments: &Arguments,
    opening: &Opening,
    files: Files,
    mut drill: Drill<'_>,
    watch: Watch<'_>,
    remembered: Option<&Remembered>,
) -> Result<(), Failure> {
    let Files { record, report: output } = files;
    if !drill.is_over() {
        interrupt::heard();
    }
    // The decisions are kept first: nothing that fails later can lose them.
    keep(opening, record, &drill)?;
    if !drill.is_over() {
        return Err(Failure::Interrupted(left(arguments, &drill)));
    }
    let report = debrief(arguments, opening, &mut drill, &watch);
    publish([super::run::write_log(watch.into_log())?, write_json(output, &report)?])?;
    let Some(mut out) = teller(arguments.quiet, &arguments.outputs()) else { return Ok(()) };
    standard_output(drill_table(&mut out, &report, terminal::width()))?;
    let Some(remembered) = remembered else { return Ok(()) };
    let (metrics, _) = drill.settle();
    let edited = report.decisions.iter().rev().find_map(|made| made.batch_pct);
    let today = today(&opening.scenario, drill.simulator(), opening.replicate, &metrics, edited, true);
    standard_output(match opening.record.is_some() || opening.surprise.is_some() {
        true => remembered.tell(&mut out, &today),
        // The other records were shown before the drill.
        false => remembered.tell_after(&mut out, &today),
    })
}

/// Keeps the record after each decision, so that a killed program loses none. An output that is no regular file gets
/// the record at the end only.
fn keeper<'s>(arguments: &Arguments, opening: &'s Opening) -> impl FnMut(&Drill<'s>) + use<'s> {
    let place = arguments.record.clone().filter(|path| Output::place(path).is_some());
    move |drill| {
        // A failure here is reported at the end, where the record is written again.
        let Some(path) = place.as_deref() else { return };
        let kept = Output::create(path).map_err(Failure::from).and_then(|output| keep(opening, Some(output), drill));
        if kept.is_ok() {
            let decisions = plural(drill.decisions().len() as u64, "decision is", "decisions are");
            let words = format!("{decisions} kept in {}", path.display());
            interrupt::last_words(Box::new(move || words));
        }
    }
}

/// Keeps the record, if there is a place for it.
fn keep(opening: &Opening, output: Option<Output>, drill: &Drill<'_>) -> Result<(), Failure> {
    let record = Record::new(&opening.scenario, opening.replicate, drill.decisions());
    // A drill without decisions does not overwrite an earlier record.
    if drill.decisions().is_empty() && !drill.is_over() {
        return Ok(());
    }
    // A person who leaves a surprise may still want to play it.
    let record = if opening.surprise.is_some() && !drill.is_over() { record.veiled() } else { record };
    match write_json(output, &record)? {
        Some(written) => Ok(written.publish_durably()?),
        None => Ok(()),
    }
}

/// The message for a drill that the person left.
fn left(arguments: &Arguments, drill: &Drill<'_>) -> String {
    let decisions = plural(drill.decisions().len() as u64, "decision is", "decisions are");
    match &arguments.record {
        Some(path) if drill.decisions().is_empty() => format!(
            "the drill was left at {} before anything was decided; {} is as it was",
            drill.clock(),
            dryroll_sim::text::path(&path)
        ),
        Some(path) => {
            format!("the drill was left at {}; {decisions} kept in {}", drill.clock(), dryroll_sim::text::path(&path))
        }
        None => format!("the drill was left at {}; nothing is kept: --record FILE keeps the decisions", drill.clock()),
    }
}

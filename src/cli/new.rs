//! `dryroll new`: a first scenario, with comments, from a few questions or flags.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;

use super::interrupt::last_words;
use super::output::{Failure, publish, standard_output, stderr, teller, write_whole};
use dryroll_engine::OperatorDecision;
use dryroll_report::files::output::Output;
use dryroll_report::words::replay;
use dryroll_sim::scenario::{Format, Scenario, Template};
use dryroll_sim::text::shown;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll new\n  dryroll new rollout.toml --instances 200 --batch-pct 10 --broken\n  dryroll new - --module nginx --target v-1.26.0 | dryroll run -\n\nOn a terminal it asks for what no flag says; elsewhere, and with --yes, the defaults hold."
)]
pub struct Arguments {
    /// Where the scenario goes (`-`: standard output)
    #[arg(default_value = "rollout.toml")]
    file: PathBuf,
    /// What the scenario calls itself; left out: made of the module and its versions
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// The module that is upgraded; left out: nginx
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    module: Option<String>,
    /// The version that the fleet runs; left out: v-1.24.0
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    previous: Option<String>,
    /// The version to roll out; left out: v-1.26.0
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    target: Option<String>,
    /// How many instances the fleet has; left out: 50
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(Template::MOST_INSTANCES)))]
    instances: Option<u32>,
    /// Share of the fleet in one batch, in percent; left out: 20
    #[arg(long, value_name = "PCT", value_parser = clap::value_parser!(u32).range(1..=100))]
    batch_pct: Option<u32>,
    /// So many failures in a row trip the circuit breaker; left out: 2
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_consecutive_failures: Option<u32>,
    /// What the operator decides on a trip; left out: rollback_completed_batches
    #[arg(long, value_name = "DECISION")]
    operator: Option<Operator>,
    /// Add a defective version, and limits for `dryroll tune`
    #[arg(long)]
    broken: bool,
    /// Ask nothing: use the default wherever no flag is given
    #[arg(long, short)]
    yes: bool,
    /// Overwrite a file that is there
    #[arg(long)]
    force: bool,
    /// Say nothing to people
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Operator {
    ContinueAnyway,
    RollbackCompletedBatches,
    Abort,
}

impl From<Operator> for OperatorDecision {
    fn from(operator: Operator) -> Self {
        match operator {
            Operator::ContinueAnyway => Self::ContinueAnyway,
            Operator::RollbackCompletedBatches => Self::RollbackCompletedBatches,
            Operator::Abort => Self::Abort,
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let path = &arguments.file;
    refuse(path, arguments.force)?;
    // The output is opened before the questions, so that a wrong path fails before anybody answers.
    let output = Output::create(path)?;
    last_words(Box::new(|| "nothing was written".to_owned()));
    let asks = !arguments.yes && io::stdin().is_terminal() && io::stderr().is_terminal();
    let template = template(arguments, asks)?;
    let text = template.text();
    Scenario::parse(&path.to_string_lossy(), text.as_bytes(), Format::Toml)?;
    // Another process may have created the file during the questions.
    refuse(path, arguments.force)?;
    publish([write_whole(Some(output), |out| out.write_all(text.as_bytes()))?])?;
    match teller(arguments.quiet || Output::is_standard(path), &[]) {
        Some(mut out) => standard_output(tell(&mut out, path, &template)),
        None => Ok(()),
    }
}

/// Refuses to overwrite a file without --force.
fn refuse(path: &Path, force: bool) -> Result<(), Failure> {
    let shown = dryroll_sim::text::path(&path);
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        return Err(Failure::Input(anyhow::anyhow!(
            "{shown} would be read as JSON, and the scenario is TOML; name a file that ends in .toml"
        )));
    }
    let is_there = std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_dir());
    if is_there && !force && !Output::is_standard(path) && !Output::may_wait(path) {
        return Err(Failure::Input(anyhow::anyhow!(
            "{shown} is there already; name another file, or overwrite it with --force"
        )));
    }
    Ok(())
}

fn template(arguments: &Arguments, asks: bool) -> Result<Template, Failure> {
    let text = |flag: &Option<String>, question: &str, default: &str| {
        choose(flag.clone(), asks, question, default.to_owned(), |answer| Ok(answer.to_owned()))
    };
    let module = text(&arguments.module, "Which module is upgraded?", "nginx")?;
    let previous = text(&arguments.previous, "Which version does the fleet run?", "v-1.24.0")?;
    let other = |target: &str| {
        if target == previous {
            return Err(format!("the fleet runs `{previous}` already; name another version"));
        }
        if format!("{target}-broken") == previous {
            return Err(format!("`{previous}` is the name of its defective version; name another version"));
        }
        Ok(target.to_owned())
    };
    let target = choose(arguments.target.clone(), asks, "Which version is the target?", "v-1.26.0".to_owned(), other)?;
    other(&target).map_err(|wrong| Failure::Input(anyhow::anyhow!("{wrong} (--previous, --target)")))?;
    let most = Template::MOST_INSTANCES;
    let instances = choose(arguments.instances, asks, "How many instances?", 50, |answer| whole(answer, most))?;
    let batch_pct =
        choose(arguments.batch_pct, asks, "Which share in one batch, in percent?", 20, |answer| whole(answer, 100))?;
    let question = "How many failures in a row trip the breaker?";
    let max_consecutive_failures =
        choose(arguments.max_consecutive_failures, asks, question, 2, |answer| whole(answer, u32::MAX))?;
    let question = "And on a trip: continue_anyway, rollback_completed_batches or abort?";
    let default = Shown(OperatorDecision::RollbackCompletedBatches);
    let on_trip = choose(arguments.operator.map(|operator| Shown(operator.into())), asks, question, default, decision)?;
    let question = "Add a defective version to rehearse with, yes or no?";
    let broken = choose(arguments.broken.then_some(YesNo(true)), asks, question, YesNo(false), yes_or_no)?;
    let name = arguments.name.clone().unwrap_or_else(|| format!("{module} {previous} to {target}"));
    Ok(Template {
        name,
        module,
        previous,
        target,
        instances,
        batch_pct,
        max_consecutive_failures,
        broken: broken.0,
        on_trip: on_trip.0,
    })
}

#[derive(Clone, Copy)]
struct Shown(OperatorDecision);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

#[derive(Clone, Copy)]
struct YesNo(bool);

impl std::fmt::Display for YesNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0 { "yes" } else { "no" })
    }
}

fn whole(answer: &str, most: u32) -> Result<u32, String> {
    let number = answer.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("`{answer}` is not a whole number from 1 to {most}"))
}

fn decision(answer: &str) -> Result<Shown, String> {
    let found = Operator::from_str(answer, true).ok().map(|operator| Shown(operator.into()));
    found.ok_or_else(|| format!("`{answer}` is none of continue_anyway, rollback_completed_batches, abort"))
}

fn yes_or_no(answer: &str) -> Result<YesNo, String> {
    match answer.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(YesNo(true)),
        "n" | "no" => Ok(YesNo(false)),
        _ => Err(format!("`{answer}` is neither yes nor no")),
    }
}

/// The value of a flag, else an answer, else the default. Questions go to standard error: the scenario may go to
/// standard output.
fn choose<T: std::fmt::Display>(
    flag: Option<T>,
    asks: bool,
    question: &str,
    default: T,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    if let Some(chosen) = flag {
        return Ok(chosen);
    }
    if !asks {
        return Ok(default);
    }
    loop {
        let mut stderr = stderr();
        // If the question cannot be written, the terminal is gone, and the read below finds no answer.
        let _ = write!(stderr, "{question} [{}] ", shown(&default.to_string())).and_then(|()| stderr.flush());
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) => return Err(Failure::Interrupted("the questions have no answer; nothing was written".into())),
            Ok(_) => {}
            Err(error) => {
                return Err(Failure::Input(anyhow::Error::new(error).context("cannot read the answer")));
            }
        }
        match line.trim() {
            "" => match read(&default.to_string()) {
                Ok(_) => return Ok(default),
                Err(wrong) => writeln!(stderr, "{}", shown(&wrong)).unwrap_or_default(),
            },
            answer => match read(answer) {
                Ok(chosen) => return Ok(chosen),
                Err(wrong) => writeln!(stderr, "{}", shown(&wrong)).unwrap_or_default(),
            },
        }
    }
}

fn tell(out: &mut impl Write, path: &Path, template: &Template) -> io::Result<()> {
    let file = replay::file(&path.to_string_lossy());
    writeln!(out, "wrote {}; next:", dryroll_sim::text::path(&path))?;
    writeln!(out, "  dryroll plan {file}     the batches")?;
    writeln!(out, "  dryroll run {file}      one rollout, from its request to its end")?;
    writeln!(out, "  dryroll drill {file}    the same, with you as the operator")?;
    if template.broken {
        let broken = replay::file(&template.broken_id());
        writeln!(out, "  dryroll run {file} --version {broken}")?;
        writeln!(out, "  dryroll tune {file}     the fastest policy that stops it in time")?;
    }
    out.flush()
}

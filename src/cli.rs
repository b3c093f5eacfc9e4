//! The command line: one file per command. Nothing here decides about rollouts: it reads input, calls the libraries and
//! writes output.

mod calibrate;
mod check;
mod checkpoint;
mod compare;
mod completions;
mod drill;
mod interrupt;
mod learn;
mod learnings;
mod man;
mod memory;
mod merge;
mod new;
mod output;
mod plan;
mod policies;
mod progress;
mod report;
mod rollout;
mod run;
mod schema;
mod shard;
mod share;
mod sweep;
mod tips;
mod tune;
mod welcome;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use output::Failure;

/// Rehearse a rolling upgrade before production sees it.
///
/// dryroll runs the real rollout engine against a virtual fleet that fails, flaps, hangs and loses its network as a
/// scenario file says, on a simulated clock, the same bytes every time.
#[derive(Debug, Parser)]
#[command(name = "dryroll", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 a check failed · 2 the command line or an input file is wrong · \
3 an output could not be written · 4 nothing was evaluated · 130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a first scenario, with comments, from a few questions or flags
    New(new::Arguments),
    /// Print the plan of a scenario's rollout, as the skill answers it; changes nothing
    Plan(plan::Arguments),
    /// Run one rollout from its request to its end
    Run(run::Arguments),
    /// Rehearse a rollout: you approve the plan, watch it, and decide on trips
    Drill(drill::Arguments),
    /// Run many replicates over a grid of policies and versions, on the same replicates
    Sweep(sweep::Arguments),
    /// Compare two policies on the same replicates
    Compare(compare::Arguments),
    /// Find the best policy within the limits of the scenario's [tune]
    Tune(tune::Arguments),
    /// Check the [[expect]] rules of scenarios; for CI
    Check(check::Arguments),
    /// Join the shards of a sweep
    Merge(merge::Arguments),
    /// Make the tables of a scenario from the events of real rollouts
    Calibrate(calibrate::Arguments),
    /// Make a learning record from any report
    Learn(learn::Arguments),
    /// Make a page and plots from any report
    Report(report::Arguments),
    /// Print the JSON Schema of the scenario file, for editors
    Schema(schema::Arguments),
    /// Print what a shell needs to complete dryroll's commands and options
    Completions(completions::Arguments),
    /// Write the manual pages into a folder
    Man(man::Arguments),
}

/// Runs the command that the command line names.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return tips::report(error),
    };
    interrupt::watch();
    let Some(command) = cli.command else {
        return welcome::run().map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS);
    };
    let done = match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Tune(arguments) => tune::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        Command::Learn(arguments) => learn::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

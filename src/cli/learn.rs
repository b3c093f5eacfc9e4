//! `dryroll learn`: a learning record from any report.

use std::io::{self, Write};
use std::path::PathBuf;

use super::output::{Failure, each_its_own_place, standard_output};
use super::report::read;
use dryroll_learning::store;
use dryroll_learning::store::Added;
use dryroll_learning::{Learning, LearningError};
use dryroll_report::words::plural;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll run scenarios/tutorial.toml --quiet --report - | dryroll learn -\n  dryroll learn tune.json --store learnings.ndjson\n  dryroll run scenarios/tutorial.toml --learnings learnings.ndjson"
)]
pub struct Arguments {
    /// A report (JSON) of run, drill, sweep, compare or tune, or `-` for standard input
    report: PathBuf,
    /// Add the record to this store too, one JSON object a line, unless it is there
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Say nothing to people
    #[arg(long, short)]
    quiet: bool,
}

impl From<LearningError> for Failure {
    fn from(error: LearningError) -> Self {
        match error {
            LearningError::Lacks(_) => Self::Nothing(error.into()),
            LearningError::Store { .. } => Self::Output(error.into()),
            wrong => Self::input(wrong),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs: Vec<&PathBuf> = arguments.store.iter().collect();
    each_its_own_place(Some(&arguments.report), &outputs)?;
    let report = read(&arguments.report)?;
    let shown = dryroll_sim::text::path(&arguments.report).to_string();
    let record = Learning::of(&report).map_err(|error| match Failure::from(error) {
        Failure::Nothing(error) => Failure::Nothing(error.context(shown)),
        other => other.of(&shown.as_str().into()),
    })?;
    let added = arguments.store.as_ref().map(|path| Ok::<_, LearningError>((path, store::add(path, &record)?)));
    let added = added.transpose()?;
    let mut out = io::stdout().lock();
    standard_output(
        dryroll_sim::json::write_pretty(&mut out, &record).and_then(|()| writeln!(out)).and_then(|()| out.flush()),
    )?;
    if let Some((path, added)) = added.filter(|_| !arguments.quiet) {
        let path = dryroll_sim::text::path(&path);
        let mut stderr = crate::cli::output::stderr();
        // A note that cannot be written is not a failure.
        let _ = match added {
            Added::Appended(records) => {
                writeln!(stderr, "added to {path}: {} now", plural(records as u64, "record", "records"))
            }
            Added::Already(line) => writeln!(stderr, "not added: {path} has this record on line {line}"),
        };
    }
    Ok(())
}

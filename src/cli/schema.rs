//! `dryroll schema`: the JSON Schema of the scenario file, and its reference for people.

use std::io::{self, Write};

use super::output::{Failure, standard_output};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll schema > scenario.schema.json\n  # then, as a scenario's first line: #:schema ./scenario.schema.json\n  dryroll schema --markdown > reference.md"
)]
pub struct Arguments {
    /// For people instead: every key with its type, range and default, as Markdown
    #[arg(long)]
    markdown: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if arguments.markdown {
        return standard_output(out.write_all(dryroll_sim::scenario::reference().as_bytes()));
    }
    standard_output(
        dryroll_sim::json::write_pretty(&mut out, &dryroll_sim::scenario::schema()).and_then(|()| writeln!(out)),
    )
}

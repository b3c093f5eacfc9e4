//! `dryroll schema`: the JSON Schema of the scenario file.

use std::io::{self, Write};

use super::output::{Failure, standard_output};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  dryroll schema > scenario.schema.json\n  # then, as a scenario's first line: #:schema ./scenario.schema.json"
)]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    standard_output(
        serde_json::to_writer_pretty(&mut out, &crate::scenario::schema())
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
    )
}

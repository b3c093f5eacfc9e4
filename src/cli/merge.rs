//! `dryroll merge`: joins the shards of a sweep to the bytes that one process would have written.

use std::io::Write;
use std::path::PathBuf;

use super::interrupt;
use super::output::{Failure, Several, each_its_own_place, publish, standard_output, teller};
use super::progress::Progress;
use super::shard::{Found, command, found, load, place};
use super::sweep::{Files, HowArguments, OutputArguments, conclude};
use dryroll_report::terminal::sweep::sweep_table;
use dryroll_report::words::plural;

/// How many missing shards are listed one by one.
const LISTED: usize = 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dryroll merge --manifest big.json --report sweep.json --cells sweep.csv")]
pub struct Arguments {
    /// The manifest; the results of its shards lie beside it
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    #[command(flatten)]
    outputs: OutputArguments,
    #[command(flatten)]
    how: HowArguments,
}

/// Ascending numbers as ranges: `1-4, 7`.
fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let ranges = runs.map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        [one] => one.to_string(),
        [] => String::new(),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.outputs.all();
    each_its_own_place(Some(&arguments.manifest), &outputs)?;
    let (manifest, sweep) = load(&arguments.manifest)?;
    let (of, identity) = (manifest.shards, sweep.identity());
    each_its_own_place((1..=of).map(|shard| place(&arguments.manifest, shard, of)), &outputs)?;
    let mut logs = Vec::new();
    let mut missing = Vec::new();
    let mut remarks = Vec::new();
    for shard in 1..=of {
        let path = place(&arguments.manifest, shard, of);
        match found(&path, &sweep, shard, of, &identity) {
            Found::Whole(log) => {
                logs.push(log);
                continue;
            }
            Found::Nothing => {}
            Found::Folder => {
                remarks.push(format!("{} is a folder; move or remove it first", dryroll_sim::text::path(&path)))
            }
            Found::NoResult => {
                remarks.push(format!(
                    "{} is not a result of dryroll; move or remove it first",
                    dryroll_sim::text::path(&path)
                ));
            }
            Found::Damaged => {
                remarks.push(format!("{} is damaged; its command writes it anew", dryroll_sim::text::path(&path)))
            }
            Found::Foreign => {
                remarks.push(format!("{} is of another sweep; move or remove it first", dryroll_sim::text::path(&path)))
            }
        }
        missing.push(shard);
    }
    if !missing.is_empty() {
        let is = if missing.len() == 1 { "is" } else { "are" };
        let all = plural(u64::from(of), "shard", "shards");
        let first = format!("{} of {all} {is} missing or not whole ({}); run", missing.len(), ranges(&missing));
        let mut more = Vec::new();
        for shard in missing.iter().take(LISTED) {
            more.push(format!("  {}", command(&arguments.manifest, &shard.to_string(), of)));
        }
        if missing.len() > LISTED {
            let rest = &missing[LISTED..];
            more.push(format!("  … and the same of {} more: {}", rest.len(), ranges(rest)));
        }
        more.extend(remarks.into_iter().take(LISTED));
        return Err(Failure::Unmet(Several { first, more }.into()));
    }
    let pool = arguments.how.pool()?;
    let files = Files::open(&arguments.outputs)?;
    interrupt::ends_the_program();
    let progress = Progress::making_report(arguments.how.quiet);
    let (report, written) = conclude(&sweep, &logs, &sweep.fixed_extent(), &pool, files)?;
    progress.clear();
    publish(written)?;
    match teller(arguments.how.quiet, &outputs) {
        Some(mut out) => standard_output(sweep_table(&mut out, &report).and_then(|()| out.flush())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_a_range() {
        assert_eq!(ranges(&[1, 2, 3, 4, 7, 9, 10]), "1-4, 7, 9-10");
        assert_eq!(ranges(&[5]), "5");
    }
}

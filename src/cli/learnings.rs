//! `--learnings FILE`: earlier records that apply to this rehearsal, and whether its results contradict them.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;

use super::output::{Failure, each_its_own_place};
use dryroll_learning::store::Store;
use dryroll_learning::{Today, list, recall};
use dryroll_report::words::plural;

/// How many damaged lines are named.
const NAMED: usize = 5;

/// The option that names the store of earlier records.
#[derive(Debug, clap::Args)]
pub struct Learnings {
    /// Show the records of this store that apply to this module and fleet, and where today contradicts them
    #[arg(long, value_name = "FILE")]
    learnings: Option<PathBuf>,
}

/// The records, read before the work begins.
#[derive(Debug)]
pub struct Remembered {
    path: PathBuf,
    store: Store,
}

impl Learnings {
    /// Reads the store, if there is one; no output may take its place. Skips damaged lines with a warning.
    pub fn read(&self, outputs: &[&PathBuf], quiet: bool) -> Result<Option<Remembered>, Failure> {
        let Some(path) = &self.learnings else { return Ok(None) };
        each_its_own_place(Some(path), outputs)?;
        let read = std::fs::read(path).with_context(|| format!("cannot read {}", dryroll_sim::text::path(&path)));
        let store = Store::read(&read.map_err(Failure::Input)?);
        if !quiet {
            let mut stderr = crate::cli::output::stderr();
            // A warning that cannot be written is not a failure.
            for damage in store.damaged.iter().take(NAMED) {
                let _ = writeln!(stderr, "warning: {}: {damage}; it is left out", dryroll_sim::text::path(&path));
            }
            if store.damaged.len() > NAMED {
                let more = store.damaged.len() - NAMED;
                let _ = writeln!(stderr, "warning: {}: {more} more lines are left out", dryroll_sim::text::path(&path));
            }
        }
        Ok(Some(Remembered { path: path.clone(), store }))
    }
}

impl Remembered {
    /// Writes the records that apply today.
    pub fn tell(&self, out: &mut impl Write, today: &Today<'_>) -> io::Result<()> {
        let recalled = recall(&self.store.records, today);
        list(out, &dryroll_sim::text::path(&self.path).to_string(), self.store.records.len(), &recalled)?;
        out.flush()
    }

    /// Writes the records that apply, before a drill begins. Records of the same scenario would reveal its truth: they
    /// follow after the drill.
    pub fn tell_before(&self, out: &mut impl Write, today: &Today<'_>) -> io::Result<()> {
        let (of_it, others): (Vec<_>, Vec<_>) =
            recall(&self.store.records, today).into_iter().partition(|one| one.is_of_this_scenario);
        if !others.is_empty() || of_it.is_empty() {
            list(out, &dryroll_sim::text::path(&self.path).to_string(), self.store.records.len(), &others)?;
        }
        if !of_it.is_empty() {
            let records =
                plural(of_it.len() as u64, "record of this very scenario is", "records of this very scenario are");
            writeln!(out, "\n{records} shown after the drill, since they reveal the truth.")?;
        }
        out.flush()
    }

    /// Writes after a drill the records that were held back, and those that today contradicts.
    pub fn tell_after(&self, out: &mut impl Write, today: &Today<'_>) -> io::Result<()> {
        let mut recalled = recall(&self.store.records, today);
        recalled.retain(|one| one.is_of_this_scenario || one.is_contradicted());
        if !recalled.is_empty() {
            list(out, &dryroll_sim::text::path(&self.path).to_string(), self.store.records.len(), &recalled)?;
        }
        out.flush()
    }
}

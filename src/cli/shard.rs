//! Sweeps larger than one machine: `sweep --plan` writes the manifest, `sweep --manifest --shard` runs one shard of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::checkpoint::{Checkpoint, foreign, no_result, partial};
use super::interrupt;
use super::memory::Need;
use super::output::{
    Failure, open, publish, read_text, scratch_failure, scratch_log, standard_output, teller, write_json,
};
use super::progress::Progress;
use super::sweep::{HowArguments, ready};
use dryroll_engine::fleet::Span;
use dryroll_report::files::output::Output;
use dryroll_report::words::replay;
use dryroll_report::words::{plural, spoken};
use dryroll_study::study::manifest::Manifest;
use dryroll_study::study::result_log::{Identity, ResultLog, ResultLogError};
use dryroll_study::study::round::{self, WorkPlan};
use dryroll_study::study::sweep::{Sweep, SweepOrder};

/// The environment variables with which schedulers number their tasks, and what to add so that numbers start at 1.
const SCHEDULERS: [(&str, u32); 3] = [("SLURM_ARRAY_TASK_ID", 0), ("JOB_COMPLETION_INDEX", 1), ("PARALLEL_SEQ", 0)];

/// How long the trial for the time estimate may take.
const TRIAL: Duration = Duration::from_millis(500);

/// Writes the manifest of a sweep, and prints its size and estimated time.
pub fn plan(order: SweepOrder, path: &PathBuf, shards: u32, how: &HowArguments) -> Result<(), Failure> {
    let sweep = ready(order)?;
    let manifest = Manifest::new(&sweep, shards).map_err(Failure::input)?;
    spare_results(path, &manifest)?;
    let output = open(Some(path))?;
    publish([write_json(output, &manifest)?])?;
    let Some(mut out) = teller(how.quiet, &[path]) else { return Ok(()) };
    let pool = how.pool()?;
    let estimate = estimate(&sweep)?;
    let threads = pool.current_num_threads() as u32;
    let rollouts = sweep.order.replicates.saturating_mul(sweep.cells.compiled.len() as u64);
    let print = |out: &mut dyn Write| {
        writeln!(
            out,
            "{} × {} = {}, in {}",
            plural(manifest.cells, "cell", "cells"),
            plural(manifest.replicates, "replicate", "replicates"),
            plural(rollouts, "rollout", "rollouts"),
            plural(u64::from(shards), "shard", "shards"),
        )?;
        writeln!(
            out,
            "about {} on one core of this machine, {} on {}",
            length(estimate),
            length(estimate / threads),
            plural(u64::from(threads), "thread", "threads")
        )?;
        if !Output::is_standard(path) {
            writeln!(out, "a shard: {}", command(path, "1", shards))?;
            writeln!(out, "at last: dryroll merge --manifest {} --report sweep.json", shown(path))?;
        }
        out.flush()
    };
    standard_output(print(&mut out))
}

/// Refuses to replace a manifest while results of its shards lie beside it.
fn spare_results(path: &Path, manifest: &Manifest) -> Result<(), Failure> {
    if Output::place(path).is_none() || !path.is_file() {
        return Ok(());
    }
    let there = std::fs::read(path)
        .with_context(|| format!("cannot read {}", dryroll_sim::text::path(&path)))
        .map_err(Failure::Input)?;
    if Manifest::parse(&there).is_ok_and(|(there, _)| there == *manifest) {
        return Ok(());
    }
    let results = results_beside(path);
    let [first, others @ ..] = results.as_slice() else { return Ok(()) };
    let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    Err(Failure::Input(anyhow!(
        "{} is another manifest, and results of its shards lie beside it: {first}{more}; merge them and move or remove them, \
         or name another manifest",
        dryroll_sim::text::path(&path)
    )))
}

/// The names of shard results beside a manifest, finished or not.
fn results_beside(manifest: &Path) -> Vec<String> {
    let Some(name) = manifest.file_name() else { return Vec::new() };
    let folder = manifest.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let start = format!("{}.shard-", name.to_string_lossy());
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<String> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(&start))
        .collect();
    found.sort_unstable();
    found
}

fn length(time: Duration) -> String {
    spoken(Span((time.as_secs_f64() * 1000.0) as u64))
}

/// Runs some blocks, spread over the grid, on one thread, and scales their time to the whole sweep.
fn estimate(sweep: &Sweep) -> Result<Duration, Failure> {
    let round = sweep.round();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(Failure::input)?;
    let log = scratch_log(&sweep.identity())?;
    let workers = WorkPlan { pool: &pool, stop: &AtomicBool::new(false), progress: &|_| {} };
    let start = Instant::now();
    let (blocks, mut tried) = (round.blocks(), 0);
    let step = (blocks / 64).max(1);
    while tried < 64 && tried * step < blocks && (tried == 0 || start.elapsed() < TRIAL) {
        let block = tried * step;
        round::run(&sweep.cells.compiled, &round, block..block + 1, &log, &workers).map_err(scratch_failure)?;
        tried += 1;
    }
    let rollouts = sweep.order.replicates as f64 * sweep.cells.compiled.len() as f64;
    let seconds = start.elapsed().as_secs_f64() * rollouts / log.rows().max(1) as f64;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn shown(path: &Path) -> String {
    replay::file(&path.to_string_lossy())
}

/// The command that runs one shard.
pub fn command(manifest: &Path, shard: &str, of: u32) -> String {
    format!("dryroll sweep --manifest {} --shard {shard}/{of}", shown(manifest))
}

/// Reads a manifest.
pub fn load(path: &Path) -> Result<(Manifest, Sweep), Failure> {
    let name = dryroll_sim::text::path(&path);
    let text = read_text(path, "a manifest, as `dryroll sweep --plan` writes it")?;
    Manifest::parse(text.as_bytes()).with_context(|| format!("cannot use {name}")).map_err(Failure::Input)
}

/// The path of a shard's result: beside the manifest.
pub fn place(manifest: &Path, shard: u32, of: u32) -> PathBuf {
    let mut name = manifest.as_os_str().to_owned();
    name.push(format!(".shard-{shard}-of-{of}"));
    name.into()
}

/// What is found at the path of a shard's result.
pub enum Found {
    /// The complete result.
    Whole(ResultLog),
    /// Nothing.
    Nothing,
    /// A result that is incomplete or has rows that do not belong to it.
    Damaged,
    /// The result of another sweep.
    Foreign,
    /// A folder.
    Folder,
    /// A file that is not a result.
    NoResult,
}

/// Reads the result of a shard.
pub fn found(path: &Path, sweep: &Sweep, shard: u32, of: u32, identity: &Identity) -> Found {
    let log = match ResultLog::read(path, identity) {
        Ok(log) => log,
        Err(ResultLogError::Foreign) => return Found::Foreign,
        Err(ResultLogError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return Found::Nothing,
        Err(_) if path.is_dir() => return Found::Folder,
        Err(ResultLogError::NoTape) => return Found::NoResult,
        Err(_) => return Found::Damaged,
    };
    let round = sweep.round();
    let whole = !log.has_torn_tail() && sweep.shard(shard, of).all(|block| log.has(round.block(block)));
    if whole { Found::Whole(log) } else { Found::Damaged }
}

/// The number of the shard that `i/K` or `auto` names.
fn which(text: &str, shards: u32) -> Result<u32, Failure> {
    let wrong = |said: String| Failure::Input(anyhow!("--shard: {said}"));
    if text == "auto" {
        return by_scheduler(shards, |name| std::env::var(name).ok()).map_err(wrong);
    }
    let parsed = text.split_once('/').and_then(|(i, of)| Some((i.trim().parse().ok()?, of.trim().parse().ok()?)));
    let (shard, of): (u32, u32) =
        parsed.ok_or_else(|| wrong(format!("`{text}` is not a shard; write i/K, as in 1/{shards}, or auto")))?;
    if of != shards {
        return Err(wrong(format!("`{text}` speaks of {of} shards, and the manifest has {shards}; write i/{shards}")));
    }
    in_range(shard, shards).map_err(wrong)
}

fn in_range(shard: u32, shards: u32) -> Result<u32, String> {
    if (1..=shards).contains(&shard) {
        return Ok(shard);
    }
    Err(format!("there is no shard {shard}; allowed: 1 to {shards}"))
}

fn by_scheduler(shards: u32, variable: impl Fn(&str) -> Option<String>) -> Result<u32, String> {
    let mut found: Option<(&str, u32)> = None;
    for (name, add) in SCHEDULERS {
        let Some(value) = variable(name) else { continue };
        let number: u32 = value.trim().parse().map_err(|_| format!("{name} is `{value}`, which is not a number"))?;
        let shard = number.saturating_add(add);
        match found {
            Some((other, before)) if before != shard => {
                return Err(format!("{other} means shard {before} and {name} shard {shard}; give --shard i/{shards}"));
            }
            _ => found = Some((name, shard)),
        }
    }
    let Some((name, shard)) = found else {
        let names = SCHEDULERS.map(|(name, _)| name).join(", ");
        return Err(format!("auto needs one of {names} in the environment; give --shard i/{shards} instead"));
    };
    in_range(shard, shards).map_err(|said| format!("{said} ({name})"))
}

/// Runs one shard, or the rest of it.
pub fn run(manifest_path: &Path, shard: &str, how: &HowArguments) -> Result<(), Failure> {
    let (manifest, sweep) = load(manifest_path)?;
    let of = manifest.shards;
    let shard = which(shard, of)?;
    let identity = sweep.identity();
    let path = place(manifest_path, shard, of);
    let round = sweep.round();
    let blocks = sweep.shard(shard, of);
    let rollouts = blocks.clone().map(|block| u64::from(round.block(block).rows)).sum();
    let print = |said: &str| {
        let Some(mut out) = teller(how.quiet, &[]) else { return Ok(()) };
        standard_output(writeln!(out, "shard {shard} of {of}: {said}").and_then(|()| out.flush()))
    };
    match found(&path, &sweep, shard, of, &identity) {
        Found::Whole(_) => return print("is there already"),
        Found::Foreign => return Err(foreign(&path)),
        Found::Folder | Found::NoResult => return Err(no_result(&path)),
        Found::Nothing | Found::Damaged => {}
    }
    let unfinished = Checkpoint::at(partial(&path), &identity)?;
    // Another process may have finished the shard while this one waited for the lock.
    if matches!(found(&path, &sweep, shard, of, &identity), Found::Whole(_)) {
        unfinished.discard();
        return print("is there already");
    }
    let pool = how.pool()?;
    let (cells, mine) = (sweep.cells.compiled.len(), blocks.end - blocks.start);
    Need::of_study(&sweep.scenario, pool.current_num_threads(), cells, mine).say(how.quiet);
    interrupt::last_words(unfinished.last_words("what is done is".into()));
    let progress = Progress::new(rollouts, "shard", how.quiet);
    let advance = |rollouts| progress.advance(rollouts);
    let workers = WorkPlan { pool: &pool, stop: interrupt::stops_by_itself(), progress: &advance };
    let finished = round::run(&sweep.cells.compiled, &round, blocks, &unfinished.log, &workers);
    progress.clear();
    match finished {
        Ok(true) => {}
        Ok(false) => return Err(unfinished.interrupted(rollouts, &format!("of shard {shard} "))),
        Err(error) => return Err(unfinished.failure(error)),
    }
    interrupt::undisturbed(|| unfinished.publish(&path))?;
    print(&format!("{} in {}", plural(rollouts, "rollout", "rollouts"), dryroll_sim::text::path(&path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedulers_name_the_shard() {
        let by = |set: &'static [(&str, &str)]| {
            by_scheduler(4, move |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(by(&[("SLURM_ARRAY_TASK_ID", "3")]), Ok(3));
        assert_eq!(by(&[("PARALLEL_SEQ", "4")]), Ok(4));
        assert_eq!(by(&[("JOB_COMPLETION_INDEX", "0")]), Ok(1));
        assert_eq!(by(&[("JOB_COMPLETION_INDEX", "2"), ("PARALLEL_SEQ", "3")]), Ok(3));
        for (set, says) in [
            (&[][..], "auto needs"),
            (&[("SLURM_ARRAY_TASK_ID", "3"), ("PARALLEL_SEQ", "2")][..], "means shard 3"),
            (&[("SLURM_ARRAY_TASK_ID", "0")][..], "no shard 0"),
            (&[("JOB_COMPLETION_INDEX", "4")][..], "no shard 5"),
            (&[("PARALLEL_SEQ", "x")][..], "not a number"),
        ] {
            assert!(by(set).unwrap_err().contains(says), "{set:?}");
        }
    }
}

//! `dryroll sweep`: many replicates over a grid of policies and versions.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::slice;

use super::checkpoint::{Checkpoint, spare_log};
use super::interrupt;
use super::memory::Need;
use super::output::{Failure, each_its_own_place, no_grid, open_all, standard_output, teller, write_json, write_whole};
use super::policies::PoliciesFile;
use super::progress::Progress;
use super::shard;
use dryroll_report::files::output::{Output, Written};
use dryroll_report::model::SweepReport;
use dryroll_report::rows::cells::write_cells;
use dryroll_report::terminal::sweep::sweep_table;
use dryroll_report::words::plural;
use dryroll_sim::scenario::{Scenario, ScenarioText};
use dryroll_sim::text::Foreign;
use dryroll_study::study::grid::{self, Axis};
use dryroll_study::study::result_log::ResultLog;
#[cfg(feature = "parquet")]
use dryroll_study::study::results::CellRows;
use dryroll_study::study::round::{WorkPlan, rollouts};
use dryroll_study::study::sweep::{Extent, Goal, Sweep, SweepError, SweepOrder};

/// Replicates per cell by default.
const REPLICATES: u64 = 1000;
/// The most replicates per cell by default, with --precision.
const MOST_REPLICATES: u64 = 100_000;

/// Options that a manifest already fixes, or that only the merge uses.
const CUT_AND_DRIED: [&str; 15] = [
    "policies",
    "batch_pct",
    "max_consecutive_failures",
    "settings",
    "versions",
    "replicates",
    "precision",
    "metric",
    "rare",
    "seed",
    "report",
    "cells",
    "runs",
    "resume",
    "plan",
];

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll sweep scenarios/tutorial.toml --batch-pct 5,10,20,50 --max-consecutive-failures 1..4\n  dryroll sweep scenarios/tune.toml --versions all --replicates 10000 --report sweep.json --cells sweep.csv\n  dryroll sweep scenarios/tutorial.toml --set rollout.health_timeout_sec=120,300 --precision 1% --metric duration_sec"
)]
pub struct Arguments {
    /// The scenario file (TOML or JSON), or `-` for standard input
    #[arg(required_unless_present = "manifest", conflicts_with = "manifest")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    grid: GridArguments,
    #[command(flatten)]
    policies: PoliciesFile,
    /// Replicates of each cell [default: 1000]; with --precision the most [default: 100000]
    #[arg(long, value_name = "N")]
    replicates: Option<u64>,
    /// Stop as soon as half of every interval is this narrow: a number, or a share such as 2%
    #[arg(long, value_name = "WIDTH")]
    precision: Option<String>,
    /// The metric or rate whose intervals --precision is about [default: trip_rate]
    #[arg(long, value_name = "NAME", requires = "precision")]
    metric: Option<String>,
    /// Where a cell has fewer than 3 trips, estimate their chance by importance sampling with this many replicates
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rare: Option<u64>,
    /// Another seed than the scenario's
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    outputs: OutputArguments,
    /// Continue an interrupted sweep; without one, start from the beginning
    #[arg(long)]
    resume: bool,
    /// Cut the sweep into shards and write its manifest; runs nothing
    #[arg(long, value_name = "FILE", requires = "shards", conflicts_with_all = ["report", "cells", "runs", "resume"])]
    plan: Option<PathBuf>,
    /// How many shards
    #[arg(long, value_name = "K", requires = "plan")]
    shards: Option<u32>,
    /// Run one shard of the sweep that this manifest cuts up
    #[arg(long, value_name = "FILE", requires = "shard", conflicts_with_all = CUT_AND_DRIED)]
    manifest: Option<PathBuf>,
    /// The shard: i/K, from 1, or `auto`: the number that Slurm, Kubernetes or GNU parallel sets
    #[arg(long, value_name = "i/K")]
    shard: Option<String>,
    #[command(flatten)]
    how: HowArguments,
}

/// The options for what is varied.
#[derive(Debug, clap::Args)]
pub struct GridArguments {
    /// Shares of a batch, in percent: a list or a range, as in 5,10,20 or 1..4
    #[arg(long, value_name = "LIST")]
    batch_pct: Option<String>,
    /// Limits of failures in a row: a list or a range
    #[arg(long, value_name = "LIST")]
    max_consecutive_failures: Option<String>,
    /// Vary another key of [rollout], as in rollout.health_timeout_sec=120,300 or rollout.batches=[1,"5%"],["20%"];
    /// or fleet.instances, or a rate of a version, as in versions.v2.failure_rate=0.01,0.05; may be repeated
    #[arg(long = "set", value_name = "KEY=LIST")]
    settings: Vec<String>,
    /// Versions to roll out: `all`, or a list of ids [default: the target and the defective versions]
    #[arg(long, visible_alias = "version", value_name = "LIST")]
    versions: Option<String>,
}

impl GridArguments {
    fn axes(&self) -> Result<Vec<Axis>, Failure> {
        let named = [("batch_pct", &self.batch_pct), ("max_consecutive_failures", &self.max_consecutive_failures)];
        let named = named.into_iter().filter_map(|(key, list)| list.as_ref().map(|list| Axis::parse(key, list)));
        let set = self.settings.iter().map(|text| Axis::parse_setting(text));
        Ok(named.chain(set).collect::<Result<_, _>>()?)
    }

    /// The ids of the versions; empty if the target alone is rolled out by default.
    fn versions(&self, scenario: &Scenario) -> Result<Vec<Foreign>, Failure> {
        let found = match &self.versions {
            Some(list) => grid::versions(scenario, list)?,
            None => match grid::candidates(scenario) {
                target if target.len() == 1 => return Ok(Vec::new()),
                all => all,
            },
        };
        Ok(found.into_iter().map(|index| scenario.versions[index.0].id.clone()).collect())
    }
}

/// The options for outputs.
#[derive(Debug, clap::Args)]
pub struct OutputArguments {
    /// Write the sweep report, JSON (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write one row a cell, CSV (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    cells: Option<PathBuf>,
    /// Write one row a replicate, Parquet
    #[arg(long, value_name = "FILE")]
    runs: Option<PathBuf>,
}

impl OutputArguments {
    /// The paths that are named.
    pub fn all(&self) -> Vec<&PathBuf> {
        [&self.report, &self.cells, &self.runs].into_iter().flatten().collect()
    }
}

/// The options for threads and messages.
#[derive(Debug, clap::Args)]
pub struct HowArguments {
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Say nothing to people
    #[arg(long, short)]
    pub quiet: bool,
}

impl HowArguments {
    /// A thread pool of this size.
    pub fn pool(&self) -> Result<rayon::ThreadPool, Failure> {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(self.threads.map_or(0, usize::from));
        builder.build().map_err(Failure::input)
    }
}

/// Parses a precision: a number, or a percentage of the mean.
fn goal(text: &str, metric: &str) -> Result<Goal, Failure> {
    let (number, relative) = match text.strip_suffix('%') {
        Some(number) => (number, true),
        None => (text, false),
    };
    let half_width: f64 = number.trim().parse().map_err(|_| {
        Failure::Input(anyhow::anyhow!(
            "--precision: `{text}` is not a width; write a number above 0, or a share such as 2%"
        ))
    })?;
    let half_width = if relative { half_width / 100.0 } else { half_width };
    Ok(Goal { measure: metric.into(), half_width, relative })
}

impl Arguments {
    fn order(&self, scenario: &Path) -> Result<SweepOrder, Failure> {
        let scenario = ScenarioText::load(scenario)?;
        let read = scenario.scenario()?;
        let metric = self.metric.as_deref().unwrap_or("trip_rate");
        let precision = self.precision.as_ref().map(|text| goal(text, metric)).transpose()?;
        let default = if precision.is_some() { MOST_REPLICATES } else { REPLICATES };
        Ok(SweepOrder {
            scenario,
            seed: self.seed.unwrap_or(read.seed),
            axes: self.grid.axes()?,
            policies: self.policies.read()?,
            versions: self.grid.versions(&read)?,
            replicates: self.replicates.unwrap_or(default),
            precision,
            rare: self.rare,
        })
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let (Some(manifest), Some(shard)) = (&arguments.manifest, &arguments.shard) {
        return shard::run(manifest, shard, &arguments.how);
    }
    let Some(scenario) = &arguments.scenario else { return Ok(()) };
    if let Some(shard) = &arguments.shard {
        return Err(Failure::Input(anyhow::anyhow!(
            "--shard {shard} is a share of what a manifest cuts up: give --manifest FILE in place of the scenario; \
             --plan FILE --shards K writes one"
        )));
    }
    if let (Some(plan), Some(shards)) = (&arguments.plan, arguments.shards) {
        each_its_own_place(arguments.policies.with(scenario), &[plan])?;
        return shard::plan(arguments.order(scenario)?, plan, shards, &arguments.how);
    }
    let outputs = arguments.outputs.all();
    each_its_own_place(arguments.policies.with(scenario), &outputs)?;
    spare_log(&outputs)?;
    let sweep = ready(arguments.order(scenario)?)?;
    let pool = arguments.how.pool()?;
    let (cells, blocks) = (sweep.cells.compiled.len(), sweep.round().blocks());
    let largest = sweep.cells.largest_fleet().unwrap_or(&sweep.scenario);
    Need::of_study(largest, pool.current_num_threads(), cells, blocks).say(arguments.how.quiet);
    let files = Files::open(&arguments.outputs)?;
    let checkpoint = Checkpoint::open(&outputs, &sweep.identity(), arguments.resume)?;
    if arguments.resume && checkpoint.is_new && !arguments.how.quiet {
        // A note that cannot be written is not a failure.
        let _ = writeln!(crate::cli::output::stderr(), "note: nothing was left to go on from; the sweep begins");
    }
    interrupt::last_words(checkpoint.last_words("what is done is".into()));

    let rollouts = sweep.order.replicates.saturating_mul(sweep.cells.compiled.len() as u64);
    let progress = Progress::new(rollouts, "sweep", arguments.how.quiet);
    let advance = |rollouts| progress.advance(rollouts);
    let workers = WorkPlan { pool: &pool, stop: interrupt::stops_by_itself(), progress: &advance };
    let extent = sweep.run(&checkpoint.log, &workers);
    progress.clear();
    let extent = match extent {
        Ok(Some(extent)) => extent,
        Ok(None) => return Err(checkpoint.interrupted(rollouts, "")),
        Err(error) => return Err(checkpoint.failure(error)),
    };
    let done = plural(checkpoint.log.rows(), "rollout is", "rollouts are");
    interrupt::last_words(checkpoint.last_words(format!("all {done}")));
    interrupt::ends_the_program();
    let progress = Progress::making_report(arguments.how.quiet);
    let concluded = conclude(&sweep, slice::from_ref(&checkpoint.log), &extent, &pool, files);
    progress.clear();
    let (report, written) = concluded.map_err(|failure| checkpoint.after(failure))?;
    let tell = || match teller(arguments.how.quiet, &outputs) {
        Some(mut out) => standard_output(sweep_table(&mut out, &report).and_then(|()| out.flush())),
        None => Ok(()),
    };
    if outputs.is_empty() {
        // The table is the only output, so the checkpoint goes after it is written.
        match tell() {
            Ok(()) => checkpoint.discard(),
            Err(failure) => return Err(checkpoint.after(failure)),
        }
    } else {
        interrupt::undisturbed(|| match written.into_iter().flatten().try_for_each(Written::publish) {
            Ok(()) => {
                checkpoint.discard();
                Ok(())
            }
            Err(error) => Err(checkpoint.after(error.into())),
        })?;
        tell()?;
    }
    match &report.precision {
        Some(precision) if !precision.reached => Err(Failure::Unmet(anyhow::anyhow!(
            "the precision was not reached after {}; allow more with --replicates",
            plural(report.replicates, "replicate", "replicates")
        ))),
        _ => Ok(()),
    }
}

/// The rollouts of this many cells; an error beyond the range of numbers.
pub fn total(replicates: u64, cells: usize) -> Result<u64, Failure> {
    rollouts(replicates, cells)
        .ok_or_else(|| Failure::from(SweepError::TooMany { option: "--replicates", replicates, cells }))
}

/// A sweep with at least one replicate to run.
pub fn ready(order: SweepOrder) -> Result<Sweep, Failure> {
    if order.replicates == 0 {
        return Err(Failure::Nothing(anyhow::anyhow!(
            "no replicate: --replicates is 0, so nothing would be evaluated"
        )));
    }
    let text = order.scenario.clone();
    Sweep::new(order).map_err(|error| match error {
        SweepError::Grid(error) => no_grid(&text, error),
        other => other.into(),
    })
}

/// The outputs, opened before the work.
pub struct Files {
    report: Option<Output>,
    cells: Option<Output>,
    runs: Option<Output>,
}

impl Files {
    /// Opens the named outputs.
    pub fn open(arguments: &OutputArguments) -> Result<Self, Failure> {
        if !cfg!(feature = "parquet") && arguments.runs.is_some() {
            return Err(Failure::Input(anyhow::anyhow!(
                "--runs: this program is built without the feature `parquet`; use --cells, or build with the feature"
            )));
        }
        let paths = [&arguments.report, &arguments.cells, &arguments.runs].map(Option::as_ref);
        let [report, cells, runs] = open_all(paths)?;
        Ok(Self { report, cells, runs })
    }
}

/// Makes the report from the result logs, and writes the outputs; the caller publishes all of them or none.
pub fn conclude(
    sweep: &Sweep,
    logs: &[ResultLog],
    extent: &Extent,
    pool: &rayon::ThreadPool,
    files: Files,
) -> Result<(SweepReport, [Option<Written>; 3]), Failure> {
    let unreadable = |error| Failure::Output(anyhow::Error::new(error).context("cannot read the results back"));
    let results = sweep.results(logs, extent, pool).map_err(unreadable)?;
    let report = SweepReport::new(sweep, extent, &results, pool);
    let written = [
        write_json(files.report, &report)?,
        write_whole(files.cells, |out| write_cells(out, &report))?,
        write_runs(files.runs, sweep, logs, extent)?,
    ];
    Ok((report, written))
}

/// Writes one row a replicate.
#[cfg(feature = "parquet")]
fn write_runs(
    file: Option<Output>,
    sweep: &Sweep,
    logs: &[ResultLog],
    extent: &Extent,
) -> Result<Option<Written>, Failure> {
    use dryroll_report::rows::runs::{OptionalColumns, RunsWriter};
    write_whole(file, |out| {
        let columns = OptionalColumns::of(&sweep.cells);
        let mut runs = RunsWriter::new(out, columns)?;
        for (cell, &(replicates, _)) in extent.cells.iter().enumerate() {
            let rows = CellRows::open(logs, cell as u32, replicates)?;
            runs.cell(&sweep.cells.scenarios[cell], sweep.cells.policy(cell), &rows)?;
        }
        runs.finish().map(drop)
    })
}

/// [`Files::open`] refuses `--runs` without the feature, so there is no file to write.
#[cfg(not(feature = "parquet"))]
fn write_runs(_: Option<Output>, _: &Sweep, _: &[ResultLog], _: &Extent) -> Result<Option<Written>, Failure> {
    Ok(None)
}

//! `dryroll tune`: the best policy within limits.

mod posterior;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::interrupt;
use super::learnings::Learnings;
use super::memory::Need;
use super::output::{
    Failure, each_its_own_place, no_grid, open, scratch_failure, scratch_log, scratch_log_file, standard_output,
    teller, write_json,
};
use super::policies::PoliciesFile;
use super::progress::Progress;
use super::share::share;
use super::sweep::{HowArguments, total};
use dryroll_learning::{Numbers, Today};
use dryroll_report::build::tune::Findings;
use dryroll_report::build::tune::advice::tune_advice;
use dryroll_report::build::tune::posterior::PosteriorFindings;
use dryroll_report::model::TuneReport;
use dryroll_report::terminal::tune::tune_table;
use dryroll_sim::scenario::ScenarioText;
use dryroll_study::study::result_log::ResultLog;
use dryroll_study::study::round::WorkPlan;
use dryroll_study::study::tune::information_value::Open;
use dryroll_study::study::tune::sensitivity::{FACTORS, Sensitivity};
use dryroll_study::study::tune::{Tune, TuneError, Tuned, front, hints};
use posterior::Posterior;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll tune scenarios/tune.toml --report tune.json\n  dryroll calibrate monday.ndjson tuesday.ndjson --report calibration.json --output calibrated.toml\n  dryroll tune scenarios/tune.toml --posterior calibration.json\n\nThe scenario's [tune] says what is wanted. Exit code 1: no policy surely meets the limits."
)]
pub struct Arguments {
    /// The scenario file (TOML or JSON), or `-` for standard input
    scenario: PathBuf,
    /// The most replicates of any policy; it stops as soon as the answer is decided
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    replicates: u64,
    /// Policies within this share of the best are as good as it: 0.01, or 1%
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = share)]
    tolerance: f64,
    /// A calibration report: each replicate draws the rates of the versions from its posterior, in place of the
    /// scenario's. The answer is then the best policy on average over the unknown rates, with what more history
    /// would save (`-`: standard input)
    #[arg(long, value_name = "CALIBRATION")]
    posterior: Option<PathBuf>,
    #[command(flatten)]
    policies: PoliciesFile,
    /// Another seed than the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Write the tune report, JSON (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    learnings: Learnings,
    #[command(flatten)]
    how: HowArguments,
}

impl From<TuneError> for Failure {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Grid(error) => error.into(),
            TuneError::NothingRolledOut(_) => Self::Nothing(error.into()),
            other => Self::input(other),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs: Vec<&PathBuf> = arguments.report.iter().collect();
    let inputs = [Some(&arguments.scenario), arguments.posterior.as_ref()];
    let files = arguments.policies.with(&arguments.scenario).chain(&arguments.posterior);
    each_its_own_place(files, &outputs)?;
    if inputs.iter().all(|input| input.is_some_and(|path| path == Path::new("-"))) {
        return Err(Failure::Input(anyhow::anyhow!(
            "the scenario and --posterior are both standard input; give one of them a file"
        )));
    }
    let remembered = arguments.learnings.read(&outputs, arguments.how.quiet)?;
    let text = ScenarioText::load(&arguments.scenario)?;
    let mut scenario = text.scenario()?;
    scenario.seed = arguments.seed.unwrap_or(scenario.seed);
    arguments.policies.take(&mut scenario)?;
    if arguments.replicates == 0 {
        return Err(Failure::Nothing(anyhow::anyhow!(
            "no replicate: --replicates is 0, so nothing would be evaluated"
        )));
    }
    let as_it_is = Tune::new(&scenario, arguments.tolerance, arguments.replicates);
    let as_it_is = as_it_is.map_err(|error| no_search(&text, error))?;
    let posterior = match &arguments.posterior {
        Some(path) => Some(Posterior::read(path, &scenario)?),
        None => None,
    };
    let mut tune = match &posterior {
        Some(posterior) => {
            let mut tune = Tune::new(&posterior.point, arguments.tolerance, arguments.replicates)?;
            tune.believe(&posterior.posteriors);
            tune
        }
        None => as_it_is,
    };
    tune.policies_file = arguments.policies.path().map(Into::into);
    let output = open(arguments.report.as_ref())?;
    let pool = arguments.how.pool()?;
    let cells = tune.cells.compiled.len();
    Need::of_study(&scenario, pool.current_num_threads(), cells, 0).say(arguments.how.quiet);
    let (log, tuned) = search(&tune, &pool, "tune", arguments.how.quiet)?;
    let worst = front::worst_version(&tune, &log, &tuned).map_err(scratch_failure)?;
    let points = pool.install(|| front::points(&tune, &log, &tuned, worst)).map_err(scratch_failure)?;
    let sensitivity = sensitivity(&tune, &tuned, &pool, arguments.how.quiet)?;
    let posterior = match posterior {
        Some(posterior) => {
            let point = Tune::new(&posterior.point, arguments.tolerance, arguments.replicates)?;
            let point = search(&point, &pool, "the point alone", arguments.how.quiet)?.1;
            let open = open_questions(&tune, &log, &tuned, &posterior, &pool, arguments.how.quiet)?;
            let Posterior { calibration, posteriors, .. } = posterior;
            Some(PosteriorFindings { calibration, scenario: scenario.clone(), posteriors, point, open })
        }
        None => None,
    };
    interrupt::ends_the_program();
    let advice = tune_advice(&text, &tune, &log, &tuned).map_err(scratch_failure)?;
    let hints = hints::hints(&tune, tuned.incumbent, &pool);
    let report = TuneReport::new(
        &tune,
        &arguments.scenario.to_string_lossy(),
        &tuned,
        &Findings { points, worst, sensitivity, hints, advice, posterior },
    );
    if let Some(written) = write_json(output, &report)? {
        written.publish()?;
    }
    if let Some(mut out) = teller(arguments.how.quiet, &outputs) {
        standard_output(tune_table(&mut out, &report).and_then(|()| out.flush()))?;
        if let Some(remembered) = &remembered {
            let today = Today { version: report.good.raw(), ..Today::of(&scenario, None, Numbers::Tune(&report)) };
            standard_output(remembered.tell(&mut out, &today))?;
        }
    }
    match (&report.recommended, &report.binding) {
        (None, Some(binding)) if arguments.how.quiet => {
            Err(Failure::Unmet(anyhow::anyhow!("{} Binding limit: {binding}", report.says)))
        }
        // Everything else is already written.
        (None, _) => Err(Failure::Unmet(anyhow::anyhow!("no policy is recommended"))),
        _ => Ok(()),
    }
}

/// The error for a scenario without what a search needs, at its place in the file.
fn no_search(text: &ScenarioText, error: TuneError) -> Failure {
    let says = error.to_string();
    let (place, help): (&[&str], &str) = match error {
        TuneError::Grid(error) => return no_grid(text, error),
        TuneError::NothingRolledOut(_) => {
            return Failure::Nothing(anyhow::Error::new(error).context(text.file.clone()));
        }
        TuneError::NoTune => (
            &[],
            "add at its end, for instance: [tune] and below it limits = [{metric = \"false_trip_rate\", at_most = 0.05}, \
             {metric = \"blast_radius_pct\", at_most = 25}]",
        ),
        TuneError::DefectiveGood(_) => (&["tune", "good"], "name a version without `defective = true`"),
        TuneError::SaysNothing(_) => (&["tune", "limits"], "name the versions that are defective in `defective`"),
        TuneError::Unconfirmable(_) => {
            (&["tune", "limits"], "write, for instance, {metric = \"harmed_pct\", at_most = 10}")
        }
        TuneError::Goal(_) => (&["tune", "minimise"], "remove it: left out, it is duration_sec"),
        TuneError::Tolerance => return Failure::input(error),
    };
    text.wrong(place, &says, help).into()
}

fn search(
    tune: &Tune,
    pool: &rayon::ThreadPool,
    what: &'static str,
    quiet: bool,
) -> Result<(ResultLog, Tuned), Failure> {
    let log = scratch_log(&Tune::IDENTITY)?;
    let most = total(tune.replicates, tune.cells.compiled.len())?;
    let progress = Progress::new(most, what, quiet);
    let advance = |rollouts| progress.advance(rollouts);
    let workers = WorkPlan { pool, stop: interrupt::stops_by_itself(), progress: &advance };
    let tuned = tune.run(&log, &workers);
    progress.clear();
    match tuned.map_err(scratch_failure)? {
        Some(tuned) => Ok((log, tuned)),
        None => Err(Failure::Interrupted("nothing was written".into())),
    }
}

/// Searches again with other failure rates.
fn sensitivity(tune: &Tune, tuned: &Tuned, pool: &rayon::ThreadPool, quiet: bool) -> Result<Sensitivity, Failure> {
    let most = total(tune.replicates, tune.cells.compiled.len())?.saturating_mul(FACTORS.len() as u64);
    let progress = Progress::new(most, "sensitivity", quiet);
    let advance = |rollouts| progress.advance(rollouts);
    let workers = WorkPlan { pool, stop: interrupt::stops_by_itself(), progress: &advance };
    let found = tune.sensitivity(tuned, &|| scratch_log_file(&Tune::IDENTITY), &workers);
    progress.clear();
    found.map_err(scratch_failure)?.ok_or_else(|| Failure::Interrupted("nothing was written".into()))
}

/// The value of more history: what the calibration leaves open.
fn open_questions(
    tune: &Tune,
    log: &ResultLog,
    tuned: &Tuned,
    posterior: &Posterior,
    pool: &rayon::ThreadPool,
    quiet: bool,
) -> Result<Open, Failure> {
    let progress = Progress::new(tune.information_value_at_most(tuned), "what more history would save", quiet);
    let advance = |rollouts| progress.advance(rollouts);
    let workers = WorkPlan { pool, stop: interrupt::stops_by_itself(), progress: &advance };
    let open = tune.open(log, tuned, &posterior.posteriors, &workers);
    progress.clear();
    let stopped = || Failure::Interrupted("nothing was written".into());
    open.map_err(scratch_failure)?.ok_or_else(stopped)
}

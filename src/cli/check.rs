//! `dryroll check`: the rules of scenarios, and the comparison with a baseline.

mod baseline;
mod budget;
mod cases;
mod paths;

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::interrupt;
use super::memory::Need;
use super::output::{
    Failure, each_its_own_place, open_all, publish, scratch_failure, scratch_log, standard_output, teller, write_json,
    write_whole,
};
use super::policies::PoliciesFile;
use super::progress::Progress;
use super::sweep::HowArguments;
use baseline::BaselineArguments;
use budget::budget;
use cases::{Case, Cases};
use dryroll_report::ci::{github, junit, markdown};
use dryroll_report::model::{AgainstBaseline, CheckReport};
use dryroll_report::terminal::check::check_table;
use dryroll_report::words::{self, replay};
use dryroll_study::study::check::{Check, Effort};
use dryroll_study::study::result_log::{Identity, ResultLog};
use dryroll_study::study::round::WorkPlan;
use dryroll_study::study::sweep::CONFIDENCE;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dryroll check scenarios\n  dryroll check scenarios/tune.toml --filter false_trip_rate --max-replicates 50000\n  dryroll check scenarios --junit check.xml --markdown check.md --budget 60s\n  dryroll check scenarios --baseline baseline.ndjson --tolerance duration_sec=10%\n\nExit codes: 0 all rules pass and nothing got worse · 1 one failed or is undecided, a fault touched nothing, something is worse than the baseline, or with --strict there is advice · 2 a scenario is wrong; the others were checked · 4 no scenario, no rule or no replicate"
)]
pub struct Arguments {
    /// Scenario files, and folders of them (every .toml and .json under it that has rules); `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only rules with this text in `file: version: rule`, as --list prints them; capitals do not matter
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only rules about these versions: ids separated by commas
    #[arg(long, visible_alias = "version", value_name = "LIST", value_delimiter = ',')]
    versions: Vec<String>,
    /// List the rules; runs nothing
    #[arg(long, conflicts_with_all = ["report", "junit", "markdown"])]
    list: bool,
    /// The most replicates of any rule; a rule that is undecided then fails as undecided
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    max_replicates: u64,
    /// Fail on advice about a scenario too
    #[arg(long)]
    strict: bool,
    /// Stop at the first rule that fails
    #[arg(long)]
    fail_fast: bool,
    /// Stop after this time, as in 60s, 5m or 1h; rules without a decision by then are undecided
    #[arg(long, value_name = "TIME", value_parser = budget)]
    budget: Option<Duration>,
    /// Write the check report, JSON (`-`: standard output)
    #[arg(long, visible_alias = "json", value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write JUnit XML, for CI (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write Markdown, for a comment on a pull request (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    #[command(flatten)]
    policies: PoliciesFile,
    #[command(flatten)]
    baselines: BaselineArguments,
    #[command(flatten)]
    how: HowArguments,
}

impl Arguments {
    fn outputs(&self) -> [Option<&PathBuf>; 3] {
        [&self.report, &self.junit, &self.markdown].map(Option::as_ref)
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let files = paths::scenarios(&arguments.paths)?;
    let named: Vec<&PathBuf> = files.iter().map(|file| &file.path).collect();
    let outputs: Vec<&PathBuf> = arguments.outputs().into_iter().flatten().collect();
    // An accepted baseline is read and written at the same path, so no other output may share that path.
    let places: Vec<&PathBuf> = outputs.iter().copied().chain(&arguments.baselines.baseline).collect();
    each_its_own_place(&named, &places)?;
    if arguments.max_replicates == 0 {
        return Err(Failure::Nothing(anyhow::anyhow!(
            "no replicate: --max-replicates is 0, so nothing would be evaluated"
        )));
    }
    let cases = Cases::read(arguments, &files)?;
    if arguments.list {
        cases.list()?;
        return cases.complaint().map_or(Ok(()), Err);
    }
    if arguments.baselines.accept
        && let Some(complaint) = cases.complaint()
    {
        return Err(complaint.of(&"nothing is accepted".into()));
    }
    let together = cases.wanted.iter().map(|case| case.check.estimated()).sum();
    let effort = Effort { max_replicates: arguments.max_replicates, together, fail_fast: arguments.fail_fast };
    let pool = arguments.how.pool()?;
    if let Some(largest) =
        cases.wanted.iter().flat_map(|case| &case.check.cells.scenarios).max_by_key(|one| one.fleet.instances)
    {
        Need::of_study(largest, pool.current_num_threads(), 0, 0).say(arguments.how.quiet);
    }
    let baselined = arguments.baselines.open()?;
    let [report_file, junit_file, markdown_file] = open_all(arguments.outputs())?;
    let github = Github::found()?;

    let given: Vec<String> = arguments.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let mut report = CheckReport {
        schema: "dryroll.check/1".into(),
        command: (replay::check(&given, arguments.filter.as_deref(), arguments.max_replicates, arguments.fail_fast)
            + &replay::policies(arguments.policies.path().as_deref())
            + if arguments.strict { " --strict" } else { "" }
            + &replay::against(arguments.baselines.baseline.as_deref(), &arguments.baselines.tolerances))
            .into(),
        confidence: CONFIDENCE,
        max_replicates: arguments.max_replicates,
        budget_sec: arguments.budget.map(|budget| budget.as_secs_f64()),
        without_rules: cases.without_rules.clone(),
        not_scenarios: cases.not_scenarios.clone(),
        wrong: cases.wrong.clone(),
        advice: cases.advice.clone(),
        strict: arguments.strict,
        passed: true,
        ..CheckReport::default()
    };
    let clock = Clock::new(arguments.budget);
    let running = Running { pool: &pool, clock: &clock, quiet: arguments.how.quiet };
    for (place, Case { file, text, check }) in cases.wanted.iter().enumerate() {
        let checked = if arguments.fail_fast && !report.passed {
            check.skipped()
        } else {
            let what = format!("check {} of {}, {file}", place + 1, cases.wanted.len());
            let what = (check.most_rollouts(&effort), what);
            running.measure(&Check::IDENTITY, what, |log, workers| check.run(log, workers, &effort))?.0
        };
        report.add(file.raw(), check, &checked);
        report.advise(text, check, &checked);
    }
    report.passed = report.scenarios.iter().all(|scenario| scenario.passed)
        && report.wrong.is_empty()
        && (!report.strict || report.advice.is_empty());
    let mut accepted = None;
    if let Some(baselined) = baselined {
        let running = (!arguments.fail_fast || report.passed).then_some(&running);
        let (compared, written) = baselined.compare(&cases.candidates, running)?;
        report.passed &= compared.passed;
        (report.baseline, accepted) = (Some(compared), written);
    }
    interrupt::ends_the_program();

    let written = [
        accepted,
        write_json(report_file, &report)?,
        write_whole(junit_file, |out| junit::write(out, &report))?,
        write_whole(markdown_file, |out| markdown::write(out, &report))?,
    ];
    publish(written)?;
    if let Some(mut out) = teller(arguments.how.quiet, &outputs) {
        standard_output(check_table(&mut out, &report).and_then(|()| out.flush()))?;
    }
    if let Some(github) = github {
        github.tell(&report, &outputs)?;
    }
    // A wrong file decides the exit code before a rule does.
    cases.complaint().map_or_else(|| verdict(&report, arguments.how.quiet), Err)
}

/// The exit of a check. Everything else is already written, unless `--quiet` is set.
fn verdict(report: &CheckReport, quiet: bool) -> Result<(), Failure> {
    let rules_passed = report.scenarios.iter().all(|scenario| scenario.passed);
    let unmet = |said: &str| Err(Failure::Unmet(anyhow::anyhow!("{said}")));
    match &report.baseline {
        Some(baseline) if report.passed && report.scenarios.is_empty() && !baseline.accepted => {
            let nothing = baseline.scenarios.iter().all(|one| one.standing == AgainstBaseline::New);
            if !nothing {
                return Ok(());
            }
            Err(Failure::Nothing(anyhow::anyhow!(
                "nothing was compared: no scenario has an [[expect]] or a place in {}; --accept takes them in",
                baseline.file
            )))
        }
        _ if report.passed => Ok(()),
        _ if quiet => unmet(&words::check::verdict(report)),
        _ if rules_passed && report.strict && !report.advice.is_empty() => {
            unmet("there is advice, and --strict wants none")
        }
        Some(baseline) if baseline.accepted => unmet("not every rule passed; the baseline was written all the same"),
        Some(baseline) if rules_passed => unmet(&format!("not as was accepted in {}", baseline.file)),
        _ => unmet("not every rule passed"),
    }
}

/// When to stop: at the end of the time budget, or on an interrupt.
struct Clock {
    end: Option<Instant>,
    stop: AtomicBool,
    interrupted: &'static AtomicBool,
}

impl Clock {
    fn new(budget: Option<Duration>) -> Self {
        // A budget beyond the range of the clock is no limit.
        let end = budget.and_then(|budget| Instant::now().checked_add(budget));
        Self { end, stop: AtomicBool::new(false), interrupted: interrupt::stops_by_itself() }
    }

    /// Returns an error after an interrupt.
    fn uninterrupted(&self) -> Result<(), Failure> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted("nothing was written".into()));
        }
        Ok(())
    }

    fn look(&self) {
        if self.interrupted.load(Ordering::Relaxed) || self.end.is_some_and(|end| Instant::now() >= end) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// How replicates are run: on which threads, until when, and with or without a progress bar.
struct Running<'a> {
    pool: &'a rayon::ThreadPool,
    clock: &'a Clock,
    quiet: bool,
}

impl Running<'_> {
    /// Runs `work` of this many rollouts on its own result log, under a progress bar, until the budget is spent.
    fn measure<T>(
        &self,
        identity: &Identity,
        (rollouts, what): (u64, String),
        work: impl FnOnce(&ResultLog, &WorkPlan<'_>) -> io::Result<T>,
    ) -> Result<(T, ResultLog), Failure> {
        let log = scratch_log(identity)?;
        let progress = Progress::new(rollouts, what, self.quiet);
        let advance = |rollouts| {
            progress.advance(rollouts);
            self.clock.look();
        };
        let workers = WorkPlan { pool: self.pool, stop: &self.clock.stop, progress: &advance };
        let done = work(&log, &workers);
        progress.clear();
        let done = done.map_err(scratch_failure)?;
        self.clock.uninterrupted()?;
        Ok((done, log))
    }
}

/// GitHub Actions, if the program runs there.
struct Github {
    summary: Option<(PathBuf, File)>,
}

impl Github {
    fn found() -> Result<Option<Self>, Failure> {
        if std::env::var_os("GITHUB_ACTIONS").is_none_or(|value| value != "true") {
            return Ok(None);
        }
        let path = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from);
        let open = |path: PathBuf| match File::options().append(true).create(true).open(&path) {
            Ok(file) => Ok((path, file)),
            Err(error) => Err(Failure::write(&path, error)),
        };
        Ok(Some(Self { summary: path.map(open).transpose()? }))
    }

    fn tell(self, report: &CheckReport, outputs: &[&PathBuf]) -> Result<(), Failure> {
        if let Some((path, mut file)) = self.summary {
            let mut text = Vec::new();
            markdown::write(&mut text, report)
                .and_then(|()| file.write_all(&text))
                .map_err(|error| Failure::write(&path, error))?;
        }
        // The runner reads both streams.
        match teller(false, outputs) {
            Some(mut out) => standard_output(github::annotate(&mut out, report).and_then(|()| out.flush())),
            None => Ok(()),
        }
    }
}

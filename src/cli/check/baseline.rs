//! `check --baseline`: compares scenarios with the results that were accepted for them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Running;
use crate::cli::output::{Failure, scratch_failure, utf8, write_whole};
use dryroll_report::build::baseline::Found;
use dryroll_report::files::output::{Output, Written};
use dryroll_report::model::{AgainstBaseline, BaselineReport, NotChecked};
use dryroll_sim::SEMANTICS_VERSION;
use dryroll_sim::scenario::{Scenario, ScenarioText};
use dryroll_sim::text::Foreign;
use dryroll_study::study::Policy;
use dryroll_study::study::baseline::facts::VersionFacts;
use dryroll_study::study::baseline::subject::{Compared, Subject};
use dryroll_study::study::baseline::tolerance::{Tolerances, tolerance};
use dryroll_study::study::baseline::{Baseline, Entry, REPLICATES, key};
use dryroll_study::study::grid::GridError;
use dryroll_study::study::result_log::ResultLog;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Baselines")]
pub struct BaselineArguments {
    /// Compare with the results accepted in this file: a metric that is surely worse by more than its tolerance fails
    #[arg(long, value_name = "FILE", conflicts_with_all = ["filter", "list"])]
    pub baseline: Option<PathBuf>,
    /// Accept the results: write the checked scenarios into the baseline; refused where CI=true
    #[arg(long, requires = "baseline", conflicts_with = "fail_fast")]
    pub accept: bool,
    /// Accept even where CI=true
    #[arg(long, requires = "accept")]
    force: bool,
    /// Replicates of each version to accept [default: as many as before, 1000 of a new scenario]
    #[arg(long, value_name = "N", requires = "accept")]
    baseline_replicates: Option<u64>,
    /// The tolerated change of a metric or rate, in its unit (60) or as a share of the accepted value (5%); may be
    /// repeated [default: 5% of a metric, 0.01 of a rate]
    #[arg(long = "tolerance", value_name = "METRIC=VALUE", requires = "baseline")]
    pub tolerances: Vec<String>,
}

/// A scenario that can have an entry in a baseline.
pub struct Candidate {
    file: Foreign,
    scenario: Scenario,
    line: usize,
}

impl Candidate {
    /// Keeps what a baseline needs of a scenario.
    pub fn of(text: &ScenarioText, scenario: &Scenario) -> Result<Self, Failure> {
        if text.path() == "-" {
            let said = "a scenario on standard input has no name that a baseline could keep; give its file";
            return Err(Failure::Input(anyhow::anyhow!(said)));
        }
        let line = text.text.lines().position(|line| line.trim_start().starts_with("[rollout]"));
        Ok(Self { file: text.path().into(), scenario: scenario.clone(), line: line.map_or(1, |line| line + 1) })
    }
}

/// The baseline that the command line names.
pub struct Baselined {
    file: PathBuf,
    /// The bytes of the file when it was read; `None` if there was no file.
    was: Option<Vec<u8>>,
    baseline: Baseline,
    tolerances: Tolerances,
    /// Where to write it; `None` without `--accept`.
    output: Option<Output>,
    replicates: Option<u64>,
}

impl BaselineArguments {
    /// Reads the baseline, and opens it for writing with `--accept`; `None` without `--baseline`.
    pub fn open(&self) -> Result<Option<Baselined>, Failure> {
        let Some(file) = &self.baseline else { return Ok(None) };
        let said = self.tolerances.iter().map(|text| tolerance(text)).collect::<Result<Vec<_>, _>>();
        let said = said.map_err(|said| Failure::Input(anyhow::anyhow!("--tolerance: {said}")))?;
        if self.accept && !self.force && in_ci() {
            let said = "--accept is refused where CI=true: a job would accept any result. Accept on your own machine and commit the file, or add --force";
            return Err(Failure::Input(anyhow::anyhow!(said)));
        }
        if self.baseline_replicates == Some(0) {
            return Err(Failure::Nothing(anyhow::anyhow!("no replicate: --baseline-replicates is 0")));
        }
        let was = fs::read(file).ok();
        let baseline = self.read(file)?;
        let output = self.accept.then(|| Output::create(file)).transpose()?;
        let (file, tolerances) = (file.clone(), Tolerances::new(&said));
        Ok(Some(Baselined { file, was, baseline, tolerances, output, replicates: self.baseline_replicates }))
    }

    fn read(&self, file: &Path) -> Result<Baseline, Failure> {
        let shown = dryroll_sim::text::path(&file);
        let wrong = |error: anyhow::Error| Failure::Input(error);
        match fs::metadata(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.accept => return Ok(Baseline::default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(wrong(anyhow::anyhow!(
                    "there is no baseline {shown}; --accept creates it from these results"
                )));
            }
            Ok(found) if !found.is_file() => {
                return Err(wrong(anyhow::anyhow!("{shown} is not a file, so not a baseline")));
            }
            _ => {}
        }
        let unreadable = |error: io::Error| wrong(anyhow::Error::new(error).context(format!("cannot read {shown}")));
        let bytes = fs::read(file).map_err(unreadable)?;
        let text = utf8(&shown.to_string(), bytes, "a baseline, as `check --accept` writes it")?;
        // Against an empty baseline everything passes.
        if text.trim().is_empty() && !self.accept {
            return Err(wrong(anyhow::anyhow!(
                "{shown} is empty, so no baseline; take it from the history of your repository, or accept anew with --accept"
            )));
        }
        Baseline::parse(&text).map_err(|error| wrong(anyhow::Error::new(error).context(shown.to_string())))
    }
}

/// Whether this is a job of continuous integration: all CI services set this variable.
fn in_ci() -> bool {
    let said = std::env::var_os("CI").unwrap_or_default();
    !(said.is_empty() || said == "0" || said.eq_ignore_ascii_case("false"))
}

impl Running<'_> {
    /// Runs a scenario; `None` if the budget ran out.
    fn run(&self, subject: &Subject, file: &Foreign) -> Result<Option<ResultLog>, Failure> {
        let what = (subject.rollouts(), format!("baseline, {file}"));
        let (finished, log) = self.measure(&Subject::IDENTITY, what, |log, workers| {
            // A budget that is already spent starts no block.
            (workers.progress)(0);
            subject.run(log, workers)
        })?;
        Ok(finished.then_some(log))
    }
}

/// The result of one scenario: the comparison or the reason why there is none, and the entry to accept.
struct Seen {
    result: Result<Compared, (AgainstBaseline, Vec<String>)>,
    accepted: Option<Entry>,
    rollouts: u64,
}

impl Baselined {
    /// Compares the scenarios, and writes what is accepted; the caller publishes it. Runs nothing after a rule failed
    /// under `--fail-fast`.
    pub fn compare(
        mut self,
        candidates: &[Candidate],
        running: Option<&Running<'_>>,
    ) -> Result<(BaselineReport, Option<Written>), Failure> {
        let seen: Vec<Seen> = candidates.iter().map(|one| self.see(one, running)).collect::<Result<_, _>>()?;
        let shown = dryroll_sim::text::path(&self.file).to_string();
        let found = candidates.iter().zip(&seen).map(|(one, seen)| Found {
            file: one.file.raw(),
            line: one.line,
            scenario: &one.scenario,
            entry: self.baseline.entries.get(&key(&one.file)),
            result: seen.result.clone(),
        });
        let found: Vec<Found<'_>> = found.collect();
        let mut report = BaselineReport::of(&shown, &found, &self.tolerances, self.output.is_some());
        report.rollouts = seen.iter().map(|one| one.rollouts).sum();
        report.not_checked = self.not_checked(candidates);
        let Some(output) = self.output.take() else { return Ok((report, None)) };
        let mut entries = BTreeMap::new();
        for (one, seen) in candidates.iter().zip(seen) {
            let Some(entry) = seen.accepted else {
                let said =
                    format!("the budget of time was over before {} was measured; nothing was accepted", one.file);
                return Err(Failure::Unmet(anyhow::anyhow!(said)));
            };
            if let Some(old) = self.renamed(one) {
                self.baseline.entries.remove(&old);
                report.not_checked.retain(|other| other.scenario != old);
            }
            entries.insert(key(&one.file), entry);
        }
        if fs::read(&self.file).ok() != self.was {
            return Err(Failure::Input(anyhow::anyhow!(
                "{shown} was changed by another process; nothing was accepted: run the same command again"
            )));
        }
        self.baseline.entries.extend(entries);
        let text = self.baseline.text().map_err(|error| output.error(error))?;
        Ok((report, write_whole(Some(output), |out| out.write_all(text.as_bytes()))?))
    }

    fn not_checked(&self, candidates: &[Candidate]) -> Vec<NotChecked> {
        let checked: Vec<Foreign> = candidates.iter().map(|one| key(&one.file)).collect();
        let others = self.baseline.entries.keys().filter(|scenario| !checked.contains(scenario));
        let not_checked =
            |scenario: &Foreign| NotChecked { gone: !Path::new(scenario.raw()).exists(), scenario: scenario.clone() };
        others.map(not_checked).collect()
    }

    /// The baseline entry that this scenario replaces: same bytes, and its file no longer exists.
    fn renamed(&self, one: &Candidate) -> Option<Foreign> {
        let key = key(&one.file);
        let gone = |name: &Foreign, entry: &Entry| entry.hash == one.scenario.hash && !Path::new(name.raw()).exists();
        let mut same = self.baseline.entries.iter().filter(|(name, entry)| **name != key && gone(name, entry));
        same.next().map(|(name, _)| name.clone())
    }

    fn see(&self, one: &Candidate, running: Option<&Running<'_>>) -> Result<Seen, Failure> {
        let entry = self.baseline.entries.get(&key(&one.file));
        let mut seen = Seen { result: Err((AgainstBaseline::Skipped, Vec::new())), accepted: None, rollouts: 0 };
        let Some(running) = running else { return Ok(seen) };
        let mut facts = None;
        seen.result = match entry {
            None => Err((AgainstBaseline::New, vec![self.why_new(one)])),
            Some(entry) => match Subject::new(&one.scenario, Some(&entry.policy), entry.seed, entry.replicates) {
                Err(error) => Err((AgainstBaseline::NotRunnable, vec![self.why_not_runnable(one, entry, error)?])),
                Ok(subject) => match running.run(&subject, &one.file)? {
                    None => Err((AgainstBaseline::Unfinished, vec!["the budget of time was over".to_owned()])),
                    Some(log) => {
                        seen.rollouts += log.rows();
                        if self.output.is_some() && self.wants(one) == (entry.seed, entry.replicates) {
                            facts = Some(subject.facts(&log).map_err(scratch_failure)?);
                        }
                        Ok(subject.compare(&log, entry, &one.scenario.environment).map_err(scratch_failure)?)
                    }
                },
            },
        };
        if self.output.is_none() {
            return Ok(seen);
        }
        if facts.is_none() {
            let (seed, replicates) = self.wants(one);
            let subject = Subject::new(&one.scenario, None, seed, replicates)
                .map_err(|error| Failure::from(error).of(&one.file))?;
            if let Some(log) = running.run(&subject, &one.file)? {
                seen.rollouts += log.rows();
                facts = Some(subject.facts(&log).map_err(scratch_failure)?);
            }
        }
        seen.accepted = facts.map(|facts| self.entry(one, facts));
        Ok(seen)
    }

    /// The seed and the number of replicates to accept.
    fn wants(&self, one: &Candidate) -> (u64, u64) {
        let before = self.baseline.entries.get(&key(&one.file)).map(|entry| entry.replicates);
        (one.scenario.seed, self.replicates.or(before).unwrap_or(REPLICATES))
    }

    fn entry(&self, one: &Candidate, versions: BTreeMap<Foreign, VersionFacts>) -> Entry {
        let (seed, replicates) = self.wants(one);
        Entry {
            hash: one.scenario.hash.clone().into(),
            environment: one.scenario.environment.clone().into(),
            seed,
            replicates,
            dryroll: SEMANTICS_VERSION.into(),
            policy: Policy::of(&one.scenario),
            versions,
        }
    }

    fn why_new(&self, one: &Candidate) -> String {
        match (self.renamed(one), self.output.is_some()) {
            (Some(old), false) => {
                format!("it is what {old} was, a file that no longer exists; --accept records it under its new name")
            }
            (Some(old), true) => format!("it is what {old} was, and takes its place"),
            (None, false) => "the baseline does not have it; --accept adds it".to_owned(),
            (None, true) => "it was taken in".to_owned(),
        }
    }

    /// Why the accepted policy cannot run. If the scenario itself cannot run either, that is an error.
    fn why_not_runnable(&self, one: &Candidate, entry: &Entry, error: GridError) -> Result<String, Failure> {
        match Subject::new(&one.scenario, None, entry.seed, entry.replicates) {
            Err(error) => Err(Failure::from(error).of(&one.file)),
            Ok(_) => Ok(format!("the accepted policy cannot be run: {error}; accept it anew with --accept")),
        }
    }
}

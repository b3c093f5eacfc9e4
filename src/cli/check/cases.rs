//! The files under the paths of a check: scenarios with rules, scenarios without rules, files that are no scenarios,
//! and wrong files.

use std::io::{self, Write};

use super::Arguments;
use super::baseline::Candidate;
use super::paths::Found;
use crate::cli::output::{Failure, no_grid, standard_output};
use dryroll_report::model::WrongScenario;
use dryroll_report::words::plural;
use dryroll_sim::scenario::{Advice, Advisor, Scenario, ScenarioError, ScenarioText};
use dryroll_sim::text::{Foreign, listed};
use dryroll_study::study::check::{Check, CheckError, RuleWords, Wanted};

/// A scenario with the rules that the filters select.
pub struct Case {
    pub file: Foreign,
    pub text: ScenarioText,
    pub check: Check,
}

/// All files that the paths lead to, by kind.
#[derive(Default)]
pub struct Cases {
    pub wanted: Vec<Case>,
    /// All scenarios, if there is a baseline.
    pub candidates: Vec<Candidate>,
    pub without_rules: Vec<Foreign>,
    /// Files in a folder of scenarios that are not scenarios.
    pub not_scenarios: Vec<Foreign>,
    pub wrong: Vec<WrongScenario>,
    /// Advice about the scenarios without rules.
    pub advice: Vec<Advice>,
    /// The number of rules, selected or not.
    rules: usize,
    /// The number of files that were read as scenarios.
    scenarios: usize,
}

impl Cases {
    /// Reads the files. Reports an error in one file at once, and still reads the others.
    pub fn read(arguments: &Arguments, files: &[Found]) -> Result<Self, Failure> {
        let mut cases = Self::default();
        let mut alone = None;
        for file in files {
            if let Err(failure) = cases.add(arguments, file) {
                let complaint = cases.wrong(file, &failure);
                cases.wrong.push(complaint);
                if files.len() == 1 {
                    alone = Some(failure);
                } else {
                    let _ = failure.report();
                }
            }
        }
        if let Some(failure) = alone {
            return Err(failure);
        }
        if cases.wanted.is_empty() && cases.candidates.is_empty() {
            if let Some(complaint) = cases.complaint() {
                return Err(complaint);
            }
            // With --strict the advice itself is a result.
            if !arguments.strict || cases.advice.is_empty() {
                return Err(Failure::Nothing(cases.why_nothing(arguments)));
            }
        }
        Ok(cases)
    }

    fn add(&mut self, arguments: &Arguments, file: &Found) -> Result<(), Failure> {
        let text = match ScenarioText::load(&file.path) {
            Err(ScenarioError::TooLarge { path, .. } | ScenarioError::Empty { path }) if !file.is_named => {
                self.not_scenarios.push(path);
                return Ok(());
            }
            text => text?,
        };
        if !file.is_named && !text.looks_like_scenario() {
            self.not_scenarios.push(text.file);
            return Ok(());
        }
        let mut scenario = text.scenario()?;
        arguments.policies.take(&mut scenario)?;
        let file = Foreign::from(text.path());
        let filter = arguments.filter.as_ref().map(|text| text.to_lowercase());
        let wanted = |wanted: &Wanted| {
            let of = scenario.expect[wanted.rule].version.unwrap_or(scenario.rollout.target).0;
            let versions = &arguments.versions;
            if !versions.is_empty() && !versions.iter().any(|id| scenario.versions[of].id == id.trim()) {
                return false;
            }
            let called = called(&file, &scenario, *wanted).to_lowercase();
            filter.as_ref().is_none_or(|text| called.contains(text))
        };
        let rules: Vec<Wanted> = Check::all(&scenario).into_iter().filter(wanted).collect();
        let check = (!rules.is_empty()).then(|| Check::of(&scenario, &rules)).transpose();
        let check = check.map_err(|error| match error {
            CheckError::Grid(error) => no_grid(&text, error).of(&file),
            other => Failure::input(other).of(&file),
        })?;
        if arguments.baselines.baseline.is_some() {
            self.candidates.push(Candidate::of(&text, &scenario)?);
        }
        self.scenarios += 1;
        self.rules += scenario.expect.len();
        match check {
            Some(check) => {
                let check = Check { policies: arguments.policies.path().map(Foreign::from), ..check };
                self.wanted.push(Case { file, text, check });
            }
            None if scenario.expect.is_empty() => {
                if filter.is_none() {
                    let mut advisor = Advisor::new(&text);
                    advisor.read(&scenario);
                    self.advice.extend(advisor.finish());
                }
                self.without_rules.push(file);
            }
            None => {}
        }
        Ok(())
    }

    fn wrong(&self, file: &Found, failure: &Failure) -> WrongScenario {
        let first = match failure {
            Failure::Scenario(error) => error.diagnostics().first(),
            _ => None,
        };
        WrongScenario {
            file: dryroll_sim::text::path(&file.path).to_string(),
            line: first.map(dryroll_sim::scenario::Diagnostic::line),
            why: first.map_or_else(|| failure.says(), |first| first.message().to_owned()),
        }
    }

    /// The error of a check in which a scenario is wrong.
    pub fn complaint(&self) -> Option<Failure> {
        let wrong = self.wrong.len() as u64;
        let others = self.scenarios as u64;
        (wrong > 0).then(|| {
            let wrong = plural(wrong, "scenario is wrong", "scenarios are wrong");
            let others = match others {
                0 => "there is no other".to_owned(),
                1 => "the other one was checked".to_owned(),
                _ => format!("the other {others} were checked"),
            };
            Failure::Input(anyhow::anyhow!("{wrong}; {others}"))
        })
    }

    fn why_nothing(&self, arguments: &Arguments) -> anyhow::Error {
        let shown = || arguments.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        match (&arguments.filter, self.scenarios, self.rules) {
            (_, 0, _) => match self.not_scenarios.as_slice() {
                [] => anyhow::anyhow!("no scenario: no .toml or .json file is in {}", shown()),
                some => anyhow::anyhow!("no scenario is in {}: {} not one", shown(), are(some)),
            },
            (Some(text), _, 1..) => anyhow::anyhow!(
                "no rule: none of {} has `{text}` in it; --list without --filter shows them all",
                self.rules
            ),
            (_, 1, _) => anyhow::anyhow!("no rule: {} has no [[expect]]; add one to say what must hold", shown()),
            (_, many, _) => anyhow::anyhow!("no rule: none of the {many} scenarios has an [[expect]]"),
        }
    }

    /// Lists the rules.
    pub fn list(&self) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(anstream::stdout());
        let mut tell = || {
            for Case { file, check, .. } in &self.wanted {
                for rule in &check.rules {
                    let version = &check.cells.scenarios[rule.cell].target().id;
                    let with = check.cells.name(rule.cell).map(|name| format!(" with {name}")).unwrap_or_default();
                    writeln!(out, "{file}: {version}{with}: {}", RuleWords::of(&rule.spec))?;
                }
            }
            out.flush()
        };
        standard_output(tell())
    }
}

fn are(files: &[Foreign]) -> String {
    match files {
        [one] => format!("{one} is"),
        many => format!("{} are", listed(many)),
    }
}

/// The name of a rule: its file, its version with a named policy, and its text.
fn called(file: &Foreign, scenario: &Scenario, wanted: Wanted) -> String {
    let spec = &scenario.expect[wanted.rule];
    let version = &scenario.versions[spec.version.unwrap_or(scenario.rollout.target).0].id;
    let with = wanted.policy.map(|policy| format!(" with {}", scenario.policies[policy].name)).unwrap_or_default();
    format!("{file}: {version}{with}: {}", RuleWords::of(spec))
}

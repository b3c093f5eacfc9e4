//! A check report from what was found.

use crate::judge::conditional::beside;
use crate::model::ScenarioRef;
use crate::model::check::{CheckReport, CheckedRule, CheckedScenario, IdleFault, Status};
use crate::words::replay::{self, Changes};
use crate::words::{NOTHING, Unit, plural};
use dryroll_sim::scenario::{Advisor, Demand, EventDemand, ExpectSpec, Expected, ScenarioText, passed_on_stalled};
use dryroll_sim::text::Foreign;
use dryroll_study::study::check::{Check, Checked, Doubt, Finding, Kind, Rule, RuleWords, Verdict, kind};
use dryroll_study::study::tune::limits::bound_says;

impl CheckReport {
    /// Takes advice about a scenario: before any run, and on rules that passed on replicates that stalled.
    pub fn advise(&mut self, text: &ScenarioText, check: &Check, checked: &Checked) {
        let mut advisor = Advisor::new(text);
        let own = check.cells.scenarios.iter().any(|one| one.rollout.target == check.scenario.rollout.target);
        let own = (!own).then_some(&check.scenario);
        let unnamed = check.cells.scenarios.iter().enumerate().filter(|(cell, _)| check.cells.name(*cell).is_none());
        unnamed.map(|(_, scenario)| scenario).chain(own).for_each(|scenario| advisor.read(scenario));
        let passed = check.rules.iter().zip(&checked.rules).filter(|(_, found)| found.verdict == Verdict::Passed);
        for (rule, found) in passed {
            let says = RuleWords::of(&rule.spec).to_string();
            advisor.add(passed_on_stalled(&check.scenario, &rule.spec, &says, found.stalled, found.of));
        }
        self.advice.extend(advisor.finish());
    }

    /// Adds a scenario. `file` is its path on the command line.
    pub fn add(&mut self, file: &str, check: &Check, checked: &Checked) {
        let rules = check.rules.iter().zip(&checked.rules);
        let rules: Vec<CheckedRule> = rules.map(|(rule, finding)| checked_rule(file, check, rule, finding)).collect();
        for rule in &rules {
            let count = match rule.status {
                Status::Passed => &mut self.counts.passed,
                Status::Failed => &mut self.counts.failed,
                Status::Undecided => &mut self.counts.undecided,
                Status::Skipped => &mut self.counts.skipped,
            };
            *count += 1;
        }
        let scenario = &check.scenario;
        let idle_faults = checked.idle_faults.iter().map(|&fault| IdleFault {
            fault,
            kind: scenario.faults.get(fault).map_or("", |fault| fault.kind.name()).to_owned(),
            replay: check
                .replicate_of_idle_fault()
                .map(|(cell, replicate)| command(file, check, cell, replicate).into()),
        });
        let idle_faults: Vec<IdleFault> = idle_faults.collect();
        let passed = idle_faults.is_empty() && rules.iter().all(|rule| rule.status == Status::Passed);
        self.rollouts += checked.rollouts;
        self.scenarios.push(CheckedScenario {
            file: file.into(),
            scenario: ScenarioRef::of(scenario),
            seed: scenario.seed,
            passed,
            rules,
            idle_faults,
            warnings: warnings(check),
        });
        self.passed = self.scenarios.iter().all(|scenario| scenario.passed);
    }
}

fn command(file: &str, check: &Check, cell: usize, replicate: u64) -> String {
    let changes = Changes {
        policy: check.cells.name(cell).map(Foreign::raw),
        policies: check.policies.as_ref().map(Foreign::raw),
        settings: Vec::new(),
    };
    replay::command(file, check.scenario.seed, check.cells.scenarios[cell].target().id.raw(), &changes, replicate)
}

/// Of a version of which nothing is rolled out, estimates say little.
fn warnings(check: &Check) -> Vec<String> {
    let of_cell = |cell: usize| {
        let estimated = |rule: &Rule| rule.cell == cell && kind(&rule.spec) == Kind::Estimated;
        let why = check.cells.compiled[cell].rolls_nothing_out().filter(|_| check.rules.iter().any(estimated))?;
        let with = check.cells.name(cell).map(|name| format!(" with policy {name}")).unwrap_or_default();
        Some(format!("nothing of {} is rolled out{with}: {why}", check.cells.scenarios[cell].target().id))
    };
    (0..check.cells.compiled.len()).filter_map(of_cell).collect()
}

fn checked_rule(file: &str, check: &Check, rule: &Rule, finding: &Finding) -> CheckedRule {
    let words = RuleWords::of(&rule.spec);
    let (measure, unit) = measured(&rule.spec);
    let (status, why) = match finding.verdict {
        Verdict::Passed => (Status::Passed, None),
        Verdict::Failed => (Status::Failed, None),
        Verdict::Undecided(doubt) => (Status::Undecided, Some(why(doubt, finding))),
        Verdict::Skipped => (Status::Skipped, Some("another rule had failed".to_owned())),
    };
    CheckedRule {
        says: words.to_string(),
        limit: limit(&rule.spec, unit).unwrap_or(words.limit),
        bound: bound(&rule.spec),
        about: words.about,
        replicates: words.replicates,
        line: rule.spec.line,
        version: check.cells.scenarios[rule.cell].target().id.clone(),
        policy: check.cells.name(rule.cell).cloned(),
        status,
        why,
        observed_says: observed(finding.observed.as_ref(), unit, bound(&rule.spec))
            + &beside(&measure, finding.n, finding.of),
        measure,
        observed: finding.observed.clone(),
        interval: finding.interval,
        exact: finding.exact,
        interval_says: match (finding.exact, finding.interval) {
            (Some(exact), _) => format!("exact: {}", against(unit, exact, bound(&rule.spec))),
            (None, Some(interval)) => unit.say_interval_against(Some(interval), bound(&rule.spec)),
            (None, None) => String::new(),
        },
        confidence: finding.confidence,
        n: finding.n,
        replay: finding.worst.map(|replicate| command(file, check, rule.cell, replicate).into()),
    }
}

/// The name of what is measured, and its unit.
fn measured(spec: &ExpectSpec) -> (String, Unit) {
    match &spec.demand {
        Demand::Limit(limit) => (limit.metric.name().to_owned(), Unit::of(limit.metric.name())),
        Demand::Event { event, demand, .. } => {
            let unit = if let EventDemand::Times(_) = demand { Unit::Count } else { Unit::Seconds };
            (event.name().to_owned(), unit)
        }
    }
}

/// The limit of a metric or a rate, with its unit.
fn limit(spec: &ExpectSpec, unit: Unit) -> Option<String> {
    let Demand::Limit(limit) = &spec.demand else { return None };
    Some(bound_says(&limit.bound, |&number| unit.say_against(number, number)))
}

/// The number that a metric or a rate is held against.
fn bound(spec: &ExpectSpec) -> Option<f64> {
    let Demand::Limit(limit) = &spec.demand else { return None };
    limit.bound.number()
}

fn against(unit: Unit, value: f64, bound: Option<f64>) -> String {
    bound.map_or_else(|| unit.say(value), |bound| unit.say_against(value, bound))
}

fn observed(seen: Option<&Expected>, unit: Unit, bound: Option<f64>) -> String {
    match seen {
        None => NOTHING.to_owned(),
        Some(Expected::Number(number)) => against(unit, *number, bound),
        Some(Expected::Text(text)) => text.clone(),
        Some(Expected::Truth(truth)) => truth.to_string(),
    }
}

fn why(doubt: Doubt, finding: &Finding) -> String {
    match doubt {
        Doubt::WithinInterval => {
            format!(
                "the limit lies within the interval after {}; allow more with --max-replicates",
                plural(finding.n, "replicate", "replicates")
            )
        }
        Doubt::NoInterval => {
            format!(
                "{} too few for an interval; allow more with --max-replicates",
                plural(finding.n, "replicate is", "replicates are")
            )
        }
        Doubt::NothingMeasured => "no replicate has a value of this metric".to_owned(),
        Doubt::TooManyWorlds => "the rule is about more replicates than --max-replicates allows".to_owned(),
        Doubt::OutOfTime => "the time budget ended before the decision".to_owned(),
    }
}

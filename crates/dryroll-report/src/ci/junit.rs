//! A check as JUnit XML: a suite for each scenario, a case for each rule and for each fault that touched nothing; one
//! for scenarios that are wrong, and with `--strict` one for advice; and one for each scenario against a baseline, with
//! a case for where it stands and one for each fact that was compared.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::model::{
    AgainstBaseline, BaselineScenario, CheckReport, CheckedRule, CheckedScenario, ComparedFact, Status,
};
use crate::svg::drawing::xml;
use dryroll_sim::text::{Foreign, escaped, one_line};
use dryroll_study::study::baseline::contrast::{Cause, Verdict};

/// Writes it. It has no times: the same check gives the same bytes.
///
/// # Errors
/// When writing fails.
pub fn write(out: &mut impl Write, check: &CheckReport) -> io::Result<()> {
    let mut report = Report::new("dryroll check");
    report.add_test_suites(check.scenarios.iter().map(suite));
    report.add_test_suites(about_files(check));
    let baseline = check.baseline.iter().flat_map(|baseline| &baseline.scenarios);
    report.add_test_suites(baseline.map(against));
    let text = report.to_string().map_err(io::Error::other)?;
    // The lines are the document's own; nothing else in it acts, and XML knows every letter.
    let lines = text.split('\n').map(escaped).collect::<Vec<_>>().join("\n");
    out.write_all(xml(&lines).as_bytes())
}

/// The command that shows it, where there is one.
fn described(replay: &Option<Foreign>) -> String {
    replay.as_ref().map(Foreign::to_string).unwrap_or_default()
}

/// What is wrong with files, and with `--strict` the advice about them: a suite each.
fn about_files(check: &CheckReport) -> Vec<TestSuite> {
    let case = |file: &str, line: Option<usize>, name: String, kind: &str, says: String| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(kind).set_message(says);
        let mut case = TestCase::new(name, status);
        case.set_classname(file);
        case.extra.insert("file".into(), file.into());
        if let Some(line) = line {
            case.extra.insert("line".into(), line.to_string().into());
        }
        case
    };
    let mut suites = Vec::new();
    if !check.wrong.is_empty() {
        let mut suite = TestSuite::new("scenarios that are wrong");
        let name = |file: &str| format!("{file} is a scenario");
        let cases = check.wrong.iter().map(|one| case(&one.file, one.line, name(&one.file), "wrong", one.why.clone()));
        suite.add_test_cases(cases);
        suites.push(suite);
    }
    if check.strict && !check.advice.is_empty() {
        let mut suite = TestSuite::new("advice");
        let cases = check.advice.iter().map(|one| {
            let name = format!("{} is free of {}", one.path, one.code.name());
            case(&one.path, one.line, name, "advice", one.in_a_sentence())
        });
        suite.add_test_cases(cases);
        suites.push(suite);
    }
    suites
}

fn suite(scenario: &CheckedScenario) -> TestSuite {
    let mut suite = TestSuite::new(scenario.file.to_string());
    for rule in &scenario.rules {
        let mut case = TestCase::new(one_line(&format!("{}: {}", rule.rolled_out(), rule.says)), status(rule));
        case.set_classname(scenario.file.to_string());
        case.extra.insert("file".into(), scenario.file.to_string().into());
        case.extra.insert("line".into(), rule.line.to_string().into());
        suite.add_test_case(case);
    }
    for fault in &scenario.idle_faults {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("failed").set_message(one_line(&fault.says()));
        status.set_description(described(&fault.replay));
        let mut case = TestCase::new(format!("fault {} ({}) does something", fault.fault, fault.kind), status);
        case.set_classname(scenario.file.to_string());
        suite.add_test_case(case);
    }
    suite
}

fn against(scenario: &BaselineScenario) -> TestSuite {
    let mut suite = TestSuite::new(format!("{} against the baseline", scenario.file));
    let status = match scenario.standing {
        AgainstBaseline::Unchanged | AgainstBaseline::Compared => TestCaseStatus::success(),
        AgainstBaseline::New
        | AgainstBaseline::ScenarioChanged
        | AgainstBaseline::NotRunnable
        | AgainstBaseline::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(one_line(&message(scenario)));
            status
        }
        AgainstBaseline::NotTheSameBytes | AgainstBaseline::Unfinished => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(scenario.standing.says()).set_message(one_line(&message(scenario)));
            status
        }
    };
    let cases = std::iter::once(("comparable with the baseline".to_owned(), status));
    let cases = cases.chain(scenario.facts.iter().map(|fact| fact_case(fact, scenario)));
    for (name, status) in cases {
        let mut case = TestCase::new(one_line(&name), status);
        case.set_classname(scenario.file.to_string());
        case.extra.insert("file".into(), scenario.file.to_string().into());
        case.extra.insert("line".into(), scenario.line.to_string().into());
        suite.add_test_case(case);
    }
    suite
}

fn message(scenario: &BaselineScenario) -> String {
    format!("{}: {}", scenario.standing.says(), scenario.notes.join("; "))
}

fn fact_case(fact: &ComparedFact, scenario: &BaselineScenario) -> (String, TestCaseStatus) {
    let by = if fact.changed == Cause::Engine { " with this engine" } else { "" };
    let name = format!("{}: {}{by} is no worse than accepted", fact.version, fact.metric);
    if fact.verdict != Verdict::Worse {
        return (name, TestCaseStatus::success());
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type("worse").set_message(one_line(&fact.in_a_sentence()));
    status.set_description(described(&scenario.replay));
    (name, status)
}

fn status(rule: &CheckedRule) -> TestCaseStatus {
    match rule.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(one_line(rule.why.as_deref().unwrap_or_default()));
            status
        }
        Status::Failed | Status::Undecided => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(rule.status.name()).set_message(one_line(&rule.in_a_sentence()));
            status.set_description(described(&rule.replay));
            status
        }
    }
}

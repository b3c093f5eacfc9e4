//! The page of a check: its rules, what failed and how to see it, and what became of the baseline.

use maud::{Markup, html};

use crate::html::layout::{Page, Section, figure, open, safe};
use crate::html::provenance::{advice, replicates, warnings};
use crate::model::{BaselineReport, BaselineScenario, CheckReport, CheckedScenario, Status};
use crate::svg::margins::margins;
use crate::svg::{Plot, Table};
use crate::words::baseline::{COLUMNS, LISTED, conditions, others, policy_change};
use crate::words::check::{sign, verdict};
use crate::words::{Unit, number};

/// The plots of a check.
#[must_use]
pub fn plots(report: &CheckReport) -> Vec<Plot> {
    margins(report).into_iter().collect()
}

/// The page of a check.
#[must_use]
pub fn page<'a>(report: &'a CheckReport, plots: &[Plot]) -> Page<'a> {
    let counts = &report.counts;
    let figures = [
        ("scenarios", report.scenarios.len() as u64),
        ("rules passed", counts.passed),
        ("failed", counts.failed),
        ("undecided", counts.undecided),
    ];
    let headline = std::iter::once(("check".to_owned(), if report.passed { "passed" } else { "failed" }.to_owned()))
        .chain(figures.map(|(what, count)| (what.to_owned(), number(count as f64))))
        .collect();
    let sections = vec![
        Section {
            id: "rules",
            heading: "The rules",
            body: html! {
                @for plot in plots { (figure(plot)) }
                @for scenario in report.scenarios.iter().filter(|scenario| !scenario.rules.is_empty()) { div class="text" { (open(&rules(scenario))) } }
            },
        },
        Section { id: "failures", heading: "What did not pass, and how to see it", body: failures(report) },
        advice(&report.advice),
        Section {
            id: "baseline",
            heading: "Against the baseline",
            body: report.baseline.as_ref().map_or_else(Markup::default, conflicts),
        },
        Section {
            id: "warnings",
            heading: "Warnings",
            body: warnings(&wrong(report).chain(report.scenarios.iter().flat_map(warned)).collect::<Vec<_>>()),
        },
        Section {
            id: "provenance",
            heading: "Where this comes from",
            body: html! { div class="text" { (open(&provenance(report))) } },
        },
    ];
    Page { title: "Rules for rollouts".into(), kind: "A check", headline, findings: vec![verdict(report)], sections }
}

fn rules(scenario: &CheckedScenario) -> Table {
    let caption = format!("{} ({})", scenario.file, scenario.scenario.name);
    let mut table =
        Table::new(caption, &["rule", "version"], &["became", "observed", "limit", "interval", "replicates"]);
    for rule in &scenario.rules {
        table.row([
            format!("{} {}", rule.about, rule.replicates).trim_end().to_owned(),
            rule.rolled_out(),
            format!("{} {}", sign(rule.status), rule.status.name()),
            rule.observed_says.clone(),
            rule.limit.clone(),
            rule.interval_says.clone(),
            number(rule.n as f64),
        ]);
    }
    table
}

fn failures(report: &CheckReport) -> Markup {
    let mut listed = Vec::new();
    for scenario in &report.scenarios {
        let rules = scenario.rules.iter().filter(|rule| rule.status != Status::Passed);
        let rules = rules.filter(|rule| rule.replay.is_some() || rule.why.is_some());
        let rules = rules.map(|rule| (rule.in_a_sentence(), &rule.replay));
        let faults = scenario.idle_faults.iter().map(|fault| (fault.says(), &fault.replay));
        let said = |(says, replay): (String, &'_ Option<dryroll_sim::text::Foreign>)| {
            (format!("{}: {says}", scenario.file), replay.as_ref().map(ToString::to_string))
        };
        listed.extend(rules.chain(faults).map(said));
    }
    let listed: Vec<(String, Vec<&str>)> =
        listed.iter().map(|(says, replay)| (says.clone(), replay.iter().map(String::as_str).collect())).collect();
    replicates(&listed)
}

fn conflicts(baseline: &BaselineReport) -> Markup {
    html! {
        p { (safe(&baseline.verdict())) }
        @for scenario in &baseline.scenarios {
            h3 { (safe(scenario.file.raw())) }
            p { (safe(&standing(scenario))) }
            (open(&facts(scenario)))
            (warnings(&conditions(scenario).collect::<Vec<_>>()))
            (warnings(&scenario.notes))
            @if let Some(replay) = &scenario.replay { (replicates(&[("Both policies on the same replicates".to_owned(), vec![replay.raw()])])) }
        }
    }
}

fn standing(scenario: &BaselineScenario) -> String {
    let change = policy_change(scenario);
    let change = if change.is_empty() { String::new() } else { format!(" [rollout] {change}.") };
    let others = others(scenario);
    let others = if others.is_empty() { String::new() } else { format!(" {others}.") };
    format!("{}.{change}{others}", scenario.in_a_line())
}

/// The listed facts, worst first.
fn facts(scenario: &BaselineScenario) -> Table {
    let [verdict, metric, version, rest @ ..] = COLUMNS;
    debug_assert!(verdict.is_empty());
    let columns: Vec<&str> = std::iter::once("became").chain(rest).collect();
    let mut table = Table::new("What got better and worse", &[metric, version], &columns);
    for fact in LISTED.into_iter().flat_map(|verdict| scenario.of(verdict)) {
        let [verdict, metric, version, rest @ ..] = fact.cells();
        table.row([metric, version, verdict].into_iter().chain(rest));
    }
    table
}

/// Scenarios of which nothing was checked.
fn wrong(report: &CheckReport) -> impl Iterator<Item = String> {
    report.wrong.iter().map(|one| format!("{} is wrong, and none of its rules was checked: {}", one.file, one.why))
}

fn warned(scenario: &CheckedScenario) -> impl Iterator<Item = String> {
    scenario.warnings.iter().map(|warning| format!("{}: {warning}", scenario.file))
}

fn provenance(report: &CheckReport) -> Table {
    let mut table = Table::new("The same scenarios give the same numbers on every machine", &["what"], &["value"]);
    let mut row = |what: &str, value: String| table.row([what.to_owned(), value]);
    row("the command that makes this report again", report.command.to_string());
    for scenario in &report.scenarios {
        row(&format!("hash of {} (SHA-256)", scenario.file), scenario.scenario.hash.to_string());
    }
    row("rollouts", number(report.rollouts as f64));
    row("confidence of all decisions together", Unit::Share.say(report.confidence));
    row("schema of the report", report.schema.to_string());
    table
}

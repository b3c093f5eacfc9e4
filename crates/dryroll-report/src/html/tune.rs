//! The page of a tuning.

mod front;
mod history;
mod tables;

use maud::html;

use crate::html::layout::{Page, Section, figure, numbers, open, safe};
use crate::html::policies::Policies;
use crate::html::provenance::{Provenance, advice, warnings};
use crate::model::{Named, TuneReport};
use crate::svg::Plot;
use crate::words::{Unit, called, number, plural};
use dryroll_sim::text::listed;
use history::open_questions;
use tables::{candidates, hints, limits, list, sensitivity};

pub use front::plots;

fn names(report: &TuneReport) -> Policies {
    let front = report.front.iter().map(|point| &point.policy);
    Policies::of(report.candidates.iter().map(|candidate| &candidate.policy).chain(front))
}

/// The page of a tuning.
#[must_use]
pub fn page<'a>(report: &'a TuneReport, plots: &[Plot]) -> Page<'a> {
    let names = names(report);
    let unit = Unit::of_metric(report.minimise);
    let answer = report.recommended.as_ref().map_or_else(|| "no policy".to_owned(), |found| names.long(&found.policy));
    let mut headline = vec![("recommended".to_owned(), answer)];
    if let Some(found) = &report.recommended {
        headline.push((called(report.minimise.name()), found.evidence.objective.says(unit)));
        headline.push(("blast radius".to_owned(), found.evidence.blast_radius_pct.says(Unit::Percent)));
        headline.push(("harmed".to_owned(), found.evidence.harmed_pct.says(Unit::Percent)));
    }
    let mut findings = vec![report.says.clone(), decided(report)];
    findings.extend(report.binding.clone());
    findings.push(goal(report));
    findings.extend(beside_the_answer(report));
    findings.extend(report.spread.iter().map(|spread| spread.says.clone()));
    findings.extend(report.spread_notes.clone());
    let sections = vec![
        Section {
            id: "evidence",
            heading: "Why this one",
            body: html! { @if let Some(found) = &report.recommended { (open(&limits(&found.evidence))) } },
        },
        Section { id: "open", heading: "What the history leaves open", body: open_questions(report, &names) },
        Section { id: "warnings", heading: "Warnings", body: warnings(&report.warnings) },
        advice(&report.advice),
        Section { id: "front", heading: "Fast against safe", body: html! { @for plot in plots { (figure(plot)) } } },
        Section { id: "as-good", heading: "As good", body: list(&report.as_good, &names) },
        Section { id: "undecided", heading: "Undecided", body: list(&report.undecided, &names) },
        Section {
            id: "candidates",
            heading: "Every policy",
            body: html! { div class="text" { (numbers(&candidates(report, &names))) } },
        },
        Section {
            id: "sensitivity",
            heading: "With other failure rates",
            body: html! {
                @if let Some(keeps) = &report.keeps { p { (safe(&keeps.says)) } }
                div class="text" { (open(&sensitivity(report, &names))) }
            },
        },
        Section {
            id: "hints",
            heading: "What other rules could do",
            body: html! {
                @for hint in &report.hints { p { (safe(&hint.says)) } }
                @if let Some(says) = &report.hints_say { p { (safe(&sentence(says))) } }
                (open(&hints(report)))
            },
        },
        Provenance {
            scenario: &report.scenario,
            schema: report.schema.raw(),
            command: report.command.raw(),
            seed: report.seed,
            replicates: Some(report.replicates),
            confidence: Some(report.confidence),
            more: vec![
                ("rollouts in all", number(report.rollouts as f64)),
                ("tolerance", Unit::Share.say(report.tolerance)),
                ("tolerance of a limit", Unit::Share.say_or_nothing(report.limit_tolerance)),
                ("least share of good rollouts that complete", Unit::Share.say_or_nothing(report.min_completed)),
            ],
        }
        .section(),
    ];
    Page { title: report.scenario.name.raw().into(), kind: "The search for a policy", headline, findings, sections }
}

/// With a large letter first and a full stop last.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

fn goal(report: &TuneReport) -> String {
    let limits: Vec<String> = report
        .limits
        .iter()
        .map(|limit| {
            if limit.versions.is_empty() {
                limit.says.clone()
            } else {
                format!("{} for {}", limit.says, listed(&limit.versions))
            }
        })
        .collect();
    let within = if limits.is_empty() {
        "without limits".to_owned()
    } else {
        format!("within the limits {}", limits.join("; "))
    };
    format!("Goal: the least {} with {}, {within}.", called(report.minimise.name()), report.good)
}

/// What the search decided, and what it did not.
fn decided(report: &TuneReport) -> String {
    match (report.recommended.is_some(), report.decided) {
        (true, true) => format!(
            "This is decided: its limits surely hold, and no other policy within the limits is better by more than {}.",
            Unit::Share.say(report.tolerance)
        ),
        (true, false) => {
            "Its limits surely hold; whether another policy within the limits is better is not decided.".to_owned()
        }
        (false, true) => "This is decided: no policy of the grid can be recommended.".to_owned(),
        (false, false) => "For some policies it is undecided whether they meet the limits.".to_owned(),
    }
}

/// Which policies are as good as the answer, and which are undecided.
fn beside_the_answer(report: &TuneReport) -> Vec<String> {
    let count = |policies: &[Named]| policies.len() as u64;
    let mut said = Vec::new();
    if !report.as_good.is_empty() {
        said.push(format!(
            "{} the limits and {} as good as the answer, within {}.",
            plural(count(&report.as_good), "other policy meets", "other policies meet"),
            if count(&report.as_good) == 1 { "is" } else { "are" },
            Unit::Share.say(report.tolerance)
        ));
    }
    if !report.undecided.is_empty() {
        said.push(format!(
            "{} undecided: no clear difference from the answer, or a limit that is undecided.",
            plural(count(&report.undecided), "policy is", "policies are")
        ));
    }
    said
}

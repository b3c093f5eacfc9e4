//! The page of a comparison.

use maud::html;
use serde_json::Value;

use crate::html::layout::{Page, Section, figure};
use crate::html::policies::Policies;
use crate::html::provenance::{Provenance, advice, replicates, warnings};
use crate::judge::better::Better;
use crate::model::{CompareReport, Comparison};
use crate::svg::compare::differences;
use crate::svg::distribution::{Distributions, Panel};
use crate::svg::{Plot, Table};
use crate::words::{Unit, called, number, plural};
use dryroll_sim::scenario::{Measure, Metric};
use dryroll_study::study::Policy;

/// The plots of a comparison.
#[must_use]
pub fn plots(report: &CompareReport) -> Vec<Plot> {
    let mut plots: Vec<Plot> =
        report.comparisons.iter().take(12).enumerate().filter_map(|(i, one)| differences(one, i)).collect();
    let mut metrics: Vec<Metric> = Vec::new();
    for histogram in report.comparisons.iter().flat_map(|one| &one.distributions) {
        if !metrics.contains(&histogram.metric) && metrics.len() < 12 {
            metrics.push(histogram.metric);
        }
    }
    for metric in metrics {
        let panels = report.comparisons.iter().flat_map(|one| {
            let mean = one
                .metrics
                .iter()
                .find(|contrast| contrast.metric == Measure::Metric(metric))
                .and_then(|found| found.difference);
            let of_it = one.distributions.iter().filter(|histogram| histogram.metric == metric);
            of_it.map(move |histogram| Panel {
                title: one.version.to_string(),
                histogram,
                mean,
                defective: one.defective,
            })
        });
        let plot = Distributions {
            title: format!("Replicate by replicate: {}, B less A", called(metric.name())),
            metric,
            differences: true,
            reading: "Share of the replicates by the difference that B makes in them. Left of zero B has less of it, \
             right of zero more. The dark line is the mean."
                .to_owned(),
            panels: panels.collect(),
        };
        plots.extend(plot.draw());
    }
    plots
}

/// The page of a comparison.
#[must_use]
pub fn page<'a>(report: &'a CompareReport, plots: &[Plot]) -> Page<'a> {
    let names = Policies::of(&report.policies);
    let headline = vec![
        ("policy A".to_owned(), names.long(&report.policies[0])),
        ("policy B".to_owned(), names.long(&report.policies[1])),
        ("replicates that both met".to_owned(), number(report.replicates as f64)),
    ];
    let named = |is_paired: bool| {
        plots.iter().filter(move |plot| plot.title.starts_with("Replicate by replicate") == is_paired)
    };
    let listed: Vec<(String, Vec<&str>)> = report
        .comparisons
        .iter()
        .flat_map(|one| {
            one.replicates.iter().take(12).map(move |replicate| {
                let unit = Unit::of_metric(replicate.metric);
                let said = format!(
                    "{}, replicate {}: {} of {} with A, {} with B",
                    one.version,
                    replicate.replicate,
                    called(replicate.metric.name()),
                    unit.say(replicate.a),
                    unit.say(replicate.b)
                );
                (said, replicate.commands.iter().map(String::as_str).collect())
            })
        })
        .collect();
    let sections = vec![
        Section {
            id: "differences",
            heading: "What changes",
            body: html! { @for plot in named(false) { (figure(plot)) } },
        },
        Section {
            id: "replicates",
            heading: "Replicate by replicate",
            body: html! { @for plot in named(true) { (figure(plot)) } },
        },
        Section { id: "worst", heading: "Where they differ most", body: replicates(&listed) },
        advice(&report.advice),
        Section { id: "warnings", heading: "Warnings", body: warnings(&report.warnings) },
        Section {
            id: "policies",
            heading: "The policies",
            body: html! { div class="text" { (policies(report).html()) } },
        },
        Provenance {
            scenario: &report.scenario,
            schema: report.schema.raw(),
            command: report.command.raw(),
            seed: report.seed,
            replicates: Some(report.replicates),
            confidence: Some(report.confidence),
            more: Vec::new(),
        }
        .section(),
    ];
    Page {
        title: report.scenario.name.raw().into(),
        kind: "Two policies on the same replicates",
        headline,
        findings: findings(report, &names),
        sections,
    }
}

fn findings(report: &CompareReport, names: &Policies) -> Vec<String> {
    let [a, b] = &report.policies;
    let mut said = vec![format!(
        "A is {}. B is {}. Both met the same {}, so chance weighs less on their differences.",
        names.long(a),
        names.long(b),
        plural(report.replicates, "replicate", "replicates")
    )];
    said.extend(report.warnings.iter().map(|warning| {
        let mut letters = warning.chars();
        letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
    }));
    for one in &report.comparisons {
        let list = |wanted: Better| {
            let found = one.metrics.iter().filter(|contrast| Better::of(contrast, one.defective) == wanted);
            let words: Vec<String> = found
                .take(4)
                .filter_map(|contrast| {
                    let difference = contrast.exact.or(contrast.difference)?;
                    let exactly = if contrast.exact.is_some() { ", exactly" } else { "" };
                    Some(format!(
                        "{} ({}{exactly})",
                        called(contrast.metric.name()),
                        Unit::of_measure(contrast.metric).say_difference(difference)
                    ))
                })
                .collect();
            words.join(", ")
        };
        let (better_a, better_b) = (list(Better::A), list(Better::B));
        let defective = if one.defective { " (defective)" } else { "" };
        let sentence = match (better_a.is_empty(), better_b.is_empty()) {
            (true, true) => "no difference is decided".to_owned(),
            (false, true) => format!("A is better in {better_a}; B in nothing"),
            (true, false) => format!("B is better in {better_b}; A in nothing"),
            (false, false) => format!("A is better in {better_a}; B is better in {better_b}"),
        };
        let named = |which: Better, says: &str| {
            let all = one.metrics.iter().filter(|contrast| Better::of(contrast, one.defective) == which);
            let all: Vec<String> = all.map(|contrast| called(contrast.metric.name())).collect();
            if all.is_empty() { String::new() } else { format!("; the same {says}: {}", all.join(", ")) }
        };
        let short = |which: Better, letter: &str, why: &str| {
            let all = one.metrics.iter().filter(|contrast| Better::of(contrast, one.defective) == which);
            let all: Vec<String> = all.take(4).map(|contrast| called(contrast.metric.name())).collect();
            match all.is_empty() {
                true => String::new(),
                false => format!("; {letter} is not better for {why}: {}", all.join(", ")),
            }
        };
        let (stopping, breaker) = ("stopping good rollouts", "a breaker that never trips");
        let stops = short(Better::AStops, "A", stopping)
            + &short(Better::BStops, "B", stopping)
            + &short(Better::ANeverTrips, "A", breaker)
            + &short(Better::BNeverTrips, "B", breaker);
        let ties =
            stops + &named(Better::Same, "in every replicate that was met") + &named(Better::Alike, "on average");
        said.push(format!("With {}{defective}, {sentence}{ties}. Differences are B less A.", one.version));
        said.extend(not_compared(one));
    }
    said
}

/// The metrics that only some rollouts have, each with how many, where that keeps the two from being compared.
fn not_compared(one: &Comparison) -> Option<String> {
    let left_out = one.metrics.iter().filter(|contrast| Better::of(contrast, one.defective) == Better::NotCompared);
    let said: Vec<String> = left_out
        .filter_map(|contrast| {
            Some(format!("{}: {}", called(contrast.metric.name()), contrast.conditional.as_ref()?.says))
        })
        .collect();
    (!said.is_empty()).then(|| format!("Not compared with {}: {}.", one.version, said.join(". ")))
}

fn policies(report: &CompareReport) -> Table {
    let mut table = Table::new("Every parameter of both", &["parameter"], &["A", "B"]);
    let [a, b] = report.policies.each_ref().map(Policy::values);
    let always = |key: &str| key != "order" || a.get(key) != b.get(key);
    for (key, value) in a.iter().filter(|(key, _)| always(key)) {
        let other = b.get(key).unwrap_or(&Value::Null);
        table.row([
            crate::html::policies::name(key),
            crate::html::policies::says(key, value),
            crate::html::policies::says(key, other),
        ]);
    }
    table
}

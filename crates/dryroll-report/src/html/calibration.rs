//! The page of a calibration.

use dryroll_sim::text::listed;
use maud::html;

use crate::html::layout::{Page, Section, figure, open, safe};
use crate::html::provenance::warnings;
use crate::model::calibration::{CalibrationReport, DurationReport, VersionReport};
use crate::scenario_toml::tables;
use crate::svg::goodness::goodness;
use crate::svg::rates::rates;
use crate::svg::{Plot, Table};
use crate::words::calibration::{about, spread};
use crate::words::replay;
use crate::words::{Unit, number, plural};

/// The plots of a calibration.
#[must_use]
pub fn plots(report: &CalibrationReport) -> Vec<Plot> {
    [rates(report), goodness(report)].into_iter().flatten().collect()
}

/// The page of a calibration.
#[must_use]
pub fn page<'a>(report: &'a CalibrationReport, plots: &[Plot]) -> Page<'a> {
    let commands: u64 = report.versions.iter().map(|version| version.commands).sum();
    let headline = vec![
        ("rollouts".to_owned(), number(report.rollouts as f64)),
        ("commands".to_owned(), number(commands as f64)),
        ("versions".to_owned(), number(report.versions.len() as f64)),
    ];
    let named = |name: &str| plots.iter().filter(|plot| plot.name == name).map(figure).collect::<Vec<_>>();
    let sections = vec![
        Section { id: "rates", heading: "Rates", body: html! { @for one in named("rates") { (one) } } },
        Section {
            id: "durations",
            heading: "How long things take",
            body: html! {
                @for one in named("goodness-of-fit") { (one) }
                div class="text" { (open(&durations(report))) }
            },
        },
        Section { id: "warnings", heading: "What the events do not show", body: warnings(&warned(report)) },
        Section {
            id: "tables",
            heading: "The tables of a scenario",
            body: html! {
                p { "With " code { "[fleet]" } " and " code { "[rollout]" } " before them they are a scenario." }
                div class="scroll" role="region" tabindex="0" aria-label="The tables of a scenario" {
                    pre { code { (safe(&tables(report))) } }
                }
            },
        },
        Section {
            id: "provenance",
            heading: "Where this comes from",
            body: html! { div class="text" { (provenance(report).html()) } },
        },
    ];
    Page {
        title: "What real rollouts say".into(),
        kind: "A calibration",
        headline,
        findings: report.versions.iter().map(finding).collect(),
        sections,
    }
}

fn finding(version: &VersionReport) -> String {
    let rate = |hits: u64, n: u64, rate: &crate::model::calibration::RateReport| {
        let differ = spread(rate).map_or_else(String::new, |said| format!("; {said}"));
        let interval = Unit::Share.say_interval(Some(rate.ci));
        format!("{hits} of {n}: {} ({interval}){differ}", Unit::Share.say(rate.estimate))
    };
    let (failure, hang) = (&version.failure_rate, &version.hang_rate);
    format!(
        "{}: {} in {}. Reported failures {}; nothing heard in time {}. Upgrade time: {}.",
        version.version,
        plural(version.commands, "command", "commands"),
        plural(version.rollouts, "rollout", "rollouts"),
        rate(failure.hits, failure.n, failure),
        rate(hang.hits, hang.n, hang),
        about(&version.upgrade_time)
    )
}

fn durations(report: &CalibrationReport) -> Table {
    let columns = ["seen", "without an end", "family", "parameters", "agreement"];
    let mut table = Table::new("What was fitted", &["duration"], &columns);
    for (name, duration) in report.durations() {
        let DurationReport { n, censored, fit, .. } = duration;
        let nothing = || "–".to_owned();
        let parameters = fit.as_ref().map(|fit| {
            let said = fit.parameters.iter().map(|one| {
                format!("{} {} ({} to {})", one.name, number(one.estimate), number(one.ci.low), number(one.ci.high))
            });
            said.collect::<Vec<_>>().join(", ")
        });
        let agreement = fit.as_ref().and_then(|fit| fit.goodness).map(|one| format!("p = {}", number(one.p_value)));
        table.row([
            name,
            number(*n as f64),
            number(*censored as f64),
            fit.as_ref().map_or_else(nothing, |fit| fit.family.name().to_owned()),
            parameters.filter(|said| !said.is_empty()).unwrap_or_else(nothing),
            agreement.unwrap_or_else(nothing),
        ]);
    }
    table
}

/// Every warning, with what it is about.
fn warned(report: &CalibrationReport) -> Vec<String> {
    let of_logs = report.warnings.iter().map(|warning| warning.text.clone());
    let of_versions = report
        .versions
        .iter()
        .flat_map(|version| version.warnings.iter().map(move |warning| format!("{}: {warning}", version.version)));
    let of_operator = report.operator.warnings.iter().map(|warning| format!("operator: {warning}"));
    of_logs.chain(of_versions).chain(of_operator).collect()
}

fn provenance(report: &CalibrationReport) -> Table {
    let mut table = Table::new("The same events give the same numbers on every machine", &["what"], &["value"]);
    let mut row = |what: &str, value: String| table.row([what.to_owned(), value]);
    row("the command that makes this report again", replay::calibrate(&report.logs, report.heartbeat_interval_sec));
    row("event logs", listed(&report.logs));
    row("rollouts in them", number(report.rollouts as f64));
    row("heartbeats were taken to come every", Unit::Seconds.say(report.heartbeat_interval_sec));
    row("confidence of the intervals", Unit::Share.say(dryroll_study::calibrate::fit::CONFIDENCE));
    row("schema of the report", report.schema.to_string());
    table
}

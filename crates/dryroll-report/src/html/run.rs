//! The page of one run.

use std::fmt::Write;

use maud::html;
use serde_json::Value;

use crate::html::layout::{Page, Section, figure, open};
use crate::html::policies::{name, says};
use crate::html::provenance::{Provenance, advice};
use crate::model::run::RunReport;
use crate::svg::{Plot, Table, timeline};
use crate::words::{NOTHING, Unit, called, plural, spoken};
use dryroll_engine::fleet::{At, Span};
use dryroll_sim::scenario::Metric;

/// More failed verdicts are not listed on the page.
const MOST_FAILURES: usize = 300;
/// What stands at the head of the page, beside the outcome.
const HEADLINE: [Metric; 5] =
    [Metric::DurationSec, Metric::ExposedPct, Metric::HarmedPct, Metric::Trips, Metric::MinServingPct];

/// The plot of a run.
#[must_use]
pub fn plots(run: &RunReport) -> Vec<Plot> {
    let Some(found) = &run.timeline else { return Vec::new() };
    let title = format!("The rollout of {}, instance by instance", run.version);
    timeline::Drawing { name: "timeline", title: &title, timeline: found }.draw().into_iter().collect()
}

/// The page of a run.
#[must_use]
pub fn page<'a>(run: &'a RunReport, plots: &[Plot]) -> Page<'a> {
    let mut headline = Vec::new();
    if let Some(outcome) = run.metrics.outcome() {
        headline.push(("outcome".to_owned(), outcome.replace('_', " ")));
    }
    for metric in HEADLINE {
        if let Some(value) = run.metrics.figure(metric) {
            headline.push((called(metric.name()), Unit::of_metric(metric).say(value)));
        }
    }
    let sections = vec![
        Section {
            id: "timeline",
            heading: "What happened",
            body: html! {
                @for plot in plots { (figure(plot)) }
                (open(&trips(run)))
                (open(&failures(run)))
                @if plots.is_empty() { p { "This report has no timeline. Run the scenario again with this version of the program, and it has one." } }
            },
        },
        advice(&run.advice),
        Section { id: "figures", heading: "All figures", body: html! { (open(&figures(run))) } },
        Section { id: "policy", heading: "The policy", body: html! { (open(&policy(run))) } },
        Section { id: "faults", heading: "Injected faults", body: html! { (open(&faults(run))) } },
        Provenance {
            scenario: &run.scenario,
            schema: run.schema.raw(),
            command: run.command.raw(),
            seed: run.seed,
            replicates: None,
            confidence: None,
            more: vec![("replicate", run.replicate.to_string())],
        }
        .section(),
    ];
    Page { title: title(run).into(), kind: "One rollout", headline, findings: findings(run), sections }
}

/// The scenario, and the version that was rolled out.
fn title(run: &RunReport) -> String {
    match run.version.is_empty() {
        true => run.scenario.name.raw().to_owned(),
        false => format!("{}: {}", run.scenario.name, run.version),
    }
}

fn findings(run: &RunReport) -> Vec<String> {
    let figure = |metric: Metric| run.metrics.figure(metric);
    let text = |metric: Metric| Unit::of_metric(metric).say_or_nothing(figure(metric));
    let mut said = vec![format!(
        "{} was rolled out to {} in {} of {}.",
        run.version,
        plural(run.plan.total_instances, "instance", "instances"),
        plural(run.plan.batch_count, "batch", "batches"),
        run.plan.batch_size
    )];
    let estimate = run.plan.estimated_total_seconds;
    if estimate > 0.0 {
        let waits = run.plan.estimated_total_seconds_in_flight;
        let waits = waits.map(|waits| format!(", {} with max_in_flight", Unit::Seconds.say(waits)));
        said.push(format!(
            "The plan’s estimate was {}{}; it took {}.",
            Unit::Seconds.say(estimate),
            waits.unwrap_or_default(),
            text(Metric::DurationSec)
        ));
    }
    let trips = figure(Metric::Trips).unwrap_or(0.0);
    said.push(if trips > 0.0 {
        let times = if trips == 1.0 { "once,".to_owned() } else { format!("{trips} times, first") };
        format!(
            "The breaker tripped {times} {} after the first dispatch. By the end at most {} of the fleet had been \
             exposed at one moment.",
            text(Metric::TimeToDetectSec),
            text(Metric::ExposedPct)
        )
    } else {
        format!(
            "The breaker did not trip. At most {} of the fleet was exposed at one \
         moment.",
            text(Metric::ExposedPct)
        )
    });
    if let Some(wait) = figure(Metric::ApprovalWaitSec).filter(|wait| *wait > 0.0) {
        said.push(format!(
            "Of {} in all, {} went by waiting for a person.",
            text(Metric::DurationSec),
            Unit::Seconds.say(wait)
        ));
    }
    let escaped = figure(Metric::EscapedInstances).unwrap_or(0.0);
    if escaped > 0.0 {
        said.push(format!("{} with a healthy verdict were harmed.", plural(escaped as u64, "instance", "instances")));
    }
    said.extend(run.harm_goes_on.as_ref().map(|harm| format!("{}.", harm.says)));
    for fault in &run.faults {
        if let Some(warning) = &fault.warning {
            said.push(format!(
                "The fault {} made no difference: it {warning}.",
                fault.kind.to_string().replace('_', " ")
            ));
        }
    }
    said
}

/// Where a verdict or a trip was: `3`, or `3 of the rollback`.
fn batch(index: u32, rollback: bool) -> String {
    if rollback { format!("{index} of the rollback") } else { index.to_string() }
}

fn trips(run: &RunReport) -> Table {
    let columns = ["in batch", "failed in a row", "decided", "after"];
    let mut table = Table::new("When the breaker tripped, and what was decided", &["at"], &columns);
    for trip in run.timeline.iter().flat_map(|timeline| &timeline.trips) {
        let waited = trip.decided_at_ms.map(|at| spoken(Span(at.saturating_sub(trip.at_ms))));
        table.row([
            At(trip.at_ms).to_string(),
            batch(trip.batch_index, trip.rollback),
            listed(&trip.failed_instance_ids),
            trip.decision.as_deref().unwrap_or("no decision").replace('_', " "),
            waited.unwrap_or_else(|| NOTHING.to_owned()),
        ]);
    }
    table
}

/// Instances by their ids; of many the first.
fn listed(ids: &[String]) -> String {
    let shown = ids.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(8) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn failures(run: &RunReport) -> Table {
    let mut table = Table::new("Failed verdicts, in order", &["at", "instance"], &["in batch", "reason"]);
    let Some(timeline) = &run.timeline else { return table };
    for failure in timeline.failures.iter().take(MOST_FAILURES) {
        let reason = match failure.reason.as_str() {
            "upgrade_failed" => "upgrade failed: the instance reported it",
            "health_timeout" => "health timeout: nothing healthy was heard in time",
            other => other,
        };
        table.row([
            At(failure.at_ms).to_string(),
            failure.instance_id.clone(),
            batch(failure.batch_index, failure.rollback),
            reason.to_owned(),
        ]);
    }
    let drawn = timeline.failures.len().min(MOST_FAILURES) as u64;
    if timeline.failed_verdicts > drawn {
        let _ = write!(table.caption, " (the first {drawn} of {})", timeline.failed_verdicts);
    }
    table
}

fn figures(run: &RunReport) -> Table {
    let mut table = Table::new("The figures of this run; truth, as no controller sees it", &["figure"], &["value"]);
    for (metric, value) in run.metrics.0.by_name() {
        let said = match value {
            Value::Number(number) => Unit::of(metric).say_or_nothing(number.as_f64()),
            Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            Value::Array(items) if items.is_empty() => "none".to_owned(),
            Value::Array(items) => items.iter().take(50).map(|item| says("", item)).collect::<Vec<_>>().join(", "),
            other => says("", other),
        };
        table.row([called(metric), said]);
    }
    table
}

fn policy(run: &RunReport) -> Table {
    let mut table = Table::new("The rollout’s parameters", &["parameter"], &["value"]);
    for (key, value) in run.policy.by_name() {
        table.row([name(key), says(key, value)]);
    }
    table
}

fn faults(run: &RunReport) -> Table {
    let mut table = Table::new("What each fault did", &["fault"], &["from", "to", "instances touched"]);
    for fault in &run.faults {
        let time = |at: Option<u64>| at.map_or_else(|| "–".to_owned(), |at| spoken(Span(at)));
        table.row([
            fault.kind.to_string().replace('_', " "),
            time(fault.started_at_ms),
            time(fault.ended_at_ms),
            fault.touched_instances.to_string(),
        ]);
    }
    table
}

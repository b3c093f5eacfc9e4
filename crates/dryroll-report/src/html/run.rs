//! The page of one run.

use std::fmt::Write;

use maud::html;
use serde_json::Value;

use crate::html::layout::{Page, Section, figure, open};
use crate::html::policies::{name, says};
use crate::html::provenance::{Provenance, advice};
use crate::model::run::{BatchReport, RunReport};
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
                @for table in [notes(run), promotions(run), retries(run)].iter().flatten() { (open(table)) }
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
        "{} was rolled out to {} in {} of {}{}.",
        run.version,
        plural(run.plan.total_instances, "instance", "instances"),
        plural(run.plan.batch_count, "batch", "batches"),
        if run.plan.is_uneven() { "up to " } else { "" },
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
    let baked: u64 = run.bakes.iter().map(|bake| bake.ended_at_ms.saturating_sub(bake.started_at_ms)).sum();
    if baked > 0 {
        said.push(format!("{} went by in bakes.", spoken(Span(baked))));
    }
    let of_batches = |count: fn(&BatchReport) -> u64| run.batches.iter().map(count).sum::<u64>();
    let (relapsed, retried) = (of_batches(|batch| batch.relapsed_count), of_batches(|batch| batch.retried_count));
    if retried > 0 {
        said.push(format!("An instance was commanded again {}.", plural(retried, "time", "times")));
    }
    if relapsed > 0 {
        said.push(format!(
            "{} with a healthy verdict relapsed and counts as failed.",
            plural(relapsed, "instance", "instances")
        ));
    }
    let bricked = figure(Metric::BrickedInstances).unwrap_or(0.0);
    if bricked > 0.0 {
        said.push(format!("The upgrade bricked {}.", plural(bricked as u64, "instance", "instances")));
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
    // Where only failures in a row trip, the ids say all.
    let has_rules = run.timeline.iter().flat_map(|timeline| &timeline.trips).any(|trip| trip.reason.is_some());
    let columns: &[&str] = match has_rules {
        true => &["in batch", "found", "instances", "decided", "after"],
        false => &["in batch", "failed in a row", "decided", "after"],
    };
    let mut table = Table::new("When the breaker tripped, and what was decided", &["at"], columns);
    for trip in run.timeline.iter().flat_map(|timeline| &timeline.trips) {
        let waited = trip.decided_at_ms.map(|at| spoken(Span(at.saturating_sub(trip.at_ms))));
        let mut row = vec![At(trip.at_ms).to_string(), batch(trip.batch_index, trip.rollback)];
        row.extend(has_rules.then(|| trip.says()));
        row.extend([listed(&trip.failed_instance_ids), trip.followed(), waited.unwrap_or_else(|| NOTHING.to_owned())]);
        table.row(row);
    }
    table
}

/// What rules noted; `None` where none did.
fn notes(run: &RunReport) -> Option<Table> {
    let notes = &run.timeline.as_ref()?.notes;
    let mut table = Table::new("What rules noted", &["at"], &["in batch", "found", "instances"]);
    for note in notes {
        let failed = listed(&note.failed_instance_ids);
        table.row([At(note.at_ms).to_string(), note.batch_index.to_string(), note.reason.clone(), failed]);
    }
    (!notes.is_empty()).then_some(table)
}

/// The promotions that a person was asked for; `None` where there is none.
fn promotions(run: &RunReport) -> Option<Table> {
    let mut table = Table::new("Promotions", &["asked at"], &["before batch", "answer", "after"]);
    for promotion in &run.promotions {
        let waited = promotion.decided_at_ms.map(|at| spoken(Span(at.saturating_sub(promotion.asked_at_ms))));
        table.row([
            At(promotion.asked_at_ms).to_string(),
            promotion.batch_index.to_string(),
            promotion.decision.as_deref().unwrap_or("no answer").replace('_', " "),
            waited.unwrap_or_else(|| NOTHING.to_owned()),
        ]);
    }
    (!run.promotions.is_empty()).then_some(table)
}

/// Attempts that failed and were followed by another; `None` where there is none.
fn retries(run: &RunReport) -> Option<Table> {
    let retries = &run.timeline.as_ref()?.retries;
    let columns = ["in batch", "retry", "the attempt before"];
    let mut table = Table::new("Instances that were commanded again, in order", &["at", "instance"], &columns);
    for retry in retries.iter().take(MOST_FAILURES) {
        table.row([
            At(retry.at_ms).to_string(),
            retry.instance_id.clone(),
            batch(retry.batch_index, retry.rollback),
            retry.attempt.to_string(),
            retry.reason.replace('_', " "),
        ]);
    }
    if retries.len() > MOST_FAILURES {
        let _ = write!(table.caption, " (the first {MOST_FAILURES} of them)");
    }
    (!retries.is_empty()).then_some(table)
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
        table.row([
            At(failure.at_ms).to_string(),
            failure.instance_id.clone(),
            batch(failure.batch_index, failure.rollback),
            failure.says(),
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

//! A sweep told to people: a table a version, the worst worlds, and what to know beside them.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::Style;
use serde_json::Value;

use super::study::{Cell, RareEvent, SweepReport};
use super::table::Table;
use super::wording::{NOTHING, Unit, plural};
use crate::scenario::{Metric, Rate};
use crate::stats::Interval;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// Rows of one table; what is beyond stands in the files.
const MOST_ROWS: usize = 200;
/// Reasons why there is no exact value that are told.
const MOST_REASONS: usize = 3;
/// Below so many hits a rate is told by what it is not.
const FEW_HITS: u64 = 3;

/// Tells a sweep.
///
/// # Errors
/// When writing fails.
pub fn sweep_table(out: &mut impl Write, report: &SweepReport) -> io::Result<()> {
    let (cells, replicates) = (report.cells.len() as u64, report.replicates);
    writeln!(out, "{BOLD}{}{BOLD:#}", report.scenario.name)?;
    writeln!(
        out,
        "{} × {} · seed {} · 95 % intervals",
        plural(cells, "cell", "cells"),
        plural(replicates, "replicate", "replicates"),
        report.seed
    )?;
    if let Some(precision) = &report.precision {
        let unit = if precision.relative { Unit::Share } else { Unit::of(&precision.metric) };
        let state = if precision.reached { "reached" } else { "not reached" };
        writeln!(out, "{} to ± {}: {state}", precision.metric, unit.say(precision.half_width))?;
    }
    for version in &report.versions {
        let cells: Vec<&Cell> = report.cells.iter().filter(|cell| cell.version == *version).collect();
        version_table(out, report, version, &cells)?;
    }
    worst(out, report)?;
    for warning in &report.warnings {
        writeln!(out, "{BOLD}warning:{BOLD:#} {warning}")?;
    }
    Ok(())
}

fn version_table(out: &mut impl Write, report: &SweepReport, version: &str, cells: &[&Cell]) -> io::Result<()> {
    let defective = cells.first().is_some_and(|cell| cell.defective);
    writeln!(out, "\n{BOLD}{version}{BOLD:#} ({})", if defective { "defective, in truth" } else { "good, in truth" })?;
    let mut header: Vec<&str> = report.axes.iter().map(|axis| axis.key.as_str()).collect();
    header.extend(match defective {
        true => ["trips", "", "exact", "blast radius", "", "p95", "escapes"],
        false => ["false trips", "", "exact", "duration", "", "p95", "completed"],
    });
    if report.precision.is_some() {
        header.push("replicates");
    }
    let mut table = Table::new(&header, 0);
    for cell in cells.iter().take(MOST_ROWS) {
        table.push(row(report, cell));
    }
    table.write(out)?;
    let why: BTreeSet<&str> = cells.iter().filter_map(|cell| cell.exact.out_of_scope.as_deref()).collect();
    for why in why.iter().take(MOST_REASONS) {
        writeln!(out, "  {DIM}no exact value: {why}{DIM:#}")?;
    }
    if cells.len() > MOST_ROWS {
        writeln!(out, "  … and {} more; --cells writes all of them", cells.len() - MOST_ROWS)?;
    }
    Ok(())
}

fn row(report: &SweepReport, cell: &Cell) -> Vec<String> {
    let axis = |key: &str| match cell.policy.get(key) {
        Some(Value::String(text)) => text,
        None | Some(Value::Null) => NOTHING.to_owned(),
        Some(other) => other.to_string(),
    };
    let mut row: Vec<String> = report.axes.iter().map(|a| axis(&a.key)).collect();
    let trips = cell.metrics.share(Rate::Trip).cloned().unwrap_or_default();
    let rare = cell.rare.as_ref().and_then(|event| rare(event, trips.claim));
    match trips.claim.filter(|_| trips.hits < FEW_HITS && trips.n > 0) {
        _ if rare.is_some() => row.extend(rare.into_iter().flatten()),
        // A rate of so few hits is mostly luck: what it is not can be said.
        Some(claim) => {
            row.extend([format!("{} of {}", trips.hits, trips.n), format!("< {}", Unit::Share.say(claim.high))])
        }
        None => row.extend([Unit::Share.say_or_nothing(trips.rate), interval(Unit::Share, trips.ci)]),
    }
    let exact = cell.exact.values.get(Rate::Trip.name());
    row.push(exact.map(|&exact| chance(exact)).unwrap_or_default());
    let (metric, unit) = match cell.defective {
        true => (Metric::BlastRadiusPct, Unit::Percent),
        false => (Metric::DurationSec, Unit::Seconds),
    };
    let figure = cell.metrics.figure(metric).cloned().unwrap_or_default();
    row.extend([unit.say_or_nothing(figure.mean), interval(unit, figure.ci), unit.say_or_nothing(figure.p95)]);
    let rate = if cell.defective { Rate::Escape } else { Rate::Outcome(crate::engine::Outcome::Completed) };
    row.push(Unit::Share.say_or_nothing(cell.metrics.share(rate).and_then(|share| share.rate)));
    if report.precision.is_some() {
        row.push(cell.replicates.to_string());
    }
    row
}

/// A chance, with its digits however small it is.
fn chance(value: f64) -> String {
    if value > 0.0 && value < 1e-4 { format!("{value:.2e}") } else { Unit::Share.say(value) }
}

/// A chance that is too small to be met: its estimate and error, or what it is surely below. Plain simulation gives a bound
/// too, and the smaller one is told.
fn rare(event: &RareEvent, simulated: Option<Interval>) -> Option<[String; 2]> {
    let bound = event.upper_bound?.min(simulated.map_or(1.0, |claim| claim.high));
    Some(match (event.estimate, event.relative_error) {
        (Some(estimate), Some(error)) => [chance(estimate), format!("(± {})", Unit::Share.say(error))],
        (Some(estimate), None) => [format!("~ {}", chance(estimate)), format!("< {}", chance(bound))],
        (None, _) => [format!("{} of {}", event.hits, event.n), format!("< {}", chance(bound))],
    })
}

fn interval(unit: Unit, interval: Option<Interval>) -> String {
    interval.map(|interval| format!("({})", unit.say_interval(Some(interval)))).unwrap_or_default()
}

fn worst(out: &mut impl Write, report: &SweepReport) -> io::Result<()> {
    let mut first = true;
    for version in &report.versions {
        let of_it = report.cells.iter().filter(|cell| cell.version == *version);
        let worst = of_it.filter_map(|cell| cell.worst.first()).reduce(|a, b| if b.value > a.value { b } else { a });
        let Some(world) = worst else { continue };
        if first {
            writeln!(out, "\nThe worst world of each version, and how to see it:")?;
            first = false;
        }
        let unit = Unit::of(&world.metric);
        writeln!(out, "  {version}: {} {}", world.metric, unit.say(world.value))?;
        writeln!(out, "    {}", world.command)?;
    }
    Ok(())
}

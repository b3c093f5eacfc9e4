//! A sweep on the terminal: a table a version, the worst replicates, and what to know beside them.

mod moved;

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use serde_json::Value;

use crate::model::{Axis, Cell, RareEvent, SweepReport};
use crate::terminal::advice::advice_table;
use crate::terminal::table::{Table, write_labelled, write_text};
use crate::words::{NOTHING, Unit, called, plural};
use dryroll_sim::scenario::{Metric, Rate};
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_stats::proportion::upper_bound;
use dryroll_study::study::completed::Completed;
use dryroll_study::study::policy::in_words;

use moved::Moved;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// Rows of one table; what is beyond stands in the files.
const MOST_ROWS: usize = 200;
/// Reasons for a missing exact value that are listed.
const MOST_REASONS: usize = 3;
/// Metrics that the table of a good version has, and that of a defective one.
const SHOWN_OF_GOOD: [Metric; 1] = [Metric::DurationSec];
const SHOWN_OF_BAD: [Metric; 2] = [Metric::BlastRadiusPct, Metric::HarmedPct];
/// Below this many hits a rate is shown by its upper bound.
const FEW_HITS: u64 = 3;

/// Writes a sweep.
///
/// # Errors
/// When writing fails.
pub fn sweep_table(out: &mut impl Write, report: &SweepReport) -> io::Result<()> {
    let cells = report.cells.len() as u64;
    writeln!(out, "{BOLD}{}{BOLD:#}", report.scenario.name)?;
    writeln!(
        out,
        "{} × {} · seed {} · 95 % intervals",
        plural(cells, "cell", "cells"),
        report.replicates_say("replicate", "replicates"),
        report.seed
    )?;
    if let Some(precision) = &report.precision {
        let state = if precision.reached { "reached" } else { "not reached" };
        let width = match precision.relative {
            true => format!("{} of it", Unit::Share.say(precision.half_width)),
            false => Unit::of_measure(precision.metric).say_width(precision.half_width),
        };
        writeln!(out, "{} to ± {width}: {state}", precision.metric)?;
    }
    let varied: Vec<String> = report.axes.iter().map(varied).collect();
    if !varied.is_empty() {
        writeln!(out, "varied: {}", varied.join("; "))?;
    }
    if !report.policies.is_empty() {
        let names: Vec<String> = report.policies.iter().map(Foreign::to_string).collect();
        writeln!(out, "policies: {}; {NOTHING} is the scenario's own", names.join(", "))?;
    }
    for version in &report.versions {
        let cells: Vec<&Cell> = report.cells.iter().filter(|cell| cell.version == *version).collect();
        version_table(out, report, version, &cells)?;
    }
    worst(out, report)?;
    for warning in &report.warnings {
        write_labelled(out, (BOLD, "warning:"), 0, warning)?;
    }
    advice_table(out, &report.advice)
}

/// A value of a key.
fn word(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        other => in_words(other),
    }
}

/// A key that was varied, with its values.
fn varied(axis: &Axis) -> String {
    let values: Vec<String> = axis.values.iter().map(word).collect();
    format!("{} {}", axis.key, values.join(", "))
}

fn version_table(out: &mut impl Write, report: &SweepReport, version: &Foreign, cells: &[&Cell]) -> io::Result<()> {
    let defective = cells.first().is_some_and(|cell| cell.defective);
    writeln!(out, "\n{BOLD}{version}{BOLD:#} ({})", if defective { "defective" } else { "good" })?;
    let mut header: Vec<&str> = Vec::new();
    header.extend((!report.policies.is_empty()).then_some("policy"));
    header.extend(report.axes.iter().map(|axis| axis.key.as_str()));
    header.extend(match defective {
        true => &["trips", "", "exact", "blast radius", "", "p95", "harmed", "escapes"][..],
        false => &["false trips", "", "exact", "duration", "", "p95", "completed"][..],
    });
    let said: Vec<Trips> = cells.iter().map(|cell| Trips::of(report, cell)).collect();
    let figures: Vec<Vec<String>> = cells.iter().zip(&said).map(|(cell, trips)| row(cell, trips.words())).collect();
    let shown = if defective { &SHOWN_OF_BAD[..] } else { &SHOWN_OF_GOOD[..] };
    let moved = Moved::of(cells, &figures, shown);
    let columns: Vec<String> = moved.columns.iter().map(|metric| called(metric.name())).collect();
    header.extend(columns.iter().map(String::as_str));
    if report.precision.is_some() {
        header.push("replicates");
    }
    let mut table = Table::new(&header, 0);
    for (cell, figures) in cells.iter().zip(figures).take(MOST_ROWS) {
        let mut row = policy(report, cell);
        row.extend(figures);
        row.extend(moved.columns.iter().map(|&metric| {
            let mean = cell.metrics.figure(metric).and_then(|figure| figure.mean);
            Unit::of(metric.name()).say_or_nothing(mean)
        }));
        if report.precision.is_some() {
            row.push(cell.replicates.to_string());
        }
        table.push(row);
    }
    table.write(out)?;
    if let Some(says) = &moved.says {
        write_text(out, DIM, [2, 2], says)?;
    }
    let said = &said[..said.len().min(MOST_ROWS)];
    for line in legend(said) {
        write_text(out, DIM, [2, 2], line)?;
    }
    let judged: Vec<Completed> = cells.iter().filter_map(|cell| cell.good_rollouts()).collect();
    for (enough, says) in [(Some(false), "✗ too few good rollouts complete"), (None, "? undecided whether enough do")]
    {
        if let Some(one) = judged.iter().find(|one| one.enough == enough) {
            write_text(out, DIM, [2, 2], &format!("{says}: at least {} should", Unit::Share.say(one.least)))?;
        }
    }
    let mut why: BTreeMap<&str, u64> = BTreeMap::new();
    for reason in cells.iter().filter_map(|cell| cell.exact.out_of_scope.as_deref()) {
        *why.entry(reason).or_default() += 1;
    }
    for (why, count) in why.iter().take(MOST_REASONS) {
        let all = plural(cells.len() as u64, "cell", "cells");
        write_text(out, DIM, [2, 2], &format!("no exact value ({count} of {all}): {why}"))?;
    }
    if cells.len() > MOST_ROWS {
        writeln!(out, "  … and {} more; --cells writes all of them", cells.len() - MOST_ROWS)?;
    }
    Ok(())
}

/// The name of a cell's policy, if the sweep has names, and the values of its axes.
fn policy(report: &SweepReport, cell: &Cell) -> Vec<String> {
    let value = |axis: &Axis| cell.policy.get(&axis.key).as_ref().map_or_else(|| NOTHING.to_owned(), word);
    let name = cell.policy.policy.as_ref().map_or_else(|| NOTHING.to_owned(), Foreign::to_string);
    let name = (!report.policies.is_empty()).then_some(name);
    name.into_iter().chain(report.axes.iter().map(value)).collect()
}

/// The figures of a cell that every table has.
fn row(cell: &Cell, trips: [String; 2]) -> Vec<String> {
    let mut row: Vec<String> = trips.into();
    let exact = cell.exact.values.get(Rate::Trip.name());
    row.push(exact.map(|&exact| chance(exact)).unwrap_or_default());
    let (metric, unit) = match cell.defective {
        true => (Metric::BlastRadiusPct, Unit::Percent),
        false => (Metric::DurationSec, Unit::Seconds),
    };
    let figure = cell.metrics.figure(metric).cloned().unwrap_or_default();
    row.extend([unit.say_or_nothing(figure.mean), interval(unit, figure.ci), unit.say_or_nothing(figure.p95)]);
    if cell.defective {
        let harmed = cell.metrics.figure(Metric::HarmedPct).and_then(|figure| figure.mean);
        row.push(Unit::Percent.say_or_nothing(harmed));
    }
    let rate = if cell.defective { Rate::Escape } else { Rate::Outcome(dryroll_engine::Outcome::Completed) };
    let mark = match cell.good_rollouts().map(|completed| completed.enough) {
        Some(Some(false)) => " ✗",
        Some(None) => " ?",
        Some(Some(true)) | None => "",
    };
    row.push(Unit::Share.say_or_nothing(cell.metrics.share(rate).and_then(|share| share.rate)) + mark);
    row
}

/// A chance, with its digits however small it is.
fn chance(value: f64) -> String {
    if value > 0.0 && value < 1e-4 { format!("{value:.2e}") } else { Unit::Share.say(value) }
}

/// How the trips of a cell are shown.
enum Trips {
    /// A share with its interval.
    Share(Option<f64>, Option<Interval>),
    /// Too few hits for an estimate: hits, replicates, and the upper bound of the share.
    Few(u64, u64, f64),
    /// By importance sampling, with its standard error as a share of it.
    Estimated(f64, f64),
    /// The same where some trips may be missing from it, and what it is surely below.
    AtLeast(f64, f64),
}

impl Trips {
    fn of(report: &SweepReport, cell: &Cell) -> Self {
        let trips = cell.metrics.share(Rate::Trip).cloned().unwrap_or_default();
        if let Some(RareEvent { estimate, relative_error, hits, n, upper_bound: Some(bound), .. }) = cell.rare {
            // The bound is the smaller of two; what is counted beside it is what it comes from.
            let is_of_plain = trips.claim.is_some_and(|claim| claim.high <= bound);
            return match (estimate, relative_error) {
                (Some(estimate), Some(error)) => Self::Estimated(estimate, error),
                (Some(estimate), None) => Self::AtLeast(estimate, bound),
                (None, _) if is_of_plain => Self::Few(trips.hits, trips.n, bound),
                (None, _) => Self::Few(hits, n, bound),
            };
        }
        // Where it was looked at again and again, only the interval of the last look reckons with that.
        let bound = match report.precision {
            Some(_) => trips.claim.map(|claim| claim.high),
            None => upper_bound(trips.hits, trips.n, report.confidence),
        };
        match bound.filter(|_| trips.hits < FEW_HITS) {
            Some(bound) => Self::Few(trips.hits, trips.n, bound),
            None => Self::Share(trips.rate, trips.ci),
        }
    }

    fn words(&self) -> [String; 2] {
        match *self {
            Self::Share(rate, ci) => [Unit::Share.say_or_nothing(rate), interval(Unit::Share, ci)],
            Self::Few(hits, n, bound) => [format!("{hits} of {n}"), format!("< {}", chance(bound))],
            Self::Estimated(estimate, error) => [chance(estimate), format!("(± {})", Unit::Share.say(error))],
            Self::AtLeast(estimate, bound) => [format!("~ {}", chance(estimate)), format!("< {}", chance(bound))],
        }
    }
}

/// What the signs in the column of the trips mean, of those that stand there.
fn legend(said: &[Trips]) -> Vec<&'static str> {
    let some = |is: fn(&Trips) -> bool| said.iter().any(is);
    let few = some(|trips| matches!(trips, Trips::Few(..)));
    let at_least = some(|trips| matches!(trips, Trips::AtLeast(..)));
    let lines = [
        (few, "k of n: too few replicates tripped for an estimate of the share"),
        (at_least, "~ importance sampling; it may miss trips that late or lost heartbeats cause"),
        (few || at_least, "< the chance of a trip is below this, with 95 % confidence"),
        (
            some(|trips| matches!(trips, Trips::Estimated(..))),
            "(± …) importance sampling: the standard error, as a share of the chance",
        ),
    ];
    lines.into_iter().filter(|(stands, _)| *stands).map(|(_, line)| line).collect()
}

fn interval(unit: Unit, interval: Option<Interval>) -> String {
    interval.map(|interval| format!("({})", unit.say_interval(Some(interval)))).unwrap_or_default()
}

fn worst(out: &mut impl Write, report: &SweepReport) -> io::Result<()> {
    let mut first = true;
    for version in &report.versions {
        let of_it = report.cells.iter().filter(|cell| cell.version == *version);
        let worst = of_it.filter_map(|cell| cell.worst.first()).reduce(|a, b| if b.value > a.value { b } else { a });
        let Some(replicate) = worst else { continue };
        if first {
            writeln!(out, "\nThe worst replicate of each version, and how to see it:")?;
            first = false;
        }
        let unit = Unit::of_metric(replicate.metric);
        writeln!(out, "  {version}: {} {}", replicate.metric.name(), unit.say(replicate.value))?;
        writeln!(out, "    {}", replicate.command)?;
    }
    Ok(())
}

//! The page of a sweep.

mod findings;
mod grid;

use maud::html;

use crate::html::layout::{Page, Section, figure, numbers, open};
use crate::html::policies::{Policies, plain, says};
use crate::html::provenance::{Provenance, advice, replicates, warnings};
use crate::judge::conditional::beside_in;
use crate::model::{Cell, Estimate, SweepReport};
use crate::svg::distribution;
use crate::svg::distribution::Distributions;
use crate::svg::pareto::{Marker, Pareto, Place, Point, without_limits};
use crate::svg::{Plot, Table, slug, timeline};
use crate::words::{NOTHING, Unit, called, number, plural};
use dryroll_sim::scenario::{Measure, Metric};
use dryroll_study::study::{Summaries, Summary};
use findings::findings;
use grid::{PolicyCells, heat_maps, policies};

/// Worst replicates that the page lists.
const MOST_REPLICATES: usize = 12;

/// A metric's or rate's estimate.
fn estimate(metrics: &Summaries, name: &str) -> Estimate {
    let found = Measure::find(name).and_then(|measure| metrics.get(measure));
    found.map_or_else(Estimate::default, |summary| Estimate {
        value: summary.centre(),
        ci: summary.interval(),
        n: summary.n(),
        exact: None,
    })
}

/// The plots of a sweep.
#[must_use]
pub fn plots(report: &SweepReport) -> Vec<Plot> {
    let mut plots = heat_maps(report);
    plots.extend(front(report).draw());
    plots.extend(distributions(report));
    for replicate in report.timelines.iter().take(6) {
        let cell = report.cells.get(replicate.cell);
        let version = cell.map_or("", |cell| cell.version.raw());
        let policy = cell.map_or_else(String::new, |cell| Policies::of_axes(&report.axes).long(&cell.policy));
        let name = slug(&format!("timeline-{}-{}", replicate.cell, replicate.replicate));
        let title = format!("{version}, replicate {}: {policy}", replicate.replicate);
        plots.extend(timeline::Drawing { name: &name, title: &title, timeline: &replicate.timeline }.draw());
    }
    plots
}

/// The page of a sweep.
#[must_use]
pub fn page<'a>(report: &'a SweepReport, plots: &[Plot]) -> Page<'a> {
    let all = policies(report);
    let rollouts: u128 = report.cells.iter().map(|cell| u128::from(cell.replicates)).sum();
    let headline = vec![
        ("policies".to_owned(), number(all.len() as f64)),
        ("versions".to_owned(), number(report.versions.len() as f64)),
        ("replicates a cell".to_owned(), report.replicates_say("", "").trim_end().to_owned()),
        ("rollouts".to_owned(), number(rollouts as f64)),
    ];
    let named = |prefix: &'static str| plots.iter().filter(move |plot| plot.name.starts_with(prefix));
    let section = |id, heading, prefix: &'static str| Section {
        id,
        heading,
        body: html! { @for plot in named(prefix) { (figure(plot)) } },
    };
    let listed = worst(report);
    let sections = vec![
        section("grid", "The grid", "heat"),
        section("front", "Fast against safe", "pareto"),
        section("distributions", "How it spreads", "distribution"),
        Section {
            id: "worst",
            heading: "The worst replicates",
            body: html! {
                @for plot in named("timeline") { (figure(plot)) }
                (replicates(&listed))
            },
        },
        Section { id: "exact", heading: "Exact values beside simulated ones", body: exact(report) },
        Section { id: "all", heading: "All numbers", body: html! { (numbers(&everything(report))) } },
        Section { id: "warnings", heading: "Warnings", body: warnings(&report.warnings) },
        advice(&report.advice),
        provenance(report),
    ];
    Page {
        title: report.scenario.name.raw().into(),
        kind: "Sweep of rollout policies",
        headline,
        findings: findings(report, &all),
        sections,
    }
}

fn provenance(report: &SweepReport) -> Section {
    let axes = report.axes.iter().map(|axis| {
        let values: Vec<String> = axis.values.iter().map(|value| says(&axis.key, value)).collect();
        format!("{}: {}", plain(&axis.key), values.join(", "))
    });
    let mut more = vec![("varied", axes.collect::<Vec<_>>().join("; "))];
    if let Some(precision) = &report.precision {
        let unit = if precision.relative { Unit::Share } else { Unit::of_measure(precision.metric) };
        let reached = if precision.reached { "reached in every cell" } else { "not reached in every cell" };
        let said = format!(
            "{} to ±{}: {reached}, widest ±{}",
            called(precision.metric.name()),
            unit.say(precision.half_width),
            unit.say_or_nothing(precision.widest)
        );
        more.push(("wanted precision", said));
    }
    Provenance {
        scenario: &report.scenario,
        schema: report.schema.raw(),
        command: report.command.raw(),
        seed: report.seed,
        replicates: Some(report.replicates),
        confidence: Some(report.confidence),
        more,
    }
    .section()
}

/// The front over the policies: the versions of each are put together.
fn front(report: &SweepReport) -> Pareto {
    let names = Policies::of_axes(&report.axes);
    let all = policies(report);
    let has_defective = report.cells.iter().any(|cell| cell.defective);
    let has_good = report.cells.iter().any(|cell| !cell.defective);
    let mut points: Vec<Point> = all.iter().map(|policy| point(policy, &names, has_good, has_defective)).collect();
    let complete: Vec<Option<bool>> = all.iter().map(PolicyCells::completes).collect();
    place(&mut points, &complete);
    let some_stop = complete.contains(&Some(false));
    let off = if some_stop {
        " A cross is a policy with which too few good rollouts complete: a rollout that is stopped is short, so the policy \
         is not on the front."
    } else {
        ""
    };
    for point in &mut points {
        let (marker, stands) = match point.place {
            Place::Front => (Marker::Front, "on the front"),
            Place::Undecided => (Marker::Undecided, "undecided"),
            Place::Behind => (Marker::Behind, "behind"),
            Place::Stops => (Marker::Stops, "stops too many good rollouts"),
        };
        point.marker = marker;
        if point.stands.is_empty() || point.place != Place::Stops {
            point.stands = stands.to_owned();
        }
    }
    let x_name = if has_good { "duration with the good version" } else { "duration" };
    let y_name = if has_defective { "blast radius of the worst version" } else { "share of rollouts that trip" };
    let reading = format!(
        "Further left is faster, further down is safer. Crosses are {} intervals of the means. A disc is on the \
         front: no other policy has a lower mean in both. A hollow diamond may be on it: its interval reaches beyond \
         the front, or whether enough good rollouts complete is undecided.{off} Labels are {}.",
        Unit::Share.say(report.confidence),
        names.key()
    );
    Pareto {
        reading,
        x_name: x_name.to_owned(),
        x_unit: Unit::Seconds,
        y_name: y_name.to_owned(),
        y_unit: if has_defective { Unit::Percent } else { Unit::Share },
        legend: without_limits(&points),
        bounds: Vec::new(),
        points,
    }
}

fn point(policy: &PolicyCells<'_>, names: &Policies, has_good: bool, has_defective: bool) -> Point {
    let cells = || policy.cells.iter().copied();
    let worst = |name: &'static str, of: &dyn Fn(&&Cell) -> bool| {
        let all = cells()
            .filter(|cell| of(cell))
            .map(|cell| estimate(&cell.metrics, name))
            .filter(|found| found.value.is_some());
        all.max_by(|a, b| a.value.unwrap_or(0.0).total_cmp(&b.value.unwrap_or(0.0))).unwrap_or_default()
    };
    let x = worst("duration_sec", &|cell| cell.defective != has_good);
    let y =
        if has_defective { worst("blast_radius_pct", &|cell| cell.defective) } else { worst("trip_rate", &|_| true) };
    let first = policy.cells.first();
    Point {
        label: first.map_or_else(String::new, |cell| names.short(&cell.policy)),
        policy: first.map_or_else(String::new, |cell| names.long(&cell.policy)),
        x,
        y,
        place: Place::Behind,
        marker: Marker::Behind,
        stands: policy.stops().unwrap_or_default(),
    }
}

/// Where each stands: on the front of the means, behind it for sure, or neither for sure. `complete`: whether enough
/// good rollouts complete with each; one with which too few do is on no front, and while that is undecided it is not
/// surely on it.
fn place(points: &mut [Point], complete: &[Option<bool>]) {
    let ends = |estimate: &Estimate| {
        let value = estimate.value?;
        Some((estimate.ci.map_or(value, |ci| ci.low), value, estimate.ci.map_or(value, |ci| ci.high)))
    };
    let known: Vec<_> = points.iter().map(|point| ends(&point.x).zip(ends(&point.y))).collect();
    let of = |i: usize| complete.get(i).copied().unwrap_or(Some(true));
    (0..points.len()).filter(|&i| of(i) == Some(false)).for_each(|i| points[i].place = Place::Stops);
    // By duration: a policy that is not better than the best so far is behind it.
    let mut order: Vec<usize> = (0..points.len()).filter(|&i| known[i].is_some() && of(i) != Some(false)).collect();
    let means = |i: usize| known[i].map_or((0.0, 0.0), |(x, y)| (x.1, y.1));
    order.sort_by(|&a, &b| means(a).0.total_cmp(&means(b).0).then(means(a).1.total_cmp(&means(b).1)));
    let mut best = f64::INFINITY;
    for &i in order.iter().filter(|&&i| of(i) == Some(true)) {
        if means(i).1 < best {
            best = means(i).1;
            points[i].place = Place::Front;
        }
    }
    let front: Vec<_> = order.iter().filter(|&&i| points[i].place == Place::Front).filter_map(|&i| known[i]).collect();
    for &i in &order {
        let Some((x, y)) = known[i].filter(|_| points[i].place != Place::Front) else { continue };
        let surely = front.iter().any(|(fx, fy)| {
            (fx.2 <= x.0 && fy.2 < y.0) || (fx.2 < x.0 && fy.2 <= y.0) || (fx.1 < x.1 && fy == &y && fx.2 <= x.0)
        });
        if !surely {
            points[i].place = Place::Undecided;
        }
    }
    // Whether those are on the front that only such a one beats is not decided either.
    let open: Vec<usize> = order.iter().copied().filter(|&i| of(i).is_none()).collect();
    for &i in &order {
        let beats = |other: &usize| {
            let (a, b) = (means(*other), means(i));
            a.0 <= b.0 && a.1 <= b.1 && a != b
        };
        if points[i].place == Place::Front && open.iter().any(beats) {
            points[i].place = Place::Undecided;
        }
    }
}

/// The cells whose distributions are drawn: those of the front first, then evenly spread ones.
fn chosen(report: &SweepReport) -> Vec<usize> {
    let points = front(report).points;
    let all = policies(report);
    let mut order: Vec<usize> = (0..points.len()).filter(|&i| points[i].place == Place::Front).collect();
    order.sort_by(|&a, &b| points[a].x.value.unwrap_or(0.0).total_cmp(&points[b].x.value.unwrap_or(0.0)));
    let rest: Vec<usize> = (0..points.len()).filter(|i| !order.contains(i)).collect();
    let step = rest.len().div_ceil(distribution::MOST_PANELS).max(1);
    order.extend(rest.iter().step_by(step));
    order.into_iter().flat_map(|policy| all[policy].indices.iter().copied()).collect()
}

fn distributions(report: &SweepReport) -> Vec<Plot> {
    let names = Policies::of_axes(&report.axes);
    let order = chosen(report);
    let panels = |metric: Metric, defective: Option<bool>| {
        let mut panels = Vec::new();
        for &i in &order {
            let cell = &report.cells[i];
            if defective.is_some_and(|wanted| wanted != cell.defective) {
                continue;
            }
            panels.extend(cell.distributions.iter().filter(|histogram| histogram.metric == metric).map(|histogram| {
                distribution::Panel {
                    title: format!("{} — {}", names.short(&cell.policy), cell.version),
                    histogram,
                    mean: estimate(&cell.metrics, metric.name()).value,
                    defective: cell.defective,
                }
            }));
        }
        panels
    };
    // How long it takes matters where nothing is wrong, how far it gets where something is.
    let has_good = report.cells.iter().any(|cell| !cell.defective);
    let metrics = [(Metric::DurationSec, has_good.then_some(false)), (Metric::BlastRadiusPct, Some(true))];
    let plots = metrics.into_iter().filter_map(|(metric, defective)| {
        let reading = format!(
            "Share of the replicates by {}, all on the same horizontal axis, each with its own height. The vertical \
             line is the mean. Policies of the front come first, fastest first; labels are {}.",
            called(metric.name()),
            names.key()
        );
        let title = format!("How {} spreads", called(metric.name()));
        Distributions { title, metric, differences: false, reading, panels: panels(metric, defective) }.draw()
    });
    plots.collect()
}

fn worst(report: &SweepReport) -> Vec<(String, Vec<&str>)> {
    let names = Policies::of_axes(&report.axes);
    let mut found: Vec<_> =
        report.cells.iter().flat_map(|cell| cell.worst.first().map(|replicate| (cell, replicate))).collect();
    // The worst of each version by turns, so that no version takes all the places.
    found.sort_by(|(_, a), (_, b)| b.value.total_cmp(&a.value));
    let mut listed = Vec::new();
    let each = (MOST_REPLICATES / report.versions.len().max(1)).max(1);
    for version in &report.versions {
        for (cell, replicate) in found.iter().filter(|(cell, _)| cell.version == *version).take(each) {
            let said = format!(
                "{version}, {}: {} of {} in replicate {}",
                names.long(&cell.policy),
                called(replicate.metric.name()),
                Unit::of_metric(replicate.metric).say(replicate.value),
                replicate.replicate
            );
            listed.push((said, vec![replicate.command.raw()]));
        }
    }
    listed
}

/// Exact values, each with the simulated one and whether its interval has it.
fn exact(report: &SweepReport) -> maud::Markup {
    let names = Policies::of_axes(&report.axes);
    let mut table = Table::new(
        "Exact and simulated values",
        &["policy", "version", "number"],
        &["exact", "simulated", "its interval", "exact value in it"],
    );
    let (mut inside, mut all) = (0_u64, 0_u64);
    let mut why = std::collections::BTreeMap::new();
    for cell in &report.cells {
        for (name, &value) in &cell.exact.values {
            let unit = Unit::of(name);
            let found = estimate(&cell.metrics, name);
            // An interval without width only says that nothing varied in the replicates that were met.
            let ci = found.ci.filter(|ci| ci.low < ci.high || found.value == Some(value));
            let within = ci.map(|ci| ci.contains(value) || found.value == Some(value));
            all += u64::from(within.is_some());
            inside += u64::from(within == Some(true));
            let says = match within {
                Some(true) => "✓ yes",
                Some(false) => "✗ no",
                None if found.ci.is_some() => "it never varied",
                None => NOTHING,
            };
            table.row([
                names.long(&cell.policy),
                cell.version.to_string(),
                called(name) + &beside_in(name, &cell.metrics, cell.replicates),
                unit.say(value),
                unit.say_or_nothing(found.value),
                unit.say_interval(found.ci),
                says.to_owned(),
            ]);
        }
        for (name, reason) in &cell.exact.why_not {
            why.entry(format!("{}: {reason}", called(name))).and_modify(|count| *count += 1).or_insert(1_u64);
        }
        if let Some(reason) = &cell.exact.out_of_scope {
            why.entry(format!("nothing: {reason}")).and_modify(|count| *count += 1).or_insert(1);
        }
    }
    if table.rows.is_empty() && why.is_empty() {
        return html! {};
    }
    html! {
        @if all > 0 {
            p {
                "Of " (plural(all, "exact value", "exact values")) " " (number(inside as f64)) " lie in the simulated \
                 interval. "
                "Each interval misses the true value in " (Unit::Share.say(1.0 - report.confidence)) " of the cases \
                 by chance alone."
            }
        }
        (numbers(&table))
        @if !why.is_empty() {
            details { summary { "What has no exact value, and why" } ul {
                @for (reason, count) in why.iter().take(40) { li { (crate::html::layout::safe(reason)) " (" (plural(*count, "cell", "cells")) ")" } }
            } }
        }
        (rare(report))
    }
}

fn rare(report: &SweepReport) -> maud::Markup {
    let names = Policies::of_axes(&report.axes);
    let mut table = Table::new(
        "Trips too rare to be met by chance, by importance sampling",
        &["policy", "version"],
        &["probability", "its interval", "relative error", "hits", "replicates", "says"],
    );
    for cell in &report.cells {
        let Some(rare) = &cell.rare else { continue };
        let tiny = |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.2e}"));
        table.row([
            names.long(&cell.policy),
            cell.version.to_string(),
            tiny(rare.estimate.or(rare.upper_bound)),
            rare.ci.map_or_else(|| NOTHING.to_owned(), |ci| format!("{:.2e} to {:.2e}", ci.low, ci.high)),
            Unit::Share.say_or_nothing(rare.relative_error),
            number(rare.hits as f64),
            number(rare.n as f64),
            rare.says.clone(),
        ]);
    }
    open(&table)
}

/// Every metric and rate of every cell, as far as a table bears it.
fn everything(report: &SweepReport) -> Table {
    let names = Policies::of_axes(&report.axes);
    let columns = ["mean or rate", "its interval", "median", "95th percentile", "least", "most", "over"];
    let mut table = Table::new("Every metric and rate of every cell", &["policy", "version", "number"], &columns);
    for cell in &report.cells {
        for (measure, summary) in &cell.metrics.0 {
            if summary.n() == 0 {
                continue;
            }
            let unit = Unit::of(measure.name());
            let [p50, p95, min, max] = match summary {
                Summary::Figure(figure) => {
                    [figure.p50, figure.p95, figure.min, figure.max].map(|value| unit.say_or_nothing(value))
                }
                Summary::Share(_) => [NOTHING; 4].map(str::to_owned),
            };
            table.row([
                names.short(&cell.policy),
                cell.version.to_string(),
                called(measure.name()) + &beside_in(measure.name(), &cell.metrics, cell.replicates),
                unit.say_or_nothing(summary.centre()),
                unit.say_interval(summary.interval()),
                p50,
                p95,
                min,
                max,
                number(summary.n() as f64),
            ]);
        }
    }
    table
}

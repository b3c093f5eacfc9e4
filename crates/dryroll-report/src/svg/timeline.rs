//! The timeline: a row an instance, time from left to right. States differ by colour, by pattern and by height, so that
//! they are told apart without colour too.

use std::collections::HashMap;
use std::fmt::Write;

use crate::model::timeline::{State, Timeline};
use crate::svg::axis::Axis;
use crate::svg::drawing::{Anchor, Canvas, fitted, short, text_width};
use crate::svg::theme::Colour;
use crate::svg::{Plot, Table};
use crate::words::{Unit, plural, spoken};
use dryroll_engine::Reason;
use dryroll_engine::fleet::Span;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 14.0;
/// Why a verdict fails, by the names of reports.
const REASONS: [&str; 2] = [Reason::UpgradeFailed.name(), Reason::HealthTimeout.name()];
/// More of one kind are not drawn.
const MOST_MARKS: usize = 300;
/// More segments are not listed in the table.
const MOST_LISTED: usize = 1500;

const STATES: [State; 8] = [
    State::Previous,
    State::Upgrading,
    State::Target,
    State::Failed,
    State::Unhealthy,
    State::Hung,
    State::Crashed,
    State::Dead,
];

fn word(state: State) -> &'static str {
    match state {
        State::Previous => "previous version",
        State::Upgrading => "upgrading",
        State::Target => "target version",
        State::Failed => "upgrade failed",
        State::Unhealthy => "unhealthy",
        State::Hung => "hung",
        State::Crashed => "crashed",
        State::Dead => "dead",
    }
}

/// Colour, share of the row's height, and the marks of its pattern: none for a plain one.
fn look(state: State) -> (Colour, f64, &'static str) {
    match state {
        State::Previous => (Colour::Soft, 0.34, ""),
        State::Upgrading => (Colour::First, 0.8, "M0 0V4"),
        State::Target => (Colour::First, 0.8, ""),
        State::Failed => (Colour::Second, 0.8, "M0 0V4M0 0H4"),
        State::Unhealthy => (Colour::Second, 0.8, "M0 1H2"),
        State::Hung => (Colour::Fourth, 0.8, "M0 0V4"),
        State::Crashed => (Colour::Fourth, 0.8, ""),
        State::Dead => (Colour::Text, 0.22, ""),
    }
}

/// A timeline with the name of its plot.
#[derive(Clone, Copy, Debug)]
pub struct Drawing<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What happened.
    pub timeline: &'a Timeline,
}

struct Layout {
    end: f64,
    scale: f64,
    rows_top: f64,
    row: f64,
}

impl Layout {
    fn x(&self, at: u64) -> f64 {
        LEFT + (at as f64).min(self.end) * self.scale
    }
}

impl Drawing<'_> {
    /// Draws it; `None` where it has no instance.
    #[must_use]
    pub fn draw(&self) -> Option<Plot> {
        let timeline = self.timeline;
        if timeline.instances.is_empty() {
            return None;
        }
        let end = timeline.end_ms.max(1) as f64;
        let rows = timeline.instances.len().min(400);
        let row = (640.0 / rows as f64).clamp(3.0, 14.0);
        let mut layout = Layout { end, scale: (WIDTH - LEFT - RIGHT) / end, rows_top: 0.0, row };
        let mut canvas = Canvas::default();
        let present = self.present(rows);
        let legend = self.legend(&mut canvas, &present);
        let mut y = self.verdict_legend(&mut canvas, legend) + 10.0;
        let lanes_top = y;
        y = self.batches(&mut canvas, &layout, y);
        y = self.breaker(&mut canvas, &layout, y);
        y = self.verdicts(&mut canvas, &layout, y);
        y = self.spans(&mut canvas, &layout, y, "asked", timeline.requests.len(), |i| {
            let request = &timeline.requests[i];
            (request.from_ms, request.to_ms, format!("{}: {}", request.id, request.answer), Colour::Third)
        });
        y = self.spans(&mut canvas, &layout, y, "faults", timeline.faults.len(), |i| {
            let fault = &timeline.faults[i];
            (fault.from_ms, fault.to_ms, fault.kind.replace('_', " "), Colour::Fourth)
        });
        layout.rows_top = y + 4.0;
        // What was decided on a trip stands under the rows.
        let room = if timeline.trips.is_empty() { 0.0 } else { 20.0 };
        let bottom = layout.rows_top + rows as f64 * row + room;
        self.time_axis(&mut canvas, &layout, lanes_top, bottom);
        self.instances(&mut canvas, &layout, rows, &present);
        self.failures(&mut canvas, &layout, rows);
        self.trips(&mut canvas, &layout, lanes_top, bottom);
        Some(Plot {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            description: self.description(),
            reading: self.reading(rows),
            size: (WIDTH, (bottom + 40.0).ceil()),
            svg: canvas.into_svg(),
            table: self.table(),
        })
    }

    fn present(&self, rows: usize) -> Vec<State> {
        let segments = || self.timeline.instances.iter().take(rows).flat_map(|row| &row.segments);
        STATES.into_iter().filter(|state| segments().any(|(_, found)| found == state)).collect()
    }

    fn description(&self) -> String {
        let timeline = self.timeline;
        let batches = timeline.batches.iter().filter(|batch| !batch.rollback).count() as u64;
        let trips = match timeline.trips.as_slice() {
            [] => "the breaker does not trip".to_owned(),
            [first, rest @ ..] => {
                let more =
                    if rest.is_empty() { String::new() } else { format!(" first, {} times in all", rest.len() + 1) };
                format!("the breaker trips at {}{more}", spoken(Span(first.at_ms)))
            }
        };
        format!(
            "{}: {} in {}, over after {}; {trips}.",
            self.title,
            plural(u64::from(timeline.total_instances), "instance", "instances"),
            plural(batches, "batch", "batches"),
            spoken(Span(timeline.end_ms))
        )
    }

    fn reading(&self, rows: usize) -> String {
        let timeline = self.timeline;
        let mut said = "Each row is an instance, time goes from left to right. Above: the batches with their numbers \
            (R: of the rollback), the breaker’s count of failures in a row with its limit dashed, and what a person \
            was asked. A vertical line with a bolt is a trip; what was decided stands beside it."
            .to_owned();
        if !timeline.failures.is_empty() {
            said.push_str(
                " A mark on a row and in the lane of failures is a failed verdict: a cross where the upgrade reported \
                 it, a triangle where nothing healthy was heard in time.",
            );
        }
        let total = timeline.total_instances as usize;
        if rows < total {
            let _ = write!(said, " Of {total} instances {rows} are drawn, evenly spaced.");
        }
        for (what, count) in [
            ("trips", timeline.trips.len()),
            ("failed verdicts", timeline.failed_verdicts as usize),
            ("requests", timeline.requests.len()),
            ("batches", timeline.batches.len()),
        ] {
            if count > MOST_MARKS {
                let _ = write!(said, " Of {count} {what} the first {MOST_MARKS} are drawn.");
            }
        }
        said
    }

    fn paint(&self, state: State) -> String {
        let (colour, _, marks) = look(state);
        if marks.is_empty() {
            return colour.fill();
        }
        format!("fill=\"url(#{}-{})\"", self.name, crate::svg::slug(word(state)))
    }

    /// Patterns and their names, in a line.
    fn legend(&self, canvas: &mut Canvas, present: &[State]) -> f64 {
        let (mut x, mut y) = (LEFT, 4.0);
        for &state in present {
            let (colour, share, marks) = look(state);
            if !marks.is_empty() {
                let turned = if matches!(state, State::Upgrading | State::Failed) { 45.0 } else { 0.0 };
                let under = format!("<rect width=\"4\" height=\"4\" {} fill-opacity=\".22\"/>", colour.fill());
                let stroke = if state == State::Unhealthy { 2.0 } else { 1.5 };
                let marks =
                    format!("{under}<path d=\"{marks}\" {} stroke-width=\"{stroke}\" fill=\"none\"/>", colour.stroke());
                canvas.pattern(&format!("{}-{}", self.name, crate::svg::slug(word(state))), [4.0, 4.0], turned, &marks);
            }
            let width = 30.0 + text_width(word(state), 12.0) + 18.0;
            if x + width > WIDTH {
                (x, y) = (LEFT, y + 20.0);
            }
            let height = 12.0 * share;
            canvas.rect([x, y + (12.0 - height) / 2.0, 24.0, height], &self.paint(state));
            canvas.text((x + 30.0, y + 10.5), Anchor::Start, 12.0, Colour::Muted, word(state));
            x += width;
        }
        y + 16.0
    }

    fn lane_name(canvas: &mut Canvas, y: f64, name: &str) {
        canvas.text((LEFT - 10.0, y), Anchor::End, 12.0, Colour::Muted, name);
    }

    fn batches(&self, canvas: &mut Canvas, layout: &Layout, y: f64) -> f64 {
        if self.timeline.batches.is_empty() {
            return y;
        }
        Self::lane_name(canvas, y + 18.0, "batches");
        let mut free = f64::MIN;
        for batch in self.timeline.batches.iter().take(MOST_MARKS) {
            let (from, to) = (layout.x(batch.from_ms), layout.x(batch.to_ms.max(batch.from_ms)));
            let to = to.max(from + 1.0);
            let [a, b, top, foot] = [from + 0.5, to - 0.5, y + 16.0, y + 22.0].map(short);
            canvas.path(
                &format!("M{a} {foot}V{top}H{b}V{foot}"),
                &format!("{} fill=\"none\" stroke-width=\"1.2\"", Colour::Text.stroke()),
            );
            let label = format!("{}{}", if batch.rollback { "R" } else { "" }, batch.index);
            let (middle, half) = ((from + to) / 2.0, text_width(&label, 11.0) / 2.0);
            if middle - half > free {
                canvas.text((middle, y + 11.0), Anchor::Middle, 11.0, Colour::Text, &label);
                free = middle + half + 3.0;
            }
        }
        y + 32.0
    }

    fn breaker(&self, canvas: &mut Canvas, layout: &Layout, y: f64) -> f64 {
        const HEIGHT: f64 = 34.0;
        let timeline = self.timeline;
        let most = timeline.breaker.iter().map(|step| step.1).max().unwrap_or(0).max(timeline.limit).max(1);
        let up = |count: u32| y + 6.0 + HEIGHT * (1.0 - f64::from(count) / f64::from(most));
        let right = WIDTH - RIGHT;
        Self::lane_name(canvas, y + 26.0, "in a row");
        canvas.line([LEFT, up(0), right, up(0)], Colour::Grid, "");
        if timeline.limit > 0 {
            canvas.line(
                [LEFT, up(timeline.limit), right, up(timeline.limit)],
                Colour::Second,
                "stroke-dasharray=\"5 3\"",
            );
            let limit = format!("limit {}", timeline.limit);
            canvas.text((right, up(timeline.limit) + 12.0), Anchor::End, 11.0, Colour::Second, &limit);
        }
        let mut d = format!("M{} {}", short(LEFT), short(up(0)));
        for &(at, count) in &timeline.breaker {
            let _ = write!(d, "H{}V{}", short(layout.x(at)), short(up(count)));
        }
        let _ = write!(d, "H{}", short(right));
        canvas.path(&d, &format!("{} fill=\"none\" stroke-width=\"1.6\"", Colour::Text.stroke()));
        y + HEIGHT + 18.0
    }

    fn spans(
        &self,
        canvas: &mut Canvas,
        layout: &Layout,
        y: f64,
        name: &str,
        count: usize,
        span: impl Fn(usize) -> (u64, u64, String, Colour),
    ) -> f64 {
        const HEIGHT: f64 = 8.0;
        if count == 0 {
            return y;
        }
        // Each label stands under its bar; what would overlap goes a line further down.
        let mut free = [f64::MIN; 4];
        Self::lane_name(canvas, y + 10.0, name);
        let mut lines = 1;
        for i in 0..count.min(MOST_MARKS) {
            let (from, to, label, colour) = span(i);
            let (from, to) = (layout.x(from), layout.x(to.max(from)));
            canvas.rect([from, y, (to - from).max(2.0), HEIGHT], &format!("{} rx=\"2\"", colour.fill()));
            let width = text_width(&label, 11.0);
            let at = from.min(WIDTH - RIGHT - width).max(LEFT);
            if let Some(line) = free.iter().position(|&end| end < at) {
                lines = lines.max(line + 1);
                free[line] = at + width + 8.0;
                let below = y + HEIGHT + 12.0 + line as f64 * 13.0;
                canvas.text(
                    (at, below),
                    Anchor::Start,
                    11.0,
                    Colour::Muted,
                    &fitted(&label, 11.0, WIDTH - LEFT - RIGHT),
                );
            }
        }
        y + HEIGHT + 8.0 + lines as f64 * 13.0
    }

    fn instances(&self, canvas: &mut Canvas, layout: &Layout, rows: usize, present: &[State]) {
        let every = (11.0 / layout.row).ceil().max(1.0) as usize;
        for (i, row) in self.timeline.instances.iter().take(rows).enumerate().step_by(every) {
            let middle = layout.rows_top + (i as f64 + 0.5) * layout.row + 3.5;
            canvas.text((LEFT - 10.0, middle), Anchor::End, 10.0, Colour::Muted, &fitted(&row.id, 10.0, LEFT - 12.0));
        }
        for &state in present {
            let height = layout.row * look(state).1;
            let mut d = String::new();
            for (i, row) in self.timeline.instances.iter().take(rows).enumerate() {
                let top = layout.rows_top + i as f64 * layout.row + (layout.row - height) / 2.0;
                let mut last = f64::MIN;
                for (j, &(from, found)) in row.segments.iter().enumerate() {
                    if found != state || from >= self.timeline.end_ms.max(1) {
                        continue;
                    }
                    let to = row.segments.get(j + 1).map_or(self.timeline.end_ms, |next| next.0);
                    let (from, to) = (layout.x(from), layout.x(to.max(from)));
                    // What is over within a fraction of a pixel of the last one cannot be seen.
                    if to - from < 0.25 && from - last < 0.5 {
                        continue;
                    }
                    last = to;
                    let [x, y, w, h] = [from, top, (to - from).max(0.5), height].map(short);
                    let _ = write!(d, "M{x} {y}h{w}v{h}h-{w}z");
                }
            }
            canvas.path(&d, &self.paint(state));
        }
    }

    /// What the marks of failed verdicts mean, of those that there are.
    fn verdict_legend(&self, canvas: &mut Canvas, y: f64) -> f64 {
        let mut x = LEFT;
        for reason in REASONS {
            if !self.timeline.failures.iter().any(|failure| failure.reason == reason) {
                continue;
            }
            let says = format!("verdict: {}", reason.replace('_', " "));
            verdict(canvas, reason, (x + 12.0, y + 6.0), 4.5);
            canvas.text((x + 30.0, y + 10.5), Anchor::Start, 12.0, Colour::Muted, &says);
            x += 48.0 + text_width(&says, 12.0);
        }
        if x > LEFT { y + 20.0 } else { y }
    }

    /// All failed verdicts in one lane: those too of instances that have no row.
    fn verdicts(&self, canvas: &mut Canvas, layout: &Layout, y: f64) -> f64 {
        if self.timeline.failures.is_empty() {
            return y;
        }
        Self::lane_name(canvas, y + 10.0, "failures");
        for failure in self.timeline.failures.iter().take(MOST_MARKS) {
            verdict(canvas, &failure.reason, (layout.x(failure.at_ms), y + 6.0), 3.5);
        }
        y + 22.0
    }

    /// The failed verdicts on the rows of their instances.
    fn failures(&self, canvas: &mut Canvas, layout: &Layout, rows: usize) {
        let places: HashMap<&str, usize> =
            self.timeline.instances.iter().take(rows).enumerate().map(|(i, row)| (row.id.as_str(), i)).collect();
        let r = (layout.row * 0.4).clamp(1.5, 4.5);
        for failure in self.timeline.failures.iter().take(MOST_MARKS) {
            let Some(&row) = places.get(failure.instance_id.as_str()) else { continue };
            let y = layout.rows_top + (row as f64 + 0.5) * layout.row;
            verdict(canvas, &failure.reason, (layout.x(failure.at_ms), y), r);
        }
    }

    fn time_axis(&self, canvas: &mut Canvas, layout: &Layout, top: f64, bottom: f64) {
        let axis = Axis::from_zero([layout.end / 1000.0], Unit::Seconds, 8);
        for &at in axis.ticks.iter().filter(|&&at| at * 1000.0 <= layout.end) {
            let x = layout.x((at * 1000.0) as u64);
            canvas.line([x, top, x, bottom + 5.0], Colour::Grid, "stroke-opacity=\".7\"");
            canvas.text((x, bottom + 19.0), Anchor::Middle, 12.0, Colour::Muted, &axis.label(at));
        }
        canvas.text((WIDTH - RIGHT, bottom + 35.0), Anchor::End, 12.0, Colour::Text, "time since the request");
    }

    fn trips(&self, canvas: &mut Canvas, layout: &Layout, top: f64, bottom: f64) {
        let mut free = f64::MIN;
        for trip in self.timeline.trips.iter().take(MOST_MARKS) {
            let x = layout.x(trip.at_ms);
            canvas.line([x, top + 8.0, x, bottom], Colour::Second, "stroke-width=\"1.4\"");
            bolt(canvas, x, top + 2.0);
            let decision = trip.decision.as_deref().unwrap_or("no decision").replace('_', " ");
            let decided = trip
                .decided_at_ms
                .filter(|&at| at > trip.at_ms)
                .map_or_else(String::new, |at| format!(", after {}", spoken(Span(at - trip.at_ms))));
            let label = format!("{decision}{decided}");
            let width = text_width(&label, 11.0);
            let (at, anchor, from) = if x + 8.0 + width < WIDTH - RIGHT {
                (x + 6.0, Anchor::Start, x)
            } else {
                (x - 6.0, Anchor::End, x - width - 8.0)
            };
            if from > free {
                canvas.text((at, bottom - 4.5), anchor, 11.0, Colour::Text, &label);
                free = from + width + 12.0;
            }
            if let Some(at) = trip.decided_at_ms {
                let x = layout.x(at);
                canvas.line([x, top + 8.0, x, bottom], Colour::Text, "stroke-width=\"1\" stroke-dasharray=\"2 3\"");
            }
        }
    }

    fn table(&self) -> Table {
        let mut table =
            Table::new(format!("{}: what is drawn, in order", self.title), &["kind", "which"], &["from", "to", "what"]);
        let timeline = self.timeline;
        let time = |at: u64| dryroll_engine::fleet::At(at).to_string();
        for batch in timeline.batches.iter().take(MOST_MARKS) {
            let kind = if batch.rollback { "rollback batch" } else { "batch" };
            let what = format!("{} healthy, {} failed", batch.healthy_count, batch.failed_count);
            table.row([kind.to_owned(), batch.index.to_string(), time(batch.from_ms), time(batch.to_ms), what]);
        }
        for trip in timeline.trips.iter().take(MOST_MARKS) {
            let to = trip.decided_at_ms.map_or_else(String::new, time);
            let what = trip.decision.as_deref().unwrap_or("no decision").replace('_', " ");
            let mut failed = trip.failed_instance_ids.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(" ");
            if trip.failed_instance_ids.len() > 8 {
                failed.push_str(" …");
            }
            table.row(["trip".to_owned(), failed, time(trip.at_ms), to, what]);
        }
        for request in timeline.requests.iter().take(MOST_MARKS) {
            table.row([
                "request".to_owned(),
                request.id.clone(),
                time(request.from_ms),
                time(request.to_ms),
                request.answer.clone(),
            ]);
        }
        for fault in &timeline.faults {
            let touched = plural(u64::from(fault.touched_instances), "instance touched", "instances touched");
            table.row([
                "fault".to_owned(),
                fault.kind.replace('_', " "),
                time(fault.from_ms),
                time(fault.to_ms),
                touched,
            ]);
        }
        for &(at, count) in timeline.breaker.iter().take(MOST_MARKS) {
            table.row(["in a row".to_owned(), String::new(), time(at), String::new(), count.to_string()]);
        }
        let mut listed = 0;
        for row in &timeline.instances {
            for (i, &(from, state)) in row.segments.iter().enumerate() {
                let to = row.segments.get(i + 1).map_or(timeline.end_ms, |next| next.0);
                if listed < MOST_LISTED {
                    table.row(["instance".to_owned(), row.id.clone(), time(from), time(to), word(state).to_owned()]);
                }
                listed += 1;
            }
        }
        if listed > MOST_LISTED {
            let _ = write!(table.caption, " (of {listed} stretches of instances the first {MOST_LISTED})");
        }
        table
    }
}

/// The mark of a failed verdict: a cross for a reported failure, a triangle for what was not heard of in time. Both
/// have a light rim, so that they stand out from the rows.
fn verdict(canvas: &mut Canvas, reason: &str, (x, y): (f64, f64), r: f64) {
    let [left, right, top, foot] = [x - r, x + r, y - r, y + r].map(short);
    let d = if reason == REASONS[0] {
        format!("M{left} {top}L{right} {foot}M{left} {foot}L{right} {top}")
    } else {
        format!("M{left} {foot}H{right}L{} {top}Z", short(x))
    };
    let rim = "fill=\"none\" stroke-width=\"4\" stroke-opacity=\".85\"";
    canvas.path(&d, &format!("{} {rim}", Colour::Paper.stroke()));
    if reason == REASONS[0] {
        canvas.path(&d, &format!("{} fill=\"none\" stroke-width=\"1.6\"", Colour::Text.stroke()));
    } else {
        canvas.path(&d, &Colour::Text.fill());
    }
}

/// A bolt, drawn: not every font has one.
fn bolt(canvas: &mut Canvas, x: f64, y: f64) {
    let (x, y) = (short(x), short(y));
    canvas.path(&format!("M{x} {y}m2 -2l-7 9h4l-2 7l7 -9h-4z"), &Colour::Second.fill());
}

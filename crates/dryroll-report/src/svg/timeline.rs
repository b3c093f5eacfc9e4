//! The timeline: a row an instance, time from left to right. States differ by colour, by pattern and by height, so that
//! they differ without colour too.

mod lanes;
mod listing;
mod states;
mod trips;
mod verdicts;

use std::fmt::Write;

use crate::model::timeline::{State, Timeline};
use crate::svg::Plot;
use crate::svg::axis::Axis;
use crate::svg::drawing::{Anchor, Canvas, fitted, short};
use crate::svg::theme::Colour;
use crate::words::{Unit, plural, spoken};
use dryroll_engine::fleet::Span;
use states::{STATES, look};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 14.0;
/// More of one kind are not drawn.
const MOST_MARKS: usize = 300;

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
        y = self.spans(&mut canvas, &layout, y, "bakes", timeline.bakes.len(), |i| {
            let bake = &timeline.bakes[i];
            (bake.from_ms, bake.to_ms, format!("batch {}", bake.batch_index), Colour::Soft)
        });
        y = self.breaker(&mut canvas, &layout, y);
        y = self.verdicts(&mut canvas, &layout, y);
        y = self.spans(&mut canvas, &layout, y, "noted", timeline.notes.len(), |i| {
            let note = &timeline.notes[i];
            (note.at_ms, note.at_ms, note.reason.clone(), Colour::Second)
        });
        y = self.spans(&mut canvas, &layout, y, "asked", timeline.requests.len(), |i| {
            let request = &timeline.requests[i];
            let asks = request.promotes.map_or_else(String::new, |batch| format!(" for batch {batch}"));
            (request.from_ms, request.to_ms, format!("{}{asks}: {}", request.id, request.answer), Colour::Third)
        });
        y = self.spans(&mut canvas, &layout, y, "faults", timeline.faults.len(), |i| {
            let fault = &timeline.faults[i];
            (fault.from_ms, fault.to_ms, fault.kind.replace('_', " "), Colour::Fourth)
        });
        layout.rows_top = y + 4.0;
        // What was decided on a trip stands under the rows.
        let room = self.room_for_decisions(&layout);
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

    /// Whether failures in a row are counted.
    fn has_breaker(&self) -> bool {
        self.timeline.limit > 0 || !self.timeline.breaker.is_empty()
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
        let breaker = match self.has_breaker() {
            true => "the breaker’s count of failures in a row with its limit dashed, ",
            false => "",
        };
        let bakes = if timeline.bakes.is_empty() { "" } else { "their bakes, " };
        let mut said = format!(
            "Each row is an instance, time goes from left to right. Above: the batches with their numbers (R: of the \
             rollback), {bakes}{breaker}and what a person was asked. A vertical line with a bolt is a trip; what was \
             decided stands beside it."
        );
        if !timeline.failures.is_empty() {
            said.push_str(
                " A mark on a row and in the lane of failures is a failed verdict: a cross where the upgrade reported \
                 it, a triangle where nothing healthy was heard in time",
            );
            let has_relapse = timeline.failures.iter().any(|failure| failure.relapse.is_some());
            said.push_str(if has_relapse { ", a diamond where it was healthy and relapsed." } else { "." });
        }
        let total = timeline.total_instances as usize;
        if rows < total {
            let _ = write!(said, " Of {total} instances {rows} are drawn, evenly spaced.");
        }
        for (what, count) in [
            ("trips", timeline.trips.len()),
            ("failed verdicts", timeline.failed_verdicts as usize),
            ("bakes", timeline.bakes.len()),
            ("notes", timeline.notes.len()),
            ("requests", timeline.requests.len()),
            ("batches", timeline.batches.len()),
        ] {
            if count > MOST_MARKS {
                let _ = write!(said, " Of {count} {what} the first {MOST_MARKS} are drawn.");
            }
        }
        said
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

    fn time_axis(&self, canvas: &mut Canvas, layout: &Layout, top: f64, bottom: f64) {
        let axis = Axis::from_zero([layout.end / 1000.0], Unit::Seconds, 8);
        for &at in axis.ticks.iter().filter(|&&at| at * 1000.0 <= layout.end) {
            let x = layout.x((at * 1000.0) as u64);
            canvas.line([x, top, x, bottom + 5.0], Colour::Grid, "stroke-opacity=\".7\"");
            canvas.text((x, bottom + 19.0), Anchor::Middle, 12.0, Colour::Muted, &axis.label(at));
        }
        canvas.text((WIDTH - RIGHT, bottom + 35.0), Anchor::End, 12.0, Colour::Text, "time since the request");
    }
}

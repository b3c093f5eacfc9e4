//! Trips of the breaker, and what was decided on each.

use super::{Drawing, Layout, MOST_MARKS, RIGHT, WIDTH};
use crate::model::timeline::Trip;
use crate::svg::drawing::{Anchor, Canvas, short, text_width};
use crate::svg::theme::Colour;
use crate::words::spoken;
use dryroll_engine::fleet::Span;

/// Lines of labels; a label that fits in none is left out.
const MOST_LINES: usize = 4;
/// The height of a line.
const LINE: f64 = 13.0;

/// What was decided on a trip.
struct DecisionLabel {
    x: f64,
    anchor: Anchor,
    line: usize,
    text: String,
}

/// How many lines some labels take.
fn lines(labels: &[DecisionLabel]) -> usize {
    labels.iter().map(|label| label.line + 1).max().unwrap_or(0)
}

impl Drawing<'_> {
    /// The trips and their decisions. Decisions have their labels under the rows; labels that would overlap stand
    /// in lines of their own.
    pub(super) fn trips(&self, canvas: &mut Canvas, layout: &Layout, top: f64, bottom: f64) {
        for trip in self.timeline.trips.iter().take(MOST_MARKS) {
            let x = layout.x(trip.at_ms);
            canvas.line([x, top + 8.0, x, bottom], Colour::Second, "stroke-width=\"1.4\"");
            bolt(canvas, x, top + 2.0);
            if let Some(at) = trip.decided_at_ms {
                let x = layout.x(at);
                canvas.line([x, top + 8.0, x, bottom], Colour::Text, "stroke-width=\"1\" stroke-dasharray=\"2 3\"");
            }
        }
        let labels = self.decisions(layout);
        let lines = lines(&labels);
        for label in labels {
            let y = bottom - 4.5 - (lines - 1 - label.line) as f64 * LINE;
            canvas.text((label.x, y), label.anchor, 11.0, Colour::Text, &label.text);
        }
    }

    /// The height that the labels of the decisions take.
    pub(super) fn room_for_decisions(&self, layout: &Layout) -> f64 {
        match lines(&self.decisions(layout)) {
            0 => 0.0,
            lines => 20.0 + (lines - 1) as f64 * LINE,
        }
    }

    fn decisions(&self, layout: &Layout) -> Vec<DecisionLabel> {
        let mut free = [f64::MIN; MOST_LINES];
        let trips = self.timeline.trips.iter().take(MOST_MARKS);
        let label = |trip: &Trip| {
            let decision = trip.followed();
            let took = trip.decided_at_ms.filter(|&at| at > trip.at_ms).map(|at| spoken(Span(at - trip.at_ms)));
            let text = format!("{decision}{}", took.map_or_else(String::new, |took| format!(", after {took}")));
            let (at, width) = (layout.x(trip.at_ms), text_width(&text, 11.0));
            let (x, anchor, from) = if at + 8.0 + width < WIDTH - RIGHT {
                (at + 6.0, Anchor::Start, at)
            } else {
                (at - 6.0, Anchor::End, at - width - 8.0)
            };
            let line = free.iter().position(|&end| from > end)?;
            free[line] = from + width + 12.0;
            Some(DecisionLabel { x, anchor, line, text })
        };
        trips.filter_map(label).collect()
    }
}

/// A bolt, drawn: not every font has one.
fn bolt(canvas: &mut Canvas, x: f64, y: f64) {
    let (x, y) = (short(x), short(y));
    canvas.path(&format!("M{x} {y}m2 -2l-7 9h4l-2 7l7 -9h-4z"), &Colour::Second.fill());
}

//! The marks of failed verdicts.

use std::collections::HashMap;

use super::{Drawing, LEFT, Layout, MOST_MARKS};
use crate::svg::drawing::{Anchor, Canvas, short, text_width};
use crate::svg::theme::Colour;
use dryroll_engine::Reason;

/// Why a verdict fails, by the names of reports.
const REASONS: [&str; 3] = [Reason::UpgradeFailed.name(), Reason::HealthTimeout.name(), Reason::Relapsed.name()];

impl Drawing<'_> {
    /// What the marks of failed verdicts mean, of those that there are.
    pub(super) fn verdict_legend(&self, canvas: &mut Canvas, y: f64) -> f64 {
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

    /// The failed verdicts on the rows of their instances.
    pub(super) fn failures(&self, canvas: &mut Canvas, layout: &Layout, rows: usize) {
        let places: HashMap<&str, usize> =
            self.timeline.instances.iter().take(rows).enumerate().map(|(i, row)| (row.id.as_str(), i)).collect();
        let r = (layout.row * 0.4).clamp(1.5, 4.5);
        for failure in self.timeline.failures.iter().take(MOST_MARKS) {
            let Some(&row) = places.get(failure.instance_id.as_str()) else { continue };
            let y = layout.rows_top + (row as f64 + 0.5) * layout.row;
            verdict(canvas, &failure.reason, (layout.x(failure.at_ms), y), r);
        }
    }
}

/// The mark of a failed verdict: a cross for a reported failure, a triangle for what was not heard of in time, a diamond
/// for a relapse. All have a light rim, so that they stand out from the rows.
pub(super) fn verdict(canvas: &mut Canvas, reason: &str, (x, y): (f64, f64), r: f64) {
    let [left, right, top, foot] = [x - r, x + r, y - r, y + r].map(short);
    let d = if reason == REASONS[0] {
        format!("M{left} {top}L{right} {foot}M{left} {foot}L{right} {top}")
    } else if reason == REASONS[2] {
        let [middle, across] = [x, y].map(short);
        format!("M{middle} {top}L{right} {across}L{middle} {foot}L{left} {across}Z")
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

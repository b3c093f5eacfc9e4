//! The lanes above the rows: batches, the breaker's count, failed verdicts, requests and faults.

use std::fmt::Write;

use super::verdicts::verdict;
use super::{Drawing, LEFT, Layout, MOST_MARKS, RIGHT, WIDTH};
use crate::model::timeline::Batch;
use crate::svg::drawing::{Anchor, Canvas, fitted, short, text_width};
use crate::svg::theme::Colour;

/// Batches that overlap are drawn in so many lanes.
const MOST_LANES: usize = 4;
/// The height of a lane of batches.
const LANE: f64 = 24.0;

impl Drawing<'_> {
    pub(super) fn lane_name(canvas: &mut Canvas, y: f64, name: &str) {
        canvas.text((LEFT - 10.0, y), Anchor::End, 12.0, Colour::Muted, name);
    }

    pub(super) fn batches(&self, canvas: &mut Canvas, layout: &Layout, y: f64) -> f64 {
        if self.timeline.batches.is_empty() {
            return y;
        }
        Self::lane_name(canvas, y + 18.0, "batches");
        let lanes = self.batch_lanes();
        let mut free = [f64::MIN; MOST_LANES];
        let mut used = 1;
        for (batch, lane) in self.timeline.batches.iter().take(MOST_MARKS).zip(lanes) {
            let (from, to) = (layout.x(batch.from_ms), layout.x(batch.to_ms.max(batch.from_ms)));
            let to = to.max(from + 1.0);
            let (y, free) = (y + lane as f64 * LANE, &mut free[lane]);
            used = used.max(lane + 1);
            let [a, b, top, foot] = [from + 0.5, to - 0.5, y + 16.0, y + 22.0].map(short);
            canvas.path(
                &format!("M{a} {foot}V{top}H{b}V{foot}"),
                &format!("{} fill=\"none\" stroke-width=\"1.2\"", Colour::Text.stroke()),
            );
            let label = format!("{}{}", if batch.rollback { "R" } else { "" }, batch.index);
            let (middle, half) = ((from + to) / 2.0, text_width(&label, 11.0) / 2.0);
            if middle - half > *free {
                canvas.text((middle, y + 11.0), Anchor::Middle, 11.0, Colour::Text, &label);
                *free = middle + half + 3.0;
            }
        }
        y + 32.0 + (used - 1) as f64 * LANE
    }

    /// The lane of each batch: one that begins before another of its rollout is over has a lane below it.
    fn batch_lanes(&self) -> Vec<usize> {
        let mut over = [[0; MOST_LANES]; 2];
        let place = |batch: &Batch| {
            let over = &mut over[usize::from(batch.rollback)];
            let lane = over.iter().position(|&end| end <= batch.from_ms).unwrap_or(MOST_LANES - 1);
            over[lane] = over[lane].max(batch.to_ms);
            lane
        };
        self.timeline.batches.iter().take(MOST_MARKS).map(place).collect()
    }

    pub(super) fn breaker(&self, canvas: &mut Canvas, layout: &Layout, y: f64) -> f64 {
        const HEIGHT: f64 = 34.0;
        if !self.has_breaker() {
            return y;
        }
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

    pub(super) fn spans(
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

    /// All failed verdicts in one lane: those too of instances that have no row.
    pub(super) fn verdicts(&self, canvas: &mut Canvas, layout: &Layout, y: f64) -> f64 {
        if self.timeline.failures.is_empty() {
            return y;
        }
        Self::lane_name(canvas, y + 10.0, "failures");
        for failure in self.timeline.failures.iter().take(MOST_MARKS) {
            verdict(canvas, &failure.reason, (layout.x(failure.at_ms), y + 6.0), 3.5);
        }
        y + 22.0
    }
}

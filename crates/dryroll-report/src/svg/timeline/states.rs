//! States of instances: their names, looks and legend.

use super::{Drawing, LEFT, WIDTH};
use crate::model::timeline::State;
use crate::svg::drawing::{Anchor, Canvas, text_width};
use crate::svg::theme::Colour;

pub(super) const STATES: [State; 9] = [
    State::Previous,
    State::Upgrading,
    State::Target,
    State::Failed,
    State::Unhealthy,
    State::Hung,
    State::Crashed,
    State::Dead,
    State::Bricked,
];

pub(super) fn word(state: State) -> &'static str {
    match state {
        State::Previous => "previous version",
        State::Upgrading => "upgrading",
        State::Target => "target version",
        State::Failed => "upgrade failed",
        State::Unhealthy => "unhealthy",
        State::Hung => "hung",
        State::Crashed => "crashed",
        State::Dead => "dead",
        State::Bricked => "bricked",
    }
}

/// Colour, share of the row's height, and the marks of its pattern: none for a plain one.
pub(super) fn look(state: State) -> (Colour, f64, &'static str) {
    match state {
        State::Previous => (Colour::Soft, 0.34, ""),
        State::Upgrading => (Colour::First, 0.8, "M0 0V4"),
        State::Target => (Colour::First, 0.8, ""),
        State::Failed => (Colour::Second, 0.8, "M0 0V4M0 0H4"),
        State::Unhealthy => (Colour::Second, 0.8, "M0 1H2"),
        State::Hung => (Colour::Fourth, 0.8, "M0 0V4"),
        State::Crashed => (Colour::Fourth, 0.8, ""),
        State::Dead => (Colour::Text, 0.22, ""),
        State::Bricked => (Colour::Text, 0.8, "M0 0V4M0 0H4"),
    }
}

impl Drawing<'_> {
    pub(super) fn paint(&self, state: State) -> String {
        let (colour, _, marks) = look(state);
        if marks.is_empty() {
            return colour.fill();
        }
        format!("fill=\"url(#{}-{})\"", self.name, crate::svg::slug(word(state)))
    }

    /// Patterns and their names, in a line.
    pub(super) fn legend(&self, canvas: &mut Canvas, present: &[State]) -> f64 {
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
}

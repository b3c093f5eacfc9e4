//! The marks of the plot: markers of policies, and dashed lines of limits.

use plotters::prelude::*;

use super::Marker;
use crate::svg::chart::{self, Drawn, rgb};
use crate::svg::theme::Colour;

/// A straight line in dashes, between two places in pixels.
pub(super) fn dashed(area: &chart::Area<'_>, [from, to]: [(i32, i32); 2], style: ShapeStyle) -> Drawn {
    const DASH: f64 = 7.0;
    const STEP: f64 = 12.0;
    let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let length = dx.hypot(dy);
    let at = |along: f64| {
        let share = (along / length).min(1.0);
        (from.0 + (dx * share).round() as i32, from.1 + (dy * share).round() as i32)
    };
    for dash in 0..(length / STEP).ceil() as u32 {
        let start = f64::from(dash) * STEP;
        area.draw(&PathElement::new([at(start), at(start + DASH)], style))?;
    }
    Ok(())
}

fn diamond((x, y): (i32, i32), r: i32) -> Vec<(i32, i32)> {
    vec![(x - r, y), (x, y - r), (x + r, y), (x, y + r)]
}

/// Draws a marker: they differ by shape and by shade.
pub(super) fn paint_marker(area: &chart::Area<'_>, at: (i32, i32), marker: Marker) -> Drawn {
    let (x, y) = at;
    let closed = |mut corners: Vec<(i32, i32)>| {
        corners.extend_from_within(..2);
        corners
    };
    match marker {
        Marker::Front => area.draw(&Circle::new(at, 5, rgb(Colour::First).filled()))?,
        Marker::Meets => area.draw(&Circle::new(at, 5, rgb(Colour::First).filled()))?,
        Marker::Undecided => {
            area.draw(&Polygon::new(diamond(at, 6), rgb(Colour::Paper).filled()))?;
            area.draw(&PathElement::new(closed(diamond(at, 6)), rgb(Colour::Second).stroke_width(2)))?;
        }
        Marker::Behind => area.draw(&Circle::new(at, 3, rgb(Colour::Muted).stroke_width(1)))?,
        Marker::Recommended => {
            area.draw(&Circle::new(at, 10, rgb(Colour::Paper).filled()))?;
            area.draw(&Polygon::new(diamond(at, 7), rgb(Colour::Text).filled()))?;
            area.draw(&Circle::new(at, 11, rgb(Colour::Text).stroke_width(2)))?;
        }
        Marker::Open => {
            let corners = vec![(x - 5, y - 5), (x + 5, y - 5), (x + 5, y + 5), (x - 5, y + 5)];
            area.draw(&Polygon::new(corners.clone(), rgb(Colour::Paper).filled()))?;
            area.draw(&PathElement::new(closed(corners), rgb(Colour::Second).stroke_width(2)))?;
        }
        Marker::Breaks | Marker::Stops => {
            for line in [[(x - 4, y - 4), (x + 4, y + 4)], [(x - 4, y + 4), (x + 4, y - 4)]] {
                area.draw(&PathElement::new(line, rgb(Colour::Muted).stroke_width(2)))?;
            }
        }
    }
    Ok(())
}

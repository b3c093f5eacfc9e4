//! The labels of the plot: each policy and each limit has its words where nothing else is drawn.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Bound, Mark, Marker, Place, SIZE};
use crate::svg::chart::{self, Chart, Drawn};
use crate::svg::drawing::text_width;
use crate::svg::theme::Colour;

/// Left, top, right and bottom, in pixels.
pub(super) type Box4 = [f64; 4];

/// The words of each limit beside its line; the places that they take.
pub(super) fn label_bounds(
    area: &chart::Area<'_>,
    chart: &Chart<'_, '_>,
    bounds: &[Bound],
    (right, top): (f64, f64),
) -> Result<Vec<Box4>, Box<dyn std::error::Error>> {
    let mut taken = Vec::new();
    for bound in bounds {
        let (w, h) = (text_width(&bound.says, 12.0), 14.0);
        let corner = if bound.on_x { (bound.at, top) } else { (right, bound.at) };
        let (x, y) = chart.backend_coord(&corner);
        let (x, y) = (f64::from(x), f64::from(y));
        // A line at the right end has its words on its left.
        let left = if bound.on_x { if x + 6.0 + w < f64::from(SIZE.0) { x + 6.0 } else { x - 6.0 - w } } else { x - w };
        let middle = if bound.on_x { y + 9.0 } else { y - 9.0 };
        let style = chart::text(12.0, Colour::Text, HPos::Left, VPos::Center);
        area.draw(&Text::new(bound.says.clone(), (left.round() as i32, middle.round() as i32), style))?;
        taken.push([left, middle - h / 2.0, left + w, middle + h / 2.0]);
        let [width, height] = [SIZE.0, SIZE.1].map(f64::from);
        taken.push(if bound.on_x { [x - 1.0, 0.0, x + 1.0, height] } else { [0.0, y - 1.0, width, y + 1.0] });
    }
    Ok(taken)
}

fn overlap(a: &Box4, b: &Box4) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// Labels of what may be on the front, each at the first place around its point where nothing is yet.
pub(super) fn place_labels(
    area: &chart::Area<'_>,
    chart: &Chart<'_, '_>,
    drawn: &[&Mark<'_>],
    inside: impl Fn((f64, f64)) -> (f64, f64),
    bounds: Vec<Box4>,
) -> Drawn {
    const SIZE_OF_TEXT: f64 = 12.0;
    let pixel = |mark: &Mark<'_>| {
        let (x, y) = chart.backend_coord(&inside(mark.at));
        (f64::from(x), f64::from(y))
    };
    let mut taken: Vec<Box4> = drawn
        .iter()
        .map(|mark| {
            let r = match mark.point.marker {
                Marker::Behind | Marker::Breaks | Marker::Stops => 3.0,
                Marker::Recommended => 11.0,
                Marker::Front | Marker::Undecided | Marker::Meets | Marker::Open => 7.0,
            };
            let (x, y) = pixel(mark);
            [x - r, y - r, x + r, y + r]
        })
        .chain(bounds)
        .collect();
    // The recommended one has its label beside it, over what is out if it must be.
    let kept: Vec<Box4> = drawn
        .iter()
        .zip(&taken)
        .filter(|(mark, _)| !mark.point.is_out())
        .map(|(_, place)| *place)
        .chain(taken.iter().skip(drawn.len()).copied())
        .collect();
    // The line that joins the front, as a string of small boxes.
    let front: Vec<(f64, f64)> = drawn.iter().filter(|mark| mark.point.is_joined()).map(|mark| pixel(mark)).collect();
    for pair in front.windows(2) {
        let steps = ((pair[1].0 - pair[0].0).abs().max((pair[1].1 - pair[0].1).abs()) / 6.0).ceil().clamp(1.0, 400.0);
        for step in 0..=steps as u32 {
            let share = f64::from(step) / steps;
            let (x, y) = (pair[0].0 + (pair[1].0 - pair[0].0) * share, pair[0].1 + (pair[1].1 - pair[0].1) * share);
            taken.push([x - 2.0, y - 2.0, x + 2.0, y + 2.0]);
        }
    }
    let (across, down) = chart.plotting_area().get_pixel_range();
    let room = [f64::from(across.start), f64::from(down.start), f64::from(across.end), f64::from(down.end)];
    let fits = |place: &Box4| place[0] >= room[0] && place[1] >= room[1] && place[2] <= room[2] && place[3] <= room[3];
    let free = |place: &Box4, taken: &[Box4]| fits(place) && !taken.iter().any(|other| overlap(other, place));
    // The recommended one first, then the front, then the undecided.
    let mut order: Vec<&&Mark<'_>> = drawn.iter().filter(|mark| !mark.point.is_out()).collect();
    order.sort_by_key(|mark| (!mark.point.is_recommended(), mark.point.place != Place::Front));
    for mark in order {
        let (x, y) = pixel(mark);
        let says = if mark.point.is_recommended() {
            format!("{} (recommended)", mark.point.label)
        } else {
            mark.point.label.clone()
        };
        let (w, h) = (text_width(&says, SIZE_OF_TEXT), SIZE_OF_TEXT + 2.0);
        let right = |d: f64, dy: f64| ([x + d, y - h / 2.0 + dy, x + d + w, y + h / 2.0 + dy], HPos::Left);
        let left = |d: f64, dy: f64| ([x - d - w, y - h / 2.0 + dy, x - d, y + h / 2.0 + dy], HPos::Right);
        let over = |dy: f64| ([x - w / 2.0, y - h / 2.0 + dy, x + w / 2.0, y + h / 2.0 + dy], HPos::Center);
        let beside = [over(20.0), over(-20.0), right(15.0, 0.0), left(15.0, 0.0)];
        let places = [
            right(10.0, -12.0),
            right(12.0, 0.0),
            over(-18.0),
            right(10.0, 12.0),
            over(18.0),
            left(10.0, -12.0),
            left(12.0, 0.0),
            left(10.0, 12.0),
            right(12.0, -26.0),
            over(-32.0),
            right(12.0, 26.0),
            over(32.0),
        ];
        let Some((place, horizontal)) =
            if mark.point.is_recommended() { beside.into_iter().find(|(place, _)| free(place, &kept)) } else { None }
                .or_else(|| places.into_iter().find(|(place, _)| free(place, &taken)))
        else {
            continue;
        };
        let at_x = match horizontal {
            HPos::Left => place[0],
            HPos::Center => x,
            HPos::Right => place[2],
        };
        let (at_x, middle) = (at_x.round() as i32, ((place[1] + place[3]) / 2.0).round() as i32);
        let style = chart::text(SIZE_OF_TEXT, Colour::Text, horizontal, VPos::Center);
        area.draw(&Text::new(says, (at_x, middle), style))?;
        taken.push(place);
    }
    Ok(())
}

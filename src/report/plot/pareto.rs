//! The Pareto front: how fast each policy is against how far a bad version gets with it. Best is low on both.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{Axis, STEPS};
use super::chart::{self, Chart, Drawn, Frame, ink};
use super::drawing::text_width;
use super::theme::Ink;
use super::{Plot, Table};
use crate::report::study::Estimate;
use crate::report::wording::{Unit, plural};

/// More points that are behind the front are not drawn.
const MOST_BEHIND: usize = 400;
const SIZE: (u32, u32) = (960, 480);

/// Where a policy stands to the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No policy is better in both.
    Front,
    /// It may be on the front: the replicates do not decide.
    Undecided,
    /// Another policy is better in both.
    Behind,
    /// Too few good rollouts complete with it, so that it is on no front, however short they are.
    Stops,
}

impl Place {
    /// Whether it can be no end of the front.
    fn is_off(self) -> bool {
        matches!(self, Self::Behind | Self::Stops)
    }
}

/// A policy.
#[derive(Clone, Debug)]
pub struct Point {
    /// Short, for the plot.
    pub label: String,
    /// Whole, for the table.
    pub policy: String,
    /// Its value on the horizontal axis.
    pub x: Estimate,
    /// On the vertical one.
    pub y: Estimate,
    /// Where it stands.
    pub place: Place,
    /// What it does to good rollouts, where it stops too many.
    pub stops: Option<String>,
    /// Whether it is the recommended one.
    pub recommended: bool,
}

/// What the plot shows.
#[derive(Clone, Debug)]
pub struct Pareto {
    /// How it is to be read.
    pub reading: String,
    /// The horizontal axis in words.
    pub x_name: String,
    /// Its unit.
    pub x_unit: Unit,
    /// The vertical axis in words.
    pub y_name: String,
    /// Its unit.
    pub y_unit: Unit,
    /// The policies.
    pub points: Vec<Point>,
}

/// A point that has both values, with its ends.
struct Mark<'a> {
    point: &'a Point,
    at: (f64, f64),
    x: (f64, f64),
    y: (f64, f64),
}

fn ends(estimate: &Estimate) -> Option<(f64, (f64, f64))> {
    if let Some(exact) = estimate.exact {
        return Some((exact, (exact, exact)));
    }
    let value = estimate.value?;
    Some((value, estimate.ci.map_or((value, value), |ci| (ci.low.min(value), ci.high.max(value)))))
}

impl Pareto {
    /// Draws it; `None` where no policy has both values.
    #[must_use]
    pub fn draw(&self) -> Option<Plot> {
        let mut marks: Vec<Mark<'_>> = self
            .points
            .iter()
            .filter_map(|point| {
                let ((at_x, x), (at_y, y)) = (ends(&point.x)?, ends(&point.y)?);
                Some(Mark { point, at: (at_x, at_y), x, y })
            })
            .collect();
        if marks.is_empty() {
            return None;
        }
        marks.sort_by(|a, b| a.at.0.total_cmp(&b.at.0).then(a.at.1.total_cmp(&b.at.1)));
        let count = |place| marks.iter().filter(|mark| mark.point.place == place).count() as u64;
        let (front, undecided, behind) = (count(Place::Front), count(Place::Undecided), count(Place::Behind));
        let ends = marks.iter().filter(|mark| !mark.point.place.is_off());
        let mut description = format!(
            "{} against {} for {}; {} on the front, {undecided} undecided.",
            self.x_name,
            self.y_name,
            plural(marks.len() as u64, "policy", "policies"),
            front
        );
        let stops = count(Place::Stops);
        if stops > 0 {
            let policies = plural(stops, "policy stops", "policies stop");
            description.push_str(&format!(" {policies} too many good rollouts to be on it."));
        }
        if let (Some(fastest), Some(slowest)) = (ends.clone().next(), ends.clone().next_back()) {
            for (what, mark) in [("fastest", fastest), ("slowest", slowest)] {
                description.push_str(&format!(
                    " The {what}, {}: {}, {}.",
                    mark.point.label,
                    self.x_unit.say(mark.at.0),
                    self.y_unit.say(mark.at.1)
                ));
            }
        }
        let mut reading = self.reading.clone();
        if behind as usize > MOST_BEHIND {
            reading.push_str(&format!(
                " Of {behind} policies behind the front {MOST_BEHIND} are drawn; the table has all."
            ));
        }
        Some(Plot {
            name: "pareto".to_owned(),
            title: format!("{} against {}", capital(&self.x_name), self.y_name),
            description,
            reading,
            size: (f64::from(SIZE.0), f64::from(SIZE.1)),
            svg: chart::draw(SIZE.0, SIZE.1, |area| self.paint(area, &marks)),
            table: self.table(),
        })
    }

    fn paint(&self, area: &chart::Area<'_>, marks: &[Mark<'_>]) -> Drawn {
        let x = Axis::around(marks.iter().flat_map(|mark| [mark.x.0, mark.x.1]), self.x_unit, STEPS + 1);
        let y = Axis::from_zero(marks.iter().map(|mark| mark.y.1), self.y_unit, STEPS);
        let sheet = area;
        let (_, area) = area.split_vertically(28);
        legend_line(sheet, marks.iter().any(|mark| mark.point.place == Place::Stops))?;
        let frame = Frame { x_name: &self.x_name, y_name: &self.y_name, left: 66, right: 40, size: 12.0 };
        let mut chart = chart::axes(&area, &x, &y, &frame)?;
        let inside = |at: (f64, f64)| (at.0.clamp(x.low, x.high), at.1.clamp(y.low, y.high));
        let behind = marks.iter().filter(|mark| mark.point.place.is_off()).take(MOST_BEHIND);
        let front = marks.iter().filter(|mark| mark.point.place == Place::Front);
        let undecided = marks.iter().filter(|mark| mark.point.place == Place::Undecided);
        let drawn: Vec<&Mark<'_>> = behind.chain(undecided).chain(front.clone()).collect();
        for mark in &drawn {
            let colour = if mark.point.place.is_off() { Ink::Grid } else { ink_of(mark.point.place) };
            let cross =
                [[(mark.x.0, mark.at.1), (mark.x.1, mark.at.1)], [(mark.at.0, mark.y.0), (mark.at.0, mark.y.1)]];
            chart.draw_series(cross.map(|line| PathElement::new(line.map(inside), ink(colour))))?;
        }
        let joined: Vec<(f64, f64)> = front.map(|mark| inside(mark.at)).collect();
        chart.draw_series([PathElement::new(joined, ink(Ink::First).stroke_width(2))])?;
        for mark in &drawn {
            let at = chart.backend_coord(&inside(mark.at));
            paint_marker(sheet, at, mark.point.place, mark.point.recommended)?;
        }
        place_labels(sheet, &chart, &drawn, inside)
    }

    fn table(&self) -> Table {
        let title = format!("{} and {} of each policy", capital(&self.x_name), self.y_name);
        let columns = [self.x_name.as_str(), "its interval", "over", self.y_name.as_str(), "its interval", "over"];
        let mut table = Table::new(title, &["policy", "stands"], &columns);
        for point in &self.points {
            let stands = match (point.place, point.recommended) {
                (_, true) => "recommended",
                (Place::Front, _) => "on the front",
                (Place::Undecided, _) => "undecided",
                (Place::Behind, _) => "behind",
                (Place::Stops, _) => point.stops.as_deref().unwrap_or("stops too many good rollouts"),
            };
            table.row([
                point.policy.clone(),
                stands.to_owned(),
                point.x.says(self.x_unit),
                self.x_unit.say_interval(point.x.ci),
                point.x.n.to_string(),
                point.y.says(self.y_unit),
                self.y_unit.say_interval(point.y.ci),
                point.y.n.to_string(),
            ]);
        }
        table
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn ink_of(place: Place) -> Ink {
    match place {
        Place::Front => Ink::First,
        Place::Undecided => Ink::Second,
        Place::Behind | Place::Stops => Ink::Muted,
    }
}

/// Told apart by shape too: a disc, a hollow diamond, a small ring; around the recommended one a larger ring.
fn paint_marker(area: &chart::Area<'_>, (x, y): (i32, i32), place: Place, recommended: bool) -> Drawn {
    let colour = ink(ink_of(place));
    match place {
        Place::Front => area.draw(&Circle::new((x, y), 5, colour.filled()))?,
        Place::Undecided => {
            let corners = vec![(x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6)];
            area.draw(&Polygon::new(corners.clone(), ink(Ink::Paper).filled()))?;
            let mut outline = corners;
            outline.extend([(x - 6, y), (x, y - 6)]);
            area.draw(&PathElement::new(outline, colour.stroke_width(2)))?;
        }
        Place::Behind => area.draw(&Circle::new((x, y), 3, colour.stroke_width(1)))?,
        Place::Stops => {
            for line in [[(x - 4, y - 4), (x + 4, y + 4)], [(x - 4, y + 4), (x + 4, y - 4)]] {
                area.draw(&PathElement::new(line.to_vec(), colour.stroke_width(2)))?;
            }
        }
    }
    if recommended {
        area.draw(&Circle::new((x, y), 10, ink(Ink::Ink).stroke_width(2)))?;
    }
    Ok(())
}

fn legend_line(area: &chart::Area<'_>, some_stop: bool) -> Drawn {
    let mut x = 74;
    let places = [
        (Place::Front, "on the front"),
        (Place::Undecided, "may be on the front"),
        (Place::Behind, "another is better in both"),
        (Place::Stops, "stops too many good rollouts"),
    ];
    for (place, says) in places.into_iter().filter(|(place, _)| some_stop || *place != Place::Stops) {
        paint_marker(area, (x, 14), place, false)?;
        area.draw(&Text::new(says.to_owned(), (x + 12, 14), chart::text(12.0, Ink::Muted, HPos::Left, VPos::Center)))?;
        x += 40 + text_width(says, 12.0) as i32;
    }
    Ok(())
}

type Box4 = [f64; 4];

fn overlap(a: &Box4, b: &Box4) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// Labels of what may be on the front, each at the first place around its point where nothing is yet.
fn place_labels(
    area: &chart::Area<'_>,
    chart: &Chart<'_, '_>,
    drawn: &[&Mark<'_>],
    inside: impl Fn((f64, f64)) -> (f64, f64),
) -> Drawn {
    const SIZE_OF_TEXT: f64 = 12.0;
    let pixel = |mark: &Mark<'_>| {
        let (x, y) = chart.backend_coord(&inside(mark.at));
        (f64::from(x), f64::from(y))
    };
    let mut taken: Vec<Box4> = drawn
        .iter()
        .map(|mark| {
            let ((x, y), r) = (pixel(mark), if mark.point.place.is_off() { 3.0 } else { 7.0 });
            [x - r, y - r, x + r, y + r]
        })
        .collect();
    // The line that joins the front, as a string of small boxes.
    let front: Vec<(f64, f64)> =
        drawn.iter().filter(|mark| mark.point.place == Place::Front).map(|mark| pixel(mark)).collect();
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
    // The recommended one first, then the front, then the undecided.
    let mut order: Vec<&&Mark<'_>> =
        drawn.iter().filter(|mark| !mark.point.place.is_off() || mark.point.recommended).collect();
    order.sort_by_key(|mark| (!mark.point.recommended, mark.point.place != Place::Front));
    for mark in order {
        let (x, y) = pixel(mark);
        let says = if mark.point.recommended {
            format!("{} (recommended)", mark.point.label)
        } else {
            mark.point.label.clone()
        };
        let (w, h) = (text_width(&says, SIZE_OF_TEXT), SIZE_OF_TEXT + 2.0);
        let right = |d: f64, dy: f64| ([x + d, y - h / 2.0 + dy, x + d + w, y + h / 2.0 + dy], HPos::Left);
        let left = |d: f64, dy: f64| ([x - d - w, y - h / 2.0 + dy, x - d, y + h / 2.0 + dy], HPos::Right);
        let over = |dy: f64| ([x - w / 2.0, y - h / 2.0 + dy, x + w / 2.0, y + h / 2.0 + dy], HPos::Center);
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
            places.into_iter().find(|(place, _)| fits(place) && !taken.iter().any(|t| overlap(t, place)))
        else {
            continue;
        };
        let at_x = match horizontal {
            HPos::Left => place[0],
            HPos::Center => x,
            HPos::Right => place[2],
        };
        let (at_x, middle) = (at_x.round() as i32, ((place[1] + place[3]) / 2.0).round() as i32);
        let style = chart::text(SIZE_OF_TEXT, Ink::Ink, horizontal, VPos::Center);
        area.draw(&Text::new(says, (at_x, middle), style))?;
        taken.push(place);
    }
    Ok(())
}

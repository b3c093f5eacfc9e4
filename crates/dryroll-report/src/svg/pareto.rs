//! The Pareto front: how fast each policy is against how far a bad version gets with it. Best is low on both.

mod labels;
mod markers;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::model::Estimate;
use crate::svg::axis::{Axis, STEPS};
use crate::svg::chart;
use crate::svg::chart::{Drawn, Frame, rgb};
use crate::svg::theme::Colour;
use crate::svg::{Plot, Table};
use crate::words::{Unit, plural, wrapped};
use labels::{label_bounds, place_labels};
use markers::{dashed, paint_marker};

/// More points that are behind the front are not drawn.
const MOST_BEHIND: usize = 400;
const SIZE: (u32, u32) = (960, 520);
/// The height of a line of the legend.
const LEGEND_LINE: i32 = 22;
/// The most letters of a line of the legend.
const LEGEND_WIDTH: usize = 125;

/// Where a policy stands to the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No policy is better in both.
    Front,
    /// It may be on the front: the replicates do not decide.
    Undecided,
    /// Another policy is better in both.
    Behind,
    /// Too few good rollouts complete with it, so that it is not on the front, however short they are.
    Stops,
}

impl Place {
    /// Whether it cannot be an end of the front.
    fn is_off(self) -> bool {
        matches!(self, Self::Behind | Self::Stops)
    }
}

/// How a policy is drawn: shapes that differ without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A dark disc: on the front, where nothing limits.
    Front,
    /// A hollow diamond: it may be on the front.
    Undecided,
    /// A small ring: behind the front.
    Behind,
    /// A cross: too few good rollouts complete with it.
    Stops,
    /// A dark diamond in a ring: the recommended policy.
    Recommended,
    /// A dark disc: every limit surely holds.
    Meets,
    /// A hollow square: whether a limit holds is not decided.
    Open,
    /// A light cross: a limit surely does not hold.
    Breaks,
}

/// A limit on what an axis measures.
#[derive(Clone, Debug)]
pub struct Bound {
    /// In words.
    pub says: String,
    /// Its number.
    pub at: f64,
    /// Whether it is on the horizontal axis.
    pub on_x: bool,
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
    /// How it is drawn.
    pub marker: Marker,
    /// Where it stands, in the table.
    pub stands: String,
}

impl Point {
    fn is_recommended(&self) -> bool {
        self.marker == Marker::Recommended
    }

    /// Whether the line of the front goes through it.
    fn is_joined(&self) -> bool {
        self.is_recommended() || self.place == Place::Front && !self.is_out()
    }

    /// Whether it is out: such a point has no label.
    fn is_out(&self) -> bool {
        matches!(self.marker, Marker::Behind | Marker::Stops | Marker::Breaks)
    }
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
    /// What the markers mean, a line each.
    pub legend: Vec<(Marker, String)>,
    /// Limits that are drawn.
    pub bounds: Vec<Bound>,
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
        let bounds = |on_x: bool| self.bounds.iter().filter(move |bound| bound.on_x == on_x).map(|bound| bound.at);
        let ends = marks.iter().flat_map(|mark| [mark.x.0, mark.x.1]);
        let x = Axis::around(ends.chain(bounds(true)), self.x_unit, STEPS + 1);
        let y = Axis::from_zero(marks.iter().map(|mark| mark.y.1).chain(bounds(false)), self.y_unit, STEPS);
        let canvas = area;
        let (_, area) = area.split_vertically(self.legend_height());
        self.paint_legend(canvas)?;
        let frame = Frame { x_name: &self.x_name, y_name: &self.y_name, left: 66, right: 40, size: 12.0 };
        let mut chart = chart::axes(&area, &x, &y, &frame)?;
        let inside = |at: (f64, f64)| (at.0.clamp(x.low, x.high), at.1.clamp(y.low, y.high));
        let behind = marks.iter().filter(|mark| mark.point.place.is_off()).take(MOST_BEHIND);
        let front = marks.iter().filter(|mark| mark.point.place == Place::Front);
        // What is out, however good its values are, is on no line; the recommended policy is, sure of it or not.
        let joined = marks.iter().filter(|mark| mark.point.is_joined());
        let undecided = marks.iter().filter(|mark| mark.point.place == Place::Undecided);
        let drawn: Vec<&Mark<'_>> = behind.chain(undecided).chain(front).collect();
        for mark in &drawn {
            let colour = if mark.point.is_out() { Colour::Grid } else { colour_of(mark.point.place) };
            let cross =
                [[(mark.x.0, mark.at.1), (mark.x.1, mark.at.1)], [(mark.at.0, mark.y.0), (mark.at.0, mark.y.1)]];
            chart.draw_series(cross.map(|line| PathElement::new(line.map(inside), rgb(colour))))?;
        }
        for bound in &self.bounds {
            let line = if bound.on_x {
                [(bound.at, y.low), (bound.at, y.high)]
            } else {
                [(x.low, bound.at), (x.high, bound.at)]
            };
            let style = rgb(Colour::Text).stroke_width(2);
            dashed(canvas, line.map(|end| chart.backend_coord(&end)), style)?;
        }
        let joined: Vec<(f64, f64)> = joined.map(|mark| inside(mark.at)).collect();
        chart.draw_series([PathElement::new(joined, rgb(Colour::First).stroke_width(2))])?;
        // Nothing covers the recommended policy.
        let (recommended, others): (Vec<&&Mark<'_>>, Vec<&&Mark<'_>>) =
            drawn.iter().partition(|mark| mark.point.is_recommended());
        for mark in others.into_iter().chain(recommended) {
            let at = chart.backend_coord(&inside(mark.at));
            paint_marker(canvas, at, mark.point.marker)?;
        }
        let taken = label_bounds(canvas, &chart, &self.bounds, (x.high, y.high))?;
        place_labels(canvas, &chart, &drawn, inside, taken)
    }

    fn legend_height(&self) -> i32 {
        8 + LEGEND_LINE * self.legend_lines().count() as i32
    }

    /// The lines of the legend; one that goes on has no marker.
    fn legend_lines(&self) -> impl Iterator<Item = (Option<Marker>, String)> + '_ {
        self.legend.iter().flat_map(|(marker, says)| {
            let lines = wrapped(says, LEGEND_WIDTH).into_iter().enumerate();
            lines.map(|(i, line)| ((i == 0).then_some(*marker), line))
        })
    }

    fn paint_legend(&self, area: &chart::Area<'_>) -> Drawn {
        for (i, (marker, says)) in self.legend_lines().enumerate() {
            let y = 14 + LEGEND_LINE * i as i32;
            if let Some(marker) = marker {
                paint_marker(area, (78, y), marker)?;
            }
            let style = chart::text(12.0, Colour::Text, HPos::Left, VPos::Center);
            area.draw(&Text::new(says, (96, y), style))?;
        }
        Ok(())
    }

    fn table(&self) -> Table {
        let title = format!("{} and {} of each policy", capital(&self.x_name), self.y_name);
        let columns = [self.x_name.as_str(), "its interval", "over", self.y_name.as_str(), "its interval", "over"];
        let mut table = Table::new(title, &["policy", "status"], &columns);
        for point in &self.points {
            table.row([
                point.policy.clone(),
                point.stands.clone(),
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

fn colour_of(place: Place) -> Colour {
    match place {
        Place::Front => Colour::First,
        Place::Undecided => Colour::Second,
        Place::Behind | Place::Stops => Colour::Muted,
    }
}

/// What the markers mean where nothing limits, of those that there are.
#[must_use]
pub fn without_limits(points: &[Point]) -> Vec<(Marker, String)> {
    let lines = [
        (Marker::Front, "on the front"),
        (Marker::Undecided, "may be on the front"),
        (Marker::Behind, "another is better in both"),
        (Marker::Stops, "stops too many good rollouts"),
    ];
    let stands = |marker: Marker| points.iter().any(|point| point.marker == marker);
    lines.into_iter().filter(|(marker, _)| stands(*marker)).map(|(marker, says)| (marker, says.to_owned())).collect()
}

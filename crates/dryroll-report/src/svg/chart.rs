//! Charts that `plotters` draws, in our colours.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::svg::axis::Axis;
use crate::svg::theme::{Colour, themed};

/// What is drawn on.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A chart with two axes of ours.
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
/// Drawing into memory does not fail; where it did, the plot would be empty.
pub type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Draws in a size, and gives the marks.
pub fn draw(width: u32, height: u32, with: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        if with(&root).and_then(|()| Ok(root.present()?)).is_err() {
            return String::new();
        }
    }
    // The element around the marks is ours.
    let marks = svg.find('>').map_or("", |end| &svg[end + 1..]);
    themed(marks.trim_end().trim_end_matches("</svg>"))
}

/// A colour of ours for `plotters`.
pub fn rgb(colour: Colour) -> RGBColor {
    colour.sentinel()
}

/// Our places and our names for them.
impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        self.label(*value)
    }
}

/// A style of text.
pub fn text(size: f64, colour: Colour, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    // plotters writes font sizes divided by 1.24.
    ("sans-serif", size * 1.24).into_font().color(&rgb(colour)).pos(Pos::new(horizontal, vertical))
}

/// What stands beside the axes.
pub struct Frame<'a> {
    /// Under the horizontal one.
    pub x_name: &'a str,
    /// Along the vertical one.
    pub y_name: &'a str,
    /// Room for the vertical one's names.
    pub left: u32,
    /// Room beside the last name of the horizontal one.
    pub right: u32,
    /// Size of text.
    pub size: f64,
}

/// A chart with axes and grid on an area.
pub fn axes<'a, 'b>(
    area: &'a Area<'b>,
    x: &Axis,
    y: &Axis,
    frame: &Frame<'_>,
) -> Result<Chart<'a, 'b>, Box<dyn std::error::Error>>
where
    'b: 'a,
{
    let below = if frame.x_name.is_empty() { 24 } else { 44 };
    let mut chart = ChartBuilder::on(area)
        .margin_right(frame.right)
        .margin_top(8)
        .x_label_area_size(below)
        .y_label_area_size(frame.left)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .axis_style(rgb(Colour::Soft))
        .bold_line_style(rgb(Colour::Grid))
        .light_line_style(TRANSPARENT)
        .set_all_tick_mark_size(4)
        .x_labels(x.ticks.len())
        .y_labels(y.ticks.len())
        .label_style(("sans-serif", frame.size * 1.24).into_font().color(&rgb(Colour::Muted)))
        .axis_desc_style(("sans-serif", frame.size * 1.24).into_font().color(&rgb(Colour::Text)))
        .x_desc(frame.x_name)
        .y_desc(frame.y_name)
        .draw()?;
    Ok(chart)
}

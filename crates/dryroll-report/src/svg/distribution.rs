//! Distributions: one small histogram a cell, all of one metric on the same axis, so that they can be compared.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::model::Histogram;
use crate::svg::axis::Axis;
use crate::svg::chart;
use crate::svg::chart::{Drawn, Frame, rgb};
use crate::svg::drawing::fitted;
use crate::svg::theme::Colour;
use crate::svg::{Plot, Table, slug};
use crate::words::{Unit, called, number, plural};
use dryroll_sim::scenario::Metric;

/// More histograms are not drawn.
pub const MOST_PANELS: usize = 12;
const ACROSS: usize = 3;
const PANEL: (u32, u32) = (320, 190);

/// A histogram and whose it is.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// Whose.
    pub title: String,
    /// Its counts.
    pub histogram: &'a Histogram,
    /// Its mean, which is marked.
    pub mean: Option<f64>,
    /// Whether it is one of a defective version.
    pub defective: bool,
}

/// Histograms of one metric.
#[derive(Clone, Debug)]
pub struct Distributions<'a> {
    /// What the plot is called.
    pub title: String,
    /// The metric.
    pub metric: Metric,
    /// Whether they are differences, which may be below zero.
    pub differences: bool,
    /// How it is to be read.
    pub reading: String,
    /// The histograms.
    pub panels: Vec<Panel<'a>>,
}

fn end(histogram: &Histogram) -> f64 {
    histogram.low + histogram.width * histogram.counts.len() as f64
}

fn total(histogram: &Histogram) -> f64 {
    histogram.counts.iter().map(|&count| count as f64).sum()
}

impl Distributions<'_> {
    /// Draws it; `None` where there is nothing to draw.
    #[must_use]
    pub fn draw(&self) -> Option<Plot> {
        let with_data: Vec<&Panel<'_>> = self.panels.iter().filter(|panel| total(panel.histogram) > 0.0).collect();
        let drawn = &with_data[..with_data.len().min(MOST_PANELS)];
        let first = drawn.first()?;
        let down = drawn.len().div_ceil(ACROSS) as u32;
        let across = drawn.len().min(ACROSS) as u32;
        let size = (PANEL.0 * ACROSS as u32, PANEL.1 * down);
        let mut reading = self.reading.clone();
        if with_data.len() > drawn.len() {
            reading.push_str(&format!(" {} of {} are drawn; the table has all.", drawn.len(), with_data.len()));
        }
        let unit = Unit::of_metric(self.metric);
        let mean = |panel: &Panel<'_>| panel.mean.map_or_else(String::new, |mean| format!(", mean {}", unit.say(mean)));
        let description = format!(
            "{}: {}. The first, {}: from {} to {}{}.",
            self.title,
            plural(drawn.len() as u64, "histogram", "histograms"),
            first.title,
            unit.say(first.histogram.low),
            unit.say(end(first.histogram)),
            mean(first)
        );
        Some(Plot {
            name: slug(&format!(
                "{}-{}",
                if self.differences { "differences" } else { "distribution" },
                self.metric.name()
            )),
            title: self.title.clone(),
            description,
            reading,
            size: (f64::from(size.0), f64::from(size.1)),
            svg: chart::draw(size.0, size.1, |area| {
                let (area, _) = area.split_horizontally(PANEL.0 * across.max(1));
                self.paint(&area, drawn, (down as usize, across as usize))
            }),
            table: self.table(),
        })
    }

    fn paint(&self, area: &chart::Area<'_>, drawn: &[&Panel<'_>], grid: (usize, usize)) -> Drawn {
        let unit = Unit::of_metric(self.metric);
        let values = || drawn.iter().flat_map(|panel| [panel.histogram.low, end(panel.histogram)]);
        let steps = if unit == Unit::Seconds { 3 } else { 4 };
        let x = if self.differences || values().any(|value| value < 0.0) {
            Axis::around(values().chain([0.0]), unit, steps)
        } else {
            Axis::around(values(), unit, steps)
        };
        for (area, panel) in area.split_evenly(grid).iter().zip(drawn) {
            let (head, body) = area.split_vertically(24);
            let title = fitted(&panel.title, 12.0, f64::from(PANEL.0) - 60.0);
            let style = chart::text(12.0, Colour::Text, HPos::Left, VPos::Center);
            head.draw(&Text::new(title, (52, 14), style))?;
            let frame = Frame { x_name: "", y_name: "", left: 52, right: 22, size: 11.0 };
            // Each has its own height: a step is not as wide in one as in another.
            let most = panel.histogram.counts.iter().max().map_or(0.0, |&most| most as f64 / total(panel.histogram));
            let y = Axis::from_zero([most], Unit::Share, 3);
            let mut chart = chart::axes(&body, &x, &y, &frame)?;
            let colour = if panel.defective { Colour::Second } else { Colour::First };
            let (histogram, all) = (panel.histogram, total(panel.histogram));
            // Where all values are one, the bar is a narrow one around it.
            let (width, back) = if histogram.width > 0.0 {
                (histogram.width, 0.0)
            } else {
                ((x.high - x.low) / 60.0, (x.high - x.low) / 120.0)
            };
            chart.draw_series(histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0).map(
                |(i, &count)| {
                    let from = histogram.low - back + width * i as f64;
                    let corners = [(from, 0.0), (from + width, count as f64 / all)];
                    Rectangle::new(
                        corners.map(|(at, share)| (at.clamp(x.low, x.high), share.clamp(y.low, y.high))),
                        rgb(colour).filled(),
                    )
                },
            ))?;
            if let Some(mean) = panel.mean.filter(|mean| (x.low..=x.high).contains(mean)) {
                chart.draw_series([PathElement::new(
                    [(mean, y.low), (mean, y.high)],
                    rgb(Colour::Text).stroke_width(1),
                )])?;
            }
            if self.differences {
                chart.draw_series([PathElement::new(
                    [(0.0, y.low), (0.0, y.high)],
                    rgb(Colour::Muted).stroke_width(1),
                )])?;
            }
        }
        Ok(())
    }

    fn table(&self) -> Table {
        let unit = Unit::of_metric(self.metric);
        let caption =
            format!("{}: how many replicates fall in each step of {}", self.title, called(self.metric.name()));
        let mut table = Table::new(
            caption,
            &["of"],
            &["mean", "from", "to", "width of a step", "replicates", "counts, step by step"],
        );
        for panel in &self.panels {
            let histogram = panel.histogram;
            let counts: Vec<String> = histogram.counts.iter().map(u64::to_string).collect();
            table.row([
                panel.title.clone(),
                unit.say_or_nothing(panel.mean),
                unit.say(histogram.low),
                unit.say(end(histogram)),
                unit.say(histogram.width),
                number(total(histogram)),
                counts.join(" "),
            ]);
        }
        table
    }
}

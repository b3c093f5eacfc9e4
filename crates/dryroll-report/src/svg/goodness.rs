//! What was seen against what was fitted: for each duration a staircase and a curve.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::model::calibration::{CalibrationReport, DurationReport};
use crate::svg::axis::Axis;
use crate::svg::chart;
use crate::svg::chart::{Drawn, Frame, rgb};
use crate::svg::drawing::fitted;
use crate::svg::theme::Colour;
use crate::svg::{Plot, Table};
use crate::words::{NOTHING, Unit, number, plural};

const ACROSS: usize = 2;
const PANEL: (u32, u32) = (480, 280);
/// More are not drawn; the table has all.
const MOST_PANELS: usize = 12;

/// The plot of a calibration; `None` where nothing was fitted.
#[must_use]
pub fn goodness(report: &CalibrationReport) -> Option<Plot> {
    let durations = report.durations();
    let fitted: Vec<&(String, &DurationReport)> = durations.iter().filter(|(_, one)| one.fit.is_some()).collect();
    let drawn = &fitted[..fitted.len().min(MOST_PANELS)];
    if drawn.is_empty() {
        return None;
    }
    let down = drawn.len().div_ceil(ACROSS);
    let across = drawn.len().min(ACROSS);
    let size = (PANEL.0 * across as u32, PANEL.1 * down as u32);
    let title = "What was seen, and what was fitted".to_owned();
    let said: Vec<String> = drawn.iter().map(|(name, one)| format!("{name}: {}", agreement(one))).collect();
    let mut reading = "Across: time from the command to its verdict, or from the question to its answer. Up: the \
     share of all that came by then. The staircase is what was seen (Kaplan and Meier's estimate), the smooth line \
     what was fitted; they should go together. What is missing to 100 % at the right never came."
        .to_owned();
    if fitted.len() > drawn.len() {
        reading.push_str(&format!(" {} of {} are drawn; the table has all.", drawn.len(), fitted.len()));
    }
    Some(Plot {
        name: "goodness-of-fit".to_owned(),
        description: format!("{title}: {}. {}.", plural(drawn.len() as u64, "duration", "durations"), said.join("; ")),
        title,
        reading,
        size: (f64::from(size.0), f64::from(size.1)),
        svg: chart::draw(size.0, size.1, |area| paint(area, drawn, (down, across))),
        table: table(&durations),
    })
}

fn agreement(duration: &DurationReport) -> String {
    let Some(fit) = &duration.fit else { return NOTHING.to_owned() };
    let agreement = fit.goodness.map_or_else(String::new, |one| format!(", p = {}", number(one.p_value)));
    format!("{} from {}{agreement}", fit.family.name(), plural(duration.n, "time", "times"))
}

fn paint(area: &chart::Area<'_>, drawn: &[&(String, &DurationReport)], grid: (usize, usize)) -> Drawn {
    for (area, (name, duration)) in area.split_evenly(grid).iter().zip(drawn) {
        let (head, body) = area.split_vertically(26);
        let title = fitted(&format!("{name}: {}", agreement(duration)), 12.0, f64::from(PANEL.0) - 70.0);
        head.draw(&Text::new(title, (52, 15), chart::text(12.0, Colour::Text, HPos::Left, VPos::Center)))?;
        let moments = duration.curve.iter().map(|&(time, _)| time);
        let x = Axis::from_zero(moments, Unit::Seconds, 5);
        let y = Axis::from_zero([1.0], Unit::Share, 4);
        let frame = Frame { x_name: "", y_name: "", left: 52, right: 26, size: 11.0 };
        let mut chart = chart::axes(&body, &x, &y, &frame)?;
        chart.draw_series([PathElement::new(corners(duration), rgb(Colour::First).stroke_width(2))])?;
        chart.draw_series([PathElement::new(duration.curve.clone(), rgb(Colour::Second).stroke_width(2))])?;
        for (place, text, colour) in [(0.30, "seen", Colour::First), (0.14, "fitted", Colour::Second)] {
            let at = (x.low + (x.high - x.low) * 0.98, place);
            chart.draw_series([Text::new(text, at, chart::text(12.0, colour, HPos::Right, VPos::Center))])?;
        }
    }
    Ok(())
}

/// The staircase with both ends of each step.
fn corners(duration: &DurationReport) -> Vec<(f64, f64)> {
    let mut corners = vec![(0.0, 0.0)];
    let mut height = 0.0;
    for &(time, share) in &duration.staircase {
        corners.extend([(time, height), (time, share)]);
        height = share;
    }
    corners.extend(duration.curve.last().map(|&(end, _)| (end, height)));
    corners
}

fn table(durations: &[(String, &DurationReport)]) -> Table {
    let columns = ["seen", "without an end", "family", "log-likelihood", "Schwarz's criterion", "chosen"];
    let mut table = Table::new("Every family that was tried", &["duration"], &columns);
    for (name, duration) in durations {
        let Some(fit) = &duration.fit else { continue };
        for candidate in &fit.candidates {
            table.row([
                name.clone(),
                duration.n.to_string(),
                duration.censored.to_string(),
                candidate.family.name().to_owned(),
                number(candidate.log_likelihood),
                number(candidate.bic),
                if candidate.family == fit.family { "yes" } else { "" }.to_owned(),
            ]);
        }
    }
    table
}

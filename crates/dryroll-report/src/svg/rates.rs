//! Rates with their intervals, on one axis.

use crate::model::calibration::{CalibrationReport, RateReport};
use crate::svg::axis::Axis;
use crate::svg::drawing::{Anchor, Canvas, fitted, short};
use crate::svg::theme::Colour;
use crate::svg::{Plot, Table};
use crate::words::{Unit, number, plural};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 290.0;
const MIDDLE: f64 = 400.0;
const ROW: f64 = 26.0;
const TOP: f64 = 38.0;
/// More are not drawn; the table has all.
const MOST_ROWS: usize = 40;

/// The rates of a calibration; `None` where it has no version.
#[must_use]
pub fn rates(report: &CalibrationReport) -> Option<Plot> {
    let all: Vec<(String, &RateReport)> = report
        .versions
        .iter()
        .flat_map(|one| {
            [("failure_rate", &one.failure_rate), ("hang_rate", &one.hang_rate)]
                .map(|(name, rate)| (format!("{} {name}", one.version), rate))
        })
        .collect();
    let drawn = &all[..all.len().min(MOST_ROWS)];
    if drawn.is_empty() {
        return None;
    }
    let axis = Axis::from_zero(drawn.iter().map(|(_, rate)| rate.ci.high.clamp(1e-6, 1.0)), Unit::Share, 5);
    let height = TOP + drawn.len() as f64 * ROW + 14.0;
    let mut canvas = Canvas::default();
    let x = |share: f64| LEFT + ((share - axis.low) / (axis.high - axis.low)).clamp(0.0, 1.0) * MIDDLE;
    for &tick in &axis.ticks {
        canvas.line([x(tick), TOP - 8.0, x(tick), height - 10.0], Colour::Grid, "");
        canvas.text((x(tick), TOP - 14.0), Anchor::Middle, 12.0, Colour::Muted, &axis.label(tick));
    }
    for (i, (name, rate)) in drawn.iter().enumerate() {
        let middle = TOP + (i as f64 + 0.5) * ROW;
        let colour = if i % 2 == 0 { Colour::First } else { Colour::Second };
        canvas.text((LEFT - 12.0, middle + 4.0), Anchor::End, 12.0, Colour::Text, &fitted(name, 12.0, LEFT - 20.0));
        canvas.line([x(rate.ci.low), middle, x(rate.ci.high), middle], colour, "stroke-width=\"4\"");
        let (at, mid) = (short(x(rate.estimate)), short(middle));
        canvas.raw(&format!("<circle cx=\"{at}\" cy=\"{mid}\" r=\"5.5\" {}/>\n", colour.fill()));
        let seen = format!("{} ({})", Unit::Share.say(rate.estimate), Unit::Share.say_interval(Some(rate.ci)));
        canvas.text((LEFT + MIDDLE + 24.0, middle + 4.0), Anchor::Start, 12.0, Colour::Text, &seen);
    }
    let title = "How often upgrades fail, and how often nothing is heard".to_owned();
    let said: Vec<String> =
        drawn.iter().map(|(name, rate)| format!("{name} {}", Unit::Share.say(rate.estimate))).collect();
    let mut reading = "A disc is the estimate, the mean of what is believed after these events; the line is its 95 % \
     interval. A rate of which nothing was seen is above zero all the same: nothing in so many does not say never."
        .to_owned();
    if all.len() > drawn.len() {
        reading.push_str(&format!(" {} of {} are drawn; the table has all.", drawn.len(), all.len()));
    }
    Some(Plot {
        name: "rates".to_owned(),
        description: format!("{title}: {}. {}.", plural(drawn.len() as u64, "rate", "rates"), said.join("; ")),
        title,
        reading,
        size: (WIDTH, height),
        svg: canvas.into_svg(),
        table: table(&all),
    })
}

fn table(all: &[(String, &RateReport)]) -> Table {
    let columns = ["seen", "of", "estimate", "its interval", "shapes of its beta distribution"];
    let mut table = Table::new("Every rate", &["rate"], &columns);
    for (name, rate) in all {
        table.row([
            name.clone(),
            number(rate.hits as f64),
            number(rate.n as f64),
            Unit::Share.say(rate.estimate),
            Unit::Share.say_interval(Some(rate.ci)),
            format!("{}, {}", number(rate.beta[0]), number(rate.beta[1])),
        ]);
    }
    table
}

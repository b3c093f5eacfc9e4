//! How far rules are from their limits, on one axis.

use crate::model::{CheckReport, CheckedRule, Status};
use crate::svg::drawing::{Anchor, Canvas, fitted, short};
use crate::svg::theme::Colour;
use crate::svg::{Plot, Table};
use crate::words::{NOTHING, number, plural};
use dryroll_sim::scenario::Expected;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 330.0;
const MIDDLE: f64 = 330.0;
const ROW: f64 = 26.0;
const TOP: f64 = 38.0;
/// A value this many times its limit is drawn at the edge.
const MOST: f64 = 2.0;
/// More are not drawn; the table has all.
const MOST_ROWS: usize = 60;

/// A rule whose limit is a number above zero: the observation, as a multiple of the limit.
struct Margin<'a> {
    rule: &'a CheckedRule,
    seen: f64,
    interval: [f64; 2],
}

impl<'a> Margin<'a> {
    fn of(rule: &'a CheckedRule) -> Option<Self> {
        let bound = rule.bound.filter(|bound| *bound > 0.0)?;
        let Some(Expected::Number(seen)) = rule.observed else { return None };
        let interval = rule.interval.map_or([seen, seen], |interval| [interval.low, interval.high]);
        Some(Self { rule, seen: seen / bound, interval: interval.map(|end| end / bound) })
    }
}

/// The margins of a check's rules; `None` where no rule has a number for its limit.
#[must_use]
pub fn margins(report: &CheckReport) -> Option<Plot> {
    let rules: Vec<&CheckedRule> = report.scenarios.iter().flat_map(|scenario| &scenario.rules).collect();
    let all: Vec<Margin<'_>> = rules.iter().filter_map(|rule| Margin::of(rule)).collect();
    let drawn = &all[..all.len().min(MOST_ROWS)];
    if drawn.is_empty() {
        return None;
    }
    let height = TOP + drawn.len() as f64 * ROW + 14.0;
    let mut canvas = Canvas::default();
    let x = |times: f64| LEFT + (times / MOST).clamp(0.0, 1.0) * MIDDLE;
    for tick in [0.0, 0.5, 1.0, 1.5, MOST] {
        canvas.text((x(tick), TOP - 14.0), Anchor::Middle, 12.0, Colour::Muted, &format!("{} ×", number(tick)));
        let colour = if tick == 1.0 { Colour::Text } else { Colour::Grid };
        canvas.line([x(tick), TOP - 8.0, x(tick), height - 10.0], colour, "");
    }
    for (i, Margin { rule, seen, interval: [low, high] }) in drawn.iter().enumerate() {
        let middle = TOP + (i as f64 + 0.5) * ROW;
        let colour = match rule.status {
            Status::Passed => Colour::Third,
            Status::Failed => Colour::Second,
            Status::Undecided | Status::Skipped => Colour::Muted,
        };
        let name = format!("{}: {}", rule.version, rule.about);
        canvas.text((LEFT - 16.0, middle + 4.0), Anchor::End, 12.0, Colour::Text, &fitted(&name, 12.0, LEFT - 24.0));
        canvas.line([x(*low), middle, x(*high), middle], colour, "stroke-width=\"4\"");
        mark(&mut canvas, rule.status, (x(*seen), middle), colour);
        let said = format!("{}, {} {}", rule.status.name(), rule.observed_says, rule.limit);
        canvas.text(
            (LEFT + MIDDLE + 24.0, middle + 4.0),
            Anchor::Start,
            12.0,
            Colour::Text,
            &fitted(&said, 12.0, WIDTH - LEFT - MIDDLE - 30.0),
        );
    }
    let title = "How far each rule is from its limit".to_owned();
    let count = |status: Status| drawn.iter().filter(|margin| margin.rule.status == status).count();
    let mut reading = format!(
        "What was seen as so many times the limit, which is the dark line; a bar is the interval that decides. A \
         disc: passed; a square: failed; a diamond: not decided. With ≤ in the limit, left of the line is allowed, \
         with ≥ right of it. {} times the limit and beyond is drawn at the edge.",
        number(MOST)
    );
    if all.len() > drawn.len() {
        reading.push_str(&format!(" {} of {} are drawn; the table has all.", drawn.len(), all.len()));
    }
    Some(Plot {
        name: "margins".to_owned(),
        description: format!(
            "{title}: {}, {} passed, {} failed, {} undecided.",
            plural(drawn.len() as u64, "rule", "rules"),
            count(Status::Passed),
            count(Status::Failed),
            count(Status::Undecided)
        ),
        title,
        reading,
        size: (WIDTH, height),
        svg: canvas.into_svg(),
        table: table(&all),
    })
}

fn mark(canvas: &mut Canvas, status: Status, (x, y): (f64, f64), colour: Colour) {
    const R: f64 = 5.5;
    match status {
        Status::Passed => {
            canvas.raw(&format!("<circle cx=\"{}\" cy=\"{}\" r=\"{R}\" {}/>\n", short(x), short(y), colour.fill()))
        }
        Status::Failed => canvas.rect([x - R, y - R, 2.0 * R, 2.0 * R], &colour.fill()),
        Status::Undecided | Status::Skipped => {
            let [left, right, top, bottom] = [x - R, x + R, y - R, y + R].map(short);
            let (x, y) = (short(x), short(y));
            canvas.path(&format!("M{left} {y}L{x} {top}L{right} {y}L{x} {bottom}Z"), &colour.fill());
        }
    }
}

fn table(all: &[Margin<'_>]) -> Table {
    let columns = ["became", "seen", "limit", "its interval", "times the limit"];
    let mut table = Table::new("Rules with a number for their limit", &["version", "rule"], &columns);
    for Margin { rule, seen, .. } in all {
        let interval = Some(&rule.interval_says).filter(|says| !says.is_empty());
        table.row([
            rule.version.to_string(),
            rule.about.clone(),
            rule.status.name().into(),
            rule.observed_says.clone(),
            rule.limit.clone(),
            interval.map_or(NOTHING, String::as_str).into(),
            number(*seen),
        ]);
    }
    table
}

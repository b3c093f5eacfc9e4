//! What was decided beside what else could have been: a bar a run, as long as its score.

use crate::model::drill::{Counterfactual, DrillReport, in_words};
use crate::svg::drawing::{Anchor, Canvas, fitted};
use crate::svg::theme::Colour;
use crate::svg::{Plot, Table};
use crate::words::{NOTHING, Unit, number, plural, spoken};
use dryroll_engine::fleet::{At, Span};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 190.0;
const ROW: f64 = 22.0;
const TOP: f64 = 30.0;
/// More are not drawn; the table has all.
const MOST_ROWS: usize = 80;

/// A row of the plot.
enum Row {
    /// What those under it have in common.
    Heading(String),
    /// A run.
    Bar { name: String, score: f64, outcome: String, colour: Colour },
}

/// The scores of a drill's run and of the others in its replicate.
#[must_use]
pub fn scores(report: &DrillReport) -> Plot {
    let rows = rows(report);
    let drawn = &rows[..rows.len().min(MOST_ROWS)];
    let bottom = TOP + drawn.len() as f64 * ROW;
    let mut canvas = Canvas::default();
    for score in [0.0, 25.0, 50.0, 75.0, 100.0] {
        canvas.line([x(score), TOP - 6.0, x(score), bottom + 4.0], Colour::Grid, "");
        canvas.text((x(score), TOP - 12.0), Anchor::Middle, 12.0, Colour::Muted, &number(score));
    }
    canvas.text((x(100.0) + 50.0, TOP - 12.0), Anchor::Start, 12.0, Colour::Muted, "how it ends");
    for (i, row) in drawn.iter().enumerate() {
        draw(&mut canvas, row, TOP + i as f64 * ROW);
    }
    let own = x(report.score.points);
    canvas.line([own, TOP - 2.0, own, bottom + 4.0], Colour::First, "stroke-width=\"1.2\" stroke-dasharray=\"4 3\"");
    let mut reading =
        "Each bar is a run of the same replicate, as long as its score; 100 is what the best of the plain operators \
        comes to, or better. The dashed line is what was decided."
            .to_owned();
    if rows.len() > MOST_ROWS {
        reading.push_str(&format!(" Of {} rows the first {MOST_ROWS} are drawn.", rows.len()));
    }
    Plot {
        name: "scores".to_owned(),
        title: "The score, beside those of other decisions in the same replicate".to_owned(),
        description: description(report),
        reading,
        size: (WIDTH, bottom + 14.0),
        svg: canvas.into_svg(),
        table: table(report),
    }
}

fn x(score: f64) -> f64 {
    LEFT + score.clamp(0.0, 100.0) / 100.0 * (WIDTH - LEFT - RIGHT)
}

/// The counterfactuals in their groups: what each group is about, and those in it.
fn groups(report: &DrillReport) -> Vec<(String, Vec<&Counterfactual>)> {
    let of_decision = report.decisions.iter().enumerate().map(|(place, decision)| {
        let of_it = report.counterfactuals.iter().filter(|one| one.decision == Some(place + 1));
        (format!("decision {}, {}, otherwise", place + 1, decision.says()), of_it.collect::<Vec<_>>())
    });
    let plain = ("plain operators, on every trip".to_owned(), report.plain_operators.iter().collect());
    of_decision.chain(std::iter::once(plain)).filter(|(_, of_it)| !of_it.is_empty()).collect()
}

fn rows(report: &DrillReport) -> Vec<Row> {
    let bar = |one: &Counterfactual, colour| Row::Bar {
        name: one.label(&report.decisions),
        score: one.score,
        outcome: in_words(one.outcome.raw()),
        colour,
    };
    let mut rows = vec![bar(&report.as_it_was, Colour::First)];
    for (heading, of_it) in groups(report) {
        rows.push(Row::Heading(heading));
        rows.extend(
            of_it.into_iter().map(|one| bar(one, if one.decision.is_some() { Colour::Muted } else { Colour::Third })),
        );
    }
    rows
}

fn draw(canvas: &mut Canvas, row: &Row, top: f64) {
    let base = top + ROW / 2.0 + 4.0;
    match row {
        Row::Heading(text) => {
            canvas.text((8.0, base), Anchor::Start, 12.0, Colour::Text, &fitted(text, 12.0, LEFT + 300.0))
        }
        Row::Bar { name, score, outcome, colour } => {
            canvas.text((LEFT - 10.0, base), Anchor::End, 12.0, Colour::Muted, &fitted(name, 12.0, LEFT - 20.0));
            canvas.rect(
                [x(0.0), top + 4.0, (x(*score) - x(0.0)).max(1.0), ROW - 8.0],
                &format!("{} rx=\"2\"", colour.fill()),
            );
            let said = number(score.round());
            canvas.text((x(100.0) + 36.0, base), Anchor::End, 12.0, Colour::Text, &said);
            canvas.text(
                (x(100.0) + 50.0, base),
                Anchor::Start,
                12.0,
                Colour::Text,
                &fitted(outcome, 12.0, RIGHT - 56.0),
            );
        }
    }
}

fn description(report: &DrillReport) -> String {
    let others = report.counterfactuals.len() + report.plain_operators.len();
    let points = number(report.score.points.round());
    let best = report.counterfactuals.iter().max_by(|a, b| a.score.total_cmp(&b.score));
    let best = best.map_or_else(String::new, |best| {
        format!("; the best of what was not decided, {}, scores {}", best.says, number(best.score.round()))
    });
    format!(
        "What was decided scores {points} of 100 beside {}{best}.",
        plural(others as u64, "other run", "other runs")
    )
}

fn table(report: &DrillReport) -> Table {
    let columns = [
        "score",
        "cost, instance-min",
        "not serving, instance-min",
        "unhealthy, instance-min",
        "to put right",
        "harmed",
        "exposed",
        "trips",
        "time to mitigate",
        "time to stop",
        "ended at",
    ];
    let caption =
        format!("The same replicate under other decisions; costs are counted for {}", report.score.counted_says());
    let mut table = Table::new(caption, &["run", "how it ends"], &columns);
    let time = |seconds: Option<f64>| {
        seconds.map_or_else(|| NOTHING.to_owned(), |seconds| spoken(Span::from_secs_f64(seconds)))
    };
    let others = report.counterfactuals.iter().chain(&report.plain_operators);
    for one in std::iter::once(&report.as_it_was).chain(others) {
        let decision = one.decision.map_or_else(String::new, |number| format!("decision {number}: "));
        table.row([
            format!("{decision}{}", one.says),
            in_words(one.outcome.raw()),
            number(one.score),
            number(one.cost_instance_min),
            number(one.not_serving_instance_min),
            number(one.unhealthy_instance_min),
            one.misplaced_instances.to_string(),
            match one.harmed_pct {
                Some(pct) => format!("{} ({})", one.harmed_instances, Unit::Percent.say(pct)),
                None => one.harmed_instances.to_string(),
            },
            one.exposed_instances.to_string(),
            one.trips.to_string(),
            time(one.time_to_mitigate_sec),
            time(one.time_to_stop_sec),
            At(one.ended_at_ms).to_string(),
        ]);
    }
    table
}

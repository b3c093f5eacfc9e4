//! Differences of two policies: every metric on one axis, as a share of the larger of the two means.

use crate::judge::better::Better;
use crate::model::{Comparison, Contrast};
use crate::svg::drawing::{Anchor, Canvas, fitted, short};
use crate::svg::theme::Colour;
use crate::svg::{Plot, Table, slug};
use crate::words::{Unit, called, number, plural};
use dryroll_stats::Interval;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 210.0;
const MIDDLE: f64 = 470.0;
const ROW: f64 = 24.0;
const TOP: f64 = 62.0;

/// The differences with one version; `None` where there is none.
#[must_use]
pub fn differences(comparison: &Comparison, index: usize) -> Option<Plot> {
    let with_value = |contrast: &&Contrast| contrast.difference.is_some();
    let shown: Vec<&Contrast> = comparison.metrics.iter().filter(with_value).take(60).collect();
    if shown.is_empty() {
        return None;
    }
    let height = TOP + shown.len() as f64 * ROW + 16.0;
    let mut canvas = Canvas::default();
    head(&mut canvas, height);
    for (i, contrast) in shown.iter().enumerate() {
        row(&mut canvas, contrast, comparison.defective, TOP + i as f64 * ROW);
    }
    let decided = |better| shown.iter().filter(|contrast| Better::of(contrast, comparison.defective) == better).count();
    let (a, b) = (decided(Better::A), decided(Better::B));
    let title = format!("What changes from A to B with {}", comparison.version);
    let description = format!(
        "{title}: of {}, A is better in {a}, B is better in {b}, the others are undecided, the same, not compared, or \
         neither better nor worse.",
        plural(shown.len() as u64, "metric", "metrics")
    );
    let reading =
        "Each row is a metric: mean of B less mean of A on the same replicates, as a share of the larger of the \
     two means, so that all fit one axis. The thick line is the interval of this metric alone, the thin one holds for \
     all metrics at once. A disc: decided, a ring: undecided or no better. Lines that leave the axis end in an arrow. \
     A metric that only some rollouts have, such as the time to detect, is compared only where all of them have it \
     with both. A policy that stops too many good rollouts is not better in their figures, nor in time."
            .to_owned();
    Some(Plot {
        name: slug(&format!("differences-{index}-{}", comparison.version)),
        title,
        description,
        reading,
        size: (WIDTH, height),
        svg: canvas.into_svg(),
        table: table(comparison),
    })
}

fn x(share: f64) -> f64 {
    LEFT + 12.0 + (share.clamp(-1.0, 1.0) + 1.0) / 2.0 * (MIDDLE - 24.0)
}

fn head(canvas: &mut Canvas, height: f64) {
    for (share, label) in [(-1.0, "−100 %"), (-0.5, "−50 %"), (0.0, "0"), (0.5, "+50 %"), (1.0, "+100 %")] {
        let colour = if share == 0.0 { Colour::Muted } else { Colour::Grid };
        canvas.line([x(share), TOP - 8.0, x(share), height - 12.0], colour, "");
        canvas.text((x(share), TOP - 14.0), Anchor::Middle, 12.0, Colour::Muted, label);
    }
    canvas.text((x(-0.5), 16.0), Anchor::Middle, 12.0, Colour::Text, "← less with B");
    canvas.text((x(0.5), 16.0), Anchor::Middle, 12.0, Colour::Text, "more with B →");
    canvas.text((LEFT + MIDDLE + 44.0, TOP - 14.0), Anchor::Start, 12.0, Colour::Muted, "B less A");
    canvas.text((WIDTH - 8.0, TOP - 14.0), Anchor::End, 12.0, Colour::Muted, "verdict");
}

fn row(canvas: &mut Canvas, contrast: &Contrast, defective: bool, top: f64) {
    let Some(difference) = contrast.difference else { return };
    let middle = top + ROW / 2.0;
    let better = Better::of(contrast, defective);
    let colour = match better {
        Better::A => Colour::Second,
        Better::B => Colour::First,
        _ => Colour::Muted,
    };
    let larger = contrast.a.unwrap_or(0.0).abs().max(contrast.b.unwrap_or(0.0).abs());
    let share = |value: f64| if larger > 0.0 { value / larger } else { 0.0 };
    canvas.text(
        (LEFT - 6.0, middle + 4.0),
        Anchor::End,
        12.0,
        Colour::Text,
        &fitted(&called(contrast.metric.name()), 12.0, LEFT - 10.0),
    );
    for (interval, width) in [(contrast.simultaneous_ci, 1.4), (contrast.ci, 4.0)] {
        if let Some(Interval { low, high }) = interval {
            let (low, high) = (share(low), share(high));
            canvas.line([x(low), middle, x(high), middle], colour, &format!("stroke-width=\"{width}\""));
            for (beyond, edge, tip) in [(low < -1.0, x(-1.0), -7.0), (high > 1.0, x(1.0), 7.0)] {
                if beyond {
                    let [at, up, down, end, mid] = [edge, middle - 4.0, middle + 4.0, edge + tip, middle].map(short);
                    canvas.path(&format!("M{at} {up}L{end} {mid}L{at} {down}z"), &colour.fill());
                }
            }
        }
    }
    let (at, mid) = (short(x(share(difference))), short(middle));
    if matches!(better, Better::A | Better::B) {
        canvas.raw(&format!("<circle cx=\"{at}\" cy=\"{mid}\" r=\"5\" {}/>\n", colour.fill()));
    } else {
        canvas.raw(&format!("<circle cx=\"{at}\" cy=\"{mid}\" r=\"5\" {}/>\n", Colour::Paper.fill()));
        canvas.raw(&format!(
            "<circle cx=\"{at}\" cy=\"{mid}\" r=\"4.5\" fill=\"none\" stroke-width=\"1.6\" {}/>\n",
            colour.stroke()
        ));
    }
    let said = Unit::of_measure(contrast.metric).say_difference(difference);
    canvas.text((LEFT + MIDDLE + 44.0, middle + 4.0), Anchor::Start, 12.0, Colour::Text, &said);
    canvas.text((WIDTH - 8.0, middle + 4.0), Anchor::End, 12.0, colour, better.word());
}

fn table(comparison: &Comparison) -> Table {
    let columns = [
        "mean with A",
        "mean with B",
        "B less A",
        "its interval",
        "interval for all at once",
        "replicates",
        "A better in",
        "B better in",
        "equal in",
        "variance saved",
        "only some rollouts have it",
    ];
    let mut table = Table::new(format!("A and B with {}", comparison.version), &["metric", "verdict"], &columns);
    let count =
        |replicates: Option<u64>| replicates.map_or_else(|| "–".to_owned(), |replicates| number(replicates as f64));
    for contrast in &comparison.metrics {
        let unit = Unit::of_measure(contrast.metric);
        table.row([
            called(contrast.metric.name()),
            if contrast.n == 0 {
                "no data".to_owned()
            } else {
                Better::of(contrast, comparison.defective).word().to_owned()
            },
            unit.say_or_nothing(contrast.a),
            unit.say_or_nothing(contrast.b),
            match (contrast.exact, contrast.difference) {
                (Some(exact), _) => format!("= {}", unit.say_difference(exact)),
                (None, Some(difference)) => unit.say_difference(difference),
                (None, None) => "–".to_owned(),
            },
            unit.say_difference_interval(contrast.ci),
            unit.say_difference_interval(contrast.simultaneous_ci),
            number(contrast.n as f64),
            count(contrast.a_wins),
            count(contrast.b_wins),
            number(contrast.ties as f64),
            Unit::Share.say_or_nothing(contrast.variance_saved),
            contrast.conditional.as_ref().map_or_else(String::new, |conditional| conditional.says.clone()),
        ]);
    }
    table
}

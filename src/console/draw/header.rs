//! What is rolled out, the clock, and the breaker's count.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Theme;
use super::wrap::{cut, width};
use crate::console::model::Model;
use dryroll_sim::sim::Observer;

/// Counts up to this are drawn stroke by stroke.
const STROKES: u32 = 10;

pub fn draw<O: Observer>(frame: &mut Frame, area: Rect, model: &Model<'_, O>, theme: Theme) {
    let briefing = model.controller().seen().0.briefing();
    let clock = clock(model);
    let room = usize::from(area.width).saturating_sub(width(&clock) + 1);
    let title = cut(&briefing.title.to_string(), room);
    let gap = " ".repeat(room + 1 - width(&title));
    let what = format!(
        "{} {} → {} · {} of {}",
        briefing.module, briefing.previous, briefing.target, briefing.fleet, briefing.instances
    );
    let lines = vec![
        Line::from(vec![Span::styled(title, theme.bold()), Span::raw(gap), Span::styled(clock, theme.bold())]),
        Line::styled(cut(&what, usize::from(area.width)), theme.dim()),
        breaker(model, theme),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn clock<O: Observer>(model: &Model<'_, O>) -> String {
    let (controller, pace) = (model.controller(), model.controller().pace());
    let speed = pace.speed().factor();
    if controller.drill().is_over() {
        format!("{}  over", controller.clock())
    } else if pace.is_paused() {
        format!("{}  paused, ×{speed}", controller.clock())
    } else {
        format!("{}  runs, ×{speed}", controller.clock())
    }
}

/// `rules 1: 2, 2: 0`, where no limit of failures in a row is drawn.
fn rules<O: Observer>(model: &Model<'_, O>, theme: Theme) -> Line<'static> {
    let engine = model.controller().drill().engine();
    let counts: Vec<String> = (1..)
        .zip(engine.rules())
        .map(|(rule, (_, count))| {
            format!("{rule}: {}", count.map_or_else(|| "–".to_owned(), |count| count.to_string()))
        })
        .collect();
    Line::from(vec![Span::raw("rules "), Span::styled(counts.join(", "), theme.dim())])
}

/// `breaker ▮▮▯ 2 of 3 in a row`
fn breaker<O: Observer>(model: &Model<'_, O>, theme: Theme) -> Line<'static> {
    let drill = model.controller().drill();
    let Some((count, limit)) = drill.engine().breaker() else { return rules(model, theme) };
    let count = count.min(limit);
    let strokes = if limit <= STROKES {
        format!("{}{} ", "▮".repeat(count as usize), "▯".repeat((limit - count) as usize))
    } else {
        String::new()
    };
    let is_tripped = drill.engine().pending_request().is_some_and(|(_, kind)| kind.is_of_trip());
    let style = if count > 0 { theme.alarm() } else { theme.dim() };
    let mut spans = vec![Span::raw("breaker "), Span::styled(format!("{strokes}{count} of {limit} in a row"), style)];
    if is_tripped {
        spans.push(Span::styled("  TRIPPED", theme.alarm()));
    }
    Line::from(spans)
}

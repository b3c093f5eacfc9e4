//! What is rolled out, the clock, the counts of breaker and rules, and what is waited for.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Theme;
use super::wrap::{cut, width};
use crate::console::model::Model;
use dryroll_engine::{Direction, Engine, RequestKind, Rule};
use dryroll_report::words::rules::counted;
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

/// `breaker ▮▮▯ 2 of 3 in a row · rules 1: 2, 2: 0`, and what the rollout waits for.
fn breaker<O: Observer>(model: &Model<'_, O>, theme: Theme) -> Line<'static> {
    let engine = model.controller().drill().engine();
    let mut spans = vec![Span::raw("breaker ")];
    if let Some((count, limit)) = engine.breaker() {
        let count = count.min(limit);
        let strokes = if limit <= STROKES {
            format!("{}{} ", "▮".repeat(count as usize), "▯".repeat((limit - count) as usize))
        } else {
            String::new()
        };
        let style = if count > 0 { theme.alarm() } else { theme.dim() };
        spans.push(Span::styled(format!("{strokes}{count} of {limit} in a row"), style));
    }
    let rules = rules(engine);
    match (rules, engine.breaker()) {
        (Some(rules), Some(_)) => spans.push(Span::styled(format!(" · {rules}"), theme.dim())),
        (Some(rules), None) => spans.push(Span::styled(rules, theme.dim())),
        (None, Some(_)) => {}
        (None, None) => spans.push(Span::styled("none", theme.dim())),
    }
    if let Some(unwell) = engine.unwell().filter(|&unwell| unwell > 0) {
        spans.push(Span::styled(format!(" · {unwell} unwell"), theme.alarm()));
    }
    if let Some(until) = engine.bake_ends() {
        spans.push(Span::styled(format!(" · bakes until {until}"), theme.dim()));
    }
    match engine.pending_request() {
        Some((_, kind)) if kind.is_of_trip() => spans.push(Span::styled("  TRIPPED", theme.alarm())),
        Some((_, RequestKind::Promotion)) => spans.push(Span::styled("  PROMOTE?", theme.alarm())),
        Some(_) | None => {}
    }
    Line::from(spans)
}

/// `rules 1: 2, 2: 0`; in a rollback they count nothing.
fn rules(engine: &Engine) -> Option<String> {
    if engine.direction() == Direction::Back {
        return None;
    }
    let count = |(number, (rule, count)): (usize, (&Rule, Option<u32>))| {
        let count = counted(engine, rule, count).map_or_else(|| "–".to_owned(), |count| count.to_string());
        format!("{number}: {count}")
    };
    let counts: Vec<String> = (1..).zip(engine.rules()).map(count).collect();
    (!counts.is_empty()).then(|| format!("rules {}", counts.join(", ")))
}

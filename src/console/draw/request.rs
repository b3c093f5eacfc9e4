//! What is asked: what is known at this moment, and the answers.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Theme;
use super::wrap::{title, wrap};
use crate::console::choice::Choice;
use crate::console::model::Model;
use crate::console::situation;
use dryroll_engine::RequestKind;
use dryroll_report::judge::forecast::Forecast;
use dryroll_report::words::events::asks;
use dryroll_report::words::spoken;
use dryroll_sim::sim::Observer;

/// The panel's lines; none where nothing is asked. The answers come first: they are what must be on the smallest
/// screen.
pub fn lines<O: Observer>(model: &Model<'_, O>, columns: u16, rows: u16, theme: Theme) -> Vec<Line<'static>> {
    let room = usize::from(columns);
    let Some((asked, choices)) = model.asked() else { return over(model, columns, theme) };
    let (engine, feed) = (model.controller().drill().engine(), &model.controller().seen().0);
    let waits = spoken(model.controller().clock().since(asked.at));
    let heading = format!("{} asks: {} · {waits}", asked.request, asks(asked.kind));
    let mut lines = vec![title(&heading, theme.alarm(), columns, theme)];
    let answers = answers(asked.kind, &choices, room, theme);
    if answers.len() < usize::from(rows) {
        lines.extend(answers);
    } else {
        // No room for descriptions: the names must be visible.
        let names = choices.iter().enumerate().map(|(place, choice)| named(asked.kind, place, choice));
        lines.extend(names.map(|name| Line::styled(name, theme.bold())));
    }
    let mut known: Vec<String> = Vec::new();
    if asked.kind == RequestKind::RollingUpgrade {
        known.push(Forecast::of(engine).plan());
    }
    known.extend(situation::of_request(asked, engine, feed.tally(), feed.briefing(), model.controller().roll()));
    for text in known {
        lines.extend(wrap(&text, room, 2).into_iter().map(|text| Line::styled(text, theme.plain())));
    }
    lines
}

/// `1  abort`: the key of an answer, and its name.
fn named(kind: RequestKind, place: usize, choice: &Choice) -> String {
    let key = match kind {
        RequestKind::RollingUpgrade => choice.name.chars().next(),
        _ => char::from_digit(place as u32 + 1, 10),
    };
    format!("{}  {}", key.unwrap_or(' '), choice.name)
}

/// The answers with what they do.
fn answers(kind: RequestKind, choices: &[Choice], room: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (place, choice) in choices.iter().enumerate() {
        let name = named(kind, place, choice);
        let mut rows = wrap(&format!("{name}: {}", choice.does), room, 3).into_iter();
        let first = rows.next().unwrap_or_default();
        let does = first.strip_prefix(&name).unwrap_or_default().to_owned();
        lines.push(Line::from(vec![Span::styled(name, theme.bold()), Span::raw(does)]));
        lines.extend(rows.map(Line::raw));
    }
    lines
}

fn over<O: Observer>(model: &Model<'_, O>, columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let Some(outcome) = model.controller().drill().engine().outcome() else { return Vec::new() };
    vec![
        title(&format!("the rollout is over: {}", outcome.name()), theme.bold(), columns, theme),
        Line::raw("q leaves the screen, and the debrief is shown"),
    ]
}

pub fn draw(frame: &mut Frame, area: Rect, lines: Vec<Line<'static>>) {
    frame.render_widget(Paragraph::new(lines), area);
}

//! What is asked: what is known at this moment, and the answers.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Theme;
use super::wrap::{title, wrap};
use crate::console::model::Model;
use crate::console::situation;
use crate::console::telling::asks;
use crate::engine::RequestKind;
use crate::report::Prospect;
use crate::report::wording::spoken;
use crate::sim::Observer;

/// The panel's lines; none where nothing is asked. The answers come first: they are what must be on the smallest screen.
pub fn lines<O: Observer>(model: &Model<'_, O>, columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let room = usize::from(columns);
    let Some((asked, choices)) = model.asked() else { return over(model, columns, theme) };
    let (engine, story) = (model.desk().drill().engine(), &model.desk().seen().0);
    let waits = spoken(model.desk().clock().since(asked.at));
    let heading = format!("{} asks: {} · {waits}", asked.request, asks(asked.kind));
    let mut lines = vec![title(&heading, theme.alarm(), columns, theme)];
    for (place, choice) in choices.iter().enumerate() {
        let key = match asked.kind {
            RequestKind::RollingUpgrade => choice.name.chars().next().unwrap_or(' '),
            _ => char::from_digit(place as u32 + 1, 10).unwrap_or(' '),
        };
        let text = format!("{key}  {}: {}", choice.name, choice.does);
        for (row, text) in wrap(&text, room, 3).into_iter().enumerate() {
            let style = if row == 0 { theme.bold() } else { ratatui::style::Style::new() };
            match text.split_once(": ").filter(|_| row == 0) {
                Some((name, does)) => {
                    lines.push(Line::from(vec![Span::styled(format!("{name}: "), style), Span::raw(does.to_owned())]));
                }
                None => lines.push(Line::styled(text, style)),
            }
        }
    }
    let known = match asked.kind {
        RequestKind::RollingUpgrade => {
            let mut known = vec![Prospect::of(engine).plan()];
            known.extend(situation::of_plan(engine));
            known
        }
        _ => situation::of_trip(asked, engine, story.tally(), story.briefing()),
    };
    for text in known {
        lines.extend(wrap(&text, room, 2).into_iter().map(|text| Line::styled(text, theme.plain())));
    }
    lines
}

fn over<O: Observer>(model: &Model<'_, O>, columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let Some(outcome) = model.desk().drill().engine().outcome() else { return Vec::new() };
    vec![
        title(&format!("the rollout is over: {}", outcome.name()), theme.bold(), columns, theme),
        Line::raw("q leaves the screen, and the debrief is shown"),
    ]
}

pub fn draw(frame: &mut Frame, area: Rect, lines: Vec<Line<'static>>) {
    frame.render_widget(Paragraph::new(lines), area);
}

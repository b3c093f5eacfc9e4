//! What stands in front of the screen: help, questions, the form of an edit.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::Theme;
use super::help::KEYS;
use super::wrap::wrap;
use crate::console::form::{FIELDS, Form, TAKES};
use crate::console::model::{Dialog, Model};
use dryroll_report::judge::forecast::Forecast;
use dryroll_sim::sim::Observer;

const WIDEST: u16 = 64;

pub fn draw<O: Observer>(frame: &mut Frame, area: Rect, model: &Model<'_, O>, theme: Theme) {
    let columns = WIDEST.min(area.width - 2);
    let room = usize::from(columns) - 4;
    let (heading, lines) = match model.dialog() {
        None => return,
        Some(Dialog::Help) => ("keys", keys(room, theme)),
        Some(Dialog::Quit) => {
            let text = "Leave the drill? It is not over; --record keeps the decisions so far.";
            ("leave", question(text, "y, Enter: leave · n, Esc: stay", room, theme))
        }
        Some(Dialog::Confirm(_, choice)) => {
            let text = format!("{}: {}", choice.name, choice.does);
            (choice.name, question(&text, "y, Enter: yes · n, Esc: no", room, theme))
        }
        Some(Dialog::Edit(form)) => {
            ("edit the plan", edit(form, &Forecast::of(model.controller().drill().engine()), room, theme))
        }
    };
    let rows = (lines.len() as u16 + 2).min(area.height);
    let place = Rect {
        x: area.x + (area.width - columns) / 2,
        y: area.y + (area.height - rows) / 2,
        width: columns,
        height: rows,
    };
    frame.render_widget(Clear, place);
    let block = Block::bordered().title(format!(" {heading} ")).title_style(theme.bold());
    let inner = block.inner(place);
    frame.render_widget(block, place);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    frame.render_widget(Paragraph::new(lines), inner);
}

fn keys(room: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (key, does) in KEYS {
        for (row, text) in wrap(does, room.saturating_sub(12), 0).into_iter().enumerate() {
            let key = if row == 0 { key } else { "" };
            lines.push(Line::from(vec![Span::styled(format!("{key:<12}"), theme.bold()), Span::raw(text)]));
        }
    }
    lines
}

fn question(text: &str, answers: &str, room: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = wrap(text, room, 0).into_iter().map(Line::raw).collect();
    lines.push(Line::raw(""));
    lines.push(Line::styled(answers.to_owned(), theme.bold()));
    lines
}

fn edit(form: &Form, now: &Forecast, room: usize, theme: Theme) -> Vec<Line<'static>> {
    let (fields, at) = form.fields();
    let mut lines = Vec::new();
    for (place, name) in FIELDS.iter().enumerate() {
        let (mark, style) = if place == at { ("▸", theme.selected()) } else { (" ", theme.plain()) };
        lines.push(Line::from(vec![
            Span::raw(format!("{mark} {name:<26}")),
            Span::styled(format!("{:>5} ", fields[place]), style),
            Span::styled(format!(" {}", TAKES[place]), theme.dim()),
        ]));
    }
    let hint = "↑↓ field · digits, ←→ value · Enter send · Esc leave";
    lines.extend(wrap(hint, room, 2).into_iter().map(|text| Line::styled(text, theme.dim())));
    let mut say = |heading: &str, texts: Vec<String>| {
        lines.push(Line::raw(""));
        lines.push(Line::styled(heading.to_owned(), theme.bold()));
        lines.extend(texts.iter().flat_map(|text| wrap(text, room, 2)).map(Line::raw));
    };
    match form.forecast() {
        Some(new) => say("then", vec![new.plan(), new.breaker(), new.if_it_goes_wrong()]),
        None => say("then", vec!["a value is out of range".to_owned()]),
    }
    say("now", vec![now.plan(), now.if_it_goes_wrong()]);
    lines
}

//! What happened last.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Theme;
use super::wrap::{title, wrap};
use crate::console::model::Model;
use dryroll_sim::sim::Observer;

pub fn draw<O: Observer>(frame: &mut Frame, area: Rect, model: &Model<'_, O>, theme: Theme) {
    if area.height < 2 {
        return;
    }
    let rows = usize::from(area.height) - 1;
    let mut shown: Vec<Line<'static>> = Vec::new();
    for line in model.controller().seen().0.lines().iter().rev() {
        if shown.len() >= rows {
            break;
        }
        let clock = format!("{:>8}  ", line.at.to_string());
        let room = usize::from(area.width).saturating_sub(clock.len());
        for (row, text) in wrap(&line.text, room, 2).into_iter().enumerate().collect::<Vec<_>>().into_iter().rev() {
            let clock = if row == 0 { clock.clone() } else { " ".repeat(clock.len()) };
            shown.push(Line::from(vec![Span::styled(clock, theme.dim()), Span::styled(text, theme.tone(line.tone))]));
        }
    }
    shown.truncate(rows);
    shown.push(title("what happened", theme.bold(), area.width, theme));
    shown.reverse();
    frame.render_widget(Paragraph::new(shown), area);
}

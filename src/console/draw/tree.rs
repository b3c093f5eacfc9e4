//! The tree: only the rows that are on the screen.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Theme;
use super::wrap::{cut, title, width};
use crate::console::model::Model;
use crate::console::situation::{of_batch, of_instance};
use crate::console::tally::Counts;
use crate::console::tree::Row;
use dryroll_engine::{BatchPhase, Direction, Engine};
use dryroll_sim::sim::Observer;
use dryroll_study::drill::Cell;

/// The widest strip of shapes.
const STRIP: usize = 40;

pub fn draw<O: Observer>(frame: &mut Frame, area: Rect, model: &mut Model<'_, O>, theme: Theme) {
    if area.height == 0 {
        return;
    }
    let (tree, layout) = model.tree();
    let rows = tree.shown(layout, usize::from(area.height) - 1);
    let (selected, open) = (tree.selected(), rows.iter().map(|&row| tree.is_open(row)).collect::<Vec<_>>());
    let engine = model.controller().drill().engine();
    let heading = if engine.direction() == Direction::Back { "rollback" } else { "rollout" };
    let mut lines = vec![title(heading, theme.bold(), area.width, theme)];
    for (row, is_open) in rows.into_iter().zip(open) {
        let mut line = line(model, row, is_open, usize::from(area.width), theme);
        if row == selected {
            let rest = usize::from(area.width).saturating_sub(line.width());
            line.push_span(Span::raw(" ".repeat(rest)));
            line = line.patch_style(theme.selected());
        }
        lines.push(line);
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn line<O: Observer>(model: &Model<'_, O>, row: Row, is_open: bool, most: usize, theme: Theme) -> Line<'static> {
    let (controller, feed) = (model.controller(), &model.controller().seen().0);
    let (engine, tally) = (controller.drill().engine(), feed.tally());
    let sign = if is_open { '▾' } else { '▸' };
    match row {
        Row::Rollout => {
            let mut spans = vec![Span::styled(format!("{sign} all  "), theme.bold())];
            spans.extend(counts(tally.all(), most.saturating_sub(7), theme));
            Line::from(spans)
        }
        Row::Batch(index) => {
            let stands = of_batch(index, engine, tally);
            let is_tripped =
                engine.direction() == Direction::Forward && engine.batch_phase(index) == BatchPhase::Tripped;
            let style = if is_tripped { theme.alarm() } else { Style::new() };
            let head = format!("  {sign} batch {index:<3}");
            let mut spans = vec![Span::raw(head), Span::styled(format!("{stands:<12}"), style)];
            let room = most.saturating_sub(26);
            let shares = tally.batch(index);
            let positions = tally.layout().batch(index);
            let wanted = positions.len().min(STRIP).min(room / 2 + 2);
            let strip = strip(engine, positions, &shares, wanted);
            spans.extend(strip.into_iter().map(|cell| Span::styled(cell.shape().to_string(), theme.cell(cell))));
            spans.push(Span::raw("  "));
            spans.extend(counts(&shares, room.saturating_sub(wanted + 2), theme));
            Line::from(spans)
        }
        Row::Instance(position) => {
            let cell = Cell::of(engine, position);
            let name = feed.briefing().event_names().instances.name(engine.instance(position));
            let said = of_instance(position, engine, tally);
            let head = format!("      {} ", cell.shape());
            let room = most.saturating_sub(width(&head));
            Line::from(vec![
                Span::styled(head, theme.cell(cell)),
                Span::styled(
                    cut(&format!("{name}  {said}"), room),
                    if cell.is_failed() { theme.cell(cell) } else { Style::new() },
                ),
            ])
        }
    }
}

/// Counts with words where there is room, else with shapes alone.
fn counts(counts: &Counts, room: usize, theme: Theme) -> Vec<Span<'static>> {
    let said = |with_words: bool| -> Vec<(Cell, String)> {
        let say = |(cell, count): (Cell, u32)| match with_words {
            true => (cell, format!("{} {count} {}  ", cell.shape(), cell.word())),
            false => (cell, format!("{}{count} ", cell.shape())),
        };
        counts.present().map(say).collect()
    };
    let words = said(true);
    let fits = words.iter().map(|(_, text)| width(text)).sum::<usize>() <= room + 2;
    let shown = if fits { words } else { said(false) };
    shown.into_iter().map(|(cell, text)| Span::styled(text, theme.cell(cell))).collect()
}

/// A batch in a strip of shapes: instance by instance, or of a larger one its shares, with at least one shape for each.
fn strip(engine: &Engine, positions: Range<u32>, counts: &Counts, most: usize) -> Vec<Cell> {
    if positions.len() <= most {
        return positions.map(|position| Cell::of(engine, position)).collect();
    }
    shares(counts, most)
}

/// `most` shapes in the proportions of the counts.
fn shares(counts: &Counts, most: usize) -> Vec<Cell> {
    let present: Vec<(Cell, u32)> = counts.present().collect();
    let spare = most.saturating_sub(present.len()) as u64;
    let total = u64::from(counts.total()).max(1);
    let mut drawn = Vec::with_capacity(most);
    let (mut seen, mut given) = (0, 0);
    for (cell, count) in present {
        seen += u64::from(count);
        let upto = spare * seen / total;
        drawn.extend(std::iter::repeat_n(cell, 1 + (upto - given) as usize));
        given = upto;
    }
    drawn.truncate(most);
    drawn
}

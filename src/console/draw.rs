//! The screen: header, tree, what is asked, what happened, keys. One file a panel.

mod dialog;
mod feed;
mod header;
mod help;
mod request;
mod theme;
mod tree;
mod wrap;

pub use theme::Theme;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::{Paragraph, Wrap};

use super::model::Model;
use dryroll_sim::sim::Observer;

/// The smallest screen.
const SMALLEST: (u16, u16) = (40, 10);
/// From this width on the tree stands beside what is asked, not above it.
const WIDE: u16 = 110;
const HEADER: u16 = 3;
/// Fewest rows that the tree keeps, with its title; on a low screen half of them.
const TREE_KEEPS: u16 = 4;
const LOW: u16 = 12;

/// Puts a console on a screen of any size.
pub fn draw<O: Observer>(frame: &mut Frame, model: &mut Model<'_, O>, theme: Theme) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let (width, height) = SMALLEST;
        let text = format!("too small: {width} × {height} at least, here are {} × {}", area.width, area.height);
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let [top, body, bottom] = rows(area, [HEADER, area.height - HEADER - 1, 1]);
    header::draw(frame, top, model, theme);
    if area.width >= WIDE {
        let left = area.width * 11 / 20;
        let [tree, right] = columns(body, left);
        let request = request::lines(model, right.width, right.height, theme);
        let need = request.len() as u16;
        let [asked, feed] = rows(right, [need.min(right.height), right.height.saturating_sub(need)]);
        tree::draw(frame, tree, model, theme);
        request::draw(frame, asked, request);
        feed::draw(frame, feed, model, theme);
    } else {
        let most = body.height - if body.height < LOW { TREE_KEEPS / 2 } else { TREE_KEEPS };
        let request = request::lines(model, body.width, most, theme);
        let asked = (request.len() as u16).min(most);
        let rest = body.height - asked;
        let fewest_fed = if rest > 2 * TREE_KEEPS { rest / 3 } else { 0 };
        let (tree, layout) = model.tree();
        let tree = (tree.len(layout).min(usize::from(u16::MAX) - 1) as u16 + 1).min(rest - fewest_fed);
        // Too few rows for another panel go to the tree.
        let tree = if rest - tree < 2 { rest } else { tree };
        let [tree, asked, feed] = rows(body, [tree, asked, rest - tree]);
        tree::draw(frame, tree, model, theme);
        request::draw(frame, asked, request);
        feed::draw(frame, feed, model, theme);
    }
    help::draw_line(frame, bottom, model, theme);
    dialog::draw(frame, area, model, theme);
}

/// Cuts an area into rows of these heights.
fn rows<const N: usize>(area: Rect, heights: [u16; N]) -> [Rect; N] {
    let mut y = area.y;
    heights.map(|height| {
        let row = Rect { y, height, ..area }.intersection(area);
        y = y.saturating_add(height);
        row
    })
}

fn columns(area: Rect, left: u16) -> [Rect; 2] {
    let right = area.width - left;
    [Rect { width: left - 1, ..area }, Rect { x: area.x + left, width: right, ..area }]
}

//! The line of keys, and the page of them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::Theme;
use super::wrap::{cut, width};
use crate::console::model::Model;
use dryroll_engine::RequestKind;
use dryroll_sim::sim::Observer;

/// Every key, and what it does.
pub const KEYS: [(&str, &str); 12] = [
    ("a e r", "approve, edit or reject the plan"),
    ("1 2 3", "the answers on a trip"),
    ("p, space", "pause, and go on"),
    ("+ -", "faster, slower"),
    ("n", "to the next event; then the clock is paused"),
    ("d", "to the next decision"),
    ("↑ ↓, j k", "another row; PgUp, PgDn, Home, End"),
    ("Enter, ← →", "open or close a row"),
    ("f", "to the next failed instance"),
    ("t", "the tree follows the running batch"),
    ("q", "leave, after a question"),
    ("Ctrl-C", "leave at once; the record is kept"),
];

/// The last row: what was said of the last key, or the keys that matter now.
pub fn draw_line<O: Observer>(frame: &mut Frame, area: Rect, model: &Model<'_, O>, theme: Theme) {
    let room = usize::from(area.width);
    let line = match model.message() {
        Some(message) => Line::styled(cut(&format!(" {message} "), room), theme.selected()),
        None => Line::styled(keys(model, room), theme.dim()),
    };
    frame.render_widget(Paragraph::new(line), area);
}

fn keys<O: Observer>(model: &Model<'_, O>, room: usize) -> String {
    let drill = model.controller().drill();
    let mut keys = match drill.asked().map(|asked| asked.kind) {
        Some(RequestKind::RollingUpgrade) => vec!["a approve", "e edit", "r reject"],
        Some(RequestKind::RollingUpgradeContinuation | RequestKind::Promotion) => vec!["1 2 3 answer"],
        Some(RequestKind::RollbackContinuation) => vec!["1 2 answer"],
        None => Vec::new(),
    };
    keys.push("? keys");
    keys.push("q leave");
    if !drill.is_over() {
        keys.extend([
            if model.controller().pace().is_paused() { "p go on" } else { "p pause" },
            "n event",
            "d decision",
            "+/- speed",
        ]);
    }
    keys.extend(["↑↓ Enter tree", "f failure", "t follow"]);
    let mut line = String::new();
    for key in keys {
        if width(&line) + width(key) + 2 > room {
            break;
        }
        line = if line.is_empty() { key.to_owned() } else { format!("{line}  {key}") };
    }
    line
}

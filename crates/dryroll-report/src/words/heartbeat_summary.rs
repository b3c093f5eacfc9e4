//! The words of a roll call: who is heard of, and how.

use crate::words::{plural, spoken};
use dryroll_engine::fleet::Span;
use dryroll_sim::text::Foreign;
use dryroll_study::drill::{Cell, HeartbeatSummary};

/// Zones that are listed.
const LISTED: usize = 12;

/// A line each: the heading, the zones, and how the silent ones stand, under the versions' names.
#[must_use]
pub fn lines(roll: &HeartbeatSummary, previous: &Foreign, target: &Foreign) -> Vec<String> {
    let window = spoken(Span(roll.window));
    let mut lines = vec![format!("heartbeats of the last {window}, heard at {}:", roll.at)];
    for (index, zone) in roll.zones.iter().enumerate().take(LISTED) {
        let counts = [
            (zone.well[0], format!("well on {previous}")),
            (zone.well[1], format!("well on {target}")),
            (zone.unwell[0], format!("not well on {previous}")),
            (zone.unwell[1], format!("not well on {target}")),
            (zone.silent, "silent".to_owned()),
            (zone.not_yet, "not heard yet".to_owned()),
        ];
        let said = join(counts.into_iter());
        let name = if roll.zones.len() == 1 { "the fleet".to_owned() } else { format!("zone {index}") };
        lines.push(format!("{name}: {}", if said.is_empty() { "no planned instance" } else { &said }));
    }
    let unlisted = roll.zones.len().saturating_sub(LISTED) as u64;
    if unlisted > 0 {
        let silent: u32 = roll.zones.iter().skip(LISTED).map(|zone| zone.silent).sum();
        lines.push(format!("{} more: {silent} silent", plural(unlisted, "zone", "zones")));
    }
    if roll.all_silent() > 0 {
        let stand = Cell::ALL.into_iter().map(|cell| (roll.silent[cell as usize], by_verdict(cell)));
        lines.push(format!("the silent ones: {}", join(stand)));
    }
    lines
}

fn by_verdict(cell: Cell) -> String {
    match cell {
        Cell::Healthy => "had a healthy verdict".to_owned(),
        Cell::Waiting => "not commanded yet".to_owned(),
        other => other.word().to_owned(),
    }
}

fn join(counts: impl Iterator<Item = (u32, String)>) -> String {
    let words: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    words.join(", ")
}

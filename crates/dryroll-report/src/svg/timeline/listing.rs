//! The table of a timeline: everything that is drawn.

use std::fmt::Write;

use super::states::word;
use super::{Drawing, MOST_MARKS};
use crate::svg::Table;
use crate::words::plural;

/// More segments are not listed.
const MOST_LISTED: usize = 1500;

impl Drawing<'_> {
    pub(super) fn table(&self) -> Table {
        let mut table =
            Table::new(format!("{}: what is drawn, in order", self.title), &["kind", "which"], &["from", "to", "what"]);
        let timeline = self.timeline;
        let time = |at: u64| dryroll_engine::fleet::At(at).to_string();
        for batch in timeline.batches.iter().take(MOST_MARKS) {
            let kind = if batch.rollback { "rollback batch" } else { "batch" };
            let what = format!("{} healthy, {} failed", batch.healthy_count, batch.failed_count);
            table.row([kind.to_owned(), batch.index.to_string(), time(batch.from_ms), time(batch.to_ms), what]);
        }
        for bake in timeline.bakes.iter().take(MOST_MARKS) {
            let (from, to) = (time(bake.from_ms), time(bake.to_ms));
            table.row(["bake".to_owned(), bake.batch_index.to_string(), from, to, String::new()]);
        }
        for trip in timeline.trips.iter().take(MOST_MARKS) {
            let to = trip.decided_at_ms.map_or_else(String::new, time);
            let reason = trip.reason.as_ref().map_or_else(String::new, |reason| format!("{reason}; "));
            let what = format!("{reason}{}", trip.followed());
            table.row(["trip".to_owned(), first_of(&trip.failed_instance_ids), time(trip.at_ms), to, what]);
        }
        for note in timeline.notes.iter().take(MOST_MARKS) {
            let failed = first_of(&note.failed_instance_ids);
            table.row(["note".to_owned(), failed, time(note.at_ms), String::new(), note.reason.clone()]);
        }
        for retry in timeline.retries.iter().take(MOST_MARKS) {
            let what = format!("attempt {} after {}", retry.attempt, retry.reason.replace('_', " "));
            table.row(["retry".to_owned(), retry.instance_id.clone(), time(retry.at_ms), String::new(), what]);
        }
        for request in timeline.requests.iter().take(MOST_MARKS) {
            table.row([
                if request.promotes.is_some() { "promotion" } else { "request" }.to_owned(),
                request.id.clone(),
                time(request.from_ms),
                time(request.to_ms),
                request.answer.clone(),
            ]);
        }
        for fault in &timeline.faults {
            let touched = plural(u64::from(fault.touched_instances), "instance touched", "instances touched");
            table.row([
                "fault".to_owned(),
                fault.kind.replace('_', " "),
                time(fault.from_ms),
                time(fault.to_ms),
                touched,
            ]);
        }
        for &(at, count) in timeline.breaker.iter().take(MOST_MARKS) {
            table.row(["in a row".to_owned(), String::new(), time(at), String::new(), count.to_string()]);
        }
        let mut listed = 0;
        for row in &timeline.instances {
            for (i, &(from, state)) in row.segments.iter().enumerate() {
                let to = row.segments.get(i + 1).map_or(timeline.end_ms, |next| next.0);
                if listed < MOST_LISTED {
                    table.row(["instance".to_owned(), row.id.clone(), time(from), time(to), word(state).to_owned()]);
                }
                listed += 1;
            }
        }
        if listed > MOST_LISTED {
            let _ = write!(table.caption, " (of {listed} stretches of instances the first {MOST_LISTED})");
        }
        table
    }
}

/// The first of some ids.
fn first_of(ids: &[String]) -> String {
    let mut first = ids.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(" ");
    if ids.len() > 8 {
        first.push_str(" …");
    }
    first
}

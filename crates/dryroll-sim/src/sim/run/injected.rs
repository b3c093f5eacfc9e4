//! Injected faults as the run goes on: which are known, which an event sets off, and what those about the controller
//! do.

use super::{Presence, Simulator};
use crate::scenario::FaultKind;
use crate::sim::fault::Window;
use crate::sim::observer::Observer;
use dryroll_engine::Event;
use dryroll_engine::fleet::At;

impl Simulator<'_> {
    /// Notes a fault; `known.sort` must follow.
    pub(super) fn open_window(&mut self, window: Window) {
        let fault = &self.compiled.faults[window.fault];
        self.known.add(fault, window);
        if fault.is_about_instances() {
            return;
        }
        if matches!(fault.kind, FaultKind::ReconcilerPause) {
            return;
        }
        let comes_back = matches!(fault.kind, FaultKind::ReconcilerCrash).then(|| window.end.get()).flatten();
        self.control.change(|state| {
            [Some(window.start), comes_back].into_iter().flatten().for_each(|at| state.add_boundary(at));
        });
    }

    /// Sets off the faults that wait for this event; whether any is about instances.
    pub(super) fn set_off(&mut self, event: &Event) -> bool {
        let compiled = self.compiled;
        if compiled.triggers.is_empty() {
            return false;
        }
        let mut due = Vec::new();
        let batch = event.body.batch_index();
        for of_batch in [None, batch].into_iter().take(1 + usize::from(batch.is_some())) {
            // Those that wait for one event are set off together.
            let waiting = compiled.triggers.get(&(event.body.kind(), of_batch)).map_or(&[][..], Vec::as_slice);
            if waiting.first().is_some_and(|&fault| !self.triggered[fault]) {
                due.extend_from_slice(waiting);
            }
        }
        due.sort_unstable();
        let mut about_instances = false;
        for &fault in &due {
            self.triggered[fault] = true;
            if let Some(window) = compiled.faults[fault].window_after(fault, event) {
                self.open_window(window);
                about_instances |= compiled.faults[fault].is_about_instances();
            }
        }
        if !due.is_empty() {
            self.known.sort();
        }
        about_instances
    }

    pub(super) fn act_on_boundary<O: Observer>(&mut self, at: At, observer: &mut O) {
        let archived = self.known.is_archived(at);
        let presence = self.known.away_until(at).map_or(Presence::Present, Presence::AwayUntil);
        let restarted = self.known.restarts(at);
        let was_away = self.control.is_away();
        self.control.change(|state| {
            state.pass_boundary();
            state.presence = presence;
        });
        if !self.control.is_away() && (was_away || restarted) {
            self.rebuild();
            self.engine.resume(self.clock);
        }
        if archived && !self.previous_gone && !self.control.is_away() {
            self.previous_gone = true;
            self.engine.handle_previous_gone(at);
            self.follow_up(at, None, observer);
        }
        if !self.control.is_away() && self.engine.is_new() && at > At::ZERO {
            self.feed_request(at, observer);
        }
    }

    /// The controller is back: its engine is gone, and made anew from the journal.
    pub(super) fn rebuild(&mut self) {
        let Some(journal) = &self.journal else { return };
        // Where nothing has come in since, the engine is what the journal makes of it.
        if self.rebuilt_from == Some(journal.entries.len()) {
            return;
        }
        self.rebuilt_from = Some(journal.entries.len());
        match journal.rebuild(self.engine.ticks()) {
            Ok(engine) => self.engine = engine,
            Err(error) => unreachable!("the simulator's own journal: {error}"),
        }
    }
}

//! Injected faults as the run goes on: which are known, which an event sets off, and what those about the controller do.

use super::Simulator;
use crate::engine::{Event, Input};
use crate::scenario::FaultKind;
use crate::sim::fault::Window;
use crate::sim::observer::Observer;

impl Simulator<'_> {
    pub(super) fn open_window(&mut self, window: Window) {
        let fault = &self.world.faults[window.fault];
        if fault.is_about_instances() {
            return self.windows.push(window);
        }
        self.controller_windows.push(window);
        self.control_due = 0;
        if matches!(fault.kind, FaultKind::ReconcilerPause) {
            return;
        }
        let done = self.boundaries_done;
        let mut add = |at: u64| {
            let place = done + self.boundaries[done..].partition_point(|&b| b <= at);
            self.boundaries.insert(place, at);
        };
        add(window.start);
        if matches!(fault.kind, FaultKind::ReconcilerCrash) && window.end != u64::MAX {
            add(window.end);
        }
    }

    /// Sets off the faults that wait for this event; whether any is about instances.
    pub(super) fn set_off(&mut self, event: &Event) -> bool {
        let mut about_instances = false;
        for fault in 0..self.world.faults.len() {
            if self.triggered[fault] {
                continue;
            }
            if let Some(window) = self.world.faults[fault].window_after(fault, event) {
                self.triggered[fault] = true;
                self.open_window(window);
                about_instances |= self.world.faults[fault].is_about_instances();
            }
        }
        about_instances
    }

    pub(super) fn act_on_boundary<O: Observer>(&mut self, at: u64, observer: &mut O) {
        self.boundaries_done += 1;
        let holding = |kind: fn(&FaultKind) -> bool| {
            let faults = &self.world.faults;
            self.controller_windows.iter().filter(move |w| kind(&faults[w.fault].kind) && w.start <= at)
        };
        let archived = holding(|kind| matches!(kind, FaultKind::ArchivePreviousVersion)).next().is_some();
        let away_until = holding(|kind| matches!(kind, FaultKind::ReconcilerCrash))
            .filter(|window| window.holds(at))
            .map(|window| window.end)
            .max();
        // A crash of no length is a restart.
        let restarted =
            holding(|kind| matches!(kind, FaultKind::ReconcilerCrash)).any(|w| w.start == at && w.end == at);
        let was_away = std::mem::replace(&mut self.away_until, away_until).is_some();
        if away_until.is_none() && (was_away || restarted) {
            self.rebuild();
        }
        if archived && !self.previous_gone && self.away_until.is_none() {
            self.previous_gone = true;
            self.feed(at, Input::PreviousGone, observer);
        }
        if self.away_until.is_none() && self.engine.is_new() && at > 0 {
            self.feed(at, Input::Request, observer);
        }
    }

    /// The controller is back: its engine is gone, and made anew from the journal.
    pub(super) fn rebuild(&mut self) {
        let Some(journal) = &self.journal else { return };
        match journal.rebuild() {
            Ok(engine) => self.engine = engine,
            Err(error) => unreachable!("the simulator's own journal: {error}"),
        }
    }
}

//! What each fault of the scenario did.

use super::Simulator;
use crate::scenario::FaultKind;
use crate::sim::fault::Window;
use crate::sim::heartbeats;
use crate::sim::life::{Doing, Life};

/// What a fault did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultEffect {
    /// What it does.
    pub kind: &'static str,
    /// When it held, up to the end of the run; `None` where it never began.
    pub window: Option<Window>,
    /// How many planned instances it made a difference to.
    pub touched_instances: u32,
    /// Whether it made any difference, to instances or to the controller.
    pub touched: bool,
}

impl Simulator<'_> {
    /// What each fault of the scenario did in a run that is over.
    pub fn fault_effects(&mut self) -> Vec<FaultEffect> {
        let end = self.clock.saturating_add(self.world.observe_after);
        let known: Vec<Window> = self.windows.iter().chain(&self.controller_windows).copied().collect();
        (0..self.world.faults.len())
            .map(|fault| {
                let window = known.iter().find(|window| window.fault == fault && window.start <= end).copied();
                let touched_instances = window.map_or(0, |window| self.touched(window, end));
                let controller = !self.world.faults[fault].is_about_instances();
                FaultEffect {
                    kind: self.world.faults[fault].kind.name(),
                    window: window.map(|w| Window { end: w.end.min(end), ..w }),
                    touched_instances,
                    touched: touched_instances > 0
                        || (controller && window.is_some_and(|w| self.touches_controller(w))),
                }
            })
            .collect()
    }

    fn touches_controller(&self, window: Window) -> bool {
        match self.world.faults[window.fault].kind {
            FaultKind::ReconcilerPause => window
                .start
                .checked_next_multiple_of(self.world.tick_interval)
                .is_some_and(|tick| tick < window.end && tick <= self.clock),
            FaultKind::ArchivePreviousVersion => self.world.settings.previous.is_some(),
            _ => true,
        }
    }

    /// How many planned instances a fault made a difference to.
    fn touched(&mut self, window: Window, end: u64) -> u32 {
        let fault = &self.world.faults[window.fault];
        if !fault.is_about_instances() {
            return 0;
        }
        let until = window.end.min(end.saturating_add(1));
        let mut touched = 0;
        for position in 0..self.world.total() {
            let (member, orders) = self.commands_of(position);
            if !fault.hits(&member) || window.start >= until {
                continue;
            }
            let scene = self.scene();
            let hit = match fault.kind {
                FaultKind::Kill => true,
                FaultKind::Slow { .. } | FaultKind::RegistryOutage => {
                    let starts = matches!(fault.kind, FaultKind::Slow { .. });
                    Life::new(scene, member, orders, until).any(|segment| {
                        segment.doing == Doing::Upgrading
                            && segment.to > window.start
                            && (!starts || segment.from >= window.start)
                    })
                }
                _ => {
                    heartbeats::any_sent(&scene, &member, window.start, until)
                        || (matches!(fault.kind, FaultKind::Partition)
                            && orders.iter().flatten().any(|order| window.holds(order.at)))
                }
            };
            touched += u32::from(hit);
        }
        touched
    }
}

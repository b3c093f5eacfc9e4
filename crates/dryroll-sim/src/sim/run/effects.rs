//! What each fault of the scenario did.

use super::Simulator;
use crate::scenario::FaultKind;
use crate::sim::fault::Window;
use crate::sim::heartbeats;
use crate::sim::instance_history::{Doing, InstanceHistory, Segment};
use dryroll_engine::fleet::{At, Span};

/// A stretch of a run in which a fault held, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its first millisecond.
    pub start: At,
    /// The first one after it, or the end of the run.
    pub end: At,
}

/// What a fault did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultEffect {
    /// What it does.
    pub kind: &'static str,
    /// When it held, up to the end of the run; `None` where it never began.
    pub window: Option<Held>,
    /// How many planned instances it made a difference to.
    pub touched_instances: u32,
    /// Whether it made any difference, to instances or to the controller.
    pub touched: bool,
}

impl Simulator<'_> {
    /// What each fault of the scenario did in a run that is over.
    pub fn fault_effects(&mut self) -> Vec<FaultEffect> {
        let compiled = self.compiled;
        let end = self.clock + compiled.observe_after;
        let begun: Vec<Option<Window>> = (0..compiled.faults.len())
            .map(|fault| self.known.window(fault).filter(|window| window.start <= end))
            .collect();
        let touched = self.touched(&begun, end);
        let effects = begun.into_iter().zip(touched).zip(&compiled.faults);
        effects
            .map(|((window, touched_instances), fault)| {
                let controller = !fault.is_about_instances();
                FaultEffect {
                    kind: fault.kind.name(),
                    window: window.map(|w| Held { start: w.start, end: w.end.or_by(end) }),
                    touched_instances,
                    touched: touched_instances > 0
                        || (controller && window.is_some_and(|w| self.touches_controller(w))),
                }
            })
            .collect()
    }

    fn touches_controller(&self, window: Window) -> bool {
        match self.compiled.faults[window.fault].kind {
            FaultKind::ReconcilerPause => window
                .start
                .0
                .checked_next_multiple_of(self.compiled.tick_interval.0)
                .is_some_and(|tick| window.end > At(tick) && At(tick) <= self.clock),
            FaultKind::ArchivePreviousVersion => self.compiled.settings.previous.is_some(),
            _ => true,
        }
    }

    /// By fault, how many planned instances it made a difference to.
    fn touched(&mut self, begun: &[Option<Window>], end: At) -> Vec<u32> {
        let faults = &self.compiled.faults;
        let is_about = |window: &&Window| faults[window.fault].is_about_instances();
        let about: Vec<&Window> = begun.iter().flatten().filter(is_about).collect();
        let mut touched = vec![0; faults.len()];
        if about.is_empty() {
            return touched;
        }
        let holds_up = |kind: &FaultKind| matches!(kind, FaultKind::Slow { .. } | FaultKind::RegistryOutage);
        let any_holds_up = about.iter().any(|window| holds_up(&faults[window.fault].kind));
        for position in 0..self.compiled.total() {
            let member = self.commands_of(position);
            self.approach(&member);
            let (environment, orders) = (self.environment(), &self.orders);
            let upgrades: Vec<Segment> = if any_holds_up {
                let history = InstanceHistory::new(environment, member, orders, end + Span(1));
                history.filter(|segment| segment.doing == Doing::Upgrading).collect()
            } else {
                Vec::new()
            };
            let own = self.compiled.faults_at(&member).filter_map(|fault| begun[fault].as_ref()).filter(is_about);
            for window in own {
                let fault = &faults[window.fault];
                let until = window.end.or_by(end + Span(1));
                if window.start >= until || !fault.hits(&member) {
                    continue;
                }
                let hit = match fault.kind {
                    FaultKind::Kill => true,
                    FaultKind::Slow { .. } => {
                        upgrades.iter().any(|segment| (window.start..until).contains(&segment.from))
                    }
                    FaultKind::RegistryOutage => {
                        upgrades.iter().any(|segment| segment.to > window.start && segment.from < until)
                    }
                    _ => {
                        heartbeats::any_sent(&environment, &member, window.start, until)
                            || (matches!(fault.kind, FaultKind::Partition)
                                && orders.iter().any(|order| window.holds(order.at)))
                    }
                };
                touched[window.fault] += u32::from(hit);
            }
        }
        touched
    }
}

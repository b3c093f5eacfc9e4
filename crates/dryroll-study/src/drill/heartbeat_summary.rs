//! Heartbeats as they arrive at the controller, by zone. They decide verdicts only while an instance is in flight; an
//! operator sees the others too, and they often explain a trip. The summary never shows the ground truth: an
//! unreachable host and a dead one look the same.

use super::Cell;
use dryroll_engine::fleet::At;
use dryroll_sim::sim::{Release, Simulator};

/// The number of missed heartbeats after which an instance counts as silent.
const MISSED: u64 = 3;

/// The last heartbeats of a zone's planned instances: numbers of instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Healthy on the old version, and on the new one.
    pub well: [u32; 2],
    /// Not healthy on the old version (also during an upgrade), and on the new one.
    pub unwell: [u32; 2],
    /// No heartbeat arrived within the window.
    pub silent: u32,
    /// No heartbeat arrived, and the run is shorter than the window.
    pub not_yet: u32,
}

/// The heartbeats of the planned instances at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatSummary {
    /// The moment.
    pub at: At,
    /// The age up to which a heartbeat counts, milliseconds.
    pub window: u64,
    /// By zone.
    pub zones: Vec<Zone>,
    /// Silent instances by their state in the rollout, in the order of [`Cell::ALL`].
    pub silent: [u32; Cell::ALL.len()],
}

impl HeartbeatSummary {
    /// The summary of a simulated run at a moment not before its last step.
    pub(super) fn of(simulator: &mut Simulator<'_>, at: At) -> Self {
        let compiled = simulator.compiled();
        let window = compiled.interval.0.saturating_mul(MISSED);
        let from = At((at.0 + 1).saturating_sub(window));
        let mut zones = vec![Zone::default(); compiled.zones as usize];
        let mut silent = [0; Cell::ALL.len()];
        for position in 0..compiled.total() {
            let number = simulator.engine().instance(position).0;
            let zone = &mut zones[compiled.zone(number) as usize];
            match simulator.last_heard(position, from, at) {
                Some(heard) => {
                    let of = if heard.healthy { &mut zone.well } else { &mut zone.unwell };
                    of[usize::from(heard.runs == compiled.digest(Release::Target))] += 1;
                }
                None if at.0 < window => zone.not_yet += 1,
                None => {
                    zone.silent += 1;
                    silent[Cell::of(simulator.engine(), position) as usize] += 1;
                }
            }
        }
        Self { at, window, zones, silent }
    }

    /// The number of silent instances.
    #[must_use]
    pub fn all_silent(&self) -> u32 {
        self.silent.iter().sum()
    }
}

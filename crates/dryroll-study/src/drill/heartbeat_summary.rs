//! Who is heard of: the heartbeats as they come in at the controller, by zone. They decide verdicts only while an
//! instance is in flight; an operator sees the others too, and what they tell is often the answer. Never the truth: a
//! host that cannot be heard and one that is dead look the same.

use super::Cell;
use dryroll_engine::fleet::At;
use dryroll_sim::sim::{Release, Simulator};

/// Heartbeats that an instance has missed when it counts as silent.
const MISSED: u64 = 3;

/// What the last heartbeats of a zone's planned instances said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Well on the old version, and on the new one.
    pub well: [u32; 2],
    /// Not well on the old version (also while it is being upgraded), and on the new one.
    pub unwell: [u32; 2],
    /// No heartbeat arrived of late.
    pub silent: u32,
    /// None arrived yet, and fewer than that were due.
    pub not_yet: u32,
}

/// What is heard of the planned instances at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatSummary {
    /// The moment.
    pub at: At,
    /// Of how long ago a heartbeat still counts, milliseconds.
    pub window: u64,
    /// By zone.
    pub zones: Vec<Zone>,
    /// The silent ones by how they stand in the rollout, in the order of [`Cell::ALL`].
    pub silent: [u32; Cell::ALL.len()],
}

impl HeartbeatSummary {
    /// Of a simulated run at a moment, not before its last step.
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
                    of[usize::from(heard.runs == Release::Target)] += 1;
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

    /// How many are silent.
    #[must_use]
    pub fn all_silent(&self) -> u32 {
        self.silent.iter().sum()
    }
}

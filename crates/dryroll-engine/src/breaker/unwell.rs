//! Instances that are unwell, judged on the tick that would begin a batch.

use super::threshold::{Armed, Threshold};
use super::{Finding, Scene};

/// A rule about planned instances that are unwell and not in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Unwell {
    /// The limit.
    pub threshold: Threshold,
    /// When it can hold.
    pub armed: Armed,
}

/// The positions that the rule leaves out, ascending: those that were unwell when a person decided to continue, until a
/// heartbeat calls them well.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    left_out: Vec<u32>,
}

impl State {
    /// Leaves out those that are unwell now.
    pub fn leave_out(&mut self, unwell: impl Iterator<Item = u32>) {
        self.left_out = unwell.collect();
    }

    /// A heartbeat calls an instance well.
    pub fn is_well(&mut self, position: u32) {
        if let Ok(place) = self.left_out.binary_search(&position) {
            self.left_out.remove(place);
        }
    }

    /// Forgets everything.
    pub fn restart(&mut self) {
        self.left_out.clear();
    }

    pub(crate) fn counts(&self, position: u32) -> bool {
        self.left_out.binary_search(&position).is_err()
    }
}

impl Unwell {
    /// What it finds if it holds, of this many that it counts.
    pub(crate) fn judge(&self, count: u32, scene: &Scene) -> Option<Finding> {
        (self.armed.is_armed(scene) && self.threshold.holds(count, scene)).then(|| Finding::Unwell {
            count,
            whole: self.threshold.whole(scene),
            of: self.threshold.of,
        })
    }
}

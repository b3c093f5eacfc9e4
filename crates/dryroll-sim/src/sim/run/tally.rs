//! The counts of a run in progress.

use dryroll_engine::OperatorDecision;
use dryroll_engine::fleet::{At, Span};

/// Counts and moments of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub first_dispatch: Option<At>,
    pub first_trip: Option<At>,
    /// When the rollback was decided.
    pub turned_back: Option<At>,
    pub trips: u32,
    /// Trips that asked nobody.
    pub unasked_trips: u32,
    pub decisions: Vec<OperatorDecision>,
    pub false_failures: u32,
    asked_at: Option<At>,
    pub approval_wait: Span,
    /// Exposed at the moment, and the most so far.
    exposed: u32,
    pub most_exposed: u32,
    /// Sum of the moments at which exposure ended, less those at which it began.
    exposure: i128,
}

impl Tally {
    /// Empties it; keeps its buffer.
    pub fn clear(&mut self) {
        self.decisions.clear();
        *self = Self { decisions: std::mem::take(&mut self.decisions), ..Self::default() };
    }

    /// `instances` instances are commanded to the target.
    pub fn begin_exposure(&mut self, now: At, instances: u32) {
        self.first_dispatch.get_or_insert(now);
        self.exposed += instances;
        self.most_exposed = self.most_exposed.max(self.exposed);
        self.exposure -= i128::from(now.0) * i128::from(instances);
    }

    /// An instance is back on the previous version.
    pub fn end_exposure(&mut self, now: At) {
        debug_assert!(self.exposed > 0, "nothing is exposed that could end");
        self.exposed -= 1;
        self.exposure += i128::from(now.0);
    }

    /// The integral of exposed instances up to `end`, in instance-milliseconds.
    pub fn exposure_until(&self, end: At) -> u128 {
        let exposure = self.exposure + i128::from(self.exposed) * i128::from(end.0);
        debug_assert!(exposure >= 0, "exposure is never negative");
        exposure.max(0) as u128
    }

    /// A breaker trips.
    pub fn note_trip(&mut self, now: At) {
        self.trips += 1;
        self.first_trip.get_or_insert(now);
    }

    /// A request is put before the operator; one that waits is void.
    pub fn begin_wait(&mut self, now: At) {
        self.end_wait(now);
        self.asked_at = Some(now);
    }

    /// The request is settled, or the run over.
    pub fn end_wait(&mut self, now: At) {
        if let Some(asked_at) = self.asked_at.take() {
            self.approval_wait = self.approval_wait + (now - asked_at);
        }
    }
}

//! The end of a run: ground truth is booked, and the metrics are made.

use super::Simulator;
use crate::sim::metrics::Metrics;
use dryroll_engine::fleet::At;
use dryroll_engine::{Direction, Outcome, Phase, Verdict};

impl Simulator<'_> {
    /// The metrics of a run that is over.
    pub fn settle(&mut self) -> Metrics {
        self.settle_at(At(self.clock.saturating_add(self.compiled.observe_after)))
    }

    /// The same, with ground truth counted up to a moment, or to the end of the run if that is later.
    pub fn settle_at(&mut self, end: At) -> Metrics {
        let compiled = self.compiled;
        let outcome = self.engine.outcome().unwrap_or(Outcome::Stalled);
        let finished = self.clock;
        let end = end.0.max(finished);
        self.book(end);
        if let Some(asked_at) = self.tally.asked_at.take() {
            self.tally.approval_wait += finished - asked_at;
        }
        let tally = &self.tally;
        let exposure = tally.exposure + i128::from(tally.exposed) * i128::from(end);
        // An abort and a rollout that goes on put nothing right.
        let mitigated = outcome == Outcome::RolledBack;
        let stopped = tally.turned_back.unwrap_or(finished);
        Metrics {
            outcome,
            trips: tally.trips,
            decisions: tally.decisions.clone(),
            planned: compiled.total(),
            defective: compiled.defective,
            duration: finished,
            approval_wait: tally.approval_wait,
            exposed: tally.most_exposed,
            harmed: self.ledger.harmed,
            exposure: exposure.max(0) as u128,
            unhealthy: self.ledger.unhealthy,
            capacity_loss: self.ledger.capacity_loss,
            min_serving: compiled.total() - self.ledger.most_not_serving(),
            time_to_detect: tally.first_trip.zip(tally.first_dispatch).map(|(trip, first)| trip - first),
            time_to_mitigate: tally.first_trip.filter(|_| mitigated).map(|trip| finished - trip),
            time_to_stop: tally.first_trip.map(|trip| stopped.saturating_sub(trip)),
            false_failures: tally.false_failures,
            escaped: self.ledger.escaped,
            still_down: self.ledger.still_down,
            drift: self.ledger.drifted > 0,
        }
    }

    /// Planned instances that do not run the target at the end, as the metrics last settled count it.
    #[must_use]
    pub fn drifted(&self) -> u32 {
        self.ledger.drifted
    }

    /// Books every planned instance in the ledger of ground truth.
    pub(super) fn book(&mut self, end: u64) {
        let mut ledger = std::mem::take(&mut self.ledger);
        ledger.clear(end);
        let dispatched = self.engine.dispatched();
        let deaths = self.compiled.death_law.is_some();
        for position in 0..self.compiled.total() {
            let passed = self.engine.phase(position, Direction::Forward) == Phase::Judged(Verdict::Healthy);
            let first_death = match self.first_deaths.get(position as usize) {
                Some(&first_death) => first_death,
                // Not dispatched: look.
                None if deaths => 0,
                None => u64::MAX,
            };
            let interfered = !self.known.is_empty() || first_death <= end;
            if interfered {
                ledger.lived(self.history(position, end + 1), passed);
            } else if position >= dispatched {
                ledger.untouched();
            } else {
                let back = self.commands[1].get(position as usize);
                let back = back.map(|command| (command.dispatched, command.trajectory()));
                ledger.undisturbed(&self.commands[0][position as usize].trajectory(), back, passed);
            }
        }
        self.ledger = ledger;
    }
}

//! The end of a run: ground truth is recorded, and the metrics are computed.

use super::Simulator;
use crate::sim::compiled::Release;
use crate::sim::metrics::Metrics;
use crate::sim::next_at::NextAt;
use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Direction, Outcome, Phase, Verdict};

impl Simulator<'_> {
    /// The metrics of a run that is over.
    pub fn settle(&mut self) -> Metrics {
        self.settle_at(self.clock + self.compiled.observe_after)
    }

    /// The same, with ground truth counted up to a moment, or to the end of the run if that is later.
    pub fn settle_at(&mut self, end: At) -> Metrics {
        let compiled = self.compiled;
        let outcome = self.engine.outcome().unwrap_or(Outcome::Stalled);
        let finished = self.clock;
        let end = end.max(finished);
        self.check_counts();
        self.book(end);
        self.tally.end_wait(finished);
        let tally = &self.tally;
        // An abort, or a rollout that goes on, mitigates nothing.
        let mitigated = outcome == Outcome::RolledBack;
        let stopped = tally.turned_back.unwrap_or(finished);
        Metrics {
            outcome,
            trips: tally.trips,
            decisions: tally.decisions.clone(),
            planned: compiled.total(),
            defective: compiled.defective,
            duration: finished - At::ZERO,
            approval_wait: tally.approval_wait,
            exposed: tally.most_exposed,
            harmed: self.ledger.harmed,
            exposure: tally.exposure_until(end),
            unhealthy: self.ledger.unhealthy,
            capacity_loss: self.ledger.capacity_loss,
            min_serving: compiled.total() - self.ledger.most_not_serving(),
            time_to_detect: tally.first_trip.zip(tally.first_dispatch).map(|(trip, first)| trip - first),
            time_to_mitigate: tally.first_trip.filter(|_| mitigated).map(|trip| finished - trip),
            time_to_stop: tally.first_trip.map(|trip| stopped - trip),
            false_failures: tally.false_failures,
            escaped: self.ledger.escaped,
            still_down: self.ledger.still_down,
            drift: self.ledger.drifted > 0,
            bricked: self.compiled.bricks.then_some(self.ledger.bricked),
        }
    }

    /// Every command has a verdict or is in flight, and nothing else has or is. In debug builds only.
    fn check_counts(&self) {
        if cfg!(debug_assertions) {
            for direction in [Direction::Forward, Direction::Back] {
                let begun = |&position: &u32| self.engine.phase(position, direction) != Phase::Waiting;
                let begun = (0..self.compiled.total()).filter(begun).count();
                debug_assert_eq!(begun, self.commands[direction].len(), "commands and verdicts add up");
            }
        }
    }

    /// Planned instances that do not run the target at the end, as the metrics last settled count it.
    #[must_use]
    pub fn drifted(&self) -> u32 {
        self.ledger.drifted
    }

    /// Planned instances that the target version takes down after the moment up to which the metrics last settled
    /// count: at least these, since those that a fault touches are not followed further.
    #[must_use]
    pub fn pending(&self) -> u32 {
        self.ledger.pending
    }

    /// Adds every planned instance to the ledger of ground truth.
    pub(super) fn book(&mut self, end: At) {
        let mut ledger = std::mem::take(&mut self.ledger);
        ledger.clear(end);
        let dispatched = self.engine.dispatched();
        for position in 0..self.compiled.total() {
            let passed = self.engine.phase(position, Direction::Forward) == Phase::Judged(Verdict::Healthy);
            let first_death = match (&self.compiled.death_law, self.first_deaths.get(position as usize)) {
                (None, _) => NextAt::NEVER,
                (Some(_), Some(&first_death)) => first_death,
                // Not dispatched, so not drawn: it may die at any moment.
                (Some(_), None) => At::ZERO.into(),
            };
            let interfered = !self.known.is_empty() || first_death <= end || self.compiled.by_history;
            if interfered {
                let target = self.compiled.digest(Release::Target);
                ledger.by_history(self.history(position, end + Span(1)), target, passed);
            } else if position >= dispatched {
                ledger.untouched();
            } else {
                let back = self.commands.rollback.get(position as usize);
                let back = back.map(|command| (command.dispatched, command.trajectory()));
                ledger.undisturbed(&self.commands.forward[position as usize].trajectory(), back, passed);
            }
        }
        self.ledger = ledger;
    }
}

//! The simulator's side of an instance with which something interferes: its commands, its predicted verdict, and its
//! history.

use std::ops::Range;

use super::hot_path::steered;
use super::{Simulator, release};
use crate::sim::compiled::{Member, Release};
use crate::sim::environment::Environment;
use crate::sim::heartbeats::{self, Awaited};
use crate::sim::importance_sampler::Predicted;
use crate::sim::instance_history::{InstanceHistory, Order, Segment};
use crate::sim::queue::Entry as Queued;
use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Direction, Phase};

impl<'w> Simulator<'w> {
    pub(super) fn environment(&self) -> Environment<'_> {
        Environment { compiled: self.compiled, near: &self.near, zones: self.zones }
    }

    /// Sets the environment to that of this member.
    #[inline]
    pub(super) fn approach(&mut self, member: &Member<'_>) {
        if !self.known.is_empty() {
            self.near.fill(self.compiled, &self.known, member);
        }
    }

    /// Asks the importance sampler for the outcomes of what is to be dispatched now.
    #[cold]
    pub(super) fn steer(&mut self, now: At, positions: Range<u32>) {
        let compiled = self.compiled;
        let mut burst = Vec::with_capacity(positions.len());
        for position in positions {
            let n = self.engine.instance(position).0;
            let block = self.draws.instance(n);
            let member = compiled.member(n, block);
            let ends = now + compiled.sampled(&member, &block, Release::Target, &self.shared).upgrade.max(Span(1));
            let arrives = heartbeats::first_sent(&self.environment(), &member, ends);
            burst.push(Predicted {
                arrives: Some(arrives).filter(|&arrives| arrives <= now + compiled.settings.health_timeout),
                position,
                failing: compiled
                    .outcome_distribution_of_member(&member, Release::Target, &self.shared)
                    .chances()
                    .failing(),
                word: block.outcome,
            });
        }
        if let Some(sampler) = &mut self.sampler {
            sampler.steer(&mut burst);
        }
    }

    /// Computes the decisive heartbeat of a position in flight from its whole history, and queues it.
    pub(super) fn predict(&mut self, position: u32, to: Direction) {
        let member = self.commands_of(position);
        let command = self.commands[to][position as usize];
        let awaited = Awaited {
            dispatched: command.dispatched,
            to: release(to),
            before_heartbeats: command.before_heartbeats,
            deadline: self.deadline_of(command.dispatched, to),
        };
        self.approach(&member);
        let decisive = heartbeats::of_history(&self.environment(), &member, &self.orders, &awaited);
        self.keep_expected();
        if let Some(decisive) = decisive {
            self.expected.set(position, decisive);
            self.queue.push(Queued { arrives: decisive.arrives, position });
        }
    }

    /// The last command to a position in this direction: when it was dispatched, whether the heartbeats of that
    /// millisecond came after it, and whether it is a retry.
    pub(super) fn last_attempt(&self, position: u32, to: Direction) -> Option<(At, bool, bool)> {
        let retry = self.retries.get(position as usize).and_then(|retries| retries.last());
        if let Some(retry) = retry.filter(|retry| retry.to == to) {
            return Some((retry.dispatched, retry.before_heartbeats, true));
        }
        let command = self.commands[to].get(position as usize)?;
        Some((command.dispatched, command.before_heartbeats, false))
    }

    /// From now on the expected heartbeats are kept, not derived from the commands.
    fn keep_expected(&mut self) {
        let commands = &self.commands[self.engine.direction()];
        let in_flight = self
            .queue
            .entries()
            .map(|queued| (queued.position, commands[queued.position as usize].undisturbed_heartbeat(queued.arrives)));
        self.expected.keep(self.compiled.total(), in_flight);
    }

    /// A fault has become known: what was predicted of the instances in flight no longer holds.
    pub(super) fn predict_again(&mut self) {
        if self.compiled.listens {
            return self.listen_again();
        }
        self.queue.clear();
        let direction = self.engine.direction();
        for position in 0..self.commands[direction].len() as u32 {
            if self.engine.phase(position, direction) == Phase::InFlight {
                self.predict(position, direction);
            }
        }
    }

    /// A member, by random access; the commands that it was given are in `orders` then.
    pub(super) fn commands_of(&mut self, position: u32) -> Member<'w> {
        let compiled = self.compiled;
        let n = self.engine.instance(position).0;
        let block = self.draws.instance(n);
        let member = compiled.member(n, block);
        self.orders.clear();
        for to in [Direction::Forward, Direction::Back] {
            let Some(&first) = self.commands[to].get(position as usize) else { continue };
            let attempt = match to {
                Direction::Forward => steered(self.sampler.as_ref(), position, block),
                Direction::Back => self.draws.rollback(n),
            };
            let (shared, release) = (&self.shared, release(to));
            self.orders.push(Order {
                at: first.dispatched,
                to: release,
                sampled: compiled.sampled(&member, &attempt, release, shared),
                before_heartbeats: first.before_heartbeats,
            });
            let retries = self.retries.get(position as usize).map_or(&[][..], Vec::as_slice);
            for retry in retries.iter().filter(|retry| retry.to == to) {
                self.orders.push(Order {
                    at: retry.dispatched,
                    to: release,
                    sampled: retry.sampled,
                    before_heartbeats: retry.before_heartbeats,
                });
            }
        }
        member
    }

    /// The history of a planned instance up to `until`, with what is known of the run so far.
    pub fn history(&mut self, position: u32, until: At) -> impl Iterator<Item = Segment> + use<'_, 'w> {
        let member = self.commands_of(position);
        self.approach(&member);
        InstanceHistory::new(self.environment(), member, &self.orders, until)
    }
}

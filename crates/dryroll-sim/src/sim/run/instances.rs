//! The simulator's side of an instance with which something interferes: its commands, its predicted verdict, and its
//! history.

use std::ops::Range;

use super::hot_path::steered;
use super::{CommandRecord, Simulator, release};
use crate::sim::compiled::{Member, Release};
use crate::sim::environment::Environment;
use crate::sim::heartbeats::{self, Awaited};
use crate::sim::importance_sampler::Predicted;
use crate::sim::instance_history::{InstanceHistory, Order, Segment};
use crate::sim::pairs::PerDirection;
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
        let (member, orders) = self.commands_of(position);
        let command = self.commands[to][position as usize];
        let early = self.early(position);
        let awaited = Awaited {
            dispatched: command.dispatched,
            to: release(to),
            before_heartbeats: command.before_heartbeats,
            deadline: self.deadline_of(command.dispatched),
        };
        self.approach(&member);
        let decisive = heartbeats::of_history(&self.environment(), &member, orders, early, &awaited);
        self.keep_expected();
        if let Some(decisive) = decisive {
            self.expected.set(position, decisive);
            self.queue.push(Queued { arrives: decisive.arrives, position });
        }
    }

    /// Of the commands to the target and back: whether the heartbeats of the millisecond of dispatch came after it.
    pub(super) fn early(&self, position: u32) -> PerDirection<bool> {
        self.commands
            .as_ref()
            .map(|commands| commands.get(position as usize).is_some_and(|command| command.before_heartbeats))
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
        self.queue.clear();
        let direction = self.engine.direction();
        for position in 0..self.commands[direction].len() as u32 {
            if self.engine.phase(position, direction) == Phase::InFlight {
                self.predict(position, direction);
            }
        }
    }

    /// A member and the commands that it was given, by random access.
    pub(super) fn commands_of(&mut self, position: u32) -> (Member<'w>, PerDirection<Option<Order>>) {
        let compiled = self.compiled;
        let n = self.engine.instance(position).0;
        let block = self.draws.instance(n);
        let member = compiled.member(n, block);
        let shared = &self.shared;
        let order = |command: Option<&CommandRecord>, to: Release, block| {
            let sampled = |block| compiled.sampled(&member, block, to, shared);
            command.map(|command| Order { at: command.dispatched, to, sampled: sampled(&block) })
        };
        let forward = order(
            self.commands.forward.get(position as usize),
            Release::Target,
            steered(self.sampler.as_ref(), position, block),
        );
        let rollback = match self.commands.rollback.get(position as usize) {
            None => None,
            some => order(some, Release::Previous, self.draws.rollback(n)),
        };
        (member, PerDirection { forward, rollback })
    }

    /// The history of a planned instance up to `until`, with what is known of the run so far.
    pub fn history(&mut self, position: u32, until: At) -> impl Iterator<Item = Segment> + use<'_, 'w> {
        let (member, orders) = self.commands_of(position);
        self.approach(&member);
        InstanceHistory::new(self.environment(), member, orders, until)
    }
}

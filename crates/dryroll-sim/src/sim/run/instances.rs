//! The simulator's side of an instance: commanding it, foreseeing its verdict, and telling its life.

use std::ops::Range;

use super::{CommandRecord, Simulator, Turn, release};
use crate::scenario::UpgradeOutcome;
use crate::sim::compiled::{Member, Release};
use crate::sim::draws::InstanceBlock;
use crate::sim::environment::Environment;
use crate::sim::heartbeats::{self, Awaited, Decisive};
use crate::sim::importance_sampler::{ImportanceSampler, Predicted};
use crate::sim::instance_history::{Doing, InstanceHistory, Order, Segment, Trajectory};
use crate::sim::queue::Entry as Queued;
use dryroll_engine::{Direction, Judged, Phase, Reason, Verdict};

impl<'w> Simulator<'w> {
    pub(super) fn environment(&self) -> Environment<'_> {
        Environment { compiled: self.compiled, near: &self.near, zones: self.zones }
    }

    /// From now on the scene is that of this member.
    #[inline]
    pub(super) fn approach(&mut self, member: &Member<'_>) {
        if !self.known.is_empty() {
            self.near.fill(&self.compiled.faults, &self.known, member);
        }
    }

    /// A heartbeat that arrives later comes too late for a command of this moment, or is never seen.
    pub(super) fn deadline_of(&self, dispatched: u64) -> u64 {
        (dispatched + self.compiled.settings.health_timeout.0).min(self.compiled.horizon)
    }

    /// Whether nothing can interfere with a member up to `until`, so that courses tell all.
    pub(super) fn is_calm(&self, first_death: u64, until: u64) -> bool {
        self.known.is_empty() && !self.compiled.delays && first_death > until
    }

    /// Draws who is at these positions and what the command comes to.
    #[inline]
    pub(super) fn sample_upgrades(&mut self, positions: Range<u32>, to: Direction) {
        let compiled = self.compiled;
        self.drawn.clear();
        for position in positions {
            let n = self.engine.instance(position).0;
            let block = self.draws.instance(n);
            let member = compiled.member(n, block);
            let attempt = match to {
                Direction::Forward => steered(self.sampler.as_ref(), position, block),
                Direction::Back => self.draws.rollback(n),
            };
            let to = release(to);
            self.drawn.push((member, compiled.sampled(&member, &attempt, to, &self.shared)));
        }
    }

    /// Asks the guide for the outcomes of what is to be dispatched now.
    #[cold]
    pub(super) fn steer(&mut self, now: u64, positions: Range<u32>) {
        let compiled = self.compiled;
        let mut burst = Vec::with_capacity(positions.len());
        for position in positions {
            let n = self.engine.instance(position).0;
            let block = self.draws.instance(n);
            let member = compiled.member(n, block);
            let ends = now + compiled.sampled(&member, &block, Release::Target, &self.shared).upgrade.max(1);
            let arrives = heartbeats::first_sent(&self.environment(), &member, ends);
            burst.push(Predicted {
                arrives,
                is_late: arrives > now + compiled.settings.health_timeout.0,
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

    /// Commands the instance at a position, whose fate was drawn.
    #[inline(always)]
    pub(super) fn dispatch(&mut self, now: u64, position: u32, to: Direction, drawn: usize) {
        let compiled = self.compiled;
        let (member, sampled) = &self.drawn[drawn];
        if !self.known.is_empty() {
            self.near.fill(&compiled.faults, &self.known, member);
        }
        let environment = Environment { compiled, near: &self.near, zones: self.zones };
        let first_death = match (&compiled.death_law, to) {
            (None, _) => u64::MAX,
            (Some(_), Direction::Back) => self.first_deaths[position as usize],
            (Some(law), Direction::Forward) => {
                law.next(member.block.deaths, 0, compiled.end).map_or(u64::MAX, |dead| dead.start)
            }
        };
        let (reached, up_until) = environment.network_up_from(member, now);
        let trajectory = Trajectory::new(&environment, reached, sampled);
        let deadline = self.deadline_of(now);
        let calm = self.is_calm(first_death, deadline) && self.awaited.is_empty();
        let decisive =
            if calm { heartbeats::of_course(&environment, member, &trajectory, up_until, deadline) } else { None };
        if to == Direction::Forward && compiled.death_law.is_some() {
            self.first_deaths.push(first_death);
        }
        self.commands[to as usize].push(CommandRecord {
            dispatched: now,
            reached: trajectory.reached,
            ends: trajectory.ends,
            dies: trajectory.dies,
            outcome: trajectory.outcome,
            before_heartbeats: self.turn <= Turn::Heartbeat,
        });
        if calm {
            if let Some(decisive) = decisive {
                self.queue.push(Queued { arrives: decisive.arrives, position });
            }
        } else {
            self.predict(position, to);
        }
    }

    /// Computes the decisive heartbeat of a position in flight from its whole life, and queues it.
    pub(super) fn predict(&mut self, position: u32, to: Direction) {
        let (member, orders) = self.commands_of(position);
        let command = self.commands[to as usize][position as usize];
        let early = self.early(position);
        let awaited = Awaited {
            dispatched: command.dispatched,
            to: release(to),
            before_heartbeats: command.before_heartbeats,
            deadline: self.deadline_of(command.dispatched),
        };
        self.approach(&member);
        let decisive = heartbeats::of_life(&self.environment(), &member, orders, early, &awaited);
        if self.awaited.is_empty() {
            self.switch_to_awaited();
        }
        if let Some(decisive) = decisive {
            self.awaited[position as usize] = decisive;
            self.queue.push(Queued { arrives: decisive.arrives, position });
        }
    }

    /// Of the commands to the target and back: whether the heartbeats of the millisecond of dispatch came after it.
    pub(super) fn early(&self, position: u32) -> [bool; 2] {
        [0, 1].map(|i| self.commands[i].get(position as usize).is_some_and(|b| b.before_heartbeats))
    }

    /// From now on what is awaited is looked up, not derived from courses.
    pub(super) fn switch_to_awaited(&mut self) {
        let nothing = Decisive { arrives: u64::MAX, sent: u64::MAX, report: false };
        self.awaited.resize(self.compiled.total() as usize, nothing);
        let direction = self.engine.direction() as usize;
        for queued in self.queue.entries() {
            let command = &self.commands[direction][queued.position as usize];
            self.awaited[queued.position as usize] = Decisive {
                arrives: queued.arrives,
                sent: queued.arrives,
                report: command.outcome == UpgradeOutcome::Fail,
            };
        }
    }

    /// A fault has become known: what was foreseen of the instances in flight no longer holds.
    pub(super) fn predict_again(&mut self) {
        self.queue.clear();
        let direction = self.engine.direction();
        for position in 0..self.commands[direction as usize].len() as u32 {
            if self.engine.phase(position, direction) == Phase::InFlight {
                self.predict(position, direction);
            }
        }
    }

    /// A member and the commands that it was given, by random access.
    pub(super) fn commands_of(&mut self, position: u32) -> (Member<'w>, [Option<Order>; 2]) {
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
            self.commands[0].get(position as usize),
            Release::Target,
            steered(self.sampler.as_ref(), position, block),
        );
        let back = match self.commands[1].get(position as usize) {
            None => None,
            some => order(some, Release::Previous, self.draws.rollback(n)),
        };
        (member, [forward, back])
    }

    /// The life of a planned instance up to `until`, with what is known of the run so far.
    pub fn history(&mut self, position: u32, until: u64) -> impl Iterator<Item = Segment> + use<'_, 'w> {
        let (member, orders) = self.commands_of(position);
        self.approach(&member);
        InstanceHistory::new(self.environment(), member, orders, until)
    }

    #[inline]
    pub(super) fn note_verdict(&mut self, now: u64, judged: Judged) {
        let direction = self.engine.direction();
        match judged.verdict {
            Verdict::Healthy => {
                if direction == Direction::Back {
                    self.tally.exposed -= 1;
                    self.tally.exposure += i128::from(now);
                }
            }
            // Whoever reports a failed upgrade to the target does not run it.
            Verdict::Failed(Reason::UpgradeFailed) if direction == Direction::Forward => {}
            Verdict::Failed(_) => {
                if self.runs_and_serves(judged.position, release(direction), now) {
                    self.tally.false_failures += 1;
                }
            }
        }
    }

    pub(super) fn runs_and_serves(&mut self, position: u32, wanted: Release, now: u64) -> bool {
        let last = self.history(position, now + 1).last();
        last.is_some_and(|segment| segment.doing == Doing::Serving && segment.running == wanted)
    }
}

/// The block of a first command, with the guide's say in its outcome.
#[inline(always)]
fn steered(sampler: Option<&ImportanceSampler>, position: u32, mut block: InstanceBlock) -> InstanceBlock {
    if let Some(sampler) = sampler
        && let Some(word) = sampler.word(position)
    {
        block.outcome = word;
    }
    block
}

//! The hot path of a run: what happens for every command and every verdict. Nearly all time of a study is spent here.
//!
//! # What happens
//!
//! - A *batch is commanded* ([`Simulator::carry_out`]): the queue is told that a burst comes; [`DRAWN_TOGETHER`]
//!   instances at a time, [`Simulator::sample_upgrades`] draws who they are and what the command comes to (one ChaCha
//!   block for four instances, a normal quantile for each upgrade time), then [`Simulator::dispatch`] computes each
//!   one's trajectory and its decisive heartbeat and pushes one entry. The burst is sorted once.
//! - A *verdict is due* ([`Simulator::take_verdict`]): the front of the queue and the engine's next deadline are
//!   compared with [`Control::due`](super::control::Control::due), which is kept. One heartbeat is made from the
//!   command's record and given to the engine, whose verdict is counted and whose commands are carried out.
//!
//! # What is never done here
//!
//! - No heartbeat but the decisive one is looked at, and no event is scheduled but that one.
//! - Nothing is allocated (buffers are reused from run to run), formatted or hashed, and no event is made unless an
//!   observer or a fault asks for events.
//! - No history is walked, unless a fault, a delay or a death can interfere with the instance
//!   ([`Simulator::is_calm`]), or an instance that reported no failure is judged failed.
//! - No tick, answer, boundary of a fault or horizon is taken: [`Simulator::step`] does that when one is due.

use std::ops::Range;

use super::{CommandRecord, DRAWN_TOGETHER, Retry, Simulator, Turn, other, release};
use crate::scenario::UpgradeOutcome;
use crate::sim::compiled::Release;
use crate::sim::draws::InstanceBlock;
use crate::sim::environment::Environment;
use crate::sim::heartbeats::{self, Decisive};
use crate::sim::importance_sampler::ImportanceSampler;
use crate::sim::instance_history::{Doing, Trajectory};
use crate::sim::next_at::NextAt;
use crate::sim::observer::Observer;
use crate::sim::queue::Entry as Queued;
use dryroll_engine::fleet::{At, Heartbeat, Span};
use dryroll_engine::{Command, Direction, Judged, Reason, Recording, Timer, Verdict};

impl<'w> Simulator<'w> {
    /// Takes a heartbeat or a deadline that comes before anything else can; false where none does.
    #[inline]
    pub(super) fn take_verdict<O: Observer>(&mut self, observer: &mut O) -> bool {
        let heartbeat = NextAt::from(self.queue.peek().map(|queued| queued.arrives));
        let (timeout, timer) = match self.engine.next_timer() {
            Some((at, timer)) => (NextAt::from(at), timer),
            None => (NextAt::NEVER, Timer::Deadline),
        };
        let due = heartbeat.min(timeout);
        if due >= self.control.due() || due < self.clock {
            return false;
        }
        let now = due.or_by(self.control.due());
        if heartbeat <= timeout {
            self.clock = now;
            self.turn = Turn::Heartbeat;
            self.take_heartbeat(now, observer);
        } else if timer == Timer::Deadline {
            self.clock = now;
            self.turn = Turn::Deadline;
            self.take_timeout(now, now, observer);
        } else {
            return false;
        }
        true
    }

    pub(super) fn take_heartbeat<O: Observer>(&mut self, now: At, observer: &mut O) {
        let Some(Queued { arrives, position }) = self.queue.peek() else { return };
        self.queue.pop();
        let direction = self.engine.direction();
        let awaited = match self.expected.kept(position) {
            Some(awaited) => awaited,
            None => self.commands[direction][position as usize].undisturbed_heartbeat(arrives),
        };
        let wanted = release(direction);
        let digest = self.compiled.digest(if awaited.report { other(wanted) } else { wanted });
        let heartbeat = Heartbeat {
            instance: self.engine.instance(position),
            sent_at: awaited.sent,
            digest,
            healthy: true,
            failed_upgrade: awaited.report.then(|| self.compiled.digest(wanted)),
        };
        self.feed_heartbeat(now, arrives, &heartbeat, observer);
        if !self.known.is_empty() && self.is_duplicated(position, awaited.sent) {
            self.feed_heartbeat(now, arrives, &heartbeat, observer);
        }
    }

    #[inline(always)]
    pub(super) fn feed_heartbeat<O: Observer>(
        &mut self,
        now: At,
        arrived: At,
        heartbeat: &Heartbeat,
        observer: &mut O,
    ) {
        let judged = self.engine.handle_heartbeat(now, arrived, heartbeat);
        self.follow_up(now, judged, observer);
    }

    /// Counts the verdict that an input brought, and carries out the commands.
    #[inline(always)]
    pub(super) fn follow_up<O: Observer>(&mut self, now: At, judged: Option<Judged>, observer: &mut O) {
        if let Some(judged) = judged {
            self.note_verdict(now, judged);
        }
        if self.compiled.follows_more {
            self.note_rule(now);
        }
        while let Some(command) = self.engine.poll_command() {
            self.carry_out(now, command);
        }
        if self.compiled.follows_more {
            self.listen_to_judged(judged);
        }
        if self.engine.recording() != Recording::Nothing {
            self.pass_on_events(observer);
        }
    }

    #[inline]
    fn note_verdict(&mut self, now: At, judged: Judged) {
        // A rule that holds at the verdict may have turned the engine back already.
        let direction = self.direction;
        match judged.verdict {
            Verdict::Healthy => {
                if direction == Direction::Back {
                    self.tally.end_exposure(now);
                }
            }
            // An instance that reports a failed upgrade to the target does not run it, unless an attempt before brought it.
            Verdict::Failed(Reason::UpgradeFailed) if direction == Direction::Forward && self.retries.is_empty() => {}
            Verdict::Failed(_) => {
                if self.runs_and_serves(judged.position, release(direction), now) {
                    self.tally.false_failures += 1;
                }
            }
        }
    }

    fn runs_and_serves(&mut self, position: u32, wanted: Release, now: At) -> bool {
        let wanted = self.compiled.digest(wanted);
        let last = self.history(position, now + Span(1)).last();
        last.is_some_and(|segment| segment.doing == Doing::Serving && segment.running == wanted)
    }

    fn carry_out(&mut self, now: At, command: Command) {
        match command {
            Command::Upgrade { to, positions } => {
                debug_assert_eq!(self.commands[to].len(), positions.start as usize, "commanded in plan order, once");
                debug_assert!(
                    self.engine.in_flight() <= self.compiled.most_in_flight(),
                    "no more in flight than the limit"
                );
                if !self.compiled.listens {
                    self.queue.begin_burst(positions.len(), now, self.compiled.settings.timeout(to));
                }
                if to == Direction::Forward {
                    self.tally.begin_exposure(now, positions.len() as u32);
                    if self.sampler.is_some() {
                        self.steer(now, positions.clone());
                    }
                }
                self.commands[to].reserve(positions.len());
                for first in positions.clone().step_by(DRAWN_TOGETHER) {
                    let last = positions.end.min(first + DRAWN_TOGETHER as u32);
                    self.sample_upgrades(first..last, to);
                    for position in first..last {
                        self.dispatch(now, position, to, (position - first) as usize);
                    }
                }
                self.queue.end_burst();
                if self.compiled.listens {
                    positions.for_each(|position| self.listen_to_attempt(position));
                }
            }
            Command::Retry { to, position, attempt } => self.retry(now, position, to, attempt),
            Command::Ask { request, kind } => {
                self.tally.begin_wait(now);
                if kind.is_of_trip() {
                    self.tally.note_trip(now);
                }
                let (traits, key) = (&self.compiled.operator, self.operator_key);
                self.control.change(|state| state.operator.ask(now, request, kind, traits, key));
            }
        }
    }

    /// Draws who is at these positions and what the command comes to.
    #[inline]
    fn sample_upgrades(&mut self, positions: Range<u32>, to: Direction) {
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

    /// Commands the instance at a position, whose upgrade was drawn.
    #[inline(always)]
    fn dispatch(&mut self, now: At, position: u32, to: Direction, drawn: usize) {
        let compiled = self.compiled;
        let (member, sampled) = &self.drawn[drawn];
        if !self.known.is_empty() {
            self.near.fill(compiled, &self.known, member);
        }
        let environment = Environment { compiled, near: &self.near, zones: self.zones };
        let first_death = match (&compiled.death_law, to) {
            (None, _) => NextAt::NEVER,
            (Some(_), Direction::Back) => self.first_deaths[position as usize],
            (Some(law), Direction::Forward) => {
                law.next(member.block.deaths, At::ZERO, compiled.end).map(|dead| dead.start).into()
            }
        };
        let network = environment.network_up_from(member, now);
        let trajectory = Trajectory::new(&environment, network.from, sampled);
        let deadline = self.deadline_of(now, to);
        // An instance that its upgrade bricked hears no command.
        let may_be_bricked = to == Direction::Back && compiled.bricks;
        let is_calm = !may_be_bricked && self.is_calm(first_death, deadline) && self.expected.is_from_commands();
        let decisive = if is_calm {
            heartbeats::of_trajectory(&environment, member, &trajectory, network.surely_until, deadline)
        } else {
            None
        };
        if to == Direction::Forward && compiled.death_law.is_some() {
            self.first_deaths.push(first_death);
        }
        let before_heartbeats = self.is_before_heartbeats(position);
        self.commands[to].push(CommandRecord {
            dispatched: now,
            reached: trajectory.reached,
            ends: trajectory.ends,
            dies: trajectory.dies,
            outcome: trajectory.outcome,
            before_heartbeats,
        });
        if compiled.listens {
            // The engine's listener is told once all of the batch are commanded.
        } else if !is_calm {
            self.predict(position, to);
        } else if let Some(decisive) = decisive {
            self.queue.push(Queued { arrives: decisive.arrives, position });
        }
    }

    /// Whether the heartbeats of an instance in this millisecond come after what happens now.
    #[inline(always)]
    fn is_before_heartbeats(&self, position: u32) -> bool {
        // Where the engine does not listen, only a later position can follow from a heartbeat.
        self.turn < Turn::Heartbeat
            || (self.turn == Turn::Heartbeat && (position > self.turn_position || !self.compiled.listens))
    }

    /// Commands an instance again.
    #[cold]
    fn retry(&mut self, now: At, position: u32, to: Direction, attempt: u32) {
        if self.retries.is_empty() {
            self.retries.resize_with(self.compiled.total() as usize, Vec::new);
        }
        let before_heartbeats = self.is_before_heartbeats(position);
        let n = self.engine.instance(position).0;
        let member = self.compiled.member(n, self.draws.instance(n));
        let drawn = self.draws.retry(n, to as u32, attempt);
        let sampled = self.compiled.sampled(&member, &drawn, release(to), &self.shared);
        self.retries[position as usize].push(Retry { to, sampled, dispatched: now, before_heartbeats });
        self.listen_to_attempt(position);
    }

    /// What is awaited of an instance changes with its verdict.
    #[cold]
    fn listen_to_judged(&mut self, judged: Option<Judged>) {
        if let Some(Judged { position, .. }) = judged.filter(|_| self.compiled.listens) {
            self.listen(position);
        }
    }

    /// A rule may have stopped the rollout without asking anybody.
    #[cold]
    fn note_rule(&mut self, now: At) {
        while self.tally.unasked_trips < self.engine.unasked_trips() {
            self.tally.unasked_trips += 1;
            self.tally.note_trip(now);
            self.tally.end_wait(now);
        }
        self.note_turn_back(now);
    }

    /// A heartbeat that arrives later comes too late for a command of this moment, or is never seen.
    pub(super) fn deadline_of(&self, dispatched: At, to: Direction) -> At {
        (dispatched + self.compiled.settings.timeout(to)).min(self.compiled.horizon)
    }

    /// Whether nothing can interfere with a member up to `until`, so that its trajectory says all.
    fn is_calm(&self, first_death: NextAt, until: At) -> bool {
        self.known.is_empty() && !self.compiled.delays && first_death > until
    }
}

impl CommandRecord {
    /// The decisive heartbeat that arrives then, where nothing interferes.
    #[inline(always)]
    pub(super) fn undisturbed_heartbeat(&self, arrives: At) -> Decisive {
        Decisive { arrives, sent: arrives, report: self.outcome == UpgradeOutcome::Fail }
    }
}

/// The block of a first command, with the outcome that the importance sampler chose.
#[inline(always)]
pub(super) fn steered(sampler: Option<&ImportanceSampler>, position: u32, mut block: InstanceBlock) -> InstanceBlock {
    if let Some(sampler) = sampler
        && let Some(word) = sampler.word(position)
    {
        block.outcome = word;
    }
    block
}

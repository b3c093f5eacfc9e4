//! One run: the loop that hands the engine its inputs in the order of their times, and carries out what it commands.
//!
//! Who owns what: the [`CompiledScenario`] is the scenario, the same in every replicate. The [`Simulator`] owns the
//! engine and every buffer, and reuses them. Data flows one way: draws → lives and heartbeats → queue → engine →
//! commands → draws.
//!
//! What is due within one millisecond, and in which order (§8), is the engine's to say. The simulator knows the turns
//! that are its own: faults before all, heartbeats before the engine's deadlines, the operator's answers after them.

mod effects;
mod ending;
mod hearing;
mod injected;
mod instances;
mod manual;
mod setup;

pub use effects::FaultEffect;

use super::compiled::{CompiledScenario, Member, Release};
use super::draws::{Draws, Key};
use super::heartbeats::Decisive;
use super::importance_sampler::ImportanceSampler;
use super::instance_history::Trajectory;
use super::known::{Known, Near};
use super::metrics::Metrics;
use super::observer::Observer;
use super::operator::{Operator, Pending};
use super::queue::{Entry as Queued, Queue};
use super::sampled_upgrade::SampledUpgrade;
use super::shared::Shared;
use super::ticks;
use super::truth::Ledger;
use crate::scenario::UpgradeOutcome;
use dryroll_engine::fleet::{At, Heartbeat};
use dryroll_engine::{
    Answer, Command, Direction, Engine, Entry, Journal, Judged, OperatorDecision, Recording, RequestKind, Timer,
};

/// What the simulator keeps of one command: when it was given, and what becomes of it if nothing interferes.
#[derive(Clone, Copy, Debug)]
struct CommandRecord {
    dispatched: u64,
    reached: u64,
    ends: u64,
    dies: u64,
    outcome: UpgradeOutcome,
    before_heartbeats: bool,
}

impl CommandRecord {
    fn trajectory(&self) -> Trajectory {
        Trajectory { reached: self.reached, ends: self.ends, dies: self.dies, outcome: self.outcome }
    }
}

/// Whose turn it is within a millisecond (§8): the simulator's own turns, and between them the engine's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Fault,
    Heartbeat,
    Deadline,
    Operator,
    Expiry,
    Tick,
    Horizon,
}

/// Fates that are drawn in one go, before any is followed: none waits for another, so the processor works on several.
const DRAWN_TOGETHER: usize = 16;

/// Runs rollouts of one scenario, one after the other.
#[derive(Debug)]
pub struct Simulator<'w> {
    compiled: &'w CompiledScenario,
    /// What the instances of this replicate share.
    shared: Shared,
    engine: Engine,
    draws: Draws,
    /// Commands of the rollout and of its rollback, by position.
    commands: [Vec<CommandRecord>; 2],
    /// First background death by position, where the scenario has any.
    first_deaths: Vec<u64>,
    /// When the awaited heartbeat was sent and whether it is a report: what the queue has no room for, where it
    /// matters.
    awaited: Vec<Decisive>,
    queue: Queue,
    /// Where the outcomes are not drawn as the scenario says.
    sampler: Option<ImportanceSampler>,
    /// Who is about to be commanded, and what it comes to.
    drawn: Vec<(Member<'w>, SampledUpgrade)>,
    ledger: Ledger,
    operator: Operator,
    /// Whether a real person answers.
    is_drill: bool,
    /// What is known of the faults, and what of it hits the member who is looked at.
    known: Known,
    near: Near,
    /// Moments at which a fault must be acted upon, ascending, and how many were.
    boundaries: Vec<u64>,
    boundaries_done: usize,
    triggered: Vec<bool>,
    journal: Option<Journal>,
    /// How long the journal was when the engine was last made of it.
    rebuilt_from: Option<usize>,
    /// When the dead controller is back.
    away_until: Option<u64>,
    previous_gone: bool,
    clock: u64,
    turn: Turn,
    /// No answer or fault is due before.
    control_due: u64,
    tally: Tally,
    zones: Key,
    operator_key: Key,
    replicate: u64,
}

/// What is counted while a run goes on.
#[derive(Clone, Debug, Default)]
struct Tally {
    first_dispatch: Option<u64>,
    first_trip: Option<u64>,
    /// When it was decided to roll back.
    turned_back: Option<u64>,
    trips: u32,
    decisions: Vec<OperatorDecision>,
    false_failures: u32,
    asked_at: Option<u64>,
    approval_wait: u64,
    /// Exposed at the moment, and the most so far.
    exposed: u32,
    most_exposed: u32,
    /// Sum of the moments at which exposure ended, less those at which it began; the still exposed are added at the
    /// end.
    exposure: i128,
}

impl Tally {
    fn begin_exposure(&mut self, now: u64, instances: u32) {
        self.first_dispatch.get_or_insert(now);
        self.exposed += instances;
        self.most_exposed = self.most_exposed.max(self.exposed);
        self.exposure -= i128::from(now) * i128::from(instances);
    }
}

impl<'w> Simulator<'w> {
    /// The engine, as the last step left it.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What the instances of this replicate share.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The scenario.
    #[must_use]
    pub fn compiled(&self) -> &'w CompiledScenario {
        self.compiled
    }

    /// Runs one replicate from its request to its end.
    pub fn run<O: Observer>(&mut self, replicate: u64, observer: &mut O) -> Metrics {
        self.begin(replicate, observer);
        while self.step(observer) {}
        self.settle()
    }

    // ---- The loop -----------------------------------------------------------------------------

    /// Takes the next thing that happens; false when the run is over.
    pub fn step<O: Observer>(&mut self, observer: &mut O) -> bool {
        if self.engine.is_finished() {
            return false;
        }
        if self.take_verdict(observer) {
            return true;
        }
        let (due, turn) = self.next_due();
        // What waited for a controller that was away is taken in its own order, at the moment of its return.
        let now = due.max(self.clock);
        if now > self.compiled.horizon || turn == Turn::Horizon {
            self.stall(observer);
            return false;
        }
        self.clock = now;
        self.turn = if due < now { Turn::Fault } else { turn };
        match turn {
            Turn::Fault => self.act_on_boundary(due, observer),
            Turn::Heartbeat => self.take_heartbeat(now, observer),
            Turn::Operator => self.take_answer(due, now, observer),
            Turn::Deadline | Turn::Expiry | Turn::Tick => self.take_timeout(due, now, observer),
            Turn::Horizon => {}
        }
        self.look_ahead();
        true
    }

    /// The hot path: a heartbeat or a deadline that comes before anything else can.
    #[inline]
    fn take_verdict<O: Observer>(&mut self, observer: &mut O) -> bool {
        let heartbeat = self.queue.peek().map_or(u64::MAX, |queued| queued.arrives);
        let (timeout, timer) = self.engine.next_timer().map_or((u64::MAX, Timer::Tick), |(at, timer)| (at.0, timer));
        let due = heartbeat.min(timeout);
        if due >= self.control_due || due < self.clock {
            return false;
        }
        if heartbeat <= timeout {
            self.clock = due;
            self.turn = Turn::Heartbeat;
            self.take_heartbeat(due, observer);
        } else if timer == Timer::Deadline {
            self.clock = due;
            self.turn = Turn::Deadline;
            self.take_timeout(due, due, observer);
        } else {
            return false;
        }
        if self.engine.awaits_tick() || self.engine.pending_request().is_some() {
            self.look_ahead();
        }
        true
    }

    /// After a step: what a pause takes from the ticks, and what is due beside verdicts.
    fn look_ahead(&mut self) {
        ticks::skip_paused(&mut self.engine, self.known.pauses());
        self.control_due = if self.away_until.is_none() { self.next_of_control().0 } else { 0 };
    }

    fn boundary(&self) -> Option<u64> {
        self.boundaries.get(self.boundaries_done).copied()
    }

    /// What is due first: time, then turn.
    fn next_due(&self) -> (u64, Turn) {
        let mut first = self.next_of_control();
        if self.away_until.is_none() {
            sooner(&mut first, self.queue.peek().map(|queued| queued.arrives), Turn::Heartbeat);
            if let Some((at, timer)) = self.engine.next_timer() {
                sooner(&mut first, Some(at.0), turn_of(timer));
            }
        }
        first
    }

    /// What is due first of all that is not the engine's.
    fn next_of_control(&self) -> (u64, Turn) {
        let mut first = (self.compiled.horizon, Turn::Horizon);
        sooner(&mut first, self.boundary(), Turn::Fault);
        if self.away_until.is_none() {
            sooner(&mut first, self.operator.pending().map(|pending| pending.at), Turn::Operator);
        }
        first
    }

    fn stall<O: Observer>(&mut self, observer: &mut O) {
        self.clock = self.compiled.horizon;
        self.turn = Turn::Horizon;
        if self.away_until.take().is_some() {
            self.rebuild();
        }
        self.engine.handle_horizon(At(self.clock));
        self.follow_up(self.clock, None, observer);
    }

    fn take_heartbeat<O: Observer>(&mut self, now: u64, observer: &mut O) {
        let Some(Queued { arrives, position }) = self.queue.peek() else { return };
        self.queue.pop();
        let direction = self.engine.direction();
        let awaited = match self.awaited.get(position as usize) {
            Some(&awaited) => awaited,
            None => {
                let command = &self.commands[direction as usize][position as usize];
                Decisive { arrives, sent: arrives, report: command.outcome == UpgradeOutcome::Fail }
            }
        };
        let wanted = release(direction);
        let digest = self.compiled.digest(if awaited.report { other(wanted) } else { wanted });
        let heartbeat = Heartbeat {
            instance: self.engine.instance(position),
            sent_at: At(awaited.sent),
            digest,
            healthy: true,
            failed_upgrade: awaited.report.then(|| self.compiled.digest(wanted)),
        };
        self.feed_heartbeat(now, At(arrives), &heartbeat, observer);
        if !self.known.is_empty() && self.is_duplicated(position, awaited.sent) {
            self.feed_heartbeat(now, At(arrives), &heartbeat, observer);
        }
    }

    #[inline(always)]
    fn feed_heartbeat<O: Observer>(&mut self, now: u64, arrived: At, heartbeat: &Heartbeat, observer: &mut O) {
        let judged = self.engine.handle_heartbeat(At(now), arrived, heartbeat);
        self.follow_up(now, judged, observer);
    }

    /// What the engine waited for has come.
    #[inline]
    fn take_timeout<O: Observer>(&mut self, due: u64, now: u64, observer: &mut O) {
        let judged = self.engine.handle_timeout(At(due));
        self.follow_up(now, judged, observer);
    }

    fn is_duplicated(&mut self, position: u32, sent: u64) -> bool {
        let n = self.engine.instance(position).0;
        let block = self.draws.instance(n);
        let member = self.compiled.member(n, block);
        self.approach(&member);
        self.environment().is_duplicated(sent)
    }

    fn take_answer<O: Observer>(&mut self, due: u64, now: u64, observer: &mut O) {
        let Some(pending) = self.operator.pending() else { return };
        self.answer(due, now, pending, observer);
        self.operator.answered(now, pending, &self.compiled.operator, self.operator_key);
    }

    fn answer<O: Observer>(&mut self, due: u64, now: u64, pending: Pending, observer: &mut O) {
        if let Answer::OnTrip(decision) = pending.answer {
            self.tally.decisions.push(decision);
            if decision == OperatorDecision::RollbackCompletedBatches {
                self.tally.turned_back.get_or_insert(now);
                // From the decision on the rollout gives no more verdicts.
                self.queue.clear();
            }
        }
        // One that does not fit changes nothing.
        let _refused = self.engine.handle_answer(At(due), pending.request, pending.answer);
        self.follow_up(now, None, observer);
        if self.engine.pending_request().is_none()
            && let Some(asked_at) = self.tally.asked_at.take()
        {
            self.tally.approval_wait += now - asked_at;
        }
    }

    fn feed_request<O: Observer>(&mut self, now: u64, observer: &mut O) {
        self.engine.handle_request(At(now));
        self.follow_up(now, None, observer);
    }

    /// Carries out what comes of an input.
    #[inline(always)]
    fn follow_up<O: Observer>(&mut self, now: u64, judged: Option<Judged>, observer: &mut O) {
        if let Some(judged) = judged {
            self.note_verdict(now, judged);
        }
        while let Some(command) = self.engine.poll_command() {
            self.carry_out(now, command);
        }
        if self.engine.recording() != Recording::Nothing {
            self.pass_on_events(observer);
        }
    }

    fn pass_on_events<O: Observer>(&mut self, observer: &mut O) {
        let mut news = false;
        while let Some(entry) = self.engine.poll_entry() {
            if let Entry::Event(event) = &entry {
                observer.event(&self.engine, event);
                news |= self.set_off(event);
            }
            if let Some(journal) = &mut self.journal {
                journal.entries.push(entry);
            }
        }
        if news {
            self.predict_again();
        }
    }

    fn carry_out(&mut self, now: u64, command: Command) {
        match command {
            Command::Upgrade { to, positions } => {
                self.queue.begin_burst(positions.len(), now, self.compiled.settings.health_timeout.0);
                if to == Direction::Forward {
                    self.tally.begin_exposure(now, positions.len() as u32);
                    if self.sampler.is_some() {
                        self.steer(now, positions.clone());
                    }
                }
                self.commands[to as usize].reserve(positions.len());
                for first in positions.clone().step_by(DRAWN_TOGETHER) {
                    let last = positions.end.min(first + DRAWN_TOGETHER as u32);
                    self.sample_upgrades(first..last, to);
                    for position in first..last {
                        self.dispatch(now, position, to, (position - first) as usize);
                    }
                }
                self.queue.end_burst();
            }
            Command::Ask { request, kind } => {
                self.tally.asked_at = Some(now);
                if kind != RequestKind::RollingUpgrade {
                    self.tally.trips += 1;
                    self.tally.first_trip.get_or_insert(now);
                }
                self.operator.ask(now, request, kind, &self.compiled.operator, self.operator_key);
            }
        }
    }

    /// Which replicate this is.
    #[must_use]
    pub fn replicate(&self) -> u64 {
        self.replicate
    }

    /// The moment of the last step, milliseconds.
    #[must_use]
    pub fn clock(&self) -> u64 {
        self.clock
    }
}

/// Takes what is due in place of the first so far, if it comes before.
fn sooner(first: &mut (u64, Turn), due: Option<u64>, turn: Turn) {
    if let Some(due) = due
        && (due, turn) < *first
    {
        *first = (due, turn);
    }
}

fn turn_of(timer: Timer) -> Turn {
    match timer {
        Timer::Deadline => Turn::Deadline,
        Timer::Expiry => Turn::Expiry,
        Timer::Tick => Turn::Tick,
    }
}

/// The release that a rollout in this direction brings.
fn release(direction: Direction) -> Release {
    match direction {
        Direction::Forward => Release::Target,
        Direction::Back => Release::Previous,
    }
}

fn other(release: Release) -> Release {
    match release {
        Release::Previous => Release::Target,
        Release::Target => Release::Previous,
    }
}

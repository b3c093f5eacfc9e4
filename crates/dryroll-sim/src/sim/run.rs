//! One run: the loop that hands the engine its inputs in the order of their times, and carries out what it commands.
//!
//! Who owns what: the [`CompiledScenario`] is the scenario, the same in every replicate. The [`Simulator`] owns the
//! engine and every buffer, and reuses them. Data flows one way: draws → trajectories and heartbeats → queue → engine →
//! commands → draws. What happens for each command and each verdict is in `hot_path`.
//!
//! What is due within one millisecond, and in which order (§8), is the engine's to say. The simulator knows the turns
//! that are its own: faults before all, heartbeats before the engine's deadlines, the operator's answers after them.

mod control;
mod effects;
mod ending;
mod expected;
mod hearing;
mod hot_path;
mod injected;
mod instances;
mod listening;
mod manual;
mod setup;
mod tally;

pub use effects::{FaultEffect, Held};

use super::compiled::{CompiledScenario, Member, Release};
use super::draws::{Draws, Key};
use super::importance_sampler::ImportanceSampler;
use super::instance_history::{Order, Trajectory};
use super::known::{Known, Near};
use super::metrics::Metrics;
use super::next_at::NextAt;
use super::observer::Observer;
use super::operator::Pending;
use super::pairs::PerDirection;
use super::queue::Queue;
use super::sampled_upgrade::SampledUpgrade;
use super::shared::Shared;
use super::ticks;
use super::truth::Ledger;
use crate::scenario::UpgradeOutcome;
use control::{Control, Presence};
use dryroll_engine::fleet::At;
use dryroll_engine::{Answer, Direction, Engine, Entry, Journal, OperatorDecision, Timer};
use expected::Expected;
use listening::Listening;
use tally::Tally;

/// What the simulator keeps of one command: when it was given, and what becomes of it if nothing interferes.
#[derive(Clone, Copy, Debug)]
struct CommandRecord {
    dispatched: At,
    reached: NextAt,
    ends: NextAt,
    dies: NextAt,
    outcome: UpgradeOutcome,
    before_heartbeats: bool,
}

/// A command that was given again.
#[derive(Clone, Copy, Debug)]
struct Retry {
    to: Direction,
    sampled: SampledUpgrade,
    dispatched: At,
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
    Silence,
    NoProgress,
    Operator,
    Expiry,
    BakeEnd,
    Tick,
    Horizon,
}

/// Upgrades that are drawn in one go, before any is followed: none waits for another, so the processor works on
/// several.
const DRAWN_TOGETHER: usize = 16;

/// Runs rollouts of one scenario, one after the other.
#[derive(Debug)]
pub struct Simulator<'w> {
    compiled: &'w CompiledScenario,
    /// What the instances of this replicate share.
    shared: Shared,
    engine: Engine,
    draws: Draws,
    /// Commands by position.
    commands: PerDirection<Vec<CommandRecord>>,
    /// First background death by position of what was dispatched, where the scenario has any.
    first_deaths: Vec<NextAt>,
    /// When the awaited heartbeat was sent and whether it is a report: what the queue has no room for.
    expected: Expected,
    queue: Queue,
    /// The commands of the member that is looked at, in order.
    orders: Vec<Order>,
    /// Commands that were given again, by position; empty where there are none.
    retries: Vec<Vec<Retry>>,
    /// Used where the engine is told more than what decides.
    listening: Listening,
    /// Where the outcomes are not drawn as the scenario says.
    sampler: Option<ImportanceSampler>,
    /// Who is about to be commanded, and what it comes to.
    drawn: Vec<(Member<'w>, SampledUpgrade)>,
    ledger: Ledger,
    /// The operator, the boundaries of faults, and whether the controller is there.
    control: Control,
    /// What is known of the faults, and what of it hits the member that is looked at.
    known: Known,
    near: Near,
    triggered: Vec<bool>,
    journal: Option<Journal>,
    /// How long the journal was when the engine was last made of it.
    rebuilt_from: Option<usize>,
    previous_gone: bool,
    clock: At,
    turn: Turn,
    /// Whose heartbeat is taken, in the turn of heartbeats.
    turn_position: u32,
    /// The direction of the engine's walk, as the last step left it.
    direction: Direction,
    tally: Tally,
    zones: Key,
    operator_key: Key,
    replicate: u64,
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
        if !self.compiled.listens && self.take_verdict(observer) {
            return true;
        }
        ticks::skip_paused(&mut self.engine, self.known.pauses());
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
            Turn::Heartbeat if self.compiled.listens => self.take_news(now, observer),
            Turn::Heartbeat => self.take_heartbeat(now, observer),
            Turn::Silence => self.take_silence(due, now, observer),
            Turn::Operator => self.take_answer(due, now, observer),
            Turn::Deadline | Turn::NoProgress | Turn::Expiry | Turn::BakeEnd | Turn::Tick => {
                self.take_timeout(due, now, observer);
            }
            Turn::Horizon => {}
        }
        if self.compiled.listens {
            self.drop_stale();
        }
        true
    }

    /// What is due first: time, then turn.
    fn next_due(&self) -> (At, Turn) {
        let mut first = (self.compiled.horizon, Turn::Horizon);
        sooner(&mut first, self.control.boundary(), Turn::Fault);
        if !self.control.is_away() {
            sooner(&mut first, self.queue.peek().map(|queued| queued.arrives), Turn::Heartbeat);
            if self.compiled.listens {
                sooner(&mut first, self.listening.next_silence(), Turn::Silence);
            }
            sooner(&mut first, self.control.operator.pending().map(|pending| pending.at), Turn::Operator);
            if let Some((at, timer)) = self.engine.next_timer() {
                sooner(&mut first, Some(at), turn_of(timer));
            }
        }
        first
    }

    fn stall<O: Observer>(&mut self, observer: &mut O) {
        self.clock = self.compiled.horizon;
        self.turn = Turn::Horizon;
        if self.control.is_away() {
            self.control.change(|state| state.presence = Presence::Present);
            self.rebuild();
        }
        self.engine.handle_horizon(self.clock);
        self.follow_up(self.clock, None, observer);
    }

    /// What the engine waited for has come.
    #[inline]
    fn take_timeout<O: Observer>(&mut self, due: At, now: At, observer: &mut O) {
        let judged = self.engine.handle_timeout(due);
        self.follow_up(now, judged, observer);
    }

    fn is_duplicated(&mut self, position: u32, sent: At) -> bool {
        let n = self.engine.instance(position).0;
        let block = self.draws.instance(n);
        let member = self.compiled.member(n, block);
        self.approach(&member);
        self.environment().is_duplicated(sent)
    }

    fn take_answer<O: Observer>(&mut self, due: At, now: At, observer: &mut O) {
        let Some(pending) = self.control.operator.pending() else { return };
        self.answer(due, now, pending, observer);
        let (traits, key) = (&self.compiled.operator, self.operator_key);
        self.control.change(|state| state.operator.answered(now, pending, traits, key));
    }

    fn answer<O: Observer>(&mut self, due: At, now: At, pending: Pending, observer: &mut O) {
        let asked = self.engine.pending_request().filter(|&(request, _)| request == pending.request);
        if let (Answer::OnTrip(decision), Some((_, kind))) = (pending.answer, asked) {
            if kind.is_of_trip() {
                self.tally.decisions.push(decision);
            }
            if decision == OperatorDecision::RollbackCompletedBatches {
                self.tally.turned_back.get_or_insert(now);
            }
        }
        // One that does not fit changes nothing.
        let _refused = self.engine.handle_answer(due, pending.request, pending.answer);
        self.follow_up(now, None, observer);
        self.note_turn_back(now);
        if self.engine.pending_request().is_none() {
            self.tally.end_wait(now);
        }
    }

    fn feed_request<O: Observer>(&mut self, now: At, observer: &mut O) {
        self.engine.handle_request(now);
        if self.compiled.listens {
            self.begin_listening(now);
        }
        self.follow_up(now, None, observer);
    }

    /// The engine may have turned back: from then on the rollout gives no more verdicts, and nobody is watched.
    pub(super) fn note_turn_back(&mut self, now: At) {
        let direction = self.engine.direction();
        if direction == self.direction {
            return;
        }
        self.direction = direction;
        self.tally.turned_back.get_or_insert(now);
        self.queue.clear();
        self.listening.clear();
        self.control.change(|state| state.operator.forget());
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

    /// Which replicate this is.
    #[must_use]
    pub fn replicate(&self) -> u64 {
        self.replicate
    }

    /// The moment of the last step.
    #[must_use]
    pub fn clock(&self) -> At {
        self.clock
    }
}

/// Takes what is due in place of the first so far, if it comes before.
fn sooner(first: &mut (At, Turn), due: Option<At>, turn: Turn) {
    if let Some(due) = due
        && (due, turn) < *first
    {
        *first = (due, turn);
    }
}

fn turn_of(timer: Timer) -> Turn {
    match timer {
        Timer::Deadline => Turn::Deadline,
        Timer::NoProgress => Turn::NoProgress,
        Timer::Expiry => Turn::Expiry,
        Timer::BakeEnd => Turn::BakeEnd,
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

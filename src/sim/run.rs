//! One run: the loop that hands the engine its inputs in the order of their times, and carries out what it commands.
//!
//! Who owns what: the [`World`] is the scenario, the same in every replicate. The [`Simulator`] owns the engine and every
//! buffer, and reuses them. Data flows one way: draws → lives and heartbeats → queue → engine → commands → draws.

use super::draws::{Draws, Key};
use super::fault::Window;
use super::heartbeats::{self, Arrival, Awaited, Decisive};
use super::life::{Course, Doing, Life, Order, Segment};
use super::metrics::Metrics;
use super::operator::{Operator, Pending};
use super::queue::{Entry as Queued, Queue};
use super::scene::Scene;
use super::ticks::next_tick;
use super::truth::Ledger;
use super::world::{Member, Release, World};
use crate::engine::{
    Answer, Command, Direction, Engine, Entry, Event, EventKind, Input, Journal, Judged, OperatorDecision, Outcome,
    Reason, Recording, RequestKind, Standing, Verdict,
};
use crate::fleet::{At, Heartbeat};
use crate::scenario::{FaultKind, UpgradeOutcome};

/// Who watches a run. What nobody asks for is not recorded.
pub trait Observer {
    /// Which events it wants.
    fn recording(&self) -> Recording;

    /// An event happened.
    fn event(&mut self, engine: &Engine, event: &Event);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn recording(&self) -> Recording {
        Recording::Nothing
    }
    fn event(&mut self, _: &Engine, _: &Event) {}
}

/// Two that watch: each gets the events that the other asked for too.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn recording(&self) -> Recording {
        self.0.recording().max(self.1.recording())
    }
    fn event(&mut self, engine: &Engine, event: &Event) {
        self.0.event(engine, event);
        self.1.event(engine, event);
    }
}

/// One that may be missing.
impl<A: Observer> Observer for Option<A> {
    fn recording(&self) -> Recording {
        self.as_ref().map_or(Recording::Nothing, Observer::recording)
    }
    fn event(&mut self, engine: &Engine, event: &Event) {
        if let Some(observer) = self {
            observer.event(engine, event);
        }
    }
}

/// One that is needed again afterwards.
impl<A: Observer> Observer for &mut A {
    fn recording(&self) -> Recording {
        (**self).recording()
    }
    fn event(&mut self, engine: &Engine, event: &Event) {
        (**self).event(engine, event);
    }
}

/// What a fault did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultEffect {
    /// What it does.
    pub kind: &'static str,
    /// When it held, up to the end of the run; `None` where it never began.
    pub window: Option<Window>,
    /// How many planned instances it made a difference to.
    pub touched_instances: u32,
    /// Whether it made any difference, to instances or to the controller.
    pub touched: bool,
}

/// What the simulator keeps of one command: when it was given, and what becomes of it if nothing interferes.
#[derive(Clone, Copy, Debug)]
struct Berth {
    dispatched: u64,
    reached: u64,
    ends: u64,
    dies: u64,
    outcome: UpgradeOutcome,
    before_heartbeats: bool,
}

impl Berth {
    fn course(&self) -> Course {
        Course { reached: self.reached, ends: self.ends, dies: self.dies, outcome: self.outcome }
    }
}

/// Whose turn it is within a millisecond (§8).
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

/// Runs rollouts of one world, one after the other.
#[derive(Debug)]
pub struct Simulator<'w> {
    world: &'w World,
    engine: Engine,
    draws: Draws,
    /// Commands of the rollout and of its rollback, by position.
    berths: [Vec<Berth>; 2],
    /// First background death by position, where the world has any.
    first_deaths: Vec<u64>,
    /// When the awaited heartbeat was sent and whether it is a report: what the queue has no room for, where it matters.
    awaited: Vec<Decisive>,
    queue: Queue,
    scratch: Vec<Arrival>,
    ledger: Ledger,
    operator: Operator,
    /// What is known to befall instances, and the controller.
    windows: Vec<Window>,
    controller_windows: Vec<Window>,
    /// Moments at which a fault must be acted upon, ascending, and how many were.
    boundaries: Vec<u64>,
    boundaries_done: usize,
    triggered: Vec<bool>,
    journal: Option<Journal>,
    /// When the dead controller is back.
    away_until: Option<u64>,
    previous_gone: bool,
    clock: u64,
    turn: Turn,
    last_tick: Option<u64>,
    /// No answer, tick, fault or expiry is due before.
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
    trips: u32,
    decisions: Vec<OperatorDecision>,
    false_failures: u32,
    asked_at: Option<u64>,
    approval_wait: u64,
    /// Exposed at the moment, and the most so far.
    exposed: u32,
    most_exposed: u32,
    /// Sum of the moments at which exposure ended, less those at which it began; the still exposed are added at the end.
    exposure: i128,
}

impl<'w> Simulator<'w> {
    /// A simulator with empty buffers.
    #[must_use]
    pub fn new(world: &'w World) -> Self {
        Self {
            world,
            engine: Engine::new(world.plan.clone(), world.settings.clone(), Recording::Nothing),
            draws: Draws::new(world.seed, 0),
            berths: [Vec::new(), Vec::new()],
            first_deaths: Vec::new(),
            awaited: Vec::new(),
            queue: Queue::default(),
            scratch: Vec::new(),
            ledger: Ledger::default(),
            operator: Operator::default(),
            windows: Vec::new(),
            controller_windows: Vec::new(),
            boundaries: Vec::new(),
            boundaries_done: 0,
            triggered: vec![false; world.faults.len()],
            journal: None,
            away_until: None,
            previous_gone: false,
            clock: 0,
            turn: Turn::Fault,
            last_tick: None,
            control_due: 0,
            tally: Tally::default(),
            zones: Key(0),
            operator_key: Key(0),
            replicate: 0,
        }
    }

    /// The engine, as the last step left it.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &'w World {
        self.world
    }

    /// Runs one replicate from its request to its end.
    pub fn run<O: Observer>(&mut self, replicate: u64, observer: &mut O) -> Metrics {
        self.begin(replicate, observer);
        while self.step(observer) {}
        self.settle()
    }

    /// Sets a replicate up and hands the engine its request.
    pub fn begin<O: Observer>(&mut self, replicate: u64, observer: &mut O) {
        let world = self.world;
        let wanted = self.recording(observer);
        self.replicate = replicate;
        self.draws = Draws::new(world.seed, replicate);
        self.engine.reset();
        self.engine.record(wanted);
        for berths in &mut self.berths {
            berths.clear();
        }
        self.first_deaths.clear();
        self.awaited.clear();
        self.queue.clear();
        self.operator = Operator::default();
        self.windows.clear();
        self.controller_windows.clear();
        self.boundaries.clear();
        self.boundaries_done = 0;
        self.triggered.fill(false);
        for fault in 0..world.faults.len() {
            if let Some(window) = world.faults[fault].known_window(fault) {
                self.open_window(window);
            }
        }
        let crashes = world.faults.iter().any(|fault| matches!(fault.kind, FaultKind::ReconcilerCrash));
        self.journal = crashes.then(|| Journal::new(world.plan.clone(), world.settings.clone()));
        self.away_until = None;
        self.previous_gone = false;
        self.clock = 0;
        self.last_tick = None;
        self.control_due = 0;
        self.tally = Tally { decisions: std::mem::take(&mut self.tally.decisions), ..Tally::default() };
        self.tally.decisions.clear();
        self.zones = if world.zone_law.is_some() { self.draws.zones() } else { Key(0) };
        self.operator_key = if world.operator.draws() { self.draws.operator() } else { Key(0) };
        // Faults of the first millisecond come before the request, which is the operator's act.
        while self.boundary().is_some_and(|at| at == 0) {
            self.act_on_boundary(0, observer);
        }
        self.turn = Turn::Operator;
        if self.away_until.is_none() {
            self.feed(0, Input::Request, observer);
        }
    }

    fn recording(&self, observer: &impl Observer) -> Recording {
        let mut wanted = observer.recording();
        for fault in &self.world.faults {
            let needed = match (&fault.kind, fault.trigger()) {
                (FaultKind::ReconcilerCrash, _) => Recording::Everything,
                (_, Some(EventKind::InstanceStarted | EventKind::InstanceHealthCheck)) => Recording::Everything,
                (_, Some(_)) => Recording::Milestones,
                (_, None) => Recording::Nothing,
            };
            wanted = wanted.max(needed);
        }
        wanted
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
        if now > self.world.horizon || turn == Turn::Horizon {
            self.stall(observer);
            return false;
        }
        self.clock = now;
        self.turn = if due < now { Turn::Fault } else { turn };
        match turn {
            Turn::Fault => self.act_on_boundary(due, observer),
            Turn::Heartbeat => self.take_heartbeat(now, observer),
            Turn::Deadline => self.feed(now, Input::Deadline, observer),
            Turn::Operator => self.take_answer(now, observer),
            Turn::Expiry => self.feed(now, Input::Expiry, observer),
            Turn::Tick => {
                self.last_tick = Some(now);
                self.feed(now, Input::Tick, observer);
            }
            Turn::Horizon => {}
        }
        self.control_due = if self.away_until.is_none() { self.next_of_control().0 } else { 0 };
        true
    }

    /// The hot path: a heartbeat or a deadline that comes before anything else can.
    #[inline]
    fn take_verdict<O: Observer>(&mut self, observer: &mut O) -> bool {
        let heartbeat = self.queue.peek().map_or(u64::MAX, |queued| queued.arrives);
        let deadline = self.engine.next_deadline().map_or(u64::MAX, |at| at.0);
        let due = heartbeat.min(deadline);
        if due >= self.control_due || due < self.clock {
            return false;
        }
        self.clock = due;
        if heartbeat <= deadline {
            self.turn = Turn::Heartbeat;
            self.take_heartbeat(due, observer);
        } else {
            self.turn = Turn::Deadline;
            self.feed(due, Input::Deadline, observer);
        }
        if self.engine.awaits_tick() || self.engine.pending_request().is_some() {
            self.control_due = self.next_of_control().0;
        }
        true
    }

    /// The moment that a `step` would come to.
    #[must_use]
    pub fn next_moment(&self) -> u64 {
        self.next_due().0.max(self.clock).min(self.world.horizon)
    }

    fn boundary(&self) -> Option<u64> {
        self.boundaries.get(self.boundaries_done).copied()
    }

    /// What is due first: time, then turn.
    fn next_due(&self) -> (u64, Turn) {
        let mut first = self.next_of_control();
        if self.away_until.is_none() {
            sooner(&mut first, self.queue.peek().map(|queued| queued.arrives), Turn::Heartbeat);
            sooner(&mut first, self.engine.next_deadline().map(|at| at.0), Turn::Deadline);
        }
        first
    }

    /// What is due first of all but verdicts.
    fn next_of_control(&self) -> (u64, Turn) {
        let mut first = (self.world.horizon, Turn::Horizon);
        sooner(&mut first, self.boundary(), Turn::Fault);
        if self.away_until.is_none() {
            sooner(&mut first, self.operator.pending().map(|pending| pending.at), Turn::Operator);
            sooner(&mut first, self.engine.expires_at().map(|at| at.0), Turn::Expiry);
            if self.engine.awaits_tick() {
                sooner(&mut first, Some(self.tick()), Turn::Tick);
            }
        }
        first
    }

    fn tick(&self) -> u64 {
        let from = self.last_tick.map_or(self.clock, |tick| self.clock.max(tick + 1));
        next_tick(self.world.tick_interval, from, &self.controller_windows, &self.world.faults)
    }

    fn stall<O: Observer>(&mut self, observer: &mut O) {
        self.clock = self.world.horizon;
        self.turn = Turn::Horizon;
        if self.away_until.take().is_some() {
            self.rebuild();
        }
        self.feed(self.clock, Input::Horizon, observer);
    }

    fn take_heartbeat<O: Observer>(&mut self, now: u64, observer: &mut O) {
        let Some(Queued { arrives, position }) = self.queue.peek() else { return };
        self.queue.pop();
        let direction = self.engine.direction();
        let awaited = match self.awaited.get(position as usize) {
            Some(&awaited) => awaited,
            None => {
                let berth = &self.berths[direction as usize][position as usize];
                Decisive { arrives, sent: arrives, report: berth.outcome == UpgradeOutcome::Fail }
            }
        };
        let wanted = release(direction);
        let digest = self.world.digest(if awaited.report { other(wanted) } else { wanted });
        let heartbeat = Heartbeat {
            instance: self.engine.instance(position),
            sent_at: At(awaited.sent),
            digest,
            healthy: true,
            failed_upgrade: awaited.report.then(|| self.world.digest(wanted)),
        };
        let input = Input::Heartbeat { arrived: At(arrives), heartbeat };
        self.feed(now, input, observer);
        if !self.windows.is_empty() && self.is_duplicated(position, awaited.sent) {
            self.feed(now, input, observer);
        }
    }

    fn is_duplicated(&mut self, position: u32, sent: u64) -> bool {
        let n = self.engine.instance(position).0;
        let block = self.draws.instance(n);
        let member = self.world.member(n, block);
        self.scene().is_duplicated(&member, sent)
    }

    fn take_answer<O: Observer>(&mut self, now: u64, observer: &mut O) {
        let Some(pending) = self.operator.pending() else { return };
        self.answer(now, pending, observer);
        self.operator.answered(now, pending, &self.world.operator, self.operator_key);
    }

    fn answer<O: Observer>(&mut self, now: u64, pending: Pending, observer: &mut O) {
        if let Answer::OnTrip(decision) = pending.answer {
            self.tally.decisions.push(decision);
            if decision == OperatorDecision::RollbackCompletedBatches {
                // From the decision on the rollout gives no more verdicts.
                self.queue.clear();
            }
        }
        self.feed(now, Input::Answer { request: pending.request, answer: pending.answer }, observer);
        if self.engine.pending_request().is_none()
            && let Some(asked_at) = self.tally.asked_at.take()
        {
            self.tally.approval_wait += now - asked_at;
        }
    }

    /// Hands the engine one input, and carries out what comes of it.
    #[inline(always)]
    fn feed<O: Observer>(&mut self, now: u64, input: Input, observer: &mut O) {
        if let Some(journal) = &mut self.journal {
            journal.entries.push(Entry::Input { now: At(now), input });
        }
        if let Some(judged) = self.engine.handle(At(now), input) {
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
        while let Some(event) = self.engine.poll_event() {
            observer.event(&self.engine, &event);
            news |= self.set_off(&event);
            if let Some(journal) = &mut self.journal {
                journal.entries.push(Entry::Event(event));
            }
        }
        if news {
            self.foresee_again();
        }
    }

    fn carry_out(&mut self, now: u64, command: Command) {
        match command {
            Command::Upgrade { to, positions } => {
                self.queue.begin_burst(positions.len(), now, self.world.settings.health_timeout.0);
                for position in positions {
                    self.dispatch(now, position, to);
                }
                self.queue.end_burst();
            }
            Command::Ask { request, kind } => {
                self.tally.asked_at = Some(now);
                if kind != RequestKind::RollingUpgrade {
                    self.tally.trips += 1;
                    self.tally.first_trip.get_or_insert(now);
                }
                self.operator.ask(now, request, kind, &self.world.operator, self.operator_key);
            }
        }
    }

    // ---- Instances ----------------------------------------------------------------------------

    fn scene(&self) -> Scene<'_> {
        Scene { world: self.world, windows: &self.windows, zones: self.zones }
    }

    /// Whether nothing can interfere with a member up to `until`, so that courses tell all.
    fn is_calm(&self, first_death: u64, until: u64) -> bool {
        self.windows.is_empty() && !self.world.delays && first_death > until
    }

    #[inline(always)]
    fn dispatch(&mut self, now: u64, position: u32, to: Direction) {
        let world = self.world;
        let n = self.engine.instance(position).0;
        let block = self.draws.instance(n);
        let member = world.member(n, block);
        let attempt = match to {
            Direction::Forward => block,
            Direction::Back => self.draws.rollback(n),
        };
        let fate = world.fate(&member, &attempt, release(to));
        let scene = self.scene();
        let first_death = match (&world.death_law, to) {
            (None, _) => u64::MAX,
            (Some(_), Direction::Back) => self.first_deaths[position as usize],
            (Some(law), Direction::Forward) => {
                let until = world.horizon.saturating_add(world.observe_after).saturating_add(1);
                law.next(member.block.deaths, 0, until).map_or(u64::MAX, |dead| dead.start)
            }
        };
        let (reached, up_until) = scene.network_up_from(&member, now);
        let course = Course::new(&scene, &member, reached, &fate);
        let deadline = now + world.settings.health_timeout.0;
        let calm = self.is_calm(first_death, deadline) && self.awaited.is_empty();
        let decisive = if calm { heartbeats::of_course(&scene, &member, &course, up_until, deadline) } else { None };
        if to == Direction::Forward && world.death_law.is_some() {
            self.first_deaths.push(first_death);
        }
        self.berths[to as usize].push(Berth {
            dispatched: now,
            reached: course.reached,
            ends: course.ends,
            dies: course.dies,
            outcome: course.outcome,
            before_heartbeats: self.turn <= Turn::Heartbeat,
        });
        match to {
            Direction::Forward => self.begin_exposure(now),
            Direction::Back => {}
        }
        if calm {
            if let Some(decisive) = decisive {
                self.queue.push(Queued { arrives: decisive.arrives, position });
            }
        } else {
            self.foresee(position, to);
        }
    }

    fn begin_exposure(&mut self, now: u64) {
        let tally = &mut self.tally;
        tally.first_dispatch.get_or_insert(now);
        tally.exposed += 1;
        tally.most_exposed = tally.most_exposed.max(tally.exposed);
        tally.exposure -= i128::from(now);
    }

    /// Computes the decisive heartbeat of a position in flight from its whole life, and queues it.
    fn foresee(&mut self, position: u32, to: Direction) {
        let (member, orders) = self.commands_of(position);
        let berth = self.berths[to as usize][position as usize];
        let early = [0, 1].map(|i| self.berths[i].get(position as usize).is_some_and(|b| b.before_heartbeats));
        let awaited = Awaited {
            dispatched: berth.dispatched,
            to: release(to),
            before_heartbeats: berth.before_heartbeats,
            deadline: berth.dispatched + self.world.settings.health_timeout.0,
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let decisive = heartbeats::of_life(&self.scene(), &member, orders, early, &awaited, &mut scratch);
        self.scratch = scratch;
        if self.awaited.is_empty() {
            self.switch_to_awaited();
        }
        if let Some(decisive) = decisive {
            self.awaited[position as usize] = decisive;
            self.queue.push(Queued { arrives: decisive.arrives, position });
        }
    }

    /// From now on what is awaited is looked up, not derived from courses.
    fn switch_to_awaited(&mut self) {
        let nothing = Decisive { arrives: u64::MAX, sent: u64::MAX, report: false };
        self.awaited.resize(self.world.total() as usize, nothing);
        let direction = self.engine.direction() as usize;
        for queued in self.queue.entries() {
            let berth = &self.berths[direction][queued.position as usize];
            self.awaited[queued.position as usize] = Decisive {
                arrives: queued.arrives,
                sent: queued.arrives,
                report: berth.outcome == UpgradeOutcome::Fail,
            };
        }
    }

    /// A fault has become known: what was foreseen of the instances in flight no longer holds.
    fn foresee_again(&mut self) {
        self.queue.clear();
        let direction = self.engine.direction();
        for position in 0..self.berths[direction as usize].len() as u32 {
            if self.engine.standing(position, direction) == Standing::InFlight {
                self.foresee(position, direction);
            }
        }
    }

    /// A member and the commands that it was given, by random access.
    fn commands_of(&mut self, position: u32) -> (Member<'w>, [Option<Order>; 2]) {
        let world = self.world;
        let n = self.engine.instance(position).0;
        let block = self.draws.instance(n);
        let member = world.member(n, block);
        let order = |berth: Option<&Berth>, to: Release, block| {
            berth.map(|berth| Order { at: berth.dispatched, to, fate: world.fate(&member, &block, to) })
        };
        let forward = order(self.berths[0].get(position as usize), Release::Target, block);
        let back = match self.berths[1].get(position as usize) {
            None => None,
            some => order(some, Release::Previous, self.draws.rollback(n)),
        };
        (member, [forward, back])
    }

    /// The life of a planned instance up to `until`, with what is known of the run so far.
    pub fn life(&mut self, position: u32, until: u64) -> impl Iterator<Item = Segment> + use<'_, 'w> {
        let (member, orders) = self.commands_of(position);
        Life::new(self.scene(), member, orders, until)
    }

    fn note_verdict(&mut self, now: u64, judged: Judged) {
        let direction = self.engine.direction();
        match judged.verdict {
            Verdict::Healthy => {
                if direction == Direction::Back {
                    self.tally.exposed -= 1;
                    self.tally.exposure += i128::from(now);
                }
            }
            // An instance whose agent reports a failed upgrade runs the old version.
            Verdict::Failed(Reason::UpgradeFailed) => {}
            Verdict::Failed(Reason::HealthTimeout) => {
                if self.runs_and_serves(judged.position, release(direction), now) {
                    self.tally.false_failures += 1;
                }
            }
        }
    }

    fn runs_and_serves(&mut self, position: u32, wanted: Release, now: u64) -> bool {
        let last = self.life(position, now + 1).last();
        last.is_some_and(|segment| segment.doing == Doing::Serving && segment.running == wanted)
    }

    // ---- Faults -------------------------------------------------------------------------------

    fn open_window(&mut self, window: Window) {
        let fault = &self.world.faults[window.fault];
        if fault.is_about_instances() {
            return self.windows.push(window);
        }
        self.controller_windows.push(window);
        self.control_due = 0;
        if matches!(fault.kind, FaultKind::ReconcilerPause) {
            return;
        }
        let done = self.boundaries_done;
        let mut add = |at: u64| {
            let place = done + self.boundaries[done..].partition_point(|&b| b <= at);
            self.boundaries.insert(place, at);
        };
        add(window.start);
        if matches!(fault.kind, FaultKind::ReconcilerCrash) && window.end != u64::MAX {
            add(window.end);
        }
    }

    /// Sets off the faults that wait for this event; whether any is about instances.
    fn set_off(&mut self, event: &Event) -> bool {
        let mut about_instances = false;
        for fault in 0..self.world.faults.len() {
            if self.triggered[fault] {
                continue;
            }
            if let Some(window) = self.world.faults[fault].window_after(fault, event) {
                self.triggered[fault] = true;
                self.open_window(window);
                about_instances |= self.world.faults[fault].is_about_instances();
            }
        }
        about_instances
    }

    fn act_on_boundary<O: Observer>(&mut self, at: u64, observer: &mut O) {
        self.boundaries_done += 1;
        let holding = |kind: fn(&FaultKind) -> bool| {
            let faults = &self.world.faults;
            self.controller_windows.iter().filter(move |w| kind(&faults[w.fault].kind) && w.start <= at)
        };
        let archived = holding(|kind| matches!(kind, FaultKind::ArchivePreviousVersion)).next().is_some();
        let away_until = holding(|kind| matches!(kind, FaultKind::ReconcilerCrash))
            .filter(|window| window.holds(at))
            .map(|window| window.end)
            .max();
        // A crash of no length is a restart.
        let restarted =
            holding(|kind| matches!(kind, FaultKind::ReconcilerCrash)).any(|w| w.start == at && w.end == at);
        let was_away = std::mem::replace(&mut self.away_until, away_until).is_some();
        if away_until.is_none() && (was_away || restarted) {
            self.rebuild();
        }
        if archived && !self.previous_gone && self.away_until.is_none() {
            self.previous_gone = true;
            self.feed(at, Input::PreviousGone, observer);
        }
        if self.away_until.is_none() && self.engine.is_new() && at > 0 {
            self.feed(at, Input::Request, observer);
        }
    }

    /// The controller is back: its engine is gone, and made anew from the journal.
    fn rebuild(&mut self) {
        let Some(journal) = &self.journal else { return };
        match journal.rebuild() {
            Ok(engine) => self.engine = engine,
            Err(error) => unreachable!("the simulator's own journal: {error}"),
        }
    }

    // ---- The end ------------------------------------------------------------------------------

    /// The metrics of a run that is over.
    pub fn settle(&mut self) -> Metrics {
        let world = self.world;
        let outcome = self.engine.outcome().unwrap_or(Outcome::Stalled);
        let finished = self.clock;
        let end = finished.saturating_add(world.observe_after);
        self.book(end);
        if let Some(asked_at) = self.tally.asked_at.take() {
            self.tally.approval_wait += finished - asked_at;
        }
        let tally = &self.tally;
        let exposure = tally.exposure + i128::from(tally.exposed) * i128::from(end);
        let mitigated = matches!(outcome, Outcome::RolledBack | Outcome::Aborted);
        Metrics {
            outcome,
            trips: tally.trips,
            decisions: tally.decisions.clone(),
            planned: world.total(),
            defective: world.defective,
            duration: finished,
            approval_wait: tally.approval_wait,
            exposed: tally.most_exposed,
            harmed: self.ledger.harmed,
            exposure: exposure.max(0) as u128,
            unhealthy: self.ledger.unhealthy,
            capacity_loss: self.ledger.capacity_loss,
            min_serving: world.total() - self.ledger.most_not_serving(),
            time_to_detect: tally.first_trip.zip(tally.first_dispatch).map(|(trip, first)| trip - first),
            time_to_mitigate: tally.first_trip.filter(|_| mitigated).map(|trip| finished - trip),
            false_failures: tally.false_failures,
            escaped: self.ledger.escaped,
            drift: self.ledger.drifted > 0,
        }
    }

    /// Books every planned instance in the ledger of ground truth.
    fn book(&mut self, end: u64) {
        let mut ledger = std::mem::take(&mut self.ledger);
        ledger.clear(end);
        let dispatched = self.engine.dispatched();
        let deaths = self.world.death_law.is_some();
        for position in 0..self.world.total() {
            let passed = self.engine.standing(position, Direction::Forward) == Standing::Judged(Verdict::Healthy);
            let first_death = match self.first_deaths.get(position as usize) {
                Some(&first_death) => first_death,
                // Not dispatched: look.
                None if deaths => 0,
                None => u64::MAX,
            };
            let interfered = !self.windows.is_empty() || first_death <= end;
            if interfered {
                ledger.lived(self.life(position, end + 1), passed);
            } else if position >= dispatched {
                ledger.untouched();
            } else {
                let back = self.berths[1].get(position as usize);
                let back = back.map(|berth| (berth.dispatched, berth.course()));
                ledger.undisturbed(&self.berths[0][position as usize].course(), back, passed);
            }
        }
        self.ledger = ledger;
    }

    /// What each fault of the scenario did in a run that is over.
    pub fn fault_effects(&mut self) -> Vec<FaultEffect> {
        let end = self.clock.saturating_add(self.world.observe_after);
        let known: Vec<Window> = self.windows.iter().chain(&self.controller_windows).copied().collect();
        (0..self.world.faults.len())
            .map(|fault| {
                let window = known.iter().find(|window| window.fault == fault && window.start <= end).copied();
                let touched_instances = window.map_or(0, |window| self.touched(window, end));
                let controller = !self.world.faults[fault].is_about_instances();
                FaultEffect {
                    kind: self.world.faults[fault].kind.name(),
                    window: window.map(|w| Window { end: w.end.min(end), ..w }),
                    touched_instances,
                    touched: touched_instances > 0
                        || (controller && window.is_some_and(|w| self.touches_controller(w))),
                }
            })
            .collect()
    }

    fn touches_controller(&self, window: Window) -> bool {
        match self.world.faults[window.fault].kind {
            FaultKind::ReconcilerPause => window
                .start
                .checked_next_multiple_of(self.world.tick_interval)
                .is_some_and(|tick| tick < window.end && tick <= self.clock),
            FaultKind::ArchivePreviousVersion => self.world.settings.previous.is_some(),
            _ => true,
        }
    }

    /// How many planned instances a fault made a difference to.
    fn touched(&mut self, window: Window, end: u64) -> u32 {
        let fault = &self.world.faults[window.fault];
        if !fault.is_about_instances() {
            return 0;
        }
        let until = window.end.min(end.saturating_add(1));
        let mut touched = 0;
        for position in 0..self.world.total() {
            let (member, orders) = self.commands_of(position);
            if !fault.hits(&member) || window.start >= until {
                continue;
            }
            let scene = self.scene();
            let hit = match fault.kind {
                FaultKind::Kill => true,
                FaultKind::Slow { .. } | FaultKind::RegistryOutage => {
                    let starts = matches!(fault.kind, FaultKind::Slow { .. });
                    Life::new(scene, member, orders, until).any(|segment| {
                        segment.doing == Doing::Upgrading
                            && segment.to > window.start
                            && (!starts || segment.from >= window.start)
                    })
                }
                _ => {
                    heartbeats::any_sent(&scene, &member, window.start, until)
                        || (matches!(fault.kind, FaultKind::Partition)
                            && orders.iter().flatten().any(|order| window.holds(order.at)))
                }
            };
            touched += u32::from(hit);
        }
        touched
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

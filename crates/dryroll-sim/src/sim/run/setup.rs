//! The beginning of a run: a simulator, its scenario, and a replicate of it.

use super::listening::Listening;
use super::{Control, DRAWN_TOGETHER, Expected, PerDirection, Simulator, Tally, Turn};
use crate::scenario::FaultKind;
use crate::sim::compiled::CompiledScenario;
use crate::sim::draws::{Draws, Key};
use crate::sim::importance_sampler::ImportanceSampler;
use crate::sim::known::{Known, Near};
use crate::sim::observer::Observer;
use crate::sim::operator::Operator;
use crate::sim::queue::Queue;
use crate::sim::shared::Shared;
use crate::sim::truth::Ledger;
use dryroll_engine::fleet::At;
use dryroll_engine::{Direction, Engine, EventKind, Journal, Recording, Ticks};

fn new_engine(compiled: &CompiledScenario) -> Engine {
    let ticks = Ticks::every(compiled.tick_interval);
    Engine::new(compiled.plan.clone(), compiled.settings.clone(), ticks, Recording::Nothing)
}

impl<'w> Simulator<'w> {
    /// A simulator with empty buffers.
    #[must_use]
    pub fn new(compiled: &'w CompiledScenario) -> Self {
        Self {
            compiled,
            shared: Shared::default(),
            engine: new_engine(compiled),
            draws: Draws::new(compiled.seed, 0),
            commands: PerDirection::default(),
            first_deaths: Vec::new(),
            expected: Expected::default(),
            orders: Vec::new(),
            retries: Vec::new(),
            queue: Queue::default(),
            listening: Listening::default(),
            sampler: None,
            drawn: Vec::with_capacity(DRAWN_TOGETHER),
            ledger: Ledger::default(),
            control: Control::new(Operator::simulated(), compiled.horizon),
            known: Known::default(),
            near: Near::calm(),
            triggered: vec![false; compiled.faults.len()],
            journal: None,
            rebuilt_from: None,
            previous_gone: false,
            clock: At::ZERO,
            turn: Turn::Fault,
            turn_position: 0,
            direction: Direction::Forward,
            tally: Tally::default(),
            zones: Key(0),
            operator_key: Key(0),
            replicate: 0,
        }
    }

    /// Takes another scenario, and keeps the buffers.
    pub fn turn_to(&mut self, compiled: &'w CompiledScenario) {
        if !std::ptr::eq(self.compiled, compiled) {
            self.compiled = compiled;
            self.engine = new_engine(compiled);
            self.triggered.clear();
            self.triggered.resize(compiled.faults.len(), false);
        }
    }

    /// A simulator whose outcomes an importance sampler draws. Its metrics are those of another law: weigh them.
    #[must_use]
    pub fn steered(compiled: &'w CompiledScenario, sampler: ImportanceSampler) -> Self {
        Self { sampler: Some(sampler), ..Self::new(compiled) }
    }

    /// A simulator whose requests a real person answers, by [`answer_at`](Self::answer_at).
    #[must_use]
    pub fn drill(compiled: &'w CompiledScenario) -> Self {
        Self { control: Control::new(Operator::manual(), compiled.horizon), ..Self::new(compiled) }
    }

    /// The importance sampler, as the last step left it.
    #[must_use]
    pub fn sampler(&self) -> Option<&ImportanceSampler> {
        self.sampler.as_ref()
    }

    /// Sets a replicate up and hands the engine its request.
    pub fn begin<O: Observer>(&mut self, replicate: u64, observer: &mut O) {
        let compiled = self.compiled;
        let wanted = self.recording(observer);
        self.replicate = replicate;
        self.draws = Draws::new(compiled.seed, replicate);
        compiled.share(&mut self.draws, &mut self.shared);
        self.engine.reset();
        self.engine.record(wanted);
        self.commands.forward.clear();
        self.commands.rollback.clear();
        self.retries.clear();
        self.direction = Direction::Forward;
        self.first_deaths.clear();
        self.expected.begin();
        self.queue.clear();
        self.control.begin(compiled.horizon);
        self.known.clear(compiled.faults.len());
        self.near.clear();
        self.triggered.fill(false);
        for fault in 0..compiled.faults.len() {
            if let Some(window) = compiled.faults[fault].known_window(fault) {
                self.open_window(window);
            }
        }
        self.known.sort();
        let crashes = compiled.faults.iter().any(|fault| matches!(fault.kind, FaultKind::ReconcilerCrash));
        self.journal = crashes.then(|| Journal::new(compiled.plan.clone(), compiled.settings.clone()));
        self.rebuilt_from = None;
        self.previous_gone = false;
        self.clock = At::ZERO;
        self.tally.clear();
        self.zones = if compiled.zone_law.is_some() { self.draws.zones() } else { Key(0) };
        self.operator_key = if compiled.operator.draws() { self.draws.operator() } else { Key(0) };
        if let Some(sampler) = &mut self.sampler {
            sampler.begin(self.draws.sampler());
        }
        // Faults of the first millisecond come before the request, which is the operator's act.
        while self.control.boundary() == Some(At::ZERO) {
            self.act_on_boundary(At::ZERO, observer);
        }
        self.turn = Turn::Operator;
        if !self.control.is_away() {
            self.feed_request(At::ZERO, observer);
        }
    }

    fn recording(&self, observer: &impl Observer) -> Recording {
        let mut wanted = observer.recording();
        for fault in &self.compiled.faults {
            let needed = match (&fault.kind, fault.trigger()) {
                (FaultKind::ReconcilerCrash, _) => Recording::Journal,
                (_, Some(EventKind::InstanceStarted | EventKind::InstanceHealthCheck)) => Recording::Everything,
                (_, Some(_)) => Recording::Milestones,
                (_, None) => Recording::Nothing,
            };
            wanted = wanted.max(needed);
        }
        wanted
    }
}

//! A run that a person operates: it advances on request, and takes answers.

use super::{Asked, Decision, DrillError, HeartbeatSummary, Recorded};
use dryroll_engine::fleet::At;
use dryroll_engine::{Answer, Engine, Event, Recording, RequestKind};
use dryroll_sim::sim::{CompiledScenario, FaultEffect, Metrics, Observer, Simulator};

/// One rollout of one replicate, with a real person as its operator.
#[derive(Debug)]
pub struct Drill<'w> {
    simulator: Simulator<'w>,
    clock: At,
    asked: Option<Asked>,
    /// The request that was open at the end.
    unanswered: Option<Asked>,
    decisions: Vec<Decision>,
    is_underway: bool,
}

/// An observer that counts events.
struct Counted<'a, O> {
    observer: &'a mut O,
    events: u64,
}

impl<O: Observer> Observer for Counted<'_, O> {
    fn recording(&self) -> Recording {
        self.observer.recording()
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        self.events += 1;
        self.observer.event(engine, event);
    }
}

impl<'w> Drill<'w> {
    /// Opens a drill: the upgrade is requested, and a request to the person may be open already.
    pub fn new<O: Observer>(compiled: &'w CompiledScenario, replicate: u64, observer: &mut O) -> Self {
        let mut simulator = Simulator::drill(compiled);
        simulator.begin(replicate, &mut Counted { observer, events: 0 });
        let mut drill = Self {
            simulator,
            clock: At::ZERO,
            asked: None,
            unanswered: None,
            decisions: Vec::new(),
            is_underway: false,
        };
        drill.look_for_request();
        drill
    }

    /// The current moment of the drill.
    #[must_use]
    pub fn clock(&self) -> At {
        self.clock
    }

    /// The engine: everything that an operator may know.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        self.simulator.engine()
    }

    /// The simulator; its ground truth is for after the drill.
    #[must_use]
    pub fn simulator(&mut self) -> &mut Simulator<'w> {
        &mut self.simulator
    }

    /// The compiled scenario.
    #[must_use]
    pub fn compiled(&self) -> &'w CompiledScenario {
        self.simulator.compiled()
    }

    /// The heartbeat summary at this moment.
    pub fn call_roll(&mut self) -> HeartbeatSummary {
        HeartbeatSummary::of(&mut self.simulator, self.clock)
    }

    /// The number of the replicate.
    #[must_use]
    pub fn replicate(&self) -> u64 {
        self.simulator.replicate()
    }

    /// The open request to the person.
    #[must_use]
    pub fn asked(&self) -> Option<Asked> {
        self.asked.filter(|_| !self.is_underway)
    }

    /// The decisions so far.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Whether the drill is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.engine().is_finished()
    }

    /// When the next thing happens without a decision; `None` when the drill is over.
    #[must_use]
    pub fn next_at(&self) -> Option<At> {
        self.simulator.next_at()
    }

    /// Whether, without a decision, the request can only expire or the run be given up.
    #[must_use]
    pub fn waits_for_person(&self) -> bool {
        self.asked().is_some() && self.simulator.only_gives_up()
    }

    /// Runs everything that is due by `to`.
    pub fn advance_to<O: Observer>(&mut self, to: At, observer: &mut O) {
        while self.next_at().is_some_and(|at| at <= to) && self.step(observer).is_some() {}
        if !self.is_over() {
            self.clock = self.clock.max(to);
        }
    }

    /// Advances to the next event that the first observer asked for, and returns how many events happened at once.
    ///
    /// # Errors
    /// When the drill is over, or waits for the person.
    pub fn next_event<O: Observer>(&mut self, observer: &mut O) -> Result<u64, DrillError> {
        loop {
            if self.is_over() {
                return Err(DrillError::Over);
            }
            if self.waits_for_person() {
                return Err(DrillError::WaitsForYou);
            }
            match self.step(observer) {
                Some(0) => {}
                Some(events) => return Ok(events),
                None => return Err(DrillError::Over),
            }
        }
    }

    /// Advances until a request is open, or the drill is over.
    ///
    /// # Errors
    /// When the drill is over already, or a request is open.
    pub fn next_decision<O: Observer>(&mut self, observer: &mut O) -> Result<(), DrillError> {
        if self.is_over() {
            return Err(DrillError::Over);
        }
        if self.asked().is_some() {
            return Err(DrillError::WaitsForYou);
        }
        while self.asked().is_none() && self.step(observer).is_some() {}
        Ok(())
    }

    /// Runs to the end without further answers.
    pub fn finish<O: Observer>(&mut self, observer: &mut O) {
        while self.step(observer).is_some() {}
    }

    /// Answers the open request now.
    ///
    /// # Errors
    /// When no request is open, or it does not offer this answer; nothing is changed then.
    pub fn answer<O: Observer>(&mut self, answer: Answer, observer: &mut O) -> Result<(), DrillError> {
        let pending = self.asked.map(|asked| asked.kind);
        if let Answer::Edit(edit) = answer
            && edit.batch_pct.is_none()
            && edit.max_consecutive_failures.is_none()
            && pending == Some(RequestKind::RollingUpgrade)
        {
            return Err(DrillError::Edit);
        }
        self.simulator
            .answer_at(self.clock, answer)
            .map_err(|error| DrillError::of_answer(error, pending, self.is_underway))?;
        if let Some(asked) = self.asked {
            self.decisions.push(Decision { asked, at: self.clock, answer });
            self.is_underway = true;
        }
        self.advance_to(self.clock, observer);
        Ok(())
    }

    /// Replays recorded decisions, and runs to the end.
    ///
    /// # Errors
    /// At the first decision that does not fit; the run has then advanced up to it.
    pub fn play<O: Observer>(&mut self, decisions: &[Recorded], observer: &mut O) -> Result<(), DrillError> {
        for (place, decision) in decisions.iter().enumerate() {
            let wrong = |why: String| DrillError::does_not_fit(place + 1, decision, why);
            while self.asked().is_none_or(|asked| self.waits_until_void(asked, decision)) {
                if self.step(observer).is_none() {
                    let outcome = self.engine().outcome().map_or("over", |outcome| outcome.name());
                    return Err(wrong(format!("no request is open: the rollout is {outcome} at {} ms", self.clock.0)));
                }
            }
            let Some(asked) = self.asked() else { continue };
            if asked.kind != decision.kind {
                use RequestKind::{Promotion, RollbackContinuation, RollingUpgradeContinuation};
                return Err(wrong(match (asked.kind, decision.kind) {
                    (RollbackContinuation, RollingUpgradeContinuation) => format!(
                        "it is the rollback that tripped, at {} ms; a decision on that has \"of_rollback\": true",
                        asked.at.0
                    ),
                    (RollingUpgradeContinuation, RollbackContinuation) => format!(
                        "it is the rollout that tripped, at {} ms, and not the rollback; a decision on that has no of_rollback",
                        asked.at.0
                    ),
                    (Promotion, RollingUpgradeContinuation) => format!(
                        "a promotion is asked for, at {} ms; a decision on that has \"of_promotion\": true",
                        asked.at.0
                    ),
                    (RollingUpgradeContinuation, Promotion) => format!(
                        "it is a trip that asks, at {} ms, and not a promotion; a decision on that has no of_promotion",
                        asked.at.0
                    ),
                    _ => format!(
                        "a {} is asked for, at {} ms; allowed: {}",
                        asked.kind.type_name(),
                        asked.at.0,
                        asked.kind.option_names().join(", ")
                    ),
                }));
            }
            if let Some(recorded) = decision.asked_at.filter(|&recorded| recorded != asked.at) {
                return Err(wrong(format!(
                    "its question was asked at {} ms, and here it is asked at {} ms; without asked_at_ms it is played",
                    recorded.0, asked.at.0
                )));
            }
            if decision.at < self.clock {
                return Err(wrong(format!("it is asked for at {} ms only", asked.at.0)));
            }
            // What is due at the same moment as an answer comes before it only by the order of turns.
            if decision.at.0 > 0 {
                self.advance_to(At(decision.at.0 - 1), observer);
            }
            if self.asked() != Some(asked) {
                return Err(wrong("its request is no longer open".to_owned()));
            }
            self.clock = self.clock.max(decision.at);
            self.answer(decision.answer, observer).map_err(|error| wrong(error.to_string()))?;
        }
        self.finish(observer);
        Ok(())
    }

    /// Whether a recorded decision is not about an open promotion: the person let it wait until a trip made it void.
    fn waits_until_void(&self, asked: Asked, decision: &Recorded) -> bool {
        let is_of_another =
            decision.kind != asked.kind || decision.asked_at.is_some_and(|recorded| recorded > asked.at);
        asked.kind == RequestKind::Promotion && is_of_another && self.next_at().is_some_and(|next| next <= decision.at)
    }

    /// The request that was open at the end of the drill: it expired, or the run was given up.
    #[must_use]
    pub fn unanswered(&self) -> Option<Asked> {
        self.unanswered.filter(|_| self.is_over())
    }

    /// The metrics of a finished drill, and the effects of its faults.
    pub fn settle(&mut self) -> (Metrics, Vec<FaultEffect>) {
        let metrics = self.simulator.settle();
        (metrics, self.simulator.fault_effects())
    }

    /// Takes one step of the simulator; returns the number of its events, `None` when the drill is over.
    fn step<O: Observer>(&mut self, observer: &mut O) -> Option<u64> {
        let mut counted = Counted { observer, events: 0 };
        let went_on = self.simulator.step(&mut counted);
        let events = counted.events;
        self.clock = self.clock.max(self.simulator.clock());
        self.look_for_request();
        (went_on || events > 0).then_some(events)
    }

    /// Updates the open request. An edit that was taken opens its request again.
    fn look_for_request(&mut self) {
        let pending = self.simulator.engine().pending_request();
        let taken = self.is_underway && !self.simulator.is_answered();
        match (pending, self.asked) {
            (Some((request, _)), Some(asked)) if request == asked.request && !taken => {}
            (Some((request, kind)), _) => {
                self.asked = Some(Asked { request, kind, at: self.simulator.clock() });
                self.is_underway = false;
            }
            (None, _) => {
                // A promotion that a rule made void was not open at the end.
                if let Some(asked) = self.asked() {
                    self.unanswered = Some(asked).filter(|_| self.is_over());
                }
                self.asked = None;
                self.is_underway = false;
            }
        }
    }
}

//! What watches every drill, however it is shown: for the debrief, and for whoever asked for the events.

use crate::drill::{Drill, score};
use crate::engine::{Engine, Event, Recording};
use crate::report::timeline::BreakerCount;
use crate::report::{Chronicle, DrillReport, EventLog, Output};
use crate::scenario::Scenario;
use crate::sim::Observer;

/// Notes batches, trips and the breaker's count, and writes the event log.
pub struct Watch<'a> {
    chronicle: Chronicle,
    breaker: BreakerCount,
    log: Option<EventLog<'a, Output>>,
}

impl<'a> Watch<'a> {
    /// A watch over a scenario's drill, with a log of its events if there is an output for it.
    pub fn new(scenario: &'a Scenario, events: Option<Output>) -> Self {
        let log = events.map(|output| EventLog::new(scenario, output));
        Self { chronicle: Chronicle::default(), breaker: BreakerCount::default(), log }
    }

    /// The debrief of a drill that is over.
    pub fn debrief(&self, scenario: &Scenario, drill: &mut Drill<'_>) -> DrillReport {
        let judgement = score::judge(drill.world(), drill);
        DrillReport::new(scenario, drill, &self.chronicle, &self.breaker, &judgement)
    }

    /// What it wrote.
    pub fn into_log(self) -> Option<EventLog<'a, Output>> {
        self.log
    }
}

impl Observer for Watch<'_> {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        self.chronicle.event(engine, event);
        self.breaker.event(engine, event);
        self.log.event(engine, event);
    }
}

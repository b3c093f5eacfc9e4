//! The observer of every drill, on whichever display: for the debrief and the event log.

use dryroll_engine::{Engine, Event, Recording};
use dryroll_report::build::timeline::BreakerCount;
use dryroll_report::events::chronicle::Chronicle;
use dryroll_report::events::log::EventLog;
use dryroll_report::files::output::Output;
use dryroll_report::model::drill::DrillReport;
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::Observer;
use dryroll_study::drill::{Drill, score};

/// Records batches, trips and the breaker's count, and writes the event log.
pub struct Watch<'a> {
    chronicle: Chronicle,
    breaker: BreakerCount,
    log: Option<EventLog<'a, Output>>,
}

impl<'a> Watch<'a> {
    /// An observer of a scenario's drill, with an event log if there is an output for it.
    pub fn new(scenario: &'a Scenario, events: Option<Output>) -> Self {
        let log = events.map(|output| EventLog::new(scenario, output));
        Self { chronicle: Chronicle::default(), breaker: BreakerCount::default(), log }
    }

    /// The debrief of a drill that is over.
    pub fn debrief(&self, scenario: &Scenario, drill: &mut Drill<'_>) -> DrillReport {
        let judgement = score::judge(drill.compiled(), drill);
        DrillReport::new(scenario, drill, &self.chronicle, &self.breaker, &judgement)
    }

    /// The event log, if there is one.
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

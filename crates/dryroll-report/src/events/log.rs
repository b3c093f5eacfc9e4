//! The event log: one JSON object a line, as the events happen.

use std::io::{self, Write};

use dryroll_engine::{Engine, Event, EventLine, EventNames, Recording};
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::Observer;

/// The names that event lines of a scenario's runs need.
#[must_use]
pub fn event_names(scenario: &Scenario) -> EventNames<'_> {
    EventNames {
        instances: scenario.fleet.names(),
        target: scenario.target().id.raw(),
        previous: scenario.previous().map_or("", |version| version.id.raw()),
    }
}

/// Writes every event of a run as a line of NDJSON.
#[derive(Debug)]
pub struct EventLog<'a, W> {
    names: EventNames<'a>,
    out: W,
    error: Option<io::Error>,
}

impl<'a, W: Write> EventLog<'a, W> {
    /// A log of a scenario's run.
    pub fn new(scenario: &'a Scenario, out: W) -> Self {
        Self { names: event_names(scenario), out, error: None }
    }

    /// What it was written to.
    ///
    /// # Errors
    /// The first error that writing met; nothing was written after it.
    pub fn into_inner(self) -> Result<W, (W, io::Error)> {
        match self.error {
            Some(error) => Err((self.out, error)),
            None => Ok(self.out),
        }
    }

    fn line(&mut self, event: &Event) -> io::Result<()> {
        dryroll_sim::json::write(&mut self.out, &EventLine { event, names: self.names })?;
        self.out.write_all(b"\n")
    }
}

impl<W: Write> Observer for EventLog<'_, W> {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, _: &Engine, event: &Event) {
        if self.error.is_none() {
            self.error = self.line(event).err();
        }
    }
}

//! What happened since the last look: event lines, and the positions to look at again.

use dryroll_engine::{Engine, Event, EventBody, EventLine, EventNames, Recording};
use dryroll_report::events::chronicle::Chronicle;
use dryroll_sim::sim::Observer;

/// Notes what browsers will show, and passes everything on.
#[derive(Debug)]
pub struct Seen<'a, O> {
    inner: O,
    names: EventNames<'a>,
    chronicle: Chronicle,
    lines: String,
    touched: Vec<u32>,
}

/// What was noted.
#[derive(Debug)]
pub struct Noted {
    /// Event lines.
    pub lines: String,
    /// Positions whose cells may have changed.
    pub touched: Vec<u32>,
}

impl<'a, O> Seen<'a, O> {
    /// Passes on to `inner`.
    pub fn new(inner: O, names: EventNames<'a>) -> Self {
        Self { inner, names, chronicle: Chronicle::default(), lines: String::new(), touched: Vec::new() }
    }

    /// Batches and trips so far.
    pub fn chronicle(&self) -> &Chronicle {
        &self.chronicle
    }

    /// What was noted since this was asked last.
    pub fn take(&mut self) -> Noted {
        Noted { lines: std::mem::take(&mut self.lines), touched: std::mem::take(&mut self.touched) }
    }

    /// The observer that everything was passed on to.
    pub fn into_inner(self) -> O {
        self.inner
    }
}

impl<O: Observer> Observer for Seen<'_, O> {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        self.inner.event(engine, event);
        self.chronicle.event(engine, event);
        let order = &engine.plan().order;
        match event.body {
            EventBody::InstanceStarted { instance, .. }
            | EventBody::InstanceHealthCheck { instance, .. }
            | EventBody::InstanceRelapsed { instance, .. } => self.touched.extend(order.position(instance)),
            // Whatever was dispatched is to go back.
            EventBody::RollbackStarted { .. } => self.touched.extend(0..order.len()),
            _ => {}
        }
        if let Ok(line) = serde_json::to_string(&EventLine { event, names: self.names }) {
            self.lines.push_str(&line);
            self.lines.push('\n');
        }
    }
}

//! An observer that keeps every event.

use dryroll::engine::{Engine, Event, Recording};
use dryroll::sim::Observer;

/// Every event, in order.
#[derive(Debug, Default)]
pub struct Events(pub Vec<Event>);

impl Observer for Events {
    fn recording(&self) -> Recording {
        Recording::Everything
    }
    fn event(&mut self, _: &Engine, event: &Event) {
        self.0.push(event.clone());
    }
}

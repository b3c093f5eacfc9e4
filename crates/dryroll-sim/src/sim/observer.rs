//! Observers of a run. Events that no observer asks for are not recorded.

use dryroll_engine::{Engine, Event, Recording};

/// Watches a run.
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

/// Two observers: each also receives the events that only the other asked for.
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

//! What the checks share: the text, what was found so far, and the ids that exist.

use std::ops::Range;

use super::super::diagnostic::{Diagnostic, Lines, Source};
use super::super::error::Diagnostics;
use super::super::limits::MAX_DIAGNOSTICS;
use super::super::{Scenario, VersionIndex, VersionSpec};
use dryroll_engine::fleet::{InstanceNames, Span};

/// Collects what is wrong: the first things one by one, the others counted.
#[derive(Debug)]
pub(in crate::scenario) struct Reports<'a> {
    source: Source<'a>,
    shown: Vec<Diagnostic>,
    more: usize,
}

impl<'a> Reports<'a> {
    pub fn new(source: Source<'a>) -> Self {
        Self { source, shown: Vec::new(), more: 0 }
    }

    /// Adds one thing. What is beyond the limit is counted and never made, so that a file of junk
    /// costs no more than one of few errors.
    pub fn add(&mut self, span: Range<usize>, make: impl FnOnce(Mark<'_>) -> Diagnostic) {
        if self.shown.len() < MAX_DIAGNOSTICS {
            self.shown.push(make(Mark { source: &self.source, span }));
        } else {
            self.more += 1;
        }
    }

    /// Counts the lines of its text.
    pub fn lines(&self) -> Lines<'a> {
        Lines::new(self.source.text)
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// What was checked, if nothing is wrong with it.
    pub fn instead_of<T>(self, checked: T) -> Result<T, Diagnostics> {
        if self.is_empty() { Ok(checked) } else { Err(self.finish()) }
    }

    /// All of it, in the order of the file.
    pub fn finish(mut self) -> Diagnostics {
        self.shown.sort_by_key(|diagnostic| (diagnostic.line(), diagnostic.column()));
        Diagnostics { shown: self.shown, more: self.more }
    }
}

/// A place that something is to be said about.
#[derive(Debug)]
pub(in crate::scenario) struct Mark<'a> {
    source: &'a Source<'a>,
    span: Range<usize>,
}

impl Mark<'_> {
    /// Makes a diagnostic at this place.
    pub fn say(self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.source, self.span, message)
    }
}

/// What the checks of meaning know.
#[derive(Debug)]
pub(super) struct Context<'a, 'v> {
    pub reports: Reports<'a>,
    /// The names of the fleet's instances.
    pub names: InstanceNames,
    /// How many instances the fleet has.
    pub instances: u32,
    /// How many zones the fleet has.
    pub zones: u32,
    /// Between two heartbeats.
    pub heartbeat_interval: Span,
    /// The versions.
    pub versions: &'v [VersionSpec],
    /// The version to roll out; `None` if the file's does not exist, which is already reported.
    pub target: Option<VersionIndex>,
}

impl<'a, 'v> Context<'a, 'v> {
    /// Of a scenario that is checked.
    pub fn of(reports: Reports<'a>, scenario: &'v Scenario) -> Self {
        Self {
            reports,
            names: scenario.fleet.names(),
            instances: scenario.fleet.instances,
            zones: scenario.fleet.zones,
            heartbeat_interval: scenario.fleet.heartbeat_interval,
            versions: &scenario.versions,
            target: Some(scenario.rollout.target),
        }
    }
}

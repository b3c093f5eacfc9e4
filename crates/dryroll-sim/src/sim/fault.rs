//! Injected faults: when each holds, and which instances it hits.

use super::compiled::Member;
use super::name::Name;
use super::next_at::NextAt;
use super::sampler::Sampler;
use crate::scenario::{FaultKind, FaultSpec, FaultStart, Target};
use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Event, EventKind};

/// A fault of the scenario, ready to be injected.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What it does.
    pub kind: FaultKind,
    /// When it starts.
    pub start: FaultStart,
    /// By how much it delays heartbeats, if it does.
    pub delay: Option<Sampler>,
    duration: Option<Span>,
    target: Target,
    /// From its kind and its start: a longer or a larger one hits the same instances, a larger share contains a smaller
    /// one.
    key: u64,
}

/// A fault that holds in `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Which of the scenario's faults.
    pub fault: usize,
    /// Its first millisecond.
    pub start: At,
    /// The first one after it; never, where it holds for good.
    pub end: NextAt,
}

impl Window {
    /// Whether it holds at a moment.
    #[must_use]
    pub fn holds(&self, at: At) -> bool {
        self.start <= at && self.end > at
    }
}

impl Fault {
    /// How long it holds, where it does not hold for a moment or for good.
    #[must_use]
    pub fn duration(&self) -> Option<Span> {
        self.duration
    }

    /// Makes a fault ready.
    pub fn new(spec: &FaultSpec) -> Self {
        let delay = match &spec.kind {
            FaultKind::DelayHeartbeats { by } => Some(Sampler::new(by)),
            _ => None,
        };
        Self {
            kind: spec.kind.clone(),
            start: spec.start.clone(),
            delay,
            duration: spec.duration,
            target: spec.target.clone(),
            key: Name::Fault(spec.kind.name(), &spec.start).key(),
        }
    }

    /// Whether a heartbeat can arrive later for it.
    pub fn delays_heartbeats(&self) -> bool {
        self.delay.as_ref().is_some_and(|delay| !delay.is_zero())
    }

    /// Which instances are meant.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether a member is meant.
    pub fn hits(&self, member: &Member<'_>) -> bool {
        self.target.selects(member.n, member.zone, member.block.membership, self.key)
    }

    /// A word of the fault's own for a member's heartbeat.
    pub fn word(&self, member: &Member<'_>, beat: u64) -> u64 {
        member.block.membership.child(self.key).word(beat)
    }

    /// Whether it changes what instances do or what is heard of them; the others are about the controller.
    pub fn is_about_instances(&self) -> bool {
        !matches!(
            self.kind,
            FaultKind::ReconcilerPause | FaultKind::ReconcilerCrash | FaultKind::ArchivePreviousVersion
        )
    }

    /// The event kind that sets it off, if one does.
    pub fn trigger(&self) -> Option<EventKind> {
        match self.start {
            FaultStart::At(_) => None,
            FaultStart::After { event, .. } => Some(event),
        }
    }

    /// When it holds if it starts at a known moment.
    pub fn known_window(&self, fault: usize) -> Option<Window> {
        match self.start {
            FaultStart::At(at) => Some(self.window(fault, At::ZERO + at)),
            FaultStart::After { .. } => None,
        }
    }

    /// When it holds if this event sets it off. The millisecond of the event is past the turn of the faults, so the
    /// earliest is the next one.
    pub fn window_after(&self, fault: usize, event: &Event) -> Option<Window> {
        let FaultStart::After { event: kind, batch_index, delay } = self.start else { return None };
        if event.body.kind() != kind || (batch_index.is_some() && batch_index != event.body.batch_index()) {
            return None;
        }
        Some(self.window(fault, event.at + delay.max(Span(1))))
    }

    fn window(&self, fault: usize, start: At) -> Window {
        Window { fault, start, end: self.duration.map(|duration| start + duration).into() }
    }
}

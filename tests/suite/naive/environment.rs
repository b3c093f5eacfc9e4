//! External causes: random outages, listed in advance, and injected faults.

use std::collections::BTreeSet;

use super::coverage::{saw, saw_if};
use dryroll::engine::Event;
use dryroll::fleet::{At, Span};
use dryroll::scenario::{FaultKind, FaultSpec, FaultStart};
use dryroll::sim::CompiledScenario;
use dryroll::sim::compiled::Member;
use dryroll::sim::draws::{Draws, Key};
use dryroll::sim::outages::OutageLaw;

/// `[start, end)` in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Interval {
    start: u64,
    end: u64,
}

impl Interval {
    fn holds(&self, at: u64) -> bool {
        self.start <= at && at < self.end
    }
}

/// Everything that is not the controller's doing.
pub struct Environment<'c> {
    compiled: &'c CompiledScenario,
    specs: &'c [FaultSpec],
    flaps: Vec<Vec<Interval>>,
    deaths: Vec<Vec<Interval>>,
    zones: Vec<Vec<Interval>>,
    /// By fault; `None`: not set off yet.
    windows: Vec<Option<Interval>>,
    /// Moments at which any of it begins or ends.
    boundaries: BTreeSet<u64>,
}

/// Every outage of one element up to a moment.
fn history(law: Option<&OutageLaw>, key: Key, until: u64) -> Vec<Interval> {
    let Some(law) = law else { return Vec::new() };
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(outage) = law.next(key, At(from), At(until)) {
        found.push(Interval { start: outage.start.0, end: outage.end.0 });
        from = outage.end.0;
    }
    found
}

impl<'c> Environment<'c> {
    /// Lists all chance outages that begin before `until`, and opens the faults whose moment is known.
    pub fn new(
        compiled: &'c CompiledScenario,
        specs: &'c [FaultSpec],
        members: &[Member<'c>],
        draws: &mut Draws,
        until: u64,
    ) -> Self {
        let zones = draws.zones();
        let mut environment = Self {
            compiled,
            specs,
            flaps: members.iter().map(|m| history(m.flaps, m.block.flaps, until)).collect(),
            deaths: members.iter().map(|m| history(compiled.death_law.as_ref(), m.block.deaths, until)).collect(),
            zones: (0..compiled.zones)
                .map(|zone| history(compiled.zone_law.as_ref(), zones.child(u64::from(zone)), until))
                .collect(),
            windows: vec![None; specs.len()],
            boundaries: BTreeSet::new(),
        };
        for interval in environment.flaps.iter().chain(&environment.deaths).chain(&environment.zones).flatten() {
            environment.boundaries.extend([interval.start, interval.end]);
        }
        for (fault, spec) in specs.iter().enumerate() {
            if let FaultStart::At(at) = spec.start {
                environment.open(fault, at.0);
            }
        }
        environment
    }

    fn open(&mut self, fault: usize, start: u64) {
        let end = self.specs[fault].duration.map_or(u64::MAX, |Span(duration)| start + duration);
        saw(self.specs[fault].kind.name());
        self.boundaries.extend([start, end]);
        self.windows[fault] = Some(Interval { start, end });
    }

    /// Sets off the faults that wait for such an event.
    pub fn notice(&mut self, event: &Event) {
        for fault in 0..self.specs.len() {
            let FaultStart::After { event: kind, batch_index, delay } = self.specs[fault].start else { continue };
            let right_batch = batch_index.is_none() || batch_index == event.body.batch_index();
            if self.windows[fault].is_none() && kind == event.body.kind() && right_batch {
                self.open(fault, (event.at.0 + delay.0).max(event.at.0 + 1));
            }
        }
    }

    /// The next moment at which anything begins or ends.
    pub fn next_boundary(&self, after: u64) -> Option<u64> {
        self.boundaries.range(after + 1..).next().copied()
    }

    /// The faults in force at a moment.
    fn in_force(&self, at: u64) -> impl Iterator<Item = usize> {
        (0..self.windows.len()).filter(move |&fault| self.windows[fault].is_some_and(|window| window.holds(at)))
    }

    fn hit_by(&self, member: &Member<'_>, at: u64, kind: &FaultKind) -> bool {
        self.in_force(at).any(|fault| self.specs[fault].kind == *kind && self.compiled.faults[fault].hits(member))
    }

    fn any_in_force(&self, at: u64, kind: &FaultKind) -> bool {
        self.in_force(at).any(|fault| self.specs[fault].kind == *kind)
    }

    /// Whether the network between a planned instance and the controller is up.
    pub fn network_up(&self, position: usize, member: &Member<'_>, at: u64) -> bool {
        let flapping = self.flaps[position].iter().any(|outage| outage.holds(at));
        let zone_out = self.zones[member.zone as usize].iter().any(|outage| outage.holds(at));
        !flapping && !zone_out && !self.hit_by(member, at, &FaultKind::Partition)
    }

    /// Whether a planned instance is killed, by a fault or by chance.
    pub fn killed(&self, position: usize, member: &Member<'_>, at: u64) -> bool {
        self.deaths[position].iter().any(|death| death.holds(at)) || self.hit_by(member, at, &FaultKind::Kill)
    }

    /// Whether upgrades of the instance stand still.
    pub fn registry_out(&self, member: &Member<'_>, at: u64) -> bool {
        self.hit_by(member, at, &FaultKind::RegistryOutage)
    }

    /// How long an upgrade takes that starts at a moment.
    pub fn upgrade_length(&self, member: &Member<'_>, at: u64, drawn: u64) -> u64 {
        let mut factor = 1.0;
        for fault in self.in_force(at) {
            if let FaultKind::Slow { factor: slower } = self.specs[fault].kind
                && self.compiled.faults[fault].hits(member)
            {
                factor *= slower;
            }
        }
        saw_if(factor != 1.0, "an upgrade was slowed down");
        ((drawn as f64 * factor).round() as u64).max(1)
    }

    /// By how much faults delay heartbeat `beat`, sent at a moment.
    pub fn extra_delay(&self, member: &Member<'_>, at: u64, beat: u64) -> u64 {
        self.in_force(at)
            .map(|fault| &self.compiled.faults[fault])
            .filter(|fault| fault.hits(member))
            .filter_map(|fault| fault.delay.as_ref().map(|by| by.draw(fault.word(member, beat)).0))
            .sum()
    }

    /// Whether heartbeats sent at a moment arrive twice.
    pub fn duplicates(&self, member: &Member<'_>, at: u64) -> bool {
        self.hit_by(member, at, &FaultKind::DuplicateHeartbeats)
    }

    /// Whether the reconciler skips its ticks.
    pub fn paused(&self, at: u64) -> bool {
        self.any_in_force(at, &FaultKind::ReconcilerPause)
    }

    /// Whether the controller is dead.
    pub fn away(&self, at: u64) -> bool {
        self.any_in_force(at, &FaultKind::ReconcilerCrash)
    }

    /// Whether the previous version has been archived by then; it stays so.
    pub fn archived(&self, at: u64) -> bool {
        (0..self.windows.len()).any(|fault| {
            self.specs[fault].kind == FaultKind::ArchivePreviousVersion
                && self.windows[fault].is_some_and(|window| window.start <= at)
        })
    }
}

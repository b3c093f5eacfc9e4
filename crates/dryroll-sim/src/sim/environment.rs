//! The scene: what surrounds the instances in one replicate, so far as it is known. Network, machines, registry.
//!
//! Everything here is asked for, nothing is scheduled: "from when is the network up?", "when is it down next?".

use super::compiled::{CompiledScenario, Member};
use super::draws::{Key, unit};
use super::known::Near;
use super::outages::{Covering, Outage};
use super::sampler::Sampler;
use crate::scenario::FaultKind;
use dryroll_engine::fleet::Span;

/// What surrounds the instances.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// What is the same in every replicate.
    pub compiled: &'a CompiledScenario,
    /// What is known of the faults that hit the member who is asked about.
    pub near: &'a Near,
    /// The zones' outages.
    pub zones: Key,
}

impl Environment<'_> {
    /// The first moment at or after `at` when the member's network is up, and a moment up to which it surely stays up.
    #[inline]
    pub fn network_up_from(&self, member: &Member<'_>, at: u64) -> (u64, u64) {
        if at > self.compiled.end {
            return (u64::MAX, u64::MAX);
        }
        if self.compiled.zone_law.is_some() || !self.near.is_calm {
            let up = self.network_up_from_amid_outages(member, at);
            return (up, up);
        }
        match member.flaps {
            None => (at, u64::MAX),
            Some(law) => match law.covering(member.block.flaps, at) {
                Covering::UpUntil(until) => (at, until),
                // The next outage can begin where one ends, so look again.
                Covering::DownUntil(end) => self.network_up_from(member, end),
            },
        }
    }

    fn network_up_from_amid_outages(&self, member: &Member<'_>, at: u64) -> u64 {
        let mut up = at;
        loop {
            let before = up;
            if let Some(law) = member.flaps {
                up = law.covering(member.block.flaps, up).end_or(up);
            }
            if let Some(law) = &self.compiled.zone_law {
                up = law.covering(self.zones.child(u64::from(member.zone)), up).end_or(up);
            }
            up = self.near.partitions.end_of(up).unwrap_or(up);
            if up == before {
                return up;
            }
            if up > self.compiled.end {
                return u64::MAX;
            }
        }
    }

    /// The time of being dead that covers `from`, or the next one that starts before `until`: background deaths and
    /// kills, run together where they touch.
    pub fn dead_next(&self, member: &Member<'_>, from: u64, until: u64) -> Option<Outage> {
        let kills = &self.near.kills;
        let background =
            |from, until| self.compiled.death_law.as_ref().and_then(|law| law.next(member.block.deaths, from, until));
        let killed = kills.next(from).filter(|outage| outage.start < until);
        let mut dead = killed.into_iter().chain(background(from, until)).min_by_key(|outage| outage.start)?;
        loop {
            let mut end = kills.last_end(dead.end).unwrap_or(0).max(dead.end);
            if end < self.compiled.end
                && let Some(more) = background(end, end + 1)
            {
                end = more.end;
            }
            if end == dead.end || end >= self.compiled.end {
                return Some(Outage { end, ..dead });
            }
            dead.end = end;
        }
    }

    /// When an upgrade that starts at `start` and takes `length` by itself ends: slowed down, and held up while the
    /// registry is out.
    pub fn upgrade_end(&self, start: u64, length: u64) -> u64 {
        if self.near.is_calm {
            return start + length.max(1);
        }
        let mut slowed = length as f64;
        for window in &self.near.slows {
            if let FaultKind::Slow { factor } = self.compiled.faults[window.fault].kind
                && window.holds(start)
            {
                slowed *= factor;
            }
        }
        let mut left = Span::from_millis_f64(slowed).0.max(1);
        let mut at = start;
        // Progress up to the next outage of the registry, then on from where they all have ended.
        loop {
            if let Some(end) = self.near.registry.end_of(at) {
                if end == u64::MAX {
                    return u64::MAX;
                }
                at = end;
            }
            match self.near.registry.next(at) {
                Some(next) if next.start < at.saturating_add(left) => {
                    left -= next.start - at;
                    at = next.start;
                }
                _ => return at.saturating_add(left),
            }
        }
    }

    /// How long a heartbeat is under way; `None` where it is lost. The network is known to be up before `up_until`.
    #[inline]
    pub fn beat_delay(&self, member: &Member<'_>, beat: u64, sent: u64, up_until: u64) -> Option<u64> {
        const LOSS: u64 = 0;
        const DELAY: u64 = 1;
        if member.loss > 0.0 && unit(member.block.heartbeats.word(2 * beat + LOSS)) < member.loss {
            return None;
        }
        if sent >= up_until && self.network_up_from(member, sent).0 != sent {
            return None;
        }
        if !self.compiled.delays {
            return Some(0);
        }
        let mut delay = member.delay.draw(member.block.heartbeats.word(2 * beat + DELAY)).0;
        for window in self.near.delays.holding(sent) {
            let fault = &self.compiled.faults[window.fault];
            if let Some(by) = &fault.delay {
                delay += by.draw(fault.word(member, beat)).0;
            }
        }
        Some(delay)
    }

    /// Whether a heartbeat arrives twice.
    pub fn is_duplicated(&self, sent: u64) -> bool {
        self.near.duplicates.end_of(sent).is_some()
    }

    /// The first moment at which a heartbeat of the member was sent that can arrive at `at` or later.
    pub fn earliest_sent(&self, member: &Member<'_>, at: u64) -> u64 {
        if !self.compiled.delays {
            return at;
        }
        self.near.earliest_sent(&self.compiled.faults, at, member.delay.longest().0)
    }

    /// The shortest that a heartbeat of the member is under way which is sent from `from` on and before `until`.
    pub fn shortest_delay(&self, member: &Member<'_>, from: u64, until: u64) -> u64 {
        if !self.compiled.delays {
            return 0;
        }
        let throughout = self.near.delays.holding(from).filter(|window| window.end >= until);
        let by_faults = throughout.filter_map(|window| self.compiled.faults[window.fault].delay.as_ref());
        by_faults.chain([member.delay]).map(Sampler::shortest).fold(0, |sum, shortest| sum + shortest.0)
    }
}

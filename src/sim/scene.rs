//! The scene: what surrounds the instances in one replicate, so far as it is known. Network, machines, registry.
//!
//! Everything here is asked for, nothing is scheduled: "from when is the network up?", "when is it down next?".

use super::draws::{Key, unit};
use super::fault::Window;
use super::outages::{Covering, Outage};
use super::world::{Member, World};
use crate::fleet::Span;
use crate::scenario::FaultKind;

/// What surrounds the instances.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is the same in every replicate.
    pub world: &'a World,
    /// The faults that have begun or are known to begin.
    pub windows: &'a [Window],
    /// The zones' outages.
    pub zones: Key,
}

impl<'a> Scene<'a> {
    fn hitting(&self, member: &Member<'_>, wanted: fn(&FaultKind) -> bool) -> impl Iterator<Item = &'a Window> {
        let (world, member) = (self.world, *member);
        self.windows.iter().filter(move |window| {
            let fault = &world.faults[window.fault];
            wanted(&fault.kind) && fault.hits(&member)
        })
    }

    /// The first moment at or after `at` when the member's network is up, and a moment up to which it surely stays up.
    #[inline]
    pub fn network_up_from(&self, member: &Member<'_>, at: u64) -> (u64, u64) {
        if at > self.world.end {
            return (u64::MAX, u64::MAX);
        }
        if self.world.zone_law.is_some() || !self.windows.is_empty() {
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
            if let Some(law) = &self.world.zone_law {
                up = law.covering(self.zones.child(u64::from(member.zone)), up).end_or(up);
            }
            if !self.windows.is_empty() {
                for window in self.hitting(member, |kind| matches!(kind, FaultKind::Partition)) {
                    if window.holds(up) {
                        up = window.end;
                    }
                }
            }
            if up == before {
                return up;
            }
            if up > self.world.end {
                return u64::MAX;
            }
        }
    }

    /// The time of being dead that covers `from`, or the next one that starts before `until`: background deaths and
    /// kills, run together where they touch.
    pub fn dead_next(&self, member: &Member<'_>, from: u64, until: u64) -> Option<Outage> {
        let kills =
            || self.hitting(member, |kind| matches!(kind, FaultKind::Kill)).filter(|window| window.end > window.start);
        let background =
            |from, until| self.world.death_law.as_ref().and_then(|law| law.next(member.block.deaths, from, until));
        let mut dead = kills()
            .filter(|window| window.end > from && window.start < until)
            .map(|window| Outage { start: window.start, end: window.end })
            .chain(background(from, until))
            .min_by_key(|outage| outage.start)?;
        loop {
            let touching = kills().filter(|window| window.start <= dead.end).map(|window| window.end);
            let mut end = touching.max().unwrap_or(0).max(dead.end);
            if end < self.world.end
                && let Some(more) = background(end, end + 1)
            {
                end = more.end;
            }
            if end == dead.end || end >= self.world.end {
                return Some(Outage { end, ..dead });
            }
            dead.end = end;
        }
    }

    /// When an upgrade that starts at `start` and takes `length` by itself ends: slowed down, and held up while the
    /// registry is out.
    pub fn upgrade_end(&self, member: &Member<'_>, start: u64, length: u64) -> u64 {
        if self.windows.is_empty() {
            return start + length.max(1);
        }
        let mut slowed = length as f64;
        for window in self.hitting(member, |kind| matches!(kind, FaultKind::Slow { .. })) {
            if let FaultKind::Slow { factor } = self.world.faults[window.fault].kind
                && window.holds(start)
            {
                slowed *= factor;
            }
        }
        let mut left = Span::from_millis_f64(slowed).0.max(1);
        let mut at = start;
        // Progress up to the next outage of the registry, then on from where they all have ended.
        loop {
            let outages = || self.hitting(member, |kind| matches!(kind, FaultKind::RegistryOutage));
            while let Some(end) = outages().filter(|window| window.holds(at)).map(|window| window.end).max() {
                if end == u64::MAX {
                    return u64::MAX;
                }
                at = end;
            }
            let next = outages().map(|window| window.start).filter(|&start| start > at).min();
            match next {
                Some(next) if next < at + left => {
                    left -= next - at;
                    at = next;
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
        if !self.world.delays {
            return Some(0);
        }
        let mut delay = member.delay.draw(member.block.heartbeats.word(2 * beat + DELAY)).0;
        for window in self.hitting(member, |kind| matches!(kind, FaultKind::DelayHeartbeats { .. })) {
            let fault = &self.world.faults[window.fault];
            if let Some(by) = &fault.delay
                && window.holds(sent)
            {
                delay += by.draw(fault.word(member, beat)).0;
            }
        }
        Some(delay)
    }

    /// Whether a heartbeat arrives twice.
    pub fn is_duplicated(&self, member: &Member<'_>, sent: u64) -> bool {
        self.hitting(member, |kind| matches!(kind, FaultKind::DuplicateHeartbeats)).any(|window| window.holds(sent))
    }

    /// The longest that a heartbeat of the member can be under way.
    pub fn longest_delay(&self, member: &Member<'_>) -> u64 {
        let faults: u64 = self.world.faults.iter().filter_map(|f| f.delay.as_ref()).map(|by| by.longest().0).sum();
        member.delay.longest().0 + faults
    }
}

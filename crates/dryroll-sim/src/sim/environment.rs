//! The environment of the instances in one replicate, as far as it is known: network, machines, registry.
//!
//! Everything is computed on request, and nothing is scheduled: "from when is the network up?", "when is it down
//! next?".

use super::compiled::{CompiledScenario, Member};
use super::draws::{Key, unit};
use super::known::{Near, Stretch};
use super::next_at::NextAt;
use super::outages::Covering;
use super::sampler::Sampler;
use crate::scenario::FaultKind;
use dryroll_engine::fleet::{At, Span};
use std::ops::Add;

/// The environment of the instances.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// What is the same in every replicate.
    pub compiled: &'a CompiledScenario,
    /// The known faults that hit the current member.
    pub near: &'a Near,
    /// The zones' outages.
    pub zones: Key,
}

/// When a network is up, as asked of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkUp {
    /// The first moment at or after the one asked of at which it is up; never, where none is ever seen.
    pub from: NextAt,
    /// From then on it surely stays up to this moment, and maybe longer.
    pub surely_until: NextAt,
}

impl Environment<'_> {
    /// From when on the member's network is up, at or after `at`.
    #[inline]
    pub fn network_up_from(&self, member: &Member<'_>, at: At) -> NetworkUp {
        if at > self.compiled.end {
            return NetworkUp { from: NextAt::NEVER, surely_until: NextAt::NEVER };
        }
        if self.compiled.zone_law.is_some() || !self.near.is_calm {
            let up = self.network_up_from_amid_outages(member, at);
            return NetworkUp { from: up, surely_until: up };
        }
        match member.flaps {
            None => NetworkUp { from: at.into(), surely_until: NextAt::NEVER },
            Some(law) => match law.covering(member.block.flaps, at) {
                Covering::UpUntil(until) => NetworkUp { from: at.into(), surely_until: until.into() },
                // The next outage can begin where one ends, so look again.
                Covering::DownUntil(end) => self.network_up_from(member, end),
            },
        }
    }

    fn network_up_from_amid_outages(&self, member: &Member<'_>, at: At) -> NextAt {
        let mut up = at;
        loop {
            let before = up;
            if let Some(law) = member.flaps {
                up = law.covering(member.block.flaps, up).end_or(up);
            }
            if let Some(law) = &self.compiled.zone_law {
                up = law.covering(self.zones.child(u64::from(member.zone)), up).end_or(up);
            }
            up = match self.near.partitions.end_of(up).map(NextAt::get) {
                None => up,
                Some(Some(end)) => end,
                Some(None) => return NextAt::NEVER,
            };
            if up == before {
                return up.into();
            }
            if up > self.compiled.end {
                return NextAt::NEVER;
            }
        }
    }

    /// The period of being dead that covers `from`, or the next one that starts before `until`: background deaths and
    /// kills, merged if they touch.
    pub fn dead_next(&self, member: &Member<'_>, from: At, until: At) -> Option<Stretch> {
        let kills = &self.near.kills;
        let background = |from, until| -> Option<Stretch> {
            let law = self.compiled.death_law.as_ref()?;
            law.next(member.block.deaths, from, until).map(Stretch::from)
        };
        let killed = kills.next(from).filter(|stretch| stretch.start < until);
        let mut dead = killed.into_iter().chain(background(from, until)).min_by_key(|stretch| stretch.start)?;
        while let Some(known_end) = dead.end.get() {
            let mut end = kills.last_end(known_end).map_or(dead.end, |killed| killed.max(dead.end));
            if let Some(at) = end.get().filter(|&at| at < self.compiled.end)
                && let Some(more) = background(at, at + Span(1))
            {
                end = more.end;
            }
            let is_final = end == dead.end || end >= self.compiled.end;
            dead.end = end;
            if is_final {
                break;
            }
        }
        Some(dead)
    }

    /// When an upgrade that starts at `start` and takes `length` by itself ends: slowed down, and held up while the
    /// registry is out.
    pub fn upgrade_end(&self, start: At, length: Span) -> NextAt {
        if self.near.is_calm {
            return (start + length.max(Span(1))).into();
        }
        let mut slowed = length.0 as f64;
        for window in &self.near.slows {
            if let FaultKind::Slow { factor } = self.compiled.faults[window.fault].kind
                && window.holds(start)
            {
                slowed *= factor;
            }
        }
        let mut left = Span::from_millis_f64(slowed).max(Span(1));
        let mut at = start;
        // Progress up to the next outage of the registry, then on from where they all have ended.
        loop {
            if let Some(end) = self.near.registry.end_of(at) {
                match end.get() {
                    Some(end) => at = end,
                    None => return NextAt::NEVER,
                }
            }
            match self.near.registry.next(at) {
                Some(next) if next.start < at + left => {
                    left = (at + left) - next.start;
                    at = next.start;
                }
                _ => return (at + left).into(),
            }
        }
    }

    /// How long a heartbeat is in transit; `None` if it is lost. The network is known to be up before `up_until`.
    #[inline]
    pub fn beat_delay(&self, member: &Member<'_>, beat: u64, sent: At, up_until: NextAt) -> Option<Span> {
        const LOSS: u64 = 0;
        const DELAY: u64 = 1;
        if member.loss > 0.0 && unit(member.block.heartbeats.word(2 * beat + LOSS)) < member.loss {
            return None;
        }
        if up_until <= sent && self.network_up_from(member, sent).from != sent {
            return None;
        }
        if !self.compiled.delays {
            return Some(Span::ZERO);
        }
        let mut delay = member.delay.draw(member.block.heartbeats.word(2 * beat + DELAY));
        for window in self.near.delays.holding(sent) {
            let fault = &self.compiled.faults[window.fault];
            if let Some(by) = &fault.delay {
                delay = delay + by.draw(fault.word(member, beat));
            }
        }
        Some(delay)
    }

    /// Whether a heartbeat arrives twice.
    pub fn is_duplicated(&self, sent: At) -> bool {
        self.near.duplicates.end_of(sent).is_some()
    }

    /// The first moment at which a heartbeat of the member was sent that can arrive at `at` or later.
    pub fn earliest_sent(&self, member: &Member<'_>, at: At) -> At {
        if !self.compiled.delays {
            return at;
        }
        self.near.earliest_sent(&self.compiled.faults, at, member.delay.longest())
    }

    /// The shortest transit time of a heartbeat of the member that is sent from `from` on and before `until`.
    pub fn shortest_delay(&self, member: &Member<'_>, from: At, until: At) -> Span {
        if !self.compiled.delays {
            return Span::ZERO;
        }
        let throughout = self.near.delays.holding(from).filter(|window| window.end >= until);
        let by_faults = throughout.filter_map(|window| self.compiled.faults[window.fault].delay.as_ref());
        by_faults.chain([member.delay]).map(Sampler::shortest).fold(Span::ZERO, Span::add)
    }
}

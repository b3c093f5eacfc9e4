//! The heartbeats of one instance in the order in which they arrive.
//!
//! They are made one at a time, from the instance's history and the network. Those that are delayed wait in a heap until
//! no heartbeat that is sent later can arrive before them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::compiled::{Member, Release};
use super::environment::Environment;
use super::heartbeats::{beat_from, sent_at, what_it_says};
use super::instance_history::{Doing, InstanceHistory, Order, Segment};
use dryroll_engine::fleet::{At, DigestId, Span};

/// A heartbeat that arrives. Ordered by arrival, then by sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    /// When it arrives.
    pub arrives: At,
    /// When it was sent.
    pub sent: At,
    /// The digest that it carries.
    pub digest: DigestId,
    /// Whether it says that the instance is healthy.
    pub healthy: bool,
    /// The release whose upgrade it reports as failed.
    pub report: Option<Release>,
}

/// The heartbeats of an instance, by arrival.
#[derive(Debug)]
pub struct Arrivals<'a> {
    environment: Environment<'a>,
    member: Member<'a>,
    orders: &'a [Order],
    history: InstanceHistory<'a>,
    segment: Option<Segment>,
    beat: u64,
    until: At,
    on_their_way: BinaryHeap<Reverse<Arrival>>,
}

impl<'a> Arrivals<'a> {
    /// Those that arrive from `from` on and are sent by `until`.
    pub fn new(environment: Environment<'a>, member: Member<'a>, orders: &'a [Order], from: At, until: At) -> Self {
        let mut history = InstanceHistory::new(environment, member, orders, until + Span(1));
        let segment = history.next();
        Self {
            beat: beat_from(&environment, &member, environment.earliest_sent(&member, from)),
            environment,
            member,
            orders,
            history,
            segment,
            until,
            on_their_way: BinaryHeap::new(),
        }
    }

    /// Whether every heartbeat arrives when it is sent, so that those of one segment are alike and regular.
    fn is_plain(&self) -> bool {
        let compiled = self.environment.compiled;
        self.member.loss == 0.0
            && self.member.flaps.is_none()
            && compiled.zone_law.is_none()
            && self.environment.near.is_calm
            && !compiled.delays
    }

    /// After a heartbeat that brought no news: passes over those that say the same, if nothing can come between them.
    /// Returns when the last of them arrived; `None` if it passed over none.
    pub fn pass_alike(&mut self) -> Option<At> {
        let segment = self.segment.filter(|_| self.is_plain())?;
        // The heartbeat of the millisecond of a command may speak of the segment before.
        let last = sent_at(&self.environment, &self.member, self.beat.checked_sub(1)?);
        let next_order = self.orders.iter().map(|order| order.at).find(|&at| at >= last);
        let end = segment.to.min(self.until).min(next_order.unwrap_or(At::NEVER));
        let beat = beat_from(&self.environment, &self.member, end);
        if beat <= self.beat {
            return None;
        }
        self.beat = beat;
        Some(sent_at(&self.environment, &self.member, beat - 1))
    }

    fn sent(&self) -> At {
        sent_at(&self.environment, &self.member, self.beat)
    }

    fn on_their_way(&mut self, by: At) -> Option<Arrival> {
        let &Reverse(first) = self.on_their_way.peek().filter(|Reverse(first)| first.arrives <= by)?;
        self.on_their_way.pop();
        Some(first)
    }
}

impl Iterator for Arrivals<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let sent = self.sent();
            if sent > self.until || self.member.loss >= 1.0 {
                return self.on_their_way(At::NEVER);
            }
            if let Some(first) = self.on_their_way(sent) {
                return Some(first);
            }
            while self.segment.is_some_and(|segment| segment.to <= sent) {
                self.segment = self.history.next();
            }
            let Some(segment) = self.segment else { return self.on_their_way(At::NEVER) };
            if !segment.doing.heartbeats() && self.orders.iter().all(|order| order.at != sent) {
                self.beat = beat_from(&self.environment, &self.member, segment.to).max(self.beat + 1);
                continue;
            }
            let said = what_it_says(&self.environment, &self.member, self.orders, sent, &segment);
            let beat = self.beat;
            self.beat += 1;
            if !said.doing.heartbeats() {
                continue;
            }
            let Some(delay) = self.environment.beat_delay(&self.member, beat, sent, At::ZERO.into()) else {
                match self.environment.network_up_from(&self.member, sent).from.get() {
                    Some(up) => self.beat = beat_from(&self.environment, &self.member, up).max(self.beat),
                    None => self.beat = beat_from(&self.environment, &self.member, self.until + Span(1)),
                }
                continue;
            };
            let arrival = Arrival {
                arrives: sent + delay,
                sent,
                digest: said.running,
                healthy: said.doing == Doing::Serving,
                report: said.report,
            };
            if delay == Span::ZERO && self.on_their_way.is_empty() {
                return Some(arrival);
            }
            self.on_their_way.push(Reverse(arrival));
        }
    }
}

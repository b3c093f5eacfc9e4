//! News of an instance: the next heartbeat that changes what the engine knows of it, or its next silence.
//!
//! The engine is handed only these. All other heartbeats say what it knows already, so a fleet that is watched for days
//! costs no more than its changes.

use super::arrivals::{Arrival, Arrivals};
use super::compiled::Release;
use dryroll_engine::fleet::{At, DigestId, Span};

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A heartbeat.
    Heartbeat(Arrival),
    /// Nothing was heard for too long, at this moment.
    Silence {
        /// When.
        at: At,
        /// When the newest heartbeat that has arrived was sent.
        newest_sent: At,
    },
    /// No news up to this moment; look again then.
    LookAgain {
        /// When.
        at: At,
        /// When the newest heartbeat that has arrived was sent.
        newest_sent: At,
        /// When the last one arrived.
        heard: At,
    },
}

/// What the engine knows of an instance, as far as it decides what is news.
#[derive(Clone, Copy, Debug)]
pub struct Knowledge {
    /// Heartbeats up to this one (arrival, sending) have been looked at.
    pub looked_at: (At, At),
    /// When the newest heartbeat that has arrived was sent.
    pub newest_sent: At,
    /// When the last heartbeat arrived that was not overtaken.
    pub heard: At,
    /// Whether the newest one says that the instance is healthy.
    pub healthy: bool,
    /// Whether the newest one carries the target's digest.
    pub runs_target: bool,
    /// Whether it is silent.
    pub silent: bool,
    /// When the first of its unbroken healthy heartbeats was sent, if it is in flight.
    pub healthy_since: Option<At>,
}

impl Knowledge {
    /// What is known when the controller takes the request, which was made at t = 0: later heartbeats that waited for
    /// the controller come after it.
    pub fn at_request(request: At) -> Self {
        Self {
            looked_at: (At::ZERO, At::NEVER),
            newest_sent: At::ZERO,
            heard: request,
            healthy: true,
            runs_target: false,
            silent: false,
            healthy_since: None,
        }
    }
}

/// A command whose verdict is awaited.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// When it was dispatched.
    pub dispatched: At,
    /// To which release.
    pub to: Release,
    /// The digest of that.
    pub wanted: DigestId,
    /// Whether it was commanded before.
    pub is_retry: bool,
    /// Whether the heartbeats of the millisecond of its dispatch came after it.
    pub before_heartbeats: bool,
    /// A heartbeat that arrives later comes too late.
    pub deadline: At,
    /// How long it must have been healthy.
    pub min_healthy: Span,
}

/// What the engine is told of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// If planned instances are watched: after how long without a heartbeat they are silent.
    pub silent_after: Option<Span>,
    /// The target's digest.
    pub target: DigestId,
    /// What is awaited of it, if it is in flight.
    pub attempt: Option<Attempt>,
}

impl Attempt {
    /// Whether a heartbeat can decide the verdict.
    fn counts(&self, arrival: &Arrival) -> bool {
        let earliest = self.dispatched + Span(u64::from(!self.before_heartbeats));
        let is_of_this_attempt = !self.is_retry || arrival.sent > self.dispatched;
        arrival.arrives >= earliest && arrival.arrives <= self.deadline && is_of_this_attempt
    }

    fn is_news(&self, arrival: &Arrival, healthy_since: Option<At>) -> bool {
        if arrival.report == Some(self.to) {
            return true;
        }
        let is_healthy = arrival.healthy && arrival.digest == self.wanted;
        match (is_healthy, healthy_since) {
            (false, since) => since.is_some(),
            (true, None) => true,
            (true, Some(since)) => arrival.sent >= since + self.min_healthy,
        }
    }
}

impl Listener {
    /// The next news by `until`; `None` if there is none to come.
    pub fn next_news(&self, arrivals: &mut Arrivals<'_>, known: &Knowledge, until: At) -> Option<News> {
        let Knowledge { mut newest_sent, mut heard, .. } = *known;
        while let Some(arrival) = arrivals.next() {
            if (arrival.arrives, arrival.sent) <= known.looked_at {
                continue;
            }
            if arrival.arrives > until {
                break;
            }
            if let Some(at) = self.falls_silent(known, heard).filter(|&at| arrival.arrives > at) {
                return Some(News::Silence { at, newest_sent });
            }
            if arrival.sent < newest_sent {
                continue;
            }
            if self.is_news(&arrival, known) {
                return Some(News::Heartbeat(arrival));
            }
            (newest_sent, heard) = (arrival.sent, arrival.arrives);
            if self.attempt.is_none()
                && let Some(last) = arrivals.pass_alike()
            {
                (newest_sent, heard) = (last, last);
            }
        }
        if let Some(at) = self.falls_silent(known, heard).filter(|&at| at <= until) {
            return Some(News::Silence { at, newest_sent });
        }
        self.silent_after.map(|_| News::LookAgain { at: until, newest_sent, heard })
    }

    fn falls_silent(&self, known: &Knowledge, heard: At) -> Option<At> {
        self.silent_after.filter(|_| !known.silent).map(|after| heard + after)
    }

    fn is_news(&self, arrival: &Arrival, known: &Knowledge) -> bool {
        let decides = self
            .attempt
            .is_some_and(|attempt| attempt.counts(arrival) && attempt.is_news(arrival, known.healthy_since));
        let is_heard = self.silent_after.is_some()
            && (known.silent
                || known.healthy != arrival.healthy
                || known.runs_target != (arrival.digest == self.target));
        decides || is_heard
    }

    /// What is known once a heartbeat was handed in.
    pub fn learn(&self, arrival: &Arrival, known: &mut Knowledge) {
        known.looked_at = (arrival.arrives, arrival.sent);
        known.newest_sent = arrival.sent;
        known.heard = arrival.arrives;
        known.healthy = arrival.healthy;
        known.runs_target = arrival.digest == self.target;
        known.silent = false;
        if let Some(attempt) = self.attempt.filter(|attempt| attempt.counts(arrival)) {
            let is_healthy = arrival.healthy && arrival.digest == attempt.wanted;
            known.healthy_since = is_healthy.then(|| known.healthy_since.unwrap_or(arrival.sent));
        }
    }
}

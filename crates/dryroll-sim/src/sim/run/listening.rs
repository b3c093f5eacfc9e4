//! Runs in which the engine is told more than what decides a verdict: a soak, retries, a watch.
//!
//! Of each instance that the engine listens to, the next [`News`] is computed and queued. It is computed anew after every
//! change: a command, a verdict, a heartbeat that was handed in, a fault that becomes known.

use super::{Simulator, release};
use crate::sim::arrivals::Arrivals;
use crate::sim::compiled::Release;
use crate::sim::news::{Attempt, Knowledge, Listener, News};
use crate::sim::observer::Observer;
use crate::sim::queue::{Entry as Queued, Queue};
use dryroll_engine::fleet::{At, Heartbeat, Span};
use dryroll_engine::{Direction, Phase};

/// How far ahead news is looked for where heartbeats can be lost or delayed, in heartbeats.
const AHEAD: u64 = 512;

/// What the engine knows of each planned instance, and what comes next of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening {
    known: Vec<Knowledge>,
    /// Heartbeats in the simulator's queue and silences in [`silences`](Self::silences) count only if they are these.
    news: Vec<Option<News>>,
    silences: Queue,
}

impl Listening {
    /// A run begins, in which so many instances are planned; nothing is known before the request.
    pub fn begin(&mut self, planned: u32, request: At) {
        self.known.clear();
        self.known.resize(planned as usize, Knowledge::at_request(request));
        self.clear();
        self.news.resize(planned as usize, None);
    }

    /// Nothing is expected any more.
    pub fn clear(&mut self) {
        self.news.fill(None);
        self.silences.clear();
    }

    fn is_due(&self, queued: Queued) -> bool {
        match self.news.get(queued.position as usize).copied().flatten() {
            Some(News::Heartbeat(arrival)) => arrival.arrives == queued.arrives,
            _ => false,
        }
    }

    fn is_silent_then(&self, queued: Queued) -> bool {
        match self.news.get(queued.position as usize).copied().flatten() {
            Some(News::Silence { at, .. } | News::LookAgain { at, .. }) => at == queued.arrives,
            _ => false,
        }
    }

    /// When the next silence is due.
    pub fn next_silence(&self) -> Option<At> {
        self.silences.peek().map(|queued| queued.arrives)
    }
}

impl Simulator<'_> {
    /// Drops what is no longer expected from the front of the queues.
    pub(super) fn drop_stale(&mut self) {
        while let Some(queued) = self.queue.peek()
            && !self.listening.is_due(queued)
        {
            self.queue.pop();
        }
        while let Some(queued) = self.listening.silences.peek()
            && !self.listening.is_silent_then(queued)
        {
            self.listening.silences.pop();
        }
    }

    /// The request came in: the watch begins.
    pub(super) fn begin_listening(&mut self, now: At) {
        self.listening.begin(self.compiled.total(), now);
        if self.compiled.settings.watch.is_some() && !self.engine.is_finished() {
            (0..self.compiled.total()).for_each(|position| self.listen(position));
        }
    }

    fn listener(&self, position: u32) -> Listener {
        let direction = self.engine.direction();
        let watch = self.compiled.settings.watch.filter(|_| direction == Direction::Forward);
        let is_in_flight = self.engine.phase(position, direction) == Phase::InFlight;
        let attempt = self.last_attempt(position, direction).filter(|_| is_in_flight);
        Listener {
            silent_after: watch.map(|watch| watch.silent_after),
            target: self.compiled.digest(Release::Target),
            attempt: attempt.map(|(dispatched, before_heartbeats, is_retry)| Attempt {
                dispatched,
                to: release(direction),
                wanted: self.compiled.digest(release(direction)),
                is_retry,
                before_heartbeats,
                deadline: self.deadline_of(dispatched, direction),
                min_healthy: self.compiled.settings.pace.min_healthy,
            }),
        }
    }

    /// Computes the next news of an instance, and queues it.
    pub(super) fn listen(&mut self, position: u32) {
        let listener = self.listener(position);
        self.listening.news[position as usize] = None;
        let until = match (listener.silent_after, listener.attempt) {
            (None, None) => return,
            (None, Some(attempt)) => attempt.deadline,
            (Some(_), _) => self.compiled.horizon,
        };
        let member = self.commands_of(position);
        self.approach(&member);
        let known = self.listening.known[position as usize];
        let from = known.looked_at.0;
        let environment = self.environment();
        let is_regular = member.loss == 0.0 && member.flaps.is_none() && self.compiled.zone_law.is_none();
        let ahead = Span(self.compiled.interval.0.saturating_mul(AHEAD));
        let until =
            if is_regular || listener.silent_after.is_none() { until } else { until.min(from.max(self.clock) + ahead) };
        let mut arrivals = Arrivals::new(environment, member, &self.orders, from, until);
        let news = listener.next_news(&mut arrivals, &known, until);
        match news {
            None | Some(News::LookAgain { .. }) if until >= self.compiled.horizon => return,
            None => return,
            Some(News::Heartbeat(arrival)) => self.queue.push(Queued { arrives: arrival.arrives, position }),
            Some(News::Silence { at, .. } | News::LookAgain { at, .. }) => {
                self.listening.silences.push(Queued { arrives: at, position });
            }
        }
        self.listening.news[position as usize] = news;
    }

    /// A fault has become known: what was expected no longer holds.
    pub(super) fn listen_again(&mut self) {
        self.queue.clear();
        self.listening.clear();
        (0..self.compiled.total()).for_each(|position| self.listen(position));
    }

    /// Hands in the heartbeat that is due.
    pub(super) fn take_news<O: Observer>(&mut self, now: At, observer: &mut O) {
        let Some(Queued { position, .. }) = self.queue.peek() else { return };
        self.queue.pop();
        let Some(News::Heartbeat(arrival)) = self.listening.news[position as usize].take() else { return };
        let listener = self.listener(position);
        listener.learn(&arrival, &mut self.listening.known[position as usize]);
        let heartbeat = Heartbeat {
            instance: self.engine.instance(position),
            sent_at: arrival.sent,
            digest: arrival.digest,
            healthy: arrival.healthy,
            failed_upgrade: arrival.report.map(|release| self.compiled.digest(release)),
        };
        self.turn_position = position;
        self.feed_heartbeat(now, arrival.arrives, &heartbeat, observer);
        if !self.known.is_empty() && self.is_duplicated(position, arrival.sent) {
            self.feed_heartbeat(now, arrival.arrives, &heartbeat, observer);
        }
        self.listen(position);
    }

    /// Hands in the silence that is due.
    pub(super) fn take_silence<O: Observer>(&mut self, due: At, now: At, observer: &mut O) {
        let Some(Queued { position, .. }) = self.listening.silences.peek() else { return };
        self.listening.silences.pop();
        let Some(news) = self.listening.news[position as usize].take() else { return };
        let known = &mut self.listening.known[position as usize];
        match news {
            News::Heartbeat(_) => {}
            News::Silence { at, newest_sent } => {
                (known.looked_at, known.newest_sent, known.silent) = ((at, At::NEVER), newest_sent, true);
                let instance = self.engine.instance(position);
                let judged = self.engine.handle_silence(due, instance);
                self.follow_up(now, judged, observer);
            }
            News::LookAgain { at, newest_sent, heard } => {
                (known.looked_at, known.newest_sent, known.heard) = ((at, At::NEVER), newest_sent, heard);
            }
        }
        self.listen(position);
    }

    /// An instance was commanded: it has sent no healthy heartbeat since.
    pub(super) fn listen_to_attempt(&mut self, position: u32) {
        self.listening.known[position as usize].healthy_since = None;
        self.listen(position);
    }
}

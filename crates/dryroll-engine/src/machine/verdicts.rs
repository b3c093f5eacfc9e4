//! Verdicts (§4): from a heartbeat or a deadline to a verdict, and from a verdict to what follows.

use super::{Engine, Input, State};
use crate::fleet::{At, Heartbeat};
use crate::{Command, EventBody, Judged, Reason, Recording, Verdict};

impl Engine {
    /// A heartbeat that arrived at `arrived` (§4): at `now`, or earlier if the controller was away.
    ///
    /// Returns the verdict that follows, if one does; a relapse counts as one.
    #[inline]
    pub fn handle_heartbeat(&mut self, now: At, arrived: At, heartbeat: &Heartbeat) -> Option<Judged> {
        let now = self.take_in(now, || Input::Heartbeat { arrived, heartbeat: *heartbeat });
        let position = self.plan.order.position(heartbeat.instance)?;
        let state_of = self.instances.get_mut(position as usize)?;
        if heartbeat.sent_at < state_of.newest_sent {
            return None;
        }
        state_of.newest_sent = heartbeat.sent_at;
        let state_of = *state_of;
        let is_watching = self.is_watching();
        if is_watching {
            self.hear(position, heartbeat);
        }
        let awaited = self.walk.is_in_flight(&state_of) && self.judges();
        if !awaited {
            return if is_watching { self.follow_hearing(now, position) } else { None };
        }
        let due = state_of.dispatched_at + self.timeout();
        let is_of_an_attempt_before = state_of.attempt > 0 && heartbeat.sent_at <= state_of.dispatched_at;
        if arrived < state_of.dispatched_at || arrived > due || is_of_an_attempt_before {
            return None;
        }
        let wanted = self.version(self.walk.direction()).map(|version| version.digest);
        if heartbeat.failed_upgrade.is_some() && heartbeat.failed_upgrade == wanted {
            return self.judge(now, position, Verdict::Failed(Reason::UpgradeFailed));
        }
        let is_healthy = heartbeat.healthy && Some(heartbeat.digest) == wanted;
        if !self.has_soaked(position, heartbeat.sent_at, is_healthy) {
            return None;
        }
        self.judge(now, position, Verdict::Healthy)
    }

    /// Whether the instance has sent healthy heartbeats for long enough, this one included.
    #[inline]
    fn has_soaked(&mut self, position: u32, sent_at: At, is_healthy: bool) -> bool {
        let Some(healthy_since) = self.healthy_since.get_mut(position as usize) else { return is_healthy };
        if !is_healthy {
            *healthy_since = At::NEVER;
            return false;
        }
        *healthy_since = sent_at.min(*healthy_since);
        sent_at >= *healthy_since + self.settings.pace.min_healthy
    }

    /// Fails the first instance whose time is over.
    #[inline]
    pub(super) fn time_out(&mut self, now: At) -> Option<Judged> {
        let position = self.walk.first_due(&self.instances)?;
        self.judge(now, position, Verdict::Failed(Reason::HealthTimeout))
    }

    /// Whether verdicts are given in this state.
    #[inline]
    pub(super) fn judges(&self) -> bool {
        matches!(self.state, State::Walking | State::Tripped { .. } | State::AwaitingPromotion { .. })
    }

    /// Gives a verdict, or commands the instance again if it fails and has attempts left.
    #[inline]
    fn judge(&mut self, now: At, position: u32, verdict: Verdict) -> Option<Judged> {
        if let Verdict::Failed(reason) = verdict
            && u32::from(self.instances[position as usize].attempt) < self.settings.pace.retries
        {
            self.retry(now, position, reason);
            return None;
        }
        let (batch_index, is_batch_judged) = self.walk.judge(position, verdict, &mut self.instances);
        let instance = self.instance(position);
        let importance = if verdict == Verdict::Healthy { Recording::Everything } else { Recording::Milestones };
        self.say(now, importance, || EventBody::InstanceHealthCheck {
            batch_index,
            instance,
            failure: verdict.failure(),
        });
        if verdict == Verdict::Healthy {
            self.progress_at = now;
        }
        if self.is_watching() {
            self.lands(position, verdict);
        }
        self.count(now, position, batch_index, verdict);
        if is_batch_judged {
            self.complete_batch(now, batch_index);
        }
        self.carry_out_trip(now);
        if is_batch_judged || self.walk.may_go_on() {
            self.proceed(now);
        }
        Some(Judged { position, verdict })
    }

    #[cold]
    fn retry(&mut self, now: At, position: u32, reason: Reason) {
        self.walk.retry(position, now, &mut self.instances);
        self.begin_attempts(position..position + 1);
        let (batch_index, instance) = (self.walk.batch_of(position), self.instance(position));
        let attempt = u32::from(self.instances[position as usize].attempt);
        self.say(now, Recording::Milestones, || EventBody::InstanceRetried { batch_index, instance, attempt, reason });
        let to = self.walk.direction();
        self.outbox.commands.push_back(Command::Retry { to, position, attempt });
    }

    /// These positions are commanded: none of them has been healthy since.
    #[inline]
    pub(super) fn begin_attempts(&mut self, positions: std::ops::Range<u32>) {
        if !self.healthy_since.is_empty() {
            self.healthy_since[positions.start as usize..positions.end as usize].fill(At::NEVER);
        }
    }

    /// How long an instance may take.
    #[inline]
    pub(super) fn timeout(&self) -> crate::fleet::Span {
        self.settings.timeout(self.walk.direction())
    }
}

//! Verdicts (§4): from a heartbeat or a deadline to a verdict, and from a verdict to a trip (§5).

use super::{Engine, Input, State};
use crate::breaker::Count;
use crate::fleet::{At, Heartbeat};
use crate::walk::WaitingFor;
use crate::{BreakerOrder, Direction, EventBody, Judged, Reason, Recording, RequestKind, Verdict};

impl Engine {
    /// A heartbeat that arrived at `arrived` (§4): at `now`, or earlier if the controller was away.
    ///
    /// Returns the verdict that follows, if one does.
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
        let awaited = self.walk.is_in_flight(&state_of) && self.judges();
        let due = state_of.dispatched_at + self.settings.health_timeout;
        if !awaited || arrived < state_of.dispatched_at || arrived > due {
            return None;
        }
        let wanted = self.version(self.walk.direction).map(|version| version.digest);
        let verdict = if heartbeat.failed_upgrade.is_some() && heartbeat.failed_upgrade == wanted {
            Verdict::Failed(Reason::UpgradeFailed)
        } else if heartbeat.healthy && Some(heartbeat.digest) == wanted {
            Verdict::Healthy
        } else {
            return None;
        };
        Some(self.judge(now, position, verdict))
    }

    /// Fails the first instance whose time is over.
    pub(super) fn time_out(&mut self, now: At) -> Option<Judged> {
        let position = self.walk.first_due()?;
        Some(self.judge(now, position, Verdict::Failed(Reason::HealthTimeout)))
    }

    /// Whether verdicts are given in this state.
    pub(super) fn judges(&self) -> bool {
        matches!(self.state, State::Walking | State::Tripped { .. })
    }

    #[inline]
    pub(super) fn judge(&mut self, now: At, position: u32, verdict: Verdict) -> Judged {
        self.walk.judge(position, verdict, &mut self.instances);
        let (batch_index, instance) = (self.walk.batch, self.instance(position));
        let importance = if verdict == Verdict::Healthy { Recording::Everything } else { Recording::Milestones };
        self.say(now, importance, || EventBody::InstanceHealthCheck {
            batch_index,
            instance,
            failure: verdict.failure(),
        });
        if self.settings.breaker_order == BreakerOrder::Observed && self.walk.waiting_for != WaitingFor::Tripped {
            let count = self.breaker.count(position, verdict != Verdict::Healthy);
            self.trip_if(now, count);
        }
        if self.walk.waiting_for == WaitingFor::Open && self.walk.batch_is_undispatched() {
            self.dispatch(now);
        } else if self.walk.batch_is_judged() {
            self.complete_batch(now);
        }
        Judged { position, verdict }
    }

    pub(super) fn trip_if(&mut self, now: At, count: Count) {
        if count == Count::Closed {
            return;
        }
        self.walk.waiting_for = WaitingFor::Tripped;
        let order = &self.plan.order;
        let (batch_index, run) = (self.walk.batch, self.breaker.run());
        self.outbox.event(now, self.walk.rollout, Recording::Milestones, || EventBody::CircuitBreakerTripped {
            batch_index,
            failed: run.iter().map(|&position| order.instance(position)).collect(),
        });
        let kind = match self.walk.direction {
            Direction::Forward => RequestKind::RollingUpgradeContinuation,
            Direction::Back => RequestKind::RollbackContinuation,
        };
        let request = self.ask(now, kind);
        self.state = State::Tripped { request, kind };
    }
}

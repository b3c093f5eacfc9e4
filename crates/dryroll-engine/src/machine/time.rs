//! Time (§3, §8): when the engine next needs a call, and what is due then.
//!
//! Everything that waits for a moment is a [`Timer`]. Within one millisecond, timers run in the order of the enum, with
//! the answers of people between deadlines and expiry. To add a kind of timer, add a variant at its place and an arm in
//! [`Engine::handle_timeout`].

use super::{Engine, State};
use crate::fleet::{At, Span};
use crate::walk::WaitingFor;
use crate::{Direction, Input, Judged, Outcome};

/// What can be due, in the order of one millisecond (§8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// An instance's time to become healthy is over. It comes before silences and the answers of people.
    Deadline,
    /// Time has passed without a healthy verdict. It comes before the answers of people.
    NoProgress,
    /// The first request's time is over. It comes after the answers of people.
    Expiry,
    /// The bake of a batch is over.
    BakeEnd,
    /// A tick of the reconciler that begins or resumes a batch.
    Tick,
}

impl Engine {
    /// When the engine next needs a call: call [`handle_timeout`](Self::handle_timeout) then. `None`: it waits for a
    /// person, or it is over.
    #[must_use]
    #[inline]
    pub fn poll_timeout(&self) -> Option<At> {
        self.next_timer().map(|(due, _)| due)
    }

    /// The moment of [`poll_timeout`](Self::poll_timeout) has come: takes the first timer that is due by `now`, in the
    /// order of §8, and returns the verdict that follows, if one does. If nothing is due, it does nothing.
    ///
    /// Call it, and poll the effects, as long as `poll_timeout` is not after `now`. Each call takes one step, so that
    /// the step is carried out and written down before the next: a controller may stop between the two.
    #[inline]
    pub fn handle_timeout(&mut self, now: At) -> Option<Judged> {
        // Time that runs backwards stands still.
        let now = now.max(self.clock);
        let (_, timer) = self.next_timer().filter(|&(due, _)| due <= now)?;
        self.take_in(now, || match timer {
            Timer::Deadline => Input::Deadline,
            Timer::NoProgress => Input::NoProgress,
            Timer::Expiry => Input::Expiry,
            Timer::BakeEnd => Input::BakeEnd,
            Timer::Tick => Input::Tick,
        });
        self.take_timer(now, timer)
    }

    /// The first timer, and when it is due: [`poll_timeout`](Self::poll_timeout) for a driver that has steps of its own
    /// within a millisecond, as a simulator does.
    #[must_use]
    #[inline]
    pub fn next_timer(&self) -> Option<(At, Timer)> {
        match self.state {
            State::New | State::Finished { .. } => None,
            State::AwaitingApproval { expires_at, .. } => Some((expires_at, Timer::Expiry)),
            State::Tripped { .. } | State::AwaitingPromotion { .. } => {
                self.next_deadline().map(|due| (due, Timer::Deadline))
            }
            State::Walking => {
                let verdict = self.next_verdict();
                match self.walk.waiting_for {
                    WaitingFor::Open | WaitingFor::Tripped | WaitingFor::Promotion => verdict,
                    WaitingFor::BakeEnd { until } => verdict.into_iter().chain([(until, Timer::BakeEnd)]).min(),
                    WaitingFor::NextBatch | WaitingFor::Resume => {
                        let tick = self.ticks.first_from(self.clock.max(self.ticks_from));
                        let tick = (tick < At::NEVER).then_some((tick, Timer::Tick));
                        verdict.into_iter().chain(tick).min()
                    }
                }
            }
        }
    }

    /// The next deadline, or the moment at which a rule about progress is judged.
    #[inline]
    fn next_verdict(&self) -> Option<(At, Timer)> {
        let deadline = self.next_deadline().map(|due| (due, Timer::Deadline));
        if self.rules.is_empty() {
            return deadline;
        }
        let no_progress = self.next_no_progress().map(|due| (due, Timer::NoProgress));
        deadline.into_iter().chain(no_progress).min()
    }

    fn next_no_progress(&self) -> Option<At> {
        let waits = self.state == State::Walking
            && self.walk.direction() == Direction::Forward
            && (self.walk.in_flight() > 0 || self.walk.batch_is_undispatched());
        if !waits {
            return None;
        }
        self.rules.shortest_no_progress().map(|after| self.progress_at + after)
    }

    /// The reconciler pauses (§3): its ticks before `until` are skipped. Verdicts are still given.
    pub fn skip_ticks_until(&mut self, until: At) {
        self.ticks_from = self.ticks_from.max(until);
    }

    /// The controller was away and has returned (§9): ticks that it missed are dropped, and everything that it takes
    /// from now on is recorded at this moment or later, however long ago it was due.
    ///
    /// Hand in what waited, one by one in the order of its own moments: heartbeats with `arrived`, answers and timeouts
    /// with the moment at which they came.
    pub fn resume(&mut self, now: At) {
        self.advance(now);
    }

    #[inline]
    pub(super) fn take_timer(&mut self, now: At, timer: Timer) -> Option<Judged> {
        let now = self.advance(now);
        match timer {
            Timer::Deadline if self.next_deadline().is_some_and(|due| due <= now) => return self.time_out(now),
            Timer::NoProgress if self.next_no_progress().is_some_and(|due| due <= now) => self.judge_progress(now),
            Timer::Expiry if self.expires_at().is_some_and(|due| due <= now) => self.finish(now, Outcome::Expired),
            Timer::BakeEnd if self.bake_ends().is_some_and(|due| due <= now) => self.end_bake(now),
            Timer::Tick if self.awaits_tick() => {
                self.ticks_from = now + Span(1);
                self.wake_up(now);
            }
            // A journal's input that does not fit the state.
            Timer::Deadline | Timer::NoProgress | Timer::Expiry | Timer::BakeEnd | Timer::Tick => {}
        }
        None
    }

    /// When the next verdict is due.
    #[inline]
    fn next_deadline(&self) -> Option<At> {
        if !self.judges() {
            return None;
        }
        let position = self.walk.first_due(&self.instances)?;
        Some(self.instances[position as usize].dispatched_at + self.timeout())
    }
}

//! Time (§3, §8): when the engine wants to be called, and what is due then.
//!
//! All that waits for a moment is a [`Timer`]. Within one millisecond timers go in the order of the enum, with the
//! answers of people between deadlines and expiry; a new kind of timer is a variant at its place and an arm in
//! [`Engine::handle_timeout`].

use super::{Engine, State};
use crate::fleet::{At, Span};
use crate::walk::WaitingFor;
use crate::{Input, Judged, Outcome};

/// What can be due, in the order of one millisecond (§8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// An instance's time to become healthy is over. Comes before the answers of people.
    Deadline,
    /// The first request's time is over. Comes after the answers of people.
    Expiry,
    /// A tick of the reconciler that begins or resumes a batch.
    Tick,
}

impl Engine {
    /// When the engine next wants to be called: hand in [`handle_timeout`](Self::handle_timeout) then. `None`: it waits
    /// for a person, or it is over.
    #[must_use]
    #[inline]
    pub fn poll_timeout(&self) -> Option<At> {
        self.next_timer().map(|(due, _)| due)
    }

    /// The moment of [`poll_timeout`](Self::poll_timeout) has come: takes the first that is due by `now`, in the order
    /// of §8, and returns the verdict that it gave, if it gave one. With nothing due it does nothing.
    ///
    /// Call it, and poll what came of it, as long as `poll_timeout` is not after `now`. It takes one step a call, so
    /// that a step is carried out and written down before the next: a controller may die between two.
    #[inline]
    pub fn handle_timeout(&mut self, now: At) -> Option<Judged> {
        // Time that runs backwards stands still.
        let now = now.max(self.clock);
        let (_, timer) = self.next_timer().filter(|&(due, _)| due <= now)?;
        self.take_in(now, || match timer {
            Timer::Deadline => Input::Deadline,
            Timer::Expiry => Input::Expiry,
            Timer::Tick => Input::Tick,
        });
        self.take_timer(now, timer)
    }

    /// The first timer, and when it is due: [`poll_timeout`](Self::poll_timeout) for a driver that has turns of its own
    /// within a millisecond, as a simulator has.
    #[must_use]
    #[inline]
    pub fn next_timer(&self) -> Option<(At, Timer)> {
        match self.state {
            State::New | State::Finished { .. } => None,
            State::AwaitingApproval { expires_at, .. } => Some((expires_at, Timer::Expiry)),
            State::Tripped { .. } => self.next_deadline().map(|due| (due, Timer::Deadline)),
            State::Walking => {
                let deadline = self.next_deadline().map(|due| (due, Timer::Deadline));
                match self.walk.waiting_for {
                    WaitingFor::Open | WaitingFor::Tripped => deadline,
                    WaitingFor::NextBatch | WaitingFor::Resume => {
                        let tick = self.ticks.first_from(self.clock.max(self.ticks_from));
                        let tick = (tick < At::NEVER).then_some((tick, Timer::Tick));
                        deadline.into_iter().chain(tick).min()
                    }
                }
            }
        }
    }

    /// The reconciler is paused (§3): its ticks before `until` are skipped. Verdicts still come.
    pub fn skip_ticks_until(&mut self, until: At) {
        self.ticks_from = self.ticks_from.max(until);
    }

    /// The controller was away and is back (§9): ticks that it missed are gone, and what it takes from now on, however
    /// long ago it was due, bears this moment.
    ///
    /// Hand in what waited, one by one in the order of its own moments: heartbeats with `arrived`, answers and
    /// timeouts with the moment at which they came.
    pub fn resume(&mut self, now: At) {
        self.advance(now);
    }

    #[inline]
    pub(super) fn take_timer(&mut self, now: At, timer: Timer) -> Option<Judged> {
        let now = self.advance(now);
        match timer {
            Timer::Deadline if self.next_deadline().is_some_and(|due| due <= now) => return self.time_out(now),
            Timer::Expiry if self.expires_at().is_some_and(|due| due <= now) => self.finish(now, Outcome::Expired),
            Timer::Tick if self.awaits_tick() => {
                self.ticks_from = now + Span(1);
                self.wake_up(now);
            }
            // A journal's input that fits nothing.
            Timer::Deadline | Timer::Expiry | Timer::Tick => {}
        }
        None
    }

    /// When the next verdict is due.
    #[inline]
    fn next_deadline(&self) -> Option<At> {
        if !self.judges() {
            return None;
        }
        let position = self.walk.first_due()?;
        Some(self.instances[position as usize].dispatched_at + self.settings.health_timeout)
    }
}

//! A drill and its pace, with the controls of a console. Terminal and browser both use one.

use std::time::Duration;

use super::{Drill, DrillError, HeartbeatSummary, Pace, Speed};
use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Answer, RequestKind};
use dryroll_sim::sim::Observer;

/// What a person can do at the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Stops the clock.
    Pause,
    /// Lets the clock run again.
    Resume,
    /// Sets the speed of the clock.
    Speed(Speed),
    /// Advances to the next event and stops the clock.
    NextEvent,
    /// Advances to the next decision.
    NextDecision,
    /// Advances by this much simulated time; less if a request is opened before.
    Wait(Span),
    /// Answers a request.
    Answer(Answer),
}

/// A drill with its clock and its observer.
#[derive(Debug)]
pub struct Controller<'w, O> {
    drill: Drill<'w>,
    pace: Pace,
    observer: O,
    roll: Option<HeartbeatSummary>,
    keeper: Option<Keeper<'w>>,
}

/// Saves the decisions so far, after each decision.
struct Keeper<'w>(Box<dyn FnMut(&Drill<'w>) + 'w>);

impl std::fmt::Debug for Keeper<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

/// Fleet size up to which the heartbeat summary is refreshed at every heartbeat interval; for larger fleets, less
/// often.
const ATTENDED: u64 = 5_000;

impl<'w, O: Observer> Controller<'w, O> {
    /// A controller for a drill that `observer` has watched from its beginning.
    #[must_use]
    pub fn new(drill: Drill<'w>, pace: Pace, observer: O) -> Self {
        Self { drill, pace, observer, roll: None, keeper: None }
    }

    /// Passes the drill to `keep` after each decision, before anything else happens.
    #[must_use]
    pub fn keeping(mut self, keep: impl FnMut(&Drill<'w>) + 'w) -> Self {
        self.keeper = Some(Keeper(Box::new(keep)));
        self
    }

    /// The drill.
    #[must_use]
    pub fn drill(&self) -> &Drill<'w> {
        &self.drill
    }

    /// Its clock.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The observer.
    #[must_use]
    pub fn seen(&self) -> &O {
        &self.observer
    }

    /// The observer, mutable.
    #[must_use]
    pub fn observer(&mut self) -> &mut O {
        &mut self.observer
    }

    /// The drill and its observer.
    #[must_use]
    pub fn into_parts(self) -> (Drill<'w>, O) {
        (self.drill, self.observer)
    }

    /// The simulated time on the clock; it never exceeds the end of the drill.
    #[must_use]
    pub fn clock(&self) -> At {
        self.drill.clock()
    }

    /// The last heartbeat summary, while a trip or a promotion awaits a decision.
    #[must_use]
    pub fn roll(&self) -> Option<&HeartbeatSummary> {
        self.roll.as_ref()
    }

    /// Makes a heartbeat summary for the current moment.
    pub fn call_roll(&mut self) -> HeartbeatSummary {
        self.drill.call_roll()
    }

    /// Keeps the heartbeat summary as fresh as the heartbeats are while a trip or a promotion awaits an answer.
    fn attend(&mut self) {
        let trip = self.drill.asked().filter(|asked| asked.kind != RequestKind::RollingUpgrade);
        let Some(asked) = trip else {
            self.roll = None;
            return;
        };
        let compiled = self.drill.compiled();
        let rarely = (u64::from(compiled.total()) / ATTENDED).max(1);
        let lasts = Span(compiled.interval.0.saturating_mul(rarely));
        let clock = self.drill.clock();
        if self.roll.as_ref().is_none_or(|roll| roll.at < asked.at || roll.at + lasts <= clock) {
            self.roll = Some(self.drill.call_roll());
        }
    }

    /// Runs everything that is due at this moment of the wall clock.
    pub fn advance(&mut self, wall: Duration) {
        self.go_on(wall);
        self.attend();
    }

    fn go_on(&mut self, wall: Duration) {
        self.drill.advance_to(self.pace.shows(wall), &mut self.observer);
        if self.drill.is_over() {
            self.stand(wall);
        }
    }

    /// How long after `wall` the next event is due; `None` while the clock is stopped.
    #[must_use]
    pub fn until_next(&self, wall: Duration) -> Option<Duration> {
        self.pace.until(wall, self.drill.next_at()?)
    }

    /// Carries out a person's control at this moment of the wall clock.
    ///
    /// # Errors
    /// When it is not possible now; then time has advanced, and nothing else is changed.
    pub fn control(&mut self, wall: Duration, control: Control) -> Result<(), DrillError> {
        self.go_on(wall);
        let done = if self.drill.is_over() { Err(DrillError::Over) } else { self.take(wall, control) };
        self.attend();
        done
    }

    fn take(&mut self, wall: Duration, control: Control) -> Result<(), DrillError> {
        match control {
            Control::Pause => self.pace.pause(wall, true),
            Control::Resume => self.pace.pause(wall, false),
            Control::Speed(speed) => self.pace.go(wall, speed),
            Control::NextEvent => {
                self.drill.next_event(&mut self.observer)?;
                self.stand(wall);
            }
            Control::NextDecision => {
                self.drill.next_decision(&mut self.observer)?;
                self.pace.set(wall, self.drill.clock());
                if self.drill.is_over() {
                    self.stand(wall);
                }
            }
            Control::Wait(span) => {
                self.wait(span);
                self.pace.set(wall, self.drill.clock());
                if self.drill.is_over() {
                    self.stand(wall);
                }
            }
            Control::Answer(answer) => {
                self.drill.answer(answer, &mut self.observer)?;
                if let Some(Keeper(keep)) = &mut self.keeper {
                    keep(&self.drill);
                }
            }
        }
        Ok(())
    }

    fn wait(&mut self, span: Span) {
        let until = self.drill.clock() + span;
        let asked = self.drill.asked();
        while let Some(next) = self.drill.next_at().filter(|&next| next <= until) {
            self.drill.advance_to(next, &mut self.observer);
            if asked.is_none() && self.drill.asked().is_some() {
                return;
            }
        }
        self.drill.advance_to(until, &mut self.observer);
    }

    fn stand(&mut self, wall: Duration) {
        self.pace.set(wall, self.drill.clock());
        self.pace.pause(wall, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_sim::scenario::Scenario;
    use dryroll_sim::sim::{CompiledScenario, Unobserved};

    /// A wait stops at a request.
    #[test]
    fn waiting_ends_where_somebody_is_asked() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/broken-rollback.toml");
        let scenario = Scenario::load(path.as_ref()).unwrap();
        let compiled = CompiledScenario::new(&scenario).unwrap();
        let drill = Drill::new(&compiled, 0, &mut Unobserved);
        let wall = Duration::ZERO;
        let mut controller = Controller::new(drill, Pace::new(Speed::new(60).unwrap(), wall), Unobserved);
        controller.control(wall, Control::Wait(Span(90_000))).unwrap();
        assert_eq!(controller.clock(), At(90_000));
        controller.control(wall, Control::Answer(Answer::Approve)).unwrap();
        controller.control(wall, Control::Wait(Span(3_600_000))).unwrap();
        let asked = controller.drill().asked().map(|asked| asked.at);
        assert_eq!(asked, Some(controller.clock()));
        // With the request already open, a wait runs to its end.
        controller.control(wall, Control::Wait(Span(3_600_000))).unwrap();
        assert_eq!(asked.map(|at| at + Span(3_600_000)), Some(controller.clock()));
        assert_eq!(controller.pace().shows(wall), controller.clock());
    }
}

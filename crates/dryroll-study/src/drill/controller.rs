//! A drill and its pace, with the controls of a console. Terminal and browser both sit at one.

use std::time::Duration;

use super::{Drill, DrillError, HeartbeatSummary, Pace, Speed};
use dryroll_engine::fleet::{At, Span};
use dryroll_engine::{Answer, RequestKind};
use dryroll_sim::sim::Observer;

/// What a person can do at the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The clock stands.
    Pause,
    /// The clock goes on.
    Resume,
    /// The clock goes at this speed.
    Speed(Speed),
    /// On to the next event; the clock stands then.
    NextEvent,
    /// On to the next decision.
    NextDecision,
    /// So much simulated time passes at once; less where somebody is asked in it.
    Wait(Span),
    /// A decision.
    Answer(Answer),
}

/// A drill with its clock and whoever watches it.
#[derive(Debug)]
pub struct Controller<'w, O> {
    drill: Drill<'w>,
    pace: Pace,
    observer: O,
    roll: Option<HeartbeatSummary>,
    keeper: Option<Keeper<'w>>,
}

/// Keeps what was decided so far, after each decision.
struct Keeper<'w>(Box<dyn FnMut(&Drill<'w>) + 'w>);

impl std::fmt::Debug for Keeper<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

/// Instances whose roll is called as often as they send heartbeats; it is called more rarely where there are more.
const ATTENDED: u64 = 5_000;

impl<'w, O: Observer> Controller<'w, O> {
    /// A desk for a drill that `observer` has watched from its beginning.
    #[must_use]
    pub fn new(drill: Drill<'w>, pace: Pace, observer: O) -> Self {
        Self { drill, pace, observer, roll: None, keeper: None }
    }

    /// Hands the drill to `keep` after each decision, before anything else happens.
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

    /// What was seen by whoever watches.
    #[must_use]
    pub fn seen(&self) -> &O {
        &self.observer
    }

    /// Whoever watches.
    #[must_use]
    pub fn observer(&mut self) -> &mut O {
        &mut self.observer
    }

    /// Drill and observer, when it is over.
    #[must_use]
    pub fn into_parts(self) -> (Drill<'w>, O) {
        (self.drill, self.observer)
    }

    /// What the clock shows: it never runs beyond the end.
    #[must_use]
    pub fn clock(&self) -> At {
        self.drill.clock()
    }

    /// What is heard of the fleet, while somebody has to decide on a trip: from the last few heartbeats.
    #[must_use]
    pub fn roll(&self) -> Option<&HeartbeatSummary> {
        self.roll.as_ref()
    }

    /// Calls the roll now.
    pub fn call_roll(&mut self) -> HeartbeatSummary {
        self.drill.call_roll()
    }

    /// Keeps the roll as fresh as the heartbeats are while a trip waits for its answer.
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

    /// Lets happen what is due at this moment of the wall clock.
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

    /// How long after `wall` something happens by itself; `None` while the clock stands.
    #[must_use]
    pub fn until_next(&self, wall: Duration) -> Option<Duration> {
        self.pace.until(wall, self.drill.next_at()?)
    }

    /// Does what a person wants at this moment of the wall clock.
    ///
    /// # Errors
    /// When it cannot be done now; then time has gone on, and nothing else is changed.
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

    /// Nobody oversleeps a request.
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
        // Then it is the person who waits.
        controller.control(wall, Control::Wait(Span(3_600_000))).unwrap();
        assert_eq!(asked.map(|at| at + Span(3_600_000)), Some(controller.clock()));
        assert_eq!(controller.pace().shows(wall), controller.clock());
    }
}

//! The speed of the simulated clock. The wall clock is a parameter: the time since the drill was opened.

use std::num::NonZeroU32;
use std::time::Duration;

use dryroll_engine::fleet::At;

/// Simulated seconds that pass in one second of the wall clock, 1 to 100 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speed(NonZeroU32);

impl Speed {
    /// The fastest.
    pub const MOST: u32 = 100_000;
    /// The speeds that a console offers, slowest first.
    pub const STEPS: [u32; 10] = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600];

    /// A speed; `None` outside 1 to 100 000.
    #[must_use]
    pub fn new(factor: u32) -> Option<Self> {
        NonZeroU32::new(factor).filter(|factor| factor.get() <= Self::MOST).map(Self)
    }

    /// Simulated seconds a second.
    #[must_use]
    pub fn factor(self) -> u32 {
        self.0.get()
    }

    /// The next faster step.
    #[must_use]
    pub fn faster(self) -> Self {
        let next = Self::STEPS.into_iter().find(|&step| step > self.factor());
        next.and_then(Self::new).unwrap_or(self)
    }

    /// The next slower step.
    #[must_use]
    pub fn slower(self) -> Self {
        let next = Self::STEPS.into_iter().rev().find(|&step| step < self.factor());
        next.and_then(Self::new).unwrap_or(self)
    }
}

/// A simulated clock that runs at some speed, or is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    speed: Speed,
    is_paused: bool,
    /// The moment of the wall clock at which the simulated clock showed `from`.
    since: Duration,
    from: At,
}

impl Pace {
    /// A running clock that shows 0 at `wall`.
    #[must_use]
    pub fn new(speed: Speed, wall: Duration) -> Self {
        Self { speed, is_paused: false, since: wall, from: At::ZERO }
    }

    /// The simulated time at a moment of the wall clock.
    #[must_use]
    pub fn shows(&self, wall: Duration) -> At {
        if self.is_paused {
            return self.from;
        }
        let passed = wall.saturating_sub(self.since).as_millis().saturating_mul(u128::from(self.speed.factor()));
        At(self.from.0.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)))
    }

    /// How long after `wall` the clock shows a moment; `None` while it is stopped.
    #[must_use]
    pub fn until(&self, wall: Duration, at: At) -> Option<Duration> {
        if self.is_paused {
            return None;
        }
        let left = at.since(self.shows(wall)).0;
        Some(Duration::from_millis(left.div_ceil(u64::from(self.speed.factor()))))
    }

    /// Its speed.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.speed
    }

    /// Whether the clock is stopped.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Stops the clock, or lets it run again.
    pub fn pause(&mut self, wall: Duration, is_paused: bool) {
        self.set(wall, self.shows(wall));
        self.is_paused = is_paused;
    }

    /// Changes the speed from now on.
    pub fn go(&mut self, wall: Duration, speed: Speed) {
        self.set(wall, self.shows(wall));
        self.speed = speed;
    }

    /// Sets the simulated time from now on.
    pub fn set(&mut self, wall: Duration, at: At) {
        self.since = wall;
        self.from = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn it_goes_at_its_speed_stands_and_jumps() {
        let mut pace = Pace::new(Speed::new(60).unwrap(), wall(1000));
        assert_eq!(pace.shows(wall(1000)), At(0));
        assert_eq!(pace.shows(wall(2500)), At(90_000));
        assert_eq!(pace.until(wall(2500), At(90_061)), Some(wall(2)));
        pace.pause(wall(2500), true);
        assert_eq!(pace.shows(wall(99_000)), At(90_000));
        assert_eq!(pace.until(wall(99_000), At(100_000)), None);
        pace.pause(wall(100_000), false);
        pace.go(wall(101_000), Speed::new(1).unwrap());
        assert_eq!(pace.shows(wall(102_000)), At(151_000));
        pace.set(wall(102_000), At(500_000));
        assert_eq!(pace.shows(wall(102_005)), At(500_005));
        assert_eq!(pace.shows(Duration::MAX).0, u64::MAX);
    }

    #[test]
    fn speeds_have_steps_and_ends() {
        assert_eq!(Speed::new(0), None);
        assert_eq!(Speed::new(100_001), None);
        let speed = Speed::new(61).unwrap();
        assert_eq!((speed.faster().factor(), speed.slower().factor()), (120, 60));
        let fastest = Speed::new(50_000).unwrap();
        assert_eq!(fastest.faster(), fastest);
        assert_eq!(Speed::new(1).unwrap().slower().factor(), 1);
    }
}

//! Which of two policies a metric speaks for.

use crate::judge::conditional::are_comparable;
use crate::model::{Contrast, Stopping};
use dryroll_stats::Interval;

/// A share of a value that rounding may leave.
const ROUNDING: f64 = 1e-9;

/// Which policy a metric speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The first.
    A,
    /// The second.
    B,
    /// The interval has zero in it: neither, yet.
    Undecided,
    /// Both are the same in every replicate where they have a value.
    Same,
    /// Both have the same mean, by theory.
    Alike,
    /// There is a difference, and no better.
    Neither,
    /// Only some runs have a value, and not the same ones with both.
    NotCompared,
    /// The first has it better, and only because it stops too many good rollouts.
    AStops,
    /// The second does.
    BStops,
    /// The first has it better, and its breaker can never trip.
    ANeverTrips,
    /// The second has, and its breaker cannot.
    BNeverTrips,
}

impl Better {
    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A is better",
            Self::B => "B is better",
            Self::Undecided => "undecided",
            Self::Same => "the same",
            Self::Alike => "the same on average",
            Self::Neither => "differs",
            Self::NotCompared => "not compared",
            Self::AStops => "none: A stops early",
            Self::BStops => "none: B stops early",
            Self::ANeverTrips => "none: A never trips",
            Self::BNeverTrips => "none: B never trips",
        }
    }

    /// By theory where it has both values, else by the interval that holds for all metrics at once.
    #[must_use]
    pub fn of(contrast: &Contrast, defective: bool) -> Self {
        if contrast.difference.is_some() && !are_comparable(contrast.metric, contrast.conditional.as_ref()) {
            return Self::NotCompared;
        }
        let interval = match contrast.exact {
            Some(exact) if exact.abs() <= ROUNDING * contrast.a.unwrap_or(0.0).abs().max(1.0) => {
                return if contrast.ties == contrast.n { Self::Same } else { Self::Alike };
            }
            Some(exact) => Interval::new(exact, exact),
            None if contrast.n > 0 && contrast.ties == contrast.n => return Self::Same,
            None => match contrast.simultaneous_ci.or(contrast.ci) {
                Some(interval) if interval.low > 0.0 || interval.high < 0.0 => interval,
                _ => return Self::Undecided,
            },
        };
        match contrast.metric.more_is_better(defective) {
            None => Self::Neither,
            Some(more) if (interval.low > 0.0) == more => match contrast.stopping {
                _ if matches!(contrast.never_trips, Some(Stopping::B | Stopping::Both)) => Self::BNeverTrips,
                Some(Stopping::B | Stopping::Both) => Self::BStops,
                Some(Stopping::A) | None => Self::B,
            },
            Some(_) => match contrast.stopping {
                _ if matches!(contrast.never_trips, Some(Stopping::A | Stopping::Both)) => Self::ANeverTrips,
                Some(Stopping::A | Stopping::Both) => Self::AStops,
                Some(Stopping::B) | None => Self::A,
            },
        }
    }
}

//! Time in whole milliseconds: instants and lengths.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// An instant: whole milliseconds since the rollout's request (t = 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct At(pub u64);

/// A length of time in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Span(pub u64);

impl At {
    /// The moment of the request.
    pub const ZERO: At = At(0);
    /// Later than every event.
    pub const NEVER: At = At(u64::MAX);

    /// The length of time since `earlier`; zero if `earlier` is later.
    #[must_use]
    #[inline]
    pub fn since(self, earlier: At) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time.
    pub const ZERO: Span = Span(0);
    /// The longest length that any part of the program computes with: 10⁹ seconds, the scenario's limit. Longer draws
    /// are cut to it.
    pub const LONGEST: Span = Span(1_000_000_000_000);

    /// The length in seconds. Exact to the millisecond for every length up to [`Span::LONGEST`].
    #[must_use]
    #[inline]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The whole milliseconds nearest to `seconds`, limited to `0 ..= Span::LONGEST`.
    #[must_use]
    pub fn from_secs_f64(seconds: f64) -> Span {
        Span::from_millis_f64(seconds * 1000.0)
    }

    /// The nearest whole millisecond, with halves rounded up, limited to `0 ..= Span::LONGEST`.
    #[inline]
    #[must_use]
    pub fn from_millis_f64(millis: f64) -> Span {
        // For a number that is not negative, adding a half and truncating rounds it without a call.
        let millis = millis + 0.5;
        if millis < Span::LONGEST.0 as f64 {
            // The signed conversion is one instruction.
            Span((millis as i64).max(0) as u64)
        } else if millis.is_nan() {
            Span::ZERO
        } else {
            Span::LONGEST
        }
    }
}

impl Add<Span> for At {
    type Output = At;
    #[inline]
    fn add(self, span: Span) -> At {
        At(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for At {
    #[inline]
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    #[inline]
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for At {
    type Output = Span;
    #[inline]
    fn sub(self, earlier: At) -> Span {
        self.since(earlier)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

/// `42.5s`, `12:05`, `3:07:00`, `2d 03:07:00`: short, and exact enough to tell events apart.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
        let (minutes, secs) = (seconds / 60 % 60, seconds % 60);
        let text = if days > 0 {
            format!("{days}d {hours:02}:{minutes:02}:{secs:02}")
        } else if hours > 0 {
            format!("{hours}:{minutes:02}:{secs:02}")
        } else {
            format!("{minutes:02}:{secs:02}.{:01}", millis / 100)
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_millisecond() {
        assert_eq!(Span::from_secs_f64(0.0004), Span(0));
        assert_eq!(Span::from_secs_f64(0.0005), Span(1));
        assert_eq!(Span::from_secs_f64(30.0), Span(30_000));
        assert_eq!(Span::from_secs_f64(f64::INFINITY), Span::LONGEST);
        assert_eq!(Span::from_secs_f64(f64::NAN), Span(0));
        assert_eq!(Span::from_secs_f64(-1.0), Span(0));
    }

    #[test]
    fn shown_short() {
        assert_eq!(Span(125_340).to_string(), "02:05.3");
        assert_eq!(Span(11_220_000).to_string(), "3:07:00");
        assert_eq!(Span(184_020_000).to_string(), "2d 03:07:00");
    }
}

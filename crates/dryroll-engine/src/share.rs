//! Shares of instances, and how a share becomes a number: in integers throughout.

use std::fmt;
use std::num::NonZeroU32;

/// A share: above 0 and at most 100 %, with at most three decimals of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Share(u32);

/// Thousandths of a percent in the whole.
const WHOLE: u64 = 100_000;

/// How a share that is not a whole number of instances is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Rounding {
    /// To the next whole number above.
    #[default]
    Up,
    /// To the next whole number below.
    Down,
}

impl Share {
    /// All of it.
    pub const ALL: Share = Share(WHOLE as u32);

    /// So many thousandths of a percent: 1 to 100 000. `None` beyond.
    #[must_use]
    pub const fn from_thousandths(thousandths: u32) -> Option<Self> {
        if thousandths >= 1 && thousandths as u64 <= WHOLE { Some(Self(thousandths)) } else { None }
    }

    /// A whole percentage; cut to 1 to 100.
    #[must_use]
    pub const fn percent(pct: u32) -> Self {
        let pct = if pct < 1 {
            1
        } else if pct > 100 {
            100
        } else {
            pct
        };
        Self(pct * 1000)
    }

    /// In thousandths of a percent.
    #[must_use]
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// In percent, if that is a whole number.
    #[must_use]
    pub const fn whole_percent(self) -> Option<u32> {
        if self.0.is_multiple_of(1000) { Some(self.0 / 1000) } else { None }
    }

    /// The share of a number of instances, rounded; it can be 0.
    #[must_use]
    pub const fn of(self, whole: u32, rounding: Rounding) -> u32 {
        let product = self.0 as u64 * whole as u64;
        match rounding {
            Rounding::Up => product.div_ceil(WHOLE) as u32,
            Rounding::Down => (product / WHOLE) as u32,
        }
    }

    /// How a count compares with this share of a whole.
    #[must_use]
    pub fn compare(self, count: u32, whole: u32) -> std::cmp::Ordering {
        (u64::from(count) * WHOLE).cmp(&(u64::from(self.0) * u64::from(whole)))
    }
}

/// `25%`, `0.5%`: as a file has it.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1000, self.0 % 1000);
        if part == 0 {
            return write!(f, "{whole}%");
        }
        let part = format!("{part:03}");
        write!(f, "{whole}.{}%", part.trim_end_matches('0'))
    }
}

/// A number of instances, or a share of some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Size {
    /// So many.
    Count(NonZeroU32),
    /// A share.
    Share(Share),
}

impl Size {
    /// The number of instances, of a whole; at least 1.
    #[must_use]
    pub fn of(self, whole: u32, rounding: Rounding) -> u32 {
        match self {
            Self::Count(count) => count.get(),
            Self::Share(share) => share.of(whole, rounding).max(1),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Share(share) => share.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact() {
        let tenth = Share::from_thousandths(100).unwrap();
        assert_eq!(tenth.to_string(), "0.1%");
        assert_eq!((tenth.of(1000, Rounding::Down), tenth.of(1001, Rounding::Up)), (1, 2));
        assert_eq!(Share::percent(25).to_string(), "25%");
        assert_eq!(Share::from_thousandths(33_333).unwrap().to_string(), "33.333%");
        assert_eq!(Share::percent(30).compare(3, 10), std::cmp::Ordering::Equal);
        assert_eq!(Share::percent(30).compare(4, 13), std::cmp::Ordering::Greater);
        assert_eq!((Share::from_thousandths(0), Share::from_thousandths(100_001)), (None, None));
        assert_eq!(Size::Share(tenth).of(10, Rounding::Down), 1, "at least one");
    }
}

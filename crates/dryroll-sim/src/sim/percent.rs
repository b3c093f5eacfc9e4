//! Shares in percent.

use serde::{Serialize, Serializer};

/// A share in percent: 50 is a half. It cannot be taken for a fraction, nor for a count.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Percent(f64);

impl Percent {
    /// All of it.
    pub const ALL: Percent = Percent(100.0);

    /// So many of these; of none, as if there were one.
    #[must_use]
    pub fn of(part: u32, whole: u32) -> Self {
        Self(f64::from(part) * 100.0 / f64::from(whole.max(1)))
    }

    /// The number before the percent sign.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_none_is_no_division_by_zero() {
        assert_eq!(Percent::of(3, 12).get(), 25.0);
        assert_eq!(Percent::of(0, 0).get(), 0.0);
        assert_eq!(Percent::of(12, 12), Percent::ALL);
    }
}

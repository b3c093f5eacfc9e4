//! A moment that may never come, in the eight bytes of one that does.

use dryroll_engine::fleet::{At, Span};
use std::cmp::Ordering;
use std::ops::Add;

/// A moment, or never: an `Option<At>` that compares as one integer. Never is later than every moment.
///
/// The sentinel is [`At::NEVER`]; it stays inside this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextAt(At);

impl NextAt {
    /// No moment at all.
    pub const NEVER: NextAt = NextAt(At::NEVER);

    /// The moment; `None` where it never comes.
    #[inline]
    #[must_use]
    pub fn get(self) -> Option<At> {
        if self.is_never() { None } else { Some(self.0) }
    }

    /// Whether it never comes.
    #[inline]
    #[must_use]
    pub fn is_never(self) -> bool {
        self == Self::NEVER
    }

    /// The moment, or `limit` where that comes first.
    #[inline]
    #[must_use]
    pub fn or_by(self, limit: At) -> At {
        self.0.min(limit)
    }
}

impl From<At> for NextAt {
    #[inline]
    fn from(at: At) -> Self {
        Self(at)
    }
}

impl From<Option<At>> for NextAt {
    #[inline]
    fn from(at: Option<At>) -> Self {
        at.map_or(Self::NEVER, Self)
    }
}

impl PartialEq<At> for NextAt {
    #[inline]
    fn eq(&self, at: &At) -> bool {
        self.0 == *at
    }
}

impl PartialOrd<At> for NextAt {
    #[inline]
    fn partial_cmp(&self, at: &At) -> Option<Ordering> {
        self.0.partial_cmp(at)
    }
}

/// Never stays never.
impl Add<Span> for NextAt {
    type Output = NextAt;
    #[inline]
    fn add(self, span: Span) -> NextAt {
        NextAt(self.0 + span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_last_and_stays_never() {
        let soon = NextAt::from(At(7));
        assert!(soon < NextAt::NEVER && soon <= At(7) && NextAt::NEVER > At(u64::MAX - 1));
        assert_eq!([soon.get(), NextAt::NEVER.get()], [Some(At(7)), None]);
        assert_eq!(NextAt::NEVER + Span(5), NextAt::NEVER);
        assert_eq!([soon, NextAt::NEVER].map(|next| next.or_by(At(9))), [At(7), At(9)]);
        assert_eq!([Some(At(7)), None].map(NextAt::from), [soon, NextAt::NEVER]);
        assert_eq!(size_of::<NextAt>(), size_of::<u64>());
    }
}

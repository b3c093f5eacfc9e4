//! Time without a healthy verdict.

use crate::fleet::Span;

/// A rule that holds when nobody got a healthy verdict for so long since the latest of: the last batch begun, the last
/// healthy verdict, the last decision. It waits only while something is in flight or undispatched in an open batch and
/// no request is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NoProgress {
    /// How long.
    pub after: Span,
}

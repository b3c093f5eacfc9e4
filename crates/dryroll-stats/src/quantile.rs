//! Quantiles of a sample: which rank, the ranks of an interval around it, and the numbers at those ranks.
//!
//! Source of the intervals: H. A. David and H. N. Nagaraja, "Order Statistics", 3rd edition (2003), section 7.1. They
//! hold for every distribution, with or without jumps.

mod selection;

use super::{beta, miss};

pub use selection::{Source, order_statistics};

/// The 1-based rank of the q-quantile among n: ceil(n q), at least 1 and at most n (1 if n is 0). A product within
/// rounding of a whole number is that number: q = 0.07 of 100 is the 7th, although the double is above 0.07.
#[must_use]
pub fn rank(n: u64, q: f64) -> u64 {
    let product = n as f64 * q;
    let whole = product.round();
    let rounding = 4.0 * f64::EPSILON * product;
    let rank = if (product - whole).abs() <= rounding { whole } else { product.ceil() };
    (rank as u64).clamp(1, n.max(1))
}

/// The 1-based ranks (l, u) of the two numbers among n between which the q-quantile of the distribution lies with at
/// least this confidence, each side missing at most half of the rest. They are the closest such ranks.
///
/// With B the number of draws up to the quantile, a binomial of n and q, l is the largest rank with P(B < l) at most
/// half of the miss, and u the smallest with P(B ≥ u) at most that. `None` where n is too small for either (at 95 %,
/// the median needs 6 and the 99th percentile 368), if q is not strictly between 0 and 1, or if the confidence is not
/// from 0 to 1.
#[must_use]
pub fn interval_ranks(n: u64, q: f64, confidence: f64) -> Option<(u64, u64)> {
    let tail = miss(confidence)? / 2.0;
    if !(q > 0.0 && q < 1.0) || n == 0 {
        return None;
    }
    let trials = n as f64;
    // P(B >= k), and P(B < k), for 1 <= k <= n.
    let tails = |k: u64| beta::both_tails(k as f64, trials - k as f64 + 1.0, q, 1.0 - q);
    let above_is_rare = |k: u64| tails(k).0 <= tail;
    let below_is_rare = |k: u64| tails(k).1 <= tail;
    if !below_is_rare(1) || !above_is_rare(n) {
        return None;
    }
    // The last rank with a small enough lower tail: it is small at `low`, not at `high`.
    let (mut low, mut high) = (1, n + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if below_is_rare(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    // The first rank with a small enough upper tail: it is small at `last`, not before `first`.
    let (mut first, mut last) = (low, n);
    while first < last {
        let middle = first + (last - first) / 2;
        if above_is_rare(middle) {
            last = middle;
        } else {
            first = middle + 1;
        }
    }
    Some((low, last))
}

/// A key with the same order as the number: the order of IEEE 754's totalOrder, so -0 before 0.
#[must_use]
pub fn key(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The number that belongs to a [`key`].
#[must_use]
pub fn value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

#[cfg(test)]
mod tests;

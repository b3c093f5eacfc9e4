//! Looks at the data so far, at sample sizes fixed beforehand; they stay valid although one may stop at any of them.
//!
//! An interval with [`Looks::confidence`] at each look covers at all looks together with the overall confidence: look k
//! may miss with chance α / ((k + 1) (k + 2)), and these add up to α over all k. That is the union bound, so it holds
//! for any data, any interval valid at a fixed size, any number of looks, and any reason to stop.

/// Looks at n = first, 2 first, 4 first and so on below max, and at max.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks {
    /// The size at the first look; 0 counts as 1.
    pub first: u64,
    /// The size at the last look.
    pub max: u64,
}

impl Looks {
    /// The size at a look, counted from 0; `None` after the last, and if `max` is 0.
    #[must_use]
    pub fn at(&self, look: u32) -> Option<u64> {
        let size = |look: u32| u128::from(self.first.max(1)) << look.min(64);
        let before = if look == 0 { 0 } else { size(look - 1) };
        (before < u128::from(self.max)).then(|| u64::try_from(size(look)).unwrap_or(u64::MAX).min(self.max))
    }

    /// The confidence that an interval needs at a look, counted from 0, so that those of all looks hold together at
    /// `overall`: 1 - (1 - overall) / ((look + 1) (look + 2)).
    #[must_use]
    pub fn confidence(&self, look: u32, overall: f64) -> f64 {
        let look = f64::from(look);
        1.0 - (1.0 - overall) / ((look + 1.0) * (look + 2.0))
    }
}

#[cfg(test)]
mod tests;

//! Pairs of numbers: the results of two policies on the same replicates.
//!
//! The differences are compared. What the replicates have in common cancels out of them, so their mean is known more
//! closely than from separate runs; [`Paired::variance_saved`] returns by how much. (Common random numbers: A. M. Law,
//! "Simulation Modeling and Analysis", chapter 11.)

use super::moments::Moments;

/// The largest share that counts as rounding error.
const DUST: f64 = 1e-9;

/// Running sums over pairs (a, b), all finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paired {
    a: Moments,
    b: Moments,
    differences: Moments,
    /// Sum of products of deviations, by Welford's update.
    products: f64,
    a_smaller: u64,
    b_smaller: u64,
}

impl Paired {
    /// Adds one pair. Its difference is b - a.
    pub fn push(&mut self, a: f64, b: f64) {
        let before = a - self.a.mean().unwrap_or(0.0);
        self.a.push(a);
        self.b.push(b);
        self.products += before * (b - self.b.mean().unwrap_or(0.0));
        self.differences.push(b - a);
        self.a_smaller += u64::from(a < b);
        self.b_smaller += u64::from(b < a);
    }

    /// How many pairs have been added.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.differences.n()
    }

    /// The first numbers of the pairs.
    #[must_use]
    pub fn a(&self) -> &Moments {
        &self.a
    }

    /// The second numbers of the pairs.
    #[must_use]
    pub fn b(&self) -> &Moments {
        &self.b
    }

    /// The differences b - a.
    #[must_use]
    pub fn differences(&self) -> &Moments {
        &self.differences
    }

    /// In how many pairs a is smaller, b is smaller, and both are equal.
    #[must_use]
    pub fn wins(&self) -> (u64, u64, u64) {
        (self.a_smaller, self.b_smaller, self.n() - self.a_smaller - self.b_smaller)
    }

    /// Pearson's correlation of a and b, from -1 to 1; `None` for fewer than two pairs, or if a or b never varies.
    #[must_use]
    pub fn correlation(&self) -> Option<f64> {
        let (a, b) = (self.a.variance()?, self.b.variance()?);
        let covariance = self.products / (self.n() - 1) as f64;
        (a > 0.0 && b > 0.0).then(|| (covariance / (a.sqrt() * b.sqrt())).clamp(-1.0, 1.0))
    }

    /// 1 - Var(b - a) / (Var a + Var b): the share of the difference's variance that pairing saves. 1 if the difference
    /// never varies, 0 if a and b are unrelated, negative if pairing does harm. `None` for fewer than two pairs, or if
    /// neither varies.
    #[must_use]
    pub fn variance_saved(&self) -> Option<f64> {
        let two_samples = self.a.variance()? + self.b.variance()?;
        let saved = 1.0 - self.differences.variance()? / two_samples;
        (two_samples > 0.0).then_some(if saved.abs() < DUST { 0.0 } else { saved })
    }
}

#[cfg(test)]
mod tests;

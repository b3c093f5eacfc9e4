//! Mean and variance of numbers that come one by one, and the t interval of the mean.
//!
//! Source of the update: B. P. Welford, "Note on a method for calculating corrected sums of squares and products",
//! Technometrics 4 (1962). The mean returned is from a sum with Neumaier's correction ("Rundungsfehleranalyse einiger
//! Verfahren zur Summation endlicher Summen", ZAMM 54, 1974), so that 732 ones of 1000 are 0.732. The same numbers in
//! the same order give the same bits.

use super::{Interval, student};

/// Running count, mean and sum of squared deviations. The numbers must be finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    n: u64,
    /// Welford's running mean.
    mean: f64,
    squares: f64,
    /// The sum, and what rounding lost of it.
    sum: f64,
    lost: f64,
}

impl Moments {
    /// Adds one number.
    pub fn push(&mut self, x: f64) {
        self.n += 1;
        let before = x - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (x - self.mean);
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }

    /// How many numbers have been added.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Their mean; `None` if there are none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        // If all numbers are equal, the mean is that number to the last bit.
        let same = self.squares == 0.0;
        (self.n > 0).then(|| if same { self.mean } else { (self.sum + self.lost) / self.n as f64 })
    }

    /// Their sample variance, divided by n - 1; `None` for fewer than two numbers.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.squares / (self.n - 1) as f64)
    }

    /// Student's interval of the mean of the distribution that they are drawn from: mean ± t s / √n. A point if they
    /// are all equal. `None` for fewer than two numbers, and if the confidence is not at least 0 and below 1.
    #[must_use]
    pub fn t_interval(&self, confidence: f64) -> Option<Interval> {
        self.within(student::two_sided(confidence, self.n)?)
    }

    /// The mean plus and minus `errors` standard errors; `None` for fewer than two numbers.
    #[must_use]
    pub fn within(&self, errors: f64) -> Option<Interval> {
        let half = errors * (self.variance()? / self.n as f64).sqrt();
        let mean = self.mean()?;
        Some(Interval::new(mean - half, mean + half))
    }
}

#[cfg(test)]
mod tests;

//! Statistics: intervals, quantiles and exact results. Numbers in, numbers out; nothing here knows what a rollout is.
//!
//! - Distributions: [`normal`], [`beta`] (and so the binomial), [`student`].
//! - A mean and its t interval: [`moments`]; one that holds for every distribution within bounds: [`bounded`]. A rate:
//!   [`proportion`]. A quantile: [`quantile`]. Two policies on the same replicates: [`paired`]; two samples apart:
//!   [`two_samples`].
//! - How one quantity depends on others: [`regression`]; what it is worth to know them: [`information`].
//! - Many intervals at once: [`simultaneous`]. Looking before all is done: [`sequential`].
//!
//! `docs/statistics.md` has the formulas, sources and limits. Everything is `libm` and IEEE arithmetic in a fixed
//! order: the same bits on every machine.

pub mod beta;
#[cfg(test)]
mod binomial;
pub mod bounded;
pub mod exact;
pub mod information;
mod interval;
pub mod moments;
pub mod normal;
pub mod paired;
pub mod proportion;
pub mod quantile;
pub mod regression;
pub mod sequential;
pub mod simultaneous;
pub mod student;
pub mod two_samples;

pub use interval::Interval;

/// The share that intervals of this confidence may miss; `None` if the confidence is not from 0 to 1.
fn miss(confidence: f64) -> Option<f64> {
    (0.0..=1.0).contains(&confidence).then_some(1.0 - confidence)
}

//! Exact results on runs of failures: chances, not estimates.
//!
//! A breaker that needs `k` failures in a row is a Markov chain whose state is the current count, 0 to `k − 1` (Feller,
//! "An Introduction to Probability Theory and Its Applications", vol. 1, XIII.7; Balakrishnan and Koutras, "Runs and
//! Scans with Applications", 2002, chapter 2). [`Counts`] is the distribution of that state, which advances by one
//! trial or one unit of trials at a time. [`Walk`] goes through a whole sequence of units, [`RunChances`] goes through
//! it backwards, [`Chain`] follows any other rules over counts, and [`sum_of_falling`] adds up the survival function of a
//! duration on a grid of whole numbers.

mod chain;
mod counts;
mod run_chances;
mod sum;
mod walk;

pub use chain::{Chain, Group, Left, Moment, Rules, TooLarge, Turn};
pub use counts::{Counting, Counts, Trial};
pub use run_chances::RunChances;
pub use sum::sum_of_falling;
pub use walk::{Unit, Walk, Walked};

//! The value of information: what it is worth to know more before one chooses.
//!
//! Some numbers are unknown, and the average cost of each of several choices depends on them. Whoever knew the numbers
//! (or had a larger sample) would now and then choose differently; the average saving is the value of that knowledge
//! (H. Raiffa and R. Schlaifer, "Applied Statistical Decision Theory", 1961):
//!
//! ```text
//! min over ways of E[cost] − E[min over ways of E[cost | what would be known]]
//! ```
//!
//! # Method
//!
//! Each row is one draw of the unknown numbers with the cost of each choice, chance included. The mean cost given what
//! would be known is its regression on that (M. Strong, J. E. Oakley and A. Brennan, Medical Decision Making 34, 2014,
//! if the numbers themselves would be known; Strong, Oakley, Brennan and Breeze, Medical Decision Making 35, 2015, if a
//! sample would be: regress on its summary). Costs are taken less those of the best choice on the same rows.
//!
//! The smallest of several estimates is too small on average, so the saving of such a regression in its own rows is too
//! large. So there are two figures. *In its own rows* (`optimistic`): too large on average by what the noise adds.
//! *Held out* (`achieved`): the rows are cut into five parts; the regression on the other four parts chooses for a row,
//! and the saving comes from the row's own costs. One rule, which could be followed, achieves that without having seen
//! these rows, so it is too small on average by what the best rule would add. (The two sides are those of W.-K. Mak, D.
//! P. Morton and R. K. Wood, "Monte Carlo bounding techniques for determining solution quality in stochastic programs",
//! Operations Research Letters 24, 1999.) The estimate lies halfway between. The interval goes from the lower end of
//! what is achieved to the highest of three: the upper ends of both, and the mean over the rows of what could be saved
//! if every cost lay as far below the regression as its standard error allows. The last one matters if hardly any row
//! has another best choice: that no such row was seen does not show that there is none.

use super::moments::Moments;
use super::regression::Basis;
use super::{Interval, normal};

pub mod sample;

/// Into how many parts the rows are cut.
const PARTS: usize = 5;
/// Degree of the polynomials.
const DEGREE: u32 = 3;

/// The value of information, in the unit of the costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InformationValue {
    /// Halfway between `achieved` and `optimistic`, not below 0.
    pub estimate: f64,
    /// From the lower end of what is achieved, not below 0, to the highest upper end.
    pub interval: Interval,
    /// The saving of a rule in rows that it was not fitted to.
    pub achieved: f64,
    /// The saving of a rule in the rows that it was fitted to.
    pub optimistic: f64,
    /// Number of rows.
    pub n: u64,
}

/// The choice with the least mean cost; the first of those that are equal. `None` if there is no choice, or no row.
#[must_use]
pub fn best(costs: &[Vec<f64>]) -> Option<usize> {
    let means = costs.iter().map(|one| mean(one)).enumerate();
    means
        .filter(|(_, mean)| mean.is_finite())
        .reduce(|best, next| if next.1 < best.1 { next } else { best })
        .map(|one| one.0)
}

/// The value of knowing the numbers `known` (each with a value for each row) before choosing between options with these
/// costs (each with a cost for each row). `None` if there is no option, or if there are fewer than two rows.
#[must_use]
pub fn information_value(known: &[Vec<f64>], costs: &[Vec<f64>], confidence: f64) -> Option<InformationValue> {
    let usual = best(costs)?;
    let rows = costs[usual].len();
    let more: Vec<Vec<f64>> = (0..costs.len())
        .filter(|&way| way != usual)
        .map(|way| costs[way].iter().zip(&costs[usual]).map(|(cost, usual)| cost - usual).collect())
        .collect();
    let whole = Basis::new(known, DEGREE, vec![true; rows]);
    if whole.len() < 2 {
        // Numbers that never vary cannot change the choice.
        let nothing = InformationValue {
            estimate: 0.0,
            interval: Interval::new(0.0, 0.0),
            achieved: 0.0,
            optimistic: 0.0,
            n: rows as u64,
        };
        return (rows > 1).then_some(nothing);
    }
    let own = choices(&whole, &more, rows);
    let optimistic = moments(own.iter().map(|choice| choice.map_or(0.0, |(_, saves)| saves)));
    let mut saved = vec![0.0; rows];
    for part in 0..PARTS {
        let basis = Basis::new(known, DEGREE, (0..rows).map(|row| row % PARTS != part).collect());
        let chosen = choices(&basis, &more, rows);
        for row in (part..rows).step_by(PARTS) {
            saved[row] = chosen[row].map_or(0.0, |(way, _)| -more[way][row]);
        }
    }
    let achieved = moments(saved);
    let ends = [optimistic.t_interval(confidence)?, achieved.t_interval(confidence)?];
    let (optimistic, achieved) = (optimistic.mean()?, achieved.mean()?);
    let high = ends[0].high.max(ends[1].high).max(could_be_saved(&whole, &more, rows, confidence)?);
    Some(InformationValue {
        estimate: f64::midpoint(achieved, optimistic).max(0.0),
        interval: Interval::new(ends[1].low.clamp(0.0, high), high),
        achieved,
        optimistic,
        n: rows as u64,
    })
}

/// The mean over the rows of the saving of the best choice, if every cost is as low as its regression allows.
fn could_be_saved(basis: &Basis, more: &[Vec<f64>], rows: usize, confidence: f64) -> Option<f64> {
    let far = normal::quantile(f64::midpoint(1.0, confidence));
    let mut most = vec![0.0_f64; rows];
    for more in more {
        let foreseen = basis.predict(more);
        let errors = basis.errors(more, &foreseen)?;
        for ((most, foreseen), error) in most.iter_mut().zip(foreseen).zip(errors) {
            *most = most.max(far * error - foreseen);
        }
    }
    Some(mean(&most).max(0.0))
}

/// For each row the choice that is predicted to save the most, and the saving; `None` if the usual choice is best.
fn choices(basis: &Basis, more: &[Vec<f64>], rows: usize) -> Vec<Option<(usize, f64)>> {
    let mut chosen: Vec<Option<(usize, f64)>> = vec![None; rows];
    for (way, more) in more.iter().enumerate() {
        for (choice, foreseen) in chosen.iter_mut().zip(basis.predict(more)) {
            if -foreseen > choice.map_or(0.0, |(_, saves)| saves) {
                *choice = Some((way, -foreseen));
            }
        }
    }
    chosen
}

fn moments(values: impl IntoIterator<Item = f64>) -> Moments {
    let mut moments = Moments::default();
    values.into_iter().for_each(|value| moments.push(value));
    moments
}

fn mean(values: &[f64]) -> f64 {
    moments(values.iter().copied()).mean().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;

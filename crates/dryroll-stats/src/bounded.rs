//! The mean of bounded numbers, without any assumption on their distribution.
//!
//! Student's interval of a mean supposes that the sample shows how the numbers vary. It fails if one replicate in a
//! thousand costs a day and the sample has none of those. The intervals here hold for every distribution within the
//! bounds, at every sample size: what the sample has not shown yet widens them by as much as the bounds allow.
//!
//! # Method
//!
//! [`interval`]: a gambler bets that the mean is more (or less) than m, with stakes that depend only on the earlier
//! numbers. If the mean is m, the expected capital is 1. A capital of 2 / α or more therefore has a chance of at most α
//! / 2 (Ville's inequality), and each m at which the gambler reaches it lies outside the interval. The stakes are the
//! predictable plug-in of I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting",
//! JRSS B 86 (2024), section 4.
//!
//! [`Reach::interval`]: most numbers lie in a narrow range, and a few (rollouts that trip) far outside. Each is cut
//! into the part within the narrow range and the excess beyond it; the mean is the sum of the two means, each with half
//! of the error. While no excess was seen, its chance is at most 1 − α^(1/n) (Clopper and Pearson).

use super::{Interval, miss};

/// The largest share of the capital that a bet can lose.
const LARGEST_BET: f64 = 0.9;
/// The precision of the ends, as a share of the range.
const RESOLUTION: f64 = 1e-9;
/// The most steps of the search for an end.
const STEPS: u32 = 60;

/// The range of a quantity: always, and if nothing unusual happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// The range that it never leaves.
    pub always: Interval,
    /// The range that it leaves only if something unusual happens. Fixed beforehand, not from the sample.
    pub usually: Interval,
}

impl Reach {
    /// A quantity with one range, `low` to `high`.
    #[must_use]
    pub fn within(low: f64, high: f64) -> Self {
        Self { always: Interval::new(low, high), usually: Interval::new(low, high) }
    }

    /// The range of the difference of two quantities: the second less the first.
    #[must_use]
    pub fn of_difference(a: Self, b: Self) -> Self {
        let less = |a: Interval, b: Interval| Interval::new(b.low - a.high, b.high - a.low);
        Self { always: less(a.always, b.always), usually: less(a.usually, b.usually) }
    }

    /// The interval of the mean of the distribution that independent numbers are drawn from; `None` if there are no
    /// numbers. Its width is zero only if the range's is.
    #[must_use]
    pub fn interval(self, values: &[f64], confidence: f64) -> Option<Interval> {
        let miss = miss(confidence).filter(|&miss| miss > 0.0)?;
        if values.is_empty() {
            return None;
        }
        // A number that lies outside a bound refutes the bound; the other bounds still hold.
        let (min, max) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let always = Interval::new(self.always.low.min(min), self.always.high.max(max));
        let usually = self.usually;
        if always == usually {
            return interval(values, always, confidence);
        }
        let usual = |x: f64| x.clamp(usually.low, usually.high);
        let beyond = Interval::new(always.low - usually.low, always.high - usually.high);
        let half = 1.0 - miss / 2.0;
        let within = interval(&values.iter().map(|&x| usual(x)).collect::<Vec<_>>(), usually, half)?;
        let excess = if min >= usually.low && max <= usually.high {
            let unseen = 1.0 - libm::pow(miss / 2.0, 1.0 / values.len() as f64);
            Interval::new(unseen * beyond.low, unseen * beyond.high)
        } else {
            interval(&values.iter().map(|&x| x - usual(x)).collect::<Vec<_>>(), beyond, half)?
        };
        let (low, high) = (within.low + excess.low, within.high + excess.high);
        Some(Interval::new(low.max(always.low), high.min(always.high)))
    }
}

/// The interval of the mean of the distribution that independent numbers within a range are drawn from, in the order in
/// which they came. `None` if there are no numbers, or if the confidence is not at least 0 and below 1.
#[must_use]
pub fn interval(values: &[f64], range: Interval, confidence: f64) -> Option<Interval> {
    let miss = miss(confidence).filter(|&miss| miss > 0.0)?;
    let width = range.high - range.low;
    if values.is_empty() {
        return None;
    }
    if width <= 0.0 {
        return Some(range);
    }
    let scaled: Vec<f64> = values.iter().map(|x| ((x - range.low) / width).clamp(0.0, 1.0)).collect();
    let bets = Bets::new(&scaled, miss);
    let low = bets.lower_end(|x| x);
    let high = 1.0 - bets.lower_end(|x| 1.0 - x);
    Some(Interval::new(range.low + low * width, range.low + high * width))
}

/// A sample in [0, 1] and the stakes on each of its numbers.
struct Bets<'a> {
    values: &'a [f64],
    stakes: Vec<f64>,
    mean: f64,
    /// The logarithm of the capital that refutes a mean.
    enough: f64,
}

impl<'a> Bets<'a> {
    fn new(values: &'a [f64], miss: f64) -> Self {
        let n = values.len() as f64;
        let enough = libm::log(2.0 / miss);
        // Mean and variance of the earlier numbers, plus one number taken to be 1/2 with a variance of 1/4.
        let (mut count, mut sum, mut squares) = (1.0, 0.5, 0.25);
        let stake = |&x: &f64| {
            let stake = (2.0 * enough / (n * (squares / count))).sqrt();
            count += 1.0;
            sum += x;
            let off = x - sum / count;
            squares += off * off;
            stake
        };
        let stakes = values.iter().map(stake).collect();
        Self { values, stakes, mean: values.iter().sum::<f64>() / n, enough }
    }

    /// The logarithm of the capital after betting that the mean of `side` is more than m.
    fn capital(&self, side: impl Fn(f64) -> f64, m: f64) -> f64 {
        let most = LARGEST_BET / m;
        let (mut log, mut product) = (0.0, 1.0);
        for (&x, &stake) in self.values.iter().zip(&self.stakes) {
            product *= 1.0 + stake.min(most) * (side(x) - m);
            // Rescales well before a double overflows, which is rare.
            if !(1e-200..1e200).contains(&product) {
                log += libm::log(product);
                product = 1.0;
            }
        }
        log + libm::log(product)
    }

    /// The least mean of `side` that is not refuted from below. The capital falls as m grows, so it is found by
    /// bisection between a mean that is refuted and one that is not.
    fn lower_end(&self, side: impl Fn(f64) -> f64 + Copy) -> f64 {
        let mut open = side(self.mean).clamp(RESOLUTION, 1.0);
        let mut refuted = 0.0;
        for _ in 0..STEPS {
            if open - refuted <= RESOLUTION.max(1e-6 * open) {
                break;
            }
            let middle = (open + refuted) / 2.0;
            if self.capital(side, middle) >= self.enough { refuted = middle } else { open = middle }
        }
        refuted
    }
}

#[cfg(test)]
mod tests;

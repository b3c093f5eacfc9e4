//! A table of the quantiles of one beta distribution, for callers that need thousands of them.

use super::solve;
use crate::normal;

/// Nodes per standard deviation of the normal score.
const A_STEP: f64 = 32.0;
/// The score of the first and the last node: no double below 1 has a larger score.
const END: f64 = 9.0;
/// The value that replaces a quantile which is zero to machine precision.
const LEAST: f64 = 1e-300;

/// The logit of the quantile at evenly spaced normal scores; between them it is the cubic (Lagrange's) through the four
/// nearest nodes. With shapes of at least 0.03, quantiles above 10⁻³⁰⁰ are right to six digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    shapes: (f64, f64),
    logits: Box<[f64]>,
}

impl Quantiles {
    /// The table for these shapes; `None` if there is no such distribution.
    #[must_use]
    pub fn new(a: f64, b: f64) -> Option<Self> {
        if !super::shapes(a, b) {
            return None;
        }
        let nodes = (2.0 * END * A_STEP) as u32 + 1;
        let logit = |node: u32| {
            let z = f64::from(node) / A_STEP - END;
            let (x, y) = solve(a, b, normal::cumulative(z), normal::cumulative(-z));
            libm::log(x.max(LEAST)) - libm::log(y.max(LEAST))
        };
        Some(Self { shapes: (a, b), logits: (0..nodes).map(logit).collect() })
    }

    /// The shapes.
    #[must_use]
    pub fn shapes(&self) -> (f64, f64) {
        self.shapes
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let (a, b) = self.shapes;
        a / (a + b)
    }

    /// The quantile at u, between 0 and 1: a variate lies below it with chance u.
    #[must_use]
    pub fn at(&self, u: f64) -> f64 {
        let place = (normal::quantile(u) + END) * A_STEP;
        let last = self.logits.len() - 3;
        // A score of NaN counts as the least.
        let node = (place.max(1.0) as usize).clamp(1, last);
        let t = place - node as f64;
        let [before, here, next, after] = [node - 1, node, node + 1, node + 2].map(|i| self.logits[i]);
        let logit = -t * (t - 1.0) * (t - 2.0) / 6.0 * before + (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0 * here
            - (t + 1.0) * t * (t - 2.0) / 2.0 * next
            + (t + 1.0) * t * (t - 1.0) / 6.0 * after;
        1.0 / (1.0 + libm::exp(-logit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beta::quantile;

    #[test]
    fn looked_up_is_what_is_solved() {
        for (a, b) in [(0.5, 0.5), (0.5, 50.5), (1.0, 1.0), (3.2, 0.7), (0.03, 5.0), (40.0, 900.0), (1e6, 1e8)] {
            let table = Quantiles::new(a, b).unwrap();
            for i in 1..4000 {
                let u = f64::from(i) / 4000.0;
                let (looked_up, solved) = (table.at(u), quantile(a, b, u));
                let near = (looked_up - solved).abs() <= 1e-6 * solved + 1e-290;
                assert!(near, "Beta({a}, {b}) at {u}: {looked_up} {solved}");
            }
        }
    }

    #[test]
    fn it_rises_from_end_to_end() {
        for (a, b) in [(0.05, 0.05), (0.5, 50.5), (2.0, 1e9)] {
            let table = Quantiles::new(a, b).unwrap();
            let ends = [1e-12, 1e-9, 1e-4, 0.3, 0.9, 1.0 - 1e-9, 1.0 - 1e-16].map(|u| table.at(u));
            assert!(ends.windows(2).all(|two| two[0] <= two[1]), "{ends:?}");
            assert!(ends.iter().all(|x| (0.0..=1.0).contains(x)), "{ends:?}");
        }
    }

    #[test]
    fn there_is_none_of_what_is_no_distribution() {
        for (a, b) in [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert_eq!(Quantiles::new(a, b), None);
        }
    }

    #[test]
    fn golden_quantiles() {
        let table = Quantiles::new(1.5, 49.5).unwrap();
        let bits = [0.025, 0.5, 0.975].map(|u| table.at(u).to_bits());
        assert_eq!(bits, GOLDEN);
    }

    const GOLDEN: [u64; 3] = [4_567_142_017_971_283_416, 4_582_430_308_899_859_163, 4_591_126_570_994_893_962];
}

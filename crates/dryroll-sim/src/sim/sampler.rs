//! Durations, drawn by inversion: one uniform variate each, larger for a larger word.

use super::draws::{scale, unit};
use crate::scenario::Distribution;
use dryroll_engine::fleet::Span;
use dryroll_stats::normal;

/// A duration's distribution, ready to be drawn from: parameters in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Sampler {
    /// Always the same.
    Constant(Span),
    /// Exponential.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// Log-normal.
    Lognormal {
        /// Median.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// The same of the binary logarithm.
        sigma_2: f64,
    },
    /// Uniform.
    Uniform {
        /// Smallest.
        min: f64,
        /// Largest less smallest.
        width: f64,
    },
    /// Weibull.
    Weibull {
        /// Scale.
        scale: f64,
        /// One over the shape.
        inverse_shape: f64,
    },
    /// One of these, in ascending order, each as likely.
    Empirical(Box<[f64]>),
}

impl Sampler {
    /// Takes a scenario's distribution, whose parameters are in seconds.
    #[must_use]
    pub fn new(distribution: &Distribution) -> Self {
        const MS: f64 = 1000.0;
        match *distribution {
            Distribution::Constant(seconds) => Self::Constant(Span::from_secs_f64(seconds)),
            Distribution::Exponential { mean } => Self::Exponential { mean: mean * MS },
            Distribution::Lognormal { median, sigma } => {
                Self::Lognormal { median: median * MS, sigma, sigma_2: sigma * std::f64::consts::LOG2_E }
            }
            Distribution::Uniform { min, max } => Self::Uniform { min: min * MS, width: (max - min) * MS },
            Distribution::Weibull { scale, shape } => Self::Weibull { scale: scale * MS, inverse_shape: 1.0 / shape },
            Distribution::Empirical(ref values) => {
                let mut values: Vec<f64> = values.iter().map(|v| v * MS).collect();
                values.sort_by(f64::total_cmp);
                Self::Empirical(values.into())
            }
        }
    }

    /// The duration that belongs to a word.
    #[inline]
    #[must_use]
    pub fn draw(&self, word: u64) -> Span {
        match *self {
            Self::Constant(span) => span,
            ref drawn => Span::from_millis_f64(drawn.millis(word)),
        }
    }

    /// The same times a factor, rounded once.
    #[must_use]
    pub fn draw_times(&self, word: u64, factor: f64) -> Span {
        Span::from_millis_f64(self.millis(word) * factor)
    }

    /// The law of [`draw_times`](Self::draw_times).
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        match *self {
            Self::Constant(span) => Self::Constant(Span::from_millis_f64(span.0 as f64 * factor)),
            _ if factor == 0.0 => Self::Constant(Span::ZERO),
            Self::Exponential { mean } => Self::Exponential { mean: mean * factor },
            Self::Lognormal { median, sigma, sigma_2 } => Self::Lognormal { median: median * factor, sigma, sigma_2 },
            Self::Uniform { min, width } => Self::Uniform { min: min * factor, width: width * factor },
            Self::Weibull { scale, inverse_shape } => Self::Weibull { scale: scale * factor, inverse_shape },
            Self::Empirical(ref values) => Self::Empirical(values.iter().map(|value| value * factor).collect()),
        }
    }

    /// The milliseconds that belong to a word, not rounded.
    #[inline]
    #[must_use]
    pub fn millis(&self, word: u64) -> f64 {
        match *self {
            Self::Constant(span) => span.0 as f64,
            Self::Exponential { mean } => mean * exponential(word),
            Self::Lognormal { median, sigma_2, .. } => median * libm::exp2(sigma_2 * normal::quantile(unit(word))),
            Self::Uniform { min, width } => min + width * unit(word),
            Self::Weibull { scale, inverse_shape } => scale * libm::pow(exponential(word), inverse_shape),
            Self::Empirical(ref values) => values[scale(word, values.len() as u64) as usize],
        }
    }

    /// The longest duration that any word gives.
    #[must_use]
    pub fn longest(&self) -> Span {
        self.draw(u64::MAX)
    }

    /// The shortest duration that any word gives.
    #[must_use]
    pub fn shortest(&self) -> Span {
        self.draw(0)
    }

    /// Whether every word gives zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.longest() == Span::ZERO
    }

    /// P(drawn ≤ `millis`), the draw being rounded to whole milliseconds, halves up: F(millis + ½).
    #[must_use]
    pub fn cumulative(&self, millis: u64) -> f64 {
        if millis >= Span::LONGEST.0 {
            return 1.0;
        }
        let x = millis as f64 + 0.5;
        match *self {
            Self::Constant(span) => f64::from(u8::from(span.0 <= millis)),
            Self::Exponential { mean } => -libm::expm1(-x / mean),
            Self::Lognormal { median, sigma: 0.0, .. } => f64::from(u8::from(median < x)),
            Self::Lognormal { median, sigma, .. } => normal::cumulative(libm::log(x / median) / sigma),
            Self::Uniform { min, width: 0.0 } => f64::from(u8::from(min < x)),
            Self::Uniform { min, width } => ((x - min) / width).clamp(0.0, 1.0),
            Self::Weibull { scale, inverse_shape } => -libm::expm1(-libm::pow(x / scale, 1.0 / inverse_shape)),
            Self::Empirical(ref values) => values.partition_point(|&value| value < x) as f64 / values.len() as f64,
        }
    }

    /// Mean, in milliseconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Constant(span) => span.0 as f64,
            Self::Exponential { mean } => mean,
            Self::Lognormal { median, sigma, .. } => median * libm::exp(sigma * sigma / 2.0),
            Self::Uniform { min, width } => min + width / 2.0,
            Self::Weibull { scale, inverse_shape } => scale * libm::tgamma(1.0 + inverse_shape),
            Self::Empirical(ref values) => values.iter().sum::<f64>() / values.len() as f64,
        }
    }

    /// What is left of a duration that is found under way at a random moment: drawn by inversion of the equilibrium
    /// distribution, whose cumulative is ∫₀ˣ (1 − F) / mean (Cox, "Renewal Theory", 1962, §5).
    #[must_use]
    pub fn draw_rest(&self, word: u64) -> Span {
        let u = unit(word);
        Span::from_millis_f64(match *self {
            Self::Constant(span) => u * span.0 as f64,
            Self::Exponential { mean } => mean * exponential(word),
            Self::Uniform { min, width } => {
                let beyond = u * (min + width / 2.0) - min;
                if beyond <= 0.0 {
                    beyond + min
                } else {
                    min + width - (width * width - 2.0 * width * beyond).max(0.0).sqrt()
                }
            }
            Self::Empirical(ref values) => rest_of_empirical(values, u * self.mean()),
            Self::Lognormal { median, sigma, .. } => {
                // ∫₀ˣ (1 − F) = x (1 − Φ(z)) + mean · Φ(z − σ), where z = ln(x / median) / σ.
                let mean = self.mean();
                let covered = |x: f64| {
                    let z = libm::log(x / median) / sigma;
                    x * normal::cumulative(-z) + mean * normal::cumulative(z - sigma)
                };
                if sigma == 0.0 { u * median } else { invert(covered, u * mean, self.longest()) }
            }
            Self::Weibull { scale, inverse_shape } => {
                // ∫₀ˣ (1 − F) = mean · P(1/k, (x/scale)ᵏ) with the regularised lower incomplete gamma function P.
                let covered = |x: f64| lower_gamma(inverse_shape, libm::pow(x / scale, 1.0 / inverse_shape));
                invert(covered, u, self.longest())
            }
        })
    }
}

/// A unit exponential variate: −ln(1 − u). The difference is exact.
fn exponential(word: u64) -> f64 {
    -libm::log(1.0 - unit(word))
}

/// The x where the integral of the survival function of an empirical distribution reaches `wanted`.
fn rest_of_empirical(ascending: &[f64], wanted: f64) -> f64 {
    let (mut from, mut covered) = (0.0, 0.0);
    for (i, &value) in ascending.iter().enumerate() {
        let surviving = (ascending.len() - i) as f64 / ascending.len() as f64;
        let next = covered + (value - from) * surviving;
        if next >= wanted {
            return if value > from { from + (wanted - covered) / surviving } else { value };
        }
        (from, covered) = (value, next);
    }
    from
}

/// The x at which a function that never falls reaches `wanted`, by bisection to less than a thousandth of a
/// millisecond.
fn invert(covered: impl Fn(f64) -> f64, wanted: f64, longest: Span) -> f64 {
    let (mut low, mut high) = (0.0, longest.0 as f64 + 1.0);
    while high - low > 1e-4 && (high - low) > high * 1e-12 {
        let middle = low + (high - low) / 2.0;
        if covered(middle) < wanted { low = middle } else { high = middle }
    }
    high
}

/// The regularised lower incomplete gamma function P(a, y) by its series (Abramowitz and Stegun 6.5.29). All terms are
/// positive, so nothing cancels.
fn lower_gamma(a: f64, y: f64) -> f64 {
    if y <= 0.0 {
        return 0.0;
    }
    if y > 700.0 {
        return 1.0;
    }
    let mut term = 1.0 / a;
    let mut sum = term;
    let mut n = a;
    while term > sum * 1e-17 {
        n += 1.0;
        term *= y / n;
        sum += term;
    }
    (sum * libm::exp(a * libm::log(y) - y - libm::lgamma(a))).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Sampler> {
        [
            Distribution::Constant(40.0),
            Distribution::Exponential { mean: 40.0 },
            Distribution::Lognormal { median: 45.0, sigma: 0.5 },
            Distribution::Uniform { min: 20.0, max: 60.0 },
            Distribution::Weibull { scale: 60.0, shape: 1.5 },
            Distribution::Empirical(vec![52.0, 41.0, 44.0, 41.0]),
        ]
        .iter()
        .map(Sampler::new)
        .collect()
    }

    /// Every cell's middle of a grid on (0, 1): no chance involved.
    fn grid(cells: u64) -> impl Iterator<Item = u64> {
        (0..cells).map(move |i| (u64::MAX / cells) * i + u64::MAX / cells / 2)
    }

    #[test]
    fn golden_durations() {
        let drawn: Vec<[u64; 3]> =
            all().iter().map(|s| [1 << 60, 1 << 63, u64::MAX].map(|word| s.draw(word).0)).collect();
        assert_eq!(
            drawn,
            [
                [40_000, 40_000, 40_000],
                [2_582, 27_726, 1_469_472],
                [20_897, 45_000, 2_728_291],
                [22_500, 40_000, 60_000],
                [9_654, 46_993, 663_059],
                [41_000, 44_000, 52_000],
            ]
        );
    }

    #[test]
    fn means_are_those_of_the_grid() {
        for sampler in all() {
            let cells = 200_000;
            let mean = grid(cells).map(|w| sampler.draw(w).0 as f64).sum::<f64>() / cells as f64;
            assert!((mean / sampler.mean() - 1.0).abs() < 1e-3, "{sampler:?}: {mean} {}", sampler.mean());
        }
    }

    #[test]
    fn the_rest_has_the_mean_of_the_equilibrium_distribution() {
        for sampler in all() {
            let cells = 20_000;
            let square = grid(200_000).map(|w| sampler.draw(w).0 as f64).map(|d| d * d).sum::<f64>() / 200_000.0;
            let rest = grid(cells).map(|w| sampler.draw_rest(w).0 as f64).sum::<f64>() / cells as f64;
            let wanted = square / (2.0 * sampler.mean());
            assert!((rest / wanted - 1.0).abs() < 5e-3, "{sampler:?}: {rest} {wanted}");
        }
    }

    /// The share of the grid up to a duration is its chance, to within one cell of the grid.
    #[test]
    fn the_cumulative_is_that_of_the_grid() {
        let zero_width =
            [Distribution::Lognormal { median: 3.0, sigma: 0.0 }, Distribution::Uniform { min: 2.0, max: 2.0 }];
        for sampler in all().into_iter().chain(zero_width.iter().map(Sampler::new)) {
            let cells = 100_000;
            let mut drawn: Vec<u64> = grid(cells).map(|w| sampler.draw(w).0).collect();
            drawn.sort_unstable();
            for millis in [0, 1, 500, 19_999, 20_000, 40_000, 40_999, 41_000, 44_000, 60_000, 200_000, 10_000_000] {
                let share = drawn.partition_point(|&d| d <= millis) as f64 / cells as f64;
                let chance = sampler.cumulative(millis);
                assert!((share - chance).abs() < 1.1 / cells as f64, "{sampler:?} {millis}: {share} {chance}");
            }
            assert_eq!(sampler.cumulative(Span::LONGEST.0), 1.0);
        }
    }

    #[test]
    fn a_factor_multiplies_what_is_drawn() {
        for sampler in all() {
            for factor in [0.0, 0.3, 1.0, 2.5] {
                let times = sampler.times(factor);
                for word in grid(500) {
                    assert!(
                        times.draw(word).0.abs_diff(sampler.draw_times(word, factor).0) <= 1,
                        "{sampler:?} {factor}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_larger_word_never_gives_a_shorter_duration() {
        for sampler in all() {
            let drawn: Vec<_> = grid(1000).map(|w| (sampler.draw(w), sampler.draw_rest(w))).collect();
            assert!(drawn.windows(2).all(|w| w[0].0 <= w[1].0 && w[0].1 <= w[1].1), "{sampler:?}");
        }
    }
}

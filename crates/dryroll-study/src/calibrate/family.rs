//! The families of duration distributions that a scenario supports, parametrised by unbounded coordinates.

use serde::{Deserialize, Serialize};

use super::nelder_mead::NOWHERE;
use super::sample::Sample;
use dryroll_sim::scenario::Distribution;

/// A family of distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Always the same value.
    Constant,
    /// Exponential.
    Exponential,
    /// Uniform.
    Uniform,
    /// Log-normal.
    Lognormal,
    /// Weibull.
    Weibull,
    /// The empirical distribution of the observed times.
    Empirical,
}

const MS: f64 = 1000.0;

impl Family {
    /// The families that are fitted by numerical maximisation of the likelihood.
    pub const SMOOTH: [Self; 4] = [Self::Exponential, Self::Uniform, Self::Lognormal, Self::Weibull];

    /// The family's name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Exponential => "exponential",
            Self::Uniform => "uniform",
            Self::Lognormal => "lognormal",
            Self::Weibull => "weibull",
            Self::Empirical => "empirical",
        }
    }

    /// The names of its parameters, as in a scenario.
    #[must_use]
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Constant => &["constant"],
            Self::Exponential => &["mean"],
            Self::Uniform => &["min", "max"],
            Self::Lognormal => &["median", "sigma"],
            Self::Weibull => &["scale", "shape"],
            Self::Empirical => &[],
        }
    }

    /// A parameter at a coordinate: in seconds, or dimensionless.
    pub fn parameter(self, axis: usize, coordinate: f64) -> f64 {
        match self {
            Self::Uniform | Self::Constant => coordinate / MS,
            _ if axis == 0 => libm::exp(coordinate) / MS,
            _ => libm::exp(coordinate),
        }
    }

    /// The distribution at these coordinates; `None` where it is not defined.
    pub fn at(self, x: &[f64]) -> Option<Distribution> {
        let value = |axis: usize| self.parameter(axis, x[axis]);
        let fine = |value: f64| value.is_finite() && value > 1e-6 && value < 1e9;
        match self {
            Self::Constant => Some(Distribution::Constant(value(0))).filter(|_| x[0] >= 0.0),
            Self::Exponential => Some(Distribution::Exponential { mean: value(0) }).filter(|_| fine(value(0))),
            Self::Uniform => Some(Distribution::Uniform { min: value(0), max: value(1) })
                .filter(|_| value(0) >= 0.0 && value(1) > value(0) + 1e-4 && fine(value(1))),
            Self::Lognormal => Some(Distribution::Lognormal { median: value(0), sigma: value(1) })
                .filter(|_| fine(value(0)) && (1e-4..20.0).contains(&value(1))),
            Self::Weibull => Some(Distribution::Weibull { scale: value(0), shape: value(1) })
                .filter(|_| fine(value(0)) && (0.02..900.0).contains(&value(1))),
            Self::Empirical => None,
        }
    }

    /// The start of the maximisation, and its first steps.
    pub fn start(self, sample: &Sample) -> (Vec<f64>, Vec<f64>) {
        let (mean, variance) = sample.moments();
        let mean = mean.max(1.0);
        let width = sample.resolution as f64;
        // The spread within an interval is noise with the variance of a uniform distribution.
        let own = (variance - width * width / 12.0).max(variance / 20.0).max(1e-6 * mean * mean).max(0.01);
        let spread = own.sqrt() / mean;
        match self {
            Self::Exponential => (vec![libm::log(mean)], vec![0.3]),
            Self::Lognormal => {
                let sigma = libm::log1p(spread * spread).sqrt();
                (vec![libm::log(mean) - sigma * sigma / 2.0, libm::log(sigma)], vec![0.2, 0.3])
            }
            Self::Weibull => {
                let shape = libm::pow(spread, -1.086).clamp(0.1, 500.0);
                (vec![libm::log(mean / libm::tgamma(1.0 + 1.0 / shape)), libm::log(shape)], vec![0.2, 0.3])
            }
            Self::Uniform => {
                let half = (3.0 * own).sqrt();
                let first = sample.seen.first().map_or(0.0, |&(time, _)| time as f64);
                let min = (mean - half).clamp(0.0, (first - 0.02 * width).max(0.0));
                let last = sample.longest() as f64;
                let max = (mean + half).max(last - 0.98 * width).max(min + 1.0);
                // The steps point to where the distribution is defined.
                (vec![min, max], vec![-(min / 4.0).max(0.0).min(half) - 1e-3, half / 4.0 + 0.5])
            }
            Self::Constant | Self::Empirical => (Vec::new(), Vec::new()),
        }
    }

    /// A function of coordinates that returns -1e300 where the distribution is not defined.
    pub fn over(self, f: impl Fn(&Distribution) -> f64) -> impl Fn(&[f64]) -> f64 {
        move |x| self.at(x).map_or(NOWHERE, |distribution| f(&distribution))
    }
}

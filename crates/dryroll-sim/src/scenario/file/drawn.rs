//! What a version leaves to be drawn once a replicate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::limits::{MAX_CONCENTRATION, MAX_FACTOR, MIN_CONCENTRATION};

/// A rate: a chance from 0 to 1, or a table with the key `beta`, from which each replicate draws a chance for all of
/// its upgrades.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::scenario) enum Rate {
    /// Beta with the shapes mean × concentration and (1 − mean) × concentration.
    Beta {
        /// The mean over replicates.
        #[schemars(range(min = 0.0, max = 1.0))]
        mean: f64,
        /// How near to the mean replicates are: the variance is mean × (1 − mean) / (concentration + 1).
        #[schemars(range(min = MIN_CONCENTRATION, max = MAX_CONCENTRATION))]
        concentration: f64,
    },
    /// The same in every replicate.
    #[serde(untagged)]
    Constant(#[schemars(range(min = 0.0, max = 1.0))] f64),
}

impl Default for Rate {
    fn default() -> Self {
        Self::Constant(0.0)
    }
}

/// A factor: a number, or a table with one key that names a distribution, from which each replicate draws it once. The
/// usual choice is log-normal with the median 1: as often faster as slower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::scenario) enum Factor {
    /// Exponential, with this mean.
    Exponential {
        /// The mean.
        #[schemars(range(max = MAX_FACTOR), extend("exclusiveMinimum" = 0))]
        mean: f64,
    },
    /// Log-normal.
    Lognormal {
        /// The median; left out, 1.
        #[serde(default = "one")]
        #[schemars(range(max = MAX_FACTOR), extend("exclusiveMinimum" = 0))]
        median: f64,
        /// The standard deviation of the logarithm.
        #[schemars(range(min = 0.0, max = 100.0))]
        sigma: f64,
    },
    /// Uniform from `min` to `max`.
    Uniform {
        /// The smallest.
        #[schemars(range(min = 0.0, max = MAX_FACTOR))]
        min: f64,
        /// The largest; not below `min`.
        #[schemars(range(min = 0.0, max = MAX_FACTOR))]
        max: f64,
    },
    /// Weibull.
    Weibull {
        /// The scale.
        #[schemars(range(max = MAX_FACTOR), extend("exclusiveMinimum" = 0))]
        scale: f64,
        /// The shape: below 1 early, above 1 late.
        #[schemars(range(max = 1000.0), extend("exclusiveMinimum" = 0))]
        shape: f64,
    },
    /// One of the listed values, each as likely.
    Empirical(#[schemars(length(min = 1), inner(range(min = 0.0, max = MAX_FACTOR)))] Vec<f64>),
    /// The same in every replicate.
    #[serde(untagged)]
    Constant(#[schemars(range(min = 0.0, max = MAX_FACTOR))] f64),
}

fn one() -> f64 {
    1.0
}

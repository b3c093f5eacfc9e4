//! The names of what rules and limits can be about.

use crate::engine::Outcome;

/// What kind of figure a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricKind {
    /// A number of each run: it has a mean, quantiles and extremes.
    Numeric,
    /// A share of the runs, 0 to 1.
    Rate,
    /// The name of an outcome.
    Outcome,
}

const NUMERIC: [&str; 18] = [
    "trips",
    "decisions",
    "duration_sec",
    "approval_wait_sec",
    "rollout_sec",
    "exposed_instances",
    "exposed_pct",
    "blast_radius_pct",
    "blast_radius_pct_tripped",
    "harmed_instances",
    "exposure_instance_min",
    "unhealthy_instance_min",
    "capacity_loss_instance_min",
    "min_serving_pct",
    "time_to_detect_sec",
    "time_to_mitigate_sec",
    "false_failures",
    "escaped_instances",
];

const RATES: [&str; 4] = ["trip_rate", "false_trip_rate", "escape_rate", "drift"];

/// What kind of figure that name stands for; `None`: there is no such metric.
pub(super) fn kind(name: &str) -> Option<MetricKind> {
    if name == "outcome" {
        Some(MetricKind::Outcome)
    } else if NUMERIC.contains(&name) {
        Some(MetricKind::Numeric)
    } else if RATES.contains(&name) || Outcome::ALL.iter().any(|outcome| outcome.name() == name) {
        Some(MetricKind::Rate)
    } else {
        None
    }
}

/// Every name.
pub(super) fn names() -> Vec<&'static str> {
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.name());
    NUMERIC.into_iter().chain(RATES).chain(["outcome"]).chain(outcomes).collect()
}

/// The names of the numeric ones.
pub(super) fn numeric_names() -> Vec<&'static str> {
    NUMERIC.to_vec()
}

//! Why a search is not possible.

use crate::study::grid::GridError;
use dryroll_sim::scenario::Metric;
use dryroll_sim::text::Foreign;

/// Why a search is not possible.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// The scenario does not state a goal.
    #[error("the scenario has no [tune]: add it, with `limits`, to state what the search is for")]
    NoTune,
    /// A policy or version is not valid.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The good version is defective.
    #[error("`good` in [tune] is `{0}`, which is defective; name a version that is not")]
    DefectiveGood(Foreign),
    /// A limit that does not apply to any version.
    #[error("the limit `{0}` does not apply to a good version, and [tune] names no defective one")]
    SaysNothing(Foreign),
    /// A limit that no number of replicates can confirm.
    #[error(
        "no number of replicates can confirm the limit `{0}`: use `at_most` or `at_least` on a mean, a percentile (p50, p95, p99) \
         or a rate"
    )]
    Unconfirmable(Foreign),
    /// A goal that not every good run has, or for which more is better.
    #[error(
        "`minimise` in [tune] is `{name}`, {why}; minimise another metric, such as duration_sec",
        name = .0.name(), why = goal_is_none(*.0)
    )]
    Goal(Metric),
    /// The rollout does nothing.
    #[error("nothing is rolled out: {0}")]
    NothingRolledOut(Foreign),
    /// The tolerance is not valid.
    #[error("a tolerance is a share from 0 to 1, such as 0.01")]
    Tolerance,
}

/// Whether every run of a good version has the metric, and less of it is better.
pub(super) fn is_goal(metric: Metric) -> bool {
    !metric.more_is_better() && metric != Metric::BlastRadiusPct && metric.condition().is_none()
}

fn goal_is_none(metric: Metric) -> &'static str {
    if metric.more_is_better() { "of which more is better" } else { "which not every run of a good version has" }
}

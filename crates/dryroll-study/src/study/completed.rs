//! Policies that give up: too few of the good rollouts complete with them.
//!
//! A rollout that is stopped is short and reaches little of the fleet, so a policy that stops nearly all good rollouts
//! has the lowest values of every metric. Such a policy is excluded from every front, is not recommended, and does not
//! count as better in time. One rule identifies these policies for `sweep`, `compare` and `tune`: at least [`least`] of
//! the rollouts of each good version must complete. The exact share decides where theory has it, otherwise Clopper and
//! Pearson's interval, so the rule has three answers.
//!
//! `tune` applies it as one more of its limits ([`limit`]), within the error that all of them share.

use serde::{Deserialize, Serialize};

use super::summary::Share;
use super::tune::limits::holds;
use dryroll_engine::Outcome;
use dryroll_sim::scenario::{Bound, LimitSpec, MIN_COMPLETED, Measure, Metric, Rate, Scenario};
use dryroll_stats::Interval;
use dryroll_stats::proportion::clopper_pearson;

/// The rate that the rule is about.
pub const COMPLETED: Rate = Rate::Outcome(Outcome::Completed);

/// The least share of good rollouts that must complete with a policy that does not give up.
#[must_use]
pub fn least(scenario: &Scenario) -> f64 {
    scenario.tune.as_ref().map_or(MIN_COMPLETED, |tune| tune.min_completed)
}

/// The rule as a limit; `None` where any share is enough.
#[must_use]
pub fn limit(least: f64) -> Option<LimitSpec> {
    let bound = Bound::AtLeast(least);
    (least > 0.0).then_some(LimitSpec { metric: Measure::Rate(COMPLETED), stat: None, bound })
}

/// Time metrics, which are small for a stopped rollout because it is stopped.
#[must_use]
pub fn is_time(metric: Metric) -> bool {
    matches!(metric, Metric::DurationSec | Metric::RolloutSec | Metric::ApprovalWaitSec)
}

/// How many rollouts of a good version complete with a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completed {
    /// The least share that is enough.
    pub least: f64,
    /// The share over the replicates.
    pub value: Option<f64>,
    /// The deciding interval; it holds simultaneously with those of the other policies of the study.
    pub ci: Option<Interval>,
    /// The number of replicates.
    pub n: u64,
    /// The exact share, where theory has it: it decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<f64>,
    /// The share of the rollouts that trip the breaker.
    pub trips: Option<f64>,
    /// Whether the share is enough; null: undecided.
    pub enough: Option<bool>,
}

impl Completed {
    /// From the shares of replicates that completed and that tripped, and from theory. `confidence` is that of each of
    /// the simultaneous intervals.
    #[must_use]
    pub fn new(least: f64, completed: &Share, trips: &Share, exact: Option<f64>, confidence: f64) -> Self {
        let ci = clopper_pearson(completed.hits, completed.n, confidence);
        let enough = if least > 0.0 { holds(&Bound::AtLeast(least), exact, ci) } else { Some(true) };
        Self { least, value: completed.rate, ci, n: completed.n, exact, trips: trips.rate, enough }
    }

    /// The exact share, or else the observed one.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        self.exact.or(self.value)
    }
}

/// For a policy with several good versions: whether enough rollouts of each complete. True where there is no good
/// version.
#[must_use]
pub fn of_all(each: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for one in each {
        match one {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(hits: u64, n: u64) -> Share {
        Share { rate: Some(hits as f64 / n as f64), hits, n, ..Share::default() }
    }

    #[test]
    fn the_rule_has_three_answers_and_theory_decides() {
        let enough = |hits, exact| Completed::new(0.9, &share(hits, 1000), &share(0, 1000), exact, 0.95).enough;
        assert_eq!(enough(25, None), Some(false));
        assert_eq!(enough(900, None), None);
        assert_eq!(enough(990, None), Some(true));
        assert_eq!(enough(895, Some(0.9)), Some(true), "exactly enough is enough");
        assert_eq!(enough(905, Some(0.899)), Some(false));
        assert_eq!(Completed::new(0.0, &share(0, 10), &share(10, 10), None, 0.95).enough, Some(true));
    }

    #[test]
    fn one_version_that_is_given_up_is_enough_to_be_out() {
        assert_eq!(of_all([]), Some(true));
        assert_eq!(of_all([Some(true), None]), None);
        assert_eq!(of_all([None, Some(false)]), Some(false));
    }
}

//! A breaker whose limit no run of failures can reach.

use super::{AdviceCode, Found, Step, rollout};
use crate::scenario::Scenario;
use dryroll_engine::{BreakerScope, batch_size};

impl Scenario {
    /// Whether so many failures in a row as trip the breaker are possible at all, with the policy that is walked.
    #[must_use]
    pub fn can_trip(&self) -> bool {
        self.trips_with(self.walked_with())
    }

    /// The largest number of verdicts that its breaker counts together, with the policy that is walked.
    #[must_use]
    pub fn breaker_reach(&self) -> u32 {
        self.reach_with(self.walked_with().0)
    }

    fn reach_with(&self, pct: u32) -> u32 {
        let planned = self.planned_instances();
        self.rollout.breaker_scope.reach(planned, batch_size(planned, pct))
    }

    /// Whether it trips with a share of a batch and a limit.
    pub(super) fn trips_with(&self, (pct, limit): (u32, u32)) -> bool {
        limit <= self.reach_with(pct)
    }
}

pub(super) fn never_trips(scenario: &Scenario) -> Option<Found> {
    if scenario.can_trip() {
        return None;
    }
    let (pct, limit) = scenario.walked_with();
    let planned = scenario.planned_instances();
    let scope = scenario.rollout.breaker_scope;
    let most = scope.reach(planned, batch_size(planned, pct));
    let instances = if most == 1 { "1 instance".to_owned() } else { format!("{most} instances") };
    let has = match scope {
        BreakerScope::Rollout => format!("the plan has {instances}"),
        BreakerScope::Batch => format!("a batch has {instances} and begins its count at zero"),
    };
    let other = match scope {
        BreakerScope::Rollout => "",
        BreakerScope::Batch => ", take a larger `batch_pct`, or write `breaker_scope = \"rollout\"`",
    };
    let least = if most == 1 { "1".to_owned() } else { format!("{most} or less") };
    let never = "the breaker can never trip";
    if scenario.trips_with((scenario.rollout.batch_pct, scenario.rollout.max_consecutive_failures.get())) {
        // The edit alone is why: the batches that it makes, or else its limit.
        let is_of_batch = scenario.trips_with((scenario.rollout.batch_pct, limit));
        let (key, value, remedy) = match is_of_batch {
            true => ("batch_pct", pct, "a larger one".to_owned()),
            false => ("max_consecutive_failures", limit, least),
        };
        return Some(Found::new(
            AdviceCode::BreakerNeverTrips,
            [Step::Key("operator"), Step::Key("edit"), Step::Key(key)],
            format!(
                "{never}: with the operator's edit `{key} = {value}` it takes {limit} failures in a row, and {has}"
            ),
            format!("set `{key}` in the edit to {remedy}{}", if is_of_batch { "" } else { other }),
        ));
    }
    Some(Found::new(
        AdviceCode::BreakerNeverTrips,
        rollout("max_consecutive_failures"),
        format!("{never}: it takes {limit} failures in a row, and {has}"),
        format!("set `max_consecutive_failures` to {least}{other}"),
    ))
}

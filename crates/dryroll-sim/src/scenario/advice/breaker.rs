//! A breaker whose limit no run of failures can reach.

use super::{AdviceCode, Found, Walked, rollout};
use crate::scenario::Scenario;
use dryroll_engine::BreakerScope;

impl Scenario {
    /// Whether so many failures in a row as trip the breaker are possible at all, with the policy that is walked.
    #[must_use]
    pub fn can_trip(&self) -> bool {
        self.trips_with(&self.walked_with())
    }

    /// The same with these batches and this limit.
    pub(super) fn trips_with(&self, walked: &Walked) -> bool {
        let planned = self.planned_instances();
        let reach = self.rollout.breaker_scope.reach(planned, walked.sizes.largest(planned));
        walked.limit.is_some_and(|limit| limit <= reach) || !self.rollout.breakers.is_empty()
    }
}

pub(super) fn never_trips(scenario: &Scenario) -> Option<Found> {
    if scenario.can_trip() {
        return None;
    }
    let Walked { sizes, limit } = scenario.walked_with();
    let limit = limit?;
    let planned = scenario.planned_instances();
    let scope = scenario.rollout.breaker_scope;
    let most = scope.reach(planned, sizes.largest(planned));
    let instances = if most == 1 { "1 instance".to_owned() } else { format!("{most} instances") };
    let has = match scope {
        BreakerScope::Rollout => format!("the plan has {instances}"),
        BreakerScope::Batch => format!("a batch has {instances} and begins its count at zero"),
    };
    let other = match scope {
        BreakerScope::Rollout => "",
        BreakerScope::Batch => ", take a larger `batch_pct`, or write `breaker_scope = \"rollout\"`",
    };
    Some(Found::new(
        AdviceCode::BreakerNeverTrips,
        rollout("max_consecutive_failures"),
        format!("the breaker can never trip: it takes {limit} failures in a row, and {has}"),
        format!("set `max_consecutive_failures` to {most} or less{other}"),
    ))
}

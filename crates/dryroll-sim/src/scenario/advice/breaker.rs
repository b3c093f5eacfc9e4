//! A breaker whose limit no run of failures can reach.

use super::{AdviceCode, Found, rollout};
use crate::scenario::Scenario;
use dryroll_engine::{BreakerScope, batch_size};

impl Scenario {
    /// Whether so many failures in a row as trip the breaker are possible at all, with the policy that is walked.
    #[must_use]
    pub fn can_trip(&self) -> bool {
        self.trips_with(self.walked_with())
    }

    /// The same with a share of a batch and a limit.
    pub(super) fn trips_with(&self, (pct, limit): (u32, u32)) -> bool {
        let planned = self.planned_instances();
        limit <= self.rollout.breaker_scope.reach(planned, batch_size(planned, pct))
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
    Some(Found::new(
        AdviceCode::BreakerNeverTrips,
        rollout("max_consecutive_failures"),
        format!("the breaker can never trip: it takes {limit} failures in a row, and {has}"),
        format!("set `max_consecutive_failures` to {most} or less{other}"),
    ))
}

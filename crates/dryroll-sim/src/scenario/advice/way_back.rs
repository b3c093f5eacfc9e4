//! A rollback that has nowhere to go.

use super::{AdviceCode, Found, rollout};
use crate::scenario::Scenario;
use crate::scenario::diagnostic::quote;
use dryroll_engine::OperatorDecision;
use dryroll_engine::fleet::LifecycleState;

pub(super) fn rolls_back(scenario: &Scenario) -> bool {
    scenario.operator.on_trip.contains(&OperatorDecision::RollbackCompletedBatches)
}

pub(super) fn none(scenario: &Scenario) -> Option<Found> {
    let target = &scenario.target().id;
    let found =
        |message, change| Some(Found::new(AdviceCode::NoWayBack, rollout("previous_version_id"), message, change));
    match scenario.previous() {
        Some(previous) if rolls_back(scenario) && previous.lifecycle_state == LifecycleState::Archived => found(
            format!("`on_trip` rolls back, and {} is archived, so that every rollback fails", quote(previous.id.raw())),
            "name a `previous_version_id` that is not archived, or another decision in `on_trip`".to_owned(),
        ),
        Some(_) => None,
        None => {
            // A variant that is defective is tried in place of the target; the fleet does not run it.
            let mut others = scenario.versions.iter().filter(|version| version.id != *target && !version.defective);
            match others.next_back() {
                Some(other) => found(
                    format!(
                        "there is no way back: {} is the first version of the list, so the fleet runs an older one without a \
                         name",
                        quote(target.raw())
                    ),
                    format!(
                        "list versions oldest first, or write `previous_version_id = {}` for what the fleet runs",
                        serde_json::Value::from(other.id.raw())
                    ),
                ),
                None if rolls_back(scenario) => found(
                    format!(
                        "`on_trip` rolls back, and no version is listed before {}, so that every rollback fails",
                        quote(target.raw())
                    ),
                    "add the version that the fleet runs to [[versions]], before the target".to_owned(),
                ),
                None => None,
            }
        }
    }
}

//! A rollback that has nowhere to go, or goes to a version that the fleet most probably never ran.

use super::{AdviceCode, Found, rollout};
use crate::scenario::diagnostic::quote;
use crate::scenario::{PromotionDecision, Scenario, VersionSpec};
use dryroll_engine::fleet::LifecycleState;
use dryroll_engine::{OperatorDecision, Promotions, Then};

pub(super) fn rolls_back(scenario: &Scenario) -> bool {
    let operator = &scenario.operator;
    let asks = scenario.rollout.pace.promotions != Promotions::Never;
    operator.on_trip.contains(&OperatorDecision::RollbackCompletedBatches)
        || (asks && operator.on_promotion.contains(&PromotionDecision::RollbackCompletedBatches))
        || scenario.rollout.breakers.iter().any(|rule| rule.then == Then::RollBack)
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
                    oldest_first(other),
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

fn oldest_first(runs: &VersionSpec) -> String {
    format!(
        "list versions oldest first, or write `previous_version_id = {}` for what the fleet runs",
        serde_json::Value::from(runs.id.raw())
    )
}

/// Of a previous version that the file does not name, and that the order of the list alone makes it.
pub(super) fn doubtful(scenario: &Scenario) -> Option<Found> {
    let place = scenario.rollout.previous.filter(|_| !scenario.rollout.names_previous)?.0;
    let previous = scenario.versions.get(place)?;
    // The target of the file, whichever version a grid rolls out.
    let target = scenario.versions.get(place + 1)?;
    let [runs, rolls_out] = [previous, target].map(|version| quote(version.id.raw()));
    let why = match (newer(previous, target), previous.defective) {
        (true, true) => format!("which is defective and, by its name, newer than {rolls_out}"),
        (false, true) => "which is defective".to_owned(),
        (true, false) => format!("which by its name is newer than {rolls_out}"),
        (false, false) => return None,
    };
    let rolls_back = if rolls_back(scenario) { ", and a rollback goes to it" } else { "" };
    let mut older = scenario.versions.iter().filter(|one| !one.defective && newer(target, one)).collect::<Vec<_>>();
    older.sort_by_key(|version| numbers(version.id.raw()));
    let change = match older.last() {
        Some(runs) => oldest_first(runs),
        None => "write `previous_version_id` for what the fleet runs".to_owned(),
    };
    Some(Found::new(
        AdviceCode::DoubtfulPreviousVersion,
        rollout("previous_version_id"),
        format!("the fleet runs {runs}, the version listed before {rolls_out}, {why}{rolls_back}"),
        change,
    ))
}

/// By their names alone, where both have numbers.
fn newer(one: &VersionSpec, other: &VersionSpec) -> bool {
    match (numbers(one.id.raw()), numbers(other.id.raw())) {
        (Some(one), Some(other)) => one > other,
        _ => false,
    }
}

/// The first dotted number of a name, such as 1.26.0 of `v-1.26.0-broken`, without zeros at its end.
fn numbers(id: &str) -> Option<Vec<u64>> {
    let is_of_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let dotted = id.split(|letter| !is_of_number(letter)).map(|part| part.trim_matches('.'));
    let first = dotted.into_iter().find(|part| part.contains('.'))?;
    let mut numbers = first.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_dotted_numbers() {
        assert_eq!(numbers("v-1.26.0-broken"), Some(vec![1, 26]));
        assert_eq!(numbers("agent-2.10-rc1"), Some(vec![2, 10]));
        assert!(numbers("1.9.1") < numbers("1.10"));
        for id in ["v2", "good", "", ".", "1..2", "1.99999999999999999999"] {
            assert_eq!(numbers(id), None, "{id}");
        }
    }
}

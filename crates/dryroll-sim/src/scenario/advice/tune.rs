//! The policies that a search tries, where some of them have a breaker that can never trip.

use super::{AdviceCode, Found, Step, Walked};
use crate::scenario::Scenario;
use std::num::NonZeroU32;

use dryroll_engine::{BatchSizes, BreakerScope, OperatorDecision};

/// Of a search among breakers whose every trip is ignored.
pub(super) fn trips_ignored(scenario: &Scenario) -> Option<Found> {
    let on_trip = &scenario.operator.on_trip;
    let is_ignored = !on_trip.is_empty() && on_trip.iter().all(|one| *one == OperatorDecision::ContinueAnyway);
    is_ignored.then(|| {
        Found::new(
            AdviceCode::TripsIgnored,
            [Step::Key("operator"), Step::Key("on_trip")],
            "a breaker whose trips are always ignored holds nothing: every bad version reaches the whole fleet"
                .to_owned(),
            "write `on_trip = \"abort\"` or `\"rollback_completed_batches\"`".to_owned(),
        )
    })
}

/// At the first limit of the list that is out of reach, and with it all that are.
pub(super) fn never_trips(scenario: &Scenario) -> Option<Found> {
    // With lists of other keys a policy has rules or batches that the limit and the share do not say.
    let tune = scenario.tune.as_ref().filter(|tune| tune.lists.is_empty())?;
    let limits = || tune.max_consecutive_failures.iter().map(|limit| limit.get());
    let walked = |pct: u32, limit: u32| scenario.walked_of(&BatchSizes::pct(pct), NonZeroU32::new(limit));
    let trips = |pct: u32, limit: u32| scenario.trips_with(&walked(pct, limit));
    let pairs = || limits().flat_map(|limit| tune.batch_pct.iter().map(move |&pct| (pct, limit)));
    let never = || pairs().filter(|&(pct, limit)| !trips(pct, limit));
    let (pct, first) = never().next()?;
    let dead: Vec<u32> = limits().filter(|&limit| tune.batch_pct.iter().all(|&pct| !trips(pct, limit))).collect();
    let planned = scenario.planned_instances();
    let instances = |count: u32| if count == 1 { "1 instance".to_owned() } else { format!("{count} instances") };
    let (count, of) = (never().count(), pairs().count());
    let policies = match (count, of) {
        (1, 1) => "the policy of [tune] has a breaker that can never trip".to_owned(),
        (count, of) if count == of => format!("all {of} policies of [tune] have a breaker that can never trip"),
        (1, of) => format!("1 of the {of} policies of [tune] has a breaker that can never trip"),
        (count, of) => format!("{count} of the {of} policies of [tune] have a breaker that can never trip"),
    };
    let own = BatchSizes::pct(pct);
    let Walked { sizes, limit } = walked(pct, first);
    let why = match scenario.rollout.breaker_scope {
        _ if sizes != own || limit != Some(first) => format!(
            "the operator edits the first of them to a limit of {}, and it reaches {}",
            limit.unwrap_or(first),
            instances(scenario.reach_with(&sizes))
        ),
        BreakerScope::Rollout => {
            let listed = dead.iter().map(u32::to_string).collect::<Vec<_>>().join(" and ");
            let (limit, is) = if dead.len() == 1 { ("the limit", "is") } else { ("the limits", "are") };
            format!("{limit} {listed} {is} more than the {} of the plan", instances(planned))
        }
        BreakerScope::Batch => format!(
            "each batch begins its count at zero, and with `batch_pct = {pct}` it has {}, the limit is {first}",
            instances(scenario.reach_with(&own))
        ),
    };
    let place = limits().position(|limit| limit == first).unwrap_or(0);
    let remedy = match scenario.rollout.breaker_scope {
        BreakerScope::Rollout => format!("list limits of {planned} or less"),
        BreakerScope::Batch => {
            "list smaller limits or larger batches, or write `breaker_scope = \"rollout\"`".to_owned()
        }
    };
    Some(Found::new(
        AdviceCode::BreakerNeverTrips,
        [Step::Key("tune"), Step::Key("max_consecutive_failures"), Step::Item(place)],
        format!("{policies}: {why}"),
        format!("{remedy}; the search recommends none of them"),
    ))
}

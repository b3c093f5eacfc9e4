//! Rates of the version that the fleet already runs.

use super::{AdviceCode, Found, version, way_back};
use crate::scenario::Scenario;
use crate::scenario::diagnostic::quote;

/// Where so many upgrades to it would fail, the version is broken rather than hard to roll back to.
const BROKEN: f64 = 0.5;

pub(super) fn of_running_version(scenario: &Scenario) -> Option<Found> {
    let (index, running) = (scenario.rollout.previous?, scenario.previous()?);
    let keys = ["failure_rate", "hang_rate", "unhealthy_rate", "crash_rate"];
    let rates = running.rates_with_concentrations();
    let total: f64 = rates.iter().map(|(rate, _)| rate).sum();
    let given: Vec<&'static str> =
        keys.into_iter().zip(rates).filter(|(_, (rate, _))| *rate > 0.0).map(|(key, _)| key).collect();
    let first = *given.first()?;
    let rolls_back = way_back::rolls_back(scenario);
    if rolls_back && total < BROKEN {
        return None;
    }
    let keys = given.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ");
    let (do_what, is) = if given.len() == 1 { ("says", "does") } else { ("say", "do") };
    let effect = match rolls_back {
        true => format!("{keys} {do_what} how a rollback to it goes, and the fleet is healthy before"),
        false => format!("{keys} {is} nothing: no upgrade to it takes place, since `on_trip` never rolls back"),
    };
    Some(Found::new(
        AdviceCode::RatesOfRunningVersion,
        version(index, first),
        format!("the fleet already runs {}: {effect}", quote(running.id.raw())),
        "give the rates to a version that is rolled out; instances that are down from the start are faults, such as `kind = \
         \"kill\"` at 0"
            .to_owned(),
    ))
}

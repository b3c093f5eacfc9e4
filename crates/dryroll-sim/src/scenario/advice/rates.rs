//! Rates of the version that the fleet already runs: its own, and those that a class or an override gives it.

use super::{AdviceCode, Found, Step, version, way_back};
use crate::scenario::check::versions::RATES;
use crate::scenario::diagnostic::quote;
use crate::scenario::{OutcomeRates, Scenario, SomeRates, VersionIndex};

/// Where so many upgrades to it would fail, the version is broken rather than hard to roll back to.
const BROKEN: f64 = 0.5;

/// Where the fleet most probably runs another version, that alone is said.
pub(super) fn of_running_version(scenario: &Scenario) -> Option<Found> {
    if way_back::doubtful(scenario).is_some() {
        return None;
    }
    let (index, running) = (scenario.rollout.previous?, scenario.previous()?);
    let OutcomeRates { failure, hang, unhealthy, crash, brick, degrade } = running.rates;
    let rates = [failure, hang, unhealthy, crash, brick, degrade];
    let total: f64 = rates.iter().sum();
    let given: Vec<&'static str> =
        RATES.into_iter().zip(rates).filter(|(_, rate)| *rate > 0.0).map(|(key, _)| key).collect();
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

/// Classes and overrides that are for the running version alone, where no rollback takes upgrades to it.
pub(super) fn of_groups(scenario: &Scenario) -> Vec<Found> {
    let (Some(index), Some(running)) = (scenario.rollout.previous, scenario.previous()) else { return Vec::new() };
    if way_back::rolls_back(scenario) || way_back::doubtful(scenario).is_some() {
        return Vec::new();
    }
    let is_for_it = |versions: &Option<Vec<VersionIndex>>| {
        versions.as_ref().is_some_and(|all| !all.is_empty() && all.iter().all(|version| *version == index))
    };
    let keys = |rates: &SomeRates, outcome: bool, [upgrade_time, crash_after, degrade_after]: [bool; 3]| {
        let keys = [
            ("outcome", outcome),
            ("failure_rate", rates.failure.is_some()),
            ("hang_rate", rates.hang.is_some()),
            ("unhealthy_rate", rates.unhealthy.is_some()),
            ("crash_rate", rates.crash.is_some()),
            ("brick_rate", rates.brick.is_some()),
            ("degrade_rate", rates.degrade.is_some()),
            ("upgrade_time_sec", upgrade_time),
            ("crash_after_sec", crash_after),
            ("degrade_after_sec", degrade_after),
        ];
        keys.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect::<Vec<_>>()
    };
    let found = |list: &'static str, place: usize, who: String, keys: Vec<&'static str>| {
        let what = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ");
        let does = if keys.len() == 1 { "does" } else { "do" };
        (!keys.is_empty()).then(|| {
            Found::new(
                AdviceCode::RatesOfRunningVersion,
                [Step::Key(list), Step::Item(place), Step::Key("versions")],
                format!(
                    "{what} of {who} {does} nothing: `versions` names {} alone, which the fleet already runs, and \
                     `on_trip` never rolls back to it",
                    quote(running.id.raw())
                ),
                "leave `versions` out, or name a version that is rolled out".to_owned(),
            )
        })
    };
    let classes = scenario.classes.iter().enumerate().filter(|(_, class)| is_for_it(&class.versions));
    let classes = classes.filter_map(|(place, class)| {
        let times = [&class.upgrade_time, &class.crash_after, &class.degrade_after].map(|time| time.is_some());
        let keys = keys(&class.rates, false, times);
        found("classes", place, format!("class {}", quote(class.id.raw())), keys)
    });
    let overrides = scenario.overrides.iter().enumerate().filter(|(_, one)| is_for_it(&one.versions));
    let overrides = overrides.filter_map(|(place, one)| {
        let times = [&one.upgrade_time, &one.crash_after, &one.degrade_after].map(|time| time.is_some());
        let keys = keys(&one.rates, one.outcome.is_some(), times);
        found("overrides", place, format!("override {} in [[overrides]]", place + 1), keys)
    });
    classes.chain(overrides).collect()
}

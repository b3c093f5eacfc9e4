//! How rollouts differ among themselves: the spread of their chance of a trip, why there is none, and when the order of
//! the plan matters.

use crate::model::tune::SpreadReport;
use crate::words::Unit;
use dryroll_sim::scenario::{Members, Scenario};
use dryroll_study::study::exact::trip_spread;
use dryroll_study::study::tune::Tune;

/// How the chance of a trip is spread between rollouts that draw rates of their own.
pub fn spread(scenario: &Scenario) -> Option<SpreadReport> {
    let trip = trip_spread(scenario).ok().flatten()?;
    // No chance is said to be above 100 %.
    let share = |chance: f64| Unit::Share.say(if chance < 1.0 { chance.min(0.9999) } else { chance });
    let says = format!(
        "Each rollout of {} has rates of its own, and so its own chance of a trip: below {} in half of the rollouts, \
         above {} in one of twenty, {} over all. {} of the variance lies between rollouts, and no number of hosts \
         evens that out.",
        scenario.target().id,
        share(trip.p50),
        share(trip.p95),
        share(trip.trip_rate),
        share(trip.share_between())
    );
    Some(SpreadReport { says, trip })
}

/// What a search says of it beside the figures.
pub fn notes(tune: &Tune, recommended: Option<usize>, has_posterior: bool) -> Vec<String> {
    let why = recommended.filter(|_| !has_posterior).and_then(|place| why_none(tune.policy(place)));
    why.into_iter().chain(lever(tune)).collect()
}

/// Why there is no spread, where rollouts draw something of their own.
fn why_none(scenario: &Scenario) -> Option<String> {
    let target = scenario.target();
    let draws = target.rates_with_concentrations().iter().any(|(_, concentration)| concentration.is_some())
        || target.upgrade_time_factor.is_some();
    let blocks = classes(scenario, |members| matches!(members, Members::Blocks(_)));
    if !draws && blocks.is_empty() {
        return None;
    }
    match trip_spread(scenario) {
        Ok(Some(_)) => None,
        Ok(None) if blocks.is_empty() => None,
        Ok(None) => Some(format!(
            "Rollouts of {} differ in the places of {} alone; there is no figure of how their chance of a trip is \
             spread, since the mean over these places is taken.",
            target.id,
            blocks.join(", ")
        )),
        Err(out) => Some(format!(
            "Rollouts of {} differ in what each draws; there is no figure of how their chance of a trip is spread, \
             since no exact law covers it: {}.",
            target.id,
            out.why.trim_end_matches('.')
        )),
    }
}

/// Where classes hold for named places of the fleet, the order of the plan decides how many of one meet in a batch.
fn lever(tune: &Tune) -> Option<String> {
    let placed = classes(tune.policy(0), |members| !matches!(members, Members::Share(_)));
    if placed.is_empty() {
        return None;
    }
    let mut tried: Vec<&str> = Vec::new();
    for place in 0..tune.policies() {
        let name = tune.policy(place).rollout.order.name();
        if !tried.contains(&name) {
            tried.push(name);
        }
    }
    let advice = match &tried[..] {
        [one] => format!(
            "this search tried {one} alone, and `order = [\"listed\", \"shuffled\", \"by_zone\"]` in [tune] tries all"
        ),
        all => format!("this search tried {}", all.join(", ")),
    };
    Some(format!(
        "`order` in [rollout] is a lever here: it decides how many instances of {} meet in one batch; {advice}.",
        placed.join(", ")
    ))
}

/// The classes of such members that hold for the target.
fn classes(scenario: &Scenario, is_one: fn(&Members) -> bool) -> Vec<String> {
    let holds = |versions: Option<&Vec<_>>| versions.is_none_or(|all| all.contains(&scenario.rollout.target));
    let found = scenario.classes.iter().filter(|class| is_one(&class.members) && holds(class.versions.as_ref()));
    found.map(|class| format!("class {}", class.id)).collect()
}

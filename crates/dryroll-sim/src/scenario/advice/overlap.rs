//! Classes and overrides that one instance can belong to at once, and whose rates together are more than 1.

use super::{AdviceCode, Found, Step};
use crate::scenario::check::versions::{RATES, excess};
use crate::scenario::diagnostic::quote;
use crate::scenario::{Members, OutcomeRates, Scenario, SomeRates, Target, VersionIndex, VersionSpec};
use dryroll_engine::fleet::InstanceId;

/// Larger sets are not looked at.
const MOST: usize = 4;
/// With more groups only pairs are looked at.
const FEW: usize = 16;

/// A class or an override that gives rates for a version.
struct Group<'a> {
    table: &'static str,
    index: usize,
    name: String,
    rates: &'a SomeRates,
    place: Place<'a>,
}

/// Which instances belong to it.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// Any may.
    Anywhere,
    Ids(&'a [InstanceId]),
    Zone(u32),
}

/// What the rates of several groups together are not more than.
pub(super) fn adds_up(scenario: &Scenario) -> Option<Found> {
    let releases = [Some(scenario.rollout.target), scenario.rollout.previous];
    releases.into_iter().flatten().find_map(|index| {
        let version = scenario.versions.get(index.0)?;
        let groups = groups(scenario, index);
        let most = if groups.len() > FEW { 2 } else { MOST };
        // Pairs are said before larger sets.
        let together = (2..=most).find_map(|size| {
            let mut chosen = Vec::with_capacity(size);
            search(scenario, version, &groups, 0, size, &mut chosen).then_some(chosen)
        })?;
        Some(found(scenario, version, &together.iter().filter_map(|&one| groups.get(one)).collect::<Vec<_>>()))
    })
}

/// Those that give rates for a version, in the order in which they apply.
fn groups(scenario: &Scenario, version: VersionIndex) -> Vec<Group<'_>> {
    let holds = |versions: &Option<Vec<VersionIndex>>| {
        versions.as_ref().map_or(version == scenario.rollout.target, |versions| versions.contains(&version))
    };
    let classes =
        scenario.classes.iter().enumerate().filter(|(_, class)| holds(&class.versions)).map(|(index, class)| {
            let place = match &class.members {
                Members::Share(_) | Members::Blocks(_) => Place::Anywhere,
                Members::Ids(ids) => Place::Ids(ids),
                Members::Zone(zone) => Place::Zone(*zone),
            };
            let name = format!("class {}", quote(class.id.raw()));
            Group { table: "classes", index, name, rates: &class.rates, place }
        });
    // Where an outcome is given, no rate is looked at.
    let own = |(_, one): &(usize, &crate::scenario::OverrideSpec)| holds(&one.versions) && one.outcome.is_none();
    let overrides = scenario.overrides.iter().enumerate().filter(own).map(|(index, one)| {
        let place = match &one.target {
            Target::All | Target::Fraction(_) => Place::Anywhere,
            Target::Ids(ids) => Place::Ids(ids),
            Target::Zone(zone) => Place::Zone(*zone),
        };
        let name = format!("override {} of the list", index + 1);
        Group { table: "overrides", index, name, rates: &one.rates, place }
    });
    classes.chain(overrides).filter(|group| !group.rates.is_empty()).collect()
}

/// Finds so many groups that one instance can belong to and whose rates are too much.
fn search(
    scenario: &Scenario,
    version: &VersionSpec,
    groups: &[Group<'_>],
    from: usize,
    size: usize,
    chosen: &mut Vec<usize>,
) -> bool {
    let of = |chosen: &[usize]| chosen.iter().filter_map(|&one| groups.get(one)).collect::<Vec<_>>();
    if chosen.len() == size {
        return excess(together(version, &of(chosen))).is_some();
    }
    for next in from..groups.len() {
        chosen.push(next);
        if meet(&of(chosen), scenario.fleet.zones) && search(scenario, version, groups, next + 1, size, chosen) {
            return true;
        }
        chosen.pop();
    }
    false
}

/// What the upgrades of an instance of all of them end like.
fn together(version: &VersionSpec, groups: &[&Group<'_>]) -> OutcomeRates {
    groups.iter().fold(version.rates, |rates, group| group.rates.over(rates))
}

/// Whether an instance can belong to all of them.
fn meet(groups: &[&Group<'_>], zones: u32) -> bool {
    let is_in = |place: Place<'_>, id: &InstanceId| match place {
        Place::Anywhere => true,
        Place::Ids(ids) => ids.binary_search(id).is_ok(),
        Place::Zone(zone) => id.0 % zones.max(1) == zone,
    };
    let shortest = groups.iter().filter_map(|group| match group.place {
        Place::Ids(ids) => Some(ids),
        Place::Anywhere | Place::Zone(_) => None,
    });
    if let Some(ids) = shortest.min_by_key(|ids| ids.len()) {
        return ids.iter().any(|id| groups.iter().all(|group| is_in(group.place, id)));
    }
    let mut wanted = groups.iter().filter_map(|group| match group.place {
        Place::Zone(zone) => Some(zone),
        Place::Anywhere | Place::Ids(_) => None,
    });
    wanted.next().is_none_or(|first| wanted.all(|zone| zone == first))
}

fn found(scenario: &Scenario, version: &VersionSpec, groups: &[&Group<'_>]) -> Found {
    let rates = together(version, groups);
    let own = [rates.failure, rates.hang, rates.unhealthy, rates.crash, rates.brick, rates.degrade];
    let sum = excess(rates).unwrap_or(1.0);
    let mut left = 1.0_f64;
    let (mut said, mut cut) = (Vec::new(), Vec::new());
    for (key, rate) in RATES.into_iter().zip(own).filter(|&(_, rate)| rate > 0.0) {
        let counts = rate.min(left);
        left -= counts;
        said.push(format!("`{key}` {}", rounded(rate)));
        if counts < rate {
            cut.push(format!("`{key}` as {}", rounded(counts)));
        }
    }
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let names = match names.as_slice() {
        [all @ .., last] => format!("{} and of {last}", all.join(", of ")),
        [] => String::new(),
    };
    let last = groups.last();
    let key = last.and_then(|group| {
        let SomeRates { failure, hang, unhealthy, crash, brick, degrade } = *group.rates;
        let given = [failure, hang, unhealthy, crash, brick, degrade];
        RATES.into_iter().zip(given).find_map(|(key, rate)| rate.map(|_| key))
    });
    let at = last.map_or_else(
        || vec![Step::Key("versions"), Step::Item(scenario.rollout.target.0)],
        |group| vec![Step::Key(group.table), Step::Item(group.index), Step::Key(key.unwrap_or("failure_rate"))],
    );
    Found::new(
        AdviceCode::OverlappingRates,
        at,
        format!(
            "an instance of {names} has {} in an upgrade to {}, which add up to {sum}: a draw cuts them in the order failure, \
             hang, unhealthy, crash{}, and counts {}",
            said.join(", "),
            quote(version.id.raw()),
            if rates.brick + rates.degrade > 0.0 { ", brick, degrade" } else { "" },
            cut.join(" and ")
        ),
        "lower the rates to at most 1 together, or give the groups members that do not overlap, such as lists of `instances`"
            .to_owned(),
    )
}

fn rounded(rate: f64) -> f64 {
    (rate * 1e9).round() / 1e9
}

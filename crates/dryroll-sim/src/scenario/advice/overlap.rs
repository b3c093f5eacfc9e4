//! Classes and overrides that one instance can belong to at once, and whose rates together are more than 1.

use std::collections::{BTreeSet, HashMap};

use super::{AdviceCode, Found, Step};
use crate::scenario::check::versions::{RATES, excess};
use crate::scenario::diagnostic::quote;
use crate::scenario::{Members, OutcomeRates, Scenario, SomeRates, Target, VersionIndex, VersionSpec};
use dryroll_engine::fleet::InstanceId;

/// Larger sets are not looked at.
const MOST: usize = 4;
/// With more groups only pairs are looked at, each group with the worst of those before it.
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
        // Pairs are said before larger sets.
        let together = match groups.len() > FEW {
            true => pair(scenario, version, &groups)?,
            false => (2..=MOST).find_map(|size| {
                let mut chosen = Vec::with_capacity(size);
                search(scenario, version, &groups, 0, size, &mut chosen).then_some(chosen)
            })?,
        };
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

/// The rates that a group gives, in the order of [`RATES`].
fn given(rates: &SomeRates) -> [Option<f64>; RATES.len()] {
    let SomeRates { failure, hang, unhealthy, crash, brick, degrade } = *rates;
    [failure, hang, unhealthy, crash, brick, degrade]
}

/// All rates, in the order of [`RATES`].
fn own(rates: OutcomeRates) -> [f64; RATES.len()] {
    let OutcomeRates { failure, hang, unhealthy, crash, brick, degrade } = rates;
    [failure, hang, unhealthy, crash, brick, degrade]
}

/// For each set of rates that some group gives, the largest sum of the other rates with one of the groups so far, and
/// that group.
type Worst = Vec<Option<(f64, usize)>>;

/// The groups so far, by the instances that can belong to them.
#[derive(Default)]
struct Before {
    all: Worst,
    anywhere: Worst,
    zones: HashMap<u32, Worst>,
    ids: HashMap<u32, Worst>,
    /// Groups of ids, by the zones of those.
    zones_of_ids: HashMap<u32, Worst>,
}

impl Before {
    /// What an instance of a group can belong to as well.
    fn meeting(&self, place: Place<'_>, zones: u32) -> Vec<&Worst> {
        let mut all = vec![&self.anywhere];
        match place {
            Place::Anywhere => all.push(&self.all),
            Place::Zone(zone) => all.extend(self.zones.get(&zone).into_iter().chain(self.zones_of_ids.get(&zone))),
            Place::Ids(ids) => {
                all.extend(ids.iter().filter_map(|id| self.ids.get(&id.0)));
                if !self.zones.is_empty() {
                    all.extend(ids.iter().filter_map(|id| self.zones.get(&(id.0 % zones))));
                }
            }
        }
        all
    }

    fn add(&mut self, place: Place<'_>, zones: u32, own: &[(f64, usize)]) {
        let into = |worst: &mut Worst| {
            worst.resize(own.len(), None);
            for (worst, &own) in worst.iter_mut().zip(own) {
                if worst.is_none_or(|(sum, _)| own.0 > sum) {
                    *worst = Some(own);
                }
            }
        };
        into(&mut self.all);
        match place {
            Place::Anywhere => into(&mut self.anywhere),
            Place::Zone(zone) => into(self.zones.entry(zone).or_default()),
            Place::Ids(ids) => {
                for id in ids {
                    into(self.ids.entry(id.0).or_default());
                    into(self.zones_of_ids.entry(id.0 % zones).or_default());
                }
            }
        }
    }
}

/// Finds two groups that one instance can belong to and whose rates are too much, in a time that grows with the number
/// of groups and of their ids.
fn pair(scenario: &Scenario, version: &VersionSpec, groups: &[Group<'_>]) -> Option<Vec<usize>> {
    let zones = scenario.fleet.zones.max(1);
    let is_given = |rates: &SomeRates| given(rates).map(|rate| rate.is_some());
    let sets: BTreeSet<[bool; RATES.len()]> = groups.iter().map(|group| is_given(group.rates)).collect();
    let mut before = Before::default();
    for (at, group) in groups.iter().enumerate() {
        let set = sets.iter().position(|set| *set == is_given(group.rates))?;
        let worst = before.meeting(group.place, zones).into_iter().filter_map(|worst| *worst.get(set)?);
        if let Some((_, other)) = worst.max_by(|a, b| a.0.total_cmp(&b.0))
            && excess(together(version, &[groups.get(other)?, group])).is_some()
        {
            return Some(vec![other, at]);
        }
        let rates = group.rates.over(version.rates);
        let left = |set: &[bool; RATES.len()]| -> f64 {
            own(rates).into_iter().zip(set).filter(|&(_, &is_given)| !is_given).map(|(rate, _)| rate).sum()
        };
        let sums: Vec<(f64, usize)> = sets.iter().map(|set| (left(set), at)).collect();
        before.add(group.place, zones, &sums);
    }
    None
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
    let sum = excess(rates).unwrap_or(1.0);
    let mut left = 1.0_f64;
    let (mut said, mut cut) = (Vec::new(), Vec::new());
    for (key, rate) in RATES.into_iter().zip(own(rates)).filter(|&(_, rate)| rate > 0.0) {
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
    let key =
        last.and_then(|group| RATES.into_iter().zip(given(group.rates)).find_map(|(key, rate)| rate.map(|_| key)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Format;

    /// The pairs of many groups are those that a search through all of them finds.
    #[test]
    fn the_worst_of_those_before_is_enough() {
        let mut word = 1_u64;
        let mut draw = |below: u64| {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (word >> 33) % below
        };
        let mut hits = 0;
        for _ in 0..200 {
            let mut text = "[fleet]\ninstances = 400\nzones = 4\n[[versions]]\nid = \"a\"\n[[versions]]\nid = \"b\"\n\
                            crash_rate = 0.02\n[rollout]\ntarget_version_id = \"b\"\n"
                .to_owned();
            for number in 0..24 {
                let members = match draw(8) {
                    0 => "share = 0.1".to_owned(),
                    1 => format!("zone = {}", draw(4)),
                    _ => format!("ids = [\"i-{:05}\", \"i-{:05}\"]", draw(200) + 1, draw(200) + 201),
                };
                let key = RATES[draw(6) as usize];
                let rate = (draw(40) + 1) as f64 / 80.0 + if draw(30) == 0 { 0.4 } else { 0.0 };
                text += &format!("[[classes]]\nid = \"c{number}\"\n{members}\n{key} = {rate}\n");
            }
            let scenario = Scenario::parse("s.toml", text.as_bytes(), Format::Toml).unwrap();
            let index = scenario.rollout.target;
            let version = scenario.target();
            let groups = groups(&scenario, index);
            let found = pair(&scenario, version, &groups);
            let mut all = Vec::new();
            assert_eq!(found.is_some(), search(&scenario, version, &groups, 0, 2, &mut all), "{text}");
            if let Some(found) = found {
                hits += 1;
                let chosen: Vec<&Group<'_>> = found.iter().map(|&one| &groups[one]).collect();
                assert!(meet(&chosen, scenario.fleet.zones) && excess(together(version, &chosen)).is_some());
            }
        }
        assert!((20..180).contains(&hits), "{hits}");
    }
}

//! The module's versions, and how other tables name them.

use std::collections::HashMap;

use super::super::diagnostic::{listing, nearest, quote};
use super::super::file::{Duration, Factor, Rate, Version};
use super::super::limits::MIN_SHAPE;
use super::super::tree::Cursor;
use super::super::{Concentrations, Distribution, OutcomeRates, VersionIndex, VersionSpec};
use super::context::Reports;
use super::values::distribution;
use crate::digest::hex_sha256;

/// By how much rates may miss the 1 that they are meant to add up to: decimals are not exact in binary.
const ROUNDING: f64 = 1e-9;

pub(super) fn versions(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &[Version]) -> Vec<VersionSpec> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut versions = Vec::with_capacity(file.len());
    for (index, version) in file.iter().enumerate() {
        let at = at.item(index);
        if let Some(first) = seen.insert(&version.id, index) {
            reports.add(at.key("id").value(), |mark| {
                mark.say(format!("two versions are called {}", quote(&version.id)))
                    .label(format!("version {} in the list is called so too", first + 1))
                    .help("give each version an id of its own")
            });
        }
        versions.push(one_version(reports, &at, version));
    }
    versions
}

/// One version, whatever the others are.
pub(super) fn one_version(reports: &mut Reports<'_>, at: &Cursor<'_>, version: &Version) -> VersionSpec {
    let mut rate = |key: &str, rate: Rate| self::rate(reports, &at.key(key), rate);
    let (failure, failure_spread) = rate("failure_rate", version.failure_rate);
    let (hang, hang_spread) = rate("hang_rate", version.hang_rate);
    let (unhealthy, unhealthy_spread) = rate("unhealthy_rate", version.unhealthy_rate);
    let (crash, crash_spread) = rate("crash_rate", version.crash_rate);
    let rates =
        OutcomeRates { failure, hang, unhealthy, crash, brick: version.brick_rate, degrade: version.degrade_rate };
    let concentrations =
        Concentrations { failure: failure_spread, hang: hang_spread, unhealthy: unhealthy_spread, crash: crash_spread };
    if let Some(sum) = excess(rates) {
        let given = RATES.iter().rev().map(|name| at.key(name)).max_by_key(|place| place.value().start);
        let place = given.unwrap_or_else(|| at.clone());
        reports.add(place.value(), |mark| {
            mark.say(format!("the rates of version {} add up to more than 1", quote(&version.id)))
                .label(format!("adds up to {sum}"))
                .allowed(at_most_one(rates))
                .help("what is left to 1 is the share of upgrades that succeed")
        });
    }
    VersionSpec {
        id: version.id.clone().into(),
        lifecycle_state: version.lifecycle_state,
        digest: match &version.digest {
            Some(digest) => digest.clone().into(),
            None => format!("sha256:{}", hex_sha256(version.id.as_bytes())).into(),
        },
        defective: version.defective,
        upgrade_time: distribution(reports, &at.key("upgrade_time_sec"), &version.upgrade_time_sec),
        upgrade_time_factor: version
            .upgrade_time_factor
            .as_ref()
            .and_then(|file| factor(reports, &at.key("upgrade_time_factor"), file)),
        rates,
        concentrations,
        crash_after: distribution(reports, &at.key("crash_after_sec"), &version.crash_after_sec),
        degrade_after: distribution(reports, &at.key("degrade_after_sec"), &version.degrade_after_sec),
    }
}

/// A rate's mean, and its concentration where it is drawn. A mean of 0 or 1 leaves nothing to draw.
fn rate(reports: &mut Reports<'_>, at: &Cursor<'_>, file: Rate) -> (f64, Option<f64>) {
    match file {
        Rate::Constant(rate) => (rate, None),
        Rate::Beta { mean, .. } if mean == 0.0 || mean == 1.0 => (mean, None),
        Rate::Beta { mean, concentration } => {
            let least = mean.min(1.0 - mean) * concentration;
            if least < MIN_SHAPE {
                let enough = MIN_SHAPE / mean.min(1.0 - mean);
                reports.add(at.key("beta").key("concentration").value(), |mark| {
                    mark.say("this spread leaves nearly every replicate with a rate of 0 or 1")
                        .label(format!("the smaller shape is {least}"))
                        .allowed(format!("with this mean, a concentration of at least {enough}"))
                        .help("a concentration of 1 / mean spreads a small rate as an exponential variate")
                });
            }
            (mean, Some(concentration))
        }
    }
}

/// What multiplies durations; `None` where that is 1.
fn factor(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Factor) -> Option<Distribution> {
    let as_duration = match *file {
        Factor::Constant(1.0) => return None,
        Factor::Constant(factor) => Duration::Constant(factor),
        Factor::Exponential { mean } => Duration::Exponential { mean },
        Factor::Lognormal { median, sigma } => Duration::Lognormal { median, sigma },
        Factor::Uniform { min, max } => Duration::Uniform { min, max },
        Factor::Weibull { scale, shape } => Duration::Weibull { scale, shape },
        Factor::Empirical(ref values) => Duration::Empirical(values.clone()),
    };
    Some(distribution(reports, at, &as_duration))
}

/// The keys of a version's rates, in the order in which one draw decides.
pub(in crate::scenario) const RATES: [&str; 6] =
    ["failure_rate", "hang_rate", "unhealthy_rate", "crash_rate", "brick_rate", "degrade_rate"];

/// The keys of a version that say how upgrades to it fare.
pub(in crate::scenario) const UPGRADE_KEYS: [&str; 10] = [
    "failure_rate",
    "hang_rate",
    "unhealthy_rate",
    "crash_rate",
    "brick_rate",
    "degrade_rate",
    "upgrade_time_sec",
    "upgrade_time_factor",
    "crash_after_sec",
    "degrade_after_sec",
];

/// What rates are held to.
pub(super) fn at_most_one(rates: OutcomeRates) -> String {
    let also = [("brick_rate", rates.brick), ("degrade_rate", rates.degrade)];
    let also = also.into_iter().filter(|(_, rate)| *rate > 0.0).map(|(key, _)| format!(" + {key}")).collect::<String>();
    format!("failure_rate + hang_rate + unhealthy_rate + crash_rate{also} of at most 1")
}

/// What the rates add up to, where that is too much; rounded for people.
pub(in crate::scenario) fn excess(rates: OutcomeRates) -> Option<f64> {
    let sum = rates.sum();
    (sum > 1.0 + ROUNDING).then_some((sum * 1e9).round() / 1e9)
}

/// The version of that id. Tells where there is none.
pub(super) fn find(
    reports: &mut Reports<'_>,
    at: &Cursor<'_>,
    id: &str,
    versions: &[VersionSpec],
) -> Option<VersionIndex> {
    let found = versions.iter().position(|version| version.id == id);
    if found.is_none() {
        reports.add(at.value(), |mark| {
            let ids = || versions.iter().map(|version| version.id.raw());
            let diagnostic = mark.say(format!("no version is called {}", quote(id))).allowed(listing(ids()));
            match nearest(id, ids()) {
                Some(near) => diagnostic.help(format!("did you mean {}?", quote(near))),
                None => diagnostic.help("name one of `versions`, or add it there"),
            }
        });
    }
    found.map(VersionIndex)
}

/// The same, for a version that is to be rolled out: it must be in a state that allows it.
pub(super) fn find_rollable(
    reports: &mut Reports<'_>,
    at: &Cursor<'_>,
    id: &str,
    versions: &[VersionSpec],
) -> Option<VersionIndex> {
    let index = find(reports, at, id, versions)?;
    let version = versions.get(index.0)?;
    if !version.lifecycle_state.can_be_rolled_out() {
        let state = format!("{:?}", version.lifecycle_state).to_lowercase();
        reports.add(at.value(), |mark| {
            mark.say(format!("version {} cannot be rolled out: it is `{state}`", quote(id)))
                .label(format!("its `lifecycle_state` is `{state}`"))
                .allowed("a version that is `blessed` or `live`")
                .help("name another version, or give this one another `lifecycle_state`")
        });
    }
    Some(index)
}

/// Several versions by their ids; tells those that do not exist, and those named twice.
pub(super) fn find_all(
    reports: &mut Reports<'_>,
    at: &Cursor<'_>,
    ids: &[String],
    versions: &[VersionSpec],
    look_up: fn(&mut Reports<'_>, &Cursor<'_>, &str, &[VersionSpec]) -> Option<VersionIndex>,
) -> Vec<VersionIndex> {
    let mut found: Vec<VersionIndex> = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        let at = at.item(place);
        let Some(index) = look_up(reports, &at, id, versions) else { continue };
        if found.contains(&index) {
            reports.add(at.value(), |mark| {
                mark.say(format!("{} is in the list twice", quote(id))).help("remove one of them")
            });
        } else {
            found.push(index);
        }
    }
    found
}

//! Instances that differ.

use super::super::diagnostic::quote;
use super::super::file::Override;
use super::super::tree::Cursor;
use super::super::{OverrideSpec, SomeRates, VersionIndex};
use super::choice::Choice;
use super::context::{Context, Reports};
use super::fleet::phase_below_interval;
use super::values::{optional, span};
use super::versions::{RATES, at_most_one, excess, find, find_all};

pub(super) fn overrides(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &[Override]) -> Vec<OverrideSpec> {
    file.iter().enumerate().map(|(index, one)| one_override(cx, &at.item(index), one)).collect()
}

fn one_override(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Override) -> OverrideSpec {
    let choice = Choice::of_target(file.ids.as_deref(), file.zone, file.fraction);
    let target = choice.target(cx, at, "an override");
    let versions =
        file.versions.as_ref().map(|ids| find_all(&mut cx.reports, &at.key("versions"), ids, cx.versions, find));
    let heartbeat_phase = file.heartbeat_phase_sec.map(span);
    phase_below_interval(&mut cx.reports, &at.key("heartbeat_phase_sec"), heartbeat_phase, cx.heartbeat_interval);
    let runs = file.runs.as_ref().and_then(|id| find(&mut cx.reports, &at.key("runs"), id, cx.versions));
    if file.fraction.is_some() {
        not_of_a_fraction(&mut cx.reports, at, [("runs", file.runs.is_some()), ("pinned", file.pinned)]);
    }
    let reports = &mut cx.reports;
    let checked = OverrideSpec {
        target,
        outcome: file.outcome,
        rates: SomeRates {
            failure: file.failure_rate,
            hang: file.hang_rate,
            unhealthy: file.unhealthy_rate,
            crash: file.crash_rate,
            brick: file.brick_rate,
            degrade: file.degrade_rate,
        },
        upgrade_time: optional(reports, &at.key("upgrade_time_sec"), file.upgrade_time_sec.as_ref()),
        crash_after: optional(reports, &at.key("crash_after_sec"), file.crash_after_sec.as_ref()),
        degrade_after: optional(reports, &at.key("degrade_after_sec"), file.degrade_after_sec.as_ref()),
        heartbeat_phase,
        heartbeat_loss_rate: file.heartbeat_loss_rate,
        heartbeat_delay: optional(reports, &at.key("heartbeat_delay_sec"), file.heartbeat_delay_sec.as_ref()),
        flap_rate_per_hour: file.flap_rate_per_hour,
        flap_down: optional(reports, &at.key("flap_down_sec"), file.flap_down_sec.as_ref()),
        runs,
        state: file.state,
        pinned: file.pinned,
        versions,
    };
    rates_fit(cx, at, "override", &checked.rates, checked.versions.as_deref());
    if changes_nothing(&checked) && file.runs.is_none() {
        cx.reports.add(at.value(), |mark| {
            mark.say("an override changes nothing")
                .label("says which instances, and not what is different")
                .help("add what differs, such as `outcome = \"fail\"` or `upgrade_time_sec = 20`")
        });
    }
    checked
}

/// What the plan depends on is not drawn.
fn not_of_a_fraction(reports: &mut Reports<'_>, at: &Cursor<'_>, keys: [(&str, bool); 2]) {
    for (key, _) in keys.into_iter().filter(|(_, given)| *given) {
        reports.add(at.key(key).name(), |mark| {
            mark.say(format!("`{key}` and `fraction` cannot stand together"))
                .label("each replicate draws other instances, and all have the same plan")
                .allowed(format!("`{key}` with `ids` or `zone`"))
                .help(format!("name the instances by `ids` or `zone`, or remove `{key}`"))
        });
    }
}

/// The rates that are left alone are the version's, and all together must fit. `what` is what gives the others.
pub(super) fn rates_fit(
    cx: &mut Context<'_, '_>,
    at: &Cursor<'_>,
    what: &str,
    rates: &SomeRates,
    versions: Option<&[VersionIndex]>,
) {
    for version in versions.map_or_else(|| cx.target.into_iter().collect(), <[VersionIndex]>::to_vec) {
        let Some(version) = cx.versions.get(version.0) else { continue };
        let given = [rates.failure, rates.hang, rates.unhealthy, rates.crash, rates.brick, rates.degrade];
        let last = RATES.iter().zip(given).filter(|(_, rate)| rate.is_some()).map(|(name, _)| at.key(name));
        let Some(place) = last.max_by_key(|place| place.value().start) else { continue };
        if let Some(sum) = excess(rates.over(version.rates)) {
            cx.reports.add(place.value(), |mark| {
                mark.say(format!(
                    "with this {what} the rates of version {} add up to more than 1",
                    quote(version.id.raw())
                ))
                .label(format!("adds up to {sum}"))
                .allowed(at_most_one(rates.over(version.rates)))
                .help(format!(
                    "{} {what} replaces the rates that it gives and keeps the version's others",
                    article(what)
                ))
            });
        }
    }
}

fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn changes_nothing(one: &OverrideSpec) -> bool {
    let OverrideSpec {
        target: _,
        versions: _,
        outcome: None,
        rates: SomeRates { failure: None, hang: None, unhealthy: None, crash: None, brick: None, degrade: None },
        upgrade_time: None,
        crash_after: None,
        degrade_after: None,
        heartbeat_phase: None,
        heartbeat_loss_rate: None,
        heartbeat_delay: None,
        flap_rate_per_hour: None,
        flap_down: None,
        runs: None,
        state: None,
        pinned: false,
    } = one
    else {
        return false;
    };
    true
}

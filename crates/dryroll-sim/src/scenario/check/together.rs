//! What the keys of `[rollout]` demand of each other.

use super::super::RolloutSpec;
use super::super::file::Rollout;
use super::super::tree::Cursor;
use super::context::{Context, Reports};
use dryroll_engine::{BreakerOrder, Reason, Rule, RuleKind};

pub(super) fn fits_together(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Rollout, spec: &RolloutSpec) {
    soak_fits(&mut cx.reports, at, spec);
    silence_fits(cx, at, spec);
    rules_are_watched(&mut cx.reports, at, spec);
    order_fits(&mut cx.reports, at, file, spec);
}

/// Where the first of these keys stands that is given; the table where none is.
fn place<'a>(at: &Cursor<'a>, keys: &[&str]) -> Cursor<'a> {
    keys.iter().find(|key| at.has(key)).map_or_else(|| at.clone(), |key| at.key(key))
}

fn soak_fits(reports: &mut Reports<'_>, at: &Cursor<'_>, spec: &RolloutSpec) {
    let soak = spec.pace.min_healthy;
    let windows = [
        ("health_timeout_sec", Some(spec.health_timeout)),
        ("rollback_health_timeout_sec", spec.rollback_health_timeout),
    ];
    let short = windows.into_iter().find_map(|(key, window)| Some((key, window.filter(|window| soak >= *window)?)));
    let Some((key, window)) = short else { return };
    reports.add(place(at, &["min_healthy_sec", key]).value(), |mark| {
        mark.say(format!("`min_healthy_sec` is not below `{key}`, so that no instance can ever be healthy in time"))
            .label(format!("the soak takes {} s, the window {} s", soak.as_secs_f64(), window.as_secs_f64()))
            .allowed(format!("`min_healthy_sec` from 0, below {}", window.as_secs_f64()))
            .help(format!("set `min_healthy_sec` lower, or `{key}` to the soak and the upgrade together"))
    });
}

fn silence_fits(cx: &mut Context<'_, '_>, at: &Cursor<'_>, spec: &RolloutSpec) {
    let interval = cx.heartbeat_interval;
    let Some(watch) = spec.watch.filter(|watch| watch.silent_after < interval) else { return };
    cx.reports.add(place(at, &["silent_after_sec"]).value(), |mark| {
        mark.say("`silent_after_sec` is below the heartbeat interval: every instance is silent between two heartbeats")
            .label(format!("found {}", watch.silent_after.as_secs_f64()))
            .allowed(format!("at least {}, the fleet's `heartbeat_interval_sec`", interval.as_secs_f64()))
            .help("three intervals outlast two lost heartbeats")
    });
}

fn rules_are_watched(reports: &mut Reports<'_>, at: &Cursor<'_>, spec: &RolloutSpec) {
    if spec.watch.is_some() {
        return;
    }
    let at = place(at, &["breakers", "silent_after_sec"]);
    for (index, Rule { kind, .. }) in spec.breakers.iter().enumerate() {
        let (place, what) = match kind {
            RuleKind::Unwell(_) => (at.item(index).key("count"), "`count = \"unwell\"`"),
            RuleKind::Failures(rule) => {
                let relapsed = rule.reasons.iter().flatten().position(|reason| *reason == Reason::Relapsed);
                let Some(reason) = relapsed else { continue };
                (at.item(index).key("reasons").item(reason), "the reason `relapsed`")
            }
            RuleKind::FailedBatches(_) | RuleKind::Sprt(_) | RuleKind::NoProgress(_) => continue,
        };
        reports.add(place.value(), |mark| {
            mark.say(format!("{what} needs `silent_after_sec`"))
                .label("without it nobody is watched after the verdict")
                .help("add `silent_after_sec` to [rollout], or remove this")
        });
    }
}

fn order_fits(reports: &mut Reports<'_>, at: &Cursor<'_>, file: &Rollout, spec: &RolloutSpec) {
    if spec.breaker_order != BreakerOrder::Listed {
        return;
    }
    let has_no_first_rule = spec.max_consecutive_failures.is_none() && !spec.names_first_rule;
    let others = [
        ("breakers", file.breakers.is_some() || !spec.breakers.is_empty() || has_no_first_rule),
        ("silent_after_sec", spec.watch.is_some()),
        ("advance_pct", spec.pace.advance_pct < 100),
    ];
    for (key, _) in others.into_iter().filter(|(_, there)| *there) {
        let what = if key == "advance_pct" { "`advance_pct` below 100".to_owned() } else { format!("`{key}`") };
        reports.add(place(at, &["breaker_order", key]).value(), |mark| {
            mark.say(format!("`breaker_order = \"listed\"` and {what} cannot stand together"))
                .label("verdicts are counted when the batch is completed")
                .allowed("`breaker_order = \"observed\"`")
                .help(format!("leave `breaker_order` out, or {what}"))
        });
    }
}

//! The rollout's inputs, and policies that change some of them.

use std::collections::HashMap;

use super::super::diagnostic::quote;
use super::super::file::{Policy, Rollout};
use super::super::tree::Cursor;
use super::super::{NamedPolicy, RolloutSpec, VersionIndex, VersionSpec};
use super::batches::{batches, rollback_batches};
use super::breakers::breakers;
use super::context::{Context, Reports};
use super::pace::pace;
use super::shares::size;
use super::together::fits_together;
use super::values::{positive, span};
use super::versions::{find, find_rollable};
use dryroll_engine::Watch;

/// The version to roll out.
pub(super) fn target(
    reports: &mut Reports<'_>,
    at: &Cursor<'_>,
    file: &Rollout,
    versions: &[VersionSpec],
) -> Option<VersionIndex> {
    find_rollable(reports, &at.key("target_version_id"), &file.target_version_id, versions)
}

/// What takes the keys that are given from the file, and the others from another rollout where there is one.
pub(super) struct Over<'a, 'b> {
    pub at: &'a Cursor<'a>,
    pub base: Option<&'b RolloutSpec>,
}

impl Over<'_, '_> {
    /// The file's value, which is its default where it does not give the key, unless another rollout has one.
    pub fn take<T>(&self, key: &str, file: T, base: impl FnOnce(&RolloutSpec) -> T) -> T {
        match self.base {
            Some(rollout) if !self.at.has(key) => base(rollout),
            _ => file,
        }
    }
}

/// The checked inputs. With a `base`, what the file does not give is as there.
pub(super) fn rollout(
    cx: &mut Context<'_, '_>,
    at: &Cursor<'_>,
    file: &Rollout,
    base: Option<&RolloutSpec>,
) -> RolloutSpec {
    let over = Over { at, base };
    let own_previous = match &file.previous_version_id {
        Some(id) => find(&mut cx.reports, &at.key("previous_version_id"), id, cx.versions),
        None => cx.target.and_then(|target| target.0.checked_sub(1)).map(VersionIndex),
    };
    let batches = batches(&mut cx.reports, &over, file);
    let breaker_scope = over.take("breaker_scope", file.breaker_scope, |base| base.breaker_scope);
    let given = file.max_in_flight.as_ref().map(|file| size(&mut cx.reports, &at.key("max_in_flight"), file));
    let first_rule = positive(file.max_consecutive_failures);
    let names_first_rule = at.has("max_consecutive_failures") || base.is_some_and(|base| base.names_first_rule);
    let spec = RolloutSpec {
        target: cx.target.unwrap_or(VersionIndex(0)),
        previous: over.take("previous_version_id", own_previous, |base| base.previous),
        names_previous: over
            .take("previous_version_id", file.previous_version_id.is_some(), |base| base.names_previous),
        order: over.take("order", file.order, |base| base.order),
        max_consecutive_failures: match file.breakers {
            Some(_) if !names_first_rule => None,
            _ => over.take("max_consecutive_failures", Some(first_rule), |base| base.max_consecutive_failures),
        },
        names_first_rule,
        health_timeout: over.take("health_timeout_sec", span(file.health_timeout_sec), |base| base.health_timeout),
        rollback_batches: rollback_batches(&mut cx.reports, &over, file, &batches),
        batches,
        rollback_max_consecutive_failures: over.take(
            "rollback_max_consecutive_failures",
            file.rollback_max_consecutive_failures.map(positive),
            |base| base.rollback_max_consecutive_failures,
        ),
        rollback_health_timeout: over.take(
            "rollback_health_timeout_sec",
            file.rollback_health_timeout_sec.map(span),
            |base| base.rollback_health_timeout,
        ),
        breaker_order: over.take("breaker_order", file.breaker_order, |base| base.breaker_order),
        breaker_scope,
        breakers: match &file.breakers {
            Some(list) => breakers(&mut cx.reports, &at.key("breakers"), list, breaker_scope),
            None => base.map(|base| base.breakers.clone()).unwrap_or_default(),
        },
        ok_pct: over.take("ok_pct", file.ok_pct.unwrap_or(100), |base| base.ok_pct),
        max_in_flight: over.take("max_in_flight", given, |base| base.max_in_flight),
        pace: pace(&mut cx.reports, &over, file),
        watch: watch(&mut cx.reports, &over, file),
        observe_after: over.take("observe_after_sec", span(file.observe_after_sec), |base| base.observe_after),
    };
    fits_together(cx, at, file, &spec);
    spec
}

fn watch(reports: &mut Reports<'_>, over: &Over<'_, '_>, file: &Rollout) -> Option<Watch> {
    let base = over.base.and_then(|base| base.watch);
    let silent_after = file.silent_after_sec.map(span).or(base.map(|watch| watch.silent_after));
    let at = over.at.key("max_unavailable");
    let given = file.max_unavailable.as_ref().map(|file| size(reports, &at, file));
    if given.is_some() && silent_after.is_none() {
        reports.add(at.name(), |mark| {
            mark.say("`max_unavailable` needs `silent_after_sec`")
                .label("without it, no instance is unwell")
                .help("add `silent_after_sec`, or write `max_in_flight`, which bounds those that await a verdict")
        });
    }
    let max_unavailable = given.or(base.and_then(|watch| watch.max_unavailable));
    silent_after.map(|silent_after| Watch { silent_after, max_unavailable })
}

/// Policies by name, over a rollout.
pub(super) fn policies(
    cx: &mut Context<'_, '_>,
    at: &Cursor<'_>,
    file: &[Policy],
    base: &RolloutSpec,
) -> Vec<NamedPolicy> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut policies = Vec::with_capacity(file.len());
    for (index, Policy { name, rollout: file }) in file.iter().enumerate() {
        let at = at.item(index);
        if let Some(first) = seen.insert(name, index) {
            cx.reports.add(at.key("name").value(), |mark| {
                mark.say(format!("two policies are called {}", quote(name)))
                    .label(format!("policy {} in the list is called so too", first + 1))
                    .help("give each policy a name of its own")
            });
        }
        policies.push(NamedPolicy { name: name.clone().into(), rollout: rollout(cx, &at, file, Some(base)) });
    }
    policies
}

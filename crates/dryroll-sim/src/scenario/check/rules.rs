//! Limits for `tune`, and what rules for `check` share with them.

use super::super::diagnostic::{listing, nearest, quote};
use super::super::file::{Limit, Rollout, Tune};
use super::super::metric::{Measure, Metric, Rate};
use super::super::tree::Cursor;
use super::super::{Bound, Expected, LimitSpec, RolloutSpec, Stat, TuneSpec, VersionIndex};
use super::context::Context;
use super::rollout::rollout;
use super::values::{nothing_twice, positive};
use super::versions::{find_all, find_rollable};
use dryroll_engine::{BreakerOrder, Outcome};
use serde::Deserialize;

/// What is demanded of a metric: one bound, of the metric's kind.
pub(super) fn limit(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: Limit) -> LimitSpec {
    // The schema lists the names.
    let metric = Measure::find(&file.metric).unwrap_or(Measure::Outcome);
    let stat = match (metric, file.stat) {
        (Measure::Metric(_), stat) => Some(stat.unwrap_or(Stat::Mean)),
        (_, None) => None,
        (_, Some(_)) => {
            cx.reports.add(at.key("stat").name(), |mark| {
                mark.say(format!("{} has no `stat`", quote(&file.metric)))
                    .help("remove it: a rate is one share of all replicates")
            });
            None
        }
    };
    let bound = bound(cx, at, &file);
    bound_fits(cx, at, metric, &bound);
    LimitSpec { metric, stat, bound }
}

fn bound(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Limit) -> Bound {
    let given = [
        file.at_most.map(|most| ("at_most", Bound::AtMost(most))),
        file.at_least.map(|least| ("at_least", Bound::AtLeast(least))),
        file.equals.clone().map(|value| ("equals", Bound::Equals(value))),
    ];
    let mut given: Vec<(&str, Bound)> = given.into_iter().flatten().collect();
    if given.len() > 1 {
        let all = given.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        let last = given.iter().map(|(name, _)| at.key(name).name()).max_by_key(|place| place.start);
        cx.reports.add(last.unwrap_or_else(|| at.value()), |mark| {
            mark.say(format!("{all} cannot stand together"))
                .allowed("one of `at_most`, `at_least`, `equals`")
                .help("write a rule for each")
        });
    }
    if given.is_empty() {
        cx.reports.add(at.key("metric").value(), |mark| {
            mark.say("a rule has no limit")
                .label("nothing is demanded of it")
                .allowed("one of `at_most`, `at_least`, `equals`")
        });
        return Bound::AtLeast(0.0);
    }
    given.swap_remove(0).1
}

fn bound_fits(cx: &mut Context<'_, '_>, at: &Cursor<'_>, metric: Measure, bound: &Bound) {
    let (key, number) = match bound {
        Bound::AtMost(most) => ("at_most", Some(*most)),
        Bound::AtLeast(least) => ("at_least", Some(*least)),
        Bound::Equals(Expected::Number(number)) => ("equals", Some(*number)),
        Bound::Equals(_) => ("equals", None),
    };
    let at = at.key(key);
    match (metric, bound) {
        (Measure::Outcome, Bound::Equals(Expected::Text(text))) => {
            let outcomes = || Outcome::ALL.iter().map(|outcome| outcome.name());
            if outcomes().all(|outcome| outcome != text) {
                cx.reports.add(at.value(), |mark| {
                    let diagnostic =
                        mark.say(format!("no outcome is called {}", quote(text))).allowed(listing(outcomes()));
                    match nearest(text, outcomes()) {
                        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                        None => diagnostic,
                    }
                });
            }
        }
        (Measure::Outcome, _) => cx.reports.add(at.name(), |mark| {
            mark.say("`outcome` is a name, not a number")
                .allowed("`equals = \"completed\"`")
                .help("for a share of the replicates take the outcome itself as the metric: `metric = \"completed\"`")
        }),
        (Measure::Rate(_), _) if number.is_some_and(|number| !(0.0..=1.0).contains(&number)) => {
            cx.reports.add(at.value(), |mark| {
                mark.say(format!("{} is a rate, and no rate is outside of 0 to 1", quote(metric.name())))
                    .allowed("a number from 0 to 1")
                    .help("for 2 percent write 0.02")
            });
        }
        (Measure::Metric(percent), _)
            if percent.is_percent() && number.is_some_and(|number| !(0.0..=100.0).contains(&number)) =>
        {
            cx.reports.add(at.value(), |mark| {
                mark.say(format!("{} is in percent, and no share is outside of 0 to 100", quote(metric.name())))
                    .allowed("a number from 0 to 100")
                    .help("for 20 percent write 20; a limit of 100 or more holds whatever happens")
            });
        }
        (Measure::Rate(Rate::Drift), Bound::Equals(Expected::Truth(_))) => {}
        (_, Bound::Equals(Expected::Text(_) | Expected::Truth(_))) => cx
            .reports
            .add(at.value(), |mark| mark.say(format!("{} is a number", quote(metric.name()))).allowed("a number")),
        _ => {}
    }
}

pub(super) fn tune(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: Tune, rollout: &RolloutSpec) -> TuneSpec {
    let good = match &file.good {
        Some(id) => find_rollable(&mut cx.reports, &at.key("good"), id, cx.versions),
        None => cx.target,
    };
    let defective = match &file.defective {
        Some(ids) => {
            let listed = find_all(&mut cx.reports, &at.key("defective"), ids, cx.versions, find_rollable);
            good_is_not_defective(cx, at, good, ids, &file);
            listed
        }
        // What cannot be rolled out cannot be tried either.
        None => {
            let tried = cx.versions.iter().enumerate().filter(|(index, version)| {
                version.defective && version.lifecycle_state.can_be_rolled_out() && good != Some(VersionIndex(*index))
            });
            tried.map(|(index, _)| VersionIndex(index)).collect()
        }
    };
    nothing_twice(&mut cx.reports, &at.key("batch_pct"), file.batch_pct.iter());
    nothing_twice(&mut cx.reports, &at.key("max_consecutive_failures"), file.max_consecutive_failures.iter());
    let lists = lists(cx, at, &file, rollout);
    let rules = file.rules == Some(true);
    if rules && rollout.breaker_order == BreakerOrder::Listed {
        cx.reports.add(at.key("rules").name(), |mark| {
            mark.say("`rules` and `breaker_order = \"listed\"` cannot stand together")
                .help("write `breaker_order = \"observed\"`: `breakers` count verdicts as they are observed")
        });
    }
    let replaced = |by: &str, own: &str| at.has(by) && !at.has(own);
    let order = file.order.unwrap_or_default();
    nothing_twice(&mut cx.reports, &at.key("order"), order.iter().map(|order| order.name()));
    let limits = file.limits.into_iter().enumerate();
    TuneSpec {
        good: good.unwrap_or(VersionIndex(0)),
        defective,
        batch_pct: if replaced("batches", "batch_pct") { Vec::new() } else { file.batch_pct },
        max_consecutive_failures: if replaced("breakers", "max_consecutive_failures") {
            Vec::new()
        } else {
            file.max_consecutive_failures.into_iter().map(positive).collect()
        },
        order,
        lists,
        rules,
        minimise: match Measure::find(&file.minimise) {
            Some(Measure::Metric(metric)) => metric,
            // The schema lists the names.
            _ => Metric::DurationSec,
        },
        limits: limits.map(|(index, one)| limit(cx, &at.key("limits").item(index), one)).collect(),
        min_completed: file.min_completed,
        limit_tolerance: file.limit_tolerance,
    }
}

/// The values of further keys, each held against the rollout.
fn lists(
    cx: &mut Context<'_, '_>,
    at: &Cursor<'_>,
    file: &Tune,
    base: &RolloutSpec,
) -> Vec<(&'static str, Vec<serde_json::Value>)> {
    let mut lists = Vec::new();
    for (key, values) in file.lists() {
        let at = at.key(key);
        nothing_twice(&mut cx.reports, &at, values.iter());
        for (place, value) in values.iter().enumerate() {
            let Some(node) = at.item(place).alone(key) else { continue };
            // What other keys of the list decide is held against it when the policies are made.
            if let Ok(file) = Rollout::deserialize(serde_json::json!({key: value})) {
                rollout(cx, &Cursor::new(&node), &file, Some(&settled(key, base)));
            }
        }
        lists.push((key, values.to_vec()));
    }
    lists
}

/// The rollout without what a list of other values of `key` stands in place of.
fn settled(key: &str, base: &RolloutSpec) -> RolloutSpec {
    let mut base = base.clone();
    match key {
        "batches" => base.batches.growth = None,
        "growth" | "on_failed" => base.batches.sizes.truncate(1),
        _ => {}
    }
    base
}

fn good_is_not_defective(
    cx: &mut Context<'_, '_>,
    at: &Cursor<'_>,
    good: Option<VersionIndex>,
    ids: &[String],
    file: &Tune,
) {
    let Some(version) = good.and_then(|index| cx.versions.get(index.0)) else { return };
    let Some(place) = ids.iter().position(|id| version.id == *id) else { return };
    cx.reports.add(at.key("defective").item(place).value(), |mark| {
        let diagnostic = mark.say(format!("{} cannot be both `good` and `defective`", quote(version.id.raw())));
        match file.good {
            Some(_) => diagnostic,
            None => diagnostic.help("left out, `good` is the rollout's target; name another one"),
        }
    });
}

//! Rules for `check`: what each is about, and of which replicates.

use super::super::diagnostic::quote;
use super::super::file::{Expect, Limit};
use super::super::metric::{Measure, Rate};
use super::super::tree::Cursor;
use super::super::{Bound, Demand, EventDemand, ExpectSpec, Expected, LimitSpec, Replicates, Stat};
use super::context::Context;
use super::faults::batch_index_fits;
use super::rules::limit;
use super::values::span;
use super::versions::find_rollable;
use dryroll_engine::EventKind;

/// What may be demanded of an event.
const OF_AN_EVENT: [&str; 5] = ["within_sec", "before", "at_most", "at_least", "equals"];

pub(super) fn expect(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: Vec<Expect>) -> Vec<ExpectSpec> {
    let mut lines = cx.reports.lines();
    let rules = file.into_iter().enumerate().map(|(index, rule)| {
        let at = at.item(index);
        let line = lines.of(at.value().start);
        one_rule(cx, &at, &rule, line)
    });
    rules.collect()
}

fn one_rule(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Expect, line: usize) -> ExpectSpec {
    let version =
        file.version.as_deref().and_then(|id| find_rollable(&mut cx.reports, &at.key("version"), id, cx.versions));
    if file.replicate.is_some() && file.replicates.is_some() {
        not_together(cx, at, ["replicate", "replicates"], "`replicate` is one replicate, `replicates` are many");
    }
    let (demand, is_of_one_world) = match (&file.metric, &file.event) {
        (Some(_), Some(_)) => {
            not_together(cx, at, ["metric", "event"], "write a rule for each");
            return ExpectSpec { version, demand: nothing(), replicates: Replicates::One(0), line };
        }
        (None, None) => {
            cx.reports.add(at.value(), |mark| {
                mark.say("a rule does not say what it is about")
                    .label("neither `metric` nor `event`")
                    .allowed("`metric = \"trip_rate\"`, or `event = \"circuit_breaker_tripped\"`")
            });
            return ExpectSpec { version, demand: nothing(), replicates: Replicates::One(0), line };
        }
        (Some(metric), None) => of_metric(cx, at, file, metric),
        (None, Some(event)) => (of_event(cx, at, file, event), true),
    };
    let replicates = match (file.replicate, file.replicates) {
        (Some(replicate), _) => Replicates::One(replicate),
        (None, None) if is_of_one_world => Replicates::One(0),
        (None, replicates) => Replicates::First(replicates),
    };
    ExpectSpec { version, demand, replicates, line }
}

/// Replaces an invalid rule, which is already reported.
fn nothing() -> Demand {
    Demand::Limit(LimitSpec { metric: Measure::Outcome, stat: None, bound: Bound::AtLeast(0.0) })
}

fn not_together(cx: &mut Context<'_, '_>, at: &Cursor<'_>, keys: [&str; 2], help: &str) {
    let [first, second] = keys.map(|key| at.key(key).name());
    let place = if first.start > second.start { first } else { second };
    let [first, second] = keys;
    cx.reports.add(place, |mark| {
        mark.say(format!("`{first}` and `{second}` cannot stand together"))
            .allowed(format!("one of `{first}` and `{second}`"))
            .help(help)
    });
}

/// A rule on a metric, and whether it is about each replicate rather than about all of them together.
fn of_metric(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Expect, name: &str) -> (Demand, bool) {
    let given = [
        ("batch_index", file.batch_index.is_some()),
        ("within_sec", file.within_sec.is_some()),
        ("before", file.before.is_some()),
    ];
    for (key, _) in given.into_iter().filter(|(_, given)| *given) {
        misplaced(cx, at, key, name, "it belongs to a rule with `event`");
    }
    let limit_file = Limit {
        metric: name.to_owned(),
        stat: file.stat,
        at_most: file.at_most,
        at_least: file.at_least,
        equals: file.equals.clone(),
    };
    let spec = limit(cx, at, limit_file);
    let is_truth = matches!(spec.bound, Bound::Equals(Expected::Truth(_)));
    let is_of_worlds = spec.metric == Measure::Outcome || is_truth;
    match spec.metric {
        Measure::Metric(_) if file.replicate.is_some() && file.stat.is_some() => {
            misplaced(cx, at, "stat", name, "in one replicate a metric has one value");
        }
        Measure::Rate(rate) if file.replicate.is_some() && !is_truth => {
            cx.reports.add(at.key("metric").value(), |mark| {
                let said = mark.say(format!("{} is a share of many replicates, and `replicate` is one", quote(name)));
                said.help(match rate {
                    Rate::Drift => "write `equals = true` or `equals = false`".to_owned(),
                    Rate::Outcome(outcome) => {
                        format!("write `metric = \"outcome\"` and `equals = \"{}\"`", outcome.name())
                    }
                    Rate::Trip | Rate::FalseTrip | Rate::Escape => {
                        "write `metric = \"trips\"` and a number, or leave `replicate` out".to_owned()
                    }
                })
            })
        }
        _ => {}
    }
    let is_estimated = file.replicate.is_none() && !matches!(spec.stat, Some(Stat::Min | Stat::Max));
    if is_estimated && matches!(spec.bound, Bound::Equals(Expected::Number(_))) && spec.metric != Measure::Outcome {
        cx.reports.add(at.key("equals").name(), |mark| {
            mark.say(format!("no number of replicates can confirm that {} is just one number", quote(name)))
                .allowed("`at_most` or `at_least`; `equals` with `replicate`, `stat = \"min\"` or `stat = \"max\"`")
        });
    }
    (Demand::Limit(spec), is_of_worlds)
}

fn of_event(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Expect, name: &str) -> Demand {
    // The schema lists the names.
    let kind = |name: &str| EventKind::from_name(name).unwrap_or(EventKind::Planned);
    let event = kind(name);
    if file.stat.is_some() {
        misplaced(cx, at, "stat", name, "it belongs to a rule with `metric`");
    }
    if file.batch_index.is_some() {
        batch_index_fits(cx, at, name, event);
    }
    let times = |equals: &Expected| EventDemand::Times(Bound::Equals(equals.clone()));
    let given = [
        file.within_sec.map(|seconds| EventDemand::Within(span(seconds))),
        file.before.as_deref().map(|before| EventDemand::Before(kind(before))),
        file.at_most.map(|most| EventDemand::Times(Bound::AtMost(most))),
        file.at_least.map(|least| EventDemand::Times(Bound::AtLeast(least))),
        file.equals.as_ref().map(times),
    ];
    let mut given: Vec<(&str, EventDemand)> =
        OF_AN_EVENT.into_iter().zip(given).filter_map(|(key, demand)| Some((key, demand?))).collect();
    let any = || OF_AN_EVENT.map(|key| format!("`{key}`")).join(", ");
    if let [(first, _), (second, _), ..] = given.as_slice() {
        not_together(cx, at, [first, second], "write a rule for each");
    }
    let Some((key, demand)) = given.drain(..).next() else {
        cx.reports.add(at.key("event").value(), |mark| {
            mark.say("a rule has no limit").label("nothing is demanded of it").allowed(format!("one of {}", any()))
        });
        return Demand::Event { event, batch_index: None, demand: EventDemand::Times(Bound::AtLeast(0.0)) };
    };
    match &demand {
        EventDemand::Times(Bound::Equals(Expected::Text(_) | Expected::Truth(_))) => {
            cx.reports.add(at.key(key).value(), |mark| {
                mark.say("how often an event comes is a number")
                    .allowed("a number; `equals = 0` says that it never comes")
            })
        }
        EventDemand::Before(other) if *other == event => cx
            .reports
            .add(at.key(key).value(), |mark| mark.say("nothing comes before itself").help("name another event")),
        _ => {}
    }
    Demand::Event { event, batch_index: file.batch_index, demand }
}

fn misplaced(cx: &mut Context<'_, '_>, at: &Cursor<'_>, key: &str, about: &str, why: &str) {
    cx.reports.add(at.key(key).name(), |mark| {
        mark.say(format!("a rule on {} has no `{key}`", quote(about))).help(format!("remove it: {why}"))
    });
}

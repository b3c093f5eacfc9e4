//! What may stand at a place, by the name of its key and by the metric or rate that its object is about: the one
//! description of all schemas. A key that is not in it is free; the suite lets no key of a report be free that is not
//! on a list with a reason.

use serde_json::{Map, Value};

use crate::checked::range::Range;
use crate::checked::scope::Scope;
use crate::events::chronicle::VOID;
use dryroll_engine::{
    BatchPhase, BreakerOrder, BreakerScope, EventKind, OperatorDecision, Outcome, Reason, Relapse, RequestKind,
};
use dryroll_sim::scenario::{FaultKind, Measure, RolloutOrder, Scenario};

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// Nothing is known of it.
    Any,
    /// Words, whatever the keys below are called.
    Words,
    /// Means and chances, each under its name.
    Means,
    /// A number.
    Number(Range),
    /// One of some words.
    OneOf(Vec<String>),
    /// The name of an instance of the fleet.
    Instance,
    /// This, a dash and a number, as `a-1`.
    Numbered(&'static str),
    /// A SHA-256.
    Digest,
    /// A number of instances, or a share such as `25%`.
    Size,
}

impl From<Range> for Domain {
    fn from(range: Range) -> Self {
        Self::Number(range)
    }
}

impl Domain {
    fn words<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Self {
        Self::OneOf(words.into_iter().map(|word| word.as_ref().to_owned()).collect())
    }

    /// What may stand there, in words.
    pub fn says(&self, scope: &Scope) -> String {
        match self {
            Self::Any | Self::Words | Self::Means => "anything".to_owned(),
            Self::Number(range) => range.says(),
            Self::OneOf(words) => words.join(", "),
            Self::Instance => {
                scope.fleet.map_or_else(String::new, |fleet| format!("an instance of the fleet of {fleet}, as i-00001"))
            }
            Self::Numbered(what) => format!("{what}-1, {what}-2, …"),
            Self::Digest => "a SHA-256 in 64 hexadecimal digits".to_owned(),
            Self::Size => "a number of instances, 1 or more, or a share such as 25%".to_owned(),
        }
    }

    /// Whether a text may stand there.
    pub fn has_text(&self, text: &str, scope: &Scope) -> bool {
        match self {
            Self::Any | Self::Words | Self::Means => true,
            Self::Number(_) => false,
            Self::OneOf(words) => words.iter().any(|word| word == text),
            Self::Instance => scope.names().is_none_or(|names| names.find(text).is_some()),
            Self::Numbered(what) => {
                let number = text.strip_prefix(what).and_then(|rest| rest.strip_prefix('-'));
                number.is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 0))
            }
            Self::Size => {
                let percent = text.strip_suffix('%').and_then(|percent| percent.parse::<f64>().ok());
                percent.is_some_and(|percent| percent > 0.0 && percent <= 100.0)
            }
            // Older reports leave it empty.
            Self::Digest => text.is_empty() || text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit()),
        }
    }

    /// Whether a number may stand there.
    pub fn has_number(&self, number: f64) -> bool {
        match self {
            Self::Any | Self::Words | Self::Means => true,
            Self::Number(range) => range.has(number),
            Self::Size => Range::POSITIVE.has(number),
            Self::OneOf(_) | Self::Instance | Self::Numbered(_) | Self::Digest => false,
        }
    }
}

/// The names of a serialised enum's values.
fn serialised<T: serde::Serialize>(values: &[T]) -> Vec<String> {
    let name = |value: &T| serde_json::to_value(value).ok()?.as_str().map(str::to_owned);
    values.iter().filter_map(name).collect()
}

fn outcomes() -> Domain {
    Domain::words(Outcome::ALL.iter().map(|outcome| outcome.name()))
}

fn on_trips() -> Vec<&'static str> {
    OperatorDecision::ALL.iter().map(|decision| decision.name()).collect()
}

/// What a decision or the answer to a request is.
fn answers() -> Vec<&'static str> {
    ["approve", "edit", "reject", "promote"].into_iter().chain(on_trips()).collect()
}

/// How a promotion is resolved.
fn on_promotions() -> Vec<&'static str> {
    RequestKind::Promotion.option_names().into_iter().chain([VOID]).collect()
}

fn measures() -> Domain {
    Domain::words(Measure::all().map(Measure::name))
}

/// What a rule can be about.
fn rule_measures() -> Domain {
    let events = EventKind::ALL.iter().flat_map(|event| [event.name(), event.full_name()]);
    Domain::words(Measure::all().map(Measure::name).chain(events))
}

/// The versions of the scenario.
pub fn versions(scope: &Scope) -> Domain {
    if scope.versions.is_empty() { Domain::Any } else { Domain::OneOf(scope.versions.clone()) }
}

/// Of the value of a key of `[rollout]`.
pub fn of_policy_key(key: &str, value: &Value, scope: &Scope) -> Option<Domain> {
    Some(match key {
        "batch_pct" | "rollback_batch_pct" => Range::BATCH_PERCENT.into(),
        "max_consecutive_failures" | "rollback_max_consecutive_failures" => Range::POSITIVE.into(),
        "max_in_flight" | "max_unavailable" => Domain::Size,
        "batches" | "rollback_batches" if !has_objects(value) => Domain::Size,
        "advance_pct" | "ok_pct" => Range::PERCENT.into(),
        "retries" if value.is_number() => Range::up_to(100.0).into(),
        // Their keys have meanings of their own there.
        "breakers" | "growth" => Domain::Words,
        "health_timeout_sec" | "rollback_health_timeout_sec" | "silent_after_sec" => Range::INTERVAL.into(),
        "min_healthy_sec" | "bake_sec" => Range::SETTING.into(),
        "observe_after_sec" => Range::SETTING.into(),
        "breaker_order" => Domain::OneOf(serialised(&[BreakerOrder::Observed, BreakerOrder::Listed])),
        "breaker_scope" => Domain::OneOf(serialised(&[BreakerScope::Rollout, BreakerScope::Batch])),
        "order" => {
            let all = [RolloutOrder::Listed, RolloutOrder::Shuffled, RolloutOrder::ByZone];
            Domain::words(all.iter().map(|order| order.name()))
        }
        "previous_version_id" => versions(scope),
        _ => return None,
    })
}

/// Of the value at a key of an object, whose own domain is `around`.
pub fn of(key: &str, value: &Value, object: &Map<String, Value>, around: &Domain, scope: &Scope) -> Domain {
    match around {
        Domain::Words => return Domain::Words,
        Domain::Means => return scope.of_measure(key).map_or(Domain::Any, |range| range.mean().into()),
        _ => {}
    }
    by_what_it_is_about(key, object, around, scope).unwrap_or_else(|| by_key(key, value, object, scope))
}

/// Of a figure of a metric or rate: that is named beside it, or is the key of an object around it.
fn by_what_it_is_about(key: &str, object: &Map<String, Value>, around: &Domain, scope: &Scope) -> Option<Domain> {
    let about = ["metric", "measure"].into_iter().find_map(|name| object.get(name)?.as_str());
    let about = about.and_then(|name| scope.of_measure(name));
    let has = |key: &str| object.contains_key(key);
    if let Some(range) = about {
        let found = match key {
            "observed" => range,
            // One replicate's.
            "a" | "b" | "value" if has("replicate") => range,
            "low" => {
                if has("counts") {
                    range.difference()
                } else {
                    range
                }
            }
            "a" | "b" | "exact_a" | "exact_b" | "accepted" | "now" => range.mean(),
            "bound" | "bound_of_mean" => range.mean(),
            "value" | "exact" if !has("difference") => range.mean(),
            "difference" | "exact" => range.difference(),
            "interval" | "ci" | "simultaneous_ci" if has("difference") => range.interval_end().difference(),
            "interval" | "ci" => range.interval_end(),
            "tolerance" | "width" | "half_width" | "widest" => range.difference(),
            _ => return None,
        };
        return Some(found.into());
    }
    // Of a rate in how many runs there is a value.
    if has("comparable") {
        return match key {
            "a" | "b" => Some(Range::SHARE.into()),
            "difference_ci" => Some(Range::SHARE.difference().into()),
            "rate" => Some(measures()),
            _ => None,
        };
    }
    let of_it = match around {
        Domain::Number(range) => *range,
        // A rate of a history has no name around it.
        _ if has("hits") || has("least") || has("p_value") => Range::SHARE,
        _ => return None,
    };
    Some(match key {
        "mean" | "value" | "exact" | "estimate" | "upper_bound" | "achieved" | "optimistic" => of_it.mean().into(),
        "p50" | "p95" | "p99" | "min" | "max" => of_it.into(),
        "p50_ci" | "p95_ci" | "p99_ci" => of_it.into(),
        "ci" | "interval" | "claim" | "mean_ci" if has("hits") || has("least") => Range::SHARE.into(),
        "ci" | "interval" | "mean_ci" => of_it.interval_end().into(),
        "rate" => Range::SHARE.into(),
        _ => return None,
    })
}

/// By the name of the key alone.
fn by_key(key: &str, value: &Value, object: &Map<String, Value>, scope: &Scope) -> Domain {
    let has = |key: &str| object.contains_key(key);
    if let Some(domain) = of_policy_key(key, value, scope) {
        return domain;
    }
    match (key, value) {
        (_, Value::Bool(_)) => return Domain::Any,
        // What they hold is of the keys below.
        ("warning" | "why_not", _) => return Domain::Words,
        ("decisions", Value::Array(_)) => return Domain::words(on_trips()),
        // What a rule counts.
        ("count", Value::String(_)) => return Domain::words(["failed", "failed_batches", "unwell"]),
        ("kind", _) if !has("text") => return Domain::words(FaultKind::NAMES),
        ("decision", Value::String(_)) if has("approval_request_id") => return Domain::words(on_promotions()),
        ("decision", Value::String(_)) => return Domain::words(on_trips()),
        // What a rule found, in words.
        ("reason", Value::String(_)) if has("failed_instance_ids") => return Domain::Words,
        ("then", Value::String(_)) if has("failed_instance_ids") => return Domain::words(["abort", "roll_back"]),
        ("then", Value::String(_)) => return Domain::words(["ask", "note", "abort", "roll_back"]),
        // Where no number of failures in a row trips, there is no limit.
        ("limit", Value::Number(_)) if has("end_ms") => return Range::COUNT.into(),
        // What is beside the policy is an axis by its path.
        ("key", Value::String(path)) if has("values") && path.contains('.') => return Domain::Any,
        ("key", _) if has("values") => return Domain::words(Scenario::rollout_keys()),
        ("trips", Value::Number(_)) if has("least") => return Range::SHARE.into(),
        // A list of objects, or of such as have two names.
        ("trips" | "worlds" | "scenario", Value::Array(_) | Value::String(_)) => return Domain::Any,
        ("values", Value::Object(_)) => return Domain::Means,
        // Of a sequential test.
        ("good" | "bad" | "alpha" | "beta", Value::Number(_)) if has("alpha") => return Range::SHARE.into(),
        ("scenario", Value::Number(_)) => return Range::SHARE.into(),
        ("world", Value::String(_)) | ("hash", _) => return Domain::Digest,
        ("versions", Value::Array(items)) if items.iter().any(|item| !item.is_string()) => return Domain::Any,
        ("decision" | "line" | "column", Value::Number(_)) => return Range::POSITIVE.into(),
        ("id", _) => return if has("segments") { Domain::Instance } else { Domain::Numbered("a") },
        _ => {}
    }
    let range = match key {
        "outcome" => return outcomes(),
        "metric" | "minimise" => return measures(),
        "measure" => return rule_measures(),
        "version" | "versions" | "good" | "defective" | "worst" if !has_objects(value) => return versions(scope),
        "phase" => {
            use BatchPhase::{Completed, Pending, RolledBack, Running, Tripped};
            return Domain::OneOf(serialised(&[Pending, Running, Completed, Tripped, RolledBack]));
        }
        "reason" => return Domain::words(Reason::ALL.iter().map(|reason| reason.name())),
        "relapse" => return Domain::words([Relapse::Unhealthy, Relapse::Silent].map(Relapse::name)),
        "answer" => {
            return Domain::words(answers().iter().map(|it| it.replace('_', " ")).chain([
                "no answer".into(),
                "expired".into(),
                VOID.into(),
            ]));
        }
        "decide" => return Domain::words(answers().into_iter().chain([""])),
        "on_trip" | "best" if value.is_string() => return Domain::words(on_trips().into_iter().chain([""])),
        "asked" => {
            use RequestKind::{Promotion, RollingUpgrade, RollingUpgradeContinuation};
            return Domain::words([RollingUpgrade, RollingUpgradeContinuation, Promotion].map(RequestKind::type_name));
        }
        "approval_request_id" => return Domain::Numbered("a"),
        "rollout_id" => return Domain::Numbered("r"),
        "instance_ids" | "failed_instance_ids" | "skipped_instance_ids" | "instance_id" => return Domain::Instance,
        "total_instances"
        | "batch_size"
        | "batch_count"
        | "index"
        | "batch_index"
        | "healthy_count"
        | "failed_count"
        | "relapsed_count"
        | "promotes"
        | "misplaced_instances"
        | "touched_instances" => Range::instances(scope.fleet),
        "instances" if value.is_number() => Range::instances(scope.fleet),
        "failed_verdicts" => Range::verdicts(scope.fleet),
        "limit" if value.is_number() => Range::POSITIVE,
        "attempt" => Range::POSITIVE,
        "hits" | "n" | "replicates" | "rollouts" | "commands" | "healthy" | "upgrade_failed" | "health_timeout"
        | "cut_short" | "censored" | "ties" | "a_wins" | "b_wins" | "counts" | "approved" | "edited" | "rejected"
        | "promoted" | "not_promoted" | "relapsed" | "count" | "cell" | "degrees" | "fault" | "passed" | "failed"
        | "undecided" | "skipped" | "max_replicates" | "intervals" | "worlds"
            if is_plain(value) =>
        {
            Range::COUNT
        }
        "within" if value.as_f64().is_some_and(|it| it.fract() == 0.0) => Range::COUNT,
        "difficulty" => Range::up_to(5.0),
        "variance_saved" => Range::SAVED,
        "confidence" | "p_value" | "ends" | "share" | "rate" | "stays" | "none" | "tolerance" | "limit_tolerance"
        | "min_completed" | "least" | "p5" | "p50" | "p95" | "between" | "within" => Range::SHARE,
        "beta" | "concentration" | "concentration_ci" => Range::of("a number", 0.0, 1e12),
        "factor" | "from" | "to" | "not_sure_below" | "not_sure_above" | "history" | "relative_error" => Range::FACTOR,
        "width" | "half_width" | "widest" | "chi_squared" if value.is_number() => Range::QUANTITY,
        "heartbeat_interval_sec" | "resolution_sec" => Range::INTERVAL,
        "budget_sec" => Range::SETTING,
        "points" | "score" if value.is_number() => Range::PERCENT,
        "bic" | "log_likelihood" => return Domain::Any,
        "objective" | "choice" | "forbidden" | "allowed" | "saves" | "slower_by" | "would_save" | "undecided"
        | "worth" => {
            let Some(goal) = scope.goal else { return Domain::Any };
            if key == "objective" { goal } else { goal.difference() }
        }
        _ => return by_unit(key, value, scope),
    };
    range.into()
}

fn has_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_object))
}

/// Numbers and lists of numbers, not objects.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_number),
        other => !other.is_object(),
    }
}

/// By the name of the metric or rate that it is, or the end of a name: its unit.
fn by_unit(key: &str, value: &Value, scope: &Scope) -> Domain {
    if let Some(range) = scope.of_measure(key) {
        return range.into();
    }
    let ends = |end: &str| key.ends_with(end);
    if ends("_rate") {
        Range::SHARE.into()
    } else if ends("_pct") {
        Range::PERCENT.into()
    } else if ends("_ms") && is_plain(value) {
        Range::MILLIS.into()
    } else if (ends("_instances") || ends("_count")) && is_plain(value) {
        Range::COUNT.into()
    } else if ends("_seconds") || ends("_seconds_in_flight") {
        Range::QUANTITY.into()
    } else if ends("_sec") {
        Range::SECONDS.into()
    } else if ends("_instance_min") {
        Range::instance_minutes(scope.fleet).into()
    } else if ends("_concentration") {
        Range::of("a number", 0.0, 1e12).into()
    } else {
        Domain::Any
    }
}

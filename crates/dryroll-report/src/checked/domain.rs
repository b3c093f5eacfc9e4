//! What a number may be, by the name of its key and by the metric or rate that its object is about.

use serde_json::{Map, Value};

use dryroll_sim::scenario::Measure;

/// What a number may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Nothing is known of it.
    Any,
    /// Words, whatever the keys below are called.
    Words,
    /// A time, an integral, a number of instances.
    Quantity,
    /// 0 to 1.
    Share,
    /// 0 to 100.
    Percent,
    /// A percentage that a policy has: 1 to 100.
    BatchPercent,
    /// A whole number.
    Count,
    /// A whole number, not 0.
    Positive,
    /// Of shares.
    ShareDifference,
    /// Of percentages.
    PercentDifference,
}

impl Domain {
    /// Whether it may be that number.
    #[must_use]
    pub fn has(self, number: f64) -> bool {
        // Sums of many numbers end a little beside.
        const ROUNDING: f64 = 1e-9;
        let within = |low: f64, high: f64| (low - ROUNDING..=high + ROUNDING).contains(&number);
        match self {
            Self::Any | Self::Words => true,
            Self::Quantity => number >= -ROUNDING,
            Self::Share => within(0.0, 1.0),
            Self::Percent => within(0.0, 100.0 + 1e-6),
            Self::BatchPercent => within(1.0, 100.0) && number.fract() == 0.0,
            Self::Count => number >= 0.0 && number.fract() == 0.0,
            Self::Positive => number >= 1.0 && number.fract() == 0.0,
            Self::ShareDifference => within(-1.0, 1.0),
            Self::PercentDifference => within(-100.0 - 1e-6, 100.0 + 1e-6),
        }
    }

    /// In words.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Any | Self::Words => "anything",
            Self::Quantity => "a number, 0 or more",
            Self::Share => "a share, 0 to 1",
            Self::Percent => "percent, 0 to 100",
            Self::BatchPercent => "whole percent, 1 to 100",
            Self::Count => "a whole number, 0 or more",
            Self::Positive => "a whole number, 1 or more",
            Self::ShareDifference => "a difference of two shares, -1 to 1",
            Self::PercentDifference => "a difference of two percentages, -100 to 100",
        }
    }

    /// Whether a text cannot stand for it.
    #[must_use]
    pub fn is_a_figure(self) -> bool {
        !matches!(self, Self::Any | Self::Words)
    }

    /// Of a difference between two of them.
    fn difference(self) -> Self {
        match self {
            Self::Share => Self::ShareDifference,
            Self::Percent => Self::PercentDifference,
            _ => Self::Any,
        }
    }
}

/// Of the values of a metric or rate.
#[must_use]
pub fn of_measure(name: &str) -> Option<Domain> {
    match Measure::find(name)? {
        Measure::Rate(_) => Some(Domain::Share),
        Measure::Metric(_) if name.contains("_pct") => Some(Domain::Percent),
        Measure::Metric(_) => Some(Domain::Quantity),
        Measure::Outcome => None,
    }
}

/// Of the value at a key of an object, whose own domain is `around`.
#[must_use]
pub fn of(key: &str, value: &Value, object: &Map<String, Value>, around: Domain) -> Domain {
    let about = ["metric", "measure"].into_iter().find_map(|name| object.get(name)?.as_str()).and_then(of_measure);
    let is_difference = object.contains_key("difference");
    if around == Domain::Words || key == "why_not" {
        return Domain::Words;
    }
    match (key, about) {
        ("a" | "b" | "observed" | "exact_a" | "exact_b" | "accepted" | "now", Some(domain)) => return domain,
        ("value" | "exact", Some(domain)) if !is_difference => return domain,
        ("difference" | "exact" | "interval" | "ci" | "simultaneous_ci", Some(domain)) => return domain.difference(),
        ("a" | "b", None) if object.contains_key("comparable") => return Domain::Share,
        // The name of the rate that says in how many runs there is a value.
        ("rate", None) if object.contains_key("comparable") => return Domain::Any,
        ("difference_ci", _) => return Domain::ShareDifference,
        ("slower_by" | "saves", _) => return Domain::Any,
        // That of a mean may end beyond what a single value can be; that of a share does not.
        ("ci" | "interval" | "mean_ci", _) if !object.contains_key("hits") => return Domain::Any,
        _ => {}
    }
    match key {
        // What they hold is of the keys below, or no figure of a replicate.
        "policy" | "policies" | "scenario" | "plan" | "timeline" | "distribution" | "axes" | "distributions"
        | "warning" | "why_not" => Domain::Any,
        "batch_pct" | "rollback_batch_pct" => Domain::BatchPercent,
        "max_consecutive_failures" | "max_in_flight" => Domain::Positive,
        "decisions" if !value.is_number() && !value.is_object() => Domain::Any,
        "trips" if value.is_array() => Domain::Any,
        "hits" | "n" | "replicates" | "rollouts" | "commands" | "healthy" | "upgrade_failed" | "health_timeout"
        | "cut_short" | "censored" | "ties" | "a_wins" | "b_wins" | "counts" | "total_instances" | "batch_size"
        | "batch_count" | "index" | "approved" | "edited" | "rejected" | "count" | "cell" | "degrees" | "instances"
        | "line" | "fault"
            if is_plain(value) =>
        {
            Domain::Count
        }
        "confidence" | "p_value" | "ends" | "share" | "rate" | "stays" | "none" => Domain::Share,
        "width" | "half_width" | "widest" | "relative_error" | "chi_squared" | "tolerance" | "beta"
        | "concentration" | "concentration_ci" | "factor" | "resolution_sec" | "optimistic" => {
            if value.is_object() {
                Domain::Any
            } else {
                Domain::Quantity
            }
        }
        "mean" | "value" | "ci" | "claim" | "exact" | "estimate" | "mean_ci" | "p50" | "p95" | "p99" | "min"
        | "max" | "p50_ci" | "p95_ci" | "p99_ci" | "interval" | "upper_bound" => around,
        "points" | "score" if value.is_number() => Domain::Percent,
        _ => by_name(key, value),
    }
}

/// Numbers and lists of numbers, not objects.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_number),
        other => !other.is_object(),
    }
}

/// By the end of a name: its unit.
fn by_name(key: &str, value: &Value) -> Domain {
    if value.is_boolean() {
        return Domain::Any;
    }
    if let Some(domain) = of_measure(key) {
        return domain;
    }
    let ends = |end: &str| key.ends_with(end);
    if ends("_rate") {
        Domain::Share
    } else if ends("_pct") {
        Domain::Percent
    } else if ends("_ms") || ends("_instances") || ends("_count") {
        if is_plain(value) { Domain::Count } else { Domain::Any }
    } else if ends("_sec") || ends("_min") || ends("_concentration") {
        Domain::Quantity
    } else {
        Domain::Any
    }
}

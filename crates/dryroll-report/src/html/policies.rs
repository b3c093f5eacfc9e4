//! What policies are called: by the keys in which they differ.

use serde_json::Value;

use crate::model::Axis;
use crate::words::{NOTHING, Unit, number};
use dryroll_study::study::Policy;
use dryroll_study::study::policy::in_words;

/// The keys in which some policies differ.
#[derive(Clone, Debug)]
pub struct Policies {
    keys: Vec<String>,
}

/// The key of an axis in a policy: without the name of the table.
pub fn plain(key: &str) -> &str {
    key.strip_prefix("rollout.").unwrap_or(key)
}

impl Policies {
    /// By the axes of a grid that have more than one value.
    #[must_use]
    pub fn of_axes(axes: &[Axis]) -> Self {
        Self::with(axes.iter().filter(|axis| axis.values.len() > 1).map(|axis| plain(&axis.key).to_owned()).collect())
    }

    /// By what differs among them.
    #[must_use]
    pub fn of<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Self {
        let differing = Policy::differing(policies);
        let first = ["batch_pct", "max_consecutive_failures", "health_timeout_sec"];
        let (mut keys, others): (Vec<String>, Vec<String>) =
            differing.into_iter().partition(|key| first.contains(&key.as_str()));
        keys.sort_by_key(|key| first.iter().position(|other| other == key));
        keys.extend(others);
        Self::with(keys)
    }

    fn with(keys: Vec<String>) -> Self {
        if keys.is_empty() {
            return Self { keys: ["batch_pct", "max_consecutive_failures"].map(str::to_owned).to_vec() };
        }
        Self { keys }
    }

    /// Short, for plots: the values alone.
    #[must_use]
    pub fn short(&self, policy: &Policy) -> String {
        let values = self.shown(policy).map(|key| says(key, &policy.get(key).unwrap_or(Value::Null)));
        let name = policy.policy.iter().map(ToString::to_string);
        name.chain(values).collect::<Vec<_>>().join(" · ")
    }

    /// What the short names are made of.
    #[must_use]
    pub fn key(&self) -> String {
        let names: Vec<String> = self.keys.iter().map(|key| name(key)).collect();
        names.join(" · ")
    }

    /// With the names of the keys.
    #[must_use]
    pub fn long(&self, policy: &Policy) -> String {
        let said = self.shown(policy).map(|key| {
            let value = says(key, &policy.get(key).unwrap_or(Value::Null));
            match key.as_str() {
                "batch_pct" => format!("batches of {value}"),
                "max_consecutive_failures" => format!("limit {value}"),
                _ => format!("{} {value}", name(key)),
            }
        });
        let name = policy.policy.iter().map(|name| format!("policy {name}"));
        name.chain(said).collect::<Vec<_>>().join(", ")
    }

    /// The keys that are said of a policy: a name stands for those that are its own.
    fn shown<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = &'a String> {
        self.keys.iter().filter(|key| policy.policy.is_none() || key.contains('.'))
    }
}

/// A key in words.
#[must_use]
pub fn name(key: &str) -> String {
    match plain(key) {
        "batch_pct" => "batch size".to_owned(),
        "max_consecutive_failures" => "limit".to_owned(),
        "health_timeout_sec" => "health timeout".to_owned(),
        "observe_after_sec" => "observed after".to_owned(),
        "rollback_batch_pct" => "rollback batch".to_owned(),
        "previous_version_id" => "previous version".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A value of a key in words.
#[must_use]
pub fn says(key: &str, value: &Value) -> String {
    match value {
        Value::Null => match plain(key) {
            "max_in_flight" => "whole batch".to_owned(),
            _ => NOTHING.to_owned(),
        },
        Value::String(text) => text.replace('_', " "),
        Value::Number(_) => {
            let value = value.as_f64().unwrap_or(0.0);
            match Unit::of(plain(key)) {
                Unit::Count => number(value),
                unit => unit.say(value),
            }
        }
        other => in_words(other),
    }
}

/// Whether two values of a key are the same: numbers by what they are, not by how they are written.
#[must_use]
pub fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

//! A policy: everything in `[rollout]` except the target.

use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use dryroll_engine::fleet::Span;
use dryroll_engine::{BreakerOrder, BreakerScope, Size};
use dryroll_sim::scenario::{RolloutOrder, Scenario, ScenarioError};
use dryroll_sim::text::Foreign;

/// The rollout's parameters, as reports name a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Share of the plan in one batch, percent; `None` where the batches are others, which `beyond` has.
    pub batch_pct: Option<u32>,
    /// The number of failures in a row that trips the breaker; `None` where there is no such rule.
    pub max_consecutive_failures: Option<u32>,
    /// The time within which an instance must send a healthy heartbeat.
    #[serde(serialize_with = "seconds", deserialize_with = "from_seconds")]
    pub health_timeout_sec: Span,
    /// Share of the instances to roll back in one batch of a rollback, percent; `None` where the batches are others.
    pub rollback_batch_pct: Option<u32>,
    /// The order in which verdicts are counted.
    pub breaker_order: BreakerOrder,
    /// The scope of a run of failures.
    pub breaker_scope: BreakerScope,
    /// The largest number of instances that await a verdict; `None`: the whole batch.
    pub max_in_flight: Option<AtOnce>,
    /// How long observation goes on after the end.
    #[serde(serialize_with = "seconds", deserialize_with = "from_seconds")]
    pub observe_after_sec: Span,
    /// The order of the plan, where it differs from the fleet's.
    #[serde(default, skip_serializing_if = "RolloutOrder::is_listed")]
    pub order: RolloutOrder,
    /// The version that the fleet runs before; `None` where it has no name.
    pub previous_version_id: Option<Foreign>,
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Foreign>,
    /// The keys that go beyond the tutorial's, where they differ from their defaults, as a scenario file has them; and
    /// by its path what a study varies beside the policy.
    #[serde(flatten)]
    pub beyond: Map<String, Value>,
}

/// A number of instances, or a share as the file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AtOnce {
    /// This many.
    Count(u32),
    /// A share of the planned, such as `25%`.
    Share(Foreign),
}

impl AtOnce {
    /// The number, if it is one.
    #[must_use]
    pub fn count(self) -> Option<u32> {
        match self {
            Self::Count(count) => Some(count),
            Self::Share(_) => None,
        }
    }
}

impl From<Size> for AtOnce {
    fn from(size: Size) -> Self {
        match size {
            Size::Count(count) => Self::Count(count.get()),
            Size::Share(share) => Self::Share(share.to_string().into()),
        }
    }
}

impl Policy {
    /// The policy of a scenario's rollout.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let rollout = &scenario.rollout;
        Self {
            batch_pct: rollout.batches.as_pct(),
            max_consecutive_failures: rollout.max_consecutive_failures.map(NonZeroU32::get),
            health_timeout_sec: rollout.health_timeout,
            rollback_batch_pct: rollout.rollback_batches.as_pct(),
            breaker_order: rollout.breaker_order,
            breaker_scope: rollout.breaker_scope,
            max_in_flight: rollout.max_in_flight.map(AtOnce::from),
            observe_after_sec: rollout.observe_after,
            order: rollout.order,
            previous_version_id: scenario.previous().map(|version| version.id.clone()),
            policy: None,
            beyond: rollout.beyond_tutorial(),
        }
    }

    /// A scenario with this policy instead of its own.
    ///
    /// # Errors
    /// When a scenario file with one of its values is not valid.
    pub fn applied_to(&self, scenario: &Scenario) -> Result<Scenario, Box<ScenarioError>> {
        let mut set = scenario.clone();
        set.rollout.order = self.order;
        set.rollout.reset_beyond_tutorial();
        let Ok(Value::Object(keys)) = serde_json::to_value(self) else { return Ok(set) };
        for (key, value) in keys {
            match (key.as_str(), value) {
                ("previous_version_id", Value::Null) => set.rollout.previous = None,
                ("max_in_flight", Value::Null) => set.rollout.max_in_flight = None,
                (_, Value::Null) | ("policy", _) => {}
                (key, value) if key.contains('.') => set.set(key, &toml_text(&value))?,
                (key, value) => set.set_rollout(key, &toml_text(&value))?,
            }
        }
        Ok(set)
    }

    /// All keys as JSON, by their names in `[rollout]`, including those that a record omits at their defaults.
    #[must_use]
    pub fn values(&self) -> Map<String, Value> {
        let Ok(Value::Object(mut values)) = serde_json::to_value(self) else {
            return Map::new();
        };
        values.insert("order".to_owned(), self.order.name().into());
        values
    }

    /// Its batches in a few words: `20`, of batches of 20 %, or the sizes as the file lists them: `[1 5% 25%]`.
    #[must_use]
    pub fn batches(&self) -> String {
        match (self.batch_pct, self.beyond.get("batches")) {
            (Some(pct), _) => pct.to_string(),
            // In brackets, so that a number of instances is not taken for a percentage.
            (None, Some(sizes)) => format!("[{}]", in_words(sizes)),
            (None, _) => "other".to_owned(),
        }
    }

    /// The same with the unit of a percentage.
    #[must_use]
    pub fn batches_said(&self) -> String {
        let unit = if self.batch_pct.is_some() { " %" } else { "" };
        format!("{}{unit}", self.batches())
    }

    /// Its limit of failures in a row, or `none`.
    #[must_use]
    pub fn limit(&self) -> String {
        self.max_consecutive_failures.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
    }

    /// One of its keys as JSON, by its name in `[rollout]`; those beyond the tutorial's too where they have their
    /// defaults.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        self.values().remove(key).or_else(|| self.default_of(key))
    }

    fn default_of(&self, key: &str) -> Option<Value> {
        let of_share = |pct: Option<u32>| pct.map(|pct| json!([format!("{pct}%")]));
        match key {
            "batches" => of_share(self.batch_pct),
            "rollback_batches" => of_share(self.rollback_batch_pct),
            "rounding" => Some(json!("up")),
            "batch_of" => Some(json!("planned")),
            "min_healthy_sec" | "retries" | "bake_sec" => Some(json!(0)),
            "advance_pct" | "ok_pct" => Some(json!(100)),
            "breakers" => Some(json!([])),
            "on_failed" => {
                let growth = self.beyond.get("growth")?;
                Some(growth.get("on_failed").cloned().unwrap_or_else(|| json!("keep")))
            }
            _ => None,
        }
    }

    /// The keys in which these policies differ; their names are none. `batches` stands for a `batch_pct` that some of
    /// them do not have.
    #[must_use]
    pub fn differing<'a>(policies: impl IntoIterator<Item = &'a Self>) -> Vec<String> {
        let policies: Vec<(&Self, Map<String, Value>)> =
            policies.into_iter().map(|policy| (policy, policy.values())).collect();
        let mut keys: Vec<&String> = Vec::new();
        for (place, (_, values)) in policies.iter().enumerate() {
            let is_new = |key: &&String| !policies[..place].iter().any(|(_, before)| before.contains_key(*key));
            keys.extend(values.keys().filter(is_new).filter(|key| *key != "policy"));
        }
        let value = |(policy, values): &(&Self, Map<String, Value>), key: &str| {
            values.get(key).cloned().or_else(|| policy.default_of(key))
        };
        let differs = |key: &str| policies.iter().skip(1).any(|other| value(other, key) != value(&policies[0], key));
        let listed = |key: &str| policies.iter().any(|(_, values)| values.contains_key(key));
        let is_said = |key: &str| match key {
            "batch_pct" => !listed("batches"),
            "rollback_batch_pct" => !listed("rollback_batches"),
            _ => true,
        };
        keys.into_iter().filter(|key| differs(key) && is_said(key)).cloned().collect()
    }
}

/// A value of a key in words: a list by its items, a table by its keys and values.
#[must_use]
pub fn in_words(value: &Value) -> String {
    let entry = |(key, value): (&String, &Value)| match value {
        Value::Bool(true) => key.clone(),
        value => format!("{key} {}", in_words(value)),
    };
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => {
            let between = if items.iter().any(Value::is_object) { " + " } else { " " };
            items.iter().map(in_words).collect::<Vec<_>>().join(between)
        }
        Value::Object(keys) => keys.iter().map(entry).collect::<Vec<_>>().join(" "),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A value as a scenario file has it.
#[must_use]
pub fn toml_text(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", ")),
        Value::Object(keys) => {
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {}", toml_text(value))).collect();
            format!("{{{}}}", keys.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Seconds as an integer where they are whole.
///
/// # Errors
/// When the serializer fails.
pub fn seconds<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    if span.0.is_multiple_of(1000) {
        serializer.serialize_u64(span.0 / 1000)
    } else {
        serializer.serialize_f64(span.as_secs_f64())
    }
}

fn from_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    f64::deserialize(deserializer).map(Span::from_secs_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_sim::scenario::Format;

    #[test]
    fn an_order_that_a_record_leaves_out_is_compared_too() {
        let text = b"[fleet]\ninstances = 4\n[[versions]]\nid = \"v\"\n[rollout]\ntarget_version_id = \"v\"\n";
        let scenario = Scenario::parse("s.toml", text, Format::Toml).unwrap_or_else(|error| panic!("{error}"));
        let listed = Policy::of(&scenario);
        let shuffled = Policy { order: RolloutOrder::Shuffled, ..listed.clone() };
        assert!(!serde_json::to_string(&listed).unwrap().contains("\"order\""));
        assert_eq!(listed.get("order"), Some("listed".into()));
        assert_eq!(Policy::differing([&listed, &shuffled]), ["order"]);
        assert_eq!(Policy::differing([&shuffled, &listed]), ["order"]);
        assert!(Policy::differing([&listed, &listed]).is_empty());
        let smaller = Policy { batch_pct: Some(1), max_in_flight: Some(AtOnce::Count(3)), ..shuffled };
        assert_eq!(Policy::differing([&listed, &listed, &smaller]), ["batch_pct", "max_in_flight", "order"]);
    }

    #[test]
    fn a_key_at_its_default_has_a_value_and_words() {
        let text = b"[fleet]\ninstances = 4\n[[versions]]\nid = \"v\"\n[rollout]\ntarget_version_id = \"v\"\n";
        let mut scenario = Scenario::parse("s.toml", text, Format::Toml).unwrap_or_else(|error| panic!("{error}"));
        let words = |scenario: &Scenario, key| Policy::of(scenario).get(key).map(|value| in_words(&value));
        assert_eq!(words(&scenario, "batches").as_deref(), Some("20%"));
        assert_eq!(words(&scenario, "breakers").as_deref(), Some("none"));
        for (key, value, says) in [
            ("batches", "[1, \"5%\", \"25%\"]", "1 5% 25%"),
            ("breakers", "[{limit = 3, exceeds = true}, {no_progress_sec = 60, then = \"abort\"}]", ""),
        ] {
            scenario.set_rollout(key, value).unwrap_or_else(|error| panic!("{error}"));
            let found = words(&scenario, key).unwrap_or_default();
            assert!(found == says || says.is_empty() && found.contains(" + "), "{found}");
        }
        let policy = Policy::of(&scenario);
        let named = Policy { policy: Some("canary".into()), ..policy };
        let read: Policy = serde_json::from_value(serde_json::to_value(&named).unwrap()).unwrap();
        assert_eq!(read, named);
        assert_eq!(read.applied_to(&scenario).unwrap().rollout, scenario.rollout);
    }
}

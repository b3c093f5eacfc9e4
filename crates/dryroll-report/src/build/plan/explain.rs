//! Where the value of each key of `[rollout]` comes from.

use serde_json::Value;

use crate::words::NOTHING;
use dryroll_sim::scenario::{Diagnostic, Scenario, ScenarioText};
use dryroll_study::study::Policy;
use dryroll_study::study::policy::in_words;

/// A key of `[rollout]`, its value, and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The key.
    pub key: &'static str,
    /// Its value in words.
    pub value: String,
    /// Where it comes from.
    pub from: String,
}

/// What a command line changes of a scenario's rollout.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Whether it names the version.
    pub version: bool,
    /// The named policy, with the file that has it.
    pub policy: Option<(String, ScenarioText)>,
    /// The keys of `[rollout]` that it sets.
    pub set: Vec<String>,
}

impl Explained {
    /// All keys of `[rollout]`. `scenario` is what the command line made of the file.
    #[must_use]
    pub fn all(scenario: &Scenario, text: &ScenarioText, given: &Given) -> Vec<Self> {
        let policy = Policy::of(scenario);
        let file = text.to_json().unwrap_or_default();
        let named = given.policy.as_ref().map(|(name, text)| (name, keys_of_policy(text, name)));
        let written = |key: &str| {
            if given.set.iter().any(|set| set == key) {
                return Some("--set".to_owned());
            }
            if let Some((name, _)) = named.as_ref().filter(|(_, keys)| keys.get(key).is_some()) {
                return Some(format!("policy {name}"));
            }
            file["rollout"].get(key).map(|_| place(text, key))
        };
        let all = Scenario::rollout_keys().into_iter().map(|key| {
            let value = match key {
                "target_version_id" => Some(Value::from(scenario.target().id.raw())),
                "rollback_health_timeout_sec" => policy.get(key).or_else(|| policy.get("health_timeout_sec")),
                "rollback_max_consecutive_failures" => {
                    policy.get(key).or_else(|| policy.get("max_consecutive_failures"))
                }
                key => policy.get(key),
            };
            let value = value.filter(|value| !value.is_null());
            let from = match written(key) {
                _ if key == "target_version_id" && given.version => "--version".to_owned(),
                from => from_where(key, from, value.is_some(), &policy, scenario),
            };
            Self { key, value: value.map_or_else(|| NOTHING.to_owned(), |value| in_words(&value)), from }
        });
        all.collect()
    }
}

fn from_where(key: &str, written: Option<String>, has_value: bool, policy: &Policy, scenario: &Scenario) -> String {
    let own = |key: &str| policy.beyond.contains_key(key);
    let fallback = match key {
        "batch_pct" if !has_value => Some("batches"),
        "rollback_batch_pct" if !has_value => Some("rollback_batches"),
        "batches" if policy.batch_pct.is_some() => Some("batch_pct"),
        "rollback_batches" if policy.rollback_batch_pct.is_some() => Some("rollback_batch_pct"),
        "on_failed" if own("growth") => Some("growth"),
        "rollback_health_timeout_sec" if !own(key) => Some("health_timeout_sec"),
        "rollback_max_consecutive_failures" if !own(key) => Some("max_consecutive_failures"),
        _ => None,
    };
    match (written, fallback) {
        // Several keys say the same, and the last one that was given counts.
        (Some(_), Some(other)) if !has_value => format!("replaced by {other}"),
        (Some(from), _) if has_value => from,
        (Some(from), _) => format!("left out by {from}"),
        (None, Some(other)) => format!("as {other}"),
        (None, None) if key == "max_consecutive_failures" && scenario.rollout.max_consecutive_failures.is_none() => {
            "none, since breakers is given".to_owned()
        }
        (None, None) => "default".to_owned(),
    }
}

/// The table of a named policy, as its file has it.
fn keys_of_policy(text: &ScenarioText, name: &str) -> Value {
    let Ok(mut file) = text.to_json() else { return Value::Null };
    let all = file["policies"].as_array_mut().map(std::mem::take).unwrap_or_default();
    all.into_iter().find(|policy| policy["name"] == name).unwrap_or_default()
}

/// The file and the line of a key of `[rollout]`.
fn place(text: &ScenarioText, key: &str) -> String {
    let found = text.wrong(&["rollout", key], "", "");
    let line = found.diagnostics().first().map(Diagnostic::line);
    line.map_or_else(|| text.file.to_string(), |line| format!("{}:{line}", text.file))
}

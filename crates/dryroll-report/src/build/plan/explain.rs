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
                return Some((3, "--set".to_owned()));
            }
            if let Some((name, _)) = named.as_ref().filter(|(_, keys)| keys.get(key).is_some()) {
                return Some((2, format!("policy {name}")));
            }
            file["rollout"].get(key).map(|_| (1, place(text, key)))
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
            let from = if key == "target_version_id" && given.version {
                "--version".to_owned()
            } else {
                from_where(key, &written, value.is_some(), &policy)
            };
            Self { key, value: value.map_or_else(|| NOTHING.to_owned(), |value| in_words(&value)), from }
        });
        all.collect()
    }
}

/// What stands nearer to the run has the larger number, and counts.
type Written = Option<(u8, String)>;

fn from_where(key: &str, written: &dyn Fn(&str) -> Written, has_value: bool, policy: &Policy) -> String {
    let rank = |key: &str| written(key).map_or(0, |(rank, _)| rank);
    // Two keys that say the same: the one that is given nearer to the run, or else the first.
    let other = match key {
        "batch_pct" => Some(("batches", false)),
        "batches" => Some(("batch_pct", true)),
        "rollback_batch_pct" => Some(("rollback_batches", false)),
        "rollback_batches" => Some(("rollback_batch_pct", true)),
        "growth" if !has_value => Some(("batch_pct", false)),
        "on_failed" => Some(("growth", false)),
        _ => None,
    };
    if let Some((other, follows)) = other {
        let none_is_written = follows && rank(key) == 0;
        if rank(other) > rank(key) || none_is_written {
            let by = if rank(key) > 0 { "replaced by" } else { "as" };
            return format!("{by} {other}");
        }
    }
    match written(key) {
        Some((_, from)) if has_value => from,
        Some((_, from)) => format!("left out by {from}"),
        None => match key {
            "rollback_health_timeout_sec" => "as health_timeout_sec".to_owned(),
            "rollback_max_consecutive_failures" => "as max_consecutive_failures".to_owned(),
            "max_consecutive_failures" if policy.max_consecutive_failures.is_none() => {
                "none, since breakers is given".to_owned()
            }
            _ => "default".to_owned(),
        },
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

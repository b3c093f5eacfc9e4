//! A scenario with another rollout: one key of `[rollout]` set anew, under the same checks as in the file, or another
//! version as the target.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::check::{self, rollout_alone};
use super::diagnostic::Source;
use super::file::Rollout;
use super::tree;
use super::{RolloutSpec, Scenario, ScenarioError, VersionIndex, schema};

/// What a value is called in messages.
const SOURCE: &str = "--set";
/// The word for an optional key that is left out.
const LEFT_OUT: &str = "none";

impl Scenario {
    /// The keys of `[rollout]`, in alphabetical order.
    #[must_use]
    pub fn rollout_keys() -> Vec<&'static str> {
        let properties = rollout_schema().pointer("/$defs/Rollout/properties").and_then(Json::as_object);
        properties.into_iter().flat_map(|all| all.keys().map(String::as_str)).collect()
    }

    /// Sets one key of `[rollout]`. `value` is written as in the file; a text may stand without its quotes, and `none`
    /// leaves `max_in_flight` out.
    ///
    /// # Errors
    /// When there is no such key, or the file would be refused with this value; the scenario is as it was then.
    pub fn set_rollout(&mut self, key: &str, value: &str) -> Result<(), ScenarioError> {
        if key == "max_in_flight" && value == LEFT_OUT {
            self.rollout.max_in_flight = None;
            return Ok(());
        }
        let text = as_toml(key, value);
        let source = Source { name: SOURCE, text: &text };
        let root =
            tree::read_toml(&text).map_err(|errors| ScenarioError::Invalid(check::syntax(source, "TOML", errors)))?;
        check::shape_alone(source, &root, rollout_schema()).map_err(ScenarioError::Invalid)?;
        // The schema was made from the same type.
        let Ok(file) = Rollout::deserialize(root.to_json()) else { return Ok(()) };
        let checked = rollout_alone(source, &root, self, &file).map_err(ScenarioError::Invalid)?;
        if key == "target_version_id" {
            return self.retarget(checked.target);
        }
        take(&mut self.rollout, key, &checked);
        Ok(())
    }

    /// Takes another version as the target. What the fleet ran before stays what it was.
    ///
    /// # Errors
    /// When the rates of a class or an override do not fit this version's.
    pub fn retarget(&mut self, target: VersionIndex) -> Result<(), ScenarioError> {
        let version = &self.versions[target.0];
        let classes = self.classes.iter().map(|class| (&class.versions, &class.rates));
        let overrides = self.overrides.iter().map(|one| (&one.versions, &one.rates));
        for (_, rates) in classes.chain(overrides).filter(|(versions, _)| versions.is_none()) {
            if let Some(sum) = check::excess(rates.over(version.rates)) {
                return Err(ScenarioError::DoesNotFit { version: version.id.clone(), sum });
            }
        }
        self.rollout.target = target;
        Ok(())
    }
}

/// The line that the file would hold. What is no value of TOML is taken as a text.
fn as_toml(key: &str, value: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let key = if bare { key.to_owned() } else { json!(key).to_string() };
    let line = format!("{key} = {value}");
    let is_one_value = !value.contains('\n') && tree::read_toml(&line).is_ok();
    if is_one_value { line } else { format!("{key} = {}", json!(value)) }
}

/// The file's schema, with `[rollout]` at its root and nothing required.
fn rollout_schema() -> &'static Json {
    static SCHEMA: OnceLock<Json> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut schema = schema();
        if let Some(rollout) = schema.pointer_mut("/$defs/Rollout").and_then(Json::as_object_mut) {
            rollout.remove("required");
        }
        json!({"$ref": "#/$defs/Rollout", "$defs": schema["$defs"]})
    })
}

fn take(rollout: &mut RolloutSpec, key: &str, checked: &RolloutSpec) {
    match key {
        "previous_version_id" => {
            (rollout.previous, rollout.names_previous) = (checked.previous, checked.names_previous);
        }
        "order" => rollout.order = checked.order,
        "batch_pct" => rollout.batches = checked.batches.clone(),
        "max_consecutive_failures" => rollout.max_consecutive_failures = checked.max_consecutive_failures,
        "health_timeout_sec" => rollout.health_timeout = checked.health_timeout,
        "rollback_batch_pct" => rollout.rollback_batches = checked.rollback_batches.clone(),
        "breaker_order" => rollout.breaker_order = checked.breaker_order,
        "breaker_scope" => rollout.breaker_scope = checked.breaker_scope,
        "max_in_flight" => rollout.max_in_flight = checked.max_in_flight,
        "observe_after_sec" => rollout.observe_after = checked.observe_after,
        // The schema lists the keys, and a test tries each.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Format;

    const TEXT: &str = r#"
        [fleet]
        instances = 4
        [[versions]]
        id = "v-1"
        [[versions]]
        id = "v-2"
        failure_rate = 0.5
        [[versions]]
        id = "v-3"
        lifecycle_state = "draft"
        [rollout]
        target_version_id = "v-2"
        [[overrides]]
        ids = ["i-00001"]
        hang_rate = 0.5
        [[versions]]
        id = "v-4"
        failure_rate = 0.9
        "#;

    fn scenario() -> Scenario {
        Scenario::parse("here.toml", TEXT.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_key_can_be_set() {
        let values = [
            ("batch_pct", "37"),
            ("breaker_order", "listed"),
            ("breaker_scope", "\"batch\""),
            ("health_timeout_sec", "12.5"),
            ("max_consecutive_failures", "7"),
            ("max_in_flight", "3"),
            ("observe_after_sec", "60"),
            ("order", "shuffled"),
            ("previous_version_id", "v-3"),
            ("rollback_batch_pct", "11"),
            ("target_version_id", "v-1"),
        ];
        assert_eq!(values.map(|(key, _)| key).to_vec(), Scenario::rollout_keys());
        for (key, value) in values {
            let mut changed = scenario();
            changed.set_rollout(key, value).unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(changed.rollout, scenario().rollout, "{key}");
        }
        let mut changed = scenario();
        changed.set_rollout("max_in_flight", "3").unwrap();
        changed.set_rollout("max_in_flight", "none").unwrap();
        assert_eq!(changed, scenario());
    }

    #[test]
    fn what_the_file_would_refuse_is_refused() {
        for (key, value, says) in [
            ("batch_pct", "101", "1 to 100"),
            ("batch_pct", "half", "whole number"),
            ("batch_pc", "10", "batch_pct"),
            ("breaker_order", "listd", "listed"),
            ("health_timeout_sec", "0", "0.001"),
            ("target_version_id", "v-3", "draft"),
            ("target_version_id", "v-9", "v-9"),
            ("a\nb", "1\n[x]", "unknown key"),
            ("", "", "unknown key"),
            ("target_version_id", "v-4", "add up to 1.4"),
        ] {
            let mut changed = scenario();
            let error = changed.set_rollout(key, value).expect_err("refused").to_string();
            assert!(error.contains(says), "{key}: {error}");
            assert_eq!(changed, scenario());
        }
    }
}

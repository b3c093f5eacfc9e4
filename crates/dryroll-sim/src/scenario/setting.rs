//! A scenario with another rollout: one key of `[rollout]` set anew, under the same checks as in the file, or another
//! version as the target.

mod path;

use std::num::NonZeroU32;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::check::{self, policies_alone, rollout_alone};
use super::diagnostic::{Diagnostic, Source};
use super::error::Diagnostics;
use super::file::{Policy, Rollout};
use super::load::root;
use super::tree;
use super::{NamedPolicy, RolloutSpec, Scenario, ScenarioError, ScenarioText, VersionIndex, schema};
use dryroll_engine::fleet::Span;
use dryroll_engine::{Promotions, Watch};

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
    /// leaves an optional key out. `batch_pct` replaces the `batches` and the `growth` that are there, `batches` the
    /// `batch_pct`.
    ///
    /// # Errors
    /// When there is no such key, or the file would be refused with this value; the scenario is as it was then.
    pub fn set_rollout(&mut self, key: &str, value: &str) -> Result<(), ScenarioError> {
        let text = as_toml(key, value);
        let source = Source { name: SOURCE, text: &text };
        let given = if value == LEFT_OUT { without(&self.rollout, key) } else { None };
        let bounds = self.rollout.watch.is_some_and(|watch| watch.max_unavailable.is_some());
        if given.is_some() && key == "silent_after_sec" && bounds {
            let says = Diagnostic::new(&source, 0..text.len(), "`max_unavailable` needs `silent_after_sec`");
            return Err(Diagnostics::one(says.help("leave `max_unavailable` out first: `max_unavailable=none`")).into());
        }
        if let Some(base) = given {
            // Nothing is given, and what is wrong without the key is told of the whole.
            let nothing = tree::Node { span: 0..text.len(), value: tree::Value::Table(Vec::new()) };
            self.rollout = rollout_alone(source, &nothing, self, &Rollout::default(), &base)?;
            return Ok(());
        }
        let root = read(&text)?;
        check::shape_alone(source, &root, rollout_schema())?;
        let file: Rollout = deserialized(source, &root)?;
        let checked = rollout_alone(source, &root, self, &file, &self.rollout)?;
        if key == "target_version_id" {
            return self.retarget(checked.target);
        }
        self.rollout = checked;
        Ok(())
    }

    /// The policies of a file that has nothing but `[[policies]]`, over this scenario's rollout.
    ///
    /// # Errors
    /// When the file is no such file, or one of its policies would be refused in the scenario's file.
    pub fn policies_of(&self, text: &ScenarioText) -> Result<Vec<NamedPolicy>, ScenarioError> {
        let root = root(text.file.raw(), &text.text, text.format)?;
        let source = Source { name: text.file.raw(), text: text.without_mark() };
        check::shape_alone(source, &root, policies_schema())?;
        let file: Policies = deserialized(source, &root)?;
        Ok(policies_alone(source, &root, self, &file.policies)?)
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
    let written = if bare { key.to_owned() } else { json!(key).to_string() };
    let line = format!("{written} = {value}");
    let is_one_value = tree::read_toml(&line).is_ok_and(|root| matches!(root.entries(), [one] if one.key == key));
    if is_one_value { line } else { format!("{written} = {}", json!(value)) }
}

/// The tree of a line that was made for a setting.
fn read(text: &str) -> Result<tree::Node, ScenarioError> {
    let source = Source { name: SOURCE, text };
    tree::read_toml(text).map_err(|errors| ScenarioError::Invalid(check::syntax(source, "TOML", errors)))
}

/// What has the right shape, as the type that its schema is made from.
fn deserialized<T: for<'de> Deserialize<'de>>(source: Source<'_>, root: &tree::Node) -> Result<T, ScenarioError> {
    T::deserialize(root.to_json()).map_err(|error| {
        let says = format!("cannot be read: {error}");
        ScenarioError::Invalid(Diagnostics::one(Diagnostic::new(&source, root.span.clone(), says)))
    })
}

/// A rollout without an optional key; `None` where the key is not optional.
fn without(rollout: &RolloutSpec, key: &str) -> Option<RolloutSpec> {
    let mut left = rollout.clone();
    match key {
        "growth" | "on_failed" => left.batches.growth = None,
        "max_in_flight" => left.max_in_flight = None,
        "max_unavailable" => left.watch = left.watch.map(|watch| Watch { max_unavailable: None, ..watch }),
        "silent_after_sec" => left.watch = None,
        "approve_before" => left.pace.promotions = Promotions::Never,
        "bake_sec" => left.pace.bakes = Vec::new(),
        "min_healthy_sec" => left.pace.min_healthy = Span::ZERO,
        "max_consecutive_failures" => {
            (left.max_consecutive_failures, left.names_first_rule) = (None, true);
        }
        "breakers" => {
            left.breakers = Vec::new();
            if !left.names_first_rule {
                left.max_consecutive_failures = NonZeroU32::new(Rollout::default().max_consecutive_failures);
            }
        }
        "rollback_max_consecutive_failures" => left.rollback_max_consecutive_failures = None,
        "rollback_health_timeout_sec" => left.rollback_health_timeout = None,
        _ => return None,
    }
    Some(left)
}

/// A part of the file's schema as a schema of its own, in which nothing is required.
fn schema_of(definition: &str) -> Json {
    let mut schema = schema();
    if let Some(part) = schema.pointer_mut(&format!("/$defs/{definition}")).and_then(Json::as_object_mut) {
        part.remove("required");
    }
    json!({"$ref": format!("#/$defs/{definition}"), "$defs": schema["$defs"]})
}

fn rollout_schema() -> &'static Json {
    static SCHEMA: OnceLock<Json> = OnceLock::new();
    SCHEMA.get_or_init(|| schema_of("Rollout"))
}

/// A file of policies alone.
#[derive(Deserialize)]
struct Policies {
    policies: Vec<Policy>,
}

fn policies_schema() -> &'static Json {
    static SCHEMA: OnceLock<Json> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let schema = schema();
        let policies = &schema["properties"]["policies"];
        json!({
            "type": "object",
            "properties": {"policies": policies},
            "required": ["policies"],
            "$defs": schema["$defs"],
        })
    })
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
            ("advance_pct", "80"),
            ("approve_before", "every"),
            ("bake_sec", "[60, 120]"),
            ("batch_of", "remaining"),
            ("batch_pct", "37"),
            ("batches", "[1, \"5%\",\n 3]"),
            ("breaker_order", "listed"),
            ("breaker_scope", "\"batch\""),
            ("breakers", "[{limit = \"10%\"}]"),
            ("growth", "{factor = 2}"),
            ("health_timeout_sec", "12.5"),
            ("max_consecutive_failures", "7"),
            ("max_in_flight", "3"),
            ("max_unavailable", "25%"),
            ("min_healthy_sec", "20"),
            ("observe_after_sec", "60"),
            ("ok_pct", "90"),
            ("on_failed", "shrink"),
            ("order", "shuffled"),
            ("previous_version_id", "v-3"),
            ("retries", "2"),
            ("rollback_batch_pct", "11"),
            ("rollback_batches", "[2]"),
            ("rollback_health_timeout_sec", "100"),
            ("rollback_max_consecutive_failures", "4"),
            ("rounding", "down"),
            ("silent_after_sec", "90"),
            ("target_version_id", "v-1"),
        ];
        assert_eq!(values.map(|(key, _)| key).to_vec(), Scenario::rollout_keys());
        for (key, value) in values {
            let mut changed = scenario();
            match key {
                "on_failed" => changed.set_rollout("growth", "{add = 1}").unwrap(),
                "max_unavailable" => changed.set_rollout("silent_after_sec", "90").unwrap(),
                _ => {}
            }
            let before = changed.clone();
            changed.set_rollout(key, value).unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(changed.rollout, before.rollout, "{key}");
        }
    }

    /// A scenario with these keys set, one after the other.
    fn with(settings: &[(&str, &str)]) -> Scenario {
        let mut changed = scenario();
        for (key, value) in settings {
            changed.set_rollout(key, value).unwrap_or_else(|error| panic!("{error}"));
        }
        changed
    }

    #[test]
    fn what_is_left_out_again_is_as_before() {
        for (key, value) in [
            ("approve_before", "[1]"),
            ("bake_sec", "5"),
            ("breakers", "[]"),
            ("growth", "{add = 1}"),
            ("max_in_flight", "3"),
            ("min_healthy_sec", "5"),
            ("rollback_health_timeout_sec", "50"),
            ("rollback_max_consecutive_failures", "3"),
            ("silent_after_sec", "90"),
        ] {
            assert_ne!(with(&[(key, value)]), scenario(), "{key}");
            assert_eq!(with(&[(key, value), (key, "none")]), scenario(), "{key}");
        }
        let watched = [("silent_after_sec", "90"), ("max_unavailable", "2")];
        let mut changed = with(&watched);
        assert!(changed.set_rollout("silent_after_sec", "none").is_err());
        changed.set_rollout("max_unavailable", "none").unwrap();
        assert_eq!(changed, with(&watched[..1]));
    }

    #[test]
    fn a_key_replaces_what_says_the_same() {
        let sizes = with(&[("growth", "{factor = 2}"), ("rounding", "down"), ("batch_pct", "10")]).rollout.batches;
        assert_eq!((sizes.growth, sizes.rounding), (None, dryroll_engine::Rounding::Down));
        let listed = with(&[("batch_pct", "10"), ("batches", "[1, 2]")]).rollout.batches;
        assert_eq!(listed.sizes.len(), 2);
        // `batches` with several entries and growth cannot both stand.
        assert!(with(&[("growth", "{factor = 2}")]).set_rollout("batches", "[1, 2]").is_err());
        assert!(with(&[("batches", "[1, 2]")]).set_rollout("growth", "{factor = 2}").is_err());
    }

    #[test]
    fn the_first_rule_stays_where_it_is_written() {
        let limit = |settings: &[(&str, &str)]| with(settings).rollout.max_consecutive_failures.map(NonZeroU32::get);
        let (rules, first) = (("breakers", "[{limit = 3}]"), ("max_consecutive_failures", "4"));
        assert_eq!(limit(&[rules]), None);
        assert_eq!((limit(&[rules, first]), limit(&[first, rules])), (Some(4), Some(4)));
        assert_eq!(limit(&[rules, ("breakers", "none")]), Some(2));
        assert_eq!(limit(&[rules, first, ("breakers", "none")]), Some(4));
    }

    #[test]
    fn keys_are_held_against_those_that_are_there() {
        for (settings, key, value, says) in [
            (&[("min_healthy_sec", "100")][..], "health_timeout_sec", "100", "not below"),
            (&[("silent_after_sec", "90")], "breaker_order", "listed", "cannot stand together"),
            (&[("breaker_order", "listed")], "breakers", "[]", "cannot stand together"),
            (&[("breakers", "[]")], "breaker_order", "listed", "cannot stand together"),
            (&[("breaker_order", "listed")], "advance_pct", "99", "cannot stand together"),
            (
                &[("silent_after_sec", "90"), ("breakers", "[{limit = 1, reasons = [\"relapsed\"]}]")],
                "silent_after_sec",
                "none",
                "needs `silent_after_sec`",
            ),
            (&[], "max_unavailable", "5", "needs `silent_after_sec`"),
            (&[], "on_failed", "keep", "without `growth`"),
            (&[], "batch_pct", "none", "whole number"),
        ] {
            let mut changed = with(settings);
            let error = changed.set_rollout(key, value).expect_err("refused").to_string();
            assert!(error.contains(says), "{key}: {error}");
            assert_eq!(changed, with(settings), "{key}");
        }
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

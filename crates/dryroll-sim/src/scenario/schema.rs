//! The JSON Schema of the file, generated from the types of the [`file`](super::file) module.

pub(super) mod part;

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::file::File;

/// The JSON Schema (draft 2020-12) of a scenario file, for editors and other programs: with
/// descriptions, defaults, ranges and allowed values.
#[must_use]
pub fn schema() -> Value {
    shared().clone()
}

/// The same, generated once.
pub(super) fn shared() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(tidy));
        let generator = SchemaGenerator::new(settings);
        generator.into_root_schema_for::<File>().to_value()
    })
}

/// Takes out what the derive says of `Option`: a key is left out, never `null`, and a key that is
/// required has no default.
fn tidy(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    drop_null(object);
    // The format is a hint that few programs read; the limit is what holds.
    let most = match object.get("format").and_then(Value::as_str) {
        Some("uint32") => Some(u64::from(u32::MAX)),
        Some("uint64") => Some(u64::MAX),
        _ => None,
    };
    if let Some(most) = most {
        object.entry("maximum").or_insert(most.into());
    }
    let required: Vec<String> = object
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            let Some(property) = property.as_object_mut() else { continue };
            if required.contains(name) || property.get("default") == Some(&Value::Null) {
                property.remove("default");
            }
        }
    }
}

fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".into(), one);
        }
    }
    let null = json!({"type": "null"});
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else { return };
    if !choices.contains(&null) {
        return;
    }
    choices.retain(|choice| *choice != null);
    if let [Value::Object(one)] = choices.as_slice() {
        let one = one.clone();
        object.remove("anyOf");
        for (key, value) in one {
            object.entry(key).or_insert(value);
        }
    }
}

//! The environment of a scenario file: everything that a result depends on except the policy and the seed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::digest::hex_sha256;

/// The keys that are no part of the environment: the policy and the target, the seed, and what is only said of it.
const OTHER_KEYS: [&str; 7] = ["rollout", "policies", "seed", "name", "expect", "tune", "drill"];

/// A digest of the environment of a scenario file, in lower-case hex: of all that is neither policy nor seed, whatever
/// the order and the comments. `file` is the file as JSON.
#[must_use]
pub fn environment_digest(mut file: Value) -> String {
    if let Some(keys) = file.as_object_mut() {
        OTHER_KEYS.iter().for_each(|key| drop(keys.remove(*key)));
    }
    let mut text = String::new();
    sorted(&file, &mut text);
    hex_sha256(text.as_bytes())
}

/// One text for one value: keys in alphabetical order, 5.0 as 5.
fn sorted(value: &Value, text: &mut String) {
    match value {
        Value::Object(keys) => {
            let keys: BTreeMap<&String, &Value> = keys.iter().collect();
            text.push('{');
            for (key, value) in keys {
                text.push_str(&Value::String(key.clone()).to_string());
                text.push(':');
                sorted(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for value in values {
                sorted(value, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => text.push_str(&float.to_string()),
            _ => text.push_str(&number.to_string()),
        },
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_environment_is_what_is_neither_policy_nor_seed() {
        let digest = |file| environment_digest(file);
        let one = digest(json!({"seed": 1, "fleet": {"instances": 5, "zones": 2}, "rollout": {"batch_pct": 5}}));
        let other = json!({"rollout": {}, "fleet": {"zones": 2.0, "instances": 5}, "name": "n", "expect": []});
        assert_eq!(one, digest(other));
        assert_ne!(one, digest(json!({"fleet": {"instances": 6, "zones": 2}})));
    }
}

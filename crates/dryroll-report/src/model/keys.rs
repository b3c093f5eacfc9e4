//! An object whose keys differ between older and newer programs: it is kept as it was written, key by key.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Keys and values, in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys(Vec<(String, Value)>);

impl Keys {
    /// The keys of what serialises as an object; none of anything else.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        // Through text: a value would sort the keys.
        serde_json::to_string(value).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// All of them, by name.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&str, &Value)> {
        let mut all: Vec<_> = self.0.iter().map(|(key, value)| (key.as_str(), value)).collect();
        all.sort_by_key(|&(key, _)| key);
        all
    }
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys: Vec<(String, Value)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    // Of a key that is there twice the last counts, as elsewhere in JSON.
                    match keys.iter_mut().find(|(own, _)| *own == key) {
                        Some((_, old)) => *old = value,
                        None => keys.push((key, value)),
                    }
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_in_the_order_in_which_they_were_read() {
        let text = "{\"b\":0.1,\"a\":[1,null],\"c\":18446744073709551615}";
        let keys: Keys = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&keys).unwrap(), text);
        assert_eq!(keys.by_name().iter().map(|&(key, _)| key).collect::<String>(), "abc");
        let twice: Keys = serde_json::from_str("{\"a\":1,\"b\":2,\"a\":3}").unwrap();
        assert_eq!(serde_json::to_string(&twice).unwrap(), "{\"a\":3,\"b\":2}");
        assert!(serde_json::from_str::<Keys>("[1]").is_err());
    }
}

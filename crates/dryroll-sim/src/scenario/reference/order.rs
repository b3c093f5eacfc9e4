//! The keys of a table in the order in which the types have them. The schema has them by the alphabet; people read the
//! important ones first.

use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::super::file::{
    After, Blocks, Breaker, Class, Drill, Edit, Expect, Fault, Fleet, Growth, Limit, Module, Network, Operator,
    Override, Reconciler, Rollout, Statuses, Target, Tune, Version,
};

/// The keys of a definition of the schema, by its name; none of a name that is not here.
pub(super) fn keys(definition: &str) -> &'static [&'static str] {
    match definition {
        "After" => keys_of::<After>(),
        "Blocks" => keys_of::<Blocks>(),
        "Breaker" => keys_of::<Breaker>(),
        "Class" => keys_of::<Class>(),
        "Drill" => keys_of::<Drill>(),
        "Edit" => keys_of::<Edit>(),
        "Expect" => keys_of::<Expect>(),
        "Fault" => keys_of::<Fault>(),
        "Fleet" => keys_of::<Fleet>(),
        "Growth" => keys_of::<Growth>(),
        "Limit" => keys_of::<Limit>(),
        "Module" => keys_of::<Module>(),
        "Network" => keys_of::<Network>(),
        "Operator" => keys_of::<Operator>(),
        "Override" => keys_of::<Override>(),
        "Reconciler" => keys_of::<Reconciler>(),
        "Rollout" => keys_of::<Rollout>(),
        "Statuses" => keys_of::<Statuses>(),
        "Target" => keys_of::<Target>(),
        "Tune" => keys_of::<Tune>(),
        "Version" => keys_of::<Version>(),
        _ => &[],
    }
}

/// The keys of a type that is read from a table.
pub(super) fn keys_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // It always fails: there is nothing to read, and the keys are known by then.
    let _ = T::deserialize(Asked(&mut keys));
    keys
}

/// What is asked for a table, notes the keys that are wanted of it, and has none.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("there is nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

//! What is wrong with a JSON text, in words for people. serde's own messages name the types of this program, and end with a
//! place that each reader says in its own way.

/// What is wrong, without its place.
pub fn fault(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.rfind(" at line ").map_or(said.as_str(), |end| &said[..end]);
    if let Some(key) = said.strip_prefix("missing field ") {
        return format!("the key {key} is missing");
    }
    if let Some(key) = said.strip_prefix("duplicate field ") {
        return format!("the key {key} stands there twice");
    }
    for (start, what) in [("unknown field ", "key"), ("unknown variant ", "value")] {
        if let Some((name, allowed)) = said.strip_prefix(start).and_then(|rest| rest.split_once(", ")) {
            return format!("there is no {what} {name}; allowed: {}", choices(allowed));
        }
    }
    for (start, what) in
        [("invalid type: ", "found"), ("invalid value: ", "found"), ("invalid length ", "found a length of ")]
    {
        if let Some((found, expected)) = said.strip_prefix(start).and_then(|rest| rest.rsplit_once(", expected ")) {
            let space = if what.ends_with(' ') { "" } else { " " };
            return format!("{what}{space}{}; allowed: {}", noun(found), noun(expected));
        }
    }
    said.to_owned()
}

/// `expected one of …`, `expected …`, or that there are none.
fn choices(allowed: &str) -> &str {
    let allowed = allowed.strip_prefix("expected ").unwrap_or(allowed);
    match allowed.strip_prefix("one of ").unwrap_or(allowed) {
        "there are no fields" | "there are no variants" => "none",
        listed => listed,
    }
}

/// What serde calls a kind of value, as JSON calls it.
fn noun(name: &str) -> &str {
    match name {
        "map" | "a map" => "an object",
        "sequence" | "a sequence" => "a list",
        "null" | "unit value" | "Option value" => "nothing",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "a nonzero u8" | "a nonzero u16" | "a nonzero u32" | "a nonzero u64" => "a whole number, 1 or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "a borrowed string" => "a text",
        "a boolean" => "true or false",
        // The name of a type is the program's own affair.
        name if name.starts_with("struct ") => "an object",
        name if name.starts_with("tuple ") || name.starts_with("an array of ") => "a list",
        name if name.starts_with("enum ") || name.ends_with(" identifier") => "a text",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use serde::Deserialize;

    use super::fault;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Record {
        count: u64,
        limit: Option<NonZeroU32>,
        kind: Option<Kind>,
        share: Option<f64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Good,
        Bad,
    }

    /// No message names a type of this program, or Rust's name of one.
    #[test]
    fn faults_are_said_in_the_words_of_json() {
        for (text, said) in [
            ("7", "found integer `7`; allowed: an object"),
            ("[]", "found a length of 0; allowed: an object"),
            ("{}", "the key `count` is missing"),
            (r#"{"count": -1}"#, "found integer `-1`; allowed: a whole number, 0 or more"),
            (r#"{"count": {}}"#, "found an object; allowed: a whole number, 0 or more"),
            (r#"{"count": null}"#, "found nothing; allowed: a whole number, 0 or more"),
            (r#"{"count": 1, "count": 2}"#, "the key `count` stands there twice"),
            (r#"{"count": 1, "limit": 0}"#, "found integer `0`; allowed: a whole number, 1 or more"),
            (r#"{"count": 1, "share": "half"}"#, "found string \"half\"; allowed: a number"),
            (r#"{"counts": 1}"#, "there is no key `counts`; allowed: `count`, `limit`, `kind`, `share`"),
            (r#"{"count": 1, "kind": "ugly"}"#, "there is no value `ugly`; allowed: `good` or `bad`"),
            (r#"{"count": 1"#, "EOF while parsing an object"),
        ] {
            let error = serde_json::from_str::<Record>(text).unwrap_err();
            assert_eq!(fault(&error), said, "{text}");
        }
    }
}

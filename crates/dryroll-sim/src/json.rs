//! JSON as this program writes it, and error messages for JSON that it reads: serde's own messages name the types of
//! this program, and end with a place that each reader shows in its own form.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::text::{acts, shown};

/// Writes a value on one line. Its texts are the true ones, with all that a terminal would act on in JSON's escapes.
pub fn write(out: impl io::Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Plain(CompactFormatter))).map_err(io::Error::from)
}

/// The same, as a text.
pub fn to_string(value: &(impl Serialize + ?Sized)) -> io::Result<String> {
    let mut line = Vec::new();
    write(&mut line, value)?;
    // What is written is UTF-8.
    String::from_utf8(line).map_err(io::Error::other)
}

/// The same, in lines.
pub fn write_pretty(out: impl io::Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Plain(PrettyFormatter::new()))).map_err(io::Error::from)
}

/// Another formatter's layout, with texts in which nothing acts.
struct Plain<F>(F);

/// Hands a call on to the formatter that knows the layout.
macro_rules! handed_on {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        fn $name<W: ?Sized + io::Write>(&mut self, out: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            self.0.$name(out $(, $argument)*)
        }
    )*};
}

impl<F: Formatter> Formatter for Plain<F> {
    handed_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(place) = rest.find(acts) {
            let (before, from) = rest.split_at(place);
            out.write_all(before.as_bytes())?;
            let mut letters = from.chars();
            if let Some(letter) = letters.next() {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = letters.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

/// The error message, without its place.
pub fn fault(error: &serde_json::Error) -> String {
    // The message quotes what stands in the text.
    let said = shown(&error.to_string()).to_string();
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

/// `expected one of …`, `expected …`, or the text for an empty list.
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
        // The name of a type is an internal detail of the program.
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

    use super::{fault, write, write_pretty};
    use crate::text::acts;

    #[test]
    fn texts_are_true_and_act_on_nothing() {
        let value = serde_json::json!({"a\u{9b}": ["\u{1b}[2J\u{7f}\u{202e}\u{e0041}é\n\"", 1.5, null, {}]});
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        write(&mut line, &value).unwrap();
        write_pretty(&mut lines, &value).unwrap();
        for text in [&line, &lines] {
            let text = std::str::from_utf8(text).unwrap();
            assert!(!text.replace('\n', "").contains(acts), "{text:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(text).unwrap(), value);
        }
        let plain = serde_json::json!({"a": [1, {"b": "c"}, []]});
        lines.clear();
        write_pretty(&mut lines, &plain).unwrap();
        assert_eq!(lines, serde_json::to_vec_pretty(&plain).unwrap());
    }

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

    /// No message names a type of this program, or Rust's name of a type.
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

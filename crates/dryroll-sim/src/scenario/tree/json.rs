//! JSON into a tree.

use std::collections::HashSet;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{Entry, Node, SyntaxError, Value};

/// JSON and nothing more.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a document; where it is none, says what is wrong with it. The parser itself refuses what
/// is nested too deep, so that nothing here recurses far.
pub(in crate::scenario) fn read(text: &str) -> Result<Node, Vec<SyntaxError>> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let range = error.range();
        vec![SyntaxError { span: range.start..range.end, message: lower_first(&error.kind().to_string()) }]
    })?;
    let Some(value) = parsed.value else {
        return Err(vec![SyntaxError { span: 0..0, message: "no value".into() }]);
    };
    let mut errors = Vec::new();
    let root = node(text, &value, &mut errors);
    if errors.is_empty() { Ok(root) } else { Err(errors) }
}

fn node(source: &str, value: &ast::Value<'_>, errors: &mut Vec<SyntaxError>) -> Node {
    let range = value.range();
    let mut span = range.start..range.end;
    let value = match value {
        ast::Value::StringLit(text) => {
            // The parser lets these through, JSON does not.
            if source.get(span.clone()).is_some_and(|literal| literal.bytes().any(|byte| byte < b' ')) {
                errors.push(SyntaxError { span: span.clone(), message: "control character in a string".into() });
            }
            Value::Text(text.value.clone().into_owned())
        }
        ast::Value::NumberLit(number) => self::number(number.value),
        ast::Value::BooleanLit(truth) => Value::Bool(truth.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(list) => {
            span.end = span.start + 1;
            Value::List(list.elements.iter().map(|item| node(source, item, errors)).collect())
        }
        ast::Value::Object(object) => {
            span.end = span.start + 1;
            Value::Table(table(source, object, errors))
        }
    };
    Node { span, value }
}

fn table(source: &str, object: &ast::Object<'_>, errors: &mut Vec<SyntaxError>) -> Vec<Entry> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut entries = Vec::with_capacity(object.properties.len());
    for property in &object.properties {
        let name = property.name.as_str();
        let range = property.name.range();
        let key_span = range.start..range.end;
        if !seen.insert(name) {
            errors.push(SyntaxError { span: key_span, message: "duplicate key".into() });
            continue;
        }
        entries.push(Entry { key: name.to_owned(), key_span, node: node(source, &property.value, errors) });
    }
    entries
}

fn number(literal: &str) -> Value {
    if literal.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        let beyond = if literal.starts_with('-') { i128::MIN } else { i128::MAX };
        return Value::Int(literal.parse().unwrap_or(beyond));
    }
    Value::Float(literal.parse().unwrap_or(f64::NAN))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_lowercase).into_iter().flatten();
    first.chain(characters).collect()
}

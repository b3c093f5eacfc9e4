//! TOML into a tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Entry, Node, SyntaxError, Value};

/// Reads a document; where it is none, says all that is wrong with it. The parser itself refuses
/// what is nested too deep, so that nothing here recurses far.
pub(in crate::scenario) fn read(text: &str) -> Result<Node, Vec<SyntaxError>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(Node { span: 0..0, value: table(document.get_ref()) });
    }
    let mut found: Vec<SyntaxError> = Vec::new();
    let mut end_of_last_line = None;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        // One slip makes the parser stumble several times over the same line: the first is told.
        if end_of_last_line.is_some_and(|end| span.start <= end) {
            continue;
        }
        let rest = text.as_bytes().get(span.start..).unwrap_or_default();
        end_of_last_line = Some(span.start + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()));
        found.push(SyntaxError { span, message: error.message().to_owned() });
    }
    Err(found)
}

fn node(spanned: &Spanned<DeValue<'_>>) -> Node {
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => Value::Int(whole(number.as_str(), number.radix())),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => Value::List(items.iter().map(node).collect()),
        DeValue::Table(entries) => table(entries),
    };
    Node { span: spanned.span(), value }
}

fn table(entries: &DeTable<'_>) -> Value {
    let mut entries: Vec<Entry> = entries
        .iter()
        .map(|(key, value)| Entry { key: key.get_ref().clone().into_owned(), key_span: key.span(), node: node(value) })
        .collect();
    // As the file has them, so that errors come in the order of its lines.
    entries.sort_by_key(|entry| entry.key_span.start);
    Value::Table(entries)
}

fn whole(digits: &str, radix: u32) -> i128 {
    let beyond = if digits.starts_with('-') { i128::MIN } else { i128::MAX };
    i128::from_str_radix(digits, radix).unwrap_or(beyond)
}

//! The contents of a file, whatever its language: values, and the place of each.

mod json;
mod toml;

use std::ops::Range;

pub(super) use json::read as read_json;
pub(super) use toml::read as read_toml;

/// A value and its place, in bytes. A table of several lines has the place of its header or brace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A whole number, cut to the limits of `i128`, which are beyond those of every key.
    Int(i128),
    Float(f64),
    Text(String),
    Datetime,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key and its value. A table has each key once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub node: Node,
}

/// Something that the file's language does not allow.
#[derive(Clone, Debug)]
pub(super) struct SyntaxError {
    pub span: Range<usize>,
    pub message: String,
}

impl Node {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "a string",
            Value::Datetime => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// Its entries, if it is a table.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// Its items, if it is a list.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The same without places. What JSON cannot hold becomes null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null | Value::Datetime => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Int(number) => match (u64::try_from(*number), i64::try_from(*number)) {
                (Ok(number), _) => Json::from(number),
                (_, Ok(number)) => Json::from(number),
                _ => Json::from(*number as f64),
            },
            Value::Float(number) => Json::from(*number),
            Value::Text(text) => Json::from(text.as_str()),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Table(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect())
            }
        }
    }
}

/// A place that is walked to by keys. Where a key is missing, it stays at the table that lacks it.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    node: Option<&'a Node>,
    key_span: Option<Range<usize>>,
    span: Range<usize>,
}

impl<'a> Cursor<'a> {
    pub fn new(root: &'a Node) -> Self {
        Self { node: Some(root), key_span: None, span: root.span.clone() }
    }

    /// The value of a key.
    pub fn key(&self, name: &str) -> Self {
        let entry = self.node.and_then(|node| node.entries().iter().find(|entry| entry.key == name));
        match entry {
            Some(entry) => {
                Self { node: Some(&entry.node), key_span: Some(entry.key_span.clone()), span: entry.node.span.clone() }
            }
            None => Self { node: None, key_span: None, span: self.span.clone() },
        }
    }

    /// Whether a key is given.
    pub fn has(&self, name: &str) -> bool {
        self.node.is_some_and(|node| node.entries().iter().any(|entry| entry.key == name))
    }

    /// An item of a list.
    pub fn item(&self, index: usize) -> Self {
        match self.node.and_then(|node| node.items().get(index)) {
            Some(node) => Self { node: Some(node), key_span: None, span: node.span.clone() },
            None => Self { node: None, key_span: None, span: self.span.clone() },
        }
    }

    /// A table that has the value under a key, and nothing else; the places stay.
    pub fn alone(&self, key: &str) -> Option<Node> {
        let node = self.node?.clone();
        let entry = Entry { key: key.to_owned(), key_span: self.name(), node };
        Some(Node { span: self.span.clone(), value: Value::Table(vec![entry]) })
    }

    /// Where the value stands.
    pub fn value(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where its key stands; an item of a list has none, and stands for itself.
    pub fn name(&self) -> Range<usize> {
        self.key_span.clone().unwrap_or_else(|| self.span.clone())
    }
}

//! What no report can say: shares above 1, more hits than tries, intervals the wrong way round, cells that are there
//! twice.
//!
//! One reader walks any report as JSON, so that a rule holds for a key wherever it stands: `domain` has what a key
//! may be by its name and by the metric that it is about, `relations` what the keys of one object say of each other,
//! `whole` what the parts of one schema do.

pub mod domain;
mod relations;
mod whole;

use std::fmt;

use serde_json::{Map, Value};

use domain::Domain;
use dryroll_sim::text::shown;

/// What is wrong at one place of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place, a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is there.
    pub found: String,
    /// What may be there.
    pub allowed: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}; allowed: {}", shown(&self.pointer), shown(&self.found), shown(&self.allowed))
    }
}

/// All that is wrong with a report of this schema.
#[must_use]
pub fn faults(schema: &str, report: &Value) -> Vec<Fault> {
    let mut reader = Reader::default();
    reader.value(report, Domain::Any);
    whole::check(&mut reader, schema, report);
    reader.faults
}

/// Where the reader is, and what it found so far.
#[derive(Debug, Default)]
struct Reader {
    pointer: String,
    faults: Vec<Fault>,
}

impl Reader {
    /// Something at a key below is wrong.
    fn fault(&mut self, below: &str, found: impl fmt::Display, allowed: impl Into<String>) {
        let pointer = format!("{}{below}", self.pointer);
        let pointer = if pointer.is_empty() { "the report".to_owned() } else { pointer };
        self.faults.push(Fault { pointer, found: found.to_string(), allowed: allowed.into() });
    }

    /// Does something one step further down.
    fn below(&mut self, step: impl fmt::Display, does: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        self.pointer.push('/');
        self.pointer.push_str(&step);
        does(self);
        self.pointer.truncate(length);
    }

    fn value(&mut self, value: &Value, domain: Domain) {
        match value {
            Value::Number(number) => {
                if let Some(number) = number.as_f64().filter(|&number| !domain.has(number)) {
                    self.fault("", number, domain.says());
                }
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    self.below(place, |reader| reader.value(item, domain));
                }
            }
            Value::Object(object) => self.object(object, domain),
            Value::String(text) if domain.is_a_figure() => self.fault("", format!("{text:?}"), domain.says()),
            Value::String(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>, domain: Domain) {
        relations::check(self, object);
        for (key, value) in object {
            let of_key = domain::of(key, value, object, domain);
            self.below(key, |reader| reader.value(value, of_key));
        }
    }
}

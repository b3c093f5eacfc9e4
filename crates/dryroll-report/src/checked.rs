//! What no report can say: shares above 1, more hits than tries, intervals the wrong way round, cells that are there
//! twice.
//!
//! One reader walks any report as JSON, so that a rule holds for a key wherever it stands: `domain` has what may stand
//! at a key by its name and by the metric that it is about, within the fleet and the versions of its `scope`; `range`
//! has the units; `relations` what the keys of one object say of each other, `decided` what was decided
//! against limits, `whole` what the parts of one schema do,
//! `rollout` what those of one run do, `fitted` what a calibration's do.

mod decided;
mod domain;
mod fitted;
pub mod range;
mod relations;
mod rollout;
mod scope;
mod whole;

use std::fmt;

use serde_json::{Map, Value};

use domain::Domain;
use dryroll_sim::text::shown;
use scope::Scope;

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
    reader.value(report, &Domain::Any);
    if let Some(scope) = report.as_object().and_then(|report| reader.scope.within(report)) {
        reader.scope = scope;
    }
    whole::check(&mut reader, schema, report);
    reader.faults
}

/// Where the reader is, and what it found so far.
#[derive(Debug, Default)]
struct Reader {
    pointer: String,
    scope: Scope,
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

    fn value(&mut self, value: &Value, domain: &Domain) {
        match value {
            Value::Number(number) => {
                if let Some(number) = number.as_f64().filter(|&number| !domain.has_number(number)) {
                    let says = domain.says(&self.scope);
                    self.fault("", number, says);
                }
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    self.below(place, |reader| reader.value(item, domain));
                }
            }
            Value::Object(object) => self.object(object, domain),
            Value::String(text) if !domain.has_text(text, &self.scope) => {
                let says = domain.says(&self.scope);
                self.fault("", format!("{text:?}"), says);
            }
            Value::String(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>, domain: &Domain) {
        let around = self.scope.within(object).map(|within| std::mem::replace(&mut self.scope, within));
        relations::check(self, object);
        fitted::check(self, object);
        decided::check(self, object);
        for (key, value) in object {
            let of_key = match (key.as_str(), object.get("key").and_then(Value::as_str)) {
                ("values", Some(axis)) => domain::of_policy_key(axis, value, &self.scope).unwrap_or(Domain::Any),
                _ => domain::of(key, value, object, domain, &self.scope),
            };
            self.below(key, |reader| reader.value(value, &of_key));
        }
        if let Some(around) = around {
            self.scope = around;
        }
    }
}

/// The whole number that is there, however it is written.
fn whole(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|number| (0.0..1.8e19).contains(number) && number.fract() == 0.0);
    value.as_u64().or_else(|| float().map(|number| number as u64))
}

/// Two numbers that were computed on two ways.
fn alike(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

/// The list at a key; empty where there is none.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

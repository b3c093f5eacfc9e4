//! The scenario file: TOML or JSON in, a checked [`Scenario`] or errors with exact places out. Nothing else in the
//! program reads a scenario's text, and code that holds a [`Scenario`] need not check anything again.
//!
//! The data flows one way. `load` reads the bytes and finds out the language; `tree` turns either
//! language into the same tree of values, each with its place in the text. `file` has the types of
//! the file as it is written, and from them come the JSON Schema of [`schema()`] and, from that, the pages of
//! [`reference()`]. `check` walks the tree beside that schema, so that every wrong key, type, name and number is told
//! at its place, all of them at once; what has the right shape is deserialised into the types of `file`, held against
//! itself (ids that must exist, keys that exclude each other, sums and orders) and turned into the
//! types of `model`, with defaults filled in, ids resolved and durations in milliseconds. What is
//! wrong becomes a [`Diagnostic`]; what is allowed and most probably not meant becomes [`Advice`].
//!
//! No input causes a panic, and an invalid file takes no more than a second.

mod advice;
mod check;
mod diagnostic;
mod environment;
mod error;
mod file;
mod limits;
mod load;
mod metric;
mod model;
mod rates;
mod reference;
mod schema;
mod setting;
mod template;
mod tree;
mod written;

pub use limits::MAX_SECONDS;

pub use advice::{Advice, AdviceCode, Advisor, Found, ended_at_horizon, nothing_rolled_out, passed_on_stalled};
pub use diagnostic::Diagnostic;
pub use environment::environment_digest;
pub use error::{Diagnostics, ScenarioError};
pub use load::{Format, ScenarioText};
pub use metric::{Condition, Measure, Metric, Rate};
pub use model::*;
pub use reference::reference;
pub use schema::schema;
pub use template::Template;

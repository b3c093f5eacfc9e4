//! A search in words.

use crate::words::{NOTHING, number};
use dryroll_study::study::Policy;
use dryroll_study::study::policy::in_words;

/// What would be known.
#[must_use]
pub fn known(history: Option<f64>) -> String {
    history.map_or_else(|| "the rates known".to_owned(), |times| format!("{} × history", number(times)))
}

/// A policy's value of a key.
#[must_use]
pub fn value_in_words(policy: &Policy, key: &str) -> String {
    policy.get(key).map_or_else(|| NOTHING.to_owned(), |value| in_words(&value))
}

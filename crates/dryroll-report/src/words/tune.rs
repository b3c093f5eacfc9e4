//! A search in words.

use crate::words::number;

/// What would be known.
#[must_use]
pub fn known(history: Option<f64>) -> String {
    history.map_or_else(|| "the rates known".to_owned(), |times| format!("{} × history", number(times)))
}

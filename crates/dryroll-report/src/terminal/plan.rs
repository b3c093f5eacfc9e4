//! A policy on the terminal: every key with its value and where that comes from.

use std::io::{self, Write};

use crate::build::plan::explain::Explained;
use crate::terminal::table::Table;

/// Writes all keys of a policy.
///
/// # Errors
/// When writing fails.
pub fn explain_table(out: &mut impl Write, keys: &[Explained]) -> io::Result<()> {
    let mut table = Table::new(&["key of [rollout]", "value", "comes from"], 3);
    for one in keys {
        table.push(vec![one.key.to_owned(), one.value.clone(), one.from.clone()]);
    }
    table.write(out)
}

//! What can go wrong while a report is written.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// An output could not be written. What was there before is still there.
#[derive(Debug, Error)]
#[error("cannot write {}", called(path))]
pub struct ReportError {
    /// Which output.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

fn called(path: &Path) -> String {
    if path == Path::new("-") { "standard output".into() } else { dryroll_sim::text::path(&path).to_string() }
}

//! What can go wrong while a report is written.

use std::path::PathBuf;

use thiserror::Error;

/// An output could not be written. What was there before is still there.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub struct ReportError {
    /// Which output.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

//! The manifest of a sweep that is cut into shards: everything that a machine needs to run its share, with a hash.

use serde::{Deserialize, Serialize};

use super::sweep::{Sweep, SweepError, SweepOrder};
use dryroll_sim::SEMANTICS_VERSION;
use dryroll_sim::digest::hex_sha256;
use dryroll_sim::json::fault;

const SCHEMA: &str = "dryroll.manifest/1";
/// The largest number of shards.
pub const MAX_SHARDS: u32 = 100_000;

/// A sweep, cut into shards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: String,
    /// The semantics version of the program that wrote it; another version draws other numbers.
    dryroll: String,
    /// The number of shards.
    pub shards: u32,
    /// The number of cells of the grid.
    pub cells: u64,
    /// The number of replicates of each cell.
    pub replicates: u64,
    /// The sweep, with the whole scenario.
    pub order: SweepOrder,
    /// SHA-256 over all other fields.
    hash: String,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is not valid JSON of this kind; the message states what is wrong, and where.
    #[error("it is not a manifest of a sweep: {0}")]
    NoManifest(String),
    /// The file has another schema.
    #[error("its schema is `{0}`; allowed: {SCHEMA}")]
    Schema(String),
    /// A program with another semantics version wrote it.
    #[error(
        "a dryroll of {0} wrote it, and this one is of {SEMANTICS_VERSION}: shards of two do not fit together; write it anew with \
         --plan"
    )]
    Version(String),
    /// The contents were changed.
    #[error("it was changed after it was written: its hash does not fit; write it anew with --plan")]
    Changed,
    /// A stopping rule needs all results in one place.
    #[error(
        "a sweep with --precision cannot be cut into shards: when it stops depends on all of them; give --replicates"
    )]
    Precision,
    /// The number of shards is zero or too large.
    #[error("{0} shards: allowed are 1 to {MAX_SHARDS}")]
    Shards(u32),
    /// Its sweep is not valid.
    #[error(transparent)]
    Sweep(#[from] SweepError),
}

impl From<serde_json::Error> for ManifestError {
    fn from(error: serde_json::Error) -> Self {
        Self::NoManifest(format!("line {}, column {}: {}", error.line(), error.column(), fault(&error)))
    }
}

impl Manifest {
    /// The manifest of a sweep that is cut into this many shards.
    ///
    /// # Errors
    /// When the sweep cannot be cut, or not into this many shards.
    pub fn new(sweep: &Sweep, shards: u32) -> Result<Self, ManifestError> {
        if sweep.order.precision.is_some() {
            return Err(ManifestError::Precision);
        }
        if !(1..=MAX_SHARDS).contains(&shards) {
            return Err(ManifestError::Shards(shards));
        }
        let mut manifest = Self {
            schema: SCHEMA.into(),
            dryroll: SEMANTICS_VERSION.into(),
            shards,
            cells: sweep.cells.compiled.len() as u64,
            replicates: sweep.order.replicates,
            order: sweep.order.clone(),
            hash: String::new(),
        };
        manifest.hash = manifest.seal();
        Ok(manifest)
    }

    /// Parses a manifest, and prepares its sweep.
    ///
    /// # Errors
    /// When it is not valid, was changed, or comes from a program with another semantics version.
    pub fn parse(text: &[u8]) -> Result<(Self, Sweep), ManifestError> {
        /// The fields that identify a manifest of any version.
        #[derive(Deserialize)]
        struct Kind {
            schema: String,
            dryroll: String,
        }
        let kind: Kind = serde_json::from_slice(text)?;
        if kind.schema != SCHEMA {
            return Err(ManifestError::Schema(kind.schema));
        }
        if kind.dryroll != SEMANTICS_VERSION {
            return Err(ManifestError::Version(kind.dryroll));
        }
        let manifest: Self = serde_json::from_slice(text)?;
        if manifest.hash != manifest.seal() {
            return Err(ManifestError::Changed);
        }
        if !(1..=MAX_SHARDS).contains(&manifest.shards) {
            return Err(ManifestError::Shards(manifest.shards));
        }
        let sweep = Sweep::new(manifest.order.clone())?;
        Ok((manifest, sweep))
    }

    fn seal(&self) -> String {
        let unsealed = Self { hash: String::new(), ..self.clone() };
        // Serialising strings and numbers cannot fail.
        let bytes = serde_json::to_vec(&unsealed).unwrap_or_default();
        hex_sha256(&bytes)
    }
}

//! Baselines: results that were accepted, and what has become of them.
//!
//! # How it is built
//!
//! - [`facts`]: what is kept of a version's replicates: a digest of all rows, and a mean or a rate of each measure.
//! - [`file`](mod@file): the file, one line a fact.
//! - [`subject`]: a scenario, run with the accepted policy and with its own on the accepted replicates.
//! - [`contrast`]: what differs, how surely, and whether that is worse. [`tolerance`]: how much may differ.
//!
//! # What is compared with what
//!
//! The accepted policy can be run again, so a changed policy is held against it replicate by replicate. An engine that
//! is gone cannot, so a changed engine is held against the figures that were kept, as two samples apart. The same
//! version of the program and the same scenario must give the same bytes; where they do not, no statistics excuse it.

pub mod contrast;
pub mod facts;
pub mod file;
pub mod subject;
pub mod tolerance;

use std::collections::BTreeMap;

use super::Policy;
use dryroll_sim::text::Foreign;
use facts::VersionFacts;

/// Replicates of each version, where nobody says how many.
pub const REPLICATES: u64 = 1000;

/// What was accepted of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// SHA-256 of the scenario file.
    pub hash: Foreign,
    /// Digest of all in it that is neither policy nor seed, nor only said of it.
    pub environment: Foreign,
    /// The seed of the replicates.
    pub seed: u64,
    /// How many replicates of each version.
    pub replicates: u64,
    /// The semantics of the program.
    pub dryroll: Foreign,
    /// The policy.
    pub policy: Policy,
    /// By version.
    pub versions: BTreeMap<Foreign, VersionFacts>,
}

/// What was accepted, by scenario file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// By the path of the scenario, as [`key`] writes it.
    pub entries: BTreeMap<Foreign, Entry>,
}

/// A scenario's path as baselines write it: `/` between its parts on every system, and no `.` among them.
#[must_use]
pub fn key(path: &Foreign) -> Foreign {
    let path = path.raw();
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("{root}{}", parts.join("/")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_is_written_in_one_way() {
        for (path, kept) in [("./a//b.toml", "a/b.toml"), ("/a/./b.toml", "/a/b.toml"), ("../b.toml", "../b.toml")] {
            assert_eq!(key(&path.into()), kept);
        }
    }
}

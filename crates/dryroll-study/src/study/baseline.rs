//! Baselines: accepted results, and comparisons with them.
//!
//! # How it is built
//!
//! - [`facts`]: what a baseline keeps of a version's replicates: a digest of all rows, and a mean or a rate of each
//!   measure.
//! - [`file`](mod@file): the file, with one fact a line.
//! - [`subject`]: a scenario, run with the accepted policy and with its own on the accepted replicates.
//! - [`contrast`]: what differs, how certainly, and whether it is worse. [`tolerance`]: how much may differ.
//!
//! # What is compared with what
//!
//! The accepted policy can be run again, so a changed policy is compared with it replicate by replicate. An earlier
//! engine cannot be run, so a changed engine is compared with the recorded figures, as two samples. The same version of
//! the program and the same scenario must give the same bytes; no statistics excuse a difference.

pub mod contrast;
pub mod facts;
pub mod file;
pub mod subject;
pub mod tolerance;

use std::collections::BTreeMap;

use super::Policy;
use dryroll_sim::text::Foreign;
use facts::VersionFacts;

/// The default number of replicates of each version.
pub const REPLICATES: u64 = 1000;

/// The accepted results of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// SHA-256 of the scenario file.
    pub hash: Foreign,
    /// Digest of everything in the scenario except the policy, the seed and descriptive texts.
    pub environment: Foreign,
    /// The seed of the replicates.
    pub seed: u64,
    /// The number of replicates of each version.
    pub replicates: u64,
    /// The semantics version of the program.
    pub dryroll: Foreign,
    /// The policy.
    pub policy: Policy,
    /// By version.
    pub versions: BTreeMap<Foreign, VersionFacts>,
}

/// The accepted results, by scenario file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// By the path of the scenario, as [`key`] writes it.
    pub entries: BTreeMap<Foreign, Entry>,
}

/// A scenario's path as baselines write it: with `/` between its parts on every system, and without `.` parts.
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

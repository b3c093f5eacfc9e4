//! The version of the rules that decide the numbers.

/// The version of everything that decides a number: draws and their names, rules of engine and fleet, definitions of
/// metrics. Results of two versions never mix: a sweep does not continue a result log of another version, shards of two
/// versions are not merged, and a baseline of another version is compared as one of another engine. The version of the
/// package says nothing about it.
///
/// It rises with every change after which some scenario and seed give other events or other metrics.
/// `tests/golden/semantics.txt` holds it with the digest of each golden log, and a test fails if a log changes and the
/// version does not.
/// does not.
pub const SEMANTICS_VERSION: &str = "semantics.3";

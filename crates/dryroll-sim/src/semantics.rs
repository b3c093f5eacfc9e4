//! What the numbers mean, as one number.

/// The version of all that decides a number: draws, names of what draws, rules of engine and fleet, definitions of
/// metrics. Results of two of them never mix: a sweep does not go on from another's tape, shards of two are not merged,
/// and a baseline of another is held against this one as another engine's. The version of the package says nothing of
/// it.
///
/// It rises with every change after which some scenario and seed give other events or other metrics.
/// `tests/golden/semantics.txt` has it with the digest of each golden log, and a test fails where a log changes and it
/// does not.
pub const SEMANTICS_VERSION: &str = "semantics.3";

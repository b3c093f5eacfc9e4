//! Why rules cannot be checked.

use crate::study::grid::GridError;
use dryroll_sim::text::Foreign;

/// Why rules cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A version does not fit, or its request is refused.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// A rule that does not apply to its version.
    #[error("the rule `{says}` on line {line} does not apply to `{version}`, which is {truth}; name another version, or another metric or rate",
        truth = if *.defective { "defective" } else { "not `defective`" })]
    SaysNothing {
        /// The rule.
        says: String,
        /// The line where the rule begins.
        line: usize,
        /// The version.
        version: Foreign,
        /// Whether the version is defective.
        defective: bool,
    },
    /// A rule on the version that the fleet runs already: nothing would be rolled out, so the rule would always pass.
    #[error(
        "the rule `{says}` on line {line} is about `{version}`, which the fleet runs already, so that nothing would be rolled out; name another version"
    )]
    RunsAlready {
        /// The rule.
        says: String,
        /// The line where the rule begins.
        line: usize,
        /// The version.
        version: Foreign,
    },
}

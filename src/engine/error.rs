//! What the engine refuses.

use thiserror::Error;

use crate::fleet::LifecycleState;
use crate::text::Foreign;

/// Why a request is refused (§1). Each names what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such template.
    #[error("unknown template `{0}`")]
    UnknownTemplate(String),
    /// No such module.
    #[error("unknown module `{0}`")]
    UnknownModule(String),
    /// No such version of the module.
    #[error("unknown version `{0}`")]
    UnknownVersion(String),
    /// The target is not in a state to be rolled out.
    #[error("version `{version}` is {state:?}; only a blessed or live version can be rolled out")]
    NotPromoted {
        /// The version.
        version: Foreign,
        /// Its state.
        state: LifecycleState,
    },
    /// A parameter out of range.
    #[error("{name} is {found}; it must be {allowed}")]
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// What it was.
        found: i64,
        /// What it may be.
        allowed: &'static str,
    },
    /// The caller may not.
    #[error("the permission system.fleet_rolling_upgrade is missing")]
    PermissionMissing,
}

/// Why an answer is refused (§2, §6). Nothing is changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// The request was answered, or never opened.
    #[error("this request is not pending")]
    NotPending,
    /// The request does not offer this answer.
    #[error("this request does not offer that answer")]
    NotOffered,
    /// An edit's `batch_pct` is not 1 to 100.
    #[error("batch_pct must be 1 to 100")]
    EditOutOfRange,
}

/// Why a journal cannot be continued (§9).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JournalError {
    /// The journal's events are not those that its inputs bring about.
    #[error("entry {entry} of the journal is not what its inputs bring about")]
    Diverged {
        /// Which entry, from 0.
        entry: usize,
    },
}

//! The errors of the engine.

use std::{error::Error, fmt};

use crate::fleet::{LifecycleState, VersionId};

/// Why a request is refused (§1). Each variant names what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No such template.
    UnknownTemplate(String),
    /// No such module.
    UnknownModule(String),
    /// No such version of the module.
    UnknownVersion(VersionId),
    /// The target is not in a state to be rolled out.
    NotPromoted {
        /// The version that was asked for.
        version: VersionId,
        /// The state that the version is in.
        state: LifecycleState,
    },
    /// A parameter is out of range.
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// The value found.
        found: i64,
        /// The range of values allowed.
        allowed: &'static str,
    },
    /// The caller lacks the permission.
    PermissionMissing,
}

/// Why an answer is refused (§2, §6). A refused answer changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// The request is already answered, or never opened.
    NotPending,
    /// The request does not offer this answer.
    NotOffered,
    /// An edit's `batch_pct` is not 1 to 100.
    EditOutOfRange,
}

/// Why a journal cannot be continued (§9).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalError {
    /// The journal's events are not those that its inputs produce.
    Diverged {
        /// The index of the first entry that differs, from 0.
        entry: usize,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownTemplate(name) => write!(f, "unknown template `{}`", name.escape_debug()),
            Self::UnknownModule(name) => write!(f, "unknown module `{}`", name.escape_debug()),
            Self::UnknownVersion(name) => write!(f, "unknown version `{}`", name.as_str().escape_debug()),
            Self::NotPromoted { version, state } => {
                let version = version.as_str().escape_debug();
                write!(f, "version `{version}` is {state:?}; only a blessed or live version can be rolled out")
            }
            Self::OutOfRange { name, found, allowed } => write!(f, "{name} is {found}; it must be {allowed}"),
            Self::PermissionMissing => f.write_str("the permission system.fleet_rolling_upgrade is missing"),
        }
    }
}

impl Error for Refusal {}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPending => "this request is not pending",
            Self::NotOffered => "this request does not offer that answer",
            Self::EditOutOfRange => "batch_pct must be 1 to 100",
        })
    }
}

impl Error for AnswerError {}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Diverged { entry } = self;
        write!(f, "entry {entry} of the journal is not what its inputs bring about")
    }
}

impl Error for JournalError {}

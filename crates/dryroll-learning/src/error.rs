//! What can go wrong with records.

use std::io;
use std::path::PathBuf;

use dryroll_sim::text::Foreign;
use thiserror::Error;

/// Why there is no record, or it is not kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LearningError {
    /// The report lacks what a record is made of.
    #[error("the report has no `{0}`, so there is nothing to learn from it; make it again with this version")]
    Lacks(&'static str),
    /// A calibration teaches nothing of a policy.
    #[error(
        "a calibration names neither module nor fleet nor policy, so that a record of it would apply to nothing; \
         search a policy with it, `dryroll tune SCENARIO --posterior CALIBRATION`, and learn from that report"
    )]
    Calibration,
    /// A check is about more than one record could be.
    #[error(
        "a check says which rules hold, of any number of scenarios, and not why; learn from the run that the `replay` \
         of a rule makes, or from a sweep or a search of its scenario"
    )]
    Check,
    /// A line of a store is no record.
    #[error("line {line}: {why}; a record is one JSON object a line, with `title`, `category`, `content` and `tags`")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What was found.
        why: Foreign,
    },
    /// A store with a damaged line: it is unknown whether it has the record.
    #[error("{}: {damage}. Nothing was added: correct or remove that line first", dryroll_sim::text::path(&path))]
    Damaged {
        /// Which store.
        path: PathBuf,
        /// The line.
        damage: Box<LearningError>,
    },
    /// A store cannot be read or written. What was in it still is.
    #[error("cannot add to {}", dryroll_sim::text::path(&path))]
    Store {
        /// Which store.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

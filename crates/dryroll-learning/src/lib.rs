//! Learning records: what a report teaches, as `create_learning` takes it, and which earlier records apply today.
//!
//! [`Learning::of`] writes the record of a report, one file a kind of report. [`store`] keeps records, one JSON object
//! a line. [`recall()`] finds those that apply to a rollout, most relevant first, and holds what they claim against
//! today's numbers.
//!
//! A record outlives the report that it came of and is read before the next rollout, so it is a memory and no
//! rendering. The crate stands above the reports: it reads their models and their words, and no report knows that it is
//! remembered.

mod category;
mod claims;
mod compare;
mod conflicts;
mod drill;
mod elsewhere;
mod error;
mod facts;
mod listing;
mod phrases;
mod recall;
mod run;
pub mod store;
mod sweep;
mod tune;

use serde::{Deserialize, Serialize};

pub use category::Category;
pub use conflicts::Verdict;
pub use elsewhere::Elsewhere;
pub use error::LearningError;
pub use listing::list;
pub use recall::{Numbers, PlanNumbers, Recalled, RunNumbers, Today, recall};

use dryroll_report::model::report::Report;

/// A record with exactly the keys of `create_learning`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learning {
    /// One line.
    pub title: String,
    /// What kind of lesson it is; of our own records a [`Category`].
    pub category: String,
    /// The evidence, the recommendation and its limits.
    pub content: String,
    /// What it is found by.
    pub tags: Vec<String>,
}

impl Learning {
    /// What a report teaches.
    ///
    /// # Errors
    /// When the report lacks what a record is made of.
    pub fn of(report: &Report) -> Result<Self, LearningError> {
        let record = match report {
            Report::Run(run) => run::learning(run)?,
            Report::Drill(drill) => drill::learning(drill)?,
            Report::Sweep(sweep) => sweep::learning(sweep)?,
            Report::Compare(compare) => compare::learning(compare)?,
            Report::Tune(tune) => tune::learning(tune)?,
            Report::Calibration(_) => return Err(LearningError::Calibration),
            Report::Check(_) => return Err(LearningError::Check),
        };
        let Self { title, category, content, tags } = record;
        Ok(Self {
            title: phrases::one_line(&phrases::plain(&title)),
            category,
            content: phrases::plain(&content),
            tags: phrases::tidy(tags),
        })
    }
}

//! The categories of records: those of the platform's that fit a rehearsal.

/// What kind of lesson a record is. The platform refuses other words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A policy that held what was wanted of it.
    BestPractice,
    /// Something that worked as it is meant to.
    Pattern,
    /// Something that was done and should not be.
    AntiPattern,
    /// How an upgrade fails.
    FailureMode,
    /// Something that was seen and decides nothing.
    Discovery,
    /// Something that is so.
    Fact,
}

impl Category {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BestPractice => "best_practice",
            Self::Pattern => "pattern",
            Self::AntiPattern => "anti_pattern",
            Self::FailureMode => "failure_mode",
            Self::Discovery => "discovery",
            Self::Fact => "fact",
        }
    }
}

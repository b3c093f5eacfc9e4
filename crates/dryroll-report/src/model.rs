//! What is written and read back: one type a schema, one file a kind of report. A type here holds data, and says
//! nothing of how it is come by (`build`) or shown (a room a medium).

pub mod baseline;
pub mod calibration;
pub mod check;
pub mod compare;
pub mod drill;
pub mod keys;
mod measure;
pub mod plan;
pub mod posterior;
pub mod report;
pub mod run;
pub mod scenario;
pub mod sweep;
pub mod timeline;
pub mod tune;

pub use baseline::{AgainstBaseline, BaselineReport, BaselineScenario, ComparedFact, NotChecked};
pub use check::{CheckReport, CheckedRule, CheckedScenario, Counts, IdleFault, Status, WrongScenario};
pub use compare::{CompareReport, Comparison, Contrast, DifferingReplicate, Stopping};
pub use posterior::{
    AnswerShare, BelievedRate, BelievedVersion, CalibrationRef, InformationValueReport, LaterReport, PointAnswer,
    PosteriorReport, SavingParts,
};
pub use report::Report;
pub use run::RunReport;
pub use scenario::ScenarioRef;
pub use sweep::{
    Axis, Cell, ExactValues, Histogram, NotableReplicate, Precision, RareEvent, ReplayedReplicate, SweepReport,
};
pub use tune::{
    Candidate, Estimate, Evidence, FrontPoint, Hint, KeepsReport, LimitCheck, LimitText, Named, Recommended,
    Sensitivity, SpreadReport, Standing, TuneReport,
};

//! The reports of studies, as they are written and read back: plain data, in the order of the contract.

mod check;
mod compare;
mod sweep;
mod tune;

use serde::{Deserialize, Serialize};

pub use check::{
    AgainstBaseline, BaselineReport, BaselineScenario, CheckReport, CheckedRule, CheckedScenario, ComparedFact, Counts,
    Found, IdleFault, NotChecked, Status, policy_change,
};
pub use compare::{CompareReport, Comparison, Contrast, DifferentWorld};
pub use sweep::{
    Axis, Cell, ExactValues, Histogram, Precision, RareEvent, ReplayedWorld, SweepReport, World as ReportedWorld,
};
pub use tune::{
    AnswerShare, BelievedRate, BelievedVersion, CalibrationRef, Candidate, Estimate, Evidence, Findings, FrontPoint,
    Hint, LaterReport, LimitCheck, LimitText, Named, PointAnswer, PosteriorFindings, PosteriorReport, Recommended,
    Sensitivity, SpreadReport, Standing, TuneReport, WorthReport, short,
};

use crate::scenario::Scenario;

/// Which scenario a report is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioRef {
    /// Its name.
    pub name: String,
    /// SHA-256 of its file.
    pub hash: String,
    /// The module that is upgraded; empty in older reports.
    #[serde(default)]
    pub module: String,
    /// The template of the fleet's instances; empty in older reports.
    #[serde(default)]
    pub fleet: String,
    /// Instances of the fleet; 0 in older reports.
    #[serde(default)]
    pub instances: u32,
}

impl ScenarioRef {
    /// Of a scenario.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            name: scenario.name.clone(),
            hash: scenario.hash.clone(),
            module: scenario.module_id.clone(),
            fleet: scenario.fleet.template_id.clone(),
            instances: scenario.fleet.instances,
        }
    }
}

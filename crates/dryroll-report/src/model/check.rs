//! The check report: `dryroll.check/1`.

use serde::{Deserialize, Serialize};

use crate::model::ScenarioRef;
use crate::model::baseline::BaselineReport;
use dryroll_sim::scenario::{Advice, Expected};
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;

/// What the rules of some scenarios came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// `dryroll.check/1`
    pub schema: Foreign,
    /// The command that makes this report again; a budget is left out.
    pub command: Foreign,
    /// Confidence of all decisions together, 0.95.
    pub confidence: f64,
    /// The most replicates of a rule.
    pub max_replicates: u64,
    /// How long it was allowed to take; null: as long as it takes.
    pub budget_sec: Option<f64>,
    /// Whether every rule passed, every fault did something, and nothing is worse than the baseline.
    pub passed: bool,
    /// How many rules came to what.
    pub counts: Counts,
    /// Rollouts that were run for the rules.
    pub rollouts: u64,
    /// The scenarios that have rules, in the order in which they were checked.
    pub scenarios: Vec<CheckedScenario>,
    /// Scenario files that have none.
    pub without_rules: Vec<Foreign>,
    /// Files of a folder that are not scenarios; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_scenarios: Vec<Foreign>,
    /// Scenarios that are wrong, so that nothing of them was checked; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<WrongScenario>,
    /// Advice about the scenarios; absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
    /// Whether advice fails the check; absent where it does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// The scenarios against a baseline; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineReport>,
}

/// A scenario that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongScenario {
    /// Its file.
    pub file: String,
    /// The line of what is wrong first; absent where that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What is wrong.
    pub why: String,
}

/// How many rules came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// They surely hold.
    pub passed: u64,
    /// They surely do not.
    pub failed: u64,
    /// Neither is sure.
    pub undecided: u64,
    /// They were not looked at, since another one had failed.
    pub skipped: u64,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It surely holds.
    Passed,
    /// It surely does not.
    Failed,
    /// Neither is sure.
    Undecided,
    /// It was not looked at, since another one had failed.
    Skipped,
}

impl Status {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Undecided => "undecided",
            Self::Skipped => "skipped",
        }
    }
}

/// A scenario and its rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckedScenario {
    /// Its file, as the command line leads to it.
    pub file: Foreign,
    /// Which it is.
    pub scenario: ScenarioRef,
    /// The seed.
    pub seed: u64,
    /// Whether every rule passed and every fault did something.
    pub passed: bool,
    /// Its rules, in the order of the file.
    pub rules: Vec<CheckedRule>,
    /// Faults that touched nothing: each of them fails the scenario.
    pub idle_faults: Vec<IdleFault>,
    /// What people should know beside that.
    pub warnings: Vec<String>,
}

/// A rule, and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckedRule {
    /// The rule in words, with the numbers of the file.
    pub says: String,
    /// What it is about: `p95 of blast_radius_pct`.
    pub about: String,
    /// What is demanded of it, in its unit.
    pub limit: String,
    /// The number that it is held against; null where that is none.
    #[serde(default)]
    pub bound: Option<f64>,
    /// Of which replicates; empty where it is about all that there could be.
    #[serde(rename = "worlds")]
    pub replicates: String,
    /// The line of the file on which it begins.
    pub line: usize,
    /// The version that is rolled out.
    pub version: Foreign,
    /// The named policy with which it is; absent with the scenario's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Foreign>,
    /// The metric, the rate or the kind of event.
    pub measure: String,
    /// What became of it.
    pub status: Status,
    /// Why it is undecided or was skipped.
    pub why: Option<String>,
    /// What was seen.
    pub observed: Option<Expected>,
    /// The same in words, in its unit.
    pub observed_says: String,
    /// The interval that decides; null where the rule is a fact of its replicates.
    pub interval: Option<Interval>,
    /// The exact value, where theory has it: that decides. Absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<f64>,
    /// The exact value in words, or else the interval.
    pub interval_says: String,
    /// The interval's confidence: the share of this look at this rule of all that may be missed.
    pub confidence: Option<f64>,
    /// Over how many replicates.
    pub n: u64,
    /// The command that shows the worst replicate, where the rule did not pass.
    pub replay: Option<Foreign>,
}

impl CheckedRule {
    /// What is rolled out: the version, and the policy where it has a name.
    #[must_use]
    pub fn rolled_out(&self) -> String {
        let policy = self.policy.as_ref().map(|policy| format!(" with {policy}")).unwrap_or_default();
        format!("{}{policy}", self.version)
    }

    /// What was demanded and what was seen, in a sentence.
    #[must_use]
    pub fn in_a_sentence(&self) -> String {
        let interval = match self.interval_says.as_str() {
            "" => String::new(),
            interval => format!(" (interval {interval})"),
        };
        let why = self.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let (status, says, version) = (self.status.name(), &self.says, self.rolled_out());
        format!("{status}: {says} of {version}; observed {}{interval}, n = {}{why}", self.observed_says, self.n)
    }
}

/// A fault that touched nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleFault {
    /// Which of the scenario's faults, from 0.
    pub fault: usize,
    /// What it does.
    pub kind: String,
    /// The command that shows a replicate without it.
    pub replay: Option<Foreign>,
}

impl IdleFault {
    /// What is wrong, in a sentence.
    #[must_use]
    pub fn says(&self) -> String {
        format!("fault {} ({}) touched no instance in any replicate", self.fault, self.kind)
    }
}

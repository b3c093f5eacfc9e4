//! The part of a check report that holds scenarios against a baseline.

use serde::{Deserialize, Serialize};

use crate::judge::conditional::Conditional;
use dryroll_sim::scenario::Measure;
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_study::study::Policy;
use dryroll_study::study::baseline::contrast::{Cause, Verdict};

/// What scenarios came to, against what was accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineReport {
    /// The file of the baseline.
    pub file: Foreign,
    /// Whether nothing got worse, every scenario was looked at, and the same engine gave the same bytes.
    pub passed: bool,
    /// Whether what was found was accepted, and the file written anew.
    pub accepted: bool,
    /// Confidence of all intervals together, 0.95.
    pub confidence: f64,
    /// How many intervals share it.
    pub intervals: u64,
    /// Rollouts that were run.
    pub rollouts: u64,
    /// The scenarios, in the order in which they were checked.
    pub scenarios: Vec<BaselineScenario>,
    /// Scenarios of the baseline that the command line does not lead to.
    pub not_checked: Vec<NotChecked>,
}

/// A scenario of the baseline that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChecked {
    /// Its path, as the baseline has it.
    pub scenario: Foreign,
    /// Whether there is no such file any more.
    pub gone: bool,
}

/// Where a scenario stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgainstBaseline {
    /// Every byte is as it was accepted.
    Unchanged,
    /// The policy or the engine is another, and was compared.
    Compared,
    /// The same engine gave other bytes.
    NotTheSameBytes,
    /// Nothing was accepted of it.
    New,
    /// The scenario is another, so that what was accepted says nothing of it; two policies are still compared.
    #[serde(rename = "world_changed")]
    ScenarioChanged,
    /// The accepted policy cannot be run.
    NotRunnable,
    /// The time was over.
    Unfinished,
    /// It was not looked at, since a rule had failed.
    Skipped,
}

impl AgainstBaseline {
    /// Whether it lets the check pass where no fact is worse.
    #[must_use]
    pub fn passes(self) -> bool {
        !matches!(self, Self::NotTheSameBytes | Self::Unfinished | Self::Skipped)
    }
}

/// A scenario against what was accepted of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineScenario {
    /// Its file, as the command line leads to it.
    pub file: Foreign,
    /// The line of its `[rollout]`.
    pub line: usize,
    /// Where it stands.
    pub standing: AgainstBaseline,
    /// Whether nothing about it fails.
    pub passed: bool,
    /// What people should know: what was changed, and what to do.
    pub notes: Vec<String>,
    /// The accepted policy; null where there is none.
    pub accepted_policy: Option<Policy>,
    /// Its policy.
    pub policy: Policy,
    /// The seed of the replicates.
    pub seed: u64,
    /// Replicates of each version.
    pub replicates: u64,
    /// Every fact that was compared.
    pub facts: Vec<ComparedFact>,
    /// The command that compares both policies on the same replicates, where they differ.
    pub replay: Option<Foreign>,
}

impl BaselineScenario {
    /// The facts of one kind.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &ComparedFact> {
        self.facts.iter().filter(move |fact| fact.verdict == verdict)
    }
}

/// A metric or a rate of one version, then and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedFact {
    /// The version.
    pub version: Foreign,
    /// Whether it is defective in truth.
    pub defective: bool,
    /// Its name.
    #[serde(with = "crate::model::measure")]
    pub metric: Measure,
    /// What was changed: `policy` (both were run on the same replicates) or `engine` (two samples apart).
    pub changed: Cause,
    /// Mean or rate that was accepted; of a changed policy, over the replicates where both have a value.
    pub accepted: f64,
    /// Mean or rate now.
    pub now: f64,
    /// Now less accepted.
    pub difference: f64,
    /// The interval of that, which holds for all facts of the command at once; null where there is none.
    pub interval: Option<Interval>,
    /// The largest difference that is let pass.
    pub tolerance: f64,
    /// Over how many replicates.
    pub n: u64,
    /// What it comes to.
    pub verdict: Verdict,
    /// Of a metric that only some runs have: in how many, and whether then and now are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditional: Option<Conditional>,
}

impl BaselineReport {
    /// How many facts are of a kind.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.scenarios.iter().map(|one| one.of(verdict).count() as u64).sum()
    }

    /// How many scenarios stand so.
    #[must_use]
    pub fn standing(&self, standing: AgainstBaseline) -> u64 {
        self.scenarios.iter().filter(|one| one.standing == standing).count() as u64
    }
}

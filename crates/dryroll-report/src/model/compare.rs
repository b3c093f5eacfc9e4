//! The compare report: `dryroll.compare/1`.

use serde::{Deserialize, Serialize};

use crate::judge::conditional::Conditional;
use crate::model::{Histogram, ScenarioRef};
use dryroll_sim::scenario::{Advice, Measure, Metric};
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_study::study::Policy;
use dryroll_study::study::completed::Completed;

/// Two policies on the same replicates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompareReport {
    /// `dryroll.compare/1`
    pub schema: Foreign,
    /// Of which scenario.
    pub scenario: ScenarioRef,
    /// The seed.
    pub seed: u64,
    /// The command that makes this report again; empty in older reports.
    #[serde(default)]
    pub command: Foreign,
    /// Replicates, each a replicate that both policies met.
    pub replicates: u64,
    /// Confidence of the intervals, 0.95.
    pub confidence: f64,
    /// The first and the second policy.
    pub policies: [Policy; 2],
    /// One for each version.
    pub comparisons: Vec<Comparison>,
    /// Advice about the scenario; absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
    /// What people should know beside the figures; absent in older reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The two policies with one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The version.
    pub version: Foreign,
    /// Whether it is defective in truth.
    pub defective: bool,
    /// Every metric and rate, in the order of the sweep report.
    pub metrics: Vec<Contrast>,
    /// The replicates in which they differ most, by `metric` of each.
    #[serde(rename = "worlds")]
    pub replicates: Vec<DifferingReplicate>,
    /// How the differences are distributed, for the metrics that differ.
    pub distributions: Vec<Histogram>,
    /// Of a good version: whether enough rollouts complete with the first policy, and with the second. Absent of a
    /// defective one, and in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<[Completed; 2]>,
}

/// The policies that are not better in a metric though they have less of it: too few good rollouts complete with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopping {
    /// The first.
    A,
    /// The second.
    B,
    /// Each of them.
    Both,
}

/// One metric or rate of both. A rate counts 1 for a hit and 0 for none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// Its name.
    #[serde(with = "crate::model::measure")]
    pub metric: Measure,
    /// Mean with the first policy, over the replicates where both have a value.
    pub a: Option<f64>,
    /// Mean with the second.
    pub b: Option<f64>,
    /// Mean of second less first.
    pub difference: Option<f64>,
    /// Its interval, which holds whatever the distribution.
    pub ci: Option<Interval>,
    /// The interval that holds for all metrics of the table at once.
    pub simultaneous_ci: Option<Interval>,
    /// The exact mean difference, where theory has it; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<f64>,
    /// The exact mean with the first policy; absent where `exact` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_a: Option<f64>,
    /// The exact mean with the second policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_b: Option<f64>,
    /// Replicates where both have a value.
    pub n: u64,
    /// Replicates where the first is better; null where neither more nor less of it is better, and where the two are
    /// not compared.
    pub a_wins: Option<u64>,
    /// Replicates where the second is better.
    pub b_wins: Option<u64>,
    /// Replicates where they are equal.
    pub ties: u64,
    /// Share of the variance that meeting the same replicates saves; null where nothing varies.
    pub variance_saved: Option<f64>,
    /// Of a metric that only some runs have: in how many, and whether the two are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditional: Option<Conditional>,
    /// The policies that cannot be better in it, for they stop too many good rollouts; absent where both can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopping: Option<Stopping>,
    /// The policies that cannot be better in anything, for their breaker can never trip; absent where both can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never_trips: Option<Stopping>,
}

/// A replicate in which they differ much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DifferingReplicate {
    /// By which metric.
    #[serde(with = "crate::model::measure::metric")]
    pub metric: Metric,
    /// Which replicate.
    pub replicate: u64,
    /// The first policy's value.
    pub a: f64,
    /// The second's.
    pub b: f64,
    /// The commands that replay both.
    pub commands: [String; 2],
}

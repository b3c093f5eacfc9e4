//! The sweep report: `dryroll.sweep/1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ScenarioRef;
use crate::model::timeline::Timeline;
use crate::words::{number, plural};
use dryroll_sim::scenario::{Advice, MIN_COMPLETED, Measure, Metric, Rate};
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_study::study::completed::{COMPLETED, Completed};
use dryroll_study::study::sweep::CONFIDENCE;
use dryroll_study::study::{Policy, Summaries};

/// A grid of policies × versions, each cell over its replicates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepReport {
    /// `dryroll.sweep/1`
    pub schema: Foreign,
    /// Of which scenario.
    pub scenario: ScenarioRef,
    /// The seed.
    pub seed: u64,
    /// The command that makes this report again; empty in older reports.
    #[serde(default)]
    pub command: Foreign,
    /// Replicates of each cell; the most of any, where they differ.
    pub replicates: u64,
    /// Confidence of every interval, 0.95.
    pub confidence: f64,
    /// How the number of replicates was chosen, where a precision was asked for.
    pub precision: Option<Precision>,
    /// What was varied, first axis first.
    pub axes: Vec<Axis>,
    /// The named policies, each with a row after those of the axes for each value of the axes that are not of the policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Foreign>,
    /// The versions that were rolled out.
    pub versions: Vec<Foreign>,
    /// One for each policy × version: versions vary fastest, then the last axis.
    pub cells: Vec<Cell>,
    /// Timelines of the worst replicates, one a version.
    pub timelines: Vec<ReplayedReplicate>,
    /// What people should know beside the figures.
    pub warnings: Vec<String>,
    /// Advice about the scenario; absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
}

impl SweepReport {
    /// How many replicates a cell has, in words: fewest to most where they differ.
    #[must_use]
    pub fn replicates_say(&self, one: &str, many: &str) -> String {
        let fewest = self.cells.iter().map(|cell| cell.replicates).min().unwrap_or(self.replicates);
        let most = plural(self.replicates, one, many);
        if fewest < self.replicates { format!("{} to {most}", number(fewest as f64)) } else { most }
    }
}

/// What a sweep went on for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Precision {
    /// Of which metric or rate.
    #[serde(with = "crate::model::measure")]
    pub metric: Measure,
    /// Wanted half of the interval's width, in the metric's unit, or as a share of its mean.
    pub half_width: f64,
    /// Whether `half_width` is a share of the mean.
    pub relative: bool,
    /// Whether every cell has it.
    pub reached: bool,
    /// The widest half width that there is; null where a cell has no interval.
    pub widest: Option<f64>,
}

/// A key and the values that it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The key.
    pub key: String,
    /// Its values, in the order of the grid.
    pub values: Vec<Value>,
}

/// One policy × version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The policy.
    pub policy: Policy,
    /// The version that was rolled out.
    pub version: Foreign,
    /// Whether it is defective in truth.
    pub defective: bool,
    /// Over how many replicates.
    pub replicates: u64,
    /// Every metric and rate.
    pub metrics: Summaries,
    /// What theory says, where it says something.
    pub exact: ExactValues,
    /// A trip too rare to be met by chance, estimated by importance sampling; null where none was asked for.
    pub rare: Option<RareEvent>,
    /// How some of the metrics are distributed.
    pub distributions: Vec<Histogram>,
    /// Its worst replicates, worst first.
    pub worst: Vec<NotableReplicate>,
    /// Of a good version: whether enough of its rollouts complete. Absent of a defective one, and in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Completed>,
}

impl Cell {
    /// Whether enough of a good version's rollouts complete, in an older report by this cell alone; `None` of a
    /// defective version, and where the report does not have it.
    #[must_use]
    pub fn good_rollouts(&self) -> Option<Completed> {
        self.completed.clone().or_else(|| self.judged(MIN_COMPLETED, CONFIDENCE))
    }

    /// The same with another least share, at a confidence.
    pub(crate) fn judged(&self, least: f64, confidence: f64) -> Option<Completed> {
        let completed = self.metrics.share(COMPLETED).filter(|share| share.n > 0 && !self.defective)?;
        let trips = self.metrics.share(Rate::Trip).cloned().unwrap_or_default();
        let exact = self.exact.values.get(COMPLETED.name()).copied();
        Some(Completed::new(least, completed, &trips, exact, confidence))
    }
}

/// Exact values of a cell beside the simulated ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExactValues {
    /// By the metric's or rate's name: its exact mean or probability.
    pub values: BTreeMap<String, f64>,
    /// By its name: why there is no exact value of it.
    pub why_not: BTreeMap<String, String>,
    /// Why the whole scenario is outside of what can be computed.
    pub out_of_scope: Option<String>,
}

/// The probability of a trip, by importance sampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RareEvent {
    /// The estimate; null below three hits.
    pub estimate: Option<f64>,
    /// Its standard error as a share of it.
    pub relative_error: Option<f64>,
    /// Its interval.
    pub ci: Option<Interval>,
    /// Replicates that tripped.
    pub hits: u64,
    /// Replicates.
    pub n: u64,
    /// An upper bound at 95 %, one-sided, that holds whatever was missed: the smaller of importance sampling's and
    /// plain simulation's.
    pub upper_bound: Option<f64>,
    /// In words.
    pub says: String,
}

/// Counts in cells of equal width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Of which metric.
    #[serde(with = "crate::model::measure::metric")]
    pub metric: Metric,
    /// Where the first cell begins.
    pub low: f64,
    /// How wide each is; 0 where all values are one.
    pub width: f64,
    /// How many replicates fall in each; the last cell has its upper end too.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// Of a metric: where its first cell begins, how wide each is, and the counts.
    #[must_use]
    pub fn new((metric, low, width, counts): &(Metric, f64, f64, Vec<u64>)) -> Self {
        Self { metric: *metric, low: *low, width: *width, counts: counts.clone() }
    }
}

/// One replicate that stands out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotableReplicate {
    /// The number of the replicate, from 0.
    pub replicate: u64,
    /// By which metric.
    #[serde(with = "crate::model::measure::metric")]
    pub metric: Metric,
    /// Its value.
    pub value: f64,
    /// The command that replays it.
    pub command: Foreign,
}

/// A replicate, seen instance by instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayedReplicate {
    /// Which cell, from 0.
    pub cell: usize,
    /// Which replicate.
    pub replicate: u64,
    /// What happened in it.
    pub timeline: Timeline,
}

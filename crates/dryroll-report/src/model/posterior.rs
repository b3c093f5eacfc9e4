//! The part of a tune report on rates that are not known: `--posterior`.

use serde::{Deserialize, Serialize};

use crate::model::Estimate;
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_study::study::Policy;

/// What was taken from a calibration, what it leaves open, and what more of it would be worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PosteriorReport {
    /// The calibration report.
    pub calibration: CalibrationRef,
    /// The versions whose rates each replicate draws.
    pub versions: Vec<BelievedVersion>,
    /// What is not drawn, and stays what the scenario says: in words.
    pub held: Vec<String>,
    /// The answer if the posterior's means were the rates.
    pub point: PointAnswer,
    /// Replicates in which every policy was tried, for what follows.
    #[serde(rename = "worlds")]
    pub replicates: u64,
    /// Rollouts that this took beside the search.
    pub rollouts: u64,
    /// Policies whose limits surely hold today, by the search's decisions.
    pub within: u64,
    /// Policies of which the search did not decide whether the limits hold; 0 in older reports.
    #[serde(default)]
    pub undecided: u64,
    /// What would be, were more known: twice the history, ten times, and last the rates themselves. Empty where there
    /// are too few replicates to tell, or where rollouts differ in a rate.
    pub later: Vec<LaterReport>,
    /// What that means, in a sentence.
    pub says: String,
}

/// Where a posterior comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationRef {
    /// Its file.
    pub file: Foreign,
    /// SHA-256 of the file's bytes, in lower-case hex.
    pub hash: Foreign,
    /// Rollouts that it was calibrated from.
    pub rollouts: u64,
    /// What it warns of, of the versions whose rates are drawn.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// A version whose rates each replicate draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BelievedVersion {
    /// Its id.
    pub version: Foreign,
    /// The chance that an upgrade reports a failure.
    pub failure_rate: BelievedRate,
    /// The chance that nothing decisive is heard in time.
    pub hang_rate: BelievedRate,
}

/// A rate that each replicate draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BelievedRate {
    /// How many.
    pub hits: u64,
    /// Of how many verdicts.
    pub n: u64,
    /// The posterior's mean.
    pub mean: f64,
    /// The 95 % interval of what is drawn.
    pub ci: Interval,
    /// The shapes of the beta distribution that it is drawn from.
    pub beta: [f64; 2],
    /// Where the rollouts of the history differ: the concentration of a rollout's rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concentration: Option<f64>,
    /// What the scenario says, which is not used.
    pub scenario: f64,
}

/// The answer if the means were the rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointAnswer {
    /// The policy; null where none meets the limits.
    pub recommended: Option<Policy>,
    /// Whether that is decided.
    pub decided: bool,
    /// Whether it is the recommended one.
    pub same: bool,
    /// In words, with where it stands once the rates are not known.
    pub says: String,
}

/// What would be, were more known. Savings are in the unit of the goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaterReport {
    /// This many times the history; null: the rates themselves.
    pub history: Option<f64>,
    /// What it is worth, choosing among the policies that are surely within the limits today; null where none is.
    #[serde(rename = "worth")]
    pub information_value: Option<InformationValueReport>,
    /// What tune would recommend by then, with the limits held against what is known by then: the most frequent first.
    pub answers: Vec<AnswerShare>,
    /// How often no policy would meet the limits.
    pub none: Option<f64>,
    /// How often the policy that is recommended today would meet the limits and be within the tolerance of the best.
    pub stays: Option<f64>,
    /// How much less of the goal the answer would have than today's, on average; below zero where the limits cost more.
    pub saves: Estimate,
    /// Where that comes from; null where there is no answer today, and in older reports.
    #[serde(default)]
    pub parts: Option<SavingParts>,
}

/// Where a saving comes from: parts that add up to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavingParts {
    /// A better choice among the policies that are surely within the limits today.
    pub choice: Estimate,
    /// Policies that turn out to break a limit: as a rule below zero.
    pub forbidden: Estimate,
    /// Policies that turn out to be within the limits, which is undecided today; nulls in older reports.
    #[serde(default)]
    pub undecided: Estimate,
    /// Policies that turn out to be within the limits and surely are not today.
    pub allowed: Estimate,
}

/// How often a policy would be the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerShare {
    /// The policy.
    pub policy: Policy,
    /// Share of the replicates.
    pub share: f64,
}

/// What knowing more is worth: the value of information.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InformationValueReport {
    /// The mean of what would be saved.
    pub estimate: f64,
    /// Its interval, at the report's confidence.
    pub ci: Interval,
    /// What one rule, made from other replicates, saves: too small on average.
    pub achieved: f64,
    /// What a rule saves in the replicates that it was made from: too large on average.
    pub optimistic: f64,
    /// Replicates.
    pub n: u64,
}

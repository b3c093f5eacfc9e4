//! The tune report: `dryroll.tune/1`.

use serde::{Deserialize, Serialize};

use crate::model::ScenarioRef;
use crate::model::posterior::PosteriorReport;
use crate::words::Unit;
use dryroll_sim::scenario::{Advice, Measure, Metric};
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_study::study::Policy;
use dryroll_study::study::exact::TripSpread;

/// The policy that minimises the goal within the limits, and how sure that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuneReport {
    /// `dryroll.tune/1`
    pub schema: Foreign,
    /// Of which scenario.
    pub scenario: ScenarioRef,
    /// The seed.
    pub seed: u64,
    /// The command that makes this report again; empty in older reports.
    #[serde(default)]
    pub command: Foreign,
    /// The most replicates that any policy got.
    pub replicates: u64,
    /// Rollouts that were run in all.
    pub rollouts: u64,
    /// Confidence of all decisions together, 0.95.
    pub confidence: f64,
    /// The good version, whose goal is minimised.
    pub good: Foreign,
    /// The defective versions.
    pub defective: Vec<Foreign>,
    /// The one of them that gets furthest over all policies: every `blast_radius_pct` here is its.
    pub worst: Option<Foreign>,
    /// The metric whose mean on the good version is minimised.
    #[serde(with = "crate::model::measure::metric")]
    pub minimise: Metric,
    /// Policies within this share of the best are as good as it.
    pub tolerance: f64,
    /// What must hold.
    pub limits: Vec<LimitText>,
    /// The least share of the good rollouts that complete with a policy that is not out; absent in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_completed: Option<f64>,
    /// Where every replicate keeps a limit on a mean, the mean may lie this share of the limit beyond it; absent in
    /// older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_tolerance: Option<f64>,
    /// Whether the answer is decided.
    pub decided: bool,
    /// The answer in one sentence.
    pub says: String,
    /// The policy; null where none meets the limits.
    pub recommended: Option<Recommended>,
    /// Policies whose limits surely hold and that are as good as it, within the tolerance; in older reports among the
    /// undecided.
    #[serde(default)]
    pub as_good: Vec<Named>,
    /// Policies without a clear difference from it, or whose limits are undecided.
    pub undecided: Vec<Named>,
    /// The Pareto front of the goal against the blast radius of the worst version, fastest first; empty where there is
    /// no defective version.
    pub front: Vec<FrontPoint>,
    /// Where no policy meets the limits: the limit that binds, in words.
    pub binding: Option<String>,
    /// Every policy of the grid.
    pub candidates: Vec<Candidate>,
    /// How the answer moves with the failure rates.
    pub sensitivity: Vec<Sensitivity>,
    /// Between which failure rates the recommended policy meets every limit; absent where none is recommended, or
    /// nothing limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps: Option<KeepsReport>,
    /// What a better rule could do.
    pub hints: Vec<Hint>,
    /// The policy whose batches the hints are of; absent in older reports, and where there are no hints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hints_with: Option<Policy>,
    /// Which of the rules would meet the limits, or why there are no hints; absent in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hints_say: Option<String>,
    /// What people should know beside the answer.
    pub warnings: Vec<String>,
    /// Advice about the scenario; absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
    /// Where rollouts of the good version draw rates of their own: how its chance of a trip under the recommended
    /// policy is spread between them. Absent where nothing is drawn, or theory does not cover it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadReport>,
    /// Why there is no such spread though rollouts draw something of their own, and where the order of the plan is a
    /// lever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spread_notes: Vec<String>,
    /// Where the rates are not known, as with `--posterior`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posterior: Option<PosteriorReport>,
}

impl TuneReport {
    /// Whether rollouts differ in a rate of one of its versions, so that the rates it goes by are means.
    #[must_use]
    pub fn has_spread(&self) -> bool {
        let versions = std::iter::once(&self.good).chain(&self.defective);
        let mut rates = versions.filter_map(|version| self.scenario.rates.get(version)).flat_map(|rates| rates.keys());
        rates.any(|name| name.raw().ends_with("_concentration"))
    }

    /// What its sensitivity supposes of the failure rates: `were known, and others than the point`.
    #[must_use]
    pub fn supposes(&self) -> &'static str {
        match (self.has_spread(), self.posterior.is_some()) {
            (true, true) => "If the mean failure rates were known, with this spread, and others than the point",
            (true, false) => "If the mean failure rates are others, with this spread",
            (false, true) => "If the failure rates were known, and others than the point",
            (false, false) => "If the failure rates are others",
        }
    }
}

/// How a chance of a trip is spread between rollouts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpreadReport {
    /// In one sentence.
    pub says: String,
    /// In numbers.
    #[serde(flatten)]
    pub trip: TripSpread,
}

/// A limit in words and numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitText {
    /// As in `false_trip_rate ≤ 0.02`.
    pub says: String,
    /// The metric or rate that it is about.
    #[serde(with = "crate::model::measure")]
    pub metric: Measure,
    /// The versions that it is about.
    pub versions: Vec<Foreign>,
    /// The key of `[tune]` that it comes from, where it is not one of its `limits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its number, where it is a limit on a mean, as the axes of the plot are; null elsewhere and in older reports.
    #[serde(default)]
    pub bound_of_mean: Option<f64>,
}

/// An estimate with its interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: Option<f64>,
    /// Its interval, for this number alone, at the report's confidence.
    pub ci: Option<Interval>,
    /// Over how many replicates.
    pub n: u64,
    /// The exact value, where theory has it; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<f64>,
}

impl Estimate {
    /// The exact value, or else the estimate.
    #[must_use]
    pub fn best(&self) -> Option<f64> {
        self.exact.or(self.value)
    }

    /// In words; an exact value begins with `=`.
    #[must_use]
    pub fn says(&self, unit: Unit) -> String {
        let exact = if self.exact.is_some() { "= " } else { "" };
        format!("{exact}{}", unit.say_or_nothing(self.best()))
    }

    /// The same, held against a bound.
    #[must_use]
    pub fn says_against(&self, unit: Unit, bound: Option<f64>) -> String {
        match (self.best(), bound) {
            (Some(value), Some(bound)) => {
                let exact = if self.exact.is_some() { "= " } else { "" };
                format!("{exact}{}", unit.say_against(value, bound))
            }
            _ => self.says(unit),
        }
    }
}

/// The recommended policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommended {
    /// The policy.
    pub policy: Policy,
    /// Why.
    pub evidence: Evidence,
}

/// What is known of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Replicates of each version.
    pub replicates: u64,
    /// The goal on the good version.
    pub objective: Estimate,
    /// `blast_radius_pct` of the report's worst version; nulls where there is none.
    pub blast_radius_pct: Estimate,
    /// `harmed_pct` of the same version; nulls in older reports.
    #[serde(default)]
    pub harmed_pct: Estimate,
    /// Each limit for each version that it is about.
    pub limits: Vec<LimitCheck>,
}

/// A limit, held against one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitCheck {
    /// The limit in words.
    pub limit: String,
    /// The metric or rate that it is about.
    #[serde(with = "crate::model::measure")]
    pub metric: Measure,
    /// The number that it is held against; null in older reports.
    #[serde(default)]
    pub bound: Option<f64>,
    /// The version.
    pub version: Foreign,
    /// What was seen.
    pub observed: Estimate,
    /// `true`: it holds, `false`: it does not, null: undecided.
    pub holds: Option<bool>,
    /// `true`: it holds in every replicate, and the mean is surely no more than the report's `limit_tolerance` beyond
    /// it. Absent elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_tolerance: bool,
}

/// A policy beside the recommended one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// The policy.
    pub policy: Policy,
    /// Why it stands where it does.
    pub why: String,
    /// How much less of the goal it has than the recommended one, where a limit keeps it from being the answer only
    /// because that limit is undecided; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_save: Option<f64>,
    /// What is known of it.
    pub evidence: Evidence,
}

/// A point of the Pareto front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontPoint {
    /// The policy.
    pub policy: Policy,
    /// The goal on the good version.
    pub objective: Estimate,
    /// Blast radius of the worst version.
    pub blast_radius_pct: Estimate,
    /// Whether it is on the front for sure: no other policy may still turn out better in both.
    pub decided: bool,
}

/// Where a policy stands in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The answer.
    Recommended,
    /// As good as the answer, for sure, within the tolerance. In older reports these are undecided.
    AsGood,
    /// No clear difference from the answer, or a limit that is undecided.
    Undecided,
    /// Slower than the answer, for sure.
    Slower,
    /// A limit does not hold, for sure.
    BreaksLimit,
    /// Its breaker can never trip.
    NeverTrips,
}

impl Standing {
    /// The word of tables and pages.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::AsGood => "as good",
            Self::Undecided => "undecided",
            Self::Slower => "slower",
            Self::BreaksLimit => "breaks a limit",
            Self::NeverTrips => "never trips",
        }
    }
}

/// A policy of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The policy.
    pub policy: Policy,
    /// Where it stands.
    pub standing: Standing,
    /// In words.
    pub why: String,
    /// What is known of it.
    pub evidence: Evidence,
    /// Mean of its goal less that of the recommended one, on the same replicates.
    pub slower_by: Estimate,
    /// Whether it is on the front; null: undecided. False where there is none.
    pub on_front: Option<bool>,
    /// Of a policy with which too few good rollouts complete: what it does, as in `stops 97 % of good rollouts`. Absent
    /// elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_up: Option<String>,
}

/// The answer with other failure rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// All failure rates times this.
    pub factor: f64,
    /// The policy recommended then; null where none meets the limits.
    pub recommended: Option<Policy>,
    /// Whether that is decided.
    pub decided: bool,
    /// Whether the policy that is recommended at the scenario's rates meets every limit at these; null where that is
    /// undecided.
    #[serde(default)]
    pub meets: Option<bool>,
    /// The limits of that policy at these rates.
    #[serde(default)]
    pub limits: Vec<LimitCheck>,
    /// In words.
    pub says: String,
}

/// Between which failure rates the recommended policy meets every limit, as factors of the scenario's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeepsReport {
    /// Down to this factor it surely does.
    pub from: f64,
    /// At this lower one it does not, or that is not sure; null where it does as far as was tried.
    pub not_sure_below: Option<f64>,
    /// Up to this factor it surely does.
    pub to: f64,
    /// At this higher one it does not, or that is not sure.
    pub not_sure_above: Option<f64>,
    /// In words.
    pub says: String,
}

/// What another rule than failures in a row could do with the recommended batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hint {
    /// The rule, as in `CUSUM`.
    pub rule: String,
    /// Its parameters in words.
    pub parameters: String,
    /// Share of good rollouts that it would trip.
    pub false_trip_rate: f64,
    /// By defective version: share that it would trip, and mean share of the fleet exposed by then, percent.
    pub versions: Vec<(Foreign, f64, f64)>,
    /// Whether it would meet every limit; absent where it breaks none, and one is undecided or not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meets: Option<bool>,
    /// Limits that these verdicts cannot decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<String>,
    /// In words.
    pub says: String,
}

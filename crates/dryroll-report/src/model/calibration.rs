//! The report of a calibration: `dryroll.calibration/1`.

use serde::{Deserialize, Serialize};

use crate::checked::Fault;
use dryroll_engine::OperatorDecision;
use dryroll_sim::scenario::Distribution;
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_study::calibrate::{Family, Warning};
use dryroll_study::study::tune::posterior::{self, RateHistory, VersionHistory};

/// `dryroll.calibration/1`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// `dryroll.calibration/1`
    pub schema: Foreign,
    /// The logs that were read.
    pub logs: Vec<Foreign>,
    /// How many rollouts they hold.
    pub rollouts: u64,
    /// What heartbeats were taken to come at.
    pub heartbeat_interval_sec: f64,
    /// The versions: those that a rollback went to first.
    pub versions: Vec<VersionReport>,
    /// The operator.
    pub operator: OperatorReport,
    /// What no log of this kind shows, or these do not.
    pub warnings: Vec<Warning>,
}

/// A version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionReport {
    /// Its id.
    pub version: Foreign,
    /// In how many rollouts it was commanded.
    pub rollouts: u64,
    /// Commands to it.
    pub commands: u64,
    /// Healthy verdicts.
    pub healthy: u64,
    /// Reported failures.
    pub upgrade_failed: u64,
    /// Health windows that closed.
    pub health_timeout: u64,
    /// Commands on whose end nobody waited.
    pub cut_short: u64,
    /// Healthy verdicts that relapsed later; they are healthy in the counts and in the rates.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub relapsed: u64,
    /// How long its upgrades take.
    pub upgrade_time: DurationReport,
    /// What multiplies the upgrade times of a rollout, where rollouts differ by more than chance; the fit is then of a
    /// rollout whose factor is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade_time_factor: Option<FactorReport>,
    /// Reported failures, of all commands that were waited for.
    pub failure_rate: RateReport,
    /// Silence for good.
    pub hang_rate: RateReport,
    /// What the log does not show about it.
    pub warnings: Vec<Warning>,
}

/// How rollouts differ in how long upgrades take: each has its own factor, log-normal with median 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorReport {
    /// Rollouts with data.
    pub rollouts: u64,
    /// The chance of rollouts that differ as much, were their times alike.
    pub p_value: f64,
    /// The deviation of its logarithm.
    pub sigma: f64,
    /// Its 95 % interval.
    pub sigma_ci: Interval,
}

/// The operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatorReport {
    /// How long an answer to a plan takes.
    pub approval_delay: DurationReport,
    /// How long a decision on a trip takes.
    pub decision_delay: DurationReport,
    /// How long an answer to a promotion takes; absent where none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion_delay: Option<DurationReport>,
    /// Plans that were approved.
    pub approved: u64,
    /// Plans that were edited.
    pub edited: u64,
    /// Plans that were rejected.
    pub rejected: u64,
    /// Promotions that were given.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub promoted: u64,
    /// Promotions that were answered with a rollback or an abort.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_promoted: u64,
    /// What was decided on trips, the most frequent first.
    pub on_trip: Vec<DecisionCount>,
    /// What the log does not show about it.
    pub warnings: Vec<Warning>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How often something was decided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionCount {
    /// What.
    pub decision: OperatorDecision,
    /// How often.
    pub count: u64,
}

/// A rate: a posterior under Jeffreys's prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateReport {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub n: u64,
    /// Its mean.
    pub estimate: f64,
    /// Its 95 % interval: where rollouts differ, that of the mean over rollouts.
    pub ci: Interval,
    /// The shapes of the beta distribution for the rate of the next rollout.
    pub beta: [f64; 2],
    /// How rollouts differ, where they do by more than chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadReport>,
}

impl RateReport {
    /// The 95 % interval of the rate of the next rollout; `None` where `beta` is of no distribution.
    #[must_use]
    pub fn next_interval(&self) -> Option<Interval> {
        posterior::interval(self.beta)
    }
}

/// How rollouts differ in a rate: each has its own, from a beta distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpreadReport {
    /// Rollouts with data.
    pub rollouts: u64,
    /// The chance of rollouts that differ as much, were their rate the same.
    pub p_value: f64,
    /// The mean over rollouts.
    pub mean: f64,
    /// Its 95 % interval.
    pub mean_ci: Interval,
    /// The sum of the shapes: the larger, the more alike.
    pub concentration: f64,
    /// Its 95 % interval.
    pub concentration_ci: Interval,
}

/// A duration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DurationReport {
    /// How many ends were seen.
    pub n: u64,
    /// Observations without an end (censored).
    pub censored: u64,
    /// An end lies at most so long before it is seen.
    pub resolution_sec: f64,
    /// What fits; null where nothing was seen.
    pub fit: Option<FitReport>,
    /// Seconds, and the share of all that was seen by then: Kaplan and Meier's.
    pub staircase: Vec<(f64, f64)>,
    /// The same by what was fitted.
    pub curve: Vec<(f64, f64)>,
}

/// What fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitReport {
    /// The family that was chosen.
    pub family: Family,
    /// The distribution, as a scenario has it.
    pub distribution: Distribution,
    /// Its parameters.
    pub parameters: Vec<ParameterReport>,
    /// The share of all that end at all.
    pub ends: f64,
    /// The agreement of the best family; null where there is too little data.
    pub goodness: Option<GoodnessReport>,
    /// What was tried, the best first.
    pub candidates: Vec<CandidateReport>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterReport {
    /// Its name.
    pub name: String,
    /// Seconds, or a pure number.
    pub estimate: f64,
    /// Its 95 % interval.
    pub ci: Interval,
}

/// How well the best family agrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoodnessReport {
    /// The statistic.
    pub chi_squared: f64,
    /// Its degrees of freedom.
    pub degrees: u32,
    /// About the chance of a worse one.
    pub p_value: f64,
}

/// A family that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateReport {
    /// Which.
    pub family: Family,
    /// Its best distribution.
    pub distribution: Distribution,
    /// The logarithm of its likelihood.
    pub log_likelihood: f64,
    /// Schwarz's criterion: less is better.
    pub bic: f64,
}

impl CalibrationReport {
    /// What it says of the rates of each version.
    #[must_use]
    pub fn histories(&self) -> Vec<VersionHistory> {
        // Of one rollout, the interval of its rate is that of the draws.
        let rate = |one: &RateReport, rollouts: u64| RateHistory {
            hits: one.hits,
            n: one.n,
            mean: one.beta[0] / (one.beta[0] + one.beta[1]),
            interval: one.next_interval().filter(|_| rollouts > 1).unwrap_or(one.ci),
            shapes: one.beta,
            concentration: one.spread.as_ref().map(|spread| spread.concentration),
        };
        let version = |one: &VersionReport| VersionHistory {
            version: one.version.clone(),
            failure: rate(&one.failure_rate, one.rollouts),
            silence: rate(&one.hang_rate, one.rollouts),
        };
        self.versions.iter().map(version).collect()
    }

    /// Versions whose rates cannot be drawn.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let fault = |(place, history): (usize, VersionHistory)| {
            let error = history.check().err()?;
            let allowed = "rates that can be drawn".to_owned();
            Some(Fault {
                pointer: format!("/versions/{place}"),
                found: format!("nothing to draw from: {error}"),
                allowed,
            })
        };
        self.histories().into_iter().enumerate().filter_map(fault).collect()
    }
}

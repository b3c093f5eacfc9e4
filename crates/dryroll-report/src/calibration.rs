//! The report of a calibration, what it says to people, and the scenario tables that come of it.

mod table;
mod tables;

use serde::{Deserialize, Serialize};

use crate::checked::Fault;
use dryroll_engine::OperatorDecision;
use dryroll_sim::scenario::Distribution;
use dryroll_sim::text::Foreign;
use dryroll_stats::Interval;
use dryroll_study::calibrate::fit::{Candidate, Fit, Parameter};
use dryroll_study::calibrate::posterior::Posterior;
use dryroll_study::calibrate::spread::Spread;
use dryroll_study::calibrate::time_factor::TimeFactor;
use dryroll_study::calibrate::{Calibration, Duration, Family, OperatorCalibration, VersionCalibration, Warning};
use dryroll_study::study::tune::posterior::{self, RateHistory, VersionHistory};

pub use table::calibration_table;
pub use tables::{about, spread};

/// Steps of a fitted curve.
const STEPS: u64 = 120;

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
    /// What no log of this kind tells, or these do not.
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
    /// What the log cannot tell of it.
    pub warnings: Vec<Warning>,
}

/// How rollouts differ in how long upgrades take: each has its own factor, log-normal with median 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorReport {
    /// Rollouts that tell.
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
    /// Plans that were approved.
    pub approved: u64,
    /// Plans that were edited.
    pub edited: u64,
    /// Plans that were rejected.
    pub rejected: u64,
    /// What was decided on trips, the most frequent first.
    pub on_trip: Vec<DecisionCount>,
    /// What the log cannot tell of it.
    pub warnings: Vec<Warning>,
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
    /// Rollouts that tell.
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
    /// How many were waited for in vain.
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
    /// The agreement of the best family; null where it cannot be told.
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
    /// The report of a calibration from these logs.
    #[must_use]
    pub fn new(calibration: &Calibration, logs: Vec<Foreign>) -> Self {
        Self {
            schema: "dryroll.calibration/1".into(),
            logs,
            rollouts: calibration.histories,
            heartbeat_interval_sec: seconds(calibration.heartbeat_interval),
            versions: calibration.versions.iter().map(VersionReport::from).collect(),
            operator: OperatorReport::from(&calibration.operator),
            warnings: calibration.warnings.clone(),
        }
    }

    /// The tables of a scenario that fit, with comments on how sure they are.
    #[must_use]
    pub fn tables(&self) -> String {
        tables::tables(self)
    }

    /// What it says of the rates of each version.
    #[must_use]
    pub fn histories(&self) -> Vec<VersionHistory> {
        let rate = |one: &RateReport| RateHistory {
            hits: one.hits,
            n: one.n,
            mean: one.beta[0] / (one.beta[0] + one.beta[1]),
            interval: one.next_interval().filter(|_| one.spread.is_some()).unwrap_or(one.ci),
            shapes: one.beta,
            concentration: one.spread.as_ref().map(|spread| spread.concentration),
        };
        let version = |one: &VersionReport| VersionHistory {
            version: one.version.clone(),
            failure: rate(&one.failure_rate),
            silence: rate(&one.hang_rate),
        };
        self.versions.iter().map(version).collect()
    }

    /// Versions whose rates nobody could draw.
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

    /// Its durations, each with a name for people.
    #[must_use]
    pub fn durations(&self) -> Vec<(String, &DurationReport)> {
        let versions = self.versions.iter().map(|one| (format!("upgrade to {}", one.version), &one.upgrade_time));
        let operator = [
            ("answer to a plan".to_owned(), &self.operator.approval_delay),
            ("decision on a trip".to_owned(), &self.operator.decision_delay),
        ];
        versions.chain(operator).collect()
    }
}

fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}

impl From<&VersionCalibration> for VersionReport {
    fn from(version: &VersionCalibration) -> Self {
        Self {
            version: version.version.clone(),
            rollouts: version.histories,
            commands: version.counts.all(),
            healthy: version.counts.healthy,
            upgrade_failed: version.counts.failed,
            health_timeout: version.counts.timed_out,
            cut_short: version.counts.cut_short,
            upgrade_time: DurationReport::from(&version.upgrade_time),
            upgrade_time_factor: version.upgrade_time.factor.as_ref().map(FactorReport::from),
            failure_rate: RateReport::from(&version.rates.failure),
            hang_rate: RateReport::from(&version.rates.silence),
            warnings: version.warnings.clone(),
        }
    }
}

impl From<&OperatorCalibration> for OperatorReport {
    fn from(operator: &OperatorCalibration) -> Self {
        let seen = &operator.observations;
        Self {
            approval_delay: DurationReport::from(&operator.approval_delay),
            decision_delay: DurationReport::from(&operator.decision_delay),
            approved: seen.approved,
            edited: seen.edited,
            rejected: seen.rejected,
            on_trip: seen.on_trip.iter().map(|&(decision, count)| DecisionCount { decision, count }).collect(),
            warnings: operator.warnings.clone(),
        }
    }
}

impl From<&Posterior> for RateReport {
    fn from(rate: &Posterior) -> Self {
        let &Posterior { hits, n, mean, interval, beta, ref spread } = rate;
        let spread = spread.as_ref().map(SpreadReport::from);
        Self { hits, n, estimate: mean, ci: interval, beta: [beta.0, beta.1], spread }
    }
}

impl From<&TimeFactor> for FactorReport {
    fn from(factor: &TimeFactor) -> Self {
        let &TimeFactor { rollouts, p_value, sigma, interval, .. } = factor;
        Self { rollouts, p_value, sigma, sigma_ci: interval }
    }
}

impl From<&Spread> for SpreadReport {
    fn from(spread: &Spread) -> Self {
        Self {
            rollouts: spread.rollouts,
            p_value: spread.p_value,
            mean: spread.mean,
            mean_ci: spread.mean_interval,
            concentration: spread.concentration,
            concentration_ci: spread.concentration_interval,
        }
    }
}

impl From<&Duration> for DurationReport {
    fn from(duration: &Duration) -> Self {
        let sample = &duration.sample;
        let both = |points: Vec<(u64, f64)>| points.into_iter().map(|(time, share)| (seconds(time), share)).collect();
        let until = sample.longest().max(sample.open.last().map_or(0, |&(time, _)| time));
        Self {
            n: sample.n_seen() as u64,
            censored: sample.n_open() as u64,
            resolution_sec: seconds(sample.resolution),
            fit: duration.fit.as_ref().map(FitReport::from),
            staircase: both(duration.staircase()),
            curve: both(duration.curve(until, STEPS)),
        }
    }
}

impl From<&Fit> for FitReport {
    fn from(fit: &Fit) -> Self {
        let parameter =
            |one: &Parameter| ParameterReport { name: one.name.to_owned(), estimate: one.estimate, ci: one.interval };
        let candidate = |one: &Candidate| CandidateReport {
            family: one.family,
            distribution: one.distribution.clone(),
            log_likelihood: one.log_likelihood,
            bic: one.bic,
        };
        Self {
            family: fit.family,
            distribution: fit.distribution.clone(),
            parameters: fit.parameters.iter().map(parameter).collect(),
            ends: fit.ends,
            goodness: fit.goodness.map(|goodness| GoodnessReport {
                chi_squared: goodness.chi_squared,
                degrees: goodness.degrees,
                p_value: goodness.p_value,
            }),
            candidates: fit.candidates.iter().map(candidate).collect(),
        }
    }
}

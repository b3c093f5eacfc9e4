//! A calibration report from a calibration.

use crate::model::calibration::{
    CalibrationReport, CandidateReport, DecisionCount, DurationReport, FactorReport, FitReport, GoodnessReport,
    OperatorReport, ParameterReport, RateReport, SpreadReport, VersionReport,
};
use dryroll_sim::text::Foreign;
use dryroll_study::calibrate::fit::{Candidate, Fit, Parameter};
use dryroll_study::calibrate::posterior::Posterior;
use dryroll_study::calibrate::spread::Spread;
use dryroll_study::calibrate::time_factor::TimeFactor;
use dryroll_study::calibrate::{Calibration, Duration, OperatorCalibration, VersionCalibration};

/// Steps of a fitted curve.
const STEPS: u64 = 120;

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
            relapsed: version.relapsed,
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
            promotion_delay: operator.promotion_delay.as_ref().map(DurationReport::from),
            approved: seen.approved,
            edited: seen.edited,
            rejected: seen.rejected,
            promoted: seen.promoted,
            not_promoted: seen.not_promoted,
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

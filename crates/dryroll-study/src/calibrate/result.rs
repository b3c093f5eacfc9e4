//! The calibration result, with its uncertainty and its limits.

use super::family::Family;
use super::fit::{FEWEST, Fit};
use super::goodness;
use super::likelihood::Model;
use super::observations::{AttemptCounts, Observations, OperatorObservations, VersionObservations};
use super::posterior::{Rates, Spreads, rates};
use super::sample::{Sample, Times};
use super::silence::Silence;
use super::spread::Spread;
use super::time_factor::{self, TimeFactor};
use super::two_groups::SlowGroup;
use super::warning::{self, Warning};
use dryroll_sim::text::Foreign;

/// A duration: the observed times and their fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Duration {
    /// The observed times.
    pub sample: Sample,
    /// Their fit; `None` where no time was observed.
    pub fit: Option<Fit>,
    /// How times differ between rollouts, where they do; the fit then describes a rollout whose factor is 1.
    pub factor: Option<TimeFactor>,
    /// The p-value for equal times across rollouts, where it is below the level; the rollouts may be too few for a
    /// factor.
    pub differ: Option<f64>,
}

impl Duration {
    fn of(times: &Times, resolution: u64) -> Self {
        let sample = Sample::new(times, resolution);
        let fit = Fit::of(&sample);
        Self { sample, fit, factor: None, differ: None }
    }

    /// The duration of a version's upgrades, over all rollouts.
    fn of_upgrades(observed: &VersionObservations, resolution: u64) -> Self {
        let window = observed.timed_out.iter().min().copied();
        let Some(chance) = time_factor::differ(&observed.times_by_history, window) else {
            return Self::of(&observed.times(), resolution);
        };
        let sample = Sample::new(&observed.times(), resolution);
        match time_factor::fitted(&observed.times_by_history, &sample, chance) {
            Some((factor, fit)) => Self { sample, fit: Some(fit), factor: Some(factor), differ: Some(chance) },
            None => Self { differ: Some(chance), ..Self::of(&observed.times(), resolution) },
        }
    }

    /// The fitted model of the times of all rollouts.
    pub(super) fn model(&self) -> Option<Model> {
        let fit = self.fit.as_ref()?;
        let resolution = self.sample.resolution;
        Some(match &self.factor {
            Some(factor) => factor.pooled(&fit.distribution, resolution),
            None => Model::new(&fit.distribution, resolution),
        })
    }

    /// The fitted share of what ends that is observed by a time, milliseconds.
    #[must_use]
    pub fn seen_by(&self, time: u64) -> Option<f64> {
        self.model().map(|model| model.seen_by(time))
    }

    /// The share observed by each time, whatever is fitted: the corners of a step function.
    #[must_use]
    pub fn staircase(&self) -> Vec<(u64, f64)> {
        goodness::staircase(&self.sample)
    }

    /// The fitted share at this many steps from 0 to `until`.
    #[must_use]
    pub fn curve(&self, until: u64, steps: u64) -> Vec<(u64, f64)> {
        let (Some(model), Some(fit)) = (self.model(), &self.fit) else { return Vec::new() };
        let moments = (0..=steps).map(|step| until * step / steps.max(1));
        moments.map(|time| (time, fit.ends * model.seen_by(time))).collect()
    }

    /// Whether enough times were observed to choose a family.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.sample.n_seen() >= FEWEST
    }
}

/// The calibration of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionCalibration {
    /// The version's id.
    pub version: Foreign,
    /// Its commands by outcome.
    pub counts: AttemptCounts,
    /// The number of histories in which it was commanded.
    pub histories: u64,
    /// Healthy verdicts that relapsed later. They are healthy in the counts and in the rates.
    pub relapsed: u64,
    /// How long its upgrades take.
    pub upgrade_time: Duration,
    /// How often its upgrades fail, and how often no end can be observed.
    pub rates: Rates,
    /// The families by which hang_rate was estimated, where upgrades can outlast the health window.
    pub late_families: Vec<Family>,
    /// The slow group of hosts that also entered that estimate, where the times support one.
    pub slow_group: Option<SlowGroup>,
    /// What the log cannot tell about the version.
    pub warnings: Vec<Warning>,
}

/// The calibration of the operator.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorCalibration {
    /// The observations of the operator.
    pub observations: OperatorObservations,
    /// How long an answer to a plan takes.
    pub approval_delay: Duration,
    /// How long a decision on a trip takes.
    pub decision_delay: Duration,
    /// How long an answer to a promotion takes; `None` where none was asked for.
    pub promotion_delay: Option<Duration>,
    /// What the log cannot tell about the operator.
    pub warnings: Vec<Warning>,
}

/// The calibration of all histories.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The assumed heartbeat interval, milliseconds.
    pub heartbeat_interval: u64,
    /// The number of rollouts.
    pub histories: u64,
    /// By version, those that a rollback went to first.
    pub versions: Vec<VersionCalibration>,
    /// The operator.
    pub operator: OperatorCalibration,
    /// What no log of this kind can tell, or what this one cannot.
    pub warnings: Vec<Warning>,
}

impl Calibration {
    /// Calibrates from observations, if heartbeats come at this interval, milliseconds.
    #[must_use]
    pub fn of(observations: &Observations, heartbeat_interval: u64) -> Self {
        let versions = observations.versions.iter().map(|version| calibrated(version, heartbeat_interval)).collect();
        Self {
            heartbeat_interval,
            histories: observations.histories,
            versions,
            operator: operator(&observations.operator),
            warnings: warning::of_logs(observations, heartbeat_interval),
        }
    }
}

fn calibrated(observed: &VersionObservations, heartbeat_interval: u64) -> VersionCalibration {
    let upgrade_time = Duration::of_upgrades(observed, heartbeat_interval);
    let silence = Silence::of(observed, &upgrade_time);
    let mut spreads = spreads(&observed.by_history);
    if upgrade_time.factor.is_some() && silence.hangs.is_some() {
        // Timeouts differ with the times, so hangs cannot be separated from them.
        spreads.silence = None;
    }
    let AttemptCounts { healthy, failed, timed_out, .. } = observed.counts;
    let mut version = VersionCalibration {
        version: observed.version.clone(),
        counts: observed.counts,
        histories: observed.by_history.len() as u64,
        relapsed: observed.relapsed,
        upgrade_time,
        rates: rates(failed, healthy, timed_out, &silence, spreads),
        late_families: silence.families,
        slow_group: silence.slow_group,
        warnings: Vec::new(),
    };
    version.warnings = warning::of_version(&version, observed);
    version
}

/// How rollouts differ: in failures among the commands that came to an end, and in timeouts among those that were
/// observed to their end.
fn spreads(histories: &[AttemptCounts]) -> Spreads {
    let counts = |of: fn(&AttemptCounts) -> (u64, u64)| Spread::of(&histories.iter().map(of).collect::<Vec<_>>());
    Spreads { failure: counts(AttemptCounts::failures), silence: counts(AttemptCounts::timeouts) }
}

/// Answers are known to the millisecond.
fn operator(observed: &OperatorObservations) -> OperatorCalibration {
    let Times { seen, open } = &observed.promotions;
    let has_promotions = !seen.is_empty() || !open.is_empty();
    let mut operator = OperatorCalibration {
        promotion_delay: has_promotions.then(|| Duration::of(&observed.promotions, 1)),
        observations: observed.clone(),
        approval_delay: Duration::of(&observed.approvals, 1),
        decision_delay: Duration::of(&observed.decisions, 1),
        warnings: Vec::new(),
    };
    operator.warnings = warning::of_operator(&operator);
    operator
}

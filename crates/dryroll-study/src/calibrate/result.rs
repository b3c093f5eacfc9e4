//! What fits the histories, with its uncertainty and what it cannot tell.

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

/// A duration: the times that were observed, and what fits them.
#[derive(Clone, Debug, PartialEq)]
pub struct Duration {
    /// The times.
    pub sample: Sample,
    /// What fits them; `None` where nothing was seen.
    pub fit: Option<Fit>,
    /// How the times of rollouts differ, where they do; the fit is then of a rollout whose factor is 1.
    pub factor: Option<TimeFactor>,
    /// The chance of rollouts that differ as much, where it is below the level; they may be too few for a factor.
    pub differ: Option<f64>,
}

impl Duration {
    fn of(times: &Times, resolution: u64) -> Self {
        let sample = Sample::new(times, resolution);
        let fit = Fit::of(&sample);
        Self { sample, fit, factor: None, differ: None }
    }

    /// That of a version's upgrades, in all rollouts.
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

    /// The times of all rollouts, by what was fitted.
    pub(super) fn model(&self) -> Option<Model> {
        let fit = self.fit.as_ref()?;
        let resolution = self.sample.resolution;
        Some(match &self.factor {
            Some(factor) => factor.pooled(&fit.distribution, resolution),
            None => Model::new(&fit.distribution, resolution),
        })
    }

    /// The share of what ends that is seen by a moment, milliseconds, by what was fitted.
    #[must_use]
    pub fn seen_by(&self, time: u64) -> Option<f64> {
        self.model().map(|model| model.seen_by(time))
    }

    /// The share of all that was seen by each time, whatever was fitted: the corners of a staircase.
    #[must_use]
    pub fn staircase(&self) -> Vec<(u64, f64)> {
        goodness::staircase(&self.sample)
    }

    /// The same at so many moments from 0 to `until`, by what was fitted.
    #[must_use]
    pub fn curve(&self, until: u64, steps: u64) -> Vec<(u64, f64)> {
        let (Some(model), Some(fit)) = (self.model(), &self.fit) else { return Vec::new() };
        let moments = (0..=steps).map(|step| until * step / steps.max(1));
        moments.map(|time| (time, fit.ends * model.seen_by(time))).collect()
    }

    /// Whether enough was seen to choose a family.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.sample.n_seen() >= FEWEST
    }
}

/// A version, calibrated.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionCalibration {
    /// Its id.
    pub version: Foreign,
    /// What its commands came to.
    pub counts: AttemptCounts,
    /// In how many histories it was commanded.
    pub histories: u64,
    /// How long its upgrades take.
    pub upgrade_time: Duration,
    /// How often they fail, and how often nothing is heard of them.
    pub rates: Rates,
    /// The families that hang_rate was told apart by, where upgrades can outlast the health window.
    pub late_families: Vec<Family>,
    /// The slow group of hosts that it was told apart by too, where the times speak for one.
    pub slow_group: Option<SlowGroup>,
    /// What the log cannot tell of it.
    pub warnings: Vec<Warning>,
}

/// The operator, calibrated.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorCalibration {
    /// What the histories say.
    pub observations: OperatorObservations,
    /// How long an answer to a plan takes.
    pub approval_delay: Duration,
    /// How long a decision on a trip takes.
    pub decision_delay: Duration,
    /// What the log cannot tell of it.
    pub warnings: Vec<Warning>,
}

/// What fits the histories.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// What heartbeats were taken to come at, milliseconds.
    pub heartbeat_interval: u64,
    /// How many rollouts.
    pub histories: u64,
    /// The versions: those that a rollback went to first.
    pub versions: Vec<VersionCalibration>,
    /// The operator.
    pub operator: OperatorCalibration,
    /// What no log of this kind tells, or this one does not.
    pub warnings: Vec<Warning>,
}

impl Calibration {
    /// What fits the observations, if heartbeats come at this interval, milliseconds.
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
        // Timeouts differ with the times, and hangs are not seen apart from them.
        spreads.silence = None;
    }
    let AttemptCounts { healthy, failed, timed_out, .. } = observed.counts;
    let mut version = VersionCalibration {
        version: observed.version.clone(),
        counts: observed.counts,
        histories: observed.by_history.len() as u64,
        upgrade_time,
        rates: rates(failed, healthy, timed_out, &silence, spreads),
        late_families: silence.families,
        slow_group: silence.slow_group,
        warnings: Vec::new(),
    };
    version.warnings = warning::of_version(&version, observed);
    version
}

/// How rollouts differ: in failures of all that came to an end, and in timeouts of all that were waited for.
fn spreads(histories: &[AttemptCounts]) -> Spreads {
    let counts = |of: fn(&AttemptCounts) -> (u64, u64)| Spread::of(&histories.iter().map(of).collect::<Vec<_>>());
    Spreads { failure: counts(AttemptCounts::failures), silence: counts(AttemptCounts::timeouts) }
}

/// Answers are known to the millisecond.
fn operator(observed: &OperatorObservations) -> OperatorCalibration {
    let mut operator = OperatorCalibration {
        observations: observed.clone(),
        approval_delay: Duration::of(&observed.approvals, 1),
        decision_delay: Duration::of(&observed.decisions, 1),
        warnings: Vec::new(),
    };
    operator.warnings = warning::of_operator(&operator);
    operator
}

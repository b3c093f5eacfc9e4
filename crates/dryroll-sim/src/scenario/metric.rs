//! The names of the metrics that rules, limits and reports use.

use std::fmt;

use dryroll_engine::Outcome;

/// A number of each run: it has a mean, quantiles and extremes over many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// How often the breaker tripped.
    Trips,
    /// How many decisions were taken.
    Decisions,
    /// Request to `finished`.
    DurationSec,
    /// Of it, waiting for a person.
    ApprovalWaitSec,
    /// The rest of it.
    RolloutSec,
    /// Most instances exposed at one moment.
    ExposedInstances,
    /// The same, in percent of the planned ones.
    ExposedPct,
    /// `exposed_pct` of a defective version.
    BlastRadiusPct,
    /// The same, of the runs that tripped.
    BlastRadiusPctTripped,
    /// Instances ever harmed.
    HarmedInstances,
    /// The same, in percent of the planned ones.
    HarmedPct,
    /// Integral of exposed instances.
    ExposureInstanceMin,
    /// Integral of harmed and not serving.
    UnhealthyInstanceMin,
    /// Integral of not serving for any cause.
    CapacityLossInstanceMin,
    /// The lowest share that served.
    MinServingPct,
    /// First dispatch to first trip.
    TimeToDetectSec,
    /// First trip to the end of the rollback.
    TimeToMitigateSec,
    /// First trip to the moment from which nothing is commanded to the target any more.
    TimeToStopSec,
    /// Failed verdicts on instances that ran the target and served.
    FalseFailures,
    /// Harmed instances with a healthy verdict.
    EscapedInstances,
    /// Instances that an upgrade bricked.
    BrickedInstances,
}

impl Metric {
    /// All of them, in the order of the reports.
    pub const ALL: [Self; 21] = [
        Self::Trips,
        Self::Decisions,
        Self::DurationSec,
        Self::ApprovalWaitSec,
        Self::RolloutSec,
        Self::ExposedInstances,
        Self::ExposedPct,
        Self::BlastRadiusPct,
        Self::BlastRadiusPctTripped,
        Self::HarmedInstances,
        Self::HarmedPct,
        Self::ExposureInstanceMin,
        Self::UnhealthyInstanceMin,
        Self::CapacityLossInstanceMin,
        Self::MinServingPct,
        Self::TimeToDetectSec,
        Self::TimeToMitigateSec,
        Self::TimeToStopSec,
        Self::FalseFailures,
        Self::EscapedInstances,
        Self::BrickedInstances,
    ];

    /// Those that a report has: what only an upgrade that bricks can bring is there if one can.
    pub fn reported(bricks: bool) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |&metric| bricks || metric != Self::BrickedInstances)
    }

    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trips => "trips",
            Self::Decisions => "decisions",
            Self::DurationSec => "duration_sec",
            Self::ApprovalWaitSec => "approval_wait_sec",
            Self::RolloutSec => "rollout_sec",
            Self::ExposedInstances => "exposed_instances",
            Self::ExposedPct => "exposed_pct",
            Self::BlastRadiusPct => "blast_radius_pct",
            Self::BlastRadiusPctTripped => "blast_radius_pct_tripped",
            Self::HarmedInstances => "harmed_instances",
            Self::HarmedPct => "harmed_pct",
            Self::ExposureInstanceMin => "exposure_instance_min",
            Self::UnhealthyInstanceMin => "unhealthy_instance_min",
            Self::CapacityLossInstanceMin => "capacity_loss_instance_min",
            Self::MinServingPct => "min_serving_pct",
            Self::TimeToDetectSec => "time_to_detect_sec",
            Self::TimeToMitigateSec => "time_to_mitigate_sec",
            Self::TimeToStopSec => "time_to_stop_sec",
            Self::FalseFailures => "false_failures",
            Self::EscapedInstances => "escaped_instances",
            Self::BrickedInstances => "bricked_instances",
        }
    }

    /// Whether it is in percent, 0 to 100.
    #[must_use]
    pub fn is_percent(self) -> bool {
        match self {
            Self::ExposedPct
            | Self::BlastRadiusPct
            | Self::BlastRadiusPctTripped
            | Self::HarmedPct
            | Self::MinServingPct => true,
            Self::Trips
            | Self::Decisions
            | Self::DurationSec
            | Self::ApprovalWaitSec
            | Self::RolloutSec
            | Self::ExposedInstances
            | Self::HarmedInstances
            | Self::ExposureInstanceMin
            | Self::UnhealthyInstanceMin
            | Self::CapacityLossInstanceMin
            | Self::TimeToDetectSec
            | Self::TimeToMitigateSec
            | Self::TimeToStopSec
            | Self::FalseFailures
            | Self::EscapedInstances
            | Self::BrickedInstances => false,
        }
    }

    /// Whether a larger value is the better one.
    #[must_use]
    pub fn more_is_better(self) -> bool {
        self == Self::MinServingPct
    }

    /// What a run must come to before it has this figure at all; `None` where every run of such a version has it.
    #[must_use]
    pub fn condition(self) -> Option<Condition> {
        match self {
            Self::TimeToDetectSec | Self::BlastRadiusPctTripped => Some(Condition::Tripped),
            Self::TimeToStopSec => Some(Condition::Stopped),
            Self::TimeToMitigateSec => Some(Condition::RolledBack),
            _ => None,
        }
    }
}

/// What a run must come to before a conditional metric has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The breaker tripped at least once.
    Tripped,
    /// The same, of what is counted from the trip on.
    Stopped,
    /// The breaker tripped, and the rollback got to its end.
    RolledBack,
}

impl Condition {
    /// The rate that says in how many runs it is met.
    #[must_use]
    pub fn rate(self) -> Rate {
        match self {
            Self::Tripped | Self::Stopped => Rate::Trip,
            Self::RolledBack => Rate::Outcome(Outcome::RolledBack),
        }
    }

    /// What is said of a run that meets the condition: `detected in 42 % of rollouts`.
    #[must_use]
    pub fn participle(self) -> &'static str {
        match self {
            Self::Tripped => "detected",
            Self::Stopped => "stopped",
            Self::RolledBack => "rolled back",
        }
    }
}

/// A share of the runs, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// At least one trip.
    Trip,
    /// The same, of a version that is good in truth.
    FalseTrip,
    /// A defective version that ends `completed` without a trip.
    Escape,
    /// A planned instance does not run the target at the end.
    Drift,
    /// An outcome's share.
    Outcome(Outcome),
}

impl Rate {
    /// All of them, in the order of the reports.
    pub const ALL: [Self; 4 + Outcome::ALL.len()] = {
        let mut all = [Self::Trip; 4 + Outcome::ALL.len()];
        (all[1], all[2], all[3]) = (Self::FalseTrip, Self::Escape, Self::Drift);
        let mut i = 0;
        while i < Outcome::ALL.len() {
            all[4 + i] = Self::Outcome(Outcome::ALL[i]);
            i += 1;
        }
        all
    };

    /// Its name in files; an outcome's share has the outcome's.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trip => "trip_rate",
            Self::FalseTrip => "false_trip_rate",
            Self::Escape => "escape_rate",
            Self::Drift => "drift",
            Self::Outcome(outcome) => outcome.name(),
        }
    }
}

/// What a rule or a limit can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// A figure of each run.
    Metric(Metric),
    /// A share of the runs.
    Rate(Rate),
    /// The name of the outcome.
    Outcome,
}

impl Measure {
    /// What that name stands for; `None`: there is no such measure.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|measure| measure.name() == name)
    }

    /// Every measure.
    pub fn all() -> impl Iterator<Item = Self> {
        let metrics = Metric::ALL.into_iter().map(Self::Metric);
        metrics.chain(Rate::ALL.into_iter().map(Self::Rate)).chain([Self::Outcome])
    }

    /// Whether more of it is better, with a version that is defective in truth or not; `None`: it depends.
    #[must_use]
    pub fn more_is_better(self, defective: bool) -> Option<bool> {
        match self {
            Self::Metric(Metric::Trips | Metric::Decisions) if defective => None,
            // A good version is meant to reach everyone.
            Self::Metric(Metric::ExposedInstances | Metric::ExposedPct | Metric::ExposureInstanceMin) if !defective => {
                None
            }
            Self::Metric(metric) => Some(metric.more_is_better()),
            // A trip on a bad version is what the breaker is for.
            Self::Rate(Rate::Trip) => Some(defective),
            Self::Rate(Rate::FalseTrip | Rate::Escape) => Some(false),
            Self::Rate(Rate::Drift | Rate::Outcome(_)) if defective => None,
            Self::Rate(rate) => Some(rate == Rate::Outcome(Outcome::Completed)),
            Self::Outcome => None,
        }
    }

    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Metric(metric) => metric.name(),
            Self::Rate(rate) => rate.name(),
            Self::Outcome => "outcome",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Every name.
pub(super) fn names() -> Vec<&'static str> {
    Measure::all().map(Measure::name).collect()
}

/// The names of the numeric ones.
pub(super) fn numeric_names() -> Vec<&'static str> {
    Metric::ALL.into_iter().map(Metric::name).collect()
}

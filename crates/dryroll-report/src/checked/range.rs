//! Ranges of numbers, each with its unit in words.

use dryroll_sim::scenario::{MAX_SECONDS, Measure, Metric};

/// The most instances of a fleet where a report does not say how many there are.
const MOST_INSTANCES: f64 = 1e8;
/// The longest that anything in a run takes, in seconds: up to the horizon, and observed or counted for as long again.
const LONGEST_SEC: f64 = 4.0 * MAX_SECONDS;

/// From where to where a number can lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
    whole: bool,
    unit: &'static str,
}

impl Range {
    /// A share.
    pub const SHARE: Self = Self::of("a share", 0.0, 1.0);
    /// Percent.
    pub const PERCENT: Self = Self::of("percent", 0.0, 100.0);
    /// Percent that a policy has.
    pub const BATCH_PERCENT: Self = Self { whole: true, ..Self::of("whole percent", 1.0, 100.0) };
    /// How many, where nothing bounds it but what a machine counts.
    pub const COUNT: Self = Self { whole: true, ..Self::of("a whole number", 0.0, f64::INFINITY) };
    /// The same, of what there is at least one of.
    pub const POSITIVE: Self = Self { low: 1.0, high: u32::MAX as f64, ..Self::COUNT };
    /// A number, 0 or more.
    pub const QUANTITY: Self = Self::of("a number", 0.0, f64::INFINITY);
    /// A share of a variance that is saved; below 0 where there is more of it.
    pub const SAVED: Self = Self::of("a share, or a loss below 0", -1e6, 1.0);
    /// Times a scenario's.
    pub const FACTOR: Self = Self::of("a factor", 0.0, 1e6);
    /// A duration that a scenario file sets.
    pub const SETTING: Self = Self::of("seconds", 0.0, MAX_SECONDS);
    /// The same where 0 is none.
    pub const INTERVAL: Self = Self { low: 0.001, ..Self::SETTING };
    /// A time of a run.
    pub const SECONDS: Self = Self::of("seconds", 0.0, LONGEST_SEC);
    /// The same in milliseconds.
    pub const MILLIS: Self = Self { whole: true, ..Self::of("whole milliseconds", 0.0, 1000.0 * LONGEST_SEC) };

    /// Of real numbers.
    pub const fn of(unit: &'static str, low: f64, high: f64) -> Self {
        Self { low, high, whole: false, unit }
    }

    /// Of whole numbers, 0 or more.
    pub const fn up_to(high: f64) -> Self {
        Self { high, ..Self::COUNT }
    }

    /// Instances of a fleet.
    pub const fn instances(fleet: Option<u32>) -> Self {
        Self { unit: "whole instances", ..Self::up_to(fleet_of(fleet)) }
    }

    /// Verdicts on them: an instance gets one on its way out and one on its way back.
    pub const fn verdicts(fleet: Option<u32>) -> Self {
        Self::up_to(2.0 * fleet_of(fleet))
    }

    /// Their integral over the time that a run is counted.
    pub fn instance_minutes(fleet: Option<u32>) -> Self {
        Self::of("instance-minutes", 0.0, fleet_of(fleet) * LONGEST_SEC / 60.0)
    }

    /// Of the values that a metric or rate has in one run.
    pub fn of_measure(measure: Measure, fleet: Option<u32>) -> Option<Self> {
        let metric = match measure {
            Measure::Rate(_) => return Some(Self::SHARE),
            Measure::Outcome => return None,
            Measure::Metric(metric) => metric,
        };
        Some(match metric {
            Metric::Trips | Metric::Decisions | Metric::FalseFailures => Self::verdicts(fleet),
            Metric::ExposedInstances
            | Metric::HarmedInstances
            | Metric::EscapedInstances
            | Metric::BrickedInstances => Self::instances(fleet),
            Metric::ExposureInstanceMin | Metric::UnhealthyInstanceMin | Metric::CapacityLossInstanceMin => {
                Self::instance_minutes(fleet)
            }
            Metric::ExposedPct
            | Metric::BlastRadiusPct
            | Metric::BlastRadiusPctTripped
            | Metric::HarmedPct
            | Metric::MinServingPct => Self::PERCENT,
            Metric::DurationSec
            | Metric::ApprovalWaitSec
            | Metric::RolloutSec
            | Metric::TimeToDetectSec
            | Metric::TimeToMitigateSec
            | Metric::TimeToStopSec => Self::SECONDS,
        })
    }

    /// Of their mean.
    pub fn mean(self) -> Self {
        let unit = match self.unit {
            "whole instances" => "instances",
            "a whole number" => "a number",
            unit => unit,
        };
        Self { whole: false, unit, ..self }
    }

    /// Of an end of an interval of their mean: Student's may lie beyond what a single value can be, of two values a
    /// thousand times; that of a share does not.
    pub fn interval_end(self) -> Self {
        if self.unit == Self::SHARE.unit || self.low < 0.0 {
            return self;
        }
        let beyond = (1e6 * (self.high - self.low)).min(1e14);
        Self { low: -beyond, high: beyond, ..self.mean() }
    }

    /// Of a difference between two of them.
    pub fn difference(self) -> Self {
        let unit = match self.mean().unit {
            "a share" => "a difference of two shares",
            "percent" => "a difference of two percentages",
            unit => unit,
        };
        let most = self.high - self.low;
        Self::of(unit, -most, most)
    }

    /// Whether a number lies in it.
    pub fn has(self, number: f64) -> bool {
        // Sums of many numbers end a little beside.
        let room = |end: f64| 1e-9 * end.abs().clamp(1.0, 1e12);
        let (low, high) = (self.low - room(self.low), self.high + room(self.high));
        (low..=high).contains(&number) && (!self.whole || number.fract() == 0.0)
    }

    /// What it has, in words.
    pub fn says(self) -> String {
        let Self { low, high, unit, .. } = self;
        if high.is_finite() { format!("{unit}, {low} to {high}") } else { format!("{unit}, {low} or more") }
    }
}

const fn fleet_of(fleet: Option<u32>) -> f64 {
    match fleet {
        Some(fleet) => fleet as f64,
        None => MOST_INSTANCES,
    }
}

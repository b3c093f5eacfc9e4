//! Verdicts on rules, and the findings behind them.

use dryroll_sim::scenario::Expected;
use dryroll_stats::Interval;

/// The verdict on a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It certainly holds.
    Passed,
    /// It certainly does not hold.
    Failed,
    /// Neither is certain.
    Undecided(Doubt),
    /// It was not looked at, because another rule failed.
    Skipped,
}

/// Why a rule is undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The limit lies within the interval.
    WithinInterval,
    /// The limit is at the end of the possible range, where no interval ends.
    AtEndOfRange,
    /// Too few replicates for an interval.
    NoInterval,
    /// No replicate has a value.
    NothingMeasured,
    /// The rule is about more replicates than are allowed.
    TooManyWorlds,
    /// The check was stopped before it was decided.
    OutOfTime,
}

/// The finding on a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// The observed value: an estimate, or that of the deciding replicate.
    pub observed: Option<Expected>,
    /// The deciding interval where there is no exact value; `None` for facts.
    pub interval: Option<Interval>,
    /// The exact value, where theory has it: it decides.
    pub exact: Option<f64>,
    /// The confidence of the interval at the deciding look.
    pub confidence: Option<f64>,
    /// Whether it passes by tolerance: it holds in every replicate, and the mean is certainly at most the tolerance beyond
    /// the limit.
    pub by_tolerance: bool,
    /// The number of replicates with a value.
    pub n: u64,
    /// The number of replicates that were run; fewer have a value of a conditional metric.
    pub of: u64,
    /// How many of those ended at the horizon.
    pub stalled: u64,
    /// Where the rule does not pass: the replicate that is furthest beyond the limit.
    pub worst: Option<u64>,
}

impl Finding {
    pub(super) const OPEN: Self = Self {
        verdict: Verdict::Undecided(Doubt::OutOfTime),
        observed: None,
        interval: None,
        exact: None,
        confidence: None,
        by_tolerance: false,
        n: 0,
        of: 0,
        stalled: 0,
        worst: None,
    };
}

/// The findings on a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The findings, by rule.
    pub rules: Vec<Finding>,
    /// Faults that had no effect in any replicate that was searched, by index in the scenario.
    pub idle_faults: Vec<usize>,
    /// The number of rollouts for the rules.
    pub rollouts: u64,
}

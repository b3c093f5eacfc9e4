//! How a rule is decided, and a rule in words.

use std::fmt;

use super::FIRST_LOOK;
use crate::study::tune::limits::{about, bound_says};
use dryroll_sim::scenario::{Bound, Demand, EventDemand, ExpectSpec, Expected, LimitSpec, Measure, Replicates, Stat};

/// How rules are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Replicate by replicate.
    EachReplicate,
    /// By the smallest or the largest value of its replicates.
    Extreme,
    /// By an interval.
    Estimated,
}

/// How a rule is decided.
#[must_use]
pub fn kind(spec: &ExpectSpec) -> Kind {
    match (&spec.demand, spec.replicates) {
        (Demand::Event { .. }, _) | (_, Replicates::One(_)) => Kind::EachReplicate,
        (Demand::Limit(LimitSpec { metric: Measure::Outcome, .. }), _) => Kind::EachReplicate,
        (Demand::Limit(LimitSpec { bound: Bound::Equals(Expected::Truth(_)), .. }), _) => Kind::EachReplicate,
        (Demand::Limit(LimitSpec { stat: Some(Stat::Min | Stat::Max), .. }), _) => Kind::Extreme,
        (Demand::Limit(_), _) => Kind::Estimated,
    }
}

/// A rule in words, in three parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWords {
    /// The quantity: `p95 of blast_radius_pct`.
    pub about: String,
    /// The demand: `≤ 20`.
    pub limit: String,
    /// The replicates: `in replicate 0`; empty for a rule about all possible replicates.
    pub replicates: String,
}

impl RuleWords {
    /// The words of a rule.
    #[must_use]
    pub fn of(spec: &ExpectSpec) -> Self {
        let (about, limit) = match &spec.demand {
            Demand::Limit(limit) => {
                // A single replicate has no mean.
                let stat = if let Replicates::One(_) = spec.replicates { None } else { limit.stat };
                (about(&LimitSpec { stat, ..limit.clone() }), bound_says(&limit.bound, f64::to_string))
            }
            Demand::Event { event, batch_index, demand } => {
                let of = batch_index.map(|batch| format!(" of batch {batch}")).unwrap_or_default();
                let limit = match demand {
                    EventDemand::Times(bound) => format!("{} times", bound_says(bound, f64::to_string)),
                    EventDemand::Within(span) => format!("within {} s", span.as_secs_f64()),
                    EventDemand::Before(other) => format!("before {}", other.name()),
                };
                (format!("{}{of}", event.name()), limit)
            }
        };
        let replicates = match (kind(spec), spec.replicates) {
            (Kind::EachReplicate, Replicates::One(replicate)) => format!("in replicate {replicate}"),
            (Kind::EachReplicate, Replicates::First(_)) => format!("in each of {} replicates", replicates_of(spec)),
            (Kind::Extreme, Replicates::First(_)) => format!("of {} replicates", replicates_of(spec)),
            _ => String::new(),
        };
        Self { about, limit, replicates }
    }
}

/// `p95 of blast_radius_pct ≤ 20`
impl fmt::Display for RuleWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { about, limit, replicates } = self;
        let space = if replicates.is_empty() { "" } else { " " };
        write!(f, "{about} {limit}{space}{replicates}")
    }
}

/// The number of replicates that a rule states.
pub(super) fn replicates_of(spec: &ExpectSpec) -> u64 {
    match spec.replicates {
        Replicates::One(_) => 1,
        Replicates::First(n) => n.map_or(FIRST_LOOK, u64::from),
    }
}

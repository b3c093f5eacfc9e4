//! Advice about a scenario: what is allowed in its file, but most probably not meant. Each piece has a code, a
//! sentence, what to change, and the place in the file.
//!
//! The rules of the submodules read a checked [`Scenario`] and nothing else, so that a policy of a grid is advised on
//! like the file's own. What only a run can show ([`ended_at_horizon`], [`passed_on_stalled`]) is found by those who
//! ran it, and worded here. [`Advisor`] collects what several scenarios of one file have in common, and finds the
//! places in its text.
//!
//! A rule applies only if the trap is certain or almost certain. A scenario that works as written gets no advice.

mod approval;
mod breaker;
mod collect;
mod horizon;
mod overlap;
mod pace;
mod rates;
mod tune;
mod unit;
mod way_back;
mod window;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{Scenario, Target, VersionIndex};
use dryroll_engine::fleet::InstanceId;
use dryroll_engine::{BatchSizes, InterventionPolicy};

pub use collect::Advisor;
pub use horizon::{ended_at_horizon, passed_on_stalled};

/// What a piece of advice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdviceCode {
    /// The limit of the breaker is beyond what a batch or the fleet can reach.
    BreakerNeverTrips,
    /// No rollout can complete before the horizon.
    HorizonTooShort,
    /// Replicates ended at the horizon.
    EndedAtHorizon,
    /// Nothing is known to roll back to.
    NoWayBack,
    /// The version that the fleet is taken to run is newer than the target, or defective.
    DoubtfulPreviousVersion,
    /// The health window is shorter than what it waits for.
    HealthWindowTooShort,
    /// Rates of the version that the fleet already runs.
    RatesOfRunningVersion,
    /// A number of seconds that looks like milliseconds.
    UnitOfTime,
    /// The request expires before the operator answers.
    ApprovalExpires,
    /// Rates of classes and overrides that overlap, more than 1 together.
    OverlappingRates,
    /// A bake in which nothing can be found.
    UnwatchedBake,
    /// A person is to be asked before a batch that the plan does not have.
    PromotionBeyondPlan,
}

impl AdviceCode {
    /// All of them, in the order of `docs/advice.md`.
    pub const ALL: [Self; 12] = [
        Self::BreakerNeverTrips,
        Self::HorizonTooShort,
        Self::EndedAtHorizon,
        Self::NoWayBack,
        Self::DoubtfulPreviousVersion,
        Self::HealthWindowTooShort,
        Self::RatesOfRunningVersion,
        Self::UnitOfTime,
        Self::ApprovalExpires,
        Self::OverlappingRates,
        Self::UnwatchedBake,
        Self::PromotionBeyondPlan,
    ];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BreakerNeverTrips => "breaker_never_trips",
            Self::HorizonTooShort => "horizon_too_short",
            Self::EndedAtHorizon => "ended_at_horizon",
            Self::NoWayBack => "no_way_back",
            Self::DoubtfulPreviousVersion => "doubtful_previous_version",
            Self::HealthWindowTooShort => "health_window_too_short",
            Self::RatesOfRunningVersion => "rates_of_running_version",
            Self::UnitOfTime => "unit_of_time",
            Self::ApprovalExpires => "approval_expires",
            Self::OverlappingRates => "overlapping_rates",
            Self::UnwatchedBake => "unwatched_bake",
            Self::PromotionBeyondPlan => "promotion_beyond_plan",
        }
    }
}

/// A piece of advice, as reports have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// What it is about.
    pub code: AdviceCode,
    /// What is the matter, in a sentence.
    pub message: String,
    /// What to change.
    pub change: String,
    /// The file.
    pub path: String,
    /// The line of the key, or of the table that lacks it, from 1; absent where the command line set the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

impl Advice {
    /// Where it stands, as in `edge.toml:12:1`.
    #[must_use]
    pub fn place(&self) -> String {
        let (path, line) = (&self.path, self.line.map(|line| format!(":{line}")).unwrap_or_default());
        let column = self.column.map(|column| format!(":{column}")).unwrap_or_default();
        format!("{path}{line}{column}")
    }

    /// All of it but the place, in one line.
    #[must_use]
    pub fn in_a_sentence(&self) -> String {
        format!("{}: {}; {}", self.code.name(), self.message, self.change)
    }
}

/// One step on the way to a key of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Key(&'static str),
    Item(usize),
}

/// What a rule found: advice whose place is still a path of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    code: AdviceCode,
    message: String,
    change: String,
    at: Vec<Step>,
}

impl Found {
    fn new(code: AdviceCode, at: impl Into<Vec<Step>>, message: String, change: String) -> Self {
        Self { code, message, change, at: at.into() }
    }

    /// The key of `[rollout]` that it is about.
    fn rollout_key(&self) -> Option<&'static str> {
        match self.at.as_slice() {
            [Step::Key("rollout"), Step::Key(key), ..] => Some(key),
            _ => None,
        }
    }
}

/// A key of `[rollout]`.
fn rollout(key: &'static str) -> [Step; 2] {
    [Step::Key("rollout"), Step::Key(key)]
}

/// A key of a version.
fn version(VersionIndex(index): VersionIndex, key: &'static str) -> [Step; 3] {
    [Step::Key("versions"), Step::Item(index), Step::Key(key)]
}

impl Scenario {
    /// The advice for its file before any run.
    #[must_use]
    pub fn advice(&self) -> Vec<Found> {
        // Where nothing is ever commanded, that alone is told, and not here.
        if self.planned_instances() == 0 || self.reconciler.policy == InterventionPolicy::Blocked {
            return Vec::new();
        }
        let rules: [fn(&Scenario) -> Option<Found>; 12] = [
            breaker::never_trips,
            horizon::too_short,
            way_back::none,
            way_back::doubtful,
            window::shorter_than_upgrades,
            window::shorter_than_heartbeats,
            window::shorter_than_soak,
            pace::unwatched_bake,
            pace::asks_before_no_batch,
            rates::of_running_version,
            approval::expires,
            overlap::adds_up,
        ];
        let mut found: Vec<Found> = rules.iter().filter_map(|rule| rule(self)).collect();
        found.extend(breaker::rules_that_never_trip(self));
        found.extend(rates::of_groups(self));
        found.extend(unit::milliseconds(self));
        found
    }

    /// The advice for its file about the policies that `[tune]` tries.
    #[must_use]
    pub fn grid_advice(&self) -> Option<Found> {
        if self.planned_instances() == 0 || self.reconciler.policy == InterventionPolicy::Blocked {
            return None;
        }
        tune::never_trips(self)
    }

    /// How many instances its plan has.
    #[must_use]
    pub fn planned_instances(&self) -> u32 {
        let runs_target = self.previous().is_some_and(|previous| previous.digest == self.target().digest);
        if self.overrides.iter().any(|one| one.runs.is_some() || one.pinned) {
            return self.planned_one_by_one(runs_target);
        }
        if runs_target {
            return 0;
        }
        let fleet = &self.fleet;
        let apart = fleet.statuses.iter().filter(|(status, _)| !status.is_eligible()).map(|&(_, count)| count);
        fleet.instances.saturating_sub(apart.sum())
    }

    /// The same where overrides say which instances are planned. `runs_target`: whether the others run the target's
    /// digest.
    fn planned_one_by_one(&self, runs_target: bool) -> u32 {
        #[derive(Clone, Copy)]
        struct Start {
            runs_target: bool,
            is_pinned: bool,
        }
        let fleet = &self.fleet;
        let mut starts = vec![Start { runs_target, is_pinned: false }; fleet.instances as usize];
        for one in &self.overrides {
            let runs_target = one.runs.and_then(|index| self.versions.get(index.0));
            let runs_target = runs_target.map(|version| version.digest == self.target().digest);
            let say = |start: &mut Start| {
                start.runs_target = runs_target.unwrap_or(start.runs_target);
                start.is_pinned |= one.pinned;
            };
            match &one.target {
                Target::All => starts.iter_mut().for_each(say),
                Target::Ids(ids) => ids.iter().for_each(|id| starts.get_mut(id.0 as usize).into_iter().for_each(say)),
                Target::Zone(zone) => {
                    let zones = fleet.zones.max(1) as usize;
                    starts.iter_mut().skip(*zone as usize).step_by(zones).for_each(say);
                }
                // The plan is the same in every replicate.
                Target::Fraction(_) => {}
            }
        }
        let is_planned = |(n, start): (u32, &Start)| {
            !start.runs_target && !start.is_pinned && fleet.status(InstanceId(n)).is_eligible()
        };
        (0..).zip(&starts).filter(|&one| is_planned(one)).count() as u32
    }

    /// The batches and the limit of the first rule that are walked with: the operator may edit them.
    fn walked_with(&self) -> Walked {
        self.walked_of(&self.rollout.batches, self.rollout.max_consecutive_failures)
    }

    /// The same of a policy with these batches and this limit.
    fn walked_of(&self, sizes: &BatchSizes, limit: Option<NonZeroU32>) -> Walked {
        let asks = self.reconciler.policy == InterventionPolicy::RequireApproval;
        let edit = self.operator.edit.filter(|_| asks);
        let BatchSizes { rounding, of, .. } = *sizes;
        let edited = edit.and_then(|edit| edit.batch_pct);
        let edited = edited.map(|pct| BatchSizes { rounding, of, ..BatchSizes::pct(pct) });
        Walked {
            sizes: edited.unwrap_or_else(|| sizes.clone()),
            limit: edit.and_then(|edit| edit.max_consecutive_failures).or(limit).map(NonZeroU32::get),
        }
    }
}

/// The batches and the limit of failures in a row that are walked with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Walked {
    sizes: BatchSizes,
    limit: Option<u32>,
}

/// Seconds without needless decimals.
fn seconds(seconds: f64) -> String {
    format!("{} s", (seconds * 1000.0).round() / 1000.0)
}

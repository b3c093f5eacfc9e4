//! A checked scenario: the contents of the file, with defaults filled in, ids resolved and durations in milliseconds.
//! Code that holds a [`Scenario`] need not check anything again.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::file::Duration;
use super::metric::{Measure, Metric};
use crate::text::Foreign;
use dryroll_engine::fleet::{InstanceId, InstanceNames, InstanceStatus, LifecycleState, Span};
use dryroll_engine::{
    BatchSizes, BreakerOrder, BreakerScope, Edit, EventKind, InterventionPolicy, OperatorDecision, Pace, Rule, Size,
    Watch,
};

/// A whole scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it calls itself; the file's stem where it has no name.
    pub name: Foreign,
    /// SHA-256 of the file's bytes, in lower-case hex.
    pub hash: String,
    /// [Digest](super::environment_digest) of everything in the file except policy and seed.
    pub environment: String,
    /// The seed of every draw.
    pub seed: u64,
    /// A run that is not over by then ends as `stalled`.
    pub horizon: Span,
    /// The fleet.
    pub fleet: FleetSpec,
    /// The module's id.
    pub module_id: Foreign,
    /// The module's versions, as the file lists them.
    pub versions: Vec<VersionSpec>,
    /// The network.
    pub network: NetworkSpec,
    /// The rollout.
    pub rollout: RolloutSpec,
    /// The reconciler and the platform's policy.
    pub reconciler: ReconcilerSpec,
    /// The person at the console.
    pub operator: OperatorSpec,
    /// Classes of hosts; later ones win, and overrides win over them.
    pub classes: Vec<ClassSpec>,
    /// Instances that differ; later ones win.
    pub overrides: Vec<OverrideSpec>,
    /// What is injected.
    pub faults: Vec<FaultSpec>,
    /// Rules for `check`.
    pub expect: Vec<ExpectSpec>,
    /// Limits for `tune`.
    pub tune: Option<TuneSpec>,
    /// Policies by name, beside the rollout's own; no two have the same name.
    pub policies: Vec<NamedPolicy>,
    /// What a drill trains: for its debrief, and not before.
    pub drill: Option<DrillSpec>,
}

/// Place of a version in [`Scenario::versions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionIndex(pub usize);

/// The fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetSpec {
    /// The template that its instances carry.
    pub template_id: Foreign,
    /// How many instances.
    pub instances: u32,
    /// How many zones; instance n is in zone n mod zones.
    pub zones: u32,
    /// Between two heartbeats of an instance; at least 1 ms.
    pub heartbeat_interval: Span,
    /// The same phase for every instance; `None`: drawn for each.
    pub heartbeat_phase: Option<Span>,
    /// Chance that a heartbeat is lost, each on its own.
    pub heartbeat_loss_rate: f64,
    /// Network delay of a heartbeat.
    pub heartbeat_delay: Distribution,
    /// How many of the last instances have which status, in the order of [`InstanceStatus::ALL`].
    pub statuses: Vec<(InstanceStatus, u32)>,
    /// Background deaths per instance and 1000 days.
    pub crash_rate_per_1000_days: f64,
    /// How long a background death lasts.
    pub repair: Distribution,
}

impl FleetSpec {
    /// The names of its instances.
    #[must_use]
    pub fn names(&self) -> InstanceNames {
        InstanceNames::new(self.instances)
    }

    /// The status of one instance: `running`, or as `statuses` lays out the last ones.
    #[must_use]
    pub fn status(&self, id: InstanceId) -> InstanceStatus {
        let listed: u32 = self.statuses.iter().map(|&(_, count)| count).sum();
        let mut first = self.instances - listed;
        for &(status, count) in &self.statuses {
            if id.0 < first {
                break;
            }
            if id.0 < first + count {
                return status;
            }
            first += count;
        }
        InstanceStatus::Running
    }
}

/// One version of the module, and how it fares in truth.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionSpec {
    /// Its id.
    pub id: Foreign,
    /// Where it stands in its life.
    pub lifecycle_state: LifecycleState,
    /// The digest that its heartbeats carry.
    pub digest: Foreign,
    /// Ground truth for the reports.
    pub defective: bool,
    /// How long an upgrade to it takes.
    pub upgrade_time: Distribution,
    /// What multiplies upgrade times, drawn once a replicate; its parameters are pure numbers. `None`: nothing does.
    pub upgrade_time_factor: Option<Distribution>,
    /// How upgrades to it end; of a rate that is drawn, the mean.
    pub rates: OutcomeRates,
    /// Which of the rates each replicate draws.
    pub concentrations: Concentrations,
    /// How long after the end of its upgrade a crashing one dies.
    pub crash_after: Distribution,
    /// How long after the end of its upgrade a degrading one becomes unhealthy.
    pub degrade_after: Distribution,
}

/// Chances of the outcomes of one upgrade; what is left to 1 is `ok`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OutcomeRates {
    /// The agent reports that the upgrade failed.
    pub failure: f64,
    /// It goes silent for good.
    pub hang: f64,
    /// It runs the new digest and says that it is not healthy.
    pub unhealthy: f64,
    /// It passes, then dies.
    pub crash: f64,
    /// It goes silent, and nothing brings it back.
    pub brick: f64,
    /// It passes, then says that it is not healthy.
    pub degrade: f64,
}

impl OutcomeRates {
    /// The chance that an upgrade does not end well; above 1 where the rates leave no room for each other.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.failure + self.hang + self.unhealthy + self.crash + self.brick + self.degrade
    }
}

/// Which rates of a version each replicate draws once, from a beta distribution around the version's rate: the sum of
/// its shapes. `None`: the rate is the same in every replicate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Concentrations {
    /// Of the failure rate.
    pub failure: Option<f64>,
    /// Of the hang rate.
    pub hang: Option<f64>,
    /// Of the unhealthy rate.
    pub unhealthy: Option<f64>,
    /// Of the crash rate.
    pub crash: Option<f64>,
}

impl VersionSpec {
    /// The rates that a replicate may draw, each with its concentration where it does: failure, hang, unhealthy, crash.
    #[must_use]
    pub fn rates_with_concentrations(&self) -> [(f64, Option<f64>); 4] {
        let (OutcomeRates { failure, hang, unhealthy, crash, .. }, drawn) = (self.rates, self.concentrations);
        [(failure, drawn.failure), (hang, drawn.hang), (unhealthy, drawn.unhealthy), (crash, drawn.crash)]
    }
}

/// How an upgrade ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpgradeOutcome {
    /// It runs the new version and serves.
    Ok,
    /// The agent reports that the upgrade failed; still on the old version, serving.
    Fail,
    /// Silent for good until commanded again; not serving.
    Hang,
    /// Runs the new digest, heartbeats `healthy = false`; not serving.
    Unhealthy,
    /// Passes, then dies.
    Crash,
    /// Silent and not serving; no command and no kill brings it back.
    Brick,
    /// Passes, then heartbeats `healthy = false`; not serving then.
    Degrade,
}

/// How a duration is drawn. Parameters are in seconds (`sigma` and `shape` are pure numbers).
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant(f64),
    /// Exponential.
    Exponential {
        /// Mean, > 0.
        mean: f64,
    },
    /// Log-normal.
    Lognormal {
        /// Median, > 0.
        median: f64,
        /// Standard deviation of the logarithm, ≥ 0.
        sigma: f64,
    },
    /// Uniform.
    Uniform {
        /// Smallest.
        min: f64,
        /// Largest, ≥ min.
        max: f64,
    },
    /// Weibull.
    Weibull {
        /// Scale, > 0.
        scale: f64,
        /// Shape, > 0.
        shape: f64,
    },
    /// One of the listed values, each as likely; never empty.
    Empirical(Vec<f64>),
}

impl Distribution {
    /// What no draw is below, in seconds.
    #[must_use]
    pub fn least(&self) -> f64 {
        match self {
            Self::Constant(seconds) => *seconds,
            Self::Uniform { min, .. } => *min,
            Self::Empirical(values) => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Lognormal { median, sigma } if *sigma == 0.0 => *median,
            Self::Exponential { .. } | Self::Lognormal { .. } | Self::Weibull { .. } => 0.0,
        }
    }

    /// What half of the draws are not above, in seconds.
    #[must_use]
    pub fn median(&self) -> f64 {
        match self {
            Self::Constant(seconds) => *seconds,
            Self::Exponential { mean } => mean * std::f64::consts::LN_2,
            Self::Lognormal { median, .. } => *median,
            Self::Uniform { min, max } => f64::midpoint(*min, *max),
            Self::Weibull { scale, shape } => scale * libm::pow(std::f64::consts::LN_2, 1.0 / shape),
            Self::Empirical(values) => {
                let mut values = values.clone();
                values.sort_by(f64::total_cmp);
                values.get((values.len().max(1) - 1) / 2).copied().unwrap_or(0.0)
            }
        }
    }
}

/// As the file has it.
impl Serialize for Distribution {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let duration = match *self {
            Self::Constant(seconds) => Duration::Constant(seconds),
            Self::Exponential { mean } => Duration::Exponential { mean },
            Self::Lognormal { median, sigma } => Duration::Lognormal { median, sigma },
            Self::Uniform { min, max } => Duration::Uniform { min, max },
            Self::Weibull { scale, shape } => Duration::Weibull { scale, shape },
            Self::Empirical(ref values) => Duration::Empirical(values.clone()),
        };
        duration.serialize(serializer)
    }
}

impl From<Duration> for Distribution {
    fn from(duration: Duration) -> Self {
        match duration {
            Duration::Constant(seconds) => Self::Constant(seconds),
            Duration::Exponential { mean } => Self::Exponential { mean },
            Duration::Lognormal { median, sigma } => Self::Lognormal { median, sigma },
            Duration::Uniform { min, max } => Self::Uniform { min, max },
            Duration::Weibull { scale, shape } => Self::Weibull { scale, shape },
            Duration::Empirical(values) => Self::Empirical(values),
        }
    }
}

/// From what a file has. Its parameters are not held to a scenario's limits.
impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Duration::deserialize(deserializer).map(Self::from)
    }
}

/// The network between instances and controller. Without the table nothing flaps.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSpec {
    /// Per instance and hour of being up.
    pub flap_rate_per_hour: f64,
    /// How long a flap lasts.
    pub flap_down: Distribution,
    /// Per zone and day of being up.
    pub zone_outage_rate_per_day: f64,
    /// How long a zone's outage lasts.
    pub zone_outage: Distribution,
}

/// The rollout's inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutSpec {
    /// The version to roll out.
    pub target: VersionIndex,
    /// What the fleet ran before; `None`: an older one without a name, and rollback fails.
    pub previous: Option<VersionIndex>,
    /// Whether that is written; else it is the version listed before the target.
    pub names_previous: bool,
    /// The order of the plan.
    pub order: RolloutOrder,
    /// The sizes of the batches.
    pub batches: BatchSizes,
    /// The first rule; `None`: there is none.
    pub max_consecutive_failures: Option<NonZeroU32>,
    /// Whether `max_consecutive_failures` is written; else the first rule is there unless `breakers` is written.
    pub names_first_rule: bool,
    /// More than zero.
    pub health_timeout: Span,
    /// The sizes of the batches of a rollback.
    pub rollback_batches: BatchSizes,
    /// The first rule of a rollback; `None`: the rollout's.
    pub rollback_max_consecutive_failures: Option<NonZeroU32>,
    /// Of a rollback; `None`: the rollout's.
    pub rollback_health_timeout: Option<Span>,
    /// In which order verdicts are counted.
    pub breaker_order: BreakerOrder,
    /// How far a run of failures reaches.
    pub breaker_scope: BreakerScope,
    /// Further rules, in their order.
    pub breakers: Vec<Rule>,
    /// A completed batch with a smaller healthy percentage is a failed batch; 1 to 100.
    pub ok_pct: u32,
    /// `None`: the whole batch.
    pub max_in_flight: Option<Size>,
    /// When the walk goes on.
    pub pace: Pace,
    /// `None`: nobody is watched after the verdict.
    pub watch: Option<Watch>,
    /// How long after `finished` the integrals go on.
    pub observe_after: Span,
}

/// A policy with a name: the scenario's rollout with other values.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedPolicy {
    /// Its name.
    pub name: Foreign,
    /// The rollout, with the scenario's target.
    pub rollout: RolloutSpec,
}

/// In which order a plan has its instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutOrder {
    /// As the fleet lists them.
    #[default]
    Listed,
    /// In an order that the seed draws, the same in every replicate.
    Shuffled,
    /// One zone after the other.
    ByZone,
}

impl RolloutOrder {
    /// Its name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Shuffled => "shuffled",
            Self::ByZone => "by_zone",
        }
    }

    /// Whether it is the fleet's own.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub fn is_listed(&self) -> bool {
        *self == Self::Listed
    }
}

/// The reconciler and the platform's policy.
#[derive(Clone, Debug, PartialEq)]
pub struct ReconcilerSpec {
    /// Between two ticks; at least 1 ms.
    pub interval: Span,
    /// Who is asked first.
    pub policy: InterventionPolicy,
    /// Whether the caller holds `system.fleet_rolling_upgrade`.
    pub permission: bool,
}

/// The person at the console.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorSpec {
    /// How long each answer to the first request takes.
    pub approval_delay: Distribution,
    /// How long the first request waits.
    pub approval_expires: Span,
    /// Whether the last answer to the first request is yes.
    pub approves: bool,
    /// An edit made before the last answer; it changes at least one of the two.
    pub edit: Option<Edit>,
    /// What is decided on the first trip, the second, …; the last repeats. Never empty.
    pub on_trip: Vec<OperatorDecision>,
    /// How long each decision on a trip takes.
    pub decision_delay: Distribution,
    /// How long each answer to a promotion takes.
    pub promotion_delay: Distribution,
    /// What is decided on the first promotion, the second, …; the last repeats. Never empty.
    pub on_promotion: Vec<PromotionDecision>,
}

/// What a person answers to a promotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromotionDecision {
    /// The next batch begins.
    #[default]
    Promote,
    /// Every dispatched instance is rolled back.
    RollbackCompletedBatches,
    /// The rollout stops.
    Abort,
}

impl PromotionDecision {
    /// The answer to the engine.
    #[must_use]
    pub fn answer(self) -> dryroll_engine::Answer {
        use dryroll_engine::{Answer, OperatorDecision};
        match self {
            Self::Promote => Answer::Promote,
            Self::RollbackCompletedBatches => Answer::OnTrip(OperatorDecision::RollbackCompletedBatches),
            Self::Abort => Answer::OnTrip(OperatorDecision::Abort),
        }
    }
}

/// The state of an instance at the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartState {
    /// It serves.
    #[default]
    Well,
    /// It heartbeats `healthy = false` and does not serve.
    Unhealthy,
    /// It hangs: silent, and it does not serve.
    Silent,
}

/// Which instances something is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// All of them.
    All,
    /// These, in ascending order, no duplicates.
    Ids(Vec<InstanceId>),
    /// Those of a zone (from 0).
    Zone(u32),
    /// A drawn share of the fleet, 0 to 1.
    Fraction(f64),
}

/// Hosts of one kind, whose upgrades fare differently.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassSpec {
    /// What it is called.
    pub id: Foreign,
    /// Which instances belong to it.
    pub members: Members,
    /// For which versions it holds; `None`: for the target, whichever it is.
    pub versions: Option<Vec<VersionIndex>>,
    /// Rates in place of the version's, each on its own.
    pub rates: SomeRates,
    /// In place of the version's.
    pub upgrade_time: Option<Distribution>,
    /// In place of the version's.
    pub crash_after: Option<Distribution>,
    /// In place of the version's.
    pub degrade_after: Option<Distribution>,
}

/// Which instances belong to a class.
#[derive(Clone, Debug, PartialEq)]
pub enum Members {
    /// Each with this chance.
    Share(f64),
    /// These, in ascending order, no duplicates.
    Ids(Vec<InstanceId>),
    /// Those of a zone (from 0).
    Zone(u32),
    /// Neighbours in the fleet's order.
    Blocks(Blocks),
}

/// Blocks of neighbours that do not overlap, at places that are drawn; they fit into the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// How many.
    pub count: u32,
    /// Instances in one.
    pub size: u32,
}

/// Rates that something gives in place of a version's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SomeRates {
    /// In place of the version's failure rate.
    pub failure: Option<f64>,
    /// In place of the version's hang rate.
    pub hang: Option<f64>,
    /// In place of the version's unhealthy rate.
    pub unhealthy: Option<f64>,
    /// In place of the version's crash rate.
    pub crash: Option<f64>,
    /// In place of the version's brick rate.
    pub brick: Option<f64>,
    /// In place of the version's degrade rate.
    pub degrade: Option<f64>,
}

impl SomeRates {
    /// The rates that are given, and a version's own where none is.
    #[must_use]
    pub fn over(&self, version: OutcomeRates) -> OutcomeRates {
        OutcomeRates {
            failure: self.failure.unwrap_or(version.failure),
            hang: self.hang.unwrap_or(version.hang),
            unhealthy: self.unhealthy.unwrap_or(version.unhealthy),
            crash: self.crash.unwrap_or(version.crash),
            brick: self.brick.unwrap_or(version.brick),
            degrade: self.degrade.unwrap_or(version.degrade),
        }
    }

    /// Whether none is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Instances that differ from what their version and the network say.
#[derive(Clone, Debug, PartialEq)]
pub struct OverrideSpec {
    /// Which instances.
    pub target: Target,
    /// For which versions what is said of upgrades holds; `None`: for the target, whichever it is. What is said of
    /// heartbeats and flaps always holds.
    pub versions: Option<Vec<VersionIndex>>,
    /// How the upgrade ends, whatever the rates.
    pub outcome: Option<UpgradeOutcome>,
    /// Rates in place of the version's, each on its own.
    pub rates: SomeRates,
    /// In place of the version's.
    pub upgrade_time: Option<Distribution>,
    /// In place of the version's.
    pub crash_after: Option<Distribution>,
    /// In place of the version's.
    pub degrade_after: Option<Distribution>,
    /// In place of the fleet's.
    pub heartbeat_phase: Option<Span>,
    /// In place of the fleet's.
    pub heartbeat_loss_rate: Option<f64>,
    /// In place of the fleet's.
    pub heartbeat_delay: Option<Distribution>,
    /// In place of the network's.
    pub flap_rate_per_hour: Option<f64>,
    /// In place of the network's.
    pub flap_down: Option<Distribution>,
    /// The version that it runs at the request; `None`: the previous one. Not of a drawn share.
    pub runs: Option<VersionIndex>,
    /// Its state at the request.
    pub state: Option<StartState>,
    /// Whether it is never planned. Not of a drawn share.
    pub pinned: bool,
}

/// A fault: what, when, for how long, whom.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSpec {
    /// What happens.
    pub kind: FaultKind,
    /// When it starts.
    pub start: FaultStart,
    /// How long it lasts; `None`: to the end of the run.
    pub duration: Option<Span>,
    /// Whom it hits.
    pub target: Target,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// The network of the targets is down.
    Partition,
    /// The targets restart: silent and not serving for the duration.
    Kill,
    /// Upgrades that start in the window take `factor` times as long.
    Slow {
        /// > 0.
        factor: f64,
    },
    /// Upgrades do not progress.
    RegistryOutage,
    /// Ticks are skipped.
    ReconcilerPause,
    /// The controller is dead, and comes back from its journal.
    ReconcilerCrash,
    /// Each heartbeat sent in the window arrives twice.
    DuplicateHeartbeats,
    /// Heartbeats sent in the window arrive later.
    DelayHeartbeats {
        /// By so much more.
        by: Distribution,
    },
    /// The previous version is archived from then on.
    ArchivePreviousVersion,
}

impl FaultKind {
    /// The names of all of them.
    pub const NAMES: [&str; 9] = [
        "partition",
        "kill",
        "slow",
        "registry_outage",
        "reconciler_pause",
        "reconciler_crash",
        "duplicate_heartbeats",
        "delay_heartbeats",
        "archive_previous_version",
    ];

    /// Its name in the file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Kill => "kill",
            Self::Slow { .. } => "slow",
            Self::RegistryOutage => "registry_outage",
            Self::ReconcilerPause => "reconciler_pause",
            Self::ReconcilerCrash => "reconciler_crash",
            Self::DuplicateHeartbeats => "duplicate_heartbeats",
            Self::DelayHeartbeats { .. } => "delay_heartbeats",
            Self::ArchivePreviousVersion => "archive_previous_version",
        }
    }
}

/// When a fault starts.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultStart {
    /// At a moment since the request.
    At(Span),
    /// A while after the first such event of any rollout.
    After {
        /// The event's kind.
        event: EventKind,
        /// Of this batch only.
        batch_index: Option<u32>,
        /// How long after.
        delay: Span,
    },
}

/// A rule for `check`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectSpec {
    /// Which version is rolled out; `None`: the scenario's target.
    pub version: Option<VersionIndex>,
    /// What must hold.
    pub demand: Demand,
    /// Of which replicates.
    pub replicates: Replicates,
    /// The line of the file on which it begins, from 1.
    pub line: usize,
}

/// What a rule demands.
#[derive(Clone, Debug, PartialEq)]
pub enum Demand {
    /// A limit of a metric, a rate or the outcome.
    Limit(LimitSpec),
    /// Something of the events of a kind.
    Event {
        /// Their kind.
        event: EventKind,
        /// Of this batch only, of any rollout.
        batch_index: Option<u32>,
        /// What.
        demand: EventDemand,
    },
}

/// What a rule demands of the events of a kind.
#[derive(Clone, Debug, PartialEq)]
pub enum EventDemand {
    /// How often there is one in a run.
    Times(Bound),
    /// The first one comes within so long from the request.
    Within(Span),
    /// The first one comes before the first one of this kind, if there is any of it.
    Before(EventKind),
}

/// Which replicates a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicates {
    /// This replicate.
    One(u64),
    /// Replicates from 0: so many, or what the command takes. A mean, a percentile or a rate only begins with them.
    First(Option<u32>),
}

/// A figure of a metric over many replicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stat {
    /// The mean.
    Mean,
    /// The median.
    P50,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// A limit of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// No more than.
    AtMost(f64),
    /// No less than.
    AtLeast(f64),
    /// Just this: a number, or an outcome's name.
    Equals(Expected),
}

impl Bound {
    /// Its number, where it has one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::AtMost(number) | Self::AtLeast(number) | Self::Equals(Expected::Number(number)) => Some(number),
            Self::Equals(Expected::Text(_) | Expected::Truth(_)) => None,
        }
    }
}

/// What a rule wants something to equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Expected {
    /// A number.
    Number(f64),
    /// An outcome's name.
    Text(String),
    /// A yes or no.
    Truth(bool),
}

/// Limits for `tune`.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneSpec {
    /// The version that shall be fast.
    pub good: VersionIndex,
    /// The versions that shall not get far.
    pub defective: Vec<VersionIndex>,
    /// The shares to try; empty where `lists` has the batches.
    pub batch_pct: Vec<u32>,
    /// The limits to try; empty where `lists` has the rules, and each keeps the rollout's own.
    pub max_consecutive_failures: Vec<NonZeroU32>,
    /// The orders of the plan to try; empty: the rollout's own alone.
    pub order: Vec<RolloutOrder>,
    /// The values of further keys of `[rollout]` to try, as the file has them, in the order in which they are set.
    pub lists: Vec<(&'static str, Vec<serde_json::Value>)>,
    /// Whether rules on shares, totals and sequential tests compete too.
    pub rules: bool,
    /// The metric to minimise on the good version.
    pub minimise: Metric,
    /// What must hold.
    pub limits: Vec<LimitSpec>,
    /// The least share of the good rollouts that complete with a policy.
    pub min_completed: f64,
    /// Where a limit on a mean holds in every replicate, the mean may lie this share of the limit beyond it.
    pub limit_tolerance: f64,
}

/// [`TuneSpec::min_completed`] where nothing else is said.
pub const MIN_COMPLETED: f64 = 0.9;

/// The tolerance of a limit that every replicate keeps, as a share of the limit, where the scenario states none.
pub const LIMIT_TOLERANCE: f64 = 0.005;

/// A limit for `tune`.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSpec {
    /// A metric or a rate.
    pub metric: Measure,
    /// Which figure of the metric; `None` for rates and outcomes.
    pub stat: Option<Stat>,
    /// The limit.
    pub bound: Bound,
}

/// What a drill trains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillSpec {
    /// 1, easy, to 5.
    pub difficulty: u32,
    /// What it trains.
    pub trains: Foreign,
    /// What a good operator would do.
    pub good_operator: Foreign,
}

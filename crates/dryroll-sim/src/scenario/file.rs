//! The file exactly as it is written: its tables and keys, their defaults and their ranges.
//!
//! These types are the one description of the format. The JSON Schema is generated from them, the
//! checks walk that schema, and what passed is deserialised into them. A doc comment here is what
//! an editor shows for the key.

mod breakers;
mod drawn;
mod faults;
mod operator;
mod rollout;
mod rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{MAX_INSTANCES, MAX_PER_1000_DAYS, MAX_PER_DAY, MAX_PER_HOUR, MAX_SECONDS, MIN_SECONDS};
use super::{StartState, UpgradeOutcome};
use dryroll_engine::fleet::LifecycleState;
use dryroll_engine::{EventKind, InterventionPolicy};

pub(super) use breakers::{Amount, Breaker, CheckAt, Counted, How, Threshold};
pub(super) use drawn::{Factor, Rate};
pub(super) use faults::{After, Fault, FaultName, Target};
pub(super) use operator::{Edit, OnPromotion, OnTrip, Operator};
pub(super) use rollout::{ApproveBefore, Bake, Batches, Growth, Policy, Rollout};
pub(super) use rules::{Expect, Limit, Tune};

/// A fleet, a module with its versions, the rollout, the people and the faults. Every duration is in
/// seconds and its key ends in `_sec`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "dryroll scenario", extend("required" = ["fleet", "versions", "rollout"]))]
pub(super) struct File {
    /// What the scenario calls itself. Left out: the file's name without its extension.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// The seed of every draw: the same scenario and seed give the same bytes on any machine.
    pub seed: u64,
    /// A run that is not over by then ends as `stalled`.
    #[schemars(range(min = MIN_SECONDS, max = MAX_SECONDS))]
    pub horizon_sec: f64,
    /// The virtual fleet.
    pub fleet: Fleet,
    /// The module that is upgraded.
    pub module: Module,
    /// The module's versions, oldest first.
    #[schemars(length(min = 1))]
    pub versions: Vec<Version>,
    /// The network between instances and controller. Left out: nothing flaps.
    pub network: Network,
    /// The inputs of the rolling upgrade.
    pub rollout: Rollout,
    /// The reconciler and the platform's intervention policy.
    pub reconciler: Reconciler,
    /// The person at the console.
    pub operator: Operator,
    /// Classes of hosts, whose upgrades fare differently; later ones win, and overrides win over them.
    pub classes: Vec<Class>,
    /// Instances that differ from what their version and the network say; later ones win.
    pub overrides: Vec<Override>,
    /// What is injected, and when.
    pub faults: Vec<Fault>,
    /// Rules for `dryroll check`.
    pub expect: Vec<Expect>,
    /// Limits for `dryroll tune`.
    pub tune: Option<Tune>,
    /// Policies by name, to compare with the rollout's own.
    pub policies: Vec<Policy>,
    /// What `dryroll drill` tells of the scenario in its debrief, and not before.
    pub drill: Option<Drill>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            name: None,
            seed: 0,
            horizon_sec: 86_400.0,
            fleet: Fleet::default(),
            module: Module::default(),
            versions: Vec::new(),
            network: Network::default(),
            rollout: Rollout::default(),
            reconciler: Reconciler::default(),
            operator: Operator::default(),
            classes: Vec::new(),
            overrides: Vec::new(),
            faults: Vec::new(),
            expect: Vec::new(),
            tune: None,
            policies: Vec::new(),
            drill: None,
        }
    }
}

/// The virtual fleet.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["instances"]))]
pub(super) struct Fleet {
    /// The template that the instances carry.
    #[schemars(length(min = 1))]
    pub template_id: String,
    /// How many instances; their ids are `i-00001`, `i-00002`, …, padded to five digits or as many as needed.
    #[schemars(range(min = 1, max = MAX_INSTANCES))]
    pub instances: u32,
    /// How many zones; instance n (from 0) is in zone n mod zones.
    #[schemars(range(min = 1, max = MAX_INSTANCES))]
    pub zones: u32,
    /// Between two heartbeats of an instance.
    #[schemars(range(min = MIN_SECONDS, max = MAX_SECONDS))]
    pub heartbeat_interval_sec: f64,
    /// When in the interval every instance heartbeats; below the interval. Left out: drawn for each instance.
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub heartbeat_phase_sec: Option<f64>,
    /// Chance that a heartbeat is lost, each on its own.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub heartbeat_loss_rate: f64,
    /// Network delay of a heartbeat.
    pub heartbeat_delay_sec: Duration,
    /// How many of the last instances have which status, in the order running, starting, stopped, error, terminated.
    pub statuses: Statuses,
    /// Background deaths per 1000 days and instance: silent and not serving, whatever it runs.
    #[schemars(range(min = 0.0, max = MAX_PER_1000_DAYS))]
    pub crash_rate_per_1000_days: f64,
    /// How long until an instance is back from a background death.
    pub repair_sec: Duration,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            template_id: "fleet".into(),
            instances: 0,
            zones: 1,
            heartbeat_interval_sec: 30.0,
            heartbeat_phase_sec: None,
            heartbeat_loss_rate: 0.0,
            heartbeat_delay_sec: Duration::Constant(0.0),
            statuses: Statuses::default(),
            crash_rate_per_1000_days: 0.0,
            repair_sec: Duration::Constant(3600.0),
        }
    }
}

/// How many instances have a status; whoever is not listed is running.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Statuses {
    /// In service.
    pub running: u32,
    /// On its way into service.
    pub starting: u32,
    /// Shut down.
    pub stopped: u32,
    /// Broken, out of service.
    pub error: u32,
    /// Gone for good.
    pub terminated: u32,
}

/// The module that is upgraded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Module {
    /// Its id.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Default for Module {
    fn default() -> Self {
        Self { id: "module".into() }
    }
}

/// A version of the module, and how upgrades to it fare. One draw decides how an upgrade ends: the rates add up to
/// at most 1, and the rest succeeds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["id"]))]
pub(super) struct Version {
    /// Its id.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Where it stands in its life; only a `blessed` or `live` one can be rolled out, and only one that is not
    /// `archived` can be rolled back to.
    pub lifecycle_state: LifecycleState,
    /// The digest that heartbeats carry. Left out: derived from the id.
    #[schemars(length(min = 1))]
    pub digest: Option<String>,
    /// Ground truth for the reports; the engine never sees it.
    pub defective: bool,
    /// How long an upgrade to it takes.
    pub upgrade_time_sec: Duration,
    /// What multiplies the times of all upgrades to it; where it is drawn, once a replicate. Left out: 1.
    pub upgrade_time_factor: Option<Factor>,
    /// Chance that the agent reports a failed upgrade; the instance goes on with its old version.
    pub failure_rate: Rate,
    /// Chance that the instance goes silent and stops serving until it is commanded again or restarted.
    pub hang_rate: Rate,
    /// Chance that the instance runs the new version, says that it is not healthy, and does not serve.
    pub unhealthy_rate: Rate,
    /// Chance that the instance passes and then dies, `crash_after_sec` after its upgrade.
    pub crash_rate: Rate,
    /// How long after the end of its upgrade a crashing instance dies.
    pub crash_after_sec: Duration,
    /// Chance that the instance goes silent and stops serving, and that neither a command nor a restart brings it back.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub brick_rate: f64,
    /// Chance that the instance passes, and says that it is not healthy and stops serving `degrade_after_sec` after its
    /// upgrade.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub degrade_rate: f64,
    /// How long after the end of its upgrade a degrading instance becomes unhealthy.
    pub degrade_after_sec: Duration,
}

impl Default for Version {
    fn default() -> Self {
        Self {
            id: String::new(),
            lifecycle_state: LifecycleState::Live,
            digest: None,
            defective: false,
            upgrade_time_sec: Duration::Constant(45.0),
            upgrade_time_factor: None,
            failure_rate: Rate::default(),
            hang_rate: Rate::default(),
            unhealthy_rate: Rate::default(),
            crash_rate: Rate::default(),
            crash_after_sec: Duration::Constant(3600.0),
            brick_rate: 0.0,
            degrade_rate: 0.0,
            degrade_after_sec: Duration::Constant(3600.0),
        }
    }
}

/// The network between instances and controller.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Network {
    /// Flaps per hour of being up, for each instance; 0: never.
    #[schemars(range(min = 0.0, max = MAX_PER_HOUR))]
    pub flap_rate_per_hour: f64,
    /// How long a flap lasts. Heartbeats are lost meanwhile; the instance goes on serving.
    pub flap_down_sec: Duration,
    /// Outages per day of being up, for each zone; 0: never.
    #[schemars(range(min = 0.0, max = MAX_PER_DAY))]
    pub zone_outage_rate_per_day: f64,
    /// How long an outage of a zone lasts.
    pub zone_outage_sec: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            flap_rate_per_hour: 0.0,
            flap_down_sec: Duration::Constant(60.0),
            zone_outage_rate_per_day: 0.0,
            zone_outage_sec: Duration::Constant(600.0),
        }
    }
}

/// The reconciler and the platform's intervention policy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Reconciler {
    /// Between two ticks; a plan or a next batch starts on a tick only.
    #[schemars(range(min = MIN_SECONDS, max = MAX_SECONDS))]
    pub interval_sec: f64,
    /// The intervention policy of `system.fleet_rolling_upgrade`.
    pub policy: InterventionPolicy,
    /// Whether the caller holds `system.fleet_rolling_upgrade`.
    pub permission: bool,
}

impl Default for Reconciler {
    fn default() -> Self {
        Self { interval_sec: 60.0, policy: InterventionPolicy::RequireApproval, permission: true }
    }
}

/// Hosts of one kind, whose upgrades fare differently: a bad disk, an old kernel. Just one of `share`, `ids`, `zone`
/// and `blocks` says which. Where two classes speak of the same key, the later one wins; an override wins over all
/// classes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["id"]))]
pub(super) struct Class {
    /// What it is called.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Each instance belongs to it with this chance.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: Option<f64>,
    /// These instances.
    #[schemars(length(min = 1))]
    pub ids: Option<Vec<String>>,
    /// The instances of this zone, from 0.
    pub zone: Option<u32>,
    /// Instances side by side, at places that each replicate draws.
    pub blocks: Option<Blocks>,
    /// For which versions. Left out: the target only.
    #[schemars(length(min = 1))]
    pub versions: Option<Vec<String>>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub failure_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub hang_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub unhealthy_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub crash_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub brick_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub degrade_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    pub upgrade_time_sec: Option<Duration>,
    /// In place of the version's. Left out: the version's.
    pub crash_after_sec: Option<Duration>,
    /// In place of the version's. Left out: the version's.
    pub degrade_after_sec: Option<Duration>,
}

/// Blocks of instances that are neighbours in the fleet's order. No two blocks of a class overlap.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Blocks {
    /// How many blocks.
    #[schemars(range(min = 1))]
    pub count: u32,
    /// How many instances a block has.
    #[schemars(range(min = 1))]
    pub size: u32,
}

/// Instances that differ from what their version and the network say. Just one of `ids`, `zone` and
/// `fraction` says which. Where two overrides speak of the same key, the later one wins. What is in place of the
/// fleet's or the network's belongs to the instance and holds whatever version it runs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Override {
    /// These instances.
    #[schemars(length(min = 1))]
    pub ids: Option<Vec<String>>,
    /// The instances of this zone, from 0.
    pub zone: Option<u32>,
    /// A drawn share of the fleet.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub fraction: Option<f64>,
    /// For which versions. Left out: the target only.
    #[schemars(length(min = 1))]
    pub versions: Option<Vec<String>>,
    /// How an upgrade ends, whatever the rates; a later override that names a rate undoes it. Left out: the rates
    /// decide.
    pub outcome: Option<UpgradeOutcome>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub failure_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub hang_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub unhealthy_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub crash_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub brick_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub degrade_rate: Option<f64>,
    /// In place of the version's. Left out: the version's.
    pub upgrade_time_sec: Option<Duration>,
    /// In place of the version's. Left out: the version's.
    pub crash_after_sec: Option<Duration>,
    /// In place of the version's. Left out: the version's.
    pub degrade_after_sec: Option<Duration>,
    /// In place of the fleet's; below the interval. Left out: the fleet's.
    #[schemars(range(min = 0.0, max = MAX_SECONDS))]
    pub heartbeat_phase_sec: Option<f64>,
    /// In place of the fleet's. Left out: the fleet's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub heartbeat_loss_rate: Option<f64>,
    /// In place of the fleet's. Left out: the fleet's.
    pub heartbeat_delay_sec: Option<Duration>,
    /// In place of the network's. Left out: the network's.
    #[schemars(range(min = 0.0, max = MAX_PER_HOUR))]
    pub flap_rate_per_hour: Option<f64>,
    /// In place of the network's. Left out: the network's.
    pub flap_down_sec: Option<Duration>,
    /// The version that they run at the request; not with `fraction`. Left out: the previous version.
    #[schemars(length(min = 1))]
    pub runs: Option<String>,
    /// Their state at the request. Left out: `well`.
    pub state: Option<StartState>,
    /// Whether they are never planned; not with `fraction`.
    pub pinned: bool,
}

/// What `dryroll drill` tells of the scenario in its debrief, and not before. All other commands ignore it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Drill {
    /// How difficult it is: 1, easy, to 5.
    #[schemars(range(min = 1, max = 5))]
    pub difficulty: u32,
    /// What it trains.
    #[schemars(length(min = 1))]
    pub trains: String,
    /// What a good operator would do.
    #[schemars(length(min = 1))]
    pub good_operator: String,
}

/// A duration: a number of seconds, or a table with one key that names a distribution. What is drawn is rounded to the
/// nearest millisecond and cut to 1,000,000,000 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Duration {
    /// Exponential, with this mean.
    Exponential {
        /// The mean, in seconds.
        #[schemars(range(max = MAX_SECONDS), extend("exclusiveMinimum" = 0))]
        mean: f64,
    },
    /// Log-normal.
    Lognormal {
        /// The median, in seconds.
        #[schemars(range(max = MAX_SECONDS), extend("exclusiveMinimum" = 0))]
        median: f64,
        /// The standard deviation of the logarithm.
        #[schemars(range(min = 0.0, max = 100.0))]
        sigma: f64,
    },
    /// Uniform from `min` to `max`.
    Uniform {
        /// The smallest, in seconds.
        #[schemars(range(min = 0.0, max = MAX_SECONDS))]
        min: f64,
        /// The largest, in seconds; not below `min`.
        #[schemars(range(min = 0.0, max = MAX_SECONDS))]
        max: f64,
    },
    /// Weibull.
    Weibull {
        /// The scale, in seconds.
        #[schemars(range(max = MAX_SECONDS), extend("exclusiveMinimum" = 0))]
        scale: f64,
        /// The shape: below 1 early, above 1 late.
        #[schemars(range(max = 1000.0), extend("exclusiveMinimum" = 0))]
        shape: f64,
    },
    /// One of the listed values, each as likely.
    Empirical(#[schemars(length(min = 1), inner(range(min = 0.0, max = MAX_SECONDS)))] Vec<f64>),
    /// Always so many seconds.
    #[serde(untagged)]
    Constant(#[schemars(range(min = 0.0, max = MAX_SECONDS))] f64),
}

/// Every name by which an event can be called, the short ones first.
fn event_names() -> Vec<&'static str> {
    let short = EventKind::ALL.iter().map(|kind| kind.name());
    short.chain(EventKind::ALL.iter().map(|kind| kind.full_name())).collect()
}

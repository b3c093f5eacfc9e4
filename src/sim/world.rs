//! A scenario made ready to run: everything that is the same in every replicate, computed once.

mod prospects;

use std::sync::Arc;

pub use prospects::{Chances, Kin, Prospects};

use super::belief::Belief;
use super::draws::{Draws, InstanceBlock, Key, scale, unit};
use super::fate::Fate;
use super::fault::Fault;
use super::outages::{OutageLaw, Start};
use super::sampler::Sampler;
use crate::engine::{
    Edit, InterventionPolicy, Inventory, OperatorDecision, Plan, Refusal, Request, Settings, VersionRef,
};
use crate::fleet::{DigestId, InstanceId, InstanceNames, InstanceStatus, LifecycleState, Span};
use crate::scenario::{
    Distribution, OutcomeRates, OverrideSpec, Scenario, Target, UpgradeOutcome, VersionIndex, VersionSpec,
};

/// Which of the two versions of a rollout an instance runs, or is commanded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Release {
    /// What the fleet ran before.
    Previous,
    /// What is rolled out.
    Target,
}

/// A scenario ready to run.
#[derive(Clone, Debug)]
pub struct World {
    /// The seed of every draw.
    pub seed: u64,
    /// A run that is not over by then is stalled, milliseconds.
    pub horizon: u64,
    /// How long the integrals go on after the end, milliseconds.
    pub observe_after: u64,
    /// Nothing that happens later is ever seen, milliseconds.
    pub end: u64,
    /// The plan at the request.
    pub plan: Plan,
    /// What the engine is told.
    pub settings: Settings,
    /// The fleet's names.
    pub names: InstanceNames,
    /// Whether the target is defective in truth.
    pub defective: bool,
    /// Between two ticks, milliseconds.
    pub tick_interval: u64,
    /// The person at the console.
    pub operator: OperatorTraits,
    /// How many zones.
    pub zones: u32,
    /// Between two heartbeats of an instance, milliseconds.
    pub interval: u64,
    /// The faults, as the scenario lists them.
    pub faults: Vec<Fault>,
    /// The zones' outages.
    pub zone_law: Option<OutageLaw>,
    /// Background deaths.
    pub death_law: Option<OutageLaw>,
    /// Whether a heartbeat can arrive later than it was sent.
    pub delays: bool,
    digests: [DigestId; 2],
    base: Traits,
    overrides: Vec<Override>,
    /// By the override that sets the rate and the one that sets the duration, the base being the first of each.
    flap_laws: Vec<Option<OutageLaw>>,
}

/// How the virtual operator behaves.
#[derive(Clone, Debug)]
pub struct OperatorTraits {
    /// How long each answer to the first request takes.
    pub approval_delay: Sampler,
    /// How long each decision on a trip takes.
    pub decision_delay: Sampler,
    /// Whether the last answer to the first request is yes.
    pub approves: bool,
    /// An edit made before the last answer.
    pub edit: Option<Edit>,
    /// What is decided on the first trip, the second, …; the last repeats.
    pub on_trip: Vec<OperatorDecision>,
}

impl OperatorTraits {
    /// Whether any of its delays is drawn.
    #[must_use]
    pub fn draws(&self) -> bool {
        [&self.approval_delay, &self.decision_delay].iter().any(|delay| !matches!(delay, Sampler::Constant(_)))
    }
}

/// What the instances have in common, before any override.
#[derive(Clone, Debug)]
struct Traits {
    phase: Option<u64>,
    loss: f64,
    delay: Sampler,
    releases: [Conduct; 2],
}

/// How upgrades to one version go.
#[derive(Clone, Debug)]
struct Conduct {
    rates: OutcomeRates,
    /// Where the rates are not known, and each replicate draws its own.
    belief: Option<Arc<Belief>>,
    upgrade: Sampler,
    crash_after: Sampler,
}

/// Instances that differ.
#[derive(Clone, Debug)]
struct Override {
    target: Target,
    key: u64,
    /// For which of the two releases what it says of upgrades holds.
    releases: [bool; 2],
    spec: OverrideSpec,
    upgrade: Option<Sampler>,
    crash_after: Option<Sampler>,
    delay: Option<Sampler>,
    flap_rate: usize,
    flap_down: usize,
}

/// One virtual instance in one replicate: what it is, whatever is done to it.
#[derive(Clone, Copy, Debug)]
pub struct Member<'w> {
    /// Its place in the fleet.
    pub n: u32,
    /// Its zone.
    pub zone: u32,
    /// Its heartbeats' phase, milliseconds.
    pub phase: u64,
    /// How its network flaps.
    pub flaps: Option<&'w OutageLaw>,
    /// Chance that a heartbeat is lost.
    pub loss: f64,
    /// How long a heartbeat is under way.
    pub delay: &'w Sampler,
    /// Its draws.
    pub block: InstanceBlock,
}

/// A key from what a thing says, so that removing another thing changes nothing.
pub fn name_key(content: &impl std::fmt::Debug) -> u64 {
    // FNV-1a.
    format!("{content:?}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

impl Target {
    /// Whether an instance is meant. `membership` is the instance's key, `content` the thing's.
    pub fn selects(&self, n: u32, zone: u32, membership: Key, content: u64) -> bool {
        match self {
            Target::All => true,
            Target::Ids(ids) => ids.binary_search(&InstanceId(n)).is_ok(),
            Target::Zone(wanted) => zone == *wanted,
            Target::Fraction(fraction) => unit(membership.word(content)) < *fraction,
        }
    }
}

struct ScenarioInventory<'a>(&'a Scenario, [DigestId; 2]);

impl Inventory for ScenarioInventory<'_> {
    fn may_upgrade(&self) -> bool {
        self.0.reconciler.permission
    }
    fn has_template(&self, template_id: &str) -> bool {
        self.0.fleet.template_id == template_id
    }
    fn has_module(&self, module_id: &str) -> bool {
        self.0.module_id == module_id
    }
    fn version(&self, _module_id: &str, version_id: &str) -> Option<(LifecycleState, DigestId)> {
        let target = self.0.target();
        (target.id == version_id).then_some((target.lifecycle_state, self.1[Release::Target as usize]))
    }
    fn instances(
        &self,
        _template_id: &str,
        _module_id: &str,
    ) -> impl Iterator<Item = (InstanceId, InstanceStatus, DigestId)> {
        let fleet = &self.0.fleet;
        (0..fleet.instances).map(|n| (InstanceId(n), fleet.status(InstanceId(n)), self.1[Release::Previous as usize]))
    }
}

impl Scenario {
    /// The version to roll out.
    #[must_use]
    pub fn target(&self) -> &VersionSpec {
        &self.versions[self.rollout.target.0]
    }

    /// What the fleet ran before, where it has a name.
    #[must_use]
    pub fn previous(&self) -> Option<&VersionSpec> {
        self.rollout.previous.map(|VersionIndex(index)| &self.versions[index])
    }
}

impl World {
    /// Makes a scenario ready.
    ///
    /// # Errors
    /// When the platform refuses the request (§1 of the engine's rules).
    pub fn new(scenario: &Scenario) -> Result<Self, Refusal> {
        let digests = digests(scenario);
        let rollout = &scenario.rollout;
        let target = scenario.target();
        let request = Request {
            template_id: &scenario.fleet.template_id,
            module_id: &scenario.module_id,
            target_version_id: &target.id,
            batch_pct: i64::from(rollout.batch_pct),
            max_consecutive_failures: i64::from(rollout.max_consecutive_failures.get()),
            health_timeout: rollout.health_timeout,
        };
        let (plan, max_consecutive_failures) = request.plan(&ScenarioInventory(scenario, digests))?;
        let previous = scenario.previous();
        let settings = Settings {
            target: VersionRef { id: target.id.clone(), digest: digests[Release::Target as usize] },
            previous: previous
                .filter(|version| version.lifecycle_state != LifecycleState::Archived)
                .map(|version| VersionRef { id: version.id.clone(), digest: digests[Release::Previous as usize] }),
            batch_pct: rollout.batch_pct,
            max_consecutive_failures,
            health_timeout: rollout.health_timeout,
            rollback_batch_pct: rollout.rollback_batch_pct,
            breaker_order: rollout.breaker_order,
            breaker_scope: rollout.breaker_scope,
            max_in_flight: rollout.max_in_flight,
            policy: scenario.reconciler.policy,
            approval_expires: scenario.operator.approval_expires,
        };
        let fleet = &scenario.fleet;
        let network = &scenario.network;
        let overrides = overrides(scenario);
        let faults: Vec<Fault> = scenario.faults.iter().map(Fault::new).collect();
        let delay = Sampler::new(&fleet.heartbeat_delay);
        let delays = !delay.is_zero()
            || faults.iter().any(Fault::delays_heartbeats)
            || overrides.iter().any(|o| o.delay.as_ref().is_some_and(|delay| !delay.is_zero()));
        Ok(Self {
            seed: scenario.seed,
            horizon: scenario.horizon.0,
            observe_after: rollout.observe_after.0,
            end: scenario.horizon.0 + rollout.observe_after.0 + 1,
            names: fleet.names(),
            defective: target.defective,
            tick_interval: scenario.reconciler.interval.0,
            operator: OperatorTraits {
                approval_delay: Sampler::new(&scenario.operator.approval_delay),
                decision_delay: Sampler::new(&scenario.operator.decision_delay),
                approves: scenario.operator.approves,
                edit: scenario.operator.edit,
                on_trip: scenario.operator.on_trip.clone(),
            },
            zones: fleet.zones,
            interval: fleet.heartbeat_interval.0,
            zone_law: OutageLaw::new(
                network.zone_outage_rate_per_day / (24.0 * HOUR),
                Sampler::new(&network.zone_outage),
                Start::Stationary,
            ),
            death_law: OutageLaw::new(
                fleet.crash_rate_per_1000_days / (24_000.0 * HOUR),
                Sampler::new(&fleet.repair),
                Start::Up,
            ),
            delays,
            digests,
            base: Traits {
                phase: fleet.heartbeat_phase.map(|phase| phase.0),
                loss: fleet.heartbeat_loss_rate,
                delay,
                releases: [previous, Some(target)].map(|version| match version {
                    Some(version) => Conduct {
                        rates: version.rates,
                        belief: None,
                        upgrade: Sampler::new(&version.upgrade_time),
                        crash_after: Sampler::new(&version.crash_after),
                    },
                    // Nothing is ever commanded to a version without a name.
                    None => Conduct {
                        rates: OutcomeRates::default(),
                        belief: None,
                        upgrade: Sampler::Constant(Span::ZERO),
                        crash_after: Sampler::Constant(Span::ZERO),
                    },
                }),
            },
            flap_laws: flap_laws(scenario),
            overrides,
            faults,
            plan,
            settings,
        })
    }

    /// Lets each replicate draw the rates of a release from what is believed of them. What is said of [`prospects`](Self::prospects_of)
    /// stays with the scenario's own.
    pub fn believe(&mut self, release: Release, belief: Arc<Belief>) {
        self.base.releases[release as usize].belief = Some(belief);
    }

    /// The rates of both releases in the replicate with these draws.
    #[must_use]
    pub fn rates(&self, draws: &mut Draws) -> [OutcomeRates; 2] {
        self.base.releases.each_ref().map(|conduct| match &conduct.belief {
            None => conduct.rates,
            Some(belief) => belief.draw(draws.beliefs()),
        })
    }

    /// The digest that a release's heartbeats carry.
    #[must_use]
    pub fn digest(&self, release: Release) -> DigestId {
        self.digests[release as usize]
    }

    /// Why no instance is ever commanded, whatever happens; `None` where some may be.
    #[must_use]
    pub fn rolls_nothing_out(&self) -> Option<&'static str> {
        if self.total() == 0 {
            Some("no eligible instance runs another digest than the target's")
        } else if self.settings.policy == InterventionPolicy::Blocked {
            Some("the intervention policy is `blocked`")
        } else if self.settings.policy == InterventionPolicy::RequireApproval && !self.operator.approves {
            Some("the operator rejects the plan")
        } else {
            None
        }
    }

    /// Planned instances.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.plan.total_instances()
    }

    /// The zone of the instance at a place in the fleet.
    #[inline(always)]
    #[must_use]
    pub fn zone(&self, n: u32) -> u32 {
        if self.zones == 1 { 0 } else { n % self.zones }
    }

    /// The instance that a block belongs to.
    #[inline(always)]
    pub fn member(&self, n: u32, block: InstanceBlock) -> Member<'_> {
        let zone = self.zone(n);
        let phase = self.base.phase.unwrap_or_else(|| scale(block.phase, self.interval));
        let mut member = Member {
            n,
            zone,
            phase,
            flaps: self.flap_laws[0].as_ref(),
            loss: self.base.loss,
            delay: &self.base.delay,
            block,
        };
        if !self.overrides.is_empty() {
            self.override_link(&mut member);
        }
        member
    }

    fn override_link<'w>(&'w self, member: &mut Member<'w>) {
        let (mut rate, mut down) = (0, 0);
        for o in self.overriding(member.n, member.zone, member.block.membership) {
            member.phase = o.spec.heartbeat_phase.map_or(member.phase, |phase| phase.0);
            member.loss = o.spec.heartbeat_loss_rate.unwrap_or(member.loss);
            member.delay = o.delay.as_ref().unwrap_or(member.delay);
            rate = if o.flap_rate > 0 { o.flap_rate } else { rate };
            down = if o.flap_down > 0 { o.flap_down } else { down };
        }
        let downs = 1 + self.overrides.iter().filter(|o| o.flap_down > 0).count();
        member.flaps = self.flap_laws[rate * downs + down].as_ref();
    }

    fn overriding(&self, n: u32, zone: u32, membership: Key) -> impl Iterator<Item = &Override> {
        self.overrides.iter().filter(move |o| o.target.selects(n, zone, membership, o.key))
    }

    /// What an upgrade of a member to a release comes to, by the scenario's own rates: `block` is the attempt's.
    #[inline(always)]
    pub fn fate(&self, member: &Member<'_>, block: &InstanceBlock, release: Release) -> Fate {
        self.fate_at(member, block, release, &self.base.releases[release as usize].rates)
    }

    /// The same by the rates that the release has in this replicate; what overrides say goes before them.
    #[inline(always)]
    pub fn fate_at(&self, member: &Member<'_>, block: &InstanceBlock, release: Release, rates: &OutcomeRates) -> Fate {
        if self.overrides.is_empty() {
            let conduct = &self.base.releases[release as usize];
            return Fate::draw(None, rates, &conduct.upgrade, &conduct.crash_after, block);
        }
        let overriding = self.overriding(member.n, member.zone, member.block.membership);
        let Prospects { outcome, rates, upgrade, crash_after } = self.prospects(overriding, release, *rates);
        Fate::draw(outcome, &rates, upgrade, crash_after, block)
    }

    /// What holds for upgrades to a release with these rates where these overrides apply, in this order.
    #[inline(always)]
    fn prospects<'w>(
        &'w self,
        overriding: impl Iterator<Item = &'w Override>,
        release: Release,
        mut rates: OutcomeRates,
    ) -> Prospects<'w> {
        let conduct = &self.base.releases[release as usize];
        let (mut upgrade, mut crash_after) = (&conduct.upgrade, &conduct.crash_after);
        let mut outcome: Option<UpgradeOutcome> = None;
        for o in overriding {
            if !o.releases[release as usize] {
                continue;
            }
            let spec = &o.spec;
            let said_rates = [spec.failure_rate, spec.hang_rate, spec.unhealthy_rate, spec.crash_rate];
            if said_rates.iter().any(Option::is_some) {
                // A later override that speaks of rates takes the place of an outcome that an earlier one fixed.
                outcome = None;
            }
            rates = spec.rates_over(rates);
            outcome = spec.outcome.or(outcome);
            upgrade = o.upgrade.as_ref().unwrap_or(upgrade);
            crash_after = o.crash_after.as_ref().unwrap_or(crash_after);
        }
        Prospects { outcome, rates, upgrade, crash_after }
    }
}

const HOUR: f64 = 3_600_000.0;

/// Equal texts get equal ids. A previous version without a name runs a digest that no other has.
fn digests(scenario: &Scenario) -> [DigestId; 2] {
    let same = scenario.previous().is_some_and(|previous| previous.digest == scenario.target().digest);
    if same { [DigestId(0); 2] } else { [DigestId(0), DigestId(1)] }
}

fn overrides(scenario: &Scenario) -> Vec<Override> {
    let (mut rates, mut downs, mut shares) = (0, 0, 0);
    let is_share = |target: &Target| matches!(target, Target::Fraction(_));
    let place = |said: bool, count: &mut usize| {
        *count += usize::from(said);
        if said { *count } else { 0 }
    };
    scenario
        .overrides
        .iter()
        .map(|spec| {
            let rollout = &scenario.rollout;
            let holds = |version: Option<VersionIndex>| match (&spec.versions, version) {
                (Some(versions), Some(version)) => versions.contains(&version),
                (None, version) => version == Some(rollout.target),
                (_, None) => false,
            };
            Override {
                target: spec.target.clone(),
                key: name_key(&("override", place(is_share(&spec.target), &mut shares))),
                releases: [holds(rollout.previous), holds(Some(rollout.target))],
                upgrade: spec.upgrade_time.as_ref().map(Sampler::new),
                crash_after: spec.crash_after.as_ref().map(Sampler::new),
                delay: spec.heartbeat_delay.as_ref().map(Sampler::new),
                flap_rate: place(spec.flap_rate_per_hour.is_some(), &mut rates),
                flap_down: place(spec.flap_down.is_some(), &mut downs),
                spec: spec.clone(),
            }
        })
        .collect()
}

fn flap_laws(scenario: &Scenario) -> Vec<Option<OutageLaw>> {
    let said_rates = scenario.overrides.iter().filter_map(|o| o.flap_rate_per_hour);
    let rates = std::iter::once(scenario.network.flap_rate_per_hour).chain(said_rates);
    let said_downs = scenario.overrides.iter().filter_map(|o| o.flap_down.as_ref());
    let downs: Vec<&Distribution> = std::iter::once(&scenario.network.flap_down).chain(said_downs).collect();
    rates
        .flat_map(|rate| {
            downs.iter().map(move |down| OutageLaw::new(rate / HOUR, Sampler::new(down), Start::Stationary))
        })
        .collect()
}

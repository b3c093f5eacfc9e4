//! A scenario made ready to run: everything that is the same in every replicate, computed once.

mod differing;
mod flaps;
mod outcome_distribution;
mod starts;

use std::collections::HashMap;
use std::sync::Arc;

use differing::{Differing, Group};
use flaps::FlapLaws;
pub use outcome_distribution::{Chances, InstanceClass, OutcomeDistribution};
use starts::Starts;

use super::draws::{Draws, InstanceBlock, Key, scale, unit};
use super::fault::Fault;
use super::name::Name;
use super::outages::{OutageLaw, Start};
use super::pairs::PerRelease;
use super::places::{Numbers, Places};
use super::posterior::RatePosterior;
use super::sampled_upgrade::SampledUpgrade;
use super::sampler::Sampler;
use super::shared::{BlockLaw, Factor, RateSource, Shared};
use crate::scenario::{
    FaultStart, Metric, OutcomeRates, PromotionDecision, RolloutOrder, Scenario, StartState, Target, UpgradeOutcome,
    VersionIndex, VersionSpec,
};
use dryroll_engine::fleet::{At, DigestId, InstanceId, InstanceNames, InstanceStatus, LifecycleState, Span};
use dryroll_engine::{
    Edit, EventKind, InterventionPolicy, Inventory, OperatorDecision, Plan, PlanOrder, Promotions, Refusal, Request,
    Settings, VersionRef,
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
pub struct CompiledScenario {
    /// The seed of every draw.
    pub seed: u64,
    /// A run that is not over by then ends as stalled.
    pub horizon: At,
    /// How long the integrals go on after the end.
    pub observe_after: Span,
    /// Nothing that happens later is ever seen.
    pub end: At,
    /// The plan at the request.
    pub plan: Plan,
    /// The settings of the engine.
    pub settings: Settings,
    /// The fleet's names.
    pub names: InstanceNames,
    /// Whether the target is defective in truth.
    pub defective: bool,
    /// Between two ticks.
    pub tick_interval: Span,
    /// The person at the console.
    pub operator: OperatorTraits,
    /// How many zones.
    pub zones: u32,
    /// Between two heartbeats of an instance.
    pub interval: Span,
    /// The faults, as the scenario lists them.
    pub faults: Vec<Fault>,
    /// The index of the faults by instance, where they are many.
    pub fault_places: Option<Places>,
    /// The faults that wait for an event, by its kind and batch.
    pub triggers: HashMap<(EventKind, Option<u32>), Vec<usize>>,
    /// The zones' outages.
    pub zone_law: Option<OutageLaw>,
    /// Background deaths.
    pub death_law: Option<OutageLaw>,
    /// Whether a heartbeat can arrive later than it was sent.
    pub delays: bool,
    /// Whether every heartbeat that changes what the engine knows is handed in; else only the decisive one is.
    pub listens: bool,
    /// Whether more follows from an input than its verdict and commands: the engine listens, or has rules of its own.
    pub follows_more: bool,
    /// Whether an upgrade can brick an instance.
    pub bricks: bool,
    /// Whether what became of an instance takes its whole history, even if no fault interferes with it.
    pub by_history: bool,
    digests: PerRelease<DigestId>,
    starts: Starts,
    base: Traits,
    differing: Differing,
    /// Blocks that each replicate draws, as [`Shared::blocks`] has them.
    blocks: Vec<BlockLaw>,
    flap_laws: FlapLaws,
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
    /// How long each answer to a promotion takes.
    pub promotion_delay: Sampler,
    /// What is answered to the first promotion, the second, …; the last repeats.
    pub on_promotion: Vec<PromotionDecision>,
}

impl OperatorTraits {
    /// Whether any of its delays is drawn.
    #[must_use]
    pub fn draws(&self) -> bool {
        [&self.approval_delay, &self.decision_delay, &self.promotion_delay]
            .iter()
            .any(|delay| !matches!(delay, Sampler::Constant(_)))
    }
}

/// The traits that all instances share, before any override.
#[derive(Clone, Debug)]
struct Traits {
    phase: Option<Span>,
    loss: f64,
    delay: Sampler,
    releases: PerRelease<ReleaseModel>,
}

/// How upgrades to one version go.
#[derive(Clone, Debug)]
struct ReleaseModel {
    /// The scenario's rates; for a drawn rate, its mean.
    rates: OutcomeRates,
    source: RateSource,
    factor: Factor,
    upgrade: Sampler,
    crash_after: Sampler,
    degrade_after: Sampler,
}

impl ReleaseModel {
    fn of(version: &VersionSpec) -> Self {
        Self {
            rates: version.rates,
            source: RateSource::of(version),
            factor: Factor::of(version),
            upgrade: Sampler::new(&version.upgrade_time),
            crash_after: Sampler::new(&version.crash_after),
            degrade_after: Sampler::new(&version.degrade_after),
        }
    }

    /// The model of a version without a name, to which nothing is ever commanded.
    fn of_none() -> Self {
        Self {
            rates: OutcomeRates::default(),
            source: RateSource::Known(OutcomeRates::default()),
            factor: Factor::Constant(1.0),
            upgrade: Sampler::Constant(Span::ZERO),
            crash_after: Sampler::Constant(Span::ZERO),
            degrade_after: Sampler::Constant(Span::ZERO),
        }
    }

    fn is_drawn(&self) -> bool {
        self.source.is_drawn() || matches!(self.factor, Factor::Drawn { .. })
    }
}

/// One virtual instance in one replicate: its fixed properties, independent of its commands.
#[derive(Clone, Copy, Debug)]
pub struct Member<'w> {
    /// Its place in the fleet.
    pub n: u32,
    /// Its zone.
    pub zone: u32,
    /// Its heartbeats' phase.
    pub phase: Span,
    /// How its network flaps.
    pub flaps: Option<&'w OutageLaw>,
    /// Chance that a heartbeat is lost.
    pub loss: f64,
    /// How long a heartbeat is in transit.
    pub delay: &'w Sampler,
    /// Its draws.
    pub block: InstanceBlock,
}

impl Target {
    /// Whether a target selects an instance. `membership` is the instance's key, `content` that of the thing that has
    /// the target.
    pub fn selects(&self, n: u32, zone: u32, membership: Key, content: u64) -> bool {
        match self {
            Target::All => true,
            Target::Ids(ids) => ids.binary_search(&InstanceId(n)).is_ok(),
            Target::Zone(wanted) => zone == *wanted,
            Target::Fraction(fraction) => unit(membership.word(content)) < *fraction,
        }
    }
}

struct ScenarioInventory<'a> {
    scenario: &'a Scenario,
    target: DigestId,
    starts: Starts,
}

impl Inventory for ScenarioInventory<'_> {
    fn may_upgrade(&self) -> bool {
        self.scenario.reconciler.permission
    }
    fn has_template(&self, template_id: &str) -> bool {
        self.scenario.fleet.template_id == template_id
    }
    fn has_module(&self, module_id: &str) -> bool {
        self.scenario.module_id == module_id
    }
    fn version(&self, _module_id: &str, version_id: &str) -> Option<(LifecycleState, DigestId)> {
        let target = self.scenario.target();
        (target.id == version_id).then_some((target.lifecycle_state, self.target))
    }
    fn is_pinned(&self, instance: InstanceId) -> bool {
        self.starts.is_pinned(instance.0)
    }
    fn instances(
        &self,
        _template_id: &str,
        _module_id: &str,
    ) -> impl Iterator<Item = (InstanceId, InstanceStatus, DigestId)> {
        let fleet = &self.scenario.fleet;
        (0..fleet.instances).map(|n| (InstanceId(n), fleet.status(InstanceId(n)), self.starts.runs(n)))
    }
}

impl Scenario {
    /// The version to roll out.
    #[must_use]
    pub fn target(&self) -> &VersionSpec {
        &self.versions[self.rollout.target.0]
    }

    /// The version that the fleet ran before, if it has a name.
    #[must_use]
    pub fn previous(&self) -> Option<&VersionSpec> {
        self.rollout.previous.map(|VersionIndex(index)| &self.versions[index])
    }
}

impl CompiledScenario {
    /// Makes a scenario ready.
    ///
    /// # Errors
    /// When the platform refuses the request (§1 of the engine's rules).
    pub fn new(scenario: &Scenario) -> Result<Self, Refusal> {
        let digests = starts::digests(scenario);
        let rollout = &scenario.rollout;
        let target = scenario.target();
        let request = Request {
            template_id: scenario.fleet.template_id.raw(),
            module_id: scenario.module_id.raw(),
            target_version_id: target.id.raw(),
            // The checked scenario has these in range; other sizes of batches recut the plan.
            batch_pct: i64::from(rollout.batches.as_pct().unwrap_or(100)),
            max_consecutive_failures: rollout.max_consecutive_failures.map_or(1, |limit| i64::from(limit.get())),
            health_timeout: rollout.health_timeout,
        };
        let starts = Starts::of(scenario, digests);
        let inventory = ScenarioInventory { scenario, target: digests.target, starts };
        let (mut plan, _) = request.plan(&inventory)?;
        let starts = inventory.starts;
        if let Some(order) = arranged(scenario, &plan.order) {
            plan.order = order;
        }
        if rollout.batches.as_pct().is_none() {
            plan = plan.recut(&rollout.batches);
        }
        let previous = scenario.previous();
        let settings = Settings {
            target: VersionRef { id: target.id.raw().into(), digest: digests.target },
            previous: previous
                .filter(|version| version.lifecycle_state != LifecycleState::Archived)
                .map(|version| VersionRef { id: version.id.raw().into(), digest: digests.previous }),
            batches: rollout.batches.clone(),
            max_consecutive_failures: rollout.max_consecutive_failures,
            health_timeout: rollout.health_timeout,
            rollback_batches: rollout.rollback_batches.clone(),
            rollback_max_consecutive_failures: rollout.rollback_max_consecutive_failures,
            rollback_health_timeout: rollout.rollback_health_timeout.unwrap_or(rollout.health_timeout),
            breaker_order: rollout.breaker_order,
            breaker_scope: rollout.breaker_scope,
            breakers: rollout.breakers.clone(),
            ok_pct: rollout.ok_pct,
            max_in_flight: rollout.max_in_flight,
            pace: rollout.pace.clone(),
            watch: rollout.watch,
            policy: scenario.reconciler.policy,
            approval_expires: scenario.operator.approval_expires,
        };
        let fleet = &scenario.fleet;
        let network = &scenario.network;
        let (differing, blocks) = Differing::of(scenario);
        let faults: Vec<Fault> = scenario.faults.iter().map(Fault::new).collect();
        let delay = Sampler::new(&fleet.heartbeat_delay);
        let delays = !delay.is_zero()
            || faults.iter().any(Fault::delays_heartbeats)
            || differing.overrides().iter().any(|o| o.link.delay.as_ref().is_some_and(|delay| !delay.is_zero()));
        Ok(Self {
            seed: scenario.seed,
            horizon: At::ZERO + scenario.horizon,
            observe_after: rollout.observe_after,
            end: At::ZERO + scenario.horizon + rollout.observe_after + Span(1),
            names: fleet.names(),
            defective: target.defective,
            tick_interval: scenario.reconciler.interval,
            operator: OperatorTraits {
                approval_delay: Sampler::new(&scenario.operator.approval_delay),
                decision_delay: Sampler::new(&scenario.operator.decision_delay),
                approves: scenario.operator.approves,
                edit: scenario.operator.edit,
                on_trip: scenario.operator.on_trip.clone(),
                promotion_delay: Sampler::new(&scenario.operator.promotion_delay),
                on_promotion: scenario.operator.on_promotion.clone(),
            },
            zones: fleet.zones,
            interval: fleet.heartbeat_interval,
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
            listens: rollout.watch.is_some() || rollout.pace.min_healthy > Span::ZERO || rollout.pace.retries > 0,
            follows_more: rollout.watch.is_some()
                || rollout.pace.min_healthy > Span::ZERO
                || rollout.pace.retries > 0
                || !rollout.breakers.is_empty(),
            bricks: scenario.can_end(UpgradeOutcome::Brick),
            by_history: !starts.are_plain()
                || rollout.pace.retries > 0
                || scenario.can_end(UpgradeOutcome::Brick)
                || scenario.can_end(UpgradeOutcome::Degrade),
            digests,
            starts,
            base: Traits {
                phase: fleet.heartbeat_phase,
                loss: fleet.heartbeat_loss_rate,
                delay,
                releases: PerRelease { previous, target: Some(target) }
                    .map(|version| version.map_or_else(ReleaseModel::of_none, ReleaseModel::of)),
            },
            flap_laws: FlapLaws::of(scenario),
            differing,
            blocks,
            triggers: triggers(&faults),
            fault_places: Places::of(faults.iter().map(|fault| Some(fault.target()))),
            faults,
            plan,
            settings,
        })
    }

    /// The numbers of the faults that can hit a member, ascending.
    pub fn faults_at(&self, member: &Member<'_>) -> Numbers<'_> {
        match &self.fault_places {
            None => Numbers::All(0..self.faults.len()),
            Some(places) => places.at(member.n, member.zone),
        }
    }

    /// Makes each replicate draw the rates of a release from their posterior. The [outcome
    /// distribution](Self::outcome_distribution_of) still uses the scenario's own rates.
    pub fn believe(&mut self, release: Release, posterior: Arc<RatePosterior>) {
        self.base.releases[release].source = RateSource::Believed(posterior);
    }

    /// Makes each replicate draw the rates that another scenario draws from a posterior.
    pub fn believe_like(&mut self, other: &Self) {
        for release in [Release::Target, Release::Previous] {
            if let RateSource::Believed(posterior) = &other.base.releases[release].source {
                self.believe(release, Arc::clone(posterior));
            }
        }
    }

    /// Whether the instances of a replicate share anything that is drawn.
    #[must_use]
    pub fn shares(&self) -> bool {
        !self.blocks.is_empty() || self.base.releases.iter().any(ReleaseModel::is_drawn)
    }

    /// Writes into a buffer what the instances of the replicate with these draws share.
    pub fn share(&self, draws: &mut Draws, shared: &mut Shared) {
        if !self.shares() {
            shared.rates = self.base.releases.as_ref().map(|release_model| release_model.rates);
            shared.factors = self.base.releases.as_ref().map(|release_model| release_model.factor.draw(Key(0)));
            shared.blocks.clear();
            return;
        }
        let key = draws.shared();
        shared.rates = self.base.releases.as_ref().map(|release_model| release_model.source.draw(key));
        shared.factors = self.base.releases.as_ref().map(|release_model| release_model.factor.draw(key));
        shared.blocks.clear();
        shared.blocks.extend(self.blocks.iter().map(|law| law.draw(key)));
    }

    /// The same, in a new buffer.
    #[must_use]
    pub fn shared(&self, draws: &mut Draws) -> Shared {
        let mut shared = Shared::default();
        self.share(draws, &mut shared);
        shared
    }

    /// Where the rates of a release come from.
    #[must_use]
    pub fn rate_source(&self, release: Release) -> &RateSource {
        &self.base.releases[release].source
    }

    /// What multiplies the upgrade times of a release.
    #[must_use]
    pub fn factor(&self, release: Release) -> &Factor {
        &self.base.releases[release].factor
    }

    /// The laws of the blocks, as [`Shared::blocks`] has them.
    #[must_use]
    pub fn block_laws(&self) -> &[BlockLaw] {
        &self.blocks
    }

    /// The scenario of the replicates that share these values: nothing is left to draw once per replicate.
    #[must_use]
    pub fn given(&self, shared: &Shared) -> Self {
        let mut given = self.clone();
        for release in [Release::Previous, Release::Target] {
            let release_model = &mut given.base.releases[release];
            release_model.rates = shared.rates[release];
            release_model.source = RateSource::Known(shared.rates[release]);
            release_model.factor = Factor::Constant(shared.factors[release]);
        }
        given.differing.place_blocks(&self.blocks, &shared.blocks);
        given.blocks.clear();
        given
    }

    /// What an instance runs at the request, and its state.
    #[must_use]
    pub fn start(&self, member: &Member<'_>) -> (DigestId, StartState) {
        if self.starts.are_plain() {
            return (self.digests.previous, StartState::Well);
        }
        let states = self.differing.overrides_at(member.n, member.zone).filter(|o| o.group.holds(member, None));
        let state = states.filter_map(|o| o.start.state).last().unwrap_or_default();
        (self.starts.runs(member.n), state)
    }

    /// The digest that a release's heartbeats carry.
    #[must_use]
    pub fn digest(&self, release: Release) -> DigestId {
        self.digests[release]
    }

    /// Why no instance is ever commanded, whatever happens; `None` if some may be.
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

    /// What of the policy or of the start of the fleet goes beyond the tutorial's; `None`: nothing does.
    #[must_use]
    pub fn beyond_tutorial(&self) -> Option<&'static str> {
        let settings = &self.settings;
        let beyond = [
            (settings.batches.equal(self.total()).is_none(), "the batches differ in size"),
            (settings.max_consecutive_failures.is_none(), "the rollout has no limit of failures in a row"),
            (!settings.breakers.is_empty(), "other breakers than failures in a row count too"),
            (settings.pace.min_healthy > Span::ZERO, "an instance must stay healthy for a while"),
            (settings.pace.retries > 0, "instances that fail are commanded again"),
            (settings.pace.advance_pct < 100, "batches overlap"),
            (!settings.pace.bakes.is_empty(), "the walk stays after a batch"),
            (settings.pace.promotions != Promotions::Never, "a person promotes batches"),
            (settings.watch.is_some(), "instances are watched after their verdicts"),
            (settings.rollback_max_consecutive_failures.is_some(), "a rollback has a limit of its own"),
            (settings.rollback_health_timeout != settings.health_timeout, "a rollback has a timeout of its own"),
            (!self.starts.are_plain(), "instances differ at the request"),
        ];
        beyond.into_iter().find(|&(is, _)| is).map(|(_, why)| why)
    }

    /// Whether instances differ at the request.
    #[must_use]
    pub fn starts_differ(&self) -> bool {
        !self.starts.are_plain()
    }

    /// The metrics that a run of this scenario has.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> {
        Metric::reported(self.bricks)
    }

    /// The most in flight at once.
    #[must_use]
    pub fn most_in_flight(&self) -> u32 {
        self.settings.most_in_flight(self.total()).map_or(u32::MAX, std::num::NonZeroU32::get)
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
        let phase = self.base.phase.unwrap_or_else(|| Span(scale(block.phase, self.interval.0)));
        let mut member = Member {
            n,
            zone,
            phase,
            flaps: self.flap_laws.own(),
            loss: self.base.loss,
            delay: &self.base.delay,
            block,
        };
        if !self.differing.overrides().is_empty() {
            self.override_link(&mut member);
        }
        member
    }

    fn override_link<'w>(&'w self, member: &mut Member<'w>) {
        let (mut rate, mut down) = (0, 0);
        for o in self.differing.overrides_at(member.n, member.zone) {
            if !o.group.holds(member, None) {
                continue;
            }
            let link = &o.link;
            member.phase = link.phase.unwrap_or(member.phase);
            member.loss = link.loss.unwrap_or(member.loss);
            member.delay = link.delay.as_ref().unwrap_or(member.delay);
            rate = if link.flap_rate > 0 { link.flap_rate } else { rate };
            down = if link.flap_down > 0 { link.flap_down } else { down };
        }
        member.flaps = self.flap_laws.law(rate, down);
    }

    /// The sampled upgrade of a member to a release in a replicate: `block` is the attempt's. The rates of classes and
    /// overrides take precedence over the shared rates.
    #[inline(always)]
    pub fn sampled(
        &self,
        member: &Member<'_>,
        block: &InstanceBlock,
        release: Release,
        shared: &Shared,
    ) -> SampledUpgrade {
        let (rates, factor) = (&shared.rates[release], shared.factors[release]);
        if self.differing.is_empty() {
            let release_model = &self.base.releases[release];
            return SampledUpgrade::draw(
                None,
                rates,
                &release_model.upgrade,
                &release_model.crash_after,
                &release_model.degrade_after,
                factor,
                block,
            );
        }
        let OutcomeDistribution { outcome, rates, upgrade, crash_after, degrade_after, factor } =
            self.outcome_distribution_of_member(member, release, shared);
        SampledUpgrade::draw(outcome, &rates, upgrade, crash_after, degrade_after, factor, block)
    }

    /// The outcome distribution of upgrades to a release with these rates, with these groups applied in order.
    #[inline(always)]
    fn outcome_distribution<'w>(
        &'w self,
        groups: impl Iterator<Item = &'w Group>,
        release: Release,
        mut rates: OutcomeRates,
        factor: f64,
    ) -> OutcomeDistribution<'w> {
        let release_model = &self.base.releases[release];
        let (mut upgrade, mut crash_after) = (&release_model.upgrade, &release_model.crash_after);
        let mut degrade_after = &release_model.degrade_after;
        let mut outcome: Option<UpgradeOutcome> = None;
        for group in groups {
            if !group.releases[release] {
                continue;
            }
            if !group.rates.is_empty() {
                // A later override that speaks of rates takes the place of an outcome that an earlier one fixed.
                outcome = None;
            }
            rates = group.rates.over(rates);
            outcome = group.outcome.or(outcome);
            upgrade = group.upgrade.as_ref().unwrap_or(upgrade);
            crash_after = group.crash_after.as_ref().unwrap_or(crash_after);
            degrade_after = group.degrade_after.as_ref().unwrap_or(degrade_after);
        }
        OutcomeDistribution { outcome, rates, upgrade, crash_after, degrade_after, factor }
    }
}

const HOUR: f64 = 3_600_000.0;

fn triggers(faults: &[Fault]) -> HashMap<(EventKind, Option<u32>), Vec<usize>> {
    let mut triggers: HashMap<_, Vec<usize>> = HashMap::new();
    for (fault, said) in faults.iter().enumerate() {
        if let FaultStart::After { event, batch_index, .. } = said.start {
            triggers.entry((event, batch_index)).or_default().push(fault);
        }
    }
    triggers
}

/// The instances of a plan in the scenario's order; `None` if that is the fleet's.
fn arranged(scenario: &Scenario, order: &PlanOrder) -> Option<PlanOrder> {
    let mut ids: Vec<InstanceId> = (0..order.len()).map(|position| order.instance(position)).collect();
    match scenario.rollout.order {
        RolloutOrder::Listed => return None,
        RolloutOrder::Shuffled => {
            let key = Key(scenario.seed).child(Name::RolloutOrder.key());
            ids.sort_by_key(|id| (key.word(u64::from(id.0)), *id));
        }
        RolloutOrder::ByZone => ids.sort_by_key(|id| id.0 % scenario.fleet.zones),
    }
    Some(PlanOrder::arranged(ids))
}

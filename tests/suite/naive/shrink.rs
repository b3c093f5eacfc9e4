//! Shrinks a scenario on which the two implementations disagree: leaves out whatever it can.

use std::num::NonZeroU32;

use dryroll::engine::{BatchSizes, InterventionPolicy, Promotions, Reason, RuleKind};
use dryroll::fleet::{InstanceId, Span};
use dryroll::scenario::{
    Concentrations, Distribution, FaultStart, Members, OutcomeRates, RolloutOrder, Scenario, Target, UpgradeOutcome,
};

type Simpler = fn(&mut Scenario);

/// What can be made simpler without a choice.
const SIMPLER: &[Simpler] = &[
    |s| s.horizon = Span(s.horizon.0 / 2),
    |s| s.rollout.observe_after = Span::ZERO,
    |s| s.network.flap_rate_per_hour = 0.0,
    |s| s.network.zone_outage_rate_per_day = 0.0,
    |s| s.fleet.crash_rate_per_1000_days = 0.0,
    |s| s.fleet.heartbeat_loss_rate = 0.0,
    |s| s.fleet.heartbeat_delay = Distribution::Constant(0.0),
    |s| s.fleet.heartbeat_phase = Some(Span::ZERO),
    |s| s.fleet.statuses.clear(),
    |s| s.versions[0].rates = OutcomeRates::default(),
    |s| s.versions[1].rates = OutcomeRates::default(),
    |s| s.versions.iter_mut().for_each(|v| v.concentrations = Concentrations::default()),
    |s| s.versions.iter_mut().for_each(|v| v.upgrade_time_factor = None),
    |s| s.rollout.order = RolloutOrder::Listed,
    |s| s.rollout.max_in_flight = None,
    |s| s.rollout.batches = BatchSizes::pct(100),
    |s| s.rollout.batches = BatchSizes::pct(1),
    |s| s.rollout.batches.growth = None,
    |s| s.rollout.batches.sizes.truncate(1),
    |s| s.rollout.rollback_batches = BatchSizes::pct(100),
    |s| s.rollout.max_consecutive_failures = NonZeroU32::new(1),
    |s| s.rollout.max_consecutive_failures = NonZeroU32::new(50),
    |s| {
        s.rollout.max_consecutive_failures =
            s.rollout.max_consecutive_failures.filter(|_| s.rollout.breakers.is_empty())
    },
    |s| s.rollout.rollback_max_consecutive_failures = None,
    |s| s.rollout.rollback_health_timeout = None,
    |s| s.rollout.pace.min_healthy = Span::ZERO,
    |s| s.rollout.pace.retries = s.rollout.pace.retries.min(1),
    |s| s.rollout.pace.retries = 0,
    |s| s.rollout.pace.advance_pct = 100,
    |s| s.rollout.pace.bakes.clear(),
    |s| s.rollout.pace.bakes.truncate(1),
    |s| s.rollout.pace.promotions = Promotions::Never,
    |s| s.rollout.watch = s.rollout.watch.filter(|_| needs_watch(s)),
    |s| s.rollout.watch.iter_mut().for_each(|watch| watch.max_unavailable = None),
    |s| s.rollout.ok_pct = 100,
    |s| s.operator.on_promotion.truncate(1),
    |s| s.operator.promotion_delay = Distribution::Constant(0.0),
    |s| s.rollout.breaker_order = Default::default(),
    |s| s.rollout.breaker_scope = Default::default(),
    |s| s.reconciler.policy = InterventionPolicy::AutoApprove,
    |s| s.operator.edit = None,
    |s| s.operator.on_trip.truncate(1),
    |s| s.operator.approval_delay = Distribution::Constant(0.0),
    |s| s.operator.decision_delay = Distribution::Constant(0.0),
    |s| s.versions.iter_mut().for_each(|v| v.degrade_after = Distribution::Constant(0.0)),
    |s| s.versions[0].crash_after = Distribution::Constant(0.0),
    |s| s.versions[1].crash_after = Distribution::Constant(0.0),
    |s| s.versions.iter_mut().for_each(|v| v.upgrade_time = Distribution::Constant(0.0)),
];

/// Whether a rule speaks of health after the verdict.
fn needs_watch(scenario: &Scenario) -> bool {
    scenario.rollout.breakers.iter().any(|rule| match &rule.kind {
        RuleKind::Unwell(_) => true,
        RuleKind::Failures(rule) => rule.reasons.iter().flatten().any(|&reason| reason == Reason::Relapsed),
        _ => false,
    })
}

fn leaves_out_an_instance(scenario: &Scenario) -> Option<Scenario> {
    let mut smaller = scenario.clone();
    let fleet = &mut smaller.fleet;
    let blocks = smaller.classes.iter().map(|class| match class.members {
        Members::Blocks(blocks) => blocks.count * blocks.size,
        _ => 0,
    });
    let needed = blocks.max().unwrap_or(0).max(1);
    if fleet.instances <= needed || !fleet.statuses.is_empty() {
        return None;
    }
    fleet.instances -= 1;
    fleet.zones = fleet.zones.min(fleet.instances);
    let last = InstanceId(fleet.instances);
    let targets =
        smaller.overrides.iter_mut().map(|o| &mut o.target).chain(smaller.faults.iter_mut().map(|f| &mut f.target));
    for target in targets {
        if let Target::Ids(ids) = target {
            ids.retain(|&id| id != last);
        }
    }
    for class in &mut smaller.classes {
        if let Members::Ids(ids) = &mut class.members {
            ids.retain(|&id| id != last);
        }
    }
    Some(smaller)
}

/// Scenarios that are simpler by one step.
fn simpler(scenario: &Scenario) -> Vec<Scenario> {
    let changed = |change: &dyn Fn(&mut Scenario)| {
        let mut changed = scenario.clone();
        change(&mut changed);
        changed
    };
    let mut all: Vec<Scenario> = leaves_out_an_instance(scenario).into_iter().collect();
    all.extend((0..scenario.faults.len()).map(|i| changed(&|s| drop(s.faults.remove(i)))));
    all.extend((0..scenario.overrides.len()).map(|i| changed(&|s| drop(s.overrides.remove(i)))));
    all.extend((0..scenario.rollout.breakers.len()).map(|i| changed(&|s| drop(s.rollout.breakers.remove(i)))));
    all.extend((0..scenario.classes.len()).map(|i| changed(&|s| drop(s.classes.remove(i)))));
    all.extend(SIMPLER.iter().map(|change| changed(&change)));
    for i in 0..scenario.faults.len() {
        all.push(changed(&|s| s.faults[i].target = Target::All));
        if let FaultStart::After { .. } = scenario.faults[i].start {
            all.extend([0, 1, 2, 5, 10].map(|at| changed(&|s| s.faults[i].start = FaultStart::At(Span(at * 1000)))));
        }
    }
    for i in 0..scenario.overrides.len() {
        all.push(changed(&|s| s.overrides[i].target = Target::All));
        all.push(changed(&|s| s.overrides[i].heartbeat_delay = None));
        all.push(changed(&|s| s.overrides[i].heartbeat_loss_rate = None));
        all.push(changed(&|s| s.overrides[i].heartbeat_phase = None));
        all.push(changed(&|s| s.overrides[i].flap_rate_per_hour = None));
        all.push(changed(&|s| s.overrides[i].flap_down = None));
        all.push(changed(&|s| s.overrides[i].upgrade_time = None));
        all.push(changed(&|s| s.overrides[i].crash_after = None));
        all.push(changed(&|s| s.overrides[i].rates.failure = None));
        all.push(changed(&|s| s.overrides[i].rates.hang = None));
        all.push(changed(&|s| s.overrides[i].rates.unhealthy = None));
        all.push(changed(&|s| s.overrides[i].rates.crash = None));
        all.push(changed(&|s| s.overrides[i].rates.brick = None));
        all.push(changed(&|s| s.overrides[i].rates.degrade = None));
        all.push(changed(&|s| s.overrides[i].degrade_after = None));
        all.push(changed(&|s| s.overrides[i].runs = None));
        all.push(changed(&|s| s.overrides[i].state = None));
        all.push(changed(&|s| s.overrides[i].pinned = false));
        all.push(changed(&|s| s.overrides[i].outcome = Some(UpgradeOutcome::Ok)));
    }
    all.retain(|smaller| smaller != scenario && smaller.horizon > Span::ZERO);
    all
}

/// The smallest scenario that is reached by single steps on all of which the two still disagree.
pub fn shrink(scenario: Scenario, disagree: impl Fn(&Scenario) -> bool) -> Scenario {
    let mut smallest = scenario;
    let mut steps = 0;
    while let Some(smaller) = simpler(&smallest).into_iter().find(|smaller| disagree(smaller)) {
        smallest = smaller;
        steps += 1;
        if steps > 200 {
            break;
        }
    }
    smallest
}

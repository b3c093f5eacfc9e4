//! Random scenarios from a seed: small fleets, and coarse numbers, so that many events share a millisecond.

use std::num::NonZeroU32;

use dryroll::engine::{
    BatchSizes, BreakerOrder, BreakerScope, EventKind, InterventionPolicy, OperatorDecision, Pace, Size,
};
use dryroll::fleet::{InstanceId, InstanceStatus, LifecycleState, Span};
use dryroll::scenario::{
    Blocks, ClassSpec, Concentrations, Distribution, FaultKind, FaultSpec, FaultStart, FleetSpec, Members, NetworkSpec,
    OperatorSpec, OutcomeRates, OverrideSpec, PromotionDecision, ReconcilerSpec, RolloutOrder, RolloutSpec, Scenario,
    SomeRates, Target, UpgradeOutcome, VersionIndex, VersionSpec,
};
use dryroll::sim::draws::Key;

/// Throws the dice for one scenario.
pub struct ScenarioGenerator {
    key: Key,
    thrown: u64,
    /// Seconds of one step of the grid on which durations lie.
    step: f64,
    /// Durations are drawn, not constant, in this many of a hundred cases.
    drawn_pct: u64,
    /// Each thing that can go wrong does so in this many of a hundred scenarios.
    spice_pct: u64,
}

const OUTCOMES: [UpgradeOutcome; 7] = [
    UpgradeOutcome::Ok,
    UpgradeOutcome::Fail,
    UpgradeOutcome::Hang,
    UpgradeOutcome::Unhealthy,
    UpgradeOutcome::Crash,
    UpgradeOutcome::Brick,
    UpgradeOutcome::Degrade,
];

/// The scenario that belongs to a number.
pub fn scenario(number: u64) -> Scenario {
    let mut scenario_generator =
        ScenarioGenerator { key: Key(0x5eed).child(number), thrown: 0, step: 1.0, drawn_pct: 0, spice_pct: 0 };
    scenario_generator.step = scenario_generator.pick(&[0.001, 1.0, 1.0, 5.0]);
    scenario_generator.drawn_pct = scenario_generator.pick(&[0, 0, 30, 80]);
    scenario_generator.spice_pct = scenario_generator.pick(&[0, 10, 25, 50]);
    scenario_generator.scenario(number)
}

impl ScenarioGenerator {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.thrown += 1;
        ((u128::from(self.key.word(self.thrown)) * u128::from(limit)) >> 64) as u64
    }

    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub fn chance(&mut self, pct: u64) -> bool {
        self.below(100) < pct
    }

    fn spice(&mut self) -> bool {
        let pct = self.spice_pct;
        self.chance(pct)
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    pub fn maybe<T>(&mut self, pct: u64, what: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(pct).then(|| what(self))
    }

    fn seconds(&self, steps: u64) -> f64 {
        steps as f64 * self.step
    }

    pub fn span(&mut self, low: u64, high: u64) -> Span {
        let steps = self.between(low, high);
        Span::from_secs_f64(self.seconds(steps))
    }

    /// A duration of about this many steps.
    pub fn duration(&mut self, low: u64, high: u64) -> Distribution {
        let steps = self.between(low, high);
        let middle = self.seconds(steps.max(1));
        let pct = self.drawn_pct;
        if !self.chance(pct) {
            return Distribution::Constant(self.seconds(steps));
        }
        match self.below(5) {
            0 => Distribution::Exponential { mean: middle },
            1 => Distribution::Lognormal { median: middle, sigma: 0.5 },
            2 => Distribution::Uniform { min: self.seconds(low), max: self.seconds(high) },
            3 => Distribution::Weibull { scale: middle, shape: 1.5 },
            _ => Distribution::Empirical((0..3).map(|i| self.seconds(low + i * (high - low) / 2)).collect()),
        }
    }

    /// A rate per this many seconds, of one in about this many steps.
    fn rate(&mut self, per_seconds: f64, low: u64, high: u64) -> f64 {
        let steps = self.between(low, high);
        per_seconds / self.seconds(steps)
    }

    fn target(&mut self, fleet: &FleetSpec) -> Target {
        match self.below(5) {
            0 => Target::All,
            1 => Target::Zone(self.below(u64::from(fleet.zones)) as u32),
            2 => Target::Fraction(self.pick(&[0.2, 0.5, 0.8])),
            _ => {
                let mut ids: Vec<InstanceId> =
                    (0..fleet.instances).map(InstanceId).filter(|_| self.chance(40)).collect();
                if ids.is_empty() {
                    ids.push(InstanceId(self.below(u64::from(fleet.instances)) as u32));
                }
                Target::Ids(ids)
            }
        }
    }

    fn rates(&mut self) -> OutcomeRates {
        let mut rate = |most: f64| if self.chance(35) { self.pick(&[0.1, 0.5, 1.0]) * most } else { 0.0 };
        let (failure, hang, unhealthy, crash) = (rate(0.3), rate(0.2), rate(0.25), rate(0.25));
        OutcomeRates { failure, hang, unhealthy, crash, brick: 0.0, degrade: 0.0 }
    }

    fn version(&mut self, id: &str, lifecycle_state: LifecycleState) -> VersionSpec {
        let plain = self.chance(25);
        VersionSpec {
            id: id.into(),
            lifecycle_state,
            digest: format!("sha256:{id}").into(),
            defective: self.chance(50),
            upgrade_time: self.duration(0, 6),
            upgrade_time_factor: None,
            concentrations: Concentrations::default(),
            rates: if plain { OutcomeRates::default() } else { self.rates() },
            crash_after: self.duration(0, 15),
            degrade_after: self.duration(0, 15),
        }
    }

    fn fleet(&mut self) -> FleetSpec {
        let most = self.pick(&[14, 14, 14, 40]);
        let instances = self.between(1, most) as u32;
        let interval = self.between(1, 6);
        let mut free = instances;
        let mut statuses = Vec::new();
        for status in InstanceStatus::ALL {
            if self.chance(12) && free > 0 {
                let count = self.between(1, u64::from(free.min(3))) as u32;
                statuses.push((status, count));
                free -= count;
            }
        }
        FleetSpec {
            template_id: "edge".into(),
            instances,
            zones: self.between(1, 4).min(u64::from(instances)) as u32,
            heartbeat_interval: Span::from_secs_f64(self.seconds(interval)),
            heartbeat_phase: self.maybe(50, |scenario_generator| scenario_generator.span(0, interval - 1)),
            heartbeat_loss_rate: if self.spice() { self.pick(&[0.05, 0.3, 0.7]) } else { 0.0 },
            heartbeat_delay: if self.spice() { self.duration(0, 8) } else { Distribution::Constant(0.0) },
            statuses,
            crash_rate_per_1000_days: if self.spice() { self.rate(86_400_000.0, 10, 150) } else { 0.0 },
            repair: self.duration(0, 12),
        }
    }

    fn network(&mut self) -> NetworkSpec {
        NetworkSpec {
            flap_rate_per_hour: if self.spice() { self.rate(3600.0, 5, 60) } else { 0.0 },
            flap_down: self.duration(0, 8),
            zone_outage_rate_per_day: if self.spice() { self.rate(86_400.0, 15, 120) } else { 0.0 },
            zone_outage: self.duration(0, 12),
        }
    }

    fn rollout(&mut self, previous: Option<VersionIndex>, heartbeat: Span) -> RolloutSpec {
        let beats = Span(heartbeat.0 * self.between(1, 4));
        RolloutSpec {
            target: VersionIndex(1),
            previous,
            names_previous: false,
            order: RolloutOrder::Listed,
            batches: BatchSizes::pct(self.pick(&[1, 10, 20, 25, 34, 50, 60, 100])),
            max_consecutive_failures: Some(self.limit()),
            names_first_rule: true,
            health_timeout: if self.chance(50) { beats } else { self.span(1, 14) },
            rollback_batches: BatchSizes::pct(self.pick(&[1, 20, 50, 50, 67, 100])),
            rollback_max_consecutive_failures: None,
            rollback_health_timeout: None,
            breakers: Vec::new(),
            ok_pct: 100,
            pace: Pace::default(),
            watch: None,
            breaker_order: self.pick(&[BreakerOrder::Observed, BreakerOrder::Observed, BreakerOrder::Listed]),
            breaker_scope: self.pick(&[BreakerScope::Rollout, BreakerScope::Rollout, BreakerScope::Batch]),
            max_in_flight: self.maybe(40, |scenario_generator| {
                Size::Count(NonZeroU32::new(scenario_generator.between(1, 5) as u32).expect("at least 1"))
            }),
            observe_after: if self.chance(50) { self.span(0, 30) } else { Span::ZERO },
        }
    }

    fn limit(&mut self) -> NonZeroU32 {
        NonZeroU32::new(self.pick(&[1, 1, 2, 2, 2, 3, 4, 50])).expect("at least 1")
    }

    fn operator(&mut self) -> OperatorSpec {
        let decisions = [
            OperatorDecision::ContinueAnyway,
            OperatorDecision::ContinueAnyway,
            OperatorDecision::RollbackCompletedBatches,
            OperatorDecision::RollbackCompletedBatches,
            OperatorDecision::Abort,
        ];
        OperatorSpec {
            approval_delay: self.duration(0, 8),
            approval_expires: self.pick(&[Span(86_400_000), Span(86_400_000), Span(0)]),
            approves: !self.chance(7),
            edit: self.maybe(25, |scenario_generator| {
                let batch_pct =
                    scenario_generator.maybe(60, |scenario_generator| scenario_generator.pick(&[5, 30, 50, 100]));
                let limit = if batch_pct.is_none() {
                    Some(scenario_generator.limit())
                } else {
                    scenario_generator.maybe(50, Self::limit)
                };
                dryroll::engine::Edit { batch_pct, max_consecutive_failures: limit }
            }),
            on_trip: (0..self.between(1, 4)).map(|_| self.pick(&decisions)).collect(),
            decision_delay: self.duration(0, 10),
            promotion_delay: Distribution::Constant(0.0),
            on_promotion: vec![PromotionDecision::Promote],
        }
    }

    fn overrides(&mut self, fleet: &FleetSpec) -> Vec<OverrideSpec> {
        let count = if self.spice() { self.between(1, 3) } else { 0 };
        (0..count)
            .map(|_| {
                let rate = |scenario_generator: &mut Self| scenario_generator.pick(&[0.0, 0.1, 0.25]);
                let most = (fleet.heartbeat_interval.0 as f64 / 1000.0 / self.step).round() as u64 - 1;
                OverrideSpec {
                    target: self.target(fleet),
                    versions: self.pick(&[
                        Some(vec![VersionIndex(1)]),
                        Some(vec![VersionIndex(0)]),
                        Some(vec![VersionIndex(0), VersionIndex(1)]),
                    ]),
                    outcome: self.maybe(50, |scenario_generator| scenario_generator.pick(&OUTCOMES)),
                    rates: SomeRates {
                        failure: self.maybe(10, rate),
                        hang: self.maybe(10, rate),
                        unhealthy: self.maybe(10, rate),
                        crash: self.maybe(10, rate),
                        brick: self.maybe(3, rate),
                        degrade: self.maybe(5, rate),
                    },
                    upgrade_time: self.maybe(20, |scenario_generator| scenario_generator.duration(0, 12)),
                    crash_after: self.maybe(20, |scenario_generator| scenario_generator.duration(0, 12)),
                    degrade_after: self.maybe(10, |scenario_generator| scenario_generator.duration(0, 12)),
                    runs: None,
                    state: None,
                    pinned: false,
                    heartbeat_phase: self.maybe(20, |scenario_generator| scenario_generator.span(0, most)),
                    heartbeat_loss_rate: self.maybe(15, |scenario_generator| scenario_generator.pick(&[0.0, 0.5, 1.0])),
                    heartbeat_delay: self.maybe(15, |scenario_generator| scenario_generator.duration(0, 8)),
                    flap_rate_per_hour: self.maybe(15, |scenario_generator| scenario_generator.rate(3600.0, 5, 40)),
                    flap_down: self.maybe(15, |scenario_generator| scenario_generator.duration(0, 8)),
                }
            })
            .collect()
    }

    fn fault(&mut self, fleet: &FleetSpec) -> FaultSpec {
        let kind = match self.below(10) {
            0 => FaultKind::Partition,
            1 => FaultKind::Kill,
            2 => FaultKind::Slow { factor: self.pick(&[0.5, 2.0, 3.0]) },
            3 => FaultKind::RegistryOutage,
            4 => FaultKind::ReconcilerPause,
            5 | 6 => FaultKind::ReconcilerCrash,
            7 => FaultKind::DuplicateHeartbeats,
            8 => FaultKind::DelayHeartbeats { by: self.duration(0, 8) },
            _ => FaultKind::ArchivePreviousVersion,
        };
        let start = if self.chance(50) {
            FaultStart::At(self.span(0, 40))
        } else {
            let event = self.pick(&EventKind::ALL);
            let batch_index = if event.has_batch_index() {
                self.maybe(40, |scenario_generator| scenario_generator.below(3) as u32)
            } else {
                None
            };
            FaultStart::After { event, batch_index, delay: self.span(0, 6) }
        };
        let controllers =
            matches!(kind, FaultKind::ReconcilerPause | FaultKind::ReconcilerCrash | FaultKind::ArchivePreviousVersion);
        FaultSpec {
            start,
            duration: (!self.chance(8) && kind != FaultKind::ArchivePreviousVersion).then(|| self.span(0, 15)),
            target: if controllers { Target::All } else { self.target(fleet) },
            kind,
        }
    }

    fn scenario(&mut self, number: u64) -> Scenario {
        let fleet = self.fleet();
        let old_state = if self.chance(5) { LifecycleState::Archived } else { LifecycleState::Live };
        let old = self.version("v1", old_state);
        let mut new = self.version("v2", LifecycleState::Blessed);
        if self.chance(1) {
            new.digest.clone_from(&old.digest);
        }
        let previous = (!self.chance(5)).then_some(VersionIndex(0));
        let mut operator = self.operator();
        if operator.approval_expires == Span::ZERO {
            operator.approval_expires = self.span(1, 16);
        }
        let policies = [
            InterventionPolicy::AutoApprove,
            InterventionPolicy::AutoApprove,
            InterventionPolicy::RequireApproval,
            InterventionPolicy::RequireApproval,
            InterventionPolicy::NotifyAndProceed,
        ];
        let faults =
            if self.spice() { self.between(1, 2) } else { 0 } + if self.spice() { self.between(1, 3) } else { 0 };
        let mut scenario = Scenario {
            name: format!("number {number}").into(),
            hash: String::new(),
            environment: String::new(),
            seed: number,
            horizon: if self.chance(20) { self.span(1, 60) } else { self.span(150, 300) },
            module_id: "nginx".into(),
            versions: vec![old, new, self.version("v0", LifecycleState::Live)],
            network: self.network(),
            rollout: self.rollout(previous, fleet.heartbeat_interval),
            reconciler: ReconcilerSpec {
                interval: self.span(1, 10),
                policy: if self.chance(2) { InterventionPolicy::Blocked } else { self.pick(&policies) },
                permission: true,
            },
            operator,
            overrides: self.overrides(&fleet),
            faults: (0..faults).map(|_| self.fault(&fleet)).collect(),
            expect: Vec::new(),
            policies: Vec::new(),
            tune: None,
            drill: None,
            classes: Vec::new(),
            fleet,
        };
        self.together(&mut scenario);
        if self.chance(60) {
            self.policies(&mut scenario);
        }
        scenario
    }

    /// What makes failures come together, and the order that meets it.
    fn together(&mut self, scenario: &mut Scenario) {
        if !self.chance(30) {
            return;
        }
        scenario.rollout.order = self.pick(&[RolloutOrder::Listed, RolloutOrder::Shuffled, RolloutOrder::ByZone]);
        for version in &mut scenario.versions {
            if self.chance(30) {
                let mut drawn = |mean: &mut f64| {
                    *mean = self.pick(&[0.05, 0.2, 0.4]);
                    Some(self.pick(&[1.0, 5.0]))
                };
                let (rates, all) = (&mut version.rates, &mut version.concentrations);
                *rates = OutcomeRates::default();
                all.failure = drawn(&mut rates.failure);
                all.hang = drawn(&mut rates.hang);
            }
            version.upgrade_time_factor = self.maybe(25, |scenario_generator| match scenario_generator.below(4) {
                0 => Distribution::Constant(1.5),
                1 => Distribution::Lognormal { median: 1.0, sigma: 0.4 },
                2 => Distribution::Uniform { min: 0.0, max: 3.0 },
                _ => Distribution::Empirical(vec![0.5, 1.0, 2.0]),
            });
        }
        for number in 0..self.below(4) {
            let class = self.class(number, scenario);
            scenario.classes.push(class);
        }
    }

    fn class(&mut self, number: u64, scenario: &Scenario) -> ClassSpec {
        let instances = scenario.fleet.instances;
        let members = match self.below(5) {
            0 => Members::Share(self.pick(&[0.2, 0.5])),
            1 => Members::Ids((0..instances).map(InstanceId).filter(|_| self.chance(40)).collect()),
            2 => Members::Zone(self.below(u64::from(scenario.fleet.zones)) as u32),
            _ => {
                let size = self.between(1, u64::from(instances.min(4))) as u32;
                let count = self.between(1, u64::from(instances / size)) as u32;
                Members::Blocks(Blocks { count, size })
            }
        };
        let rate = |scenario_generator: &mut Self| scenario_generator.pick(&[0.0, 0.1, 0.6, 1.0]);
        ClassSpec {
            id: format!("class {number}").into(),
            members,
            versions: self.pick(&[
                None,
                None,
                Some(vec![VersionIndex(0)]),
                Some(vec![VersionIndex(0), VersionIndex(1)]),
            ]),
            rates: SomeRates {
                failure: self.maybe(40, rate),
                hang: self.maybe(30, rate),
                unhealthy: self.maybe(15, rate),
                crash: self.maybe(15, rate),
                brick: self.maybe(5, rate),
                degrade: self.maybe(8, rate),
            },
            upgrade_time: self.maybe(20, |scenario_generator| scenario_generator.duration(0, 12)),
            crash_after: self.maybe(20, |scenario_generator| scenario_generator.duration(0, 12)),
            degrade_after: self.maybe(10, |scenario_generator| scenario_generator.duration(0, 12)),
        }
    }
}

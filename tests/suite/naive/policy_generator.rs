//! The policies of the field, by chance: what is next, when it is, when to stop, and health after the verdict.

use std::num::NonZeroU32;

use dryroll::engine::{
    Armed, BatchOf, BatchSizes, BreakerOrder, BreakerScope, FailedBatches, FailureCount, Failures, Growth, GrowthStep,
    Limit, LogRatio, Moments, NoProgress, OnFailed, Pace, Promotions, Reason, Rounding, Rule, RuleKind, Share, Size,
    Sprt, Then, Threshold, Unwell, Watch, Whole,
};
use dryroll::fleet::{InstanceId, Span};
use dryroll::scenario::{OverrideSpec, PromotionDecision, Scenario, SomeRates, StartState, Target, VersionIndex};

use super::scenario_generator::ScenarioGenerator;

impl ScenarioGenerator {
    fn share(&mut self) -> Share {
        let thousandths = self.pick(&[1, 5_000, 10_000, 12_345, 25_000, 33_333, 50_000, 50_000, 66_667, 100_000]);
        Share::from_thousandths(thousandths).expect("a share")
    }

    fn size(&mut self, most: u64) -> Size {
        if self.chance(50) {
            Size::Share(self.share())
        } else {
            Size::Count(NonZeroU32::new(self.between(1, most) as u32).expect("at least 1"))
        }
    }

    fn batches(&mut self, grows: bool) -> BatchSizes {
        let growth = self.maybe(if grows { 50 } else { 0 }, |dice| Growth {
            step: if dice.chance(60) {
                GrowthStep::Factor(dice.pick(&[1000, 1500, 2000, 2000, 3000]))
            } else {
                GrowthStep::Add(NonZeroU32::new(dice.between(1, 3) as u32).expect("at least 1"))
            },
            on_failed: dice.pick(&[OnFailed::Keep, OnFailed::Shrink, OnFailed::Shrink]),
        });
        let count = if growth.is_some() { 1 } else { self.between(1, 3) };
        BatchSizes {
            sizes: (0..count).map(|_| self.size(5)).collect(),
            rounding: self.pick(&[Rounding::Up, Rounding::Down]),
            of: self.pick(&[BatchOf::Planned, BatchOf::Planned, BatchOf::Remaining]),
            growth,
        }
    }

    fn pace(&mut self, scenario: &Scenario) -> Pace {
        let mut pace = Pace::default();
        if self.chance(30) {
            let most = scenario.rollout.health_timeout.0 - 1;
            let beats = scenario.fleet.heartbeat_interval.0 * self.between(0, 3);
            pace.min_healthy = Span(beats.min(most));
        }
        if self.chance(30) {
            pace.retries = self.between(1, 3) as u32;
        }
        if self.chance(35) && scenario.rollout.breaker_order == BreakerOrder::Observed {
            pace.advance_pct = self.pick(&[0, 0, 1, 30, 50, 80]);
        }
        if self.chance(40) {
            pace.bakes = (0..self.between(1, 3)).map(|_| self.span(0, 12)).collect();
        }
        if self.chance(35) {
            pace.promotions = match self.below(2) {
                0 => Promotions::Every,
                _ => Promotions::Before((1..5).filter(|_| self.chance(50)).collect()),
            };
        }
        pace
    }

    fn threshold(&mut self, of: &[Whole]) -> Threshold {
        let exceeds = self.chance(25);
        let (limit, of) = match self.below(5) {
            0 | 1 => {
                let least = u64::from(!exceeds);
                (Limit::Count(self.between(least, 4) as u32), self.pick(of))
            }
            2 | 3 => (Limit::Share(self.share()), self.pick(of)),
            _ => {
                let least = self.between(1, 3) as u32;
                let most = least + self.below(4) as u32;
                (Limit::Clamped { share: self.share(), least, most }, Whole::Planned)
            }
        };
        Threshold { limit, of, exceeds }
    }

    fn armed(&mut self) -> Armed {
        Armed {
            after_judged: if self.chance(20) { self.between(1, 5) as u32 } else { 0 },
            until_pct: self.maybe(15, |dice| dice.pick(&[25, 50, 90, 100])),
        }
    }

    fn moments(&mut self) -> Moments {
        self.pick(&[Moments::Verdict, Moments::Verdict, Moments::BatchEnd])
    }

    fn rule(&mut self, watched: bool) -> Rule {
        let scope = self.pick(&[BreakerScope::Rollout, BreakerScope::Rollout, BreakerScope::Batch]);
        let kind = match self.below(if watched { 10 } else { 8 }) {
            0..=3 => {
                let how = match self.below(3) {
                    0 => FailureCount::Total,
                    1 => FailureCount::InARow,
                    _ => FailureCount::Window(self.span(1, 20)),
                };
                let reasons = [Reason::UpgradeFailed, Reason::HealthTimeout, Reason::Relapsed];
                let known = if watched { &reasons[..] } else { &reasons[..2] };
                RuleKind::Failures(Failures {
                    how,
                    threshold: self.threshold(&[Whole::Planned, Whole::Batch, Whole::Judged]),
                    armed: self.armed(),
                    check: self.moments(),
                    reasons: self.maybe(25, |dice| vec![dice.pick(known)]).filter(|_| how != FailureCount::InARow),
                    scope,
                })
            }
            4 => RuleKind::FailedBatches(FailedBatches {
                limit: self.between(1, 2) as u32,
                exceeds: self.chance(20),
                armed: self.armed(),
            }),
            5 => {
                // log(bad / good), log((1 - bad) / (1 - good)), log((1 - b) / a), log(b / (1 - a))
                let (failed, healthy) = self.pick(&[(1.4, -0.4), (0.7, -0.12)]);
                let (upper, lower) = self.pick(&[(2.2, -2.2), (1.4, -1.5), (0.9, -0.3)]);
                RuleKind::Sprt(Sprt {
                    failed: LogRatio(failed),
                    healthy: LogRatio(healthy),
                    upper: LogRatio(upper),
                    lower: LogRatio(lower),
                    check: self.moments(),
                    scope,
                })
            }
            6 | 7 => RuleKind::NoProgress(NoProgress { after: self.span(1, 14) }),
            _ => RuleKind::Unwell(Unwell {
                threshold: self.threshold(&[Whole::Planned, Whole::Planned, Whole::Judged]),
                armed: self.armed(),
            }),
        };
        Rule { kind, then: self.pick(&[Then::Ask, Then::Ask, Then::Note, Then::Note, Then::Abort, Then::RollBack]) }
    }

    fn watch(&mut self, heartbeat: Span) -> Watch {
        let silent_after = Span(heartbeat.0 * self.between(1, 3) + self.pick(&[0, 0, 1]));
        Watch { silent_after, max_unavailable: self.maybe(50, |dice| dice.size(5)) }
    }

    fn starts(&mut self, scenario: &mut Scenario) {
        for _ in 0..self.between(1, 3) {
            let instances = scenario.fleet.instances;
            let ids: Vec<InstanceId> = (0..instances).map(InstanceId).filter(|_| self.chance(25)).collect();
            if ids.is_empty() {
                continue;
            }
            let states = [StartState::Well, StartState::Unhealthy, StartState::Unhealthy, StartState::Silent];
            scenario.overrides.push(OverrideSpec {
                target: Target::Ids(ids),
                versions: None,
                outcome: None,
                rates: SomeRates::default(),
                upgrade_time: None,
                crash_after: None,
                degrade_after: None,
                heartbeat_phase: None,
                heartbeat_loss_rate: None,
                heartbeat_delay: None,
                flap_rate_per_hour: None,
                flap_down: None,
                runs: self.maybe(40, |dice| VersionIndex(dice.pick(&[0, 1, 2, 2]))),
                state: self.maybe(60, |dice| dice.pick(&states)),
                pinned: self.chance(20),
            });
        }
    }

    /// Gives a scenario some of the policies.
    pub fn policies(&mut self, scenario: &mut Scenario) {
        for version in &mut scenario.versions {
            if self.chance(15) {
                version.rates.brick = self.pick(&[0.05, 0.2]);
            }
            if self.chance(25) {
                version.rates.degrade = self.pick(&[0.1, 0.3]);
            }
        }
        if self.chance(35) && scenario.versions[0].digest != scenario.versions[1].digest {
            self.starts(scenario);
        }
        if self.chance(55) {
            scenario.rollout.batches = self.batches(true);
        }
        if self.chance(30) {
            scenario.rollout.rollback_batches = self.batches(false);
        }
        if self.chance(30) {
            scenario.rollout.max_in_flight = Some(self.size(4));
        }
        if self.chance(25) {
            scenario.rollout.rollback_max_consecutive_failures = NonZeroU32::new(self.between(1, 3) as u32);
        }
        if self.chance(25) {
            let soak = scenario.rollout.pace.min_healthy.0;
            scenario.rollout.rollback_health_timeout = Some(Span(self.span(1, 14).0.max(soak + 1)));
        }
        scenario.rollout.ok_pct = self.pick(&[100, 100, 50, 80, 1]);
        let stops = self.chance(60);
        let watched = self.chance(60);
        if stops || watched {
            scenario.rollout.breaker_order = BreakerOrder::Observed;
        }
        scenario.rollout.pace = self.pace(scenario);
        let soak = scenario.rollout.pace.min_healthy.0;
        if let Some(timeout) = &mut scenario.rollout.rollback_health_timeout {
            timeout.0 = timeout.0.max(soak + 1);
        }
        if watched {
            scenario.rollout.watch = Some(self.watch(scenario.fleet.heartbeat_interval));
        }
        if stops {
            scenario.rollout.breakers = (0..self.between(1, 4)).map(|_| self.rule(watched)).collect();
            if self.chance(60) {
                scenario.rollout.max_consecutive_failures = None;
            }
        }
        let decisions = [
            PromotionDecision::Promote,
            PromotionDecision::Promote,
            PromotionDecision::Promote,
            PromotionDecision::Promote,
            PromotionDecision::RollbackCompletedBatches,
            PromotionDecision::Abort,
        ];
        scenario.operator.promotion_delay = self.duration(0, 6);
        scenario.operator.on_promotion = (0..self.between(1, 4)).map(|_| self.pick(&decisions)).collect();
    }
}

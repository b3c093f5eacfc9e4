//! What is known of an instance before anything is drawn.

use std::borrow::Cow;

use super::{CompiledScenario, Member, Release};
use crate::scenario::{OutcomeRates, UpgradeOutcome};
use crate::sim::draws::Draws;
use crate::sim::sampler::Sampler;
use crate::sim::shared::{Factor, Shared};
use dryroll_engine::fleet::Span;

/// How an upgrade can end, before it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeDistribution<'w> {
    /// The outcome, if it is fixed.
    pub outcome: Option<UpgradeOutcome>,
    /// The chances of the outcomes, if it is not fixed.
    pub rates: OutcomeRates,
    /// How long the upgrade takes, before the factor is applied.
    pub upgrade: &'w Sampler,
    /// How long after it a crashing instance dies.
    pub crash_after: &'w Sampler,
    /// How long after it a degrading instance becomes unhealthy.
    pub degrade_after: &'w Sampler,
    /// What multiplies the time of the upgrade.
    pub factor: f64,
}

/// The chances of the outcomes, adding up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chances {
    /// The agent reports that the upgrade failed.
    pub failure: f64,
    /// It goes silent, or reports that it is not healthy.
    pub silence: f64,
    /// It passes, then dies or becomes unhealthy.
    pub crash: f64,
    /// It passes.
    pub ok: f64,
}

impl Chances {
    /// The chance that the upgrade itself brings no healthy heartbeat.
    #[must_use]
    pub fn failing(&self) -> f64 {
        self.failure + self.silence
    }
}

impl<'w> OutcomeDistribution<'w> {
    /// How long the upgrade takes.
    #[must_use]
    pub fn upgrade_time(&self) -> Cow<'w, Sampler> {
        if self.factor == 1.0 { Cow::Borrowed(self.upgrade) } else { Cow::Owned(self.upgrade.times(self.factor)) }
    }

    /// The chances of the outcomes, as one draw decides between them: anything beyond 1 is cut off.
    #[must_use]
    pub fn chances(&self) -> Chances {
        let rates = match self.outcome {
            None => self.rates,
            Some(outcome) => {
                let certain = |wanted| f64::from(u8::from(outcome == wanted));
                OutcomeRates {
                    failure: certain(UpgradeOutcome::Fail),
                    hang: certain(UpgradeOutcome::Hang),
                    unhealthy: certain(UpgradeOutcome::Unhealthy),
                    crash: certain(UpgradeOutcome::Crash),
                    brick: certain(UpgradeOutcome::Brick),
                    degrade: certain(UpgradeOutcome::Degrade),
                }
            }
        };
        let mut left = 1.0;
        let mut share = |rate: f64| {
            let share = rate.min(left);
            left -= share;
            share
        };
        let (failure, hang) = (share(rates.failure), share(rates.hang));
        let (unhealthy, crash) = (share(rates.unhealthy), share(rates.crash));
        let (brick, degrade) = (share(rates.brick), share(rates.degrade));
        Chances { failure, silence: hang + unhealthy + brick, crash: crash + degrade, ok: left.max(0.0) }
    }
}

/// Instances to which the same classes and overrides apply: a set of them, by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceClass(Vec<usize>);

impl CompiledScenario {
    /// The classes and overrides that apply to an instance with certainty.
    #[must_use]
    pub fn instance_class(&self, n: u32) -> InstanceClass {
        let zone = n % self.zones;
        let may = self.differing.numbers_at(n, zone);
        InstanceClass(
            may.filter(|&number| self.differing.group(number).is_some_and(|one| one.surely_holds(n, zone))).collect(),
        )
    }

    /// How many instances of the fleet a class with a drawn share holds in a replicate with these draws.
    #[must_use]
    pub fn drawn_members(&self, class: usize, instances: u32, draws: &mut Draws) -> u32 {
        let Some(group) = self.differing.group(class) else { return 0 };
        let mut holds = |n: u32| {
            let block = draws.instance(n);
            group.holds(&self.member(n, block), None)
        };
        (0..instances).map(|n| u32::from(holds(n))).sum()
    }

    /// The instance classes that drawn shares of the fleet make of `instance_class`, with their chances. Memberships in
    /// different shares are independent. `None` if there are more than `most`. Blocks count as shares here: each
    /// instance has its own chance to be in one, and the correlation between neighbours is ignored.
    #[must_use]
    pub fn drawn_instance_class(
        &self,
        instance_class: InstanceClass,
        most: usize,
    ) -> Option<Vec<(InstanceClass, f64)>> {
        let mut drawn = vec![(instance_class, 1.0)];
        for (number, group) in self.differing.groups().enumerate() {
            let Some(share) = group.share() else { continue };
            let chosen: Vec<(InstanceClass, f64)> = drawn
                .iter()
                .map(|(InstanceClass(members), chance)| {
                    let mut members = members.clone();
                    members.push(number);
                    members.sort_unstable();
                    (InstanceClass(members), chance * share)
                })
                .collect();
            drawn.iter_mut().for_each(|(_, chance)| *chance *= 1.0 - share);
            drawn.extend(chosen);
            drawn.retain(|&(_, chance)| chance > 0.0);
            if drawn.len() > most {
                return None;
            }
        }
        Some(drawn)
    }

    /// How an upgrade of an instance class to a release can end, by the scenario's own rates; for drawn rates, by their
    /// means. A drawn factor is ignored.
    #[must_use]
    pub fn outcome_distribution_of(
        &self,
        InstanceClass(numbers): &InstanceClass,
        release: Release,
    ) -> OutcomeDistribution<'_> {
        let release_model = &self.base.releases[release];
        let factor = match release_model.factor {
            Factor::Constant(factor) => factor,
            Factor::Drawn { .. } => 1.0,
        };
        let groups = numbers.iter().filter_map(|&number| self.differing.group(number));
        self.outcome_distribution(groups, release, release_model.rates, factor)
    }

    /// How an upgrade of a member to a release can end, in a replicate.
    #[inline(always)]
    #[must_use]
    pub fn outcome_distribution_of_member(
        &self,
        member: &Member<'_>,
        release: Release,
        shared: &Shared,
    ) -> OutcomeDistribution<'_> {
        let groups = self.differing.groups_at(member.n, member.zone).filter(|group| group.holds(member, Some(shared)));
        self.outcome_distribution(groups, release, shared.rates[release], shared.factors[release])
    }

    /// The fixed heartbeat phase of an instance class; `None`: drawn for each instance.
    #[must_use]
    pub fn phase_of(&self, InstanceClass(numbers): &InstanceClass) -> Option<Span> {
        let mut said = self.differing.overrides_of(numbers).rev().filter_map(|o| o.link.phase);
        said.next().or(self.base.phase)
    }

    /// The chance that a heartbeat of an instance class is lost.
    #[must_use]
    pub fn loss_of(&self, InstanceClass(numbers): &InstanceClass) -> f64 {
        let mut said = self.differing.overrides_of(numbers).rev().filter_map(|o| o.link.loss);
        said.next().unwrap_or(self.base.loss)
    }

    /// Whether any instance differs from what its version and the fleet say.
    #[must_use]
    pub fn has_kinds(&self) -> bool {
        !self.differing.is_empty()
    }

    /// Whether the network of any instance can flap.
    #[must_use]
    pub fn flaps(&self) -> bool {
        self.flap_laws.any()
    }
}

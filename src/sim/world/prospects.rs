//! What is known of an instance before anything is drawn.

use super::{Member, Override, Release, World};
use crate::scenario::{OutcomeRates, Target, UpgradeOutcome};
use crate::sim::sampler::Sampler;

/// How an upgrade can go, before it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Prospects<'w> {
    /// The outcome, where it is fixed.
    pub outcome: Option<UpgradeOutcome>,
    /// The chances of the outcomes, where it is not.
    pub rates: OutcomeRates,
    /// How long the upgrade takes.
    pub upgrade: &'w Sampler,
    /// How long after it a crashing one dies.
    pub crash_after: &'w Sampler,
}

/// The chances of the outcomes, adding up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chances {
    /// The agent reports that the upgrade failed.
    pub failure: f64,
    /// It goes silent, or says that it is not healthy.
    pub silence: f64,
    /// It passes, then dies.
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

impl Prospects<'_> {
    /// The chances of the outcomes, as one draw decides between them: what is beyond 1 is cut off.
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
        Chances { failure, silence: hang + unhealthy, crash, ok: left.max(0.0) }
    }
}

/// Instances to which the same overrides apply: a set of them, by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kin(Vec<usize>);

impl World {
    /// Which overrides surely apply to an instance.
    #[must_use]
    pub fn kin(&self, n: u32) -> Kin {
        let zone = n % self.zones;
        let sure = |o: &Override| match &o.target {
            Target::Fraction(_) => false,
            // Neither key is looked at.
            target => target.selects(n, zone, super::Key(0), 0),
        };
        Kin((0..self.overrides.len()).filter(|&i| sure(&self.overrides[i])).collect())
    }

    /// Kin that a drawn share of the fleet makes of `kin`, with their chances. Whether an instance belongs to one share is
    /// independent of whether it belongs to another. `None` where there are more than `most`.
    #[must_use]
    pub fn drawn_kin(&self, kin: Kin, most: usize) -> Option<Vec<(Kin, f64)>> {
        let mut drawn = vec![(kin, 1.0)];
        for (i, o) in self.overrides.iter().enumerate() {
            let Target::Fraction(fraction) = o.target else { continue };
            let chosen: Vec<(Kin, f64)> = drawn
                .iter()
                .map(|(Kin(members), chance)| {
                    let mut members = members.clone();
                    members.push(i);
                    members.sort_unstable();
                    (Kin(members), chance * fraction)
                })
                .collect();
            drawn.iter_mut().for_each(|(_, chance)| *chance *= 1.0 - fraction);
            drawn.extend(chosen);
            drawn.retain(|&(_, chance)| chance > 0.0);
            if drawn.len() > most {
                return None;
            }
        }
        Some(drawn)
    }

    /// How an upgrade of kin to a release can go.
    #[must_use]
    pub fn prospects_of(&self, Kin(overrides): &Kin, release: Release) -> Prospects<'_> {
        let rates = self.base.releases[release as usize].rates;
        self.prospects(overrides.iter().map(|&i| &self.overrides[i]), release, rates)
    }

    /// How an upgrade of a member to a release can go.
    #[must_use]
    pub fn prospects_of_member(&self, member: &Member<'_>, release: Release) -> Prospects<'_> {
        let rates = self.base.releases[release as usize].rates;
        self.prospects(self.overriding(member.n, member.zone, member.block.membership), release, rates)
    }

    /// The fixed phase of kin's heartbeats, milliseconds; `None`: drawn for each.
    #[must_use]
    pub fn phase_of(&self, Kin(overrides): &Kin) -> Option<u64> {
        let mut said = overrides.iter().rev().filter_map(|&i| self.overrides[i].spec.heartbeat_phase);
        said.next().map(|phase| phase.0).or(self.base.phase)
    }

    /// The chance that a heartbeat of kin is lost.
    #[must_use]
    pub fn loss_of(&self, Kin(overrides): &Kin) -> f64 {
        let mut said = overrides.iter().rev().filter_map(|&i| self.overrides[i].spec.heartbeat_loss_rate);
        said.next().unwrap_or(self.base.loss)
    }

    /// Whether any instance differs from what its version and the fleet say.
    #[must_use]
    pub fn has_overrides(&self) -> bool {
        !self.overrides.is_empty()
    }

    /// Whether the network of any instance can flap.
    #[must_use]
    pub fn flaps(&self) -> bool {
        self.flap_laws.iter().any(Option::is_some)
    }
}

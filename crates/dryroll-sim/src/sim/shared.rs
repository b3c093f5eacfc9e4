//! What is drawn once per replicate and shared by all its instances: the rates of a version, the factor of its upgrade
//! times, the places of blocks. It makes the failures of one rollout correlated.
//!
//! All of it is drawn by inversion from keys that belong to seed, replicate and what it is for: rates and factor to a
//! version's id, blocks to a class's. So two policies meet the same rates and the same blocks, and a version has the
//! same rates whether it is rolled out or rolled back to.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::draws::{Key, scale, unit};
use super::name::Name;
use super::pairs::PerRelease;
use super::posterior::RatePosterior;
use super::sampler::Sampler;
use crate::scenario::{Blocks, Distribution, OutcomeRates, VersionSpec};
use dryroll_stats::beta::Quantiles;

/// What the instances of one replicate share.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    /// The rates, by release.
    pub rates: PerRelease<OutcomeRates>,
    /// What multiplies upgrade times, by release.
    pub factors: PerRelease<f64>,
    /// The first instance of each block, ascending, by class with blocks.
    pub blocks: Vec<Vec<u32>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { rates: Default::default(), factors: PerRelease { previous: 1.0, target: 1.0 }, blocks: Vec::new() }
    }
}

/// Where the rates of a version come from.
#[derive(Clone, Debug)]
pub enum RateSource {
    /// They are the same in every replicate.
    Known(OutcomeRates),
    /// The scenario gives their spread.
    Spread(Arc<Spread>),
    /// They are unknown, and this is their posterior.
    Believed(Arc<RatePosterior>),
}

impl RateSource {
    /// The source of a version's rates in the scenario.
    #[must_use]
    pub fn of(version: &VersionSpec) -> Self {
        match Spread::of(version) {
            Some(spread) => Self::Spread(Arc::new(spread)),
            None => Self::Known(version.rates),
        }
    }

    /// The rates of the replicate with this key.
    #[must_use]
    pub fn draw(&self, replicate: Key) -> OutcomeRates {
        match self {
            Self::Known(rates) => *rates,
            Self::Spread(spread) => spread.draw(replicate),
            Self::Believed(posterior) => posterior.draw(replicate),
        }
    }

    /// Whether replicates differ in them.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        !matches!(self, Self::Known(_))
    }
}

/// Rates of a version that each replicate draws, each from a beta distribution of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    key: u64,
    own: OutcomeRates,
    /// Of failure, hang, unhealthy and crash: one that is not drawn has none.
    laws: [Option<Quantiles>; 4],
}

impl Spread {
    /// The spread of a version's rates; `None` if no rate is drawn.
    #[must_use]
    pub fn of(version: &VersionSpec) -> Option<Self> {
        let law = |(mean, concentration): (f64, Option<f64>)| {
            concentration.and_then(|all| Quantiles::new(mean * all, (1.0 - mean) * all))
        };
        let laws = version.rates_with_concentrations().map(law);
        let key = Name::Rates(version.id.raw()).key();
        laws.iter().any(Option::is_some).then_some(Self { key, own: version.rates, laws })
    }

    /// The rates of the replicate with this key.
    #[must_use]
    pub fn draw(&self, replicate: Key) -> OutcomeRates {
        let key = replicate.child(self.key);
        let mut place = 0..;
        self.with(self.laws.each_ref().map(|law| {
            let place = place.next().unwrap_or_default();
            law.as_ref().map(|law| law.at(unit(key.word(place))))
        }))
    }

    /// The laws of failure, hang, unhealthy and crash, where they are drawn.
    #[must_use]
    pub fn laws(&self) -> &[Option<Quantiles>; 4] {
        &self.laws
    }

    /// The rates with these in place of those that are drawn. What adds up to more than 1 is scaled to 1.
    #[must_use]
    pub fn with(&self, drawn: [Option<f64>; 4]) -> OutcomeRates {
        let own = self.own;
        let [failure, hang, unhealthy, crash] = drawn;
        let failure = failure.unwrap_or(own.failure);
        let hang = hang.unwrap_or(own.hang);
        let unhealthy = unhealthy.unwrap_or(own.unhealthy);
        let crash = crash.unwrap_or(own.crash);
        let drawn = OutcomeRates { failure, hang, unhealthy, crash, ..own };
        let sum = drawn.sum().max(1.0);
        OutcomeRates {
            failure: failure / sum,
            hang: hang / sum,
            unhealthy: unhealthy / sum,
            crash: crash / sum,
            brick: own.brick / sum,
            degrade: own.degrade / sum,
        }
    }
}

/// What multiplies the upgrade times of a version.
#[derive(Clone, Debug)]
pub enum Factor {
    /// The same in every replicate.
    Constant(f64),
    /// Drawn once a replicate.
    Drawn {
        /// Its key.
        key: u64,
        /// Its distribution, in thousandths.
        law: Sampler,
    },
}

/// A factor of one, as a sampler draws it.
const THOUSAND: f64 = 1000.0;

impl Factor {
    /// The factor of a version.
    #[must_use]
    pub fn of(version: &VersionSpec) -> Self {
        match &version.upgrade_time_factor {
            None => Self::Constant(1.0),
            Some(Distribution::Constant(factor)) => Self::Constant(*factor),
            Some(drawn) => Self::Drawn { key: Name::Factor(version.id.raw()).key(), law: Sampler::new(drawn) },
        }
    }

    /// The factor of the replicate with this key.
    #[must_use]
    pub fn draw(&self, replicate: Key) -> f64 {
        match self {
            Self::Constant(factor) => *factor,
            Self::Drawn { key, law } => law.millis(replicate.child(*key).word(0)) / THOUSAND,
        }
    }

    /// The values that it takes, each as likely; `None` where it is smooth.
    #[must_use]
    pub fn values(&self) -> Option<Vec<f64>> {
        match self {
            Self::Constant(factor) => Some(vec![*factor]),
            Self::Drawn { law: Sampler::Empirical(values), .. } => {
                Some(values.iter().map(|value| value / THOUSAND).collect())
            }
            Self::Drawn { .. } => None,
        }
    }
}

/// Blocks of neighbours, at places that each replicate draws: every choice of places without overlap is as likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLaw {
    key: u64,
    /// How many blocks, and of what size.
    pub blocks: Blocks,
    /// Instances of the fleet.
    pub instances: u32,
    /// Whether upgrades to the target differ in them.
    pub for_target: bool,
}

impl BlockLaw {
    /// The blocks of the class with this id, in a fleet of so many instances; upgrades to the target differ in them.
    #[must_use]
    pub fn new(class: &str, blocks: Blocks, instances: u32) -> Self {
        Self { key: Name::Blocks(class).key(), blocks, instances, for_target: true }
    }

    /// The number of slots: each block counts as one slot.
    #[must_use]
    pub fn slots(&self) -> u32 {
        let Blocks { count, size } = self.blocks;
        self.instances.saturating_sub(count.saturating_mul(size.saturating_sub(1)))
    }

    /// The first instances of the blocks whose slots are these, ascending.
    pub fn starts(&self, slots: impl Iterator<Item = u32>) -> Vec<u32> {
        slots.zip(0..).map(|(slot, before)| slot + before * (self.blocks.size - 1)).collect()
    }

    /// The first instances of the blocks of the replicate with this key, ascending. The slots are a sample without
    /// replacement, drawn by R. W. Floyd's method (Bentley and Floyd, "A sample of brilliance", CACM 30, 1987): one
    /// word a block.
    #[must_use]
    pub fn draw(&self, replicate: Key) -> Vec<u32> {
        let key = replicate.child(self.key);
        let slots = self.slots();
        let mut chosen = BTreeSet::new();
        for (place, last) in (slots.saturating_sub(self.blocks.count)..slots).enumerate() {
            let slot = scale(key.word(place as u64), u64::from(last) + 1) as u32;
            if !chosen.insert(slot) {
                chosen.insert(last);
            }
        }
        self.starts(chosen.into_iter())
    }

    /// Whether an instance is in one of the blocks that begin at these.
    #[must_use]
    pub fn holds(&self, starts: &[u32], n: u32) -> bool {
        let after = starts.partition_point(|&start| start <= n);
        after > 0 && n - starts[after - 1] < self.blocks.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::draws::Draws;

    fn key(replicate: u64) -> Key {
        Draws::new(42, replicate).shared()
    }

    /// Each of the 6 ways to place two blocks of two among six instances: 6,000 draws, and a share beyond 5 standard
    /// errors occurs once in 1.7 million for each.
    #[test]
    fn every_choice_of_places_is_as_likely() {
        let law = BlockLaw::new("lemons", Blocks { count: 2, size: 2 }, 6);
        let mut seen = std::collections::BTreeMap::<Vec<u32>, u32>::new();
        let n = 6000;
        for replicate in 0..n {
            let starts = law.draw(key(replicate));
            assert!(starts.windows(2).all(|two| two[1] - two[0] >= 2) && starts[1] <= 4, "{starts:?}");
            *seen.entry(starts).or_default() += 1;
        }
        assert_eq!(seen.len(), 6);
        let wanted = n as f64 / 6.0;
        let error = (wanted * (5.0 / 6.0)).sqrt();
        assert!(seen.values().all(|&count| (f64::from(count) - wanted).abs() < 5.0 * error), "{seen:?}");
    }

    #[test]
    fn blocks_can_fill_the_fleet() {
        let law = BlockLaw::new("all", Blocks { count: 3, size: 4 }, 12);
        assert_eq!(law.draw(key(1)), [0, 4, 8]);
        assert!((0..12).all(|n| law.holds(&[0, 4, 8], n)));
        let one = BlockLaw::new("one", Blocks { count: 1, size: 3 }, 12);
        let held: Vec<u32> = (0..12).filter(|&n| one.holds(&[5], n)).collect();
        assert_eq!(held, [5, 6, 7]);
    }
}

//! The random draws of a replicate, and the sampled upgrade of each instance, from the documented rules and by loops.

use std::cell::RefCell;
use std::collections::BTreeMap;

use dryroll::scenario::{
    Distribution, Members, OutcomeRates, OverrideSpec, Scenario, SomeRates, StartState, Target, UpgradeOutcome,
    VersionIndex, VersionSpec,
};
use dryroll::sim::Release;
use dryroll::sim::draws::{Draws, InstanceBlock, Key, scale, unit};
use dryroll::sim::sampled_upgrade::SampledUpgrade;
use dryroll::sim::sampler::Sampler;
use dryroll::stats::beta::Quantiles;

use super::coverage::{saw, saw_if};

/// The key of a name: FNV-1a of its bytes.
pub fn named(name: impl AsRef<str>) -> u64 {
    let hash = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    name.as_ref().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, hash)
}

/// Digests as numbers: the first version that has it; a version without a name has one of its own.
#[derive(Clone, Copy, Debug)]
pub struct Digests {
    previous: usize,
    target: usize,
}

/// The digest of a version.
pub fn digest(scenario: &Scenario, version: VersionIndex) -> usize {
    let digest = &scenario.versions[version.0].digest;
    scenario.versions.iter().position(|version| version.digest == *digest).expect("it is in the list")
}

impl Digests {
    pub fn of(scenario: &Scenario) -> Self {
        let previous = scenario.rollout.previous.map_or(usize::MAX, |version| digest(scenario, version));
        Self { previous, target: digest(scenario, scenario.rollout.target) }
    }

    pub fn of_release(self, release: Release) -> usize {
        match release {
            Release::Previous => self.previous,
            Release::Target => self.target,
        }
    }
}

/// The overrides that are about an instance.
fn overrides(scenario: &Scenario, n: u32, membership: Key) -> Vec<&OverrideSpec> {
    let mut shares = 0;
    let mut found = Vec::new();
    for one in &scenario.overrides {
        shares += u64::from(matches!(one.target, Target::Fraction(_)));
        let holds = match &one.target {
            Target::All => true,
            Target::Ids(ids) => ids.iter().any(|id| id.0 == n),
            Target::Zone(zone) => n % scenario.fleet.zones == *zone,
            Target::Fraction(share) => unit(membership.word(named(format!("(\"override\", {shares})")))) < *share,
        };
        if holds {
            found.push(one);
        }
    }
    found
}

/// The digest that an instance runs at the request, its state, and whether it is pinned.
pub fn at_the_request(scenario: &Scenario, n: u32, membership: Key) -> (usize, StartState, bool) {
    let mut start = (Digests::of(scenario).previous, StartState::Well, false);
    for one in overrides(scenario, n, membership) {
        start.0 = one.runs.map_or(start.0, |version| digest(scenario, version));
        start.1 = one.state.unwrap_or(start.1);
        start.2 |= one.pinned;
    }
    start
}

/// What all instances of one replicate share.
pub struct ReplicateDraws<'s> {
    scenario: &'s Scenario,
    shared: Key,
    /// By class with blocks: who is in one.
    in_blocks: BTreeMap<&'s str, Vec<u32>>,
}

thread_local! {
    /// A table is costly, and generated scenarios have few shapes.
    static TABLES: RefCell<BTreeMap<(u64, u64), Quantiles>> = const { RefCell::new(BTreeMap::new()) };
}

fn quantile(a: f64, b: f64, u: f64) -> f64 {
    TABLES.with_borrow_mut(|tables| {
        let new = || Quantiles::new(a, b).expect("generated shapes are above zero");
        tables.entry((a.to_bits(), b.to_bits())).or_insert_with(new).at(u)
    })
}

impl<'s> ReplicateDraws<'s> {
    pub fn new(scenario: &'s Scenario, draws: &mut Draws) -> Self {
        let shared = draws.shared();
        let mut in_blocks = BTreeMap::new();
        for class in &scenario.classes {
            let Members::Blocks(blocks) = class.members else { continue };
            let key = shared.child(named(format!("(\"blocks\", {:?})", class.id)));
            // Each block shrinks to one slot; this many slots are left to choose from.
            let slots = scenario.fleet.instances - blocks.count * (blocks.size - 1);
            let mut chosen: Vec<u32> = Vec::new();
            for i in 0..blocks.count {
                let last = slots - blocks.count + i;
                let slot = scale(key.word(u64::from(i)), u64::from(last) + 1) as u32;
                chosen.push(if chosen.contains(&slot) { last } else { slot });
            }
            let (mut members, mut n) = (Vec::new(), 0);
            for slot in 0..slots {
                let length = if chosen.contains(&slot) { blocks.size } else { 1 };
                if chosen.contains(&slot) {
                    members.extend(n..n + length);
                }
                n += length;
            }
            saw("blocks of neighbours");
            saw_if(blocks.count > 1, "several blocks");
            in_blocks.insert(class.id.raw(), members);
        }
        Self { scenario, shared, in_blocks }
    }

    fn version(&self, release: Release) -> (VersionIndex, &'s VersionSpec) {
        let index = match release {
            Release::Target => self.scenario.rollout.target,
            Release::Previous => self.scenario.rollout.previous.expect("nobody goes back to a version without a name"),
        };
        (index, &self.scenario.versions[index.0])
    }

    /// Failure, hang, unhealthy, crash: as the version has them in this replicate.
    fn rates(&self, version: &VersionSpec) -> OutcomeRates {
        let key = self.shared.child(named(format!("(\"rates\", {:?})", version.id)));
        let rate = |place: u64, mean: f64, concentration: Option<f64>| match concentration {
            Some(all) if mean > 0.0 && mean < 1.0 => quantile(mean * all, (1.0 - mean) * all, unit(key.word(place))),
            _ => mean,
        };
        let (means, all) = (version.rates, version.concentrations);
        let failure = rate(0, means.failure, all.failure);
        let hang = rate(1, means.hang, all.hang);
        let unhealthy = rate(2, means.unhealthy, all.unhealthy);
        let crash = rate(3, means.crash, all.crash);
        let (brick, degrade) = (means.brick, means.degrade);
        let sum = failure + hang + unhealthy + crash + brick + degrade;
        let is_drawn = all != Default::default();
        saw_if(is_drawn, "a rate drawn once a replicate");
        if !is_drawn || sum <= 1.0 {
            return OutcomeRates { failure, hang, unhealthy, crash, brick, degrade };
        }
        saw("drawn rates beyond 1");
        OutcomeRates {
            failure: failure / sum,
            hang: hang / sum,
            unhealthy: unhealthy / sum,
            crash: crash / sum,
            brick: brick / sum,
            degrade: degrade / sum,
        }
    }

    fn factor(&self, version: &VersionSpec) -> f64 {
        match &version.upgrade_time_factor {
            None => 1.0,
            Some(Distribution::Constant(factor)) => *factor,
            Some(drawn) => {
                saw("a factor of upgrade times");
                Sampler::new(drawn).millis(self.shared.child(named(format!("(\"factor\", {:?})", version.id))).word(0))
                    / 1000.0
            }
        }
    }

    fn is_of_class(&self, n: u32, id: &str, members: &Members, membership: Key) -> bool {
        match members {
            Members::Share(share) => unit(membership.word(named(format!("(\"class\", {id:?})")))) < *share,
            Members::Ids(ids) => ids.iter().any(|id| id.0 == n),
            Members::Zone(zone) => n % self.scenario.fleet.zones == *zone,
            Members::Blocks(_) => self.in_blocks[id].contains(&n),
        }
    }

    /// The sampled upgrade of an instance. `block` is the attempt's, `membership` the instance's.
    pub fn sampled_upgrade(&self, n: u32, membership: Key, block: &InstanceBlock, release: Release) -> SampledUpgrade {
        let scenario = self.scenario;
        let (index, version) = self.version(release);
        let (mut rates, mut outcome) = (self.rates(version), None);
        let (mut upgrade, mut crash_after) = (&version.upgrade_time, &version.crash_after);
        let mut degrade_after = &version.degrade_after;
        let speaks_of = |versions: &Option<Vec<VersionIndex>>| match versions {
            Some(versions) => versions.contains(&index),
            None => index == scenario.rollout.target,
        };
        let replace = |rates: &mut OutcomeRates, some: &SomeRates| {
            rates.failure = some.failure.unwrap_or(rates.failure);
            rates.hang = some.hang.unwrap_or(rates.hang);
            rates.unhealthy = some.unhealthy.unwrap_or(rates.unhealthy);
            rates.crash = some.crash.unwrap_or(rates.crash);
            rates.brick = some.brick.unwrap_or(rates.brick);
            rates.degrade = some.degrade.unwrap_or(rates.degrade);
        };
        let mut classes = 0;
        for class in &scenario.classes {
            if !speaks_of(&class.versions) || !self.is_of_class(n, class.id.raw(), &class.members, membership) {
                continue;
            }
            classes += 1;
            saw(match class.members {
                Members::Share(_) => "a class by share",
                Members::Ids(_) => "a class by ids",
                Members::Zone(_) => "a class by zone",
                Members::Blocks(_) => "a class by blocks",
            });
            replace(&mut rates, &class.rates);
            upgrade = class.upgrade_time.as_ref().unwrap_or(upgrade);
            crash_after = class.crash_after.as_ref().unwrap_or(crash_after);
            degrade_after = class.degrade_after.as_ref().unwrap_or(degrade_after);
        }
        saw_if(classes > 1, "an instance of two classes");
        for one in overrides(scenario, n, membership) {
            if !speaks_of(&one.versions) {
                continue;
            }
            saw_if(classes > 0, "an override over a class");
            if one.rates != SomeRates::default() {
                outcome = None;
            }
            replace(&mut rates, &one.rates);
            outcome = one.outcome.or(outcome);
            upgrade = one.upgrade_time.as_ref().unwrap_or(upgrade);
            crash_after = one.crash_after.as_ref().unwrap_or(crash_after);
            degrade_after = one.degrade_after.as_ref().unwrap_or(degrade_after);
        }
        let outcome = outcome.unwrap_or_else(|| {
            let u = unit(block.outcome);
            let chances = [
                (rates.failure, UpgradeOutcome::Fail),
                (rates.hang, UpgradeOutcome::Hang),
                (rates.unhealthy, UpgradeOutcome::Unhealthy),
                (rates.crash, UpgradeOutcome::Crash),
                (rates.brick, UpgradeOutcome::Brick),
                (rates.degrade, UpgradeOutcome::Degrade),
            ];
            let mut limit = 0.0;
            let mut falls_below = |chance: f64| {
                limit += chance;
                u < limit
            };
            let bad = chances.into_iter().find(|&(chance, _)| falls_below(chance));
            bad.map_or(UpgradeOutcome::Ok, |(_, outcome)| outcome)
        });
        SampledUpgrade {
            outcome,
            upgrade: Sampler::new(upgrade).draw_times(block.upgrade, self.factor(version)),
            fails_after: match outcome {
                UpgradeOutcome::Crash => Some(Sampler::new(crash_after).draw(block.crash_after)),
                UpgradeOutcome::Degrade => Some(Sampler::new(degrade_after).draw(block.crash_after)),
                _ => None,
            },
        }
    }
}

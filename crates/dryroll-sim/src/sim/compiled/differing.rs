//! Instances that differ from what their version and the network say: classes first, then overrides.

use std::ops::Range;

use super::super::draws::Key;
use super::super::name::Name;
use super::super::pairs::PerRelease;
use super::super::places::{Numbers, Places};
use super::super::sampler::Sampler;
use super::super::shared::{BlockLaw, Shared};
use super::Member;
use crate::scenario::{
    ClassSpec, Members, OverrideSpec, RolloutSpec, Scenario, SomeRates, StartState, Target, UpgradeOutcome,
    VersionIndex,
};
use dryroll_engine::fleet::Span;

/// All classes, then all overrides, by number. If two set the same key, the later one wins.
#[derive(Clone, Debug)]
pub(super) struct Differing {
    classes: Vec<Group>,
    overrides: Vec<Override>,
    places: Option<Places>,
}

/// Instances whose upgrades differ.
#[derive(Clone, Debug)]
pub(super) struct Group {
    who: Who,
    key: u64,
    /// For which of the two releases it holds.
    pub releases: PerRelease<bool>,
    pub outcome: Option<UpgradeOutcome>,
    pub rates: SomeRates,
    pub upgrade: Option<Sampler>,
    pub crash_after: Option<Sampler>,
    pub degrade_after: Option<Sampler>,
}

/// Which instances those are.
#[derive(Clone, Debug)]
enum Who {
    Target(Target),
    /// Those in the blocks of a law that has this place among the scenario's, and the share of the fleet that they are.
    Blocks {
        law: usize,
        held: BlockLaw,
    },
    /// These instances, in ascending ranges.
    Ranges(Vec<Range<u32>>),
}

/// A group whose heartbeats and network differ too.
#[derive(Clone, Debug)]
pub(super) struct Override {
    pub group: Group,
    pub start: Start,
    pub link: Link,
}

/// What an instance is at the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    pub runs: Option<VersionIndex>,
    pub state: Option<StartState>,
}

/// How the network and the heartbeats of instances differ.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub phase: Option<Span>,
    pub loss: Option<f64>,
    pub delay: Option<Sampler>,
    pub flap_rate: usize,
    pub flap_down: usize,
}

impl Group {
    /// Whether a member belongs to the group. Without shared draws no member is in a block.
    #[inline]
    pub fn holds(&self, member: &Member<'_>, shared: Option<&Shared>) -> bool {
        match &self.who {
            Who::Target(target) => target.selects(member.n, member.zone, member.block.membership, self.key),
            Who::Blocks { law, held } => {
                shared.and_then(|shared| shared.blocks.get(*law)).is_some_and(|starts| held.holds(starts, member.n))
            }
            Who::Ranges(ranges) => is_in(ranges, member.n),
        }
    }

    /// Whether an instance belongs to the group with certainty, before anything is drawn.
    pub fn surely_holds(&self, n: u32, zone: u32) -> bool {
        match &self.who {
            Who::Target(Target::Fraction(_)) | Who::Blocks { .. } => false,
            // Neither key is used.
            Who::Target(target) => target.selects(n, zone, Key(0), 0),
            Who::Ranges(ranges) => is_in(ranges, n),
        }
    }

    /// The chance that an instance belongs to it, where that is drawn.
    pub fn share(&self) -> Option<f64> {
        match &self.who {
            Who::Target(Target::Fraction(share)) => Some(*share),
            Who::Blocks { held, .. } => {
                let held_instances = f64::from(held.blocks.count) * f64::from(held.blocks.size);
                Some((held_instances / f64::from(held.instances)).min(1.0))
            }
            Who::Target(_) | Who::Ranges(_) => None,
        }
    }

    fn of_class(class: &ClassSpec, rollout: &RolloutSpec, blocks: &mut Vec<BlockLaw>, instances: u32) -> Self {
        let releases = releases(class.versions.as_deref(), rollout);
        let who = match &class.members {
            Members::Share(share) => Who::Target(Target::Fraction(*share)),
            Members::Ids(ids) => Who::Target(Target::Ids(ids.clone())),
            Members::Zone(zone) => Who::Target(Target::Zone(*zone)),
            Members::Blocks(wanted) => {
                let mut held = BlockLaw::new(class.id.raw(), *wanted, instances);
                held.for_target = releases.target;
                blocks.push(held);
                Who::Blocks { law: blocks.len() - 1, held }
            }
        };
        Self {
            who,
            key: Name::Class(class.id.raw()).key(),
            releases,
            outcome: None,
            rates: class.rates,
            upgrade: class.upgrade_time.as_ref().map(Sampler::new),
            crash_after: class.crash_after.as_ref().map(Sampler::new),
            degrade_after: class.degrade_after.as_ref().map(Sampler::new),
        }
    }
}

fn is_in(ranges: &[Range<u32>], n: u32) -> bool {
    let after = ranges.partition_point(|range| range.start <= n);
    after > 0 && n < ranges[after - 1].end
}

/// For which of the two releases the keys of these versions hold.
fn releases(versions: Option<&[VersionIndex]>, rollout: &RolloutSpec) -> PerRelease<bool> {
    let holds = |version: Option<VersionIndex>| match (versions, version) {
        (Some(versions), Some(version)) => versions.contains(&version),
        (None, version) => version == Some(rollout.target),
        (_, None) => false,
    };
    PerRelease { previous: holds(rollout.previous), target: holds(Some(rollout.target)) }
}

impl Differing {
    /// Those of a scenario, and the laws of the blocks among them.
    pub fn of(scenario: &Scenario) -> (Self, Vec<BlockLaw>) {
        let mut blocks = Vec::new();
        let rollout = &scenario.rollout;
        let instances = scenario.fleet.instances;
        let classes =
            scenario.classes.iter().map(|class| Group::of_class(class, rollout, &mut blocks, instances)).collect();
        let mut differing = Self { classes, overrides: overrides(scenario), places: None };
        let target = |group| match group {
            &Group { who: Who::Target(ref target), .. } => Some(target),
            Group { who: Who::Blocks { .. } | Who::Ranges(_), .. } => None,
        };
        differing.places = Places::of(differing.groups().map(target));
        (differing, blocks)
    }

    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty() && self.overrides.is_empty()
    }

    /// All of them, in the order in which they apply.
    #[inline]
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.classes.iter().chain(self.overrides.iter().map(|o| &o.group))
    }

    fn count(&self) -> usize {
        self.classes.len() + self.overrides.len()
    }

    /// The numbers of all that can hold an instance, in the order in which they apply.
    #[inline]
    pub fn numbers_at(&self, n: u32, zone: u32) -> impl Iterator<Item = usize> {
        match &self.places {
            None => Numbers::All(0..self.count()),
            Some(places) => places.at(n, zone),
        }
    }

    /// Those themselves.
    #[inline]
    pub fn groups_at(&self, n: u32, zone: u32) -> impl Iterator<Item = &Group> {
        self.numbers_at(n, zone).filter_map(|number| self.group(number))
    }

    /// The overrides among them.
    pub fn overrides_at(&self, n: u32, zone: u32) -> impl Iterator<Item = &Override> {
        let numbers = self.numbers_at(n, zone);
        numbers.filter_map(|number| self.overrides.get(number.checked_sub(self.classes.len())?))
    }

    /// The one with a number.
    pub fn group(&self, number: usize) -> Option<&Group> {
        self.classes.get(number).or_else(|| self.overrides.get(number - self.classes.len()).map(|o| &o.group))
    }

    /// The overrides among these numbers.
    pub fn overrides_of<'d>(&'d self, numbers: &'d [usize]) -> impl DoubleEndedIterator<Item = &'d Override> {
        numbers.iter().filter_map(|number| self.overrides.get(number.checked_sub(self.classes.len())?))
    }

    /// Puts the blocks of each law where they begin.
    pub fn place_blocks(&mut self, laws: &[BlockLaw], starts: &[Vec<u32>]) {
        for group in &mut self.classes {
            if let Who::Blocks { law, .. } = group.who
                && let (Some(held), Some(starts)) = (laws.get(law), starts.get(law))
            {
                group.who = Who::Ranges(starts.iter().map(|&start| start..start + held.blocks.size).collect());
            }
        }
    }
}

fn overrides(scenario: &Scenario) -> Vec<Override> {
    let (mut rates, mut downs, mut shares) = (0, 0, 0);
    let is_share = |target: &Target| matches!(target, Target::Fraction(_));
    let place = |said: bool, count: &mut usize| {
        *count += usize::from(said);
        if said { *count } else { 0 }
    };
    let one = |spec: &OverrideSpec| Override {
        group: Group {
            who: Who::Target(spec.target.clone()),
            key: Name::Override(place(is_share(&spec.target), &mut shares)).key(),
            releases: releases(spec.versions.as_deref(), &scenario.rollout),
            outcome: spec.outcome,
            rates: spec.rates,
            upgrade: spec.upgrade_time.as_ref().map(Sampler::new),
            crash_after: spec.crash_after.as_ref().map(Sampler::new),
            degrade_after: spec.degrade_after.as_ref().map(Sampler::new),
        },
        start: Start { runs: spec.runs, state: spec.state },
        link: Link {
            phase: spec.heartbeat_phase,
            loss: spec.heartbeat_loss_rate,
            delay: spec.heartbeat_delay.as_ref().map(Sampler::new),
            flap_rate: place(spec.flap_rate_per_hour.is_some(), &mut rates),
            flap_down: place(spec.flap_down.is_some(), &mut downs),
        },
    };
    scenario.overrides.iter().map(one).collect()
}

//! What a replicate has drawn once for all of its instances, in words.

use super::wording::Unit;
use crate::fleet::InstanceId;
use crate::scenario::{Members, OutcomeRates, Scenario};
use crate::sim::draws::Draws;
use crate::sim::shared::Factor;
use crate::sim::{Release, World};

/// Blocks of which the ends are named.
const NAMED: usize = 4;

/// One sentence a thing that is drawn: a version's rates, its factor, a class's places.
pub fn drawn(scenario: &Scenario, world: &World, replicate: u64) -> Vec<String> {
    if !world.shares() {
        return Vec::new();
    }
    let shared = world.shared(&mut Draws::new(world.seed, replicate));
    let mut said = Vec::new();
    for (release, version) in [(Release::Target, Some(scenario.target())), (Release::Previous, scenario.previous())] {
        let Some(version) = version else { continue };
        if world.rate_source(release).is_drawn() {
            let rates = rates(&shared.rates[release as usize]);
            let rates = if rates.is_empty() { "none goes wrong".to_owned() } else { rates.join(", ") };
            said.push(format!("of upgrades to {} {rates}", version.id));
        }
        if let Factor::Drawn { .. } = world.factor(release) {
            let factor = shared.factors[release as usize];
            said.push(format!("upgrades to {} take {factor:.2} times as long", version.id));
        }
    }
    let names = scenario.fleet.names();
    let with_blocks = scenario.classes.iter().filter_map(|class| match class.members {
        Members::Blocks(blocks) => Some((class, blocks)),
        _ => None,
    });
    for (((class, blocks), starts), law) in with_blocks.zip(&shared.blocks).zip(world.block_laws()) {
        if !law.for_target {
            continue;
        }
        let block = |&start: &u32| match blocks.size {
            1 => names.name(InstanceId(start)).to_string(),
            size => format!("{} to {}", names.name(InstanceId(start)), names.name(InstanceId(start + size - 1))),
        };
        let named: Vec<String> = starts.iter().take(NAMED).map(block).collect();
        let more = starts.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more blocks") } else { String::new() };
        said.push(format!("{} is {}{more}", class.id, named.join(", ")));
    }
    said
}

/// Shares of upgrades that go wrong, and how; those that are none are left out.
pub fn rates(rates: &OutcomeRates) -> Vec<String> {
    let named =
        [(rates.failure, "fail"), (rates.hang, "hang"), (rates.unhealthy, "are unhealthy"), (rates.crash, "crash")];
    let said = named.into_iter().filter(|(rate, _)| *rate > 0.0);
    said.map(|(rate, what)| format!("{} {what}", Unit::Share.say(rate))).collect()
}

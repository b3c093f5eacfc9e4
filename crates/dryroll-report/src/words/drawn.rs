//! What a replicate has drawn once for all of its instances, in words.

use crate::words::{Unit, number, plural};
use dryroll_engine::fleet::InstanceId;
use dryroll_sim::scenario::{Members, OutcomeRates, Scenario};
use dryroll_sim::sim::draws::Draws;
use dryroll_sim::sim::shared::{Factor, RateSource, Shared};
use dryroll_sim::sim::{CompiledScenario, Release};

/// Blocks of which the ends are named.
const NAMED: usize = 4;

/// One sentence a thing that is drawn: a version's rates, its factor, a class's places.
pub fn drawn(scenario: &Scenario, compiled: &CompiledScenario, replicate: u64) -> Vec<String> {
    let mut draws = Draws::new(compiled.seed, replicate);
    let shared = if compiled.shares() { compiled.shared(&mut draws) } else { Shared::default() };
    let mut said = Vec::new();
    for (release, version) in [(Release::Target, Some(scenario.target())), (Release::Previous, scenario.previous())] {
        let Some(version) = version else { continue };
        if compiled.rate_source(release).is_drawn() {
            let drawn = only_drawn(compiled.rate_source(release), shared.rates[release]);
            let rates = rates(&drawn);
            let rates = if rates.is_empty() { "none goes wrong as drawn".to_owned() } else { rates.join(", ") };
            said.push(format!("of upgrades to {} {rates}", version.id));
        }
        if let Factor::Drawn { .. } = compiled.factor(release) {
            let factor = shared.factors[release];
            said.push(format!("upgrades to {} take {} times as long", version.id, times(factor)));
        }
    }
    let names = scenario.fleet.names();
    let with_blocks = scenario.classes.iter().filter_map(|class| match class.members {
        Members::Blocks(blocks) => Some((class, blocks)),
        _ => None,
    });
    for (((class, blocks), starts), law) in with_blocks.zip(&shared.blocks).zip(compiled.block_laws()) {
        if !law.for_target {
            continue;
        }
        let block = |&start: &u32| match blocks.size {
            1 => names.name(InstanceId(start)).to_string(),
            size => format!("{} to {}", names.name(InstanceId(start)), names.name(InstanceId(start + size - 1))),
        };
        let named: Vec<String> = starts.iter().take(NAMED).map(block).collect();
        let more = starts.len().saturating_sub(NAMED);
        let more = match more {
            0 => String::new(),
            more => format!(" and {}", plural(more as u64, "more block", "more blocks")),
        };
        said.push(format!("{} is {}{more}", class.id, named.join(", ")));
    }
    for (place, class) in scenario.classes.iter().enumerate() {
        let for_target = class.versions.as_ref().is_none_or(|all| all.contains(&scenario.rollout.target));
        if let Members::Share(_) = class.members
            && for_target
        {
            let members = compiled.drawn_members(place, scenario.fleet.instances, &mut draws);
            let who = plural(u64::from(members), "instance", "instances");
            said.push(format!("{} is {who} of {}", class.id, scenario.fleet.instances));
        }
    }
    said
}

/// The rates that are not the same in every replicate; the others are 0.
fn only_drawn(source: &RateSource, rates: OutcomeRates) -> OutcomeRates {
    let RateSource::Spread(spread) = source else { return rates };
    let [failure, hang, unhealthy, crash] = spread.laws().each_ref().map(Option::is_some);
    let of = |drawn: bool, rate: f64| if drawn { rate } else { 0.0 };
    OutcomeRates {
        failure: of(failure, rates.failure),
        hang: of(hang, rates.hang),
        unhealthy: of(unhealthy, rates.unhealthy),
        crash: of(crash, rates.crash),
        brick: 0.0,
        degrade: 0.0,
    }
}

/// A factor, within what means something to people.
fn times(factor: f64) -> String {
    match factor {
        ..0.001 => "less than 0.001".to_owned(),
        1e6.. => "more than a million".to_owned(),
        factor if factor >= 10.0 => number(factor),
        factor if factor >= 0.1 => format!("{factor:.2}"),
        factor => number(factor),
    }
}

/// Shares of upgrades that go wrong, and how; those that are none are left out.
pub fn rates(rates: &OutcomeRates) -> Vec<String> {
    let named =
        [(rates.failure, "fail"), (rates.hang, "hang"), (rates.unhealthy, "are unhealthy"), (rates.crash, "crash")];
    let said = named.into_iter().filter(|(rate, _)| *rate > 0.0);
    said.map(|(rate, what)| format!("{} {what}", Unit::Share.say(rate))).collect()
}

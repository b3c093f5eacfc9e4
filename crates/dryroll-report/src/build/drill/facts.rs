//! What was true all along in a drill's replicate, and nobody saw: one sentence a fact.

use crate::words::drawn::rates;
use crate::words::{Unit, plural, spoken};
use dryroll_engine::fleet::{At, InstanceId};
use dryroll_sim::scenario::{
    ClassSpec, Members, OutcomeRates, OverrideSpec, Scenario, SomeRates, Target, UpgradeOutcome, VersionIndex,
};
use dryroll_sim::sim::FaultEffect;

/// Ids that are named of an override.
const NAMED: usize = 4;

/// The facts: the version, the instances that differ, the faults.
pub fn facts(scenario: &Scenario, effects: &[FaultEffect]) -> Vec<String> {
    let target = scenario.target();
    let mut facts = vec![match target.defective {
        true => format!("{} is defective", target.id),
        false => format!("{} is sound", target.id),
    }];
    let rates = rates(&target.rates);
    if !rates.is_empty() {
        let mean = if target.concentrations == Default::default() { "" } else { " on average over rollouts" };
        facts.push(format!("of its upgrades {}{mean}", rates.join(", ")));
    }
    facts.extend(scenario.classes.iter().filter_map(|class| differs_by_class(scenario, class)));
    facts.extend(scenario.overrides.iter().filter_map(|one| differs(scenario, one)));
    for effect in effects {
        let touched = plural(u64::from(effect.touched_instances), "instance", "instances");
        facts.push(match effect.window {
            Some(window) => format!(
                "{} from {} to {}, which touched {touched}",
                effect.kind.replace('_', " "),
                spoken(window.start.since(At::ZERO)),
                spoken(window.end.since(At::ZERO))
            ),
            None => format!("{} would have come, and did not", effect.kind.replace('_', " ")),
        });
    }
    facts
}

/// How the upgrades of some instances end otherwise; `None` where an override says nothing of that.
fn differs(scenario: &Scenario, one: &OverrideSpec) -> Option<String> {
    let how = match one.outcome {
        Some(outcome) => match outcome {
            UpgradeOutcome::Ok => "succeed".to_owned(),
            UpgradeOutcome::Fail => "fail".to_owned(),
            UpgradeOutcome::Hang => "hang".to_owned(),
            UpgradeOutcome::Unhealthy => "come up unhealthy".to_owned(),
            UpgradeOutcome::Crash => "crash after they have passed".to_owned(),
            UpgradeOutcome::Brick => "brick the instance".to_owned(),
            UpgradeOutcome::Degrade => "become unhealthy after they have passed".to_owned(),
        },
        None => how(&one.rates)?,
    };
    let who = match &one.target {
        Target::All => "all instances".to_owned(),
        Target::Zone(zone) => format!("zone {zone}"),
        Target::Fraction(share) => format!("{} of the fleet", Unit::Share.say(*share)),
        Target::Ids(ids) => named(scenario, ids),
    };
    Some(format!("upgrades of {who} to {} {how}", versions(scenario, one.versions.as_deref())))
}

/// The same of a class.
fn differs_by_class(scenario: &Scenario, class: &ClassSpec) -> Option<String> {
    let how = how(&class.rates)?;
    let who = match &class.members {
        Members::Zone(zone) => format!("zone {zone}"),
        Members::Share(share) => format!("{} of the fleet", Unit::Share.say(*share)),
        Members::Ids(ids) => named(scenario, ids),
        Members::Blocks(blocks) => {
            let size = plural(u64::from(blocks.size), "neighbour", "neighbours");
            format!("{} of {size}", plural(u64::from(blocks.count), "block", "blocks"))
        }
    };
    let versions = versions(scenario, class.versions.as_deref());
    Some(format!("{}: upgrades of {who} to {versions} {how}", class.id))
}

fn how(said: &SomeRates) -> Option<String> {
    let rates = rates(&said.over(OutcomeRates::default()));
    (!rates.is_empty()).then(|| rates.join(", "))
}

fn named(scenario: &Scenario, ids: &[InstanceId]) -> String {
    let names = scenario.fleet.names();
    let named: Vec<String> = ids.iter().take(NAMED).map(|&id| names.name(id).to_string()).collect();
    let more = ids.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

fn versions(scenario: &Scenario, versions: Option<&[VersionIndex]>) -> String {
    match versions {
        None => scenario.target().id.to_string(),
        Some(versions) => {
            let ids = versions.iter().filter_map(|version| scenario.versions.get(version.0));
            ids.map(|version| version.id.to_string()).collect::<Vec<_>>().join(", ")
        }
    }
}

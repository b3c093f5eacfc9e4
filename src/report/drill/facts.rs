//! What was true all along in a drill's world, and nobody saw: one sentence a fact.

use crate::fleet::Span;
use crate::report::wording::{Unit, plural, spoken};
use crate::scenario::{OutcomeRates, OverrideSpec, Scenario, Target, UpgradeOutcome};
use crate::sim::FaultEffect;

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
        facts.push(format!("of its upgrades {}", rates.join(", ")));
    }
    facts.extend(scenario.overrides.iter().filter_map(|one| differs(scenario, one)));
    for effect in effects {
        let touched = plural(u64::from(effect.touched_instances), "instance", "instances");
        facts.push(match effect.window {
            Some(window) => format!(
                "{} from {} to {}, which touched {touched}",
                effect.kind.replace('_', " "),
                spoken(Span(window.start)),
                spoken(Span(window.end))
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
        },
        None => {
            let rates = rates(&one.rates.over(OutcomeRates::default()));
            if rates.is_empty() {
                return None;
            }
            rates.join(", ")
        }
    };
    let who = match &one.target {
        Target::All => "all instances".to_owned(),
        Target::Zone(zone) => format!("zone {zone}"),
        Target::Fraction(share) => format!("{} of the fleet", Unit::Share.say(*share)),
        Target::Ids(ids) => {
            let names = scenario.fleet.names();
            let named: Vec<String> = ids.iter().take(NAMED).map(|&id| names.name(id).to_string()).collect();
            let more = ids.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}", named.join(", "))
        }
    };
    let versions = match &one.versions {
        None => scenario.target().id.clone(),
        Some(versions) => {
            let ids = versions.iter().filter_map(|version| scenario.versions.get(version.0));
            ids.map(|version| version.id.as_str()).collect::<Vec<_>>().join(", ")
        }
    };
    Some(format!("upgrades of {who} to {versions} {how}"))
}

fn rates(rates: &OutcomeRates) -> Vec<String> {
    let named =
        [(rates.failure, "fail"), (rates.hang, "hang"), (rates.unhealthy, "are unhealthy"), (rates.crash, "crash")];
    let said = named.into_iter().filter(|(rate, _)| *rate > 0.0);
    said.map(|(rate, what)| format!("{} {what}", Unit::Share.say(rate))).collect()
}

//! Named policies: those of the scenario, and those of a file of their own.

use super::GridError;
use dryroll_sim::scenario::{NamedPolicy, Scenario, ScenarioText};
use dryroll_sim::text::{Foreign, listed};

/// Takes the policies of a file that has nothing else into a scenario.
///
/// # Errors
/// When the file is not valid, or the scenario has a policy of the same name.
pub fn take_policies(scenario: &mut Scenario, text: &ScenarioText) -> Result<(), GridError> {
    let found = scenario.policies_of(text).map_err(Box::new)?;
    for policy in &found {
        if scenario.policies.iter().any(|own| own.name == policy.name) {
            return Err(GridError::NamedTwice { file: text.file.clone(), name: policy.name.clone() });
        }
    }
    scenario.policies.extend(found);
    Ok(())
}

/// A scenario with the policy of this name among some; the target stays.
///
/// # Errors
/// When there is no such policy.
pub fn policy_called(scenario: &Scenario, name: &str, policies: &[NamedPolicy]) -> Result<Scenario, GridError> {
    let Some(found) = policies.iter().find(|policy| policy.name == name) else {
        let names = policies.iter().map(|policy| policy.name.clone()).collect();
        return Err(GridError::NoPolicy { name: name.into(), names });
    };
    let mut with = scenario.clone();
    with.rollout.clone_from(&found.rollout);
    with.rollout.target = scenario.rollout.target;
    Ok(with)
}

/// Which names there are, in an error.
pub fn allowed(names: &[Foreign]) -> String {
    match names {
        [] => "the scenario has no [[policies]]; write them there, or in a file for --policies".to_owned(),
        some => format!("allowed: {}", listed(some)),
    }
}

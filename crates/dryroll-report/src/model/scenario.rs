//! Which scenario a report is of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use dryroll_sim::scenario::{Scenario, VersionSpec};
use dryroll_sim::text::Foreign;

/// Which scenario a report is of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScenarioRef {
    /// Its name.
    pub name: Foreign,
    /// SHA-256 of its file.
    pub hash: Foreign,
    /// The module that is upgraded; empty in older reports.
    #[serde(default)]
    pub module: Foreign,
    /// The template of the fleet's instances; empty in older reports.
    #[serde(default)]
    pub fleet: Foreign,
    /// Instances of the fleet; 0 in older reports.
    #[serde(default)]
    pub instances: u32,
    /// Digest of all that the file says beside policy and seed; empty in older reports.
    #[serde(default)]
    #[serde(rename = "world")]
    pub environment: Foreign,
    /// By version: the chances of all outcomes that are not 0, and the concentrations of those that each replicate
    /// draws; empty in older reports.
    #[serde(default)]
    pub rates: BTreeMap<Foreign, BTreeMap<Foreign, f64>>,
}

/// The chances of a version's outcomes that are not 0, by the names of the scenario file; of a rate that each replicate
/// draws, its mean and its concentration.
fn rates(version: &VersionSpec) -> BTreeMap<Foreign, f64> {
    let names = ["failure_rate", "hang_rate", "unhealthy_rate", "crash_rate"];
    let known = names.into_iter().zip(version.rates_with_concentrations()).filter(|(_, (rate, _))| *rate != 0.0);
    known
        .flat_map(|(name, (rate, drawn))| {
            let drawn = drawn.map(|concentration| (format!("{name}_concentration").into(), concentration));
            std::iter::once((name.into(), rate)).chain(drawn)
        })
        .collect()
}

impl ScenarioRef {
    /// Of a scenario.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            name: scenario.name.clone(),
            hash: scenario.hash.clone().into(),
            module: scenario.module_id.clone(),
            fleet: scenario.fleet.template_id.clone(),
            instances: scenario.fleet.instances,
            environment: scenario.environment.clone().into(),
            rates: scenario.versions.iter().map(|version| (version.id.clone(), rates(version))).collect(),
        }
    }
}

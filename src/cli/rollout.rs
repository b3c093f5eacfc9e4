//! Arguments that change the rollout of a scenario, for `plan` and `run`.

use std::path::Path;

use super::output::{Failure, refused};
use super::policies::PoliciesFile;
use dryroll_report::build::plan::explain::Given;
use dryroll_report::words::replay::{self, Changes};
use dryroll_sim::scenario::{Advisor, Scenario, ScenarioText};
use dryroll_sim::sim::CompiledScenario;
use dryroll_study::study::grid::{Axis, Grid, policy_called, version_called};

/// Options that change the version or keys of `[rollout]`.
#[derive(Debug, clap::Args)]
pub struct Rollout {
    /// Roll out the version with this id
    #[arg(long, visible_alias = "versions", value_name = "ID")]
    version: Option<String>,
    /// Take the named policy with this name, of the scenario's [[policies]] or of --policies
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    #[command(flatten)]
    policies: PoliciesFile,
    /// Set a key of [rollout], as in rollout.batch_pct=10, or fleet.instances, or a rate of a version, as in
    /// versions.v2.failure_rate=0.05; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

/// A scenario, its file and its compiled form.
pub struct Loaded {
    /// The text of the file.
    pub text: ScenarioText,
    /// The scenario with the changes.
    pub scenario: Scenario,
    /// The compiled scenario.
    pub compiled: CompiledScenario,
}

impl Rollout {
    /// Whether the options change anything.
    pub fn changes_anything(&self) -> bool {
        self.version.is_some() || self.policy.is_some() || !self.settings.is_empty()
    }

    /// The command that runs one replicate again.
    pub fn command(&self, path: &Path, scenario: &Scenario, replicate: u64) -> String {
        let (axes, policies) = (self.changes(), self.policies.path());
        let changes = self.replayed(&axes, policies.as_deref());
        replay::command(&path.to_string_lossy(), scenario.seed, scenario.target().id.raw(), &changes, replicate)
    }

    /// The command that plays a drill of one replicate again.
    pub fn drill_command(&self, path: &Path, scenario: &Scenario, replicate: u64, decisions: &Path) -> String {
        let (axes, policies) = (self.changes(), self.policies.path());
        let changes = self.replayed(&axes, policies.as_deref());
        let (path, decisions) = (path.to_string_lossy(), decisions.to_string_lossy());
        replay::drill(&path, scenario.seed, scenario.target().id.raw(), &changes, replicate, &decisions)
    }

    fn replayed<'a>(&'a self, axes: &'a [Axis], policies: Option<&'a str>) -> Changes<'a> {
        let settings = axes.iter().map(|axis| (axis, 0)).collect();
        Changes { policy: self.policy.as_deref(), policies, settings }
    }

    /// What these options change, for a table that explains the policy.
    pub fn given(&self, text: &ScenarioText) -> Result<Given, Failure> {
        let policy = match &self.policy {
            None => None,
            Some(name) => {
                let of_file = text.scenario()?.policies.iter().any(|policy| policy.name == name.as_str());
                let text = if of_file { text.clone() } else { self.policies.read()?.unwrap_or_else(|| text.clone()) };
                Some((name.clone(), text))
            }
        };
        let set = self.changes().into_iter().map(|axis| axis.key).collect();
        Ok(Given { version: self.version.is_some(), policy, set })
    }

    fn changes(&self) -> Vec<Axis> {
        self.settings.iter().filter_map(|text| Axis::parse_setting(text).ok()).collect()
    }

    /// Collects advice about the rollout of a file, before any run.
    pub fn advisor<'t>(&self, text: &'t ScenarioText, scenario: &Scenario) -> Advisor<'t> {
        let mut advisor = Advisor::new(text).with_set(self.changes().into_iter().map(|axis| axis.key));
        if self.policy.is_some() {
            // Its keys do not stand in [rollout].
            advisor = advisor.with_set(Scenario::rollout_keys());
        }
        advisor.read(scenario);
        advisor
    }

    /// Reads a scenario, applies these changes and a seed, and compiles it.
    pub fn load(&self, path: &Path, seed: Option<u64>) -> Result<Loaded, Failure> {
        let text = ScenarioText::load(path)?;
        let mut scenario = text.scenario()?;
        scenario.seed = seed.unwrap_or(scenario.seed);
        if let Some(version) = &self.version {
            let found = version_called(&scenario, version)?;
            scenario.retarget(found)?;
        }
        self.policies.take(&mut scenario)?;
        if let Some(name) = &self.policy {
            scenario = policy_called(&scenario, name, &scenario.policies)?;
        }
        let settings = self.settings.iter().map(|text| Axis::parse_setting(text)).collect::<Result<Vec<_>, _>>();
        // The grid refuses a key that is set twice.
        let settings = settings?;
        if let Some(axis) = settings.iter().find(|axis| axis.key == "target_version_id") {
            let version = axis.values.join(",");
            return Err(Failure::Input(anyhow::anyhow!(
                "the target is not a part of a policy; write --version {version} in place of --set \
                 rollout.target_version_id={version}"
            )));
        }
        let grid = Grid::new(settings, vec![scenario.rollout.target])?;
        for axis in &grid.axes {
            match axis.values.as_slice() {
                [value] => axis.set(&mut scenario, value)?,
                _ => {
                    let key = &axis.key;
                    return Err(Failure::Input(anyhow::anyhow!("{key} takes one value here; `sweep` takes several")));
                }
            }
        }
        let compiled = CompiledScenario::new(&scenario).map_err(|refusal| refused(&text, refusal))?;
        Ok(Loaded { text, scenario, compiled })
    }
}

//! `--policies FILE`: named policies beside those of the scenario.

use std::path::{Path, PathBuf};

use super::output::Failure;
use dryroll_sim::scenario::{Scenario, ScenarioText};
use dryroll_study::study::grid::take_policies;

/// The option that names a file of policies.
#[derive(Debug, Default, clap::Args)]
pub struct PoliciesFile {
    /// A file of [[policies]] alone: named policies beside those of the scenario
    #[arg(long = "policies", id = "policies", value_name = "FILE")]
    path: Option<PathBuf>,
}

impl PoliciesFile {
    /// The path as a command line takes it.
    pub fn path(&self) -> Option<String> {
        self.path.as_ref().map(|path| path.to_string_lossy().into_owned())
    }

    /// A scenario's path, and that of the policies: the inputs of a command.
    pub fn with<'a>(&'a self, scenario: &'a PathBuf) -> impl Iterator<Item = &'a PathBuf> {
        std::iter::once(scenario).chain(&self.path)
    }

    /// Reads the file, if there is one.
    pub fn read(&self) -> Result<Option<ScenarioText>, Failure> {
        let Some(path) = &self.path else { return Ok(None) };
        if path == Path::new("-") {
            return Err(Failure::Input(anyhow::anyhow!("--policies: standard input is for the scenario; give a file")));
        }
        Ok(Some(ScenarioText::load(path)?))
    }

    /// Takes the policies of the file into a scenario.
    pub fn take(&self, scenario: &mut Scenario) -> Result<(), Failure> {
        match self.read()? {
            None => Ok(()),
            Some(text) => Ok(take_policies(scenario, &text)?),
        }
    }
}

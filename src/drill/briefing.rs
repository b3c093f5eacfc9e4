//! What a person is told before a drill: names, never the truth. A surprise drill hides the names that would tell it.

use crate::engine::EventNames;
use crate::scenario::Scenario;

/// The names that a console shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Briefing {
    /// What the drill is called.
    pub title: String,
    /// The module that is upgraded.
    pub module: String,
    /// The fleet, by its template: `fleet edge`.
    pub fleet: String,
    /// Its instances.
    pub instances: u32,
    /// The version that is rolled out.
    pub target: String,
    /// The version that the fleet runs.
    pub previous: String,
    names: crate::fleet::InstanceNames,
}

impl Briefing {
    /// The names as the scenario has them.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            title: scenario.name.clone(),
            module: scenario.module_id.clone(),
            fleet: match scenario.fleet.template_id.as_str() {
                // One that nobody named.
                "fleet" => "fleet".into(),
                template => format!("fleet {template}"),
            },
            instances: scenario.fleet.instances,
            target: scenario.target().id.clone(),
            previous: scenario.previous().map_or_else(|| "the version before".into(), |version| version.id.clone()),
            names: scenario.fleet.names(),
        }
    }

    /// Names that tell nothing.
    #[must_use]
    pub fn veiled(scenario: &Scenario) -> Self {
        Self {
            title: "A surprise".into(),
            module: "the module".into(),
            fleet: "the fleet".into(),
            target: "the new version".into(),
            previous: "the old version".into(),
            ..Self::new(scenario)
        }
    }

    /// The names that event lines need.
    #[must_use]
    pub fn event_names(&self) -> EventNames<'_> {
        EventNames { instances: self.names, target: &self.target, previous: &self.previous }
    }
}

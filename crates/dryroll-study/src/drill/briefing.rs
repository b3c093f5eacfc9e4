//! The names that a person sees before a drill, never the ground truth. A surprise drill hides the names that would
//! reveal it.

use dryroll_engine::EventNames;
use dryroll_sim::scenario::Scenario;
use dryroll_sim::text::Foreign;

/// The names that a console shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Briefing {
    /// The title of the drill.
    pub title: Foreign,
    /// The module that is upgraded.
    pub module: Foreign,
    /// The fleet, named by its template: `fleet edge`.
    pub fleet: Foreign,
    /// The number of instances.
    pub instances: u32,
    /// The version that is rolled out.
    pub target: Foreign,
    /// The version that the fleet runs.
    pub previous: Foreign,
    names: dryroll_engine::fleet::InstanceNames,
}

impl Briefing {
    /// The names as the scenario has them.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            title: scenario.name.clone(),
            module: scenario.module_id.clone(),
            fleet: match scenario.fleet.template_id.raw() {
                // The default name of a fleet without a template name.
                "fleet" => "fleet".into(),
                template => format!("fleet {template}").into(),
            },
            instances: scenario.fleet.instances,
            target: scenario.target().id.clone(),
            previous: scenario.previous().map_or_else(|| "the version before".into(), |version| version.id.clone()),
            names: scenario.fleet.names(),
        }
    }

    /// Names that reveal nothing.
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
        EventNames { instances: self.names, target: self.target.raw(), previous: self.previous.raw() }
    }
}

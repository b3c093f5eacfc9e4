//! What the figures of a report are about: the fleet, the versions and the goal that bound them.

use serde_json::{Map, Value};

use crate::checked::range::Range;
use dryroll_engine::fleet::InstanceNames;
use dryroll_sim::scenario::Measure;

/// What bounds the figures at a place of a report.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Instances of the fleet; `None` in older reports.
    pub fleet: Option<u32>,
    /// The versions of the scenario; empty in older reports.
    pub versions: Vec<String>,
    /// What a search minimises.
    pub goal: Option<Range>,
}

impl Scope {
    /// The same within an object that says which scenario it is of.
    pub fn within(&self, object: &Map<String, Value>) -> Option<Self> {
        let scenario = object.get("scenario")?.as_object()?;
        let fleet = scenario.get("instances").and_then(Value::as_u64).and_then(|fleet| u32::try_from(fleet).ok());
        let fleet = fleet.filter(|&fleet| fleet > 0);
        let versions = scenario.get("rates").and_then(Value::as_object);
        let versions = versions.map(|rates| rates.keys().cloned().collect()).unwrap_or_default();
        let goal = object.get("minimise").and_then(Value::as_str).and_then(Measure::find);
        Some(Self { fleet, versions, goal: goal.and_then(|goal| Range::of_measure(goal, fleet)) })
    }

    /// The names of the fleet's instances.
    pub fn names(&self) -> Option<InstanceNames> {
        self.fleet.map(InstanceNames::new)
    }

    /// The values of a metric or rate in one run.
    pub fn of_measure(&self, name: &str) -> Option<Range> {
        Range::of_measure(Measure::find(name)?, self.fleet)
    }
}

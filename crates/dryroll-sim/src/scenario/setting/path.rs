//! Settings beyond `[rollout]`: the size of the fleet, and how upgrades to a version fare.

use serde_json::{Value as Json, json};

use super::{SOURCE, as_toml, deserialized, read};
use crate::digest::hex_sha256;
use crate::scenario::check::{self, UPGRADE_KEYS};
use crate::scenario::diagnostic::{Diagnostic, Source, listing, nearest, quote};
use crate::scenario::error::Diagnostics;
use crate::scenario::file::Version;
use crate::scenario::{Members, Scenario, ScenarioError, SomeRates, Target, VersionIndex, VersionSpec, schema};

impl Scenario {
    /// Sets one key by its path: `rollout.KEY` as [`set_rollout`](Self::set_rollout) does, `fleet.instances`, or
    /// `versions.ID.KEY` with a rate or a duration of a version. What is no part of the policy makes it the scenario of
    /// another environment.
    ///
    /// # Errors
    /// When there is no such path, or the file would be refused with this value; the scenario is as it was then.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), ScenarioError> {
        let version = |rest: &'static str| path.strip_prefix(rest).and_then(|rest| rest.rsplit_once('.'));
        let changed = match (path, path.strip_prefix("rollout."), version("versions.")) {
            (_, Some(key), _) => return self.set_rollout(key, value),
            ("fleet.instances", _, _) => self.with_instances(value)?,
            (_, _, Some((id, key))) => self.with_version(id, key, value)?,
            _ => {
                let paths = ["fleet.instances", "rollout.KEY", "versions.ID.KEY"];
                let near = nearest(path, ["fleet.instances"]).map(|near| format!("did you mean `{near}`?"));
                let error = wrong(&format!("{path} = {value}"), format!("no setting is called {}", quote(path)));
                return Err(Diagnostics::one(error.allowed(listing(paths)).help_where(near)).into());
            }
        };
        if changed != *self {
            let environment = hex_sha256(format!("{}\n{path} = {value}", self.environment).as_bytes());
            *self = Self { environment, ..changed };
        }
        Ok(())
    }

    fn with_instances(&self, value: &str) -> Result<Self, ScenarioError> {
        let text = as_toml("instances", value);
        let root = read(&text)?;
        let source = Source { name: SOURCE, text: &text };
        check::shape_alone(source, &root, &schema_of_keys("Fleet", &["instances"]))?;
        #[derive(serde::Deserialize)]
        struct Fleet {
            instances: u32,
        }
        let Fleet { instances } = deserialized(source, &root)?;
        let mut changed = self.clone();
        changed.fleet.instances = instances;
        let wanted = self.least_instances();
        if u64::from(instances) < wanted {
            let error = wrong(&text, "the scenario speaks of more instances than the fleet has");
            return Err(Diagnostics::one(
                error
                    .label(format!("found {instances}"))
                    .allowed(format!("at least {wanted}: `statuses`, `ids` and `blocks` of the file count on so many")),
            )
            .into());
        }
        Ok(changed)
    }

    /// How many instances the file speaks of.
    fn least_instances(&self) -> u64 {
        let statuses = self.fleet.statuses.iter().map(|&(_, count)| u64::from(count)).sum::<u64>();
        let blocks = self.classes.iter().map(|class| match class.members {
            Members::Blocks(blocks) => u64::from(blocks.count) * u64::from(blocks.size),
            Members::Share(_) | Members::Ids(_) | Members::Zone(_) => 0,
        });
        let of_classes = self.classes.iter().filter_map(|class| match &class.members {
            Members::Ids(ids) => Some(ids),
            Members::Share(_) | Members::Zone(_) | Members::Blocks(_) => None,
        });
        let targets = self.overrides.iter().map(|one| &one.target).chain(self.faults.iter().map(|fault| &fault.target));
        let of_targets = targets.filter_map(|target| match target {
            Target::Ids(ids) => Some(ids),
            Target::All | Target::Zone(_) | Target::Fraction(_) => None,
        });
        let last = of_classes.chain(of_targets).filter_map(|ids| ids.last()).map(|id| u64::from(id.0) + 1);
        last.chain(blocks).chain([statuses]).max().unwrap_or(0)
    }

    fn with_version(&self, id: &str, key: &str, value: &str) -> Result<Self, ScenarioError> {
        let text = as_toml(key, value);
        let Some(place) = self.versions.iter().position(|version| version.id == id) else {
            let ids = || self.versions.iter().map(|version| version.id.raw());
            let near = nearest(id, ids()).map(|near| format!("did you mean {}?", quote(near)));
            let error = wrong(&text, format!("no version is called {}", quote(id)));
            return Err(Diagnostics::one(error.allowed(listing(ids())).help_where(near)).into());
        };
        let root = read(&text)?;
        let source = Source { name: SOURCE, text: &text };
        check::shape_alone(source, &root, &schema_of_keys("Version", &UPGRADE_KEYS))?;
        let file: Version = deserialized(source, &root)?;
        let checked = check::version_alone(source, &root, &file)?;
        let mut changed = self.clone();
        take(&mut changed.versions[place], key, checked);
        if let Some(sum) = changed.excess_of(VersionIndex(place)) {
            let says = format!("the rates of version {} add up to more than 1", quote(id));
            let error = wrong(&text, says).label(format!("adds up to {sum}"));
            return Err(Diagnostics::one(error.help("classes and overrides that hold for it count too")).into());
        }
        Ok(changed)
    }

    /// What the rates of a version add up to where that is too much, alone or with a class or an override.
    fn excess_of(&self, index: VersionIndex) -> Option<f64> {
        let version = self.versions.get(index.0)?;
        let classes = self.classes.iter().map(|class| (&class.versions, &class.rates));
        let overrides = self.overrides.iter().map(|one| (&one.versions, &one.rates));
        let holds = |versions: &Option<Vec<VersionIndex>>| {
            versions.as_ref().map_or(index == self.rollout.target, |versions| versions.contains(&index))
        };
        let given = classes.chain(overrides).filter(|(versions, _)| holds(versions)).map(|(_, rates)| *rates);
        given.chain([SomeRates::default()]).find_map(|rates| check::excess(rates.over(version.rates)))
    }
}

fn wrong(text: &str, says: impl Into<String>) -> Diagnostic {
    Diagnostic::new(&Source { name: SOURCE, text }, 0..text.len(), says)
}

/// The schema of a table that has these keys of a definition, and no others.
fn schema_of_keys(definition: &str, keys: &[&str]) -> Json {
    let schema = schema();
    let properties = &schema["$defs"][definition]["properties"];
    let kept: serde_json::Map<String, Json> =
        keys.iter().map(|key| ((*key).to_owned(), properties[*key].clone())).collect();
    json!({"type": "object", "properties": kept, "additionalProperties": false, "$defs": schema["$defs"]})
}

fn take(version: &mut VersionSpec, key: &str, checked: VersionSpec) {
    let (rates, drawn) = (&mut version.rates, &mut version.concentrations);
    let (own, own_drawn) = (checked.rates, checked.concentrations);
    match key {
        "failure_rate" => (rates.failure, drawn.failure) = (own.failure, own_drawn.failure),
        "hang_rate" => (rates.hang, drawn.hang) = (own.hang, own_drawn.hang),
        "unhealthy_rate" => (rates.unhealthy, drawn.unhealthy) = (own.unhealthy, own_drawn.unhealthy),
        "crash_rate" => (rates.crash, drawn.crash) = (own.crash, own_drawn.crash),
        "brick_rate" => rates.brick = own.brick,
        "degrade_rate" => rates.degrade = own.degrade,
        "upgrade_time_sec" => version.upgrade_time = checked.upgrade_time,
        "upgrade_time_factor" => version.upgrade_time_factor = checked.upgrade_time_factor,
        "crash_after_sec" => version.crash_after = checked.crash_after,
        "degrade_after_sec" => version.degrade_after = checked.degrade_after,
        // The schema has no other keys, and a test tries each.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Format;

    const TEXT: &str = r#"
        [fleet]
        instances = 40
        statuses = { stopped = 2 }
        [[versions]]
        id = "v-1.24.0"
        [[versions]]
        id = "v-1.26.0"
        failure_rate = { beta = { mean = 0.1, concentration = 10 } }
        [rollout]
        target_version_id = "v-1.26.0"
        [[overrides]]
        ids = ["i-00005"]
        hang_rate = 0.5
        [[classes]]
        id = "old"
        blocks = { count = 2, size = 5 }
        crash_rate = 0.1
        "#;

    fn scenario() -> Scenario {
        Scenario::parse("here.toml", TEXT.as_bytes(), Format::Toml).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_key_of_an_upgrade_can_be_set() {
        for key in UPGRADE_KEYS {
            let mut changed = scenario();
            changed.set(&format!("versions.v-1.26.0.{key}"), "0.25").unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(changed.versions[1], scenario().versions[1], "{key}");
            assert_ne!(changed.environment, scenario().environment, "{key}");
            assert_eq!(changed.versions[0], scenario().versions[0]);
        }
        let mut changed = scenario();
        changed.set("versions.v-1.26.0.upgrade_time_sec", "{lognormal = {median = 45, sigma = 0.5}}").unwrap();
        changed.set("versions.v-1.26.0.failure_rate", "0.2").unwrap();
        assert_eq!((changed.versions[1].rates.failure, changed.versions[1].concentrations.failure), (0.2, None));
    }

    #[test]
    fn the_fleet_and_the_rollout_can_be_set() {
        let mut changed = scenario();
        changed.set("fleet.instances", "1000").unwrap();
        assert_eq!(changed.fleet.instances, 1000);
        assert_ne!(changed.environment, scenario().environment);
        let mut changed = scenario();
        changed.set("fleet.instances", "40").unwrap();
        assert_eq!(changed, scenario(), "nothing is another environment that is the same");
        changed.set("rollout.batches", "[1, 2]").unwrap();
        assert_eq!(changed.environment, scenario().environment);
        assert_eq!(changed.rollout.batches.sizes.len(), 2);
    }

    #[test]
    fn what_the_file_would_refuse_is_refused() {
        for (path, value, says) in [
            ("fleet.instances", "0", "1 to 100000000"),
            ("fleet.instances", "9", "at least 10"),
            ("fleet.instances", "many", "whole number"),
            ("fleet.instance", "9", "did you mean `fleet.instances`"),
            ("fleet", "9", "no setting"),
            ("", "", "no setting"),
            ("rollout.", "1", "unknown key"),
            ("rollout.batch_pct", "0", "1 to 100"),
            ("versions.v-1.27.0.failure_rate", "0.1", "no version is called `v-1.27.0`"),
            ("versions.v-1.26.0", "0.1", "no version is called `v-1.26`"),
            ("versions.v-1.26.0.digest", "x", "unknown key"),
            ("versions.v-1.26.0.failure_rates", "0.1", "did you mean `failure_rate`"),
            ("versions.v-1.26.0.failure_rate", "1.5", "0 to 1"),
            ("versions.v-1.26.0.failure_rate", "0.6", "adds up to 1.1"),
            ("versions.v-1.26.0.failure_rate", "{beta = {mean = 0.1, concentration = 0.2}}", "concentration"),
        ] {
            let mut changed = scenario();
            let error = changed.set(path, value).expect_err(path).to_string();
            assert!(error.contains(says), "{path}: {error}");
            assert_eq!(changed, scenario());
        }
    }
}

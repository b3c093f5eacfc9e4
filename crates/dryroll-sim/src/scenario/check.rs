//! From a tree to a checked [`Scenario`]: first its shape against the schema, then what the keys
//! mean together. Each stage tells all that it finds; the second runs only on a file of the right
//! shape.

mod batches;
mod breakers;
mod choice;
mod classes;
mod context;
mod expect;
mod faults;
mod fleet;
mod operator;
mod overrides;
mod pace;
#[cfg(test)]
mod policy_tests;
mod rollout;
mod rules;
mod shape;
mod shares;
mod together;
mod values;
pub(super) mod versions;

#[cfg(test)]
mod tests;

use serde::Deserialize;

use super::diagnostic::Source;
use super::error::Diagnostics;
use super::file::{Drill, File, Policy, Version};
use super::tree::{Cursor, Node, SyntaxError};
use super::{DrillSpec, NamedPolicy, RolloutSpec, Scenario, VersionSpec, schema};
use context::{Context, Reports};

pub(super) use versions::{UPGRADE_KEYS, excess};

/// What the file's bytes and path say, beside what stands in it.
pub(super) struct Origin {
    /// The scenario's name if the file gives none.
    pub default_name: String,
    /// SHA-256 of the file's bytes.
    pub hash: String,
    /// Digest of its environment.
    pub environment: String,
}

/// Reports the syntax errors of the file.
pub(super) fn syntax(source: Source<'_>, language: &str, errors: Vec<SyntaxError>) -> Diagnostics {
    let mut reports = Reports::new(source);
    for error in errors {
        reports.add(error.span, |mark| {
            let diagnostic = mark.say(format!("not {language}: {}", error.message));
            if error.message == "duplicate key" {
                diagnostic.help("a key stands once in its table; remove one of them")
            } else {
                diagnostic
            }
        });
    }
    reports.finish()
}

/// Checks a tree.
pub(super) fn scenario(source: Source<'_>, root: &Node, origin: Origin) -> Result<Scenario, Diagnostics> {
    let mut reports = Reports::new(source);
    shape::check(root, schema::shared(), &mut reports);
    if !reports.is_empty() {
        return Err(reports.finish());
    }
    let file = match File::deserialize(root.to_json()) {
        Ok(file) => file,
        // The schema is made from the same types, so that this does not happen; if it does, it is told.
        Err(error) => {
            reports.add(root.span.clone(), |mark| mark.say(format!("cannot be read as a scenario: {error}")));
            return Err(reports.finish());
        }
    };
    let (scenario, reports) = meaning(reports, root, file, origin);
    reports.instead_of(scenario)
}

/// Checks the shape of a part of a file against the part of the schema that is its own.
pub(super) fn shape_alone(source: Source<'_>, root: &Node, schema: &serde_json::Value) -> Result<(), Diagnostics> {
    let mut reports = Reports::new(source);
    shape::check(root, schema, &mut reports);
    reports.instead_of(())
}

/// Checks keys of `[rollout]` that stand alone, for a scenario that is known: what is left out is as in `base`.
pub(super) fn rollout_alone(
    source: Source<'_>,
    root: &Node,
    scenario: &Scenario,
    file: &super::file::Rollout,
    base: &RolloutSpec,
) -> Result<RolloutSpec, Diagnostics> {
    let at = Cursor::new(root);
    let mut reports = Reports::new(source);
    let target = match file.target_version_id.as_str() {
        "" => Some(scenario.rollout.target),
        _ => rollout::target(&mut reports, &at, file, &scenario.versions),
    };
    let mut cx = Context { target, ..Context::of(reports, scenario) };
    let checked = rollout::rollout(&mut cx, &at, file, Some(base));
    cx.reports.instead_of(checked)
}

/// Checks keys of a version that stand alone.
pub(super) fn version_alone(source: Source<'_>, root: &Node, file: &Version) -> Result<VersionSpec, Diagnostics> {
    let mut reports = Reports::new(source);
    let checked = versions::one_version(&mut reports, &Cursor::new(root), file);
    reports.instead_of(checked)
}

/// Checks policies that stand in a file of their own.
pub(super) fn policies_alone(
    source: Source<'_>,
    root: &Node,
    scenario: &Scenario,
    file: &[Policy],
) -> Result<Vec<NamedPolicy>, Diagnostics> {
    let mut cx = Context::of(Reports::new(source), scenario);
    let checked = rollout::policies(&mut cx, &Cursor::new(root).key("policies"), file, &scenario.rollout);
    cx.reports.instead_of(checked)
}

/// Checks what the keys mean together. If something is wrong, it is reported and replaced by a valid value, so that the
/// rest can be checked too.
fn meaning<'a>(mut reports: Reports<'a>, root: &Node, file: File, origin: Origin) -> (Scenario, Reports<'a>) {
    let at = Cursor::new(root);
    let fleet = fleet::fleet(&mut reports, &at.key("fleet"), &file.fleet);
    let versions = versions::versions(&mut reports, &at.key("versions"), &file.versions);
    let network = fleet::network(&mut reports, &at.key("network"), &file.network);
    let target = rollout::target(&mut reports, &at.key("rollout"), &file.rollout, &versions);
    let mut cx = Context {
        reports,
        names: fleet.names(),
        instances: fleet.instances,
        zones: fleet.zones,
        heartbeat_interval: fleet.heartbeat_interval,
        versions: &versions,
        target,
    };
    let rollout = rollout::rollout(&mut cx, &at.key("rollout"), &file.rollout, None);
    let reconciler = operator::reconciler(&file.reconciler);
    let operator = operator::operator(&mut cx, &at.key("operator"), file.operator);
    let classes = classes::classes(&mut cx, &at.key("classes"), &file.classes);
    let overrides = overrides::overrides(&mut cx, &at.key("overrides"), &file.overrides);
    let faults = faults::faults(&mut cx, &at.key("faults"), &file.faults);
    let expect = expect::expect(&mut cx, &at.key("expect"), file.expect);
    let tune = file.tune.map(|tune| rules::tune(&mut cx, &at.key("tune"), tune, &rollout));
    let policies = rollout::policies(&mut cx, &at.key("policies"), &file.policies, &rollout);
    // In the file it stands on as many lines as somebody likes.
    let paragraph = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let drill = file.drill.map(|Drill { difficulty, trains, good_operator }| DrillSpec {
        difficulty,
        trains: paragraph(&trains).into(),
        good_operator: paragraph(&good_operator).into(),
    });
    let reports = cx.reports;
    let scenario = Scenario {
        name: file.name.unwrap_or(origin.default_name).into(),
        hash: origin.hash,
        environment: origin.environment,
        seed: file.seed,
        horizon: values::span(file.horizon_sec),
        fleet,
        module_id: file.module.id.into(),
        versions,
        network,
        rollout,
        reconciler,
        operator,
        classes,
        overrides,
        faults,
        expect,
        tune,
        policies,
        drill,
    };
    (scenario, reports)
}

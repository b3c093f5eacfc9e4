//! The grid of a sweep: the values of keys of `[rollout]`, and the versions to roll out.
//!
//! A grid and a scenario make [`Cells`]: one scenario and one compiled scenario for each policy × version. Policies are
//! in the order of the axes, the first of which varies slowest; versions vary fastest.

mod axis;
mod named;

use std::num::NonZeroUsize;

use serde_json::{Map, Value};

use super::Policy;
use dryroll_engine::Refusal;
use dryroll_sim::scenario::{NamedPolicy, Scenario, ScenarioError, VersionIndex};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::text::{Foreign, shown};

pub use axis::{Axis, pieces};
pub use named::{policy_called, take_policies};

/// The largest number of cells of a grid: more than anybody reads, and few enough for memory.
pub const MAX_CELLS: usize = 100_000;

/// Why a grid is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GridError {
    /// A list without values, or with an empty item.
    #[error("{key}: a value is missing in `{list}`; write values separated by commas, or a range such as 1..4")]
    Missing {
        /// The key.
        key: Foreign,
        /// The list as written.
        list: Foreign,
    },
    /// A bracket or a quote that nothing closes, or a bracket that nothing opens.
    #[error("{key}: `{list}` has {bracket} without its other half; a list is [1, \"5%\"], a table is {{factor = 2}}")]
    Unclosed {
        /// The key, or the option.
        key: Foreign,
        /// The list as written.
        list: Foreign,
        /// The bracket or quote.
        bracket: char,
    },
    /// A range that cannot be enumerated.
    #[error(
        "{key}: `{range}` is not a range; write the smaller whole number first, as in 1..4, and at most {max} of them",
        max = axis::MAX_RANGE
    )]
    Range {
        /// The key.
        key: Foreign,
        /// The range as written.
        range: Foreign,
    },
    /// A range in the notation of another program.
    #[error("{key}: `{range}` is not a number; write {} for all from the first to the last", .range.raw().replace('-', ".."))]
    Dash {
        /// The key.
        key: Foreign,
        /// The range as written.
        range: Foreign,
    },
    /// A repeated value.
    #[error("{key}: {value} is in the list twice; a grid has each policy once")]
    Twice {
        /// The key.
        key: Foreign,
        /// The value.
        value: Foreign,
    },
    /// A repeated key.
    #[error("{0} is varied twice; give all of its values in one list")]
    KeyTwice(Foreign),
    /// A repeated key in one policy.
    #[error("{0} is set twice in one policy; a policy has one value of each key")]
    SetTwice(Foreign),
    /// Versions are not part of a policy.
    #[error("the target is not part of a policy; name versions with --versions")]
    Target,
    /// Several values where a policy has one.
    #[error("`{0}` has several values; a policy has one of each key")]
    OneValue(Foreign),
    /// Both policies are the same.
    #[error("the two policies are the same; there is nothing to compare")]
    SamePolicy,
    /// No `=` in a setting.
    #[error("`{0}` sets nothing; write KEY=VALUE, as in batch_pct=10")]
    NoValue(Foreign),
    /// A key that is not in `[rollout]`.
    #[error(
        "`{0}` is not a key of [rollout]; allowed: {keys}; and beside [rollout]: fleet.instances, versions.ID.failure_rate \
         and the other rates and times of a version",
        keys = Scenario::rollout_keys().join(", ")
    )]
    Foreign(Foreign),
    /// A policy that the scenario does not name.
    #[error("there is no policy `{name}`; {}", named::allowed(.names))]
    NoPolicy {
        /// The name that was written.
        name: Foreign,
        /// The names that there are.
        names: Vec<Foreign>,
    },
    /// A policy of a file of policies with the name of one in the scenario.
    #[error("{file}: the scenario itself names a policy `{name}`; give this one another name")]
    NamedTwice {
        /// The file of policies.
        file: Foreign,
        /// The name.
        name: Foreign,
    },
    /// A value that a scenario file does not allow.
    #[error("{}", .0.render(false))]
    Value(#[from] Box<ScenarioError>),
    /// A version that does not exist or cannot be rolled out.
    #[error("{said}; allowed: {allowed}")]
    Version {
        /// What is wrong.
        said: Foreign,
        /// The versions that are allowed.
        allowed: String,
    },
    /// `all` in a list with other ids.
    #[error("--versions: `all` stands alone and is {all}; write all, or a list of ids without it")]
    AllAmongOthers {
        /// The versions that it stands for.
        all: String,
    },
    /// Too many cells.
    #[error("a grid of {cells} cells is larger than {MAX_CELLS}; sweep fewer values at a time")]
    TooLarge {
        /// The number of cells.
        cells: u128,
    },
    /// The engine refuses the request of a cell.
    #[error("the request is refused")]
    Refused(#[from] Refusal),
}

fn each_once<T: Ord + ToString>(key: &str, values: &[T]) -> Result<(), GridError> {
    let mut seen: Vec<&T> = values.iter().collect();
    seen.sort_unstable();
    match seen.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(GridError::Twice { key: key.into(), value: pair[0].to_string().into() }),
        None => Ok(()),
    }
}

/// The versions that a command-line list names: `all` for those that can be rolled out and are not what the fleet runs,
/// or ids separated by commas.
///
/// # Errors
/// When a version does not exist, cannot be rolled out, or is repeated; and when `all` stands for none.
pub fn versions(scenario: &Scenario, list: &str) -> Result<Vec<VersionIndex>, GridError> {
    let ids: Vec<Foreign> = list.split(',').map(|id| id.trim().into()).collect();
    match ids.as_slice() {
        [only] if only == "all" => match rollable(scenario) {
            all if all.is_empty() => Err(no_version(scenario, "there is no version to roll out".into())),
            all => Ok(all),
        },
        ids if ids.iter().any(|id| id.is_empty()) => Err(no_version(
            scenario,
            format!("--versions: a version is missing in `{}`; write ids separated by commas", shown(list)),
        )),
        ids if ids.iter().any(|id| id == "all") => {
            Err(GridError::AllAmongOthers { all: ids_of(scenario, &rollable(scenario)) })
        }
        ids => versions_called(scenario, ids),
    }
}

/// The default versions of a study: the target, and the defective ones. Those are the ones that `[tune]` names as
/// defective; without it, all defective versions that can be rolled out and are not what the fleet runs.
#[must_use]
pub fn candidates(scenario: &Scenario) -> Vec<VersionIndex> {
    let target = scenario.rollout.target;
    let defective = match &scenario.tune {
        Some(tune) => tune.defective.clone(),
        None => {
            let is_defective = |index: &VersionIndex| scenario.versions[index.0].defective;
            rollable(scenario).into_iter().filter(is_defective).collect()
        }
    };
    std::iter::once(target).chain(defective.into_iter().filter(|&index| index != target)).collect()
}

/// The versions with these ids, taken literally.
///
/// # Errors
/// When a version does not exist, cannot be rolled out, or is repeated.
pub fn versions_called(scenario: &Scenario, ids: &[Foreign]) -> Result<Vec<VersionIndex>, GridError> {
    each_once("--versions", ids)?;
    ids.iter().map(|id| version_called(scenario, id.raw())).collect()
}

/// The version with this id, taken literally: commas and spaces are part of it.
///
/// # Errors
/// When it does not exist, or cannot be rolled out.
pub fn version_called(scenario: &Scenario, id: &str) -> Result<VersionIndex, GridError> {
    match scenario.versions.iter().position(|version| version.id == id) {
        None => Err(no_version(scenario, format!("there is no version `{}`", shown(id)))),
        Some(found) if !scenario.versions[found].lifecycle_state.can_be_rolled_out() => Err(no_version(
            scenario,
            format!("version `{}` cannot be rolled out: it is neither blessed nor live", shown(id)),
        )),
        Some(found) => Ok(VersionIndex(found)),
    }
}

/// All versions that can be rolled out and are not what the fleet runs.
fn rollable(scenario: &Scenario) -> Vec<VersionIndex> {
    let all = (0..scenario.versions.len()).map(VersionIndex);
    all.filter(|&index| {
        scenario.versions[index.0].lifecycle_state.can_be_rolled_out() && scenario.rollout.previous != Some(index)
    })
    .collect()
}

fn ids_of(scenario: &Scenario, versions: &[VersionIndex]) -> String {
    match versions {
        [] => "none of this scenario's versions".into(),
        some => some.iter().map(|index| scenario.versions[index.0].id.to_string()).collect::<Vec<_>>().join(", "),
    }
}

fn no_version(scenario: &Scenario, said: String) -> GridError {
    GridError::Version { said: said.into(), allowed: ids_of(scenario, &rollable(scenario)) }
}

/// The axes and versions of a sweep.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The varied keys; the first varies slowest.
    pub axes: Vec<Axis>,
    /// The versions to roll out; never empty.
    pub versions: Vec<VersionIndex>,
    /// The named policies: rows after those of the axes.
    pub named: Vec<NamedPolicy>,
}

/// A policy of a grid, in its environment.
#[derive(Clone, Debug)]
pub struct GridPolicy {
    /// The scenario with it.
    pub scenario: Scenario,
    /// Its name, if it has one.
    pub name: Option<Foreign>,
    /// What the grid varies beside the policy, by its path.
    pub environment: Map<String, Value>,
}

impl From<Scenario> for GridPolicy {
    fn from(scenario: Scenario) -> Self {
        Self { scenario, name: None, environment: Map::new() }
    }
}

/// The cells of a grid, each ready to run.
#[derive(Clone, Debug)]
pub struct Cells {
    /// A scenario for each cell.
    pub scenarios: Vec<Scenario>,
    /// A compiled scenario for each cell.
    pub compiled: Vec<CompiledScenario>,
    /// The number of versions: this many consecutive cells have the same policy.
    pub versions: NonZeroUsize,
    /// The name and the environment of each policy.
    labels: Vec<(Option<Foreign>, Map<String, Value>)>,
}

impl Cells {
    /// The cells of these policies, each given as a scenario, with each of the versions.
    ///
    /// # Errors
    /// When a version does not fit, or the engine refuses a request.
    pub fn new(
        policies: impl IntoIterator<Item = impl Into<GridPolicy>>,
        versions: &[VersionIndex],
    ) -> Result<Self, GridError> {
        let (mut scenarios, mut labels) = (Vec::new(), Vec::new());
        for policy in policies {
            let policy: GridPolicy = policy.into();
            for &version in versions {
                let mut scenario = policy.scenario.clone();
                scenario.retarget(version).map_err(Box::new)?;
                scenarios.push(scenario);
            }
            labels.push((policy.name, policy.environment));
        }
        let compiled = scenarios.iter().map(CompiledScenario::new).collect::<Result<_, _>>()?;
        let versions = NonZeroUsize::new(versions.len()).unwrap_or(NonZeroUsize::MIN);
        Ok(Self { scenarios, compiled, versions, labels })
    }

    /// Takes in further policies with the same versions.
    pub fn append(&mut self, further: Self) {
        self.scenarios.extend(further.scenarios);
        self.compiled.extend(further.compiled);
        self.labels.extend(further.labels);
    }

    /// The policy of a cell, with its name and with what the grid varies beside it.
    #[must_use]
    pub fn policy(&self, cell: usize) -> Policy {
        let mut policy = Policy::of(&self.scenarios[cell]);
        if let Some((name, environment)) = self.labels.get(cell / self.versions) {
            policy.policy.clone_from(name);
            policy.beyond.extend(environment.clone());
        }
        policy
    }

    /// The name of a cell's policy, if it has one.
    #[must_use]
    pub fn name(&self, cell: usize) -> Option<&Foreign> {
        self.labels.get(cell / self.versions).and_then(|(name, _)| name.as_ref())
    }

    /// The first scenario with the largest fleet.
    #[must_use]
    pub fn largest_fleet(&self) -> Option<&Scenario> {
        self.scenarios.iter().rev().max_by_key(|scenario| scenario.fleet.instances)
    }

    /// The instances of the largest fleet.
    #[must_use]
    pub fn most_instances(&self) -> u32 {
        self.largest_fleet().map_or(1, |scenario| scenario.fleet.instances)
    }
}

impl Grid {
    /// A grid of axes and versions.
    ///
    /// # Errors
    /// When a key is repeated, or is the target.
    pub fn new(axes: Vec<Axis>, versions: Vec<VersionIndex>) -> Result<Self, GridError> {
        for (place, axis) in axes.iter().enumerate() {
            if axis.key == "target_version_id" {
                return Err(GridError::Target);
            }
            if axes[..place].iter().any(|other| other.key == axis.key) {
                return Err(GridError::KeyTwice(axis.key.clone().into()));
            }
        }
        Ok(Self { axes, versions, named: Vec::new() })
    }

    /// With named policies as further rows.
    #[must_use]
    pub fn with_policies(self, named: &[NamedPolicy]) -> Self {
        Self { named: named.to_vec(), ..self }
    }

    /// The axes that are not of the policy: named policies have a row for each of their values.
    pub fn environment(&self) -> impl DoubleEndedIterator<Item = &Axis> {
        self.axes.iter().filter(|axis| axis.is_of_environment())
    }

    /// The number of policies that the axes alone make.
    #[must_use]
    pub fn unnamed(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// What makes a policy of the grid: its name, and the index of its value on each axis that it is on.
    #[must_use]
    pub fn makes(&self, policy: usize) -> (Option<&NamedPolicy>, Vec<(&Axis, usize)>) {
        match policy.checked_sub(self.unnamed()) {
            None => (None, on_axes(self.axes.iter(), policy)),
            Some(further) => {
                let each = self.environment().map(|axis| axis.values.len()).product::<usize>().max(1);
                (self.named.get(further / each), on_axes(self.environment(), further % each))
            }
        }
    }

    /// Makes the cells for a scenario.
    ///
    /// # Errors
    /// When a value is not valid, the engine refuses a request, or there are too many cells.
    pub fn cells(&self, scenario: &Scenario) -> Result<Cells, GridError> {
        let values = |axis: &Axis| axis.values.len() as u128;
        let named = self.named.len() as u128 * self.environment().map(values).product::<u128>();
        let policies = self.axes.iter().map(values).product::<u128>() + named;
        let cells = policies * self.versions.len() as u128;
        if cells > MAX_CELLS as u128 {
            return Err(GridError::TooLarge { cells });
        }
        let mut all = vec![scenario.clone()];
        for axis in &self.axes {
            all = each_value(all, axis)?;
        }
        self.no_policy_twice(&all)?;
        let mut policies: Vec<GridPolicy> = all.into_iter().map(|scenario| self.labelled(scenario, None)).collect();
        for named in &self.named {
            let mut all = vec![policy_called(scenario, named.name.raw(), &self.named)?];
            for axis in self.environment() {
                all = each_value(all, axis)?;
            }
            policies.extend(all.into_iter().map(|scenario| self.labelled(scenario, Some(named.name.clone()))));
        }
        Cells::new(policies, &self.versions)
    }

    fn labelled(&self, scenario: Scenario, name: Option<Foreign>) -> GridPolicy {
        let environment =
            self.environment().map(|axis| (axis.key.clone(), axis.value_in(&scenario))).collect::<Map<_, _>>();
        GridPolicy { scenario, name, environment }
    }

    /// Rejects values that give the same policy, such as `5` and `5.0`.
    fn no_policy_twice(&self, scenarios: &[Scenario]) -> Result<(), GridError> {
        for axis in &self.axes {
            let mut values: Vec<String> = distinct(axis, scenarios).iter().map(Value::to_string).collect();
            values.sort_unstable();
            values.dedup();
            if values.len() < axis.values.len() {
                return Err(GridError::Twice {
                    key: axis.key.clone().into(),
                    value: "a value, in two ways of writing it,".into(),
                });
            }
        }
        Ok(())
    }

    /// The distinct values of an axis as the cells have them, in the order of the grid.
    #[must_use]
    pub fn axis_values(&self, axis: &Axis, cells: &Cells) -> Vec<Value> {
        let on_axis = self.unnamed() * cells.versions.get();
        distinct(axis, cells.scenarios.get(..on_axis).unwrap_or(&cells.scenarios))
    }
}

/// The index on each of some axes of the policy at a place; the last axis varies fastest.
fn on_axes<'a>(axes: impl DoubleEndedIterator<Item = &'a Axis>, mut place: usize) -> Vec<(&'a Axis, usize)> {
    let one = |axis: &'a Axis| {
        let value = place % axis.values.len().max(1);
        place /= axis.values.len().max(1);
        (axis, value)
    };
    let mut all: Vec<(&Axis, usize)> = axes.rev().map(one).collect();
    all.reverse();
    all
}

/// Each of some scenarios with each value of an axis.
fn each_value(scenarios: Vec<Scenario>, axis: &Axis) -> Result<Vec<Scenario>, GridError> {
    let mut all = Vec::with_capacity(scenarios.len() * axis.values.len());
    for scenario in scenarios {
        for value in &axis.values {
            let mut set = scenario.clone();
            axis.set(&mut set, value)?;
            all.push(set);
        }
    }
    Ok(all)
}

fn distinct(axis: &Axis, scenarios: &[Scenario]) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for scenario in scenarios {
        let value = axis.value_in(scenario);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

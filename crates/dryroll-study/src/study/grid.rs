//! The grid of a sweep: the values of keys of `[rollout]`, and the versions to roll out.
//!
//! A grid and a scenario make [`Cells`]: one scenario and one compiled scenario for each policy × version. Policies are
//! in the order of the axes, the first of which varies slowest; versions vary fastest.

use std::num::NonZeroUsize;

use serde_json::Value;

use super::Policy;
use dryroll_engine::Refusal;
use dryroll_sim::scenario::{Scenario, ScenarioError, VersionIndex};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::text::{Foreign, shown};

/// The largest number of cells of a grid: more than anybody reads, and few enough for memory.
pub const MAX_CELLS: usize = 100_000;
/// The largest number of values in one range.
const MAX_RANGE: u64 = 10_000;

/// A key of `[rollout]` and its values, as they were written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The key, without `rollout.`.
    pub key: String,
    /// The values, without repetition.
    pub values: Vec<String>,
}

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
    /// A range that cannot be enumerated.
    #[error(
        "{key}: `{range}` is not a range; write the smaller whole number first, as in 1..4, and at most {MAX_RANGE} of them"
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
    #[error("`{0}` is not a key of [rollout]; allowed: {keys}", keys = Scenario::rollout_keys().join(", "))]
    Foreign(Foreign),
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

impl Axis {
    /// Parses a list of values, separated by commas. An item `a..b` stands for all whole numbers from a to b, both
    /// included.
    ///
    /// # Errors
    /// When a value is missing or repeated, or a range cannot be enumerated.
    pub fn parse(key: &str, list: &str) -> Result<Self, GridError> {
        let missing = || GridError::Missing { key: key.into(), list: list.into() };
        let mut values: Vec<String> = Vec::new();
        for item in list.split(',').map(str::trim) {
            if item.is_empty() {
                return Err(missing());
            }
            if key != "previous_version_id" && is_dashed(item) {
                return Err(GridError::Dash { key: key.into(), range: item.into() });
            }
            match item.split_once("..") {
                None => values.push(item.to_owned()),
                Some((low, high)) => values.extend(range(key, item, low, high)?),
            }
        }
        each_once(key, &values)?;
        Ok(Self { key: key.into(), values })
    }

    /// Parses `KEY=VALUES`; the key may begin with `rollout.`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when there is no `=` or the key belongs to another table.
    pub fn parse_setting(text: &str) -> Result<Self, GridError> {
        let (key, list) = text.split_once('=').ok_or_else(|| GridError::NoValue(text.into()))?;
        let key = key.trim();
        let bare = key.strip_prefix("rollout.").unwrap_or(key);
        if !Scenario::rollout_keys().contains(&bare) {
            return Err(GridError::Foreign(key.into()));
        }
        Self::parse(bare, list)
    }
}

/// Whether the item has the form `5-20`.
fn is_dashed(item: &str) -> bool {
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    item.split_once('-').is_some_and(|(low, high)| is_whole(low) && is_whole(high))
}

fn range(key: &str, item: &str, low: &str, high: &str) -> Result<impl Iterator<Item = String> + use<>, GridError> {
    let wrong = || GridError::Range { key: key.into(), range: item.into() };
    let low: u64 = low.trim().parse().map_err(|_| wrong())?;
    let high: u64 = high.trim().trim_start_matches('=').parse().map_err(|_| wrong())?;
    if low > high || high - low >= MAX_RANGE {
        return Err(wrong());
    }
    Ok((low..=high).map(|number| number.to_string()))
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
}

impl Cells {
    /// The cells of these policies, each given as a scenario, with each of the versions.
    ///
    /// # Errors
    /// When a version does not fit, or the engine refuses a request.
    pub fn new(policies: Vec<Scenario>, versions: &[VersionIndex]) -> Result<Self, GridError> {
        let mut scenarios = Vec::with_capacity(policies.len() * versions.len());
        for policy in policies {
            for &version in versions {
                let mut scenario = policy.clone();
                scenario.retarget(version).map_err(Box::new)?;
                scenarios.push(scenario);
            }
        }
        let compiled = scenarios.iter().map(CompiledScenario::new).collect::<Result<_, _>>()?;
        let versions = NonZeroUsize::new(versions.len()).unwrap_or(NonZeroUsize::MIN);
        Ok(Self { scenarios, compiled, versions })
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
        Ok(Self { axes, versions })
    }

    /// Makes the cells for a scenario.
    ///
    /// # Errors
    /// When a value is not valid, the engine refuses a request, or there are too many cells.
    pub fn cells(&self, scenario: &Scenario) -> Result<Cells, GridError> {
        let policies = self.axes.iter().map(|axis| axis.values.len() as u128).product::<u128>();
        let cells = policies * self.versions.len() as u128;
        if cells > MAX_CELLS as u128 {
            return Err(GridError::TooLarge { cells });
        }
        let mut scenarios = vec![scenario.clone()];
        for axis in &self.axes {
            let mut next = Vec::with_capacity(scenarios.len() * axis.values.len());
            for one in &scenarios {
                for value in &axis.values {
                    let mut set = one.clone();
                    set.set_rollout(&axis.key, value).map_err(Box::new)?;
                    next.push(set);
                }
            }
            scenarios = next;
        }
        self.no_policy_twice(&scenarios)?;
        Cells::new(scenarios, &self.versions)
    }

    /// Rejects values that give the same policy, such as `5` and `5.0`.
    fn no_policy_twice(&self, scenarios: &[Scenario]) -> Result<(), GridError> {
        for axis in &self.axes {
            let mut values: Vec<String> = self.axis_values(axis, scenarios).iter().map(Value::to_string).collect();
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
    pub fn axis_values(&self, axis: &Axis, scenarios: &[Scenario]) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for scenario in scenarios {
            let value = Policy::of(scenario).get(&axis.key).unwrap_or(Value::Null);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(list: &str) -> Result<Vec<String>, String> {
        Axis::parse("k", list).map(|axis| axis.values).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_and_ranges() {
        assert_eq!(values("5,10, 20").unwrap(), ["5", "10", "20"]);
        assert_eq!(values("1..4").unwrap(), ["1", "2", "3", "4"]);
        assert_eq!(values("1..=2,7,9..9").unwrap(), ["1", "2", "7", "9"]);
        for (list, says) in [
            ("", "missing"),
            ("1,,2", "missing"),
            ("4..1", "not a range"),
            ("1..", "not a range"),
            ("a..b", "not a range"),
            ("1..99999999999", "not a range"),
            ("1..3,2", "2 is in the list twice"),
        ] {
            assert!(values(list).unwrap_err().contains(says), "{list}");
        }
    }
}

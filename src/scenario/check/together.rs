//! Classes and overrides that can hold for one instance at once: all of its rates must fit.

use super::super::model::Blocks;
use super::super::{ClassSpec, Members, OverrideSpec, SomeRates, Target, VersionIndex, VersionSpec};
use super::versions::excess;
use crate::fleet::InstanceId;

/// So many of each scenario's classes and overrides are held against each other: a file of junk must not cost more than a second.
const MOST: usize = 1000;

/// A class or an override that gives rates.
#[derive(Clone, Copy, Debug)]
struct Giver<'a> {
    place: Place,
    who: Who<'a>,
    rates: SomeRates,
    versions: Option<&'a [VersionIndex]>,
}

/// Where a class or an override is in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scenario) enum Place {
    /// A class.
    Class(usize),
    /// An override.
    Override(usize),
}

/// Which instances may be among them.
#[derive(Clone, Copy, Debug)]
enum Who<'a> {
    Any,
    Nobody,
    Ids(&'a [InstanceId]),
    Zone(u32),
}

/// Two that can hold for one instance, and what its rates add up to then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::scenario) struct Excess {
    /// The earlier one.
    pub first: Place,
    /// The later one, which wins.
    pub second: Place,
    /// For which version.
    pub version: VersionIndex,
    /// More than 1.
    pub sum: f64,
}

impl<'a> Who<'a> {
    fn of_class(members: &'a Members) -> Self {
        match members {
            Members::Share(share) => Self::drawn(*share),
            Members::Ids(ids) => Self::Ids(ids),
            Members::Zone(zone) => Self::Zone(*zone),
            Members::Blocks(Blocks { .. }) => Self::Any,
        }
    }

    fn of_target(target: &'a Target) -> Self {
        match target {
            Target::All => Self::Any,
            Target::Ids(ids) => Self::Ids(ids),
            Target::Zone(zone) => Self::Zone(*zone),
            Target::Fraction(share) => Self::drawn(*share),
        }
    }

    fn drawn(share: f64) -> Self {
        if share > 0.0 { Self::Any } else { Self::Nobody }
    }

    fn can_meet(self, other: Self, zones: u32) -> bool {
        match (self, other) {
            (Self::Nobody, _) | (_, Self::Nobody) => false,
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Zone(zone), Self::Zone(other)) => zone == other,
            (Self::Zone(zone), Self::Ids(ids)) | (Self::Ids(ids), Self::Zone(zone)) => {
                ids.iter().any(|id| id.0 % zones.max(1) == zone)
            }
            (Self::Ids(some), Self::Ids(others)) => {
                let (few, many) = if some.len() < others.len() { (some, others) } else { (others, some) };
                few.iter().any(|id| many.binary_search(id).is_ok())
            }
        }
    }
}

/// Every two classes or overrides that can hold for one instance, each of which fits a version alone, and that do not fit it
/// together. Where the later one fixes an outcome, no rate counts.
pub(in crate::scenario) fn excesses(
    classes: &[ClassSpec],
    overrides: &[OverrideSpec],
    versions: &[VersionSpec],
    target: Option<VersionIndex>,
    zones: u32,
) -> Vec<Excess> {
    let of_classes = classes.iter().enumerate().map(|(index, class)| Giver {
        place: Place::Class(index),
        who: Who::of_class(&class.members),
        rates: class.rates,
        versions: class.versions.as_deref(),
    });
    let of_overrides =
        overrides.iter().enumerate().filter(|(_, one)| one.outcome.is_none()).map(|(index, one)| Giver {
            place: Place::Override(index),
            who: Who::of_target(&one.target),
            rates: one.rates,
            versions: one.versions.as_deref(),
        });
    let all: Vec<Giver<'_>> = of_classes.chain(of_overrides).filter(|one| !one.rates.is_empty()).take(MOST).collect();
    let mut found = Vec::new();
    for (index, version) in versions.iter().enumerate() {
        let index = VersionIndex(index);
        let holds = |one: &&Giver<'_>| one.versions.map_or(Some(index) == target, |all| all.contains(&index));
        let fits = |one: &&Giver<'_>| excess(one.rates.over(version.rates)).is_none();
        let all: Vec<&Giver<'_>> = all.iter().filter(holds).filter(fits).collect();
        for (place, second) in all.iter().enumerate() {
            for first in all[..place].iter().filter(|first| !are_overrides(first.place, second.place)) {
                let Some(sum) = excess(second.rates.over(first.rates.over(version.rates))) else { continue };
                if first.who.can_meet(second.who, zones) {
                    found.push(Excess { first: first.place, second: second.place, version: index, sum });
                    // One is told of each.
                    break;
                }
            }
        }
    }
    found
}

/// The rates of two overrides are cut, as `docs/semantics.md` has it: scenarios without classes rely on that.
fn are_overrides(first: Place, second: Place) -> bool {
    matches!((first, second), (Place::Override(_), Place::Override(_)))
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Format, Scenario};

    fn with(more: &str) -> Result<Scenario, String> {
        let text = format!(
            "[fleet]\ninstances = 9\nzones = 3\n[[versions]]\nid = \"v-1\"\n[[versions]]\nid = \"v-2\"\nunhealthy_rate = 0.1\n\
             [rollout]\ntarget_version_id = \"v-2\"\n{more}"
        );
        Scenario::parse("here.toml", text.as_bytes(), Format::Toml).map_err(|error| error.to_string())
    }

    fn class(id: &str, rest: &str) -> String {
        format!("[[classes]]\nid = \"{id}\"\n{rest}\n")
    }

    #[test]
    fn rates_beyond_one_of_two_that_can_hold_for_one_instance_are_refused() {
        for (a, b) in [
            ("share = 1", "share = 1"),
            ("zone = 1", "zone = 1"),
            ("zone = 1", "ids = [\"i-00001\", \"i-00002\"]"),
            ("blocks = {count = 1, size = 2}", "share = 0.1"),
            ("ids = [\"i-00003\", \"i-00004\"]", "ids = [\"i-00004\", \"i-00009\"]"),
        ] {
            let a = format!("{a}\nfailure_rate = 0.8");
            let both = class("a", &a) + &class("b", &format!("{b}\nhang_rate = 0.8"));
            let said = with(&both).expect_err(&both);
            assert!(said.contains("adds up to 1.7") && said.contains("class `a` and in class `b`"), "{said}");
            if !b.contains("blocks") {
                let over = format!("[[overrides]]\n{}\nhang_rate = 0.8\n", b.replace("share", "fraction"));
                let said = with(&(class("a", &a) + &over)).expect_err(&over);
                assert!(said.contains("class `a` and in override 1"), "{said}");
            }
        }
    }

    #[test]
    fn what_cannot_meet_or_fits_together_is_taken() {
        for (a, b) in [
            ("zone = 1\nfailure_rate = 0.8", "zone = 2\nhang_rate = 0.8"),
            ("zone = 1\nfailure_rate = 0.8", "ids = [\"i-00001\", \"i-00003\"]\nhang_rate = 0.8"),
            ("ids = [\"i-00001\"]\nfailure_rate = 0.8", "ids = [\"i-00002\"]\nhang_rate = 0.8"),
            ("share = 0\nfailure_rate = 0.8", "share = 1\nhang_rate = 0.8"),
            ("share = 1\nfailure_rate = 0.8", "share = 1\nfailure_rate = 0.9"),
            ("share = 1\nfailure_rate = 0.4", "share = 1\nhang_rate = 0.5"),
            ("share = 1\nfailure_rate = 0.8\nversions = [\"v-1\"]", "share = 1\nhang_rate = 0.8"),
        ] {
            let both = class("a", a) + &class("b", b);
            assert!(with(&both).is_ok(), "{both}{:?}", with(&both).err());
        }
    }

    #[test]
    fn another_target_is_held_against_them_too() {
        let text =
            class("a", "share = 1\nfailure_rate = 0.5\nhang_rate = 0.0") + &class("b", "share = 1\nhang_rate = 0.4");
        let more = text + "[[versions]]\nid = \"v-3\"\ncrash_rate = 0.2\n";
        let mut scenario = with(&more).unwrap_or_else(|error| panic!("{error}"));
        let said = scenario.set_rollout("target_version_id", "v-3").expect_err("refused").to_string();
        assert!(said.contains("add up to 1.1"), "{said}");
    }
}

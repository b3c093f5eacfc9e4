//! The scenario that has other failure rates, and is the same beside.

use super::{OutcomeRates, Scenario, SomeRates, VersionIndex, VersionSpec};

impl Scenario {
    /// The scenario with all failure rates of its versions, classes and overrides times a factor. They are cut where
    /// they would add up to more than 1: those of a version by the same share, those of a class or an override to the
    /// room that each version leaves which it holds for. Of a rate that is drawn it is the mean that is scaled: its
    /// concentration stays.
    #[must_use]
    pub fn with_rates_times(&self, factor: f64) -> Self {
        let mut scaled = self.clone();
        for version in &mut scaled.versions {
            let rates = &mut version.rates;
            let factor = at_most(factor, rates.sum());
            let OutcomeRates { failure, hang, unhealthy, crash, brick, degrade } = rates;
            for rate in [failure, hang, unhealthy, crash, brick, degrade] {
                *rate *= factor;
            }
        }
        let versions = &scaled.versions;
        let classes = scaled.classes.iter_mut().map(|class| (&class.versions, &mut class.rates));
        let overrides = scaled.overrides.iter_mut().map(|one| (&one.versions, &mut one.rates));
        for (held, rates) in classes.chain(overrides) {
            times(rates, at_most(factor, given(rates)));
            let room = holds_for(held.as_deref(), versions).map(|version| room(rates, version.rates));
            let room = room.fold(1.0, f64::min);
            times(rates, room);
        }
        scaled
    }
}

/// A factor that takes a sum to no more than 1.
fn at_most(factor: f64, sum: f64) -> f64 {
    if sum > 0.0 { factor.min(1.0 / sum) } else { factor }
}

fn given(rates: &SomeRates) -> f64 {
    let SomeRates { failure, hang, unhealthy, crash, brick, degrade } = *rates;
    [failure, hang, unhealthy, crash, brick, degrade].into_iter().flatten().sum()
}

fn times(rates: &mut SomeRates, factor: f64) {
    let SomeRates { failure, hang, unhealthy, crash, brick, degrade } = rates;
    [failure, hang, unhealthy, crash, brick, degrade].into_iter().flatten().for_each(|rate| *rate *= factor);
}

/// The share of the given rates for which the rates of a version that are kept leave room.
fn room(rates: &SomeRates, version: OutcomeRates) -> f64 {
    let (all, given) = (rates.over(version).sum(), given(rates));
    if all > 1.0 { ((1.0 - (all - given)) / given).max(0.0) } else { 1.0 }
}

/// The versions that a class or an override may hold for: any one may become the target.
fn holds_for<'a>(
    listed: Option<&'a [VersionIndex]>,
    versions: &'a [VersionSpec],
) -> impl Iterator<Item = &'a VersionSpec> {
    let holds = move |place: usize| listed.is_none_or(|listed| listed.contains(&VersionIndex(place)));
    versions.iter().enumerate().filter(move |&(place, _)| holds(place)).map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Format;

    fn scenario(tables: &str) -> Scenario {
        let text = format!(
            "[fleet]\ninstances = 50\n[[versions]]\nid = \"v1\"\n[[versions]]\nid = \"v2\"\nfailure_rate = 0.01\n\
             [[versions]]\nid = \"vb\"\nhang_rate = 0.4\ndefective = true\n[rollout]\ntarget_version_id = \"v2\"\n{tables}"
        );
        Scenario::parse("a.toml", text.as_bytes(), Format::Toml).unwrap()
    }

    #[test]
    fn versions_classes_and_overrides_are_scaled() {
        let twice = scenario(
            "[[classes]]\nid = \"old\"\nshare = 0.1\nfailure_rate = 0.05\n\
             [[overrides]]\nids = [\"i-00001\"]\nfailure_rate = 0.1\n",
        )
        .with_rates_times(2.0);
        assert_eq!(twice.versions[1].rates.failure, 0.02);
        assert_eq!(twice.classes[0].rates.failure, Some(0.1));
        assert_eq!(twice.overrides[0].rates.failure, Some(0.2));
    }

    #[test]
    fn what_a_class_adds_is_cut_to_the_room_that_any_target_leaves() {
        let twice = scenario("[[classes]]\nid = \"old\"\nshare = 0.1\nfailure_rate = 0.3\n").with_rates_times(2.0);
        let failure = twice.classes[0].rates.failure.unwrap();
        assert!((failure - 0.2).abs() < 1e-12, "{failure}");
        let mut bad = twice;
        bad.retarget(VersionIndex(2)).unwrap();
    }

    #[test]
    fn a_class_of_listed_versions_is_cut_by_these_alone() {
        let twice = scenario("[[classes]]\nid = \"old\"\nshare = 0.1\nfailure_rate = 0.3\nversions = [\"v2\"]\n")
            .with_rates_times(2.0);
        assert_eq!(twice.classes[0].rates.failure, Some(0.6));
    }
}

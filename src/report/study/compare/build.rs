//! A compare report from a comparison and its results.

use super::{CompareReport, Comparison, Contrast, DifferentWorld};
use crate::report::conditional::Conditional;
use crate::report::replay;
use crate::report::study::{Histogram, ScenarioRef};
use crate::scenario::{Measure, Scenario};
use crate::study::Policy;
use crate::study::compare::{Compare, Compared, Contrasted, PolicyText};
use crate::study::sweep::CONFIDENCE;

impl CompareReport {
    /// The report. `file` is the scenario's path, for the commands that replay its worlds.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        file: &str,
        policies: &[PolicyText; 2],
        compare: &Compare,
        results: &[Compared],
    ) -> Self {
        let comparison = |(version, result): (usize, &Compared)| {
            let [a, _] = compare.cells_of(version);
            let id = &compare.cells.scenarios[a].target().id;
            let command = |policy: &PolicyText, replicate| {
                let settings: Vec<_> = policy.0.iter().map(|axis| (axis, 0)).collect();
                replay::command(file, scenario.seed, id.raw(), &settings, replicate)
            };
            Comparison {
                version: id.clone(),
                defective: compare.cells.worlds[a].defective,
                metrics: result.measures.iter().map(|one| contrast(one, &result.measures)).collect(),
                worlds: result
                    .worlds
                    .iter()
                    .map(|&(metric, replicate, a, b)| DifferentWorld {
                        metric: metric.name().into(),
                        replicate,
                        a,
                        b,
                        commands: [command(&policies[0], replicate), command(&policies[1], replicate)],
                    })
                    .collect(),
                distributions: result.histograms.iter().map(Histogram::new).collect(),
            }
        };
        let [a, b] = compare.cells_of(0);
        let comparisons: Vec<Comparison> = results.iter().enumerate().map(comparison).collect();
        let versions: Vec<&str> = comparisons.iter().map(|one| one.version.raw()).collect();
        Self {
            schema: "dryroll.compare/1".into(),
            scenario: ScenarioRef::of(scenario),
            seed: scenario.seed,
            command: replay::compare(file, scenario.seed, policies, &versions, compare.replicates).into(),
            replicates: compare.replicates,
            confidence: CONFIDENCE,
            policies: [Policy::of(&compare.cells.scenarios[a]), Policy::of(&compare.cells.scenarios[b])],
            comparisons,
        }
    }
}

/// In how many worlds a conditional metric has a value, by the rate that says so.
fn conditional(one: &Contrasted, all: &[Contrasted]) -> Option<Conditional> {
    let Measure::Metric(metric) = one.measure else { return None };
    let when = metric.condition()?;
    let rate = all.iter().find(|other| other.measure == Measure::Rate(when.rate()))?;
    let rates = [rate.paired.a().mean()?, rate.paired.b().mean()?];
    let ci = rate.simultaneous_ci.or(rate.ci);
    Some(Conditional::of_pairs(when, rates, ci, one.paired.n(), rate.paired.n()))
}

fn contrast(one: &Contrasted, all: &[Contrasted]) -> Contrast {
    let paired = &one.paired;
    let conditional = conditional(one, all);
    let wins = one.wins.filter(|_| conditional.as_ref().is_none_or(|conditional| conditional.comparable));
    Contrast {
        metric: one.measure.name().into(),
        a: paired.a().mean(),
        b: paired.b().mean(),
        difference: paired.differences().mean(),
        ci: one.ci,
        simultaneous_ci: one.simultaneous_ci,
        exact: one.exact.map(|[a, b]| b - a),
        exact_a: one.exact.map(|[a, _]| a),
        exact_b: one.exact.map(|[_, b]| b),
        n: paired.n(),
        a_wins: wins.map(|[a, _]| a),
        b_wins: wins.map(|[_, b]| b),
        ties: one.ties,
        variance_saved: paired.variance_saved(),
        conditional,
    }
}

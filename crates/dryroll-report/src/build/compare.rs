//! A compare report from a comparison and its results.

use crate::judge::conditional::Conditional;
use crate::model::compare::{CompareReport, Comparison, Contrast, DifferingReplicate, Stopping};
use crate::model::{Histogram, ScenarioRef};
use crate::words::completed;
use crate::words::replay::{self, Changes};
use dryroll_engine::Outcome;
use dryroll_sim::scenario::{Advice, Advisor, Measure, Rate, Scenario, ScenarioText, ended_at_horizon};
use dryroll_sim::text::Foreign;
use dryroll_study::study::compare::{Compare, Compared, Contrasted, PolicyText};
use dryroll_study::study::completed::{Completed, is_time, of_all};
use dryroll_study::study::sweep::CONFIDENCE;

impl CompareReport {
    /// The report. `text` is the scenario's file, for the commands that replay its replicates and the places of advice;
    /// `named` is the path of the file of policies.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        text: &ScenarioText,
        policies: &[PolicyText; 2],
        named: Option<&str>,
        compare: &Compare,
        results: &[Compared],
    ) -> Self {
        let file = text.path();
        let stopping = stopping(results);
        let comparison = |(version, result): (usize, &Compared)| {
            let [a, _] = compare.cells_of(version);
            let id = &compare.cells.scenarios[a].target().id;
            let command = |policy: &PolicyText, replicate| {
                let changes = Changes {
                    policy: policy.name.as_ref().map(Foreign::raw),
                    policies: named,
                    settings: policy.settings.iter().map(|axis| (axis, 0)).collect(),
                };
                replay::command(file, scenario.seed, id.raw(), &changes, replicate)
            };
            Comparison {
                version: id.clone(),
                defective: compare.cells.compiled[a].defective,
                metrics: result.measures.iter().map(|one| contrast(one, result, stopping)).collect(),
                completed: result.completed.clone(),
                replicates: result
                    .compiled
                    .iter()
                    .map(|&(metric, replicate, a, b)| DifferingReplicate {
                        metric,
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
        let advice = advice(text, policies, compare, &comparisons);
        let versions: Vec<&str> = comparisons.iter().map(|one| one.version.raw()).collect();
        Self {
            schema: "dryroll.compare/1".into(),
            scenario: ScenarioRef::of(scenario),
            seed: scenario.seed,
            command: replay::compare(file, scenario.seed, policies, named, &versions, compare.replicates).into(),
            replicates: compare.replicates,
            confidence: CONFIDENCE,
            policies: [compare.cells.policy(a), compare.cells.policy(b)],
            warnings: warnings(compare, results),
            comparisons,
            advice,
        }
    }
}

fn advice(text: &ScenarioText, policies: &[PolicyText; 2], compare: &Compare, found: &[Comparison]) -> Vec<Advice> {
    let set = policies.iter().flat_map(|policy| policy.settings.iter().map(|axis| axis.key.as_str()));
    let named = policies.iter().any(|policy| policy.name.is_some());
    // Which keys a named policy has, the file alone knows.
    let set = set.chain(Scenario::rollout_keys().into_iter().filter(|_| named));
    let mut advisor = Advisor::of_grid(text, set, &compare.cells.scenarios);
    let measure = Measure::Rate(Rate::Outcome(Outcome::Stalled));
    for comparison in found {
        let Some(stalled) = comparison.metrics.iter().find(|one| one.metric == measure) else { continue };
        let share = stalled.a.unwrap_or(0.0) + stalled.b.unwrap_or(0.0);
        let hits = (share * stalled.n as f64).round() as u64;
        advisor.add(ended_at_horizon(&compare.cells.scenarios[0], &comparison.version, hits, 2 * stalled.n));
    }
    advisor.finish()
}

/// With which policies too few rollouts of some good version complete.
fn stopping(results: &[Compared]) -> Option<Stopping> {
    let stops = |side: usize| {
        let all = results.iter().filter_map(|result| result.completed.as_ref());
        of_all(all.map(|both| both[side].enough)) == Some(false)
    };
    match (stops(0), stops(1)) {
        (true, true) => Some(Stopping::Both),
        (true, false) => Some(Stopping::A),
        (false, true) => Some(Stopping::B),
        (false, false) => None,
    }
}

/// In what such a policy cannot be better: in any figure of a good version, of which a rollout that is stopped has
/// little, and in the time of every version. How far a defective version gets is another question.
fn is_withheld(measure: Measure, is_good: bool) -> bool {
    match measure {
        Measure::Metric(metric) => is_good || is_time(metric),
        Measure::Rate(_) | Measure::Outcome => false,
    }
}

fn warnings(compare: &Compare, results: &[Compared]) -> Vec<String> {
    let of = |(version, result): (usize, &Compared)| {
        let [a, _] = compare.cells_of(version);
        let both = result.completed.clone()?;
        let named: Vec<(String, Completed)> = ["A", "B"].into_iter().map(str::to_owned).zip(both).collect();
        Some(completed::warnings(&compare.cells.scenarios[a].target().id, &named))
    };
    results.iter().enumerate().filter_map(of).flatten().collect()
}

/// In how many replicates a conditional metric has a value, by the rate that says so.
fn conditional(one: &Contrasted, all: &[Contrasted]) -> Option<Conditional> {
    let Measure::Metric(metric) = one.measure else { return None };
    let when = metric.condition()?;
    let rate = all.iter().find(|other| other.measure == Measure::Rate(when.rate()))?;
    let rates = [rate.paired.a().mean()?, rate.paired.b().mean()?];
    let ci = rate.simultaneous_ci.or(rate.ci);
    Some(Conditional::of_pairs(when, rates, ci, one.paired.n(), rate.paired.n()))
}

fn contrast(one: &Contrasted, result: &Compared, stopping: Option<Stopping>) -> Contrast {
    let paired = &one.paired;
    let conditional = conditional(one, &result.measures);
    let stopping = stopping.filter(|_| is_withheld(one.measure, result.completed.is_some()));
    let is_comparable = conditional.as_ref().is_none_or(|conditional| conditional.comparable) && stopping.is_none();
    let wins = one.wins.filter(|_| is_comparable);
    Contrast {
        metric: one.measure,
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
        stopping,
    }
}

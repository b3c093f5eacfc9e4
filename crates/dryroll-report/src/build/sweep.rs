//! A sweep report from a sweep and its results.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::model::ScenarioRef;
use crate::model::sweep::{
    Axis, Cell, ExactValues, Histogram, NotableReplicate, Precision, RareEvent, ReplayedReplicate, SweepReport,
};
use crate::model::timeline::Timeline;
use crate::words::completed::warnings as warnings_of;
use crate::words::replay::{self, Changes};
use crate::words::{Unit, plural};
use dryroll_engine::Outcome;
use dryroll_sim::scenario::{Advice, Advisor, Measure, Rate, Scenario, ScenarioText, ended_at_horizon};
use dryroll_sim::text::Foreign;
use dryroll_stats::proportion::clopper_pearson;
use dryroll_stats::simultaneous;
use dryroll_study::study::completed::{self, Completed};
use dryroll_study::study::exact::exact;
use dryroll_study::study::policy::in_words;
use dryroll_study::study::rare::{FEWEST_HITS, trip_probability};
use dryroll_study::study::sweep::{CONFIDENCE, CellResult, Extent, Sweep};
use dryroll_study::study::{Policy, Summary};

/// The most cells of a sweep that has exact values. One takes some 20 ms at 50 instances, as long as hundreds of
/// rollouts: in larger grids a short sweep would be waiting for them alone.
const MOST_EXACT: usize = 200;
/// The same where each replicate draws rates or places, over which every exact value is a mean.
const MOST_EXACT_SHARED: usize = 20;

impl SweepReport {
    /// The report.
    #[must_use]
    pub fn new(sweep: &Sweep, extent: &Extent, results: &[CellResult], pool: &rayon::ThreadPool) -> Self {
        let scenario = &sweep.scenario;
        let axes = sweep
            .grid
            .axes
            .iter()
            .map(|axis| Axis { key: axis.key.clone(), values: sweep.grid.axis_values(axis, &sweep.cells) });
        let versions = sweep.grid.versions.iter().map(|version| scenario.versions[version.0].id.clone());
        let precision = sweep.order.precision.as_ref().and_then(|goal| {
            Some(Precision {
                metric: Measure::find(&goal.measure)?,
                half_width: goal.half_width,
                relative: goal.relative,
                reached: extent.reached,
                widest: extent.widest,
            })
        });
        let mut cells: Vec<Cell> = pool
            .install(|| results.par_iter().enumerate().map(|(cell, result)| cell_of(sweep, cell, result)).collect());
        let good = cells.iter().filter(|cell| !cell.defective).count() as u64;
        for (cell, (_, certainty)) in cells.iter_mut().zip(&extent.cells) {
            cell.completed = cell.judged(completed::least(scenario), simultaneous::each(certainty.confidence, good));
        }
        Self {
            timelines: timelines(sweep, &cells),
            warnings: warnings(sweep, &cells),
            advice: advice(sweep, &cells),
            schema: "dryroll.sweep/1".into(),
            scenario: ScenarioRef::of(scenario),
            seed: scenario.seed,
            command: replay::sweep(&sweep.order).into(),
            replicates: extent.cells.iter().map(|&(n, _)| n).max().unwrap_or(0),
            confidence: CONFIDENCE,
            precision,
            axes: axes.collect(),
            policies: sweep.grid.named.iter().map(|policy| policy.name.clone()).collect(),
            versions: versions.collect(),
            cells,
        }
    }
}

/// Of each version the worst replicate of its worst cell, run again.
fn timelines(sweep: &Sweep, cells: &[Cell]) -> Vec<ReplayedReplicate> {
    let of_version = |version: &str| {
        let worst = cells.iter().enumerate().filter(|(_, cell)| cell.version == version);
        let worst = worst.filter_map(|(i, cell)| Some((i, cell.worst.first()?)));
        worst.max_by(|(i, a), (j, b)| a.value.total_cmp(&b.value).then(j.cmp(i)))
    };
    let versions = sweep.grid.versions.iter().filter_map(|version| {
        let (cell, compiled) = of_version(sweep.scenario.versions[version.0].id.raw())?;
        let timeline = Timeline::replay(&sweep.cells.scenarios[cell], &sweep.cells.compiled[cell], compiled.replicate);
        Some(ReplayedReplicate { cell, replicate: compiled.replicate, timeline })
    });
    versions.collect()
}

fn cell_of(sweep: &Sweep, cell: usize, result: &CellResult) -> Cell {
    let (metric, worst) = &result.worst;
    Cell {
        policy: sweep.cells.policy(cell),
        version: sweep.cells.scenarios[cell].target().id.clone(),
        defective: sweep.cells.compiled[cell].defective,
        replicates: result.replicates,
        metrics: result.summaries.clone(),
        exact: exact_values(
            &sweep.cells.scenarios[cell],
            sweep.cells.compiled[cell].shares(),
            sweep.cells.compiled.len(),
        ),
        rare: rare_event(sweep, cell, result),
        distributions: result.histograms.iter().map(Histogram::new).collect(),
        completed: None,
        worst: worst
            .iter()
            .map(|&(replicate, value)| NotableReplicate {
                replicate,
                metric: *metric,
                value,
                command: replay_command(sweep, cell, replicate).into(),
            })
            .collect(),
    }
}

/// The command that replays a replicate of a cell.
fn replay_command(sweep: &Sweep, cell: usize, replicate: u64) -> String {
    let (named, settings) = sweep.grid.makes(cell / sweep.cells.versions);
    let changes = Changes {
        policy: named.map(|policy| policy.name.raw()),
        policies: sweep.order.policies.as_ref().map(ScenarioText::path),
        settings,
    };
    let version = &sweep.cells.scenarios[cell].target().id;
    replay::command(sweep.order.scenario.path(), sweep.order.seed, version.raw(), &changes, replicate)
}

/// The chance of a trip where hardly any was met, if it was asked for.
fn rare_event(sweep: &Sweep, cell: usize, result: &CellResult) -> Option<RareEvent> {
    let replicates = sweep.order.rare?;
    let plain = result.summaries.share(Rate::Trip);
    if plain.is_some_and(|share| share.hits >= FEWEST_HITS) {
        return None;
    }
    // One-sided, each at 97.5 %: both hold with 95 %.
    let simulated = plain.and_then(|share| share.claim);
    Some(match trip_probability(&sweep.cells.scenarios[cell], replicates) {
        Ok(found) => {
            let estimate = (found.hits >= FEWEST_HITS).then_some(found.estimate);
            // Trips that nothing steers towards may have been missed: no interval then.
            let ci = found.interval.filter(|_| found.steers_all);
            let says = match (estimate, ci, found.relative_error) {
                (Some(_), Some(_), Some(error)) => {
                    format!("P(trip) within {} (one standard error)", Unit::Share.say(error))
                }
                (Some(_), ..) => {
                    "trips that come about by late or lost heartbeats may be missing from the estimate; the \
                                  upper bound holds"
                        .to_owned()
                }
                (None, ..) => "fewer than 3 hits: an upper bound".to_owned(),
            };
            RareEvent {
                estimate,
                relative_error: found.relative_error.filter(|_| ci.is_some()),
                ci,
                hits: found.hits,
                n: found.n,
                upper_bound: Some(simulated.map_or(found.upper_bound, |claim| claim.high.min(found.upper_bound))),
                says,
            }
        }
        Err(error) => RareEvent {
            estimate: None,
            relative_error: None,
            ci: None,
            hits: 0,
            n: 0,
            upper_bound: None,
            says: format!("not estimated: {error}"),
        },
    })
}

/// The exact values of a cell, in a sweep of this many cells.
fn exact_values(scenario: &Scenario, shares: bool, cells: usize) -> ExactValues {
    let most = if shares { MOST_EXACT_SHARED } else { MOST_EXACT };
    if cells > most {
        let why = format!(
            "exact values are reckoned in sweeps of at most {most} cells, since they would take longer than the \
             simulation, and this one has {cells}; sweep fewer at once to have them"
        );
        return ExactValues { out_of_scope: Some(why), ..ExactValues::default() };
    }
    match exact(scenario) {
        Ok(exact) => ExactValues {
            values: exact.values,
            why_not: exact.why_not.into_iter().map(|unknown| (unknown.metric, unknown.why)).collect(),
            out_of_scope: None,
        },
        Err(out) => ExactValues { out_of_scope: Some(out.why), ..ExactValues::default() },
    }
}

/// Exact values that the simulated ones contradict: a defect in one of the two.
fn contradictions(cell: &Cell) -> impl Iterator<Item = (&str, f64, f64)> {
    /// Far beyond what chance does in any sweep.
    const SURE: f64 = 1.0 - 1e-9;
    const DEVIATIONS: f64 = 6.5;
    /// Below, a mean of skewed values is not normal enough to tell.
    const ENOUGH: u64 = 200;
    cell.exact.values.iter().filter_map(|(name, &exact)| {
        let summary = cell.metrics.get(Measure::find(name)?)?;
        let simulated = summary.centre()?;
        let contradicted = match summary {
            Summary::Share(share) => !clopper_pearson(share.hits, share.n, SURE)?.contains(exact),
            Summary::Figure(figure) => {
                let error = figure.ci?.half_width() / 1.96;
                let rounding = 1e-9 * exact.abs().max(1.0);
                figure.n >= ENOUGH && error > 0.0 && (simulated - exact).abs() > DEVIATIONS * error + rounding
            }
        };
        contradicted.then_some((name.as_str(), exact, simulated))
    })
}

/// Of each version: in how many of its cells nothing is rolled out, and why.
fn nothing_rolled_out(sweep: &Sweep) -> impl Iterator<Item = String> {
    let mut counts: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    for (cell, compiled) in sweep.cells.compiled.iter().enumerate() {
        if let Some(why) = compiled.rolls_nothing_out() {
            *counts.entry((cell % sweep.cells.versions, why)).or_default() += 1;
        }
    }
    let policies = sweep.cells.compiled.len() / sweep.cells.versions;
    counts.into_iter().map(move |((version, why), count)| {
        let id = &sweep.cells.scenarios[version].target().id;
        let cells = plural(policies as u64, "cell", "cells");
        format!("nothing of {id} is rolled out in {count} of its {cells}: {why}")
    })
}

fn advice(sweep: &Sweep, cells: &[Cell]) -> Vec<Advice> {
    let set = sweep.grid.axes.iter().map(|axis| axis.key.as_str());
    // Which keys a named policy has, the file alone knows.
    let set = set.chain(Scenario::rollout_keys().into_iter().filter(|_| !sweep.grid.named.is_empty()));
    let mut advisor = Advisor::of_grid(&sweep.order.scenario, set, &sweep.cells.scenarios);
    let mut stalled: BTreeMap<&Foreign, (u64, u64)> = BTreeMap::new();
    for cell in cells {
        if let Some(share) = cell.metrics.share(Rate::Outcome(Outcome::Stalled)) {
            let (hits, n) = stalled.entry(&cell.version).or_default();
            (*hits, *n) = (*hits + share.hits, *n + share.n);
        }
    }
    for (version, (hits, n)) in stalled {
        advisor.add(ended_at_horizon(&sweep.scenario, version, hits, n));
    }
    advisor.finish()
}

/// Of each good version: the policies with which too few of its rollouts complete, or with which that is undecided.
fn given_up(sweep: &Sweep, cells: &[Cell]) -> impl Iterator<Item = String> {
    let axes: Vec<&str> = sweep.grid.axes.iter().map(|axis| axis.key.as_str()).collect();
    let mut said = Vec::new();
    for version in 0..sweep.cells.versions.get() {
        // Where nothing is rolled out nothing is stopped: that is said elsewhere.
        let rolls_out = sweep.cells.compiled.iter().map(|compiled| compiled.rolls_nothing_out().is_none());
        let of_it = cells.iter().zip(rolls_out).skip(version).step_by(sweep.cells.versions.get());
        let of_it = of_it.filter(|(_, rolls_out)| *rolls_out).map(|(cell, _)| cell);
        let judged: Vec<(String, Completed)> =
            of_it.filter_map(|cell| Some((settings(&cell.policy, &axes), cell.completed.clone()?))).collect();
        said.extend(warnings_of(&sweep.cells.scenarios[version].target().id, &judged));
    }
    said.into_iter()
}

/// A policy by the keys that are varied.
fn settings(policy: &Policy, keys: &[&str]) -> String {
    let one = |key: &&str| {
        let key = key.strip_prefix("rollout.").unwrap_or(key);
        // A name stands for the keys of a policy.
        let is_shown = policy.policy.is_none() || key.contains('.');
        let value = policy.get(key).filter(|_| is_shown)?;
        let value = if value.is_null() { value.to_string() } else { in_words(&value) };
        Some(format!("{key} {value}"))
    };
    let name = policy.policy.iter().map(|name| format!("policy {name}"));
    name.chain(keys.iter().filter_map(one)).collect::<Vec<_>>().join(", ")
}

fn warnings(sweep: &Sweep, cells: &[Cell]) -> Vec<String> {
    let kind = |fault: usize| sweep.scenario.faults[fault].kind.name();
    let idle = sweep.idle_faults().into_iter();
    let idle = idle.map(|fault| format!("fault {fault}, {}, touched no instance in any replicate", kind(fault)));
    let contradicted = cells.iter().enumerate().flat_map(|(place, cell)| {
        contradictions(cell).map(move |(name, exact, simulated)| {
            format!("cell {place}: exact theory gives {name} = {exact}, the simulation {simulated}: please report this")
        })
    });
    nothing_rolled_out(sweep).chain(given_up(sweep, cells)).chain(idle).chain(contradicted).collect()
}

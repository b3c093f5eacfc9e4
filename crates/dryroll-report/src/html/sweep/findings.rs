//! What a sweep found, in sentences.

use crate::html::policies::Policies;
use crate::html::sweep::{PolicyCells, estimate};
use crate::model::{Cell, Estimate, SweepReport};
use crate::words::completed::named_with;
use crate::words::{Unit, plural};
use dryroll_sim::text::Foreign;

/// The main findings.
pub fn findings(report: &SweepReport, all: &[PolicyCells<'_>]) -> Vec<String> {
    let mut said = vec![studied(report, all)];
    for version in &report.versions {
        let cells: Vec<&Cell> = report.cells.iter().filter(|cell| cell.version == *version).collect();
        match cells.first() {
            Some(first) if first.defective => {
                // What stops the good rollouts too is not what holds a bad version best.
                let gives_up = |cell: &&Cell| {
                    all.iter().any(|policy| {
                        policy.completes() == Some(false) && policy.cells.iter().any(|own| std::ptr::eq(*own, *cell))
                    })
                };
                let kept: Vec<&Cell> = cells.iter().copied().filter(|cell| !gives_up(cell)).collect();
                said.extend(of_defective(report, version, &cells, if kept.is_empty() { &cells } else { &kept }));
            }
            Some(_) => said.extend(of_good(report, version, &cells)),
            None => {}
        }
    }
    let out = all.iter().filter(|policy| policy.completes() == Some(false));
    let named: Vec<String> = out
        .filter_map(|policy| {
            let name = Policies::of_axes(&report.axes).long(&policy.cells.first()?.policy);
            Some(named_with(&name, &policy.stops()?))
        })
        .collect();
    if let Some(first) = named.first() {
        said.push(format!(
            "{} not on the front, since too few good rollouts complete. The first: {first}.",
            plural(named.len() as u64, "policy is", "policies are")
        ));
    }
    said
}

fn studied(report: &SweepReport, all: &[PolicyCells<'_>]) -> String {
    let defective = |version: &&Foreign| report.cells.iter().any(|cell| cell.version == **version && cell.defective);
    let (bad, good): (Vec<&Foreign>, Vec<&Foreign>) = report.versions.iter().partition(defective);
    let list = |versions: &[&Foreign]| versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut versions = Vec::new();
    if !good.is_empty() {
        versions.push(format!("{} (good)", list(&good)));
    }
    if !bad.is_empty() {
        versions.push(format!("{} (defective)", list(&bad)));
    }
    let axes: Vec<String> = report
        .axes
        .iter()
        .map(|axis| format!("{} values of {}", axis.values.len(), crate::html::policies::name(&axis.key)))
        .collect();
    format!(
        "{}{} with {}, each in {}. In brackets: {} intervals.",
        plural(all.len() as u64, "policy", "policies"),
        if axes.is_empty() { String::new() } else { format!(" ({})", axes.join(" × ")) },
        versions.join(" and "),
        report.replicates_say("simulated replicate", "simulated replicates"),
        Unit::Share.say(report.confidence)
    )
}

/// The cells with the least and the most of a metric.
fn extremes<'a>(cells: &[&'a Cell], metric: &str) -> Option<[(&'a Cell, Estimate, f64); 2]> {
    let known = || {
        cells.iter().filter_map(|cell| {
            let found = estimate(&cell.metrics, metric);
            let value = found.value?;
            Some((*cell, found, value))
        })
    };
    let least = known().min_by(|a, b| a.2.total_cmp(&b.2))?;
    let most = known().max_by(|a, b| a.2.total_cmp(&b.2))?;
    Some([least, most])
}

fn with_interval(unit: Unit, value: f64, found: &Estimate) -> String {
    match found.ci {
        Some(ci) if ci.low < ci.high => format!("{} ({})", unit.say(value), unit.say_interval(found.ci)),
        _ => unit.say(value),
    }
}

fn of_good(report: &SweepReport, version: &Foreign, cells: &[&Cell]) -> Vec<String> {
    let names = Policies::of_axes(&report.axes);
    let mut said = Vec::new();
    let is_in = |cell: &&&Cell| cell.good_rollouts().is_none_or(|completed| completed.enough != Some(false));
    let kept: Vec<&Cell> = cells.iter().filter(is_in).copied().collect();
    if kept.is_empty() {
        said.push(format!(
            "With {version}, too few rollouts complete with every policy, so the report names no fastest one."
        ));
    }
    if let Some([fastest, slowest]) = extremes(&kept, "duration_sec") {
        said.push(if fastest.2 < slowest.2 {
            format!(
                "With {version}, the fastest policy is {}: {} on average. The slowest, {}, takes {}.",
                names.long(&fastest.0.policy),
                with_interval(Unit::Seconds, fastest.2, &fastest.1),
                names.long(&slowest.0.policy),
                with_interval(Unit::Seconds, slowest.2, &slowest.1)
            )
        } else {
            format!("With {version}, a rollout takes {} on average.", Unit::Seconds.say(fastest.2))
        });
    }
    let never = cells.iter().filter(|cell| estimate(&cell.metrics, "trip_rate").value == Some(0.0)).count() as u64;
    if let Some([least, most]) = extremes(cells, "trip_rate") {
        let seldom = if never > 0 {
            format!("It never trips with {never} of {}", plural(cells.len() as u64, "policy", "policies"))
        } else {
            format!(
                "It trips least often with {}: {}",
                names.long(&least.0.policy),
                with_interval(Unit::Share, least.2, &least.1)
            )
        };
        said.push(if most.2 > 0.0 {
            format!(
                "False trips are most frequent with {}: {} of the rollouts of {version} trip. {}.",
                names.long(&most.0.policy),
                with_interval(Unit::Share, most.2, &most.1),
                seldom
            )
        } else {
            format!("No rollout of {version} trips the breaker.")
        });
    }
    said
}

/// `kept` are the cells of the policies that may be taken: the least is looked for among these.
fn of_defective(report: &SweepReport, version: &Foreign, cells: &[&Cell], kept: &[&Cell]) -> Vec<String> {
    let names = Policies::of_axes(&report.axes);
    let mut said = Vec::new();
    for (metric, verb) in [("blast_radius_pct", "reaches"), ("harmed_pct", "harms")] {
        let (Some([least, _]), Some([_, most])) = (extremes(kept, metric), extremes(cells, metric)) else { continue };
        said.push(if least.2 < most.2 {
            format!(
                "{version} {verb} the most instances with {}: {} of the fleet on average. It {verb} the fewest with \
                 {}: {}.",
                names.long(&most.0.policy),
                with_interval(Unit::Percent, most.2, &most.1),
                names.long(&least.0.policy),
                with_interval(Unit::Percent, least.2, &least.1)
            )
        } else {
            format!("{version} {verb} {} of the fleet on average.", Unit::Percent.say(most.2))
        });
    }
    if let Some([_, most]) = extremes(cells, "escape_rate")
        && most.2 > 0.0
    {
        said.push(format!(
            "It escapes most often with {}: {} of its rollouts complete without a trip.",
            names.long(&most.0.policy),
            with_interval(Unit::Share, most.2, &most.1)
        ));
    }
    said
}

//! A comparison on the terminal: what differs, by how much, and where to see it.

use std::io::{self, Write};

use anstyle::Style;
use serde_json::Value;

use crate::judge::better::Better;
use crate::model::{CompareReport, Comparison, Contrast};
use crate::terminal::advice::advice_table;
use crate::terminal::table::{Table, write_labelled, write_text};
use crate::words::{NOTHING, Unit, number, plural};
use dryroll_study::study::Policy;
use dryroll_study::study::policy::in_words;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes a comparison.
///
/// # Errors
/// When writing fails.
pub fn compare_table(out: &mut impl Write, report: &CompareReport) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", report.scenario.name)?;
    let replicates = plural(report.replicates, "replicate", "replicates");
    writeln!(out, "{replicates}, the same for both policies · seed {} · 95 % intervals", report.seed)?;
    let [a, b] = &report.policies;
    for (letter, policy, other) in [("A", a, b), ("B", b, a)] {
        writeln!(out, "  {BOLD}{letter}{BOLD:#}  {}", what_differs(policy, other))?;
    }
    for warning in &report.warnings {
        write_labelled(out, (BOLD, "warning:"), 0, warning)?;
    }
    for comparison in &report.comparisons {
        version(out, comparison)?;
    }
    advice_table(out, &report.advice)
}

/// The keys of a policy that differ from another's.
fn what_differs(policy: &Policy, other: &Policy) -> String {
    let said = Policy::differing([policy, other]).into_iter().map(|key| match policy.get(&key).unwrap_or_default() {
        Value::Null => format!("{key} = {NOTHING}"),
        value => format!("{key} = {}", in_words(&value)),
    });
    let name = policy.policy.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    name + &said.collect::<Vec<_>>().join(", ")
}

fn version(out: &mut impl Write, comparison: &Comparison) -> io::Result<()> {
    let truth = if comparison.defective { "defective" } else { "good" };
    writeln!(out, "\n{BOLD}{}{BOLD:#} ({truth})", comparison.version)?;
    let varies = |one: &&Contrast| one.ties < one.n || Better::of(one, comparison.defective) != Better::Same;
    let (different, same): (Vec<&Contrast>, Vec<&Contrast>) =
        comparison.metrics.iter().filter(|one| one.n > 0).partition(varies);
    let header = ["", "A", "B", "B − A", "", "better in", "", "pairing saves", ""];
    let mut table = Table::new(&header, 1);
    for one in different {
        table.push(row(one, comparison.defective));
    }
    table.write(out)?;
    for one in &comparison.metrics {
        if let Some(conditional) = one.conditional.as_ref().filter(|_| one.n > 0) {
            write_text(out, DIM, [2, 2], &format!("{}: {}", one.metric, conditional.says))?;
        }
    }
    if comparison.metrics.iter().any(|one| one.exact.is_some()) {
        let note = "= exact, by theory, and decides the verdict; “better in” counts replicates";
        write_text(out, DIM, [2, 2], note)?;
    }
    let by_interval = |one: &Contrast| one.exact.is_none() && one.simultaneous_ci.is_some() && one.ties < one.n;
    if comparison.metrics.iter().any(by_interval) {
        let note = "each interval here holds for its metric alone; the verdict uses the wider one that holds for all \
                    metrics at once";
        write_text(out, DIM, [2, 2], note)?;
    }
    if !same.is_empty() {
        let names: Vec<&str> = same.iter().map(|one| one.metric.name()).collect();
        write_text(out, DIM, [2, 2], &format!("the same in every replicate: {}", names.join(", ")))?;
    }
    for replicate in comparison.replicates.iter().take(1) {
        let unit = Unit::of_metric(replicate.metric);
        let (a, b) = (unit.say(replicate.a), unit.say(replicate.b));
        writeln!(
            out,
            "  They differ most in replicate {}: {} is {a} with A and {b} with B",
            replicate.replicate,
            replicate.metric.name()
        )?;
        for command in &replicate.commands {
            writeln!(out, "    {command}")?;
        }
    }
    Ok(())
}

fn row(one: &Contrast, defective: bool) -> Vec<String> {
    let unit = Unit::of_measure(one.metric);
    let wins = match (one.a_wins, one.b_wins) {
        (Some(0), Some(0)) | (None, _) | (_, None) => ["".to_owned(), "".to_owned()],
        (Some(a), Some(b)) => [format!("A {}", number(a as f64)), format!("B {}", number(b as f64))],
    };
    let [a_wins, b_wins] = wins;
    let mean = |exact: Option<f64>, seen: Option<f64>| match exact {
        Some(exact) => format!("= {}", unit.say(exact)),
        None => unit.say_or_nothing(seen),
    };
    vec![
        one.metric.to_string(),
        mean(one.exact_a, one.a),
        mean(one.exact_b, one.b),
        one.exact.or(one.difference).map_or_else(|| NOTHING.to_owned(), |difference| unit.say_difference(difference)),
        if one.exact.is_some() { "exact".to_owned() } else { unit.say_difference_interval(one.ci) },
        a_wins,
        b_wins,
        one.variance_saved.map_or_else(|| NOTHING.to_owned(), |saved| Unit::Share.say(saved)),
        Better::of(one, defective).word().to_owned(),
    ]
}

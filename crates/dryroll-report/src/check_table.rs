//! A check told to people: each scenario with its rules, then what failed and how to see it, then the baseline.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::advice_table::advice_table;
use super::baseline_table::baseline_table;
use super::study::{CheckReport, CheckedScenario, Status};
use super::table::Table;
use super::wording::plural;
use dryroll_sim::text::{listed, one_line};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));

/// The sign of what became of a rule.
#[must_use]
pub fn sign(status: Status) -> &'static str {
    match status {
        Status::Passed => "●",
        Status::Failed => "✗",
        Status::Undecided => "?",
        Status::Skipped => "·",
    }
}

/// Tells a check.
///
/// # Errors
/// When writing fails.
pub fn check_table(out: &mut impl Write, report: &CheckReport) -> io::Result<()> {
    for (place, scenario) in report.scenarios.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        tell_scenario(out, scenario)?;
    }
    if !report.advice.is_empty() {
        writeln!(out)?;
    }
    advice_table(out, &report.advice)?;
    if !report.not_scenarios.is_empty() {
        let files =
            plural(report.not_scenarios.len() as u64, "file that is no scenario", "files that are no scenarios");
        writeln!(out, "\n{DIM}not checked: {files}: {}{DIM:#}", listed(&report.not_scenarios))?;
    }
    // A baseline tells of them.
    if !report.without_rules.is_empty() && report.baseline.is_none() {
        let files = plural(report.without_rules.len() as u64, "file without", "files without");
        writeln!(out, "\n{DIM}not checked: {files} [[expect]]{DIM:#}")?;
    }
    if !report.scenarios.is_empty() {
        let style = if rules_passed(report) { GOOD } else { BAD };
        writeln!(out, "\n{style}{}{style:#}", of_rules(report))?;
    }
    let Some(baseline) = &report.baseline else { return Ok(()) };
    if !report.scenarios.is_empty() {
        writeln!(out)?;
    }
    baseline_table(out, baseline)
}

fn tell_scenario(out: &mut impl Write, scenario: &CheckedScenario) -> io::Result<()> {
    let style = if scenario.passed { GOOD } else { BAD };
    let mark = if scenario.passed { "●" } else { "✗" };
    let (file, name) = (scenario.file.to_string(), scenario.scenario.name.to_string());
    writeln!(out, "{style}{mark}{style:#} {BOLD}{file}{BOLD:#}  {DIM}{name}{DIM:#}")?;
    let mut table = Table::new(&["", "rule", "", "version", "observed", "limit", "interval", "worlds"], 4);
    for rule in &scenario.rules {
        table.push(vec![
            format!("{} {}", sign(rule.status), rule.status.name()),
            rule.about.clone(),
            rule.replicates.clone(),
            rule.version.to_string(),
            rule.observed_says.clone(),
            rule.limit.clone(),
            rule.interval_says.clone(),
            rule.n.to_string(),
        ]);
    }
    table.write(out)?;
    for rule in scenario.rules.iter().filter(|rule| rule.status != Status::Passed) {
        let why = rule.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let says = one_line(&format!("{}{why}", rule.says));
        writeln!(out, "  {BAD}{}{BAD:#} line {}, {says}", rule.status.name(), rule.line)?;
        if let Some(replay) = &rule.replay {
            writeln!(out, "    {}", replay)?;
        }
    }
    for fault in &scenario.idle_faults {
        writeln!(out, "  {BAD}failed{BAD:#} {}", fault.says())?;
        if let Some(replay) = &fault.replay {
            writeln!(out, "    {}", replay)?;
        }
    }
    for warning in &scenario.warnings {
        writeln!(out, "  {BOLD}warning:{BOLD:#} {}", one_line(warning))?;
    }
    Ok(())
}

/// All of it in a line, and the baseline in another part of it.
#[must_use]
pub fn verdict(report: &CheckReport) -> String {
    let rules = (!report.scenarios.is_empty() || report.baseline.is_none()).then(|| of_rules(report));
    let baseline = report.baseline.as_ref().map(|baseline| baseline.verdict());
    rules.into_iter().chain(baseline).collect::<Vec<_>>().join("; ")
}

/// Whether all passed, a baseline apart.
fn rules_passed(report: &CheckReport) -> bool {
    let advice = report.strict && !report.advice.is_empty();
    !advice && report.wrong.is_empty() && report.scenarios.iter().all(|scenario| scenario.passed)
}

fn of_rules(report: &CheckReport) -> String {
    let counts = report.counts;
    let idle: usize = report.scenarios.iter().map(|scenario| scenario.idle_faults.len()).sum();
    let mut parts = vec![format!("{} passed", counts.passed)];
    for (count, what) in [(counts.failed, "failed"), (counts.undecided, "undecided"), (counts.skipped, "skipped")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if idle > 0 {
        parts.push(plural(idle as u64, "fault touched nothing", "faults touched nothing"));
    }
    if report.strict && !report.advice.is_empty() {
        parts.push(plural(report.advice.len() as u64, "piece of advice", "pieces of advice"));
    }
    if !report.wrong.is_empty() {
        parts.push(plural(report.wrong.len() as u64, "scenario is wrong", "scenarios are wrong"));
    }
    let rules = counts.passed + counts.failed + counts.undecided + counts.skipped;
    let state = if rules_passed(report) { "passed" } else { "failed" };
    format!(
        "{state}: {} of {}: {} ({})",
        plural(rules, "rule", "rules"),
        plural(report.scenarios.len() as u64, "scenario", "scenarios"),
        parts.join(", "),
        plural(report.rollouts, "rollout", "rollouts")
    )
}

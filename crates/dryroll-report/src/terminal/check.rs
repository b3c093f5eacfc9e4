//! A check on the terminal: each scenario with its rules, then what failed and how to see it, then the baseline.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::model::{CheckReport, CheckedScenario, Status};
use crate::terminal::advice::advice_table;
use crate::terminal::baseline::baseline_table;
use crate::terminal::table::Table;
use crate::words::check::{of_rules, rules_passed, sign};
use crate::words::plural;
use dryroll_sim::text::{listed, one_line};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));

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
            plural(report.not_scenarios.len() as u64, "file that is not a scenario", "files that are not scenarios");
        writeln!(out, "\n{DIM}not checked: {files}: {}{DIM:#}", listed(&report.not_scenarios))?;
    }
    // The baseline lists them.
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
    let mut table = Table::new(&["", "rule", "", "version", "observed", "limit", "interval", "replicates"], 4);
    for rule in &scenario.rules {
        table.push(vec![
            format!("{} {}", sign(rule.status), rule.status.name()),
            rule.about.clone(),
            rule.replicates.clone(),
            rule.rolled_out(),
            rule.observed_says.clone(),
            rule.limit.clone(),
            rule.interval_says.clone(),
            rule.n.to_string(),
        ]);
    }
    table.write(out)?;
    for rule in scenario.rules.iter().filter(|rule| rule.status != Status::Passed) {
        let why = rule.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let with = rule.policy.as_ref().map(|policy| format!(" with {policy}")).unwrap_or_default();
        let says = one_line(&format!("{}{with}{why}", rule.says));
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

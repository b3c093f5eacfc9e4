//! Scenarios against a baseline, told to people: what got better and worse, and what to do about it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::model::{BaselineReport, BaselineScenario};
use crate::terminal::table::Table;
use crate::words::baseline::{COLUMNS, LISTED, conditions, others, policy_change};
use dryroll_sim::text::one_line;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));

/// Tells it.
///
/// # Errors
/// When writing fails.
pub fn baseline_table(out: &mut impl Write, report: &BaselineReport) -> io::Result<()> {
    writeln!(out, "{BOLD}against {}{BOLD:#}", report.file)?;
    for scenario in &report.scenarios {
        tell(out, scenario)?;
    }
    for other in &report.not_checked {
        let why = if other.gone { "in the baseline, and no file any more: take its lines out" } else { "not checked" };
        writeln!(out, "{DIM}· {}  {why}{DIM:#}", other.scenario)?;
    }
    let style = if report.passed { GOOD } else { BAD };
    writeln!(out, "\n{style}{}{style:#}", report.verdict())
}

fn tell(out: &mut impl Write, scenario: &BaselineScenario) -> io::Result<()> {
    let (style, mark) = if scenario.passed { (GOOD, "●") } else { (BAD, "✗") };
    let file = scenario.file.to_string();
    writeln!(out, "{style}{mark}{style:#} {BOLD}{file}{BOLD:#}  {DIM}{}{DIM:#}", scenario.in_a_line())?;
    let change = policy_change(scenario);
    if !change.is_empty() {
        writeln!(out, "  [rollout] {change}")?;
    }
    let mut table = Table::new(&COLUMNS, 4);
    let mut rows = 0;
    for fact in LISTED.into_iter().flat_map(|verdict| scenario.of(verdict)) {
        table.push(fact.cells().to_vec());
        rows += 1;
    }
    if rows > 0 {
        table.write(out)?;
    }
    for condition in conditions(scenario) {
        writeln!(out, "  {DIM}{}{DIM:#}", one_line(&condition))?;
    }
    let others = others(scenario);
    if !others.is_empty() {
        writeln!(out, "  {DIM}{others}{DIM:#}")?;
    }
    for note in &scenario.notes {
        writeln!(out, "  {BOLD}note:{BOLD:#} {}", one_line(note))?;
    }
    if let Some(replay) = scenario.replay.as_ref().filter(|_| rows > 0) {
        writeln!(out, "    {}", replay)?;
    }
    Ok(())
}

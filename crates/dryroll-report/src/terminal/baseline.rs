//! Scenarios against a baseline on the terminal: what got better and worse, and what to do about it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::model::{BaselineReport, BaselineScenario};
use crate::terminal::table::{Table, write_labelled, write_text};
use crate::words::baseline::{COLUMNS, LISTED, conditions, others, policy_change};
use dryroll_sim::text::one_line;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));

/// Writes it.
///
/// # Errors
/// When writing fails.
pub fn baseline_table(out: &mut impl Write, report: &BaselineReport) -> io::Result<()> {
    writeln!(out, "{BOLD}against {}{BOLD:#}", report.file)?;
    for scenario in &report.scenarios {
        write_scenario(out, scenario)?;
    }
    for other in &report.not_checked {
        let why =
            if other.gone { "in the baseline, but its file does not exist: remove its lines" } else { "not checked" };
        writeln!(out, "{DIM}· {}  {why}{DIM:#}", other.scenario)?;
    }
    let style = if report.passed { GOOD } else { BAD };
    writeln!(out, "\n{style}{}{style:#}", report.verdict())
}

fn write_scenario(out: &mut impl Write, scenario: &BaselineScenario) -> io::Result<()> {
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
        write_text(out, DIM, [2, 2], &one_line(&condition))?;
    }
    let others = others(scenario);
    if !others.is_empty() {
        write_text(out, DIM, [2, 2], &others)?;
    }
    for note in &scenario.notes {
        write_labelled(out, (BOLD, "note:"), 2, &one_line(note))?;
    }
    if let Some(replay) = scenario.replay.as_ref().filter(|_| rows > 0) {
        writeln!(out, "    {}", replay)?;
    }
    Ok(())
}

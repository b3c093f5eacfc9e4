//! A calibration on the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::model::calibration::{CalibrationReport, RateReport};
use crate::terminal::table::{Table, line_width, write_text};
use crate::words::calibration::{about, of_factor, spread};
use crate::words::{Unit, plural, wrapped};
use dryroll_study::calibrate::Warning;

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const WARNING: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
/// Letters of a line.
const WIDTH: usize = 110;

/// Writes a calibration.
///
/// # Errors
/// When writing fails.
pub fn calibration_table(out: &mut impl Write, report: &CalibrationReport) -> io::Result<()> {
    writeln!(
        out,
        "{BOLD}calibrated from {}{BOLD:#} · heartbeats every {} s · 95 % intervals",
        plural(report.rollouts, "rollout", "rollouts"),
        report.heartbeat_interval_sec
    )?;
    warnings(out, &report.warnings)?;
    for version in &report.versions {
        let commands = plural(version.commands, "command", "commands");
        let rollouts = plural(version.rollouts, "rollout", "rollouts");
        writeln!(out, "\n{BOLD}{}{BOLD:#} {DIM}{commands} in {rollouts}{DIM:#}", version.version)?;
        write_text(out, PLAIN, [2, 4], &format!("upgrade time: {}", about(&version.upgrade_time)))?;
        if let Some(factor) = &version.upgrade_time_factor {
            write_text(out, PLAIN, [2, 4], &format!("upgrade_time_factor: {}", of_factor(factor)))?;
        }
        let mut table = Table::new(&["rate", "seen", "of", "estimate", ""], 1);
        for (name, rate) in [("failure_rate", &version.failure_rate), ("hang_rate", &version.hang_rate)] {
            table.push(row(name, rate));
        }
        table.write(out)?;
        for (name, rate) in [("failure_rate", &version.failure_rate), ("hang_rate", &version.hang_rate)] {
            if let Some(said) = spread(rate) {
                write_text(out, PLAIN, [2, 4], &format!("{name}: {said}"))?;
            }
        }
        warnings(out, &version.warnings)?;
    }
    writeln!(out, "\n{BOLD}operator{BOLD:#}")?;
    write_text(out, PLAIN, [2, 4], &format!("approval delay: {}", about(&report.operator.approval_delay)))?;
    write_text(out, PLAIN, [2, 4], &format!("decision delay: {}", about(&report.operator.decision_delay)))?;
    if let Some(delay) = &report.operator.promotion_delay {
        write_text(out, PLAIN, [2, 4], &format!("promotion delay: {}", about(delay)))?;
    }
    warnings(out, &report.operator.warnings)
}

fn row(name: &str, rate: &RateReport) -> Vec<String> {
    vec![
        name.to_owned(),
        rate.hits.to_string(),
        rate.n.to_string(),
        Unit::Share.say(rate.estimate),
        format!("({})", Unit::Share.say_interval(Some(rate.ci))),
    ]
}

fn warnings(out: &mut impl Write, warnings: &[Warning]) -> io::Result<()> {
    for warning in warnings {
        for (i, line) in wrapped(&warning.text, line_width(WIDTH + 4).saturating_sub(4)).into_iter().enumerate() {
            let mark = if i == 0 { "!" } else { " " };
            writeln!(out, "  {WARNING}{mark}{WARNING:#} {line}")?;
        }
    }
    Ok(())
}

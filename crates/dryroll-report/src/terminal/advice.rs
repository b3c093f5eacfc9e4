//! Advice on the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::terminal::table::line_width;
use crate::words::wrapped;
use dryroll_sim::scenario::Advice;
use dryroll_sim::text::one_line;

const ADVICE: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const DIM: Style = Style::new().dimmed();
const WIDTH: usize = 98;

/// Writes each piece: what is wrong and what to change, then the place and the code.
///
/// # Errors
/// When writing fails.
pub fn advice_table(out: &mut impl Write, advice: &[Advice]) -> io::Result<()> {
    for one in advice {
        let says = one_line(&format!("{}; {}", one.message, one.change));
        for (place, line) in
            wrapped(&format!("advice: {says}"), line_width(WIDTH + 2).saturating_sub(2)).iter().enumerate()
        {
            match line.strip_prefix("advice:").filter(|_| place == 0) {
                Some(rest) => writeln!(out, "{ADVICE}advice:{ADVICE:#}{rest}")?,
                None => writeln!(out, "  {line}")?,
            }
        }
        writeln!(out, "  {DIM}--> {} ({}){DIM:#}", one_line(&one.place()), one.code.name())?;
    }
    Ok(())
}

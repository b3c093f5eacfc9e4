//! A table on the terminal: columns as wide as they must be, numbers to the right; on a narrow terminal with fewer
//! columns, and where these are still too many, with each row over several lines.

use std::io::{self, Write};
use std::sync::OnceLock;

use anstyle::Style;

use crate::words::wrapped;
use dryroll_sim::text::{escaped, width};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The columns of the terminal that tables go to.
static ROOM: OnceLock<usize> = OnceLock::new();

/// Says how many columns the terminal has that tables go to; once, before the first of them. Without it, lines may be
/// as long as they like.
pub fn fit_to(columns: usize) {
    // A terminal that changes while the program runs keeps the width that it began with.
    let _ = ROOM.set(columns);
}

/// How wide lines beside tables may be: a stated width, on a narrower terminal its columns.
#[must_use]
pub fn line_width(widest: usize) -> usize {
    ROOM.get().copied().unwrap_or(widest).min(widest)
}

/// Writes a text after a label, in lines that fit.
///
/// # Errors
/// When writing fails.
pub fn write_labelled(
    out: &mut impl Write,
    (style, label): (Style, &str),
    indent: usize,
    text: &str,
) -> io::Result<()> {
    let whole = format!("{label} {text}");
    let width = line_width(usize::MAX).saturating_sub(indent + 2);
    for (place, line) in wrapped(&whole, width).into_iter().enumerate() {
        match line.strip_prefix(label).filter(|_| place == 0) {
            Some(rest) => writeln!(out, "{:indent$}{style}{label}{style:#}{rest}", "")?,
            None => writeln!(out, "{:1$}{line}", "", indent + 2)?,
        }
    }
    Ok(())
}

/// Writes a text in lines that fit, each indented. The lines after the first may be indented further.
///
/// # Errors
/// When writing fails.
pub fn write_text(out: &mut impl Write, style: Style, [first, others]: [usize; 2], text: &str) -> io::Result<()> {
    let width = line_width(usize::MAX).saturating_sub(first.max(others));
    for (place, line) in wrapped(text, width).into_iter().enumerate() {
        let indent = " ".repeat(if place == 0 { first } else { others });
        writeln!(out, "{indent}{style}{line}{style:#}")?;
    }
    Ok(())
}

/// A table for people.
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// How many columns at the left are words.
    words: usize,
}

impl Table {
    /// A table with these columns, of which the first few are words. A column without a name belongs to the one before
    /// it.
    #[must_use]
    pub fn new(header: &[&str], words: usize) -> Self {
        Self { header: header.iter().map(|name| escaped(name).into_owned()).collect(), rows: Vec::new(), words }
    }

    /// Adds a row; one of a single cell is a heading of those after it.
    pub fn push(&mut self, row: Vec<String>) {
        self.rows.push(row.into_iter().map(|cell| escaped(&cell).into_owned()).collect());
    }

    fn is_heading(&self, row: &[String]) -> bool {
        row.len() == 1 && self.header.len() > 1
    }

    /// The columns that are not empty, each with its width.
    fn columns(&self) -> Vec<(usize, usize)> {
        let cell = |row: &'_ [String], column: usize| row.get(column).map_or(0, |text| width(text));
        let whole = || self.rows.iter().filter(|row| !self.is_heading(row));
        let filled = |column: usize| whole().map(|row| cell(row, column)).max().unwrap_or(0);
        (0..self.header.len())
            .filter(|&column| filled(column) > 0)
            .map(|column| (column, filled(column).max(cell(&self.header, column))))
            .collect()
    }

    /// What stands before a column.
    fn gap(&self, place: usize, column: usize) -> &'static str {
        match (place, self.header.get(column).map(String::as_str)) {
            (0, _) => "  ",
            (_, Some("")) => " ",
            _ => "   ",
        }
    }

    fn wide(&self, columns: &[(usize, usize)]) -> usize {
        let all = columns.iter().enumerate();
        all.map(|(place, &(column, wide))| self.gap(place, column).len() + wide).sum()
    }

    /// Writes it, indented by two. A column that is empty in every row is left out.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_within(out, ROOM.get().copied().unwrap_or(usize::MAX))
    }

    /// Writes it into this many columns of a terminal.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write_within(&self, out: &mut impl Write, room: usize) -> io::Result<()> {
        let mut shown = self.columns();
        let all = shown.len();
        while self.wide(&shown) > room {
            // What only says how sure a figure is goes first.
            match shown.iter().rposition(|&(column, _)| column > 0 && self.header[column].is_empty()) {
                Some(place) => drop(shown.remove(place)),
                None => return self.write_narrow(out, room),
            }
        }
        for (place, row) in std::iter::once(&self.header).chain(&self.rows).enumerate() {
            if self.is_heading(row) {
                writeln!(out, "  {BOLD}{}{BOLD:#}", row[0])?;
                continue;
            }
            let style = if place == 0 { DIM } else { Style::new() };
            let mut line = String::new();
            for (place, &(column, wide)) in shown.iter().enumerate() {
                line.push_str(self.gap(place, column));
                let text = row.get(column).map_or("", String::as_str);
                let padding = " ".repeat(wide.saturating_sub(width(text)));
                // A unit stays under a unit: what belongs to a number stands to its right.
                let left = column < self.words;
                line.push_str(if left { text } else { &padding });
                line.push_str(if left { &padding } else { text });
            }
            writeln!(out, "{style}{}{style:#}", line.trim_end())?;
        }
        if shown.len() < all {
            let note = "the terminal is narrow: this table has no intervals";
            for line in wrapped(note, room.saturating_sub(2)) {
                writeln!(out, "  {DIM}{line}{DIM:#}")?;
            }
        }
        Ok(())
    }

    /// Writes it for a narrow terminal: of each row the first cell, and under it the others by their names.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write_narrow(&self, out: &mut impl Write, room: usize) -> io::Result<()> {
        let head = self.header.first().filter(|head| !head.is_empty());
        for row in &self.rows {
            let style = if row.len() == 1 { BOLD } else { Style::new() };
            let (first, rest) = row.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
            let indent = width(first) - width(first.trim_start());
            let lead = head.filter(|_| !self.is_heading(row)).map_or_else(String::new, |head| format!("{head}\u{a0}"));
            for line in wrapped(&format!("{lead}{}", first.trim_start()), room.saturating_sub(2 + indent)) {
                writeln!(out, "  {}{style}{line}{style:#}", " ".repeat(indent))?;
            }
            let named = self.header.iter().skip(1).zip(rest).filter(|(_, text)| !text.is_empty());
            let said: Vec<String> = named
                .map(|(name, text)| format!("{name}\u{a0}{text}").trim_start_matches('\u{a0}').to_owned())
                .collect();
            for line in wrapped(&said.join(" · "), room.saturating_sub(6)).iter().filter(|line| !line.is_empty()) {
                writeln!(out, "      {DIM}{line}{DIM:#}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be_and_empty_ones_are_left_out() {
        let mut table = Table::new(&["name", "value", "", "none"], 1);
        table.push(vec!["a".into(), "1".into(), "(0 to 2)".into(), String::new()]);
        table.push(vec!["longer".into(), "12".into(), "(9 to 15)".into(), String::new()]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        let plain = anstream::adapter::strip_bytes(&out).into_vec();
        let text = String::from_utf8(plain).unwrap();
        assert_eq!(text, "  name     value\n  a            1  (0 to 2)\n  longer      12 (9 to 15)\n");
    }
    fn printed(table: &Table, room: usize) -> String {
        let mut out = Vec::new();
        table.write_within(&mut out, room).unwrap();
        String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap()
    }

    #[test]
    fn a_narrow_terminal_has_fewer_columns_and_then_rows_of_several_lines() {
        let mut table = Table::new(&["policy", "duration", "", "p95"], 1);
        table.push(vec!["batch_pct = 20".into(), "12 min".into(), "(10 min to 14 min)".into(), "20 min".into()]);
        assert!(printed(&table, 80).contains("(10 min to 14 min)"));
        let fewer = printed(&table, 50);
        assert!(
            !fewer.contains("(10 min") && fewer.contains("20 min") && fewer.contains("this table has no"),
            "{fewer}"
        );
        let stacked = printed(&table, 24);
        assert!(stacked.contains("(10 min"), "nothing is lost: {stacked}");
        for room in [24, 30, 40, 50, 60] {
            assert!(printed(&table, room).lines().all(|line| width(line) <= room), "{}", printed(&table, room));
        }
    }

    #[test]
    fn columns_stand_under_each_other_by_what_is_seen() {
        let mut table = Table::new(&["version", "n"], 1);
        table.push(vec!["版本".into(), "1".into()]);
        table.push(vec!["abcd".into(), "22".into()]);
        let text = printed(&table, usize::MAX);
        let ends: Vec<usize> = text.lines().map(width).collect();
        assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }
}

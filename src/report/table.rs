//! A table on the terminal: columns as wide as they must be, numbers to the right.

use std::io::{self, Write};

use anstyle::Style;

use super::wording::{one_line, wrapped};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

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
        Self { header: header.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new(), words }
    }

    /// Adds a row; one of a single cell is a heading of those after it.
    pub fn push(&mut self, row: Vec<String>) {
        // A name that breaks its line would be taken for a line of its own.
        let fine = |cell: String| if cell.contains(char::is_control) { one_line(&cell) } else { cell };
        self.rows.push(row.into_iter().map(fine).collect());
    }

    /// Writes it, indented by two. A column that is empty in every row is left out.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let is_heading = |row: &Vec<String>| row.len() == 1 && self.header.len() > 1;
        let cell = |row: &'_ Vec<String>, column: usize| row.get(column).map_or(0, |text| text.chars().count());
        let whole = || self.rows.iter().filter(|row| !is_heading(row));
        let filled = |column: usize| whole().map(|row| cell(row, column)).max().unwrap_or(0);
        let shown: Vec<(usize, usize)> = (0..self.header.len())
            .filter(|&column| filled(column) > 0)
            .map(|column| (column, filled(column).max(cell(&self.header, column))))
            .collect();
        for (place, row) in std::iter::once(&self.header).chain(&self.rows).enumerate() {
            if is_heading(row) {
                writeln!(out, "  {BOLD}{}{BOLD:#}", row[0])?;
                continue;
            }
            let style = if place == 0 { DIM } else { Style::new() };
            let mut line = String::new();
            for &(column, width) in &shown {
                let joined = column > 0 && self.header[column].is_empty();
                line.push_str(if line.is_empty() {
                    "  "
                } else if joined {
                    " "
                } else {
                    "   "
                });
                let text = row.get(column).map_or("", String::as_str);
                let padding = " ".repeat(width.saturating_sub(text.chars().count()));
                // A unit stays under a unit: what belongs to a number stands to its right.
                let left = column < self.words;
                line.push_str(if left { text } else { &padding });
                line.push_str(if left { &padding } else { text });
            }
            writeln!(out, "{style}{}{style:#}", line.trim_end())?;
        }
        Ok(())
    }
    /// Writes it for a narrow terminal: of each row the first cell, and under it the others by their names.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write_narrow(&self, out: &mut impl Write, width: usize) -> io::Result<()> {
        for row in &self.rows {
            let style = if row.len() == 1 { BOLD } else { Style::new() };
            let (first, rest) = row.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
            let indent = first.len() - first.trim_start().len();
            for line in wrapped(first.trim_start(), width.saturating_sub(2 + indent)) {
                writeln!(out, "  {}{style}{line}{style:#}", " ".repeat(indent))?;
            }
            let named = self.header.iter().skip(1).zip(rest).filter(|(_, text)| !text.is_empty());
            let said: Vec<String> = named
                .map(|(name, text)| format!("{name}\u{a0}{text}").trim_start_matches('\u{a0}').to_owned())
                .collect();
            for line in wrapped(&said.join(" · "), width.saturating_sub(6)).iter().filter(|line| !line.is_empty()) {
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
}

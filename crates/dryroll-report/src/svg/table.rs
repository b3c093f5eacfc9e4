//! A table of numbers, as text.

use maud::{Markup, PreEscaped, html};

use crate::svg::drawing::escaped;
use crate::words::plural;

/// The most rows of a table on a page; the report has the others.
const MOST_ROWS: usize = 2000;

/// A table: what it is about, names of its columns, and its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it is about.
    pub caption: String,
    /// The columns.
    pub columns: Vec<String>,
    /// How many columns, the first ones, name the row; the others are numbers.
    pub names: usize,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(caption: impl Into<String>, names: &[&str], columns: &[&str]) -> Self {
        let columns_of_both = names.iter().chain(columns).map(|&column| column.to_owned()).collect();
        Self { caption: caption.into(), columns: columns_of_both, names: names.len(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table in its box, which scrolls where it is too narrow.
    #[must_use]
    pub fn html(&self) -> Markup {
        let safe = |text: &str| PreEscaped(escaped(text));
        let left_out = self.rows.len().saturating_sub(MOST_ROWS);
        html! {
            div class="scroll" role="region" tabindex="0" aria-label=(safe(&self.caption)) {
                table {
                    caption {
                        (safe(&self.caption))
                        @if left_out > 0 { " · " (plural(left_out as u64, "row", "rows")) " more in the report itself" }
                    }
                    thead { tr {
                        @for (i, column) in self.columns.iter().enumerate() {
                            th scope="col" class=[(i >= self.names).then_some("n")] { (safe(column)) }
                        }
                    } }
                    tbody {
                        @for row in self.rows.iter().take(MOST_ROWS) { tr {
                            @for (i, cell) in row.iter().enumerate() {
                                @if i < self.names { th scope="row" { (safe(cell)) } }
                                @else { td { (safe(cell)) } }
                            }
                        } }
                    }
                }
            }
        }
    }
}

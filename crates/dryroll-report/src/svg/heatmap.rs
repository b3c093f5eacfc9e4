//! Heat maps: one number of every cell of a grid, two axes of it at a time, one panel for whatever else varies.

use crate::svg::drawing::{Anchor, Canvas, fitted, text_width};
use crate::svg::theme::{Colour, HEATS, heat_fill, heat_text};
use crate::svg::{Plot, Table};
use crate::words::{NOTHING, Unit, number};

/// More panels are not drawn.
pub const MOST_PANELS: usize = 12;
/// More columns or rows of a panel are not drawn.
pub const MOST_CELLS_A_SIDE: usize = 24;

const WIDTH: f64 = 960.0;
const CELL: (f64, f64) = (42.0, 30.0);
const GAP: f64 = 28.0;

/// What a heat map shows.
#[derive(Clone, Debug)]
pub struct HeatMap<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its title.
    pub title: &'a str,
    /// How it is to be read.
    pub reading: &'a str,
    /// The unit of its numbers.
    pub unit: Unit,
    /// The horizontal axis and its values.
    pub x: (String, Vec<String>),
    /// The vertical one's.
    pub y: (String, Vec<String>),
    /// The panels.
    pub panels: Vec<Panel>,
}

/// One panel.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What is the same for all of its cells.
    pub title: String,
    /// Row by row: its numbers, `None` where there is none.
    pub rows: Vec<Vec<Option<f64>>>,
}

impl HeatMap<'_> {
    /// Draws it; `None` where not one cell has a number.
    #[must_use]
    pub fn draw(&self) -> Option<Plot> {
        let shown = &self.panels[..self.panels.len().min(MOST_PANELS)];
        let all = || self.panels.iter().flat_map(|panel| panel.rows.iter().flatten()).copied().flatten();
        all().next()?;
        let (low, high) = (all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max));
        let columns = self.x.1.len().min(MOST_CELLS_A_SIDE);
        let rows = self.y.1.len().min(MOST_CELLS_A_SIDE);

        let widest = self.y.1.iter().map(|value| text_width(value, 12.0)).fold(0.0, f64::max).min(150.0);
        let left = widest + 32.0;
        let panel_width = left + columns as f64 * CELL.0;
        let panel_height = 24.0 + rows as f64 * CELL.1 + 40.0;
        let across = (((WIDTH + GAP) / (panel_width + GAP)) as usize).clamp(1, shown.len().max(1));
        let down = shown.len().div_ceil(across);
        let width = WIDTH.max(panel_width);
        let height = 44.0 + down as f64 * (panel_height + 10.0);

        let mut canvas = Canvas::default();
        let hatch = format!("{}-none", self.name);
        let marks = format!("<path d=\"M0 0V6\" {} stroke-width=\"1.2\"/>", Colour::Soft.stroke());
        canvas.pattern(&hatch, [6.0, 6.0], 45.0, &marks);
        self.legend(&mut canvas, high, &hatch);
        for (i, panel) in shown.iter().enumerate() {
            let at = ((i % across) as f64 * (panel_width + GAP), 44.0 + (i / across) as f64 * (panel_height + 10.0));
            self.panel(&mut canvas, panel, at, left, (columns, rows), high, &hatch);
        }
        let cells = shown.len() * columns * rows;
        let total = self.panels.len() * self.x.1.len() * self.y.1.len();
        let mut description = format!(
            "{}: {} cells, from {} to {}.",
            self.title,
            all().count(),
            self.unit.say(low.min(high)),
            self.unit.say(high)
        );
        let mut reading = self.reading.to_owned();
        if cells < total {
            let said = format!(" Drawn are the first {cells} of {total} cells; the table has more.");
            description.push_str(&said);
            reading.push_str(&said);
        }
        Some(Plot {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            description,
            reading,
            size: (width, height.ceil()),
            svg: canvas.into_svg(),
            table: self.table(),
        })
    }

    /// In cells the unit is left out: it is said in the legend.
    fn brief(&self, value: f64) -> String {
        let value = if self.unit == Unit::Share { value * 100.0 } else { value };
        match value.abs() {
            size if size > 0.0 && size < 0.05 => "<.1".to_owned(),
            // As rounded as everywhere else.
            size if size < 99.95 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
            _ => number(value.round()),
        }
    }

    fn heat(value: f64, high: f64) -> usize {
        if high <= 0.0 {
            return 0;
        }
        ((value / high).clamp(0.0, 1.0) * (HEATS - 1) as f64).round() as usize
    }

    fn legend(&self, canvas: &mut Canvas, high: f64, hatch: &str) {
        let (x, y) = (34.0, 8.0);
        let unit = match self.unit {
            Unit::Share | Unit::Percent => "numbers in %",
            Unit::Seconds => "numbers in seconds",
            Unit::InstanceMinutes => "numbers in instance-minutes",
            Unit::Count => "",
        };
        canvas.text((x, y + 11.0), Anchor::End, 12.0, Colour::Muted, "0 ");
        for heat in 0..HEATS {
            canvas.rect([x + 4.0 + heat as f64 * 18.0, y, 18.0, 14.0], &heat_fill(heat));
        }
        let end = x + 4.0 + HEATS as f64 * 18.0;
        let said = self.unit.say(high);
        canvas.text((end + 6.0, y + 11.0), Anchor::Start, 12.0, Colour::Muted, &said);
        let after = end + 30.0 + text_width(&said, 12.0);
        canvas.rect([after, y, 18.0, 14.0], &format!("fill=\"url(#{hatch})\""));
        canvas.text((after + 24.0, y + 11.0), Anchor::Start, 12.0, Colour::Muted, "no data");
        canvas.text((after + 92.0, y + 11.0), Anchor::Start, 12.0, Colour::Muted, unit);
    }

    #[allow(clippy::too_many_arguments, reason = "the layout of the plot, which is nowhere else")]
    fn panel(
        &self,
        canvas: &mut Canvas,
        panel: &Panel,
        (x, y): (f64, f64),
        left: f64,
        (columns, rows): (usize, usize),
        high: f64,
        hatch: &str,
    ) {
        let width = left + columns as f64 * CELL.0;
        let title = fitted(&panel.title, 13.0, width - 20.0);
        canvas.text_painted(
            (x + left, y + 14.0),
            Anchor::Start,
            13.0,
            &format!("{} font-weight=\"600\"", Colour::Text.fill()),
            &title,
        );
        let top = y + 24.0;
        for (r, label) in self.y.1.iter().take(rows).enumerate() {
            let middle = top + (r as f64 + 0.5) * CELL.1 + 4.0;
            canvas.text((x + left - 8.0, middle), Anchor::End, 12.0, Colour::Muted, &fitted(label, 12.0, 150.0));
            for c in 0..columns {
                let at =
                    [x + left + c as f64 * CELL.0 + 1.0, top + r as f64 * CELL.1 + 1.0, CELL.0 - 2.0, CELL.1 - 2.0];
                let centre = (at[0] + at[2] / 2.0, middle);
                match panel.rows.get(r).and_then(|row| row.get(c)).copied().flatten() {
                    Some(value) => {
                        let heat = Self::heat(value, high);
                        canvas.rect(at, &format!("{} rx=\"2\"", heat_fill(heat)));
                        canvas.text_painted(centre, Anchor::Middle, 12.0, &heat_text(heat), &self.brief(value));
                    }
                    None => {
                        canvas.rect(at, &format!("fill=\"url(#{hatch})\" rx=\"2\""));
                        canvas.text(centre, Anchor::Middle, 12.0, Colour::Muted, NOTHING);
                    }
                }
            }
        }
        let bottom = top + rows as f64 * CELL.1;
        for (c, label) in self.x.1.iter().take(columns).enumerate() {
            let middle = x + left + (c as f64 + 0.5) * CELL.0;
            canvas.text(
                (middle, bottom + 15.0),
                Anchor::Middle,
                12.0,
                Colour::Muted,
                &fitted(label, 12.0, CELL.0 + 4.0),
            );
        }
        let x_name = fitted(&self.x.0, 12.0, columns as f64 * CELL.0 + left);
        canvas.text(
            (x + left + columns as f64 * CELL.0 / 2.0, bottom + 32.0),
            Anchor::Middle,
            12.0,
            Colour::Text,
            &x_name,
        );
        if !self.y.0.is_empty() {
            let (at_x, at_y) = (x + 14.0, top + rows as f64 * CELL.1 / 2.0);
            let turned = format!("{} transform=\"rotate(-90 {at_x:.1} {at_y:.1})\"", Colour::Text.fill());
            let fits = fitted(&self.y.0, 12.0, panel_room(rows));
            canvas.text_painted((at_x, at_y), Anchor::Middle, 12.0, &turned, &fits);
        }
    }

    fn table(&self) -> Table {
        let mut table = Table { caption: self.title.to_owned(), names: 2, ..Table::default() };
        let y_name = if self.y.0.is_empty() { "row" } else { &self.y.0 };
        table.columns = ["panel", y_name].map(str::to_owned).to_vec();
        table.columns.extend(self.x.1.iter().map(|value| format!("{} {value}", self.x.0)));
        for panel in &self.panels {
            for (label, row) in self.y.1.iter().zip(&panel.rows) {
                let values = row.iter().map(|value| self.unit.say_or_nothing(*value));
                table.row([panel.title.clone(), label.clone()].into_iter().chain(values));
            }
        }
        table
    }
}

/// How long a name along the rows may be.
fn panel_room(rows: usize) -> f64 {
    rows as f64 * CELL.1 + 40.0
}

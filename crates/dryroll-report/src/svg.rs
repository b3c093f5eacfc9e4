//! Plots as SVG: what a report shows to people. Each is drawn once and serves twice, within a page and as a file of its
//! own, in light and dark. Each has a title, a sentence with its main numbers, and a table with all of them.

pub mod axis;
mod chart;
pub mod compare;
pub mod distribution;
pub mod drawing;
pub mod goodness;
pub mod heatmap;
pub mod margins;
pub mod pareto;
pub mod rates;
pub mod scores;
mod table;
pub mod theme;
pub mod timeline;

use maud::{Markup, PreEscaped, html};

pub use table::Table;

/// A plot, drawn.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Its name: of its file and of its elements. Lower-case letters, digits and dashes.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// A sentence with the main numbers, for those who do not see it.
    pub description: String,
    /// How it is to be read.
    pub reading: String,
    /// Its view box.
    pub size: (f64, f64),
    /// Its marks.
    pub svg: String,
    /// Every number in it.
    pub table: Table,
}

impl Plot {
    /// The plot as an element of a page that has [`theme::css`].
    #[must_use]
    pub fn inline(&self) -> Markup {
        self.element("", html! {})
    }

    /// The plot as a file of its own, with both schemes.
    #[must_use]
    pub fn standalone(&self) -> String {
        let (width, height) = self.size;
        let paper = html! {
            style { (PreEscaped(theme::css("svg"))) }
            (PreEscaped(format!("<rect width=\"{width}\" height=\"{height}\" {}/>\n", theme::Colour::Paper.fill())))
        };
        let svg = self.element("http://www.w3.org/2000/svg", paper).into_string();
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{svg}\n")
    }

    fn element(&self, namespace: &str, first: Markup) -> Markup {
        let (width, height) = self.size;
        let (title, desc) = (format!("{}-title", self.name), format!("{}-desc", self.name));
        html! {
            svg xmlns=[(!namespace.is_empty()).then_some(namespace)] role="img" viewBox=(format!("0 0 {width} \
             {height}"))
                width=(width) height=(height) aria-labelledby=(format!("{title} {desc}")) {
                title id=(title) { (PreEscaped(drawing::escaped(&self.title))) }
                desc id=(desc) { (PreEscaped(drawing::escaped(&self.description))) }
                (first)
                (PreEscaped(&self.svg))
            }
        }
    }
}

/// A word as part of a name: letters, digits and dashes.
#[must_use]
pub fn slug(text: &str) -> String {
    let letters = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let mut slug: String = letters.take(40).collect();
    while slug.contains("--") {
        slug = slug.replace("--", "-");
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "plot".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe() {
        assert_eq!(slug("trip_rate <b>/../X"), "trip-rate-b-x");
        assert_eq!(slug("…"), "plot");
    }
}

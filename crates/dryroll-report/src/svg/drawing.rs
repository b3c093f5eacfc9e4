//! A sheet to draw on: the few marks that our own plots are made of. Coordinates are pixels of the plot's view box.

use std::fmt::Write;

use maud::{PreEscaped, Render};

use crate::svg::theme::Colour;
use dryroll_sim::text;

/// Where a text's point lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// Marks, in the order in which they are drawn.
#[derive(Clone, Debug, Default)]
pub struct Canvas(String);

impl Canvas {
    /// The marks as SVG, to be put into an `svg` element.
    #[must_use]
    pub fn into_svg(self) -> String {
        self.0
    }

    /// SVG that somebody else drew.
    pub fn raw(&mut self, svg: &str) {
        self.0.push_str(svg);
    }

    /// A filled rectangle; `paint` is attributes as of [`Colour::fill`].
    pub fn rect(&mut self, [x, y, width, height]: [f64; 4], paint: &str) {
        let [x, y, width, height] = [x, y, width.max(0.0), height.max(0.0)].map(short);
        let _ = writeln!(self.0, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {paint}/>");
    }

    /// A straight line.
    pub fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], colour: Colour, extra: &str) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(short);
        let stroke = colour.stroke();
        let _ = writeln!(self.0, "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" {stroke} {extra}/>");
    }

    /// A path; `paint` is attributes.
    pub fn path(&mut self, d: &str, paint: &str) {
        if !d.is_empty() {
            let _ = writeln!(self.0, "<path d=\"{d}\" {paint}/>");
        }
    }

    /// A text in a colour.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, size: f64, colour: Colour, content: &str) {
        self.text_painted(at, anchor, size, &colour.fill(), content);
    }

    /// A text with any attributes.
    pub fn text_painted(&mut self, (x, y): (f64, f64), anchor: Anchor, size: f64, paint: &str, content: &str) {
        let [x, y, size] = [x, y, size].map(short);
        let (anchor, content) = (anchor.name(), escaped(content));
        let _ = writeln!(
            self.0,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"{size}\" {paint}>{content}</text>"
        );
    }

    /// A pattern of marks on a tile; what is filled with it has `fill="url(#ID)"`.
    pub fn pattern(&mut self, id: &str, [width, height]: [f64; 2], turned: f64, marks: &str) {
        let [width, height, turned] = [width, height, turned].map(short);
        let _ = writeln!(
            self.0,
            "<pattern id=\"{id}\" width=\"{width}\" height=\"{height}\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate({turned})\">{marks}</pattern>"
        );
    }
}

/// A coordinate, to the tenth of a pixel.
#[must_use]
pub fn short(x: f64) -> String {
    let rounded = (x * 10.0).round() / 10.0;
    // Not "-0".
    if rounded == 0.0 { "0".to_owned() } else { format!("{rounded}") }
}

/// Text that cannot be taken for markup, with what acts shown as escapes, and without what XML does not allow at all.
#[must_use]
pub fn escaped(text: &str) -> String {
    let PreEscaped(escaped) = xml(&text::escaped(text)).render();
    escaped
}

/// Text without what XML does not allow at all, however it is escaped.
#[must_use]
pub fn xml(text: &str) -> String {
    let allowed =
        |c: &char| matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..) && !('\u{7f}'..='\u{9f}').contains(c);
    text.chars().filter(allowed).collect()
}

/// About how wide a text is, pixels.
#[must_use]
pub fn text_width(content: &str, size: f64) -> f64 {
    text::width(content) as f64 * size * 0.56
}

/// As much of a text as fits, with an ellipsis where some is left out.
#[must_use]
pub fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let most = (width / (size * 0.56)) as usize;
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut canvas = Canvas::default();
        canvas.text((1.0, 2.0), Anchor::Start, 12.0, Colour::Text, "<script>&\"\u{1}");
        let svg = canvas.into_svg();
        assert!(svg.contains("&lt;script&gt;&amp;") && !svg.contains("<script") && !svg.contains('\u{1}'), "{svg}");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([0.04, -0.01, 12.0, 12.345].map(short), ["0", "0", "12", "12.3"]);
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(fitted("short", 10.0, 100.0), "short");
        assert_eq!(fitted("much too long a name", 10.0, 56.0), "much too…");
    }
}

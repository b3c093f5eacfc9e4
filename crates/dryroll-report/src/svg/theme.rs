//! Colours: each has a name, one value on light paper and one on dark. Elements carry the light value as an attribute,
//! for programs without style sheets, and a class by which the style sheet sets the scheme's.

use std::fmt::Write;

use plotters::style::RGBColor;

/// A colour by its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Text and what must be seen first.
    Text,
    /// Axes and what explains.
    Muted,
    /// Lines of a grid.
    Grid,
    /// The paper.
    Paper,
    /// What is there and says little.
    Soft,
    /// The first series: blue.
    First,
    /// The second: orange.
    Second,
    /// The third: teal.
    Third,
    /// The fourth: magenta.
    Fourth,
}

impl Colour {
    const ALL: [Self; 9] = [
        Self::Text,
        Self::Muted,
        Self::Grid,
        Self::Paper,
        Self::Soft,
        Self::First,
        Self::Second,
        Self::Third,
        Self::Fourth,
    ];

    /// The custom property that holds it, without its dashes; classes are `f-` or `s-` and this name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "ink",
            Self::Muted => "muted",
            Self::Grid => "grid",
            Self::Paper => "paper",
            Self::Soft => "soft",
            Self::First => "s1",
            Self::Second => "s2",
            Self::Third => "s3",
            Self::Fourth => "s4",
        }
    }

    /// On light paper.
    #[must_use]
    pub fn light(self) -> &'static str {
        match self {
            Self::Text => "#1d2430",
            Self::Muted => "#586473",
            Self::Grid => "#dfe4ea",
            Self::Paper => "#ffffff",
            Self::Soft => "#b7c1cc",
            Self::First => "#1f6fb2",
            Self::Second => "#c2570c",
            Self::Third => "#0b7f74",
            Self::Fourth => "#a4347e",
        }
    }

    /// On dark paper.
    #[must_use]
    pub fn dark(self) -> &'static str {
        match self {
            Self::Text => "#e8ebf0",
            Self::Muted => "#a3afbd",
            Self::Grid => "#303944",
            Self::Paper => "#151a20",
            Self::Soft => "#566270",
            Self::First => "#6db3f2",
            Self::Second => "#f0a35e",
            Self::Third => "#4fd0c0",
            Self::Fourth => "#ea8fca",
        }
    }

    /// The colour that stands for it while `plotters` draws: one that nothing else has.
    #[must_use]
    pub fn sentinel(self) -> RGBColor {
        RGBColor(0xF0, 0xF1, self as u8)
    }

    /// The attributes of what is filled with it.
    #[must_use]
    pub fn fill(self) -> String {
        format!("fill=\"{}\" class=\"f-{}\"", self.light(), self.name())
    }

    /// The attributes of what is drawn with it.
    #[must_use]
    pub fn stroke(self) -> String {
        format!("stroke=\"{}\" class=\"s-{}\"", self.light(), self.name())
    }
}

/// In what `plotters` drew, each sentinel becomes its colour.
pub fn themed(drawn: &str) -> String {
    // What is drawn by the library has names in it that it escapes, and takes whole.
    let drawn = crate::svg::drawing::xml(drawn);
    let mut themed = drawn.replace(" font-family=\"sans-serif\"", "").replace(" opacity=\"1\"", "");
    for colour in Colour::ALL {
        let RGBColor(r, g, b) = colour.sentinel();
        let hex = format!("#{r:02X}{g:02X}{b:02X}");
        themed = themed.replace(&format!("fill=\"{hex}\""), &colour.fill());
        themed = themed.replace(&format!("stroke=\"{hex}\""), &colour.stroke());
    }
    themed
}

/// How many colours a heat map has.
pub const HEATS: usize = 9;

/// From little to much on light paper: brightness falls all the way, and hue goes from yellow over green to blue, so
/// that the order is seen without red and green too. Cynthia Brewer's `YlGnBu` of nine. On dark paper the other way
/// round.
const HEAT: [&str; HEATS] =
    ["#ffffd9", "#edf8b1", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#253494", "#081d58"];
/// From which colour on text is white on light paper.
const WHITE_FROM: usize = 6;

/// The fill of a heat map's colour.
#[must_use]
pub fn heat_fill(heat: usize) -> String {
    let heat = heat.min(HEATS - 1);
    format!("fill=\"{}\" class=\"h{heat}\"", HEAT[heat])
}

/// The colour of text on it.
#[must_use]
pub fn heat_text(heat: usize) -> String {
    let heat = heat.min(HEATS - 1);
    format!("fill=\"{}\" class=\"t{heat}\"", text_on(heat))
}

fn text_on(heat: usize) -> &'static str {
    if heat >= WHITE_FROM { "#ffffff" } else { "#10151c" }
}

/// The custom properties of a scheme.
fn properties(dark: bool) -> String {
    let mut css = String::new();
    for colour in Colour::ALL {
        let _ = write!(css, "--{}:{};", colour.name(), if dark { colour.dark() } else { colour.light() });
    }
    for heat in 0..HEATS {
        let shown = if dark { HEATS - 1 - heat } else { heat };
        let _ = write!(css, "--h{heat}:{};--t{heat}:{};", HEAT[shown], text_on(shown));
    }
    css
}

/// The style sheet of plots, for `root`: what holds the custom properties.
#[must_use]
pub fn css(root: &str) -> String {
    let mut css = format!("{root}{{color-scheme:light dark;{}}}\n", properties(false));
    let _ = writeln!(css, "@media screen and (prefers-color-scheme:dark){{{root}{{{}}}}}", properties(true));
    for colour in Colour::ALL {
        let name = colour.name();
        let _ = write!(css, ".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}");
    }
    for heat in 0..HEATS {
        let _ = write!(css, ".h{heat}{{fill:var(--h{heat})}}.t{heat}{{fill:var(--t{heat})}}");
    }
    css.push_str(
        "\nsvg text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif}\n",
    );
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_its_paper() {
        for colour in [Colour::Text, Colour::Muted, Colour::First, Colour::Second, Colour::Third, Colour::Fourth] {
            assert!(contrast(colour.light(), Colour::Paper.light()) >= 4.5, "{colour:?}");
            assert!(contrast(colour.dark(), Colour::Paper.dark()) >= 4.5, "{colour:?}");
        }
    }

    #[test]
    fn heat_is_ordered_by_brightness_and_its_text_can_be_read() {
        for pair in HEAT.windows(2) {
            assert!(luminance(pair[0]) > luminance(pair[1]), "{pair:?}");
        }
        for (heat, colour) in HEAT.iter().enumerate() {
            let best = contrast(colour, "#ffffff").max(contrast(colour, "#10151c"));
            let ours = contrast(colour, text_on(heat));
            assert!(ours >= 3.5 && (ours >= 4.5 || ours >= best), "{colour}: {ours} of {best}");
        }
    }

    #[test]
    fn no_sentinel_is_left() {
        let RGBColor(r, g, b) = Colour::Second.sentinel();
        let drawn = format!("<circle fill=\"#{r:02X}{g:02X}{b:02X}\" stroke=\"none\"/>");
        assert_eq!(themed(&drawn), "<circle fill=\"#c2570c\" class=\"f-s2\" stroke=\"none\"/>");
    }
}

//! Text that comes from outside: from a file, the command line, or a file name. It may contain characters that a
//! terminal acts on, that change the direction of writing, or that begin a new line.
//!
//! - [`Foreign`] owns such a text. Its `Display` writes the escaped form, so that `{id}` is safe wherever it goes; the
//!   text as it is comes out of [`Foreign::raw`], for keys, comparisons and serialisation.
//! - [`shown`] and [`path`] show a borrowed text and a borrowed path in the same form.
//! - [`Screen`] is the last gate before a terminal: it lets through letters, line ends and colours.
//!
//! The escaped form is written as Rust and JSON would: `\n`, `\r`, `\t`, `\u{1b}`. It has nothing in it that is
//! escaped, so that escaping it again changes nothing.

mod screen;

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_width::UnicodeWidthStr;

pub use screen::Screen;

/// A text that comes from outside. What is displayed is its escaped form; what is serialised is the text itself.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Foreign(String);

impl Foreign {
    /// The text as it is: for keys, comparisons and serialisation, never to be printed.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The same, owned.
    #[must_use]
    pub fn into_raw(self) -> String {
        self.0
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(&self.0).fmt(f)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", escaped(&self.0))
    }
}

impl From<String> for Foreign {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&String> for Foreign {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl PartialEq<str> for Foreign {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Foreign {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for Foreign {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

impl PartialEq<Foreign> for str {
    fn eq(&self, other: &Foreign) -> bool {
        self == other.0
    }
}

impl PartialEq<Foreign> for &str {
    fn eq(&self, other: &Foreign) -> bool {
        *self == other.0
    }
}

/// Shows a text from outside in its escaped form.
#[must_use]
pub fn shown(text: &str) -> Shown<'_> {
    Shown(Cow::Borrowed(text))
}

/// Shows a path in its escaped form.
#[must_use]
pub fn path<P: AsRef<Path> + ?Sized>(path: &P) -> Shown<'_> {
    Shown(path.as_ref().to_string_lossy())
}

/// A text from outside for display: its `Display` writes the escaped form.
#[derive(Clone)]
pub struct Shown<'a>(Cow<'a, str>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escaped(&self.0))
    }
}

/// Texts from outside in one list, each in its escaped form.
#[must_use]
pub fn listed(texts: &[Foreign]) -> String {
    texts.iter().map(Foreign::to_string).collect::<Vec<_>>().join(", ")
}

/// The escaped form of a text.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) && !text.contains(EMOJI_SELECTOR) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = None;
    for letter in text.chars() {
        if letter == EMOJI_SELECTOR && !before.is_some_and(is_emoji_base) {
            escape(&mut out, letter);
        } else {
            push(&mut out, letter);
        }
        before = Some(letter);
    }
    Cow::Owned(out)
}

/// Shows the emoji before it in colours. After anything else it is invisible.
const EMOJI_SELECTOR: char = '\u{fe0f}';

fn is_emoji_base(letter: char) -> bool {
    matches!(get_general_category(letter), GeneralCategory::OtherSymbol | GeneralCategory::ModifierSymbol)
        || matches!(letter, '\u{203c}' | '\u{2049}' | '\u{2139}' | '\u{2194}' | '\u{3030}' | '\u{303d}')
}

fn escape(out: &mut String, letter: char) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
}

/// Adds a letter, or its escape.
fn push(out: &mut String, letter: char) {
    match letter {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        letter if acts(letter) => escape(out, letter),
        letter => out.push(letter),
    }
}

/// Whether a character does something where it should be read: a control character, one that formats the text around it
/// (directions of writing, joiners, what has no width), or the end of a line or of a paragraph.
#[must_use]
pub fn acts(letter: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    match letter {
        ' '..='~' => false,
        '\0'..='\u{9f}' => true,
        // Fillers and variation selectors: letters by their category, but invisible.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => true,
        '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0e}' | '\u{e0100}'..='\u{e01ef}' => true,
        letter => {
            matches!(get_general_category(letter), Control | Format | LineSeparator | ParagraphSeparator)
        }
    }
}

/// A text of our own with foreign parts in it, on one line: each run of white space is one space, the rest is escaped.
#[must_use]
pub fn one_line(text: &str) -> String {
    escaped(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// How many columns of a terminal a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text as a cell of a CSV file: escaped, and marked as a text where a spreadsheet would run it as a formula.
#[must_use]
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    // A tab and a carriage return are escaped, but begin a formula as well in what reads escapes.
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => Cow::Owned(format!("'{}", escaped(text))),
        _ => escaped(text),
    }
}

/// A text as a TOML string, on one line and with all that acts escaped.
#[must_use]
pub fn toml_string(text: &str) -> String {
    if !text.contains(acts) {
        return toml::Value::from(text).to_string();
    }
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if acts(letter) => {
                let _ = write!(out, "\\U{:08X}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_escaped_and_the_rest_stays() {
        for (raw, said) in [
            ("a\u{1b}[31mX\u{7}", "a\\u{1b}[31mX\\u{7}"),
            ("a\r\n\tb", "a\\r\\n\\tb"),
            ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
            ("\u{202e}\u{2066}\u{200f}\u{61c}", "\\u{202e}\\u{2066}\\u{200f}\\u{61c}"),
            ("\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}", "\\u{200b}\\u{200d}\\u{2060}\\u{feff}\\u{ad}"),
            ("\u{2028}\u{2029}\u{e0041}", "\\u{2028}\\u{2029}\\u{e0041}"),
            ("a\u{fe0f}\u{fe00}\u{e0101}\u{180b}", "a\\u{fe0f}\\u{fe00}\\u{e0101}\\u{180b}"),
            ("\u{2800}⚠\u{fe0f}\u{fe0f}", "\\u{2800}⚠\u{fe0f}\\u{fe0f}"),
            ("größe 版本 – 1\u{202f}000 \\ \"", "größe 版本 – 1\u{202f}000 \\ \""),
        ] {
            let foreign = Foreign::from(raw);
            assert_eq!(foreign.to_string(), said);
            assert_eq!(escaped(said), said, "escaping twice changes nothing");
            assert_eq!(foreign.raw(), raw);
            assert!(!format!("{foreign:?}").contains(acts));
            let read: Foreign = serde_json::from_str(&serde_json::to_string(&foreign).unwrap()).unwrap();
            assert_eq!(read, foreign);
        }
    }

    #[test]
    fn a_shown_text_is_padded() {
        assert_eq!(format!("{:>5}|", Foreign::from("a\n")), "  a\\n|");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (raw, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-v", "'-v"),
            ("@a", "'@a"),
            ("\t=1", "'\\t=1"),
            ("\r=1", "'\\r=1"),
            ("v-1", "v-1"),
            ("", ""),
        ] {
            assert_eq!(csv_cell(raw), cell);
        }
    }

    #[test]
    fn a_toml_string_reads_as_the_text() {
        for raw in ["a", "\u{9b}\u{202e}\u{1b}\r\n\"\\'", "''' \"\"\"", "a\nb"] {
            let text = toml_string(raw);
            assert!(!text.contains(acts), "{text:?}");
            let read: toml::Table = toml::from_str(&format!("k = {text}")).unwrap();
            assert_eq!(read["k"].as_str(), Some(raw));
        }
    }
}

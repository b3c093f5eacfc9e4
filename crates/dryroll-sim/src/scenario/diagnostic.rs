//! One thing that is wrong with a file, and how it is shown: where it is, what was found, what is
//! allowed, and what to do.

use std::fmt;
use std::ops::Range;

use crate::text::{Foreign, escaped, width};
use anstyle::{AnsiColor, Style};

/// How many characters of a line are shown.
const LINE_WIDTH: usize = 100;
/// How many characters are shown before the place, in a line that is too long.
const LEAD: usize = 30;
/// How many characters of a text of the file go into a message.
const QUOTE_WIDTH: usize = 60;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    message: String,
    place: Place,
    label: String,
    allowed: Option<String>,
    help: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    file: Foreign,
    line: usize,
    column: usize,
    /// The line, cut around the place and what acts in it escaped.
    text: String,
    /// How many columns of `text` stand before the mark.
    indent: usize,
    /// How many columns are marked, at least one.
    marked: usize,
}

impl Diagnostic {
    pub(super) fn new(source: &Source<'_>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: escaped(&message.into()).into_owned(),
            place: source.place(span),
            label: "found here".into(),
            allowed: None,
            help: None,
        }
    }

    /// What stands beside the mark; `found here` where nothing better is known.
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = escaped(&label.into()).into_owned();
        self
    }

    /// What is allowed there.
    pub(super) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(escaped(&allowed.into()).into_owned());
        self
    }

    /// What to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(escaped(&help.into()).into_owned());
        self
    }

    /// What to do, where that is known.
    pub(super) fn help_where(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The column in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.place.column
    }

    /// The whole account, over several lines, with or without colours for a terminal.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        let paint = |color: AnsiColor| if styled { color.on_default().bold() } else { Style::new() };
        let (red, blue) = (paint(AnsiColor::Red), paint(AnsiColor::Blue));
        let Place { file, line, column, text, indent, marked } = &self.place;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        let pad = " ".repeat(*indent);
        let carets = "^".repeat(*marked);
        let (message, label) = (&self.message, &self.label);
        let mut out = format!(
            "{red}error{red:#}: {message}\n\
             {gutter}{blue}-->{blue:#} {file}:{line}:{column}\n\
             {gutter} {blue}|{blue:#}\n\
             {blue}{number} |{blue:#} {text}\n\
             {gutter} {blue}|{blue:#} {pad}{red}{carets} {label}{red:#}\n"
        );
        for (word, note) in [("allowed", &self.allowed), ("help", &self.help)] {
            if let Some(note) = note {
                out.push_str(&format!("{gutter} {blue}={blue:#} {word}: {note}\n"));
            }
        }
        out
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// The text that places are looked up in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// What the file is called in messages.
    pub name: &'a str,
    /// What stands in it.
    pub text: &'a str,
}

impl Source<'_> {
    fn place(self, span: Range<usize>) -> Place {
        let text = self.text;
        let start = floor_boundary(text, span.start);
        let line_start = text.get(..start).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
        let line_end = text.get(start..).and_then(|tail| tail.find('\n')).map_or(text.len(), |at| start + at);
        let line = text.get(line_start..line_end).unwrap_or_default().trim_end_matches('\r');
        let before = text.get(line_start..start).unwrap_or_default().chars().count();
        let end = floor_boundary(text, span.end).clamp(start, line_end);
        let marked = text.get(start..end).unwrap_or_default().trim_end_matches('\r').chars().count().max(1);

        let from = if before > LINE_WIDTH - LEAD { before - LEAD } else { 0 };
        let cut = line.chars().nth(from + LINE_WIDTH).is_some();
        let line: String = line.chars().skip(from).take(LINE_WIDTH).map(|c| if c == '\t' { ' ' } else { c }).collect();
        // What is escaped is longer than it was, and the mark stands under it all the same.
        let part = |from: usize, count: usize| -> String {
            escaped(&line.chars().skip(from).take(count).collect::<String>()).into_owned()
        };
        let ellipsis = if from > 0 { "…" } else { "" };
        let text = format!("{ellipsis}{}{}", part(0, LINE_WIDTH), if cut { "…" } else { "" });
        let indent = width(ellipsis) + width(&part(0, before - from));
        Place {
            file: Foreign::from(self.name),
            line: self.text.get(..line_start).unwrap_or_default().bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before + 1,
            marked: width(&part(before - from, marked)).min((width(&text) + 1).saturating_sub(indent)).max(1),
            text,
            indent,
        }
    }
}

/// Counts lines from one place to a later one, so that many places of one file cost one pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line of a place, from 1; places come in the order of the file.
    pub fn of(&mut self, place: usize) -> usize {
        let passed = self.text.as_bytes().get(self.at..place).unwrap_or_default();
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count();
        self.at = self.at.max(place);
        self.line
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A text of the file for a message: between backticks, cut short, escaped.
pub(super) fn quote(text: &str) -> String {
    let mut shown = escaped(&cut(text)).into_owned();
    if text.chars().nth(QUOTE_WIDTH).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A list of what is allowed, cut short.
pub(super) fn listing<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let names: Vec<&str> = names.into_iter().collect();
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| escaped(&cut(name)).into_owned()).collect();
    if names.len() > SHOWN {
        shown.push(format!("… and {} more", names.len() - SHOWN));
    }
    shown.join(", ")
}

fn cut(name: &str) -> String {
    name.chars().take(QUOTE_WIDTH).collect()
}

/// The candidate that is spelt most like `name`, if one is like it at all.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// How many characters are compared: a longer name is not a typing error.
    const COMPARED: usize = 64;
    if name.chars().nth(COMPARED).is_some() {
        return None;
    }
    let folded = name.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .take(1000)
        .filter(|candidate| candidate.chars().nth(COMPARED).is_none())
        .map(|candidate| {
            let other = candidate.to_lowercase().replace('-', "_");
            let mut likeness = strsim::normalized_damerau_levenshtein(&folded, &other);
            // A unit that was left off, or one too many.
            let stem = other.trim_end_matches("_sec");
            if folded == stem || other.split('_').eq(folded.split('_').filter(|part| *part != "sec")) {
                likeness = likeness.max(0.9);
            }
            // The first word of a longer name.
            if folded.chars().count() >= 4 && other.starts_with(&folded) {
                likeness = likeness.max(0.8);
            }
            (likeness, candidate)
        })
        .filter(|&(likeness, _)| likeness >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters() {
        let source = Source { name: "x.toml", text: "a = 1\nname = \"größe\" oops\n" };
        let at = source.text.find("oops").unwrap_or_default();
        let diagnostic = Diagnostic::new(&source, at..at + 4, "no");
        assert_eq!((diagnostic.line(), diagnostic.column()), (2, 16));
        assert_eq!(
            diagnostic.to_string(),
            "error: no\n --> x.toml:2:16\n  |\n2 | name = \"größe\" oops\n  |                ^^^^ found here\n"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_place_and_made_harmless() {
        let text = format!("{}\u{1b}[31mX{}", "a".repeat(500), "b".repeat(500));
        let source = Source { name: "x", text: &text };
        let diagnostic = Diagnostic::new(&source, 505..506, "no");
        assert_eq!(diagnostic.column(), 506);
        let shown = diagnostic.to_string();
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert!(shown.lines().all(|line| line.chars().count() < 140), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        let caret = lines[4].chars().position(|c| c == '^');
        assert_eq!(caret, lines[3].chars().position(|c| c == 'X'));
    }

    #[test]
    fn any_span_has_a_place() {
        let source = Source { name: "x", text: "ä\r\n" };
        for span in [0..0, 1..1, 1..9, 4..4, 99..100] {
            assert!(!Diagnostic::new(&source, span, "no").to_string().is_empty());
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let keys = ["batch_pct", "health_timeout_sec", "interval_sec"];
        assert_eq!(nearest("batch_pc", keys), Some("batch_pct"));
        assert_eq!(nearest("health_timeout", keys), Some("health_timeout_sec"));
        assert_eq!(nearest("Batch-Pct", keys), Some("batch_pct"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(
            nearest("rollback", ["continue_anyway", "rollback_completed_batches"]),
            Some("rollback_completed_batches")
        );
    }
}

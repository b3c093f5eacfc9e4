//! The listing of records that apply, each with the verdicts of today's numbers on it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::phrases::one_line;
use super::{Elsewhere, Recalled, Verdict};
use dryroll_report::words::{plural, wrapped};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const LOUD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const ASKS: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));

/// Records that are always listed.
const FIRST: usize = 3;
/// Contradicted records that are listed in addition.
const CONTRADICTED: usize = 3;
/// Letters of a content that are shown.
const MOST_LETTERS: usize = 1600;
/// Letters of a title or a category.
const MOST_OF_A_TITLE: usize = 240;
const WIDTH: usize = 116;

/// Lists the records of a store that apply.
///
/// # Errors
/// When writing fails.
pub fn list(out: &mut impl Write, store: &str, all: usize, recalled: &[Recalled<'_>]) -> io::Result<()> {
    let store = one_line(store);
    if recalled.is_empty() {
        return writeln!(out, "\nNo record of {store} applies to this module and fleet ({all} there).");
    }
    let apply = plural(recalled.len() as u64, "record applies", "records apply");
    writeln!(out, "\n{BOLD}What was learned before{BOLD:#} {DIM}({store}: of {all}, {apply}){DIM:#}")?;
    let (first, rest) = recalled.split_at(recalled.len().min(FIRST));
    let contradicted = rest.iter().filter(|one| one.is_contradicted()).take(CONTRADICTED);
    let shown: Vec<&Recalled<'_>> = first.iter().chain(contradicted).collect();
    for one in &shown {
        writeln!(
            out,
            "  {BOLD}{}{BOLD:#} {DIM}[{}]{DIM:#}",
            cut(&one_line(&one.record.title), MOST_OF_A_TITLE),
            cut(&one_line(&one.record.category), MOST_OF_A_TITLE)
        )?;
        let prose = prose(&one_line(&one.record.content)).to_owned();
        let text = match &one.elsewhere {
            None => prose,
            Some(Elsewhere { differs, found }) => {
                let case = format!("{}. Nothing in it surely follows for today.", one_line(differs));
                writeln!(out, "    {ASKS}about another case:{ASKS:#} {}", cut(&case, MOST_LETTERS))?;
                format!("It found there: {}", found.as_ref().unwrap_or(&prose))
            }
        };
        for line in wrapped(&cut(&text, MOST_LETTERS), WIDTH) {
            writeln!(out, "    {line}")?;
        }
        for verdict in &one.verdicts {
            match verdict {
                Verdict::Contradicts(why) => {
                    writeln!(out, "    {LOUD}today contradicts it:{LOUD:#} {}", one_line(why))?
                }
                Verdict::Differs(why) => writeln!(out, "    {ASKS}today differs:{ASKS:#} {}", one_line(why))?,
                Verdict::Agrees(why) => writeln!(out, "    {GOOD}today agrees:{GOOD:#} {}", one_line(why))?,
            }
        }
    }
    match recalled.len() - shown.len() {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more"),
    }
}

/// Facts are for machines.
fn prose(content: &str) -> &str {
    content.rsplit_once(" Facts: ").map_or(content, |(prose, _)| prose)
}

/// Texts of a store can be long.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text.to_owned(),
    }
}

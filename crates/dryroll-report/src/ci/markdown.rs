//! A check as Markdown: for a comment on a pull request, and for the summary of a job.

use std::io::{self, Write};

use crate::model::{BaselineReport, CheckReport, Status};
use crate::words::baseline::{COLUMNS, LISTED, conditions, others, policy_change};
use crate::words::check::{sign, verdict};
use dryroll_sim::text::escaped;

/// Writes it.
///
/// # Errors
/// When writing fails.
pub fn write(out: &mut impl Write, report: &CheckReport) -> io::Result<()> {
    writeln!(out, "### dryroll check: {}\n", text(&verdict(report)))?;
    if !report.scenarios.is_empty() {
        writeln!(out, "| | rule | version | observed | limit | interval | replicates |")?;
        writeln!(out, "| --- | --- | --- | --- | --- | --- | --- |")?;
    }
    for scenario in &report.scenarios {
        writeln!(out, "| | **{}** | | | | | |", text(&scenario.file.to_string()))?;
        for rule in &scenario.rules {
            let cells = [
                format!("{} {}", sign(rule.status), rule.status.name()),
                format!("{} {}", rule.about, rule.replicates),
                rule.rolled_out(),
                rule.observed_says.clone(),
                rule.limit.clone(),
                rule.interval_says.clone(),
                rule.n.to_string(),
            ];
            writeln!(out, "| {} |", cells.map(|cell| text(cell.trim())).join(" | "))?;
        }
    }
    for scenario in report.scenarios.iter().filter(|scenario| !scenario.passed) {
        writeln!(out, "\n**{}** did not pass:\n", text(&scenario.file.to_string()))?;
        let rules = scenario.rules.iter().filter(|rule| rule.status != Status::Passed);
        let rules = rules.filter(|rule| rule.replay.is_some() || rule.why.is_some());
        let rules = rules.map(|rule| (format!("line {}, {}", rule.line, rule.in_a_sentence()), &rule.replay));
        let faults = scenario.idle_faults.iter().map(|fault| (fault.says(), &fault.replay));
        for (says, replay) in rules.chain(faults) {
            writeln!(out, "- {}", text(&says))?;
            if let Some(replay) = replay {
                writeln!(out, "\n  {}\n", code(&replay.to_string()))?;
            }
        }
    }
    for rule in report.scenarios.iter().flat_map(|scenario| &scenario.rules).filter(|rule| rule.by_tolerance) {
        writeln!(out, "\n≈ {}", text(&rule.in_a_sentence()))?;
    }
    for one in &report.wrong {
        writeln!(out, "\n**{}** is wrong: {}", text(&one.file), text(&one.why))?;
    }
    for (place, one) in report.advice.iter().enumerate() {
        let before = if place == 0 { "\n**Advice**\n\n" } else { "" };
        writeln!(out, "{before}- {}: {}", text(&one.place()), text(&one.in_a_sentence()))?;
    }
    if !report.not_scenarios.is_empty() {
        let files: Vec<String> = report.not_scenarios.iter().map(|file| text(file.raw())).collect();
        writeln!(out, "\nNo scenarios: {}", files.join(", "))?;
    }
    if !report.without_rules.is_empty() {
        let files: Vec<String> = report.without_rules.iter().map(|file| text(&file.to_string())).collect();
        writeln!(out, "\nWithout rules: {}", files.join(", "))?;
    }
    report.baseline.as_ref().map_or(Ok(()), |baseline| against(out, baseline))
}

/// What got better and worse than a baseline.
fn against(out: &mut impl Write, baseline: &BaselineReport) -> io::Result<()> {
    writeln!(out, "\n#### Against {}", text(&baseline.file.to_string()))?;
    for scenario in &baseline.scenarios {
        writeln!(out, "\n**{}**: {}\n", text(&scenario.file.to_string()), text(&scenario.in_a_line()))?;
        let change = policy_change(scenario);
        if !change.is_empty() {
            writeln!(out, "- {}", text(&format!("[rollout] {change}")))?;
        }
        for note in &scenario.notes {
            writeln!(out, "- {}", text(note))?;
        }
        let changes: Vec<_> = LISTED.into_iter().flat_map(|verdict| scenario.of(verdict)).collect();
        if !changes.is_empty() {
            writeln!(out, "\n| {} |\n|{}", COLUMNS.join(" | "), " --- |".repeat(COLUMNS.len()))?;
            for fact in &changes {
                writeln!(out, "| {} |", fact.cells().map(|cell| text(&cell)).join(" | "))?;
            }
        }
        for (place, condition) in conditions(scenario).enumerate() {
            writeln!(out, "{}- {}", if place == 0 { "\n" } else { "" }, text(&condition))?;
        }
        let others = others(scenario);
        if !others.is_empty() {
            writeln!(out, "\n{}", text(&others))?;
        }
        if let Some(replay) = scenario.replay.as_ref().filter(|_| !changes.is_empty()) {
            writeln!(out, "\n{}", code(&replay.to_string()))?;
        }
    }
    for other in &baseline.not_checked {
        let why = if other.gone { "no file any more: take its lines out" } else { "not checked" };
        writeln!(out, "\n{}: {why}", text(&other.scenario.to_string()))?;
    }
    Ok(())
}

/// What takes a link apart for a reader of Markdown, and shows nothing.
const APART: &str = "<!-- -->";

/// Text in which nothing is markup: no address becomes a link, no name a mention, no number a reference.
fn text(words: &str) -> String {
    let words = escaped(words);
    let mut out = String::with_capacity(words.len());
    let mut rest = words.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.extend(["@", APART]),
            '#' => out.extend(["\\#", APART]),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' => out.extend(['\\', letter]),
            ':' if rest.as_str().starts_with("//") || ends(&out, "mailto") || ends(&out, "xmpp") => {
                out.extend([":", APART]);
            }
            '.' if ends(&out, "www") => out.extend([APART, "."]),
            '-' if ends(&out, "gh") => out.extend([APART, "-"]),
            _ => out.push(letter),
        }
    }
    out
}

/// Whether a text ends so, in whatever case.
fn ends(text: &str, end: &str) -> bool {
    let place = text.len().checked_sub(end.len());
    place.and_then(|place| text.get(place..)).is_some_and(|found| found.eq_ignore_ascii_case(end))
}

/// A command, fenced by more backticks than stand in it.
fn code(command: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for letter in command.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {} {fence}", escaped(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(text("a|b <b>_x_ @all"), "a\\|b &lt;b&gt;\\_x\\_ @<!-- -->all");
        assert_eq!(text("a\r\n# \u{202e}"), "a\\\\r\\\\n\\#<!-- --> \\\\u{202e}");
        assert_eq!(code("run `a``b`"), "``` run `a``b` ```");
        assert_eq!(code("a\n\u{1b}"), "` a\\n\\u{1b} `");
    }

    #[test]
    fn no_address_is_a_link() {
        for (words, two_samples) in [
            ("http://evil", "http:<!-- -->//evil"),
            ("HTTPS://evil", "HTTPS:<!-- -->//evil"),
            ("see WWW.evil.org", "see WWW<!-- -->.evil.org"),
            ("mailto:a@b.org", "mailto:<!-- -->a@<!-- -->b.org"),
            ("@all of #12", "@<!-- -->all of \\#<!-- -->12"),
            ("GH-12 o/r#3", "GH<!-- -->-12 o/r\\#<!-- -->3"),
            ("12:30 v-1.2", "12:30 v-1.2"),
        ] {
            assert_eq!(text(words), two_samples);
        }
    }
}

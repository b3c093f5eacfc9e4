//! A check as annotations of GitHub Actions: commands on the output of a job, which show beside the line of the rule.

use std::io::{self, Write};

use super::study::{CheckReport, Status};

/// Writes an error for each rule that did not pass and each fault that touched nothing.
///
/// # Errors
/// When writing fails.
pub fn annotate(out: &mut impl Write, report: &CheckReport) -> io::Result<()> {
    for scenario in &report.scenarios {
        let told = |replay: &Option<String>| replay.as_ref().map(|replay| format!("\n{replay}")).unwrap_or_default();
        let wanting = |status: Status| matches!(status, Status::Failed | Status::Undecided);
        for rule in scenario.rules.iter().filter(|rule| wanting(rule.status)) {
            let title = format!("dryroll check: {}", rule.status.name());
            let message = format!("{}{}", rule.in_a_sentence(), told(&rule.replay));
            error(out, &scenario.file, rule.line, &title, &message)?;
        }
        for fault in &scenario.idle_faults {
            let message = format!("{}{}", fault.says(), told(&fault.replay));
            error(out, &scenario.file, 1, "dryroll check: a fault touched nothing", &message)?;
        }
    }
    Ok(())
}

fn error(out: &mut impl Write, file: &str, line: usize, title: &str, message: &str) -> io::Result<()> {
    writeln!(out, "::error file={},line={line},title={}::{}", property(file), property(title), data(message))
}

/// As the runner takes the text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As the runner takes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_file_is_a_command() {
        let mut out = Vec::new();
        error(&mut out, "a,b:\n::error::x", 3, "t", "100 %\nb").unwrap();
        let said = String::from_utf8(out).unwrap();
        assert_eq!(said, "::error file=a%2Cb%3A%0A%3A%3Aerror%3A%3Ax,line=3,title=t::100 %25%0Ab\n");
    }
}

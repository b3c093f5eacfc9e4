//! A check as annotations of GitHub Actions: commands on the output of a job, which show beside the line of the rule.

use std::io::{self, Write};

use crate::model::{AgainstBaseline, BaselineScenario, CheckReport, Status};
use dryroll_sim::text::escaped;
use dryroll_study::study::baseline::contrast::Verdict;

/// Writes an error for each rule that did not pass, each fault that touched nothing and each scenario that is worse
/// than the baseline, a warning for each scenario that has no part in it yet, and either for advice.
///
/// # Errors
/// When writing fails.
pub fn annotate(out: &mut impl Write, report: &CheckReport) -> io::Result<()> {
    for scenario in &report.scenarios {
        let how_to_replay = |replay: &Option<dryroll_sim::text::Foreign>| {
            replay.as_ref().map(|replay| format!("\n{replay}")).unwrap_or_default()
        };
        let wanting = |status: Status| matches!(status, Status::Failed | Status::Undecided);
        for rule in scenario.rules.iter().filter(|rule| wanting(rule.status)) {
            let title = format!("dryroll check: {}", rule.status.name());
            let message = format!("{}{}", rule.in_a_sentence(), how_to_replay(&rule.replay));
            annotation(out, "error", scenario.file.raw(), rule.line, &title, &message)?;
        }
        for fault in &scenario.idle_faults {
            let message = format!("{}{}", fault.says(), how_to_replay(&fault.replay));
            annotation(out, "error", scenario.file.raw(), 1, "dryroll check: a fault touched nothing", &message)?;
        }
    }
    for one in &report.wrong {
        annotation(out, "error", &one.file, one.line.unwrap_or(1), "dryroll check: the scenario is wrong", &one.why)?;
    }
    let level = if report.strict { "error" } else { "warning" };
    for one in &report.advice {
        annotation(out, level, &one.path, one.line.unwrap_or(1), "dryroll check: advice", &one.in_a_sentence())?;
    }
    report.baseline.iter().flat_map(|baseline| &baseline.scenarios).try_for_each(|scenario| against(out, scenario))
}

/// One annotation a scenario: a job shows no more than ten.
fn against(out: &mut impl Write, scenario: &BaselineScenario) -> io::Result<()> {
    let worth_a_word = matches!(
        scenario.standing,
        AgainstBaseline::New | AgainstBaseline::ScenarioChanged | AgainstBaseline::NotRunnable
    );
    let level = match (scenario.passed, worth_a_word) {
        (false, _) => "error",
        (true, true) => "warning",
        (true, false) => return Ok(()),
    };
    let facts = scenario.of(Verdict::Worse).map(|fact| fact.in_a_sentence());
    let lines: Vec<String> =
        scenario.notes.iter().cloned().chain(facts).chain(scenario.replay.as_ref().map(ToString::to_string)).collect();
    let title = format!("dryroll check, baseline: {}", scenario.in_a_line());
    annotation(out, level, scenario.file.raw(), scenario.line, &title, &lines.join("\n"))
}

fn annotation(
    out: &mut impl Write,
    level: &str,
    file: &str,
    line: usize,
    title: &str,
    message: &str,
) -> io::Result<()> {
    writeln!(out, "::{level} file={},line={line},title={}::{}", property(file), property(title), data(message))
}

/// As the runner takes the text of a command: it has a line end for `%0A`, and the rest that acts is escaped.
fn data(text: &str) -> String {
    escaped(&text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")).into_owned()
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
        annotation(&mut out, "error", "a,b:\n::error::x", 3, "t", "100 %\nb").unwrap();
        let said = String::from_utf8(out).unwrap();
        assert_eq!(said, "::error file=a%2Cb%3A%0A%3A%3Aerror%3A%3Ax,line=3,title=t::100 %25%0Ab\n");
    }
}

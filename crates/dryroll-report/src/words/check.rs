//! A check in words: the sign of a status, and all of it in a line.

use crate::model::{CheckReport, Status};
use crate::words::plural;

/// The sign of what became of a rule.
#[must_use]
pub fn sign(status: Status) -> &'static str {
    match status {
        Status::Passed => "●",
        Status::Failed => "✗",
        Status::Undecided => "?",
        Status::Skipped => "·",
    }
}

/// All of it in a line, and the baseline in another part of it.
#[must_use]
pub fn verdict(report: &CheckReport) -> String {
    let rules = (!report.scenarios.is_empty() || report.baseline.is_none()).then(|| of_rules(report));
    let baseline = report.baseline.as_ref().map(|baseline| baseline.verdict());
    rules.into_iter().chain(baseline).collect::<Vec<_>>().join("; ")
}

/// Whether all passed, a baseline apart.
pub(crate) fn rules_passed(report: &CheckReport) -> bool {
    let advice = report.strict && !report.advice.is_empty();
    !advice && report.wrong.is_empty() && report.scenarios.iter().all(|scenario| scenario.passed)
}

/// The rules alone, in a line.
pub(crate) fn of_rules(report: &CheckReport) -> String {
    let counts = report.counts;
    let idle: usize = report.scenarios.iter().map(|scenario| scenario.idle_faults.len()).sum();
    let mut parts = vec![format!("{} passed", counts.passed)];
    for (count, what) in [(counts.failed, "failed"), (counts.undecided, "undecided"), (counts.skipped, "skipped")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if idle > 0 {
        parts.push(plural(idle as u64, "fault touched nothing", "faults touched nothing"));
    }
    if report.strict && !report.advice.is_empty() {
        parts.push(plural(report.advice.len() as u64, "piece of advice", "pieces of advice"));
    }
    if !report.wrong.is_empty() {
        parts.push(plural(report.wrong.len() as u64, "scenario is wrong", "scenarios are wrong"));
    }
    let rules = counts.passed + counts.failed + counts.undecided + counts.skipped;
    let state = if rules_passed(report) { "passed" } else { "failed" };
    format!(
        "{state}: {} of {}: {} ({})",
        plural(rules, "rule", "rules"),
        plural(report.scenarios.len() as u64, "scenario", "scenarios"),
        parts.join(", "),
        plural(report.rollouts, "rollout", "rollouts")
    )
}

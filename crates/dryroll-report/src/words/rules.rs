//! Rules of `breakers` in words: what a rule counts and when it holds, with its count where it has one.

use dryroll_engine::{Engine, FailureCount, Failures, Limit, Moments, Rule, RuleKind, Then, Threshold, Whole};

use crate::words::spoken;

/// A rule, in words: `25% of the judged failed, after 10 are judged; rolls back`.
#[must_use]
pub fn rule(rule: &Rule) -> String {
    let (what, armed) = match &rule.kind {
        RuleKind::Failures(failures) => (of_failures(failures), Some(failures.armed)),
        RuleKind::FailedBatches(batches) => {
            let more = if batches.exceeds { "more than " } else { "" };
            (format!("{more}{} failed batches in a row", batches.limit), Some(batches.armed))
        }
        RuleKind::Unwell(unwell) => {
            (format!("{} unwell when a batch begins", limit(&unwell.threshold)), Some(unwell.armed))
        }
        RuleKind::Sprt(sprt) => {
            let checked = if sprt.check == Moments::BatchEnd { ", at the end of a batch" } else { "" };
            (format!("a sequential test of the failure rate{checked}"), None)
        }
        RuleKind::NoProgress(no_progress) => (format!("no healthy verdict for {}", spoken(no_progress.after)), None),
    };
    let mut said = what;
    if let Some(armed) = armed {
        if armed.after_judged > 0 {
            said.push_str(&format!(", after {} are judged", armed.after_judged));
        }
        if let Some(until) = armed.until_pct {
            said.push_str(&format!(", until {until} % are judged"));
        }
    }
    said.push_str(match rule.then {
        Then::Ask => "",
        Then::Note => "; only notes",
        Then::Abort => "; aborts",
        Then::RollBack => "; rolls back",
    });
    said
}

/// The rules of an engine, a line each, with what they count now: `rule 1: 3 failed in a row; counts 1`.
#[must_use]
pub fn lines(engine: &Engine) -> Vec<String> {
    let line = |(number, (rule, count)): (usize, (&Rule, Option<u32>))| {
        let count = counted(engine, rule, count).map_or_else(String::new, |count| format!("; counts {count}"));
        format!("rule {number}: {}{count}", self::rule(rule))
    };
    (1..).zip(engine.rules()).map(line).collect()
}

/// What a rule counts now; `None` where it counts nothing.
#[must_use]
pub fn counted(engine: &Engine, rule: &Rule, count: Option<u32>) -> Option<u32> {
    match rule.kind {
        RuleKind::Unwell(_) => engine.unwell(),
        RuleKind::Failures(_) | RuleKind::FailedBatches(_) | RuleKind::Sprt(_) | RuleKind::NoProgress(_) => count,
    }
}

fn of_failures(failures: &Failures) -> String {
    let mut said = format!("{} failed", limit(&failures.threshold));
    match failures.how {
        FailureCount::Total => {}
        FailureCount::InARow => said.push_str(" in a row"),
        FailureCount::Window(window) => said.push_str(&format!(" in {}", spoken(window))),
    }
    if let Some(reasons) = &failures.reasons {
        let reasons: Vec<String> = reasons.iter().map(|reason| reason.name().replace('_', " ")).collect();
        said.push_str(&format!(" ({})", reasons.join(", ")));
    }
    if failures.check == Moments::BatchEnd {
        said.push_str(", at the end of a batch");
    }
    said
}

fn limit(threshold: &Threshold) -> String {
    let more = if threshold.exceeds { "more than " } else { "" };
    let of = match threshold.of {
        Whole::Planned => "the planned",
        Whole::Batch => "the batch",
        Whole::Judged => "the judged",
    };
    match threshold.limit {
        Limit::Count(count) => format!("{more}{count}"),
        Limit::Share(share) => format!("{more}{} of {of}", share),
        Limit::Clamped { share, least, most } => {
            format!("{more}{} of {of}, {least} to {most}", share)
        }
    }
}

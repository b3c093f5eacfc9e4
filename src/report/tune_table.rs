//! A search told to people: the answer, why, what else would do, and what would change it.

use std::io::{self, Write};

use anstyle::Style;

use super::study::{Candidate, Standing, TuneReport};
use super::table::Table;
use super::wording::{Unit, called, plural};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// Policies that are told; the report has all.
const MOST_ROWS: usize = 16;

/// Tells a search.
///
/// # Errors
/// When writing fails.
pub fn tune_table(out: &mut impl Write, report: &TuneReport) -> io::Result<()> {
    let goal = called(&report.minimise);
    writeln!(out, "{BOLD}{}{BOLD:#}", report.scenario.name)?;
    writeln!(
        out,
        "least {goal} of {} · {} on the same worlds · {} · seed {}",
        report.good,
        plural(report.candidates.len() as u64, "policy", "policies"),
        plural(report.rollouts, "rollout", "rollouts"),
        report.seed
    )?;
    for limit in &report.limits {
        writeln!(out, "  {} ({})", limit.says, limit.versions.join(", "))?;
    }
    writeln!(out, "\n{BOLD}{}{BOLD:#}", report.says)?;
    if let Some(binding) = &report.binding {
        writeln!(out, "What binds: {binding}")?;
    }
    for warning in &report.warnings {
        writeln!(out, "{BOLD}warning:{BOLD:#} {warning}")?;
    }
    writeln!(out)?;
    policies(out, report, &goal)?;
    if !report.sensitivity.is_empty() {
        writeln!(out, "\nIf the failure rates are others:")?;
        for one in &report.sensitivity {
            writeln!(out, "  {}{}", one.says, if one.decided { "" } else { " (not decided)" })?;
        }
    }
    if !report.hints.is_empty() {
        writeln!(out, "\nWhat another rule could do with these batches:")?;
        for hint in &report.hints {
            writeln!(out, "  {}", hint.says)?;
        }
    }
    Ok(())
}

fn policies(out: &mut impl Write, report: &TuneReport, goal: &str) -> io::Result<()> {
    let unit = Unit::of(&report.minimise);
    let mut header = vec!["batch_pct", "max_consecutive_failures", goal, "blast radius"];
    let limits: Vec<String> = report
        .limits
        .iter()
        .flat_map(|limit| {
            // Two limits on one metric are told apart by all of their words.
            let is_one = report.limits.iter().filter(|other| other.metric == limit.metric).count() == 1;
            let name = if is_one { &limit.metric } else { &limit.says };
            limit
                .versions
                .iter()
                .map(move |version| if limit.versions.len() > 1 { format!("{name} {version}") } else { name.clone() })
        })
        .collect();
    header.extend(limits.iter().map(String::as_str));
    header.extend(["worlds", "front", "standing"]);
    let mut table = Table::new(&header, 0);
    let mut order: Vec<&Candidate> = report.candidates.iter().collect();
    let rank = |candidate: &Candidate| match candidate.standing {
        Standing::Recommended => 0,
        Standing::Undecided => 1,
        Standing::Slower => 2,
        Standing::BreaksLimit => 3,
    };
    let speed = |candidate: &Candidate| candidate.evidence.objective.value.unwrap_or(f64::INFINITY);
    order.sort_by(|a, b| rank(a).cmp(&rank(b)).then(speed(a).total_cmp(&speed(b))));
    for candidate in order.iter().take(MOST_ROWS) {
        let evidence = &candidate.evidence;
        let mut row = vec![
            candidate.policy.batch_pct.to_string(),
            candidate.policy.max_consecutive_failures.to_string(),
            unit.say_or_nothing(evidence.objective.value),
            Unit::Percent.say_or_nothing(evidence.blast_radius_pct.value),
        ];
        row.extend(evidence.limits.iter().map(|check| {
            let mark = match check.holds {
                Some(true) => "●",
                Some(false) => "✗",
                None => "?",
            };
            format!("{} {mark}", Unit::of(&check.metric).say_or_nothing(check.observed.value))
        }));
        let front = match candidate.on_front {
            Some(true) => "yes",
            Some(false) => "",
            None => "maybe",
        };
        let standing = match candidate.standing {
            Standing::Recommended => "recommended",
            Standing::Undecided if candidate.why.starts_with("as good") => "as good",
            Standing::Undecided => "undecided",
            Standing::Slower => "slower",
            Standing::BreaksLimit => "breaks a limit",
        };
        row.extend([evidence.replicates.to_string(), front.to_owned(), standing.to_owned()]);
        table.push(row);
    }
    table.write(out)?;
    if order.len() > MOST_ROWS {
        writeln!(out, "  … and {} more; --report has all", order.len() - MOST_ROWS)?;
    }
    writeln!(out, "  {DIM}● the limit surely holds, ✗ surely not, ? undecided{DIM:#}")
}

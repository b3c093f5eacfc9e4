//! A search on the terminal: the answer, why, which other policies would do, and what would change it.

use dryroll_sim::text::listed;
use std::io::{self, Write};

use anstyle::Style;

use crate::judge::conditional::beside;
use crate::model::{AnswerShare, BelievedRate, Candidate, LaterReport, PosteriorReport, Standing, TuneReport};
use crate::terminal::advice::advice_table;
use crate::terminal::table::{Table, line_width, write_labelled, write_text};
use crate::words::tune::{known, value_in_words};
use crate::words::{NOTHING, Unit, called, plural, wrapped};
use dryroll_study::study::policy::in_words;
use dryroll_study::study::tune::further_keys;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// Policies that are listed; the report has all.
const MOST_ROWS: usize = 16;

/// Writes a search.
///
/// # Errors
/// When writing fails.
pub fn tune_table(out: &mut impl Write, report: &TuneReport) -> io::Result<()> {
    let goal = called(report.minimise.name());
    writeln!(out, "{BOLD}{}{BOLD:#}", report.scenario.name)?;
    writeln!(
        out,
        "least {goal} of {} · {} on the same replicates · {} · seed {}",
        report.good,
        plural(report.candidates.len() as u64, "policy", "policies"),
        plural(report.rollouts, "rollout", "rollouts"),
        report.seed
    )?;
    for limit in &report.limits {
        let from = limit.key.as_ref().map(|key| format!("; {key}")).unwrap_or_default();
        writeln!(out, "  {} ({}{from})", limit.says, listed(&limit.versions))?;
    }
    if let Some(posterior) = &report.posterior {
        believed(out, posterior)?;
    }
    writeln!(out)?;
    write_text(out, BOLD, [0, 2], &report.says)?;
    if let Some(binding) = &report.binding {
        write_labelled(out, (Style::new(), "Binding limit:"), 0, binding)?;
    }
    for warning in &report.warnings {
        write_labelled(out, (BOLD, "warning:"), 0, warning)?;
    }
    advice_table(out, &report.advice)?;
    writeln!(out)?;
    policies(out, report, &goal)?;
    let said: Vec<&String> = report.spread.iter().map(|spread| &spread.says).chain(&report.spread_notes).collect();
    if !said.is_empty() {
        writeln!(out)?;
    }
    for says in said {
        paragraph(out, says)?;
    }
    if let Some(posterior) = &report.posterior {
        open(out, posterior, report)?;
    }
    if !report.sensitivity.is_empty() {
        writeln!(out, "\n{}:", report.supposes())?;
        for says in report.sensitivity.iter().map(|one| &one.says).chain(report.keeps.as_ref().map(|keeps| &keeps.says))
        {
            paragraph(out, says)?;
        }
    }
    if report.hints_say.is_some() || !report.hints.is_empty() {
        let batches = match &report.hints_with {
            Some(policy) if report.recommended.is_none() => format!("batches of {}", policy.batches_said()),
            _ => "these batches".to_owned(),
        };
        writeln!(out, "\nWhat another rule could do with {batches}, in replicates of its own:")?;
        for says in report.hints.iter().map(|hint| &hint.says).chain(&report.hints_say) {
            paragraph(out, says)?;
        }
    }
    Ok(())
}

/// The rates that come from a calibration.
fn believed(out: &mut impl Write, posterior: &PosteriorReport) -> io::Result<()> {
    let of = &posterior.calibration;
    let rollouts = plural(of.rollouts, "rollout", "rollouts");
    writeln!(out, "rates drawn for each replicate from {} · {rollouts} · SHA-256 {:.12}…", of.file, of.hash)?;
    for version in &posterior.versions {
        for (name, rate) in [("failure_rate", &version.failure_rate), ("hang_rate", &version.hang_rate)] {
            let BelievedRate { hits, n, mean, ci, scenario, concentration, .. } = rate;
            let each = if concentration.is_some() { " for each rollout" } else { "" };
            writeln!(
                out,
                "  {} {name} {} ({}{each}) from {hits} of {} {DIM}· in the scenario {}{DIM:#}",
                version.version,
                Unit::Share.say(*mean),
                Unit::Share.say_interval(Some(*ci)),
                plural(*n, "verdict", "verdicts"),
                Unit::Share.say(*scenario)
            )?;
        }
    }
    paragraph(out, &format!("not drawn: {}", posterior.held.join("; ")))
}

/// What the history leaves open, and what more history would save.
fn open(out: &mut impl Write, posterior: &PosteriorReport, report: &TuneReport) -> io::Result<()> {
    writeln!(out, "\nWhat the history leaves open:")?;
    paragraph(out, &posterior.point.says)?;
    paragraph(out, &posterior.says)?;
    if posterior.later.is_empty() {
        return Ok(());
    }
    let unit = Unit::of_metric(report.minimise);
    writeln!(out, "  {DIM}what more history would save of {}, on average:{DIM:#}", called(report.minimise.name()))?;
    let header = ["", "with today's limits", "", "with limits decided anew", "", "tune's answer then"];
    let mut table = Table::new(&header, 1);
    for later in &posterior.later {
        let information_value = later.information_value.as_ref();
        table.push(vec![
            known(later.history),
            unit.say_or_nothing(information_value.map(|information_value| information_value.estimate)),
            information_value.map_or_else(String::new, |information_value| {
                format!("({})", unit.say_interval(Some(information_value.ci)))
            }),
            later.saves.value.map_or_else(|| NOTHING.to_owned(), |value| unit.say_saving(value)),
            later.saves.ci.map_or_else(String::new, |ci| format!("({})", unit.say_interval(Some(ci)))),
            answers(later),
        ]);
    }
    table.write(out)?;
    if let Some(stays) = posterior.later.last().and_then(|known| known.stays) {
        let (tolerance, stays) = (Unit::Share.say(report.tolerance), Unit::Share.say(stays));
        let of = plural(posterior.replicates, "draw", "draws");
        let said = format!(
            "at the rates of {stays} of {of} the recommended policy is within the limits and within {tolerance} of \
             the best"
        );
        paragraph(out, &said)?;
    }
    Ok(())
}

/// What tune would recommend, the values alone.
fn answers(later: &LaterReport) -> String {
    let policy = |one: &AnswerShare| match (&one.policy.policy, one.policy.beyond.get("breakers")) {
        (Some(name), _) => name.to_string(),
        (None, Some(rules)) => format!("{}/{}/{}", one.policy.batches(), one.policy.limit(), in_words(rules)),
        (None, None) => format!("{}/{}", one.policy.batches(), one.policy.limit()),
    };
    let of = |one: &AnswerShare| format!("{} {}", policy(one), Unit::Share.say(one.share));
    let mut said: Vec<String> = later.answers.iter().take(MOST_ANSWERS).map(of).collect();
    let rest: f64 = later.answers.iter().skip(MOST_ANSWERS).map(|one| one.share).sum();
    if rest > 0.0 {
        said.push(format!("others {}", Unit::Share.say(rest)));
    }
    if let Some(none) = later.none.filter(|&none| none > 0.0) {
        said.push(format!("none {}", Unit::Share.say(none)));
    }
    said.join(", ")
}

/// Letters of a line.
const WIDTH: usize = 116;
/// Answers that are listed; the report has all.
const MOST_ANSWERS: usize = 4;

fn paragraph(out: &mut impl Write, text: &str) -> io::Result<()> {
    for (i, line) in wrapped(text, line_width(WIDTH + 4).saturating_sub(4)).into_iter().enumerate() {
        writeln!(out, "  {}{line}", if i == 0 { "" } else { "  " })?;
    }
    Ok(())
}

fn policies(out: &mut impl Write, report: &TuneReport, goal: &str) -> io::Result<()> {
    let unit = Unit::of_metric(report.minimise);
    let orders = report.candidates.iter().any(|candidate| !candidate.policy.order.is_listed());
    let further = further_keys(report.candidates.iter().map(|candidate| &candidate.policy));
    let names = report.candidates.iter().any(|candidate| candidate.policy.policy.is_some());
    let mut header: Vec<&str> = names.then_some("policy").into_iter().collect();
    header.extend(["batch_pct", "max_consecutive_failures"]);
    header.extend(orders.then_some("order"));
    header.extend(further.iter().map(String::as_str));
    header.push(goal);
    let has_front = report.worst.is_some();
    if has_front {
        header.extend(["blast radius", "harmed"]);
    }
    let limits: Vec<String> = report
        .limits
        .iter()
        .flat_map(|limit| {
            // Two limits on one metric need all of their words.
            let is_one = report.limits.iter().filter(|other| other.metric == limit.metric).count() == 1;
            let name = if is_one { limit.metric.name() } else { &limit.says };
            limit.versions.iter().map(move |version| {
                if limit.versions.len() > 1 { format!("{name} {version}") } else { name.to_owned() }
            })
        })
        .collect();
    header.extend(limits.iter().map(String::as_str));
    header.push("replicates");
    header.extend(has_front.then_some("front"));
    header.push("verdict");
    let mut table = Table::new(&header, 0);
    let mut order: Vec<&Candidate> = report.candidates.iter().collect();
    let rank = |candidate: &Candidate| match candidate.standing {
        Standing::Recommended => 0,
        Standing::AsGood => 1,
        Standing::Undecided => 2,
        Standing::Slower => 3,
        Standing::BreaksLimit => 4,
        Standing::NeverTrips => 5,
    };
    let speed = |candidate: &Candidate| candidate.evidence.objective.best().unwrap_or(f64::INFINITY);
    order.sort_by(|a, b| rank(a).cmp(&rank(b)).then(speed(a).total_cmp(&speed(b))));
    for candidate in order.iter().take(MOST_ROWS) {
        let evidence = &candidate.evidence;
        let name = candidate.policy.policy.as_ref().map_or_else(|| NOTHING.to_owned(), ToString::to_string);
        let mut row: Vec<String> = names.then_some(name).into_iter().collect();
        row.extend([candidate.policy.batches(), candidate.policy.limit()]);
        row.extend(orders.then(|| candidate.policy.order.name().to_owned()));
        row.extend(further.iter().map(|key| value_in_words(&candidate.policy, key)));
        row.push(evidence.objective.says(unit));
        if has_front {
            row.push(evidence.blast_radius_pct.says(Unit::Percent));
            row.push(evidence.harmed_pct.says(Unit::Percent));
        }
        row.extend(evidence.limits.iter().map(|check| {
            let mark = match check.holds {
                Some(true) if check.by_tolerance => "≈",
                Some(true) => "●",
                Some(false) => "✗",
                None => "?",
            };
            let of = beside(check.metric.name(), check.observed.n, evidence.replicates);
            format!("{}{of} {mark}", check.observed.says_against(Unit::of_measure(check.metric), check.bound))
        }));
        let front = match candidate.on_front {
            Some(true) => "yes",
            Some(false) => "",
            None => "maybe",
        };
        let standing = candidate.gives_up.as_deref().unwrap_or(candidate.standing.label());
        row.push(evidence.replicates.to_string());
        row.extend(has_front.then(|| front.to_owned()));
        row.push(standing.to_owned());
        table.push(row);
    }
    table.write(out)?;
    if order.len() > MOST_ROWS {
        writeln!(out, "  … and {} more; --report has all", order.len() - MOST_ROWS)?;
    }
    write_text(out, DIM, [2, 2], "● the limit surely holds, ✗ surely not, ? undecided; = exact, by theory")?;
    let by_tolerance = |candidate: &Candidate| candidate.evidence.limits.iter().any(|check| check.by_tolerance);
    if let Some(tolerance) = report.limit_tolerance.filter(|_| report.candidates.iter().any(by_tolerance)) {
        let note = format!(
            "≈ holds in every replicate seen, and the mean is surely no more than {} of the limit beyond it, or of the \
             whole scale where the limit is at its end",
            Unit::Share.say(tolerance)
        );
        write_text(out, DIM, [2, 2], &note)?;
    }
    Ok(())
}

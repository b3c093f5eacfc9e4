//! The page of a tuning.

use maud::html;

use super::layout::{Page, Section, figure, numbers, open, safe};
use super::policies::Policies;
use super::provenance::{Provenance, advice, warnings};
use crate::report::conditional::beside;
use crate::report::plot::pareto::{Pareto, Place, Point};
use crate::report::plot::{Plot, Table};
use crate::report::study::{Candidate, Estimate, Evidence, SavingParts, Standing, TuneReport};
use crate::report::tune_table::known;
use crate::report::wording::{NOTHING, Unit, called, number, plural};
use crate::study::Policy;

fn names(report: &TuneReport) -> Policies {
    let front = report.front.iter().map(|point| &point.policy);
    Policies::of(report.candidates.iter().map(|candidate| &candidate.policy).chain(front))
}

/// The plot of a tuning: its front.
#[must_use]
pub fn plots(report: &TuneReport) -> Vec<Plot> {
    let names = names(report);
    let is_it = |policy: &Policy| report.recommended.as_ref().is_some_and(|found| found.policy == *policy);
    let gives_up = |policy: &Policy| {
        report.candidates.iter().find(|candidate| candidate.policy == *policy).and_then(|found| found.gives_up.clone())
    };
    let point = |policy: &Policy, x: &Estimate, y: &Estimate, place| Point {
        stops: gives_up(policy),
        label: names.short(policy),
        policy: names.long(policy),
        x: x.clone(),
        y: y.clone(),
        place,
        recommended: is_it(policy),
    };
    let mut points: Vec<Point> = report
        .front
        .iter()
        .map(|of| {
            point(
                &of.policy,
                &of.objective,
                &of.blast_radius_pct,
                if of.decided { Place::Front } else { Place::Undecided },
            )
        })
        .collect();
    for candidate in &report.candidates {
        if report.front.iter().any(|of| of.policy == candidate.policy) {
            continue;
        }
        let place = match candidate.on_front {
            _ if candidate.gives_up.is_some() => Place::Stops,
            Some(true) => Place::Front,
            None => Place::Undecided,
            Some(false) => Place::Behind,
        };
        points.push(point(
            &candidate.policy,
            &candidate.evidence.objective,
            &candidate.evidence.blast_radius_pct,
            place,
        ));
    }
    let pareto = Pareto {
        reading: format!(
            "Further left is better for {}, further down is safer. Crosses are {} intervals; a point without one is exact, by theory. A disc is on the front for sure: no other policy is better in both. \
             A hollow diamond may be on it: the replicates do not decide. The ring is the recommended policy. Labels are {}.",
            report.good,
            Unit::Share.say(report.confidence),
            names.key()
        ),
        x_name: format!("{} with {}", called(&report.minimise), report.good),
        x_unit: Unit::of(&report.minimise),
        y_name: "blast radius of the worst version".to_owned(),
        y_unit: Unit::Percent,
        points,
    };
    pareto.draw().into_iter().collect()
}

/// The page of a tuning.
#[must_use]
pub fn page<'a>(report: &'a TuneReport, plots: &[Plot]) -> Page<'a> {
    let names = names(report);
    let unit = Unit::of(&report.minimise);
    let answer = report.recommended.as_ref().map_or_else(|| "no policy".to_owned(), |found| names.long(&found.policy));
    let mut headline = vec![("recommended".to_owned(), answer)];
    if let Some(found) = &report.recommended {
        headline.push((called(&report.minimise), found.evidence.objective.says(unit)));
        headline.push(("blast radius".to_owned(), found.evidence.blast_radius_pct.says(Unit::Percent)));
        headline.push(("harmed".to_owned(), found.evidence.harmed_pct.says(Unit::Percent)));
    }
    headline.push(("decided".to_owned(), if report.decided { "yes" } else { "no" }.to_owned()));
    let mut findings = vec![report.says.clone()];
    findings.extend(report.binding.clone());
    findings.push(goal(report));
    if !report.undecided.is_empty() {
        findings.push(format!(
            "{} could not be told apart from the answer, or may yet meet the limits.",
            plural(report.undecided.len() as u64, "policy", "policies")
        ));
    }
    findings.extend(report.spread.iter().map(|spread| spread.says.clone()));
    findings.extend(report.spread_notes.clone());
    let sections = vec![
        Section {
            id: "evidence",
            heading: "Why this one",
            body: html! { @if let Some(found) = &report.recommended { (open(&limits(&found.evidence))) } },
        },
        Section { id: "open", heading: "What the history leaves open", body: open_questions(report, &names) },
        Section { id: "warnings", heading: "Warnings", body: warnings(&report.warnings) },
        advice(&report.advice),
        Section { id: "front", heading: "Fast against safe", body: html! { @for plot in plots { (figure(plot)) } } },
        Section { id: "undecided", heading: "Not told apart", body: undecided(report, &names) },
        Section {
            id: "candidates",
            heading: "Every policy",
            body: html! { div class="text" { (numbers(&candidates(report, &names))) } },
        },
        Section {
            id: "sensitivity",
            heading: "With other failure rates",
            body: html! {
                @if let Some(keeps) = &report.keeps { p { (safe(&keeps.says)) } }
                div class="text" { (open(&sensitivity(report, &names))) }
            },
        },
        Section {
            id: "hints",
            heading: "What other rules could do",
            body: html! {
                @for hint in &report.hints { p { (safe(&hint.says)) } }
                @if let Some(says) = &report.hints_say { p { (safe(&sentence(says))) } }
                (open(&hints(report)))
            },
        },
        Provenance {
            scenario: &report.scenario,
            schema: report.schema.raw(),
            seed: report.seed,
            replicates: Some(report.replicates),
            confidence: Some(report.confidence),
            more: vec![
                ("rollouts in all", number(report.rollouts as f64)),
                ("tolerance", Unit::Share.say(report.tolerance)),
                ("tolerance of a limit", Unit::Share.say_or_nothing(report.limit_tolerance)),
                ("least share of good rollouts that complete", Unit::Share.say_or_nothing(report.min_completed)),
            ],
        }
        .section(),
    ];
    Page { title: report.scenario.name.raw(), kind: "The search for a policy", headline, findings, sections }
}

/// What a calibration leaves open, and what more of it would be worth.
fn open_questions(report: &TuneReport, names: &Policies) -> maud::Markup {
    let Some(posterior) = &report.posterior else { return html! {} };
    let of = &posterior.calibration;
    let unit = Unit::of(&report.minimise);
    let mut rates = Table::new(
        "The rates that each world draws",
        &["version", "rate"],
        &["seen", "of", "mean", "95 % of what is drawn", "the scenario says"],
    );
    for version in &posterior.versions {
        for (name, rate) in [("failure_rate", &version.failure_rate), ("hang_rate", &version.hang_rate)] {
            rates.row([
                version.version.to_string(),
                name.into(),
                number(rate.hits as f64),
                number(rate.n as f64),
                Unit::Share.say(rate.mean),
                Unit::Share.say_interval(Some(rate.ci)),
                Unit::Share.say(rate.scenario),
            ]);
        }
    }
    let goal = called(&report.minimise);
    let columns = [
        "worth within today's limits",
        "its interval",
        "saves with the limits held anew",
        "its interval",
        "of it by choosing otherwise among today's",
        "by policies that break a limit then",
        "by policies that are within them only then",
    ];
    let mut worth = Table::new(format!("What knowing more would save of {goal}, on average"), &["known"], &columns);
    let caption = format!("What tune would recommend then, of {}", plural(posterior.worlds, "draw", "draws"));
    let mut answers = Table::new(caption, &["known", "policy"], &["share"]);
    for later in &posterior.later {
        let known = known(later.history);
        let part = |of: fn(&SavingParts) -> &Estimate| {
            let value = later.parts.as_ref().and_then(|parts| of(parts).value);
            value.map_or_else(|| NOTHING.to_owned(), |value| unit.say_difference(value))
        };
        worth.row([
            known.clone(),
            unit.say_or_nothing(later.worth.map(|worth| worth.estimate)),
            unit.say_interval(later.worth.map(|worth| worth.ci)),
            unit.say_or_nothing(later.saves.value),
            unit.say_interval(later.saves.ci),
            part(|parts| &parts.choice),
            part(|parts| &parts.forbidden),
            part(|parts| &parts.allowed),
        ]);
        for one in later.answers.iter().take(20) {
            answers.row([known.clone(), names.long(&one.policy), Unit::Share.say(one.share)]);
        }
        if let Some(none) = later.none.filter(|&none| none > 0.0) {
            answers.row([known, "no policy".to_owned(), Unit::Share.say(none)]);
        }
    }
    html! {
        p { (safe(&posterior.says)) }
        p { (safe(&sentence(&posterior.point.says))) }
        @if let Some(stays) = posterior.later.last().and_then(|known| known.stays) {
            p { "The recommended policy is within the limits and within " (safe(&Unit::Share.say(report.tolerance))) " of the best in "
                (safe(&Unit::Share.say(stays))) " of the draws." }
        }
        p { (safe(&format!(
            "The rates come from {} ({}, SHA-256 {}). Not drawn: {}.",
            of.file,
            plural(of.rollouts, "rollout", "rollouts"),
            of.hash,
            posterior.held.join("; ")
        ))) }
        div class="text" { (open(&worth)) (open(&answers)) (open(&rates)) }
    }
}

/// With a large letter first and a full stop last.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

fn goal(report: &TuneReport) -> String {
    let limits: Vec<String> = report
        .limits
        .iter()
        .map(|limit| {
            if limit.versions.is_empty() {
                limit.says.clone()
            } else {
                format!("{} for {}", limit.says, limit.versions.join(", "))
            }
        })
        .collect();
    let within = if limits.is_empty() {
        "without limits".to_owned()
    } else {
        format!("within the limits {}", limits.join("; "))
    };
    format!("Wanted: the least {} with {}, {within}.", called(&report.minimise), report.good)
}

fn limits(evidence: &Evidence) -> Table {
    let mut table = Table::new(
        "The limits, held against the recommended policy",
        &["limit", "version"],
        &["observed", "its interval", "over", "holds"],
    );
    for check in &evidence.limits {
        let unit = Unit::of(&check.metric);
        let holds = match check.holds {
            Some(true) if check.by_tolerance => "≈ in every replicate seen",
            Some(true) => "✓ yes",
            Some(false) => "✗ no",
            None => "? undecided",
        };
        table.row([
            check.limit.clone(),
            check.version.to_string(),
            check.observed.says(unit) + &beside(&check.metric, check.observed.n, evidence.replicates),
            unit.say_interval(check.observed.ci),
            number(check.observed.n as f64),
            holds.to_owned(),
        ]);
    }
    table
}

fn undecided(report: &TuneReport, names: &Policies) -> maud::Markup {
    html! {
        @if !report.undecided.is_empty() {
            ul { @for named in report.undecided.iter().take(50) { li { (safe(&names.long(&named.policy))) ": " (safe(&named.why)) } } }
        }
    }
}

fn candidates(report: &TuneReport, names: &Policies) -> Table {
    let unit = Unit::of(&report.minimise);
    let goal = called(&report.minimise);
    let columns = [
        goal.as_str(),
        "its interval",
        "slower by",
        "its interval",
        "blast radius",
        "its interval",
        "harmed",
        "its interval",
        "replicates",
        "why",
    ];
    let mut table = Table::new("Every policy of the grid", &["policy", "stands"], &columns);
    for Candidate { policy, standing, why, evidence, slower_by, gives_up, .. } in &report.candidates {
        let stands = match standing {
            Standing::Recommended => "recommended",
            Standing::Undecided => "undecided",
            Standing::Slower => "slower",
            Standing::BreaksLimit => "breaks a limit",
            Standing::NeverTrips => "never trips",
        };
        let stands = gives_up.as_deref().unwrap_or(stands);
        table.row([
            names.long(policy),
            stands.to_owned(),
            evidence.objective.says(unit),
            unit.say_interval(evidence.objective.ci),
            slower_by.best().map_or_else(|| NOTHING.to_owned(), |value| unit.say_difference(value)),
            unit.say_difference_interval(slower_by.ci),
            evidence.blast_radius_pct.says(Unit::Percent),
            Unit::Percent.say_interval(evidence.blast_radius_pct.ci),
            Unit::Percent.say_or_nothing(evidence.harmed_pct.value),
            Unit::Percent.say_interval(evidence.harmed_pct.ci),
            number(evidence.replicates as f64),
            why.clone(),
        ]);
    }
    table
}

fn sensitivity(report: &TuneReport, names: &Policies) -> Table {
    let mut table = Table::new(
        "The answer with all failure rates times a factor",
        &["failure rates"],
        &["today's answer", "recommended there", "decided", "in words"],
    );
    for one in &report.sensitivity {
        table.row([
            format!("× {}", number(one.factor)),
            match one.meets {
                Some(true) => "✓ meets every limit",
                Some(false) => "✗ breaks a limit",
                None => "? undecided",
            }
            .to_owned(),
            one.recommended.as_ref().map_or_else(|| "no policy".to_owned(), |policy| names.long(policy)),
            if one.decided { "yes" } else { "no" }.to_owned(),
            one.says.clone(),
        ]);
    }
    table
}

fn hints(report: &TuneReport) -> Table {
    let mut table = Table::new(
        "Other rules with the same batches",
        &["rule", "parameters", "version"],
        &["would trip", "exposed by then", "would meet the limits"],
    );
    for hint in &report.hints {
        let meets = match hint.meets {
            Some(true) if hint.not_judged.is_empty() => "✓ yes".to_owned(),
            Some(true) => format!("✓ yes, not judged: {}", hint.not_judged.join(", ")),
            Some(false) => "✗ no".to_owned(),
            None => NOTHING.to_owned(),
        };
        table.row([
            hint.rule.clone(),
            hint.parameters.clone(),
            format!("{} (good)", report.good),
            Unit::Share.say(hint.false_trip_rate),
            NOTHING.to_owned(),
            meets,
        ]);
        for (version, trips, exposed) in &hint.versions {
            table.row([
                hint.rule.clone(),
                hint.parameters.clone(),
                version.to_string(),
                Unit::Share.say(*trips),
                Unit::Percent.say(*exposed),
                NOTHING.to_owned(),
            ]);
        }
    }
    table
}

//! The page of a tuning.

use maud::html;

use crate::html::layout::{Page, Section, figure, numbers, open, safe};
use crate::html::policies::Policies;
use crate::html::provenance::{Provenance, advice, warnings};
use crate::judge::conditional::beside;
use crate::model::{Candidate, Estimate, Evidence, LimitText, Named, SavingParts, Standing, TuneReport};
use crate::svg::pareto::{Bound, Marker, Pareto, Place, Point};
use crate::svg::{Plot, Table};
use crate::words::tune::known;
use crate::words::{NOTHING, Unit, called, number, plural};
use dryroll_sim::text::{Foreign, listed};

fn names(report: &TuneReport) -> Policies {
    let front = report.front.iter().map(|point| &point.policy);
    Policies::of(report.candidates.iter().map(|candidate| &candidate.policy).chain(front))
}

/// The plot of a tuning: where each policy stands to the limits, and its front.
#[must_use]
pub fn plots(report: &TuneReport) -> Vec<Plot> {
    // One axis is no plane.
    if report.worst.is_none() {
        return Vec::new();
    }
    let names = names(report);
    let point = |candidate: &Candidate| {
        let marker = marker(candidate);
        Point {
            label: names.short(&candidate.policy),
            policy: names.long(&candidate.policy),
            x: candidate.evidence.objective.clone(),
            y: candidate.evidence.blast_radius_pct.clone(),
            place: match candidate.on_front {
                _ if candidate.gives_up.is_some() => Place::Stops,
                Some(true) => Place::Front,
                None => Place::Undecided,
                Some(false) => Place::Behind,
            },
            stands: candidate.gives_up.clone().unwrap_or_else(|| candidate.standing.label().to_owned()),
            marker,
        }
    };
    let pareto = Pareto {
        reading: format!(
            "Further left is better for {}, further down is safer. Crosses are {} intervals; a point without one is \
             exact, by theory. Dashed lines are the limits on what the axes measure{}. The line joins the front: no \
             other policy is better in both. Labels are {}.",
            report.good,
            Unit::Share.say(report.confidence),
            others(report),
            names.key()
        ),
        x_name: format!("{} with {}", called(&report.minimise), report.good),
        x_unit: Unit::of(&report.minimise),
        y_name: "blast radius of the worst version".to_owned(),
        y_unit: Unit::Percent,
        legend: legend(report, &names),
        bounds: bounds(report),
        points: report.candidates.iter().map(point).collect(),
    };
    pareto.draw().into_iter().collect()
}

/// What is known of a policy's limits: whether all surely hold, or one surely does not.
fn meets(candidate: &Candidate) -> Option<bool> {
    let mut limits = candidate.evidence.limits.iter().map(|check| check.holds);
    match candidate.standing {
        Standing::BreaksLimit => Some(false),
        Standing::Recommended | Standing::AsGood => Some(true),
        _ if limits.clone().any(|holds| holds == Some(false)) => Some(false),
        _ => limits.all(|holds| holds == Some(true)).then_some(true),
    }
}

fn marker(candidate: &Candidate) -> Marker {
    match (candidate.standing, meets(candidate)) {
        (Standing::Recommended, _) => Marker::Recommended,
        (Standing::NeverTrips, _) => Marker::Breaks,
        (_, Some(true)) => Marker::Meets,
        (_, Some(false)) => Marker::Breaks,
        (_, None) => Marker::Open,
    }
}

/// The limits on means that the axes measure.
fn bounds(report: &TuneReport) -> Vec<Bound> {
    let of = |limit: &LimitText| {
        let at = limit.bound_of_mean?;
        let is_about = |version: &Foreign| limit.versions.contains(version);
        let on_x = limit.metric == report.minimise && is_about(&report.good);
        let on_y = limit.metric == "blast_radius_pct" && report.worst.as_ref().is_some_and(is_about);
        (on_x || on_y).then(|| Bound { says: format!("limit: {}", limit.says), at, on_x })
    };
    report.limits.iter().filter_map(of).collect()
}

/// The limits that no axis can show.
fn others(report: &TuneReport) -> String {
    let drawn = bounds(report);
    let is_drawn = |limit: &&LimitText| drawn.iter().any(|bound| bound.says == format!("limit: {}", limit.says));
    let others: Vec<&str> =
        report.limits.iter().filter(|limit| !is_drawn(limit)).map(|limit| limit.says.as_str()).collect();
    if others.is_empty() { String::new() } else { format!("; on no axis: {}", others.join(", ")) }
}

/// What each marker means, with why the policies that have it are not the answer.
fn legend(report: &TuneReport, names: &Policies) -> Vec<(Marker, String)> {
    let with = |marker: Marker| report.candidates.iter().filter(move |one| self::marker(one) == marker);
    let count = |marker: Marker| with(marker).count() as u64;
    let stand = |marker: Marker, standing: Standing| with(marker).filter(|one| one.standing == standing).count() as u64;
    let joined = |parts: Vec<(u64, String)>| {
        let parts: Vec<String> =
            parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, says)| format!("{n} {says}")).collect();
        parts.join(", ")
    };
    let mut lines = Vec::new();
    if let Some(found) = &report.recommended {
        lines.push((Marker::Recommended, format!("recommended: {}", names.long(&found.policy))));
    }
    let n = count(Marker::Meets);
    if n > 0 {
        let why = joined(vec![
            (stand(Marker::Meets, Standing::AsGood), "as good as the recommended one".into()),
            (stand(Marker::Meets, Standing::Slower), format!("surely have more {}", called(&report.minimise))),
            (stand(Marker::Meets, Standing::Undecided), "not told apart from it".into()),
        ]);
        lines
            .push((Marker::Meets, format!("every limit surely holds, for {}: {why}", plural(n, "policy", "policies"))));
    }
    let n = count(Marker::Open);
    if n > 0 {
        let slower = stand(Marker::Open, Standing::Slower);
        let why = if slower > 0 {
            format!("; {slower} surely have more {}", called(&report.minimise))
        } else {
            String::new()
        };
        let of = plural(n, "policy", "policies");
        lines.push((Marker::Open, format!("whether a limit holds is undecided, for {of}{why}")));
    }
    let n = count(Marker::Breaks);
    if n > 0 {
        let broken = |limit: &LimitText| {
            let breaks = |one: &&Candidate| {
                one.evidence.limits.iter().any(|check| check.limit == limit.says && check.holds == Some(false))
            };
            (with(Marker::Breaks).filter(breaks).count() as u64, format!("by {}", limit.says))
        };
        let never = (stand(Marker::Breaks, Standing::NeverTrips), "whose breaker can never trip".to_owned());
        let why = joined(report.limits.iter().map(broken).chain([never]).collect());
        let why = if why.is_empty() { why } else { format!(": {why}") };
        lines.push((
            Marker::Breaks,
            format!("a limit surely does not hold, for {}{why}", plural(n, "policy", "policies")),
        ));
    }
    lines
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
    let mut findings = vec![report.says.clone(), decided(report)];
    findings.extend(report.binding.clone());
    findings.push(goal(report));
    findings.extend(beside_the_answer(report));
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
        Section { id: "as-good", heading: "As good", body: list(&report.as_good, &names) },
        Section { id: "undecided", heading: "Undecided", body: list(&report.undecided, &names) },
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
            command: report.command.raw(),
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
    Page { title: report.scenario.name.raw().into(), kind: "The search for a policy", headline, findings, sections }
}

/// What a calibration leaves open, and what more of it would be worth.
fn open_questions(report: &TuneReport, names: &Policies) -> maud::Markup {
    let Some(posterior) = &report.posterior else { return html! {} };
    let of = &posterior.calibration;
    let unit = Unit::of(&report.minimise);
    let mut rates = Table::new(
        "The rates that each replicate draws",
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
        "by policies that are undecided today",
        "by policies that surely break a limit today",
    ];
    let mut information_value =
        Table::new(format!("What knowing more would save of {goal}, on average"), &["known"], &columns);
    let caption = format!("What tune would recommend then, of {}", plural(posterior.replicates, "draw", "draws"));
    let mut answers = Table::new(caption, &["known", "policy"], &["share"]);
    for later in &posterior.later {
        let known = known(later.history);
        let part = |of: fn(&SavingParts) -> &Estimate| {
            let value = later.parts.as_ref().and_then(|parts| of(parts).value);
            value.map_or_else(|| NOTHING.to_owned(), |value| unit.say_difference(value))
        };
        information_value.row([
            known.clone(),
            unit.say_or_nothing(later.information_value.map(|information_value| information_value.estimate)),
            unit.say_interval(later.information_value.map(|information_value| information_value.ci)),
            later.saves.value.map_or_else(|| NOTHING.to_owned(), |value| unit.say_saving(value)),
            unit.say_interval(later.saves.ci),
            part(|parts| &parts.choice),
            part(|parts| &parts.forbidden),
            part(|parts| &parts.undecided),
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
        div class="text" { (open(&information_value)) (open(&answers)) (open(&rates)) }
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
                format!("{} for {}", limit.says, listed(&limit.versions))
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
            check.observed.says_against(unit, check.bound)
                + &beside(&check.metric, check.observed.n, evidence.replicates),
            unit.say_interval_against(check.observed.ci, check.bound),
            number(check.observed.n as f64),
            holds.to_owned(),
        ]);
    }
    table
}

/// What the search decided, and what it did not.
fn decided(report: &TuneReport) -> String {
    match (report.recommended.is_some(), report.decided) {
        (true, true) => format!(
            "This is decided: its limits surely hold, and no other policy within the limits is better by more than {}.",
            Unit::Share.say(report.tolerance)
        ),
        (true, false) => {
            "Its limits surely hold; whether another policy within the limits is better is not decided.".to_owned()
        }
        (false, true) => "This is decided: no policy of the grid can be recommended.".to_owned(),
        (false, false) => "Of some policies it is not decided whether they meet the limits.".to_owned(),
    }
}

/// Which policies are as good as the answer, and which are undecided.
fn beside_the_answer(report: &TuneReport) -> Vec<String> {
    let count = |policies: &[Named]| policies.len() as u64;
    let mut said = Vec::new();
    if !report.as_good.is_empty() {
        said.push(format!(
            "{} the limits and {} as good as the answer, within {}.",
            plural(count(&report.as_good), "other policy meets", "other policies meet"),
            if count(&report.as_good) == 1 { "is" } else { "are" },
            Unit::Share.say(report.tolerance)
        ));
    }
    if !report.undecided.is_empty() {
        said.push(format!(
            "{} undecided: not told apart from the answer, or whether a limit holds is not sure.",
            plural(count(&report.undecided), "policy is", "policies are")
        ));
    }
    said
}

fn list(policies: &[Named], names: &Policies) -> maud::Markup {
    html! {
        @if !policies.is_empty() {
            ul { @for named in policies.iter().take(50) { li { (safe(&names.long(&named.policy))) ": " (safe(&named.why)) } } }
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
        let stands = gives_up.as_deref().unwrap_or_else(|| standing.label());
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
    let (caption, rates) = match report.has_spread() {
        true => ("The answer with all mean failure rates times a factor, with this spread", "mean failure rates"),
        false => ("The answer with all failure rates times a factor", "failure rates"),
    };
    let mut table =
        Table::new(caption, &[rates], &["today's answer", "recommended there", "what is decided there", "in words"]);
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
            match (&one.recommended, one.decided) {
                (Some(_), true) => "it is the best",
                (Some(_), false) => "its limits hold; the best is open",
                (None, true) => "every policy breaks a limit",
                (None, false) => "no policy surely meets the limits",
            }
            .to_owned(),
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
            Some(true) => "✓ yes".to_owned(),
            Some(false) => "✗ no".to_owned(),
            None if hint.not_judged.is_empty() => NOTHING.to_owned(),
            None => format!("? not judged: {}", hint.not_judged.join(", ")),
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

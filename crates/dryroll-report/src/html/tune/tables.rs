//! The tables of a search: limits, policies, other failure rates and other rules.

use maud::html;

use crate::html::layout::safe;
use crate::html::policies::Policies;
use crate::judge::conditional::beside;
use crate::model::{Candidate, Evidence, Named, TuneReport};
use crate::svg::Table;
use crate::words::{NOTHING, Unit, called, number};

pub(super) fn limits(evidence: &Evidence) -> Table {
    let mut table = Table::new(
        "The limits, held against the recommended policy",
        &["limit", "version"],
        &["observed", "its interval", "over", "holds"],
    );
    for check in &evidence.limits {
        let unit = Unit::of_measure(check.metric);
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
                + &beside(check.metric.name(), check.observed.n, evidence.replicates),
            unit.say_interval_against(check.observed.ci, check.bound),
            number(check.observed.n as f64),
            holds.to_owned(),
        ]);
    }
    table
}

pub(super) fn list(policies: &[Named], names: &Policies) -> maud::Markup {
    html! {
        @if !policies.is_empty() {
            ul { @for named in policies.iter().take(50) { li { (safe(&names.long(&named.policy))) ": " (safe(&named.why)) } } }
        }
    }
}

pub(super) fn candidates(report: &TuneReport, names: &Policies) -> Table {
    let unit = Unit::of_metric(report.minimise);
    let goal = called(report.minimise.name());
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
    let mut table = Table::new("Every policy of the grid", &["policy", "status"], &columns);
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

pub(super) fn sensitivity(report: &TuneReport, names: &Policies) -> Table {
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
                (Some(_), false) => "its limits hold; whether it is the best is undecided",
                (None, true) => "every policy breaks a limit",
                (None, false) => "no policy surely meets the limits",
            }
            .to_owned(),
            one.says.clone(),
        ]);
    }
    table
}

pub(super) fn hints(report: &TuneReport) -> Table {
    let mut table = Table::new(
        "Other rules with the same batches",
        &["rule", "parameters", "version"],
        &["would trip", "exposed by then", "would meet the limits"],
    );
    for hint in &report.hints {
        let meets = match hint.meets {
            Some(true) => "✓ yes".to_owned(),
            Some(false) => "✗ no".to_owned(),
            None if hint.not_judged.is_empty() => "? undecided".to_owned(),
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

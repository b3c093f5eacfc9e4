//! What a calibration leaves open, and what more history would save.

use maud::html;

use super::sentence;
use crate::html::layout::{open, safe};
use crate::html::policies::Policies;
use crate::model::{Estimate, SavingParts, TuneReport};
use crate::svg::Table;
use crate::words::tune::known;
use crate::words::{NOTHING, Unit, called, number, plural};

/// What a calibration leaves open, and what more of it would be worth.
pub(super) fn open_questions(report: &TuneReport, names: &Policies) -> maud::Markup {
    let Some(posterior) = &report.posterior else { return html! {} };
    let of = &posterior.calibration;
    let unit = Unit::of_metric(report.minimise);
    let mut rates = Table::new(
        "The rates that each replicate draws",
        &["version", "rate"],
        &["seen", "of", "mean", "95 % of what is drawn", "in the scenario"],
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
    let goal = called(report.minimise.name());
    let columns = [
        "saves within today's limits",
        "its interval",
        "saves with limits decided anew",
        "its interval",
        "part: another choice among today's",
        "part: policies that break a limit then",
        "part: policies that are undecided today",
        "part: policies that surely break a limit today",
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

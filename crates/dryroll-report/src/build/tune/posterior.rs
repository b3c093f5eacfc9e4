//! The part of a tune report on rates that are not known, from what a search over them found.

use crate::build::tune::{short, why};
use crate::model::Estimate;
use crate::model::posterior::{
    AnswerShare, BelievedRate, BelievedVersion, CalibrationRef, InformationValueReport, LaterReport, PointAnswer,
    PosteriorReport, SavingParts,
};
use crate::words::{Unit, called, number, plural};
use dryroll_sim::scenario::{OutcomeRates, Scenario, VersionIndex};
use dryroll_sim::text::{Foreign, listed};
use dryroll_stats::Interval;
use dryroll_study::study::tune::information_value::answers::{Answers, Parts};
use dryroll_study::study::tune::information_value::{Later, Open, Today};
use dryroll_study::study::tune::posterior::{Believed, RateHistory, RatePosteriors};
use dryroll_study::study::tune::{State, Tune, Tuned};

/// What the part is made of, beside the search itself.
#[derive(Clone, Debug)]
pub struct PosteriorFindings {
    /// Where it comes from.
    pub calibration: CalibrationRef,
    /// The scenario as its file has it.
    pub scenario: Scenario,
    /// What is believed.
    pub posteriors: RatePosteriors,
    /// The search with the means as the rates.
    pub point: Tuned,
    /// What the history leaves open.
    pub open: Open,
}

impl PosteriorReport {
    /// The part, for a search whose replicates draw their rates.
    #[must_use]
    pub fn new(tune: &Tune, tuned: &Tuned, found: &PosteriorFindings) -> Self {
        let open = &found.open;
        Self {
            calibration: found.calibration.clone(),
            versions: found.posteriors.all.iter().map(|one| believed(one, &found.scenario)).collect(),
            held: held(&found.scenario, &found.posteriors),
            point: point(tune, tuned, &found.point),
            replicates: open.replicates,
            rollouts: open.rollouts,
            within: open.today.within.len() as u64,
            undecided: open.today.undecided.len() as u64,
            later: open.later.iter().map(|one| later(tune, open, one)).collect(),
            says: differing(&found.posteriors).unwrap_or_else(|| says(tune, tuned, open) + &undecided(open)),
        }
    }
}

fn believed(one: &Believed, scenario: &Scenario) -> BelievedVersion {
    let OutcomeRates { failure, hang, unhealthy, .. } = scenario.versions[one.version.0].rates;
    let rate = |history: &RateHistory, scenario: f64| BelievedRate {
        hits: history.hits,
        n: history.n,
        mean: history.mean,
        ci: history.interval,
        beta: history.shapes,
        concentration: history.concentration,
        scenario,
    };
    BelievedVersion {
        version: one.history.version.clone(),
        failure_rate: rate(&one.history.failure, failure),
        hang_rate: rate(&one.history.silence, hang + unhealthy),
    }
}

/// What stays at its point.
fn held(scenario: &Scenario, posteriors: &RatePosteriors) -> Vec<String> {
    let id = |version: &VersionIndex| scenario.versions[version.0].id.clone();
    let mut held = Vec::new();
    if !posteriors.held.is_empty() {
        let names: Vec<Foreign> = posteriors.held.iter().map(id).collect();
        held.push(format!("the rates of {}, which the calibration does not have", listed(&names)));
    }
    let crashes = posteriors.all.iter().filter(|one| scenario.versions[one.version.0].rates.crash > 0.0);
    let crashes: Vec<Foreign> = crashes.map(|one| id(&one.version)).collect();
    if !crashes.is_empty() {
        held.push(format!("the crash_rate of {}, which no event log shows", listed(&crashes)));
    }
    let says_rates = |o: &dryroll_sim::scenario::OverrideSpec| o.outcome.is_some() || !o.rates.is_empty();
    if scenario.overrides.iter().any(says_rates) {
        held.push("what [[overrides]] say of outcomes".to_owned());
    }
    held.push(
        "upgrade times, the operator's delays and the network, of which a calibration has no posterior".to_owned(),
    );
    held
}

fn point(tune: &Tune, tuned: &Tuned, point: &Tuned) -> PointAnswer {
    let alone = if tune.has_spread() { "mean rates, and this spread between rollouts, alone" } else { "point alone" };
    let policy = |place: usize| tune.named_policy(place);
    let same = point.incumbent == tuned.incumbent;
    let unsure = if point.decided { "" } else { " (not decided)" };
    let says = match point.incumbent {
        None if same => format!("with the {alone} no policy would meet the limits either{unsure}"),
        None => format!("with the {alone} no policy would meet the limits{unsure}"),
        Some(place) => {
            let goal = Unit::of_metric(tune.minimise).say_or_nothing(point.policies[place].goal.value());
            let answer = format!("{}, {} {goal}{unsure}", short(tune, &policy(place)), called(tune.minimise.name()));
            if same {
                format!("with the {alone} tune would recommend the same: {answer}")
            } else {
                let stands = match (tuned.policies[place].state, tuned.incumbent) {
                    (State::Open, None) => "whether its limits hold is not decided".to_owned(),
                    _ => why(tune, tuned, place),
                };
                format!("with the {alone} tune would recommend {answer}; averaged over what is not known, {stands}")
            }
        }
    };
    PointAnswer { recommended: point.incumbent.map(policy), decided: point.decided, same, says }
}

fn later(tune: &Tune, open: &Open, later: &Later) -> LaterReport {
    let shares = later.answers.iter().flat_map(|answers| answers.shares.iter().enumerate());
    let mut answers: Vec<AnswerShare> = shares
        .filter(|&(_, &share)| share > 0.0)
        .map(|(place, &share)| AnswerShare { policy: tune.named_policy(place), share })
        .collect();
    // The sort is stable: ties stay in the order of the grid.
    answers.sort_by(|a, b| b.share.total_cmp(&a.share));
    let saves = later.answers.as_ref().and_then(|answers| answers.saves);
    let estimate =
        |(mean, ci): (f64, Interval)| Estimate { value: Some(mean), ci: Some(ci), n: open.replicates, exact: None };
    let parts = later.answers.as_ref().and_then(|answers| answers.parts);
    LaterReport {
        history: later.history,
        information_value: later.information_value.map(|information_value| InformationValueReport {
            estimate: information_value.estimate,
            ci: information_value.interval,
            achieved: information_value.achieved,
            optimistic: information_value.optimistic,
            n: information_value.n,
        }),
        answers,
        none: later.answers.as_ref().map(|answers| answers.none),
        stays: later.answers.as_ref().and_then(|answers| answers.stays),
        saves: saves.map_or_else(Estimate::default, estimate),
        parts: parts.map(|Parts { choice, forbidden, undecided, allowed }| SavingParts {
            choice: estimate(choice),
            forbidden: estimate(forbidden),
            undecided: estimate(undecided),
            allowed: estimate(allowed),
        }),
    }
}

/// Where a saving surely comes from, largest first: the parts of it whose intervals do not have zero in them. Where
/// policies stand today is what the search decided.
fn reasons(answers: &Answers, unit: Unit, today: &Today) -> String {
    let Some(Parts { choice, forbidden, undecided, allowed }) = answers.parts else { return String::new() };
    let among = match today.within.len() {
        1 => "the one policy whose limits surely hold today".to_owned(),
        n => format!("the {n} policies whose limits surely hold today"),
    };
    let parts = [
        (choice, format!("by choosing otherwise among {among}")),
        (undecided, "by policies whose limits are undecided today, and then would hold".to_owned()),
        (allowed, "by policies that surely break a limit today, and then would not".to_owned()),
        (forbidden, "by policies whose limits surely hold today, and then would not".to_owned()),
    ];
    let mut sure: Vec<_> = parts.into_iter().filter(|((_, ci), _)| ci.low > 0.0 || ci.high < 0.0).collect();
    sure.sort_by(|((a, _), _), ((b, _), _)| b.abs().total_cmp(&a.abs()));
    let said: Vec<String> = sure
        .iter()
        .map(|((value, _), by)| {
            let (size, which) = (unit.say(value.abs()), if *value > 0.0 { "less" } else { "more" });
            format!("{size} {which} {by}")
        })
        .collect();
    match said.as_slice() {
        [] => "; these replicates do not show by which policies".to_owned(),
        said => format!(": {}", said.join(", ")),
    }
}

/// That the search left limits undecided: what it recommends may not be the best that is allowed.
fn undecided(open: &Open) -> String {
    match open.today.undecided.len() as u64 {
        0 => String::new(),
        n => format!(" Whether the limits of {} hold is undecided today.", plural(n, "policy", "policies")),
    }
}

/// Why the report does not estimate the value of more history, where rollouts differ in a rate.
fn differing(posteriors: &RatePosteriors) -> Option<String> {
    let of = |(version, rate, concentration): (&str, &str, f64)| {
        format!("{rate} of {version}: concentration {}", number(concentration))
    };
    let rates: Vec<String> = posteriors.differing().map(of).collect();
    (!rates.is_empty()).then(|| {
        format!(
            "The rollouts of the history differ from each other ({}): more history does not tell the next rollout's \
             rate, so what it would be worth is not computed.",
            rates.join(", ")
        )
    })
}

/// What more history would be worth, in a sentence.
fn says(tune: &Tune, tuned: &Tuned, open: &Open) -> String {
    let goal = called(tune.minimise.name());
    let unit = Unit::of_metric(tune.minimise);
    let last = open.later.split_last();
    let Some((known, samples, answers)) = last.and_then(|(last, rest)| Some((last, rest, last.answers.as_ref()?)))
    else {
        return "There are too few replicates to estimate what more history would save: allow more replicates.".into();
    };
    let Some((saves, interval)) = answers.saves else {
        let share = |later: &Later| Unit::Share.say(1.0 - later.answers.as_ref().map_or(1.0, |answers| answers.none));
        let after = samples.last().map_or_else(String::new, |later| {
            let times = number(later.history.unwrap_or(1.0));
            format!("after {times} times the history tune would have an answer in {} of the draws, and ", share(later))
        });
        return format!(
            "No policy is surely within the limits today: {after}if the rates were known in {}.",
            share(known)
        );
    };
    let small =
        tuned.incumbent.and_then(|place| tuned.policies[place].goal.value()).unwrap_or(0.0).abs() * tune.tolerance;
    let most =
        known.information_value.map_or(0.0, |information_value| information_value.interval.high).max(interval.high);
    let range = |(mean, ci): (f64, Interval)| format!("{} ({})", unit.say(mean), unit.say_interval(Some(ci)));
    let none = match answers.none {
        0.0 => String::new(),
        none => format!("; in {} of the draws no policy would be within the limits", Unit::Share.say(none)),
    };
    if most <= small && interval.low >= -small {
        let less = if most.max(-interval.low) > 0.0 {
            format!("less than {}", unit.say(most.max(-interval.low)))
        } else {
            "nothing".into()
        };
        return format!(
            "More history would hardly help: it would change the expected {goal} by {less} on average{none}."
        );
    }
    if interval.low > 0.0 {
        let after = samples.iter().rev().find_map(|later| Some((later.history?, later.answers.as_ref()?.saves?)));
        let after = after.map_or_else(String::new, |(times, saves)| {
            let times = number(times);
            match saves {
                (mean, _) if mean > 0.0 => {
                    format!("{times} times as much would save {} of expected {goal}, ", range(saves))
                }
                _ => format!("{times} times as much would not save expected {goal} on average, "),
            }
        });
        return format!(
            "More history would pay: {after}the rates themselves {}{}{none}.",
            range((saves, interval)),
            reasons(answers, unit, &open.today)
        );
    }
    if interval.high < 0.0 {
        let forbids = answers.parts.is_some_and(|parts| parts.forbidden.1.high < 0.0);
        let first = if forbids {
            "More history would tighten what is allowed: were the rates known, the answer would have"
        } else {
            "More history would not pay: were the rates known, the answer would have"
        };
        return format!(
            "{first} {} more of expected {goal} than today's{}{none}.",
            range((-saves, Interval::new(-interval.high, -interval.low))),
            reasons(answers, unit, &open.today)
        );
    }
    format!(
        "These replicates do not show whether more history would pay: at most about {} of expected {goal}{none}.",
        unit.say(most)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an answer saves, each part with an interval of ± 1.
    fn answers([choice, forbidden, undecided, allowed]: [f64; 4]) -> Answers {
        let with = |mean: f64| (mean, Interval::new(mean - 1.0, mean + 1.0));
        let parts = Parts {
            choice: with(choice),
            forbidden: with(forbidden),
            undecided: with(undecided),
            allowed: with(allowed),
        };
        let saves = Some(with(choice + forbidden + undecided + allowed));
        Answers { shares: Vec::new(), none: 0.0, stays: None, saves, parts: Some(parts) }
    }

    #[test]
    fn each_reason_follows_from_its_number() {
        let (choosing, allowed, undecided, forbidden) = (
            "less by choosing otherwise among the 3 policies whose limits surely hold today",
            "less by policies that surely break a limit today, and then would not",
            "less by policies whose limits are undecided today, and then would hold",
            "more by policies whose limits surely hold today, and then would not",
        );
        let today = Today { within: vec![0, 1, 2], undecided: Vec::new() };
        for (parts, said, not_said) in [
            ([30.0, 0.0, 0.0, 0.5], vec![choosing], vec![allowed, forbidden, undecided]),
            ([0.0, -0.5, 0.0, 30.0], vec![allowed], vec![choosing, forbidden, undecided]),
            ([0.0, 0.0, 30.0, 0.0], vec![undecided], vec![choosing, forbidden, allowed]),
            ([0.0, -30.0, 0.0, 0.0], vec![forbidden], vec![choosing, allowed, undecided]),
            ([30.0, -20.0, 0.0, 10.0], vec![choosing, forbidden, allowed], vec![undecided]),
            ([0.9; 4], vec!["do not show by which policies"], vec![choosing, allowed, forbidden, undecided]),
        ] {
            let text = reasons(&answers(parts), Unit::Seconds, &today);
            let places: Vec<Option<usize>> = said.iter().map(|part| text.find(part)).collect();
            assert!(places.iter().all(Option::is_some), "{text}");
            assert!(places.is_sorted(), "the largest comes first: {text}");
            assert!(not_said.iter().all(|part| !text.contains(part)), "{text}");
        }
    }
}

//! Rules other than failures in a row, in words: how far bad versions get with each, and which limits it would meet.

use crate::model::tune::Hint;
use crate::words::Unit;
use dryroll_sim::text::Foreign;
use dryroll_study::study::tune::Tune;
use dryroll_study::study::tune::hints::{Hints, Judged, Met, REPLICATES};

/// The hints of a report.
pub struct HintWords {
    /// Every rule beside failures in a row.
    pub hints: Vec<Hint>,
    /// Which of them would meet the limits, or why there are no hints.
    pub says: String,
}

impl HintWords {
    /// Of what was judged.
    pub fn new(tune: &Tune, found: &Hints) -> Self {
        if let Some(why) = &found.why_not {
            return Self { hints: Vec::new(), says: format!("other rules are not judged: {why}") };
        }
        let Some((own, others)) = found.judged.split_first() else {
            return Self { hints: Vec::new(), says: "other rules are not judged".to_owned() };
        };
        let hints: Vec<Hint> = others.iter().map(|judged| hint(tune, own, judged, found.up_to_first_trip)).collect();
        let named = |meets: Option<bool>| -> Vec<&str> {
            hints.iter().filter(|hint| hint.meets == meets).map(|hint| hint.rule.as_str()).collect()
        };
        let (meeting, open) = (named(Some(true)), named(None));
        let with = match found.policy {
            Some(policy) => format!(" with batches of {}", tune.named_policy(policy).batches_said()),
            None => String::new(),
        };
        let row = own.rule.parameters();
        let breaks = own.limits.iter().any(|met| met.holds == Some(false));
        let is_unsure = own.limits.iter().any(is_undecided);
        let itself = match (found.is_recommended, breaks) {
            _ if !own.can_trip => format!("{row} never trips"),
            (true, _) => format!("so does {row}, which is recommended"),
            (false, true) => format!("{row} does not"),
            (false, false) if is_unsure => format!("whether {row} does is undecided"),
            (false, false) => format!("so does {row}"),
        };
        let seen = format!("in {REPLICATES} rollouts of each version");
        let says = if hints.is_empty() {
            format!("no other rule trips as few good rollouts{with}")
        } else if others.iter().all(|judged| !judged.can_trip) {
            format!("no other rule can trip{with}")
        } else if tune.written == 0 {
            format!("nothing limits how far the bad versions get, so no rule breaks a limit{with}")
        } else if !meeting.is_empty() {
            format!("{} would meet the limits{with} {seen}; {itself}", meeting.join(" and "))
        } else if !open.is_empty() {
            let mut not_judged: Vec<&str> = Vec::new();
            for limit in hints.iter().filter(|hint| hint.meets.is_none()).flat_map(|hint| &hint.not_judged) {
                if !not_judged.contains(&limit.as_str()) {
                    not_judged.push(limit);
                }
            }
            let (rules, not_judged) = (open.join(" and "), not_judged.join(" and "));
            let undecided = others.iter().zip(&hints).filter(|(_, hint)| hint.meets.is_none());
            match others.iter().flat_map(|judged| &judged.limits).any(|met| met.holds.is_some()) {
                _ if undecided.flat_map(|(judged, _)| &judged.limits).any(is_undecided) => {
                    let also = if not_judged.is_empty() { not_judged } else { format!("; {not_judged} is not judged") };
                    format!("whether {rules} would meet the limits{with} is undecided {seen}{also}")
                }
                true => format!("{rules} would meet the other limits{with} {seen}, but {not_judged} is not judged"),
                false => format!("whether {rules} would meet the limits{with} is not judged: {not_judged}"),
            }
        } else {
            format!("neither would meet the limits{with} {seen}")
        };
        Self { hints, says }
    }
}

/// Whether the limit was judged and lies within the interval of what was seen.
fn is_undecided(met: &Met) -> bool {
    met.holds.is_none() && met.value.is_some()
}

fn hint(tune: &Tune, own: &Judged, judged: &Judged, up_to_first_trip: bool) -> Hint {
    let share = |value: f64| Unit::Share.say(value);
    let id = |version: usize| tune.cells.scenarios[tune.cell(0, version)].target().id.clone();
    let bad = judged.bad.iter().enumerate();
    let versions: Vec<(Foreign, f64, f64)> =
        bad.map(|(place, &(trips, exposed))| (id(place + 1), trips, exposed)).collect();
    let reach: Vec<String> = versions
        .iter()
        .zip(&own.bad)
        .map(|((version, _, exposed), (_, before))| {
            format!("{version} {} in place of {}", Unit::Percent.say(*exposed), Unit::Percent.say(*before))
        })
        .collect();
    let not_judged: Vec<String> =
        judged.limits.iter().filter(|met| met.value.is_none()).map(|met| tune.limits[met.limit].says()).collect();
    let named = |is: &dyn Fn(&Met) -> bool| -> Vec<String> {
        let found = judged.limits.iter().filter(|met| is(met));
        let one = found.map(|met| {
            let limit = &tune.limits[met.limit];
            let seen = Unit::of(limit.spec.metric.name()).say_or_nothing(met.value);
            format!("{} ({seen} for {})", limit.says(), id(met.version))
        });
        one.collect()
    };
    let (broken, undecided) = (named(&|met| met.holds == Some(false)), named(&is_undecided));
    let meets = match !judged.can_trip || !broken.is_empty() {
        true => Some(false),
        false => (undecided.is_empty() && not_judged.is_empty()).then_some(true),
    };
    let verdict = match meets {
        _ if !judged.can_trip => "; it never trips".to_owned(),
        Some(false) => format!("; it would break {}", broken.join(" and ")),
        Some(true) => "; it would meet every limit".to_owned(),
        None if !undecided.is_empty() => {
            let also = match not_judged.is_empty() {
                true => String::new(),
                false => format!(", and {} is not judged", not_judged.join(" and ")),
            };
            format!("; whether it would meet {} is undecided in {REPLICATES} rollouts{also}", undecided.join(" and "))
        }
        None if not_judged.len() < judged.limits.len() => {
            format!("; it would meet the other limits, but {} is not judged", not_judged.join(" and "))
        }
        None => format!("; {} is not judged", not_judged.join(" and ")),
    };
    let until = if up_to_first_trip { ", up to the first trip" } else { "" };
    Hint {
        rule: judged.rule.name().into(),
        parameters: judged.rule.parameters(),
        false_trip_rate: judged.false_trips,
        says: format!(
            "{}, {}: exposes {}{until}, tripping {} of good rollouts in place of {}{verdict}",
            judged.rule.name(),
            judged.rule.parameters(),
            reach.join(", "),
            share(judged.false_trips),
            share(own.false_trips)
        ),
        versions,
        meets,
        not_judged,
    }
}

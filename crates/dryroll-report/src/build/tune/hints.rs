//! Rules other than failures in a row, in words: how far bad versions get with each, and which limits it would meet.

use crate::model::tune::Hint;
use crate::words::{Unit, plural};
use dryroll_sim::text::Foreign;
use dryroll_study::study::tune::Tune;
use dryroll_study::study::tune::hints::{Hints, Judged, REPLICATES};

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
        let hints: Vec<Hint> = others.iter().map(|judged| hint(tune, own, judged)).collect();
        let meeting: Vec<&str> =
            hints.iter().filter(|hint| hint.meets == Some(true)).map(|hint| hint.rule.as_str()).collect();
        let with = match found.policy {
            Some(policy) => format!(" with batches of {} %", tune.named_policy(policy).batches()),
            None => String::new(),
        };
        let row = own.rule.parameters();
        let breaks = own.limits.iter().any(|met| met.holds == Some(false));
        let itself = match (found.is_recommended, breaks) {
            (true, _) => format!("so does {row}, which is recommended"),
            (false, true) => format!("{row} does not"),
            (false, false) => format!("so does {row}"),
        };
        let seen = format!("in {REPLICATES} rollouts of each version");
        let says = if hints.is_empty() {
            format!("no other rule trips as few good rollouts{with}")
        } else if tune.written == 0 {
            format!("nothing limits how far the bad versions get, so no rule breaks a limit{with}")
        } else if meeting.is_empty() {
            format!("neither would meet the limits{with} {seen}")
        } else {
            format!("{} would meet the limits{with} {seen}; {itself}", meeting.join(" and "))
        };
        Self { hints, says }
    }
}

fn hint(tune: &Tune, own: &Judged, judged: &Judged) -> Hint {
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
        judged.limits.iter().filter(|met| met.holds.is_none()).map(|met| tune.limits[met.limit].says()).collect();
    let broken: Vec<String> = judged
        .limits
        .iter()
        .filter(|met| met.holds == Some(false))
        .map(|met| {
            let limit = &tune.limits[met.limit];
            let seen = Unit::of(limit.spec.metric.name()).say_or_nothing(met.value);
            format!("{} ({seen} for {})", limit.says(), id(met.version))
        })
        .collect();
    let judged_any = judged.limits.iter().any(|met| met.holds.is_some());
    let meets = judged_any.then_some(broken.is_empty());
    let verdict = match (meets, not_judged.len() as u64) {
        (Some(false), _) => format!("; it would break {}", broken.join(" and ")),
        (Some(true), 0) => "; it would meet every limit".to_owned(),
        (Some(true), n) => {
            format!("; it would meet the limits, but for {} not judged", plural(n, "one that is", "others that are"))
        }
        (None, _) => String::new(),
    };
    Hint {
        rule: judged.rule.name().into(),
        parameters: judged.rule.parameters(),
        false_trip_rate: judged.false_trips,
        says: format!(
            "{}, {}: exposes {}, tripping {} of good rollouts in place of {}{verdict}",
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

//! Policies with which too few good rollouts complete, in words.

use crate::words::{Unit, plural};
use dryroll_study::study::completed::Completed;

/// What a policy does with which this share of the good rollouts completes.
#[must_use]
pub fn stops(completed: f64) -> String {
    format!("stops {} of good rollouts", Unit::Share.say(1.0 - completed))
}

/// What a policy does, where it is surely too much or where that is undecided; `None` where enough good rollouts
/// complete. Rollouts that do not trip are not stopped: they end otherwise.
#[must_use]
pub fn does(of: &Completed) -> Option<String> {
    let share = of.share()?;
    let missing = 1.0 - share;
    let text = match of.trips.is_some_and(|trips| trips >= missing / 2.0) {
        true => stops(share),
        false => format!("{} of good rollouts do not complete", Unit::Share.say(missing)),
    };
    match of.enough {
        Some(true) => None,
        Some(false) => Some(text),
        None => Some(format!("{text}: whether at least {} complete is undecided", Unit::Share.say(of.least))),
    }
}

/// A policy and what it does, or what becomes of its good rollouts. Where nothing is varied there is one policy, and it
/// has no name.
#[must_use]
pub fn named_with(policy: &str, does: &str) -> String {
    match (policy, does.starts_with("stops ")) {
        ("", true) => format!("it {does}"),
        ("", false) => does.to_owned(),
        (policy, true) => format!("{policy} {does}"),
        (policy, false) => format!("{policy}: {does}"),
    }
}

/// Policies that a warning names.
const MOST_NAMED: usize = 4;

/// What people should know of the policies of a study with a good version: those with which too few of its rollouts
/// complete, and those with which that is undecided.
#[must_use]
pub fn warnings(version: &dryroll_sim::text::Foreign, policies: &[(String, Completed)]) -> Vec<String> {
    let of = |enough: Option<bool>| -> Vec<&(String, Completed)> {
        policies.iter().filter(|(_, completed)| completed.enough == enough).collect()
    };
    let all = policies.len();
    let mut said = Vec::new();
    let out = of(Some(false));
    if let Some((_, first)) = out.first() {
        let least = Unit::Share.say(first.least);
        let which = plural(out.len() as u64, "policy completes", "policies complete");
        let stop = out.iter().any(|(_, completed)| does(completed).is_some_and(|does| does.starts_with("stops ")));
        let why = match stop {
            true => "A rollout that is stopped is short, so such a policy",
            false => "Where the horizon ends them, a longer `horizon_sec` lets them complete; such a policy",
        };
        said.push(format!(
            "{which} fewer than {least} of the good rollouts of {version}, of {all}: {}. {why} is not on the front and \
             does not count as faster",
            named(&out)
        ));
    }
    let open = of(None);
    if let Some((_, first)) = open.first() {
        let least = Unit::Share.say(first.least);
        let which = plural(open.len() as u64, "policy", "policies");
        said.push(format!(
            "whether at least {least} of the good rollouts of {version} complete is undecided for {which} of {all}: \
             {}. More replicates decide it",
            named(&open)
        ));
    }
    said
}

fn named(policies: &[&(String, Completed)]) -> String {
    let one = |(policy, completed): &(String, Completed)| {
        let share = completed.share();
        let does = match completed.enough {
            Some(false) => does(completed),
            _ => share.map(|share| format!("{} complete", Unit::Share.say(share))),
        };
        named_with(policy, &does.unwrap_or_default())
    };
    let listed: Vec<String> = policies.iter().take(MOST_NAMED).map(|policy| one(policy)).collect();
    match policies.len() - listed.len() {
        0 => listed.join("; "),
        more => format!("{}; and {more} more", listed.join("; ")),
    }
}

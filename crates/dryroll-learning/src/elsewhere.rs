//! How far today's case is another than the one that a record is about. A record claims only its own fleet, policy and
//! rates, so of another case it is told what it found there, and nothing of it is claimed for today.

use super::claims::Claims;
use super::facts::{Facts, POLICY_KEYS, policy_facts, short_digest};
use super::phrases::{self, say};
use super::recall::{Numbers, Today};
use dryroll_report::words::{called, plural};
use dryroll_study::study::Policy;

/// Differences in rates that are named.
const NAMED: usize = 3;
/// The keys that a search tries values of.
const TRIED: [&str; 2] = ["batch_pct", "max_consecutive_failures"];
/// The order of a policy that names none.
const LISTED: &str = "listed";
/// Figures of another case that are shown.
const FIGURES: [&str; 3] = ["duration_sec", "blast_radius_pct", "harmed_pct"];

/// A record is about another case than today's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// In how far.
    pub differs: String,
    /// What it found there; `None` of records whose words alone are known.
    pub found: Option<String>,
}

/// In how far a record is about another case; `None` where, as far as it can be read, it is about today's.
pub fn elsewhere(claims: &Claims, today: &Today<'_>) -> Option<Elsewhere> {
    let mut differs = Vec::new();
    let ours = u64::from(today.instances);
    if let Some(theirs) = claims.instances.filter(|&theirs| theirs != ours) {
        differs.push(format!("{} there, {ours} today", plural(theirs, "instance", "instances")));
    }
    match &claims.facts {
        Some(facts) => {
            of_version(facts, today, &mut differs);
            of_policy(facts, today, &mut differs);
            of_replicate(facts, today, &mut differs);
        }
        None => of_words(claims, today, &mut differs),
    }
    (!differs.is_empty()).then(|| Elsewhere {
        differs: differs.join("; "),
        found: claims.facts.as_ref().and_then(|facts| found(facts, today)),
    })
}

fn of_version(facts: &Facts, today: &Today<'_>, differs: &mut Vec<String>) {
    let theirs: Vec<&str> = ["version", "good", "worst"].into_iter().filter_map(|name| facts.get(name)).collect();
    if !theirs.is_empty() && !theirs.contains(&today.version) {
        differs.push(format!("{} there, {} today", theirs.join(" and "), today.version));
    }
}

/// The keys in which policies differ. A record without one is of no policy.
fn of_policy(facts: &Facts, today: &Today<'_>, differs: &mut Vec<String>) {
    if facts.get("batch_pct").is_none() {
        return;
    }
    let policies: Vec<Facts> = match (&today.policy, &today.numbers) {
        (Some(policy), _) => vec![policy_facts(policy)],
        (None, Numbers::Tune(tune)) => tune.candidates.iter().map(|one| policy_facts(&one.policy)).collect(),
        (None, Numbers::Plan(_) | Numbers::Run(..)) => Vec::new(),
    };
    let Some(first) = policies.first() else { return };
    for key in POLICY_KEYS {
        // A search tries values: what it does not try of these two it says itself.
        let is_tried = today.policy.is_none() && TRIED.contains(&key);
        let default = if key == "order" { LISTED } else { "the default" };
        let value = |facts: &Facts| facts.get(key).unwrap_or(default).to_owned();
        if !is_tried && policies.iter().all(|ours| value(ours) != value(facts)) {
            differs.push(format!("{key} {} there, {} today", value(facts), value(first)));
        }
    }
}

fn of_words(claims: &Claims, today: &Today<'_>, differs: &mut Vec<String>) {
    let Some(policy) = &today.policy else { return };
    for (key, theirs, ours) in
        [(TRIED[0], claims.batch_pct, policy.batch_pct), (TRIED[1], claims.limit, policy.max_consecutive_failures)]
    {
        if let Some(theirs) = theirs.filter(|&theirs| Some(theirs) != ours) {
            let ours = ours.map_or_else(|| "none".to_owned(), |ours| ours.to_string());
            differs.push(format!("{key} {theirs} there, {ours} today"));
        }
    }
}

fn of_replicate(facts: &Facts, today: &Today<'_>, differs: &mut Vec<String>) {
    if facts.get("scenario") == Some(today.hash) {
        of_calibration(facts, today, differs);
        return;
    }
    if today.hides_truth {
        differs.push("whether its rates and faults are today's is shown after the drill".into());
        return;
    }
    let Some(theirs) = facts.get("world") else {
        differs.push("it does not say at which failure rates".into());
        return;
    };
    if Some(theirs) == short_digest(today.replicate) {
        of_calibration(facts, today, differs);
        return;
    }
    let known = differs.len();
    for (version, theirs) in facts.rates() {
        let ours = today.rates.iter().find(|(id, _)| id == version).map(|(_, rates)| rates.as_str());
        if let Some(ours) = ours.filter(|&ours| ours != theirs)
            && differs.len() < known + NAMED
        {
            let words = |rates: &str| rates.replace(':', " ").replace('+', ", ");
            differs.push(format!("{version} has {} there, {} today", words(theirs), words(ours)));
        }
    }
    if differs.is_empty() {
        differs.push(
            "its scenario is another in the fleet or its classes, the times, the network, the people, the faults or \
             the module"
                .into(),
        );
    }
}

/// Rates that a calibration says instead of the scenario.
fn of_calibration(facts: &Facts, today: &Today<'_>, differs: &mut Vec<String>) {
    let ours = match &today.numbers {
        Numbers::Tune(tune) => tune.posterior.as_ref().map(|posterior| posterior.calibration.hash.raw()),
        Numbers::Plan(_) | Numbers::Run(..) => None,
    };
    match (facts.get("calibration"), ours) {
        (None, None) => {}
        (Some(theirs), Some(ours)) if theirs == ours => {}
        (Some(_), Some(_)) => differs.push("its rates are of another calibration".into()),
        (Some(_), None) => differs.push("its rates are those of a calibration, today's the scenario's".into()),
        (None, Some(_)) => differs.push("its rates are the scenario's, today's those of a calibration".into()),
    }
}

/// The order of a record's policy, where it differs from today's, from another policy of its own, or from the fleet's.
fn order<'a>(facts: &'a Facts, today: &Today<'_>) -> Option<&'a str> {
    let theirs = facts.get("order");
    let is_other = |policy: &Policy| policy.order.name() != theirs.unwrap_or(LISTED);
    let differs = match (&today.policy, &today.numbers) {
        (Some(policy), _) => is_other(policy),
        (None, Numbers::Tune(tune)) => tune.candidates.iter().any(|one| is_other(&one.policy)),
        (None, Numbers::Plan(_) | Numbers::Run(..)) => false,
    };
    theirs.or(differs.then_some(LISTED))
}

/// What a record found, from its facts alone: numbers, and no advice.
fn found(facts: &Facts, today: &Today<'_>) -> Option<String> {
    let replicates = facts
        .count("replicates")
        .map_or_else(String::new, |n| format!(" over {}", plural(n, "replicate", "replicates")));
    let policy = TRIED.into_iter().filter_map(|key| Some(format!("{key}={}", facts.get(key)?)));
    let order = order(facts, today).map(|order| format!("order={order}"));
    let policy: Vec<String> = policy.chain(order).collect();
    let policy = policy.join(", ");
    let ended = || {
        let trips = facts.count("trips").map_or_else(String::new, |n| format!(", {}", plural(n, "trip", "trips")));
        format!("{}{trips}", facts.get("outcome").unwrap_or("an unknown outcome"))
    };
    let what = match facts.get("kind")? {
        "tune" if facts.get("recommended") == Some("none") => {
            return Some(format!("a search{replicates} recommended no policy"));
        }
        "tune" => format!("a search{replicates} recommended {policy}"),
        "sweep" => format!("a sweep{replicates} reported {policy}"),
        "compare" => format!("a comparison{replicates} reported {policy}"),
        "run" => format!("one replicate with {policy}: {}", ended()),
        "drill" => format!("one drill with {policy}: {}", ended()),
        _ => return None,
    };
    let figures: Vec<String> = FIGURES
        .into_iter()
        .filter_map(|name| Some(format!("{} {}", called(name), say(name, facts.number(name)?))))
        .chain(facts.get("false_trips").map(|trips| format!("false trips {trips}")))
        .collect();
    let figures = if figures.is_empty() { String::new() } else { format!("; {}", figures.join(", ")) };
    Some(phrases::one_line(&format!("{what}{figures}")))
}

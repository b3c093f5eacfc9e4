//! The words that all records share: the fleet, a policy, figures with their intervals, tags, and where the evidence
//! is.

use serde_json::Value;

use dryroll_report::model::{Estimate, ScenarioRef};
use dryroll_report::words::Unit;
pub use dryroll_sim::text::one_line;
use dryroll_stats::Interval;
use dryroll_stats::proportion::upper_bound;
use dryroll_study::study::policy::in_words;
use dryroll_study::study::sweep::CONFIDENCE;
use dryroll_study::study::{Figure, Policy, Share};

/// A figure in words, with plain spaces.
pub fn say(name: &str, value: f64) -> String {
    plain(&Unit::of(name).say(value))
}

/// A length of time.
pub fn time(seconds: f64) -> String {
    plain(&Unit::Seconds.say(seconds))
}

/// A percentage as records write it: `20%`.
pub fn percent(value: f64) -> String {
    plain(&Unit::Percent.say(value))
}

/// What a terminal and a page want narrow is plain in a record.
pub fn plain(text: &str) -> String {
    text.replace("\u{202f}%", "%").replace('\u{202f}', " ")
}

/// `14 min 44 s (95% interval 14 min 41 s to 14 min 48 s, n = 8192)`
pub fn with_interval(name: &str, value: Option<f64>, ci: Option<Interval>, n: u64) -> String {
    let Some(value) = value else { return "without a value".into() };
    let value = say(name, value);
    match ci {
        Some(ci) => {
            format!("{value} (95% interval {} to {}, n = {n})", say(name, ci.low), say(name, ci.high))
        }
        None => format!("{value} (no interval, n = {n})"),
    }
}

/// The same of an estimate.
pub fn estimate(name: &str, estimate: &Estimate) -> String {
    match estimate.exact {
        Some(exact) => format!("{}, exactly", plain(&Unit::of(name).say(exact))),
        None => with_interval(name, estimate.value, estimate.ci, estimate.n),
    }
}

/// The same of a mean.
pub fn mean(name: &str, figure: &Figure) -> String {
    with_interval(name, figure.mean, figure.ci, figure.n)
}

/// `44 of 1000 (95% interval 3.3% to 5.9%)`; where there is none, what the rate is surely below.
pub fn share(share: &Share) -> String {
    let of = format!("{} of {}", share.hits, share.n);
    match (share.hits, most(share), share.claim.or(share.ci)) {
        (0, Some(most), _) => format!("{of} (so below {} with 95% confidence)", say("trip_rate", most)),
        (_, _, Some(ci)) => {
            format!("{of} (95% interval {} to {})", say("trip_rate", ci.low), say("trip_rate", ci.high))
        }
        _ => of,
    }
}

/// What a rate is at most, with 95 % confidence.
pub fn most(share: &Share) -> Option<f64> {
    upper_bound(share.hits, share.n, CONFIDENCE)
}

/// `50-instance edge fleet`
pub fn fleet(scenario: &ScenarioRef, planned: u64) -> String {
    let size = match (u64::from(scenario.instances), planned) {
        (0, 0) => String::new(),
        (0, planned) => format!("{planned}-instance "),
        (instances, _) => format!("{instances}-instance "),
    };
    let name = if scenario.fleet.is_empty() { String::new() } else { format!("{} ", scenario.fleet) };
    format!("{size}{name}fleet")
}

/// What the module is called.
pub fn module(scenario: &ScenarioRef) -> String {
    if scenario.module.is_empty() { "module".to_owned() } else { scenario.module.to_string() }
}

/// `batch_pct=20%, max_consecutive_failures=2`, and further keys where policies differ in them.
pub fn policy(policy: &Policy, others: &[&str]) -> String {
    let batches = match policy.batch_pct {
        Some(pct) => format!("batch_pct={pct}%"),
        None => format!("batches={}", policy.batches()),
    };
    let name = policy.policy.as_ref().map(|name| format!("policy={}, ", one_line(name.raw()))).unwrap_or_default();
    let mut said = format!("{name}{batches}, max_consecutive_failures={}", policy.limit());
    for key in others.iter().filter(|key| !["batch_pct", "max_consecutive_failures"].contains(key)) {
        let value = match policy.get(key).unwrap_or_default() {
            Value::Null => "null".to_owned(),
            value => in_words(&value),
        };
        said.push_str(&format!(", {key}={}", one_line(&value)));
    }
    said
}

/// Where the evidence is, so that the claim can be run again.
pub fn evidence(scenario: &ScenarioRef, seed: u64, replicates: &str, command: &str) -> String {
    let name = scenario.name.to_string();
    let again = match command {
        "" => "the report does not say by which command".to_owned(),
        command => format!("`{}`", one_line(command)),
    };
    format!("Evidence: scenario “{name}” (SHA-256 {}), seed {seed}, {replicates}. Again: {again}.", scenario.hash)
}

/// A word as tags write it: lower case, no spaces.
pub fn tag(text: &str) -> String {
    let mut tag = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || "._".contains(c) {
            tag.push(c);
        } else if !tag.is_empty() && !tag.ends_with('-') {
            tag.push('-');
        }
    }
    tag.trim_end_matches('-').to_owned()
}

/// Tags that every record has: what is upgraded, and on what fleet.
pub fn tags(scenario: &ScenarioRef, planned: u64, source: &str) -> Vec<String> {
    let mut tags = vec!["rolling-upgrade".to_owned(), tag(&module(scenario))];
    match (u64::from(scenario.instances), planned) {
        (0, 0) => {}
        (0, size) | (size, _) => tags.push(format!("fleet-{size}")),
    }
    if !scenario.fleet.is_empty() {
        tags.push(format!("template-{}", tag(scenario.fleet.raw())));
    }
    tags.push(format!("dryroll-{source}"));
    tags
}

/// `20% batches`, or the sizes of batches that differ.
pub fn batches(policy: &Policy) -> String {
    match policy.batch_pct {
        Some(pct) => format!("{pct}% batches"),
        None => format!("batches of {}", policy.batches()),
    }
}

/// Tags of a policy.
pub fn policy_tags(policy: &Policy) -> [String; 2] {
    let batches = match policy.batch_pct {
        Some(pct) => format!("batch_pct-{pct}"),
        None => "batches".to_owned(),
    };
    [batches, format!("max_consecutive_failures-{}", policy.limit())]
}

/// Without empty ones and repetitions, in order.
pub fn tidy(tags: Vec<String>) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for tag in tags {
        if !tag.is_empty() && !tidy.contains(&tag) {
            tidy.push(tag);
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_tags() {
        assert_eq!(tag("Edge Fleet / EU"), "edge-fleet-eu");
        assert_eq!(tag("v-1.26.0"), "v-1.26.0");
        assert_eq!(tag("<b>"), "b");
        assert_eq!(one_line(" a\n\u{1b}[31m b "), "a \\u{1b}[31m b");
    }

    #[test]
    fn a_rate_that_was_never_hit_is_surely_below_something() {
        let never = Share { rate: Some(0.0), hits: 0, n: 1000, ..Share::default() };
        assert_eq!(share(&never), "0 of 1000 (so below 0.299% with 95% confidence)");
        assert_eq!(percent(20.0), "20%");
    }
}

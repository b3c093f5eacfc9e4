//! The last sentence of a record's content: `Facts: instances=50, batch_pct=20, …`, for machines and for people who
//! look twice.

use std::fmt;

use dryroll_engine::Outcome;
use dryroll_report::checked::range::Range;
use dryroll_report::model::ScenarioRef;
use dryroll_sim::scenario::Measure;
use dryroll_stats::Interval;
use dryroll_study::study::Policy;
use serde_json::Value;

const OPENING: &str = "Facts:";

/// Names and values, in the order in which they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(Vec<(String, String)>);

impl Facts {
    /// Adds one; a value that could not be read back is left out.
    pub fn add(&mut self, name: &str, value: impl fmt::Display) {
        let value = value.to_string();
        let odd = |c: char| c.is_whitespace() || dryroll_sim::text::acts(c) || c == ',' || c == '=';
        if !value.is_empty() && !value.contains(odd) && !value.ends_with('.') {
            self.0.push((name.to_owned(), value));
        }
    }

    /// The facts that every record of one replicate begins with.
    pub fn of_replicate(kind: &str, scenario: &ScenarioRef, seed: u64, replicate: u64) -> Self {
        let mut facts = Self::default();
        facts.add("kind", kind);
        facts.add("scenario", &scenario.hash);
        facts.add("seed", seed);
        facts.add("replicate", replicate);
        facts.add_case(scenario);
        facts
    }

    /// The facts that every record of many replicates begins with.
    pub fn of_replicates(kind: &str, scenario: &ScenarioRef, seed: u64, replicates: u64) -> Self {
        let mut facts = Self::default();
        facts.add("kind", kind);
        facts.add("scenario", &scenario.hash);
        facts.add("seed", seed);
        facts.add("replicates", replicates);
        facts.add_case(scenario);
        facts
    }

    /// What all else is about: the fleet's size, the replicate, and the rates in it.
    fn add_case(&mut self, scenario: &ScenarioRef) {
        self.add_some("instances", Some(scenario.instances).filter(|&instances| instances > 0));
        self.add_some("world", short_digest(scenario.environment.raw()));
        let rates: Vec<String> = rates(scenario).iter().map(|(version, rates)| format!("{version}/{rates}")).collect();
        self.add("rates", rates.join(";"));
    }

    /// The rates of the record's case, by version, as [`rates`] says them.
    pub fn rates(&self) -> impl Iterator<Item = (&str, &str)> {
        self.get("rates").into_iter().flat_map(|all| all.split(';')).filter_map(|one| one.rsplit_once('/'))
    }

    /// Adds what was rolled out, and by which policy.
    pub fn add_rollout(&mut self, planned: u64, version: &str, defective: bool, policy: &Policy, batches: u64) {
        self.add("planned", planned);
        self.add("version", version);
        self.add("defective", if defective { "yes" } else { "no" });
        self.add_policy(policy);
        self.add("batches", batches);
    }

    /// Adds one if there is one.
    pub fn add_some(&mut self, name: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// Adds a figure, rounded to what anybody needs.
    pub fn add_figure(&mut self, name: &str, value: Option<f64>) {
        self.add_some(name, value.filter(|value| value.is_finite()).map(rounded));
    }

    /// Adds an interval as `low..high`.
    pub fn add_interval(&mut self, name: &str, interval: Option<Interval>) {
        let ends = |ci: Interval| format!("{}..{}", rounded(ci.low), rounded(ci.high));
        self.add_some(name, interval.map(ends));
    }

    /// Adds the keys of a policy that shape a rollout. Those at their defaults are left out, but for the three of the
    /// skill.
    pub fn add_policy(&mut self, policy: &Policy) {
        self.0.extend(policy_facts(policy).0);
    }

    /// The facts that a content ends with; `None` where it has no such sentence.
    pub fn read(content: &str) -> Option<Self> {
        let (_, rest) = content.rsplit_once(OPENING)?;
        let pairs = rest.split_whitespace().map_while(|word| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.trim_end_matches([',', '.']).to_owned()))
        });
        Some(Self(pairs.collect()))
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A value that is a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A value that is a count.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// A value that is an interval.
    pub fn interval(&self, name: &str) -> Option<Interval> {
        let (low, high) = self.get(name)?.split_once("..")?;
        let end = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
        Some(Interval::new(end(low)?, end(high)?))
    }

    /// The first fact that no report has, and what is allowed.
    pub fn impossible(&self) -> Option<String> {
        self.0.iter().find_map(|(name, value)| {
            let wrong = |allowed: &str| Some(format!("its fact {name} is {value}; allowed: {allowed}"));
            if name == "outcome" && !Outcome::ALL.iter().any(|outcome| outcome.name() == value) {
                return wrong("an outcome of a rollout");
            }
            if let Some((hits, n)) = value.split_once('/').filter(|_| name == "false_trips") {
                return match (hits.parse::<u64>(), n.parse::<u64>()) {
                    (Ok(hits), Ok(n)) if hits <= n => None,
                    _ => wrong("hits/n, at most as many hits as tries"),
                };
            }
            if name.ends_with("_ci") {
                let ordered = self.interval(name).is_none_or(|ci| ci.low <= ci.high);
                return if ordered { None } else { wrong("low..high, the smaller end first") };
            }
            let measure = name.trim_end_matches("_below").trim_end_matches("_p99");
            let range = match name.as_str() {
                "batch_pct" => Range::BATCH_PERCENT,
                _ => Range::of_measure(Measure::find(measure)?, None)?.mean(),
            };
            let number = self.number(name).filter(|&number| !range.has(number));
            number.and_then(|_| wrong(&range.says()))
        })
    }

    /// Whether all keys of a policy that are told, and no others, are told alike.
    pub fn has_policy(&self, policy: &Policy) -> bool {
        let theirs = policy_facts(policy);
        POLICY_KEYS.iter().chain(&BEYOND_KEYS).all(|key| self.get(key) == theirs.get(key))
    }

    /// The sizes of the batches of a policy whose batches are no share of the plan.
    pub fn batch_sizes(&self) -> Option<&str> {
        self.get(BATCH_SIZES)
    }
}

/// This much of a digest identifies an environment.
pub fn short_digest(digest: &str) -> Option<&str> {
    digest.get(..16)
}

/// The rates of each version: `hang_rate:0.02+failure_rate:0.01`, or `none`.
pub fn rates(scenario: &ScenarioRef) -> Vec<(String, String)> {
    let say = |rates: &std::collections::BTreeMap<dryroll_sim::text::Foreign, f64>| {
        let all: Vec<String> = rates.iter().map(|(name, rate)| format!("{name}:{rate}")).collect();
        if all.is_empty() { "none".to_owned() } else { all.join("+") }
    };
    scenario.rates.iter().map(|(version, rates)| (version.raw().to_owned(), say(rates))).collect()
}

/// The keys of a policy that shape a rollout.
pub const POLICY_KEYS: [&str; 8] = [
    "batch_pct",
    "max_consecutive_failures",
    "health_timeout_sec",
    "rollback_batch_pct",
    "breaker_order",
    "breaker_scope",
    "max_in_flight",
    "order",
];

/// The further keys that a policy can have.
pub const BEYOND_KEYS: [&str; 16] = [
    BATCH_SIZES,
    "rounding",
    "batch_of",
    "growth",
    "max_unavailable",
    "min_healthy_sec",
    "retries",
    "advance_pct",
    "bake_sec",
    "approve_before",
    "breakers",
    "ok_pct",
    "silent_after_sec",
    "rollback_batches",
    "rollback_max_consecutive_failures",
    "rollback_health_timeout_sec",
];

/// What the facts call `batches`, which is how many there are.
pub const BATCH_SIZES: &str = "batch_sizes";

/// The facts of a policy.
pub fn policy_facts(policy: &Policy) -> Facts {
    let mut facts = Facts::default();
    for key in POLICY_KEYS {
        let Some(value) = policy.get(key) else { continue };
        let value = word(&value);
        let default = matches!(
            (key, value.as_str()),
            ("rollback_batch_pct", "50")
                | ("breaker_order", "observed")
                | ("breaker_scope", "rollout")
                | ("order", "listed")
                | (_, "null")
        );
        if !default {
            facts.add(key, value);
        }
    }
    for (key, value) in &policy.beyond {
        facts.add(if key == "batches" { BATCH_SIZES } else { key }, word(value));
    }
    facts
}

/// A value of a policy as one word: `[1,"5%"]` is `1+5%`, and a table `limit:3+then:abort`.
fn word(value: &Value) -> String {
    let nested = |value: &Value| match value {
        Value::Array(_) | Value::Object(_) => format!("({})", word(value)),
        plain => word(plain),
    };
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(nested).collect::<Vec<_>>().join("+"),
        Value::Object(keys) => {
            keys.iter().map(|(key, value)| format!("{key}:{}", nested(value))).collect::<Vec<_>>().join("+")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Six significant digits: more than any of these is known to.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPENING)?;
        for (i, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{} {name}={value}", if i == 0 { "" } else { "," })?;
        }
        f.write_str(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_back() {
        let mut facts = Facts::default();
        facts.add("instances", 50);
        facts.add("version", "v-1.26.0");
        facts.add("odd", "a, b=c");
        facts.add_figure("duration_sec", Some(847.035_123_4));
        facts.add_figure("nothing", None);
        facts.add_interval("ci", Some(Interval::new(0.000_123_456_789, 2.0)));
        let said = facts.to_string();
        assert_eq!(said, "Facts: instances=50, version=v-1.26.0, duration_sec=847.035, ci=0.000123457..2.");
        let read = Facts::read(&format!("Prose with a=b. {said}")).unwrap();
        assert_eq!(read, facts);
        assert_eq!(read.interval("ci"), Some(Interval::new(0.000_123_457, 2.0)));
        assert_eq!(Facts::read("batch_pct=20%"), None);
    }

    #[test]
    fn what_no_report_has_is_found() {
        let wrong = |said: &str| Facts::read(&format!("Facts: {said}.")).unwrap().impossible();
        for (fact, allowed) in [
            ("false_trip_rate=5", "a share, 0 to 1"),
            ("harmed_pct=500", "percent, 0 to 100"),
            ("blast_radius_pct_ci=9..1", "low..high, the smaller end first"),
            ("false_trips=9/3", "at most as many hits as tries"),
            ("outcome=flying", "an outcome of a rollout"),
            ("batch_pct=900", "whole percent, 1 to 100"),
        ] {
            let found = wrong(&format!("kind=run, {fact}, seed=1")).unwrap_or_else(|| panic!("{fact} is let pass"));
            assert!(found.contains(allowed), "{found}");
        }
        assert_eq!(
            wrong("outcome=completed, false_trips=3/9, drift=yes, duration_sec=847.035, harmed_pct_ci=1..2"),
            None
        );
    }
}

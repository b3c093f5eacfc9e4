//! The axes of a grid: a key and its values, as they are written on a command line.

use serde_json::{Value, json};

use super::GridError;
use crate::study::Policy;
use dryroll_sim::scenario::{Scenario, VersionSpec};

/// The largest number of values in one range.
pub const MAX_RANGE: u64 = 10_000;

/// A key and its values, as they were written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// A key of `[rollout]`, without `rollout.`; or the whole path of one beside it: `fleet.instances`, or
    /// `versions.ID.KEY`.
    pub key: String,
    /// The values, without repetition.
    pub values: Vec<String>,
}

impl Axis {
    /// Parses a list of values, separated by commas; a comma within brackets, braces or quotes is part of its value. An
    /// item `a..b` stands for all whole numbers from a to b, both included.
    ///
    /// # Errors
    /// When a value is missing or repeated, a bracket has no other half, or a range cannot be enumerated.
    pub fn parse(key: &str, list: &str) -> Result<Self, GridError> {
        let missing = || GridError::Missing { key: key.into(), list: list.into() };
        let mut values: Vec<String> = Vec::new();
        for item in pieces(key, list)? {
            if item.is_empty() {
                return Err(missing());
            }
            if item.starts_with(OPENS) {
                values.push(item.to_owned());
                continue;
            }
            if key != "previous_version_id" && is_dashed(item) {
                return Err(GridError::Dash { key: key.into(), range: item.into() });
            }
            match item.split_once("..") {
                None => values.push(item.to_owned()),
                Some((low, high)) => values.extend(range(key, item, low, high)?),
            }
        }
        super::each_once(key, &values)?;
        Ok(Self { key: key.into(), values })
    }

    /// Parses `KEY=VALUES`; a key of `[rollout]` may begin with `rollout.`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when there is no `=` or nothing can be set at the key.
    pub fn parse_setting(text: &str) -> Result<Self, GridError> {
        let (key, list) = text.split_once('=').ok_or_else(|| GridError::NoValue(text.into()))?;
        let key = key.trim();
        let bare = key.strip_prefix("rollout.").unwrap_or(key);
        if Scenario::rollout_keys().contains(&bare) {
            return Self::parse(bare, list);
        }
        match key {
            "fleet.instances" => Self::parse(key, list),
            _ if key.starts_with("versions.") => Self::parse(key, list),
            _ => Err(GridError::Foreign(key.into())),
        }
    }

    /// Whether it is of the fleet or of a version, and not of the policy.
    #[must_use]
    pub fn is_of_environment(&self) -> bool {
        // No key of [rollout] has a dot.
        self.key.contains('.')
    }

    /// The whole path of its key.
    #[must_use]
    pub fn path(&self) -> String {
        if self.is_of_environment() { self.key.clone() } else { format!("rollout.{}", self.key) }
    }

    /// Sets its key in a scenario.
    ///
    /// # Errors
    /// When a scenario file with the value is not valid.
    pub fn set(&self, scenario: &mut Scenario, value: &str) -> Result<(), GridError> {
        Ok(scenario.set(&self.path(), value).map_err(Box::new)?)
    }

    /// The value of its key in a scenario, as a file has it.
    #[must_use]
    pub fn value_in(&self, scenario: &Scenario) -> Value {
        if !self.is_of_environment() {
            return Policy::of(scenario).get(&self.key).unwrap_or(Value::Null);
        }
        let of_version = self.key.strip_prefix("versions.").and_then(|rest| rest.rsplit_once('.'));
        match of_version {
            None => json!(scenario.fleet.instances),
            Some((id, key)) => {
                let version = scenario.versions.iter().find(|version| version.id == id);
                version.map_or(Value::Null, |version| value_of_version(version, key))
            }
        }
    }
}

fn value_of_version(version: &VersionSpec, key: &str) -> Value {
    let (rates, drawn) = (&version.rates, &version.concentrations);
    let rate = |mean: f64, concentration: Option<f64>| match concentration {
        None => json!(mean),
        Some(concentration) => json!({"beta": {"mean": mean, "concentration": concentration}}),
    };
    match key {
        "failure_rate" => rate(rates.failure, drawn.failure),
        "hang_rate" => rate(rates.hang, drawn.hang),
        "unhealthy_rate" => rate(rates.unhealthy, drawn.unhealthy),
        "crash_rate" => rate(rates.crash, drawn.crash),
        "brick_rate" => rate(rates.brick, None),
        "degrade_rate" => rate(rates.degrade, None),
        "upgrade_time_sec" => json!(version.upgrade_time),
        "upgrade_time_factor" => json!(version.upgrade_time_factor),
        "crash_after_sec" => json!(version.crash_after),
        "degrade_after_sec" => json!(version.degrade_after),
        _ => Value::Null,
    }
}

/// What a value begins with in which commas do not separate.
const OPENS: [char; 4] = ['[', '{', '"', '\''];

/// The pieces of a list between its commas, without the blanks around them; a comma within brackets, braces or quotes
/// separates nothing. `key` is what errors name.
///
/// # Errors
/// When a bracket or a quote has no other half.
pub fn pieces<'l>(key: &str, list: &'l str) -> Result<Vec<&'l str>, GridError> {
    let unclosed = |bracket| GridError::Unclosed { key: key.into(), list: list.into(), bracket };
    let (mut pieces, mut first) = (Vec::new(), 0);
    let mut open: Vec<char> = Vec::new();
    let (mut quote, mut escaped) = (None, false);
    for (at, letter) in list.char_indices() {
        if let Some(end) = quote {
            match letter {
                _ if escaped => escaped = false,
                '\\' if end == '"' => escaped = true,
                _ if letter == end => quote = None,
                _ => {}
            }
            continue;
        }
        // Within a bare word brackets and quotes are letters; behind a `=` a value begins.
        let before = list[first..at].trim_end();
        let opens = !open.is_empty() || before.trim_start().is_empty() || before.ends_with('=');
        match letter {
            '"' | '\'' if opens => quote = Some(letter),
            '[' | '{' if opens => open.push(letter),
            ']' | '}' if !open.is_empty() => {
                let other = if letter == ']' { '[' } else { '{' };
                if open.pop() != Some(other) {
                    return Err(unclosed(letter));
                }
            }
            ',' if open.is_empty() => {
                pieces.push(list[first..at].trim());
                first = at + 1;
            }
            _ => {}
        }
    }
    if let Some(bracket) = quote.or(open.pop()) {
        return Err(unclosed(bracket));
    }
    pieces.push(list[first..].trim());
    Ok(pieces)
}

/// Whether the item has the form `5-20`.
fn is_dashed(item: &str) -> bool {
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    item.split_once('-').is_some_and(|(low, high)| is_whole(low) && is_whole(high))
}

fn range(key: &str, item: &str, low: &str, high: &str) -> Result<impl Iterator<Item = String> + use<>, GridError> {
    let wrong = || GridError::Range { key: key.into(), range: item.into() };
    let low: u64 = low.trim().parse().map_err(|_| wrong())?;
    let high: u64 = high.trim().trim_start_matches('=').parse().map_err(|_| wrong())?;
    if low > high || high - low >= MAX_RANGE {
        return Err(wrong());
    }
    Ok((low..=high).map(|number| number.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(list: &str) -> Result<Vec<String>, String> {
        Axis::parse("k", list).map(|axis| axis.values).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_and_ranges() {
        assert_eq!(values("5,10, 20").unwrap(), ["5", "10", "20"]);
        assert_eq!(values("1..4").unwrap(), ["1", "2", "3", "4"]);
        assert_eq!(values("1..=2,7,9..9").unwrap(), ["1", "2", "7", "9"]);
        for (list, says) in [
            ("", "missing"),
            ("1,,2", "missing"),
            ("4..1", "not a range"),
            ("1..", "not a range"),
            ("a..b", "not a range"),
            ("1..99999999999", "not a range"),
            ("1..3,2", "2 is in the list twice"),
        ] {
            assert!(values(list).unwrap_err().contains(says), "{list}");
        }
    }

    #[test]
    fn commas_within_a_value_separate_nothing() {
        assert_eq!(values(r#"[1,"5%","25%"],["20%"]"#).unwrap(), [r#"[1,"5%","25%"]"#, r#"["20%"]"#]);
        assert_eq!(values("{factor = 2, on_failed = 'shrink'}, {add=3}").unwrap().len(), 2);
        assert_eq!(values(r#"[{limit = "3, or ] so"}],none"#).unwrap().len(), 2);
        assert_eq!(values(r#""a\",b",c"#).unwrap(), [r#""a\",b""#, "c"]);
        assert_eq!(values("it's,a[1").unwrap(), ["it's", "a[1"], "a bare word has no brackets");
        for (list, bracket) in [("[1,2", "`[1,2` has ["), ("[1,2}", "has }"), ("\"a", "has \""), ("[{a=1]", "has ]")] {
            assert!(values(list).unwrap_err().contains(bracket), "{list}");
        }
    }

    #[test]
    fn what_can_be_set_beside_the_policy_keeps_its_path() {
        let parsed = |text| Axis::parse_setting(text).map(|axis| (axis.key.clone(), axis.path()));
        let same = |path: &str| (path.to_owned(), path.to_owned());
        assert_eq!(parsed("fleet.instances=50,100").unwrap(), same("fleet.instances"));
        assert_eq!(parsed("versions.v-1.2.failure_rate=0.1").unwrap(), same("versions.v-1.2.failure_rate"));
        assert_eq!(parsed("rollout.batch_pct=5").unwrap(), ("batch_pct".to_owned(), "rollout.batch_pct".to_owned()));
        for wrong in ["fleet.zones=3", "seed=1", "rollout.fleet.instances=3"] {
            assert!(parsed(wrong).unwrap_err().to_string().contains("fleet.instances"), "{wrong}");
        }
    }
}

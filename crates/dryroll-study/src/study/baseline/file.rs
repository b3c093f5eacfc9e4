//! The file of a baseline: one JSON object a line, sorted by scenario, then version, then fact.
//!
//! A scenario has one line of its own, one for each of its versions, and one for each fact of a version:
//!
//! ```text
//! {"scenario":"s.toml","hash":"…","world":"…","seed":11,"replicates":1000,"dryroll":"0.1.0","policy":{…}}
//! {"scenario":"s.toml","version":"v-2","digest":"…"}
//! {"scenario":"s.toml","version":"v-2","fact":"duration_sec","mean":1234.5,"variance":67.8,"n":1000}
//! {"scenario":"s.toml","version":"v-2","fact":"trip_rate","hits":3,"n":1000}
//! ```
//!
//! The file has no header and no line count, so a line-wise merge of two files is again a baseline. Lines may be in any
//! order, and a repeated line counts once; two lines that give different values for one fact are refused.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::facts::{Fact, VersionFacts, measures};
use super::{Baseline, Entry};
use crate::study::Policy;
use dryroll_sim::json::fault;
use dryroll_sim::scenario::Measure;
use dryroll_sim::text::Foreign;
use dryroll_stats::two_samples::Sample;

/// Why a text is not a baseline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {said}")]
pub struct FileError {
    /// The line, from 1.
    pub line: usize,
    /// What was found, and what is allowed.
    pub said: Foreign,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioLine {
    scenario: Foreign,
    hash: Foreign,
    #[serde(rename = "world")]
    environment: Foreign,
    seed: u64,
    replicates: u64,
    dryroll: Foreign,
    policy: Policy,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionLine {
    scenario: Foreign,
    version: Foreign,
    digest: Foreign,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FigureLine {
    scenario: Foreign,
    version: Foreign,
    fact: Foreign,
    mean: f64,
    variance: Option<f64>,
    n: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareLine {
    scenario: Foreign,
    version: Foreign,
    fact: Foreign,
    hits: u64,
    n: u64,
}

/// The key of a line, which also gives the order of the file: an empty version or fact sorts first.
type Place = (Foreign, Foreign, Foreign);

enum Line {
    Scenario(Box<ScenarioLine>),
    Version(VersionLine),
    Fact(Measure, Fact),
}

impl Baseline {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// When a line is not a line of a baseline, two lines contradict each other, or one is missing; each error has the
    /// line.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let mut lines: BTreeMap<Place, (usize, String, Line)> = BTreeMap::new();
        for (index, text) in text.lines().enumerate() {
            let (line, text) = (index + 1, text.trim());
            let wrong = |said: String| FileError { line, said: said.into() };
            if text.is_empty() {
                continue;
            }
            if is_conflict(text) {
                return Err(wrong("a marker of an unresolved merge; take the lines of one side out, or of both, and accept their scenarios anew with --accept".into()));
            }
            let (place, read) = read(text).map_err(wrong)?;
            let written = lines.get(&place).map(|(first, text, _)| (*first, text.clone()));
            match written {
                None => drop(lines.insert(place, (line, text.to_owned(), read))),
                Some((_, same)) if same == text => {}
                Some((first, _)) => {
                    let said = format!(
                        "it contradicts line {first}, which has another value for the same ({}); take the lines of {} out, and accept it anew with --accept",
                        named(&place),
                        place.0
                    );
                    return Err(wrong(said));
                }
            }
        }
        let mut baseline = Self::default();
        for ((scenario, version, _), (line, _, read)) in lines {
            let orphan = |missing: &str| {
                FileError {
                line,
                said: format!(
                    "it belongs to a {missing} without a line; take the lines of {scenario} out, and accept it anew with --accept"
                ).into(),
            }
            };
            match read {
                Line::Scenario(line) => {
                    let ScenarioLine { hash, environment, seed, replicates, dryroll, policy, .. } = *line;
                    let entry =
                        Entry { hash, environment, seed, replicates, dryroll, policy, versions: BTreeMap::new() };
                    baseline.entries.insert(scenario, entry);
                }
                Line::Version(line) => {
                    let entry = baseline.entries.get_mut(&scenario).ok_or_else(|| orphan("scenario"))?;
                    entry.versions.insert(version, VersionFacts { digest: line.digest, facts: Vec::new() });
                }
                Line::Fact(measure, fact) => {
                    let entry = baseline.entries.get_mut(&scenario).ok_or_else(|| orphan("scenario"))?;
                    let replicates = entry.replicates;
                    let version = entry.versions.get_mut(&version).ok_or_else(|| orphan("version"))?;
                    if fact.n() > replicates {
                        let said = format!("`n` is {}, but {scenario} has {replicates} replicates", fact.n());
                        return Err(FileError { line, said: said.into() });
                    }
                    version.facts.push((measure, fact));
                }
            }
        }
        for version in baseline.entries.values_mut().flat_map(|entry| entry.versions.values_mut()) {
            version.facts.sort_by_key(|(measure, _)| measures().position(|one| one == *measure));
        }
        Ok(baseline)
    }

    /// The text of its file.
    ///
    /// # Errors
    /// When a line cannot be written as JSON, which no fact of a run causes.
    pub fn text(&self) -> std::io::Result<String> {
        let mut lines: BTreeMap<Place, String> = BTreeMap::new();
        for (scenario, entry) in &self.entries {
            let Entry { hash, environment, seed, replicates, dryroll, policy, versions } = entry;
            let line = ScenarioLine {
                scenario: scenario.clone(),
                hash: hash.clone(),
                environment: environment.clone(),
                seed: *seed,
                replicates: *replicates,
                dryroll: dryroll.clone(),
                policy: policy.clone(),
            };
            lines.insert(
                (scenario.clone(), Foreign::default(), Foreign::default()),
                dryroll_sim::json::to_string(&line)?,
            );
            for (version, kept) in versions {
                let line =
                    VersionLine { scenario: scenario.clone(), version: version.clone(), digest: kept.digest.clone() };
                lines.insert(
                    (scenario.clone(), version.clone(), Foreign::default()),
                    dryroll_sim::json::to_string(&line)?,
                );
                for &(measure, fact) in &kept.facts {
                    let (scenario, version, fact_name) =
                        (scenario.clone(), version.clone(), Foreign::from(measure.name()));
                    let place = (scenario.clone(), version.clone(), fact_name.clone());
                    let line = match fact {
                        Fact::Figure(Sample { mean, variance, n }) => dryroll_sim::json::to_string(&FigureLine {
                            scenario,
                            version,
                            fact: fact_name,
                            mean,
                            variance,
                            n,
                        })?,
                        Fact::Share { hits, n } => {
                            dryroll_sim::json::to_string(&ShareLine { scenario, version, fact: fact_name, hits, n })?
                        }
                    };
                    lines.insert(place, line);
                }
            }
        }
        let mut text = String::new();
        for line in lines.values() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line}");
        }
        Ok(text)
    }
}

fn is_conflict(text: &str) -> bool {
    ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| text.starts_with(marker))
}

fn named((scenario, version, fact): &Place) -> String {
    let parts = [scenario, version, fact].into_iter().filter(|part| !part.is_empty());
    parts.map(Foreign::to_string).collect::<Vec<_>>().join(", ")
}

fn read(text: &str) -> Result<(Place, Line), String> {
    // The column of serde's error is of little use in a line with one object.
    let fault = |error: serde_json::Error| fault(&error);
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let shown: String = text.chars().take(40).collect();
        format!("`{shown}` is not a line of a baseline, which is a JSON object: {}", fault(error))
    })?;
    let Value::Object(keys) = &value else {
        return Err("a line of a baseline is a JSON object with `scenario` in it".into());
    };
    let name = keys.get("fact").and_then(Value::as_str);
    match (keys.contains_key("version"), keys.contains_key("fact")) {
        (false, false) => {
            let line: ScenarioLine = serde_json::from_value(value).map_err(fault)?;
            for (digest, name) in [(&line.hash, "hash"), (&line.environment, "world")] {
                checked_digest(digest.raw(), name)?;
            }
            if line.replicates == 0 {
                return Err("`replicates` is 0; allowed: 1 or more".into());
            }
            Ok(((line.scenario.clone(), Foreign::default(), Foreign::default()), Line::Scenario(Box::new(line))))
        }
        (true, false) => {
            let line: VersionLine = serde_json::from_value(value).map_err(fault)?;
            checked_digest(line.digest.raw(), "digest")?;
            Ok(((line.scenario.clone(), line.version.clone(), Foreign::default()), Line::Version(line)))
        }
        (_, true) => {
            let measure = measures().find(|measure| Some(measure.name()) == name).ok_or_else(|| {
                let names: Vec<&str> = measures().map(Measure::name).collect();
                format!("`fact` is {}; allowed: {}", keys["fact"], names.join(", "))
            })?;
            let (place, fact) = match measure {
                Measure::Rate(_) => {
                    let line: ShareLine = serde_json::from_value(value).map_err(fault)?;
                    if line.hits > line.n {
                        return Err(format!("`hits` is {}; allowed: at most `n`, which is {}", line.hits, line.n));
                    }
                    ((line.scenario, line.version, line.fact), Fact::Share { hits: line.hits, n: line.n })
                }
                _ => {
                    let FigureLine { scenario, version, fact, mean, variance, n } =
                        serde_json::from_value(value).map_err(fault)?;
                    let most = if measure.name().contains("_pct") { 100.0 + 1e-6 } else { f64::INFINITY };
                    if !(0.0..=most).contains(&mean) {
                        let allowed = if most.is_finite() { "percent, 0 to 100" } else { "a number, 0 or more" };
                        return Err(format!("`mean` of {fact} is {mean}; allowed: {allowed}"));
                    }
                    if variance.is_some_and(|variance| variance < 0.0) {
                        return Err("`variance` is below 0".into());
                    }
                    if variance.is_some() != (n > 1) {
                        return Err(format!("`variance` is null for one value and a number for more; `n` is {n}"));
                    }
                    ((scenario, version, fact), Fact::Figure(Sample { mean, variance, n }))
                }
            };
            if fact.n() == 0 {
                Err("`n` is 0; allowed: 1 or more".into())
            } else {
                Ok((place, Line::Fact(measure, fact)))
            }
        }
    }
}

fn checked_digest(digest: &str, name: &str) -> Result<(), String> {
    let is_hex = digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex { Ok(()) } else { Err(format!("`{name}` is not a SHA-256: allowed are 64 digits of lower-case hex")) }
}

#[cfg(test)]
mod tests;

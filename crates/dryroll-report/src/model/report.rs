//! Reads any report by its `schema`; the errors say what is wrong with a file that is not a report.

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::checked::{Fault, faults};
use crate::model::calibration::CalibrationReport;
use crate::model::drill::DrillReport;
use crate::model::run::RunReport;
use crate::model::{CheckReport, CompareReport, SweepReport, TuneReport};
use dryroll_sim::json::fault;
use dryroll_sim::text::Foreign;

/// Numbers beyond are not of a report: no run lasts so long, no fleet is so large.
const LARGEST: f64 = 1e15;

/// Any report.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// Of one rollout.
    Run(Box<RunReport>),
    /// Of a rollout with a person as its operator.
    Drill(Box<DrillReport>),
    /// Of a grid of policies.
    Sweep(Box<SweepReport>),
    /// Of two policies.
    Compare(Box<CompareReport>),
    /// Of the search for a policy.
    Tune(Box<TuneReport>),
    /// Of the events of real rollouts.
    Calibration(Box<CalibrationReport>),
    /// Of rules.
    Check(Box<CheckReport>),
}

/// Why a file is not a report that can be shown.
#[derive(Debug, Error)]
pub enum ReadingError {
    /// It is not JSON, or not whole.
    #[error("line {}, column {}: it is not JSON: {}", .0.line(), .0.column(), fault(.0))]
    NoJson(serde_json::Error),
    /// It is JSON, and no report.
    #[error("it has no `schema`, so it is not a report; accepted are {ACCEPTED}")]
    NoSchema,
    /// It is a report of another kind or another version of the program.
    #[error("its schema is {0:?}; accepted are {ACCEPTED}")]
    OtherSchema(String),
    /// It is not what its schema says.
    #[error("line {}, column {}: it is not a {schema} report: {}", .error.line(), .error.column(), fault(.error))]
    Shape {
        /// The schema that it names.
        schema: Foreign,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// A number that no report has.
    #[error("{place} is {value}, and no report has a number beyond 10^15")]
    TooLarge {
        /// Its path in the report.
        place: Foreign,
        /// The number.
        value: Foreign,
    },
    /// A number that cannot be below zero.
    #[error("{place} is {value}, below zero")]
    Negative {
        /// Its path in the report.
        place: Foreign,
        /// The number.
        value: f64,
    },
    /// Figures that no report has.
    #[error("it is not a {schema} report: {}", listed(.faults))]
    Impossible {
        /// The schema that it names.
        schema: String,
        /// What is wrong, place by place.
        faults: Vec<Fault>,
    },
    /// It is a report of nothing.
    #[error("it has no {0}: there is nothing to show")]
    Nothing(&'static str),
}

const ACCEPTED: &str = "dryroll.run/1, dryroll.drill/1, dryroll.sweep/1, dryroll.compare/1, dryroll.tune/1, \
 dryroll.check/1 and dryroll.calibration/1";

impl Report {
    /// Reads a report that can be true: what contradicts itself, the scenario's limits or its own schema is refused.
    ///
    /// # Errors
    /// When the bytes are not a report that can be shown, or not one that can be true.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadingError> {
        let (report, schema, value) = Self::shape(bytes)?;
        let mut faults = faults(&schema, &value);
        // The same check as that of who draws rates from it; what is wrong by itself is said first.
        if let (Self::Calibration(calibration), true) = (&report, faults.is_empty()) {
            faults = calibration.faults();
        }
        if !faults.is_empty() {
            return Err(ReadingError::Impossible { schema, faults });
        }
        Ok(report)
    }

    /// Reads a report by its shape alone: what it says need not be possible. For text from outside use
    /// [`read`](Self::read).
    ///
    /// # Errors
    /// When the bytes are not a report that can be shown.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReadingError> {
        Ok(Self::shape(bytes)?.0)
    }

    fn shape(bytes: &[u8]) -> Result<(Self, String, Value), ReadingError> {
        let value: Value = serde_json::from_slice(bytes).map_err(ReadingError::NoJson)?;
        let schema = value.get("schema").and_then(Value::as_str).ok_or(ReadingError::NoSchema)?.to_owned();
        no_number_is_too_large(&value, &mut String::new())?;
        let named = schema.clone();
        let report = match schema.as_str() {
            "dryroll.run/1" => Self::Run(shaped(bytes, schema)?),
            "dryroll.drill/1" => Self::Drill(shaped(bytes, schema)?),
            "dryroll.sweep/1" => Self::Sweep(shaped(bytes, schema)?),
            "dryroll.compare/1" => Self::Compare(shaped(bytes, schema)?),
            "dryroll.tune/1" => Self::Tune(shaped(bytes, schema)?),
            "dryroll.calibration/1" => Self::Calibration(shaped(bytes, schema)?),
            "dryroll.check/1" => Self::Check(shaped(bytes, schema)?),
            _ => return Err(ReadingError::OtherSchema(schema)),
        };
        report.check()?;
        Ok((report, named, value))
    }

    fn check(&self) -> Result<(), ReadingError> {
        let histograms: Vec<_> = match self {
            Self::Run(_) | Self::Drill(_) | Self::Tune(_) | Self::Calibration(_) | Self::Check(_) => Vec::new(),
            Self::Sweep(sweep) => sweep.cells.iter().flat_map(|cell| &cell.distributions).collect(),
            Self::Compare(compare) => compare.comparisons.iter().flat_map(|one| &one.distributions).collect(),
        };
        if let Some(histogram) = histograms.iter().find(|histogram| histogram.width < 0.0) {
            let place = format!("the width of a histogram of {}", histogram.metric.name());
            return Err(ReadingError::Negative { place: place.into(), value: histogram.width });
        }
        match self {
            Self::Sweep(sweep) if sweep.cells.is_empty() => Err(ReadingError::Nothing("cells")),
            Self::Compare(compare) if compare.comparisons.is_empty() => Err(ReadingError::Nothing("comparisons")),
            Self::Tune(tune) if tune.candidates.is_empty() && tune.front.is_empty() => {
                Err(ReadingError::Nothing("candidates"))
            }
            Self::Calibration(calibration) if calibration.versions.is_empty() => Err(ReadingError::Nothing("versions")),
            Self::Check(check) if check.scenarios.is_empty() && check.baseline.is_none() => {
                Err(ReadingError::Nothing("scenarios"))
            }
            Self::Run(_)
            | Self::Drill(_)
            | Self::Sweep(_)
            | Self::Compare(_)
            | Self::Tune(_)
            | Self::Calibration(_)
            | Self::Check(_) => Ok(()),
        }
    }
}

/// The first faults.
fn listed(faults: &[Fault]) -> String {
    const NAMED: usize = 4;
    let mut said: Vec<String> = faults.iter().take(NAMED).map(Fault::to_string).collect();
    if faults.len() > NAMED {
        said.push(format!("and {} more", faults.len() - NAMED));
    }
    said.join("; ")
}

/// From the bytes, not from the value: so that an error has its place.
fn shaped<T: DeserializeOwned>(bytes: &[u8], schema: String) -> Result<Box<T>, ReadingError> {
    serde_json::from_slice(bytes).map(Box::new).map_err(|error| ReadingError::Shape { schema: schema.into(), error })
}

/// A seed is any number; everything else is a figure.
fn no_number_is_too_large(value: &Value, place: &mut String) -> Result<(), ReadingError> {
    let length = place.len();
    match value {
        Value::Number(number) if number.as_f64().is_none_or(|number| number.abs() > LARGEST) => {
            return Err(ReadingError::TooLarge { place: place.clone().into(), value: number.to_string().into() });
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                place.push_str(&format!("[{i}]"));
                no_number_is_too_large(item, place)?;
                place.truncate(length);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                if key == "seed" || key == "replicate" {
                    continue;
                }
                place.push_str(if length == 0 { "" } else { "." });
                place.push_str(key);
                no_number_is_too_large(item, place)?;
                place.truncate(length);
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Report::read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_report_is_said_with_its_place() {
        for (text, said) in [
            ("", "line 1, column 0: it is not JSON"),
            ("{\n \"schema\": \"dryroll.run/1\",", "line 2, column 27: it is not JSON"),
            ("[1, 2]", "it has no `schema`"),
            ("{\"schema\": 1}", "it has no `schema`"),
            ("{\"schema\": \"dryroll.sweep/2\"}", "its schema is \"dryroll.sweep/2\"; accepted are dryroll.run/1"),
            (
                "{\"schema\": \"dryroll.sweep/1\",\n\"seed\": -1}",
                "line 2, column 10: it is not a dryroll.sweep/1 report",
            ),
            ("{\"schema\": \"dryroll.run/1\", \"metrics\": {\"a\": [0, 1e300]}}", "metrics.a[1] is 1e+300"),
            (
                "{\"schema\": \"dryroll.drill/1\",\n\"seed\": 1}",
                "line 2, column 10: it is not a dryroll.drill/1 report: the key `scenario` is missing",
            ),
            ("{\"schema\": \"dryroll.drill/1\", \"score\": {\"points\": 1e16}}", "score.points is 1"),
            ("{\"schema\": \"dryroll.run/1\", \"metrics\": {\"a\": 1e999}}", "it is not JSON: number out of range"),
        ] {
            assert!(error(text).contains(said), "{text}: {}", error(text));
        }
    }

    #[test]
    fn a_run_report_may_lack_what_the_page_can_do_without() {
        let text = "{\"schema\": \"dryroll.run/1\", \"seed\": 18446744073709551615}";
        let Report::Run(run) = Report::read(text.as_bytes()).unwrap() else { panic!("a run report") };
        assert_eq!(run.seed, u64::MAX);
        assert_eq!(run.timeline, None);
    }
}

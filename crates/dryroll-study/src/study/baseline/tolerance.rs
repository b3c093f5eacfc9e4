//! How much a fact may differ from its accepted value.

use dryroll_sim::scenario::Measure;

use super::facts::measures;

/// A tolerance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// As a share of the accepted value.
    Relative(f64),
    /// In the unit of the measure.
    Absolute(f64),
}

impl Tolerance {
    /// The tolerance in the unit of the measure, for an accepted value.
    #[must_use]
    pub fn around(self, accepted: f64) -> f64 {
        match self {
            Self::Relative(share) => share * accepted.abs(),
            Self::Absolute(size) => size,
        }
    }
}

/// The tolerance of each measure: 5 % of a mean and 0.01 of a rate, unless given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tolerances(Vec<(Measure, Tolerance)>);

impl Tolerances {
    /// Takes the given tolerances; a later one replaces an earlier one.
    #[must_use]
    pub fn new(said: &[(Measure, Tolerance)]) -> Self {
        Self(said.to_vec())
    }

    /// The tolerance of a measure.
    #[must_use]
    pub fn of(&self, measure: Measure) -> Tolerance {
        let said = self.0.iter().rev().find(|(one, _)| *one == measure).map(|&(_, tolerance)| tolerance);
        said.unwrap_or(match measure {
            Measure::Rate(_) => Tolerance::Absolute(0.01),
            _ => Tolerance::Relative(0.05),
        })
    }
}

/// Parses `METRIC=VALUE`: `duration_sec=5%` is a share of the accepted value, `duration_sec=60` and `trip_rate=0.01`
/// are in the unit of the metric.
///
/// # Errors
/// When there is no such metric, or the value is not a number from 0 up; the error states what is allowed.
pub fn tolerance(text: &str) -> Result<(Measure, Tolerance), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(format!("`{text}` has no `=`; write METRIC=VALUE, as in duration_sec=10% or trip_rate=0.02"));
    };
    let (name, value) = (name.trim(), value.trim());
    let Some(measure) = measures().find(|measure| measure.name() == name) else {
        let names: Vec<&str> = measures().map(Measure::name).collect();
        return Err(format!("there is no metric or rate `{name}`; allowed: {}", names.join(", ")));
    };
    let (number, relative) = value.strip_suffix('%').map_or((value, false), |number| (number.trim_end(), true));
    let read: Option<f64> = number.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    match (read, relative) {
        (Some(share), true) => Ok((measure, Tolerance::Relative(share / 100.0))),
        (Some(size), false) => Ok((measure, Tolerance::Absolute(size))),
        (None, _) => Err(format!(
            "`{value}` is not a tolerance; write a number from 0 up in the unit of {name}, or a percentage of what was accepted, as in 5%"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_sim::scenario::{Metric, Rate};

    #[test]
    fn what_is_said_goes_before_what_is_usual() {
        let (duration, trips) = (Measure::Metric(Metric::DurationSec), Measure::Rate(Rate::Trip));
        let said = ["duration_sec=60", "duration_sec= 10 %"].map(|text| tolerance(text).unwrap());
        let tolerances = Tolerances::new(&said);
        assert_eq!(tolerances.of(duration).around(-200.0), 20.0);
        assert_eq!(tolerances.of(trips).around(0.5), 0.01);
        assert_eq!(Tolerances::default().of(duration).around(200.0), 10.0);
    }

    #[test]
    fn what_is_none_is_refused_with_what_is_allowed() {
        for (text, says) in [
            ("duration_sec", "METRIC=VALUE"),
            ("speed=1", "allowed: trips, "),
            ("outcome=1", "allowed: "),
            ("trips=-1", "from 0 up"),
            ("trips=NaN", "from 0 up"),
            ("trips=inf%", "from 0 up"),
            ("trips=", "from 0 up"),
        ] {
            let said = tolerance(text).unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}

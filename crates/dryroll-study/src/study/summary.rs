//! The summary of one cell's replicates: a figure for each metric, a share for each rate.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use dryroll_sim::scenario::{Measure, Metric, Rate, Stat};
use dryroll_stats::Interval;

/// A metric over the replicates that have a value. Without any, `n` is 0 and the rest null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Mean.
    pub mean: Option<f64>,
    /// Student's interval of the mean; null below two replicates.
    pub ci: Option<Interval>,
    /// Median: the smallest value that half of the replicates do not exceed.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Smallest.
    pub min: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// The number of replicates with a value.
    pub n: u64,
    /// Interval of the median from order statistics; null with too few replicates.
    pub p50_ci: Option<Interval>,
    /// Interval of the 95th percentile, likewise.
    pub p95_ci: Option<Interval>,
    /// Interval of the 99th percentile, likewise.
    pub p99_ci: Option<Interval>,
}

impl Figure {
    /// The value of a statistic.
    #[must_use]
    pub fn stat(&self, stat: Stat) -> Option<f64> {
        match stat {
            Stat::Mean => self.mean,
            Stat::P50 => self.p50,
            Stat::P95 => self.p95,
            Stat::P99 => self.p99,
            Stat::Min => self.min,
            Stat::Max => self.max,
        }
    }
}

/// A rate over the replicates that it applies to. Without any, `n` is 0 and the rest null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// `hits / n`.
    pub rate: Option<f64>,
    /// Wilson's interval.
    pub ci: Option<Interval>,
    /// The number of hits.
    pub hits: u64,
    /// The number of replicates.
    pub n: u64,
    /// Clopper and Pearson's interval: its coverage is at least nominal for every true rate, so claims rest on it.
    pub claim: Option<Interval>,
}

/// The summary of a metric or of a rate.
#[derive(Clone, Debug, PartialEq)]
pub enum Summary {
    /// Of a metric.
    Figure(Figure),
    /// Of a rate.
    Share(Share),
}

impl Summary {
    /// The mean or the rate.
    #[must_use]
    pub fn centre(&self) -> Option<f64> {
        match self {
            Self::Figure(figure) => figure.mean,
            Self::Share(share) => share.rate,
        }
    }

    /// The interval of the mean or of the rate.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        match self {
            Self::Figure(figure) => figure.ci,
            Self::Share(share) => share.ci,
        }
    }

    /// The number of replicates.
    #[must_use]
    pub fn n(&self) -> u64 {
        match self {
            Self::Figure(figure) => figure.n,
            Self::Share(share) => share.n,
        }
    }
}

/// All metrics and rates of a cell: serialised as a JSON object by name, metrics first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summaries(pub Vec<(Measure, Summary)>);

impl Summaries {
    /// The summary of a measure.
    #[must_use]
    pub fn get(&self, measure: Measure) -> Option<&Summary> {
        self.0.iter().find(|(found, _)| *found == measure).map(|(_, summary)| summary)
    }

    /// The summary of a metric.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Figure> {
        match self.get(Measure::Metric(metric)) {
            Some(Summary::Figure(figure)) => Some(figure),
            _ => None,
        }
    }

    /// The summary of a rate.
    #[must_use]
    pub fn share(&self, rate: Rate) -> Option<&Share> {
        match self.get(Measure::Rate(rate)) {
            Some(Summary::Share(share)) => Some(share),
            _ => None,
        }
    }
}

impl Serialize for Summaries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (measure, summary) in &self.0 {
            match summary {
                Summary::Figure(figure) => map.serialize_entry(measure.name(), figure)?,
                Summary::Share(share) => map.serialize_entry(measure.name(), share)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Summaries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByName)
    }
}

struct ByName;

impl<'de> Visitor<'de> for ByName {
    type Value = Summaries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of metrics and rates")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Summaries, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match Measure::find(&name) {
                Some(measure @ Measure::Metric(_)) => all.push((measure, Summary::Figure(map.next_value()?))),
                Some(measure @ Measure::Rate(_)) => all.push((measure, Summary::Share(map.next_value()?))),
                // The report of a later version may have more measures.
                _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
            }
        }
        Ok(Summaries(all))
    }
}

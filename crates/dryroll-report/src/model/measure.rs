//! Metrics and rates in reports: written and read by their names in files.

use std::sync::OnceLock;

use dryroll_sim::scenario::Measure;
use serde::{Deserialize, Deserializer, Serializer, de};

/// Writes the name.
pub(super) fn serialize<S: Serializer>(measure: &Measure, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(measure.name())
}

/// Reads the name of any measure.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Measure, D::Error> {
    static NAMES: OnceLock<Vec<&'static str>> = OnceLock::new();
    let name = String::deserialize(deserializer)?;
    Measure::find(&name).ok_or_else(|| {
        let names = NAMES.get_or_init(|| Measure::all().map(Measure::name).collect());
        de::Error::unknown_variant(&name, names)
    })
}

/// The same of a metric alone.
pub(super) mod metric {
    use std::sync::OnceLock;

    use dryroll_sim::scenario::Metric;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes the name.
    pub fn serialize<S: Serializer>(metric: &Metric, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(metric.name())
    }

    /// Reads the name of a metric.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metric, D::Error> {
        static NAMES: OnceLock<Vec<&'static str>> = OnceLock::new();
        let name = String::deserialize(deserializer)?;
        Metric::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
            let names = NAMES.get_or_init(|| Metric::ALL.into_iter().map(Metric::name).collect());
            de::Error::unknown_variant(&name, names)
        })
    }
}

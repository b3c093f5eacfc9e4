//! Conditional metrics: figures that only some runs have, such as the time to detect. Their means are over those runs
//! alone, so they stand with the share of such runs, and two of them are compared only over runs that all have one.

use serde::{Deserialize, Serialize};

use crate::words::{Unit, plural};
use dryroll_sim::scenario::{Condition, Measure, Metric};
use dryroll_stats::Interval;
use dryroll_study::study::Summaries;

/// What a run must come to before it has this figure; `None` where every run of such a version has it.
fn condition(measure: Measure) -> Option<Condition> {
    match measure {
        Measure::Metric(metric) => metric.condition(),
        Measure::Rate(_) | Measure::Outcome => None,
    }
}

/// `detected in 42 % of rollouts`: the share of the replicates that a mean is about. `None` of a metric that is not
/// conditional, and where no replicate was looked at.
#[must_use]
pub fn in_how_many(metric: &str, n: u64, replicates: u64) -> Option<String> {
    let when = Measure::find(metric).and_then(condition).filter(|_| replicates > 0)?;
    // A trip detects a bad version; what was exposed by then is about rollouts that tripped.
    let is_detection = Measure::find(metric) == Some(Measure::Metric(Metric::TimeToDetectSec));
    let participle = if when == Condition::Tripped && !is_detection { "tripped" } else { when.participle() };
    Some(format!("{participle} in {} of rollouts", Unit::Share.say(n as f64 / replicates as f64)))
}

/// The same in brackets, with a space before; nothing of a metric that is not conditional.
#[must_use]
pub fn beside(metric: &str, n: u64, replicates: u64) -> String {
    in_how_many(metric, n, replicates).map_or_else(String::new, |said| format!(" ({said})"))
}

/// The same of a cell of a sweep.
#[must_use]
pub fn beside_in(metric: &str, metrics: &Summaries, replicates: u64) -> String {
    let n = Measure::find(metric).and_then(|measure| metrics.get(measure)).map_or(0, |summary| summary.n());
    beside(metric, n, replicates)
}

/// In how many replicates a conditional metric has a value with each of two policies, and whether the two are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conditional {
    /// The rate that says in how many: `trip_rate` or `rolled_back`.
    pub rate: String,
    /// That rate with the first.
    pub a: f64,
    /// With the second.
    pub b: f64,
    /// The interval of second less first, which holds for all metrics at once; null where there is none.
    pub difference_ci: Option<Interval>,
    /// Replicates of each.
    pub replicates: u64,
    /// Whether the means are about the same runs: only then one can be the better.
    pub comparable: bool,
    /// All of it in words.
    pub says: String,
}

/// The two sides of a comparison, as a sentence names them.
#[derive(Clone, Copy, Debug)]
pub struct Sides {
    /// The first: `with A`.
    pub a: &'static str,
    /// The second.
    pub b: &'static str,
}

impl Conditional {
    /// Of two policies that met the same replicates: `n` of them gave both a value.
    #[must_use]
    pub fn of_pairs(when: Condition, rates: [f64; 2], ci: Option<Interval>, n: u64, replicates: u64) -> Self {
        let means = format!(
            "the means are over {n} of {} where both have a value",
            plural(replicates, "replicate", "replicates")
        );
        Self::new(when, rates, ci, replicates, n == replicates, Sides { a: "with A", b: "with B" }, Some(means))
    }

    /// Of two sets of rollouts, named by `sides`.
    #[must_use]
    pub fn new(
        when: Condition,
        [a, b]: [f64; 2],
        difference_ci: Option<Interval>,
        replicates: u64,
        comparable: bool,
        sides: Sides,
        means: Option<String>,
    ) -> Self {
        let share = |value: f64| Unit::Share.say(value);
        let mut says =
            format!("{} in {} of rollouts {} and {} {}", when.participle(), share(a), sides.a, share(b), sides.b);
        if !comparable {
            if let Some(means) = means {
                says.push_str(&format!("; {means}"));
            }
            says.push_str(", so neither counts as better");
        }
        Self { rate: when.rate().name().to_owned(), a, b, difference_ci, replicates, comparable, says }
    }
}

/// Whether one of two means of a metric can be the better at all; in older reports nothing is said of it.
#[must_use]
pub fn are_comparable(metric: Measure, conditional: Option<&Conditional>) -> bool {
    condition(metric).is_none() || conditional.is_some_and(|conditional| conditional.comparable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETECT: Measure = Measure::Metric(Metric::TimeToDetectSec);

    #[test]
    fn the_share_stands_beside_conditional_metrics_alone() {
        assert_eq!(beside("time_to_detect_sec", 420, 1000), " (detected in 42\u{202f}% of rollouts)");
        assert_eq!(beside("time_to_mitigate_sec", 5, 10), " (rolled back in 50\u{202f}% of rollouts)");
        assert_eq!(beside("blast_radius_pct_tripped", 10, 10), " (tripped in 100\u{202f}% of rollouts)");
        for (metric, replicates) in [("duration_sec", 10), ("trip_rate", 10), ("time_to_stop_sec", 0), ("speed", 10)] {
            assert_eq!(beside(metric, 10, replicates), "");
        }
    }

    #[test]
    fn means_over_some_replicates_are_not_compared() {
        let some = Conditional::of_pairs(Condition::Tripped, [0.42, 0.61], None, 380, 1000);
        assert!(!some.comparable && !are_comparable(DETECT, Some(&some)));
        let says = some.says.replace('\u{202f}', " ");
        assert_eq!(
            says,
            "detected in 42 % of rollouts with A and 61 % with B; the means are over 380 of 1000 replicates where both \
             have a value, so neither counts as better"
        );
        let all = Conditional::of_pairs(Condition::Tripped, [1.0, 1.0], None, 1000, 1000);
        assert!(are_comparable(DETECT, Some(&all)));
        assert!(!are_comparable(DETECT, None) && are_comparable(Measure::Metric(Metric::DurationSec), None));
    }
}

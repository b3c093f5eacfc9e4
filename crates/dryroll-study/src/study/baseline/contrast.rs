//! Differences from accepted results, how certain they are, and whether they are worse.

use serde::{Deserialize, Serialize};

use super::facts::Fact;
use super::tolerance::Tolerance;
use crate::study::completed;
use crate::study::mean::Differences;
use dryroll_sim::scenario::{Condition, Measure};
use dryroll_sim::text::Foreign;
use dryroll_stats::{Interval, two_samples};

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The policy: this program ran both, on the same replicates.
    Policy,
    /// The program: its recorded results and its present ones, both with the accepted policy.
    Engine,
}

/// The evidence by which a difference is judged.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// Replicate by replicate.
    Pairs {
        /// The present value less the accepted one.
        differences: Differences,
        /// Whether all differences are 0.
        alike: bool,
    },
    /// As two samples: accepted, and present.
    Apart(Fact, Fact),
}

/// A measure of one version, accepted and present.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    /// The version.
    pub version: Foreign,
    /// Whether the version is defective in ground truth.
    pub defective: bool,
    /// The measure.
    pub measure: Measure,
    /// What was changed.
    pub cause: Cause,
    /// The accepted mean or rate.
    pub accepted: f64,
    /// The present mean or rate.
    pub now: f64,
    /// The number of replicates.
    pub n: u64,
    /// The evidence.
    pub evidence: Evidence,
    /// For a conditional metric, the rate of the replicates in which it has a value; `None` also where that rate was
    /// not kept.
    pub condition: Option<Box<Contrast>>,
    /// Whether the policy now stops too many good rollouts: then a shorter time does not count as better.
    pub gives_up: bool,
}

/// The verdict on a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is no difference.
    Same,
    /// There may be no difference: zero is in its interval, or it has no interval.
    Unsure,
    /// There is a difference, within its tolerance.
    Tolerated,
    /// There is a difference beyond its tolerance, for the better.
    Better,
    /// There is a difference beyond its tolerance, for the worse.
    Worse,
    /// There is a difference beyond its tolerance, in a measure for which neither direction is better, or in a
    /// conditional metric that has values in other replicates than before.
    Differs,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Same => "the same",
            Self::Unsure => "may be chance",
            Self::Tolerated => "tolerated",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Differs => "differs",
        }
    }

    /// The sign of the verdict.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Better => "●",
            Self::Worse => "✗",
            _ => "·",
        }
    }
}

impl Contrast {
    /// Compares the recorded value of a measure by an earlier engine with its present value.
    #[must_use]
    pub fn of_engines(version: &str, defective: bool, measure: Measure, accepted: Fact, now: Fact) -> Self {
        Self {
            version: version.into(),
            defective,
            measure,
            cause: Cause::Engine,
            accepted: accepted.centre(),
            now: now.centre(),
            n: now.n(),
            evidence: Evidence::Apart(accepted, now),
            condition: None,
            gives_up: false,
        }
    }

    /// Gives each conditional metric the rate of the replicates in which it has a value.
    pub fn join_conditions(contrasts: &mut [Self]) {
        for place in 0..contrasts.len() {
            let Some(when) = contrasts[place].when() else { continue };
            let rate = contrasts.iter().find(|other| other.measure == Measure::Rate(when.rate()));
            contrasts[place].condition = rate.cloned().map(Box::new);
        }
    }

    /// The condition under which a replicate has a value; `None` where every replicate has one.
    #[must_use]
    pub fn when(&self) -> Option<Condition> {
        if let Measure::Metric(metric) = self.measure { metric.condition() } else { None }
    }

    /// Whether both means are over the same replicates, so that one can be better or worse: for pairs, every replicate
    /// has a value in both or in neither; for samples, the shares with a value may be equal.
    #[must_use]
    pub fn is_comparable(&self, confidence: f64) -> bool {
        if self.when().is_none() {
            return true;
        }
        let Some(rate) = &self.condition else { return false };
        match self.evidence {
            Evidence::Pairs { .. } => self.n == rate.n,
            Evidence::Apart(..) => {
                rate.is_none() || rate.interval(confidence).is_some_and(|interval| interval.contains(0.0))
            }
        }
    }

    /// The interval of the present value less the accepted one.
    #[must_use]
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        match &self.evidence {
            Evidence::Pairs { differences, .. } => differences.interval(confidence),
            Evidence::Apart(Fact::Figure(a), Fact::Figure(b)) => two_samples::means(*a, *b, confidence),
            Evidence::Apart(Fact::Share { hits: a, n }, Fact::Share { hits: b, n: m }) => {
                two_samples::rates((*a, *n), (*b, *m), confidence)
            }
            // The two facts of one measure are always of the same kind.
            Evidence::Apart(..) => None,
        }
    }

    fn is_time(&self) -> bool {
        matches!(self.measure, Measure::Metric(metric) if completed::is_time(metric))
    }

    fn is_none(&self) -> bool {
        match &self.evidence {
            Evidence::Pairs { alike, .. } => *alike,
            Evidence::Apart(a, b) => a == b,
        }
    }

    /// The verdict, with an interval of this confidence.
    #[must_use]
    pub fn verdict(&self, tolerance: Tolerance, confidence: f64) -> Verdict {
        if self.is_none() {
            return Verdict::Same;
        }
        let Some(interval) = self.interval(confidence).filter(|interval| !interval.contains(0.0)) else {
            return Verdict::Unsure;
        };
        let difference = self.now - self.accepted;
        if difference.abs() <= tolerance.around(self.accepted) {
            return Verdict::Tolerated;
        }
        match self.measure.more_is_better(self.defective).filter(|_| self.is_comparable(confidence)) {
            None => Verdict::Differs,
            Some(more) if more == (interval.low > 0.0) && self.gives_up && self.is_time() => Verdict::Differs,
            Some(more) if more == (interval.low > 0.0) => Verdict::Better,
            Some(_) => Verdict::Worse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_sim::scenario::{Metric, Rate};
    use dryroll_stats::bounded::Reach;
    use dryroll_stats::two_samples::Sample;

    fn pairs(measure: Measure, defective: bool, accepted: f64, difference: f64) -> Contrast {
        // Every other replicate differs by slightly more.
        let values = (0..100).map(|replicate| difference + f64::from(replicate % 2) * 0.002 - 0.001).collect();
        let differences = Differences { values, reach: Reach::within(-10.0, 10.0), cut: [0.0, 0.0] };
        let evidence = Evidence::Pairs { differences, alike: false };
        let (version, now) = ("v".to_owned(), accepted + difference);
        Contrast {
            version: version.into(),
            defective,
            measure,
            cause: Cause::Policy,
            accepted,
            now,
            n: 100,
            evidence,
            condition: None,
            gives_up: false,
        }
    }

    #[test]
    fn worse_is_sure_and_beyond_the_tolerance_and_in_the_worse_direction() {
        let (duration, serving) = (Measure::Metric(Metric::DurationSec), Measure::Metric(Metric::MinServingPct));
        let share = Tolerance::Relative(0.05);
        for (measure, defective, difference, verdict) in [
            (duration, false, 6.0, Verdict::Worse),
            (duration, false, -6.0, Verdict::Better),
            (duration, false, 4.0, Verdict::Tolerated),
            (duration, false, 0.000_1, Verdict::Unsure),
            (serving, false, -6.0, Verdict::Worse),
            (Measure::Metric(Metric::ExposedPct), false, 6.0, Verdict::Differs),
            (Measure::Metric(Metric::ExposedPct), true, 6.0, Verdict::Worse),
            (Measure::Rate(Rate::Trip), true, -6.0, Verdict::Worse),
        ] {
            let found = pairs(measure, defective, 100.0, difference).verdict(share, 0.99);
            assert_eq!(found, verdict, "{measure} {difference}");
        }
    }

    #[test]
    fn a_conditional_metric_is_judged_only_over_the_same_runs() {
        let detect = Measure::Metric(Metric::TimeToDetectSec);
        let with = |n: u64, replicates: u64| {
            let rate = Contrast { n: replicates, ..pairs(Measure::Rate(Rate::Trip), true, 0.5, 0.0) };
            let mut both = [Contrast { n, ..pairs(detect, true, 100.0, -50.0) }, rate];
            Contrast::join_conditions(&mut both);
            both[0].verdict(Tolerance::Absolute(1.0), 0.99)
        };
        assert_eq!(with(100, 100), Verdict::Better);
        assert_eq!(with(99, 100), Verdict::Differs);
        let alone = pairs(detect, true, 100.0, 50.0).verdict(Tolerance::Absolute(1.0), 0.99);
        assert_eq!(alone, Verdict::Differs, "in how many replicates it exists was not kept");
        let two_samples = |then: u64, now: u64| {
            let mean = |mean, n| Fact::Figure(Sample { mean, variance: Some(100.0), n });
            let share = |hits| Fact::Share { hits, n: 1000 };
            let trips = Contrast::of_engines("v", true, Measure::Rate(Rate::Trip), share(then), share(now));
            let mut both = [Contrast::of_engines("v", true, detect, mean(50.0, then), mean(90.0, now)), trips];
            Contrast::join_conditions(&mut both);
            both[0].verdict(Tolerance::Absolute(1.0), 0.99)
        };
        assert_eq!(two_samples(500, 505), Verdict::Worse);
        assert_eq!(two_samples(500, 700), Verdict::Differs);
    }

    #[test]
    fn samples_apart_are_judged_by_what_was_kept_of_them() {
        let contrast = |accepted, now, measure| Contrast::of_engines("v", false, measure, accepted, now);
        let mean = |mean| Fact::Figure(Sample { mean, variance: Some(100.0), n: 1000 });
        let rate = |hits| Fact::Share { hits, n: 1000 };
        let duration = Measure::Metric(Metric::DurationSec);
        let trips = Measure::Rate(Rate::FalseTrip);
        let verdict = |contrast: Contrast, size| contrast.verdict(Tolerance::Absolute(size), 0.99);
        assert_eq!(verdict(contrast(mean(50.0), mean(55.0), duration), 1.0), Verdict::Worse);
        assert_eq!(verdict(contrast(mean(50.0), mean(50.5), duration), 0.1), Verdict::Unsure);
        assert_eq!(verdict(contrast(mean(50.0), mean(50.0), duration), 0.1), Verdict::Same);
        assert_eq!(verdict(contrast(rate(10), rate(200), trips), 0.01), Verdict::Worse);
        assert_eq!(verdict(contrast(rate(200), rate(10), trips), 0.01), Verdict::Better);
        assert_eq!(verdict(contrast(rate(10), rate(14), trips), 0.0), Verdict::Unsure);
    }

    #[test]
    fn a_policy_that_gives_up_is_not_better_in_time() {
        let shorter = |gives_up| {
            let one = Contrast { gives_up, ..pairs(Measure::Metric(Metric::DurationSec), false, 9.0, -1.0) };
            one.verdict(Tolerance::Absolute(0.0), 0.95)
        };
        assert_eq!([shorter(false), shorter(true)], [Verdict::Better, Verdict::Differs]);
        let less = Contrast { gives_up: true, ..pairs(Measure::Metric(Metric::HarmedPct), true, 9.0, -1.0) };
        assert_eq!(less.verdict(Tolerance::Absolute(0.0), 0.95), Verdict::Better);
    }
}

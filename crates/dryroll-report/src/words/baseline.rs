//! Scenarios against a baseline, in words: the lines and cells that each medium shows.

use crate::model::baseline::{AgainstBaseline, BaselineReport, BaselineScenario, ComparedFact};
use crate::words::{Unit, plural};
use dryroll_study::study::Policy;
use dryroll_study::study::baseline::contrast::{Cause, Verdict};

/// The verdicts whose facts are listed one by one, worst first; the others are counted.
pub const LISTED: [Verdict; 3] = [Verdict::Worse, Verdict::Better, Verdict::Differs];
/// The heads of the columns.
pub const COLUMNS: [&str; 9] =
    ["", "metric", "version", "changed", "accepted", "now", "difference", "interval", "tolerance"];

impl AgainstBaseline {
    /// In words.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Compared => "compared",
            Self::NotTheSameBytes => "not the same bytes",
            Self::New => "new",
            Self::ScenarioChanged => "the scenario changed",
            Self::NotRunnable => "not comparable",
            Self::Unfinished => "unfinished",
            Self::Skipped => "skipped",
        }
    }
}

impl BaselineScenario {
    /// What became of it, in a line.
    #[must_use]
    pub fn in_a_line(&self) -> String {
        let mut parts = vec![self.standing.says().to_owned()];
        for (verdict, what) in [(Verdict::Worse, "worse"), (Verdict::Better, "better"), (Verdict::Differs, "other")] {
            let count = self.of(verdict).count();
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        parts.join(", ")
    }
}

impl ComparedFact {
    /// What the table says of it: verdict, metric, version, what was changed, accepted, now, difference, its interval
    /// and the tolerance.
    #[must_use]
    pub fn cells(&self) -> [String; 9] {
        let unit = Unit::of_measure(self.metric);
        let by = match self.changed {
            Cause::Policy => "policy",
            Cause::Engine => "engine",
        };
        [
            format!("{} {}", self.verdict.sign(), self.verdict.says()),
            self.metric.to_string(),
            self.version.to_string(),
            by.to_owned(),
            unit.say(self.accepted),
            unit.say(self.now),
            unit.say_difference(self.difference),
            unit.say_difference_interval(self.interval),
            format!("± {}", unit.say_difference(self.tolerance).trim_start_matches(['+', '±'])),
        ]
    }

    /// Of a metric that only some runs have: in how many, in a sentence that stands beside the table.
    #[must_use]
    pub fn condition(&self) -> Option<String> {
        let conditional = self.conditional.as_ref()?;
        Some(format!("{} of {}: {}", self.metric, self.version, conditional.says))
    }

    /// The same in a sentence.
    #[must_use]
    pub fn in_a_sentence(&self) -> String {
        let [_, metric, version, by, accepted, now, difference, interval, tolerance] = self.cells();
        let of = self.conditional.as_ref().map_or_else(String::new, |conditional| format!("; {}", conditional.says));
        format!(
            "{}: {metric} of {version} was {accepted} and is {now}: {difference} (interval {interval}, tolerance \
             {tolerance}) by the {by}, n = {}{of}",
            self.verdict.says(),
            self.n
        )
    }
}

impl BaselineReport {
    /// All of it in one line.
    #[must_use]
    pub fn verdict(&self) -> String {
        let mut parts = vec![format!("{} worse", self.count(Verdict::Worse))];
        for (verdict, what) in [(Verdict::Better, "better"), (Verdict::Differs, "other")] {
            if self.count(verdict) > 0 {
                parts.push(format!("{} {what}", self.count(verdict)));
            }
        }
        use AgainstBaseline::{New, NotRunnable, NotTheSameBytes, ScenarioChanged, Skipped, Unchanged, Unfinished};
        for standing in [NotTheSameBytes, Unchanged, New, ScenarioChanged, NotRunnable, Unfinished, Skipped] {
            let count = self.standing(standing);
            if count > 0 {
                let scenarios = plural(count, "scenario", "scenarios");
                parts.push(format!(
                    "{scenarios} {}",
                    if standing == ScenarioChanged { "of another scenario" } else { standing.says() }
                ));
            }
        }
        let state = match (self.accepted, self.passed) {
            (true, _) => "accepted",
            (false, true) => "passed",
            (false, false) => "failed",
        };
        format!(
            "{state}: baseline {}, {}: {} ({})",
            self.file,
            plural(self.scenarios.len() as u64, "scenario", "scenarios"),
            parts.join(", "),
            plural(self.rollouts, "rollout", "rollouts")
        )
    }
}

/// In how many runs the listed conditional metrics have a value.
pub fn conditions(scenario: &BaselineScenario) -> impl Iterator<Item = String> {
    LISTED.into_iter().flat_map(|verdict| scenario.of(verdict)).filter_map(ComparedFact::condition)
}

/// How many facts are not listed, and why.
#[must_use]
pub fn others(scenario: &BaselineScenario) -> String {
    let of = |(verdict, says): (Verdict, &str)| {
        let count = scenario.of(verdict).count() as u64;
        (count > 0).then(|| format!("{} {says}", plural(count, "fact", "facts")))
    };
    let counts = [
        (Verdict::Tolerated, "within the tolerance"),
        (Verdict::Unsure, "may differ by chance"),
        (Verdict::Same, "the same"),
    ];
    counts.into_iter().filter_map(of).collect::<Vec<_>>().join(", ")
}

/// The keys in which two policies differ, with both values as JSON.
pub(crate) fn differing(accepted: &Policy, now: &Policy) -> Vec<(String, String, String)> {
    let value = |policy: &Policy, key: &str| policy.get(key).unwrap_or_default().to_string();
    let all = Policy::differing([accepted, now]).into_iter();
    all.map(|key| (key.clone(), value(accepted, &key), value(now, &key))).collect()
}

/// The keys of the policy that were changed, as `batch_pct 20 → 10`.
#[must_use]
pub fn policy_change(scenario: &BaselineScenario) -> String {
    let Some(accepted) = &scenario.accepted_policy else { return String::new() };
    let said = differing(accepted, &scenario.policy);
    said.iter().map(|(key, then, now)| format!("{key} {then} → {now}")).collect::<Vec<_>>().join(", ")
}

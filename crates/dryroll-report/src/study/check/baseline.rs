//! The part of a check report that holds scenarios against a baseline.

use serde::{Deserialize, Serialize};

use crate::completed;
use crate::conditional::{Conditional, Sides};
use crate::replay;
use crate::wording::{Unit, plural};
use dryroll_sim::SEMANTICS_VERSION;
use dryroll_sim::scenario::Scenario;
use dryroll_sim::text::{Foreign, listed};
use dryroll_stats::{Interval, simultaneous};
use dryroll_study::study::Policy;
use dryroll_study::study::baseline::Entry;
use dryroll_study::study::baseline::contrast::{Cause, Contrast, Verdict};
use dryroll_study::study::baseline::subject::Compared;
use dryroll_study::study::baseline::tolerance::Tolerances;
use dryroll_study::study::compare::PolicyText;
use dryroll_study::study::grid::Axis;
use dryroll_study::study::sweep::CONFIDENCE;

/// What scenarios came to, against what was accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineReport {
    /// The file of the baseline.
    pub file: Foreign,
    /// Whether nothing got worse, every scenario was looked at, and the same engine gave the same bytes.
    pub passed: bool,
    /// Whether what was found was accepted, and the file written anew.
    pub accepted: bool,
    /// Confidence of all intervals together, 0.95.
    pub confidence: f64,
    /// How many intervals share it.
    pub intervals: u64,
    /// Rollouts that were run.
    pub rollouts: u64,
    /// The scenarios, in the order in which they were checked.
    pub scenarios: Vec<BaselineScenario>,
    /// Scenarios of the baseline that the command line does not lead to.
    pub not_checked: Vec<NotChecked>,
}

/// A scenario of the baseline that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChecked {
    /// Its path, as the baseline has it.
    pub scenario: Foreign,
    /// Whether there is no such file any more.
    pub gone: bool,
}

/// Where a scenario stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgainstBaseline {
    /// Every byte is as it was accepted.
    Unchanged,
    /// The policy or the engine is another, and was compared.
    Compared,
    /// The same engine gave other bytes.
    NotTheSameBytes,
    /// Nothing was accepted of it.
    New,
    /// The scenario is another, so that what was accepted says nothing of it; two policies are still compared.
    #[serde(rename = "world_changed")]
    ScenarioChanged,
    /// The accepted policy cannot be run.
    NotRunnable,
    /// The time was over.
    Unfinished,
    /// It was not looked at, since a rule had failed.
    Skipped,
}

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

    /// Whether it lets the check pass where no fact is worse.
    #[must_use]
    pub fn passes(self) -> bool {
        !matches!(self, Self::NotTheSameBytes | Self::Unfinished | Self::Skipped)
    }
}

/// A scenario against what was accepted of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineScenario {
    /// Its file, as the command line leads to it.
    pub file: Foreign,
    /// The line of its `[rollout]`.
    pub line: usize,
    /// Where it stands.
    pub standing: AgainstBaseline,
    /// Whether nothing about it fails.
    pub passed: bool,
    /// What people should know: what was changed, and what to do.
    pub notes: Vec<String>,
    /// The accepted policy; null where there is none.
    pub accepted_policy: Option<Policy>,
    /// Its policy.
    pub policy: Policy,
    /// The seed of the replicates.
    pub seed: u64,
    /// Replicates of each version.
    pub replicates: u64,
    /// Every fact that was compared.
    pub facts: Vec<ComparedFact>,
    /// The command that compares both policies on the same replicates, where they differ.
    pub replay: Option<Foreign>,
}

impl BaselineScenario {
    /// The facts of one kind.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &ComparedFact> {
        self.facts.iter().filter(move |fact| fact.verdict == verdict)
    }

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

/// A metric or a rate of one version, then and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedFact {
    /// The version.
    pub version: Foreign,
    /// Whether it is defective in truth.
    pub defective: bool,
    /// Its name.
    pub metric: String,
    /// What was changed: `policy` (both were run on the same replicates) or `engine` (two samples apart).
    pub changed: Cause,
    /// Mean or rate that was accepted; of a changed policy, over the replicates where both have a value.
    pub accepted: f64,
    /// Mean or rate now.
    pub now: f64,
    /// Now less accepted.
    pub difference: f64,
    /// The interval of that, which holds for all facts of the command at once; null where there is none.
    pub interval: Option<Interval>,
    /// The largest difference that is let pass.
    pub tolerance: f64,
    /// Over how many replicates.
    pub n: u64,
    /// What it comes to.
    pub verdict: Verdict,
    /// Of a metric that only some runs have: in how many, and whether then and now are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditional: Option<Conditional>,
}

/// In how many replicates a conditional metric has a value, then and now.
fn conditional(contrast: &Contrast, confidence: f64) -> Option<Conditional> {
    let (when, rate) = (contrast.when()?, contrast.condition.as_ref()?);
    let comparable = contrast.is_comparable(confidence);
    let sides = Sides { a: "then", b: "now" };
    let ci = rate.interval(confidence);
    Some(Conditional::new(when, [rate.accepted, rate.now], ci, rate.n, comparable, sides, None))
}

impl ComparedFact {
    fn of(contrast: &Contrast, tolerances: &Tolerances, confidence: f64) -> Self {
        let tolerance = tolerances.of(contrast.measure);
        Self {
            version: contrast.version.clone(),
            defective: contrast.defective,
            metric: contrast.measure.name().to_owned(),
            changed: contrast.cause,
            accepted: contrast.accepted,
            now: contrast.now,
            difference: contrast.now - contrast.accepted,
            interval: contrast.interval(confidence),
            tolerance: tolerance.around(contrast.accepted),
            n: contrast.n,
            verdict: contrast.verdict(tolerance, confidence),
            conditional: conditional(contrast, confidence),
        }
    }

    /// What the table says of it: verdict, metric, version, what was changed, accepted, now, difference, its interval
    /// and the tolerance.
    #[must_use]
    pub fn cells(&self) -> [String; 9] {
        let unit = Unit::of(&self.metric);
        let by = match self.changed {
            Cause::Policy => "policy",
            Cause::Engine => "engine",
        };
        [
            format!("{} {}", self.verdict.sign(), self.verdict.says()),
            self.metric.clone(),
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

/// What is known of a scenario before it is judged.
#[derive(Debug)]
pub struct Found<'a> {
    /// Its file, as the command line leads to it.
    pub file: &'a str,
    /// The line of its `[rollout]`.
    pub line: usize,
    /// The scenario.
    pub scenario: &'a Scenario,
    /// What was accepted of it.
    pub entry: Option<&'a Entry>,
    /// What was found, or why nothing was.
    pub result: Result<Compared, (AgainstBaseline, Vec<String>)>,
}

impl BaselineReport {
    /// Judges what was found: all intervals hold together.
    #[must_use]
    pub fn of(file: &str, found: &[Found<'_>], tolerances: &Tolerances, accepted: bool) -> Self {
        let intervals = found.iter().filter_map(|one| one.result.as_ref().ok()).map(|one| one.intervals).sum();
        let confidence = simultaneous::each(CONFIDENCE, intervals);
        let scenarios: Vec<_> = found.iter().map(|one| judged(one, tolerances, confidence)).collect();
        Self {
            file: file.into(),
            passed: accepted || scenarios.iter().all(|one| one.passed),
            accepted,
            confidence: CONFIDENCE,
            intervals,
            scenarios,
            ..Self::default()
        }
    }

    /// How many facts are of a kind.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.scenarios.iter().map(|one| one.of(verdict).count() as u64).sum()
    }

    /// How many scenarios stand so.
    #[must_use]
    pub fn standing(&self, standing: AgainstBaseline) -> u64 {
        self.scenarios.iter().filter(|one| one.standing == standing).count() as u64
    }

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

fn judged(found: &Found<'_>, tolerances: &Tolerances, confidence: f64) -> BaselineScenario {
    let (scenario, entry) = (found.scenario, found.entry);
    let policy = Policy::of(scenario);
    let (standing, notes, facts) = match &found.result {
        Err((standing, notes)) => (*standing, notes.clone(), Vec::new()),
        Ok(compared) => {
            let facts = compared.contrasts.iter().map(|one| ComparedFact::of(one, tolerances, confidence)).collect();
            (standing(compared), notes(compared, entry), facts)
        }
    };
    let mut judged = BaselineScenario {
        file: found.file.into(),
        line: found.line,
        standing,
        passed: false,
        notes,
        accepted_policy: entry.map(|entry| entry.policy.clone()),
        seed: entry.map_or(scenario.seed, |entry| entry.seed),
        replicates: entry.map_or(0, |entry| entry.replicates),
        replay: None,
        facts,
        policy,
    };
    judged.passed = standing.passes() && judged.of(Verdict::Worse).next().is_none();
    let changed = entry.filter(|entry| found.result.is_ok() && entry.policy != judged.policy);
    judged.replay = changed.map(|entry| compare_command(&judged, entry).into());
    judged
}

/// Compares the accepted policy (A) with the scenario's own (B) on the accepted replicates.
fn compare_command(judged: &BaselineScenario, entry: &Entry) -> String {
    let mut settings = Vec::new();
    for (key, accepted, _) in differing(&entry.policy, &judged.policy) {
        let value = if accepted == "null" { "none".to_owned() } else { accepted.trim_matches('"').to_owned() };
        settings.push(Axis { key, values: vec![value] });
    }
    let mut versions: Vec<&str> = Vec::new();
    for fact in &judged.facts {
        if !versions.contains(&fact.version.raw()) {
            versions.push(fact.version.raw());
        }
    }
    let policies = [PolicyText(settings), PolicyText(Vec::new())];
    replay::compare(judged.file.raw(), entry.seed, &policies, &versions, entry.replicates)
}

/// The keys in which two policies differ, with both values as JSON.
fn differing(accepted: &Policy, now: &Policy) -> Vec<(String, String, String)> {
    let value = |policy: &Policy, key: &str| policy.get(key).unwrap_or_default().to_string();
    let all = Policy::differing([accepted, now]).into_iter();
    all.map(|key| (key.clone(), value(accepted, &key), value(now, &key))).collect()
}

fn standing(compared: &Compared) -> AgainstBaseline {
    if !compared.not_the_same_bytes.is_empty() {
        AgainstBaseline::NotTheSameBytes
    } else if compared.world_changed {
        AgainstBaseline::ScenarioChanged
    } else if compared.policy_changed || !compared.other_engine.is_empty() {
        AgainstBaseline::Compared
    } else {
        AgainstBaseline::Unchanged
    }
}

fn notes(compared: &Compared, entry: Option<&Entry>) -> Vec<String> {
    let mut notes = Vec::new();
    if !compared.not_the_same_bytes.is_empty() {
        notes.push(format!(
            "dryroll of {SEMANTICS_VERSION} gave other bytes for the same scenario ({}): the program was changed \
             without another number, it is not deterministic here, or the baseline was edited",
            listed(&compared.not_the_same_bytes)
        ));
    }
    if let Some(entry) = entry.filter(|_| !compared.other_engine.is_empty()) {
        notes.push(format!(
            "dryroll of {} gave other results than of {SEMANTICS_VERSION} ({}): they are compared as two samples \
             apart, since the older engine cannot be run",
            entry.dryroll,
            listed(&compared.other_engine)
        ));
    }
    if compared.world_changed {
        let policies = if compared.policy_changed { "; both policies are compared in the new one" } else { "" };
        notes.push(format!(
            "something beside [rollout] is another, so that the accepted figures are not comparable{policies}; accept \
             it anew with --accept"
        ));
    }
    for (versions, says) in [
        (&compared.new_versions, "of which nothing was accepted; --accept takes them in"),
        (&compared.gone_versions, "which were accepted and are not rolled out any more; --accept takes them out"),
    ] {
        if !versions.is_empty() {
            notes.push(format!("versions {says}: {}", listed(versions)));
        }
    }
    for (version, completed) in &compared.given_up {
        let does = completed::does(completed).unwrap_or_default();
        notes.push(format!("the policy {does} of {version}, so that it is not better in time"));
    }
    notes
}

/// The keys of the policy that were changed, as `batch_pct 20 → 10`.
#[must_use]
pub fn policy_change(scenario: &BaselineScenario) -> String {
    let Some(accepted) = &scenario.accepted_policy else { return String::new() };
    let said = differing(accepted, &scenario.policy);
    said.iter().map(|(key, then, now)| format!("{key} {then} → {now}")).collect::<Vec<_>>().join(", ")
}

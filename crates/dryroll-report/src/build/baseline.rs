//! The part of a check report that holds scenarios against a baseline, from what was found.

use serde_json::Value;

use crate::judge::conditional::{Conditional, Sides};
use crate::model::baseline::{AgainstBaseline, BaselineReport, BaselineScenario, ComparedFact};
use crate::words::baseline::differing;
use crate::words::{completed, replay};
use dryroll_sim::SEMANTICS_VERSION;
use dryroll_sim::scenario::Scenario;
use dryroll_sim::text::listed;
use dryroll_stats::simultaneous;
use dryroll_study::study::Policy;
use dryroll_study::study::baseline::Entry;
use dryroll_study::study::baseline::contrast::{Contrast, Verdict};
use dryroll_study::study::baseline::subject::Compared;
use dryroll_study::study::baseline::tolerance::Tolerances;
use dryroll_study::study::compare::PolicyText;
use dryroll_study::study::grid::Axis;
use dryroll_study::study::policy::toml_text;
use dryroll_study::study::sweep::CONFIDENCE;

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
            metric: contrast.measure,
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
        let value = match serde_json::from_str(&accepted) {
            Ok(Value::Null) => "none".to_owned(),
            Ok(value @ (Value::Array(_) | Value::Object(_))) => toml_text(&value),
            _ => accepted.trim_matches('"').to_owned(),
        };
        settings.push(Axis { key, values: vec![value] });
    }
    let mut versions: Vec<&str> = Vec::new();
    for fact in &judged.facts {
        if !versions.contains(&fact.version.raw()) {
            versions.push(fact.version.raw());
        }
    }
    let policies = [PolicyText { name: None, settings }, PolicyText::default()];
    replay::compare(judged.file.raw(), entry.seed, &policies, None, &versions, entry.replicates)
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
            "dryroll of {} gave other results than of {SEMANTICS_VERSION} ({}): they are compared as two independent \
             samples, since the older engine cannot be run",
            entry.dryroll,
            listed(&compared.other_engine)
        ));
    }
    if compared.world_changed {
        let policies = if compared.policy_changed { "; both policies are compared in the new one" } else { "" };
        notes.push(format!(
            "something outside [rollout] changed, so the accepted figures are not comparable{policies}; accept \
             it anew with --accept"
        ));
    }
    for (versions, says) in [
        (&compared.new_versions, "which the baseline does not have; --accept adds them"),
        (
            &compared.gone_versions,
            "which the baseline has and this scenario no longer rolls out; --accept removes them",
        ),
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

//! Which records apply to today's rollout, most relevant first.

use super::claims::{Claims, is_about};
use super::conflicts::{Verdict, verdicts};
use super::elsewhere::{Elsewhere, elsewhere};
use super::facts::rates;
use super::{Learning, phrases};
use dryroll_engine::Plan;
use dryroll_engine::fleet::Span;
use dryroll_report::model::{ScenarioRef, TuneReport};
use dryroll_sim::scenario::Scenario;
use dryroll_study::study::Policy;

/// What is rehearsed today.
#[derive(Clone, Debug)]
pub struct Today<'a> {
    /// The module.
    pub module: &'a str,
    /// The template of the fleet.
    pub fleet: &'a str,
    /// Its instances.
    pub instances: u32,
    /// The scenario's hash.
    pub hash: &'a str,
    /// Digest of all that the scenario says beside policy and seed.
    pub replicate: &'a str,
    /// The failure rates of each version, as records say them.
    pub rates: Vec<(String, String)>,
    /// Whether the rates stay hidden: a drill is about to begin.
    pub hides_truth: bool,
    /// The version that is rolled out.
    pub version: &'a str,
    /// The policy that it is rolled out with; a search has none of its own.
    pub policy: Option<Policy>,
    /// What came out.
    pub numbers: Numbers<'a>,
}

/// What came out today.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// A plan.
    Plan(PlanNumbers),
    /// A run, and the plan that it walked.
    Run(PlanNumbers, RunNumbers<'a>),
    /// A search.
    Tune(&'a TuneReport),
}

/// The figures of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanNumbers {
    /// Planned instances.
    pub total: u64,
    /// Batches.
    pub batches: u64,
    /// What it promises at most.
    pub estimate_sec: f64,
}

impl PlanNumbers {
    /// Of a plan and what it promises.
    #[must_use]
    pub fn of(plan: &Plan, estimate: Span) -> Self {
        Self {
            total: u64::from(plan.total_instances()),
            batches: u64::from(plan.batch_count()),
            estimate_sec: estimate.as_secs_f64(),
        }
    }
}

/// The figures of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunNumbers<'a> {
    /// The seed.
    pub seed: u64,
    /// Which replicate.
    pub replicate: u64,
    /// Whether the version is defective in truth.
    pub defective: bool,
    /// Whether a person operated it: that may come out otherwise in the very same replicate.
    pub is_drill: bool,
    /// How it ended.
    pub outcome: &'a str,
    /// How often it tripped.
    pub trips: u64,
    /// How long it took.
    pub duration_sec: f64,
    /// How far a defective version got.
    pub blast_radius_pct: Option<f64>,
}

impl<'a> Today<'a> {
    /// Of a scenario.
    #[must_use]
    pub fn of(scenario: &'a Scenario, policy: Option<Policy>, numbers: Numbers<'a>) -> Self {
        Self {
            module: scenario.module_id.raw(),
            fleet: scenario.fleet.template_id.raw(),
            instances: scenario.fleet.instances,
            hash: &scenario.hash,
            replicate: &scenario.environment,
            rates: rates(&ScenarioRef::of(scenario)),
            hides_truth: false,
            version: scenario.target().id.raw(),
            policy,
            numbers,
        }
    }
}

/// A record that applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled<'a> {
    /// The record.
    pub record: &'a Learning,
    /// How relevant it is; more is more.
    pub relevance: u32,
    /// In how far it is about another case; `None` where it is about today's.
    pub elsewhere: Option<Elsewhere>,
    /// What today says to it.
    pub verdicts: Vec<Verdict>,
    /// Whether it was made of today's very scenario: it may tell what only its end should tell.
    pub is_of_this_scenario: bool,
}

impl Recalled<'_> {
    /// Whether today contradicts it.
    #[must_use]
    pub fn is_contradicted(&self) -> bool {
        self.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Contradicts(_)))
    }
}

/// The records that apply, most relevant first; of equals the later one first, for it knows more.
#[must_use]
pub fn recall<'a>(records: &'a [Learning], today: &Today<'_>) -> Vec<Recalled<'a>> {
    let mut found: Vec<Recalled<'a>> = records
        .iter()
        .rev()
        .filter_map(|record| {
            let claims = Claims::of(record);
            let relevance = relevance(record, &claims, today)?;
            let facts = claims.facts.as_ref();
            let is_of_this_scenario = facts.is_some_and(|facts| facts.get("scenario") == Some(today.hash));
            let elsewhere = elsewhere(&claims, today);
            let verdicts = verdicts(&claims, record, today, elsewhere.is_some());
            Some(Recalled { record, relevance, elsewhere, verdicts, is_of_this_scenario })
        })
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.relevance));
    found
}

/// Points for what a record has in common with today; `None` where it does not apply.
fn relevance(record: &Learning, claims: &Claims, today: &Today<'_>) -> Option<u32> {
    let tagged = is_about(record, today.module)?;
    let size = match claims.instances {
        None => 0,
        Some(instances) => similarity(instances, u64::from(today.instances))?,
    };
    let has = |tag: String| record.tags.iter().any(|found| phrases::tag(found) == phrases::tag(&tag));
    let fact = |name: &str, value: &str| claims.facts.as_ref().is_some_and(|facts| facts.get(name) == Some(value));
    let mut points = size;
    let mut give = |holds: bool, information_value: u32| points += if holds { information_value } else { 0 };
    give(tagged, 2);
    give(has(today.version.to_owned()) || fact("version", today.version) || fact("good", today.version), 3);
    give(fact("scenario", today.hash), 3);
    give(has(format!("template-{}", today.fleet)), 2);
    if let Some(policy) = &today.policy {
        give(claims.batch_pct.is_some() && claims.batch_pct == policy.batch_pct, 2);
        give(claims.limit.is_some() && claims.limit == policy.max_consecutive_failures, 2);
    } else {
        // A search asks for policies: records that recommend one are what it is held against.
        give(claims.recommends, 2);
    }
    Some(points)
}

/// How alike two sizes are; `None` beyond half and double.
fn similarity(theirs: u64, ours: u64) -> Option<u32> {
    let (small, large) = (theirs.min(ours), theirs.max(ours));
    if small == large {
        return Some(3);
    }
    // In more than 64 bits: a record can claim any size.
    let (small, large) = (u128::from(small), u128::from(large));
    match () {
        () if small * 5 >= large * 4 => Some(2),
        () if small * 2 >= large => Some(1),
        () => None,
    }
}

#[cfg(test)]
mod tests;

//! The file that keeps a drill's decisions: `dryroll.decisions/1`. A replay gives the same run, byte for byte.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{Decision, DrillError, Recorded};
use crate::study::Policy;
use dryroll_engine::fleet::At;
use dryroll_engine::{Answer, Edit, OperatorDecision, RequestKind};
use dryroll_sim::json::fault;
use dryroll_sim::scenario::Scenario;
use dryroll_sim::text::Foreign;

const SCHEMA: &str = "dryroll.decisions/1";

/// Decisions, and the run that they belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    schema: Foreign,
    /// The scenario's name and hash.
    pub scenario: Option<Origin>,
    /// The seed.
    pub seed: Option<u64>,
    /// The replicate.
    pub replicate: Option<u64>,
    /// The version that was rolled out.
    pub version: Option<Foreign>,
    /// The policy of the run.
    pub policy: Option<Policy>,
    decisions: Vec<Line>,
}

/// The scenario of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Its name.
    pub name: Foreign,
    /// Its hash.
    pub hash: Foreign,
}

/// A decision in the file format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_at_ms: Option<u64>,
    decide: Foreign,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch_pct: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_consecutive_failures: Option<u32>,
    /// Whether it answers a trip of a rollback.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    of_rollback: bool,
    /// Whether it answers a promotion; `promote` always does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    of_promotion: bool,
}

impl Record {
    /// A record of decisions in a run of a scenario.
    #[must_use]
    pub fn new(scenario: &Scenario, replicate: u64, decisions: &[Decision]) -> Self {
        Self {
            schema: SCHEMA.into(),
            scenario: Some(Origin { name: scenario.name.clone(), hash: scenario.hash.clone().into() }),
            seed: Some(scenario.seed),
            replicate: Some(replicate),
            version: Some(scenario.target().id.clone()),
            policy: Some(Policy::of(scenario)),
            decisions: decisions.iter().map(Line::of).collect(),
        }
    }

    /// Removes the names that would reveal a surprise drill; its hash is enough to replay it.
    #[must_use]
    pub fn veiled(mut self) -> Self {
        if let Some(origin) = &mut self.scenario {
            origin.name = "A surprise".into();
        }
        Self { version: None, policy: None, ..self }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When the text is not a valid record: with line and column, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, DrillError> {
        let record: Self = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            DrillError::Record(format!(
                "line {line}, column {column}: it is not a record of decisions: {}",
                fault(&error)
            ))
        })?;
        if record.schema != SCHEMA {
            let found = &record.schema;
            return Err(DrillError::Record(format!("its schema is `{found}`; allowed: `{SCHEMA}`")));
        }
        Ok(record)
    }

    /// The decisions, ready to be replayed.
    ///
    /// # Errors
    /// At the first invalid decision.
    pub fn decisions(&self) -> Result<Vec<Recorded>, DrillError> {
        let decision = |(place, line): (usize, &Line)| {
            line.recorded().map_err(|why| DrillError::Record(format!("decision {}: {why}", place + 1)))
        };
        self.decisions.iter().enumerate().map(decision).collect()
    }

    /// How the record's run differs from this one of the scenario; `None` where it is the same run.
    #[must_use]
    pub fn differs_from(&self, scenario: &Scenario, replicate: u64) -> Option<String> {
        let differs = |what: &str| Some(format!("it was recorded with another {what}"));
        if self.scenario.as_ref().is_some_and(|origin| origin.hash != scenario.hash) {
            differs("scenario")
        } else if self.version.as_ref().is_some_and(|version| *version != scenario.target().id) {
            differs("version")
        } else if self.policy.as_ref().is_some_and(|policy| *policy != Policy::of(scenario)) {
            differs("policy")
        } else if self.seed.is_some_and(|seed| seed != scenario.seed) {
            differs("seed")
        } else if self.replicate.is_some_and(|recorded| recorded != replicate) {
            differs("replicate")
        } else {
            None
        }
    }
}

impl Line {
    fn of(decision: &Decision) -> Self {
        let edit = match decision.answer {
            Answer::Edit(edit) => edit,
            _ => Edit::default(),
        };
        Self {
            at_ms: decision.at.0,
            asked_at_ms: Some(decision.asked.at.0),
            decide: decision.answer.name().into(),
            batch_pct: edit.batch_pct,
            max_consecutive_failures: edit.max_consecutive_failures.map(NonZeroU32::get),
            of_rollback: decision.asked.kind == RequestKind::RollbackContinuation,
            of_promotion: decision.asked.kind == RequestKind::Promotion && decision.answer != Answer::Promote,
        }
    }

    fn recorded(&self) -> Result<Recorded, String> {
        let on_trip = |decision| Ok(Answer::OnTrip(decision));
        let answer = match self.decide.raw() {
            "approve" => Ok(Answer::Approve),
            "reject" => Ok(Answer::Reject),
            "edit" => self.edit(),
            "continue_anyway" => on_trip(OperatorDecision::ContinueAnyway),
            "rollback_completed_batches" => on_trip(OperatorDecision::RollbackCompletedBatches),
            "abort" => on_trip(OperatorDecision::Abort),
            "promote" => Ok(Answer::Promote),
            other => Err(format!(
                "`{other}` is not a decision; allowed: approve, edit, reject, continue_anyway, \
                 rollback_completed_batches, abort, promote"
            )),
        }?;
        if !matches!(answer, Answer::Edit(_)) && (self.batch_pct.is_some() || self.max_consecutive_failures.is_some()) {
            return Err(format!("`{}` takes no batch_pct and no max_consecutive_failures; `edit` does", self.decide));
        }
        if self.of_rollback && !matches!(answer, Answer::OnTrip(_)) {
            return Err(format!("`{}` takes no of_rollback: it does not answer a trip", self.decide));
        }
        if self.of_promotion && !RequestKind::Promotion.offers(&answer) {
            let offered = RequestKind::Promotion.option_names().join(", ");
            return Err(format!("`{}` does not answer a promotion; allowed: {offered}", self.decide));
        }
        if self.of_promotion && self.of_rollback {
            return Err("it cannot answer a promotion and a trip of the rollback; allowed: one of them".to_owned());
        }
        if let Some(asked) = self.asked_at_ms.filter(|&asked| asked > self.at_ms) {
            return Err(format!("it is made at {} ms, before it is asked for at {asked} ms", self.at_ms));
        }
        let kind = match answer {
            Answer::Promote => RequestKind::Promotion,
            Answer::OnTrip(_) if self.of_promotion => RequestKind::Promotion,
            Answer::OnTrip(_) if self.of_rollback => RequestKind::RollbackContinuation,
            Answer::OnTrip(_) => RequestKind::RollingUpgradeContinuation,
            _ => RequestKind::RollingUpgrade,
        };
        Ok(Recorded { kind, asked_at: self.asked_at_ms.map(At), at: At(self.at_ms), answer })
    }

    fn edit(&self) -> Result<Answer, String> {
        if self.batch_pct.is_none() && self.max_consecutive_failures.is_none() {
            return Err("an edit sets batch_pct or max_consecutive_failures".into());
        }
        if let Some(pct) = self.batch_pct.filter(|pct| !(1..=100).contains(pct)) {
            return Err(format!("batch_pct is {pct}; it must be 1 to 100"));
        }
        let limit = match self.max_consecutive_failures {
            Some(limit) => Some(NonZeroU32::new(limit).ok_or("max_consecutive_failures is 0; it must be 1 or more")?),
            None => None,
        };
        Ok(Answer::Edit(Edit { batch_pct: self.batch_pct, max_consecutive_failures: limit }))
    }
}

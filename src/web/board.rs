//! What a browser shows besides the cells: state, breaker and rules, plan, request, batches, decisions. Never the truth.

use std::ops::Range;

use serde::Serialize;

use super::cells::Patch;
use super::preview::Figures;
use dryroll_engine::{
    Answer, BatchPhase, Before, Direction, Engine, InterventionPolicy, OperatorDecision, Outcome, RequestKind,
    RolloutId,
};
use dryroll_report::events::bakes::Bake;
use dryroll_report::events::chronicle::{BatchRecord, Chronicle, TripRecord};
use dryroll_report::words::{heartbeat_summary, rules};
use dryroll_study::drill::{Asked, BatchLayout, Briefing, Decision, Drill, HeartbeatSummary};

/// The state of the drill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Board {
    pub state: State,
    /// Null where no number of failures in a row trips.
    pub breaker: Option<Breaker>,
    /// The rules of `breakers`, in their order; none while a rollback runs.
    pub rules: Vec<RuleCount>,
    pub plan: Figures,
    pub request: Option<Request>,
    pub batches: Vec<Batch>,
    pub decisions: Vec<Decided>,
    /// What is heard of the fleet; null where no trip and no promotion waits for its answer.
    pub heard: Option<Heard>,
}

/// Where the rollout is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub says: String,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whether the debrief can be read.
    pub debrief: bool,
    /// Instances that were dispatched to the target.
    pub dispatched: u32,
    /// Instances that await a verdict.
    pub in_flight: u32,
    /// Instances that are unwell and not in flight; absent where nobody is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unwell: Option<u32>,
    /// When the bake ends that the rollout waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bake_ends_at_ms: Option<u64>,
}

/// A rule, and what it counts now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// In words.
    pub says: String,
    /// Null where it counts nothing.
    pub count: Option<u32>,
}

/// The breaker's failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Breaker {
    pub count: u32,
    pub limit: u32,
}

/// What waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// What an answer has to name: it changes with every decision, so that an answer to an older question is known.
    pub key: String,
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub of_rollback: bool,
    pub options: Vec<&'static str>,
    pub asked_at_ms: u64,
    /// When it expires; null where it does not.
    pub expires_at_ms: Option<u64>,
    /// Of a trip: in which batch. Of a promotion: the batch that waits for it.
    pub batch_index: Option<u32>,
    /// Of a trip: the instances that the rule counted.
    pub failed_instance_ids: Vec<String>,
    /// Of a trip by a rule of `breakers`: which, and what it found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a promotion: for how long the batch before baked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baked_ms: Option<u64>,
}

/// A batch of the rollout or of its rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    pub rollout_id: String,
    pub index: u32,
    /// The position of its first instance.
    pub first: u32,
    pub instances: u32,
    pub phase: &'static str,
    pub started_at_ms: Option<u64>,
    pub completed_at_ms: Option<u64>,
    pub healthy: u32,
    pub failed: u32,
}

/// The heartbeat summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// At which moment.
    pub at_ms: u64,
    /// In words: a heading, then a line a zone.
    pub lines: Vec<String>,
}

/// A decision that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    pub request: String,
    pub at_ms: u64,
    pub asked_at_ms: u64,
    pub decide: &'static str,
    pub batch_pct: Option<u32>,
    pub max_consecutive_failures: Option<u32>,
}

/// The parts of the board that changed.
#[derive(Debug, Default, Serialize)]
pub struct Update<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'a State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Option<Breaker>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<&'a [RuleCount]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<&'a Figures>,
    /// Null: no request is open any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<&'a Option<Request>>,
    /// How many batches there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_count: Option<usize>,
    /// Each with its place among all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<(usize, &'a Batch)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<&'a [Decided]>,
    /// Null: no trip waits any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<&'a Option<Heard>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Patch>,
}

impl<'a> Update<'a> {
    /// The difference between two boards.
    pub fn between(old: &Board, new: &'a Board, cells: Vec<Patch>) -> Self {
        let changed = |(place, batch): &(usize, &Batch)| old.batches.get(*place) != Some(*batch);
        Self {
            state: (old.state != new.state).then_some(&new.state),
            breaker: (old.breaker != new.breaker).then_some(new.breaker),
            rules: (old.rules != new.rules).then_some(&new.rules),
            plan: (old.plan != new.plan).then_some(&new.plan),
            request: (old.request != new.request).then_some(&new.request),
            batch_count: (old.batches.len() != new.batches.len()).then_some(new.batches.len()),
            batches: new.batches.iter().enumerate().filter(changed).collect(),
            decisions: (old.decisions != new.decisions).then_some(&new.decisions),
            heard: (old.heard != new.heard).then_some(&new.heard),
            cells,
        }
    }
}

impl Board {
    /// The board of a drill.
    pub fn of(drill: &Drill<'_>, chronicle: &Chronicle, briefing: &Briefing, roll: Option<&HeartbeatSummary>) -> Self {
        let engine = drill.engine();
        Self {
            state: State::of(drill, briefing),
            breaker: engine.breaker().map(|(count, limit)| Breaker { count, limit }),
            rules: rule_counts(engine),
            plan: Figures::of(drill),
            request: drill.asked().map(|asked| Request::of(drill, asked, chronicle, briefing)),
            batches: batches(engine, chronicle),
            decisions: drill.decisions().iter().map(Decided::of).collect(),
            heard: roll.map(|roll| Heard {
                at_ms: roll.at.0,
                lines: heartbeat_summary::lines(roll, &briefing.previous, &briefing.target),
            }),
        }
    }
}

impl State {
    fn of(drill: &Drill<'_>, briefing: &Briefing) -> Self {
        let engine = drill.engine();
        let (code, says) = words(drill, engine, briefing);
        Self {
            code,
            says,
            outcome: engine.outcome(),
            debrief: false,
            dispatched: engine.dispatched(),
            in_flight: engine.in_flight(),
            unwell: engine.unwell(),
            bake_ends_at_ms: engine.bake_ends().map(|at| at.0),
        }
    }
}

fn rule_counts(engine: &Engine) -> Vec<RuleCount> {
    if engine.direction() == Direction::Back {
        return Vec::new();
    }
    let count = |(rule, count)| RuleCount { says: rules::rule(rule), count: rules::counted(engine, rule, count) };
    engine.rules().map(count).collect()
}

fn words(drill: &Drill<'_>, engine: &Engine, briefing: &Briefing) -> (&'static str, String) {
    if let Some(outcome) = engine.outcome() {
        let by_rule = engine.unasked_trips() > 0
            && drill.decisions().iter().all(|decision| decision.answer != Answer::OnTrip(OperatorDecision::Abort));
        return ("finished", format!("Over: {}", outcome_says(outcome, by_rule)));
    }
    match (drill.asked(), engine.pending_request()) {
        (Some(Asked { kind: RequestKind::RollingUpgrade, .. }), _) => {
            ("awaiting_approval", "The plan waits for your approval".into())
        }
        (Some(Asked { kind: RequestKind::RollingUpgradeContinuation, .. }), _) => {
            ("tripped", "The breaker tripped; you decide how to go on".into())
        }
        (Some(Asked { kind: RequestKind::RollbackContinuation, .. }), _) => {
            ("tripped", "The breaker of the rollback tripped; you decide how to go on".into())
        }
        (Some(Asked { kind: RequestKind::Promotion, .. }), _) => {
            ("awaiting_promotion", format!("Batch {} waits for your promotion", engine.batches_begun()))
        }
        (None, Some(_)) => {
            ("decided", "Your decision is made; the controller is away and takes it when it is back".into())
        }
        (None, None) if engine.direction() == Direction::Back => {
            ("rolling_back", format!("Going back to {}", briefing.previous))
        }
        (None, None) if engine.bake_ends().is_some() => {
            let last = engine.batches_begun().saturating_sub(1);
            ("baking", format!("Batch {last} bakes"))
        }
        (None, None) if engine.dispatched() == 0 && engine.settings().policy == InterventionPolicy::RequireApproval => {
            ("approved", "Approved; the first batch starts at the next tick".into())
        }
        (None, None) => ("running", format!("Rolling out {}", briefing.target)),
    }
}

/// How it ended, in words.
fn outcome_says(outcome: Outcome, by_rule: bool) -> &'static str {
    match outcome {
        Outcome::Completed => "completed, every instance has its verdict",
        Outcome::Aborted if by_rule => "aborted by a rule",
        Outcome::Aborted => "aborted by you",
        Outcome::RolledBack => "rolled back",
        Outcome::RollbackFailed => "the rollback failed, there was no previous version",
        Outcome::Rejected => "rejected by you",
        Outcome::Expired => "expired without an answer in time",
        Outcome::Blocked => "blocked by the policy",
        Outcome::Stalled => "stalled, not over by the horizon",
    }
}

impl Request {
    fn of(drill: &Drill<'_>, asked: Asked, chronicle: &Chronicle, briefing: &Briefing) -> Self {
        let engine = drill.engine();
        let trip = asked.kind.is_of_trip().then(|| chronicle.trips.last()).flatten();
        let next = (asked.kind == RequestKind::Promotion).then(|| engine.batches_begun());
        let is_of_last = |bake: &&Bake| Some(bake.batch_index + 1) == next && bake.until <= asked.at;
        let baked = chronicle.bakes.last().filter(is_of_last);
        let names = briefing.event_names().instances;
        let failed = trip.map(|trip| trip.failed.iter().map(|&id| names.name(id).to_string()).collect());
        Self {
            key: key(asked, drill.decisions()),
            id: asked.request.to_string(),
            kind: asked.kind.type_name(),
            of_rollback: asked.kind == RequestKind::RollbackContinuation,
            options: asked.kind.option_names(),
            asked_at_ms: asked.at.0,
            expires_at_ms: engine.expires_at().map(|at| at.0),
            batch_index: trip.map(|trip| trip.batch_index).or(next),
            failed_instance_ids: failed.unwrap_or_default(),
            reason: trip.and_then(TripRecord::rule_reason),
            baked_ms: baked.map(|bake| (bake.until - bake.from).0),
        }
    }
}

/// Names a question: the request, and how many decisions went before.
pub fn key(asked: Asked, decisions: &[Decision]) -> String {
    format!("{}.{}", asked.request, decisions.len())
}

impl Decided {
    /// A decision.
    pub fn of(decision: &Decision) -> Self {
        let edit = if let Answer::Edit(edit) = decision.answer { edit } else { Default::default() };
        Self {
            request: decision.asked.request.to_string(),
            at_ms: decision.at.0,
            asked_at_ms: decision.asked.at.0,
            decide: decision.answer.name(),
            batch_pct: edit.batch_pct,
            max_consecutive_failures: edit.max_consecutive_failures.map(std::num::NonZeroU32::get),
        }
    }
}

/// The batches of the rollout, then those of the rollback.
fn batches(engine: &Engine, chronicle: &Chronicle) -> Vec<Batch> {
    let layout = BatchLayout::of(engine);
    let is_back = engine.direction() == Direction::Back;
    let (own, back): (Vec<_>, Vec<_>) = chronicle.batches.iter().partition(|record| record.rollout == RolloutId::FIRST);
    let own = (0..layout.len()).map(|index| {
        let positions = layout.batch(index);
        let phase = match engine.batch_phase(index) {
            BatchPhase::Pending => "pending",
            BatchPhase::Running => "running",
            BatchPhase::Completed => "completed",
            BatchPhase::RolledBack => "rolled_back",
            BatchPhase::Tripped if is_back && !engine.is_finished() => "going_back",
            BatchPhase::Tripped => "tripped",
        };
        Batch::of(RolloutId::FIRST, index, positions, phase, own.get(index as usize).copied())
    });
    let has_tripped = matches!(engine.pending_request(), Some((_, RequestKind::RollbackContinuation)));
    let back = rollback_batches(engine).into_iter().zip(0..).map(|(positions, index)| {
        let record = back.get(index as usize).copied();
        let phase = match record {
            None => "pending",
            Some(record) if record.completed_at.is_some() => "completed",
            Some(_) if has_tripped => "tripped",
            Some(_) => "running",
        };
        Batch::of(RolloutId(RolloutId::FIRST.0 + 1), index, positions, phase, record)
    });
    own.chain(back).collect()
}

/// The positions of the batches of a rollback, which do not depend on how it goes; none where none runs.
fn rollback_batches(engine: &Engine) -> Vec<Range<u32>> {
    let total = if engine.direction() == Direction::Back { engine.dispatched() } else { 0 };
    let (mut batches, mut next): (Vec<Range<u32>>, u32) = (Vec::new(), 0);
    while next < total {
        let before = batches.last().map(|batch| Before { size: batch.len() as u32, failed: false });
        let sizes = &engine.settings().rollback_batches;
        let size = sizes.size(batches.len() as u32, total, total - next, before).clamp(1, total - next);
        batches.push(next..next + size);
        next += size;
    }
    batches
}

impl Batch {
    fn of(
        rollout: RolloutId,
        index: u32,
        positions: Range<u32>,
        phase: &'static str,
        record: Option<&BatchRecord>,
    ) -> Self {
        Self {
            rollout_id: rollout.to_string(),
            index,
            first: positions.start,
            instances: positions.len() as u32,
            phase,
            started_at_ms: record.map(|record| record.started_at.0),
            completed_at_ms: record.and_then(|record| record.completed_at).map(|at| at.0),
            healthy: record.map_or(0, |record| record.healthy_count),
            failed: record.map_or(0, |record| record.failed_count),
        }
    }
}

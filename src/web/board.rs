//! What a browser shows besides the cells: state, breaker, plan, request, batches, decisions. Never the truth.

use serde::Serialize;

use super::cells::Patch;
use super::preview::Figures;
use dryroll_engine::{Answer, BatchPhase, Direction, Engine, InterventionPolicy, Outcome, RequestKind, RolloutId};
use dryroll_report::events::chronicle::{BatchRecord, Chronicle};
use dryroll_report::words::heartbeat_summary;
use dryroll_study::drill::{Asked, Briefing, Decision, Drill, HeartbeatSummary};

/// The state of the drill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Board {
    pub state: State,
    pub breaker: Breaker,
    pub plan: Figures,
    pub request: Option<Request>,
    pub batches: Vec<Batch>,
    pub decisions: Vec<Decided>,
    /// What is heard of the fleet; null where no trip waits for its answer.
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
    /// Of a trip: in which batch.
    pub batch_index: Option<u32>,
    /// Of a trip: the run that tripped it.
    pub failed_instance_ids: Vec<String>,
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
    pub breaker: Option<Breaker>,
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
        let (count, limit) = engine.breaker().unwrap_or_default();
        Self {
            state: State::of(drill, briefing),
            breaker: Breaker { count, limit },
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
        }
    }
}

fn words(drill: &Drill<'_>, engine: &Engine, briefing: &Briefing) -> (&'static str, String) {
    if let Some(outcome) = engine.outcome() {
        return ("finished", format!("Over: {}", outcome_says(outcome)));
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
            ("awaiting_promotion", "The next batch waits for your promotion".into())
        }
        (None, Some(_)) => {
            ("decided", "Your decision is made; the controller is away and takes it when it is back".into())
        }
        (None, None) if engine.direction() == Direction::Back => {
            ("rolling_back", format!("Going back to {}", briefing.previous))
        }
        (None, None) if engine.dispatched() == 0 && engine.settings().policy == InterventionPolicy::RequireApproval => {
            ("approved", "Approved; the first batch starts at the next tick".into())
        }
        (None, None) => ("running", format!("Rolling out {}", briefing.target)),
    }
}

/// How it ended, in words.
fn outcome_says(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed, every instance has its verdict",
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
        let trip = (asked.kind != RequestKind::RollingUpgrade).then(|| chronicle.trips.last()).flatten();
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
            batch_index: trip.map(|trip| trip.batch_index),
            failed_instance_ids: failed.unwrap_or_default(),
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

/// The batches of the plan, then those of the rollback.
fn batches(engine: &Engine, chronicle: &Chronicle) -> Vec<Batch> {
    let plan = engine.plan();
    let is_back = engine.direction() == Direction::Back;
    let (own, back): (Vec<_>, Vec<_>) = chronicle.batches.iter().partition(|record| record.rollout == RolloutId::FIRST);
    let own = (0..plan.batch_count()).map(|index| {
        let positions = plan.batch(index);
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
    let total = if is_back { engine.dispatched() } else { 0 };
    let size = engine.settings().rollback_batches.largest(total).max(1);
    let has_tripped = matches!(engine.pending_request(), Some((_, RequestKind::RollbackContinuation)));
    let back = (0..total.div_ceil(size)).map(|index| {
        let record = back.get(index as usize).copied();
        let phase = match record {
            None => "pending",
            Some(record) if record.completed_at.is_some() => "completed",
            Some(_) if has_tripped => "tripped",
            Some(_) => "running",
        };
        let positions = index * size..((index + 1) * size).min(total);
        Batch::of(RolloutId(RolloutId::FIRST.0 + 1), index, positions, phase, record)
    });
    own.chain(back).collect()
}

impl Batch {
    fn of(
        rollout: RolloutId,
        index: u32,
        positions: std::ops::Range<u32>,
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

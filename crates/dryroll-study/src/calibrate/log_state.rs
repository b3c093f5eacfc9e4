//! Which events can follow which in a log, by the engine's contract: a plan and its counts, requests and their answers,
//! batches, trips, a rollback, and the end. A rollout whose beginning is not in the log is checked only against what
//! the log has of it.

use std::collections::BTreeMap;

use super::batch::{Batch, Plan};
use super::history::Event;
use dryroll_engine::{EventKind, Outcome, RequestKind};

/// The state that the events of a log have led to.
#[derive(Debug, Default)]
pub struct LogState {
    /// Whether the log has the beginning of its first rollout.
    whole: bool,
    ended: bool,
    rollouts: BTreeMap<String, Rollout>,
    requests: BTreeMap<String, Request>,
}

/// The stage of a rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Batches may start and verdicts may arrive, or nothing has begun.
    #[default]
    Going,
    /// The plan awaits approval.
    Asked,
    /// A rule of `breakers` tripped, and asks a person, aborts or rolls back: which of them is not known yet.
    RuleTripped,
    /// The breaker tripped, and no decision has been made.
    Tripped,
    /// The next batch waits for a promotion.
    Promoting,
    /// A rollback was decided and has not started.
    GoingBack,
    /// The rollback is in progress, or over.
    Back,
    /// Only the end can follow.
    Over(Outcome),
}

#[derive(Debug, Default)]
struct Rollout {
    /// Whether the log has its beginning.
    known: bool,
    is_rollback: bool,
    stage: Stage,
    plan: Plan,
    batches: BTreeMap<u64, Batch>,
    /// By instance.
    started: BTreeMap<String, Start>,
    version: Option<String>,
}

/// A command and its verdict.
#[derive(Debug)]
struct Start {
    batch: Option<u64>,
    healthy: Option<bool>,
    /// How often it was commanded again.
    retries: u64,
}

#[derive(Debug)]
struct Request {
    kind: RequestKind,
    of: String,
    open: bool,
    /// Whether a trip made it void.
    is_void: bool,
}

/// The kind of a request by its `type`.
///
/// # Errors
/// States what is allowed, where it is another.
pub fn request_kind(name: &str) -> Result<RequestKind, String> {
    const KINDS: [RequestKind; 3] =
        [RequestKind::RollingUpgrade, RequestKind::RollingUpgradeContinuation, RequestKind::Promotion];
    KINDS
        .into_iter()
        .find(|kind| kind.type_name() == name)
        .ok_or_else(|| format!("its type is {name:?}; allowed: {}", KINDS.map(RequestKind::type_name).join(", ")))
}

impl LogState {
    /// Takes the next event of a log.
    ///
    /// # Errors
    /// States what was found and what is allowed, where the event is not possible.
    pub fn take(&mut self, kind: EventKind, event: &Event, id: &str) -> Result<(), String> {
        if self.ended {
            return Err(
                "it comes after the rollout's finished; only the planned of another rollout can follow".to_owned()
            );
        }
        let begins = matches!(kind, EventKind::Planned | EventKind::RollbackStarted);
        if self.whole && !begins && !self.rollouts.contains_key(id) {
            let known: Vec<&str> = self.rollouts.keys().map(String::as_str).collect();
            return Err(format!(
                "its rollout_id is {id}, but no planned and no rollback_started of {id} comes before it; rollouts so \
                 far: {}",
                known.join(", ")
            ));
        }
        match kind {
            EventKind::RollbackStarted => return self.rollback(event, id),
            EventKind::Finished => return self.finished(event, id),
            EventKind::ApprovalRequested => return self.asked(event, id),
            EventKind::ApprovalDecided => return self.decided(event, id),
            EventKind::Planned => self.whole |= self.rollouts.is_empty(),
            _ => {}
        }
        let rollout = self.rollouts.entry(id.to_owned()).or_default();
        rollout.may_go_on(kind, id)?;
        match kind {
            EventKind::Planned => rollout.planned(event, id),
            EventKind::BatchStarted => rollout.batch_started(event),
            EventKind::BatchCompleted => rollout.batch_completed(event),
            EventKind::InstanceHealthCheck => rollout.verdict(event),
            EventKind::CircuitBreakerTripped => {
                rollout.tripped(event, id)?;
                self.void_promotions(id);
                Ok(())
            }
            EventKind::BreakerNoted => rollout.noted(event, id),
            EventKind::InstanceRetried => rollout.retried(event, id),
            EventKind::InstanceRelapsed => rollout.relapsed(event, id),
            EventKind::InstanceStarted => {
                rollout.start(event, id)?;
                self.taken_back(event, id)
            }
            EventKind::RollbackFailed => {
                rollout.stage = Stage::Over(Outcome::RollbackFailed);
                Ok(())
            }
            EventKind::OperatorNotified
            | EventKind::ApprovalRequested
            | EventKind::ApprovalDecided
            | EventKind::RollbackStarted
            | EventKind::Finished => Ok(()),
        }
    }

    fn asked(&mut self, event: &Event, id: &str) -> Result<(), String> {
        let (Some(request), Some(kind)) = (&event.approval_request_id, &event.request_type) else { return Ok(()) };
        let kind = request_kind(kind)?;
        let rollout = self.rollouts.entry(id.to_owned()).or_default();
        let fits = match (kind, rollout.stage) {
            (RequestKind::RollingUpgrade, Stage::Going) => {
                rollout.batches.is_empty() && rollout.started.is_empty() && !rollout.is_rollback
            }
            (RequestKind::Promotion, Stage::Going) => !rollout.is_rollback && !rollout.has_no_batch(),
            (
                RequestKind::RollingUpgradeContinuation | RequestKind::RollbackContinuation,
                Stage::Tripped | Stage::RuleTripped,
            ) => true,
            _ => false,
        };
        if rollout.known && !fits {
            return Err(match kind {
                RequestKind::RollingUpgrade => {
                    format!("it asks about the plan of {id} at the wrong time; allowed: once, before the first batch")
                }
                RequestKind::Promotion => format!(
                    "it asks for a promotion of {id} at the wrong time; allowed: between two batches, while no other \
                     request is open"
                ),
                RequestKind::RollingUpgradeContinuation | RequestKind::RollbackContinuation => {
                    format!("it asks how {id} goes on; allowed: only after a circuit_breaker_tripped")
                }
            });
        }
        rollout.stage = match kind {
            RequestKind::RollingUpgrade => Stage::Asked,
            RequestKind::Promotion => Stage::Promoting,
            RequestKind::RollingUpgradeContinuation | RequestKind::RollbackContinuation => Stage::Tripped,
        };
        let opened = Request { kind, of: id.to_owned(), open: true, is_void: false };
        if self.requests.insert(request.clone(), opened).is_some() {
            return Err(format!("{request} was opened before; each request has an id of its own"));
        }
        Ok(())
    }

    /// A trip makes the promotion void that its rollout waits for.
    fn void_promotions(&mut self, id: &str) {
        for request in self.requests.values_mut() {
            if request.open && request.kind == RequestKind::Promotion && request.of == id {
                (request.open, request.is_void) = (false, true);
            }
        }
    }

    fn decided(&mut self, event: &Event, id: &str) -> Result<(), String> {
        let (Some(id_of_request), Some(decision)) = (&event.approval_request_id, &event.decision) else {
            return Ok(());
        };
        let rollout = self.rollouts.entry(id.to_owned()).or_default();
        let Some(request) = self.requests.get_mut(id_of_request) else {
            return match rollout.known {
                true => {
                    Err(format!("it decides on {id_of_request}, but no approval_requested of that id comes before it"))
                }
                false => Ok(()),
            };
        };
        if request.is_void {
            return Err(format!(
                "{id_of_request} is void since a trip; a promotion is asked for anew after the decision"
            ));
        }
        if !request.open {
            return Err(format!("{id_of_request} was decided before; a request is decided once"));
        }
        let offered = request.kind.option_names();
        if !offered.contains(&decision.as_str()) {
            return Err(format!("its decision is {decision:?}, but {id_of_request} offers {}", offered.join(", ")));
        }
        request.open = decision == "edit";
        rollout.stage = match decision.as_str() {
            "edit" => Stage::Asked,
            "reject" => Stage::Over(Outcome::Rejected),
            "abort" => Stage::Over(Outcome::Aborted),
            // A rollback cannot itself be rolled back: the engine takes that answer as an abort.
            "rollback_completed_batches" if rollout.is_rollback => Stage::Over(Outcome::Aborted),
            "rollback_completed_batches" => Stage::GoingBack,
            _ => Stage::Going,
        };
        Ok(())
    }

    fn rollback(&mut self, event: &Event, id: &str) -> Result<(), String> {
        let goes_back = |rollout: &Rollout| matches!(rollout.stage, Stage::GoingBack | Stage::RuleTripped);
        let decided = self.rollouts.iter_mut().find(|(_, rollout)| goes_back(rollout));
        if let Some((parent, rollout)) = decided {
            rollout.stage = Stage::Back;
            let started = rollout.started.len() as u64;
            let counted = rollout.known && (started > 0 || rollout.batches.is_empty());
            if let Some(count) = event.instance_count.filter(|&count| counted && count != started) {
                return Err(format!(
                    "its instance_count is {count}, but {started} instances were started in {parent}; a rollback takes \
                     back each of them"
                ));
            }
        } else if self.whole {
            let aborted = self.rollouts.values().any(|one| one.stage == Stage::Over(Outcome::Aborted));
            return Err(format!(
                "it is a rollback, but {}; a rollback follows only the decision rollback_completed_batches",
                if aborted { "the decision was abort" } else { "no decision asks for one" }
            ));
        }
        if self.rollouts.get(id).is_some_and(|other| other.known || !other.started.is_empty()) {
            return Err(format!("its rollout_id is {id}, which is that of another rollout; a rollback has its own"));
        }
        let plan = Plan::of_rollback(event.instance_count);
        self.rollouts.insert(id.to_owned(), Rollout { known: true, is_rollback: true, plan, ..Rollout::default() });
        Ok(())
    }

    /// Checks that an instance that a rollback starts was started by the rollout that it undoes.
    fn taken_back(&self, event: &Event, id: &str) -> Result<(), String> {
        let Some(instance) = &event.instance_id else { return Ok(()) };
        if !self.rollouts.get(id).is_some_and(|rollout| rollout.is_rollback) {
            return Ok(());
        }
        let mut parents = self.rollouts.iter().filter(|(_, one)| one.stage == Stage::Back && !one.started.is_empty());
        match parents.next() {
            Some((parent, one)) if one.known && !one.started.contains_key(instance) => Err(format!(
                "it rolls back {instance}, which was not started in {parent}; a rollback covers what was started"
            )),
            _ => Ok(()),
        }
    }

    fn finished(&mut self, event: &Event, id: &str) -> Result<(), String> {
        self.ended = true;
        let Some(named) = &event.outcome else { return Ok(()) };
        let Some(outcome) = Outcome::ALL.into_iter().find(|outcome| outcome.name() == named) else {
            let names: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
            return Err(format!("its outcome is {named:?}; allowed: {}", names.join(", ")));
        };
        let Some(rollout) = self.rollouts.get(id).filter(|rollout| rollout.known) else { return Ok(()) };
        if rollout.is_rollback {
            return Err(format!("{id} is a rollback; the end is reported once, for the rollout that it undoes"));
        }
        let rollback = self.rollouts.values().find(|one| one.is_rollback);
        // The rollback if there is one: it decides how the rollout ends.
        let last = if rollout.stage == Stage::Back { rollback.unwrap_or(rollout) } else { rollout };
        let wrong = |why: String| Err(format!("its outcome is {named}, but {why}"));
        if last.stage == Stage::RuleTripped && outcome == Outcome::Aborted {
            return Ok(());
        }
        if let Stage::Over(due) = last.stage {
            return if due == outcome {
                Ok(())
            } else {
                wrong(format!("after what was decided only {} can follow", due.name()))
            };
        }
        match outcome {
            Outcome::Stalled => Ok(()),
            Outcome::Completed if rollout.stage != Stage::Going => wrong(rollout.stage.words(id)),
            Outcome::Completed => rollout.done().map_or(Ok(()), wrong),
            Outcome::RolledBack if rollout.stage != Stage::Back => {
                wrong("no rollback_started comes before it".to_owned())
            }
            Outcome::RolledBack if last.stage != Stage::Going => wrong(last.stage.words("the rollback")),
            Outcome::RolledBack => last.done().map_or(Ok(()), wrong),
            Outcome::Expired if rollout.stage != Stage::Asked => {
                wrong("no request about the plan is open; a request expires while it is".to_owned())
            }
            Outcome::Expired => Ok(()),
            Outcome::Blocked if !rollout.started.is_empty() || !rollout.batches.is_empty() => {
                wrong("batches were started; a blocked rollout starts none".to_owned())
            }
            Outcome::Blocked => Ok(()),
            Outcome::Aborted => wrong("no decision abort comes before it".to_owned()),
            Outcome::Rejected => wrong("no decision reject comes before it".to_owned()),
            Outcome::RollbackFailed => wrong("no rollback_failed comes before it".to_owned()),
        }
    }
}

impl Stage {
    /// Why nothing can be started at this stage.
    fn words(self, id: &str) -> String {
        match self {
            Self::Going => format!("{id} goes on"),
            Self::Asked => format!("the request about the plan of {id} is open: it needs an approve first"),
            Self::RuleTripped => {
                format!("a rule of {id} tripped: an approval_requested, a rollback_started or the finished is next")
            }
            Self::Promoting => format!("{id} waits for a promotion: it needs a promote first"),
            Self::Tripped => format!("the breaker of {id} tripped and nobody has decided: it needs a decision first"),
            Self::GoingBack => {
                format!(
                    "the decision on {id} was rollback_completed_batches: rollback_started or rollback_failed is next"
                )
            }
            Self::Back => format!("{id} is being rolled back: only events of the rollback and the finished can follow"),
            Self::Over(outcome) => {
                format!(
                    "{id} is over after what was decided: only finished with the outcome {} can follow",
                    outcome.name()
                )
            }
        }
    }
}

/// Whether an event is about what was dispatched before.
fn is_of_flight(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::InstanceHealthCheck
            | EventKind::InstanceRetried
            | EventKind::InstanceRelapsed
            | EventKind::BatchCompleted
    )
}

impl Rollout {
    /// Whether nothing was begun, as far as the log says.
    fn has_no_batch(&self) -> bool {
        self.batches.is_empty() && self.started.is_empty()
    }

    fn may_go_on(&self, kind: EventKind, id: &str) -> Result<(), String> {
        let may = match (self.stage, kind) {
            (Stage::Over(_) | Stage::Back, _) => false,
            (Stage::GoingBack | Stage::RuleTripped, EventKind::RollbackFailed) => true,
            (Stage::GoingBack, _) => false,
            (_, EventKind::RollbackFailed) => {
                return match self.known {
                    true => Err("no decision rollback_completed_batches comes before it".to_owned()),
                    false => Ok(()),
                };
            }
            (Stage::Going, _) => true,
            (Stage::Asked, kind) => matches!(kind, EventKind::Planned | EventKind::OperatorNotified),
            // What is in flight still gets its verdicts.
            (Stage::Tripped | Stage::RuleTripped, kind) => is_of_flight(kind),
            (Stage::Promoting, EventKind::CircuitBreakerTripped | EventKind::BreakerNoted) => true,
            (Stage::Promoting, kind) => is_of_flight(kind),
        };
        if may { Ok(()) } else { Err(self.stage.words(id)) }
    }

    fn planned(&mut self, event: &Event, id: &str) -> Result<(), String> {
        if !self.batches.is_empty() || !self.started.is_empty() {
            return Err(format!("it plans {id} anew after its first batch; a plan changes by an edit before that"));
        }
        self.known = true;
        self.plan = Plan::read(event)?;
        Ok(())
    }

    fn batch_started(&mut self, event: &Event) -> Result<(), String> {
        let (Some(index), Some(count)) = (event.batch_index, event.instance_count) else { return Ok(()) };
        if self.batches.contains_key(&index) {
            return Err(format!("batch {index} was started before"));
        }
        let is_after_failed = self.batches.values().any(|batch| batch.may_have_failed);
        let due = self.batches.len() as u64;
        if self.known && index != due && self.plan.batches().is_none_or(|count| index < count) {
            return Err(format!("its batch_index is {index}, but batch {due} is next: batches start in their order"));
        }
        self.plan.has(index, count, is_after_failed)?;
        if self.known {
            if index != due {
                return Err(format!(
                    "its batch_index is {index}, but batch {due} is next: batches start in their order"
                ));
            }
            if let Some((before, _)) = self.batches.last_key_value().filter(|(_, batch)| !batch.is_dispatched()) {
                return Err(format!("it starts batch {index} before all of batch {before} were started"));
            }
            if let Some((before, _)) = self.batches.iter().find(|(_, batch)| self.is_rollback && !batch.completed) {
                return Err(format!("it starts batch {index} of a rollback before batch {before} completes"));
            }
        }
        self.batches.insert(index, Batch::of(count));
        Ok(())
    }

    fn batch_completed(&mut self, event: &Event) -> Result<(), String> {
        let Some(index) = event.batch_index else { return Ok(()) };
        match self.batches.get_mut(&index) {
            Some(batch) => batch.complete(index, event.healthy_count, event.failed_count),
            None if self.known => Err(format!("it completes batch {index}, but no batch_started of it comes before")),
            None => Ok(()),
        }
    }

    fn start(&mut self, event: &Event, id: &str) -> Result<(), String> {
        let (Some(instance), Some(version)) = (&event.instance_id, &event.target_version) else { return Ok(()) };
        if self.started.contains_key(instance) {
            return Err(format!("{instance} was started before in {id}; a rollout starts each instance once"));
        }
        if let Some(index) = event.batch_index {
            if let Some(batch) = self.batches.get_mut(&index) {
                batch.start(index)?;
            } else if self.known && !self.batches.is_empty() {
                return Err(format!(
                    "it is a start in batch {index}, but no batch_started of batch {index} comes before it"
                ));
            }
        }
        self.plan.start()?;
        if let Some(other) = self.version.replace(version.clone()).filter(|other| other != version) {
            return Err(format!("its target_version is {version:?}, but {id} rolls out {other:?}; a rollout has one"));
        }
        self.started.insert(instance.clone(), Start { batch: event.batch_index, healthy: None, retries: 0 });
        Ok(())
    }

    fn verdict(&mut self, event: &Event) -> Result<(), String> {
        let (Some(instance), Some(healthy)) = (&event.instance_id, event.healthy) else { return Ok(()) };
        if let Some(start) = self.started.get_mut(instance) {
            if let (Some(of), Some(now)) = (start.batch, event.batch_index)
                && of != now
            {
                return Err(format!("its batch_index is {now}, but {instance} was started in batch {of}"));
            }
            start.healthy = Some(healthy);
        }
        if let Some(batch) = event.batch_index.and_then(|index| self.batches.get_mut(&index)) {
            *(if healthy { &mut batch.healthy } else { &mut batch.failed }) += 1;
        }
        Ok(())
    }

    fn retried(&mut self, event: &Event, id: &str) -> Result<(), String> {
        let Some(instance) = &event.instance_id else { return Ok(()) };
        let Some(start) = self.started.get_mut(instance) else {
            return match self.known && !self.started.is_empty() {
                true => Err(format!("{instance} is commanded again, but it was never started in {id}")),
                false => Ok(()),
            };
        };
        if start.healthy.is_some() {
            return Err(format!("{instance} is commanded again, but it has its verdict in {id}"));
        }
        let due = start.retries + 1;
        if let Some(attempt) = event.attempt.filter(|&attempt| self.known && attempt != due) {
            return Err(format!("its attempt is {attempt}, but {instance} begins attempt {due} in {id}"));
        }
        start.retries = event.attempt.unwrap_or(due);
        Ok(())
    }

    fn relapsed(&mut self, event: &Event, id: &str) -> Result<(), String> {
        if self.is_rollback {
            return Err(format!("{id} is a rollback, and nobody is watched in one"));
        }
        let Some(instance) = &event.instance_id else { return Ok(()) };
        let has_starts = self.known && !self.started.is_empty();
        match self.started.get_mut(instance) {
            Some(start) if start.healthy == Some(true) => start.healthy = Some(false),
            Some(_) => return Err(format!("{instance} relapses, but it has no healthy verdict in {id}")),
            None if has_starts => {
                return Err(format!("{instance} relapses, but it was never started in {id}"));
            }
            None => {}
        }
        if let Some(batch) = event.batch_index.and_then(|index| self.batches.get_mut(&index)) {
            batch.relapse();
        }
        Ok(())
    }

    fn noted(&self, event: &Event, id: &str) -> Result<(), String> {
        if let Some(reason) = event.reason.as_deref().filter(|reason| !is_of_rule(reason)) {
            return Err(format!("its reason is {reason:?}; only a rule of breakers notes: `rule 1: …`"));
        }
        self.counted(event, id)
    }

    fn tripped(&mut self, event: &Event, id: &str) -> Result<(), String> {
        let by_rule = event.reason.as_deref().is_some_and(is_of_rule);
        if by_rule && self.is_rollback {
            return Err(format!("a rule of breakers trips {id}, which is a rollback; only failures in a row trip one"));
        }
        self.stage = if by_rule { Stage::RuleTripped } else { Stage::Tripped };
        // A rule that is judged before a batch bears the index of the batch that it holds back.
        let held_back = self.batches.len() as u64;
        if let Some(index) = event.batch_index
            && self.known
            && !self.batches.is_empty()
            && !self.batches.contains_key(&index)
            && !(by_rule && index == held_back)
        {
            return Err(format!("its batch_index is {index}, but no batch_started of batch {index} comes before it"));
        }
        let Some(failed) = &event.failed_instance_ids else { return Ok(()) };
        let limit = event.reason.as_deref().and_then(|reason| {
            reason.strip_prefix("max_consecutive_failures (")?.strip_suffix(") exceeded")?.parse::<u64>().ok()
        });
        if let Some(limit) = limit.filter(|&limit| limit != failed.len() as u64) {
            return Err(format!(
                "its failed_instance_ids are {}, but its reason is max_consecutive_failures ({limit}) exceeded: it \
                 names that many",
                failed.len()
            ));
        }
        self.counted(event, id)
    }

    /// Checks the instances that a rule says it counted.
    fn counted(&self, event: &Event, id: &str) -> Result<(), String> {
        let Some(failed) = &event.failed_instance_ids else { return Ok(()) };
        let reason = event.reason.as_deref().unwrap_or_default();
        if let Some(count) = counted_by(reason).filter(|&count| count != failed.len() as u64) {
            return Err(format!(
                "its failed_instance_ids are {}, but its reason is {reason:?}, which counts {count}",
                failed.len()
            ));
        }
        // Instances can be unwell without a verdict.
        let is_of_verdicts = !reason.ends_with(" unwell");
        for (place, instance) in failed.iter().enumerate() {
            let why = match self.started.get(instance) {
                _ if failed[..place].contains(instance) => "is named twice",
                _ if !is_of_verdicts => continue,
                None if self.known && !self.started.is_empty() => "was never started",
                Some(Start { healthy: Some(true), .. }) => "has a healthy verdict",
                Some(Start { healthy: None, .. }) => "has no verdict yet",
                Some(Start { healthy: Some(false), .. }) | None => continue,
            };
            return Err(format!(
                "its failed_instance_ids name {instance}, which {why} in {id}; a trip names instances whose verdict \
                 is failed"
            ));
        }
        Ok(())
    }

    /// Why it cannot have completed.
    fn done(&self) -> Option<String> {
        let started = self.started.len() as u64;
        // A log of milestones has no `instance_started` events.
        let counted = started > 0 || self.batches.is_empty();
        if let Some(total) = self.plan.total().filter(|&total| counted && started < total) {
            return Some(format!("{started} of {total} instances were started; all of them start before that"));
        }
        if let Some((instance, _)) = self.started.iter().find(|(_, start)| start.healthy.is_none()) {
            return Some(format!("{instance} has no verdict; all have one before that"));
        }
        let completed = self.batches.values().filter(|batch| batch.completed).count();
        let batches = self.plan.batches().unwrap_or(0).max(self.batches.len() as u64);
        (!self.batches.is_empty() && (completed as u64) < batches)
            .then(|| format!("{completed} of {batches} batches completed; all of them complete before that"))
    }
}

/// Whether a reason is that of a rule of `breakers`.
fn is_of_rule(reason: &str) -> bool {
    reason.strip_prefix("rule ").is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// How many instances the reason of a rule says that it counted; `None` where the reason has no such form.
fn counted_by(reason: &str) -> Option<u64> {
    let (_, found) = reason.strip_prefix("rule ")?.split_once(": ")?;
    if found.contains(" completed batches ") || found.starts_with("no healthy verdict ") {
        return Some(0);
    }
    let (count, rest) = found.split_once(" of ")?;
    let counts = rest.ends_with(" unwell") || rest.contains(" failed");
    counts.then(|| count.parse().ok()).flatten()
}

//! Reads an event log into the histories of its rollouts.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::Value;

use super::CalibrationError;
use super::log_state::{LogState, request_kind};
use dryroll_engine::{EventKind, OperatorDecision, Reason, RequestKind};
use dryroll_sim::json::fault;
use dryroll_sim::text::Foreign;

/// The outcome of one command to one instance, in milliseconds from the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// A healthy heartbeat came.
    Healthy(u64),
    /// The agent reported a failed upgrade.
    Failed(u64),
    /// The health window closed without a decisive heartbeat.
    TimedOut(u64),
    /// Observation stopped at this time, without a verdict.
    CutShort(u64),
}

/// One command to one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The instance.
    pub instance: Foreign,
    /// The version it was commanded to.
    pub version: Foreign,
    /// When it was commanded, in milliseconds of the log's clock.
    pub started: u64,
    /// The outcome.
    pub outcome: CommandOutcome,
    /// Whether the instance was healthy and relapsed afterwards. The outcome stays what it was.
    pub relapsed: bool,
}

/// A person's answer, or the lack of one in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How long it took, milliseconds.
    pub took: u64,
    /// The answer; `None` where none came within that time.
    pub answer: Option<ReplyKind>,
}

/// The kinds of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// The plan is approved.
    Approve,
    /// The plan is edited.
    Edit,
    /// The plan is rejected.
    Reject,
    /// A decision on a trip, or on a promotion.
    OnTrip(OperatorDecision),
    /// The next batch may begin.
    Promote,
}

/// One rollout with its rollbacks, from its plan to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The commands, in the order in which they were issued.
    pub attempts: Vec<Attempt>,
    /// The answers to the plan.
    pub approvals: Vec<Reply>,
    /// The decisions on trips.
    pub decisions: Vec<Reply>,
    /// The answers to promotions; one that a trip made void has none.
    pub promotions: Vec<Reply>,
    /// The versions that rollbacks went to.
    pub restored: Vec<Foreign>,
    /// Verdicts on instances whose start is not in the log.
    pub orphans: u64,
    /// Whether the log has its end.
    pub finished: bool,
    /// The line of its first event, from 1.
    pub line: usize,
    /// For each event, a hash of its content without the ids of the rollout and of its requests.
    pub(super) marks: Vec<u64>,
    /// For each event, the hash without its time too.
    pub(super) contents: Vec<u64>,
    /// The time of each event.
    pub(super) times: Vec<u64>,
    /// The rollout's id.
    pub(super) name: String,
    /// Whether the log has its beginning.
    pub(super) begun: bool,
    /// The events of a rollout whose beginning or end is not in the log.
    pub(super) lines: Vec<Line>,
}

/// An event and its line number, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) kind: EventKind,
    pub(super) event: Event,
}

impl History {
    /// The replies to requests of a kind.
    fn replies(&mut self, kind: RequestKind) -> &mut Vec<Reply> {
        match kind {
            RequestKind::RollingUpgrade => &mut self.approvals,
            RequestKind::RollingUpgradeContinuation | RequestKind::RollbackContinuation => &mut self.decisions,
            RequestKind::Promotion => &mut self.promotions,
        }
    }

    /// Whether the history has a verdict or an answer.
    pub(super) fn says_something(&self) -> bool {
        let is_verdict = |attempt: &Attempt| !matches!(attempt.outcome, CommandOutcome::CutShort(_));
        self.attempts.iter().any(is_verdict) || self.approvals.iter().any(|reply| reply.answer.is_some())
    }

    /// Reads a log, which may hold several rollouts one after the other. Empty lines and events of other kinds are
    /// skipped.
    ///
    /// # Errors
    /// At the first line that is not an event, or is an event that is not possible there.
    pub fn read(bytes: &[u8]) -> Result<Vec<History>, CalibrationError> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut histories = Vec::new();
        let mut reader = Reader::default();
        for (i, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line_number = i + 1;
            let Some((kind, event)) =
                event(line).map_err(|why| CalibrationError::Line { line: line_number, why: why.into() })?
            else {
                continue;
            };
            if kind == EventKind::Planned && reader.history.finished {
                histories.push(std::mem::take(&mut reader).close());
            }
            reader.line(Line { number: line_number, kind, event })?;
        }
        if !reader.history.marks.is_empty() {
            histories.push(reader.close());
        }
        Ok(histories)
    }

    /// The rollout whose log consists of these lines, in their order.
    ///
    /// # Errors
    /// At the first event that is not possible there.
    pub(super) fn joined<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Result<History, CalibrationError> {
        let mut reader = Reader::default();
        for line in lines {
            reader.line(line.clone())?;
        }
        Ok(reader.close())
    }
}

/// The keys of an event that calibration uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub(super) at_ms: Option<u64>,
    pub(super) rollout_id: Option<String>,
    pub(super) instance_id: Option<String>,
    pub(super) target_version: Option<String>,
    pub(super) healthy: Option<bool>,
    pub(super) reason: Option<String>,
    pub(super) approval_request_id: Option<String>,
    #[serde(rename = "type")]
    pub(super) request_type: Option<String>,
    pub(super) decision: Option<String>,
    pub(super) outcome: Option<String>,
    pub(super) batch_index: Option<u64>,
    pub(super) instance_count: Option<u64>,
    pub(super) healthy_count: Option<u64>,
    pub(super) failed_count: Option<u64>,
    pub(super) failed_instance_ids: Option<Vec<String>>,
    pub(super) total_instances: Option<u64>,
    pub(super) batch_size: Option<u64>,
    pub(super) batch_count: Option<u64>,
    pub(super) attempt: Option<u64>,
}

/// Parses the event of a line; `None` for an event of another kind.
fn event(line: &[u8]) -> Result<Option<(EventKind, Event)>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let plain = |error: serde_json::Error| format!("{} (column {})", fault(&error), error.column());
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {}", plain(error)))?;
    let Some(object) = value.as_object() else { return Err("it is not a JSON object".to_owned()) };
    let kind = match object.get("kind") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err("its `kind` is not a text".to_owned()),
        None => return Err("it has no `kind`".to_owned()),
    };
    if !kind.starts_with("module.upgrade.") {
        return Ok(None);
    }
    let Some(known) = EventKind::from_name(kind) else { return Err(format!("there is no event {kind:?}")) };
    let event =
        serde_json::from_str(text).map_err(|error| format!("its keys are not those of an event: {}", plain(error)))?;
    Ok(Some((known, event)))
}

enum Wrong {
    Shape(String),
    Order(String),
}

impl Line {
    /// A hash of the event's content and time.
    fn mark(&self) -> u64 {
        self.mark_at(self.event.at_ms)
    }

    /// The hash as if the event had happened at another time.
    pub(super) fn mark_at(&self, at_ms: Option<u64>) -> u64 {
        let Event {
            at_ms: _,
            // The ids of a rollout and its requests are arbitrary, so they stay out of the hash.
            rollout_id: _,
            approval_request_id: _,
            instance_id,
            target_version,
            healthy,
            reason,
            request_type,
            decision,
            outcome,
            batch_index,
            instance_count,
            healthy_count,
            failed_count,
            failed_instance_ids,
            total_instances,
            batch_size,
            batch_count,
            attempt,
        } = &self.event;
        let mut hash = DefaultHasher::new();
        (self.kind.name(), at_ms, instance_id, target_version, healthy, reason).hash(&mut hash);
        (request_type, decision, outcome, batch_index, failed_instance_ids).hash(&mut hash);
        (instance_count, healthy_count, failed_count, total_instances, batch_size, batch_count).hash(&mut hash);
        attempt.hash(&mut hash);
        hash.finish()
    }
}

fn needs<T>(value: Option<T>, key: &str) -> Result<T, Wrong> {
    value.ok_or_else(|| Wrong::Shape(format!("it has no `{key}`")))
}

/// The state of the reader: commands that await a verdict, and requests that await an answer.
#[derive(Debug, Default)]
struct Reader {
    history: History,
    now: u64,
    /// By rollout and instance: the index in `attempts`, or `None` once it has its verdict.
    awaited: BTreeMap<(String, String), Option<usize>>,
    /// By rollout and instance: the index in `attempts` of the one that passed.
    passed: BTreeMap<(String, String), usize>,
    /// By request: what it asks, and when it was opened.
    asked: BTreeMap<String, (RequestKind, u64)>,
    log_state: LogState,
}

impl Reader {
    fn line(&mut self, line: Line) -> Result<(), CalibrationError> {
        let number = line.number;
        if self.history.marks.is_empty() {
            self.history.line = number;
            self.history.name = line.event.rollout_id.clone().unwrap_or_default();
        }
        self.history.marks.push(line.mark());
        self.history.contents.push(line.mark_at(None));
        self.history.times.extend(line.event.at_ms);
        self.take(line.kind, &line.event).map_err(|wrong| match wrong {
            Wrong::Shape(why) => CalibrationError::Line { line: number, why: why.into() },
            Wrong::Order(why) => CalibrationError::Order { line: number, why: why.into() },
        })?;
        self.history.lines.push(line);
        Ok(())
    }

    fn take(&mut self, kind: EventKind, event: &Event) -> Result<(), Wrong> {
        let event = event.clone();
        let at = needs(event.at_ms, "at_ms")?;
        let rollout = needs(event.rollout_id.clone(), "rollout_id")?;
        if at < self.now {
            return Err(Wrong::Order(format!(
                "its at_ms is {at}, before the {} of an earlier line; are these two logs in one, or is it out of \
                 order?",
                self.now
            )));
        }
        self.now = at;
        self.log_state.take(kind, &event, &rollout).map_err(Wrong::Order)?;
        match kind {
            EventKind::Planned => self.history.begun |= self.history.marks.len() == 1,
            EventKind::InstanceStarted => {
                let instance = needs(event.instance_id, "instance_id")?;
                let version = needs(event.target_version, "target_version")?;
                let place = self.history.attempts.len();
                self.awaited.insert((rollout, instance.clone()), Some(place));
                self.history.attempts.push(Attempt {
                    instance: instance.into(),
                    version: version.into(),
                    started: at,
                    outcome: CommandOutcome::CutShort(0),
                    relapsed: false,
                });
            }
            EventKind::InstanceRetried => {
                let instance = needs(event.instance_id, "instance_id")?;
                let reason = needs(event.reason, "reason")?;
                self.retried(at, rollout, instance, &reason)?;
            }
            EventKind::InstanceRelapsed => {
                let instance = needs(event.instance_id, "instance_id")?;
                if let Some(place) = self.passed.remove(&(rollout, instance)) {
                    self.history.attempts[place].relapsed = true;
                }
            }
            EventKind::CircuitBreakerTripped => self.void_promotions(at),
            EventKind::InstanceHealthCheck => {
                let instance = needs(event.instance_id, "instance_id")?;
                let healthy = needs(event.healthy, "healthy")?;
                let reason = if healthy { None } else { Some(needs(event.reason, "reason")?) };
                let key = (rollout.clone(), instance.clone());
                if let Some(place) = self.verdict(at, rollout, instance, reason)? {
                    self.passed.insert(key, place);
                }
            }
            EventKind::ApprovalRequested => {
                let request = needs(event.approval_request_id, "approval_request_id")?;
                let kind = request_kind(&needs(event.request_type, "type")?).map_err(Wrong::Order)?;
                self.asked.insert(request, (kind, at));
            }
            EventKind::ApprovalDecided => {
                let request = needs(event.approval_request_id, "approval_request_id")?;
                let decision = needs(event.decision, "decision")?;
                self.answer(at, request, &decision)?;
            }
            EventKind::RollbackStarted => {
                self.history.restored.push(needs(event.target_version, "target_version")?.into());
                self.cut_short(at);
            }
            EventKind::Finished => {
                self.cut_short(at);
                self.history.finished = true;
            }
            EventKind::BatchStarted
            | EventKind::BatchCompleted
            | EventKind::BreakerNoted
            | EventKind::OperatorNotified
            | EventKind::RollbackFailed => {}
        }
        Ok(())
    }

    /// A failed attempt ends, and the next begins: each is a command of its own.
    fn retried(&mut self, at: u64, rollout: String, instance: String, reason: &str) -> Result<(), Wrong> {
        let key = (rollout.clone(), instance.clone());
        // What has no start in the log has no version either.
        let Some(before) = self.verdict(at, rollout, instance, Some(reason.to_owned()))? else { return Ok(()) };
        let next = self.history.attempts.len();
        let attempt = self.history.attempts[before].clone();
        self.history.attempts.push(Attempt { started: at, outcome: CommandOutcome::CutShort(0), ..attempt });
        self.awaited.insert(key, Some(next));
        Ok(())
    }

    /// A trip makes promotions void: nobody answers them any more.
    fn void_promotions(&mut self, at: u64) {
        let void = self.asked.extract_if(.., |_, (kind, _)| *kind == RequestKind::Promotion);
        self.history.promotions.extend(void.map(|(_, (_, since))| Reply { took: at - since, answer: None }));
    }

    /// An attempt ends; returns its place, where its start is in the log.
    fn verdict(
        &mut self,
        at: u64,
        rollout: String,
        instance: String,
        reason: Option<String>,
    ) -> Result<Option<usize>, Wrong> {
        let Some(awaited) = self.awaited.get_mut(&(rollout.clone(), instance.clone())) else {
            if self.history.begun {
                return Err(Wrong::Order(format!(
                    "{instance} has a verdict, but no instance_started in {rollout} comes before it"
                )));
            }
            self.history.orphans += 1;
            return Ok(None);
        };
        let Some(place) = awaited.take() else {
            return Err(Wrong::Order(format!("{instance} has its verdict already, or its rollout was over")));
        };
        let attempt = &mut self.history.attempts[place];
        let took = at - attempt.started;
        attempt.outcome = match reason.as_deref() {
            None => CommandOutcome::Healthy(took),
            Some(reason) if reason == Reason::UpgradeFailed.name() => CommandOutcome::Failed(took),
            Some(reason) if reason == Reason::HealthTimeout.name() => CommandOutcome::TimedOut(took),
            Some(other) => {
                return Err(Wrong::Shape(format!(
                    "its reason is {other:?}; reasons are upgrade_failed and health_timeout"
                )));
            }
        };
        Ok(Some(place))
    }

    fn answer(&mut self, at: u64, request: String, decision: &str) -> Result<(), Wrong> {
        let kind = match decision {
            "approve" => ReplyKind::Approve,
            "edit" => ReplyKind::Edit,
            "reject" => ReplyKind::Reject,
            "promote" => ReplyKind::Promote,
            other => match OperatorDecision::deserialize(Value::from(other)) {
                Ok(decision) => ReplyKind::OnTrip(decision),
                Err(_) => return Err(Wrong::Shape(format!("{other:?} is not a decision"))),
            },
        };
        let Some((asked, since)) = self.asked.remove(&request) else { return Ok(()) };
        self.history.replies(asked).push(Reply { took: at - since, answer: Some(kind) });
        if kind == ReplyKind::Edit {
            self.asked.insert(request, (asked, at));
        }
        Ok(())
    }

    /// From now on, observation of what is in flight stops, and so does the wait for answers.
    fn cut_short(&mut self, at: u64) {
        for place in self.awaited.values_mut().filter_map(Option::take) {
            let attempt = &mut self.history.attempts[place];
            attempt.outcome = CommandOutcome::CutShort(at - attempt.started);
        }
        for (asked, since) in std::mem::take(&mut self.asked).into_values() {
            self.history.replies(asked).push(Reply { took: at - since, answer: None });
        }
    }

    fn close(mut self) -> History {
        self.cut_short(self.now);
        if self.history.begun && self.history.finished {
            self.history.lines = Vec::new();
        }
        self.history
    }
}

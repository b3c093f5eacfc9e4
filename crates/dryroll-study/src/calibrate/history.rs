//! Reads an event log into the histories of its rollouts.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::Value;

use super::CalibrationError;
use super::log_state::LogState;
use dryroll_engine::{EventKind, OperatorDecision, Reason};
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
    /// A decision on a trip.
    OnTrip(OperatorDecision),
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
        } = &self.event;
        let mut hash = DefaultHasher::new();
        (self.kind.name(), at_ms, instance_id, target_version, healthy, reason).hash(&mut hash);
        (request_type, decision, outcome, batch_index, failed_instance_ids).hash(&mut hash);
        (instance_count, healthy_count, failed_count, total_instances, batch_size, batch_count).hash(&mut hash);
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
    /// By request: whether it is about the plan, and when it was opened.
    asked: BTreeMap<String, (bool, u64)>,
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
                });
            }
            EventKind::InstanceHealthCheck => {
                let instance = needs(event.instance_id, "instance_id")?;
                let healthy = needs(event.healthy, "healthy")?;
                let reason = if healthy { None } else { Some(needs(event.reason, "reason")?) };
                self.verdict(at, rollout, instance, reason)?;
            }
            EventKind::ApprovalRequested => {
                let request = needs(event.approval_request_id, "approval_request_id")?;
                let about_plan = needs(event.request_type, "type")? == "rolling_upgrade";
                self.asked.insert(request, (about_plan, at));
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
            _ => {}
        }
        Ok(())
    }

    fn verdict(&mut self, at: u64, rollout: String, instance: String, reason: Option<String>) -> Result<(), Wrong> {
        let Some(awaited) = self.awaited.get_mut(&(rollout.clone(), instance.clone())) else {
            if self.history.begun {
                return Err(Wrong::Order(format!(
                    "{instance} has a verdict, but no instance_started in {rollout} comes before it"
                )));
            }
            self.history.orphans += 1;
            return Ok(());
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
        Ok(())
    }

    fn answer(&mut self, at: u64, request: String, decision: &str) -> Result<(), Wrong> {
        let kind = match decision {
            "approve" => ReplyKind::Approve,
            "edit" => ReplyKind::Edit,
            "reject" => ReplyKind::Reject,
            other => match OperatorDecision::deserialize(Value::from(other)) {
                Ok(decision) => ReplyKind::OnTrip(decision),
                Err(_) => return Err(Wrong::Shape(format!("{other:?} is not a decision"))),
            },
        };
        let Some((about_plan, since)) = self.asked.remove(&request) else { return Ok(()) };
        let reply = Reply { took: at - since, answer: Some(kind) };
        if about_plan { &mut self.history.approvals } else { &mut self.history.decisions }.push(reply);
        if kind == ReplyKind::Edit {
            self.asked.insert(request, (about_plan, at));
        }
        Ok(())
    }

    /// From now on, observation of what is in flight stops, and so does the wait for answers.
    fn cut_short(&mut self, at: u64) {
        for place in self.awaited.values_mut().filter_map(Option::take) {
            let attempt = &mut self.history.attempts[place];
            attempt.outcome = CommandOutcome::CutShort(at - attempt.started);
        }
        for (about_plan, since) in std::mem::take(&mut self.asked).into_values() {
            let reply = Reply { took: at - since, answer: None };
            if about_plan { &mut self.history.approvals } else { &mut self.history.decisions }.push(reply);
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

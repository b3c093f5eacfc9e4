//! A bench to drive the engine on by hand, for the tests in `tests/engine_*.rs`.
//!
//! Times are plain milliseconds and kept small: unless a test says otherwise an instance has 300 ms
//! to become healthy, and a request waits 1000 ms for its answer. Instances are written by number.
#![allow(dead_code, reason = "each test file uses its own part of the bench")]

use std::num::NonZeroU32;

use dryroll::engine::{
    Answer, AnswerError, ApprovalId, BatchSizes, Command, Direction, Edit, Engine, Event, EventBody,
    InterventionPolicy, Judged, OperatorDecision, Outcome, Plan, PlanOrder, Recording, Settings, Ticks, Timer,
    VersionRef,
};
use dryroll::fleet::{At, DigestId, Heartbeat, InstanceId, Span};

/// The digest that the fleet ran before, the one that is rolled out, and one that is not requested.
pub const OLD: DigestId = DigestId(1);
pub const NEW: DigestId = DigestId(2);
pub const OTHER: DigestId = DigestId(3);

pub const CONTINUE: Answer = Answer::OnTrip(OperatorDecision::ContinueAnyway);
pub const ROLL_BACK: Answer = Answer::OnTrip(OperatorDecision::RollbackCompletedBatches);
pub const ABORT: Answer = Answer::OnTrip(OperatorDecision::Abort);

pub fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("not zero")
}

/// No approval, batches of half the plan, two failures in a row trip, 300 ms to become healthy.
pub fn settings() -> Settings {
    Settings {
        batches: BatchSizes::pct(50),
        health_timeout: Span(300),
        rollback_health_timeout: Span(300),
        policy: InterventionPolicy::AutoApprove,
        approval_expires: Span(1000),
        ..Settings::new(VersionRef { id: "v2".into(), digest: NEW }, Some(VersionRef { id: "v1".into(), digest: OLD }))
    }
}

/// A reconciler that wakes up at every millisecond, so that a test may place its ticks where it likes.
pub const ALWAYS: Ticks = Ticks::every(Span(1));

/// A plan of the instances 0, 1, 2, …
pub fn plan(total: u32, settings: &Settings) -> Plan {
    Plan::new(PlanOrder::new((0..total).map(InstanceId)), Vec::new(), &settings.batches)
}

/// A heartbeat of an instance that runs `digest` and is well.
pub fn beat(instance: u32, sent_at: u64, digest: DigestId) -> Heartbeat {
    Heartbeat { instance: InstanceId(instance), sent_at: At(sent_at), digest, healthy: true, failed_upgrade: None }
}

/// An edit of a pending plan.
pub fn edit(batch_pct: Option<u32>, limit: Option<u32>) -> Answer {
    Answer::Edit(Edit { batch_pct, max_consecutive_failures: limit.map(at_least_one) })
}

/// One event as a short line, such as `40 r-1 b0 healthy 3`.
pub fn line(event: &Event) -> String {
    let Event { at, rollout, body } = event;
    let text = match body {
        EventBody::Planned { total_instances, batch_size, batch_count } => {
            format!("planned {total_instances} = {batch_count} x {batch_size}")
        }
        EventBody::ApprovalRequested { request, kind } => format!("{request} asks {}", kind.option_names().join("|")),
        EventBody::ApprovalDecided { request, answer } => match answer {
            Answer::Approve => format!("{request} approve"),
            Answer::Edit(_) => format!("{request} edit"),
            Answer::Reject => format!("{request} reject"),
            Answer::OnTrip(decision) => format!("{request} {}", decision.name()),
            Answer::Promote => format!("{request} promote"),
        },
        EventBody::BatchStarted { batch_index, instance_count } => {
            format!("b{batch_index} starts with {instance_count}")
        }
        EventBody::InstanceStarted { batch_index, instance, to } => {
            let version = if *to == Direction::Forward { "v2" } else { "v1" };
            format!("b{batch_index} {} to {version}", instance.0)
        }
        EventBody::InstanceHealthCheck { batch_index, instance, failure } => match failure {
            None => format!("b{batch_index} {} healthy", instance.0),
            Some(reason) => format!("b{batch_index} {} failed: {}", instance.0, reason.name()),
        },
        EventBody::InstanceRetried { batch_index, instance, attempt, reason } => {
            format!("b{batch_index} {} retry {attempt}: {}", instance.0, reason.name())
        }
        EventBody::InstanceRelapsed { batch_index, instance, reason } => {
            format!("b{batch_index} {} relapsed: {}", instance.0, reason.name())
        }
        EventBody::BreakerNoted { batch_index, reason, .. } => format!("b{batch_index} noted: {reason}"),
        EventBody::CircuitBreakerTripped { batch_index, failed, .. } => {
            let failed: Vec<_> = failed.iter().map(|id| id.0.to_string()).collect();
            format!("b{batch_index} TRIPPED by {}", failed.join(" "))
        }
        EventBody::BatchCompleted { batch_index, healthy_count, failed_count } => {
            format!("b{batch_index} done: {healthy_count} healthy, {failed_count} failed")
        }
        EventBody::OperatorNotified => "operator notified".into(),
        EventBody::RollbackStarted { instance_count } => format!("rollback of {instance_count}"),
        EventBody::RollbackFailed => "rollback failed".into(),
        EventBody::Finished { outcome } => format!("FINISHED {outcome}"),
    };
    format!("{} {rollout} {text}", at.0)
}

/// A command, split into one deed per instance or request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Upgrade(Direction, InstanceId),
    Retry(Direction, InstanceId, u32),
    Ask(ApprovalId),
}

/// Polls every command.
pub fn deeds(engine: &mut Engine) -> Vec<Deed> {
    let mut deeds = Vec::new();
    while let Some(command) = engine.poll_command() {
        match command {
            Command::Upgrade { to, positions } => {
                deeds.extend(positions.map(|position| Deed::Upgrade(to, engine.instance(position))));
            }
            Command::Retry { to, position, attempt } => {
                deeds.push(Deed::Retry(to, engine.instance(position), attempt));
            }
            Command::Ask { request, .. } => deeds.push(Deed::Ask(request)),
        }
    }
    deeds
}

/// Polls every event.
pub fn events(engine: &mut Engine) -> Vec<Event> {
    std::iter::from_fn(|| engine.poll_event()).collect()
}

/// The deeds that the events imply, in order.
pub fn deeds_told(events: &[Event]) -> Vec<Deed> {
    let described = |event: &Event| match event.body {
        EventBody::InstanceStarted { instance, to, .. } => Some(Deed::Upgrade(to, instance)),
        EventBody::ApprovalRequested { request, .. } => Some(Deed::Ask(request)),
        _ => None,
    };
    events.iter().filter_map(described).collect()
}

/// An engine, and its events since they were last read. After every input the commands are compared with the events:
/// each implies the other.
pub struct Bench {
    pub engine: Engine,
    unheard: Vec<String>,
}

impl Bench {
    /// `total` instances from 0 on; the request has not come in.
    pub fn new(total: u32, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        Self::of(plan(total, &settings), settings)
    }

    pub fn of(plan: Plan, settings: Settings) -> Self {
        Self { engine: Engine::new(plan, settings, ALWAYS, Recording::Everything), unheard: Vec::new() }
    }

    /// Requested and begun at 0, and what was said until then is taken as heard.
    pub fn begun(total: u32, change: impl FnOnce(&mut Settings)) -> Self {
        let mut bench = Self::new(total, change);
        bench.request(0);
        bench.tick(0);
        bench.unheard.clear();
        bench
    }

    /// Begun, everything in one batch.
    pub fn one_batch(total: u32, limit: u32, change: impl FnOnce(&mut Settings)) -> Self {
        Self::begun(total, |settings| {
            settings.batches = dryroll::engine::BatchSizes::pct(100);
            settings.max_consecutive_failures = Some(at_least_one(limit));
            change(settings);
        })
    }

    fn listen(&mut self) {
        let (deeds, events) = (deeds(&mut self.engine), events(&mut self.engine));
        assert_eq!(deeds, deeds_told(&events), "commands and events agree");
        self.unheard.extend(events.iter().map(line));
    }

    pub fn request(&mut self, now: u64) {
        self.engine.handle_request(At(now));
        self.listen();
    }

    /// Takes the next deadline, if it is due.
    pub fn timeout(&mut self, now: u64) -> Option<Judged> {
        let judged = self.engine.handle_timeout(At(now));
        self.listen();
        judged
    }

    /// The tick at this moment, if one matters.
    pub fn tick(&mut self, now: u64) {
        assert_eq!(self.timeout(now), None, "a deadline comes before the tick");
    }

    /// The first deadline that is due. Where the walk waits for a tick alone, none is.
    pub fn deadline(&mut self, now: u64) -> Option<Judged> {
        match self.engine.next_timer() {
            Some((_, Timer::Deadline)) => self.timeout(now),
            _ => None,
        }
    }

    /// When the first deadline is due, as far as nothing comes before it.
    pub fn next_deadline(&self) -> Option<At> {
        self.engine.next_timer().filter(|&(_, timer)| timer == Timer::Deadline).map(|(due, _)| due)
    }

    /// Every deadline that is due.
    pub fn deadlines(&mut self, now: u64) {
        while self.deadline(now).is_some() {}
    }

    /// A heartbeat that arrived earlier than the controller takes it.
    pub fn late_beat(&mut self, now: u64, arrived: u64, heartbeat: Heartbeat) -> Option<Judged> {
        let judged = self.engine.handle_heartbeat(At(now), At(arrived), &heartbeat);
        self.listen();
        judged
    }

    pub fn beat(&mut self, now: u64, heartbeat: Heartbeat) -> Option<Judged> {
        self.late_beat(now, now, heartbeat)
    }

    /// It runs the target and is well.
    pub fn healthy(&mut self, now: u64, instance: u32) {
        self.beat(now, beat(instance, now, NEW));
    }

    /// Its upgrade to the target failed.
    pub fn report(&mut self, now: u64, instance: u32) {
        self.beat(now, Heartbeat { failed_upgrade: Some(NEW), ..beat(instance, now, OLD) });
    }

    /// It is back on the previous version and well.
    pub fn back(&mut self, now: u64, instance: u32) {
        self.beat(now, beat(instance, now, OLD));
    }

    /// Its way back failed.
    pub fn report_back(&mut self, now: u64, instance: u32) {
        self.beat(now, Heartbeat { failed_upgrade: Some(OLD), ..beat(instance, now, NEW) });
    }

    pub fn try_answer(&mut self, now: u64, request: u32, answer: Answer) -> Result<(), AnswerError> {
        let result = self.engine.handle_answer(At(now), ApprovalId(request), answer);
        self.listen();
        result
    }

    #[track_caller]
    pub fn answer(&mut self, now: u64, request: u32, answer: Answer) {
        self.try_answer(now, request, answer).expect("the answer fits");
    }

    /// The first request expires, if it is pending and due.
    pub fn expiry(&mut self, now: u64) {
        if let Some((_, Timer::Expiry)) = self.engine.next_timer() {
            self.timeout(now);
        }
    }

    pub fn previous_gone(&mut self, now: u64) {
        self.engine.handle_previous_gone(At(now));
        self.listen();
    }

    pub fn horizon(&mut self, now: u64) {
        self.engine.handle_horizon(At(now));
        self.listen();
    }

    /// Compares the events since the last call, line by line, and clears them.
    #[track_caller]
    pub fn says(&mut self, expected: &str) {
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let heard = std::mem::take(&mut self.unheard);
        assert!(heard == expected, "expected:\n{}\n\nheard:\n{}\n", expected.join("\n"), heard.join("\n"));
    }

    #[track_caller]
    pub fn says_nothing(&mut self) {
        self.says("");
    }

    /// Clears the events.
    pub fn skip(&mut self) {
        self.unheard.clear();
    }

    #[track_caller]
    pub fn ends(&mut self, outcome: Outcome) {
        assert_eq!(self.engine.outcome(), Some(outcome));
    }
}

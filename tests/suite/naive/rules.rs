//! The rules of a rollout, in the plainest form: lists, and loops over them.

use dryroll::engine::{
    Answer, ApprovalId, BreakerOrder, BreakerScope, Direction, Event, EventBody, InterventionPolicy, OperatorDecision,
    Outcome, Reason, RequestKind, RolloutId,
};
use dryroll::fleet::{At, InstanceId, LifecycleState};
use dryroll::scenario::Scenario;
use dryroll::sim::Release;

use super::coverage::{saw, saw_if};
use super::machine::Message;

/// Where an instance stands in one rollout.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Waiting,
    InFlight { since: u64 },
    Healthy,
    Failed,
}

/// One rollout: `r-1`, or its rollback.
#[derive(Debug)]
struct Walk {
    id: u32,
    to: Direction,
    /// Positions in the plan of the instances that it is about.
    members: Vec<usize>,
    standings: Vec<Phase>,
    batch_size: usize,
    batch: Option<usize>,
    /// The failures in a row.
    run: Vec<InstanceId>,
    /// The breaker tripped, and the decision is open.
    tripped: bool,
    /// Dispatching waits for a tick.
    held: bool,
}

impl Walk {
    fn new(id: u32, to: Direction, members: Vec<usize>, batch_pct: u32) -> Self {
        let batch_size = (members.len() * batch_pct as usize).div_ceil(100);
        let standings = vec![Phase::Waiting; members.len()];
        Self { id, to, members, standings, batch_size, batch: None, run: Vec::new(), tripped: false, held: false }
    }

    fn batch_count(&self) -> usize {
        if self.members.is_empty() { 0 } else { self.members.len().div_ceil(self.batch_size) }
    }

    fn places(&self, batch: usize) -> std::ops::Range<usize> {
        batch * self.batch_size..((batch + 1) * self.batch_size).min(self.members.len())
    }

    fn is_complete(&self, batch: usize) -> bool {
        self.places(batch).all(|place| matches!(self.standings[place], Phase::Healthy | Phase::Failed))
    }

    fn in_flight(&self) -> usize {
        self.standings.iter().filter(|phase| matches!(phase, Phase::InFlight { .. })).count()
    }

    fn release(&self) -> Release {
        match self.to {
            Direction::Forward => Release::Target,
            Direction::Back => Release::Previous,
        }
    }
}

/// A heartbeat in transit.
#[derive(Clone, Copy, Debug)]
pub struct Letter {
    /// The position of its sender in the plan.
    pub position: usize,
    /// When it was sent.
    pub sent: u64,
    /// When it arrives.
    pub arrival: u64,
    /// What it says.
    pub message: Message,
}

/// A failed verdict by the deadline, for the ground truth: which instance, and the version of the rollout.
pub type Failed = (usize, Release);

/// The controller.
pub struct Rules<'s> {
    scenario: &'s Scenario,
    ids: Vec<InstanceId>,
    batch_pct: u32,
    limit: usize,
    walks: Vec<Walk>,
    approved: bool,
    question: Option<(ApprovalId, RequestKind)>,
    questions: u32,
    expires_at: Option<u64>,
    last_sent: Vec<Option<u64>>,
    outcome: Option<Outcome>,
    /// Events, until the caller takes them.
    pub events: Vec<Event>,
    /// Commands, until the caller takes them.
    pub commands: Vec<(usize, Release)>,
    /// Failures by deadline, until the caller takes them.
    pub failed: Vec<Failed>,
}

impl<'s> Rules<'s> {
    /// A controller that has not been asked for anything.
    pub fn new(scenario: &'s Scenario, ids: Vec<InstanceId>) -> Self {
        Self {
            scenario,
            batch_pct: scenario.rollout.batch_pct,
            limit: scenario.rollout.max_consecutive_failures.get() as usize,
            walks: Vec::new(),
            approved: false,
            question: None,
            questions: 0,
            expires_at: None,
            last_sent: vec![None; ids.len()],
            outcome: None,
            events: Vec::new(),
            commands: Vec::new(),
            failed: Vec::new(),
            ids,
        }
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// When the first request expires, if it is pending.
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    fn say(&mut self, now: u64, rollout: u32, body: EventBody) {
        self.events.push(Event { at: At(now), rollout: RolloutId(rollout), body });
    }

    fn finish(&mut self, now: u64, outcome: Outcome) {
        self.outcome = Some(outcome);
        self.expires_at = None;
        self.question = None;
        self.say(now, 1, EventBody::Finished { outcome });
    }

    fn ask(&mut self, now: u64, rollout: u32, kind: RequestKind) {
        self.questions += 1;
        let request = ApprovalId(self.questions);
        self.question = Some((request, kind));
        self.say(now, rollout, EventBody::ApprovalRequested { request, kind });
    }

    fn plan(&mut self, now: u64) {
        let walk = Walk::new(1, Direction::Forward, (0..self.ids.len()).collect(), self.batch_pct);
        let body = EventBody::Planned {
            total_instances: walk.members.len() as u32,
            batch_size: walk.batch_size as u32,
            batch_count: walk.batch_count() as u32,
        };
        self.walks = vec![walk];
        self.say(now, 1, body);
    }

    /// The request (§1, §2).
    pub fn request(&mut self, now: u64) {
        self.plan(now);
        if self.ids.is_empty() {
            return self.finish(now, Outcome::Completed);
        }
        match self.scenario.reconciler.policy {
            InterventionPolicy::RequireApproval => {
                self.ask(now, 1, RequestKind::RollingUpgrade);
                self.expires_at = Some(now + self.scenario.operator.approval_expires.0);
            }
            InterventionPolicy::AutoApprove => self.approved = true,
            InterventionPolicy::NotifyAndProceed => {
                self.say(now, 1, EventBody::OperatorNotified);
                self.approved = true;
            }
            InterventionPolicy::Blocked => self.finish(now, Outcome::Blocked),
        }
    }

    /// The operator's answer to the pending request (§2, §6).
    pub fn answer(&mut self, now: u64, answer: Answer, archived: bool) {
        if self.outcome.is_some() {
            return;
        }
        let Some((request, kind)) = self.question else { return };
        let rollout = self.walks.last().map_or(1, |walk| walk.id);
        assert_eq!(kind == RequestKind::RollingUpgrade, !matches!(answer, Answer::OnTrip(_)));
        self.say(now, rollout, EventBody::ApprovalDecided { request, answer });
        match answer {
            Answer::Edit(edit) => {
                self.batch_pct = edit.batch_pct.unwrap_or(self.batch_pct);
                self.limit = edit.max_consecutive_failures.map_or(self.limit, |limit| limit.get() as usize);
                return self.plan(now);
            }
            Answer::Approve => {
                self.approved = true;
                self.expires_at = None;
            }
            Answer::Reject => self.finish(now, Outcome::Rejected),
            Answer::OnTrip(OperatorDecision::Abort) => self.finish(now, Outcome::Aborted),
            Answer::OnTrip(OperatorDecision::ContinueAnyway) => self.continue_anyway(now),
            Answer::OnTrip(OperatorDecision::RollbackCompletedBatches) => self.roll_back(now, archived),
        }
        self.question = None;
    }

    fn continue_anyway(&mut self, now: u64) {
        let walk = self.walks.last_mut().expect("a rollout tripped");
        walk.tripped = false;
        walk.run.clear();
        walk.held = true;
        if (0..walk.batch_count()).all(|batch| walk.is_complete(batch)) {
            self.reach_the_end(now);
        }
    }

    fn roll_back(&mut self, now: u64, archived: bool) {
        let rollout = &self.scenario.rollout;
        let previous = rollout.previous.map(|version| &self.scenario.versions[version.0]);
        let gone = previous.is_none_or(|version| version.lifecycle_state == LifecycleState::Archived);
        if gone || archived {
            self.say(now, 1, EventBody::RollbackFailed);
            return self.finish(now, Outcome::RollbackFailed);
        }
        let first = &self.walks[0];
        let touched: Vec<usize> =
            (0..first.members.len()).filter(|&place| first.standings[place] != Phase::Waiting).collect();
        self.say(now, 2, EventBody::RollbackStarted { instance_count: touched.len() as u32 });
        self.walks.push(Walk::new(2, Direction::Back, touched, rollout.rollback_batch_pct));
    }

    fn reach_the_end(&mut self, now: u64) {
        self.finish(now, if self.walks.len() == 2 { Outcome::RolledBack } else { Outcome::Completed });
    }

    /// The first request was not answered in time.
    pub fn expire(&mut self, now: u64) {
        self.finish(now, Outcome::Expired);
    }

    /// The horizon has passed.
    pub fn stall(&mut self, now: u64) {
        self.finish(now, Outcome::Stalled);
    }

    /// The reconciler's tick (§3).
    pub fn tick(&mut self, now: u64) {
        if !self.approved || self.outcome.is_some() {
            return;
        }
        let scope = self.scenario.rollout.breaker_scope;
        let walk = self.walks.last_mut().expect("an approved plan");
        if walk.tripped {
            return;
        }
        walk.held = false;
        let next = match walk.batch {
            None => Some(0),
            Some(batch) if walk.is_complete(batch) => Some(batch + 1),
            Some(_) => None,
        };
        if let Some(next) = next {
            walk.batch = Some(next);
            if scope == BreakerScope::Batch {
                walk.run.clear();
            }
            let (id, count) = (walk.id, walk.places(next).len() as u32);
            self.say(now, id, EventBody::BatchStarted { batch_index: next as u32, instance_count: count });
        }
        self.dispatch_what_fits(now);
    }

    fn dispatch_what_fits(&mut self, now: u64) {
        let most = self.scenario.rollout.max_in_flight.map_or(usize::MAX, |most| most.get() as usize);
        let Some(walk) = self.walks.last_mut() else { return };
        let Some(batch) = walk.batch else { return };
        for place in walk.places(batch) {
            if walk.standings[place] == Phase::Waiting && walk.in_flight() < most {
                walk.standings[place] = Phase::InFlight { since: now };
                let position = walk.members[place];
                self.commands.push((position, walk.release()));
                self.events.push(Event {
                    at: At(now),
                    rollout: RolloutId(walk.id),
                    body: EventBody::InstanceStarted {
                        batch_index: batch as u32,
                        instance: self.ids[position],
                        to: walk.to,
                    },
                });
            }
        }
    }

    /// Deadlines of those in flight: when, and which position of the plan.
    pub fn deadlines(&self) -> impl Iterator<Item = (u64, usize)> {
        let timeout = self.scenario.rollout.health_timeout.0;
        self.walks.last().into_iter().flat_map(move |walk| {
            walk.standings.iter().zip(&walk.members).filter_map(move |(phase, &position)| match phase {
                Phase::InFlight { since } => Some((since + timeout, position)),
                _ => None,
            })
        })
    }

    /// A heartbeat (§4).
    pub fn heartbeat(&mut self, now: u64, letter: &Letter) {
        let Letter { position, sent, arrival, message } = *letter;
        if self.outcome.is_some() {
            return;
        }
        if self.last_sent[position].is_some_and(|last| sent < last) {
            return saw("a heartbeat was overtaken");
        }
        self.last_sent[position] = Some(sent);
        let Some(walk) = self.walks.last() else { return };
        let Some(place) = walk.members.iter().position(|&member| member == position) else { return };
        let Phase::InFlight { since } = walk.standings[place] else { return };
        if arrival < since || arrival > since + self.scenario.rollout.health_timeout.0 {
            return;
        }
        saw_if(sent < since, "a heartbeat of before the dispatch came after it");
        saw_if(
            arrival == since + self.scenario.rollout.health_timeout.0,
            "a heartbeat came in the millisecond of its deadline",
        );
        if message.report == Some(walk.release()) {
            self.failed.push((position, walk.release()));
            self.judge(now, place, Some(Reason::UpgradeFailed));
        } else if message.runs == walk.release() && message.healthy {
            self.judge(now, place, None);
        }
    }

    /// The deadline of an instance in flight.
    pub fn deadline(&mut self, now: u64, position: usize) {
        let walk = self.walks.last().expect("a deadline has a rollout");
        let place = walk.members.iter().position(|&member| member == position).expect("a deadline has an instance");
        self.failed.push((position, walk.release()));
        self.judge(now, place, Some(Reason::HealthTimeout));
    }

    fn judge(&mut self, now: u64, place: usize, failure: Option<Reason>) {
        let order = self.scenario.rollout.breaker_order;
        let limit = self.limit;
        let walk = self.walks.last_mut().expect("a verdict has a rollout");
        let (id, batch) = (walk.id, place / walk.batch_size);
        let batch_index = batch as u32;
        walk.standings[place] = if failure.is_none() { Phase::Healthy } else { Phase::Failed };
        let complete = walk.is_complete(batch);
        let to_count = match order {
            _ if walk.tripped => 0..0,
            BreakerOrder::Observed => place..place + 1,
            BreakerOrder::Listed if complete => walk.places(batch),
            BreakerOrder::Listed => 0..0,
        };
        let mut trips = false;
        for counted in to_count {
            if walk.standings[counted] == Phase::Healthy {
                walk.run.clear();
                continue;
            }
            walk.run.push(self.ids[walk.members[counted]]);
            if walk.run.len() == limit {
                trips = true;
                break;
            }
        }
        walk.tripped |= trips;
        let failed = walk.run.clone();
        let (tripped, held) = (walk.tripped, walk.held);
        let standings = &walk.standings[walk.places(batch)];
        let healthy_count = standings.iter().filter(|&&phase| phase == Phase::Healthy).count() as u32;
        let failed_count = standings.len() as u32 - healthy_count;
        let is_last = batch + 1 == walk.batch_count();

        let instance = self.ids[walk.members[place]];
        self.say(now, id, EventBody::InstanceHealthCheck { batch_index, instance, failure });
        if trips {
            self.say(now, id, EventBody::CircuitBreakerTripped { batch_index, failed });
            let rolling_back = id == 2;
            let kind =
                if rolling_back { RequestKind::RollbackContinuation } else { RequestKind::RollingUpgradeContinuation };
            self.ask(now, id, kind);
        }
        if complete {
            self.say(now, id, EventBody::BatchCompleted { batch_index, healthy_count, failed_count });
        }
        if complete && is_last && !tripped {
            self.reach_the_end(now);
        } else if !tripped && !held {
            self.dispatch_what_fits(now);
        }
    }
}

//! The rules of a rollout, in the plainest form: lists, and loops over them.

mod health;
mod trips;

use dryroll::engine::{
    Answer, ApprovalId, BatchSizes, Direction, Event, EventBody, InterventionPolicy, OperatorDecision, Outcome, Reason,
    Relapse, RequestKind, RolloutId, Share, Size, Then,
};
use dryroll::fleet::{At, InstanceId, LifecycleState};
use dryroll::scenario::Scenario;
use dryroll::sim::Release;

use super::coverage::{saw, saw_if};
use super::machine::Message;
use super::replicate_draws::Digests;
use super::verdicts::Breaker;
use super::walk::{Flight, Phase, Walk, number};

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

/// A failed verdict, for the ground truth: which instance, and the version of the rollout.
pub type Failed = (usize, Release);

/// A command: to which instance, which version, and how often it was commanded before in this rollout.
pub type Command = (usize, Release, u32);

/// The controller.
pub struct Rules<'s> {
    scenario: &'s Scenario,
    ids: Vec<InstanceId>,
    digests: Digests,
    sizes: BatchSizes,
    limit: Option<usize>,
    breakers: Vec<Breaker>,
    walks: Vec<Walk>,
    approved: bool,
    question: Option<(ApprovalId, RequestKind)>,
    questions: u32,
    expires_at: Option<u64>,
    /// The rule of `breakers` that tripped last; the first rule is none of them.
    tripped_by: Option<usize>,
    /// The batch that a person promoted last.
    promoted: Option<usize>,
    requested_at: u64,
    begun_at: Option<u64>,
    healthy_at: u64,
    decided_at: u64,
    last_sent: Vec<Option<u64>>,
    /// When each was heard last, and its newest heartbeat.
    heard_at: Vec<Option<u64>>,
    newest: Vec<Option<Message>>,
    silent: Vec<bool>,
    outcome: Option<Outcome>,
    /// Whether the previous version is archived by now.
    pub archived: bool,
    /// Events, until the caller takes them.
    pub events: Vec<Event>,
    /// Commands, until the caller takes them.
    pub commands: Vec<Command>,
    /// Failed verdicts, until the caller takes them.
    pub failed: Vec<Failed>,
}

impl<'s> Rules<'s> {
    /// A controller that has not been asked for anything.
    pub fn new(scenario: &'s Scenario, ids: Vec<InstanceId>) -> Self {
        let rollout = &scenario.rollout;
        Self {
            scenario,
            digests: Digests::of(scenario),
            sizes: rollout.batches.clone(),
            limit: rollout.max_consecutive_failures.map(|limit| limit.get() as usize),
            breakers: rollout.breakers.iter().cloned().map(Breaker::new).collect(),
            walks: Vec::new(),
            approved: false,
            question: None,
            questions: 0,
            expires_at: None,
            tripped_by: None,
            promoted: None,
            requested_at: 0,
            begun_at: None,
            healthy_at: 0,
            decided_at: 0,
            last_sent: vec![None; ids.len()],
            heard_at: vec![None; ids.len()],
            newest: vec![None; ids.len()],
            silent: vec![false; ids.len()],
            outcome: None,
            archived: false,
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

    fn walk(&self) -> &Walk {
        self.walks.last().expect("a plan")
    }

    fn walk_mut(&mut self) -> &mut Walk {
        self.walks.last_mut().expect("a plan")
    }

    fn plan(&mut self, now: u64) {
        let (everyone, sizes) = ((0..self.ids.len()).collect(), self.sizes.clone());
        let walk = Walk::new(1, Direction::Forward, everyone, sizes, self.scenario.rollout.health_timeout.0);
        let sizes = walk.planned_sizes();
        let body = EventBody::Planned {
            total_instances: walk.members.len() as u32,
            batch_size: sizes.iter().copied().max().unwrap_or(0) as u32,
            batch_count: sizes.len() as u32,
        };
        self.walks = vec![walk];
        self.say(now, 1, body);
    }

    /// The request (§1, §2).
    pub fn request(&mut self, now: u64) {
        self.requested_at = now;
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

    /// The operator's answer to the pending request.
    pub fn answer(&mut self, now: u64, answer: Answer) {
        if self.outcome.is_some() {
            return;
        }
        let Some((request, kind)) = self.question else { return };
        assert!(kind.offers(&answer), "{answer:?} to {kind:?}");
        let rollout = self.walk().id;
        self.say(now, rollout, EventBody::ApprovalDecided { request, answer });
        if let Answer::Edit(edit) = answer {
            if let Some(pct) = edit.batch_pct {
                self.sizes.sizes = vec![Size::Share(Share::percent(pct))];
                self.sizes.growth = None;
            }
            self.limit = edit.max_consecutive_failures.map_or(self.limit, |limit| Some(limit.get() as usize));
            return self.plan(now);
        }
        self.question = None;
        self.decided_at = now;
        match answer {
            Answer::Approve | Answer::Edit(_) => {
                self.approved = true;
                self.expires_at = None;
            }
            Answer::Reject => self.finish(now, Outcome::Rejected),
            Answer::Promote => self.promoted = Some(self.walk().batches.len()),
            Answer::OnTrip(OperatorDecision::Abort) => self.finish(now, Outcome::Aborted),
            Answer::OnTrip(OperatorDecision::ContinueAnyway) => self.continue_anyway(now),
            Answer::OnTrip(OperatorDecision::RollbackCompletedBatches) => self.roll_back(now),
        }
    }

    fn continue_anyway(&mut self, now: u64) {
        let unwell = self.unwell();
        for (rule, breaker) in self.breakers.iter_mut().enumerate() {
            breaker.go_on(self.tripped_by == Some(rule), &unwell);
        }
        let walk = self.walk_mut();
        walk.tripped = false;
        walk.held = true;
        walk.runs.clear();
        self.settle(now);
    }

    fn roll_back(&mut self, now: u64) {
        let rollout = &self.scenario.rollout;
        let previous = rollout.previous.map(|version| &self.scenario.versions[version.0]);
        let gone = previous.is_none_or(|version| version.lifecycle_state == LifecycleState::Archived);
        if gone || self.archived {
            self.say(now, 1, EventBody::RollbackFailed);
            return self.finish(now, Outcome::RollbackFailed);
        }
        let first = &self.walks[0];
        let touched: Vec<usize> =
            (0..first.members.len()).filter(|&place| first.standings[place] != Phase::Waiting).collect();
        self.question = None;
        self.say(now, 2, EventBody::RollbackStarted { instance_count: touched.len() as u32 });
        if touched.is_empty() {
            saw("a rollback of nobody");
            return self.finish(now, Outcome::RolledBack);
        }
        let timeout = rollout.rollback_health_timeout.unwrap_or(rollout.health_timeout).0;
        self.walks.push(Walk::new(2, Direction::Back, touched, rollout.rollback_batches.clone(), timeout));
    }

    /// The first request was not answered in time.
    pub fn expire(&mut self, now: u64) {
        self.finish(now, Outcome::Expired);
    }

    /// The horizon has passed.
    pub fn stall(&mut self, now: u64) {
        self.finish(now, Outcome::Stalled);
    }

    /// The reconciler's tick takes one step: it resumes a batch, or begins one.
    pub fn tick(&mut self, now: u64) {
        if !self.approved || self.outcome.is_some() || self.walk().tripped {
            return;
        }
        let walk = self.walk_mut();
        walk.held = false;
        if walk.next_place().is_some() {
            return self.settle(now);
        }
        let is_free = walk.batches.last().is_none_or(|batch| batch.bake_over);
        if !is_free || walk.begun() == walk.members.len() {
            return;
        }
        let (id, next) = (walk.id, walk.batches.len());
        if self.needs_promotion(next) || self.judge_unwell(now, next) {
            return;
        }
        saw_if(self.promoted == Some(next), "a promoted batch began");
        saw_if(self.promoted == Some(next) && self.silent.contains(&true), "a promotion during silence");
        let begins_early = self.walk().in_flight() > 0;
        saw_if(begins_early, "a batch began before the last one was judged");
        let walk = self.walk_mut();
        let before = walk.batches.last().map_or(0, |batch| batch.places.len());
        walk.begin();
        let count = walk.batches[next].places.len();
        let shrinks = walk.sizes.growth.is_some() && count < before && walk.begun() < walk.members.len();
        saw_if(shrinks, "growth shrinks");
        if id == 1 {
            self.begun_at = Some(now);
            let advance_pct = self.scenario.rollout.pace.advance_pct;
            self.walk_mut().batches[next].reached = advance_pct == 0;
        }
        self.say(now, id, EventBody::BatchStarted { batch_index: next as u32, instance_count: count as u32 });
        self.settle(now);
    }

    fn needs_promotion(&self, batch: usize) -> bool {
        let asks = self.scenario.rollout.pace.promotions.asks_before(batch as u32);
        self.walk().id == 1 && asks && self.promoted != Some(batch)
    }

    /// What follows from where all stand: dispatches, the begin of a bake, a promotion, the end.
    fn settle(&mut self, now: u64) {
        if self.outcome.is_some() {
            return;
        }
        self.dispatch_what_fits(now);
        let pace = &self.scenario.rollout.pace;
        let walk = self.walk_mut();
        let Some(index) = walk.batches.len().checked_sub(1) else { return };
        if walk.may_leave() && walk.batches[index].bake_end.is_none() {
            let bake = pace.bakes.get(index).or(pace.bakes.last()).filter(|_| walk.id == 1).map_or(0, |bake| bake.0);
            walk.batches[index].bake_end = Some(now + bake);
            walk.batches[index].bake_over = bake == 0;
            saw_if(bake > 0 && walk.tripped, "a bake began while a trip waited");
        }
        if walk.tripped || !walk.batches[index].bake_over {
            return;
        }
        if walk.begun() == walk.members.len() {
            if walk.judged() == walk.members.len() {
                let outcome = if walk.id == 2 { Outcome::RolledBack } else { Outcome::Completed };
                self.finish(now, outcome);
            }
        } else if self.question.is_none() && self.needs_promotion(index + 1) {
            self.ask(now, 1, RequestKind::Promotion);
        }
    }

    fn dispatch_what_fits(&mut self, now: u64) {
        let rollout = &self.scenario.rollout;
        let (planned, rounding) = (self.ids.len(), self.sizes.rounding);
        let most = rollout.max_in_flight.map_or(usize::MAX, |size| number(size, planned, rounding));
        let unavailable = rollout.watch.and_then(|watch| watch.max_unavailable);
        while let Some(place) = self.walk().next_place() {
            let walk = self.walk();
            let position = walk.members[place];
            let in_flight = walk.in_flight();
            if walk.tripped || walk.held || in_flight >= most {
                return;
            }
            if let Some(size) = unavailable.filter(|_| walk.id == 1) {
                let others = self.unwell().iter().filter(|&&other| other != position).count();
                if in_flight + others >= number(size, planned, rounding) {
                    return saw("unwell ones held a dispatch back");
                }
                saw_if(self.unwell().contains(&position), "an unwell one took its own slot");
            }
            let (id, to, release) = (walk.id, walk.to, walk.release());
            let batch_index = walk.batch_of(place) as u32;
            let flight = Flight { since: now, attempt: 0, well_since: None };
            self.walk_mut().standings[place] = Phase::InFlight(flight);
            self.commands.push((position, release, 0));
            self.say(now, id, EventBody::InstanceStarted { batch_index, instance: self.ids[position], to });
        }
    }

    /// Deadlines of those in flight: when, and which position of the plan.
    pub fn deadlines(&self) -> impl Iterator<Item = (u64, usize)> {
        self.walks.last().into_iter().flat_map(|walk| {
            walk.standings.iter().zip(&walk.members).filter_map(move |(phase, &position)| match phase {
                Phase::InFlight(flight) => Some((flight.since + walk.timeout, position)),
                _ => None,
            })
        })
    }

    /// A heartbeat.
    pub fn heartbeat(&mut self, now: u64, letter: &Letter) {
        let Letter { position, sent, arrival, message } = *letter;
        // Nobody listens before the request.
        if self.outcome.is_some() || self.walks.is_empty() {
            return;
        }
        if self.last_sent[position].is_some_and(|last| sent < last) {
            return saw("a heartbeat was overtaken");
        }
        let was_unwell = self.is_unwell(position);
        self.last_sent[position] = Some(sent);
        self.heard_at[position] = Some(arrival);
        self.newest[position] = Some(message);
        self.silent[position] = false;
        let walk = self.walk();
        let Some(place) = walk.place_of(position) else { return };
        if walk.id == 1 && self.scenario.rollout.watch.is_some() && !self.looks_unwell(position) {
            self.breakers.iter_mut().for_each(|breaker| breaker.left_out.retain(|&other| other != position));
        }
        match self.walk().standings[place] {
            Phase::InFlight(flight) => self.heard_in_flight(now, place, flight, letter),
            Phase::Healthy if self.is_unwell(position) => self.relapse(now, place, Relapse::Unhealthy),
            phase => {
                let recovers = was_unwell && !self.is_unwell(position) && phase != Phase::Waiting;
                let before = self.commands.len();
                self.settle(now);
                let bounded = self.scenario.rollout.watch.is_some_and(|watch| watch.max_unavailable.is_some());
                let frees = recovers && bounded && self.commands.len() > before;
                saw_if(frees && phase == Phase::Relapsed, "a relapsed one recovered and freed a slot");
            }
        }
    }

    fn heard_in_flight(&mut self, now: u64, place: usize, flight: Flight, letter: &Letter) {
        let Letter { sent, arrival, message, .. } = *letter;
        let walk = self.walk();
        let wanted = self.digests.of_release(walk.release());
        if arrival < flight.since || arrival > flight.since + walk.timeout {
            return;
        }
        if flight.attempt > 0 && sent <= flight.since {
            return saw("a heartbeat of an attempt before");
        }
        saw_if(sent < flight.since, "a heartbeat of before the dispatch came after it");
        saw_if(arrival == flight.since + walk.timeout, "a heartbeat came in the millisecond of its deadline");
        if message.report == Some(wanted) {
            return self.fail(now, place, Reason::UpgradeFailed);
        }
        let well_since =
            (message.runs == wanted && message.healthy).then(|| flight.well_since.unwrap_or(sent).min(sent));
        saw_if(flight.well_since.is_some() && well_since.is_none(), "a healthy series broke");
        self.walk_mut().standings[place] = Phase::InFlight(Flight { well_since, ..flight });
        if well_since.is_some_and(|first| sent - first >= self.scenario.rollout.pace.min_healthy.0) {
            saw_if(flight.attempt > 0, "a retry succeeded");
            self.walk_mut().standings[place] = Phase::Healthy;
            self.healthy_at = now;
            self.judge(now, place, None);
        }
    }

    /// The deadline of an instance in flight.
    pub fn deadline(&mut self, now: u64, position: usize) {
        let place = self.walk().place_of(position).expect("a deadline has an instance");
        self.fail(now, place, Reason::HealthTimeout);
    }

    fn fail(&mut self, now: u64, place: usize, reason: Reason) {
        let walk = self.walk();
        let Phase::InFlight(flight) = walk.standings[place] else { panic!("it is in flight") };
        let (id, position, release) = (walk.id, walk.members[place], walk.release());
        let batch_index = walk.batch_of(place) as u32;
        if flight.attempt < self.scenario.rollout.pace.retries {
            let attempt = flight.attempt + 1;
            saw_if(walk.tripped, "a retry while a trip waited");
            saw_if(id == 2, "a retry in a rollback");
            let flight = Flight { since: now, attempt, well_since: None };
            self.walk_mut().standings[place] = Phase::InFlight(flight);
            self.commands.push((position, release, attempt));
            let instance = self.ids[position];
            return self.say(now, id, EventBody::InstanceRetried { batch_index, instance, attempt, reason });
        }
        self.failed.push((position, release));
        self.walk_mut().standings[place] = Phase::Failed;
        self.judge(now, place, Some(reason));
    }

    /// A verdict was given: it counts, it may trip, it may complete its batch.
    fn judge(&mut self, now: u64, place: usize, failure: Option<Reason>) {
        let walk = self.walk_mut();
        let (id, batch, position) = (walk.id, walk.batch_of(place), walk.members[place]);
        let batch_index = batch as u32;
        let (healthy, size) = (walk.healthy_in(batch), walk.batches[batch].places.len());
        let waits = walk.tripped;
        let advance_pct = if id == 1 { self.scenario.rollout.pace.advance_pct as usize } else { 100 };
        let walk = self.walk_mut();
        walk.batches[batch].reached |= healthy * 100 >= advance_pct * size;
        let complete = walk.batches[batch].places.clone().all(|place| walk.is_judged(place));
        let late = complete && batch + 1 < walk.batches.len();
        let instance = self.ids[position];
        self.say(now, id, EventBody::InstanceHealthCheck { batch_index, instance, failure });
        let mut trip = self.count_and_judge(now, batch, position, failure);
        if complete {
            saw_if(late, "a straggler completed its batch late");
            let failed = healthy * 100 < self.scenario.rollout.ok_pct as usize * size;
            self.walk_mut().batches[batch].completed = Some(failed);
            if id == 1 {
                for breaker in &mut self.breakers {
                    breaker.batches.push(failed);
                    breaker.completed += 1;
                }
            }
            if !waits && trip.is_none() {
                trip = self.judge_batch_end(now, batch);
            }
            let (healthy_count, failed_count) = (healthy as u32, (size - healthy) as u32);
            self.say(now, id, EventBody::BatchCompleted { batch_index, healthy_count, failed_count });
        }
        self.go_on_after(now, trip);
    }

    fn go_on_after(&mut self, now: u64, trip: Option<Then>) {
        match trip {
            Some(Then::Abort) => self.finish(now, Outcome::Aborted),
            Some(Then::RollBack) => self.roll_back(now),
            Some(Then::Ask | Then::Note) | None => self.settle(now),
        }
    }

    /// When the bake that goes on ends.
    pub fn bake_end(&self) -> Option<u64> {
        let batch = self.walks.last()?.batches.last()?;
        batch.bake_end.filter(|_| !batch.bake_over && self.outcome.is_none())
    }

    /// A bake is over.
    pub fn end_bake(&mut self, now: u64) {
        saw("a bake ended");
        self.walk_mut().batches.last_mut().expect("a batch bakes").bake_over = true;
        self.settle(now);
    }
}

//! The loop over the milliseconds in which something happens, and the ground truth.

use std::collections::BTreeMap;

use dryroll::engine::{Answer, Direction, Event, EventBody, OperatorDecision, Outcome, RequestKind, RolloutId};
use dryroll::fleet::{InstanceId, Span};
use dryroll::scenario::{RolloutOrder, Scenario};
use dryroll::sim::compiled::Member;
use dryroll::sim::draws::{Draws, Key, unit};
use dryroll::sim::{CompiledScenario, Metrics, Release};

use super::coverage::{look_at, saw, saw_if};
use super::environment::Environment;
use super::machine::Machine;
use super::person::Person;
use super::replicate_draws::{Digests, ReplicateDraws, at_the_request, named};
use super::rules::{Letter, Rules};

/// A whole run, from the request to the end of its observation.
struct Run<'s> {
    scenario: &'s Scenario,
    compiled: &'s CompiledScenario,
    draws: Draws,
    replicate_draws: ReplicateDraws<'s>,
    now: u64,
    ids: Vec<InstanceId>,
    machines: Vec<Machine<'s>>,
    environment: Environment<'s>,
    rules: Rules<'s>,
    person: Person<'s>,
    requested: bool,
    was_away: bool,
    /// Heartbeats in transit, by planned instance.
    letters: Vec<Vec<Letter>>,
    /// Heartbeats that arrived while the controller was away.
    backlog: Vec<Letter>,
    log: Vec<Event>,
    tally: Tally,
}

/// What is measured on the way.
#[derive(Default)]
struct Tally {
    exposed_now: Vec<bool>,
    most_exposed: usize,
    healthy_once: Vec<bool>,
    false_failures: u32,
    exposure: u128,
    unhealthy: u128,
    capacity_loss: u128,
    min_serving: usize,
}

/// What a controller that was away takes first: due when, in which turn, of which instance, sent when.
type Due = (u64, u8, usize, u64);

const HEARTBEAT: u8 = 1;
const DEADLINE: u8 = 2;
const SILENCE: u8 = 3;
const NO_PROGRESS: u8 = 4;
const OPERATOR: u8 = 5;
const EXPIRY: u8 = 6;
const BAKE: u8 = 7;

/// Runs one replicate: its events and its metrics.
pub fn run<'s>(scenario: &'s Scenario, compiled: &'s CompiledScenario, replicate: u64) -> (Vec<Event>, Metrics) {
    let mut run = Run::new(scenario, compiled, replicate);
    loop {
        run.live_through_this_millisecond();
        let end = run.finished_at().map(|at| at + scenario.rollout.observe_after.0);
        if end == Some(run.now) {
            break;
        }
        let next = run.next_moment().min(end.unwrap_or(u64::MAX));
        run.measure(next);
        for machine in &mut run.machines {
            machine.progress(run.now, next, &run.environment);
        }
        run.now = next;
    }
    look_at(scenario, &run.log);
    let metrics = run.metrics();
    saw_if(metrics.still_down > 0, "harm goes on at the end");
    (run.log, metrics)
}

/// The eligible instances: all but the last ones that have another status, those that run the target, and pinned ones.
fn planned(scenario: &Scenario, draws: &mut Draws) -> Vec<InstanceId> {
    let fleet = &scenario.fleet;
    let others = fleet.statuses.iter().flat_map(|&(status, count)| (0..count).map(move |_| status.is_eligible()));
    let last: Vec<bool> = others.collect();
    let plain = fleet.instances as usize - last.len();
    let eligible = (0..plain).map(|_| true).chain(last);
    let target = Digests::of(scenario).of_release(Release::Target);
    let listed: Vec<InstanceId> = eligible
        .zip(0..)
        .filter(|&(eligible, n)| {
            let (runs, _, pinned) = at_the_request(scenario, n, draws.instance(n).membership);
            saw_if(pinned, "a pinned one");
            saw_if(eligible && runs == target, "one that runs the target already");
            eligible && runs != target && !pinned
        })
        .map(|(_, n)| InstanceId(n))
        .collect();
    match scenario.rollout.order {
        RolloutOrder::Listed => listed,
        RolloutOrder::ByZone => {
            let of_zone = |zone| listed.iter().copied().filter(move |id| id.0 % fleet.zones == zone);
            (0..fleet.zones).flat_map(of_zone).collect()
        }
        RolloutOrder::Shuffled => {
            let key = Key(scenario.seed).child(named("\"rollout order\""));
            let by_word: BTreeMap<_, _> = listed.into_iter().map(|id| ((key.word(u64::from(id.0)), id), id)).collect();
            by_word.into_values().collect()
        }
    }
}

impl<'s> Run<'s> {
    fn new(scenario: &'s Scenario, compiled: &'s CompiledScenario, replicate: u64) -> Self {
        let mut draws = Draws::new(scenario.seed, replicate);
        let ids = planned(scenario, &mut draws);
        let members: Vec<_> = ids.iter().map(|id| compiled.member(id.0, draws.instance(id.0))).collect();
        let until = scenario.horizon.0 + scenario.rollout.observe_after.0 + 1;
        let environment = Environment::new(compiled, &scenario.faults, &members, &mut draws, until);
        let machine = |(position, &member): (usize, &Member<'s>)| {
            let (runs, state, _) = at_the_request(scenario, member.n, member.block.membership);
            Machine::new(member, position, Digests::of(scenario), runs, state)
        };
        Self {
            machines: members.iter().enumerate().map(machine).collect(),
            rules: Rules::new(scenario, ids.clone()),
            person: Person::new(&scenario.operator, draws.operator()),
            letters: vec![Vec::new(); ids.len()],
            tally: Tally {
                exposed_now: vec![false; ids.len()],
                healthy_once: vec![false; ids.len()],
                min_serving: ids.len(),
                ..Tally::default()
            },
            scenario,
            compiled,
            replicate_draws: ReplicateDraws::new(scenario, &mut draws),
            draws,
            now: 0,
            ids,
            environment,
            requested: false,
            was_away: false,
            backlog: Vec::new(),
            log: Vec::new(),
        }
    }

    fn finished_at(&self) -> Option<u64> {
        self.log.last().filter(|event| matches!(event.body, EventBody::Finished { .. })).map(|event| event.at.0)
    }

    /// The turns of §8, one after the other.
    fn live_through_this_millisecond(&mut self) {
        for machine in &mut self.machines {
            machine.change(self.now, &self.environment);
        }
        if self.finished_at().is_some() {
            return;
        }
        self.rules.archived = self.environment.archived(self.now);
        let away = self.environment.away(self.now);
        if self.was_away && !away {
            self.catch_up();
        }
        self.was_away = away;
        self.heartbeats(away);
        if !away {
            self.deadlines();
            self.silences();
            self.operator();
            if self.rules.expires_at() == Some(self.now) {
                self.rules.expire(self.now);
                self.carry_out();
            }
            if self.rules.bake_end() == Some(self.now) {
                self.rules.end_bake(self.now);
                self.carry_out();
            }
            self.operator();
            if self.now.is_multiple_of(self.scenario.reconciler.interval.0) && !self.environment.paused(self.now) {
                self.rules.tick(self.now);
                self.carry_out();
                self.operator();
            }
        }
        if self.now == self.scenario.horizon.0 && self.finished_at().is_none() {
            self.rules.stall(self.now);
            self.carry_out();
        }
    }

    /// Each planned instance in turn sends, if it is time, and what arrives from it is taken.
    fn heartbeats(&mut self, away: bool) {
        for position in 0..self.machines.len() {
            self.send_heartbeat(position);
            let mut arrived: Vec<Letter> =
                self.letters[position].extract_if(.., |letter| letter.arrival == self.now).collect();
            arrived.sort_by_key(|letter| letter.sent);
            for letter in arrived {
                if away {
                    self.backlog.push(letter);
                } else {
                    self.rules.heartbeat(self.now, &letter);
                    saw_if(!self.rules.commands.is_empty(), "a dispatch in the turn of the heartbeats");
                    self.carry_out();
                }
            }
        }
    }

    fn send_heartbeat(&mut self, position: usize) {
        let machine = &self.machines[position];
        let member = &machine.member;
        let interval = self.scenario.fleet.heartbeat_interval.0;
        if self.now < member.phase.0 || !(self.now - member.phase.0).is_multiple_of(interval) {
            return;
        }
        let Some(message) = machine.message() else { return };
        let k = (self.now - member.phase.0) / interval;
        let lost = unit(member.block.heartbeats.word(2 * k)) < member.loss;
        saw_if(lost, "a heartbeat was lost by chance");
        saw_if(!self.environment.network_up(position, member, self.now), "a heartbeat met a network that is down");
        if lost || !self.environment.network_up(position, member, self.now) {
            return;
        }
        let delay = member.delay.draw(member.block.heartbeats.word(2 * k + 1)).0;
        let arrival = self.now + delay + self.environment.extra_delay(member, self.now, k);
        let letter = Letter { position, sent: self.now, arrival, message };
        let copies = if self.environment.duplicates(member, self.now) { 2 } else { 1 };
        saw_if(copies == 2, "a heartbeat came twice");
        saw_if(arrival > self.now, "a heartbeat came late");
        for _ in 0..copies {
            self.letters[position].push(letter);
        }
    }

    fn deadlines(&mut self) {
        let due: Vec<usize> =
            self.rules.deadlines().filter(|&(at, _)| at == self.now).map(|(_, position)| position).collect();
        for position in due {
            // A trip ends nothing for those that are due in the same millisecond; the end and a rollback do.
            let is_still_due = self.rules.deadlines().any(|due| due == (self.now, position));
            if self.rules.outcome().is_none() && is_still_due {
                self.rules.deadline(self.now, position);
                saw_if(!self.rules.commands.is_empty(), "a dispatch in the turn of the deadlines");
                self.carry_out();
            }
        }
    }

    /// Silences that are as long as they may be, then a time without progress.
    fn silences(&mut self) {
        for position in 0..self.ids.len() {
            if self.rules.silences().contains(&(self.now, position)) {
                self.rules.silence(self.now, position);
                self.carry_out();
            }
        }
        if self.rules.no_progress_at() == Some(self.now) {
            self.rules.no_progress(self.now, self.now);
            self.carry_out();
        }
    }

    /// The request, where it is time, and all answers that are due.
    fn operator(&mut self) {
        if !self.requested {
            self.make_request();
        }
        while self.person.next() == Some(self.now) {
            self.answer();
        }
    }

    fn make_request(&mut self) {
        self.requested = true;
        self.rules.request(self.now);
        self.carry_out();
    }

    fn answer(&mut self) {
        let Some(answer) = self.person.take() else { return };
        self.rules.answer(self.now, answer);
        self.carry_out();
    }

    /// After an absence: takes the waiting heartbeats and deadlines in the order in which they were due.
    fn catch_up(&mut self) {
        while self.finished_at().is_none() {
            let mut due: Vec<Due> =
                self.backlog.iter().map(|letter| (letter.arrival, HEARTBEAT, letter.position, letter.sent)).collect();
            due.extend(self.rules.deadlines().map(|(at, position)| (at, DEADLINE, position, 0)));
            due.extend(self.rules.silences().into_iter().map(|(at, position)| (at, SILENCE, position, 0)));
            due.extend(self.rules.no_progress_at().map(|at| (at, NO_PROGRESS, 0, 0)));
            due.extend(self.rules.bake_end().map(|at| (at, BAKE, 0, 0)));
            due.extend((!self.requested).then_some((0, OPERATOR, 0, 0)));
            due.extend(self.person.next().map(|at| (at, OPERATOR, 0, 0)));
            due.extend(self.rules.expires_at().map(|at| (at, EXPIRY, 0, 0)));
            let Some(&first) = due.iter().filter(|due| due.0 < self.now).min() else { return };
            saw(match first.1 {
                HEARTBEAT => "taken at the return: heartbeat",
                DEADLINE => "taken at the return: deadline",
                EXPIRY => "taken at the return: expiry",
                SILENCE => "taken at the return: silence",
                NO_PROGRESS => "taken at the return: no progress",
                BAKE => "taken at the return: end of a bake",
                _ if !self.requested => "taken at the return: request",
                _ => "taken at the return: answer",
            });
            match first {
                (arrival, HEARTBEAT, position, sent) => {
                    let place = self
                        .backlog
                        .iter()
                        .position(|letter| (letter.arrival, letter.position, letter.sent) == (arrival, position, sent))
                        .expect("it is in the backlog");
                    let letter = self.backlog.remove(place);
                    self.rules.heartbeat(self.now, &letter);
                }
                (_, DEADLINE, position, _) => self.rules.deadline(self.now, position),
                (_, SILENCE, position, _) => self.rules.silence(self.now, position),
                (due, NO_PROGRESS, ..) => self.rules.no_progress(self.now, due),
                (_, BAKE, ..) => self.rules.end_bake(self.now),
                (_, EXPIRY, ..) => self.rules.expire(self.now),
                _ if !self.requested => self.make_request(),
                _ => self.answer(),
            }
            saw_if(!self.rules.commands.is_empty(), "a dispatch at the return");
            self.carry_out();
        }
    }

    /// Takes the controller's events and commands.
    fn carry_out(&mut self) {
        for (position, version) in std::mem::take(&mut self.rules.failed) {
            let machine = &self.machines[position];
            let runs = Digests::of(self.scenario).of_release(version);
            self.tally.false_failures += u32::from(machine.serves() && machine.runs() == runs);
        }
        for (position, version, attempt) in std::mem::take(&mut self.rules.commands) {
            let machine = &mut self.machines[position];
            let n = machine.member.n;
            let block = match (version, attempt) {
                (Release::Target, 0) => self.draws.instance(n),
                (Release::Previous, 0) => self.draws.rollback(n),
                (Release::Target, _) => self.draws.retry(n, 0, attempt),
                (Release::Previous, _) => self.draws.retry(n, 1, attempt),
            };
            let sampled_upgrade =
                self.replicate_draws.sampled_upgrade(n, machine.member.block.membership, &block, version);
            machine.command(self.now, version, sampled_upgrade, &self.environment);
        }
        for event in std::mem::take(&mut self.rules.events) {
            self.environment.notice(&event);
            self.person.notice(&event);
            self.tally_exposure(&event);
            self.log.push(event);
        }
    }

    fn tally_exposure(&mut self, event: &Event) {
        let position = |id: InstanceId| self.ids.iter().position(|&other| other == id).expect("a planned instance");
        let tally = &mut self.tally;
        match event.body {
            EventBody::InstanceStarted { instance, to: Direction::Forward, .. } => {
                tally.exposed_now[position(instance)] = true;
            }
            EventBody::InstanceHealthCheck { instance, failure: None, .. } => {
                if event.rollout == RolloutId::FIRST {
                    tally.healthy_once[position(instance)] = true;
                } else {
                    tally.exposed_now[position(instance)] = false;
                }
            }
            EventBody::InstanceRelapsed { instance, .. } => {
                tally.healthy_once[position(instance)] = false;
                saw_if(self.machines[position(instance)].has_degraded(), "a degraded one relapsed");
            }
            _ => {}
        }
        tally.most_exposed = tally.most_exposed.max(tally.exposed());
    }

    /// The next millisecond in which something happens.
    fn next_moment(&self) -> u64 {
        let mut moments: Vec<u64> = Vec::new();
        moments.extend(self.environment.next_boundary(self.now));
        moments.extend(self.machines.iter().filter_map(|machine| machine.next_change(self.now, &self.environment)));
        if self.finished_at().is_none() {
            for machine in &self.machines {
                let (phase, interval) = (machine.member.phase.0, self.scenario.fleet.heartbeat_interval.0);
                let next = if self.now < phase { phase } else { self.now + interval - (self.now - phase) % interval };
                moments.push(next);
            }
            moments.extend(self.letters.iter().flatten().map(|letter| letter.arrival));
            moments.extend(self.rules.deadlines().map(|(at, _)| at));
            moments.extend(self.person.next());
            moments.extend(self.rules.expires_at());
            moments.extend(self.rules.silences().into_iter().map(|(at, _)| at));
            moments.extend(self.rules.no_progress_at());
            moments.extend(self.rules.bake_end());
            let interval = self.scenario.reconciler.interval.0;
            moments.push((self.now / interval + 1) * interval);
            moments.push(self.scenario.horizon.0);
        }
        moments.into_iter().filter(|&moment| moment > self.now).min().unwrap_or(u64::MAX)
    }

    /// Adds the time up to the next moment, in which nothing changes, to the integrals.
    fn measure(&mut self, next: u64) {
        let length = u128::from(next - self.now);
        let serving = self.machines.iter().filter(|machine| machine.serves()).count();
        let unhealthy = self.machines.iter().filter(|machine| machine.harmed() && !machine.serves()).count();
        let tally = &mut self.tally;
        tally.exposure += length * tally.exposed() as u128;
        tally.unhealthy += length * unhealthy as u128;
        tally.capacity_loss += length * (self.machines.len() - serving) as u128;
        tally.min_serving = tally.min_serving.min(serving);
    }

    fn metrics(&self) -> Metrics {
        let finished = self.finished_at().expect("the run is over");
        let first = |wanted: fn(&EventBody) -> bool| self.log.iter().find(|e| wanted(&e.body)).map(|e| e.at.0);
        let outcome = self.rules.outcome().expect("the run is over");
        let target = Digests::of(self.scenario).of_release(Release::Target);
        let first_dispatch = first(|body| matches!(body, EventBody::InstanceStarted { .. }));
        let first_trip = first(|body| matches!(body, EventBody::CircuitBreakerTripped { .. }));
        let is_trip = |event: &&Event| matches!(event.body, EventBody::CircuitBreakerTripped { .. });
        let turned_back = first(|body| matches!(body, EventBody::RollbackStarted { .. }));
        Metrics {
            outcome,
            trips: self.log.iter().filter(is_trip).count() as u32,
            decisions: self.decisions(),
            planned: self.machines.len() as u32,
            defective: self.scenario.target().defective,
            duration: Span(finished),
            approval_wait: Span(self.approval_wait(finished)),
            exposed: self.tally.most_exposed as u32,
            harmed: self.machines.iter().filter(|machine| machine.harmed()).count() as u32,
            exposure: self.tally.exposure,
            unhealthy: self.tally.unhealthy,
            capacity_loss: self.tally.capacity_loss,
            min_serving: self.tally.min_serving as u32,
            time_to_detect: first_trip.zip(first_dispatch).map(|(trip, dispatch)| Span(trip.saturating_sub(dispatch))),
            time_to_mitigate: first_trip.filter(|_| outcome == Outcome::RolledBack).map(|trip| Span(finished - trip)),
            time_to_stop: first_trip.map(|trip| Span(turned_back.unwrap_or(finished).saturating_sub(trip))),
            still_down: self.machines.iter().filter(|machine| machine.harmed() && !machine.serves()).count() as u32,
            false_failures: self.tally.false_failures,
            escaped: self
                .machines
                .iter()
                .zip(&self.tally.healthy_once)
                .filter(|(machine, healthy)| machine.harmed() && **healthy)
                .count() as u32,
            drift: self.machines.iter().any(|machine| machine.runs() != target),
            bricked: self.compiled.bricks.then(|| self.machines.iter().filter(|m| m.is_bricked()).count() as u32),
        }
    }

    /// What was decided on trips.
    fn decisions(&self) -> Vec<OperatorDecision> {
        let (mut decisions, mut kinds) = (Vec::new(), BTreeMap::new());
        for event in &self.log {
            match event.body {
                EventBody::ApprovalRequested { request, kind } => drop(kinds.insert(request, kind)),
                EventBody::ApprovalDecided { request, answer: Answer::OnTrip(decision) }
                    if kinds[&request] != RequestKind::Promotion =>
                {
                    decisions.push(decision);
                }
                _ => {}
            }
        }
        decisions
    }

    /// From each request to what resolves it; an edit does not, and a trip resolves a promotion.
    fn approval_wait(&self, finished: u64) -> u64 {
        let (mut total, mut asked) = (0, None);
        for event in &self.log {
            match event.body {
                EventBody::ApprovalRequested { .. } => asked = Some(event.at.0),
                EventBody::ApprovalDecided { answer: Answer::Edit(_), .. } => {}
                EventBody::CircuitBreakerTripped { .. } => total += asked.take().map_or(0, |asked| event.at.0 - asked),
                EventBody::ApprovalDecided { .. } => total += event.at.0 - asked.take().expect("a request was open"),
                _ => {}
            }
        }
        total + asked.map_or(0, |asked| finished - asked)
    }
}

impl Tally {
    fn exposed(&self) -> usize {
        self.exposed_now.iter().filter(|&&exposed| exposed).count()
    }
}

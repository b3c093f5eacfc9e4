//! The loop over the milliseconds in which something happens, and the ground truth.

use std::collections::BTreeMap;

use dryroll::engine::{Answer, Direction, Event, EventBody, OperatorDecision, Outcome, RolloutId};
use dryroll::fleet::{InstanceId, Span};
use dryroll::scenario::{RolloutOrder, Scenario};
use dryroll::sim::draws::{Draws, Key, unit};
use dryroll::sim::{CompiledScenario, Metrics, Release};

use super::coverage::{look_at, saw, saw_if};
use super::environment::Environment;
use super::machine::Machine;
use super::person::Person;
use super::replicate_draws::{ReplicateDraws, named};
use super::rules::{Letter, Rules};

/// A whole run, from the request to the end of its observation.
struct Run<'s> {
    scenario: &'s Scenario,
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
const OPERATOR: u8 = 3;
const EXPIRY: u8 = 4;

/// Runs one replicate: its events and its metrics.
pub fn run(scenario: &Scenario, compiled: &CompiledScenario, replicate: u64) -> (Vec<Event>, Metrics) {
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

/// The eligible instances: all but the last ones that have another status.
fn planned(scenario: &Scenario) -> Vec<InstanceId> {
    if scenario.previous().is_some_and(|previous| previous.digest == scenario.target().digest) {
        return Vec::new();
    }
    let fleet = &scenario.fleet;
    let others = fleet.statuses.iter().flat_map(|&(status, count)| (0..count).map(move |_| status.is_eligible()));
    let last: Vec<bool> = others.collect();
    let plain = fleet.instances as usize - last.len();
    let eligible = (0..plain).map(|_| true).chain(last);
    let listed = eligible.zip(0..).filter(|&(eligible, _)| eligible).map(|(_, n)| InstanceId(n));
    match scenario.rollout.order {
        RolloutOrder::Listed => listed.collect(),
        RolloutOrder::ByZone => {
            let listed: Vec<InstanceId> = listed.collect();
            let of_zone = |zone| listed.iter().copied().filter(move |id| id.0 % fleet.zones == zone);
            (0..fleet.zones).flat_map(of_zone).collect()
        }
        RolloutOrder::Shuffled => {
            let key = Key(scenario.seed).child(named("\"rollout order\""));
            let by_word: BTreeMap<_, _> = listed.map(|id| ((key.word(u64::from(id.0)), id), id)).collect();
            by_word.into_values().collect()
        }
    }
}

impl<'s> Run<'s> {
    fn new(scenario: &'s Scenario, compiled: &'s CompiledScenario, replicate: u64) -> Self {
        let mut draws = Draws::new(scenario.seed, replicate);
        let ids = planned(scenario);
        let members: Vec<_> = ids.iter().map(|id| compiled.member(id.0, draws.instance(id.0))).collect();
        let until = scenario.horizon.0 + scenario.rollout.observe_after.0 + 1;
        let environment = Environment::new(compiled, &scenario.faults, &members, &mut draws, until);
        Self {
            machines: members.iter().enumerate().map(|(position, &m)| Machine::new(m, position)).collect(),
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
        let away = self.environment.away(self.now);
        if self.was_away && !away {
            self.catch_up();
        }
        self.was_away = away;
        self.heartbeats(away);
        if !away {
            self.deadlines();
            self.operator();
            if self.rules.expires_at() == Some(self.now) {
                self.rules.expire(self.now);
                self.carry_out();
            }
            if self.now.is_multiple_of(self.scenario.reconciler.interval.0) && !self.environment.paused(self.now) {
                self.rules.tick(self.now);
                self.carry_out();
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
            // A trip or a last verdict ends nothing for those that are due in the same millisecond, the end does.
            if self.rules.outcome().is_none() {
                self.rules.deadline(self.now, position);
                saw_if(!self.rules.commands.is_empty(), "a dispatch in the turn of the deadlines");
                self.carry_out();
            }
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
        self.rules.answer(self.now, answer, self.environment.archived(self.now));
        self.carry_out();
    }

    /// After an absence: takes the waiting heartbeats and deadlines in the order in which they were due.
    fn catch_up(&mut self) {
        while self.finished_at().is_none() {
            let mut due: Vec<Due> =
                self.backlog.iter().map(|letter| (letter.arrival, HEARTBEAT, letter.position, letter.sent)).collect();
            due.extend(self.rules.deadlines().map(|(at, position)| (at, DEADLINE, position, 0)));
            due.extend((!self.requested).then_some((0, OPERATOR, 0, 0)));
            due.extend(self.person.next().map(|at| (at, OPERATOR, 0, 0)));
            due.extend(self.rules.expires_at().map(|at| (at, EXPIRY, 0, 0)));
            let Some(&first) = due.iter().filter(|due| due.0 < self.now).min() else { return };
            saw(match first.1 {
                HEARTBEAT => "taken at the return: heartbeat",
                DEADLINE => "taken at the return: deadline",
                EXPIRY => "taken at the return: expiry",
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
            self.tally.false_failures += u32::from(machine.serves() && machine.runs() == version);
        }
        for (position, version) in std::mem::take(&mut self.rules.commands) {
            let machine = &mut self.machines[position];
            let n = machine.member.n;
            let block = match version {
                Release::Target => self.draws.instance(n),
                Release::Previous => self.draws.rollback(n),
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
        let first_dispatch = first(|body| matches!(body, EventBody::InstanceStarted { .. }));
        let first_trip = first(|body| matches!(body, EventBody::CircuitBreakerTripped { .. }));
        let is_trip = |event: &&Event| matches!(event.body, EventBody::CircuitBreakerTripped { .. });
        let turned_back = first(|body| {
            let answer = Answer::OnTrip(OperatorDecision::RollbackCompletedBatches);
            matches!(body, EventBody::ApprovalDecided { answer: given, .. } if *given == answer)
        });
        Metrics {
            outcome,
            trips: self.log.iter().filter(is_trip).count() as u32,
            decisions: self
                .log
                .iter()
                .filter_map(|event| match event.body {
                    EventBody::ApprovalDecided { answer: Answer::OnTrip(decision), .. } => Some(decision),
                    _ => None,
                })
                .collect(),
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
            time_to_detect: first_trip.zip(first_dispatch).map(|(trip, dispatch)| Span(trip - dispatch)),
            time_to_mitigate: first_trip.filter(|_| outcome == Outcome::RolledBack).map(|trip| Span(finished - trip)),
            time_to_stop: first_trip.map(|trip| Span(turned_back.unwrap_or(finished) - trip)),
            still_down: self.machines.iter().filter(|machine| machine.harmed() && !machine.serves()).count() as u32,
            false_failures: self.tally.false_failures,
            escaped: self
                .machines
                .iter()
                .zip(&self.tally.healthy_once)
                .filter(|(machine, healthy)| machine.harmed() && **healthy)
                .count() as u32,
            drift: self.machines.iter().any(|machine| machine.runs() != Release::Target),
        }
    }

    /// From each request to what resolves it; an edit does not.
    fn approval_wait(&self, finished: u64) -> u64 {
        let (mut total, mut asked) = (0, None);
        for event in &self.log {
            match event.body {
                EventBody::ApprovalRequested { .. } => asked = Some(event.at.0),
                EventBody::ApprovalDecided { answer: Answer::Edit(_), .. } => {}
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

//! A rollout without a simulator: a vector of hosts, a loop, and the events on the terminal.
//!
//! `cargo run -p dryroll-engine --example drive_by_hand`
//!
//! The loop has every part that a live controller has: it owns the clock and the hosts, asks the engine when it next
//! needs a call, carries out its commands and answers for the person.

use std::collections::BTreeMap;
use std::error::Error;

use dryroll_engine::fleet::{At, DigestId, Heartbeat, InstanceId, Span};
use dryroll_engine::{
    Answer, ApprovalId, BatchSizes, Command, Direction, Engine, OperatorDecision, Plan, PlanOrder, Recording,
    RequestKind, Settings, Ticks, VersionRef,
};

const OLD: DigestId = DigestId(1);
const NEW: DigestId = DigestId(2);

/// A host that runs one module. Hosts 4 and 5 report that they cannot start the new version, host 6 falls silent.
struct Host {
    digest: DigestId,
}

impl Host {
    /// The effect of a command: the heartbeat that follows, if one does.
    fn upgrade(&mut self, instance: u32, to: DigestId, now: At) -> Option<Heartbeat> {
        let sent_at = now + Span(20_000 + 5_000 * u64::from(instance));
        let failed_upgrade = match (instance, to) {
            (4 | 5, NEW) => Some(NEW),
            (6, NEW) => return None,
            _ => {
                self.digest = to;
                None
            }
        };
        Some(Heartbeat { instance: InstanceId(instance), sent_at, digest: self.digest, healthy: true, failed_upgrade })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings {
        batches: BatchSizes::pct(50),
        ..Settings::new(VersionRef { id: "v2".into(), digest: NEW }, Some(VersionRef { id: "v1".into(), digest: OLD }))
    };
    let mut hosts: Vec<Host> = (0..8).map(|_| Host { digest: OLD }).collect();
    let plan = Plan::new(PlanOrder::new((0..8).map(InstanceId)), vec![], &settings.batches);
    let mut engine = Engine::new(plan, settings, Ticks::default(), Recording::Everything);

    // The heartbeats on their way to the controller, by the moment of arrival.
    let mut heartbeats: BTreeMap<(At, InstanceId), Heartbeat> = BTreeMap::new();
    let mut answer: Option<(At, ApprovalId, Answer)> = None;

    engine.handle_request(At(0));
    loop {
        while let Some(command) = engine.poll_command() {
            let now = engine.now();
            match command {
                Command::Upgrade { to, positions } => {
                    let digest = if to == Direction::Forward { NEW } else { OLD };
                    for instance in positions.map(|position| engine.instance(position)) {
                        let host = &mut hosts[instance.0 as usize];
                        if let Some(heartbeat) = host.upgrade(instance.0, digest, now) {
                            heartbeats.insert((heartbeat.sent_at, instance), heartbeat);
                        }
                    }
                }
                Command::Ask { request, kind } => {
                    let reply = match kind {
                        RequestKind::RollingUpgrade => Answer::Approve,
                        RequestKind::RollingUpgradeContinuation => {
                            Answer::OnTrip(OperatorDecision::RollbackCompletedBatches)
                        }
                        RequestKind::RollbackContinuation => Answer::OnTrip(OperatorDecision::Abort),
                    };
                    answer = Some((now + Span(90_000), request, reply));
                }
            }
        }
        while let Some(event) = engine.poll_event() {
            println!("{:>8}  {}  {:?}", event.at, event.rollout, event.body);
        }
        if let Some(outcome) = engine.outcome() {
            println!("{outcome}");
            return Ok(());
        }

        // What comes first: within one moment heartbeats, then answers, then what the engine waits for.
        let heartbeat = heartbeats.first_key_value().map(|(&(at, _), _)| at);
        let answered = answer.map(|(at, ..)| at);
        let timeout = engine.poll_timeout();
        let Some(now) = [heartbeat, answered, timeout].into_iter().flatten().min() else {
            return Err("nothing is due, and it is not over".into());
        };
        if heartbeat == Some(now) {
            if let Some((_, heartbeat)) = heartbeats.pop_first() {
                engine.handle_heartbeat(now, now, &heartbeat);
            }
        } else if let Some((_, request, reply)) = answer.take_if(|&mut (at, ..)| at == now) {
            engine.handle_answer(now, request, reply)?;
        } else {
            engine.handle_timeout(now);
        }
    }
}

//! A plan driven by hand, without a fleet: every instance answers in the same way. The engine itself says what follows.

use std::collections::VecDeque;

use dryroll_engine::fleet::{At, DigestId, Heartbeat, Span};
use dryroll_engine::{
    Answer, Command, Engine, EventBody, InterventionPolicy, Outcome, Plan, Recording, RequestKind, Settings, Ticks,
};

/// How far a rollout gets in which every upgrade fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// How many instances are commanded.
    pub exposed: u32,
    /// The batch in which a rule trips, from 0; `None` where none does.
    pub trips_in: Option<u32>,
}

/// How far a plan gets if every instance reports a failed upgrade a millisecond after each command, until a rule trips.
/// Nobody is asked before it, and promotions are answered at once.
#[must_use]
pub fn if_all_fail(plan: &Plan, settings: &Settings, ticks: Ticks) -> Reach {
    let report = |drive: &Drive, position, sent_at| Heartbeat {
        instance: drive.engine.instance(position),
        sent_at,
        digest: DigestId(!settings.target.digest.0),
        healthy: true,
        failed_upgrade: Some(settings.target.digest),
    };
    let mut drive = Drive::new(plan, settings, ticks);
    let tripped = drive.run(&[Span(1)], &report);
    Reach { exposed: drive.engine.dispatched(), trips_in: tripped }
}

/// How long a rollout takes in which every upgrade is healthy `upgrade` after its command, from the request to its end,
/// without the wait for an approval. `None` where it does not complete, since the health timeout is shorter.
#[must_use]
pub fn if_all_are_well(
    plan: &Plan,
    settings: &Settings,
    ticks: Ticks,
    upgrade: Span,
    heartbeat_interval: Span,
) -> Option<Span> {
    let well = |drive: &Drive, position, sent_at| Heartbeat {
        instance: drive.engine.instance(position),
        sent_at,
        digest: settings.target.digest,
        healthy: true,
        failed_upgrade: None,
    };
    // The verdict comes with the first heartbeat after the soak.
    let soak = settings.pace.min_healthy.0.div_ceil(heartbeat_interval.0.max(1)) * heartbeat_interval.0;
    let mut delays = vec![upgrade];
    delays.extend((soak > 0).then_some(Span(upgrade.0.saturating_add(soak))));
    let mut drive = Drive::new(plan, settings, ticks);
    drive.run(&delays, &well);
    (drive.engine.outcome() == Some(Outcome::Completed)).then(|| Span(drive.engine.now().0))
}

struct Drive {
    engine: Engine,
}

impl Drive {
    fn new(plan: &Plan, settings: &Settings, ticks: Ticks) -> Self {
        let settings = Settings { policy: InterventionPolicy::AutoApprove, ..settings.clone() };
        Self { engine: Engine::new(plan.clone(), settings, ticks, Recording::Milestones) }
    }

    /// Runs to the end or to the first trip, and returns its batch. Each commanded instance sends a heartbeat after each
    /// of the delays.
    fn run(&mut self, delays: &[Span], heartbeat: &dyn Fn(&Self, u32, At) -> Heartbeat) -> Option<u32> {
        // One queue for each delay: within it, what is commanded first is due first.
        let mut due: Vec<VecDeque<(At, u32)>> = vec![VecDeque::new(); delays.len()];
        self.engine.handle_request(At(0));
        loop {
            while let Some(command) = self.engine.poll_command() {
                let now = self.engine.now();
                let positions = match command {
                    Command::Upgrade { positions, .. } => positions,
                    Command::Retry { position, .. } => position..position + 1,
                    Command::Ask { request, kind: RequestKind::Promotion } => {
                        // It was asked just now, so it is not refused.
                        let _ = self.engine.handle_answer(now, request, Answer::Promote);
                        continue;
                    }
                    Command::Ask { .. } => continue,
                };
                for (queue, &delay) in due.iter_mut().zip(delays) {
                    queue.extend(positions.clone().map(|position| (now + delay, position)));
                }
            }
            let mut tripped = None;
            while let Some(event) = self.engine.poll_event() {
                if let EventBody::CircuitBreakerTripped { batch_index, .. } = event.body {
                    tripped = tripped.or(Some(batch_index));
                }
            }
            if tripped.is_some() || self.engine.is_finished() {
                return tripped;
            }
            let heard = due.iter().enumerate().filter_map(|(queue, all)| Some((all.front()?.0, queue))).min();
            match (heard, self.engine.poll_timeout()) {
                // Heartbeats come before timers.
                (Some((at, queue)), timer) if timer.is_none_or(|timer| at <= timer) => {
                    if let Some((at, position)) = due[queue].pop_front() {
                        let heartbeat = heartbeat(self, position, at);
                        self.engine.handle_heartbeat(at, at, &heartbeat);
                    }
                }
                (_, Some(at)) => {
                    self.engine.handle_timeout(at);
                }
                (_, None) => return None,
            }
        }
    }
}

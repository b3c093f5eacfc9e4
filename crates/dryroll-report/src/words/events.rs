//! Events in words: one sentence an event, for the transcript of a run and the feed of a drill.

use crate::events::chronicle::follows;
use crate::judge::forecast::Forecast;
use crate::words::{plural, spoken};
use dryroll_engine::fleet::{InstanceId, InstanceNames};
use dryroll_engine::{
    Answer, Direction, Edit, Engine, Event, EventBody, EventNames, OperatorDecision, Reason, RequestKind, RolloutId,
    Then, TripReason,
};
use dryroll_sim::text::shown;

/// Names of instances that a line lists.
const NAMES_LISTED: usize = 8;

/// The sentence of an event. The engine has just emitted it.
#[must_use]
pub fn narrate(names: EventNames<'_>, engine: &Engine, event: &Event) -> String {
    let is_rollback = event.rollout != RolloutId::FIRST;
    let batch = if is_rollback { "rollback batch" } else { "batch" };
    let name = |instance| names.instances.name(instance);
    match &event.body {
        EventBody::Planned { batch_count: 0, .. } => Forecast::of(engine).plan(),
        EventBody::Planned { .. } => {
            let forecast = Forecast::of(engine);
            format!("{}; {}", forecast.plan(), trips_at(engine))
        }
        EventBody::ApprovalRequested { request, kind: RequestKind::Promotion } => {
            format!("{request} asks: may batch {} begin?", engine.batches_begun())
        }
        EventBody::ApprovalRequested { request, kind } => format!("{request} asks: {}", asks(*kind)),
        EventBody::ApprovalDecided { request, answer } => format!("{request} is answered: {}", answered(answer)),
        EventBody::OperatorNotified => "the operator is notified; no answer is needed".to_owned(),
        EventBody::BatchStarted { batch_index, instance_count } => {
            format!("{batch} {batch_index} begins: {}", plural(u64::from(*instance_count), "instance", "instances"))
        }
        EventBody::InstanceStarted { instance, to, .. } => {
            let version = match to {
                Direction::Forward => names.target,
                Direction::Back => names.previous,
            };
            format!("{} is commanded to {}", name(*instance), shown(version))
        }
        EventBody::InstanceHealthCheck { instance, failure: None, .. } => {
            format!("{} is {}", name(*instance), if is_rollback { "restored" } else { "healthy" })
        }
        EventBody::InstanceHealthCheck { instance, failure: Some(reason), .. } => {
            format!("{} failed: {}", name(*instance), because(*reason, engine))
        }
        EventBody::InstanceRetried { instance, attempt, reason, .. } => {
            format!("{} failed: {}; it is commanded again, retry {attempt}", name(*instance), because(*reason, engine))
        }
        EventBody::InstanceRelapsed { instance, reason, .. } => {
            format!("{} relapses: it is {}", name(*instance), reason.name())
        }
        EventBody::CircuitBreakerTripped { batch_index, failed, reason } => {
            let follows = match follows(engine, reason) {
                Then::Ask | Then::Note => "",
                Then::Abort => "; the rule aborts the rollout",
                Then::RollBack => "; the rule rolls back",
            };
            format!("the breaker trips in {batch} {batch_index}: {}{follows}", found(names.instances, failed, reason))
        }
        EventBody::BreakerNoted { batch_index, failed, reason } => {
            format!("noted in {batch} {batch_index}: {}", found(names.instances, failed, reason))
        }
        EventBody::BatchCompleted { batch_index, healthy_count, failed_count } => {
            format!("{batch} {batch_index} is complete: {healthy_count} healthy, {failed_count} failed")
        }
        EventBody::RollbackStarted { instance_count } => {
            let instances = plural(u64::from(*instance_count), "instance goes", "instances go");
            format!("{instances} back to {}", shown(names.previous))
        }
        EventBody::RollbackFailed => {
            "no rollback: the previous version is archived or gone, and nothing is changed".to_owned()
        }
        EventBody::Finished { outcome } => outcome.to_string(),
    }
}

/// An answer to a request.
#[must_use]
pub fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Approve => "approve".to_owned(),
        Answer::Reject => "reject".to_owned(),
        Answer::Edit(edit) => format!("edit {}", changes(edit).join(" ")),
        Answer::OnTrip(on_trip) => decision(*on_trip).to_owned(),
        Answer::Promote => "promote".to_owned(),
    }
}

/// What trips the breaker of the rollout that an engine plans.
fn trips_at(engine: &Engine) -> String {
    let first = engine.breaker().map(|(_, limit)| in_a_row(limit));
    let rules = engine.rules().count();
    let more = match rules {
        0 => None,
        1 => Some("by 1 rule".to_owned()),
        rules => Some(format!("by {rules} rules")),
    };
    match (first, more) {
        (Some(first), None) => format!("the breaker trips at {first}"),
        (Some(first), Some(more)) => format!("the breaker trips at {first}, or {more}"),
        (None, Some(more)) => format!("the breaker trips {more}"),
        (None, None) => "no breaker".to_owned(),
    }
}

/// What a rule found, and the instances that it counted.
fn found(names: InstanceNames, failed: &[InstanceId], reason: &TripReason) -> String {
    let what = match reason {
        TripReason::ConsecutiveFailures { .. } => in_a_row(failed.len() as u32),
        TripReason::Rule { .. } => reason.to_string(),
    };
    if failed.is_empty() {
        return what;
    }
    let (listed, more) = listed(names, failed);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{what}: {listed}{more}")
}

/// `1 failure`, `2 failures in a row`.
#[must_use]
pub fn in_a_row(count: u32) -> String {
    if count == 1 { "1 failure".to_owned() } else { format!("{count} failures in a row") }
}

/// Why a verdict is a failure.
#[must_use]
pub fn because(reason: Reason, engine: &Engine) -> String {
    match reason {
        Reason::UpgradeFailed => "its agent reports a failed upgrade".to_owned(),
        Reason::HealthTimeout => {
            let timeout = engine.settings().timeout(engine.direction());
            format!("health timeout, not healthy within {}", spoken(timeout))
        }
        Reason::Relapsed => "it was healthy and became unwell".to_owned(),
    }
}

/// What a request asks.
#[must_use]
pub fn asks(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::RollingUpgrade => "may this plan start?",
        RequestKind::RollingUpgradeContinuation => "the breaker tripped; what now?",
        RequestKind::RollbackContinuation => "the breaker tripped in the rollback; what now?",
        RequestKind::Promotion => "may the next batch begin?",
    }
}

/// A decision on a trip.
fn decision(decision: OperatorDecision) -> &'static str {
    match decision {
        OperatorDecision::ContinueAnyway => "continue anyway",
        OperatorDecision::RollbackCompletedBatches => "roll back completed batches",
        OperatorDecision::Abort => "abort",
    }
}

/// What an edit changes, key by key.
fn changes(edit: &Edit) -> Vec<String> {
    let pct = edit.batch_pct.map(|pct| format!("batch_pct={pct}"));
    let limit = edit.max_consecutive_failures.map(|limit| format!("max_consecutive_failures={limit}"));
    pct.into_iter().chain(limit).collect()
}

/// The instances of a run of failures: the names of the first, and how many more there are.
fn listed(names: InstanceNames, failed: &[InstanceId]) -> (String, usize) {
    let shown: Vec<String> = failed.iter().take(NAMES_LISTED).map(|&id| names.name(id).to_string()).collect();
    (shown.join(", "), failed.len().saturating_sub(NAMES_LISTED))
}

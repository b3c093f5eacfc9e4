//! Events in words: the phrases that the transcript of a run and the feed of a drill share.

use std::fmt::Display;

use crate::words::{plural, spoken};
use dryroll_engine::fleet::{InstanceId, InstanceNames};
use dryroll_engine::{Edit, Engine, OperatorDecision, Reason, RequestKind};

/// Names of instances that a line lists.
const NAMES_LISTED: usize = 8;
/// A request that asks nobody.
pub const NOTIFIED: &str = "the operator is told; nobody is asked";

/// `1 failure`, `2 failures in a row`.
#[must_use]
pub fn in_a_row(count: u32) -> String {
    if count == 1 { "1 failure".to_owned() } else { format!("{count} failures in a row") }
}

/// Why a verdict is a failure.
#[must_use]
pub fn because(reason: Reason, engine: &Engine) -> String {
    match reason {
        Reason::UpgradeFailed => "upgrade failed, says its agent".to_owned(),
        Reason::HealthTimeout => {
            format!("health timeout, not well within {}", spoken(engine.settings().health_timeout))
        }
    }
}

/// What a request asks.
#[must_use]
pub fn asks(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::RollingUpgrade => "may this plan start?",
        RequestKind::RollingUpgradeContinuation => "the breaker tripped; what now?",
        RequestKind::RollbackContinuation => "the breaker tripped in the rollback; what now?",
    }
}

/// A decision on a trip.
#[must_use]
pub fn decision(decision: OperatorDecision) -> &'static str {
    match decision {
        OperatorDecision::ContinueAnyway => "continue anyway",
        OperatorDecision::RollbackCompletedBatches => "roll back completed batches",
        OperatorDecision::Abort => "abort",
    }
}

/// What an edit changes, key by key, with what stands between a key and its value.
#[must_use]
pub fn changes(edit: &Edit, equals: &str) -> Vec<String> {
    let pct = edit.batch_pct.map(|pct| format!("batch_pct{equals}{pct}"));
    let limit = edit.max_consecutive_failures.map(|limit| format!("max_consecutive_failures{equals}{limit}"));
    pct.into_iter().chain(limit).collect()
}

/// The instances of a run of failures: the names of the first, and how many more there are.
#[must_use]
pub fn listed(names: InstanceNames, failed: &[InstanceId]) -> (String, usize) {
    let shown: Vec<String> = failed.iter().take(NAMES_LISTED).map(|&id| names.name(id).to_string()).collect();
    (shown.join(", "), failed.len().saturating_sub(NAMES_LISTED))
}

/// How many instances a rollback takes back, and to what.
#[must_use]
pub fn goes_back(instances: u32, previous: impl Display) -> String {
    format!("{} back to {previous}", plural(u64::from(instances), "instance goes", "instances go"))
}

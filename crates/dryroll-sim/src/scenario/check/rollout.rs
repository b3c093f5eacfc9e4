//! The rollout's inputs, the reconciler and the operator.

use super::super::file::{OnTrip, Operator, Reconciler, Rollout};
use super::super::tree::Cursor;
use super::super::{
    Distribution, OperatorSpec, PromotionDecision, ReconcilerSpec, RolloutSpec, VersionIndex, VersionSpec,
};
use super::context::{Context, Reports};
use super::values::{distribution, positive, span};
use super::versions::{find, find_rollable};
use dryroll_engine::{BatchSizes, Pace, Size};

/// The version to roll out.
pub(super) fn target(
    reports: &mut Reports<'_>,
    at: &Cursor<'_>,
    file: &Rollout,
    versions: &[VersionSpec],
) -> Option<VersionIndex> {
    find_rollable(reports, &at.key("target_version_id"), &file.target_version_id, versions)
}

pub(super) fn rollout(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: &Rollout) -> RolloutSpec {
    let previous = match &file.previous_version_id {
        Some(id) => find(&mut cx.reports, &at.key("previous_version_id"), id, cx.versions),
        None => cx.target.and_then(|target| target.0.checked_sub(1)).map(VersionIndex),
    };
    RolloutSpec {
        target: cx.target.unwrap_or(VersionIndex(0)),
        previous,
        names_previous: file.previous_version_id.is_some(),
        order: file.order,
        batches: BatchSizes::pct(file.batch_pct),
        max_consecutive_failures: Some(positive(file.max_consecutive_failures)),
        health_timeout: span(file.health_timeout_sec),
        rollback_batches: BatchSizes::pct(file.rollback_batch_pct),
        rollback_max_consecutive_failures: None,
        rollback_health_timeout: None,
        breaker_order: file.breaker_order,
        breaker_scope: file.breaker_scope,
        breakers: Vec::new(),
        ok_pct: 100,
        max_in_flight: file.max_in_flight.map(|most| Size::Count(positive(most))),
        pace: Pace::default(),
        watch: None,
        observe_after: span(file.observe_after_sec),
    }
}

pub(super) fn reconciler(file: &Reconciler) -> ReconcilerSpec {
    ReconcilerSpec { interval: span(file.interval_sec), policy: file.policy, permission: file.permission }
}

pub(super) fn operator(cx: &mut Context<'_, '_>, at: &Cursor<'_>, file: Operator) -> OperatorSpec {
    OperatorSpec {
        approval_delay: distribution(&mut cx.reports, &at.key("approval_delay_sec"), &file.approval_delay_sec),
        approval_expires: span(file.approval_expires_sec),
        approves: file.approves,
        edit: file.edit.map(|edit| dryroll_engine::Edit {
            batch_pct: edit.batch_pct,
            max_consecutive_failures: edit.max_consecutive_failures.map(positive),
        }),
        on_trip: match file.on_trip {
            OnTrip::Always(decision) => vec![decision],
            OnTrip::InTurn(decisions) => decisions,
        },
        decision_delay: distribution(&mut cx.reports, &at.key("decision_delay_sec"), &file.decision_delay_sec),
        promotion_delay: Distribution::Constant(0.0),
        on_promotion: vec![PromotionDecision::Promote],
    }
}

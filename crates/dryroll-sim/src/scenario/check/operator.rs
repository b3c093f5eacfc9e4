//! The reconciler and the person at the console.

use super::super::file::{OnPromotion, OnTrip, Operator, Reconciler};
use super::super::tree::Cursor;
use super::super::{OperatorSpec, ReconcilerSpec};
use super::context::Context;
use super::values::{distribution, positive, span};

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
        promotion_delay: distribution(&mut cx.reports, &at.key("promotion_delay_sec"), &file.promotion_delay_sec),
        on_promotion: match file.on_promotion {
            OnPromotion::Always(decision) => vec![decision],
            OnPromotion::InTurn(decisions) => decisions,
        },
    }
}

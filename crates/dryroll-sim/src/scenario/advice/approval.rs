//! A request that expires before the operator answers it.

use super::{AdviceCode, Found, Step, seconds};
use crate::scenario::Scenario;
use dryroll_engine::InterventionPolicy;

pub(super) fn expires(scenario: &Scenario) -> Option<Found> {
    if scenario.reconciler.policy != InterventionPolicy::RequireApproval {
        return None;
    }
    let operator = &scenario.operator;
    // An edit takes an answer of its own, and does not restart the clock.
    let answers = if operator.edit.is_some() { 2.0 } else { 1.0 };
    let expires = operator.approval_expires.as_secs_f64();
    let [least, half] =
        [operator.approval_delay.least(), operator.approval_delay.median()].map(|delay| delay * answers);
    let (who, takes) = match () {
        () if least > expires => ("every request expires", format!("it comes after {} or more", seconds(least))),
        () if half > expires => ("half of the requests or more expire", format!("half come after {}", seconds(half))),
        () => return None,
    };
    let edit = if answers > 1.0 { ", the edit included" } else { "" };
    Some(Found::new(
        AdviceCode::ApprovalExpires,
        [Step::Key("operator"), Step::Key("approval_expires_sec")],
        format!("{who} before the operator's answer: {takes}{edit}, and a request waits {}", seconds(expires)),
        format!("set `approval_expires_sec` above {}, or a shorter `approval_delay_sec`", seconds(half.max(least))),
    ))
}

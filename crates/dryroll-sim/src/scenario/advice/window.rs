//! A health window that ends before what it waits for can come.

use super::{AdviceCode, Found, rollout, seconds};
use crate::scenario::Scenario;
use crate::scenario::diagnostic::quote;

/// Windows of so few seconds may be meant as minutes.
const PERHAPS_MINUTES: f64 = 60.0;

fn found(scenario: &Scenario, why: String, least: f64) -> Found {
    let window = scenario.rollout.health_timeout.as_secs_f64();
    let minutes = match window {
        window if window <= PERHAPS_MINUTES && window * 60.0 >= least => {
            format!("; it is in seconds: {window} minutes are {}", window * 60.0)
        }
        _ => String::new(),
    };
    Found::new(
        AdviceCode::HealthWindowTooShort,
        rollout("health_timeout_sec"),
        format!("the health window of {} is shorter than {why}", seconds(window)),
        format!("set `health_timeout_sec` well above {}{minutes}", seconds(least)),
    )
}

/// Of a defective version a window that it misses is what finds it.
pub(super) fn shorter_than_upgrades(scenario: &Scenario) -> Option<Found> {
    let target = scenario.target();
    let factor = target.upgrade_time_factor.as_ref().map_or(1.0, |factor| factor.median());
    let half = target.upgrade_time.median() * factor;
    let window = scenario.rollout.health_timeout.as_secs_f64();
    (!target.defective && half > window).then(|| {
        let why = format!(
            "the {} that half of the upgrades to {} take, so that more than half of them fail",
            seconds(half),
            quote(target.id.raw())
        );
        found(scenario, why, half)
    })
}

/// Said where the upgrades alone would fit.
pub(super) fn shorter_than_heartbeats(scenario: &Scenario) -> Option<Found> {
    let interval = scenario.fleet.heartbeat_interval;
    if scenario.rollout.health_timeout >= interval || shorter_than_upgrades(scenario).is_some() {
        return None;
    }
    let interval = interval.as_secs_f64();
    let why =
        format!("the {} between two heartbeats, so that a healthy instance may send none in time", seconds(interval));
    Some(found(scenario, why, interval + scenario.target().upgrade_time.median()))
}

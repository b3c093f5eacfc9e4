//! Numbers of seconds that look like milliseconds.

use super::{AdviceCode, Found, Step, rollout, seconds, version};
use crate::scenario::Scenario;

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
/// Below, a number of whole thousands may well be of seconds.
const FEWEST: f64 = 10_000.0;

/// More than a day, or whole thousands that are no whole hours.
fn looks_like_milliseconds(seconds: f64) -> bool {
    seconds > DAY || seconds >= FEWEST && seconds % 1000.0 == 0.0 && seconds % HOUR != 0.0
}

pub(super) fn milliseconds(scenario: &Scenario) -> Vec<Found> {
    let waits: [(Vec<Step>, &str, f64); 4] = [
        (rollout("health_timeout_sec").into(), "health_timeout_sec", scenario.rollout.health_timeout.as_secs_f64()),
        (
            vec![Step::Key("fleet"), Step::Key("heartbeat_interval_sec")],
            "heartbeat_interval_sec",
            scenario.fleet.heartbeat_interval.as_secs_f64(),
        ),
        (
            vec![Step::Key("reconciler"), Step::Key("interval_sec")],
            "interval_sec",
            scenario.reconciler.interval.as_secs_f64(),
        ),
        (
            version(scenario.rollout.target, "upgrade_time_sec").into(),
            "upgrade_time_sec",
            scenario.target().upgrade_time.median(),
        ),
    ];
    let found = waits.into_iter().filter(|&(_, _, value)| looks_like_milliseconds(value)).map(|(at, key, value)| {
        Found::new(
            AdviceCode::UnitOfTime,
            at,
            format!("`{key}` is in seconds, and {} are {:.1} hours", seconds(value), value / HOUR),
            format!("if milliseconds are meant, write {}", value / 1000.0),
        )
    });
    found.collect()
}

//! A health window that ends before what it waits for can come.

use super::{AdviceCode, Found, rollout, seconds};
use crate::scenario::diagnostic::quote;
use crate::scenario::{Distribution, Members, Scenario, Target, VersionIndex};
use dryroll_engine::fleet::Span;

/// Windows of so few seconds may be meant as minutes.
const PERHAPS_MINUTES: f64 = 60.0;
/// A window that is too short by less than this factor is in the right unit.
const FAR_OFF: f64 = 3.0;
/// Where this share of the upgrades or more come late, the window is wrong rather than tight.
const HALF: f64 = 0.5;

fn found(scenario: &Scenario, message: String, least: f64) -> Found {
    let window = scenario.rollout.health_timeout.as_secs_f64();
    let minutes = match window {
        window if window <= PERHAPS_MINUTES && window * FAR_OFF <= least && window * 60.0 >= least => {
            format!("; it is in seconds: {window} minutes are {}", window * 60.0)
        }
        _ => String::new(),
    };
    Found::new(
        AdviceCode::HealthWindowTooShort,
        rollout("health_timeout_sec"),
        message,
        format!("set `health_timeout_sec` well above {}{minutes}", seconds(least)),
    )
}

/// What half of the upgrades of some instances are not above, in seconds, and half of the waits for the heartbeat that
/// follows.
#[derive(Clone, Copy)]
struct Half {
    upgrade: f64,
    wait: f64,
}

impl Half {
    fn all(self) -> f64 {
        self.upgrade + self.wait
    }
}

/// Instances that a class or an override gives other times, and what share of the fleet they are.
struct Part {
    called: String,
    share: f64,
    half: Half,
}

/// The wait for the first heartbeat that is not lost, from a moment that is anywhere between two. Where the file fixes
/// the phase, heartbeats may come just then.
fn wait(scenario: &Scenario) -> f64 {
    let fleet = &scenario.fleet;
    if fleet.heartbeat_phase.is_some() || fleet.heartbeat_loss_rate >= 1.0 {
        return fleet.heartbeat_delay.median();
    }
    let (mut lost, mut still) = (0.0, 1.0);
    // A loss rate of 0.99 has half of the waits over after 69 heartbeats.
    while still * fleet.heartbeat_loss_rate > HALF {
        still *= fleet.heartbeat_loss_rate;
        lost += 1.0;
    }
    let within = (still - HALF) / (still * (1.0 - fleet.heartbeat_loss_rate));
    fleet.heartbeat_interval.as_secs_f64() * (lost + within) + fleet.heartbeat_delay.median()
}

fn half(scenario: &Scenario, upgrade_time: &Distribution) -> Half {
    let factor = scenario.target().upgrade_time_factor.as_ref().map_or(1.0, Distribution::median);
    Half { upgrade: upgrade_time.median() * factor, wait: wait(scenario) }
}

/// The classes and overrides that give upgrades to the target another time, in the order in which later ones win.
fn parts(scenario: &Scenario) -> Vec<Part> {
    let fleet = f64::from(scenario.fleet.instances.max(1));
    let zone = 1.0 / f64::from(scenario.fleet.zones.max(1));
    let holds = |versions: &Option<Vec<VersionIndex>>| {
        versions.as_ref().is_none_or(|versions| versions.contains(&scenario.rollout.target))
    };
    let classes = scenario.classes.iter().filter(|class| holds(&class.versions)).filter_map(|class| {
        let share = match &class.members {
            Members::Share(share) => *share,
            Members::Ids(ids) => ids.len() as f64 / fleet,
            Members::Zone(_) => zone,
            Members::Blocks(blocks) => f64::from(blocks.count) * f64::from(blocks.size) / fleet,
        };
        let half = half(scenario, class.upgrade_time.as_ref()?);
        Some(Part { called: format!("class {}", quote(class.id.raw())), share, half })
    });
    let overrides = scenario.overrides.iter().enumerate().filter(|(_, one)| holds(&one.versions));
    let overrides = overrides.filter_map(|(place, one)| {
        let share = match &one.target {
            Target::All => 1.0,
            Target::Ids(ids) => ids.len() as f64 / fleet,
            Target::Zone(_) => zone,
            Target::Fraction(share) => *share,
        };
        let half = half(scenario, one.upgrade_time.as_ref()?);
        Some(Part { called: format!("override {} in [[overrides]]", place + 1), share, half })
    });
    classes.chain(overrides).collect()
}

/// Of a defective version a window that it misses is what finds it.
pub(super) fn shorter_than_upgrades(scenario: &Scenario) -> Option<Found> {
    let target = scenario.target();
    if target.defective {
        return None;
    }
    let window = scenario.rollout.health_timeout.as_secs_f64();
    let is_late = |half: Half| half.all() > window;
    let base = half(scenario, &target.upgrade_time);
    let parts = parts(scenario);
    let from = if is_late(base) { 1.0 } else { 0.0 };
    let late = parts
        .iter()
        .fold(from, |late, part| late * (1.0 - part.share) + if is_late(part.half) { part.share } else { 0.0 });
    if late < HALF {
        return None;
    }
    // Where the version alone is not why, the largest part that is late is.
    let worst = parts.iter().filter(|part| is_late(part.half)).max_by(|a, b| a.share.total_cmp(&b.share));
    let (whose, half) = match worst {
        Some(part) if !is_late(base) => {
            let percent = (part.share * 1000.0).round() / 10.0;
            (format!("of {} ({percent} % of the fleet)", part.called), part.half)
        }
        _ => (format!("to {}", quote(target.id.raw())), base),
    };
    let heartbeat = if half.wait > 0.0 {
        format!(", and the median wait for the heartbeat after it is {}", seconds(half.wait))
    } else {
        String::new()
    };
    let message = format!(
        "the health window of {} ends before half of the upgrades {whose} are heard of: the median upgrade takes {}{heartbeat}",
        seconds(window),
        seconds(half.upgrade)
    );
    Some(found(scenario, message, half.all()))
}

/// Said where the upgrades alone would fit.
pub(super) fn shorter_than_heartbeats(scenario: &Scenario) -> Option<Found> {
    let interval = scenario.fleet.heartbeat_interval;
    if scenario.rollout.health_timeout >= interval || shorter_than_upgrades(scenario).is_some() {
        return None;
    }
    let interval = interval.as_secs_f64();
    let message = format!(
        "the health window of {} is shorter than the {} between two heartbeats, so that a healthy instance may send none \
         in time",
        seconds(scenario.rollout.health_timeout.as_secs_f64()),
        seconds(interval)
    );
    Some(found(scenario, message, interval + scenario.target().upgrade_time.median()))
}

/// Of a good version, where the window holds the upgrades, and does not hold the soak after them.
pub(super) fn shorter_than_soak(scenario: &Scenario) -> Option<Found> {
    let (window, soak) = (scenario.rollout.health_timeout, scenario.rollout.pace.min_healthy);
    let target = scenario.target();
    if soak == Span::ZERO || target.defective || shorter_than_upgrades(scenario).is_some() {
        return None;
    }
    let half = half(scenario, &target.upgrade_time);
    let least = half.all() + soak.as_secs_f64();
    if least <= window.as_secs_f64() {
        return None;
    }
    Some(Found::new(
        AdviceCode::HealthWindowTooShort,
        rollout("min_healthy_sec"),
        format!(
            "the health window of {} ends before the soak of half of the upgrades to {}: the median upgrade takes {}, \
             its first heartbeat {} more, and the soak {}",
            seconds(window.as_secs_f64()),
            quote(target.id.raw()),
            seconds(half.upgrade),
            seconds(half.wait),
            seconds(soak.as_secs_f64())
        ),
        format!("set `health_timeout_sec` well above {}, or a shorter `min_healthy_sec`", seconds(least)),
    ))
}

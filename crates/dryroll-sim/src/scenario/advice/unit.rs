//! Numbers of seconds that look like milliseconds.

use super::{AdviceCode, Found, Step};
use crate::scenario::{Demand, Distribution, EventDemand, FaultKind, FaultStart, RolloutSpec, Scenario};
use dryroll_engine::fleet::Span;
use dryroll_engine::{FailureCount, Failures, RuleKind};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
const MONTH: f64 = 31.0 * DAY;

/// What a duration of a file is plausibly up to, in seconds.
#[derive(Clone, Copy)]
struct Plausible {
    /// Beyond, nobody means seconds.
    most: f64,
    /// From here on whole thousands that are no whole hours are rather milliseconds: people write long times in whole
    /// hours.
    thousands_from: f64,
}

/// Of what a single instance or a tick takes.
const SHORT: Plausible = Plausible { most: DAY, thousands_from: 10_000.0 };
/// Of what people take, and how long something is out of order.
const LONG: Plausible = Plausible { most: MONTH, thousands_from: 10_000.0 };
/// Of what is chosen freely, so that round numbers say nothing.
const CHOSEN: Plausible = Plausible { most: MONTH, thousands_from: f64::INFINITY };

impl Plausible {
    fn holds(self, seconds: f64) -> bool {
        let whole_thousands = seconds % 1000.0 == 0.0 && seconds % HOUR != 0.0;
        seconds <= self.most && !(seconds >= self.thousands_from && whole_thousands)
    }
}

/// A duration of the file: where it stands, half of its draws, and whether it is a number.
struct Duration {
    at: Vec<Step>,
    key: &'static str,
    half: f64,
    is_number: bool,
    plausible: Plausible,
}

/// All durations of a file.
struct Durations(Vec<Duration>);

impl Durations {
    fn span(&mut self, table: &[Step], key: &'static str, plausible: Plausible, span: Span) {
        self.push(table, key, plausible, span.as_secs_f64(), true);
    }

    fn drawn(&mut self, table: &[Step], key: &'static str, plausible: Plausible, drawn: &Distribution) {
        self.push(table, key, plausible, drawn.median(), matches!(drawn, Distribution::Constant(_)));
    }

    /// Those of a policy beyond the health window.
    fn policy(&mut self, at: &[Step], rollout: &RolloutSpec) {
        self.span(at, "min_healthy_sec", SHORT, rollout.pace.min_healthy);
        if let Some(longest) = rollout.pace.bakes.iter().max() {
            self.span(at, "bake_sec", LONG, *longest);
        }
        rollout.rollback_health_timeout.iter().for_each(|&span| {
            self.span(at, "rollback_health_timeout_sec", SHORT, span);
        });
        rollout.watch.iter().for_each(|watch| self.span(at, "silent_after_sec", SHORT, watch.silent_after));
        for (place, rule) in rollout.breakers.iter().enumerate() {
            let at: Vec<Step> = at.iter().copied().chain([Step::Key("breakers"), Step::Item(place)]).collect();
            match &rule.kind {
                RuleKind::NoProgress(rule) => self.span(&at, "no_progress_sec", LONG, rule.after),
                RuleKind::Failures(Failures { how: FailureCount::Window(span), .. }) => {
                    self.span(&at, "window_sec", LONG, *span);
                }
                RuleKind::Failures(_) | RuleKind::FailedBatches(_) | RuleKind::Unwell(_) | RuleKind::Sprt(_) => {}
            }
        }
    }

    fn push(&mut self, table: &[Step], key: &'static str, plausible: Plausible, half: f64, is_number: bool) {
        let at = table.iter().copied().chain([Step::Key(key)]).collect();
        self.0.push(Duration { at, key, half, is_number, plausible });
    }
}

fn durations(scenario: &Scenario) -> Vec<Duration> {
    let mut all = Durations(Vec::new());
    let Scenario { fleet, network, rollout, reconciler, operator, .. } = scenario;
    all.span(&[], "horizon_sec", CHOSEN, scenario.horizon);
    let at = [Step::Key("fleet")];
    all.span(&at, "heartbeat_interval_sec", SHORT, fleet.heartbeat_interval);
    if let Some(phase) = fleet.heartbeat_phase {
        all.span(&at, "heartbeat_phase_sec", SHORT, phase);
    }
    all.drawn(&at, "heartbeat_delay_sec", SHORT, &fleet.heartbeat_delay);
    all.drawn(&at, "repair_sec", LONG, &fleet.repair);
    for (place, version) in scenario.versions.iter().enumerate() {
        let at = [Step::Key("versions"), Step::Item(place)];
        all.drawn(&at, "upgrade_time_sec", SHORT, &version.upgrade_time);
        all.drawn(&at, "crash_after_sec", CHOSEN, &version.crash_after);
        all.drawn(&at, "degrade_after_sec", CHOSEN, &version.degrade_after);
    }
    let at = [Step::Key("network")];
    all.drawn(&at, "flap_down_sec", SHORT, &network.flap_down);
    all.drawn(&at, "zone_outage_sec", LONG, &network.zone_outage);
    let at = [Step::Key("rollout")];
    all.span(&at, "health_timeout_sec", SHORT, rollout.health_timeout);
    all.span(&at, "observe_after_sec", CHOSEN, rollout.observe_after);
    all.policy(&at, rollout);
    all.span(&[Step::Key("reconciler")], "interval_sec", SHORT, reconciler.interval);
    let at = [Step::Key("operator")];
    all.drawn(&at, "approval_delay_sec", LONG, &operator.approval_delay);
    all.span(&at, "approval_expires_sec", LONG, operator.approval_expires);
    all.drawn(&at, "decision_delay_sec", LONG, &operator.decision_delay);
    all.drawn(&at, "promotion_delay_sec", LONG, &operator.promotion_delay);
    for (place, class) in scenario.classes.iter().enumerate() {
        let at = [Step::Key("classes"), Step::Item(place)];
        class.upgrade_time.iter().for_each(|drawn| all.drawn(&at, "upgrade_time_sec", SHORT, drawn));
        class.crash_after.iter().for_each(|drawn| all.drawn(&at, "crash_after_sec", CHOSEN, drawn));
        class.degrade_after.iter().for_each(|drawn| all.drawn(&at, "degrade_after_sec", CHOSEN, drawn));
    }
    for (place, one) in scenario.overrides.iter().enumerate() {
        let at = [Step::Key("overrides"), Step::Item(place)];
        one.upgrade_time.iter().for_each(|drawn| all.drawn(&at, "upgrade_time_sec", SHORT, drawn));
        one.crash_after.iter().for_each(|drawn| all.drawn(&at, "crash_after_sec", CHOSEN, drawn));
        one.degrade_after.iter().for_each(|drawn| all.drawn(&at, "degrade_after_sec", CHOSEN, drawn));
        one.heartbeat_phase.iter().for_each(|&span| all.span(&at, "heartbeat_phase_sec", SHORT, span));
        one.heartbeat_delay.iter().for_each(|drawn| all.drawn(&at, "heartbeat_delay_sec", SHORT, drawn));
        one.flap_down.iter().for_each(|drawn| all.drawn(&at, "flap_down_sec", SHORT, drawn));
    }
    for (place, fault) in scenario.faults.iter().enumerate() {
        let at = [Step::Key("faults"), Step::Item(place)];
        match fault.start {
            FaultStart::At(moment) => all.span(&at, "at_sec", CHOSEN, moment),
            FaultStart::After { delay, .. } => {
                let at = [Step::Key("faults"), Step::Item(place), Step::Key("after")];
                all.span(&at, "delay_sec", CHOSEN, delay);
            }
        }
        fault.duration.iter().for_each(|&span| all.span(&at, "duration_sec", LONG, span));
        if let FaultKind::DelayHeartbeats { by } = &fault.kind {
            all.drawn(&at, "by_sec", SHORT, by);
        }
    }
    for (place, rule) in scenario.expect.iter().enumerate() {
        if let Demand::Event { demand: EventDemand::Within(span), .. } = rule.demand {
            all.span(&[Step::Key("expect"), Step::Item(place)], "within_sec", CHOSEN, span);
        }
    }
    all.0
}

pub(super) fn milliseconds(scenario: &Scenario) -> Vec<Found> {
    let odd = durations(scenario).into_iter().filter(|one| !one.plausible.holds(one.half));
    let found = odd.map(|Duration { at, key, half, is_number, .. }| {
        let (count, unit) = if half > 2.0 * DAY { (half / DAY, "days") } else { (half / HOUR, "hours") };
        let (written, remedy) = match is_number {
            true => (String::new(), format!("write {}", half / 1000.0)),
            false => ("a median of ".to_owned(), "divide its numbers by 1000".to_owned()),
        };
        Found::new(
            AdviceCode::UnitOfTime,
            at,
            format!("`{key}` is in seconds, and {written}{} s are {count:.1} {unit}", (half * 1000.0).round() / 1000.0),
            format!("if milliseconds are meant, {remedy}"),
        )
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Format, ScenarioText, schema};

    /// Every duration of the file's schema is in the list.
    #[test]
    fn the_list_has_every_key_of_seconds() {
        let text = r#"
            [fleet]
            instances = 4
            heartbeat_phase_sec = 1
            [[versions]]
            id = "a"
            [[versions]]
            id = "b"
            [rollout]
            target_version_id = "b"
            bake_sec = 1
            silent_after_sec = 60
            rollback_health_timeout_sec = 60
            breakers = [{ no_progress_sec = 60 }, { how = "window", window_sec = 60, limit = 1 }]
            [[overrides]]
            ids = ["i-00001"]
            heartbeat_phase_sec = 1
            [[faults]]
            kind = "delay_heartbeats"
            by_sec = 1
            at_sec = 1
            duration_sec = 1
            [[faults]]
            kind = "reconciler_crash"
            after = { event = "planned", delay_sec = 1 }
            duration_sec = 1
            [[expect]]
            event = "planned"
            within_sec = 1
        "#;
        let file =
            ScenarioText { file: "s.toml".into(), stem: "s".into(), format: Format::Toml, text: text.to_owned() };
        let scenario = file.scenario().unwrap_or_else(|error| panic!("{}", error.render(false)));
        let listed: Vec<&str> = durations(&scenario).iter().map(|one| one.key).collect();
        let schema = schema();
        let tables = schema["$defs"].as_object().expect("tables").values().chain([&schema]);
        let keys = tables.filter_map(|table| table["properties"].as_object()).flat_map(serde_json::Map::keys);
        for key in keys.filter(|key| key.ends_with("_sec")) {
            assert!(listed.contains(&key.as_str()), "{key}");
        }
    }
}

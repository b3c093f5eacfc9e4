//! What a plan would do before anybody approves it: its batches, its estimate, and how far it gets if it goes wrong.

mod drive;

use std::num::NonZeroU32;

use crate::words::{plural, spoken};
use drive::Reach;
use dryroll_engine::fleet::Span;
use dryroll_engine::{BatchSizes, BreakerOrder, BreakerScope, Edit, Engine, Pace, Plan, Settings, Ticks};
use dryroll_sim::scenario::Scenario;
use dryroll_sim::sim::CompiledScenario;

/// A plan that waits for approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Planned instances.
    pub total: u32,
    /// Instances a batch.
    pub batch_size: u32,
    /// Batches.
    pub batch_count: u32,
    /// The number of failures in a row that trips the breaker; `None` where there is no such rule.
    pub limit: Option<u32>,
    /// How many rules there are beside it.
    pub rules: usize,
    /// `batch_count × health_timeout`, and all bakes.
    pub estimate: Span,
    /// The same with `max_in_flight`, where that makes a difference.
    pub in_flight: Option<(Span, NonZeroU32)>,
    /// How many are commanded before the breaker trips if the upgrade fails on every instance.
    pub exposed: u32,
    /// The batch in which it trips then, from 0; `None` where it never does.
    pub trips_in: Option<u32>,
}

impl Forecast {
    /// The plan that an engine asks for.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        Self::new(engine.plan(), engine.settings(), engine.ticks(), limit_of(engine))
    }

    /// What an edit would make of it.
    #[must_use]
    pub fn edited(engine: &Engine, edit: Edit) -> Self {
        let limit = edit.max_consecutive_failures.map(NonZeroU32::get).or(limit_of(engine));
        match edit.batch_pct {
            Some(pct) => {
                let batches = BatchSizes::pct(pct);
                let plan = engine.plan().recut(&batches);
                Self::new(&plan, &Settings { batches, ..engine.settings().clone() }, engine.ticks(), limit)
            }
            None => Self::new(engine.plan(), engine.settings(), engine.ticks(), limit),
        }
    }

    fn new(plan: &Plan, settings: &Settings, ticks: Ticks, limit: Option<u32>) -> Self {
        let Reach { exposed, trips_in } = reach(plan, settings, ticks, limit);
        Self {
            total: plan.total_instances(),
            batch_size: plan.batch_size(),
            batch_count: plan.batch_count(),
            limit,
            rules: settings.breakers.len(),
            estimate: estimated_total(plan, settings),
            in_flight: in_flight(plan, settings),
            exposed,
            trips_in,
        }
    }

    /// The plan in a line.
    #[must_use]
    pub fn plan(&self) -> String {
        match self.batch_count {
            0 => "nothing to do: no eligible instance runs another digest".to_owned(),
            _ => format!(
                "{} in {} of {}; estimate {}{}",
                plural(u64::from(self.total), "instance", "instances"),
                plural(u64::from(self.batch_count), "batch", "batches"),
                plural(u64::from(self.batch_size), "instance", "instances"),
                spoken(self.estimate),
                self.in_flight
                    .map(|(waits, most)| format!(", {} with max_in_flight {most}", spoken(waits)))
                    .unwrap_or_default(),
            ),
        }
    }

    /// What trips the breaker.
    #[must_use]
    pub fn breaker(&self) -> String {
        let rules = plural(self.rules as u64, "rule", "rules");
        let says = match self.limit {
            None if self.rules > 0 => return format!("{rules} of [[rollout.breakers]] can trip the breaker"),
            None => return "no number of failures in a row trips a breaker".to_owned(),
            Some(1) => "the first failure trips the breaker".to_owned(),
            Some(limit) => format!("{limit} failures in a row trip the breaker"),
        };
        if self.rules == 0 { says } else { format!("{says}, and so can {rules} of [[rollout.breakers]]") }
    }

    /// How far it gets if it goes wrong.
    #[must_use]
    pub fn if_it_goes_wrong(&self) -> String {
        let share = share(self.exposed, self.total);
        let reach = format!("if every instance fails, {} of {} ({share}) are commanded", self.exposed, self.total);
        match self.trips_in {
            None => format!("{reach}: the breaker never trips"),
            Some(batch) if self.exposed == self.total => format!("{reach} before the breaker trips, in batch {batch}"),
            // The breaker counts failures in a row: each healthy one between them lets more go.
            Some(batch) => format!(
                "{reach} before the breaker trips, in batch {batch}; a release that fails now and then gets further"
            ),
        }
    }
}

/// What a plan promises at most: the health timeout of each batch, and every bake.
#[must_use]
pub fn estimated_total(plan: &Plan, settings: &Settings) -> Span {
    plus(plan.estimated_total(settings.health_timeout), bakes(plan.batch_count(), &settings.pace))
}

/// All bakes of a plan together.
fn bakes(batches: u32, pace: &Pace) -> Span {
    let listed = pace.bakes.iter().take(batches as usize);
    let further = u64::from(batches).saturating_sub(pace.bakes.len() as u64);
    let last = pace.bakes.last().map_or(0, |bake| bake.0.saturating_mul(further));
    Span(listed.fold(last, |sum, bake| sum.saturating_add(bake.0)))
}

fn plus(a: Span, b: Span) -> Span {
    Span(a.0.saturating_add(b.0))
}

/// What `max_in_flight` makes of a plan's estimate, and its value, where that makes a difference.
#[must_use]
pub fn in_flight(plan: &Plan, settings: &Settings) -> Option<(Span, NonZeroU32)> {
    let most = settings.most_in_flight(plan.total_instances())?;
    let waits = plan.estimated_in_flight(settings.health_timeout, most);
    let differs = waits != plan.estimated_total(settings.health_timeout);
    differs.then(|| (plus(waits, bakes(plan.batch_count(), &settings.pace)), most))
}

/// What a good day takes: every upgrade takes its median, is seen half a heartbeat interval later, and is healthy.
/// `None` where its policy has only the tutorial's keys, or such a rollout does not complete.
#[must_use]
pub fn likely(scenario: &Scenario, compiled: &CompiledScenario) -> Option<Span> {
    let rollout = &scenario.rollout;
    if rollout.max_in_flight.is_none() && rollout.beyond_tutorial().is_empty() {
        return None;
    }
    let interval = scenario.fleet.heartbeat_interval;
    let upgrade = Span::from_secs_f64(scenario.target().upgrade_time.median());
    let seen = plus(upgrade, Span(interval.0 / 2));
    let ticks = Ticks::every(compiled.tick_interval);
    drive::if_all_are_well(&compiled.plan, &compiled.settings, ticks, seen, interval)
}

/// A share of a fleet in percent.
#[must_use]
pub fn share(part: u32, whole: u32) -> String {
    let percent = 100.0 * f64::from(part) / f64::from(whole.max(1));
    if percent.fract() == 0.0 { format!("{percent} %") } else { format!("{percent:.1} %") }
}

/// How far a plan gets if every instance fails.
fn reach(plan: &Plan, settings: &Settings, ticks: Ticks, limit: Option<u32>) -> Reach {
    let first_rule_alone = settings.breakers.is_empty()
        && settings.batches.as_pct().is_some()
        && settings.pace == Pace::default()
        && settings.watch.is_none();
    if !first_rule_alone {
        let settings = Settings { max_consecutive_failures: limit.and_then(NonZeroU32::new), ..settings.clone() };
        return drive::if_all_fail(plan, &settings, ticks);
    }
    // The same in a formula: a console shows it at every step, whatever the size of the fleet.
    let trips_in = limit.and_then(|limit| trips_in(plan, limit, settings.breaker_scope));
    let exposed = trips_in.map_or(plan.total_instances(), |batch| {
        let whole = plan.batch(batch).end;
        match settings.most_in_flight(plan.total_instances()) {
            // Each verdict before the one that trips it lets another instance go.
            Some(most) if settings.breaker_order == BreakerOrder::Observed => {
                whole.min(most.get().saturating_add(limit.unwrap_or(1) - 1))
            }
            _ => whole,
        }
    });
    Reach { exposed, trips_in }
}

/// The batch whose failures reach the limit, if every instance fails.
fn trips_in(plan: &Plan, limit: u32, scope: BreakerScope) -> Option<u32> {
    match scope {
        BreakerScope::Rollout => (limit <= plan.total_instances()).then(|| plan.batch_of(limit - 1)),
        BreakerScope::Batch => (0..plan.batch_count()).find(|&index| limit <= plan.batch(index).len() as u32),
    }
}

fn limit_of(engine: &Engine) -> Option<u32> {
    engine.breaker().map(|(_, limit)| limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_engine::fleet::{DigestId, InstanceId};
    use dryroll_engine::{
        Armed, FailureCount, Failures, Limit, Moments, PlanOrder, Rule, RuleKind, Size, Then, Threshold, VersionRef,
        Whole,
    };

    fn settings() -> Settings {
        Settings::new(VersionRef { id: "v2".into(), digest: DigestId(2) }, None)
    }

    fn plan(total: u32, settings: &Settings) -> Plan {
        Plan::new(PlanOrder::new((0..total).map(InstanceId)), Vec::new(), &settings.batches)
    }

    fn total_of(limit: u32, check: Moments) -> Rule {
        let threshold = Threshold { limit: Limit::Count(limit), of: Whole::Planned, exceeds: false };
        let kind = RuleKind::Failures(Failures {
            how: FailureCount::Total,
            threshold,
            armed: Armed::default(),
            check,
            reasons: None,
            scope: BreakerScope::Rollout,
        });
        Rule { kind, then: Then::Ask }
    }

    #[test]
    fn the_formula_is_what_the_engine_does() {
        for (total, pct, limit) in [(50, 20, 2), (50, 20, 11), (50, 20, 12), (7, 30, 7), (7, 30, 8), (1, 1, 1)] {
            for most in [None, Some(1), Some(3), Some(100)] {
                for order in [BreakerOrder::Observed, BreakerOrder::Listed] {
                    for scope in [BreakerScope::Rollout, BreakerScope::Batch] {
                        let settings = Settings {
                            batches: BatchSizes::pct(pct),
                            max_consecutive_failures: NonZeroU32::new(limit),
                            max_in_flight: most.and_then(NonZeroU32::new).map(Size::Count),
                            breaker_order: order,
                            breaker_scope: scope,
                            ..settings()
                        };
                        let plan = plan(total, &settings);
                        let by_formula = reach(&plan, &settings, Ticks::default(), Some(limit));
                        let driven = drive::if_all_fail(&plan, &settings, Ticks::default());
                        assert_eq!(by_formula, driven, "{total} {pct} {limit} {most:?} {order:?} {scope:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn any_rule_and_any_batches_are_driven() {
        let sizes = |counts: &[u32]| BatchSizes {
            sizes: counts.iter().filter_map(|&n| NonZeroU32::new(n)).map(Size::Count).collect(),
            ..BatchSizes::pct(20)
        };
        let of = |batches, rules: Vec<Rule>, limit, pace| {
            let settings = Settings { batches, breakers: rules, pace, ..settings() };
            let reach = reach(&plan(50, &settings), &settings, Ticks::default(), limit);
            (reach.exposed, reach.trips_in)
        };
        let pace = Pace::default;
        assert_eq!(of(sizes(&[1, 5, 20]), vec![total_of(3, Moments::Verdict)], None, pace()), (6, Some(1)));
        assert_eq!(of(sizes(&[1, 5, 20]), vec![total_of(7, Moments::BatchEnd)], None, pace()), (26, Some(2)));
        assert_eq!(of(sizes(&[1, 5, 20]), vec![], Some(2), pace()), (6, Some(1)));
        assert_eq!(of(sizes(&[50]), vec![total_of(51, Moments::Verdict)], None, pace()), (50, None));
        let retried = Pace { retries: 3, bakes: vec![Span(60_000)], ..pace() };
        assert_eq!(of(sizes(&[1, 5, 20]), vec![total_of(3, Moments::Verdict)], None, retried), (6, Some(1)));
        let share = Rule { then: Then::Note, ..total_of(1, Moments::Verdict) };
        assert_eq!(of(sizes(&[10]), vec![share], None, pace()), (50, None), "a rule that notes stops nothing");
        let abort = Rule { then: Then::Abort, ..total_of(10, Moments::Verdict) };
        assert_eq!(of(sizes(&[10]), vec![abort], None, pace()), (10, Some(0)));
    }

    #[test]
    fn a_good_day_has_ticks_bakes_and_waves() {
        let day = |settings: &Settings, minutes: u64| {
            let plan = plan(50, settings);
            let (upgrade, interval) = (Span(60_000), Span(30_000));
            let likely = drive::if_all_are_well(&plan, settings, Ticks::default(), upgrade, interval);
            assert_eq!(likely, Some(Span(minutes * 60_000)));
        };
        // Each batch takes a minute and ends on a tick.
        day(&settings(), 5);
        let most = NonZeroU32::new(5).map(Size::Count);
        day(&Settings { max_in_flight: most, ..settings() }, 10);
        // The last batch bakes too.
        day(&Settings { pace: Pace { bakes: vec![Span(60_000), Span(0)], ..Pace::default() }, ..settings() }, 6);
        day(&Settings { pace: Pace { min_healthy: Span(31_000), ..Pace::default() }, ..settings() }, 10);
        let late = Settings { health_timeout: Span(59_999), ..settings() };
        let plan = plan(50, &late);
        assert_eq!(drive::if_all_are_well(&plan, &late, Ticks::default(), Span(60_000), Span(30_000)), None);
    }

    #[test]
    fn bakes_count_in_the_estimate() {
        let pace = Pace { bakes: vec![Span(1_000), Span(60_000)], ..Pace::default() };
        let settings = Settings { pace, ..settings() };
        assert_eq!(estimated_total(&plan(50, &settings), &settings), Span(5 * 300_000 + 1_000 + 4 * 60_000));
    }
}

//! What a plan would do before anybody approves it: its batches, its estimate, and how far it gets if it goes wrong.

use std::num::NonZeroU32;

use crate::words::{plural, spoken};
use dryroll_engine::fleet::Span;
use dryroll_engine::{BatchSizes, BreakerOrder, BreakerScope, Edit, Engine, Plan, Settings};

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
    /// `batch_count × health_timeout`.
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
        Self::new(engine.plan(), engine.settings(), limit_of(engine))
    }

    /// What an edit would make of it.
    #[must_use]
    pub fn edited(engine: &Engine, edit: Edit) -> Self {
        let limit = edit.max_consecutive_failures.map(NonZeroU32::get).or(limit_of(engine));
        match edit.batch_pct {
            Some(pct) => Self::new(&engine.plan().recut(&BatchSizes::pct(pct)), engine.settings(), limit),
            None => Self::new(engine.plan(), engine.settings(), limit),
        }
    }

    fn new(plan: &Plan, settings: &Settings, limit: Option<u32>) -> Self {
        let (total, batch_size) = (plan.total_instances(), plan.batch_size());
        let trips_in = limit.and_then(|limit| trips_in(plan, limit, settings.breaker_scope));
        let exposed = trips_in.map_or(total, |batch| {
            let whole = plan.batch(batch).end;
            match settings.most_in_flight(total) {
                // Each verdict before the one that trips it lets another instance go.
                Some(most) if settings.breaker_order == BreakerOrder::Observed => {
                    whole.min(most.get().saturating_add(limit.unwrap_or(1) - 1))
                }
                _ => whole,
            }
        });
        Self {
            total,
            batch_size,
            batch_count: plan.batch_count(),
            limit,
            estimate: plan.estimated_total(settings.health_timeout),
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
        match self.limit {
            None => "no number of failures in a row trips a breaker".to_owned(),
            Some(1) => "the first failure trips the breaker".to_owned(),
            Some(limit) => format!("{limit} failures in a row trip the breaker"),
        }
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

/// What `max_in_flight` makes of a plan's estimate, and its value, where that makes a difference.
#[must_use]
pub fn in_flight(plan: &Plan, settings: &Settings) -> Option<(Span, NonZeroU32)> {
    let most = settings.most_in_flight(plan.total_instances())?;
    let waits = plan.estimated_in_flight(settings.health_timeout, most);
    (waits != plan.estimated_total(settings.health_timeout)).then_some((waits, most))
}

/// A share of a fleet in percent.
#[must_use]
pub fn share(part: u32, whole: u32) -> String {
    let percent = 100.0 * f64::from(part) / f64::from(whole.max(1));
    if percent.fract() == 0.0 { format!("{percent} %") } else { format!("{percent:.1} %") }
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

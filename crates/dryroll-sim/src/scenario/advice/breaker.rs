//! Breakers whose limits no run of failures can reach.

use super::{AdviceCode, Found, Step, Walked, rollout};
use crate::scenario::Scenario;
use dryroll_engine::{
    Armed, BatchOf, BatchSizes, BreakerScope, Limit, Rounding, Rule, RuleKind, Then, Threshold, Whole,
};

impl Scenario {
    /// Whether what trips the breaker is possible at all, with the policy that is walked. A rule that only notes stops
    /// nothing.
    #[must_use]
    pub fn can_trip(&self) -> bool {
        self.trips_with(&self.walked_with())
    }

    /// The same with these batches and this limit.
    pub(super) fn trips_with(&self, walked: &Walked) -> bool {
        let planned = self.planned_instances();
        let reach = self.rollout.breaker_scope.reach(planned, walked.sizes.largest(planned));
        walked.limit.is_some_and(|limit| limit <= reach) || {
            let stops = self.rollout.breakers.iter().filter(|rule| rule.then != Then::Note);
            let plan = PlanSize::of(planned, &walked.sizes);
            stops.into_iter().any(|rule| out_of_reach(rule, &plan).is_none())
        }
    }
}

pub(super) fn never_trips(scenario: &Scenario) -> Option<Found> {
    let Walked { sizes, limit } = scenario.walked_with();
    let limit = limit?;
    let planned = scenario.planned_instances();
    let scope = scenario.rollout.breaker_scope;
    let most = scope.reach(planned, sizes.largest(planned));
    if limit <= most {
        return None;
    }
    let instances = if most == 1 { "1 instance".to_owned() } else { format!("{most} instances") };
    let has = match scope {
        BreakerScope::Rollout => format!("the plan has {instances}"),
        BreakerScope::Batch => format!("a batch has {instances} and begins its count at zero"),
    };
    let other = match scope {
        BreakerScope::Rollout => "",
        BreakerScope::Batch => ", take a larger `batch_pct`, or write `breaker_scope = \"rollout\"`",
    };
    let what = if scenario.rollout.breakers.is_empty() { "the breaker" } else { "the first rule" };
    Some(Found::new(
        AdviceCode::BreakerNeverTrips,
        rollout("max_consecutive_failures"),
        format!("{what} can never trip: it takes {limit} failures in a row, and {has}"),
        format!("set `max_consecutive_failures` to {most} or less{other}"),
    ))
}

/// The rules of `breakers` that can never hold.
pub(super) fn rules_that_never_trip(scenario: &Scenario) -> Vec<Found> {
    let planned = scenario.planned_instances();
    let plan = PlanSize::of(planned, &scenario.walked_with().sizes);
    let rules = scenario.rollout.breakers.iter().enumerate();
    let found = rules.filter_map(|(place, rule)| {
        let Never { key, why, change } = out_of_reach(rule, &plan)?;
        let at = [Step::Key("rollout"), Step::Key("breakers"), Step::Item(place), Step::Key(key)];
        let message = format!("rule {} of `breakers` can never hold: {why}", place + 1);
        Some(Found::new(AdviceCode::BreakerNeverTrips, at, message, change))
    });
    found.collect()
}

/// What a rule can count in a plan.
struct PlanSize {
    planned: u32,
    largest: u32,
    /// How many batches it has; `None` where that depends on what happens.
    batches: Option<u32>,
}

impl PlanSize {
    fn of(planned: u32, sizes: &BatchSizes) -> Self {
        Self { planned, largest: sizes.largest(planned), batches: batch_count(sizes, planned) }
    }

    fn reach(&self, scope: BreakerScope) -> u32 {
        scope.reach(self.planned, self.largest)
    }
}

/// How many batches a plan has, where nothing that happens changes that.
pub(super) fn batch_count(sizes: &BatchSizes, planned: u32) -> Option<u32> {
    /// Longer plans are not walked through for advice.
    const MOST: u32 = 1_000_000;
    if let Some(size) = sizes.equal(planned) {
        return Some(planned.div_ceil(size.max(1)));
    }
    if sizes.growth.is_some() {
        return None;
    }
    let (mut count, mut remaining) = (0, planned);
    while remaining > 0 {
        if count as usize >= sizes.sizes.len() && sizes.of == BatchOf::Planned {
            let last = sizes.size(count, planned, remaining, None).max(1);
            return Some(count + remaining.div_ceil(last));
        }
        remaining -= sizes.size(count, planned, remaining, None).max(1);
        count += 1;
        if count >= MOST {
            return None;
        }
    }
    Some(count)
}

/// Why a rule can never hold.
struct Never {
    key: &'static str,
    why: String,
    change: String,
}

fn out_of_reach(rule: &Rule, plan: &PlanSize) -> Option<Never> {
    match &rule.kind {
        RuleKind::Failures(rule) => never_armed(rule.armed, plan, plan.planned)
            .or_else(|| beyond(&rule.threshold, rule.armed, rule.scope, plan)),
        RuleKind::FailedBatches(rule) => never_armed(rule.armed, plan, plan.planned).or_else(|| {
            let batches = plan.batches?;
            let needed = u64::from(rule.limit) + u64::from(rule.exceeds);
            (needed > u64::from(batches)).then(|| Never {
                key: "limit",
                why: format!("it takes {needed} failed batches in a row, and the plan has {batches}"),
                change: "set a lower `limit`, or take smaller batches".to_owned(),
            })
        }),
        // A batch begins while at least one instance is not judged.
        RuleKind::Unwell(rule) => never_armed(rule.armed, plan, plan.planned.saturating_sub(1))
            .or_else(|| beyond(&rule.threshold, Armed::default(), BreakerScope::Rollout, plan)),
        RuleKind::Sprt(rule) => {
            // So many failures in a row, and not one more where the sum misses the limit by its rounding.
            let needed = (rule.upper.0 / rule.failed.0 - 1e-6).ceil();
            let most = plan.reach(rule.scope);
            (needed > f64::from(most)).then(|| Never {
                key: "how",
                why: format!("its test takes {needed} failures or more, and it has {most} instances"),
                change: "set a larger `alpha`, or `bad` further above `good`".to_owned(),
            })
        }
        RuleKind::NoProgress(_) => None,
    }
}

/// The most that can be judged while a rule is armed.
fn judged_while_armed(armed: Armed, planned: u32) -> u32 {
    let bound = armed.until_pct.map(|pct| (u64::from(pct) * u64::from(planned)).div_ceil(100).saturating_sub(1));
    bound.map_or(planned, |bound| u32::try_from(bound).unwrap_or(planned).min(planned))
}

fn never_armed(armed: Armed, plan: &PlanSize, most: u32) -> Option<Never> {
    let judged = judged_while_armed(armed, plan.planned).min(most);
    if armed.after_judged <= judged {
        return None;
    }
    let why = match armed.until_pct {
        Some(pct) if armed.after_judged <= most => format!(
            "`until_pct = {pct}` ends it with {} judged, and `after_judged` begins it with {}",
            judged.saturating_add(1),
            armed.after_judged
        ),
        _ => format!(
            "it begins with {} judged, and no more than {most} are judged when it is looked at",
            armed.after_judged
        ),
    };
    Some(Never { key: "after_judged", why, change: "set a lower `after_judged`".to_owned() })
}

/// A count that is beyond what can fail.
fn beyond(threshold: &Threshold, armed: Armed, scope: BreakerScope, plan: &PlanSize) -> Option<Never> {
    let more = u64::from(threshold.exceeds);
    let of_planned = |share: dryroll_engine::Share| match threshold.exceeds {
        true => share.of(plan.planned, Rounding::Down),
        false => share.of(plan.planned, Rounding::Up),
    };
    let needed = match (threshold.limit, threshold.of) {
        (Limit::Count(limit), _) => u64::from(limit) + more,
        (Limit::Share(share), Whole::Planned) => u64::from(of_planned(share)) + more,
        (Limit::Clamped { share, least, most }, _) => {
            u64::from(share.of(plan.planned, Rounding::Up).min(most).max(least)) + more
        }
        // Of those judged, or of its own batch, all may fail, and not more.
        (Limit::Share(share), Whole::Judged) | (Limit::Share(share), Whole::Batch) => {
            let own = threshold.of == Whole::Judged || scope == BreakerScope::Batch;
            let never = own && threshold.exceeds && share.whole_percent() == Some(100);
            return never.then(|| Never {
                key: "limit",
                why: "it takes more than all of what it counts".to_owned(),
                change: "leave `exceeds` out, or set a lower `limit`".to_owned(),
            });
        }
    };
    let most = plan.reach(scope).min(judged_while_armed(armed, plan.planned));
    (needed > u64::from(most)).then(|| Never {
        key: "limit",
        why: format!("it takes {needed}, and it can count {most} at most"),
        change: "set a lower `limit`".to_owned(),
    })
}

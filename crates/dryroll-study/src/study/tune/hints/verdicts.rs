//! The verdicts of a rollout in the order in which a breaker counts them.

use std::ops::Range;

use rayon::prelude::*;

use super::rule::{Counted, Rule};
use dryroll_engine::{
    BreakerOrder, BreakerScope, Direction, Engine, Event, EventBody, Outcome, Recording, RolloutId, Settings,
};
use dryroll_sim::sim::{CompiledScenario, Observer, Simulator};

/// The verdicts of one rollout in the order in which a breaker counts them.
#[derive(Clone, Debug)]
pub(in crate::study::tune) struct Verdicts {
    order: BreakerOrder,
    scope: BreakerScope,
    pub(in crate::study::tune) counted: Vec<Counted>,
    /// The batch of the last verdict that was counted.
    batch: Option<u32>,
    /// Verdicts of incomplete batches: batch, position, failed.
    waiting: Vec<(u32, u32, bool)>,
    dispatched: u32,
    /// Whether the rollout completed.
    completed: bool,
}

impl Verdicts {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            order: settings.breaker_order,
            scope: settings.breaker_scope,
            counted: Vec::new(),
            batch: None,
            waiting: Vec::new(),
            dispatched: 0,
            completed: false,
        }
    }

    pub(super) fn ended(&self, rule: Rule) -> Ended {
        match rule.trips(&self.counted) {
            Some(at) => Ended { tripped: true, dispatched: self.counted[at].dispatched, completes: false },
            None => Ended { tripped: false, dispatched: self.dispatched, completes: self.completed },
        }
    }

    fn count(&mut self, batch: u32, failed: bool) {
        let fresh = self.scope == BreakerScope::Batch && self.batch.is_some_and(|before| before != batch);
        self.batch = Some(batch);
        self.counted.push(Counted { failed, dispatched: self.dispatched, fresh });
    }
}

impl Observer for Verdicts {
    fn recording(&self) -> Recording {
        Recording::Everything
    }

    fn event(&mut self, engine: &Engine, event: &Event) {
        if event.rollout != RolloutId::FIRST {
            return;
        }
        match event.body {
            EventBody::InstanceStarted { .. } => self.dispatched += 1,
            EventBody::InstanceHealthCheck { batch_index, instance, failure } => match self.order {
                BreakerOrder::Observed => self.count(batch_index, failure.is_some()),
                BreakerOrder::Listed => {
                    let position = engine.plan().order.position(instance).unwrap_or(u32::MAX);
                    self.waiting.push((batch_index, position, failure.is_some()));
                }
            },
            EventBody::BatchCompleted { batch_index, .. } => {
                let mut waiting = std::mem::take(&mut self.waiting);
                waiting.sort_unstable();
                for (batch, position, failed) in waiting {
                    if batch == batch_index {
                        self.count(batch, failed);
                    } else {
                        self.waiting.push((batch, position, failed));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The end of a rollout under a rule.
pub(super) struct Ended {
    pub(super) tripped: bool,
    /// The number of instances dispatched by then.
    pub(super) dispatched: u32,
    /// Whether it completes without a trip.
    pub(super) completes: bool,
}

pub(in crate::study::tune) fn observe(compiled: &CompiledScenario, replicates: Range<u64>) -> Vec<Verdicts> {
    replicates
        .into_par_iter()
        .map_init(
            || Simulator::new(compiled),
            |simulator, replicate| {
                let mut verdicts = Verdicts::new(&compiled.settings);
                verdicts.completed = simulator.run(replicate, &mut verdicts).outcome == Outcome::Completed;
                debug_assert!(simulator.engine().direction() == Direction::Forward);
                verdicts
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dryroll_sim::scenario::{Format, Scenario};
    use std::num::NonZeroU32;

    /// The policy's own rule trips exactly where the engine's breaker does.
    #[test]
    fn the_policys_own_rule_trips_where_the_engine_does() {
        for (order, scope) in
            [("observed", "rollout"), ("observed", "batch"), ("listed", "rollout"), ("listed", "batch")]
        {
            let text = format!(
                r#"
                seed = 5
                [fleet]
                instances = 30
                [[versions]]
                id = "v-1"
                [[versions]]
                id = "v-2"
                failure_rate = 0.1
                hang_rate = 0.1
                [rollout]
                target_version_id = "v-2"
                batch_pct = 20
                breaker_order = "{order}"
                breaker_scope = "{scope}"
                [reconciler]
                policy = "auto_approve"
                "#
            );
            let scenario = Scenario::parse("test.toml", text.as_bytes(), Format::Toml).unwrap();
            let real = CompiledScenario::new(&scenario).unwrap();
            let mut endless = scenario.clone();
            endless.rollout.max_consecutive_failures = Some(NonZeroU32::MAX);
            let endless = CompiledScenario::new(&endless).unwrap();
            for replicate in 0..200 {
                let mut verdicts = Verdicts::new(&endless.settings);
                Simulator::new(&endless).run(replicate, &mut verdicts);
                let metrics = Simulator::new(&real).run(replicate, &mut dryroll_sim::sim::Unobserved);
                let at = Rule::Consecutive(2).trips(&verdicts.counted);
                assert_eq!(at.is_some(), metrics.trips > 0, "{order} {scope} {replicate}");
                if let Some(at) = at {
                    assert_eq!(verdicts.counted[at].dispatched, metrics.exposed, "{order} {scope} {replicate}");
                }
            }
        }
    }
}

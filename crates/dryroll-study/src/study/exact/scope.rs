//! Whether theory can follow the order in which verdicts are counted, and which order that is.

use super::OutOfScope;
use super::approval::{Approval, NEGLIGIBLE};
use super::fleet::{FleetLaw, Tables};
use super::rules::{RuleChain, depends_on_order, first_rule};
use std::num::NonZeroU32;

use dryroll_engine::fleet::Span;
use dryroll_engine::{BatchSizes, BreakerOrder, BreakerScope, OperatorDecision, Plan, Promotions, Rule, Then};
use dryroll_sim::sim::CompiledScenario;
use dryroll_sim::sim::compiled::Release;
use dryroll_stats::exact::{Counting, Counts, Group, Unit, Walk, Walked};

/// The largest number of chain steps of one walk.
const MOST_STEPS: u64 = 400_000_000;

/// A rollout as a walk through units of independent trials.
#[derive(Debug)]
pub(crate) struct TrialWalk<'w> {
    /// The walk through failures in a row; where other rules count, its units and its trips alone.
    pub(super) walk: Walk,
    /// The rules of a policy that has others than failures in a row.
    pub(super) rules: Option<RuleChain>,
    /// Whether a rule ends the rollout without a question.
    pub(super) ends_unasked: bool,
    pub(super) law: FleetLaw,
    /// Whether a batch is dispatched at one moment, so that it lasts as long as its slowest upgrade.
    pub(super) at_once: bool,
    /// Whether the results after a decision to continue are known.
    pub(super) later_trips_are_known: bool,
    /// Whether a rollback certainly succeeds.
    pub(super) rollback_is_sure: bool,
    /// The decision that ends the walk.
    pub(super) last_decision: OperatorDecision,
    /// Whether that decision certainly comes before the horizon; otherwise the reason.
    pub(super) last_decision_in_time: Result<(), String>,
    compiled: &'w CompiledScenario,
}

impl<'w> TrialWalk<'w> {
    pub(crate) fn of(compiled: &'w CompiledScenario, tables: &Tables) -> Result<Self, OutOfScope> {
        undisturbed(compiled)?;
        if let Some(why) = beyond_theory(compiled) {
            return Err(OutOfScope::new(why));
        }
        let (plan, first) = edited(compiled);
        let rules = rules(compiled, first);
        let limit = first.map_or(u32::MAX, NonZeroU32::get);
        let settings = &compiled.settings;
        let total = plan.total_instances();
        let most = compiled.most_in_flight();
        let at_once = most >= plan.batch_size();
        let one_by_one = plan.batch_size() == 1 || most == 1;
        let starts_at_zero = !matches!(settings.policy, dryroll_engine::InterventionPolicy::RequireApproval);
        let on_ticks = at_once && (compiled.tick_interval.0.is_multiple_of(compiled.interval.0));
        let on_grid = on_ticks || (at_once && starts_at_zero && plan.batch_count() == 1);
        let law = FleetLaw::new(compiled, &plan, Release::Target, on_grid, tables)?;
        let listed = settings.breaker_order == BreakerOrder::Listed;
        let counting = if listed || one_by_one { Counting::InOrder } else { Counting::SilentLast };
        let reports = law.verdicts().iter().any(|trial| trial.fails > 0.0);
        if counting == Counting::SilentLast {
            let order_matters = rules.as_ref().is_none_or(|rules| {
                rules
                    .iter()
                    .any(|rule| depends_on_order(rule) || Some(rule.then) != rules.first().map(|rule| rule.then))
            });
            observable(&law, reports && order_matters, at_once)?;
        }
        let fresh = settings.breaker_scope == BreakerScope::Batch;
        let singly = one_by_one && !listed;
        let units: Vec<Unit> = if singly {
            let begins = |position: u32| plan.batch(plan.batch_of(position)).start == position;
            (0..total).map(|i| Unit { trials: i..i + 1, fresh: fresh && begins(i) }).collect()
        } else {
            (0..plan.batch_count()).map(|index| Unit { trials: plan.batch(index), fresh }).collect()
        };
        let on_trip = &compiled.operator.on_trip;
        let waved = on_trip.iter().position(|&decision| decision != OperatorDecision::ContinueAnyway);
        let asks = rules.as_ref().is_none_or(|rules| rules.iter().any(|rule| rule.then == Then::Ask));
        let ends_unasked = rules.as_ref().is_some_and(|rules| rules.iter().any(|rule| rule.then != Then::Ask));
        let decides = waved.and_then(|waved| on_trip.get(waved)).copied();
        // Where nobody is asked, the first trip ends the walk.
        let waved = if asks { waved } else { Some(0) };
        let rules = match rules {
            Some(rules) => Some(RuleChain::new(&rules, &plan, &groups(&plan, &units))?),
            None => None,
        };
        let walk = Walk { units, counting, limit: (limit as usize).min(total as usize + 1), waved };
        let rows = if counting == Counting::SilentLast { walk.limit } else { 1 };
        let steps = match &rules {
            Some(rules) => rules.chain.steps(law.verdicts().iter().any(|trial| trial.silent > 0.0)),
            None => u64::from(total) * (walk.limit * rows) as u64 * walk.layers().min(on_trip.len() + 1) as u64,
        };
        if steps > MOST_STEPS {
            return Err(OutOfScope::new("the fleet and the breaker's limit are too large to compute every count"));
        }
        let back = FleetLaw::new(compiled, &plan, Release::Previous, on_grid, tables).ok();
        let same_timeout = settings.rollback_health_timeout == settings.health_timeout;
        let never_trips = first.is_none() && settings.rollback_max_consecutive_failures.is_none();
        let rollback_is_sure = never_trips
            || (same_timeout
                && back
                    .is_some_and(|law| law.verdicts().iter().all(|trial| trial.fails == 0.0 && trial.silent == 0.0)));
        let mut walk = Self {
            later_trips_are_known: rules.is_none() && (counting == Counting::InOrder || !reports),
            rules,
            ends_unasked,
            walk,
            law,
            at_once,
            rollback_is_sure,
            last_decision: decides.unwrap_or(OperatorDecision::Abort),
            last_decision_in_time: Ok(()),
            compiled,
        };
        walk.check_horizon(&plan)?;
        Ok(walk)
    }

    /// Whether the duration depends only on the slowest upgrade of each batch.
    pub(super) fn is_timed(&self) -> bool {
        self.at_once && self.walk.units.len() <= 100
    }

    /// The result of the walk through all of its trials.
    pub(super) fn walked(&self) -> Gone {
        self.go(|_, _| {})
    }

    /// The same; `before` receives what is known before each unit.
    pub(super) fn go(&self, mut before: impl FnMut(usize, Before<'_>)) -> Gone {
        let verdicts = self.law.verdicts();
        let trial = |position| self.law.pick(&verdicts, position);
        let Some(RuleChain { chain, thens }) = &self.rules else {
            let walked = self.walk.go(trial, |number, counts| before(number, Before::Runs(counts)));
            let asked = walked.chance_of_ending();
            return Gone { walked, asked, aborted: 0.0, rolled_back: 0.0 };
        };
        let none = vec![0.0; self.walk.units.len()];
        let mut walked = Walked { first: none.clone(), ending: none, trips: 0.0 };
        let mut by_rule = vec![0.0; thens.len()];
        chain.go(trial, |number, weights, left| {
            walked.first[number] = left.tripped();
            by_rule.iter_mut().zip(&left.trips).for_each(|(all, trips)| *all += trips);
            before(number, Before::Rules(weights));
        });
        if self.walk.waved == Some(0) {
            walked.ending.clone_from(&walked.first);
        }
        walked.trips = walked.chance();
        let of =
            |then: Then| thens.iter().zip(&by_rule).filter(|(own, _)| **own == then).map(|(_, chance)| chance).sum();
        Gone { walked, asked: of(Then::Ask), aborted: of(Then::Abort), rolled_back: of(Then::RollBack) }
    }

    /// Whether verdicts are counted in plan order.
    pub(crate) fn is_in_plan_order(&self) -> bool {
        self.walk.counting == Counting::InOrder && self.rules.is_none()
    }

    /// Requires that the horizon cuts no run, except with negligible probability.
    fn check_horizon(&mut self, plan: &Plan) -> Result<(), OutOfScope> {
        let compiled = self.compiled;
        let approval = Approval::of(compiled)?;
        let tick = compiled.tick_interval.0;
        let timeout = compiled.settings.health_timeout.0;
        let waves = if self.at_once {
            u64::from(plan.batch_count()).saturating_mul(timeout.div_ceil(tick).saturating_mul(tick))
        } else {
            let batches = u64::from(plan.batch_count());
            u64::from(plan.total_instances()).saturating_mul(timeout).saturating_add(batches.saturating_mul(tick))
        };
        // A rule can trip at every verdict, a run only once in a unit.
        let units = match self.rules {
            Some(_) => u64::from(plan.total_instances()),
            None => self.walk.units.len() as u64,
        };
        let bakes = &compiled.settings.pace;
        let bakes: u64 =
            (0..plan.batch_count()).map(|batch| bakes.bake(batch).0.saturating_add(tick)).fold(0, u64::saturating_add);
        let bakes = if compiled.settings.pace.bakes.is_empty() { 0 } else { bakes };
        let continued = self.walk.waved.map_or(units, |waved| (waved as u64).min(units));
        let walking = waves.saturating_add(bakes).saturating_add(tick).saturating_add(continued.saturating_mul(tick));
        let slack = compiled.horizon.0.checked_sub(walking);
        let delay = &compiled.operator.decision_delay;
        let cut = |slack: u64, decisions: u64| {
            let sure = approval.latest.saturating_add(decisions.saturating_mul(delay.longest().0)) <= slack;
            let each = slack / (decisions + 1);
            let late = decisions as f64 * (1.0 - delay.cumulative(each)) + approval.later_than(each);
            if sure { 0.0 } else { late }
        };
        let mut continued = continued;
        if slack.is_some_and(|slack| cut(slack, continued) > NEGLIGIBLE) {
            // After a decision to continue, the rest of the walk begins at a count of zero, and is no more likely to
            // trip than the whole walk.
            let trips = self.walked().walked.chance();
            let likely =
                (1..=continued).take_while(|&times| libm::pow(trips, times as f64) > NEGLIGIBLE).count() as u64;
            continued = continued.min(likely);
        }
        match slack {
            Some(slack) if cut(slack, continued) <= NEGLIGIBLE => {
                if self.walk.waved.is_some() && cut(slack, continued + 1) > NEGLIGIBLE {
                    self.last_decision_in_time = Err("the horizon may come before the decision on a trip".to_owned());
                }
                Ok(())
            }
            _ => Err(OutOfScope::new("the horizon may come before the end of the rollout")),
        }
    }
}

/// Requires that only upgrades themselves affect instances, the network and the controller.
pub(crate) fn undisturbed(compiled: &CompiledScenario) -> Result<(), OutOfScope> {
    let disturbed = [
        (!compiled.faults.is_empty(), "faults are injected, which make verdicts depend on each other"),
        (compiled.zone_law.is_some(), "zones fail, which makes the verdicts in a zone depend on each other"),
        (compiled.death_law.is_some(), "instances die in the background"),
        (compiled.flaps(), "the network flaps, and what a flap does depends on the moment"),
        (compiled.delays, "heartbeats are delayed, and may overtake each other"),
    ];
    match disturbed.into_iter().find(|&(is, _)| is) {
        Some((_, why)) => Err(OutOfScope::new(why)),
        None => Ok(()),
    }
}

/// What of the policy or of the fleet theory does not follow; `None`: nothing.
fn beyond_theory(compiled: &CompiledScenario) -> Option<&'static str> {
    let settings = &compiled.settings;
    let pace = &settings.pace;
    let beyond = [
        (settings.batches.growth.is_some(), "the size of a batch depends on the verdicts of the one before"),
        (pace.min_healthy > Span::ZERO, "an instance must stay healthy for a while"),
        (pace.retries > 0, "instances that fail are commanded again"),
        (pace.advance_pct < 100, "batches overlap"),
        (pace.promotions != Promotions::Never, "a person promotes batches"),
        (settings.watch.is_some(), "instances are watched after their verdicts"),
        (compiled.starts_differ(), "instances differ at the request"),
    ];
    beyond.into_iter().find(|&(is, _)| is).map(|(_, why)| why)
}

/// The rules that can trip, where others than failures in a row count, or none.
fn rules(compiled: &CompiledScenario, first: Option<NonZeroU32>) -> Option<Vec<Rule>> {
    let settings = &compiled.settings;
    if settings.breakers.is_empty() && first.is_some() {
        return None;
    }
    let first = first.map(|limit| first_rule(limit.get(), settings.breaker_scope));
    Some(first.into_iter().chain(settings.breakers.iter().filter(|rule| rule.then != Then::Note).cloned()).collect())
}

/// The units of a walk as the chain of rules has them.
fn groups(plan: &Plan, units: &[Unit]) -> Vec<Group> {
    let group = |unit: &Unit| {
        let batch = plan.batch_of(unit.trials.start);
        let all = plan.batch(batch);
        Group {
            trials: unit.trials.clone(),
            batch,
            begins: unit.trials.start == all.start,
            ends: unit.trials.end == all.end,
        }
    };
    units.iter().map(group).collect()
}

/// What a walk knows before a unit.
pub(super) enum Before<'a> {
    /// The counts of failures in a row, by layer.
    Runs(&'a [Counts]),
    /// The weights of what the rules remember.
    Rules(Vec<f64>),
}

/// Where a walk came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Gone {
    pub walked: Walked,
    /// The chance that a trip ends it by a decision.
    pub asked: f64,
    /// The chance that a trip ends it as aborted, without a question.
    pub aborted: f64,
    /// The chance that a trip begins a rollback, without a question.
    pub rolled_back: f64,
}

/// The plan and the limit of failures in a row after the operator's edit.
pub(crate) fn edited(compiled: &CompiledScenario) -> (Plan, Option<NonZeroU32>) {
    let settings = &compiled.settings;
    let is_asked = settings.policy == dryroll_engine::InterventionPolicy::RequireApproval;
    let edit = compiled.operator.edit.filter(|_| is_asked);
    let limit = edit.and_then(|edit| edit.max_consecutive_failures).or(settings.max_consecutive_failures);
    let plan = match edit.and_then(|edit| edit.batch_pct) {
        Some(batch_pct) => compiled.plan.recut(&BatchSizes::pct(batch_pct)),
        None => compiled.plan.clone(),
    };
    (plan, limit)
}

/// Requires that verdicts that are counted as observed arrive in an order that theory can follow.
fn observable(law: &FleetLaw, reports: bool, at_once: bool) -> Result<(), OutOfScope> {
    if !at_once {
        return Err(OutOfScope::new(
            "verdicts are counted as observed and `max_in_flight` divides the batches, so their order depends on time",
        ));
    }
    if reports && !law.order_says_nothing() {
        return Err(OutOfScope::new(
            "verdicts are counted as observed, failures are reported before the deadline, and instances differ in when \
             they are heard of, so the order says something about who failed",
        ));
    }
    Ok(())
}

//! A drill report from a drill that is over and the judgement of it.

use super::{Counterfactual, Debrief, DecisionMade, Difference, DrillReport, Lesson, PlanWalked, Score, Truth};
use crate::drill::branch::Change;
use crate::drill::score::{Judged, Judgement};
use crate::drill::{Decision, Drill};
use crate::engine::{Answer, Edit, OperatorDecision, RequestKind};
use crate::fleet::Span;
use crate::report::study::ScenarioRef;
use crate::report::timeline::BreakerCount;
use crate::report::wording::{Unit, plural, spoken};
use crate::report::{Chronicle, Timeline};
use crate::scenario::{OutcomeRates, Scenario};
use crate::sim::{FaultEffect, Metrics};
use crate::study::Policy;

impl DrillReport {
    /// The report of a drill that is over, which `chronicle` and `breaker` watched.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        drill: &mut Drill<'_>,
        chronicle: &Chronicle,
        breaker: &BreakerCount,
        judgement: &Judgement,
    ) -> Self {
        let (metrics, effects) = drill.settle();
        let timeline = Timeline::of(scenario, drill.simulator(), chronicle, breaker, &effects);
        let plan = drill.engine().plan();
        Self {
            schema: "dryroll.drill/1".into(),
            scenario: ScenarioRef::of(scenario),
            seed: scenario.seed,
            replicate: drill.replicate(),
            policy: Policy::of(scenario),
            version: scenario.target().id.clone(),
            plan: PlanWalked {
                total_instances: plan.total_instances(),
                batch_size: plan.batch_size,
                batch_count: plan.batch_count(),
            },
            outcome: metrics.outcome.name().into(),
            decisions: drill.decisions().iter().map(made).collect(),
            debrief: debrief(&metrics, drill.decisions()),
            score: score(judgement),
            counterfactuals: judgement
                .branches
                .iter()
                .map(|(place, change, judged)| counterfactual(*place, *change, &judgement.own.decisions, judged))
                .collect(),
            plain_operators: judgement.plain.iter().map(|(on_trip, judged)| plain(*on_trip, judged)).collect(),
            truth: Truth { defective: metrics.defective, facts: facts(scenario, &effects) },
            lesson: lesson(scenario),
            timeline,
        }
    }
}

fn made(decision: &Decision) -> DecisionMade {
    let edit = if let Answer::Edit(edit) = decision.answer { edit } else { Edit::default() };
    DecisionMade {
        at_ms: decision.at.0,
        asked_at_ms: decision.asked.at.0,
        took_sec: decision.took().as_secs_f64(),
        asked: decision.asked.kind.type_name().into(),
        of_rollback: decision.asked.kind == RequestKind::RollbackContinuation,
        decide: decision.answer.name().into(),
        batch_pct: edit.batch_pct,
        max_consecutive_failures: edit.max_consecutive_failures.map(std::num::NonZeroU32::get),
    }
}

fn debrief(metrics: &Metrics, decisions: &[Decision]) -> Debrief {
    let seconds = |millis: u64| Span(millis).as_secs_f64();
    let on_trips = decisions.iter().filter(|decision| decision.asked.kind != RequestKind::RollingUpgrade);
    let person: u64 = on_trips.map(|decision| decision.took().0).sum();
    let person = metrics.time_to_mitigate.map(|all| person.min(all));
    Debrief {
        duration_sec: metrics.duration_sec(),
        approval_wait_sec: metrics.approval_wait_sec(),
        trips: metrics.trips,
        time_to_detect_sec: metrics.time_to_detect.map(seconds),
        time_to_mitigate_sec: metrics.time_to_mitigate.map(seconds),
        mitigate_person_sec: person.map(seconds),
        mitigate_engine_sec: metrics.time_to_mitigate.zip(person).map(|(all, person)| seconds(all - person)),
        exposed_instances: metrics.exposed,
        exposed_pct: metrics.exposed_pct(),
        harmed_instances: metrics.harmed,
        escaped_instances: metrics.escaped,
        unhealthy_instance_min: metrics.unhealthy_instance_min(),
        capacity_loss_instance_min: metrics.capacity_loss_instance_min(),
        min_serving_pct: metrics.min_serving_pct(),
        false_failures: metrics.false_failures,
    }
}

fn score(judgement: &Judgement) -> Score {
    let own = &judgement.own;
    let best = judgement.plain.iter().min_by(|a, b| a.1.cost.total.total_cmp(&b.1.cost.total));
    Score {
        points: own.score,
        cost_instance_min: own.cost.total,
        not_serving_instance_min: own.cost.not_serving,
        misplaced_instances: own.cost.misplaced,
        best_cost_instance_min: best.map_or(own.cost.total, |(_, judged)| judged.cost.total),
        best: best.map_or("", |(on_trip, _)| on_trip.name()).into(),
        until_ms: judgement.until.0,
    }
}

/// A decision in words.
fn words(answer: &Answer) -> &'static str {
    match answer {
        Answer::Approve => "approve",
        Answer::Edit(_) => "edit",
        Answer::Reject => "reject",
        Answer::OnTrip(OperatorDecision::ContinueAnyway) => "continue anyway",
        Answer::OnTrip(OperatorDecision::RollbackCompletedBatches) => "roll back completed batches",
        Answer::OnTrip(OperatorDecision::Abort) => "abort",
    }
}

fn counterfactual(place: usize, change: Change, decisions: &[Decision], judged: &Judged) -> Counterfactual {
    let decision = &decisions[place];
    let took = decision.took();
    let own = words(&decision.answer);
    let (difference, answer, says) = match change {
        Change::Instead(answer) => (Difference::Instead, answer, format!("{} instead of {own}", words(&answer))),
        Change::HalfAsLate => {
            let late = spoken(Span(took.0 / 2));
            (Difference::HalfAsLate, decision.answer, format!("{own} after {late} instead of {}", spoken(took)))
        }
        Change::TwiceAsLate => {
            let late = spoken(Span(took.0.saturating_mul(2)));
            (Difference::TwiceAsLate, decision.answer, format!("{own} after {late} instead of {}", spoken(took)))
        }
    };
    told(Some(place + 1), difference, answer.name(), says, judged)
}

fn plain(on_trip: OperatorDecision, judged: &Judged) -> Counterfactual {
    let says = format!("approve at once, and on every trip at once: {}", words(&Answer::OnTrip(on_trip)));
    told(None, Difference::PlainOperator, on_trip.name(), says, judged)
}

fn told(
    decision: Option<usize>,
    difference: Difference,
    decide: &str,
    says: String,
    judged: &Judged,
) -> Counterfactual {
    let metrics = &judged.metrics;
    Counterfactual {
        decision,
        difference,
        decide: decide.into(),
        says,
        outcome: metrics.outcome.name().into(),
        ended_at_ms: judged.finished.0,
        trips: metrics.trips,
        time_to_mitigate_sec: metrics.time_to_mitigate.map(|millis| Span(millis).as_secs_f64()),
        exposed_instances: metrics.exposed,
        harmed_instances: metrics.harmed,
        unhealthy_instance_min: metrics.unhealthy_instance_min(),
        not_serving_instance_min: judged.cost.not_serving,
        misplaced_instances: judged.cost.misplaced,
        cost_instance_min: judged.cost.total,
        score: judged.score,
    }
}

/// What was true all along.
fn facts(scenario: &Scenario, effects: &[FaultEffect]) -> Vec<String> {
    let target = scenario.target();
    let mut facts = vec![match target.defective {
        true => format!("{} is defective", target.id),
        false => format!("{} is sound", target.id),
    }];
    let rates = rates(&target.rates);
    if !rates.is_empty() {
        facts.push(format!("of its upgrades {}", rates.join(", ")));
    }
    for effect in effects {
        let touched = plural(u64::from(effect.touched_instances), "instance", "instances");
        facts.push(match effect.window {
            Some(window) => format!(
                "{} from {} to {}, which touched {touched}",
                effect.kind.replace('_', " "),
                spoken(Span(window.start)),
                spoken(Span(window.end))
            ),
            None => format!("{} would have come, and did not", effect.kind.replace('_', " ")),
        });
    }
    facts
}

fn rates(rates: &OutcomeRates) -> Vec<String> {
    let named =
        [(rates.failure, "fail"), (rates.hang, "hang"), (rates.unhealthy, "are unhealthy"), (rates.crash, "crash")];
    let said = named.into_iter().filter(|(rate, _)| *rate > 0.0);
    said.map(|(rate, what)| format!("{} {what}", Unit::Share.say(rate))).collect()
}

fn lesson(_scenario: &Scenario) -> Option<Lesson> {
    None
}

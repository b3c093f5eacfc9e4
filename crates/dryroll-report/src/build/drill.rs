//! A drill report from a drill that is over and the judgement of it.

mod facts;

use std::num::NonZeroU32;

use crate::build::drill::facts::facts;
use crate::build::timeline::BreakerCount;
use crate::events::chronicle::Chronicle;
use crate::judge::harm::HarmGoesOn;
use crate::model::ScenarioRef;
use crate::model::drill::{
    Counterfactual, Debrief, DecisionMade, Difference, DrillReport, Lesson, PlanWalked, Score, Truth, in_words,
};
use crate::model::timeline::Timeline;
use crate::words::spoken;
use dryroll_engine::fleet::Span;
use dryroll_engine::{Answer, Edit, OperatorDecision, RequestKind};
use dryroll_sim::scenario::{DrillSpec, Scenario};
use dryroll_sim::sim::Metrics;
use dryroll_study::drill::branch::{Change, Plain};
use dryroll_study::drill::score::{Judged, Judgement, TO_PUT_RIGHT, held_up};
use dryroll_study::drill::{Decision, Drill};
use dryroll_study::study::Policy;
use std::ops::Add;

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
            command: String::new().into(),
            surprise: None,
            policy: Policy::of(scenario),
            version: scenario.target().id.clone(),
            plan: PlanWalked {
                total_instances: plan.total_instances(),
                batch_size: plan.batch_size(),
                batch_count: plan.batch_count(),
            },
            outcome: metrics.outcome.name().into(),
            decisions: drill.decisions().iter().map(made).collect(),
            debrief: debrief(&metrics, drill.simulator().pending(), drill.decisions(), scenario.rollout.observe_after),
            score: score(judgement),
            as_it_was: as_it_was(&judgement.own),
            counterfactuals: judgement
                .branches
                .iter()
                .map(|(place, change, judged)| counterfactual(*place, *change, &judgement.own.decisions, judged))
                .collect(),
            plain_operators: judgement.plain.iter().map(|(operator, judged)| plain(*operator, judged)).collect(),
            truth: Truth { defective: metrics.defective, facts: facts(scenario, &effects) },
            lesson: lesson(scenario),
            timeline,
            advice: Vec::new(),
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

fn debrief(metrics: &Metrics, pending: u32, decisions: &[Decision], observed: Span) -> Debrief {
    // A promotion counts where its answer mitigates.
    let mitigates = |decision: &&Decision| {
        decision.asked.kind.is_of_trip()
            || decision.asked.kind == RequestKind::Promotion && metrics.trips > 0 && decision.answer != Answer::Promote
    };
    let on_trips = decisions.iter().filter(mitigates);
    let person = on_trips.map(Decision::took).fold(Span::ZERO, Span::add);
    let person = metrics.time_to_mitigate.map(|all| person.min(all));
    Debrief {
        duration_sec: metrics.duration_sec(),
        approval_wait_sec: metrics.approval_wait_sec(),
        trips: metrics.trips,
        time_to_detect_sec: metrics.time_to_detect.map(Span::as_secs_f64),
        time_to_mitigate_sec: metrics.time_to_mitigate.map(Span::as_secs_f64),
        time_to_stop_sec: metrics.time_to_stop.map(Span::as_secs_f64),
        mitigate_person_sec: person.map(Span::as_secs_f64),
        mitigate_engine_sec: metrics
            .time_to_mitigate
            .zip(person)
            .map(|(all, person)| Span(all.0 - person.0).as_secs_f64()),
        exposed_instances: metrics.exposed,
        exposed_pct: metrics.exposed_pct().get(),
        harmed_instances: metrics.harmed,
        harmed_pct: Some(metrics.harmed_pct().get()),
        harm_goes_on: HarmGoesOn::of(metrics, pending, observed),
        escaped_instances: metrics.escaped,
        unhealthy_instance_min: metrics.unhealthy_instance_min(),
        capacity_loss_instance_min: metrics.capacity_loss_instance_min(),
        min_serving_pct: metrics.min_serving_pct().get(),
        false_failures: metrics.false_failures,
    }
}

fn score(judgement: &Judgement) -> Score {
    let Judged { cost, score, metrics, .. } = &judgement.own;
    let put_right = TO_PUT_RIGHT * f64::from(cost.misplaced);
    let best = judgement.best();
    Score {
        points: *score,
        cost_instance_min: cost.total,
        not_serving_instance_min: cost.not_serving,
        misplaced_instances: cost.misplaced,
        put_right_instance_min: put_right,
        under_way_sec: cost.under_way.as_secs_f64(),
        held_up_instance_min: held_up(cost.under_way, metrics.planned),
        best_cost_instance_min: best.map_or(cost.total, |(_, judged)| judged.cost.total),
        best: best.map_or("", |(operator, _)| operator.on_trip.name()).into(),
        best_says: best.map_or_else(String::new, |(operator, _)| plain_says(*operator)),
        until_ms: judgement.own.until.0,
        counted_sec: judgement.counted.as_secs_f64(),
    }
}

fn as_it_was(own: &Judged) -> Counterfactual {
    let (difference, says) = (Difference::AsItWas, "as it was".to_owned());
    let decide = "";
    Alternative { decision: None, difference, decide, on_trip: None, limit: None, waits: Span::ZERO, says }.judged(own)
}

fn counterfactual(place: usize, change: Change, decisions: &[Decision], judged: &Judged) -> Counterfactual {
    let decision = &decisions[place];
    let took = decision.took();
    let own = in_words(decision.answer.name());
    let (difference, answer, says) = match change {
        Change::Instead(answer, on_trip) => {
            let then = on_trip
                .map_or_else(String::new, |on_trip| format!(", and on every trip: {}", in_words(on_trip.name())));
            (Difference::Instead, answer, format!("{} instead of {own}{then}", in_words(answer.name())))
        }
        Change::HalfAsLate => {
            let late = spoken(Span(took.0 / 2));
            (Difference::HalfAsLate, decision.answer, format!("{own} after {late} instead of {}", spoken(took)))
        }
        Change::TwiceAsLate => {
            let late = spoken(Span(took.0.saturating_mul(2)));
            (Difference::TwiceAsLate, decision.answer, format!("{own} after {late} instead of {}", spoken(took)))
        }
    };
    let (decision, decide) = (Some(place + 1), answer.name());
    let on_trip = if let Change::Instead(_, on_trip) = change { on_trip } else { None };
    Alternative { decision, difference, decide, on_trip, limit: None, waits: Span::ZERO, says }.judged(judged)
}

fn plain(operator: Plain, judged: &Judged) -> Counterfactual {
    Alternative {
        decision: None,
        difference: Difference::PlainOperator,
        decide: operator.on_trip.name(),
        on_trip: None,
        limit: operator.limit.map(NonZeroU32::get),
        waits: operator.waits,
        says: plain_says(operator),
    }
    .judged(judged)
}

fn plain_says(operator: Plain) -> String {
    let first = match operator.limit {
        Some(limit) => format!("set the limit to {limit} and approve at once"),
        None => "approve at once".to_owned(),
    };
    let on_trip = in_words(operator.on_trip.name());
    match operator.waits {
        Span::ZERO => format!("{first}, and on every trip at once: {on_trip}"),
        waits => format!("{first}, and on every trip after {}: {on_trip}", spoken(waits)),
    }
}

/// A decision that could have been taken: what the report says of it beside its figures.
struct Alternative {
    decision: Option<usize>,
    difference: Difference,
    decide: &'static str,
    on_trip: Option<OperatorDecision>,
    limit: Option<u32>,
    waits: Span,
    says: String,
}

impl Alternative {
    fn judged(self, judged: &Judged) -> Counterfactual {
        let Self { decision, difference, decide, on_trip, limit, waits, says } = self;
        let metrics = &judged.metrics;
        Counterfactual {
            decision,
            difference,
            decide: decide.into(),
            on_trip: on_trip.map(|on_trip| on_trip.name().into()),
            limit,
            waits_sec: waits.as_secs_f64(),
            says,
            outcome: metrics.outcome.name().into(),
            ended_at_ms: judged.finished.0,
            counted_to_ms: judged.until.0,
            trips: metrics.trips,
            time_to_mitigate_sec: metrics.time_to_mitigate.map(Span::as_secs_f64),
            time_to_stop_sec: metrics.time_to_stop.map(Span::as_secs_f64),
            exposed_instances: metrics.exposed,
            harmed_instances: metrics.harmed,
            harmed_pct: Some(metrics.harmed_pct().get()),
            unhealthy_instance_min: metrics.unhealthy_instance_min(),
            not_serving_instance_min: judged.cost.not_serving,
            misplaced_instances: judged.cost.misplaced,
            cost_instance_min: judged.cost.total,
            score: judged.score,
        }
    }
}

fn lesson(scenario: &Scenario) -> Option<Lesson> {
    let DrillSpec { difficulty, trains, good_operator } = scenario.drill.clone()?;
    Some(Lesson { difficulty, trains, good_operator })
}

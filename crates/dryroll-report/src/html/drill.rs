//! The page of a drill: its debrief.

use maud::html;

use crate::html::layout::{Page, Section, figure, open, safe};
use crate::html::policies::{name, says};
use crate::html::provenance::{Provenance, advice};
use crate::model::drill::{Debrief, DrillReport, in_words};
use crate::svg::scores::scores;
use crate::svg::{Plot, Table, timeline};
use crate::words::{Unit, number, plural, spoken};
use dryroll_engine::fleet::{At, Span};
use serde_json::Value;

/// The plots of a drill.
#[must_use]
pub fn plots(drill: &DrillReport) -> Vec<Plot> {
    let title = format!("The rollout of {}, instance by instance", drill.version);
    let drawn = timeline::Drawing { name: "timeline", title: &title, timeline: &drill.timeline }.draw();
    drawn.into_iter().chain(std::iter::once(scores(drill))).collect()
}

/// The page of a drill.
#[must_use]
pub fn page<'a>(drill: &'a DrillReport, plots: &[Plot]) -> Page<'a> {
    let debrief = &drill.debrief;
    let seconds = |value: Option<f64>| Unit::Seconds.say_or_nothing(value);
    let headline = vec![
        ("outcome".to_owned(), in_words(drill.outcome.raw())),
        ("score".to_owned(), format!("{} of 100", number(drill.score.points.round()))),
        ("time to detect".to_owned(), seconds(debrief.time_to_detect_sec)),
        ("time to mitigate".to_owned(), seconds(debrief.time_to_mitigate_sec)),
        ("harmed".to_owned(), harmed(debrief)),
    ];
    let named = |wanted: &'static str| plots.iter().filter(move |plot| plot.name == wanted);
    let sections = vec![
        Section {
            id: "timeline",
            heading: "What happened",
            body: html! {
                @for plot in named("timeline") { (figure(plot)) }
                (open(&decisions(drill)))
            },
        },
        Section { id: "figures", heading: "Result", body: html! { (open(&figures(drill))) (open(&cost(drill))) } },
        Section {
            id: "otherwise",
            heading: "What else could have been decided",
            body: html! { @for plot in named("scores") { (figure(plot)) } },
        },
        Section {
            id: "truth",
            heading: "In truth",
            body: html! { ul { @for fact in &drill.truth.facts { li { (safe(fact)) } } } },
        },
        Section { id: "lesson", heading: "The lesson", body: lesson(drill) },
        advice(&drill.advice),
        Section { id: "policy", heading: "The policy", body: html! { (open(&policy(drill))) } },
        provenance(drill),
    ];
    Page { title: drill.scenario.name.raw().into(), kind: "A drill", headline, findings: findings(drill), sections }
}

fn harmed(debrief: &Debrief) -> String {
    match debrief.harmed_pct {
        Some(pct) => format!("{} ({})", debrief.harmed_instances, Unit::Percent.say(pct)),
        None => debrief.harmed_instances.to_string(),
    }
}

fn findings(drill: &DrillReport) -> Vec<String> {
    let (debrief, score) = (&drill.debrief, &drill.score);
    let time = |seconds: f64| spoken(Span::from_secs_f64(seconds));
    let mut said = vec![format!(
        "{} was rolled out to {} in {} of {}, and was {} after {}.",
        drill.version,
        plural(u64::from(drill.plan.total_instances), "instance", "instances"),
        plural(u64::from(drill.plan.batch_count), "batch", "batches"),
        drill.plan.sizes(),
        in_words(drill.outcome.raw()),
        time(debrief.duration_sec)
    )];
    if let (Some(person), Some(engine)) = (debrief.mitigate_person_sec, debrief.mitigate_engine_sec) {
        said.push(format!(
            "Of the time to mitigate, {} was the person’s and {} the engine’s.",
            time(person),
            time(engine)
        ));
    }
    said.extend(debrief.harm_goes_on.as_ref().map(|harm| format!("{}.", harm.says)));
    said.push(format!(
        "It cost {} instance-minutes. The best of the plain operators would have cost {}: {}.",
        number(score.cost_instance_min),
        number(score.best_cost_instance_min),
        score.best_says
    ));
    let better = drill.counterfactuals.iter().filter(|one| one.score > score.points);
    if let Some(best) = better.max_by(|a, b| a.score.total_cmp(&b.score)) {
        said.push(format!(
            "What would have helped most: {}, with a score of {}.",
            best.says,
            number(best.score.round())
        ));
    }
    said
}

fn decisions(drill: &DrillReport) -> Table {
    let mut table = Table::new("What was decided", &["decision", "asked"], &["at", "asked since", "took"]);
    for decision in &drill.decisions {
        let asked = match (decision.of_rollback, decision.asked.raw()) {
            (true, _) => "on a trip of the rollback",
            (false, "rolling_upgrade") => "on the plan",
            (false, _) if decision.is_of_promotion() => "on a promotion",
            (false, _) => "on a trip",
        };
        table.row([
            decision.says(),
            asked.to_owned(),
            At(decision.at_ms).to_string(),
            At(decision.asked_at_ms).to_string(),
            spoken(Span::from_secs_f64(decision.took_sec)),
        ]);
    }
    table
}

fn figures(drill: &DrillReport) -> Table {
    let debrief = &drill.debrief;
    let mut table = Table::new(
        "The figures, up to the end of the run and as long after it as the scenario observes",
        &["figure"],
        &["value"],
    );
    let time = |seconds: Option<f64>| Unit::Seconds.say_or_nothing(seconds);
    let minutes = |value: f64| Unit::InstanceMinutes.say(value);
    for (what, value) in [
        ("duration", time(Some(debrief.duration_sec))),
        ("waiting for a person", time(Some(debrief.approval_wait_sec))),
        ("trips", debrief.trips.to_string()),
        ("time to detect", time(debrief.time_to_detect_sec)),
        ("time to stop", time(debrief.time_to_stop_sec)),
        ("time to mitigate", time(debrief.time_to_mitigate_sec)),
        ("the person’s part", time(debrief.mitigate_person_sec)),
        ("the engine’s part", time(debrief.mitigate_engine_sec)),
        ("exposed", format!("{} ({})", debrief.exposed_instances, Unit::Percent.say(debrief.exposed_pct))),
        ("harmed", harmed(debrief)),
        ("of them with a healthy verdict", debrief.escaped_instances.to_string()),
        ("unhealthy", minutes(debrief.unhealthy_instance_min)),
        ("capacity lost", minutes(debrief.capacity_loss_instance_min)),
        ("fewest serving", Unit::Percent.say(debrief.min_serving_pct)),
        ("false failures", debrief.false_failures.to_string()),
    ] {
        table.row([what.to_owned(), value]);
    }
    table
}

fn cost(drill: &DrillReport) -> Table {
    let score = &drill.score;
    let minutes = |value: f64| Unit::InstanceMinutes.say(value);
    let caption = format!("The score and its parts, counted to {}", At(score.until_ms));
    let mut table = Table::new(caption, &["part"], &["value"]);
    let put_right = plural(u64::from(score.misplaced_instances), "instance", "instances");
    for (what, value) in [
        ("not serving".to_owned(), minutes(score.not_serving_instance_min)),
        (format!("{put_right} to put right by hand"), minutes(score.put_right_instance_min)),
        (
            format!("{} under way", spoken(Span::from_secs_f64(score.under_way_sec))),
            minutes(score.held_up_instance_min),
        ),
        ("cost".to_owned(), minutes(score.cost_instance_min)),
        ("cost of the best plain operator".to_owned(), minutes(score.best_cost_instance_min)),
        ("score".to_owned(), format!("{} of 100", number(score.points))),
    ] {
        table.row([what, value]);
    }
    table
}

fn lesson(drill: &DrillReport) -> maud::Markup {
    html! {
        @if let Some(lesson) = &drill.lesson {
            p { (safe(lesson.trains.raw())) }
            p { strong { "A good operator: " } (safe(lesson.good_operator.raw())) }
            p { "Difficulty " (lesson.difficulty) " of 5." }
        }
    }
}

fn policy(drill: &DrillReport) -> Table {
    let mut table = Table::new("The rollout’s parameters, as requested", &["parameter"], &["value"]);
    if let Ok(Value::Object(policy)) = serde_json::to_value(&drill.policy) {
        for (key, value) in &policy {
            table.row([name(key), says(key, value)]);
        }
    }
    table
}

fn provenance(drill: &DrillReport) -> Section {
    let mut more = vec![("replicate", drill.replicate.to_string())];
    if let Some(surprise) = &drill.surprise {
        more.push(("drawn as a surprise", surprise.file.to_string()));
        if let Some(command) = surprise.again(drill.replicate) {
            more.push(("to draw it again", command));
        }
    }
    Provenance {
        scenario: &drill.scenario,
        schema: drill.schema.raw(),
        command: drill.command.raw(),
        seed: drill.seed,
        replicates: None,
        confidence: None,
        more,
    }
    .section()
}

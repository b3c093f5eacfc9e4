//! The record of a drill: one replicate and one person, so it says what a decision did there, and what others would
//! have done.

use super::facts::Facts;
use super::phrases::{self, one_line, percent, time};
use super::{Category, Learning, LearningError};
use dryroll_report::model::drill::DrillReport;
use dryroll_report::model::drill::{Counterfactual, DecisionMade, in_words};
use dryroll_report::words::plural;
use dryroll_study::study::Policy;

/// From this score on what was decided was about as good as could be.
const GOOD: f64 = 80.0;
/// Below it other decisions would have cost less than half.
const BAD: f64 = 50.0;

/// What is made of it.
struct Lesson {
    category: Category,
    title: String,
    advice: String,
    tags: &'static [&'static str],
}

pub(super) fn learning(report: &DrillReport) -> Result<Learning, LearningError> {
    if report.plan.total_instances == 0 {
        return Err(LearningError::Lacks("plan.total_instances"));
    }
    let policy = walked(report);
    let lesson = lesson(report, &policy);
    let scenario = &report.scenario;
    let planned = u64::from(report.plan.total_instances);
    let window = time(policy.health_timeout_sec.as_secs_f64());
    let plan = format!(
        "{}: {} × {} × {window} health window.",
        phrases::fleet(scenario, planned),
        phrases::batches(&policy),
        plural(u64::from(report.plan.batch_count), "batch", "batches")
    );
    let content = [
        plan,
        decided(report),
        figures(report),
        others(report),
        lesson.advice,
        "One drill is one replicate and one person: it shows what a decision can do, not how often.".to_owned(),
        phrases::evidence(scenario, report.seed, &format!("replicate {}", report.replicate), report.command.raw()),
        facts(report, &policy).to_string(),
    ];
    let mut tags = phrases::tags(scenario, planned, "drill");
    tags.push(phrases::tag(report.version.raw()));
    tags.extend(phrases::policy_tags(&policy));
    tags.push(phrases::tag(report.outcome.raw()));
    tags.extend(lesson.tags.iter().map(|tag| (*tag).to_owned()));
    Ok(Learning {
        title: one_line(&format!("{} drill — {}", phrases::module(scenario), lesson.title)),
        category: lesson.category.name().into(),
        content: content.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        tags: phrases::tidy(tags),
    })
}

/// The policy as the person left it.
fn walked(report: &DrillReport) -> Policy {
    let mut policy = report.policy.clone();
    for edit in &report.decisions {
        if edit.batch_pct.is_some() {
            for key in ["batches", "growth"] {
                policy.beyond.remove(key);
            }
        }
        policy.batch_pct = edit.batch_pct.or(policy.batch_pct);
        policy.max_consecutive_failures = edit.max_consecutive_failures.or(policy.max_consecutive_failures);
    }
    policy
}

fn on_trips(report: &DrillReport) -> impl Iterator<Item = &DecisionMade> {
    report.decisions.iter().filter(|made| made.asked == "rolling_upgrade_continuation")
}

fn decided(report: &DrillReport) -> String {
    let truth = if report.truth.defective { "A defective version" } else { "A sound version" };
    let made: Vec<String> = report
        .decisions
        .iter()
        .map(|made| format!("{} after {}", one_line(&made.says()), time(made.took_sec)))
        .collect();
    let made = if made.is_empty() { "nothing was decided".to_owned() } else { made.join(", then ") };
    let trips = plural(u64::from(report.debrief.trips), "circuit breaker trip", "circuit breaker trips");
    format!("{truth}; {trips}; decided: {made}; ended as {}.", report.outcome)
}

fn figures(report: &DrillReport) -> String {
    let debrief = &report.debrief;
    let mut said = vec![format!("It took {}", time(debrief.duration_sec))];
    if let Some(detect) = debrief.time_to_detect_sec {
        said.push(format!("{} from the first upgrade to the trip", time(detect)));
    }
    if let (Some(stop), None) = (debrief.time_to_stop_sec, debrief.time_to_mitigate_sec) {
        said.push(format!("{} from there until nothing more was upgraded", time(stop)));
    }
    if let (Some(all), Some(person), Some(engine)) =
        (debrief.time_to_mitigate_sec, debrief.mitigate_person_sec, debrief.mitigate_engine_sec)
    {
        said.push(format!(
            "{} from there to the end of the rollback ({} the person's, {} the engine's)",
            time(all),
            time(person),
            time(engine)
        ));
    }
    said.push(format!(
        "{} of {} exposed ({}), {} harmed{}",
        debrief.exposed_instances,
        report.plan.total_instances,
        percent(debrief.exposed_pct),
        debrief.harmed_instances,
        debrief.harmed_pct.map_or_else(String::new, |pct| format!(" ({})", percent(pct)))
    ));
    said.push(format!("score {:.0} of 100", report.score.points));
    format!("{}.", said.join(", "))
}

/// The other decisions that would have cost least and most.
fn others(report: &DrillReport) -> String {
    let on_the_way = report.counterfactuals.iter().filter(|other| {
        let made = other.decision.and_then(|number| report.decisions.get(number.checked_sub(1)?));
        made.is_some_and(|made| made.asked == "rolling_upgrade_continuation" || made.is_of_promotion())
    });
    let by_score = |a: &&Counterfactual, b: &&Counterfactual| a.score.total_cmp(&b.score);
    let (best, worst) = (on_the_way.clone().max_by(by_score), on_the_way.min_by(by_score));
    let said = |other: &Counterfactual| format!("{} would have scored {:.0}", one_line(&other.says), other.score);
    match (best, worst) {
        (Some(best), Some(worst)) if best != worst => {
            format!("In the same replicate {}, and {}.", said(best), said(worst))
        }
        (Some(best), _) => format!("In the same replicate {}.", said(best)),
        _ => String::new(),
    }
}

fn lesson(report: &DrillReport, policy: &Policy) -> Lesson {
    let said = phrases::policy(policy, &[]);
    let best = format!(
        "In this replicate the least cost had: {} ({:.0} against {:.0} instance-minutes).",
        one_line(&report.score.best_says),
        report.score.best_cost_instance_min,
        report.score.cost_instance_min
    );
    let points = report.score.points;
    let on_trips: Vec<_> = on_trips(report).map(|made| in_words(made.decide.raw())).collect();
    let trips = if on_trips.len() == 1 { "a trip".to_owned() } else { format!("{} trips", on_trips.len()) };
    let decided = (!on_trips.is_empty()).then(|| on_trips.join(", then "));
    let kind = if report.truth.defective { "a bad version" } else { "a sound version" };
    match (report.outcome.raw(), decided) {
        ("rejected" | "expired" | "blocked", _) => Lesson {
            category: Category::Fact,
            title: format!("{}: nothing was rolled out", report.outcome),
            advice: "It shows nothing about the version or the policy.".into(),
            tags: &["approval"],
        },
        ("rollback_failed", _) => Lesson {
            category: Category::FailureMode,
            title: "the rollback found nothing to go back to".into(),
            advice: format!("{best} Recommend keeping the previous version available, and looking before deciding."),
            tags: &["rollback", "circuit-breaker"],
        },
        ("stalled", _) => Lesson {
            category: Category::FailureMode,
            title: format!("stalled with {said}"),
            advice: "Look first at the reconciler and at who answers requests.".into(),
            tags: &["stalled"],
        },
        (_, None) if report.truth.defective => Lesson {
            category: Category::FailureMode,
            title: format!("a bad version reached {} without a trip with {said}", percent(report.debrief.exposed_pct)),
            advice: match report.decisions.iter().any(DecisionMade::is_of_promotion) {
                true => best,
                false => format!(
                    "{best} Without a trip the engine asks for no decision: change the plan before the approval."
                ),
            },
            tags: &["circuit-breaker", "escape"],
        },
        (_, None) => Lesson {
            category: Category::Discovery,
            title: format!("{} without a trip with {said}", report.outcome),
            advice: "Nothing was asked on the way, so it decides nothing about how trips are met.".into(),
            tags: &["no-trip"],
        },
        (_, Some(decided)) => {
            let category = match points {
                points if points >= GOOD => Category::Pattern,
                points if points < BAD => Category::AntiPattern,
                _ => Category::Discovery,
            };
            Lesson {
                category,
                title: format!("{decided} on {trips} of {kind}, score {points:.0}"),
                advice: best,
                tags: if report.truth.defective {
                    &["circuit-breaker", "drill"]
                } else {
                    &["circuit-breaker", "false-trip", "drill"]
                },
            }
        }
    }
}

fn facts(report: &DrillReport, policy: &Policy) -> Facts {
    let mut facts = Facts::of_replicate("drill", &report.scenario, report.seed, report.replicate);
    let (planned, batches) = (u64::from(report.plan.total_instances), u64::from(report.plan.batch_count));
    facts.add_rollout(planned, report.version.raw(), report.truth.defective, policy, batches);
    facts.add("outcome", &report.outcome);
    facts.add("trips", report.debrief.trips);
    facts.add_figure("duration_sec", Some(report.debrief.duration_sec));
    facts.add_figure("harmed_pct", report.debrief.harmed_pct);
    facts.add("score", format!("{:.0}", report.score.points));
    for made in &report.decisions {
        facts.add("decision", format!("{}@{}ms", made.decide, made.at_ms));
    }
    facts
}

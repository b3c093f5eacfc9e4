//! The record of a comparison: which of two policies is better, in what, and by how much.

use super::facts::Facts;
use super::phrases;
use super::sweep::replicates;
use super::{Category, Learning, LearningError};
use dryroll_report::judge::better::Better;
use dryroll_report::model::{CompareReport, Comparison, Contrast};
use dryroll_report::words::completed::does;
use dryroll_report::words::{Unit, called, plural};
use dryroll_study::study::Policy;

/// What a good version's rollout is judged by, and a bad one's.
const OF_GOOD: [&str; 2] = ["duration_sec", "false_trip_rate"];
const OF_BAD: [&str; 3] = ["blast_radius_pct", "escape_rate", "unhealthy_instance_min"];

struct Judged<'a> {
    version: &'a Comparison,
    contrast: &'a Contrast,
    better: Better,
}

pub(super) fn learning(report: &CompareReport) -> Result<Learning, LearningError> {
    let judged: Vec<Judged<'_>> = report
        .comparisons
        .iter()
        .flat_map(|version| {
            let names: &[&str] = if version.defective { &OF_BAD } else { &OF_GOOD };
            let of = |contrast: &&Contrast| names.contains(&contrast.metric.name()) && contrast.n > 0;
            let judge = move |contrast| Judged { version, contrast, better: Better::of(contrast, version.defective) };
            version.metrics.iter().filter(of).map(judge)
        })
        .collect();
    if judged.is_empty() {
        return Err(LearningError::Lacks("comparisons[].metrics"));
    }
    let [a, b] = &report.policies;
    let keys = Policy::differing(&report.policies);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (say_a, say_b) = (phrases::policy(a, &keys), phrases::policy(b, &keys));
    let wins = |side: Better| judged.iter().filter(|one| one.better == side).count();
    let (a_wins, b_wins) = (wins(Better::A), wins(Better::B));
    let (good, bad) =
        (report.comparisons.iter().any(|one| !one.defective), report.comparisons.iter().any(|one| one.defective));
    let scenario = &report.scenario;
    let (module, fleet) = (phrases::module(scenario), phrases::fleet(scenario, 0));
    let one_sided = "No policy is recommended by this alone: ";
    let (category, what, advice, advised, tag) = match (a_wins, b_wins) {
        (0, 0) => (
            Category::Discovery,
            format!("{say_a} and {say_b} do not differ beyond chance"),
            format!(
                "In {} neither is surely better, so recommend neither.",
                plural(report.replicates, "replicate", "replicates")
            ),
            a,
            "undecided",
        ),
        (0, _) | (_, 0) => {
            let (winner, said, other, letter) =
                if a_wins > 0 { (a, &say_a, &say_b, "A") } else { (b, &say_b, &say_a, "B") };
            let stops = report.comparisons.iter().flat_map(|one| &one.completed);
            let stops = stops.map(|both| &both[usize::from(letter == "B")]);
            let stops = stops.filter(|completed| completed.enough != Some(true)).find_map(does);
            let (category, advice) = match (good, bad) {
                _ if stops.is_some() => (
                    Category::Discovery,
                    format!("{one_sided}{letter} {}.", phrases::plain(&stops.unwrap_or_default())),
                ),
                (true, true) => (
                    Category::BestPractice,
                    format!(
                        "Recommend {said} over {other} for this fleet and these failure rates: in what a rollout is \
                         judged by, {letter} is surely better in {} and surely worse in none.",
                        a_wins.max(b_wins)
                    ),
                ),
                (true, false) => (Category::Discovery, format!("{one_sided}no bad version was compared.")),
                _ => (Category::Discovery, format!("{one_sided}no good version was compared.")),
            };
            (category, format!("{said} is better than {other}"), advice, winner, "paired-comparison")
        }
        _ => (
            Category::Discovery,
            format!("{say_a} against {say_b}: each is better in something"),
            format!(
                "{one_sided}A is better in {a_wins} and B in {b_wins}; what the one costs and the other saves is a \
                 question of limits, which `dryroll tune` takes."
            ),
            a,
            "trade-off",
        ),
    };
    let warned = report.warnings.iter().map(|warning| format!("Of good rollouts: {}.", phrases::plain(warning)));
    let warned: Vec<String> = warned.map(|warning| phrases::one_line(&warning)).collect();
    let content = [
        format!(
            "{fleet}: A is {say_a}, B is {say_b}, both on the same {}.",
            plural(report.replicates, "replicate", "replicates")
        ),
        judged.iter().map(sentence).collect::<Vec<_>>().join(" "),
        warned.join(" "),
        advice,
        "The intervals of the differences hold together with 95%, for this scenario's failure rates.".to_owned(),
        phrases::evidence(scenario, report.seed, &replicates(report.replicates), report.command.raw()),
        facts(report, advised, &judged, category == Category::BestPractice).to_string(),
    ];
    let mut tags = phrases::tags(scenario, 0, "compare");
    tags.extend(phrases::policy_tags(advised));
    tags.extend(report.comparisons.iter().map(|one| phrases::tag(one.version.raw())));
    tags.extend(["batch-sizing".to_owned(), tag.to_owned()]);
    Ok(Learning {
        title: phrases::one_line(&format!("{module} rolling upgrade — {what} ({fleet})")),
        category: category.name().into(),
        content: content.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        tags: phrases::tidy(tags),
    })
}

fn sentence(judged: &Judged<'_>) -> String {
    let Judged { version, contrast, better } = judged;
    let unit = Unit::of_measure(contrast.metric);
    let name = called(contrast.metric.name());
    let of = version.version.to_string();
    let value = |value: Option<f64>| phrases::plain(&unit.say_or_nothing(value));
    if let (Some(exact), Some(a), Some(b)) = (contrast.exact, contrast.exact_a, contrast.exact_b) {
        let difference = phrases::plain(&unit.say_difference(exact));
        let both = format!("{} with A and {} with B, exactly", value(Some(a)), value(Some(b)));
        return format!("{of}, {name}: {both} (B − A {difference}), {}.", better.word());
    }
    let both = format!("{} with A and {} with B", value(contrast.a), value(contrast.b));
    let difference = match (contrast.difference, contrast.simultaneous_ci.or(contrast.ci)) {
        (Some(difference), Some(ci)) if *better != Better::Same => phrases::plain(&format!(
            " (B − A {}, interval {}, n = {})",
            unit.say_difference(difference),
            unit.say_difference_interval(Some(ci)),
            contrast.n
        )),
        _ => format!(" (n = {})", contrast.n),
    };
    format!("{of}, {name}: {both}{difference}, {}.", better.word())
}

fn facts(report: &CompareReport, advised: &Policy, judged: &[Judged<'_>], recommended: bool) -> Facts {
    let mut facts = Facts::of_replicates("compare", &report.scenario, report.seed, report.replicates);
    facts.add("recommended", if recommended { "yes" } else { "no" });
    facts.add_policy(advised);
    if report.policies.iter().any(|policy| policy.order != advised.order) && facts.get("order").is_none() {
        facts.add("order", advised.order.name());
    }
    let first = advised == &report.policies[0];
    for one in judged {
        let name = format!("{}_of_{}", one.contrast.metric, phrases::tag(one.version.version.raw()));
        facts.add_figure(&name, if first { one.contrast.a } else { one.contrast.b });
    }
    facts
}

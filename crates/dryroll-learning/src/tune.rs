//! The record of a search: the policy that it recommends, why, which policies are as good, and what would change
//! it.

use super::facts::Facts;
use super::phrases::{self, estimate, one_line};
use super::sweep::replicates;
use super::{Category, Learning, LearningError};
use dryroll_report::judge::conditional::beside;
use dryroll_report::model::{Evidence, LimitCheck, Recommended, Standing, TuneReport};
use dryroll_report::words::{Unit, called, plural};
use dryroll_study::study::Policy;

pub(super) fn learning(report: &TuneReport) -> Result<Learning, LearningError> {
    if report.candidates.is_empty() {
        return Err(LearningError::Lacks("candidates"));
    }
    let scenario = &report.scenario;
    let (module, fleet) = (phrases::module(scenario), phrases::fleet(scenario, 0));
    let (category, what, finding) = match &report.recommended {
        Some(best) => found(report, best),
        None => none(report),
    };
    let content = [
        format!("{fleet}: {finding}"),
        standings(report),
        spread(report),
        sensitivity(report),
        format!(
            "Each interval holds for its number alone; that a limit holds or a policy is slower is decided for all of \
             them together with 95%, {}.",
            if report.posterior.is_some() {
                "on average over what the calibration leaves open"
            } else {
                "for this scenario's failure rates"
            }
        ),
        posterior(report),
        phrases::evidence(scenario, report.seed, &replicates(report.replicates), report.command.raw()),
        facts(report).to_string(),
    ];
    let mut tags = phrases::tags(scenario, 0, "tune");
    if let Some(best) = &report.recommended {
        tags.extend(phrases::policy_tags(&best.policy));
    }
    tags.push(phrases::tag(report.good.raw()));
    tags.extend(report.defective.iter().map(|version| phrases::tag(version.raw())));
    tags.extend(["batch-sizing".to_owned(), if report.decided { "decided" } else { "undecided" }.to_owned()]);
    Ok(Learning {
        title: one_line(&format!("{module} rolling upgrade — {what} ({fleet})")),
        category: category.name().into(),
        content: content.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        tags: phrases::tidy(tags),
    })
}

fn limits(report: &TuneReport) -> String {
    let said: Vec<String> = report.limits.iter().map(|limit| one_line(&limit.says)).collect();
    if said.is_empty() { "without a limit".into() } else { format!("within {}", said.join(" and ")) }
}

/// A policy of a search, by what its candidates differ in.
pub(super) fn said(report: &TuneReport, policy: &Policy) -> String {
    let keys = Policy::differing(report.candidates.iter().map(|candidate| &candidate.policy));
    phrases::policy(policy, &keys.iter().map(String::as_str).collect::<Vec<_>>())
}

fn found(report: &TuneReport, best: &Recommended) -> (Category, String, String) {
    let policy = said(report, &best.policy);
    let Evidence { objective, limits: checks, replicates, .. } = &best.evidence;
    let goal = called(report.minimise.name());
    let (category, what, advice) = if report.decided {
        (
            Category::BestPractice,
            format!("{policy} has the least {goal} {}", limits(report)),
            format!(
                "Recommend {policy} for this fleet, these failure rates and these limits; for others search again."
            ),
        )
    } else {
        (
            Category::Discovery,
            format!("{policy} is within the limits, the best is undecided"),
            format!(
                "Its limits surely hold, but it is undecided whether it is the best: recommend {policy} as one that \
                 holds, and allow more replicates before it is called the best."
            ),
        )
    };
    let held: Vec<String> = checks.iter().map(|one| check(one, *replicates)).collect();
    let held = if held.is_empty() { String::new() } else { format!(" {}.", held.join("; ")) };
    let tried = plural(report.candidates.len() as u64, "policy", "policies");
    let (good, goal_is) = (report.good.to_string(), estimate(report.minimise.name(), objective));
    let (within, mean) = (limits(report), format!("mean {goal} of {good}: {goal_is}"));
    let finding = if report.decided {
        format!("of {tried}, {policy} has the least {goal} {within}. With it, {mean}.{held} {advice}")
    } else {
        format!("of {tried}, {policy} is one {within}. With it, {mean}.{held} {advice}")
    };
    (category, what, finding)
}

fn check(check: &LimitCheck, replicates: u64) -> String {
    let name = check.metric.name();
    let holds = match check.holds {
        Some(true) => "surely holds",
        Some(false) => "surely does not hold",
        None => "is undecided",
    };
    let of = beside(check.metric.name(), check.observed.n, replicates);
    let observed = match (check.observed.exact, check.bound) {
        (Some(exact), Some(bound)) => format!("{}, exactly", phrases::plain(&Unit::of(name).say_against(exact, bound))),
        _ => estimate(name, &check.observed),
    };
    format!("{} {holds} for {}: {observed}{}", one_line(&check.limit), check.version, phrases::plain(&of))
}

fn none(report: &TuneReport) -> (Category, String, String) {
    let tried = plural(report.candidates.len() as u64, "policy", "policies");
    let binding = report
        .binding
        .as_deref()
        .map(|binding| format!(" Binding limit: {}.", one_line(binding).trim_end_matches('.')));
    let binding = binding.unwrap_or_default();
    if report.decided {
        return (
            Category::FailureMode,
            format!("none of {tried} is {}", limits(report)),
            format!(
                "none of {tried} is {}.{binding} Recommend none of them: other limits, another version or another \
                 health check are what is left.",
                limits(report)
            ),
        );
    }
    (
        Category::Discovery,
        format!("undecided whether any of {tried} is {}", limits(report)),
        format!(
            "no policy of {} is surely {}, and some are undecided.{binding} Recommend none before more replicates are \
             allowed.",
            report.candidates.len(),
            limits(report)
        ),
    )
}

fn standings(report: &TuneReport) -> String {
    let count = |standing| report.candidates.iter().filter(|one| one.standing == standing).count() as u64;
    let mut said = Vec::new();
    for (standing, one, many) in [
        (Standing::BreaksLimit, "policy surely breaks a limit", "policies surely break a limit"),
        (Standing::Slower, "is surely slower", "are surely slower"),
        (Standing::AsGood, "is as good", "are as good"),
        (Standing::Undecided, "is undecided", "are undecided"),
    ] {
        let n = count(standing);
        if n > 0 {
            said.push(plural(n, one, many));
        }
    }
    if said.is_empty() {
        return String::new();
    }
    let mut stopping = report.candidates.iter().filter_map(|one| Some((one, one.gives_up.as_ref()?)));
    let stopping = match stopping.next() {
        Some((one, does)) => format!(
            " Too few good rollouts complete with {}: {} {}.",
            plural(1 + stopping.count() as u64, "policy", "policies"),
            self::said(report, &one.policy),
            phrases::plain(does)
        ),
        None => String::new(),
    };
    format!("Of the others {}.{stopping}", said.join(", "))
}

/// What was known of the rates, and what more history would save.
fn posterior(report: &TuneReport) -> String {
    let Some(posterior) = &report.posterior else { return String::new() };
    let versions: Vec<String> = posterior
        .versions
        .iter()
        .map(|one| {
            let (failure, hang) = (&one.failure_rate, &one.hang_rate);
            format!("{} failed {} and hung {} of {}", one.version, failure.hits, hang.hits, hang.n)
        })
        .collect();
    let rollouts = plural(posterior.calibration.rollouts, "real rollout", "real rollouts");
    let point = one_line(&posterior.point.says);
    format!(
        "Rates are those of {rollouts}, as far as the logs show: {}. Here {point}. {}",
        versions.join("; "),
        one_line(&posterior.says)
    )
}

/// How rollouts differ among themselves, and where the order of the plan is a lever.
fn spread(report: &TuneReport) -> String {
    let said = report.spread.iter().map(|spread| &spread.says).chain(&report.spread_notes);
    said.map(|says| phrases::plain(&one_line(says))).collect::<Vec<_>>().join(" ")
}

fn sensitivity(report: &TuneReport) -> String {
    let said = report.sensitivity.iter().map(|one| &one.says).chain(report.keeps.as_ref().map(|keeps| &keeps.says));
    let said = said.map(|says| one_line(says));
    let said = said.collect::<Vec<_>>().join("; ");
    if said.is_empty() { said } else { format!("{}: {said}.", report.supposes()) }
}

fn facts(report: &TuneReport) -> Facts {
    let mut facts = Facts::of_replicates("tune", &report.scenario, report.seed, report.replicates);
    facts.add("good", &report.good);
    facts.add_some("worst", report.worst.as_ref());
    facts.add("decided", if report.decided { "yes" } else { "no" });
    facts.add("minimise", report.minimise.name());
    facts.add_some("calibration", report.posterior.as_ref().map(|posterior| &posterior.calibration.hash));
    let Some(best) = &report.recommended else {
        facts.add("recommended", "none");
        return facts;
    };
    facts.add("recommended", "yes");
    facts.add_policy(&best.policy);
    facts.add_figure(report.minimise.name(), best.evidence.objective.best());
    facts.add_interval(&format!("{}_ci", report.minimise.name()), best.evidence.objective.ci);
    facts.add_figure("blast_radius_pct", best.evidence.blast_radius_pct.best());
    facts.add_interval("blast_radius_pct_ci", best.evidence.blast_radius_pct.ci);
    facts.add_figure("harmed_pct", best.evidence.harmed_pct.value);
    facts.add_interval("harmed_pct_ci", best.evidence.harmed_pct.ci);
    facts
}

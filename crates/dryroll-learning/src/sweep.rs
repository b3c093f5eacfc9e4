//! The record of a sweep: of all its policies the one that its own rule picks, with the rule, and what the others did.
//!
//! A sweep has no limits of its own. So the rule is said in the record: of the policies whose interval of false trips
//! ends at [`FALSE_TRIPS`] or below, the one whose worst defective version gets least far; with equal reach the faster
//! one.

use super::facts::Facts;
use super::phrases::{self, mean, share};
use super::{Category, Learning, LearningError};
use dryroll_report::model::{Cell, SweepReport};
use dryroll_report::words::completed::does;
use dryroll_report::words::plural;
use dryroll_sim::scenario::{Metric, Rate};
use dryroll_study::study::completed::Completed;
use dryroll_study::study::{Figure, Policy, Share};

/// A false alarm in twenty good rollouts: beyond, people stop believing it.
const FALSE_TRIPS: f64 = 0.05;

/// A policy with its cells.
struct Tried<'a> {
    policy: &'a Policy,
    /// The good version that trips most, and the bad one that gets furthest.
    good: Option<&'a Cell>,
    bad: Option<&'a Cell>,
    /// Whether enough rollouts of each good version complete.
    completed: Vec<Completed>,
}

impl<'a> Tried<'a> {
    fn of(cells: &[&'a Cell]) -> Option<Self> {
        let (bad, good): (Vec<&Cell>, Vec<&Cell>) = cells.iter().copied().partition(|cell| cell.defective);
        let most = |cells: Vec<&'a Cell>, value: fn(&Cell) -> f64| {
            cells.into_iter().max_by(|a, b| value(a).total_cmp(&value(b)))
        };
        Some(Self {
            completed: cells.iter().filter_map(|cell| cell.good_rollouts()).collect(),
            policy: &cells.first()?.policy,
            good: most(good, |cell| false_trips(cell).and_then(|trips| trips.rate).unwrap_or(0.0)),
            bad: most(bad, |cell| blast(cell).and_then(|blast| blast.mean).unwrap_or(0.0)),
        })
    }

    /// Whether it trips few good rollouts by its interval; where there is no good version, nothing speaks against it.
    fn trips_few(&self) -> bool {
        let Some(good) = self.good else { return true };
        false_trips(good).and_then(|trips| trips.claim).is_some_and(|claim| claim.high <= FALSE_TRIPS)
    }

    /// Whether too few good rollouts complete with it: then it is not recommended, and not the fastest.
    fn gives_up(&self) -> bool {
        self.completed.iter().any(|completed| completed.enough == Some(false))
    }

    /// What it does to good rollouts, where that is too much.
    fn stops(&self) -> Option<String> {
        self.completed.iter().filter(|completed| completed.enough == Some(false)).find_map(does)
    }

    fn reach(&self) -> f64 {
        self.bad.and_then(blast).and_then(|blast| blast.mean).unwrap_or(0.0)
    }

    fn duration(&self) -> f64 {
        self.good.and_then(duration).and_then(|duration| duration.mean).unwrap_or(f64::INFINITY)
    }
}

fn false_trips(cell: &Cell) -> Option<&Share> {
    cell.metrics.share(Rate::FalseTrip).filter(|share| share.n > 0)
}

fn trips(cell: &Cell) -> Option<&Share> {
    cell.metrics.share(Rate::Trip).filter(|share| share.n > 0)
}

fn blast(cell: &Cell) -> Option<&Figure> {
    cell.metrics.figure(Metric::BlastRadiusPct).filter(|figure| figure.n > 0)
}

fn harmed(cell: &Cell) -> Option<&Figure> {
    cell.metrics.figure(Metric::HarmedPct).filter(|figure| figure.n > 0)
}

fn duration(cell: &Cell) -> Option<&Figure> {
    cell.metrics.figure(Metric::DurationSec).filter(|figure| figure.n > 0)
}

pub(super) fn learning(report: &SweepReport) -> Result<Learning, LearningError> {
    let per_policy = report.versions.len().max(1);
    let tried: Vec<Tried<'_>> =
        report.cells.chunks(per_policy).filter_map(|cells| Tried::of(&cells.iter().collect::<Vec<_>>())).collect();
    let better =
        |a: &&Tried<'_>, b: &&Tried<'_>| a.reach().total_cmp(&b.reach()).then(a.duration().total_cmp(&b.duration()));
    let few: Vec<&Tried<'_>> = tried.iter().filter(|one| one.trips_few() && !one.gives_up()).collect();
    let best = few.iter().copied().min_by(better);
    let least = tried.iter().min_by(|a, b| {
        let rate = |one: &Tried<'_>| one.good.and_then(false_trips).and_then(|trips| trips.rate).unwrap_or(0.0);
        a.gives_up().cmp(&b.gives_up()).then(rate(a).total_cmp(&rate(b))).then_with(|| better(a, b))
    });
    let Some(shown) = best.or(least) else { return Err(LearningError::Lacks("cells")) };
    let keys: Vec<&str> =
        report.axes.iter().map(|axis| axis.key.strip_prefix("rollout.").unwrap_or(&axis.key)).collect();
    let policy = phrases::policy(shown.policy, &keys);
    let scenario = &report.scenario;
    let module = phrases::module(scenario);
    let fleet = phrases::fleet(scenario, 0);
    let judged = judgement(&tried, &few, best, &policy);
    let studied = format!(
        "{fleet}: {} × {}, {} each, on the same replicates.",
        plural(tried.len() as u64, "policy", "policies"),
        plural(report.versions.len() as u64, "version", "versions"),
        report.replicates_say("replicate", "replicates")
    );
    let content = [
        studied,
        format!("With {policy}: {}.", figures(shown)),
        others(&tried, shown, &keys),
        judged.advice,
        given_up(&tried, &keys),
        "Each interval holds for its number alone, and all of it for this scenario's failure rates; `dryroll tune` \
         decides by limits of your own."
            .to_owned(),
        phrases::evidence(scenario, report.seed, &replicates(report.replicates), report.command.raw()),
        facts(report, shown, best.is_some()).to_string(),
    ];
    let mut tags = phrases::tags(scenario, 0, "sweep");
    tags.extend(phrases::policy_tags(shown.policy));
    tags.extend(report.versions.iter().map(|version| phrases::tag(version.raw())));
    tags.extend(["batch-sizing".to_owned(), judged.tag.to_owned()]);
    Ok(Learning {
        title: phrases::one_line(&format!("{module} rolling upgrade — {} ({fleet})", judged.title)),
        category: judged.category.name().into(),
        content: content.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        tags: phrases::tidy(tags),
    })
}

/// `replicates 0 to 999`
pub(super) fn replicates(replicates: u64) -> String {
    match replicates {
        0 => "no replicate".to_owned(),
        1 => "replicate 0".to_owned(),
        n => format!("replicates 0 to {}", n - 1),
    }
}

struct Judgement {
    category: Category,
    title: String,
    advice: String,
    tag: &'static str,
}

fn judgement(tried: &[Tried<'_>], few: &[&Tried<'_>], best: Option<&Tried<'_>>, policy: &str) -> Judgement {
    let no_good = tried.iter().all(|one| one.good.is_none());
    let most = phrases::percent(FALSE_TRIPS * 100.0);
    let Some(best) = best else {
        return Judgement {
            category: Category::FailureMode,
            title: match tried.len() {
                1 => format!("{policy} trips too many good rollouts"),
                n => format!("of {n} policies none is known to trip at most {most} of good rollouts"),
            },
            advice: format!(
                "The interval of false trips ends above {most} for every policy, so recommend none of them as it is: \
                 more replicates may narrow it, a higher limit trips less."
            ),
            tag: "false-trip",
        };
    };
    if no_good {
        return Judgement {
            category: Category::Discovery,
            title: format!("how far bad versions get with {policy}"),
            advice: "No good version was swept, so nothing is known of false trips, and no policy is recommended."
                .into(),
            tag: "blast-radius",
        };
    }
    if best.bad.is_none() {
        return Judgement {
            category: Category::Discovery,
            title: format!("{policy} is the fastest of {} on good versions", tried.len()),
            advice: format!(
                "It is the fastest of {} whose interval of false trips ends at {most} or below. No bad version was \
                 swept, so how far one would get is not known, and no policy is recommended.",
                few.len()
            ),
            tag: "duration",
        };
    }
    let interval = best.bad.and_then(blast).and_then(|blast| blast.ci);
    let close = few.iter().filter(|other| {
        let ci = other.bad.and_then(blast).and_then(|blast| blast.ci);
        !std::ptr::eq(**other, best)
            && matches!((interval, ci), (Some(ours), Some(theirs)) if theirs.low <= ours.high && ours.low <= theirs.high)
    });
    let close = match close.count() as u64 {
        0 => String::new(),
        n => format!(" {} from it beyond chance.", plural(n, "other does not differ", "others do not differ")),
    };
    Judgement {
        category: Category::BestPractice,
        title: match tried.len() {
            1 => format!("with {policy} few good rollouts trip, and bad ones reach {}", phrases::percent(best.reach())),
            n => format!("{policy} is the safest of {n} policies"),
        },
        advice: format!(
            "Recommend {policy} for this fleet and these failure rates: of {} whose interval of false trips ends at \
             {most} or below, it lets the worst bad version reach least.{close}",
            plural(few.len() as u64, "policy", "policies")
        ),
        tag: "blast-radius",
    }
}

fn figures(shown: &Tried<'_>) -> String {
    let mut said = Vec::new();
    if let Some(good) = shown.good {
        let version = good.version.to_string();
        if let Some(trips) = false_trips(good) {
            said.push(format!("false trips of {version} {}", share(trips)));
        }
        if let Some(duration) = duration(good) {
            said.push(format!("its mean duration {}", mean("duration_sec", duration)));
        }
    }
    if let Some(bad) = shown.bad {
        let version = bad.version.to_string();
        if let Some(blast) = blast(bad) {
            said.push(format!("mean blast radius of {version} {}", mean("blast_radius_pct", blast)));
        }
        if let Some(harmed) = harmed(bad) {
            said.push(format!("it harms {}", mean("harmed_pct", harmed)));
        }
        if let Some(trips) = trips(bad) {
            said.push(format!("it trips in {}", share(trips)));
        }
    }
    if said.is_empty() { "no figure".into() } else { said.join("; ") }
}

/// The fastest of all, where it is another: what speed would cost.
fn others(tried: &[Tried<'_>], shown: &Tried<'_>, keys: &[&str]) -> String {
    let fastest = tried.iter().filter(|one| one.duration().is_finite() && !one.gives_up());
    let fastest = fastest.min_by(|a, b| a.duration().total_cmp(&b.duration()));
    match fastest.filter(|fastest| !std::ptr::eq(*fastest, shown)) {
        Some(fastest) => format!("The fastest is {}: {}.", phrases::policy(fastest.policy, keys), figures(fastest)),
        None => String::new(),
    }
}

/// The policies that are out for the good rollouts that they stop.
fn given_up(tried: &[Tried<'_>], keys: &[&str]) -> String {
    let out: Vec<&Tried<'_>> = tried.iter().filter(|one| one.gives_up()).collect();
    match out.first() {
        Some(first) => format!(
            "{} for the good rollouts that {}: {} {}.",
            plural(out.len() as u64, "policy is out", "policies are out"),
            if out.len() == 1 { "it stops" } else { "they stop" },
            phrases::policy(first.policy, keys),
            phrases::plain(&first.stops().unwrap_or_default())
        ),
        None => String::new(),
    }
}

fn facts(report: &SweepReport, shown: &Tried<'_>, fits: bool) -> Facts {
    let mut facts = Facts::of_replicates("sweep", &report.scenario, report.seed, report.replicates);
    let both = shown.good.is_some() && shown.bad.is_some();
    facts.add("recommended", if fits && both { "yes" } else { "no" });
    facts.add_policy(shown.policy);
    if let Some(good) = shown.good {
        facts.add("good", &good.version);
        if let Some(trips) = false_trips(good) {
            facts.add("false_trips", format!("{}/{}", trips.hits, trips.n));
            facts.add_figure("false_trip_rate_below", phrases::most(trips));
        }
        if let Some(duration) = duration(good) {
            facts.add_figure("duration_sec", duration.mean);
            facts.add_interval("duration_sec_ci", duration.ci);
            facts.add_figure("duration_sec_p99", duration.p99);
        }
    }
    if let Some(bad) = shown.bad {
        facts.add("worst", &bad.version);
        if let Some(blast) = blast(bad) {
            facts.add_figure("blast_radius_pct", blast.mean);
            facts.add_interval("blast_radius_pct_ci", blast.ci);
            facts.add_figure("blast_radius_pct_p99", blast.p99);
            facts.add_figure("harmed_pct", harmed(bad).and_then(|harmed| harmed.mean));
            facts.add_interval("harmed_pct_ci", harmed(bad).and_then(|harmed| harmed.ci));
        }
    }
    facts
}

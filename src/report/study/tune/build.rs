//! A tune report from a search and what it found.

use super::posterior::{PosteriorFindings, PosteriorReport};
use super::{
    Candidate, Estimate, Evidence, FrontPoint, Hint, LimitCheck, LimitText, Named, Recommended, Sensitivity, Standing,
    TuneReport,
};
use crate::report::conditional::beside;
use crate::report::replay;
use crate::report::study::ScenarioRef;
use crate::report::wording::{Unit, called, plural};
use crate::stats::Interval;
use crate::stats::moments::Moments;
use crate::stats::paired::interval_of_differences;
use crate::study::Policy;
use crate::study::sweep::CONFIDENCE;
use crate::study::tune::front::Point;
use crate::study::tune::hints::Judged;
use crate::study::tune::{Known, State, Tune, Tuned};

/// What a report is made of, beside the search itself.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Where every policy stands on the plane.
    pub points: Vec<Point>,
    /// The version of the plane's blast radius, by its place in the search.
    pub worst: Option<usize>,
    /// Other failure rates: the factor, the search, and what it found.
    pub sensitivity: Vec<(f64, Tuned)>,
    /// What other rules could do.
    pub hints: Vec<Judged>,
    /// Where the rates are not known.
    pub posterior: Option<PosteriorFindings>,
}

/// A recommended policy with which fewer good rollouts complete is warned of.
const FEWEST_COMPLETED: f64 = 0.9;

impl TuneReport {
    /// The report. `file` is the scenario's path, for the command that makes it again.
    #[must_use]
    pub fn new(tune: &Tune, file: &str, tuned: &Tuned, findings: &Findings) -> Self {
        let scenario = &tune.scenario;
        let id = |version: usize| tune.cells.scenarios[tune.cell(0, version)].target().id.clone();
        let policy = |place: usize| Policy::of(tune.policy(place));
        let evidence = |place: usize| evidence(tune, &tuned.policies[place], &findings.points[place]);
        let named = |state: State| matches!(state, State::Open | State::AsGood);
        let places = 0..tuned.policies.len();
        let undecided = places.clone().filter(|&place| named(tuned.policies[place].state)).map(|place| Named {
            policy: policy(place),
            why: why(tune, tuned, place),
            evidence: evidence(place),
        });
        let mut front: Vec<FrontPoint> = places
            .clone()
            .filter(|&place| findings.points[place].on_front != Some(false))
            .map(|place| FrontPoint {
                policy: policy(place),
                objective: estimate(&tuned.policies[place].goal),
                blast_radius_pct: of_point(findings.points[place].blast, findings.points[place].n),
                decided: findings.points[place].on_front == Some(true),
            })
            .collect();
        front.sort_by(|a, b| order(a.objective.value).total_cmp(&order(b.objective.value)));
        let candidates = places.map(|place| Candidate {
            policy: policy(place),
            standing: match tuned.policies[place].state {
                State::Incumbent => Standing::Recommended,
                State::Open | State::AsGood => Standing::Undecided,
                State::Slower => Standing::Slower,
                State::Breaks(_) => Standing::BreaksLimit,
            },
            why: why(tune, tuned, place),
            evidence: evidence(place),
            slower_by: Estimate {
                ci: interval_of_differences(&tuned.policies[place].slower_by, CONFIDENCE),
                ..estimate(&tuned.policies[place].slower_by)
            },
            on_front: findings.points[place].on_front,
        });
        Self {
            schema: "dryroll.tune/1".into(),
            scenario: ScenarioRef::of(scenario),
            seed: scenario.seed,
            command: replay::tune(
                file,
                scenario.seed,
                tune.replicates,
                tune.tolerance,
                findings.posterior.as_ref().map(|found| found.calibration.file.as_str()),
            ),
            replicates: tuned.replicates,
            rollouts: tuned.rollouts,
            confidence: CONFIDENCE,
            good: id(0),
            defective: (1..tune.versions()).map(id).collect(),
            worst: findings.worst.map(id),
            minimise: tune.minimise.name().into(),
            tolerance: tune.tolerance,
            limits: tune
                .limits
                .iter()
                .map(|limit| LimitText {
                    says: limit.says(),
                    metric: limit.spec.metric.name().into(),
                    versions: limit.versions.iter().map(|&version| id(version)).collect(),
                })
                .collect(),
            decided: tuned.decided,
            says: says(tune, tuned),
            recommended: tuned.incumbent.map(|place| Recommended { policy: policy(place), evidence: evidence(place) }),
            undecided: undecided.collect(),
            front,
            binding: tuned.incumbent.is_none().then(|| binding(tune, tuned)),
            candidates: candidates.collect(),
            sensitivity: findings.sensitivity.iter().map(|(factor, tuned)| sensitivity(tune, *factor, tuned)).collect(),
            hints: hints(&findings.hints, (1..tune.versions()).map(id).collect()),
            warnings: no_limit(tune)
                .into_iter()
                .chain(stopped_early(tune, tuned))
                .chain(findings.posterior.iter().flat_map(|found| found.calibration.warnings.clone()))
                .collect(),
            posterior: findings.posterior.as_ref().map(|found| PosteriorReport::new(tune, tuned, found)),
        }
    }
}

fn order(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::INFINITY)
}

fn estimate(moments: &Moments) -> Estimate {
    Estimate { value: moments.mean(), ci: moments.t_interval(CONFIDENCE), n: moments.n() }
}

fn of_point(found: Option<(f64, Option<Interval>)>, n: u64) -> Estimate {
    found.map_or_else(Estimate::default, |(mean, ci)| Estimate { value: Some(mean), ci, n })
}

fn evidence(tune: &Tune, known: &Known, point: &Point) -> Evidence {
    let limits = known.limits.iter().map(|held| LimitCheck {
        limit: tune.limits[held.limit].says(),
        metric: tune.limits[held.limit].spec.metric.name().into(),
        version: tune.cells.scenarios[tune.cell(0, held.version)].target().id.clone(),
        observed: Estimate { value: held.observed, ci: held.interval, n: held.n },
        holds: held.holds,
    });
    Evidence {
        replicates: known.replicates,
        objective: estimate(&known.goal),
        blast_radius_pct: of_point(point.blast, point.n),
        harmed_pct: of_point(point.harmed, point.n),
        limits: limits.collect(),
    }
}

/// Without a limit nothing stands against the largest batches.
fn no_limit(tune: &Tune) -> Option<String> {
    tune.limits.is_empty().then(|| {
        "[tune] has no limits, so nothing stands against large batches and high limits: add `limits`, such as \
         {metric = \"blast_radius_pct\", at_most = 25}"
            .to_owned()
    })
}

/// Least of anything is what a rollout that does not come far has.
fn stopped_early(tune: &Tune, tuned: &Tuned) -> Option<String> {
    let completed = tuned.completed.filter(|&share| share < FEWEST_COMPLETED)?;
    Some(format!(
        "a rollout that is stopped early {}: only {} of the good rollouts complete with the recommended policy; add or tighten a \
         limit on false_trip_rate or completed in [tune]",
        if Unit::of(tune.minimise.name()) == Unit::Seconds { "is short" } else { "costs little" },
        Unit::Share.say(completed)
    ))
}

/// A policy in a few words.
#[must_use]
pub fn short(policy: &Policy) -> String {
    format!("batch_pct {}, max_consecutive_failures {}", policy.batch_pct, policy.max_consecutive_failures)
}

/// Why a policy stands where it stands.
pub fn why(tune: &Tune, tuned: &Tuned, place: usize) -> String {
    let known = &tuned.policies[place];
    let unit = Unit::of(tune.minimise.name());
    let by = known.slower_by.mean().map(|mean| unit.say_difference(mean)).unwrap_or_default();
    match known.state {
        State::Incumbent => "the best of those whose limits surely hold".into(),
        State::AsGood => {
            let tolerance = Unit::Share.say(tune.tolerance);
            format!("as good as the recommended one, within {tolerance} ({by} in {} worlds)", known.slower_by.n())
        }
        State::Slower => format!("{} is {by}", called(tune.minimise.name())),
        State::Breaks(held) => known.limits.get(held).map_or_else(String::new, |held| {
            let limit = &tune.limits[held.limit];
            let version = &tune.cells.scenarios[tune.cell(0, held.version)].target().id;
            let name = limit.spec.metric.name();
            let seen = Unit::of(name).say_or_nothing(held.observed) + &beside(name, held.n, known.replicates);
            format!("{} does not hold for {version}: {seen}", limit.says())
        }),
        State::Open => {
            let limit = known.limits.iter().find(|held| held.holds.is_none());
            match limit {
                Some(held) => format!("whether {} holds is not decided", tune.limits[held.limit].says()),
                None => format!("not told apart from the recommended one: {by}"),
            }
        }
    }
}

fn says(tune: &Tune, tuned: &Tuned) -> String {
    let Some(place) = tuned.incumbent else {
        return match tuned.decided {
            true => "No policy meets the limits.".into(),
            false => "No policy surely meets the limits, and some are undecided: allow more worlds.".into(),
        };
    };
    let known = &tuned.policies[place];
    let unit = Unit::of(tune.minimise.name());
    let goal = format!("{} {}", called(tune.minimise.name()), unit.say_or_nothing(known.goal.mean()));
    let good = tuned.policies.iter().filter(|known| known.state == State::AsGood).count() as u64;
    let beside = match good {
        0 => String::new(),
        _ => {
            format!("; {} within {} of it", plural(good, "policy is", "policies are"), Unit::Share.say(tune.tolerance))
        }
    };
    let open = tuned.policies.iter().filter(|known| known.state == State::Open).count() as u64;
    let still = match open {
        0 => String::new(),
        _ => format!("; {} not told apart", plural(open, "policy is", "policies are")),
    };
    format!("{}: {goal}{beside}{still}.", short(&Policy::of(tune.policy(place))))
}

/// The limit that keeps most policies out; where none surely does, the one that is undecided for most.
fn binding(tune: &Tune, tuned: &Tuned) -> String {
    let of = |limit: usize, holds: Option<bool>| {
        let is_so = |known: &&Known| known.limits.iter().any(|held| held.limit == limit && held.holds == holds);
        tuned.policies.iter().filter(is_so).count()
    };
    let most = |holds: Option<bool>| {
        let counts = (0..tune.limits.len()).map(|limit| (limit, of(limit, holds)));
        counts.max_by_key(|&(limit, count)| (count, std::cmp::Reverse(limit)))
    };
    let all = tuned.policies.len();
    let says = |limit: usize| tune.limits[limit].says();
    let Some((limit, count)) = most(Some(false)) else { return "there is no limit".into() };
    let name = says(limit);
    if count == 0 {
        let (limit, count) = most(None).unwrap_or((limit, all));
        return format!("{}: whether it holds is undecided for {count} of {all} policies", says(limit));
    }
    if count == all {
        return format!("{name}: it does not hold for any policy");
    }
    let others: Vec<String> = (0..tune.limits.len())
        .filter(|&other| other != limit)
        .map(|other| (other, of(other, Some(false))))
        .filter(|&(_, count)| count > 0)
        .map(|(other, count)| format!(", {} for {count}", says(other)))
        .collect();
    let rest = if tuned.decided { "together they leave none" } else { "the others are undecided" };
    format!("{name} does not hold for {count} of {all} policies{}; {rest}", others.concat())
}

fn sensitivity(tune: &Tune, factor: f64, tuned: &Tuned) -> Sensitivity {
    let recommended = tuned.incumbent.map(|place| Policy::of(tune.policy(place)));
    let answer = match &recommended {
        Some(policy) => short(policy),
        None if tuned.decided => "no policy meets the limits".into(),
        None => "no policy surely meets the limits".into(),
    };
    Sensitivity {
        factor,
        decided: tuned.decided,
        says: format!("with {} times the failure rates: {answer}", factor),
        recommended,
    }
}

fn hints(judged: &[Judged], versions: Vec<String>) -> Vec<Hint> {
    let Some((own, others)) = judged.split_first() else { return Vec::new() };
    let share = |value: f64| Unit::Share.say(value);
    let hint = |judged: &Judged| {
        let versions: Vec<(String, f64, f64)> = versions
            .iter()
            .zip(&judged.bad)
            .map(|(version, &(trips, exposed))| (version.clone(), trips, exposed))
            .collect();
        let reach: Vec<String> = versions
            .iter()
            .zip(&own.bad)
            .map(|((version, _, exposed), (_, before))| {
                format!("{version} {} in place of {}", Unit::Percent.say(*exposed), Unit::Percent.say(*before))
            })
            .collect();
        Hint {
            rule: judged.rule.name().into(),
            parameters: judged.rule.parameters(),
            false_trip_rate: judged.false_trips,
            says: format!(
                "{}, {}: exposes {}, tripping {} of good rollouts in place of {}",
                judged.rule.name(),
                judged.rule.parameters(),
                reach.join(", "),
                share(judged.false_trips),
                share(own.false_trips)
            ),
            versions,
        }
    };
    others.iter().map(hint).collect()
}
